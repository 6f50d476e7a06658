//! Layouts that come with the program, to start from and to show what the format does.

/// Name and JSON of every ready layout, as in `pipelines/layouts/`. They leave `canvas` out, so each takes the room's.
pub const READY: [(&str, &str); 4] = [
    ("solo", include_str!("../../pipelines/layouts/solo.json")),
    ("grid", include_str!("../../pipelines/layouts/grid.json")),
    ("side-by-side", include_str!("../../pipelines/layouts/side-by-side.json")),
    ("picture-in-picture", include_str!("../../pipelines/layouts/picture-in-picture.json")),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{collections::BTreeSet, fs, path::Path};

    use super::READY;
    use crate::layout::{Canvas, Cut, Facts, Person, Placed, Placement, Rect, Scene, read, solve};

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
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/layouts");
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
}
