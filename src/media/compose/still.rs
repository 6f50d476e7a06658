//! Pictures that come from no camera, ready to be laid over a canvas: images and texts. PURE.
//!
//! They are made where images are decoded, once, so that showing one costs a mix thread nothing but its layer. What
//! one needs to be shown much smaller than it is (halved, again and again) is made ahead, too.

use std::{any::Any, fmt, num::NonZeroU32, time::Duration};

use super::{
    canvas::Geometry,
    colour::{Matrix, rgba_to_i420},
    halve::{Halver, Halvings},
    kernel::Isa,
    planes::I420,
};

/// Halving ends when a side has no more than this many pixels: what is shown smaller still is cheap to halve.
const SMALLEST: usize = 32;

/// One picture of a [`Still`].
struct Frame {
    /// The picture itself, then halved once, twice, and so on.
    levels: Vec<I420>,
    /// Moment at which the next one is shown, from the beginning of the first.
    until: Duration,
}

/// A picture, or several that are shown one after the other, again and again or so often; all of the same size.
pub struct Still {
    frames: Vec<Frame>,
    /// Number of times that they are shown before the last one stays; `None`: for ever.
    plays: Option<NonZeroU32>,
    bytes: usize,
    kept: Option<Box<dyn Any + Send + Sync>>,
}

impl fmt::Debug for Still {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (width, height) = self.size();
        write!(f, "Still({width}x{height}, {} frames)", self.frames.len())
    }
}

impl Still {
    /// Creates one of `width` x `height` pixels of 8-bit RGBA, row by row, alpha not premultiplied.
    ///
    /// # Panics
    /// If `rgba` is shorter than `width * height * 4`, or there are no pixels.
    pub fn new(rgba: &[u8], width: u32, height: u32) -> Self {
        let mut still = Self { frames: Vec::with_capacity(1), plays: None, bytes: 0, kept: None };
        still.push(rgba, width, height, Duration::ZERO);
        still
    }

    /// Creates one of a picture in the canvas's own format.
    ///
    /// # Panics
    /// If there are no pixels.
    pub fn of(picture: I420) -> Self {
        assert!(picture.width > 0 && picture.height > 0, "a picture has pixels");
        let levels = levels(picture);
        let bytes = levels.iter().map(|level| level.data().len()).sum();
        Self { frames: vec![Frame { levels, until: Duration::ZERO }], plays: None, bytes, kept: None }
    }

    /// Adds one more picture of an animation, shown for `length` after those before it.
    ///
    /// # Panics
    /// As [`Still::new`], and if its size is another than that of those before.
    pub fn push(&mut self, rgba: &[u8], width: u32, height: u32, length: Duration) {
        assert!(width > 0 && height > 0, "a picture has pixels");
        let whole = rgba_to_i420(rgba, width as usize, height as usize, Matrix::Bt601);
        let levels = levels(whole);
        if let Some(first) = self.frames.first() {
            let size = |levels: &[I420]| (levels[0].width, levels[0].height);
            assert!(size(&first.levels) == size(&levels), "all pictures of an animation are of one size");
        }
        let begin = self.length();
        self.bytes += levels.iter().map(|level| level.data().len()).sum::<usize>();
        self.frames.push(Frame { levels, until: begin + length });
    }

    /// Says how long the first picture is shown, which [`Still::new`] does not know.
    pub fn set_first_length(&mut self, length: Duration) {
        if let [first] = self.frames.as_mut_slice() {
            first.until = length;
        }
    }

    /// Says how often its pictures are shown, all of them, before the last one stays; `None`: for ever.
    pub fn set_plays(&mut self, plays: Option<NonZeroU32>) {
        self.plays = plays;
    }

    /// Keeps something for as long as this lives, in place of what it kept.
    pub fn keep(&mut self, kept: impl Any + Send + Sync) {
        self.kept = Some(Box::new(kept));
    }

    /// Returns what it keeps, if that is one of these.
    pub fn kept<T: Any>(&self) -> Option<&T> {
        self.kept.as_deref()?.downcast_ref()
    }

    /// Returns width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        let first = self.whole();
        (first.width as u32, first.height as u32)
    }

    /// Returns the first picture, in its own size.
    pub fn whole(&self) -> &I420 {
        &self.frames[0].levels[0]
    }

    /// Returns the picture at this time since the first one was shown, in its own size.
    pub fn whole_at(&self, since: Duration) -> &I420 {
        &self.frame(since).levels[0]
    }

    /// Returns the memory that it takes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns whether it changes by time.
    pub fn is_animated(&self) -> bool {
        self.frames.len() > 1
    }

    /// Returns how long all pictures together are shown.
    fn length(&self) -> Duration {
        self.frames.last().map_or(Duration::ZERO, |last| last.until)
    }

    /// Returns the picture at this time since the first one was shown, in the size that suits `geometry`, and what of
    /// it is to be shown.
    pub fn at(&self, since: Duration, geometry: Geometry) -> (&I420, Geometry) {
        let levels = &self.frame(since).levels;
        let step = |src: f32, dst: i32| f64::from(src) / f64::from(dst.max(1));
        let (width, height) = (levels[0].width, levels[0].height);
        let steps = (step(geometry.src_width, geometry.dst_width), step(geometry.src_height, geometry.dst_height));
        let halvings = Halvings::of(width, height, steps.0, steps.1);
        let level = (halvings.x.min(halvings.y) as usize).min(levels.len() - 1);
        let scale = (level as f32).exp2().recip();
        let geometry = Geometry {
            src_x: geometry.src_x * scale,
            src_y: geometry.src_y * scale,
            src_width: geometry.src_width * scale,
            src_height: geometry.src_height * scale,
            ..geometry
        };
        (&levels[level], geometry)
    }

    fn frame(&self, since: Duration) -> &Frame {
        let length = self.length().as_nanos();
        if self.frames.len() == 1 || length == 0 {
            return &self.frames[0];
        }
        let last = self.frames.len() - 1;
        if self.plays.is_some_and(|plays| since.as_nanos() / length >= u128::from(plays.get())) {
            return &self.frames[last];
        }
        let place = since.as_nanos() % length;
        let index = self.frames.partition_point(|frame| frame.until.as_nanos() <= place);
        &self.frames[index.min(last)]
    }
}

/// Returns a picture and what it becomes by halving.
fn levels(whole: I420) -> Vec<I420> {
    let isa = Isa::detect();
    let mut levels = vec![whole];
    let mut halver = Halver::default();
    loop {
        let last = &levels[levels.len() - 1];
        if last.width.min(last.height) <= SMALLEST {
            return levels;
        }
        let mut next = I420::new(last.width.div_ceil(2), last.height.div_ceil(2), last.has_alpha());
        let once = Halvings { x: 1, y: 1 };
        let from = last.planes();
        next.planes_mut().y.copy_from_slice(halver.halve(isa, from.luma(), once).data);
        let [u, v] = from.chroma();
        next.planes_mut().u.copy_from_slice(halver.halve(isa, u, once).data);
        next.planes_mut().v.copy_from_slice(halver.halve(isa, v, once).data);
        if let (Some(alpha), Some(target)) = (from.alpha(), next.alpha_mut()) {
            target.copy_from_slice(halver.halve(isa, alpha, once).data);
        }
        levels.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(width: u32, height: u32, pixel: [u8; 4]) -> Vec<u8> {
        pixel.repeat((width * height) as usize)
    }

    /// Returns the luma of its first pixel at this time.
    fn luma(still: &Still, ms: u64) -> u8 {
        let (width, height) = still.size();
        let whole = Geometry::whole_at(0, 0, width as usize, height as usize);
        still.at(Duration::from_millis(ms), whole).0.planes().y[0]
    }

    #[test]
    fn what_is_shown_smaller_is_halved_already() {
        let still = Still::new(&flat(1001, 601, [255, 255, 255, 128]), 1001, 601);
        let whole = Geometry::whole_at(5, 6, 1001, 601);
        let at = |width, height| {
            let (picture, geometry) =
                still.at(Duration::ZERO, Geometry { dst_width: width, dst_height: height, ..whole });
            assert_eq!((geometry.dst_x, geometry.dst_width), (5, width));
            assert!(picture.has_alpha() && picture.planes().alpha.is_some_and(|(alpha, _)| alpha[7] == 128));
            (picture.width, picture.height, geometry.src_width)
        };
        assert_eq!(at(1001, 601), (1001, 601, 1001.0));
        assert_eq!(at(500, 300), (501, 301, 500.5));
        assert_eq!(at(250, 150), (251, 151, 250.25));
        assert_eq!(at(250, 600), (1001, 601, 1001.0), "stretched, only one axis is halved: by its blender");
        assert_eq!(at(1, 1).0, 32);
        assert!(still.bytes() > 1001 * 601 * 5 / 2 && still.bytes() < 1001 * 601 * 7 / 2);
    }

    #[test]
    fn an_animation_goes_round_by_running_time() {
        let mut still = Still::new(&flat(4, 4, [0, 0, 0, 255]), 4, 4);
        assert!(!still.is_animated());
        still.set_first_length(Duration::from_millis(100));
        still.push(&flat(4, 4, [255; 4]), 4, 4, Duration::from_millis(50));
        still.push(&flat(4, 4, [127, 127, 127, 255]), 4, 4, Duration::from_millis(50));
        assert!(still.is_animated());
        let seen: Vec<u8> = [0, 99, 100, 149, 150, 199, 200, 350, 1_000_000_000_150].map(|ms| luma(&still, ms)).into();
        assert_eq!(seen, [16, 16, 235, 235, 125, 125, 16, 125, 125]);
    }

    #[test]
    fn an_animation_is_played_as_often_as_it_says() {
        let mut still = Still::new(&flat(4, 4, [0, 0, 0, 255]), 4, 4);
        still.set_first_length(Duration::from_millis(100));
        still.push(&flat(4, 4, [255; 4]), 4, 4, Duration::from_millis(50));
        still.set_plays(NonZeroU32::new(2));
        let seen = [0, 100, 150, 249, 250, 299, 300, 1_000_000].map(|ms| luma(&still, ms));
        assert_eq!(seen, [16, 235, 16, 16, 235, 235, 235, 235]);
    }

    #[test]
    fn a_single_picture_stays() {
        let mut still = Still::new(&flat(1, 1, [255; 4]), 1, 1);
        still.set_first_length(Duration::from_millis(5));
        assert_eq!([0, 4, 5, 77].map(|ms| luma(&still, ms)), [235; 4]);
    }
}
