#![allow(clippy::unwrap_used)]
use super::{partial::PartialSource, *};
use crate::{layout::Values, media::port::Still};

/// Draws every text as a square of [`BYTES`], but for the one that is too large.
struct Drawing;

/// The bytes of a drawn text.
const BYTES: usize = 6;

const LIMITS_OF_TWO: Limits = Limits { layout: 2 * BYTES, room: usize::MAX };

impl PartialSource for Drawing {
    fn text(&self, lettering: &Lettering<'_>) -> Result<Image, NoText> {
        let fault = |key, of_words| Err(NoText::Fault(TextFault { key, detail: "no".to_owned(), of_words }));
        match lettering.text.text.as_str() {
            _ if lettering.text.font == "None" => fault("font", false),
            "huge" => fault("text", true),
            _ => {
                let still = Still::new(&[255; 16], 2, 2);
                assert_eq!(still.bytes(), BYTES);
                Ok(Image { name: lettering.name().into(), still: Arc::new(still), clip: None })
            }
        }
    }
}

/// Returns a layout with these texts, read from its JSON.
fn texts_of(texts: &[&str]) -> (Scene, Value) {
    let layers = texts.iter().enumerate().map(|(at, text)| json!({"id": format!("l{at}"), "source": {"text": text}}));
    let body = json!({"layers": layers.collect::<Vec<_>>()});
    (layout::read(&body, &Canvas::default()).unwrap(), body)
}

/// Returns the values of a room in which outsiders have put these.
fn values(data: &[(&str, &str)]) -> Values {
    let mut values = Values::none("2026-01-01T00:00:00Z".parse().unwrap());
    values.data = data.iter().map(|(key, value)| ((*key).into(), Arc::new(json!(value)))).collect();
    values
}

fn places_of(faults: &[Fault]) -> Vec<&str> {
    faults.iter().map(|fault| fault.pointer.as_str()).collect()
}

#[tokio::test]
async fn what_fields_stand_for_is_left_out_where_it_cannot_be_drawn() {
    let (scene, body) = texts_of(&["{data.long}", "short"]);
    let (filled, _) = scene.filled(&values(&[("long", "huge")]));
    let wanted = Wanted { scene: &scene, filled: Some(&filled), body: &body, beside: &[] };
    let (images, left_out) = resolve(&Drawing, wanted).await.unwrap().unwrap();
    assert_eq!((images.len(), places_of(&left_out)), (1, vec!["/layers/0/source/text"]));
    // The same words of the layout's own are its fault.
    let (scene, body) = texts_of(&["huge", "short"]);
    let refused = resolve(&Drawing, Wanted { scene: &scene, filled: None, body: &body, beside: &[] }).await.unwrap();
    assert_eq!(places_of(&refused.unwrap_err()), ["/layers/0/source/text"]);
    // So is a font that is missing.
    let body = json!({"layers": [{"id": "t", "source": {"text": "{viewers}", "font": "None"}}]});
    let scene = layout::read(&body, &Canvas::default()).unwrap();
    let (filled, _) = scene.filled(&values(&[]));
    let refused =
        resolve(&Drawing, Wanted { scene: &scene, filled: Some(&filled), body: &body, beside: &[] }).await.unwrap();
    assert_eq!(places_of(&refused.unwrap_err()), ["/layers/0/source/font"]);
}

#[tokio::test]
async fn what_fields_stand_for_takes_no_memory_from_the_rest() {
    let (scene, body) = texts_of(&["{data.a}", "{data.b}", "fixed"]);
    let (filled, _) = scene.filled(&values(&[("a", "one"), ("b", "two")]));
    let wanted = Wanted { scene: &scene, filled: Some(&filled), body: &body, beside: &[] };
    let Gathered { images, faults, left_out, .. } = gather_within(&Drawing, wanted, LIMITS_OF_TWO).await;
    assert_eq!((images.len(), faults), (2, Vec::new()));
    assert_eq!(places_of(&left_out), ["/layers/1/source/text"]);
    let (scene, body) = texts_of(&["one", "two", "three"]);
    let wanted = Wanted { scene: &scene, filled: None, body: &body, beside: &[] };
    let Gathered { faults, .. } = gather_within(&Drawing, wanted, LIMITS_OF_TWO).await;
    assert_eq!(places_of(&faults), ["/layers/2/source/text"]);
}

#[tokio::test]
async fn texts_that_are_drawn_again_have_the_memory_that_other_images_leave() {
    let (scene, _) = texts_of(&["{data.a}", "{data.b}", "fixed"]);
    let (filled, _) = scene.filled(&values(&[("a", "one"), ("b", "two")]));
    for (others, drawn, places) in [
        (0, 3, vec![]),
        (BYTES, 2, vec!["/layers/1/source/text"]),
        (2 * BYTES, 1, vec!["/layers/0/source/text", "/layers/1/source/text"]),
    ] {
        let redrawn = Redrawn { scene: &scene, filled: &filled, known: Vec::new(), others, beside: &[] };
        let Gathered { images, faults, .. } =
            redraw_within(&Drawing, redrawn, Limits { layout: 3 * BYTES, room: usize::MAX }).await;
        assert_eq!((images.len(), places_of(&faults)), (drawn, places));
    }
    // Beside it the room shows a picture of its own.
    let beside = [image("beside")];
    let room = image("beside").still.bytes() + BYTES;
    let redrawn = Redrawn { scene: &scene, filled: &filled, known: Vec::new(), others: 0, beside: &beside };
    let Gathered { images, faults, .. } = redraw_within(&Drawing, redrawn, Limits { layout: 3 * BYTES, room }).await;
    assert_eq!((images.len(), places_of(&faults)), (1, vec!["/layers/0/source/text", "/layers/1/source/text"]));
}

fn image(name: &str) -> Image {
    Image { name: name.into(), still: Arc::new(Still::new(&[255; 16 * 16 * 4], 16, 16)), clip: None }
}

#[test]
fn a_layout_and_the_room_have_bounds_of_their_own() {
    let bytes = image("a").still.bytes();
    let limits = Limits { layout: 2 * bytes, room: 3 * bytes };
    let [a, b, c, d] = ["a", "b", "c", "d"].map(image);
    let mut alone = Tally::new(limits, &[]);
    assert!(alone.add(&a).is_ok() && alone.add(&b).is_ok());
    let why = alone.add(&c).unwrap_err();
    assert!(why.starts_with("the layout's images are too large"), "{why}");
    // Two outputs show the same image.
    let beside = [a.clone(), b.clone(), a.clone()];
    let mut with_others = Tally::new(limits, &beside);
    assert!(with_others.add(&a).is_ok(), "it is in memory already");
    assert!(with_others.add(&c).is_ok());
    let mut with_others = Tally::new(limits, &beside);
    assert!(with_others.add(&c).is_ok());
    let why = with_others.add(&d).unwrap_err();
    assert!(why.starts_with("the images of the room's layout and of its outputs' layouts"), "{why}");
}

#[test]
fn what_would_be_too_much_is_not_decoded() {
    let bytes = image("a").still.bytes();
    let limits = Limits { layout: 2 * bytes, room: 2 * bytes };
    let beside = [image("a"), image("b")];
    let tally = Tally::new(limits, &beside);
    assert!(tally.foresee("c", (16, 16)).is_err());
    assert!(tally.foresee("b", (16, 16)).is_ok(), "the room shows it");
    assert!(tally.foresee("b", (160, 160)).is_err(), "the layout alone is too large");
    assert!(Tally::new(limits, &[]).foresee("c", (16, 16)).is_ok());
}

#[test]
fn every_place_that_names_the_image_is_found() {
    let body = json!({
        "canvas": {"background": "club.jpg"},
        "layers": [{"id": "club.jpg", "source": {"image": "club.jpg"}}, {"source": {"image": ["a.png", "club.jpg"]}}]
    });
    assert_eq!(
        places(&body, &asset_keys(AssetKind::Image), "club.jpg"),
        ["/canvas/background", "/layers/0/source/image", "/layers/1/source/image/1"]
    );
    assert_eq!(places(&body, &asset_keys(AssetKind::Image), "other.png"), [""]);
}
