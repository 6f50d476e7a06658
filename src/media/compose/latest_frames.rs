//! The newest finished frame of every participant.
//!
//! Those who read, the room's clock first of all, never wait for those who write: these run on threads with little
//! time, which may be put aside while they hold a lock.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;

use crate::media::{
    gst::frame::Shot,
    port::{ParticipantId, PeerId, Pose},
};

/// A frame, with its mask if it has one, and when it came, on the media clock.
#[derive(Debug)]
struct Newest {
    shot: Arc<Shot>,
    arrived: Duration,
    shown: AtomicBool,
}

/// The place of a participant's newest frame.
type Place = Arc<Kept>;

#[derive(Debug, Default)]
struct Kept {
    newest: ArcSwapOption<Newest>,
    /// Until when it is shown, however old it is; in nanoseconds of the media clock.
    until: AtomicU64,
    /// The mean time from a frame's capture to the PTS of the picture that shows it first, in nanoseconds; 0: unknown.
    seen_after: AtomicU64,
}

/// The weight of one frame in that mean: that of about a second.
const WEIGHT: u64 = 32;

/// A time that is off the mean by more than this is a change, not jitter.
const CHANGE: Duration = Duration::from_millis(200);

impl Kept {
    /// Takes how long after its capture a frame was shown, in nanoseconds.
    fn seen_after(&self, after: u64) {
        let mean = self.seen_after.load(Ordering::Relaxed);
        let is_change = mean == 0 || after.abs_diff(mean) > CHANGE.as_nanos() as u64;
        let next = if is_change { after } else { mean - mean / WEIGHT + after / WEIGHT };
        self.seen_after.store(next, Ordering::Relaxed);
    }

    /// Returns whether the newest frame is no more to be shown.
    fn is_old(&self, newest: &Newest, now: Duration, hold: Duration) -> bool {
        let kept = Duration::from_nanos(self.until.load(Ordering::Relaxed));
        now.saturating_sub(newest.arrived) > hold && now > kept
    }
}

/// The facts that writers know of a participant.
#[derive(Debug)]
struct Source {
    /// The connection whose frames count.
    peer: PeerId,
    /// Frames since the connection began.
    count: u64,
    place: Place,
}

/// The changes by a new frame, for the room's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// As before.
    Same,
    /// The first frame since nothing was shown, or one of another size (width, height in pixels).
    Started(u32, u32),
    /// Not the connection that counts: the frame is dropped.
    Stale,
}

/// All slots of a room.
#[derive(Debug, Default)]
pub struct LatestFrames {
    sources: Mutex<HashMap<ParticipantId, Source>>,
    /// The places of `sources`, for those who read.
    places: ArcSwap<HashMap<ParticipantId, Place>>,
}

impl LatestFrames {
    fn publish(&self, sources: &HashMap<ParticipantId, Source>) {
        let places = sources.iter().map(|(participant, source)| (participant.clone(), source.place.clone()));
        self.places.store(Arc::new(places.collect()));
    }

    /// Makes `peer`'s frames the participant's from now on; the last frame of an older connection stays meanwhile.
    pub fn assign(&self, participant: &ParticipantId, peer: PeerId) {
        let mut sources = self.sources.lock();
        match sources.get_mut(participant) {
            Some(source) => {
                source.peer = peer;
                source.count = 0;
            }
            None => {
                sources.insert(participant.clone(), Source { peer, count: 0, place: Place::default() });
                self.publish(&sources);
            }
        }
    }

    /// Takes a frame; the one before it is dropped.
    pub fn put(&self, participant: &ParticipantId, peer: PeerId, shot: Shot, now: Duration) -> Arrival {
        let size = shot.size();
        let newest = Some(Arc::new(Newest { shot: Arc::new(shot), arrived: now, shown: AtomicBool::new(false) }));
        let old;
        let arrival = {
            let mut sources = self.sources.lock();
            let Some(source) = sources.get_mut(participant).filter(|source| source.peer == peer) else {
                return Arrival::Stale;
            };
            old = source.place.newest.swap(newest);
            let same = source.count > 0 && old.as_ref().is_some_and(|old| old.shot.size() == size);
            source.count += 1;
            if same { Arrival::Same } else { Arrival::Started(size.0, size.1) }
        };
        // Unmapped outside the lock: the decoder's pool may have work to do.
        drop(old);
        arrival
    }

    /// Keeps a frame of this connection shown until this time, however old it is: its sender is there, and only sends
    /// no new one.
    pub fn keep(&self, participant: &ParticipantId, peer: PeerId, until: Duration) {
        let sources = self.sources.lock();
        if let Some(source) = sources.get(participant).filter(|source| source.peer == peer && source.count > 0) {
            let until = u64::try_from(until.as_nanos()).unwrap_or(u64::MAX);
            source.place.until.store(until, Ordering::Relaxed);
        }
    }

    /// Returns the participant's frame, unless it is older than `hold` and not kept.
    pub fn get(&self, participant: &ParticipantId, now: Duration, hold: Duration) -> Option<Arc<Shot>> {
        let places = self.places.load();
        let place = places.get(participant)?;
        let newest = place.newest.load_full()?;
        (!place.is_old(&newest, now, hold)).then(|| newest.shot.clone())
    }

    /// Writes into `waits` how long each newest frame has waited since it came.
    pub fn waits(&self, now: Duration, waits: &mut Vec<Duration>) {
        waits.clear();
        let places = self.places.load();
        let arrived = places.values().filter_map(|place| place.newest.load().as_ref().map(|newest| newest.arrived));
        waits.extend(arrived.map(|arrived| now.saturating_sub(arrived)));
    }

    /// Notes that everybody's newest frame is shown by the picture of this PTS.
    pub fn shown(&self, pts: Duration) {
        for place in self.places.load().values() {
            let newest = place.newest.load();
            let Some(newest) = newest.as_ref().filter(|newest| !newest.shown.swap(true, Ordering::Relaxed)) else {
                continue;
            };
            let Some(captured) = newest.shot.frame.buffer().pts() else { continue };
            let after = pts.saturating_sub(captured.into()).as_nanos();
            place.seen_after(u64::try_from(after).unwrap_or(u64::MAX).max(1));
        }
    }

    /// Returns how long after its capture a frame of this participant is shown, on the average; `None` before the first
    /// one.
    pub fn seen_after(&self, participant: &ParticipantId) -> Option<Duration> {
        let places = self.places.load();
        let place = places.get(participant).filter(|place| place.newest.load().is_some())?;
        let after = place.seen_after.load(Ordering::Relaxed);
        (after > 0).then(|| Duration::from_nanos(after))
    }

    /// Drops frames older than `hold` that are not kept, and names their owners.
    pub fn expire(&self, now: Duration, hold: Duration) -> Vec<ParticipantId> {
        let is_old = |place: &Place| {
            let newest = place.newest.load();
            newest.as_ref().is_some_and(|newest| place.is_old(newest, now, hold))
        };
        if !self.places.load().values().any(is_old) {
            return Vec::new();
        }
        let mut gone = Vec::new();
        let mut shots = Vec::new();
        for (participant, source) in self.sources.lock().iter_mut() {
            // Looked at once more: a frame may have come meanwhile.
            if is_old(&source.place) {
                shots.push(source.place.newest.swap(None));
                source.count = 0;
                gone.push(participant.clone());
            }
        }
        gone
    }

    /// Returns the poses found in everybody's newest frame, and how old that frame is. Those in whose frames nobody
    /// looked for poses are left out.
    pub fn poses(&self, now: Duration) -> Vec<(ParticipantId, Duration, Arc<[Pose]>)> {
        let places = self.places.load();
        let told = places.iter().filter_map(|(participant, place)| {
            let newest = place.newest.load_full()?;
            let poses = newest.shot.found.as_ref()?.poses.clone()?;
            Some((participant.clone(), now.saturating_sub(newest.arrived), poses))
        });
        told.collect()
    }

    /// Forgets a participant.
    pub fn forget(&self, participant: &ParticipantId) {
        let mut sources = self.sources.lock();
        let gone = sources.remove(participant);
        if gone.is_some() {
            self.publish(&sources);
        }
        drop(sources);
        drop(gone);
    }
}
