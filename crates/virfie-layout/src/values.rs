//! Values that layouts, what they come to and how they are written have in common: lengths, edges, anchors, fits. They
//! know nothing of each other's users. PURE.

use serde::Serialize;
use utoipa::ToSchema;

/// The kinds of assets that layouts name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssetKind {
    /// A picture, which may move.
    Image,
    /// A film, shown without its sound.
    Clip,
    /// Something to hear.
    Sound,
}

impl AssetKind {
    /// Returns its name in the OpenAPI document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Clip => "clip",
            Self::Sound => "sound",
        }
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
    #[inline]
    pub fn of(self, whole: f64) -> f64 {
        match self {
            Length::Number(pixels) => pixels,
            Length::Percent(percent) => whole * percent / 100.0,
        }
    }

    /// Returns it as a factor: `0.8` and `80%` are both 0.8.
    #[inline]
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_those_that_are_written() {
        for (name, anchor) in Anchor::NAMES {
            assert_eq!(serde_json::to_value(anchor).unwrap(), name);
        }
        for (name, fit) in Fit::NAMES {
            assert_eq!(serde_json::to_value(fit).unwrap(), name);
        }
    }
}
