//! Cutouts of a person's picture: as a layout writes them, and as they are carried out. PURE.

use serde::Serialize;
use utoipa::ToSchema;

use super::{body_part::BodyParts, model_name::ModelName};

/// The part of a participant's picture that is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Cutout {
    /// The whole picture.
    #[default]
    None,
    /// The person; the room behind becomes transparent.
    Person,
    /// These parts of the person, at least one; all else becomes transparent.
    Parts(BodyParts),
}

impl Cutout {
    /// Every cutout that has a name in JSON; [`Cutout::Parts`] is a list there.
    pub const NAMES: [(&'static str, Cutout); 2] = [("none", Cutout::None), ("person", Cutout::Person)];
}

/// The picture that stands in for somebody who is to be cut out and is not found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = LayerLost)]
pub enum Lost {
    /// Nothing but what the empty cutout leaves.
    #[default]
    Hide,
    /// The whole picture, as it is.
    Whole,
    /// The whole picture, blurred.
    Blur,
}

impl Lost {
    /// Every value by its name in JSON.
    pub const NAMES: [(&'static str, Lost); 3] = [("hide", Lost::Hide), ("whole", Lost::Whole), ("blur", Lost::Blur)];
    /// Canvas pixels by which [`Lost::Blur`] blurs where the layer says nothing: nobody reads a screen or knows a face
    /// behind it.
    pub const BLUR: f32 = 24.0;
}

/// The options by which a cutout is found and its edge drawn, as far as the layout says. `None`: as [`Cut::default`]
/// has it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CutOptions {
    /// 0.05..=0.95.
    pub threshold: Option<f64>,
    /// 0.0..=1.0.
    pub feather: Option<f64>,
    /// 0.0..=0.95.
    pub smoothing: Option<f64>,
    /// By which model; `None`: the rooms'.
    pub model: Option<ModelName>,
}

/// The part of a picture that is kept, and the form of its edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// The body parts that are kept; `None`: the whole person.
    pub parts: Option<BodyParts>,
    /// Probability at which a pixel is half transparent, 0.05..=0.95.
    pub threshold: f32,
    /// Softness of the edge, 0.0 (hard) ..= 1.0 (softest).
    pub feather: f32,
    /// Share of the last mask that stays where nothing moves, 0.0..=0.95.
    pub smoothing: f32,
    /// By which model it is found; `None`: the rooms'.
    pub model: Option<ModelName>,
}

impl Default for Cut {
    /// Returns the whole person; threshold 0.5, feather 0.33, smoothing 0.9, as the segmentation has them by itself.
    fn default() -> Self {
        Self { parts: None, threshold: 0.5, feather: 0.33, smoothing: 0.9, model: None }
    }
}

impl Cut {
    /// Returns what `cutout` and `options` come to; `None` when the whole picture is kept.
    pub fn of(cutout: Cutout, options: CutOptions) -> Option<Cut> {
        let parts = match cutout {
            Cutout::None => return None,
            Cutout::Person => None,
            Cutout::Parts(parts) => Some(parts),
        };
        let usual = Cut::default();
        let or = |option: Option<f64>, usual: f32| option.map_or(usual, |value| value as f32);
        Some(Cut {
            parts,
            threshold: or(options.threshold, usual.threshold),
            feather: or(options.feather, usual.feather),
            smoothing: or(options.smoothing, usual.smoothing),
            model: options.model,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BodyPart;

    #[test]
    fn names_are_those_that_are_written() {
        for (name, lost) in Lost::NAMES {
            assert_eq!(serde_json::to_value(lost).ok(), Some(name.into()));
        }
    }

    #[test]
    fn what_the_layout_leaves_out_is_as_usual() {
        let options = CutOptions { feather: Some(0.0), ..CutOptions::default() };
        assert_eq!(Cut::of(Cutout::None, options), None);
        assert_eq!(Cut::of(Cutout::Person, CutOptions::default()), Some(Cut::default()));
        assert_eq!(Cut::of(Cutout::Person, options), Some(Cut { feather: 0.0, ..Cut::default() }));
        let parts = BodyParts::NONE.with(BodyPart::LeftHand);
        let model = ModelName::new("wide");
        let options = CutOptions { threshold: Some(0.25), feather: None, smoothing: Some(0.5), model };
        assert_eq!(
            Cut::of(Cutout::Parts(parts), options),
            Some(Cut { parts: Some(parts), threshold: 0.25, feather: 0.33, smoothing: 0.5, model })
        );
    }
}
