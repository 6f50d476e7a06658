//! What is cut out of a person's picture, ready to be carried out. PURE.

use super::body_part::BodyParts;

/// What is kept of a picture, and how its edge is drawn.
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
}

impl Default for Cut {
    /// The whole person; threshold 0.5, feather 0.33, smoothing 0.9, as the segmentation has them by itself.
    fn default() -> Self {
        Self { parts: None, threshold: 0.5, feather: 0.33, smoothing: 0.9 }
    }
}
