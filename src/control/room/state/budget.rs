//! The most that the outputs of a room may have composed, encoded and sent: without one, a room could take all that the
//! others need. Pixels a second are counted, of each picture beside the program and of each encoding once, however many
//! outputs share it. Bits a second are counted of each output, for each keeps and sends its own. PURE.

use super::{
    State,
    aux_picture::{AuxSource, AuxWish},
    output::OutputDocument,
    scenes::Scenes,
};
use crate::{
    control::room::error::RoomError,
    layout::{Canvas, Fault},
    media::port::{AuxId, OutputSpec, Speed, VIDEO_KILOBITS, VideoSettings},
};

/// Pixels a second for each core of the machine: half of those that a core composes, or encodes with the least work.
const OF_A_CORE: u64 = 125_000_000;

/// Pixels a second that outputs may have on the smallest machine, too: one of 1920x1080, a standing one of 1080x1920 with
/// a layout of its own, a square one of 1080x1080, and the program at 1280x720, at 30 frames a second.
const LEAST: u64 = 320_000_000;

/// Kilobits of video a second for each core of the machine: ten platforms' best.
const KILOBITS_OF_A_CORE: u64 = 100_000;

/// Kilobits of video a second that outputs may have on the smallest machine, too: as many outputs as a room has, each at
/// more than a platform's best.
const LEAST_KILOBITS: u64 = 200_000;

/// The shortest side that an output can have.
const SHORTEST: u64 = 64;

/// The most for one room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Pixels a second, its program counted in.
    pixels: u64,
    /// Kilobits of video a second of its outputs.
    kilobits: u64,
}

impl Budget {
    /// Returns that of a machine.
    pub const fn of_cores(cores: usize) -> Self {
        let kilobits = KILOBITS_OF_A_CORE.saturating_mul(cores as u64);
        Self {
            pixels: OF_A_CORE.saturating_mul(cores as u64),
            kilobits: if kilobits > LEAST_KILOBITS { kilobits } else { LEAST_KILOBITS },
        }
    }

    /// Returns how much outputs may have beside a program of this canvas.
    fn beside(self, canvas: &Canvas) -> Work {
        let pixels = self.pixels.saturating_sub(of_program(canvas)).max(LEAST);
        Work { pixels, kilobits: self.kilobits }
    }
}

/// The work of outputs in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Work {
    /// Pixels that are composed and encoded.
    pixels: u64,
    /// Kilobits of video that are sent or written.
    kilobits: u64,
}

/// Returns whether that is too much. What is too much already may stay and not grow.
fn exceeds(all: u64, most: u64, before: u64) -> bool {
    all > most.max(before)
}

impl Work {
    /// Checks that it fits beside the room's program.
    fn check(self, most: Self, before: Self) -> Result<(), RoomError> {
        if exceeds(self.pixels, most.pixels, before.pixels) {
            let (all, most) = (self.pixels.div_ceil(1_000_000), most.pixels / 1_000_000);
            return Err(RoomError::TooMuchEncoded { all, most });
        }
        if exceeds(self.kilobits, most.kilobits, before.kilobits) {
            return Err(RoomError::TooMuchSent { all: self.kilobits.div_ceil(1000), most: most.kilobits / 1000 });
        }
        Ok(())
    }
}

fn pixels(canvas: &Canvas) -> u64 {
    u64::from(canvas.width) * u64::from(canvas.height) * u64::from(canvas.fps)
}

/// Counts the program: it is composed, and encoded for viewers whole, at half its size and at a quarter.
fn of_program(canvas: &Canvas) -> u64 {
    let whole = pixels(canvas);
    whole + whole + whole / 4 + whole / 16
}

/// An output that runs, or would.
#[derive(Clone, Copy)]
struct Asked<'a> {
    spec: &'a OutputSpec,
    aux: Option<&'a AuxWish>,
}

impl Asked<'_> {
    /// Returns the canvas of its own picture, and the picture as it is encoded.
    fn video(&self, scenes: &Scenes, canvas: &Canvas) -> (Option<Canvas>, VideoSettings) {
        let own = self.aux.map(|wish| wish.canvas(scenes, canvas));
        let shown = own.as_ref().unwrap_or(canvas);
        let video = self.spec.wishes.video((shown.width, shown.height, shown.fps));
        (own, video)
    }
}

/// Counts what outputs have composed, encoded and sent in a room of these scenes and this canvas.
fn work<'a>(outputs: impl IntoIterator<Item = Asked<'a>>, scenes: &Scenes, canvas: &Canvas) -> Work {
    let (mut pictures, mut encodings) = (Vec::<&AuxId>::new(), Vec::new());
    let mut work = Work::default();
    for asked in outputs {
        // What participants send is recorded as it is.
        if !asked.spec.target.kind().is_encoded() {
            continue;
        }
        let (own, video) = asked.video(scenes, canvas);
        if let (Some(id), Some(own)) = (&asked.spec.aux, own)
            && !pictures.contains(&id)
        {
            pictures.push(id);
            work.pixels += pixels(&own);
        }
        work.kilobits += u64::from(video.bitrate);
        let encoding = (&asked.spec.aux, video);
        if !encodings.contains(&encoding) {
            encodings.push(encoding);
            work.pixels += video.work();
        }
    }
    work
}

impl State {
    /// Returns the outputs that are enabled, and those that `or` adds, by their index.
    fn asked(&self, or: impl Fn(usize) -> bool) -> impl Iterator<Item = Asked<'_>> {
        let asked = self.outputs.iter().enumerate().filter(move |(index, one)| one.document.enabled || or(*index));
        asked.map(|(_, one)| Asked { spec: &one.spec, aux: one.aux.as_ref() })
    }

    /// Checks that an output's picture can be encoded beside those of the others. `but`: the output that is changed; it
    /// may keep what it has.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] with the place that asks for too much.
    pub fn check_work_of(
        &self,
        document: &OutputDocument,
        spec: &OutputSpec,
        but: Option<usize>,
    ) -> Result<(), RoomError> {
        if !document.enabled {
            return Ok(());
        }
        let (scenes, canvas, wish) = (&self.scenes, &self.scene.canvas, document.aux());
        let new = Asked { spec, aux: wish.as_ref() };
        let others = self.outputs.iter().enumerate().filter(|(index, one)| one.document.enabled && Some(*index) != but);
        let others: Vec<_> = others.map(|(_, one)| Asked { spec: &one.spec, aux: one.aux.as_ref() }).collect();
        let taken = work(others.iter().copied(), scenes, canvas);
        let all = work(others.into_iter().chain([new]), scenes, canvas);
        let (most, before) = (self.budget.beside(canvas), work(self.asked(|_| false), scenes, canvas));
        let (own, video) = new.video(scenes, canvas);
        let mut faults = Vec::new();
        if exceeds(all.pixels, most.pixels, before.pixels) {
            let (needed, left) = (all.pixels - taken.pixels, most.pixels.saturating_sub(taken.pixels));
            faults.push(fault(document, own.zip(wish.as_ref()), video, needed, left));
        }
        if exceeds(all.kilobits, most.kilobits, before.kilobits) {
            faults.push(fault_of_bits(video, most.kilobits.saturating_sub(taken.kilobits)));
        }
        if faults.is_empty() { Ok(()) } else { Err(RoomError::Invalid(faults)) }
    }

    /// Checks that outputs can be started: that of this index, or all of them.
    ///
    /// # Errors
    /// [`RoomError::TooMuchEncoded`], [`RoomError::TooMuchSent`].
    pub(super) fn check_work_to_start(&self, index: Option<usize>) -> Result<(), RoomError> {
        let (scenes, canvas) = (&self.scenes, &self.scene.canvas);
        let all = work(self.asked(|one| index.is_none_or(|index| index == one)), scenes, canvas);
        all.check(self.budget.beside(canvas), work(self.asked(|_| false), scenes, canvas))
    }

    /// Checks that what the outputs show can still be encoded when the room has this canvas and these scenes. `None`:
    /// those that it has. What is too much already, as on a machine that has become smaller, may stay and not grow.
    ///
    /// # Errors
    /// [`RoomError::TooMuchEncoded`], [`RoomError::TooMuchSent`].
    pub fn check_work_after(&self, canvas: Option<&Canvas>, scenes: Option<&Scenes>) -> Result<(), RoomError> {
        let then = (scenes.unwrap_or(&self.scenes), canvas.unwrap_or(&self.scene.canvas));
        let all = work(self.asked(|_| false), then.0, then.1);
        let mut before = work(self.asked(|_| false), &self.scenes, &self.scene.canvas);
        // A program that becomes smaller leaves more to outputs.
        before.pixels = (before.pixels + of_program(&self.scene.canvas)).saturating_sub(of_program(then.1));
        all.check(self.budget.beside(then.1), before)
    }
}

/// Says which bit rate an output could have where so many kbit/s are left.
fn fault_of_bits(video: VideoSettings, left: u64) -> Fault {
    let fit = match left >= u64::from(*VIDEO_KILOBITS.start()) {
        true => format!("{left} would fit"),
        false => "nothing more fits, unless another output is stopped or gets a lower one".to_owned(),
    };
    let detail = format!(
        "{} kbit/s is more than this machine sends for one room beside its other outputs: {fit}",
        video.bitrate
    );
    Fault { pointer: "/video/bitrate".to_owned(), detail }
}

/// Names the place of an output that asks for `needed` pixels a second where `left` are left, and says what would fit.
fn fault(
    document: &OutputDocument,
    picture: Option<(Canvas, &AuxWish)>,
    video: VideoSettings,
    needed: u64,
    left: u64,
) -> Fault {
    let with = |speed| needed - video.work() + VideoSettings { preset: Some(speed), ..video }.work();
    let lighter = |asked| Speed::ALL.into_iter().rev().find(|speed| *speed < asked && with(*speed) <= left);
    if let Some(speed) = video.preset.and_then(lighter) {
        let detail = format!(
            "is more work than this machine takes on for one room beside its other outputs: `{}` would fit",
            speed.name()
        );
        return Fault { pointer: "/video/preset".to_owned(), detail };
    }
    // The canvas of a picture of its own is the output's size where nothing else says it.
    let is_own = |own: &Canvas| {
        pixels(own) >= video.pixels()
            && (document.video.size().is_none() || (own.width, own.height) != (video.width, video.height))
    };
    let (pointer, (width, height, fps)) = match picture.filter(|(own, _)| is_own(own)) {
        Some((own, wish)) => {
            let pointer = match wish.source {
                AuxSource::Layout(_) => "/layout/canvas",
                AuxSource::Scene(_) => wish.pointer(),
            };
            (pointer, (own.width, own.height, own.fps))
        }
        None => ("/video/size", (video.width, video.height, video.fps)),
    };
    // Both sides shrink alike, so that pixels shrink by the square.
    let fitting = |side: u32| ((u64::from(side).pow(2) * left / needed.max(1)).isqrt()) & !1;
    let (wide, high) = (fitting(width), fitting(height));
    let fit = match wide.min(high) >= SHORTEST {
        true => format!("{wide}x{high} would fit"),
        false => {
            "nothing more fits, unless another output is stopped or this one gets the settings of another".to_owned()
        }
    };
    let detail = format!(
        "{width}x{height} at {fps} frames a second is more than this machine encodes for one room beside its other \
         outputs: {fit}"
    );
    Fault { pointer: pointer.to_owned(), detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvas(width: u32, height: u32, fps: u32) -> Canvas {
        Canvas { width, height, fps, ..Canvas::default() }
    }

    #[test]
    fn a_larger_machine_takes_on_more_and_the_smallest_one_enough() {
        let program = canvas(1280, 720, 30);
        assert_eq!(Budget::of_cores(1).beside(&program).pixels, LEAST);
        assert_eq!(Budget::of_cores(2).beside(&canvas(3840, 2160, 60)).pixels, LEAST);
        let of_sixteen = Budget::of_cores(16).beside(&program).pixels;
        assert!(of_sixteen > 1_900_000_000 && of_sixteen < 2_000_000_000, "{of_sixteen}");
        assert!(
            Budget::of_cores(16).beside(&canvas(1920, 1080, 30)).pixels < of_sixteen,
            "a larger program leaves less"
        );
        assert_eq!([1, 2, 16].map(|cores| Budget::of_cores(cores).kilobits), [200_000, 200_000, 1_600_000]);
    }
}
