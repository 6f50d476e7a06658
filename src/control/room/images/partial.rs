//! Sources of images for tests, which know a part of what rooms ask for.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{ImageSource, NoText, NotNow};
use crate::{
    control::room::RoomName,
    layout::{Lettering, Text},
    media::port::{Image, Sound},
};

/// A source that knows what it implements. A test that asks it for anything else fails.
pub trait PartialSource: Send + Sync + 'static {
    /// See [`ImageSource::size`].
    fn size(&self, _: &str) -> Option<(u32, u32)> {
        unreachable!("this source knows no sizes")
    }

    /// See [`ImageSource::text`].
    fn text(&self, _: &Lettering<'_>) -> Result<Image, NoText> {
        unreachable!("this source draws nothing")
    }

    /// See [`ImageSource::text_size`].
    fn text_size<'a>(&'a self, _: Lettering<'a>) -> BoxFuture<'a, Option<(u32, u32)>> {
        unreachable!("this source measures nothing")
    }
}

impl<P: PartialSource> ImageSource for P {
    fn of_room(&self, _: &RoomName) -> Arc<dyn ImageSource> {
        unreachable!("this source is of no room")
    }

    fn image<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<Image>, NotNow>> {
        unreachable!("this source has no images")
    }

    fn size<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Option<(u32, u32)>> {
        let size = PartialSource::size(self, name);
        Box::pin(async move { size })
    }

    fn clip<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<Image>, NotNow>> {
        unreachable!("this source has no clips")
    }

    fn sound<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Option<Arc<Sound>>> {
        unreachable!("this source has no sounds")
    }

    fn has_sound<'a>(&'a self, _: &'a str) -> BoxFuture<'a, bool> {
        unreachable!("this source has no sounds")
    }

    fn text<'a>(&'a self, lettering: Lettering<'a>) -> BoxFuture<'a, Result<Image, NoText>> {
        let drawn = PartialSource::text(self, &lettering);
        Box::pin(async { drawn })
    }

    fn passing_text<'a>(&'a self, lettering: Lettering<'a>) -> BoxFuture<'a, Result<Image, NoText>> {
        ImageSource::text(self, lettering)
    }

    fn text_size<'a>(&'a self, lettering: Lettering<'a>) -> BoxFuture<'a, Option<(u32, u32)>> {
        PartialSource::text_size(self, lettering)
    }

    fn lacking<'a>(&'a self, _: &'a Text) -> BoxFuture<'a, String> {
        unreachable!("this source has no fonts")
    }
}
