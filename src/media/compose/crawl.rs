//! Texts that run through their layers from right to left, again and again. PURE.
//!
//! A text is drawn once. Each frame shows another part of its picture as it is, moved by whole pixels.

use std::time::Duration;

use super::{canvas::Geometry, planes::Planes};
use crate::layout::{Key, Placed, Placement, Rect};

/// Distances that all texts that are shown have run.
#[derive(Debug, Default)]
pub(super) struct Crawls(Vec<Running>);

#[derive(Debug)]
struct Running {
    /// The layer's id.
    layer: String,
    /// Pixels since its beginning was at the right end of the layer.
    gone: f64,
    at: Duration,
    is_shown: bool,
}

impl Crawls {
    /// Lets those run that are shown at this time. One that comes begins at the right end; one whose words change, or
    /// whose layer does, runs on.
    pub(super) fn run<'a>(&mut self, shown: impl Iterator<Item = &'a Placement>, now: Duration) {
        self.0.iter_mut().for_each(|running| running.is_shown = false);
        for placement in shown {
            let (Key::Layer(layer), Placed::Crawl(crawl)) = (&placement.key, &placement.source) else { continue };
            let Some(running) = self.0.iter_mut().find(|running| running.layer == *layer) else {
                self.0.push(Running { layer: layer.clone(), gone: 0.0, at: now, is_shown: true });
                continue;
            };
            let way = f64::from(placement.dst.width) + f64::from(placement.src.width);
            let speed = f64::from(crawl.speed) / 1e3;
            running.gone += speed * now.saturating_sub(running.at).as_secs_f64();
            if running.gone >= way {
                running.gone %= way.max(1.0);
            }
            (running.at, running.is_shown) = (now, true);
        }
        self.0.retain(|running| running.is_shown);
    }

    /// Returns how far the text of a layer has run.
    pub(super) fn gone(&self, key: &Key) -> f64 {
        let is_of = |running: &&Running| matches!(key, Key::Layer(id) if *id == running.layer);
        self.0.iter().find(is_of).map_or(0.0, |running| running.gone)
    }
}

/// Returns the part of a text's picture that is seen in its layer, in the middle of its height, and where that is on the
/// canvas; `None` while nothing is seen.
pub(super) fn part<'a>(text: &Planes<'a>, layer: Rect, gone: f64) -> Option<(Planes<'a>, Geometry)> {
    let (width, height) = (text.width as i64, text.height as i64);
    let (across, down) = (i64::from(layer.width), i64::from(layer.height));
    // Of the text's corner in the layer; `as` saturates.
    let (left, top) = (across - gone.floor() as i64, (down - height).div_euclid(2));
    let columns = (-left).max(0)..width.min(across - left);
    let rows = (-top).max(0)..height.min(down - top);
    if columns.is_empty() || rows.is_empty() {
        return None;
    }
    // Colours are kept for two by two pixels.
    let (x, y) = (columns.start & !1, rows.start & !1);
    let seen = text.part(x as usize, y as usize, (columns.end - x) as usize, (rows.end - y) as usize);
    let (src_width, src_height) = (columns.end - columns.start, rows.end - rows.start);
    let geometry = Geometry {
        dst_x: layer.x.saturating_add((left + columns.start) as i32),
        dst_y: layer.y.saturating_add((top + rows.start) as i32),
        dst_width: src_width as i32,
        dst_height: src_height as i32,
        src_x: (columns.start - x) as f32,
        src_y: (rows.start - y) as f32,
        src_width: src_width as f32,
        src_height: src_height as f32,
        mirror: false,
    };
    Some((seen, geometry))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::{
        layout::{Canvas, Facts, read, solve},
        media::compose::planes::I420,
    };

    /// Returns a ticker of 200 pixels a second in a layer of 300, whose text has so many.
    fn ticker(text: u32) -> Vec<Placement> {
        let layout = json!({"layers": [{"id": "t", "source": {"text": "News", "crawl": 200}, "width": 300}]});
        let facts = Facts { people: &[], speakers: &[], image_size: &move |_| Some((text, 40)), can_cut: false };
        solve(&read(&layout, &Canvas::default()).unwrap(), &facts)
    }

    #[test]
    fn a_text_runs_begins_again_and_goes_on_where_its_words_change() {
        let mut crawls = Crawls::default();
        let mut at = |text: u32, ms: u64| {
            let shown = ticker(text);
            crawls.run(shown.iter(), Duration::from_millis(ms));
            crawls.gone(&shown[0].key)
        };
        let near = |one: f64, other: f64| assert!((one - other).abs() < 1e-6, "{one} and {other}");
        near(at(100, 5000), 0.0);
        near(at(100, 5500), 100.0);
        near(at(500, 6500), 300.0);
        near(at(100, 7500), 100.0);
        crawls.run([].into_iter(), Duration::from_secs(8));
        assert!(crawls.0.is_empty());
    }

    #[test]
    fn the_part_between_the_ends_of_the_layer_is_seen() {
        let picture = I420::new(101, 40, true);
        let layer = Rect { x: 10, y: 20, width: 300, height: 60 };
        let seen = |gone: f64| {
            let (planes, geometry) = part(&picture.planes(), layer, gone)?;
            assert!(planes.is_whole(), "{gone}");
            assert_eq!((geometry.dst_y, geometry.dst_height, geometry.src_width), (30, 40, geometry.dst_width as f32));
            Some((geometry.dst_x, geometry.dst_width, planes.width, geometry.src_x))
        };
        assert_eq!(seen(0.0), None);
        assert_eq!(seen(50.9), Some((260, 50, 50, 0.0)));
        assert_eq!(seen(200.0), Some((110, 101, 101, 0.0)));
        assert_eq!(seen(303.0), Some((10, 98, 99, 1.0)));
        assert_eq!(seen(400.0), Some((10, 1, 1, 0.0)));
        assert_eq!(seen(401.0), None);
        // One that is higher than its layer is cut above and below.
        let (planes, geometry) = part(&picture.planes(), Rect { height: 10, ..layer }, 200.0).unwrap();
        assert_eq!((geometry.dst_y, geometry.dst_height, geometry.src_y, planes.height), (20, 10, 1.0, 11));
    }
}
