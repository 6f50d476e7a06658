#![allow(clippy::unwrap_used)]
use super::*;
use crate::config::ServeConfig;

/// A store in a folder of its own, which goes with it.
struct Place {
    store: AssetStore,
    folder: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = ServeConfig::default().data_dir;
        Self { store: AssetStore::open(&folder), folder }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A PNG of one colour.
fn png(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    let mut bytes = io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(width, height, image::Rgb(colour));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Luma and chroma of the upper left corner.
fn first_pixel(image: &Image) -> [u8; 3] {
    let planes = image.still.whole().planes();
    assert!(planes.alpha.is_none());
    [planes.y[0], planes.u[0], planes.v[0]]
}

#[tokio::test]
async fn what_is_put_is_listed_read_and_decoded() {
    let place = Place::new();
    let content = png(6, 3, [1, 2, 3]);
    let (asset, created) = place.store.put("logo.png", content.clone(), true).await.unwrap();
    assert!(created && !asset.builtin);
    assert_eq!((asset.size, asset.kind, asset.content_type), (Some((6, 3)), AssetKind::Image, "image/png"));
    let names: Vec<String> = place.store.list().await.unwrap().into_iter().map(|asset| asset.name).collect();
    assert_eq!(names, ["logo.png", "studio.jpg"]);
    assert_eq!(place.store.read("logo.png").await.unwrap(), (asset, Cow::Owned(content)));
    let image = place.store.image("logo.png").await.unwrap();
    assert_eq!((image.still.size(), first_pixel(&image)), ((6, 3), [18, 129, 127]));
    assert!(Arc::ptr_eq(&image.still, &place.store.image("logo.png").await.unwrap().still), "decoded once");
}

#[tokio::test]
async fn a_newer_file_replaces_the_decoded_image() {
    let place = Place::new();
    place.store.put("a", png(4, 4, [255, 0, 0]), true).await.unwrap();
    assert_eq!(first_pixel(&place.store.image("a").await.unwrap()), [81, 90, 240]);
    let (_, created) = place.store.put("a", png(4, 4, [0, 255, 0]), true).await.unwrap();
    assert!(!created);
    assert_eq!(first_pixel(&place.store.image("a").await.unwrap()), [145, 54, 34]);
}

#[tokio::test]
async fn the_studio_is_there_from_the_start() {
    let place = Place::new();
    let (asset, content) = place.store.read("studio.jpg").await.unwrap();
    assert_eq!((asset.size, asset.builtin, asset.content_type), (Some((1280, 720)), true, "image/jpeg"));
    assert!(content.len() < 120 * 1024);
    assert_eq!(place.store.image("studio.jpg").await.unwrap().still.size().0, 1280);
    assert!(matches!(place.store.delete("studio.jpg").await, Err(AssetError::BuiltIn)));
    place.store.put("studio.jpg", png(2, 2, [9; 3]), true).await.unwrap();
    assert_eq!(place.store.image("studio.jpg").await.unwrap().still.size().0, 2);
    assert_eq!(place.store.list().await.unwrap().len(), 1);
    place.store.delete("studio.jpg").await.unwrap();
    assert_eq!(place.store.image("studio.jpg").await.unwrap().still.size().0, 1280);
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let place = Place::new();
    let kept = png(2, 2, [7; 3]);
    place.store.put("a", kept.clone(), true).await.unwrap();
    let broken = kept[..kept.len() / 2].to_vec();
    assert!(matches!(place.store.put("a", broken, true).await, Err(AssetError::Picture(_))));
    for content in [b"<svg/>".to_vec(), Vec::new()] {
        assert!(matches!(place.store.put("a", content, true).await, Err(AssetError::UnknownType)));
    }
    assert!(matches!(place.store.put("a", vec![0; MAX_BYTES + 1], true).await, Err(AssetError::TooLarge)));
    assert_eq!(place.store.read("a").await.unwrap().1, kept);
    for name in ["", ".", "../a", "a/b", ".hidden", "a b"] {
        assert!(matches!(place.store.put(name, kept.clone(), true).await, Err(AssetError::BadName)), "{name:?}");
        assert!(matches!(place.store.read(name).await, Err(AssetError::BadName)), "{name:?}");
        assert!(matches!(place.store.delete(name).await, Err(AssetError::BadName)), "{name:?}");
    }
    let left: Vec<_> = fs::read_dir(place.folder.join("assets")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["a"]);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let place = Place::new();
    assert!(matches!(place.store.read("x.png").await, Err(AssetError::NotFound)));
    assert!(matches!(place.store.delete("x.png").await, Err(AssetError::NotFound)));
    assert!(ImageSource::image(&place.store, "x.png").await.is_none());
    assert!(!place.store.has_file("x.png").await);
}

#[tokio::test]
async fn left_overs_of_a_cut_off_write_go_with_the_next_start() {
    let place = Place::new();
    let part = place.folder.join("assets/.0123.part");
    fs::create_dir_all(place.folder.join("assets")).unwrap();
    fs::write(&part, "x").unwrap();
    fs::write(place.folder.join("assets/notes.txt"), "x").unwrap();
    let again = AssetStore::open(&place.folder);
    assert!(!part.exists());
    assert_eq!(again.list().await.unwrap().len(), 1, "a file that is no image is no asset");
}
