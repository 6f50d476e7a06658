//! Layouts that come with the program, to start from and to show what the format does.

/// Name and JSON of every ready layout, as in `pipelines/layouts/`. They leave `canvas` out, so each takes the room's.
pub const READY: [(&str, &str); 10] = [
    ("solo", include_str!("../../../pipelines/layouts/solo.json")),
    ("grid", include_str!("../../../pipelines/layouts/grid.json")),
    ("side-by-side", include_str!("../../../pipelines/layouts/side-by-side.json")),
    ("picture-in-picture", include_str!("../../../pipelines/layouts/picture-in-picture.json")),
    ("spotlight", include_str!("../../../pipelines/layouts/spotlight.json")),
    ("news-desk", include_str!("../../../pipelines/layouts/news-desk.json")),
    ("class", include_str!("../../../pipelines/layouts/class.json")),
    ("space-wiggle", include_str!("../../../pipelines/layouts/space-wiggle.json")),
    ("emotion-tracker", include_str!("../../../pipelines/layouts/emotion-tracker.json")),
    ("club-virfie", include_str!("../../../pipelines/layouts/club-virfie.json")),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{collections::BTreeSet, fs, path::Path};

    use super::READY;
    use crate::{Canvas, Cut, Facts, Person, Placed, Placement, Rect, Scene, read, solve};

    fn scene(name: &str) -> Scene {
        let (_, text) = READY.iter().find(|(ready, _)| *ready == name).unwrap();
        read(&serde_json::from_str(text).unwrap(), &Canvas::default()).unwrap()
    }

    fn of_three(name: &str) -> Vec<Placement> {
        let people = ["ann", "bob", "eve"].map(|name| Person { name, size: Some((1280, 720)) });
        solve(&scene(name), &Facts { people: &people, image_size: &|_| None, speakers: &[], can_cut: true })
    }

    #[test]
    fn every_file_is_ready_and_reads() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines/layouts");
        let files: BTreeSet<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let ready: BTreeSet<String> = READY.iter().map(|(name, _)| format!("{name}.json")).collect();
        assert_eq!(files, ready);
        for (name, _) in READY {
            let read_back = read(&scene(name).to_json(), &Canvas::default());
            assert_eq!(read_back, Ok(scene(name)), "{name}");
        }
    }

    #[test]
    fn solo_shows_the_first_alone_on_the_whole_canvas() {
        let placements = of_three("solo");
        assert_eq!(placements.len(), 1);
        assert_eq!(placements[0].source, Placed::Person(0));
        assert_eq!(placements[0].dst, Rect { x: 0, y: 0, width: 1280, height: 720 });
    }

    #[test]
    fn grid_shows_everyone_apart() {
        let placements = of_three("grid");
        assert_eq!(placements.len(), 3);
        assert!(placements.iter().all(|p| p.cut.is_none()));
    }

    #[test]
    fn side_by_side_cuts_everyone_out_on_any_background() {
        let placements = of_three("side-by-side");
        assert_eq!(placements.len(), 3);
        assert!(placements.iter().all(|p| p.cut == Some(Cut::default()) && p.dst.y + p.dst.height == 720));
    }

    #[test]
    fn picture_in_picture_lays_the_second_small_over_the_first() {
        let placements = of_three("picture-in-picture");
        assert_eq!(placements.len(), 2);
        assert_eq!(placements[0].dst, Rect { x: 0, y: 0, width: 1280, height: 720 });
        assert_eq!(placements[1].source, Placed::Person(1));
        assert_eq!(placements[1].dst, Rect { x: 934, y: 526, width: 320, height: 180 });
    }

    #[test]
    fn spotlight_shows_one_large_and_the_others_small() {
        let placements = of_three("spotlight");
        let [large, small @ ..] = &placements[..] else { unreachable!() };
        assert_eq!((&large.source, small.len()), (&Placed::Person(0), 2));
        assert!(small.iter().all(|p| p.dst.width * 3 < large.dst.width && p.cut.is_none()));
    }

    #[test]
    fn the_news_desk_has_its_anchor_before_the_guest_and_a_headline_over_all() {
        let placements = of_three("news-desk");
        let people: Vec<&Placed> = placements.iter().take(2).map(|p| &p.source).collect();
        assert_eq!(people, [&Placed::Person(1), &Placed::Person(0)]);
        assert!(placements[1].cut == Some(Cut::default()) && placements[1].dst.y + placements[1].dst.height == 720);
        assert!(placements[0].cut.is_none() && placements[0].look.border.is_some());
        assert_eq!(placements[2].source, Placed::Color([0xa0, 0x12, 0x18]));
        // The picture of the text is not there in this test.
        assert_eq!(placements.len(), 3);
    }

    #[test]
    fn in_class_the_first_is_large_and_the_others_are_beside() {
        let placements = of_three("class");
        assert_eq!(
            placements.iter().map(|p| &p.source).collect::<Vec<_>>(),
            [&Placed::Person(0), &Placed::Person(1), &Placed::Person(2)]
        );
        let [teacher, pupils @ ..] = &placements[..] else { unreachable!() };
        assert!(pupils.iter().all(|pupil| pupil.dst.x >= teacher.dst.x + teacher.dst.width));
        assert!(pupils[1].dst.y >= pupils[0].dst.y + pupils[0].dst.height);
    }

    /// Left and upper edge and size of the first three, as Virfie's scenario files place their players, in hundredths.
    #[test]
    fn virfies_scenarios_place_their_players_mirrored_and_cut_out() {
        for (name, players, back_to_front) in [
            ("space-wiggle", [(-10, 20, 85), (10, 37, 90), (30, 30, 85)], [0, 1, 2]),
            ("emotion-tracker", [(-10, 30, 80), (0, 20, 85), (10, 30, 80)], [1, 2, 0]),
            ("club-virfie", [(0, 20, 75), (30, 10, 80), (-15, 30, 100)], [2, 1, 0]),
        ] {
            let placements = of_three(name);
            assert_eq!(placements.len(), 3);
            for (placement, player) in placements.iter().zip(back_to_front) {
                assert_eq!(placement.source, Placed::Person(player), "{name}");
                assert!(placement.mirror && placement.cut == Some(Cut::default()));
                let (x, y, scale) = players[player];
                let wanted = [1280 * x, 720 * y, 1280 * scale, 720 * scale].map(|hundredths| hundredths / 100);
                let Rect { x, y, width, height } = placement.dst;
                for (is, wanted) in [x, y, width, height].into_iter().zip(wanted) {
                    assert!((is - wanted).abs() <= 1, "{name}: {:?}", placement.dst);
                }
            }
        }
    }
}
