//! Places for the automatic mode `spotlight`: the one who speaks is large, the others are small.

use super::{
    geometry::Area,
    placement::Facts,
    tiles::{self, TILE_ASPECT},
};
use crate::values::Fit;

/// The part of the canvas's width (beside) or height (beneath) that the others take.
const OTHERS: f64 = 0.22;

/// The same where people are cut out: those behind need more room to be seen.
const OTHERS_CUT: f64 = 0.36;

/// Greatest height of the others there, in heights of the canvas: lower than the one who speaks.
const OTHERS_HEIGHT: f64 = 0.55;

/// Returns who of the `waiting` is large: of those with a picture, who spoke last, or before that who joined first.
fn large(facts: &Facts, waiting: &[usize]) -> usize {
    let seen = |index: &usize| facts.people[*index].size.is_some();
    let spoke = facts.speakers.iter().find(|index| waiting.contains(index) && seen(index));
    *spoke.or_else(|| waiting.iter().find(|index| seen(index))).unwrap_or(&waiting[0])
}

/// Places whole pictures, the large one first. `waiting` is not empty.
pub(super) fn tiles(waiting: &[usize], facts: &Facts, canvas: (f64, f64), gap: f64) -> Vec<(usize, Area, Fit)> {
    let first = large(facts, waiting);
    let others: Vec<usize> = waiting.iter().copied().filter(|index| *index != first).collect();
    let one = |area: Area| -> Area {
        let tile = tiles::tiles(1, (area.width, area.height), 0.0)[0];
        Area { x: area.x + tile.x, y: area.y + tile.y, ..tile }
    };
    let (across, down) = canvas;
    let whole = Area { x: 0.0, y: 0.0, width: across, height: down };
    if others.is_empty() {
        return vec![(first, one(whole), Fit::Cover)];
    }
    // On a canvas of another shape no more than half of what the large one can be.
    let column = (across * OTHERS).min(down * TILE_ASPECT / 2.0);
    let row = (down * OTHERS).min(across / TILE_ASPECT / 2.0);
    let (gap_x, gap_y) = (gap.min(across / 10.0), gap.min(down / 10.0));
    let beside = one(Area { width: across - column - gap_x, ..whole });
    let beneath = one(Area { height: down - row - gap_y, ..whole });
    let (large, strip) = if beside.width >= beneath.width {
        (beside, Area { x: across - column, width: column, ..whole })
    } else {
        (beneath, Area { y: down - row, height: row, ..whole })
    };
    let small = tiles::tiles(others.len(), (strip.width, strip.height), gap);
    let small = others.into_iter().zip(small);
    let small =
        small.map(|(index, tile)| (index, Area { x: tile.x + strip.x, y: tile.y + strip.y, ..tile }, Fit::Cover));
    std::iter::once((first, large, Fit::Cover)).chain(small).collect()
}

/// Places people who are cut out, back to front: the large one stands at the left, the others at the right of them.
/// `waiting` is not empty.
pub(super) fn standing(waiting: &[usize], facts: &Facts, (across, down): (f64, f64)) -> Vec<(usize, Area, Fit)> {
    let first = large(facts, waiting);
    let others: Vec<usize> = waiting.iter().copied().filter(|index| *index != first).collect();
    if others.is_empty() {
        return tiles::side_by_side(&[first], facts, (across, down));
    }
    let (width, height) = (across * OTHERS_CUT, down * OTHERS_HEIGHT);
    let small = tiles::side_by_side(&others, facts, (width, height));
    let moved = |area: Area| Area { x: area.x + across - width, y: area.y + down - height, ..area };
    let small = small.into_iter().map(|(index, area, fit)| (index, moved(area), fit));
    small.chain(tiles::side_by_side(&[first], facts, (across - width, down))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::{Canvas, Key, Person, Placement, Rect, read, solve};

    const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

    fn shown(layout: &serde_json::Value, canvas: (u32, u32), count: usize, speakers: &[usize]) -> Vec<Placement> {
        let canvas = Canvas { width: canvas.0, height: canvas.1, ..Canvas::default() };
        let scene = read(layout, &canvas).unwrap();
        let mut people: Vec<Person> =
            NAMES[..count].iter().map(|name| Person { name, size: Some((640, 360)) }).collect();
        if let Some(last) = people.get_mut(6) {
            last.size = None;
        }
        solve(&scene, &Facts { people: &people, speakers, image_size: &|_| None, can_cut: true })
    }

    fn spotlight() -> serde_json::Value {
        json!({"auto": {"mode": "spotlight", "gap": 0}})
    }

    fn of<'a>(placements: &'a [Placement], name: &str) -> &'a Placement {
        placements.iter().find(|one| one.key == Key::Auto(name.into())).unwrap()
    }

    fn area(rect: Rect) -> i32 {
        rect.width * rect.height
    }

    #[test]
    fn who_spoke_last_is_large_and_nobody_overlaps() {
        for canvas in [(1280, 720), (720, 1280)] {
            for count in 2..=6 {
                for speakers in [&[][..], &[1], &[1, 0]] {
                    let placements = shown(&spotlight(), canvas, count, speakers);
                    let large = NAMES[speakers.first().copied().unwrap_or(0)];
                    let dst = of(&placements, large).dst;
                    assert_eq!(placements.len(), count);
                    for other in placements.iter().filter(|one| one.key != Key::Auto(large.into())) {
                        assert!(area(other.dst) * 3 < area(dst), "{count} on {canvas:?}: {:?} {dst:?}", other.dst);
                        let beside = other.dst.x >= dst.x + dst.width || other.dst.y >= dst.y + dst.height;
                        assert!(beside, "{count} on {canvas:?}: {:?} {dst:?}", other.dst);
                        assert!(other.dst.x + other.dst.width <= canvas.0 as i32);
                        assert!(other.dst.y + other.dst.height <= canvas.1 as i32);
                    }
                }
            }
        }
        let alone = shown(&spotlight(), (1280, 720), 1, &[]);
        assert_eq!(alone[0].dst, Rect { x: 0, y: 0, width: 1280, height: 720 });
    }

    #[test]
    fn a_speaker_without_a_picture_or_with_a_layer_leaves_the_place_to_the_one_before() {
        assert_eq!(of(&shown(&spotlight(), (1280, 720), 8, &[6, 3]), "d").dst.x, 0);
        let mut layout = spotlight();
        layout["layers"] = json!([{"id": "x", "source": {"participant": "d"}, "width": 100}]);
        assert_eq!(of(&shown(&layout, (1280, 720), 5, &[3, 2]), "c").dst.x, 0);
        assert_eq!(of(&shown(&layout, (1280, 720), 5, &[3]), "a").dst.x, 0);
    }

    #[test]
    fn cut_out_the_speaker_stands_large_before_the_others() {
        let mut layout = spotlight();
        layout["auto"]["cutout"] = json!("person");
        for count in 2..=6 {
            let placements = shown(&layout, (1280, 720), count, &[1]);
            let front = placements.last().unwrap();
            assert_eq!((front.key.clone(), placements.len()), (Key::Auto("b".into()), count));
            assert!(placements.iter().all(|one| one.cut.is_some() && one.dst.y + one.dst.height == 720));
            assert!(placements[..count - 1].iter().all(|one| one.dst.height * 3 < front.dst.height * 2));
            let middle = |one: &Placement| one.dst.x + one.dst.width / 2;
            assert!(placements[..count - 1].iter().all(|one| middle(one) > 1280 * 6 / 10));
            assert!(middle(front) < 1280 / 2);
        }
    }
}
