#![allow(clippy::unwrap_used)]
use std::io::Read as _;

use futures_util::future::{join, join4};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::UnboundedSender;

use super::*;
use crate::{
    config::ServeConfig,
    control::room::ImageSource,
    layout::{Lettering, Text, TextFrame},
    media::port::{DecodeError, MediaEvent, RoomMedia, RoomSpec, Samples, Segmentation, Still},
};

/// Knows one clip: a picture of 4 x 2 pixels, three seconds long.
struct NoMedia;

impl Media for NoMedia {
    fn open(&self, _: RoomSpec, _: UnboundedSender<MediaEvent>) -> Box<dyn RoomMedia> {
        unreachable!("no room is opened here")
    }

    fn segmentation(&self) -> Segmentation {
        Segmentation { model: None, reason: None, keypoints: false }
    }

    fn models(&self) -> Vec<String> {
        Vec::new()
    }

    fn decode_sound(&self, file: &Path, _: Duration) -> Result<Samples, DecodeError> {
        match fs::read(file) {
            Ok(content) if content.ends_with(b"sound") => Ok(Samples { channels: 1, interleaved: vec![7; 48_000] }),
            _ => Err(DecodeError::Refused("it holds no sound".to_owned())),
        }
    }

    fn look_at_clip(&self, file: &Path) -> Result<(Still, Option<Duration>), DecodeError> {
        match fs::read(file) {
            Ok(content) if content.ends_with(b"clip") => {
                Ok((Still::new(&[255].repeat(4 * 2 * 4), 4, 2), Some(Duration::from_secs(3))))
            }
            Ok(content) if content.ends_with(b"long") => {
                Ok((Still::new(&[255].repeat(4 * 2 * 4), 4, 2), Some(Duration::from_secs(601))))
            }
            _ => Err(DecodeError::Refused("no decoder for video/x-nothing is installed in GStreamer".to_owned())),
        }
    }
}

/// A store in a folder of its own, which goes with it.
struct Place {
    store: AssetStore,
    folder: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = ServeConfig::default().data_dir;
        Self { store: AssetStore::open(&folder, Arc::new(NoMedia)), folder }
    }
}

impl Place {
    async fn put(&self, name: &str, content: Vec<u8>, may_replace: bool) -> Result<(Asset, bool), AssetError> {
        let mut incoming = self.store.incoming(name).await?;
        incoming.write(&content)?;
        self.store.put(name, incoming, if may_replace { Over::ALL } else { Over::NOTHING }).await
    }

    async fn read(&self, name: &str) -> Result<(Asset, Vec<u8>), AssetError> {
        let (_, digest, content) = self.store.open_file(name).await?;
        let content = match content {
            Content::BuiltIn(content) => content.to_vec(),
            Content::File(mut file) => {
                let mut content = Vec::new();
                file.read_to_end(&mut content)?;
                content
            }
        };
        assert_eq!(digest, Sha256::digest(&content)[..16]);
        Ok((self.store.about(name).await?, content))
    }

    /// Returns names of all files in the folder.
    fn left(&self) -> Vec<String> {
        let files = fs::read_dir(self.folder.join("assets")).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Returns a PNG of one colour.
fn png(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    let mut bytes = io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(width, height, image::Rgb(colour));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Returns luma and chroma of the upper left corner.
fn first_pixel(image: &Image) -> [u8; 3] {
    let planes = image.still.whole().planes();
    assert!(planes.alpha.is_none());
    [planes.y[0], planes.u[0], planes.v[0]]
}

#[tokio::test]
async fn what_is_put_is_listed_read_and_decoded() {
    let place = Place::new();
    let content = png(6, 3, [1, 2, 3]);
    let (asset, created) = place.put("logo.png", content.clone(), true).await.unwrap();
    assert!(created && !asset.builtin);
    assert_eq!((asset.size, asset.kind, asset.content_type), (Some((6, 3)), AssetKind::Image, "image/png"));
    let names: Vec<String> = place.store.list().await.unwrap().into_iter().map(|asset| asset.name).collect();
    assert_eq!(names, ["logo.png", "studio.jpg"]);
    assert_eq!(place.read("logo.png").await.unwrap(), (asset, content));
    let image = place.store.image("logo.png").await.unwrap();
    assert_eq!((image.still.size(), first_pixel(&image)), ((6, 3), [18, 129, 127]));
    assert!(Arc::ptr_eq(&image.still, &place.store.image("logo.png").await.unwrap().still), "decoded once");
}

#[tokio::test]
async fn a_newer_file_replaces_the_decoded_image() {
    let place = Place::new();
    place.put("a", png(4, 4, [255, 0, 0]), true).await.unwrap();
    assert_eq!(first_pixel(&place.store.image("a").await.unwrap()), [81, 90, 240]);
    let (_, created) = place.put("a", png(4, 4, [0, 255, 0]), true).await.unwrap();
    assert!(!created);
    assert_eq!(first_pixel(&place.store.image("a").await.unwrap()), [145, 54, 34]);
}

#[tokio::test]
async fn the_studio_is_there_from_the_start() {
    let place = Place::new();
    let (asset, content) = place.read("studio.jpg").await.unwrap();
    assert_eq!((asset.size, asset.builtin, asset.content_type), (Some((1280, 720)), true, "image/jpeg"));
    assert!(content.len() < 120 * 1024);
    assert_eq!(place.store.image("studio.jpg").await.unwrap().still.size().0, 1280);
    assert!(matches!(place.store.delete("studio.jpg").await, Err(AssetError::BuiltIn)));
    place.put("studio.jpg", png(2, 2, [9; 3]), true).await.unwrap();
    assert_eq!(place.store.image("studio.jpg").await.unwrap().still.size().0, 2);
    assert_eq!(place.store.list().await.unwrap().len(), 1);
    place.store.delete("studio.jpg").await.unwrap();
    assert_eq!(place.store.image("studio.jpg").await.unwrap().still.size().0, 1280);
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let place = Place::new();
    let kept = png(2, 2, [7; 3]);
    place.put("a", kept.clone(), true).await.unwrap();
    let broken = kept[..kept.len() / 2].to_vec();
    assert!(matches!(place.put("a", broken, true).await, Err(AssetError::Picture(_))));
    for content in [b"<svg/>".to_vec(), Vec::new()] {
        assert!(matches!(place.put("a", content, true).await, Err(AssetError::UnknownType)));
    }
    assert!(matches!(place.put("a", vec![0; LARGEST + 1], true).await, Err(AssetError::TooLarge)));
    assert_eq!(place.read("a").await.unwrap().1, kept);
    for name in ["", ".", "../a", "a/b", ".hidden", "a b"] {
        assert!(matches!(place.put(name, kept.clone(), true).await, Err(AssetError::BadName)), "{name:?}");
        assert!(matches!(place.read(name).await, Err(AssetError::BadName)), "{name:?}");
        assert!(matches!(place.store.delete(name).await, Err(AssetError::BadName)), "{name:?}");
    }
    assert_eq!(place.left(), ["a"]);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let place = Place::new();
    assert!(matches!(place.read("x.png").await, Err(AssetError::NotFound)));
    assert!(matches!(place.store.delete("x.png").await, Err(AssetError::NotFound)));
    assert!(matches!(ImageSource::image(&place.store, "x.png").await, Ok(None)));
    assert!(!place.store.has_file("x.png").await);
}

#[tokio::test]
async fn a_pipe_in_the_folder_is_no_asset_and_holds_nobody_up() {
    let place = Place::new();
    let pipe = place.folder.join("assets/pipe.png");
    fs::create_dir_all(place.folder.join("assets")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert!(matches!(place.read("pipe.png").await, Err(AssetError::NotFound)));
    assert!(matches!(ImageSource::image(&place.store, "pipe.png").await, Ok(None)));
    assert!(place.put("pipe.png", png(4, 4, [0; 3]), false).await.is_err());
    place.put("pipe.png", png(4, 4, [0; 3]), true).await.unwrap();
    assert!(place.read("pipe.png").await.is_ok());
}

#[tokio::test]
async fn left_overs_of_a_cut_off_write_go_with_the_next_start() {
    let place = Place::new();
    let part = place.folder.join("assets/.0123.part");
    fs::create_dir_all(place.folder.join("assets")).unwrap();
    fs::write(&part, "x").unwrap();
    fs::write(place.folder.join("assets/notes.txt"), "x").unwrap();
    let again = AssetStore::open(&place.folder, Arc::new(NoMedia));
    assert!(!part.exists());
    assert_eq!(again.list().await.unwrap().len(), 1, "a file that is no image is no asset");
}

#[tokio::test]
async fn a_clip_is_looked_into_before_it_is_kept() {
    let place = Place::new();
    let mp4 = |ending: &str| [b"\0\0\0\x20ftypisom", ending.as_bytes()].concat();
    let (asset, _) = place.put("a.mp4", mp4("clip"), true).await.unwrap();
    assert_eq!((asset.kind, asset.content_type), (AssetKind::Clip, "video/mp4"));
    assert_eq!((asset.size, asset.duration), (Some((4, 2)), Some(Duration::from_secs(3))));
    let listed = place.store.list().await.unwrap();
    assert_eq!((&listed[0], &place.read("a.mp4").await.unwrap().0), (&asset, &asset));
    let image = place.store.clip("a.mp4").await.unwrap();
    let clip = image.clip.unwrap();
    assert_eq!((&*image.name, &clip.file), ("video:a.mp4", &place.folder.join("assets/a.mp4")));
    assert!(place.store.image("a.mp4").await.is_err(), "a clip is no image");
    assert!(
        matches!(place.store.clip("studio.jpg").await, Err(AssetError::NotFound))
            || place.store.clip("studio.jpg").await.is_err()
    );
    for (content, why) in [
        ("damaged", "the clip cannot be used: no decoder for video/x-nothing is installed in GStreamer"),
        ("long", "the clip cannot be used: it is longer than 10 minutes"),
    ] {
        let refused = place.put("b.mp4", mp4(content), true).await.unwrap_err();
        assert_eq!(refused.to_string(), why);
    }
    // A clip may have more bytes than others.
    let mut large = mp4("");
    large.resize(MAX_BYTES + 100, 0);
    large.extend(b"clip");
    place.put("c.mp4", large.clone(), true).await.unwrap();
    large[4..8].copy_from_slice(b"GIF8");
    large[..6].copy_from_slice(b"GIF89a");
    assert!(matches!(place.put("c.gif", large, true).await, Err(AssetError::TooLarge)));
    assert_eq!(place.left(), ["a.mp4", "c.mp4"]);
}

/// Looks for as long as it is not let go on, and says when it begins.
struct Slow {
    begun: std::sync::mpsc::SyncSender<()>,
    go_on: Mutex<std::sync::mpsc::Receiver<()>>,
}

impl Media for Slow {
    fn open(&self, _: RoomSpec, _: UnboundedSender<MediaEvent>) -> Box<dyn RoomMedia> {
        unreachable!("no room is opened here")
    }

    fn segmentation(&self) -> Segmentation {
        NoMedia.segmentation()
    }

    fn models(&self) -> Vec<String> {
        Vec::new()
    }

    fn decode_sound(&self, file: &Path, longest: Duration) -> Result<Samples, DecodeError> {
        NoMedia.decode_sound(file, longest)
    }

    fn look_at_clip(&self, file: &Path) -> Result<(Still, Option<Duration>), DecodeError> {
        self.begun.send(()).unwrap();
        self.go_on.lock().recv().unwrap();
        NoMedia.look_at_clip(file)
    }
}

#[tokio::test]
async fn who_hangs_up_keeps_the_turn_until_the_work_is_done() {
    let (begun, has_begun) = std::sync::mpsc::sync_channel(0);
    let (go, go_on) = std::sync::mpsc::channel();
    let folder = ServeConfig::default().data_dir;
    let media = Arc::new(Slow { begun, go_on: Mutex::new(go_on) });
    let place = Place { store: AssetStore::open(&folder, media), folder };
    let mut incoming = place.store.incoming("a.mp4").await.unwrap();
    incoming.write(b"\0\0\0\x20ftypisomclip").unwrap();
    {
        let put = place.store.put("a.mp4", incoming, Over::ALL);
        let wait = spawn_blocking(move || has_begun.recv().map(|()| has_begun));
        tokio::select! {
            _ = put => panic!("the media holds it"),
            begun = wait => drop(begun.unwrap().unwrap()),
        }
    }
    assert!(place.store.looking.is_taken(), "the work goes on");
    assert_eq!(place.left().len(), 1);
    go.send(()).unwrap();
    let _turn = place.store.looking_turn().await;
    assert_eq!(place.left(), [""; 0], "nobody waits for the file any more");
}

#[tokio::test]
async fn a_sound_is_decoded_before_it_is_kept_and_once() {
    let place = Place::new();
    let (asset, _) = place.put("click.mp3", b"ID3 sound".to_vec(), true).await.unwrap();
    assert_eq!(
        (asset.kind, asset.content_type, asset.duration),
        (AssetKind::Sound, "audio/mpeg", Some(Duration::from_secs(1)))
    );
    let broken = place.put("broken.mp3", b"ID3 noise".to_vec(), true).await;
    assert!(matches!(broken, Err(AssetError::Sound(_))), "{broken:?}");
    let sound = place.store.sound("click.mp3").await.unwrap();
    assert_eq!((&*sound.name, sound.samples.len()), ("click.mp3", 48_000));
    assert!(Arc::ptr_eq(&sound, &place.store.sound("click.mp3").await.unwrap()));
    assert!(matches!(place.store.sound("broken.mp3").await, Err(AssetError::NotFound)));
}

/// Counts what it looks into.
#[derive(Default)]
struct Counting(std::sync::atomic::AtomicUsize);

impl Media for Counting {
    fn open(&self, room: RoomSpec, events: UnboundedSender<MediaEvent>) -> Box<dyn RoomMedia> {
        NoMedia.open(room, events)
    }

    fn segmentation(&self) -> Segmentation {
        NoMedia.segmentation()
    }

    fn models(&self) -> Vec<String> {
        NoMedia.models()
    }

    fn decode_sound(&self, file: &Path, longest: Duration) -> Result<Samples, DecodeError> {
        NoMedia.decode_sound(file, longest)
    }

    fn look_at_clip(&self, file: &Path) -> Result<(Still, Option<Duration>), DecodeError> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        NoMedia.look_at_clip(file)
    }
}

#[tokio::test]
async fn who_lists_clips_has_each_looked_into_once() {
    let folder = ServeConfig::default().data_dir;
    let media = Arc::new(Counting::default());
    let looks = || media.0.load(std::sync::atomic::Ordering::SeqCst);
    let place = Place { store: AssetStore::open(&folder, media.clone()), folder };
    let clip = [b"\0\0\0\x20ftypisom", &b"clip"[..]].concat();
    for name in ["a.mp4", "b.mp4"] {
        place.put(name, clip.clone(), true).await.unwrap();
    }
    let sizes = async || -> Vec<_> {
        // No picture is kept any more: there may be more clips than there is memory for.
        *place.store.decoded.lock() = Cache::new(CACHE_BYTES);
        place.store.list().await.unwrap().into_iter().map(|asset| (asset.size, asset.duration)).take(2).collect()
    };
    let clip_says = (Some((4, 2)), Some(Duration::from_secs(3)));
    assert_eq!(sizes().await, [clip_says; 2]);
    let before = looks();
    assert_eq!(sizes().await, [clip_says; 2]);
    assert_eq!(place.store.about("a.mp4").await.unwrap().size, clip_says.0);
    assert_eq!(looks(), before);
    place.put("a.mp4", clip, true).await.unwrap();
    assert_eq!(sizes().await, [clip_says; 2]);
}

#[tokio::test]
async fn a_text_is_measured_once_and_not_drawn_for_it() {
    let place = Place::new();
    place.put("serif.ttf", dejavu::serif::bold().to_vec(), true).await.unwrap();
    for font in ["Inter", "serif.ttf"] {
        let text = Text { font: font.into(), ..Text::plain("Hi") };
        let lettering = Lettering { text: &text, frame: TextFrame::Natural };
        let size = place.store.text_size(lettering).await.unwrap();
        let known = place.store.texts.known();
        assert_eq!(place.store.text_size(lettering).await, Some(size));
        assert_eq!(place.store.texts.known(), known, "{font}: it is known");
        assert_eq!(place.store.text(lettering).await.unwrap().still.size(), size);
    }
    // What was drawn need not be measured, and what has no picture has none the next time.
    let text = Text::plain("drawn");
    let drawn = Lettering { text: &text, frame: TextFrame::Width(300) };
    let size = place.store.text(drawn).await.unwrap().still.size();
    let known = place.store.texts.known();
    assert_eq!(place.store.text_size(drawn).await, Some(size));
    // What passes leaves nothing behind.
    let text = Text::plain("12:00:01");
    place.store.passing_text(Lettering { text: &text, frame: TextFrame::Natural }).await.unwrap();
    assert_eq!(place.store.texts.known(), known);
    let huge = Text { size: 500.0, ..Text::plain("m".repeat(1000)) };
    let huge = Lettering { text: &huge, frame: TextFrame::Natural };
    assert_eq!((place.store.text_size(huge).await, place.store.text_size(huge).await), (None, None));
    assert_eq!(place.store.texts.known(), known + 1);
}

#[tokio::test]
async fn texts_that_are_drawn_again_hold_up_nothing_that_is_asked_for() {
    let place = Place::new();
    let store = &place.store;
    let draw = async |words: &str, again: bool| {
        let text = Text::plain(words);
        let lettering = Lettering { text: &text, frame: TextFrame::Natural };
        let drawn = if again { store.redrawn_text(lettering).await } else { store.text(lettering).await };
        drop(drawn.unwrap());
    };
    let done = Mutex::new(Vec::new());
    let turn = store.turn().await;
    let waiting = async |count: usize| {
        while store.decoding.waiting() < count {
            tokio::task::yield_now().await;
        }
    };
    let again = async |number: usize| {
        draw(&format!("{number}"), true).await;
        done.lock().push(Some(number));
    };
    let asked = async {
        waiting(1).await;
        draw("asked", false).await;
        done.lock().push(None);
    };
    let let_go = async {
        waiting(2).await;
        drop(turn);
    };
    // Of what is done at once, the first of these is noted first.
    join4(asked, let_go, again(0), join(again(1), again(2))).await;
    let done = done.into_inner();
    assert!(done.len() == 4 && done[..2].contains(&None), "{done:?}");
}

#[tokio::test]
async fn pictures_are_decoded_only_while_there_is_memory_for_them() {
    let place = Place::new();
    for (name, red) in [("a.png", 10), ("b.png", 100)] {
        place.put(name, png(200, 200, [red, 0, 0]), true).await.unwrap();
    }
    place.put("a.mp4", b"\0\0\0\x20ftypisomclip".to_vec(), true).await.unwrap();
    let text = Text { size: 100.0, ..Text::plain("Friday") };
    let lettering = Lettering { text: &text, frame: TextFrame::Natural };
    let shown = place.store.image("a.png").await.unwrap();
    // Not enough for one more, be there alpha or not.
    place.store.limit_decoded(shown.still.bytes() + 200 * 200);
    for name in ["b.png", "studio.jpg"] {
        let error = place.store.image(name).await.unwrap_err();
        assert!(matches!(error, AssetError::NoMemory) && error.passes(), "{name}: {error:?}");
    }
    assert!(matches!(place.store.clip("a.mp4").await, Err(AssetError::NoMemory)));
    assert!(matches!(place.store.text(lettering).await, Err(crate::control::room::NoText::NotNow(_))));
    assert!(ImageSource::image(&place.store, "b.png").await.is_err(), "it is there, but not now");
    // A small text finds room, and so does what is shown already.
    let small = Text { size: 10.0, ..Text::plain("Friday") };
    place.store.text(Lettering { text: &small, frame: TextFrame::Natural }).await.unwrap();
    assert!(Arc::ptr_eq(&place.store.image("a.png").await.unwrap().still, &shown.still));
    // What nobody shows any more makes room.
    place.store.limit_decoded(200 * 200 * 10 / 3 + 100);
    drop(shown);
    let other = place.store.image("b.png").await.unwrap();
    assert_eq!(first_pixel(&other)[0], 42);
    assert!(matches!(place.store.image("a.png").await, Err(AssetError::NoMemory)));
}
