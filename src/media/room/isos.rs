//! Recordings of everybody by themselves: who is recorded, by which output, and how those outputs go.

use std::{
    collections::HashMap,
    sync::{Arc, mpsc::Sender},
    time::Duration,
};

use gstreamer as gst;
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tracing::{info, warn};

use super::Input;
use crate::media::{
    gst::{clock::media_clock, frame::Shot, launch::Launches},
    ingest::tap::{Listener, Tap},
    iso::{CutoutRecorder, News, Order, Owner, Place, Recorder, Sidecar},
    output::space,
    port::{Blame, Flow, IsoTarget, MediaEvent, OutputFault, OutputId, OutputState, PeerId, Recorded, TrackKind},
};

/// Time between two reports of what flows.
const FLOW_EVERY: Duration = Duration::from_secs(2);

/// Longest part of a file's name that comes from somebody's name.
const MOST_NAMED: usize = 32;

/// Somebody who sends, and is trusted.
pub(super) struct Source {
    pub(super) peer: PeerId,
    pub(super) owner: Owner,
    pub(super) tap: Arc<Tap>,
}

/// Hands what is heard and seen to recorders.
struct Ear {
    recorder: Recorder,
    /// If people are recorded cut out.
    cutout: Option<CutoutRecorder>,
}

impl Ear {
    fn bytes(&self) -> u64 {
        self.recorder.bytes() + self.cutout.as_ref().map_or(0, CutoutRecorder::bytes)
    }
}

impl Listener for Ear {
    fn packet(&self, kind: TrackKind, packet: &gst::Buffer, caps: &gst::Caps) {
        self.recorder.take(kind, packet, caps);
    }

    fn shot(&self, shot: &Shot) {
        if let Some(cutout) = &self.cutout {
            cutout.take(shot);
        }
    }
}

/// Somebody who is recorded.
struct Subject {
    tap: Arc<Tap>,
    ear: Arc<Ear>,
}

impl Drop for Subject {
    fn drop(&mut self) {
        let ear: Arc<dyn Listener> = self.ear.clone();
        self.tap.unlisten(&ear);
    }
}

/// An output that records everybody.
struct Session {
    id: OutputId,
    target: IsoTarget,
    stem: String,
    origin: Duration,
    sidecar: Arc<Sidecar>,
    recorded: HashMap<PeerId, Subject>,
    /// Bytes of those who are gone.
    whole: u64,
    /// Moment at which the last report said what flows, and how many bytes there were.
    told: (Duration, u64),
}

impl Session {
    fn bytes(&self) -> u64 {
        self.whole + self.recorded.values().map(|recorded| recorded.ear.bytes()).sum::<u64>()
    }

    fn stop(&mut self, peer: PeerId) {
        if let Some(recorded) = self.recorded.remove(&peer) {
            self.whole += recorded.ear.bytes();
        }
    }
}

/// See the module.
pub(super) struct Isos {
    room: Arc<str>,
    launches: Launches,
    /// Whether there is a model.
    can_cut: bool,
    events: UnboundedSender<MediaEvent>,
    inputs: Sender<Input>,
    sessions: Vec<Session>,
}

impl Isos {
    pub(super) fn new(
        room: Arc<str>,
        (launches, can_cut): (Launches, bool),
        events: UnboundedSender<MediaEvent>,
        inputs: Sender<Input>,
    ) -> Self {
        Self { room, launches, can_cut, events, inputs, sessions: Vec::new() }
    }

    fn tell(&self, output: &OutputId, state: OutputState) {
        // Fails only when the room's actor is over.
        let _ = self.events.send(MediaEvent::Output { output: output.clone(), state });
    }

    /// Records everybody from now on.
    pub(super) fn add(&mut self, id: OutputId, target: IsoTarget, sources: impl Iterator<Item = Source>) {
        let file = &target.file;
        let blind = || OutputFault::last(Blame::Operator, "the server runs without a model, so it cuts out nobody");
        let is_blind = target.cutouts && !self.can_cut;
        let checked = if is_blind { Err(blind()) } else { space::check(&file.folder, file.spare) };
        if let Err(fault) = checked {
            self.tell(&id, OutputState::Failed { fault });
            return;
        }
        let (origin, wall) = (media_clock().now(), Timestamp::now());
        let stem = format!("{}-{}", file.name, wall.strftime("%Y%m%dT%H%M%SZ"));
        let sidecar = Arc::new(Sidecar::new(self.room.clone(), file.folder.clone(), stem.clone(), wall));
        info!(room = %self.room, output = %id, stem, "everybody is recorded");
        let told = (origin, 0);
        self.tell(&id, OutputState::Live);
        self.sessions.push(Session { id, target, stem, origin, sidecar, recorded: HashMap::new(), whole: 0, told });
        let index = self.sessions.len() - 1;
        sources.for_each(|source| self.record(index, &source));
    }

    /// Ends an output; `false` when it is not one of these.
    pub(super) fn remove(&mut self, id: &OutputId) -> bool {
        let Some(index) = self.sessions.iter().position(|session| session.id == *id) else { return false };
        self.sessions.remove(index);
        self.tell(id, OutputState::Stopped);
        true
    }

    /// Returns whether somebody is to be recorded cut out.
    pub(super) fn need_cutouts(&self) -> bool {
        self.sessions.iter().any(|session| session.target.cutouts)
    }

    /// Notes that somebody sends from now on.
    pub(super) fn connected(&mut self, source: &Source) {
        (0..self.sessions.len()).for_each(|index| self.record(index, source));
    }

    /// Notes that somebody sends no more.
    pub(super) fn gone(&mut self, peer: PeerId) {
        self.sessions.iter_mut().for_each(|session| session.stop(peer));
    }

    fn record(&mut self, index: usize, source: &Source) {
        let session = &mut self.sessions[index];
        let Source { peer, owner, tap } = source;
        let (folder, spare) = (session.target.file.folder.clone(), session.target.file.spare);
        let order = Order {
            place: Place {
                folder: folder.clone(),
                stem: format!("{}-{}", session.stem, in_file_names(&owner.name)),
                origin: session.origin,
            },
            owner: owner.clone(),
            sidecar: session.sidecar.clone(),
            check: Arc::new(move || space::check(&folder, spare)),
        };
        let (inputs, id, of) = (self.inputs.clone(), session.id.clone(), *peer);
        // Fails only when the room is over.
        let tell = move |news| drop(inputs.send(Input::Iso(id.clone(), of, news)));
        let cutout = session.target.cutouts.then(|| {
            let mut order = order.clone();
            order.place.stem.push_str("-cutout");
            CutoutRecorder::start(order, self.launches.clone(), tell.clone())
        });
        let recorder = Recorder::start(order, self.launches.clone(), tell);
        match (recorder, cutout.transpose()) {
            (Ok(recorder), Ok(cutout)) => {
                let ear = Arc::new(Ear { recorder, cutout });
                tap.listen(ear.clone());
                session.recorded.insert(*peer, Subject { tap: tap.clone(), ear });
            }
            (Err(error), _) | (_, Err(error)) => {
                warn!(room = %self.room, name = %owner.name, %error, "the system gives no thread to record somebody");
            }
        }
    }

    /// Takes what a recorder says. Its output may be over.
    pub(super) fn news(&mut self, id: &OutputId, peer: PeerId, news: News) {
        let session = self.sessions.iter().position(|session| session.id == *id);
        match (news, session) {
            (News::Finished { name, bytes, length }, _) => {
                let file = Recorded { name, bytes, length };
                // Fails only when the room's actor is over.
                let _ = self.events.send(MediaEvent::Recorded { output: id.clone(), file });
            }
            (News::NeedsKeyframe, Some(index)) => {
                if let Some(recorded) = self.sessions[index].recorded.get(&peer) {
                    recorded.tap.ask_for_keyframe();
                }
            }
            (News::Failed(fault), Some(index)) => {
                warn!(room = %self.room, output = %id, error = fault.text, "the output records nobody any more");
                self.sessions.remove(index);
                self.tell(id, OutputState::Failed { fault });
            }
            (News::NeedsKeyframe | News::Failed(_), None) => {}
        }
    }

    /// Reports what flows, when it is time.
    pub(super) fn look(&mut self, now: Duration) {
        for session in &mut self.sessions {
            let passed = now.saturating_sub(session.told.0);
            if passed < FLOW_EVERY {
                continue;
            }
            let bytes = session.bytes();
            let bits = bytes.saturating_sub(session.told.1) as f64 * 8.0 / passed.as_secs_f64();
            session.told = (now, bytes);
            let flow = Flow { bits_per_second: bits as u64, bytes, behind: false, speed: None };
            // As above.
            let _ = self.events.send(MediaEvent::OutputFlow { output: session.id.clone(), flow });
        }
    }

    /// Ends all files: the room is over.
    pub(super) fn clear(&mut self) {
        self.sessions.clear();
    }
}

/// Makes a name part of a file's name.
fn in_file_names(name: &str) -> String {
    let plain = |sign: char| if sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_') { sign } else { '_' };
    name.chars().take(MOST_NAMED).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_are_no_paths() {
        assert_eq!(in_file_names("Ann-2"), "Ann-2");
        assert_eq!(in_file_names("../etc/é."), "___etc___");
        assert_eq!(in_file_names(&"x".repeat(100)).len(), MOST_NAMED);
    }
}
