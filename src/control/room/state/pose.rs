//! Places of people in their pictures, as others see them: the JSON of poses. PURE.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use crate::media::port::{self, KEYPOINTS, Segmentation};

/// One point of a body.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Keypoint {
    /// Name, for instance `rightWrist`. Left and right are the person's own.
    #[schema(example = "rightWrist")]
    pub name: &'static str,
    /// 0 to 1 of the width of the participant's own picture, from the left; -0.5 to 1.5 where a limb leaves it.
    pub x: f64,
    /// 0 to 1 of its height, from the top; outside as `x`.
    pub y: f64,
    /// Certainty that the point can be seen, 0 to 1.
    pub score: f64,
}

/// One person in a participant's picture.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Pose {
    /// Certainty that there is someone, 0 to 1.
    pub score: f64,
    /// All 17, always in the same order.
    pub keypoints: Vec<Keypoint>,
}

/// Everybody who is seen in one participant's picture.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ParticipantPoses {
    /// The participant.
    #[schema(value_type = String)]
    pub id: Arc<str>,
    /// Their name.
    #[schema(value_type = String)]
    pub name: Arc<str>,
    /// Age of the picture in which this was found, in milliseconds.
    pub age_ms: f64,
    /// The most certain first; empty when nobody is seen.
    pub poses: Vec<Pose>,
}

/// The poses of a room.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RoomPoses {
    /// Everybody in whose pictures keypoints are found, in order of joining.
    pub participants: Vec<ParticipantPoses>,
}

impl From<&port::Pose> for Pose {
    fn from(pose: &port::Pose) -> Self {
        let keypoint = |(name, point): (&&'static str, &port::Keypoint)| Keypoint {
            name,
            x: rounded(point.x),
            y: rounded(point.y),
            score: rounded(point.score),
        };
        let keypoints = KEYPOINTS.iter().zip(&pose.keypoints).map(keypoint).collect();
        Self { score: rounded(pose.score), keypoints }
    }
}

/// Rounds to four decimals: a fifth of a pixel of a picture 1920 wide.
fn rounded(value: f32) -> f64 {
    (f64::from(value) * 1e4).round() / 1e4
}

/// Returns why keypoints cannot be found on this machine; `None` where they can.
pub fn why_none(able: &Segmentation) -> Option<String> {
    match &able.model {
        _ if able.keypoints => None,
        Some(model) => Some(format!("the model {model} finds no keypoints")),
        None => Some(format!("keypoints need a model: {}", able.reason.as_deref().unwrap_or("none is loaded"))),
    }
}
