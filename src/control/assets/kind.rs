//! What kinds of files are kept as assets: told by their content, never by their name. PURE.

use serde::Serialize;
use utoipa::ToSchema;

use super::{font, picture};

/// What an asset is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssetKind {
    /// A picture, perhaps an animated one.
    Image,
    /// What texts are written in.
    Font,
    /// Something to be heard in the mix.
    Sound,
    /// A video that is shown again and again.
    Clip,
}

impl AssetKind {
    /// The kind of this content and its media type; `None` when it is nothing that is taken.
    pub fn sniff(content: &[u8]) -> Option<(Self, &'static str)> {
        let image = picture::Format::sniff(content).map(|format| (Self::Image, format.content_type()));
        image.or_else(|| font::sniff(content).map(|content_type| (Self::Font, content_type)))
    }
}
