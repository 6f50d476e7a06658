//! A validated layout: what the canvas shows, as the rest of the program works with it.
//!
//! A [`Scene`] keeps lengths as they were written, so it can be read back, and turns into pixels only with
//! [`solve`](super::solve()), when it is known who is there.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    cut::{CutOptions, Cutout, Lost},
    look::{Border, Follow, Transition},
    text::Text,
    trigger::{Action, Trigger},
    values::{Anchor, Edges, Fit, Length, Size},
};

/// A validated layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// The picture that everything is put on.
    pub canvas: Canvas,
    /// The explicit layers in the order they were listed; ids are unique.
    pub layers: Vec<SceneLayer>,
    /// The placing of the people whom no layer takes.
    pub auto: Auto,
    /// Change from what was shown before into this.
    pub transition: Transition,
    /// Triggers, which act by themselves.
    pub triggers: Vec<Trigger>,
    /// The sound asset that is played again and again.
    pub music: Option<String>,
}

/// The picture that layers are put on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canvas {
    /// In pixels, even.
    pub width: u32,
    /// In pixels, even.
    pub height: u32,
    /// Frames per second.
    pub fps: u32,
    /// The background of all layers.
    pub background: Background,
}

impl Default for Canvas {
    /// Returns 1280x720 at 30 frames per second on a dark grey.
    fn default() -> Self {
        Self { width: 1280, height: 720, fps: 30, background: Background::Color([0x11; 3]) }
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
    /// The source of its picture.
    pub source: Source,
    /// Place of its anchor, from the canvas's left edge. `None`: at the canvas's own anchor point, so that a layer
    /// anchored `bottom-right` without a position stands in that corner.
    pub x: Option<Length>,
    /// Place of its anchor, from the canvas's top edge; `None` as for `x`.
    pub y: Option<Length>,
    /// Size of its rectangle.
    pub size: Size,
    /// The one of its points that `x`, `y` place.
    pub anchor: Anchor,
    /// Manner in which the source is fitted into the rectangle.
    pub fit: Fit,
    /// The margins that are cut off the source first.
    pub crop: Edges,
    /// Drawing order: higher is nearer; equal ones are nearer the later they are listed.
    pub z: i32,
    /// 0.0 unseen to 1.0 opaque.
    pub opacity: f64,
    /// Left and right exchanged (after cropping).
    pub mirror: bool,
    /// Part of the picture that is kept.
    pub cutout: Cutout,
    /// Look of the edge of what is kept; kept also where nothing is cut out.
    pub cut_options: CutOptions,
    /// The view of the person while nobody is found to be cut out.
    pub lost: Lost,
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
    /// The keypoint that it goes along with, instead of `x`, `y` and `anchor`.
    pub follow: Option<Follow>,
    /// Change of this layer; `None`: as the scene does.
    pub transition: Option<Transition>,
}

/// Images, one after the other, again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// Assets, at least one.
    pub names: Vec<String>,
    /// Time for which each is shown, in milliseconds.
    pub interval_ms: u32,
}

impl Images {
    /// Time for which each is shown when nothing is said: as the old application did it.
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

/// The treatment of the people whom no layer takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Auto {
    /// Way in which they are placed.
    pub mode: AutoMode,
    /// Between two tiles of the grid; a percentage is of the canvas's width.
    pub gap: Length,
    /// Part of their picture that is kept. `None`: see [`Scene::auto_cutout`].
    pub cutout: Option<Cutout>,
    /// Look of the edge of what is kept.
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

    /// Returns whether the layer of this id is seen only when a trigger shows it.
    pub fn is_shown_by_trigger(&self, id: &str) -> bool {
        let actions = self.triggers.iter().flat_map(|trigger| &trigger.actions);
        actions.into_iter().any(|action| matches!(action, Action::Show(show) if show.show == id))
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
        check(&Cutout::NAMES);
        check(&AutoMode::NAMES);
    }

    #[test]
    fn people_are_cut_out_before_an_image_unless_it_says_otherwise() {
        let mut scene = Scene::default_for(Canvas::default());
        assert_eq!(scene.auto_cutout(), Cutout::None);
        scene.canvas.background = Background::Image("club.jpg".into());
        assert_eq!(scene.auto_cutout(), Cutout::Person);
        scene.auto.cutout = Some(Cutout::None);
        assert_eq!(scene.auto_cutout(), Cutout::None);
    }
}
