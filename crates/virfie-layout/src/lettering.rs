//! The look of a layout's texts on its canvas. PURE.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{
    scene::{Canvas, SceneLayer, Source},
    text::Text,
    values::Size,
};

/// The beginning of names of texts' pictures; no asset's has a colon.
const PREFIX: &str = "text:";

/// The frame that a text is set into, in canvas pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextFrame {
    /// As large as it comes: lines end only where the text says so.
    Natural,
    /// Lines are broken at this width; as high as it comes.
    Width(u32),
    /// As [`TextFrame::Natural`], in the size of letters that makes it so high.
    Height(u32),
    /// As [`TextFrame::Natural`], without its background: it runs through its layer, and may be wider than that.
    Crawl,
    /// Lines are broken at this width, and the text is in the middle of this height, or higher if it must be.
    Box(u32, u32),
}

/// Everything that decides how a text's picture looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lettering<'a> {
    /// The text.
    pub text: &'a Text,
    /// The frame that it is set into.
    pub frame: TextFrame,
}

impl<'a> Lettering<'a> {
    /// Returns what this layer shows, if it is a text.
    pub fn of(layer: &'a SceneLayer, canvas: &Canvas) -> Option<Self> {
        let Source::Text(text) = &layer.source else { return None };
        let (across, down) = (f64::from(canvas.width), f64::from(canvas.height));
        // `as` saturates; lengths are within limits that fit.
        let pixels = |length: f64| length.round().max(1.0) as u32;
        let frame = match layer.size {
            _ if text.crawl.is_some() => TextFrame::Crawl,
            Size::Canvas => TextFrame::Natural,
            Size::Width(width) => TextFrame::Width(pixels(width.of(across))),
            Size::Height(height) => TextFrame::Height(pixels(height.of(down))),
            Size::Both { width, height } => TextFrame::Box(pixels(width.of(across)), pixels(height.of(down))),
            Size::Scale(scale) => TextFrame::Box(pixels(across * scale.factor()), pixels(down * scale.factor())),
        };
        Some(Self { text, frame })
    }

    /// Returns whether a picture's name is that of a text.
    pub fn is_name(name: &str) -> bool {
        name.starts_with(PREFIX)
    }

    /// Returns the name of its picture: no asset's, and the same for the same picture only.
    pub fn name(&self) -> String {
        let Text { text, font, size, weight, color: [r, g, b], align, line_height, background, padding, crawl: _ } =
            self.text;
        let mut name = String::with_capacity(text.len() + 96);
        // Writing into a string cannot fail.
        let _ = write!(
            name,
            "{PREFIX}{:?},{font:?},{size},{weight},{r},{g},{b},{align:?},{line_height},{background:?},{padding},{text}",
            self.frame
        );
        name
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::{limits, read};

    fn name(layer: serde_json::Value) -> String {
        let scene = read(&json!({"layers": [layer]}), &Canvas::default()).unwrap();
        Lettering::of(&scene.layers[0], &scene.canvas).unwrap().name()
    }

    #[test]
    fn a_picture_has_its_own_name_wherever_it_stands() {
        let first = name(json!({"id": "a", "source": {"text": "Hi"}, "x": 5, "opacity": 0.5}));
        assert_eq!(first, name(json!({"id": "b", "source": {"text": "Hi", "color": "#fff"}, "y": "50%", "rotate": 9})));
        assert!(!limits::is_asset(&first));
        let mut names = vec![first];
        for source in [
            json!({"text": "Ho"}),
            json!({"text": "Hi", "font": "DejaVu Sans"}),
            json!({"text": "Hi", "size": 47}),
            json!({"text": "Hi", "weight": 700}),
            json!({"text": "Hi", "color": "#000"}),
            json!({"text": "Hi", "align": "right"}),
            json!({"text": "Hi", "line_height": 1}),
            json!({"text": "Hi", "background": "#000"}),
            json!({"text": "Hi", "padding": 4}),
        ] {
            names.push(name(json!({"id": "a", "source": source})));
        }
        for size in [json!({"width": 300}), json!({"height": 300}), json!({"width": 300, "height": 300})] {
            let mut layer = json!({"id": "a", "source": {"text": "Hi"}});
            size.as_object().unwrap().iter().for_each(|(key, value)| layer[key] = value.clone());
            names.push(name(layer));
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_frame_is_in_canvas_pixels() {
        let frame = |size: serde_json::Value| {
            let mut layer = json!({"id": "a", "source": {"text": "Hi"}});
            size.as_object().unwrap().iter().for_each(|(key, value)| layer[key] = value.clone());
            let scene = read(&json!({"layers": [layer]}), &Canvas::default()).unwrap();
            Lettering::of(&scene.layers[0], &scene.canvas).unwrap().frame
        };
        assert_eq!(frame(json!({})), TextFrame::Natural);
        assert_eq!(frame(json!({"width": "50%"})), TextFrame::Width(640));
        assert_eq!(frame(json!({"height": 99.6})), TextFrame::Height(100));
        assert_eq!(frame(json!({"width": 300, "height": "10%"})), TextFrame::Box(300, 72));
        assert_eq!(frame(json!({"scale": 0.5})), TextFrame::Box(640, 360));
        let scene = read(&json!({"layers": [{"id": "a", "source": {"slot": 1}}]}), &Canvas::default()).unwrap();
        assert_eq!(Lettering::of(&scene.layers[0], &scene.canvas), None);
    }
}
