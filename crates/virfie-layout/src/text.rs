//! Texts of a layout. PURE.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::values::Length;

/// Something written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Text {
    /// At least one character; lines end with `\n`.
    pub text: String,
    /// A font asset's name, or the name of a family.
    pub font: String,
    /// Height of the letters (an em) in canvas pixels.
    pub size: f64,
    /// 400 regular, 700 bold.
    pub weight: u16,
    /// Red, green, blue.
    pub color: [u8; 3],
    /// Side at which lines stand; `None`: the one where lines of their script begin.
    pub align: Option<TextAlign>,
    /// Distance of lines, in sizes.
    pub line_height: f64,
    /// The colour behind it.
    pub background: Option<[u8; 3]>,
    /// Around it, inside its background, in canvas pixels.
    pub padding: f64,
    /// Speed at which it runs through its layer; `None`: it stands. Its picture is the same.
    #[serde(skip)]
    pub crawl: Option<Length>,
}

impl Text {
    /// The family that is used when nothing is said.
    pub const FONT: &str = "Inter";
    /// The size when nothing is said.
    pub const SIZE: f64 = 48.0;
    /// The weight when nothing is said.
    pub const WEIGHT: u16 = 400;
    /// The colour when nothing is said.
    pub const COLOR: [u8; 3] = [255; 3];
    /// The distance of lines when nothing is said.
    pub const LINE_HEIGHT: f64 = 1.2;

    /// Returns this text, as it looks when nothing else is said.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            font: Self::FONT.to_owned(),
            size: Self::SIZE,
            weight: Self::WEIGHT,
            color: Self::COLOR,
            align: None,
            line_height: Self::LINE_HEIGHT,
            background: None,
            padding: 0.0,
            crawl: None,
        }
    }
}

/// The alignment of a text's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TextAlign {
    /// At the left edge.
    Left,
    /// In the middle.
    Center,
    /// At the right edge.
    Right,
}

impl TextAlign {
    /// Every alignment by its name in JSON.
    pub const NAMES: [(&'static str, TextAlign); 3] =
        [("left", TextAlign::Left), ("center", TextAlign::Center), ("right", TextAlign::Right)];
}
