//! The `source` of a layer.

use serde_json::Value;

use super::fields::Fields;
use crate::{
    limits,
    scene::{Images, Source},
    schema,
    text::Text,
};

/// Keys that say what a layer shows.
const SOURCES: [&str; 6] = ["participant", "slot", "image", "color", "text", "video"];

/// Reads the object under `source`.
pub(super) fn source(mut fields: Fields) -> Option<Source> {
    // A text has a colour of its own.
    let is_text = fields.has("text");
    let is_kind = |key: &&str| fields.has(key) && !(is_text && *key == "color");
    let kinds: Vec<&str> = SOURCES.into_iter().filter(is_kind).collect();
    match kinds[..] {
        ["image"] => fields.check_keys(&["image", "interval_ms"]),
        ["text"] => fields.check_rows(schema::Text::ROWS),
        _ => fields.check_keys(&SOURCES),
    }
    match kinds[..] {
        ["participant"] => participant(&mut fields),
        ["slot"] => fields.integer("slot", &limits::SLOT).map(|number| Source::Slot(number as u32)),
        ["image"] => image(&mut fields),
        ["color"] => fields.color("color").map(Source::Color),
        ["text"] => text(&mut fields).map(Source::Text),
        ["video"] => fields.asset("video").map(Source::Video),
        [] => {
            fields.fault_here(format!("must have one of {}", SOURCES.join(", ")));
            None
        }
        _ => {
            fields.fault_here(format!("must have only one of {}", kinds.join(", ")));
            None
        }
    }
}

fn participant(fields: &mut Fields) -> Option<Source> {
    let name = fields.text("participant")?;
    if !limits::is_name(name) {
        fields.fault("participant", "must be a name of 1 to 128 characters");
        return None;
    }
    Some(Source::Participant(name.to_owned()))
}

fn image(fields: &mut Fields) -> Option<Source> {
    let interval = fields.integer("interval_ms", &limits::INTERVAL_MS);
    let Value::Array(list) = fields.get("image")? else {
        if fields.has("interval_ms") {
            fields.fault("interval_ms", "is for a list of images");
        }
        return fields.asset("image").map(Source::Image);
    };
    if list.is_empty() || list.len() > limits::IMAGES {
        fields.fault("image", format!("must have 1 to {} images", limits::IMAGES));
        return None;
    }
    let names = fields.asset_names("image", list);
    let interval_ms = interval.map_or(Images::INTERVAL_MS, |interval| interval as u32);
    Some(Source::Images(Images { names, interval_ms }))
}

fn text(fields: &mut Fields) -> Option<Text> {
    let keys = schema::Text::KEYS;
    let font = match fields.text(keys.font.name) {
        Some(name) if limits::is_name(name) => name,
        Some(_) => {
            fields.fault("font", "must be a name of 1 to 128 characters");
            Text::FONT
        }
        None => Text::FONT,
    };
    let font = font.to_owned();
    let size = fields.read_or_usual(&keys.size);
    let weight = fields.read_or_usual(&keys.weight);
    let color = fields.read_or_usual(&keys.color);
    let align = fields.read(&keys.align);
    let line_height = fields.read_or_usual(&keys.line_height);
    let background = fields.read(&keys.background);
    let padding = fields.read_or_usual(&keys.padding);
    let crawl = fields.read(&keys.crawl);
    let text = fields.text(keys.text.name)?;
    if text.trim().is_empty() {
        fields.fault("text", "must have something to show");
        return None;
    }
    let count = text.chars().count();
    if count > limits::TEXT_LENGTH {
        fields.fault("text", format!("has {count} characters; at most {} are possible", limits::TEXT_LENGTH));
        return None;
    }
    if text.chars().any(|one| one.is_control() && one != '\n') {
        fields.fault("text", "must have no control characters but line ends (\\n)");
        return None;
    }
    let text = text.to_owned();
    Some(Text { text, font, size, weight, color, align, line_height, background, padding, crawl })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use crate::{Canvas, Fit, Scene, Source, Text, TextAlign, read};

    use super::*;

    fn scene(source: &Value) -> Result<Scene, Vec<(String, String)>> {
        let layout = json!({"layers": [{"id": "a", "source": source}]});
        read(&layout, &Canvas::default())
            .map_err(|faults| faults.into_iter().map(|fault| (fault.pointer, fault.detail)).collect())
    }

    #[test]
    fn a_text_is_read_and_written_back() {
        let source = json!({"text": "Fri\nday", "font": "Caveat.ttf", "size": 32.5, "weight": 700, "color": "#ff8800",
            "align": "center", "line_height": 1, "background": "#000000", "padding": 8});
        let read = scene(&source).unwrap();
        let text = Text {
            font: "Caveat.ttf".into(),
            size: 32.5,
            weight: 700,
            color: [255, 0x88, 0],
            align: Some(TextAlign::Center),
            line_height: 1.0,
            background: Some([0; 3]),
            padding: 8.0,
            ..Text::plain("Fri\nday")
        };
        assert_eq!((&read.layers[0].source, read.layers[0].fit), (&Source::Text(text), Fit::Contain));
        assert_eq!(read.to_json()["layers"][0], json!({"id": "a", "source": source}));
        // What is usual is not written.
        let usual = json!({"text": "x", "font": "Inter", "size": 48, "weight": 400, "color": "#fff", "line_height": 1.2,
            "padding": 0});
        let read = scene(&usual).unwrap();
        assert_eq!(read.layers[0].source, Source::Text(Text::plain("x")));
        assert_eq!(read.to_json()["layers"][0]["source"], json!({"text": "x"}));
        assert!(read.needs("Inter", None) && read.needs("a.ttf", Some("Inter")) && !read.needs("a.ttf", Some("B")));
        assert_eq!(read.letterings().count(), 1);
    }

    #[test]
    fn every_wrong_place_of_a_text_is_reported() {
        let wrong = json!({"text": "a\tb", "font": "", "size": 3, "weight": 950, "color": "red", "align": "justify",
            "line_height": 0, "background": 5, "padding": -1, "italic": true});
        let faults = scene(&wrong).unwrap_err();
        let mut places: Vec<&str> =
            faults.iter().map(|(pointer, _)| pointer.trim_start_matches("/layers/0/source/")).collect();
        places.sort_unstable();
        let all =
            ["align", "background", "color", "font", "italic", "line_height", "padding", "size", "text", "weight"];
        assert_eq!(places, all);
        for (text, why) in [
            (json!("  \n "), "must have something to show"),
            (json!("x".repeat(1001)), "has 1001 characters; at most 1000 are possible"),
            (json!("a\u{7}"), "must have no control characters but line ends (\\n)"),
            (json!(5), "must be a string, not a number"),
        ] {
            let fault = ("/layers/0/source/text".to_owned(), why.to_owned());
            assert_eq!(scene(&json!({ "text": text })).unwrap_err(), [fault]);
        }
        assert!(scene(&json!({"text": "x".repeat(1000)})).is_ok());
        // A text has a colour, but is nothing else beside.
        let both = scene(&json!({"text": "x", "image": "a.png"})).unwrap_err();
        assert!(both.contains(&("/layers/0/source".into(), "must have only one of image, text".into())), "{both:?}");
    }

    #[test]
    fn a_text_that_runs_is_read_written_back_and_takes_nothing_that_would_bend_it() {
        for crawl in [json!(120), json!("12.5%")] {
            let source = json!({"text": "News", "crawl": crawl});
            assert_eq!(scene(&source).unwrap().to_json()["layers"][0]["source"], source);
        }
        for wrong in [json!(0), json!(-5), json!(5000), json!("1001%"), json!("fast")] {
            let faults = scene(&json!({"text": "News", "crawl": wrong})).unwrap_err();
            assert_eq!((faults.len(), faults[0].0.as_str()), (1, "/layers/0/source/crawl"), "{wrong}");
        }
        let layer = json!({"id": "a", "source": {"text": "News", "crawl": 9}, "fit": "cover", "crop": {}, "mirror": true,
            "rotate": 5, "radius": 3, "border": {}, "width": 300, "opacity": 0.5});
        let faults = read(&json!({"layers": [layer]}), &Canvas::default()).unwrap_err();
        let places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        let wrong = ["fit", "crop", "mirror", "rotate", "radius", "border"];
        assert_eq!(places, wrong.map(|key| format!("/layers/0/{key}")));
    }

    #[test]
    fn fields_that_cannot_be_are_refused_and_other_braces_are_not() {
        let person = json!({"id": "ann", "source": {"participant": "ann"}});
        let faults = |text: &str| -> Vec<String> {
            let layers = json!([person, {"id": "t", "source": {"text": text}}]);
            let read = read(&json!({ "layers": layers }), &Canvas::default());
            read.err()
                .unwrap_or_default()
                .into_iter()
                .map(|fault| format!("{} {}", fault.pointer, fault.detail))
                .collect()
        };
        let at = "/layers/1/source/text";
        assert_eq!(faults("{name nobody}"), [format!("{at} there is no layer `nobody`")]);
        assert_eq!(faults("{name t}"), [format!("{at} layer `t` shows no participant")]);
        assert!(faults("{clock HH:nn}")[0].starts_with(&format!("{at} `{{clock HH:nn}}` must be a clock of HH")));
        assert_eq!(faults("{countdown} {stopwatch a b}").len(), 2);
        for right in ["{name} {name ann} {data.x|y} {clock}", "{score} { {{", "{{name nobody}}"] {
            assert!(faults(right).is_empty(), "{right}: {:?}", faults(right));
        }
        let alone = scene(&json!({"text": "{name}"})).unwrap_err();
        assert_eq!(alone[0].0, "/layers/0/source/text");
        // What was kept before there were fields is shown as it was.
        let kept = json!({"layers": [{"id": "t", "source": {"text": "{clock HH:nn}"}}]});
        let kept = crate::read_kept(&kept, &Canvas::default()).unwrap();
        assert!(!kept.is_living());
    }

    #[test]
    fn what_is_for_people_is_not_for_texts() {
        for (key, value) in [("cutout", json!("person")), ("fallback", json!("a.png"))] {
            let mut layer = json!({"id": "a", "source": {"text": "x"}});
            layer[key] = value;
            let faults = read(&json!({"layers": [layer]}), &Canvas::default()).unwrap_err();
            assert_eq!(faults[0].pointer, format!("/layers/0/{key}"));
        }
    }
}
