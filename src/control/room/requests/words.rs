//! The drawing of what texts show, beside the scenes and sounds that the room asks for: a slow font holds up neither.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tokio::sync::mpsc;

use super::handle::RoomHandle;
use crate::{
    control::room::{
        actor::now,
        images::{self, Gathered, NotNow, Redrawn},
        state::Words,
    },
    layout::Fault,
    media::port::AuxId,
};

impl RoomHandle {
    /// Draws the texts of the pictures that the room asks for, until it ends: one picture after the other, so that each is
    /// counted with what the others have become.
    pub(in crate::control::room) async fn run_words(self, mut wanted: mpsc::UnboundedReceiver<Option<AuxId>>) {
        while let Some(aux) = wanted.recv().await {
            self.draw(aux).await;
        }
    }

    /// Draws the texts of a picture, and always reports back.
    async fn draw(&self, aux: Option<AuxId>) {
        let drawn = AssertUnwindSafe(self.draw_words(aux.as_ref())).catch_unwind().await;
        if drawn.is_err() {
            tracing::error!(room = %self.name(), "texts are not drawn: a fault in the program");
        }
        if !drawn.unwrap_or(false) {
            // An error only says that the room has ended.
            drop(self.call(move |room| room.state.miss_words(aux.as_ref(), now())).await);
        }
    }

    /// Draws what texts should say now, and shows it; whether that was possible.
    async fn draw_words(&self, aux: Option<&AuxId>) -> bool {
        let asked = aux.cloned();
        let wanted = self.call(move |room| room.state.wanted_words(asked.as_ref(), now())).await;
        let Ok(Some(Words { of, filled, texts, others, beside })) = wanted else { return false };
        let redrawn = Redrawn { scene: &of, filled: &filled, known: texts, others, beside: &beside };
        let Gathered { images: texts, faults, not_now, .. } = images::redraw(&*self.images, redrawn).await;
        let is_whole = not_now.is_none();
        self.warn(aux, faults, not_now);
        if is_whole {
            let (aux, words) = (aux.cloned(), Words { of, filled, texts, others, beside });
            // As above.
            drop(self.call(move |room| room.state.set_words(aux.as_ref(), words, now())).await);
        }
        is_whole
    }

    /// Says in the log what of a picture is not shown, unless it was so before.
    pub(super) fn warn(&self, aux: Option<&AuxId>, faults: Vec<Fault>, not_now: Option<NotNow>) {
        let faults = faults.into_iter().map(|Fault { pointer, detail }| (pointer, detail));
        let news = faults.chain(not_now.map(|NotNow(why)| (String::new(), why))).collect();
        for (place, detail) in self.warned.news(aux, news) {
            tracing::warn!(room = %self.name(), place, "{detail}");
        }
    }
}
