//! Bots as guests of a room.

#![allow(dead_code)]

use std::sync::Arc;

use tokio::{sync::watch, task::JoinHandle, time::timeout};
use virfie::bot::{
    participant::{Bot, End},
    session::Invitation,
    source::Source,
    tally::Tally,
};

use super::{
    recorder::{Attention, Recorder},
    server::{PATIENCE, ROOM, Server},
    studio::{launches, network},
};

/// A bot in the room. Dropping it kills it without a word.
pub struct Guest {
    pub recorder: Arc<Recorder>,
    pub tally: Arc<Tally>,
    state: watch::Receiver<&'static str>,
    task: JoinHandle<End>,
}

/// Creates an invitation of a server for a participant with this name, these codecs and no token.
pub fn invitation(server: &Server, name: &str, source: Option<&Source>, receive: &str) -> Invitation {
    Invitation {
        server: server.base(),
        room: ROOM.to_owned(),
        name: name.to_owned(),
        token: None,
        resume: None,
        send: source.map_or_else(|| "vp8".to_owned(), |source| source.codec().to_string()),
        receive: receive.to_owned(),
    }
}

impl Guest {
    /// Joins, and waits until media flows. Receives H.264.
    pub async fn join(server: &Server, name: &str, source: Option<&Arc<Source>>, attention: Attention) -> Self {
        Self::join_in(server, name, source, attention, "h264").await
    }

    pub async fn join_in(
        server: &Server,
        name: &str,
        source: Option<&Arc<Source>>,
        attention: Attention,
        receive: &str,
    ) -> Self {
        let mut guest = Self::begin(server, name, source, attention, receive);
        guest.connected().await;
        guest
    }

    /// Begins to join.
    pub fn begin(
        server: &Server,
        name: &str,
        source: Option<&Arc<Source>>,
        attention: Attention,
        receive: &str,
    ) -> Self {
        let (recorder, tally) = (Arc::<Recorder>::default(), Arc::<Tally>::default());
        let bot = Bot {
            invitation: invitation(server, name, source.map(|source| &**source), receive),
            source: source.cloned(),
            network: network(),
            launches: launches(),
            tally: tally.clone(),
            hook: (attention != Attention::Nothing).then(|| recorder.hook(attention)),
            stop: None,
        };
        let (tell, state) = watch::channel("new");
        let task = tokio::spawn(bot.stay(move |now| {
            // The guest may be gone already.
            let _ = tell.send(now);
        }));
        Self { recorder, tally, state, task }
    }

    /// Waits until media flows.
    pub async fn connected(&mut self) {
        let flows = timeout(PATIENCE, self.state.wait_for(|state| *state == "connected")).await;
        assert!(matches!(flows, Ok(Ok(_))), "the guest connects");
    }

    /// Goes at once, as a crashed program is: no message, no goodbye.
    pub fn vanish(self) {
        drop(self);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.task.abort();
    }
}
