//! The way from the door into the programme: where somebody stands on it. PURE.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The place of a participant on their way into the programme.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Neither seen nor heard in the programme, which they receive as everybody does.
    Backstage,
    /// The same, and they have said that they can be put on air.
    Ready,
    /// In the programme.
    #[default]
    OnAir,
}

impl Stage {
    /// Returns where somebody stands after they have said whether they are ready: who is on air stays there, until
    /// those who direct the room say otherwise.
    #[must_use]
    pub fn after_word(self, ready: bool) -> Self {
        match (self, ready) {
            (Self::OnAir, _) => Self::OnAir,
            (_, true) => Self::Ready,
            (_, false) => Self::Backstage,
        }
    }
}
