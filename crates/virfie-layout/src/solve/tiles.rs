//! Places for many: tiles of a grid or a row, or people cut out and standing side by side.

use super::{geometry::Area, placement::Facts};
use crate::values::Fit;

/// Shape of a grid's tile, width by height: that of most cameras, so little is cut off.
pub(super) const TILE_ASPECT: f64 = 16.0 / 9.0;

/// Share of the canvas's height that a picture takes when people stand in one row and there is room: most of it, with
/// some air above the heads.
const ROW_HEIGHT: f64 = 0.92;
/// The same for the front row of two, which leaves air for the heads behind.
const FRONT_HEIGHT: f64 = 0.7;
/// Height of a picture in widths of the space that its person has in the row. In front of a camera shoulders are about
/// 0.8 and heads about 0.3 of the picture's height wide: at 1.7, shoulders overlap by a quarter and heads stay free.
const HEIGHT_PER_SPACE: f64 = 1.7;
/// More people than this stand in two rows; in one they would be smaller than half the canvas's height.
const ONE_ROW: usize = 6;
/// Height of a picture in the back row, in pictures of the front row: they are farther away.
const BACK_SCALE: f64 = 0.8;
/// Height at which the back row stands, in pictures of the front row: its lower edge is hidden behind the shoulders in
/// front, its heads are seen between the heads in front.
const BACK_LIFT: f64 = 0.3;

/// Returns `count` equal tiles of 16:9 beside each other, as large as the canvas allows, in the middle of it.
pub(super) fn line(count: usize, (across, down): (f64, f64), gap: f64) -> Vec<Area> {
    let gap = gap.min(across / (2 * count) as f64);
    let width = ((across - gap * (count - 1) as f64) / count as f64).min(down * TILE_ASPECT);
    let height = width / TILE_ASPECT;
    let start = (across - width * count as f64 - gap * (count - 1) as f64) / 2.0;
    let tile = |index: usize| Area { x: start + index as f64 * (width + gap), y: (down - height) / 2.0, width, height };
    (0..count).map(tile).collect()
}

/// Returns `count` equal tiles of 16:9, row by row, as large as the canvas allows with `gap` between them; the grid,
/// and its last row by itself, are in the middle. A gap that would take more than half of the canvas is made smaller.
pub(super) fn tiles(count: usize, (across, down): (f64, f64), gap: f64) -> Vec<Area> {
    let sized = |columns: usize| {
        let rows = count.div_ceil(columns);
        let gap = gap.min(across / (2 * columns) as f64).min(down / (2 * rows) as f64);
        let width = (across - gap * (columns - 1) as f64) / columns as f64;
        let height = (down - gap * (rows - 1) as f64) / rows as f64;
        (width.min(height * TILE_ASPECT), gap, columns, rows)
    };
    // Of equal ones (but for the last bits) the one with more columns: two people are beside each other.
    let (width, gap, columns, rows) =
        (2..=count).map(sized).fold(sized(1), |best, next| if next.0 > best.0 - 1e-6 { next } else { best });
    let height = width / TILE_ASPECT;
    // The edge at which a centred line of tiles starts.
    let start = |whole: f64, tiles: usize, side: f64| (whole - side * tiles as f64 - gap * (tiles - 1) as f64) / 2.0;
    let tile = |index: usize| {
        let (row, column) = (index / columns, index % columns);
        let in_row = columns.min(count - row * columns);
        Area {
            x: start(across, in_row, width) + column as f64 * (width + gap),
            y: start(down, rows, height) + row as f64 * (height + gap),
            width,
            height,
        }
    };
    (0..count).map(tile).collect()
}

/// Gives each person an equal share of the canvas's width, in order of joining from left to right, and stands in its
/// middle. Pictures keep their shape and are as wide as they are: what overlaps the neighbour is mostly the room, which
/// is cut away. In one row all stand on the lower edge, so nobody floats; of more people every second stands behind.
pub(super) fn side_by_side(waiting: &[usize], facts: &Facts, (across, down): (f64, f64)) -> Vec<(usize, Area, Fit)> {
    let share = across / waiting.len() as f64;
    let standing = |(place, index): (usize, usize), height: f64, bottom: f64| {
        let region = Area::whole(facts.people[index].size?);
        let width = height * region.aspect();
        let x = share * (place as f64 + 0.5) - width / 2.0;
        Some((index, Area { x, y: bottom - height, width, height }, Fit::Fill))
    };
    let places = || waiting.iter().copied().enumerate();
    if waiting.len() <= ONE_ROW {
        let height = (down * ROW_HEIGHT).min(share * HEIGHT_PER_SPACE);
        return places().filter_map(|place| standing(place, height, down)).collect();
    }
    let height = (down * FRONT_HEIGHT).min(2.0 * share * HEIGHT_PER_SPACE);
    let back = places().filter(|(place, _)| place % 2 == 1);
    let back = back.filter_map(|place| standing(place, height * BACK_SCALE, down - height * BACK_LIFT));
    let front = places().filter(|(place, _)| place % 2 == 0);
    back.chain(front.filter_map(|place| standing(place, height, down))).collect()
}
