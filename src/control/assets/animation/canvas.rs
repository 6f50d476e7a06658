//! The canvas of an animation: its parts, each laid over the traces of those before it. PURE.

use std::time::Duration;

use image::{Rgba, RgbaImage};

/// The fate of a part's place before the next one is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposal {
    /// The part stays.
    Keep,
    /// It becomes transparent.
    Clear,
    /// It becomes what it was before the part.
    Restore,
}

/// One picture of an animation.
#[derive(Debug)]
pub struct Part {
    /// Of its upper left corner on the canvas.
    pub left: u32,
    /// Likewise.
    pub top: u32,
    /// Its pixels. What lies outside of the canvas is not shown.
    pub pixels: RgbaImage,
    /// Whether it is laid over what is there by its alpha, instead of taking its place.
    pub over: bool,
    /// The treatment of its place after it.
    pub disposal: Disposal,
    /// Time for which it is to be shown.
    pub length: Duration,
}

/// The work that has to be done before the next part.
#[derive(Debug)]
struct Before {
    left: u32,
    top: u32,
    /// The pixels that its place shall show.
    pixels: RgbaImage,
}

/// The picture that is shown.
#[derive(Debug)]
pub struct Canvas {
    shown: RgbaImage,
    before: Option<Before>,
}

impl Canvas {
    /// Creates a transparent one.
    pub fn new((width, height): (u32, u32)) -> Self {
        Self { shown: RgbaImage::new(width, height), before: None }
    }

    /// Returns all pixels, row by row, four bytes each, alpha not premultiplied.
    pub fn shown(&self) -> &[u8] {
        self.shown.as_raw()
    }

    /// Returns the picture itself.
    pub fn into_shown(self) -> RgbaImage {
        self.shown
    }

    /// Shows the next part.
    pub fn show(&mut self, part: Part) {
        if let Some(Before { left, top, pixels }) = self.before.take() {
            self.lay(left, top, &pixels, false);
        }
        let Part { left, top, pixels, over, disposal, .. } = part;
        // Within the canvas, which both fit.
        let width = pixels.width().min(self.shown.width().saturating_sub(left));
        let height = pixels.height().min(self.shown.height().saturating_sub(top));
        self.before = match disposal {
            _ if width == 0 || height == 0 => None,
            Disposal::Keep => None,
            Disposal::Clear => Some(Before { left, top, pixels: RgbaImage::new(width, height) }),
            Disposal::Restore => {
                let kept = image::imageops::crop_imm(&self.shown, left, top, width, height).to_image();
                Some(Before { left, top, pixels: kept })
            }
        };
        self.lay(left, top, &pixels, over);
    }

    fn lay(&mut self, left: u32, top: u32, pixels: &RgbaImage, over: bool) {
        let (width, height) = self.shown.dimensions();
        for (y, row) in (top..height).zip(pixels.rows()) {
            for (x, pixel) in (left..width).zip(row) {
                let under = self.shown.get_pixel_mut(x, y);
                *under = if over { blend(*pixel, *under) } else { *pixel };
            }
        }
    }
}

/// Blends one pixel over another, alpha not premultiplied.
fn blend(over: Rgba<u8>, under: Rgba<u8>) -> Rgba<u8> {
    match (over.0[3], under.0[3]) {
        (255, _) | (_, 0) => over,
        (0, _) => under,
        (above, below) => {
            let above = f32::from(above) / 255.0;
            let below = f32::from(below) / 255.0 * (1.0 - above);
            let alpha = above + below;
            let mixed = |index: usize| (f32::from(over.0[index]) * above + f32::from(under.0[index]) * below) / alpha;
            // `as` saturates.
            Rgba([mixed(0), mixed(1), mixed(2), alpha * 255.0].map(|channel| channel.round() as u8))
        }
    }
}
