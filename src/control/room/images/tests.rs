#![allow(clippy::unwrap_used)]
use super::*;
use crate::{layout::Values, media::port::Still};

/// Draws every text as a square of [`BYTES`], but for the one that is too large.
struct Drawing;

/// The bytes of a drawn text.
const BYTES: usize = 6;

impl ImageSource for Drawing {
    fn of_room(&self, _: &RoomName) -> Arc<dyn ImageSource> {
        unreachable!("it is asked for texts only")
    }

    fn image<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Option<Image>> {
        unreachable!("it is asked for texts only")
    }

    fn size<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Option<(u32, u32)>> {
        unreachable!("it is asked for texts only")
    }

    fn clip<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<Image>, NotNow>> {
        unreachable!("it is asked for texts only")
    }

    fn sound<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Option<Arc<Sound>>> {
        unreachable!("it is asked for texts only")
    }

    fn has_sound<'a>(&'a self, _: &'a str) -> BoxFuture<'a, bool> {
        unreachable!("it is asked for texts only")
    }

    fn text<'a>(&'a self, lettering: Lettering<'a>) -> BoxFuture<'a, Result<Image, NoText>> {
        let fault = |key, of_words| Err(NoText::Fault(TextFault { key, detail: "no".to_owned(), of_words }));
        let drawn = match lettering.text.text.as_str() {
            _ if lettering.text.font == "None" => fault("font", false),
            "huge" => fault("text", true),
            _ => {
                let still = Still::new(&[255; 16], 2, 2);
                assert_eq!(still.bytes(), BYTES);
                Ok(Image { name: lettering.name().into(), still: Arc::new(still), clip: None })
            }
        };
        Box::pin(async { drawn })
    }

    fn passing_text<'a>(&'a self, lettering: Lettering<'a>) -> BoxFuture<'a, Result<Image, NoText>> {
        self.text(lettering)
    }

    fn text_size<'a>(&'a self, _: Lettering<'a>) -> BoxFuture<'a, Option<(u32, u32)>> {
        unreachable!("nothing is measured")
    }

    fn lacking<'a>(&'a self, _: &'a Text) -> BoxFuture<'a, String> {
        unreachable!("nothing is looked for")
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
    let wanted = Wanted { scene: &scene, filled: Some(&filled), body: &body };
    let (images, left_out) = resolve(&Drawing, wanted).await.unwrap().unwrap();
    assert_eq!((images.len(), places_of(&left_out)), (1, vec!["/layers/0/source/text"]));
    // The same words of the layout's own are its fault.
    let (scene, body) = texts_of(&["huge", "short"]);
    let refused = resolve(&Drawing, Wanted { scene: &scene, filled: None, body: &body }).await.unwrap();
    assert_eq!(places_of(&refused.unwrap_err()), ["/layers/0/source/text"]);
    // So is a font that is missing.
    let body = json!({"layers": [{"id": "t", "source": {"text": "{viewers}", "font": "None"}}]});
    let scene = layout::read(&body, &Canvas::default()).unwrap();
    let (filled, _) = scene.filled(&values(&[]));
    let refused = resolve(&Drawing, Wanted { scene: &scene, filled: Some(&filled), body: &body }).await.unwrap();
    assert_eq!(places_of(&refused.unwrap_err()), ["/layers/0/source/font"]);
}

#[tokio::test]
async fn what_fields_stand_for_takes_no_memory_from_the_rest() {
    let (scene, body) = texts_of(&["{data.a}", "{data.b}", "fixed"]);
    let (filled, _) = scene.filled(&values(&[("a", "one"), ("b", "two")]));
    let wanted = Wanted { scene: &scene, filled: Some(&filled), body: &body };
    let Gathered { images, faults, left_out, .. } = gather_within(&Drawing, wanted, 2 * BYTES).await;
    assert_eq!((images.len(), faults), (2, Vec::new()));
    assert_eq!(places_of(&left_out), ["/layers/1/source/text"]);
    let (scene, body) = texts_of(&["one", "two", "three"]);
    let wanted = Wanted { scene: &scene, filled: None, body: &body };
    let Gathered { faults, .. } = gather_within(&Drawing, wanted, 2 * BYTES).await;
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
        let redrawn = Redrawn { scene: &scene, filled: &filled, known: Vec::new(), others };
        let Gathered { images, faults, .. } = redraw_within(&Drawing, redrawn, 3 * BYTES).await;
        assert_eq!((images.len(), places_of(&faults)), (drawn, places));
    }
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
