//! A video: frame by frame, with its sound and its times.

use std::{
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use super::{
    finder::Finder,
    painter::CutoutPainter,
    plan::{SegmentPlan, Written},
    raster::{Raster, Space},
    report::{self, Moment},
};
use crate::{
    error::ProgramError,
    media::{
        compose::colour::Matrix,
        file::{Colours, FileError, Frame, Reader, Shape, Stop, Target, Writer},
        segment::{input::Yuv, model::Model},
    },
};

/// A file may end so much before the time that it promises without a word: sound is often longer than the picture.
const SHORTER: Duration = Duration::from_secs(1);

/// Does what is planned.
///
/// # Errors
/// As [`super::run`].
pub(super) fn run(input: &Path, mut plan: SegmentPlan, model: &Arc<Model>) -> Result<(), ProgramError> {
    let stop = Stop::default();
    stop_on_signals(&stop)?;
    let mut reader = Reader::open(input, &stop).map_err(|error| match error {
        FileError::Unreadable { .. } | FileError::NoVideo { .. } => ProgramError::Usage(error.to_string()),
        _ => failed(error),
    })?;
    let shape = reader.shape();
    let size = (shape.width, shape.height);
    let finder = Finder::new(model, size, &plan).map_err(|error| ProgramError::Usage(error.to_string()))?;
    let output = plan.output.take();
    let writer = match &output {
        Some((output, Written::Video(container))) => {
            let sound = reader.has_sound().then_some(input);
            let target = Target { path: output.temporary(), called: output.path(), container: *container, sound };
            let writer = Writer::create(target, shape, &stop).map_err(failed)?;
            if writer.size() != size {
                let (width, height) = writer.size();
                note(&format!("{}x{} becomes {width}x{height}: H.264 wants even sides", size.0, size.1));
            }
            Some(writer)
        }
        _ => None,
    };
    if let Some(text) = &plan.note {
        note(text);
    }
    let mut work = Work {
        painter: CutoutPainter::new(&mut plan, size, space(shape)),
        picture: Raster::new(size.0, size.1, space(shape)),
        finder,
        writer,
        every: u64::from(plan.every),
        json: plan.json,
        frames: 0,
        seen: 0,
        end: Duration::ZERO,
    };
    let bar = Bar::new(reader.duration());
    let begun = Instant::now();
    while let Some(frame) = reader.next().map_err(failed)? {
        if !work.take(&frame)? {
            return Ok(());
        }
        bar.show(work.frames, work.end);
    }
    drop(bar);
    let took = begun.elapsed().as_secs_f64();
    if let Some(promised) = reader.duration()
        && promised > work.end + SHORTER + promised / 10
    {
        let (end, promised) = (work.end.as_secs_f64(), promised.as_secs_f64());
        note(&format!("{}: its pictures end after {end:.1} s of {promised:.1} s", input.display()));
    }
    if let Some(writer) = work.writer {
        writer.finish().map_err(failed)?;
    }
    if let Some((output, _)) = output {
        let path = output.path().to_owned();
        output.keep()?;
        note(&format!("{} frames in {took:.1} s, {:.0} a second", work.frames, work.frames as f64 / took.max(1e-9)));
        if !plan.json {
            // The reader may have gone; nobody can read the error.
            let _ = writeln!(std::io::stdout().lock(), "{}", path.display());
        }
    }
    Ok(())
}

/// The stages that a frame goes through.
struct Work {
    finder: Finder,
    painter: CutoutPainter,
    picture: Raster,
    writer: Option<Writer>,
    every: u64,
    json: bool,
    /// So far.
    frames: u64,
    /// The last one that was looked at.
    seen: u64,
    /// End of the last one.
    end: Duration,
}

impl Work {
    /// Returns `false` when nobody waits for the work any more.
    fn take(&mut self, frame: &Frame) -> Result<bool, ProgramError> {
        let [y, u, v] = frame.planes();
        let (width, height) = (self.picture.width, self.picture.height);
        if self.frames.is_multiple_of(self.every) {
            let yuv = Yuv { width, height, y, u, v };
            self.finder.look(&yuv, frame.pts).map_err(|error| ProgramError::Failed(error.to_string()))?;
            self.seen = self.frames;
        }
        let mut heard = true;
        if self.json {
            let moment = Moment { frame: self.frames, pts: frame.pts, seen: self.seen };
            let line = report::of(self.finder.found(), (width, height), Some(moment));
            heard = writeln!(std::io::stdout().lock(), "{line}").is_ok();
        }
        if let Some(writer) = &mut self.writer {
            self.picture.copy_from([y, u, v]);
            self.painter.paint(&mut self.picture, self.finder.found(), None);
            writer.push(self.picture.views(), frame.pts, frame.duration).map_err(failed)?;
        }
        self.frames += 1;
        self.end = frame.pts + frame.duration.unwrap_or_default();
        Ok(heard || self.writer.is_some())
    }
}

fn space(shape: Shape) -> Space {
    Space::Yuv(match shape.colours {
        Colours::Bt601 => Matrix::Bt601,
        Colours::Bt709 => Matrix::Bt709,
    })
}

fn failed(error: FileError) -> ProgramError {
    ProgramError::Failed(match error {
        FileError::Stopped => "stopped; nothing was written".into(),
        error => error.to_string(),
    })
}

fn note(text: &str) {
    eprintln!("virfie: {text}");
}

/// Ends the work on SIGINT and SIGTERM, so that no half file is left.
fn stop_on_signals(stop: &Stop) -> Result<(), ProgramError> {
    let fail = |error: std::io::Error| ProgramError::Failed(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(fail)?;
    let stop = stop.clone();
    let wait = async move {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            stop.stop();
        }
    };
    let spawned = std::thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(wait));
    spawned.map(drop).map_err(fail)
}

/// The progress, on stderr if that is a terminal.
struct Bar {
    bar: ProgressBar,
    begun: Instant,
}

impl Bar {
    fn new(duration: Option<Duration>) -> Self {
        let bar = match duration {
            Some(duration) => ProgressBar::new(milliseconds(duration)),
            None => ProgressBar::new_spinner(),
        };
        let template = if duration.is_some() { "{wide_bar} {percent:>3}% {msg} ETA {eta}" } else { "{spinner} {msg}" };
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, begun: Instant::now() }
    }

    fn show(&self, frames: u64, end: Duration) {
        // Not every frame, because each report makes the text again.
        if !self.bar.is_hidden() && frames.is_multiple_of(8) {
            let rate = frames as f64 / self.begun.elapsed().as_secs_f64().max(1e-9);
            self.bar.set_message(format!("{frames} frames, {rate:.0} a second"));
            self.bar.set_position(milliseconds(end));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
