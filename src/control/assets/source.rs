//! The store as rooms ask it for pictures and sounds. The log says why something cannot be used.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{AssetError, AssetStore};
use crate::{
    control::room::{ImageSource, NoText, NotNow, RoomName},
    layout::{Lettering, Text},
    media::port::{Image, Sound},
};

impl ImageSource for AssetStore {
    fn of_room(&self, room: &RoomName) -> Arc<dyn ImageSource> {
        Arc::new(Self::of_room(self, room))
    }

    fn decode_for(&self, holder: Option<String>) {
        *self.holder.lock() = holder.map(Into::into);
    }

    fn image<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Image>, NotNow>> {
        Box::pin(async move { found(name, AssetStore::image(self, name).await, "an image cannot be used") })
    }

    fn size<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Option<(u32, u32)>> {
        Box::pin(async move { self.about(name).await.ok()?.size })
    }

    fn clip<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Image>, NotNow>> {
        Box::pin(async move { found(name, AssetStore::clip(self, name).await, "a clip cannot be used") })
    }

    fn sound<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Option<Arc<Sound>>> {
        Box::pin(async move {
            match AssetStore::sound(self, name).await {
                Ok(sound) => Some(sound),
                Err(AssetError::NotFound | AssetError::BadName) => None,
                Err(error) => {
                    tracing::warn!(asset = name, %error, "a sound cannot be used");
                    None
                }
            }
        })
    }

    fn has_sound<'a>(&'a self, name: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(AssetStore::has_sound(self, name))
    }

    fn text<'a>(&'a self, lettering: Lettering<'a>) -> BoxFuture<'a, Result<Image, NoText>> {
        Box::pin(AssetStore::text(self, lettering))
    }

    fn passing_text<'a>(&'a self, lettering: Lettering<'a>) -> BoxFuture<'a, Result<Image, NoText>> {
        Box::pin(AssetStore::passing_text(self, lettering))
    }

    fn redrawn_text<'a>(&'a self, lettering: Lettering<'a>) -> BoxFuture<'a, Result<Image, NoText>> {
        Box::pin(AssetStore::redrawn_text(self, lettering))
    }

    fn text_size<'a>(&'a self, lettering: Lettering<'a>) -> BoxFuture<'a, Option<(u32, u32)>> {
        Box::pin(AssetStore::text_size(self, lettering))
    }

    fn lacking<'a>(&'a self, text: &'a Text) -> BoxFuture<'a, String> {
        Box::pin(AssetStore::lacking(self, text))
    }
}

/// Returns what was found under a name. The log says `why` there is nothing where there is a file.
fn found(name: &str, asked: Result<Image, AssetError>, why: &'static str) -> Result<Option<Image>, NotNow> {
    match asked {
        Ok(image) => Ok(Some(image)),
        Err(AssetError::NotFound | AssetError::BadName) => Ok(None),
        Err(error) if error.passes() => Err(NotNow(format!("asset {name:?}: {error}"))),
        Err(error) => {
            tracing::warn!(asset = name, %error, "{why}");
            Ok(None)
        }
    }
}
