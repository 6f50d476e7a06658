//! Input and output of solving: the facts that a layout is solved for, and things to draw, each with its place and
//! look. PURE.

use serde::Serialize;
use utoipa::ToSchema;

use super::geometry::{Crop, Rect};
use crate::{
    cut::{Cut, Lost},
    look::{KeypointName, Transition},
    scene::Images,
};

/// Someone who may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person<'a> {
    /// Unique in the room; what `{"participant": …}` refers to.
    pub name: &'a str,
    /// Width and height of their picture in pixels; `None` while they have none. They keep their slot, tile or place
    /// side by side then, but nothing is shown there.
    pub size: Option<(u32, u32)>,
}

/// The facts that a scene is solved for.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Everybody who may be shown, in order of joining.
    pub people: &'a [Person<'a>],
    /// Of them: who spoke, the last one first.
    pub speakers: &'a [usize],
    /// Width and height of an image asset, of a text's picture ([`Lettering::name`]), or of a clip's
    /// ([`clip_picture`]), in pixels; `None` for one that is not there, which shows nothing.
    pub image_size: &'a dyn Fn(&str) -> Option<(u32, u32)>,
    /// Whether people can be cut out. If not, whole pictures are shown.
    pub can_cut: bool,
}

/// The reason why nothing is seen of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhyHidden {
    /// Nobody has this name, or nobody is in this slot.
    Nobody,
    /// They are there, and no picture of them comes.
    NoPicture,
    /// Its image, clip or text is not ready or not there.
    NoAsset,
    /// Its opacity is 0.
    Transparent,
    /// Its crop leaves nothing.
    Cropped,
    /// It is less than a pixel.
    TooSmall,
    /// It lies beside the canvas.
    OffCanvas,
}

/// The identity of a placement from one layout to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The layer of this id.
    Layer(String),
    /// The person of this name, placed by `auto`.
    Auto(String),
}

/// The look of a placement beyond its rectangle. The default: as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Look {
    /// Of the corners, in canvas pixels, at most half the shorter side.
    pub radius: f32,
    /// Along the inside of the edge: canvas pixels, and red, green, blue.
    pub border: Option<(f32, [u8; 3])>,
    /// Degrees, clockwise, about the middle.
    pub turn: f32,
    /// Canvas pixels by which the person's whole picture is blurred behind what is cut out.
    pub blur: Option<f32>,
    /// The view of the person while nobody is found to be cut out.
    pub lost: Lost,
}

/// The thing that a placement goes along with; its rectangle's place is found with every frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Following {
    /// The id of the layer that shows the person.
    pub layer: String,
    /// Point of that person.
    pub keypoint: KeypointName,
    /// The point of the placement's rectangle that is on the keypoint, of 1x1.
    pub anchor: (f32, f32),
    /// Right of the keypoint and below it, in canvas pixels.
    pub offset: (f32, f32),
    /// Of the source's own size, times the share of the canvas that the followed layer takes; `None`: the rectangle has
    /// its size already.
    pub scale: Option<f32>,
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Key of the layer.
    pub key: Key,
    /// The picture or the colour.
    pub source: Placed,
    /// Rectangle on the canvas. It touches the canvas, and may reach beyond it.
    pub dst: Rect,
    /// The part of it, in source pixels, before mirroring; all zero for a colour.
    pub src: Crop,
    /// Left and right exchanged.
    pub mirror: bool,
    /// Greater than 0.0, up to 1.0.
    pub opacity: f32,
    /// The cutout of a person's picture; `None`: all of it, always so when [`Facts::can_cut`] is false.
    pub cut: Option<Cut>,
    /// Look of the picture.
    pub look: Look,
    /// The keypoint that it goes along with.
    pub following: Option<Following>,
    /// Change into this.
    pub transition: Transition,
}

impl Placement {
    /// Returns whether any of it may be on a canvas of this size, however it is turned.
    #[inline]
    pub fn touches(&self, width: u32, height: u32) -> bool {
        if self.following.is_some() {
            return true;
        }
        if self.look.turn == 0.0 {
            return self.dst.touches(width, height);
        }
        // Turned, it stays within the circle around its corners.
        let (across, down) = (f64::from(self.dst.width), f64::from(self.dst.height));
        let more = |side: f64| ((across.hypot(down) - side) / 2.0).ceil() as i32;
        let (x, y) = (more(across), more(down));
        let around = Rect {
            x: self.dst.x - x,
            y: self.dst.y - y,
            width: self.dst.width + 2 * x,
            height: self.dst.height + 2 * y,
        };
        around.touches(width, height)
    }
}

/// A text that runs through its layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crawl {
    /// The name of its picture.
    pub name: String,
    /// Thousandths of a canvas pixel a second.
    pub speed: u32,
    /// The colour behind it in its whole layer: red, green, blue.
    pub ground: Option<[u8; 3]>,
}

/// The layers that are drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// The person at this index of [`Facts::people`].
    Person(usize),
    /// The asset of this name, or the picture of a text.
    Image(String),
    /// Assets by turns; `src` is of the first.
    Images(Images),
    /// The text that runs through its layer; `src` is all of it.
    Crawl(Crawl),
    /// The clip whose first picture has this name ([`clip_picture`]).
    Clip(String),
    /// Red, green, blue.
    Color([u8; 3]),
}

/// Returns the name of a clip's first picture: no asset's.
pub fn clip_picture(asset: &str) -> String {
    format!("video:{asset}")
}
