//! The settings of the element.

use std::sync::LazyLock;

use gstreamer::{glib, prelude::*};
use virfie_layout::{BodyPart, BodyParts, Cut};

use crate::{mask::MaskOptions, stream::MaskRequest};

/// The network sees every frame.
const DEFAULT_EVERY: u32 = 1;
/// The word for no mask, and for the whole person.
const NONE: &str = "none";
const PERSON: &str = "person";

/// A word of `cutout` by which nothing is called: the fault of who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cutout: {0:?} is neither none, person nor a list of: {known}", known = BodyPart::ALL.map(BodyPart::name).join(", "))]
pub(super) struct UnknownPart(String);

/// The settings of the user.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) model: Option<String>,
    /// As it was written; what it means is `cut`.
    cutout: String,
    mask: MaskOptions,
    pub(super) every: u32,
    keypoints: bool,
    despill: bool,
    /// The request of the room, in place of `cutout` and `keypoints`.
    pub(super) wish: Option<MaskRequest>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: None,
            cutout: PERSON.to_owned(),
            mask: MaskOptions::default(),
            every: DEFAULT_EVERY,
            keypoints: false,
            despill: true,
            wish: None,
        }
    }
}

impl Settings {
    /// Returns what is to be found in the frames.
    pub(super) fn wish(&self) -> Result<MaskRequest, UnknownPart> {
        if let Some(wish) = &self.wish {
            return Ok(wish.clone());
        }
        let MaskOptions { threshold, feather, smoothing } = self.mask;
        let parts = match self.cutout.as_str() {
            NONE => return Ok(MaskRequest { poses: self.keypoints, ..MaskRequest::default() }),
            PERSON => None,
            list => Some(named_parts(list)?),
        };
        let cuts = vec![Cut { parts, threshold, feather, smoothing, model: None }];
        Ok(MaskRequest { cuts, despill: self.despill, poses: self.keypoints, ..MaskRequest::default() })
    }

    /// Returns whether frames get masks.
    pub(super) fn masks(&self) -> bool {
        // The start or the next frame reports what cannot be understood.
        self.wish().map_or(true, |wish| !wish.cuts.is_empty())
    }

    /// Takes a property's value, whose type and range GObject has checked against [`properties`].
    pub(super) fn set(&mut self, name: &str, value: &glib::Value) {
        match name {
            "model" => self.model = value.get::<Option<String>>().ok().flatten(),
            "cutout" => {
                self.cutout = value.get::<Option<String>>().ok().flatten().unwrap_or_else(|| PERSON.to_owned());
            }
            "threshold" => self.mask.threshold = value.get().unwrap_or(self.mask.threshold),
            "feather" => self.mask.feather = value.get().unwrap_or(self.mask.feather),
            "smoothing" => self.mask.smoothing = value.get().unwrap_or(self.mask.smoothing),
            "every" => self.every = value.get().unwrap_or(self.every),
            "despill" => self.despill = value.get().unwrap_or(self.despill),
            "keypoints" => self.keypoints = value.get().unwrap_or(self.keypoints),
            _ => {}
        }
    }

    /// Returns a property's value.
    pub(super) fn get(&self, name: &str) -> glib::Value {
        match name {
            "model" => self.model.to_value(),
            "cutout" => self.cutout.to_value(),
            "threshold" => self.mask.threshold.to_value(),
            "feather" => self.mask.feather.to_value(),
            "smoothing" => self.mask.smoothing.to_value(),
            "every" => self.every.to_value(),
            "despill" => self.despill.to_value(),
            _ => self.keypoints.to_value(),
        }
    }
}

/// Returns the parts of a comma-separated list of names.
fn named_parts(list: &str) -> Result<BodyParts, UnknownPart> {
    let part = |name: &str| BodyPart::from_name(name.trim()).ok_or_else(|| UnknownPart(name.to_owned()));
    list.split(',').map(part).collect()
}

/// Returns what users see of it, and what it reports.
pub(super) fn properties() -> &'static [glib::ParamSpec] {
    static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
        vec![
            glib::ParamSpecString::builder("model")
                .nick("Model")
                .blurb(
                    "ONNX file of the network, or embedded; unset: the process's model, or $VIRFIE_MODEL, or embedded",
                )
                .mutable_ready()
                .build(),
            glib::ParamSpecString::builder("cutout")
                .nick("Cutout")
                .blurb("What is kept: none (the whole picture), person, or body parts: left_face,right_face,…")
                .default_value(PERSON)
                .mutable_playing()
                .build(),
            glib::ParamSpecFloat::builder("threshold")
                .nick("Threshold")
                .blurb("Probability of being a person at which a pixel is half transparent")
                .minimum(0.05)
                .maximum(0.95)
                .default_value(MaskOptions::default().threshold)
                .mutable_playing()
                .build(),
            glib::ParamSpecFloat::builder("feather")
                .nick("Feather")
                .blurb("Softness of the edge, from hard to a veil")
                .minimum(0.0)
                .maximum(1.0)
                .default_value(MaskOptions::default().feather)
                .mutable_playing()
                .build(),
            glib::ParamSpecFloat::builder("smoothing")
                .nick("Smoothing")
                .blurb("Share of the last mask that stays where nothing moves")
                .minimum(0.0)
                .maximum(0.95)
                .default_value(MaskOptions::default().smoothing)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt::builder("every")
                .nick("Every")
                .blurb("Run the network on every n-th frame, and carry its mask along on those in between")
                .minimum(1)
                .maximum(60)
                .default_value(DEFAULT_EVERY)
                .mutable_playing()
                .build(),
            glib::ParamSpecBoolean::builder("despill")
                .nick("Despill")
                .blurb("Take the old background's colours out of the edge")
                .default_value(true)
                .mutable_playing()
                .build(),
            glib::ParamSpecBoolean::builder("keypoints")
                .nick("Keypoints")
                .blurb("Find poses; they travel with the frames as metadata")
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt64::builder("inference-time")
                .nick("Inference time")
                .blurb("Time of the last inferred mask, from frame to alpha, in nanoseconds")
                .read_only()
                .build(),
            glib::ParamSpecUInt64::builder("masks")
                .nick("Masks")
                .blurb("Frames whose mask is of what the network saw in them")
                .read_only()
                .build(),
            glib::ParamSpecUInt64::builder("carried")
                .nick("Carried")
                .blurb("Frames whose mask was carried along from an earlier one")
                .read_only()
                .build(),
            glib::ParamSpecUInt64::builder("thinned")
                .nick("Thinned")
                .blurb("Frames that were left out because the machine has no time for all")
                .read_only()
                .build(),
            glib::ParamSpecUInt64::builder("patience")
                .nick("Patience")
                .blurb(
                    "How late a frame may be, in nanoseconds, before those up to the next keyframe are better left out",
                )
                .read_only()
                .build(),
            glib::ParamSpecUInt64::builder("total-time")
                .nick("Total time")
                .blurb("Time of all masks together, in nanoseconds")
                .read_only()
                .build(),
        ]
    });
    &PROPERTIES
}
