//! Places for the people whom no layer takes, in the mode that the layout names.

use super::{
    geometry::{Area, fit},
    placement::{Facts, Key, Look, Placed, Placement},
    spotlight,
    tiles::{line, side_by_side, tiles},
};
use crate::{
    cut::Cut,
    scene::{AutoMode, Scene},
    values::Fit,
};

/// Places the `waiting` (indices into `facts.people`, in order of joining), back to front.
pub(super) fn place(scene: &Scene, facts: &Facts, waiting: &[usize]) -> Vec<Placement> {
    let cut = cut(scene, facts);
    let transition = scene.transition;
    let placed = seats(scene, facts, waiting).into_iter().filter_map(|(index, area, how)| {
        let person = &facts.people[index];
        let (dst, src) = fit(Area::whole(person.size?), area, how)?;
        let key = Key::Auto(person.name.to_owned());
        let (source, look) = (Placed::Person(index), Look::default());
        Some(Placement { key, source, dst, src, mirror: false, opacity: 1.0, cut, look, following: None, transition })
    });
    placed.collect()
}

fn cut(scene: &Scene, facts: &Facts) -> Option<Cut> {
    Cut::of(scene.auto_cutout(), scene.auto.cut_options).filter(|_| facts.can_cut)
}

/// Returns the seats of the `waiting`, back to front. Those without a picture have one in tiles only: side by side, its
/// shape would decide how wide that is.
pub(crate) fn seats(scene: &Scene, facts: &Facts, waiting: &[usize]) -> Vec<(usize, Area, Fit)> {
    if waiting.is_empty() {
        return Vec::new();
    }
    let canvas = (f64::from(scene.canvas.width), f64::from(scene.canvas.height));
    let gap = scene.auto.gap.of(canvas.0);
    match (scene.auto.mode, cut(scene, facts)) {
        (AutoMode::Off, _) => Vec::new(),
        (AutoMode::Spotlight, Some(_)) => spotlight::standing(waiting, facts, canvas),
        (AutoMode::Spotlight, None) => spotlight::tiles(waiting, facts, canvas, gap),
        (AutoMode::Grid | AutoMode::Row, Some(_)) => side_by_side(waiting, facts, canvas),
        (AutoMode::Grid, None) => covered(waiting, tiles(waiting.len(), canvas, gap)),
        (AutoMode::Row, None) => covered(waiting, line(waiting.len(), canvas, gap)),
    }
}

fn covered(waiting: &[usize], tiles: Vec<Area>) -> Vec<(usize, Area, Fit)> {
    waiting.iter().zip(tiles).map(|(&index, tile)| (index, tile, Fit::Cover)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::tiles::TILE_ASPECT, *};
    use crate::{Auto, Background, BodyPart, BodyParts, Canvas, CutOptions, Cutout, Length, Person, Rect, solve};

    const NAMES: [&str; 16] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"];

    fn people(count: usize) -> Vec<Person<'static>> {
        NAMES[..count].iter().map(|name| Person { name, size: Some((640, 480)) }).collect()
    }

    fn shown(scene: &Scene, people: &[Person], can_cut: bool) -> Vec<Placement> {
        solve(scene, &Facts { people, image_size: &|_| None, speakers: &[], can_cut })
    }

    fn over_image() -> Scene {
        let background = Background::Image("club.jpg".into());
        Scene::default_for(Canvas { background, ..Canvas::default() })
    }

    fn overlap(a: Rect, b: Rect) -> bool {
        a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
    }

    #[test]
    fn one_person_fills_the_canvas() {
        let placements = shown(&Scene::default_for(Canvas::default()), &people(1), true);
        assert_eq!(placements.len(), 1);
        assert_eq!(placements[0].dst, Rect { x: 0, y: 0, width: 1280, height: 720 });
        assert!(placements[0].cut.is_none() && !placements[0].mirror && placements[0].opacity == 1.0);
    }

    #[test]
    fn a_grid_of_1_to_16_is_whole_apart_and_centred() {
        for (width, height) in [(1280, 720), (720, 1280), (1000, 1000), (3840, 64), (64, 2160)] {
            let scene = Scene::default_for(Canvas { width, height, ..Canvas::default() });
            for count in 1..=16 {
                let tiles: Vec<Rect> = shown(&scene, &people(count), false).iter().map(|p| p.dst).collect();
                assert_eq!(tiles.len(), count, "{width}x{height}");
                for (index, tile) in tiles.iter().enumerate() {
                    assert!(tile.x >= 0 && tile.x + tile.width <= width as i32, "{count}: {tile:?}");
                    assert!(tile.y >= 0 && tile.y + tile.height <= height as i32, "{count}: {tile:?}");
                    let aspect = f64::from(tile.width) / f64::from(tile.height);
                    assert!(tile.height < 30 || (aspect - TILE_ASPECT).abs() < 0.12, "{count}: {tile:?}");
                    assert!(tiles[..index].iter().all(|other| !overlap(*tile, *other)), "{count}");
                }
                let top = tiles.iter().map(|t| t.y).min().unwrap();
                let bottom = height as i32 - tiles.iter().map(|t| t.y + t.height).max().unwrap();
                assert!((top - bottom).abs() <= 1, "{count}: {top} above, {bottom} below");
                for tile in &tiles {
                    let row: Vec<&Rect> = tiles.iter().filter(|t| t.y == tile.y).collect();
                    let left = row.iter().map(|t| t.x).min().unwrap();
                    let right = width as i32 - row.iter().map(|t| t.x + t.width).max().unwrap();
                    assert!((left - right).abs() <= 1, "{count}: {left} left, {right} right");
                }
            }
        }
    }

    #[test]
    fn the_columns_are_those_with_the_largest_tiles() {
        let columns = |width, height, count| {
            let tiles = tiles(count, (width, height), 0.0);
            tiles.iter().filter(|tile| tile.y == tiles[0].y).count()
        };
        let wide: Vec<usize> = (1..=12).map(|count| columns(1280.0, 720.0, count)).collect();
        assert_eq!(wide, [1, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4]);
        assert_eq!([2, 3, 4].map(|count| columns(720.0, 1280.0, count)), [1, 1, 1]);
    }

    #[test]
    fn a_grid_without_gap_has_none() {
        let mut scene = Scene::default_for(Canvas::default());
        scene.auto.gap = Length::Number(0.0);
        let tiles: Vec<Rect> = shown(&scene, &people(9), false).iter().map(|p| p.dst).collect();
        assert_eq!(tiles.iter().map(|t| t.width * t.height).sum::<i32>(), 1280 * 720);
        assert_eq!(tiles[4], Rect { x: 427, y: 240, width: 426, height: 240 });
    }

    #[test]
    fn a_gap_is_of_the_canvas_s_width_and_never_swallows_the_tiles() {
        let mut scene = Scene::default_for(Canvas::default());
        scene.auto.gap = Length::Percent(5.0);
        let tiles: Vec<Rect> = shown(&scene, &people(2), false).iter().map(|p| p.dst).collect();
        assert_eq!(tiles[1].x - tiles[0].x - tiles[0].width, 64);
        scene.auto.gap = Length::Number(1000.0);
        for count in 1..=16 {
            assert_eq!(shown(&scene, &people(count), false).len(), count);
        }
    }

    #[test]
    fn who_has_no_picture_yet_keeps_their_tile() {
        let scene = Scene::default_for(Canvas::default());
        let mut four = people(4);
        let before = shown(&scene, &four, false);
        four[1].size = None;
        let after = shown(&scene, &four, false);
        assert_eq!(after, [&before[..1], &before[2..]].concat());
    }

    #[test]
    fn tiles_are_covered_in_shape() {
        let placements = shown(&Scene::default_for(Canvas::default()), &people(1), false);
        let src = placements[0].src;
        assert_eq!((src.x, src.y, src.width, src.height), (0.0, 60.0, 640.0, 360.0));
    }

    #[test]
    fn people_stand_on_the_lower_edge_in_order_and_never_off_centre() {
        for size in [(640, 480), (1280, 720), (720, 1280)] {
            for count in 1..=6 {
                let people: Vec<Person> = people(count).iter().map(|p| Person { size: Some(size), ..*p }).collect();
                let placements = shown(&over_image(), &people, true);
                assert_eq!(placements.len(), count);
                for (place, p) in placements.iter().enumerate() {
                    assert_eq!(p.source, Placed::Person(place));
                    assert!(p.cut == Some(Cut::default()) && !p.mirror);
                    assert_eq!(p.dst.y + p.dst.height, 720, "nobody floats");
                    assert_eq!((p.src.width, p.src.height), (size.0 as f32, size.1 as f32), "nothing is cut off");
                    let aspect = f64::from(p.dst.width) / f64::from(p.dst.height);
                    assert!((aspect * f64::from(size.1) / f64::from(size.0) - 1.0).abs() < 0.01);
                    let middle = f64::from(p.dst.x) + f64::from(p.dst.width) / 2.0;
                    let wanted = 1280.0 / count as f64 * (place as f64 + 0.5);
                    assert!((middle - wanted).abs() <= 1.0, "{count}: {middle} for {wanted}");
                }
                let height = placements[0].dst.height;
                assert!(if count <= 2 { height == 662 } else { (360..=662).contains(&height) }, "{count}: {height}");
            }
        }
    }

    #[test]
    fn from_seven_on_every_second_stands_behind_smaller_and_higher() {
        for count in 7..=16 {
            let placements = shown(&over_image(), &people(count), true);
            assert_eq!(placements.len(), count);
            let (back, front) = placements.split_at(count / 2);
            assert!(front.iter().all(|p| p.dst.y + p.dst.height == 720));
            for p in back {
                assert!(p.dst.height < front[0].dst.height);
                assert!(p.dst.y < front[0].dst.y && p.dst.y >= 0, "their heads are above");
                assert!(
                    p.dst.y + p.dst.height > front[0].dst.y + front[0].dst.height / 2,
                    "their lower edge is hidden"
                );
            }
            let mut middles: Vec<(usize, i32)> = placements
                .iter()
                .map(|p| match p.source {
                    Placed::Person(index) => (index, p.dst.x + p.dst.width / 2),
                    _ => unreachable!(),
                })
                .collect();
            middles.sort_unstable();
            assert!(middles.windows(2).all(|pair| pair[0].1 < pair[1].1), "left to right in order of joining");
            let (left, right) = (middles[0].1, 1280 - middles[count - 1].1);
            assert!((left - right).abs() <= 1);
        }
    }

    #[test]
    fn without_a_model_people_before_an_image_are_whole_tiles() {
        let placements = shown(&over_image(), &people(2), false);
        let plain = shown(&Scene::default_for(Canvas::default()), &people(2), false);
        assert_eq!(placements, plain);
        assert!(placements.iter().all(|p| p.cut.is_none()));
    }

    #[test]
    fn the_layout_s_own_word_on_cutting_out_wins() {
        let mut scene = over_image();
        scene.auto.cutout = Some(Cutout::None);
        assert!(shown(&scene, &people(2), true).iter().all(|p| p.cut.is_none()));
        let mut scene = Scene::default_for(Canvas::default());
        scene.auto.cutout = Some(Cutout::Person);
        assert!(shown(&scene, &people(2), true).iter().all(|p| p.cut == Some(Cut::default())));
    }

    #[test]
    fn those_who_are_cut_out_are_so_as_the_layout_says() {
        let parts = BodyParts::NONE.with(BodyPart::LeftFace).with(BodyPart::RightFace);
        let mut scene = over_image();
        scene.auto.cut_options = CutOptions { threshold: Some(0.25), ..CutOptions::default() };
        let person = Cut { threshold: 0.25, ..Cut::default() };
        assert!(shown(&scene, &people(8), true).iter().all(|p| p.cut == Some(person)));
        let side_by_side: Vec<Rect> = shown(&scene, &people(8), true).iter().map(|p| p.dst).collect();
        scene.auto.cutout = Some(Cutout::Parts(parts));
        let faces = shown(&scene, &people(8), true);
        assert!(faces.iter().all(|p| p.cut == Some(Cut { parts: Some(parts), ..person })));
        assert_eq!(faces.iter().map(|p| p.dst).collect::<Vec<_>>(), side_by_side);
        assert!(shown(&scene, &people(8), false).iter().all(|p| p.cut.is_none()));
    }

    #[test]
    fn off_shows_nobody() {
        let auto = Auto { mode: AutoMode::Off, ..Auto::default() };
        assert_eq!(shown(&Scene { auto, ..over_image() }, &people(3), true), []);
    }
}
