//! Sizes of the pictures of layouts that the room does not show: asked for within bounds, because texts are measured
//! and files are opened for it, and a room's scenes may have thousands of both.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout_at};

use super::{images::ImageSource, state::gathering::Gathering};
use crate::layout::{self, Scene};

/// Longest time that all pictures of one request may take together: far longer than texts that were drawn before, as
/// those of scenes are when they are stored.
pub const LONGEST: Duration = Duration::from_secs(2);

type Size = Option<(u32, u32)>;

/// Finds sizes out, each once.
pub struct Sizes<'a> {
    source: &'a dyn ImageSource,
    until: Instant,
    asked: HashSet<String>,
}

impl<'a> Sizes<'a> {
    /// Asks `source`, for [`LONGEST`] from now on.
    pub fn new(source: &'a dyn ImageSource) -> Self {
        Self { source, until: Instant::now() + LONGEST, asked: HashSet::new() }
    }

    /// Adds the sizes of a layout's pictures. Those that are missing, or not known in time, are left out.
    pub async fn add(&mut self, scene: &Scene, gathering: &mut Gathering) {
        let source = self.source;
        let images = scene.image_names().map(|name| (name, name.to_owned()));
        for (asset, name) in images.chain(scene.clip_names().map(|asset| (asset, layout::clip_picture(asset)))) {
            self.ask(name, gathering, || source.size(asset)).await;
        }
        for (_, lettering) in scene.letterings() {
            self.ask(lettering.name(), gathering, || source.text_size(lettering)).await;
        }
    }

    async fn ask<'b>(&mut self, name: String, gathering: &mut Gathering, find: impl FnOnce() -> BoxFuture<'b, Size>) {
        if Instant::now() >= self.until || self.asked.contains(&name) {
            return;
        }
        if let Ok(Some(size)) = timeout_at(self.until, find()).await {
            gathering.pictures.insert(Arc::from(name.as_str()), size);
        }
        self.asked.insert(name);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use parking_lot::Mutex;
    use serde_json::json;

    use super::*;
    use crate::{
        control::room::images::partial::PartialSource,
        layout::{Canvas, Lettering},
    };

    /// Knows the size of everything, and that of a text only once it is not `slow`.
    #[derive(Default)]
    struct Asked(Mutex<Vec<String>>);

    impl PartialSource for Asked {
        fn size(&self, name: &str) -> Size {
            self.0.lock().push(name.to_owned());
            Some((64, 48))
        }

        fn text_size<'a>(&'a self, lettering: Lettering<'a>) -> BoxFuture<'a, Size> {
            let text = lettering.text.text.clone();
            self.0.lock().push(text.clone());
            Box::pin(async move {
                if text == "slow" {
                    std::future::pending::<()>().await;
                }
                Some((100, 20))
            })
        }
    }

    fn scene(sources: &[serde_json::Value]) -> Scene {
        let layers = sources.iter().enumerate().map(|(at, source)| json!({"id": format!("l{at}"), "source": source}));
        layout::read(&json!({"layers": layers.collect::<Vec<_>>()}), &Canvas::default()).unwrap()
    }

    #[tokio::test]
    async fn each_picture_is_asked_for_once_and_no_text_is_drawn() {
        let source = Asked::default();
        let (mut sizes, mut gathering) = (Sizes::new(&source), Gathering::default());
        let [logo, clip, text] = [json!({"image": "a.png"}), json!({"video": "a.mp4"}), json!({"text": "Hi"})];
        for sources in [[&logo, &text], [&text, &clip], [&clip, &logo]] {
            sizes.add(&scene(&sources.map(Clone::clone)), &mut gathering).await;
        }
        assert_eq!(*source.0.lock(), ["a.png", "Hi", "a.mp4"]);
        assert_eq!(gathering.pictures.len(), 3);
        let boxes = gathering.boxes(&scene(&[text]));
        assert_eq!((boxes[0].width, boxes[0].height, boxes[0].hidden), (100.0, 20.0, None));
    }

    #[tokio::test]
    async fn what_takes_too_long_is_left_out_with_all_behind_it() {
        let source = Asked::default();
        let (mut sizes, mut gathering) = (Sizes::new(&source), Gathering::default());
        let begun = Instant::now();
        sizes.add(&scene(&[json!({"text": "slow"}), json!({"text": "Hi"})]), &mut gathering).await;
        sizes.add(&scene(&[json!({"image": "a.png"})]), &mut gathering).await;
        assert!(begun.elapsed() >= LONGEST && gathering.pictures.is_empty());
        assert_eq!(*source.0.lock(), ["slow"]);
    }
}
