//! Look and movement of a layer beyond its rectangle: border, what it follows, and gradual change. PURE.

use serde::Serialize;
use utoipa::ToSchema;

use super::values::Anchor;

/// A line along the inside of a layer's edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Border {
    /// Canvas pixels.
    pub width: f64,
    /// Red, green, blue.
    pub color: [u8; 3],
}

impl Border {
    /// Its width when nothing is said, in canvas pixels.
    pub const WIDTH: f64 = 2.0;
    /// Its colour when nothing is said.
    pub const COLOR: [u8; 3] = [0xff; 3];
}

/// A point of a person's body, in the order of the network's heads. Left and right are the person's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = KeypointName)]
#[allow(missing_docs)] // parts of the body, which need no words
pub enum KeypointName {
    Nose,
    LeftEye,
    RightEye,
    LeftEar,
    RightEar,
    LeftShoulder,
    RightShoulder,
    LeftElbow,
    RightElbow,
    LeftWrist,
    RightWrist,
    LeftHip,
    RightHip,
    LeftKnee,
    RightKnee,
    LeftAnkle,
    RightAnkle,
}

impl KeypointName {
    /// Every keypoint by its name in JSON.
    pub const NAMES: [(&'static str, KeypointName); 17] = [
        ("nose", KeypointName::Nose),
        ("leftEye", KeypointName::LeftEye),
        ("rightEye", KeypointName::RightEye),
        ("leftEar", KeypointName::LeftEar),
        ("rightEar", KeypointName::RightEar),
        ("leftShoulder", KeypointName::LeftShoulder),
        ("rightShoulder", KeypointName::RightShoulder),
        ("leftElbow", KeypointName::LeftElbow),
        ("rightElbow", KeypointName::RightElbow),
        ("leftWrist", KeypointName::LeftWrist),
        ("rightWrist", KeypointName::RightWrist),
        ("leftHip", KeypointName::LeftHip),
        ("rightHip", KeypointName::RightHip),
        ("leftKnee", KeypointName::LeftKnee),
        ("rightKnee", KeypointName::RightKnee),
        ("leftAnkle", KeypointName::LeftAnkle),
        ("rightAnkle", KeypointName::RightAnkle),
    ];
}

/// The thing that a layer goes along with.
#[derive(Debug, Clone, PartialEq)]
pub struct Follow {
    /// The id of a layer that shows a participant.
    pub layer: String,
    /// Point of that person.
    pub keypoint: KeypointName,
    /// The point of the following layer that is on the keypoint.
    pub anchor: Anchor,
    /// Canvas pixels to the right of the keypoint.
    pub dx: f64,
    /// Canvas pixels below the keypoint.
    pub dy: f64,
    /// The layer's size: its source's own, times this, times the share of the canvas that the followed layer is wide
    /// and high. `None`: as the layer says by itself.
    pub scale: Option<f64>,
}

impl Follow {
    /// Point that is on the keypoint when nothing is said.
    pub const ANCHOR: Anchor = Anchor::Center;
}

/// The course of a change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // CSS's own names, which say it all
pub enum Easing {
    Linear,
    #[default]
    Ease,
    EaseIn,
    EaseOut,
    EaseInOut,
}

impl Easing {
    /// Every easing by its name in JSON.
    pub const NAMES: [(&'static str, Easing); 5] = [
        ("linear", Easing::Linear),
        ("ease", Easing::Ease),
        ("ease-in", Easing::EaseIn),
        ("ease-out", Easing::EaseOut),
        ("ease-in-out", Easing::EaseInOut),
    ];

    /// Returns how much of the change is done after the share `time` (0..=1) of its duration, as CSS Easing Functions
    /// Level 1 defines these curves.
    pub fn at(self, time: f64) -> f64 {
        let (x1, y1, x2, y2) = match self {
            Easing::Linear => return time.clamp(0.0, 1.0),
            Easing::Ease => (0.25, 0.1, 0.25, 1.0),
            Easing::EaseIn => (0.42, 0.0, 1.0, 1.0),
            Easing::EaseOut => (0.0, 0.0, 0.58, 1.0),
            Easing::EaseInOut => (0.42, 0.0, 0.58, 1.0),
        };
        let curve = |a: f64, b: f64, t: f64| {
            let rest = 1.0 - t;
            3.0 * rest * rest * t * a + 3.0 * rest * t * t * b + t * t * t
        };
        let time = time.clamp(0.0, 1.0);
        // The curve's x rises with its parameter: 24 halvings find it to less than a ten-millionth.
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..24 {
            let middle = (low + high) / 2.0;
            if curve(x1, x2, middle) < time {
                low = middle;
            } else {
                high = middle;
            }
        }
        curve(y1, y2, (low + high) / 2.0)
    }
}

/// The way that one state turns into the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Transition {
    /// Milliseconds; 0 is at once.
    pub duration_ms: u32,
    /// Its course.
    pub easing: Easing,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_those_that_are_written() {
        for (name, keypoint) in KeypointName::NAMES {
            assert_eq!(serde_json::to_value(keypoint).unwrap(), name);
        }
        for (name, easing) in Easing::NAMES {
            assert_eq!(serde_json::to_value(easing).unwrap(), name);
        }
        let order = KeypointName::NAMES.map(|(_, keypoint)| keypoint as usize);
        assert!(order.into_iter().eq(0..17));
    }

    #[test]
    fn every_course_begins_and_ends_where_it_should_and_never_goes_back() {
        for (name, easing) in Easing::NAMES {
            assert!(easing.at(0.0).abs() < 1e-6 && (easing.at(1.0) - 1.0).abs() < 1e-6, "{name}");
            let steps: Vec<f64> = (0..=100).map(|step| easing.at(f64::from(step) / 100.0)).collect();
            assert!(steps.windows(2).all(|pair| pair[0] <= pair[1] + 1e-9), "{name}");
        }
        // Of the curve itself: x = 0.5 of `ease` is y = 0.8024, and `ease-in-out` is even.
        assert!((Easing::Ease.at(0.5) - 0.8024).abs() < 1e-3);
        assert!((Easing::EaseInOut.at(0.5) - 0.5).abs() < 1e-6);
        assert!((Easing::EaseIn.at(0.3) + Easing::EaseOut.at(0.7) - 1.0).abs() < 1e-6);
    }
}
