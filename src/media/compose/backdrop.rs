//! The background of all layers, painted when it changes and not on a mix thread.

use std::{sync::Arc, time::Duration};

use super::{
    canvas::{Geometry, LayerBlender},
    colour::Matrix,
    planes::{I420, PlanesMut, copy},
    reel::Reel,
    still::Still,
};
use crate::{layout::Background, media::port::Picture};

/// The painter that makes a picture ready where it is handed over.
#[derive(Debug, Default)]
pub struct BackdropPainter {
    last: Option<(Ground, Arc<I420>)>,
}

/// The values that the painted background depends on.
#[derive(Debug)]
struct Ground {
    size: (u32, u32),
    color: [u8; 3],
    image: Option<Arc<Still>>,
}

impl Ground {
    fn of(picture: &Picture) -> Self {
        let canvas = &picture.scene.canvas;
        let (color, image) = match &canvas.background {
            Background::Color(rgb) => (*rgb, None),
            Background::Image(name) => ([0x11; 3], picture.images.iter().find(|image| *image.name == **name)),
        };
        Self { size: (canvas.width, canvas.height), color, image: image.map(|image| image.still.clone()) }
    }

    fn is_still(&self, other: &Self) -> bool {
        let image = match (&self.image, &other.image) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        image && (self.size, self.color) == (other.size, other.color)
    }
}

/// A picture that can be shown at once.
#[derive(Debug)]
pub struct Show {
    /// Its images are in the order of their names.
    pub picture: Picture,
    /// The background of its layers.
    pub backdrop: Backdrop,
    /// The frames of its clips, by the names of their images.
    pub reels: Vec<(Arc<str>, Arc<Reel>)>,
}

impl BackdropPainter {
    /// Makes a picture ready. Paints the background if it is another one than last time.
    pub fn prepare(&mut self, mut picture: Picture) -> Show {
        picture.images.sort_by(|one, other| one.name.cmp(&other.name));
        let ground = Ground::of(&picture);
        let painted = match &self.last {
            Some((last, painted)) if last.is_still(&ground) => painted.clone(),
            _ => Arc::new(paint(&ground)),
        };
        let moving = ground.image.clone().filter(|image| image.is_animated());
        self.last = Some((ground, painted.clone()));
        let backdrop = Backdrop { painted, moving, begun: None, blender: LayerBlender::new() };
        Show { picture, backdrop, reels: Vec::new() }
    }
}

fn paint(ground: &Ground) -> I420 {
    let (width, height) = ground.size;
    let mut painted = I420::new(width as usize, height as usize, false);
    let [y, u, v] = Matrix::Bt601.colour(ground.color);
    painted.fill(y, u, v);
    // One that moves is laid over this with every frame.
    if let Some(image) = ground.image.as_ref().filter(|image| !image.is_animated()) {
        draw(&mut LayerBlender::new(), &mut painted.planes_mut(), image, Duration::ZERO);
    }
    painted
}

fn draw(blender: &mut LayerBlender, canvas: &mut PlanesMut<'_>, image: &Still, since: Duration) {
    let (planes, geometry) = image.at(since, cover(image.size(), (canvas.width, canvas.height)));
    blender.blend(canvas, &planes.planes(), &geometry, 255, true);
}

/// Returns the largest middle part of an image that fills the canvas.
fn cover((width, height): (u32, u32), canvas: (usize, usize)) -> Geometry {
    let (from, to) = ((width as f32, height as f32), (canvas.0 as f32, canvas.1 as f32));
    let scale = (to.0 / from.0).max(to.1 / from.1);
    let (src_width, src_height) = ((to.0 / scale).min(from.0), (to.1 / scale).min(from.1));
    Geometry {
        src_x: (from.0 - src_width) / 2.0,
        src_y: (from.1 - src_height) / 2.0,
        src_width,
        src_height,
        ..Geometry::whole_at(0, 0, canvas.0, canvas.1)
    }
}

/// The background of all layers.
#[derive(Debug)]
pub struct Backdrop {
    painted: Arc<I420>,
    /// The background image, if it is animated.
    moving: Option<Arc<Still>>,
    /// Moment at which its first picture was shown.
    begun: Option<Duration>,
    blender: LayerBlender,
}

impl Backdrop {
    /// Goes on with the animation of the one before, if that is the same.
    pub fn go_on(&mut self, before: &Self) {
        if let (Some(own), Some(other)) = (&self.moving, &before.moving)
            && Arc::ptr_eq(own, other)
        {
            self.begun = before.begun;
        }
    }

    /// Covers a canvas of its size.
    pub fn draw(&mut self, canvas: &mut PlanesMut<'_>, now: Duration) {
        copy(canvas, &self.painted.planes());
        if let Some(image) = &self.moving {
            let begun = *self.begun.get_or_insert(now);
            draw(&mut self.blender, canvas, image, now.saturating_sub(begun));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::{
        layout::{Canvas, read},
        media::port::Image,
    };

    fn picture(background: &str, still: &Arc<Still>) -> Picture {
        let canvas = Canvas { width: 64, height: 64, ..Canvas::default() };
        let scene = Arc::new(read(&json!({"canvas": {"background": background}}), &canvas).unwrap());
        let image = |name: &str| Image { name: name.into(), still: still.clone(), clip: None };
        Picture { scene, people: Vec::new(), speakers: Vec::new(), images: vec![image("b.png"), image("a.png")] }
    }

    fn shown(show: &mut Show, ms: u64) -> [u8; 3] {
        let mut canvas = I420::new(64, 64, false);
        show.backdrop.draw(&mut canvas.planes_mut(), Duration::from_millis(ms));
        let planes = canvas.planes();
        [planes.y[64 * 32 + 32], planes.u[500], planes.v[500]]
    }

    #[test]
    fn what_stays_is_painted_once() {
        let still = Arc::new(Still::new(&[255, 0, 0, 255].repeat(16), 4, 4));
        let mut painter = BackdropPainter::default();
        let mut first = painter.prepare(picture("a.png", &still));
        let names: Vec<&str> = first.picture.images.iter().map(|image| &*image.name).collect();
        assert_eq!(names, ["a.png", "b.png"]);
        assert_eq!(shown(&mut first, 0), Matrix::Bt601.colour([255, 0, 0]));
        let again = painter.prepare(picture("a.png", &still));
        assert!(Arc::ptr_eq(&first.backdrop.painted, &again.backdrop.painted));
        let mut other = painter.prepare(picture("#00ff00", &still));
        assert_eq!(shown(&mut other, 0), Matrix::Bt601.colour([0, 255, 0]));
        let same = Arc::new(Still::new(&[0, 0, 255, 255].repeat(16), 4, 4));
        let mut newer = painter.prepare(picture("a.png", &same));
        assert_eq!(shown(&mut newer, 0), Matrix::Bt601.colour([0, 0, 255]));
    }

    #[test]
    fn an_animated_background_moves() {
        let mut still = Still::new(&[255, 0, 0, 255].repeat(16), 4, 4);
        still.set_first_length(Duration::from_millis(100));
        still.push(&[0, 0, 255, 255].repeat(16), 4, 4, Duration::from_millis(100));
        let mut show = BackdropPainter::default().prepare(picture("a.png", &Arc::new(still)));
        // It begins when it is shown first.
        for (ms, rgb) in [(7050, [255, 0, 0]), (7149, [255, 0, 0]), (7150, [0, 0, 255]), (7250, [255, 0, 0])] {
            assert_eq!(shown(&mut show, ms), Matrix::Bt601.colour(rgb), "at {ms} ms");
        }
    }
}
