//! The requests of layers for a participant's frames. PURE.

use crate::layout::Cut;

/// The request of the layers that show a participant for their frames.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LayerRequest {
    /// Every mask that a layer uses, once.
    pub cuts: Vec<Cut>,
    /// Whether a layer shows the picture whole, too.
    pub whole: bool,
    /// Whether a layer follows the person.
    pub poses: bool,
    /// Pixels of the canvas that the whole picture would cover, in the largest layer that cuts it out.
    pub pixels: u32,
    /// Width and height on the canvas that the whole picture would cover in the largest layer that shows it; 0 x 0 in
    /// none. `None` while there is no picture.
    pub shown: Option<(u32, u32)>,
}

/// Pixels of a layer whose mask is as fine as that of a recorded cutout.
const RECORDED: u32 = 640 * 360;

impl LayerRequest {
    /// Returns what a recording of the person cut out needs. It is shown nowhere.
    pub fn to_record() -> Self {
        Self { cuts: vec![Cut::default()], pixels: RECORDED, ..Self::default() }
    }

    /// Returns whether what was asked for before still does: the same masks, of about the same size.
    pub fn is_met_by(&self, before: &Self) -> bool {
        let alike = |now: u32, before: u32| {
            let (now, before) = (u64::from(now), u64::from(before));
            now * 4 <= before * 5 && before * 4 <= now * 5
        };
        let same = self.cuts == before.cuts && self.whole == before.whole && self.poses == before.poses;
        let area = |shown: Option<(u32, u32)>| shown.map(|(width, height)| width.saturating_mul(height));
        let shown = match (area(self.shown), area(before.shown)) {
            (Some(now), Some(before)) => alike(now, before),
            (now, before) => now == before,
        };
        same && shown && alike(self.pixels, before.pixels)
    }

    /// Returns what the layers of two pictures need together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for cut in &other.cuts {
            if !self.cuts.contains(cut) {
                self.cuts.push(*cut);
            }
        }
        let area = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
        Self {
            cuts: self.cuts,
            whole: self.whole || other.whole,
            poses: self.poses || other.poses,
            pixels: self.pixels.max(other.pixels),
            shown: self.shown.into_iter().chain(other.shown).max_by_key(|shown| area(*shown)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pictures_ask_for_all_that_either_needs() {
        let hard = Cut { threshold: 0.7, ..Cut::default() };
        let one =
            LayerRequest { cuts: vec![Cut::default()], pixels: 100, shown: Some((30, 20)), ..LayerRequest::default() };
        let other =
            LayerRequest { cuts: vec![Cut::default(), hard], whole: true, pixels: 40, ..LayerRequest::default() };
        let both = one.clone().and(&other);
        assert_eq!((both.cuts.as_slice(), both.whole, both.poses), (&[Cut::default(), hard][..], true, false));
        assert_eq!((both.pixels, both.shown), (100, Some((30, 20))));
        let recorded =
            LayerRequest { shown: Some((30, 20)), ..LayerRequest::default() }.and(&LayerRequest::to_record());
        assert_eq!((recorded.cuts.as_slice(), recorded.shown), (&[Cut::default()][..], Some((30, 20))));
        let larger = LayerRequest { shown: Some((10, 90)), ..LayerRequest::default() };
        assert_eq!(both.and(&larger).shown, Some((10, 90)), "by its area");
    }
}
