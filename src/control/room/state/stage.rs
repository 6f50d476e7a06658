//! The way from the door into the programme: where newcomers land on it, and where somebody stands. PURE.

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

/// The place where guests land: newcomers with the role `participant`. Who directs the room is on air at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Landing {
    /// In the programme.
    #[default]
    OnAir,
    /// Outside of it, until somebody who directs the room puts them on air.
    Backstage,
}

impl Landing {
    /// Returns where a newcomer stands, who is a guest or directs the room.
    pub fn stage(self, is_guest: bool) -> Stage {
        if self == Self::Backstage && is_guest { Stage::Backstage } else { Stage::OnAir }
    }
}
