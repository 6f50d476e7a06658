//! PURE: from the network's heads for a person and for 24 body parts to the mask of some parts, or to a map of all.

use virfie_layout::{BodyPart, BodyParts};

/// Logits of a grid point.
const COUNT: usize = BodyPart::ALL.len();
const LANES: usize = 8;

/// The logit where nothing is kept.
pub(super) const NOBODY: f32 = -30.0;

/// Red, green and blue of each part: far apart in CIELAB, and farthest between parts that touch.
const COLOURS: [[u8; 3]; COUNT] = [
    [0, 255, 204],
    [0, 102, 153],
    [0, 153, 0],
    [255, 204, 204],
    [255, 204, 0],
    [0, 102, 51],
    [255, 0, 0],
    [51, 51, 204],
    [255, 102, 204],
    [102, 204, 255],
    [153, 102, 102],
    [153, 204, 0],
    [0, 0, 255],
    [255, 0, 102],
    [153, 0, 102],
    [0, 153, 153],
    [153, 204, 153],
    [153, 51, 0],
    [0, 255, 0],
    [255, 153, 102],
    [255, 0, 255],
    [51, 153, 255],
    [153, 102, 204],
    [153, 153, 51],
];

/// Replaces `out` by the logits of "a person, and one of the `kept` parts", one a grid point, for the mask pipeline:
/// positive inside, 0 at the edge. `segments` has a logit of a person for each grid point, `parts` 24 logits, in the
/// order of [`BodyPart::ALL`]. All parts give `segments` as they are; none, values that are not numbers, and `parts`
/// of another length give -30.
///
/// It is the smaller one of the logit of a person and the distance by which the best kept part is above the best other
/// one. The part logits by themselves say nothing of where somebody is: they are as high in an empty room. Between two
/// parts the distance passes zero where the stronger one changes, as steeply as `segments` at a person's edge, so both
/// edges come out equally soft. Twice the distance, sums of parts instead of the best one and soft minima gave masks of
/// faces, hands and torsos that were further from those of a larger network or no nearer.
pub fn select(segments: &[f32], parts: &[f32], kept: BodyParts, out: &mut Vec<f32>) {
    out.clear();
    if kept == BodyParts::ALL {
        out.extend_from_slice(segments);
        return;
    }
    if kept.is_empty() || segments.len().checked_mul(COUNT) != Some(parts.len()) {
        out.resize(segments.len(), NOBODY);
        return;
    }
    let inside = BodyPart::ALL.map(|part| kept.contains(part));
    out.extend(segments.iter().zip(parts.chunks_exact(COUNT)).map(|(&segment, logits)| {
        // Eight maxima side by side are one vector instruction for eight logits.
        let (mut best, mut other) = ([f32::NEG_INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        for (logits, inside) in logits.chunks_exact(LANES).zip(inside.chunks_exact(LANES)) {
            for lane in 0..LANES {
                let (mine, theirs) = if inside[lane] { (logits[lane], f32::NAN) } else { (f32::NAN, logits[lane]) };
                best[lane] = best[lane].max(mine);
                other[lane] = other[lane].max(theirs);
            }
        }
        let highest = |lanes: [f32; LANES]| lanes.into_iter().fold(f32::NEG_INFINITY, f32::max);
        let ahead = highest(best) - highest(other);
        // `min` and `max` take the other value when one is no number.
        if ahead.is_nan() || segment.is_nan() { NOBODY } else { segment.min(ahead).max(NOBODY) }
    }));
}

/// Replaces `out` by the part that each grid point shows, or `None` where the logit of a person is not above
/// `threshold_logit`. The heads are as for [`select`]; with `parts` of another length, nobody is anywhere.
pub fn strongest(segments: &[f32], parts: &[f32], threshold_logit: f32, out: &mut Vec<Option<BodyPart>>) {
    out.clear();
    if segments.len().checked_mul(COUNT) != Some(parts.len()) {
        out.resize(segments.len(), None);
        return;
    }
    out.extend(segments.iter().zip(parts.chunks_exact(COUNT)).map(|(segment, logits)| {
        let numbers = BodyPart::ALL.into_iter().zip(logits).filter(|(_, logit)| !logit.is_nan());
        let best = numbers.reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.filter(|_| *segment > threshold_logit).map(|(part, _)| part)
    }));
}

/// Returns the colour that distinguishes a part from the others in a picture: red, green, blue.
pub fn colour(part: BodyPart) -> [u8; 3] {
    COLOURS[part.index()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logits of one grid point, 0.0 but for some parts.
    fn point(some: &[(BodyPart, f32)]) -> Vec<f32> {
        let mut logits = vec![0.0; COUNT];
        some.iter().for_each(|(part, logit)| logits[part.index()] = *logit);
        logits
    }

    fn selected(segments: &[f32], parts: &[f32], kept: &[BodyPart]) -> Vec<f32> {
        let mut out = vec![7.0; 3];
        select(segments, parts, kept.iter().copied().collect(), &mut out);
        out
    }

    #[test]
    fn all_parts_are_the_person_and_no_parts_are_nobody() {
        let segments = [2.5, -1.0, 0.0, 40.0];
        let parts: Vec<f32> = (0..4 * COUNT).map(|index| (index * 7 % 13) as f32 - 6.0).collect();
        assert_eq!(selected(&segments, &parts, &BodyPart::ALL), segments);
        assert_eq!(selected(&segments, &parts, &[]), [NOBODY; 4]);
    }

    #[test]
    fn a_part_is_kept_where_it_leads_and_where_there_is_a_person() {
        let face = point(&[(BodyPart::LeftFace, 6.0), (BodyPart::TorsoFront, 2.0)]);
        let chest = point(&[(BodyPart::LeftFace, 1.0), (BodyPart::TorsoFront, 4.0)]);
        let parts = [face.clone(), chest, face].concat();
        let segments = [3.0, 5.0, -2.0];
        // On the face the person is less sure than the part; on the chest the part is wrong; the last is a poster.
        assert_eq!(selected(&segments, &parts, &[BodyPart::LeftFace, BodyPart::RightFace]), [3.0, -3.0, -2.0]);
        assert_eq!(selected(&segments, &parts, &[BodyPart::TorsoFront]), [-4.0, 3.0, -4.0]);
        assert_eq!(selected(&segments, &parts, &[BodyPart::TorsoFront, BodyPart::LeftFace]), [3.0, 4.0, -2.0]);
    }

    #[test]
    fn the_edge_between_two_parts_lies_where_the_stronger_one_changes() {
        let parts: Vec<f32> = (0..5)
            .flat_map(|index| point(&[(BodyPart::RightHand, index as f32), (BodyPart::RightLowerArmBack, 2.0)]))
            .collect();
        let hand = selected(&[9.0; 5], &parts, &[BodyPart::RightHand]);
        assert_eq!(hand, [-2.0, -1.0, 0.0, 1.0, 2.0]);
        let rest: BodyParts = BodyPart::ALL.into_iter().filter(|part| *part != BodyPart::RightHand).collect();
        let mut arm = Vec::new();
        select(&[9.0; 5], &parts, rest, &mut arm);
        assert_eq!(arm, hand.iter().map(|logit| -logit).collect::<Vec<_>>());
    }

    #[test]
    fn garbage_holds_no_person() {
        let face = [BodyPart::LeftFace];
        let good = point(&[(BodyPart::LeftFace, 6.0)]);
        assert_eq!(selected(&[f32::NAN], &good, &face), [NOBODY]);
        assert_eq!(selected(&[4.0], &[f32::NAN; COUNT], &face), [NOBODY]);
        assert_eq!(selected(&[4.0], &[f32::INFINITY; COUNT], &face), [NOBODY]);
        assert_eq!(selected(&[f32::NEG_INFINITY], &good, &face), [NOBODY]);
        // A part that is no number is no part.
        assert_eq!(
            selected(&[4.0], &point(&[(BodyPart::LeftFace, f32::NAN), (BodyPart::LeftHand, 5.0)]), &face),
            [NOBODY]
        );
        assert_eq!(selected(&[4.0; 2], &good, &face), [NOBODY; 2]);
        assert!(selected(&[], &good, &face).is_empty());
        let mut map = vec![Some(BodyPart::LeftFoot)];
        for (segments, parts) in [(&[4.0, 4.0][..], &good[..]), (&[f32::NAN, 0.0], &[9.0; 2 * COUNT])] {
            strongest(segments, parts, 0.0, &mut map);
            assert_eq!(map, [None, None]);
        }
        strongest(&[1.0], &[f32::NAN; COUNT], 0.0, &mut map);
        assert_eq!(map, [None]);
    }

    #[test]
    fn the_strongest_part_is_named_where_somebody_is() {
        let foot = point(&[(BodyPart::RightFoot, 3.0), (BodyPart::LeftFoot, 2.9), (BodyPart::TorsoBack, f32::NAN)]);
        let parts = [foot.clone(), foot].concat();
        let mut map = Vec::new();
        strongest(&[0.4, 0.6], &parts, 0.5, &mut map);
        assert_eq!(map, [None, Some(BodyPart::RightFoot)]);
    }

    #[test]
    fn no_two_parts_have_nearly_the_same_colour() {
        for one in BodyPart::ALL {
            for other in BodyPart::ALL.into_iter().filter(|other| *other != one) {
                let far = colour(one).into_iter().zip(colour(other)).map(|(a, b)| a.abs_diff(b)).max();
                assert!(far >= Some(51), "{one:?} and {other:?}");
            }
        }
    }
}
