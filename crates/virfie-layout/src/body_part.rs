//! The parts of a body that BodyPix distinguishes, and sets of them. PURE.

use serde::Serialize;
use utoipa::ToSchema;

/// A part of a body. Left and right are the person's own. `front` and `back` say which side of the part is seen: for a
/// whole arm, name both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[allow(missing_docs)] // the names say it all
pub enum BodyPart {
    LeftFace,
    RightFace,
    LeftUpperArmFront,
    LeftUpperArmBack,
    RightUpperArmFront,
    RightUpperArmBack,
    LeftLowerArmFront,
    LeftLowerArmBack,
    RightLowerArmFront,
    RightLowerArmBack,
    LeftHand,
    RightHand,
    TorsoFront,
    TorsoBack,
    LeftUpperLegFront,
    LeftUpperLegBack,
    RightUpperLegFront,
    RightUpperLegBack,
    LeftLowerLegFront,
    LeftLowerLegBack,
    RightLowerLegFront,
    RightLowerLegBack,
    LeftFoot,
    RightFoot,
}

impl BodyPart {
    /// Every part, at its [`index`](Self::index).
    pub const ALL: [BodyPart; 24] = [
        BodyPart::LeftFace,
        BodyPart::RightFace,
        BodyPart::LeftUpperArmFront,
        BodyPart::LeftUpperArmBack,
        BodyPart::RightUpperArmFront,
        BodyPart::RightUpperArmBack,
        BodyPart::LeftLowerArmFront,
        BodyPart::LeftLowerArmBack,
        BodyPart::RightLowerArmFront,
        BodyPart::RightLowerArmBack,
        BodyPart::LeftHand,
        BodyPart::RightHand,
        BodyPart::TorsoFront,
        BodyPart::TorsoBack,
        BodyPart::LeftUpperLegFront,
        BodyPart::LeftUpperLegBack,
        BodyPart::RightUpperLegFront,
        BodyPart::RightUpperLegBack,
        BodyPart::LeftLowerLegFront,
        BodyPart::LeftLowerLegBack,
        BodyPart::RightLowerLegFront,
        BodyPart::RightLowerLegBack,
        BodyPart::LeftFoot,
        BodyPart::RightFoot,
    ];

    /// Returns its name in JSON, for instance `left_face`.
    pub const fn name(self) -> &'static str {
        match self {
            BodyPart::LeftFace => "left_face",
            BodyPart::RightFace => "right_face",
            BodyPart::LeftUpperArmFront => "left_upper_arm_front",
            BodyPart::LeftUpperArmBack => "left_upper_arm_back",
            BodyPart::RightUpperArmFront => "right_upper_arm_front",
            BodyPart::RightUpperArmBack => "right_upper_arm_back",
            BodyPart::LeftLowerArmFront => "left_lower_arm_front",
            BodyPart::LeftLowerArmBack => "left_lower_arm_back",
            BodyPart::RightLowerArmFront => "right_lower_arm_front",
            BodyPart::RightLowerArmBack => "right_lower_arm_back",
            BodyPart::LeftHand => "left_hand",
            BodyPart::RightHand => "right_hand",
            BodyPart::TorsoFront => "torso_front",
            BodyPart::TorsoBack => "torso_back",
            BodyPart::LeftUpperLegFront => "left_upper_leg_front",
            BodyPart::LeftUpperLegBack => "left_upper_leg_back",
            BodyPart::RightUpperLegFront => "right_upper_leg_front",
            BodyPart::RightUpperLegBack => "right_upper_leg_back",
            BodyPart::LeftLowerLegFront => "left_lower_leg_front",
            BodyPart::LeftLowerLegBack => "left_lower_leg_back",
            BodyPart::RightLowerLegFront => "right_lower_leg_front",
            BodyPart::RightLowerLegBack => "right_lower_leg_back",
            BodyPart::LeftFoot => "left_foot",
            BodyPart::RightFoot => "right_foot",
        }
    }

    /// Returns its channel in BodyPix's `part_heatmaps`, 0..24 (`PART_CHANNELS` in tfjs-models, which calls a foot
    /// `feet`).
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns the part of this name, as [`name`](Self::name) writes it; `None` for an unknown name.
    pub fn from_name(name: &str) -> Option<BodyPart> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}

/// A set of body parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct BodyParts(u32);

impl BodyParts {
    /// No part.
    pub const NONE: BodyParts = BodyParts(0);
    /// All 24 parts.
    pub const ALL: BodyParts = BodyParts((1 << BodyPart::ALL.len()) - 1);

    /// Returns whether `part` is in the set.
    #[inline]
    pub const fn contains(self, part: BodyPart) -> bool {
        self.0 & Self::bit(part) != 0
    }

    /// Returns the set and `part`.
    #[must_use]
    pub const fn with(self, part: BodyPart) -> Self {
        Self(self.0 | Self::bit(part))
    }

    /// Returns whether no part is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the parts in the order of their channels.
    pub fn iter(self) -> impl Iterator<Item = BodyPart> {
        BodyPart::ALL.into_iter().filter(move |part| self.contains(*part))
    }

    const fn bit(part: BodyPart) -> u32 {
        1 << part.index()
    }
}

impl FromIterator<BodyPart> for BodyParts {
    fn from_iter<T: IntoIterator<Item = BodyPart>>(parts: T) -> Self {
        parts.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_part_stands_at_its_index_and_is_found_by_the_name_that_is_written() {
        for (index, part) in BodyPart::ALL.into_iter().enumerate() {
            assert_eq!(part.index(), index);
            assert_eq!(BodyPart::from_name(part.name()), Some(part));
            assert_eq!(serde_json::to_value(part).unwrap(), part.name());
        }
        for wrong in ["", "leftFace", "left_feet", "LEFT_FACE", "face", "person"] {
            assert_eq!(BodyPart::from_name(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_set_holds_each_part_once_in_the_order_of_the_channels() {
        let hands = BodyParts::NONE.with(BodyPart::RightHand).with(BodyPart::LeftHand).with(BodyPart::RightHand);
        assert_eq!(hands.iter().collect::<Vec<_>>(), [BodyPart::LeftHand, BodyPart::RightHand]);
        assert_eq!([BodyPart::LeftHand, BodyPart::RightHand].into_iter().collect::<BodyParts>(), hands);
        assert!(hands.contains(BodyPart::LeftHand) && !hands.contains(BodyPart::LeftFace) && !hands.is_empty());
        assert!(BodyParts::NONE.is_empty() && BodyParts::default().is_empty());
        assert_eq!(BodyParts::ALL, BodyPart::ALL.into_iter().collect());
        assert_eq!(BodyParts::ALL.iter().count(), 24);
    }
}
