//! PURE: what keypoints are found by.

/// The network's heads for keypoints; the values of a grid point stand together, points in rows.
#[derive(Debug, Clone, Copy)]
pub struct PoseHeads<'a> {
    /// 17 logits a point.
    pub heatmaps: &'a [f32],
    /// 34 a point: 17 rows, then 17 columns, in pixels of the input.
    pub offsets: &'a [f32],
    /// 32 a point: 16 rows, then 16 columns.
    pub forward: &'a [f32],
    /// As `forward`, towards the root.
    pub backward: &'a [f32],
}
