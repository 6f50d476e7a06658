//! The pictures, texts and models that a layout names.

use std::{collections::HashSet, sync::Arc};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    error::RoomError,
    state::{MAX_IMAGE_BYTES, name::RoomName},
};
use crate::{
    layout::{self, AssetKind, Canvas, Fault, Lettering, Scene, Text, asset_keys, fields, schema::Warning},
    media::port::{Image, Sound},
};

/// Most bytes of decoded images.
#[derive(Debug, Clone, Copy)]
struct Limits {
    layout: usize,
    room: usize,
}

/// A room shows one layout, and others where outputs have their own: as much as two of the largest together.
const LIMITS: Limits = Limits { layout: MAX_IMAGE_BYTES, room: 2 * MAX_IMAGE_BYTES };

/// Gives decoded images by name. The asset store is one.
pub trait ImageSource: Send + Sync + 'static {
    /// Returns the same as this room sees it: what belongs to it, and what is everybody's.
    fn of_room(&self, room: &RoomName) -> Arc<dyn ImageSource>;

    /// Counts what is decoded from now on with those of whom a token is; `None`: with nobody, as with the key.
    fn decode_for(&self, _holder: Option<String>) {}

    /// Returns the decoded image; `None` when no image has this name or it cannot be decoded.
    fn image<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Image>, NotNow>>;

    /// Returns how large an image or a clip is, without decoding it where that is known; `None` where it is not.
    fn size<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Option<(u32, u32)>>;

    /// Returns a clip, with its first picture; `None` when no clip has this name or it cannot be played.
    fn clip<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Image>, NotNow>>;

    /// Returns a decoded sound; `None` when no sound has this name or it cannot be decoded.
    fn sound<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Option<Arc<Sound>>>;

    /// Returns whether there is such a sound; it was decoded once when it was put.
    fn has_sound<'a>(&'a self, name: &'a str) -> BoxFuture<'a, bool>;

    /// Returns the picture of a text, by [`Lettering::name`].
    fn text<'a>(&'a self, lettering: Lettering<'a>) -> BoxFuture<'a, Result<Image, NoText>>;

    /// Returns the same of a text that will hardly be asked for again, as a clock's, and that strangers may have written.
    fn passing_text<'a>(&'a self, lettering: Lettering<'a>) -> BoxFuture<'a, Result<Image, NoText>>;

    /// Returns the same of a text whose words have changed while it is shown. What is asked for waits for no more than one
    /// of these, of all rooms.
    fn redrawn_text<'a>(&'a self, lettering: Lettering<'a>) -> BoxFuture<'a, Result<Image, NoText>> {
        self.passing_text(lettering)
    }

    /// Returns how large the picture of a text is, without drawing it; `None` for one that cannot be drawn.
    fn text_size<'a>(&'a self, lettering: Lettering<'a>) -> BoxFuture<'a, Option<(u32, u32)>>;

    /// Returns the characters of a text that no font has, each once.
    fn lacking<'a>(&'a self, text: &'a Text) -> BoxFuture<'a, String>;
}

/// Most characters that one warning names.
const MOST_NAMED: usize = 20;

/// Returns what of a layout's texts may have been meant as a field, or is one that cannot be, as it was kept before there
/// were fields, and what is shown as boxes, for no font has it. The places are those of the layout.
pub async fn warnings(source: &dyn ImageSource, scene: &Scene) -> Vec<Fault> {
    let mut warnings = layout::wrong_in_texts(scene);
    for (index, lettering) in scene.letterings() {
        let pointer = format!("/layers/{index}/source/text");
        let doubts = fields::doubts(&lettering.text.text).into_iter();
        warnings.extend(doubts.map(|detail| Fault { pointer: pointer.clone(), detail }));
        let lacking = source.lacking(lettering.text).await;
        if lacking.is_empty() {
            continue;
        }
        let named: Vec<String> =
            lacking.chars().take(MOST_NAMED).map(|one| format!("{one} (U+{:04X})", u32::from(one))).collect();
        let more = lacking.chars().count() - named.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let detail =
            format!("no font has {}{more}: boxes stand for them; install one, or name a font asset", named.join(", "));
        warnings.push(Fault { pointer, detail });
    }
    warnings
}

/// Returns the same of a layout that was read before, but by itself: what it leaves to the room has no texts.
pub async fn warnings_of(source: &dyn ImageSource, layout: &Value) -> Vec<Warning> {
    let Ok(scene) = layout::read_kept(layout, &Canvas::default()) else { return Vec::new() };
    warnings(source, &scene).await.into_iter().map(Warning::from).collect()
}

/// Returns the layout as it is answered to who changes it: with warnings, if there are some.
pub async fn answered(source: &dyn ImageSource, scene: &Scene) -> Value {
    let mut layout = scene.to_json();
    let warnings = warnings(source, scene).await;
    if !warnings.is_empty() {
        let warning = |Fault { pointer, detail }| json!({"pointer": pointer, "detail": detail});
        layout["warnings"] = warnings.into_iter().map(warning).collect();
    }
    layout
}

/// The server cannot use an asset now, said in one line: not the fault of who names it, and it passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotNow(pub String);

impl From<NotNow> for RoomError {
    fn from(NotNow(why): NotNow) -> Self {
        Self::Unavailable(why)
    }
}

/// The reason why a text has no picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoText {
    /// That of who wrote the layout.
    Fault(TextFault),
    /// The server's.
    NotNow(NotNow),
}

/// The reason why a text cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFault {
    /// The key of its source that is wrong.
    pub key: &'static str,
    /// In one line.
    pub detail: String,
    /// Whether it is the words' fault, so that others may be shown.
    pub of_words: bool,
}

/// Counts the bytes of a layout's images, and those of the room that is to show it.
struct Tally<'a> {
    limits: Limits,
    /// Of the room's other layouts.
    beside: &'a [Image],
    layout: usize,
    room: usize,
}

impl<'a> Tally<'a> {
    fn new(limits: Limits, beside: &'a [Image]) -> Self {
        let mut seen = HashSet::new();
        let each_once = beside.iter().filter(|image| seen.insert(Arc::as_ptr(&image.still)));
        let room = each_once.map(|image| image.still.bytes()).sum();
        Self { limits, beside, layout: 0, room }
    }

    /// Counts one more image of the layout. One that the room shows already is in memory once.
    ///
    /// # Errors
    /// That it is too much. It is not counted then.
    fn add(&mut self, image: &Image) -> Result<(), String> {
        let bytes = image.still.bytes();
        let is_shown = self.beside.iter().any(|other| Arc::ptr_eq(&other.still, &image.still));
        let of_room = if is_shown { 0 } else { bytes };
        self.check(bytes, of_room)?;
        self.layout = self.layout.saturating_add(bytes);
        self.room = self.room.saturating_add(of_room);
        Ok(())
    }

    /// Returns whether there is room for an image of this name and size, which is not decoded yet.
    ///
    /// # Errors
    /// That it would be too much, however little its picture takes.
    fn foresee(&self, name: &str, (width, height): (u32, u32)) -> Result<(), String> {
        let least = width as usize * height as usize * 3 / 2;
        let is_shown = self.beside.iter().any(|other| *other.name == *name);
        self.check(least, if is_shown { 0 } else { least })
    }

    fn check(&self, of_layout: usize, of_room: usize) -> Result<(), String> {
        let Limits { layout, room } = self.limits;
        if self.layout.saturating_add(of_layout) > layout {
            return Err(format!("the layout's images are too large together: {} MiB are allowed", layout >> 20));
        }
        if self.room.saturating_add(of_room) > room {
            let most = room >> 20;
            return Err(format!(
                "the images of the room's layout and of its outputs' layouts are too large together: {most} MiB are allowed"
            ));
        }
        Ok(())
    }
}

/// A layout whose images are to be found.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The layout.
    pub scene: &'a Scene,
    /// The same with what its texts say; `None` where no text has fields.
    pub filled: Option<&'a Scene>,
    /// The JSON that it was read from: its places are named when an image is missing.
    pub body: &'a Value,
    /// The images that the room shows beside it.
    pub beside: &'a [Image],
}

/// Returns the texts of a layout that are to be drawn, each with the index of its layer, and whether it has fields. Those
/// that have some are the last: what outsiders write takes no memory from the rest.
fn texts<'a>(scene: &Scene, filled: &'a Scene) -> impl Iterator<Item = (usize, Lettering<'a>, bool)> + use<'a> {
    let all = filled.letterings().map(|(index, lettering)| (index, lettering, scene.is_living_at(index)));
    let (living, fixed): (Vec<_>, Vec<_>) = all.partition(|(.., lives)| *lives);
    fixed.into_iter().chain(living)
}

/// Decodes every image that a layout needs and draws its texts, each once. Beside the images it returns what fields
/// stand for and cannot be drawn, which is left out: it is not the fault of who wrote the layout.
///
/// # Errors
/// One fault for each place of the JSON that names a missing image, or has a text that cannot be drawn. Where it is
/// right, what the server cannot use now.
pub async fn resolve(
    source: &dyn ImageSource,
    wanted: Wanted<'_>,
) -> Result<Result<(Vec<Image>, Vec<Fault>), Vec<Fault>>, NotNow> {
    let Gathered { images, faults, left_out, not_now } = gather(source, wanted).await;
    match not_now {
        Some(not_now) if faults.is_empty() => Err(not_now),
        _ if faults.is_empty() => Ok(Ok((images, left_out))),
        _ => Ok(Err(faults)),
    }
}

/// The images of a layout that are there, and why others are not.
#[derive(Debug)]
pub struct Gathered {
    /// Each once.
    pub images: Vec<Image>,
    /// One for each place that names a missing image, or has a text that cannot be drawn.
    pub faults: Vec<Fault>,
    /// The same for texts whose fields stand for what cannot be drawn.
    pub left_out: Vec<Fault>,
    /// The first that the server cannot use now.
    pub not_now: Option<NotNow>,
}

/// Works as [`resolve`], but gives those images that are there even when others are missing.
pub async fn gather(source: &dyn ImageSource, wanted: Wanted<'_>) -> Gathered {
    gather_within(source, wanted, LIMITS).await
}

/// Does so with so many bytes.
async fn gather_within(source: &dyn ImageSource, wanted: Wanted<'_>, limits: Limits) -> Gathered {
    let Wanted { scene, filled, body, beside } = wanted;
    let mut names: Vec<&str> = scene.image_names().collect();
    names.sort_unstable();
    names.dedup();
    let mut images = Vec::with_capacity(names.len());
    let (mut faults, mut left_out, mut not_now) = (Vec::new(), Vec::new(), None);
    let mut tally = Tally::new(limits, beside);
    for name in names {
        let at_its_places = |detail: &str| at_places(body, AssetKind::Image, name, detail);
        if let Some(size) = source.size(name).await
            && let Err(detail) = tally.foresee(name, size)
        {
            faults.extend(at_its_places(&detail));
            break;
        }
        match source.image(name).await {
            Ok(Some(image)) => {
                if let Err(detail) = tally.add(&image) {
                    faults.extend(at_its_places(&detail));
                    break;
                }
                images.push(image);
            }
            Ok(None) => faults.extend(at_its_places(&format!("there is no image asset {name:?}"))),
            Err(why) => {
                not_now.get_or_insert(why);
            }
        }
    }
    let mut clips: Vec<&str> = scene.clip_names().collect();
    clips.sort_unstable();
    clips.dedup();
    for name in clips {
        match source.clip(name).await {
            Ok(Some(clip)) => {
                images.push(clip);
                continue;
            }
            Ok(None) => {}
            Err(why) => {
                not_now.get_or_insert(why);
                continue;
            }
        }
        faults.extend(at_places(body, AssetKind::Clip, name, &format!("there is no clip asset {name:?}")));
    }
    let mut sounds: Vec<&str> = scene.sound_names().collect();
    sounds.sort_unstable();
    sounds.dedup();
    for name in sounds {
        if !source.has_sound(name).await {
            faults.extend(at_places(body, AssetKind::Sound, name, &format!("there is no sound asset {name:?}")));
        }
    }
    for (index, lettering, lives) in texts(scene, filled.unwrap_or(scene)) {
        let name = lettering.name();
        if images.iter().any(|image| *image.name == *name) {
            continue;
        }
        let place = |key: &str| {
            let source = format!("/layers/{index}/source");
            // What was sent may leave the key out, or be another part of the layout.
            let near = [format!("{source}/{key}"), source];
            near.into_iter().find(|near| body.pointer(near).is_some()).unwrap_or_default()
        };
        let drawn = if lives { source.passing_text(lettering).await } else { source.text(lettering).await };
        match drawn {
            Ok(image) => match tally.add(&image) {
                Ok(()) => images.push(image),
                // Others may be smaller.
                Err(detail) if lives => left_out.push(Fault { pointer: place("text"), detail }),
                Err(detail) => {
                    faults.push(Fault { pointer: place("text"), detail });
                    break;
                }
            },
            Err(NoText::Fault(fault)) => {
                let list = if lives && fault.of_words { &mut left_out } else { &mut faults };
                list.push(Fault { pointer: place(fault.key), detail: fault.detail });
            }
            Err(NoText::NotNow(why)) => {
                not_now.get_or_insert(why);
            }
        }
    }
    Gathered { images, faults, left_out, not_now }
}

/// Returns a fault for each place of a layout that names this asset.
fn at_places(body: &Value, kind: AssetKind, name: &str, detail: &str) -> Vec<Fault> {
    let places = places(body, &asset_keys(kind), name).into_iter();
    places.map(|pointer| Fault { pointer, detail: detail.to_owned() }).collect()
}

/// A layout whose texts are to be drawn again.
#[derive(Debug)]
pub struct Redrawn<'a> {
    /// The layout.
    pub scene: &'a Scene,
    /// The same with what its texts say.
    pub filled: &'a Scene,
    /// The pictures of texts that are drawn already.
    pub known: Vec<Image>,
    /// The bytes of its other images.
    pub others: usize,
    /// The images that the room shows beside it.
    pub beside: &'a [Image],
}

/// Returns the pictures of a layout's texts, those that are known or drawn, and what cannot be drawn.
pub async fn redraw(source: &dyn ImageSource, redrawn: Redrawn<'_>) -> Gathered {
    redraw_within(source, redrawn, LIMITS).await
}

/// Does so with so many bytes, those of other images among them.
async fn redraw_within(source: &dyn ImageSource, redrawn: Redrawn<'_>, limits: Limits) -> Gathered {
    let Redrawn { scene, filled, known, others, beside } = redrawn;
    let mut images: Vec<Image> = Vec::new();
    let (mut faults, mut not_now) = (Vec::new(), None);
    let mut tally = Tally::new(limits, beside);
    tally.layout = others;
    tally.room = tally.room.saturating_add(others);
    for (index, lettering, _) in texts(scene, filled) {
        let name = lettering.name();
        if images.iter().any(|image| *image.name == *name) {
            continue;
        }
        let pointer = |key: &str| format!("/layers/{index}/source/{key}");
        let text = match known.iter().find(|image| *image.name == *name) {
            Some(image) => Ok(image.clone()),
            None => source.redrawn_text(lettering).await,
        };
        match text {
            Ok(image) => match tally.add(&image) {
                Ok(()) => images.push(image),
                // Others may be smaller.
                Err(detail) => faults.push(Fault { pointer: pointer("text"), detail }),
            },
            Err(NoText::Fault(fault)) => faults.push(Fault { pointer: pointer(fault.key), detail: fault.detail }),
            Err(NoText::NotNow(why)) => {
                not_now.get_or_insert(why);
            }
        }
    }
    Gathered { images, faults, left_out: Vec::new(), not_now }
}

/// Looks whether every model that a scene names is there.
///
/// # Errors
/// One fault for each place of `body` that names a missing model.
pub fn check_models(models: &[String], scene: &Scene, body: &Value) -> Result<(), Vec<Fault>> {
    let mut missing: Vec<String> = scene.model_names().map(|name| name.as_str().to_owned()).collect();
    missing.sort_unstable();
    missing.dedup();
    missing.retain(|name| !models.contains(name));
    let faults: Vec<Fault> = missing
        .iter()
        .flat_map(|name| {
            let detail = format!("there is no model {name:?}; there are {}", models.join(", "));
            places(body, &["model"], name).into_iter().map(move |pointer| Fault { pointer, detail: detail.clone() })
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Pointers of all places in a layout that name this asset or model under one of `keys`. The root when none is found,
/// so that a missing one is never silent (it may stand in the part that the layout takes from the room).
fn places(body: &Value, keys: &[&str], name: &str) -> Vec<String> {
    let mut found = Vec::new();
    walk(body, keys, name, false, &mut String::new(), &mut found);
    if found.is_empty() {
        found.push(String::new());
    }
    found
}

fn walk(value: &Value, keys: &[&str], name: &str, is_name: bool, pointer: &mut String, found: &mut Vec<String>) {
    let parent = pointer.len();
    match value {
        Value::String(text) if is_name && text == name => found.push(pointer.clone()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                walk(item, keys, name, is_name, pointer, found);
                pointer.truncate(parent);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                walk(member, keys, name, keys.contains(&key.as_str()), pointer, found);
                pointer.truncate(parent);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
pub(super) mod partial;
#[cfg(test)]
mod tests;
