//! A validated layout: what the canvas shows, as the rest of the program works with it.
//!
//! A [`Scene`] keeps lengths as they were written, so it can be read back, and turns into pixels only with
//! [`solve`](super::solve()), when it is known who is there.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    cut::{CutOptions, Cutout},
    look::{Border, Follow, Transition},
    model_name::ModelName,
    schema,
    text::{Lettering, Text},
    trigger::{Action, Trigger},
};

/// A validated layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// The picture that everything is put on.
    pub canvas: Canvas,
    /// The explicit layers in the order they were listed; ids are unique.
    pub layers: Vec<SceneLayer>,
    /// What happens to the people whom no layer takes.
    pub auto: Auto,
    /// How what was shown before turns into this.
    pub transition: Transition,
    /// What happens by itself.
    pub triggers: Vec<Trigger>,
    /// The sound asset that is played again and again.
    pub music: Option<String>,
}

/// The picture that layers are put on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canvas {
    /// In pixels, even, within [`limits::CANVAS_WIDTH`](super::limits::CANVAS_WIDTH).
    pub width: u32,
    /// In pixels, even, within [`limits::CANVAS_HEIGHT`](super::limits::CANVAS_HEIGHT).
    pub height: u32,
    /// Frames per second, within [`limits::FPS`](super::limits::FPS).
    pub fps: u32,
    /// What is behind all layers.
    pub background: Background,
}

impl Default for Canvas {
    /// Returns 1280x720 at 30 frames per second on a dark grey.
    fn default() -> Self {
        Self { width: 1280, height: 720, fps: 30, background: Background::Color([0x11; 3]) }
    }
}

impl Canvas {
    /// Returns the canvas as its JSON is read: all four keys.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(schema::Canvas::from(self)).expect("plain structs with string keys always become JSON")
    }
}

/// The background of all layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Background {
    /// Red, green, blue.
    Color([u8; 3]),
    /// An asset, which covers the whole canvas.
    Image(String),
}

/// One rectangle of the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneLayer {
    /// Unique in the scene.
    pub id: String,
    /// What it shows.
    pub source: Source,
    /// Where its anchor stands, from the canvas's left edge. `None`: at the canvas's own anchor point, so that a layer
    /// anchored `bottom-right` without a position stands in that corner.
    pub x: Option<Length>,
    /// Where its anchor stands, from the canvas's top edge; `None` as for `x`.
    pub y: Option<Length>,
    /// How large it is.
    pub size: Size,
    /// The one of its points that `x`, `y` place.
    pub anchor: Anchor,
    /// How the source is fitted into the rectangle.
    pub fit: Fit,
    /// What is cut off the source first.
    pub crop: Edges,
    /// Drawing order: higher is nearer; equal ones are nearer the later they are listed.
    pub z: i32,
    /// 0.0 unseen to 1.0 opaque.
    pub opacity: f64,
    /// Left and right exchanged (after cropping).
    pub mirror: bool,
    /// Which part of the picture is kept.
    pub cutout: Cutout,
    /// How the edge of what is kept is drawn; kept also where nothing is cut out.
    pub cut_options: CutOptions,
    /// Of the corners; a percentage is of the shorter side.
    pub radius: Length,
    /// Along the inside of the edge.
    pub border: Option<Border>,
    /// Degrees, clockwise, about the middle.
    pub rotate: f64,
    /// Canvas pixels by which the person's own picture is blurred behind them.
    pub blur: Option<f64>,
    /// The asset that is shown while the participant is not there.
    pub fallback: Option<String>,
    /// What it goes along with, instead of `x`, `y` and `anchor`.
    pub follow: Option<Follow>,
    /// How it changes; `None`: as the scene does.
    pub transition: Option<Transition>,
}

/// Images, one after the other, again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// Assets, at least one.
    pub names: Vec<String>,
    /// How long each is shown, in milliseconds.
    pub interval_ms: u32,
}

impl Images {
    /// How long each is shown when nothing is said: as the old application did it.
    pub const INTERVAL_MS: u32 = 2000;
}

/// The content of a layer.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// The participant of this name; nothing while nobody has it.
    Participant(String),
    /// The n-th participant, counted from 1 by time of joining, whom no layer names.
    Slot(u32),
    /// An asset.
    Image(String),
    /// Assets by turns.
    Images(Images),
    /// A plain rectangle: red, green, blue.
    Color([u8; 3]),
    /// Something written.
    Text(Text),
    /// An asset that is played again and again, without its sound.
    Video(String),
}

impl Source {
    /// Returns whether it shows a participant.
    pub fn is_person(&self) -> bool {
        matches!(self, Self::Participant(_) | Self::Slot(_))
    }

    /// Returns how it is fitted into its rectangle when nothing is said: of a text nothing is ever cut off.
    pub fn usual_fit(&self) -> Fit {
        if matches!(self, Self::Text(_)) { Fit::Contain } else { Fit::default() }
    }
}

/// A length as it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Length {
    /// Pixels (a factor, where the length is a scale).
    Number(f64),
    /// Hundredths of a whole that depends on the key: the canvas's or the source's width or height.
    Percent(f64),
}

impl Length {
    /// Returns the length in pixels, where 100 % is `whole` pixels.
    pub fn of(self, whole: f64) -> f64 {
        match self {
            Length::Number(pixels) => pixels,
            Length::Percent(percent) => whole * percent / 100.0,
        }
    }

    /// Returns it as a factor: `0.8` and `80%` are both 0.8.
    pub fn factor(self) -> f64 {
        match self {
            Length::Number(factor) => factor,
            Length::Percent(percent) => percent / 100.0,
        }
    }
}

/// The size of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Size {
    /// Nothing was said: as large as the canvas.
    Canvas,
    /// The height follows from the source's shape.
    Width(Length),
    /// The width follows from the source's shape.
    Height(Length),
    /// Both were given.
    Both {
        /// Of the rectangle.
        width: Length,
        /// Of the rectangle.
        height: Length,
    },
    /// The canvas's size times [`Length::factor`].
    Scale(Length),
}

/// The parts of a source that are cut off at its edges, in pixels or percent of the source. All zero: nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edges {
    /// Percent of the source's width.
    pub left: Length,
    /// Percent of the source's height.
    pub top: Length,
    /// Percent of the source's width.
    pub right: Length,
    /// Percent of the source's height.
    pub bottom: Length,
}

impl Default for Edges {
    fn default() -> Self {
        let none = Length::Number(0.0);
        Self { left: none, top: none, right: none, bottom: none }
    }
}

/// The point of a layer's rectangle that `x` and `y` place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Anchor {
    #[default]
    /// The top left corner.
    TopLeft,
    /// The middle of the top edge.
    Top,
    /// The top right corner.
    TopRight,
    /// The middle of the left edge.
    Left,
    /// The middle.
    Center,
    /// The middle of the right edge.
    Right,
    /// The bottom left corner.
    BottomLeft,
    /// The middle of the bottom edge.
    Bottom,
    /// The bottom right corner.
    BottomRight,
}

impl Anchor {
    /// Every anchor by its name in JSON.
    pub const NAMES: [(&'static str, Anchor); 9] = [
        ("top-left", Anchor::TopLeft),
        ("top", Anchor::Top),
        ("top-right", Anchor::TopRight),
        ("left", Anchor::Left),
        ("center", Anchor::Center),
        ("right", Anchor::Right),
        ("bottom-left", Anchor::BottomLeft),
        ("bottom", Anchor::Bottom),
        ("bottom-right", Anchor::BottomRight),
    ];

    /// Returns where the point is in a rectangle of size 1x1, from its top left corner.
    pub fn point(self) -> (f64, f64) {
        match self {
            Anchor::TopLeft => (0.0, 0.0),
            Anchor::Top => (0.5, 0.0),
            Anchor::TopRight => (1.0, 0.0),
            Anchor::Left => (0.0, 0.5),
            Anchor::Center => (0.5, 0.5),
            Anchor::Right => (1.0, 0.5),
            Anchor::BottomLeft => (0.0, 1.0),
            Anchor::Bottom => (0.5, 1.0),
            Anchor::BottomRight => (1.0, 1.0),
        }
    }
}

/// The way that a source is fitted into its rectangle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Stretched to the rectangle; the shape is lost.
    Fill,
    /// Whole and in shape, as large as the rectangle allows, in its middle; the rest of the rectangle stays free.
    Contain,
    /// In shape and filling the rectangle; what is too much is cut off evenly on both sides.
    #[default]
    Cover,
}

impl Fit {
    /// Every fit by its name in JSON.
    pub const NAMES: [(&'static str, Fit); 3] = [("fill", Fit::Fill), ("contain", Fit::Contain), ("cover", Fit::Cover)];
}

/// The treatment of the people whom no layer takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Auto {
    /// How they are placed.
    pub mode: AutoMode,
    /// Between two tiles of the grid; a percentage is of the canvas's width.
    pub gap: Length,
    /// Which part of their picture is kept. `None`: see [`Scene::auto_cutout`].
    pub cutout: Option<Cutout>,
    /// How the edge of what is kept is drawn.
    pub cut_options: CutOptions,
}

impl Auto {
    /// The gap of a grid that says nothing about it.
    pub const GAP: Length = Length::Percent(1.0);
}

impl Default for Auto {
    fn default() -> Self {
        Self { mode: AutoMode::Grid, gap: Self::GAP, cutout: None, cut_options: CutOptions::default() }
    }
}

/// The way that the people whom no layer takes are placed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AutoMode {
    /// Tiles of 16:9, as large as they can be; people who are cut out stand side by side instead.
    #[default]
    Grid,
    /// One row of equal tiles; people who are cut out stand side by side instead.
    Row,
    /// The one who speaks is large, the others are small beside or beneath. The last one stays while all are silent;
    /// before anybody spoke it is the first who joined.
    Spotlight,
    /// They are not shown.
    Off,
}

impl AutoMode {
    /// Every mode by its name in JSON.
    pub const NAMES: [(&'static str, AutoMode); 4] =
        [("grid", AutoMode::Grid), ("row", AutoMode::Row), ("spotlight", AutoMode::Spotlight), ("off", AutoMode::Off)];
}

impl Scene {
    /// Returns the layout of a room that was given none: no layers, everybody placed by `auto`.
    pub fn default_for(canvas: Canvas) -> Scene {
        Scene {
            canvas,
            layers: Vec::new(),
            auto: Auto::default(),
            transition: Transition::default(),
            triggers: Vec::new(),
            music: None,
        }
    }

    /// Returns the layout as canonical JSON: the whole canvas, and of the layers what differs from the defaults.
    /// Reading it gives an equal scene, whatever the canvas it is read upon.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(schema::Layout::from(self)).expect("plain structs with string keys always become JSON")
    }

    /// Returns the models that layers and `auto` name, in their order.
    pub fn model_names(&self) -> impl Iterator<Item = ModelName> + '_ {
        let layers = self.layers.iter().map(|layer| layer.cut_options.model);
        layers.chain([self.auto.cut_options.model]).flatten()
    }

    /// Returns the texts to be drawn, each with the index of its layer.
    pub fn letterings(&self) -> impl Iterator<Item = (usize, Lettering<'_>)> {
        let layers = self.layers.iter().enumerate();
        layers.filter_map(|(index, layer)| Some((index, Lettering::of(layer, &self.canvas)?)))
    }

    /// Returns the image assets that the scene needs, background first; a name that is used twice comes twice.
    pub fn image_names(&self) -> impl Iterator<Item = &str> {
        let background = match &self.canvas.background {
            Background::Image(name) => Some(name.as_str()),
            Background::Color(_) => None,
        };
        let layers = self.layers.iter().flat_map(|layer| {
            let shown: &[String] = match &layer.source {
                Source::Image(name) => std::slice::from_ref(name),
                Source::Images(images) => &images.names,
                _ => &[],
            };
            shown.iter().chain(&layer.fallback).map(String::as_str)
        });
        background.into_iter().chain(layers).chain(self.triggers.iter().flat_map(Trigger::image_names))
    }

    /// Returns the sound assets that the scene needs; a name that is used twice comes twice.
    pub fn sound_names(&self) -> impl Iterator<Item = &str> {
        self.triggers.iter().flat_map(Trigger::sound_names).chain(self.music.as_deref())
    }

    /// Returns whether the layer of this id is seen only when a trigger shows it.
    pub fn is_shown_by_trigger(&self, id: &str) -> bool {
        let actions = self.triggers.iter().flat_map(|trigger| &trigger.actions);
        actions.into_iter().any(|action| matches!(action, Action::Show(show) if show.show == id))
    }

    /// Returns whether something has to be decoded or drawn before it can be shown whole.
    pub fn needs_images(&self) -> bool {
        self.image_names().chain(self.clip_names()).next().is_some() || self.letterings().next().is_some()
    }

    /// Returns the clip assets that the scene needs; a name that is used twice comes twice.
    pub fn clip_names(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().filter_map(|layer| match &layer.source {
            Source::Video(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Returns whether a layer needs the asset of this name; `family`: what texts can call it, too.
    pub fn needs(&self, asset: &str, family: Option<&str>) -> bool {
        let mut fonts = self.letterings().map(|(_, lettering)| lettering.text.font.as_str());
        let mut shown = self.image_names().chain(self.clip_names()).chain(self.sound_names());
        shown.any(|name| name == asset) || fonts.any(|font| font == asset || Some(font) == family)
    }

    /// Returns which part of their picture is kept of the people placed by `auto`: what the layout says, or else the
    /// person in front of a background image and the whole picture on a plain colour.
    pub fn auto_cutout(&self) -> Cutout {
        self.auto.cutout.unwrap_or(match self.canvas.background {
            Background::Image(_) => Cutout::Person,
            Background::Color(_) => Cutout::None,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_those_that_are_written() {
        fn check<T: Serialize>(names: &[(&str, T)]) {
            for (name, value) in names {
                assert_eq!(serde_json::to_value(value).unwrap(), *name);
            }
        }
        check(&Anchor::NAMES);
        check(&Fit::NAMES);
        check(&Cutout::NAMES);
        check(&AutoMode::NAMES);
    }

    #[test]
    fn people_are_cut_out_before_an_image_unless_told_otherwise() {
        let mut scene = Scene::default_for(Canvas::default());
        assert_eq!(scene.auto_cutout(), Cutout::None);
        scene.canvas.background = Background::Image("club.jpg".into());
        assert_eq!(scene.auto_cutout(), Cutout::Person);
        scene.auto.cutout = Some(Cutout::None);
        assert_eq!(scene.auto_cutout(), Cutout::None);
    }
}
