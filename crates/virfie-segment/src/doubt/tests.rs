//! Masks of rectangles, with keypoints in some of them.

use std::ops::Range;

use super::*;

/// Columns and rows of the mask's grid.
type Area = (Range<usize>, Range<usize>);

const FRAME: (usize, usize) = (1280, 720);
const BAR: Bar = Bar { mean: 0.87, keypoints: 1.5, least: 0.0 };
const COUNT: usize = KEYPOINTS.len();

/// Logits of 0.73, 0.88, which is hardly enough, and 0.95.
const DOUBTFUL: f32 = 1.0;
const HARDLY: f32 = 2.0;
const SURE: f32 = 3.0;
const ABSENT: f32 = -8.0;

/// Each covers 3 % of the picture.
const LEFT: Area = (4..12, 4..12);
const MIDDLE: Area = (24..32, 4..12);
const RIGHT: Area = (44..52, 4..12);

fn grid() -> Grid {
    Grid::cells(64, 36)
}

/// Returns the grid of keypoints, which is half as fine.
fn coarse() -> Grid {
    Grid::cells(32, 18)
}

fn is_in((columns, rows): &Area, column: usize, row: usize) -> bool {
    columns.contains(&column) && rows.contains(&row)
}

fn mask(areas: &[(Area, f32)]) -> Vec<f32> {
    let logit = |index: usize| areas.iter().find(|(area, _)| is_in(area, index % 64, index / 64));
    (0..grid().len()).map(|index| logit(index).map_or(ABSENT, |(_, logit)| *logit)).collect()
}

/// Returns heatmaps whose first `count` keypoints have this logit in some areas.
fn heatmaps(areas: &[Area], count: usize, logit: f32) -> Vec<f32> {
    let mut heatmaps = vec![ABSENT; coarse().len() * COUNT];
    for (point, logits) in heatmaps.chunks_exact_mut(COUNT).enumerate() {
        if areas.iter().any(|area| is_in(area, 2 * (point % 32), 2 * (point / 32))) {
            logits[..count].fill(logit);
        }
    }
    heatmaps
}

/// Returns whether the middle of an area is a person.
fn is_there(logits: &[f32], (columns, rows): &Area) -> bool {
    logits[(rows.start + rows.end) / 2 * 64 + (columns.start + columns.end) / 2] > 0.0
}

fn at(ms: u64) -> View {
    View::whole(FRAME, Duration::from_millis(ms))
}

#[derive(Default)]
struct Watched {
    doubt: Doubt,
    /// Number of times that keypoints were looked for.
    looks: usize,
}

impl Watched {
    /// Returns the logits that stay. People who have keypoints are in these areas.
    fn see(&mut self, segments: &[f32], people: &[Area], view: View) -> Vec<f32> {
        if self.doubt.look(segments, grid(), BAR, view) {
            self.looks += 1;
            self.doubt.judge(&heatmaps(people, 3, 8.0), coarse());
        }
        self.doubt.settle(segments);
        self.doubt.without(segments).to_vec()
    }
}

#[test]
fn a_bar_is_a_probability_and_a_sum() {
    assert_eq!(Bar::read("0.87,1.5"), Some(BAR));
    assert_eq!(Bar::read(" 1, 17 "), Some(Bar { mean: 1.0, keypoints: 17.0, least: 0.0 }));
    assert_eq!(Bar::read("0.87,1.5,0.76"), Some(Bar { least: 0.76, ..BAR }));
    let wrong =
        ["", "0.87", "0.87;1.5", "1.2,1.5", "0.87,18", "NaN,1.5", "0.87,-1", "0.87,1.5,2", "0.87,1.5,", "1,1,1,1"];
    for wrong in wrong {
        assert_eq!(Bar::read(wrong), None, "{wrong}");
    }
}

#[test]
fn of_a_single_picture_who_is_neither_sure_nor_has_keypoints_goes_with_what_is_around() {
    let beside = |area: &Area| ((area.0.end..area.0.end + 2, area.1.clone()), -1.0);
    let elsewhere = ((58..60, 30..32), -1.0);
    let both = [(LEFT, SURE), beside(&LEFT), (MIDDLE, DOUBTFUL), beside(&MIDDLE), elsewhere];
    let nobody = [(RIGHT, DOUBTFUL), beside(&RIGHT)];
    let segments = mask(&[both.as_slice(), &nobody].concat());
    let mut watched = Watched::default();
    let kept = watched.see(&segments, &[MIDDLE], at(0));
    let dropped = nobody.map(|(area, _)| (area, NOBODY));
    assert_eq!(kept, mask(&[both.as_slice(), &dropped].concat()));
    assert_eq!(watched.looks, 1);
}

#[test]
fn nobody_doubts_the_sure_and_the_small() {
    let mut watched = Watched::default();
    let small = (40..43, 20..23);
    let segments = mask(&[(LEFT, HARDLY), (MIDDLE, SURE), (small, DOUBTFUL)]);
    assert_eq!(watched.see(&segments, &[], at(0)), segments);
    assert_eq!(watched.looks, 0);
}

#[test]
fn keypoints_count_at_the_edge_and_each_once() {
    let judged = |heatmaps: &[f32]| {
        let segments = mask(&[(MIDDLE, DOUBTFUL)]);
        let mut doubt = Doubt::default();
        assert!(doubt.look(&segments, grid(), BAR, at(0)));
        doubt.judge(heatmaps, coarse());
        doubt.settle(&segments);
        is_there(doubt.without(&segments), &MIDDLE)
    };
    // Two points beside the island, and four.
    assert!(judged(&heatmaps(&[(32..34, 4..12)], 3, 8.0)));
    assert!(!judged(&heatmaps(&[(34..36, 4..12)], 3, 8.0)));
    assert!(judged(&heatmaps(&[(24..32, 2..4)], 3, 8.0)));
    assert!(!judged(&heatmaps(&[(24..32, 0..2)], 3, 8.0)));
    // However often a nose is seen, it is one; two of 0.69 are less than 1.5, two of 0.77 are more.
    assert!(!judged(&heatmaps(&[MIDDLE], 1, 8.0)));
    assert!(!judged(&heatmaps(&[MIDDLE], 2, 0.8)));
    assert!(judged(&heatmaps(&[MIDDLE], 2, 1.2)));
    assert!(!judged(&vec![f32::NAN; coarse().len() * COUNT]));
}

#[test]
fn nobody_stays_away_and_is_judged_once_a_second() {
    let segments = mask(&[(LEFT, DOUBTFUL), (RIGHT, SURE)]);
    let mut watched = Watched::default();
    for frame in 0..125 {
        let kept = watched.see(&segments, &[], at(40 * frame));
        assert!(!is_there(&kept, &LEFT) && is_there(&kept, &RIGHT), "{frame}");
    }
    assert_eq!(watched.looks, 5);
}

#[test]
fn somebody_stays_for_seconds_when_their_keypoints_are_lost() {
    let segments = mask(&[(LEFT, DOUBTFUL)]);
    let mut watched = Watched::default();
    for frame in 0..150 {
        let people: &[Area] = if frame == 0 { &[LEFT] } else { &[] };
        let kept = watched.see(&segments, people, at(40 * frame));
        assert_eq!(is_there(&kept, &LEFT), frame < 100, "{frame}");
    }
    // Once found again, they are back with the next judgement.
    for frame in 150..176 {
        let kept = watched.see(&segments, &[LEFT], at(40 * frame));
        assert!(frame < 175 || is_there(&kept, &LEFT));
    }
}

#[test]
fn who_is_new_is_shown_and_judged_soon() {
    let mut watched = Watched::default();
    let two = mask(&[(LEFT, DOUBTFUL), (RIGHT, DOUBTFUL)]);
    assert!(!is_there(&watched.see(&mask(&[(LEFT, DOUBTFUL)]), &[], at(0)), &LEFT));
    let kept = watched.see(&two, &[], at(100));
    assert!(!is_there(&kept, &LEFT) && is_there(&kept, &RIGHT));
    let kept = watched.see(&two, &[], at(260));
    assert!(!is_there(&kept, &LEFT) && !is_there(&kept, &RIGHT));
    assert_eq!(watched.looks, 2);
}

#[test]
fn what_was_said_moves_along() {
    let mut watched = Watched::default();
    for step in 0..20 {
        let moved = |(columns, rows): Area| (columns.start + step..columns.end + step, rows);
        let (nobody, somebody) = (moved(LEFT), moved((4..12, 20..28)));
        let segments = mask(&[(nobody.clone(), DOUBTFUL), (somebody.clone(), DOUBTFUL)]);
        let kept = watched.see(&segments, std::slice::from_ref(&somebody), at(40 * step as u64));
        assert!(!is_there(&kept, &nobody) && is_there(&kept, &somebody), "{step}");
    }
    assert_eq!(watched.looks, 1);
}

#[test]
fn somebody_who_comes_in_is_judged_again_as_they_grow() {
    let mut watched = Watched::default();
    for step in 0..8 {
        let coming = (4..12 + step, 4..12);
        let people: &[Area] = if step > 0 { std::slice::from_ref(&coming) } else { &[] };
        let kept = watched.see(&mask(&[(coming.clone(), DOUBTFUL)]), people, at(40 * step as u64));
        assert_eq!(is_there(&kept, &coming), step == 7, "{step}");
    }
    assert_eq!(watched.looks, 2);
}

#[test]
fn the_network_must_be_surer_to_take_a_judgement_back() {
    let mut watched = Watched::default();
    assert!(!is_there(&watched.see(&mask(&[(LEFT, DOUBTFUL)]), &[], at(0)), &LEFT));
    assert!(!is_there(&watched.see(&mask(&[(LEFT, HARDLY)]), &[], at(40)), &LEFT));
    assert!(is_there(&watched.see(&mask(&[(LEFT, SURE)]), &[], at(80)), &LEFT));
    // Then they stay, for some seconds.
    watched.doubt.reset();
    assert!(is_there(&watched.see(&mask(&[(LEFT, SURE)]), &[], at(120)), &LEFT));
    assert!(is_there(&watched.see(&mask(&[(LEFT, DOUBTFUL)]), &[], at(160)), &LEFT));
}

#[test]
fn somebody_may_come_where_nobody_was_and_leave_nobody_behind() {
    let nobody = mask(&[(LEFT, DOUBTFUL)]);
    let mut watched = Watched::default();
    watched.see(&nobody, &[], at(0));
    let before_it = (2..20, 2..30);
    for frame in 1..50 {
        assert!(is_there(&watched.see(&mask(&[(before_it.clone(), SURE)]), &[], at(40 * frame)), &before_it));
    }
    assert_eq!(watched.looks, 1);
    assert!(!is_there(&watched.see(&nobody, &[], at(2000)), &LEFT));
    assert_eq!(watched.looks, 2);
    // Somebody who is doubtful, too, sits down there.
    assert!(is_there(&watched.see(&nobody, &[LEFT], at(3000)), &LEFT));
    assert!(is_there(&watched.see(&nobody, &[], at(4000)), &LEFT));
    assert_eq!(watched.looks, 4);
}

#[test]
fn what_was_said_holds_in_a_window_and_after_it() {
    let mut watched = Watched::default();
    let whole = mask(&[(RIGHT, DOUBTFUL), (LEFT, DOUBTFUL)]);
    let kept = watched.see(&whole, &[LEFT], at(0));
    assert!(!is_there(&kept, &RIGHT) && is_there(&kept, &LEFT));
    // The right upper quarter: what was at 44 to 52 is twice as large, and begins at 24.
    let region = Region { x: 640, y: 0, width: 640, height: 360 };
    let seen = (24..40, 8..24);
    let view = View { region, ..at(40) };
    assert!(!is_there(&watched.see(&mask(&[(seen.clone(), DOUBTFUL)]), &[], view), &seen));
    let kept = watched.see(&whole, &[], at(80));
    assert!(!is_there(&kept, &RIGHT) && is_there(&kept, &LEFT));
    assert_eq!(watched.looks, 1);
}

#[test]
fn a_glance_judges_only_who_is_new() {
    let mut watched = Watched::default();
    watched.see(&mask(&[(LEFT, DOUBTFUL)]), &[LEFT], at(0));
    let glance = |ms: u64| View { glance: true, ..at(ms) };
    assert!(is_there(&watched.see(&mask(&[(LEFT, DOUBTFUL)]), &[], glance(1500)), &LEFT));
    assert_eq!(watched.looks, 1);
    let two = mask(&[(LEFT, DOUBTFUL), (RIGHT, DOUBTFUL)]);
    let kept = watched.see(&two, &[], glance(2000));
    assert!(is_there(&kept, &LEFT) && !is_there(&kept, &RIGHT));
    assert_eq!(watched.looks, 2);
}

#[test]
fn another_picture_and_an_earlier_time_stand_for_themselves() {
    let segments = mask(&[(LEFT, DOUBTFUL)]);
    let mut watched = Watched::default();
    assert!(is_there(&watched.see(&segments, &[LEFT], at(1000)), &LEFT));
    assert!(!is_there(&watched.see(&segments, &[], at(960)), &LEFT));
    watched.doubt.reset();
    assert!(is_there(&watched.see(&segments, &[LEFT], at(960)), &LEFT));
    // Upright, and cut to 4:3.
    for (count, frame) in [(4, (720, 1280)), (5, (960, 720))] {
        let other = View::whole(frame, Duration::from_millis(1000));
        assert!(!is_there(&watched.see(&segments, &[], other), &LEFT));
        assert_eq!(watched.looks, count);
    }
}

#[test]
fn what_was_said_holds_in_a_picture_that_is_scaled() {
    let two = mask(&[(LEFT, DOUBTFUL), (RIGHT, DOUBTFUL)]);
    let mut watched = Watched::default();
    watched.see(&two, &[LEFT], at(0));
    // The last one is 1.9 % narrower than 16:9.
    for (index, frame) in [(640, 360), (426, 240), (320, 180), (1280, 720), (628, 360)].into_iter().enumerate() {
        let kept = watched.see(&two, &[], View::whole(frame, Duration::from_millis(150 * (index as u64 + 1))));
        assert!(is_there(&kept, &LEFT) && !is_there(&kept, &RIGHT), "{frame:?}");
    }
    assert_eq!(watched.looks, 1);
}

#[test]
fn what_has_another_size_says_nothing() {
    let segments = mask(&[(LEFT, DOUBTFUL)]);
    let mut doubt = Doubt::default();
    for heatmaps in [vec![], vec![ABSENT; 17], vec![ABSENT; (coarse().len() + 1) * COUNT]] {
        assert!(doubt.look(&segments, grid(), BAR, at(0)));
        doubt.judge(&heatmaps, coarse());
        doubt.settle(&segments);
        assert_eq!(doubt.without(&segments), segments);
    }
    doubt.judge(&heatmaps(&[], 0, 0.0), coarse());
    doubt.settle(&segments);
    assert!(!is_there(doubt.without(&segments), &LEFT));
    assert!(!doubt.look(&segments[1..], grid(), BAR, at(40)));
    doubt.settle(&segments[1..]);
    assert_eq!(doubt.without(&segments), segments, "the last frame's word is over");
    assert!(!doubt.look(&[], Grid::default(), BAR, at(80)));
    assert!(!doubt.look(&vec![f32::NAN; grid().len()], grid(), BAR, at(120)));
}

#[test]
fn somebody_of_whom_the_network_is_sure_now_and_then_does_not_come_and_go() {
    let mut watched = Watched::default();
    let (mut changes, mut shown) = (0, true);
    for frame in 0..300 {
        // Their keypoints are lost all the time.
        let logit = [DOUBTFUL, HARDLY, SURE, HARDLY, DOUBTFUL][frame % 5];
        let seen = mask(&[(MIDDLE, if frame < 10 { DOUBTFUL } else { logit })]);
        let is_shown = is_there(&watched.see(&seen, &[], at(frame as u64 * 33)), &MIDDLE);
        changes += usize::from(std::mem::replace(&mut shown, is_shown) != is_shown);
    }
    assert!(shown && changes <= 2, "{changes} changes in ten seconds");
}

#[test]
fn keypoints_are_of_no_help_where_the_network_hardly_sees_anybody() {
    let seen = mask(&[(LEFT, DOUBTFUL), (RIGHT, HARDLY - 0.5)]);
    for (least, is_left_there) in [(0.0, true), (0.76, false)] {
        let mut doubt = Doubt::default();
        assert!(doubt.look(&seen, grid(), Bar { least, ..BAR }, at(0)));
        doubt.judge(&heatmaps(&[LEFT, RIGHT], 3, 8.0), coarse());
        doubt.settle(&seen);
        assert_eq!(is_there(doubt.without(&seen), &LEFT), is_left_there, "{least}");
        assert!(is_there(doubt.without(&seen), &RIGHT), "0.82 is enough");
    }
}

#[test]
fn a_line_between_the_middles_of_the_maps_cells_stays_away() {
    // 64 rows over 54 cells.
    let (upright, coarse) = (Grid::cells(36, 64), Grid::cells(18, 32));
    let nothing = vec![ABSENT; coarse.len() * COUNT];
    for row in 0..64 {
        let is_line = |point: usize| is_in(&(8..28, row..row + 1), point % 36, point / 36);
        let line: Vec<f32> = (0..upright.len()).map(|point| if is_line(point) { DOUBTFUL } else { ABSENT }).collect();
        let mut doubt = Doubt::default();
        for frame in 0..20 {
            if doubt.look(&line, upright, BAR, View::whole((720, 1280), Duration::from_millis(40) * frame)) {
                assert_eq!(frame, 0, "row {row} is judged again");
                doubt.judge(&nothing, coarse);
            }
            doubt.settle(&line);
            assert!(doubt.without(&line).iter().all(|logit| *logit < 0.0), "row {row} in frame {frame}");
        }
    }
}

#[test]
fn a_line_that_is_seen_through_a_window_stays_away() {
    // A cell has two points in each direction: the line lies in the odd ones, and is a corner, or it would not count.
    let region = Region { x: 0, y: 0, width: FRAME.0 / 3, height: FRAME.1 / 3 };
    for odd in [0, 1] {
        let corner = mask(&[((0..64, 16 + odd..17 + odd), DOUBTFUL), ((30 + odd..31 + odd, 0..36), DOUBTFUL)]);
        let mut watched = Watched::default();
        for frame in 0..20 {
            let kept = watched.see(&corner, &[], View { region, ..at(40 * frame) });
            assert!(kept.iter().all(|logit| *logit < 0.0), "{odd} in frame {frame}");
        }
        assert_eq!(watched.looks, 1);
    }
}
