//! The newest finished frame of every participant.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::media::{
    gst::frame::Shot,
    port::{ParticipantId, PeerId, Pose},
};

/// One participant's picture.
#[derive(Debug, Clone)]
pub struct Slot {
    /// The connection whose frames count.
    peer: PeerId,
    /// The newest frame, with its mask if it has one.
    shot: Option<Arc<Shot>>,
    /// When it came, on the media clock.
    arrived: Duration,
    /// Frames since the connection began.
    count: u64,
}

/// What a new frame changed, for the room's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// As before.
    Same,
    /// The first frame since nothing was shown, or one of another size (width, height in pixels).
    Started(u32, u32),
    /// Not the connection that counts: the frame is dropped.
    Stale,
}

/// All slots of a room. Locks are held for a few instructions only.
#[derive(Debug, Default)]
pub struct Slots {
    slots: Mutex<HashMap<ParticipantId, Slot>>,
}

impl Slots {
    fn lock(&self) -> MutexGuard<'_, HashMap<ParticipantId, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on `peer`'s frames are the participant's; the last frame of an older connection stays meanwhile.
    pub fn assign(&self, participant: &ParticipantId, peer: PeerId) {
        let mut slots = self.lock();
        match slots.get_mut(participant) {
            Some(slot) => {
                slot.peer = peer;
                slot.count = 0;
            }
            None => {
                let slot = Slot { peer, shot: None, arrived: Duration::ZERO, count: 0 };
                slots.insert(participant.clone(), slot);
            }
        }
    }

    /// Takes a frame; the one before it is dropped.
    pub fn put(&self, participant: &ParticipantId, peer: PeerId, shot: Shot, now: Duration) -> Arrival {
        let size = shot.size();
        let old;
        let arrival = {
            let mut slots = self.lock();
            let Some(slot) = slots.get_mut(participant).filter(|slot| slot.peer == peer) else { return Arrival::Stale };
            let same = slot.count > 0 && slot.shot.as_ref().is_some_and(|last| last.size() == size);
            old = slot.shot.replace(Arc::new(shot));
            slot.arrived = now;
            slot.count += 1;
            if same { Arrival::Same } else { Arrival::Started(size.0, size.1) }
        };
        // Unmapped outside the lock: the decoder's pool may have work to do.
        drop(old);
        arrival
    }

    /// The participant's frame, unless it is older than `hold`.
    pub fn get(&self, participant: &ParticipantId, now: Duration, hold: Duration) -> Option<Arc<Shot>> {
        let slots = self.lock();
        let slot = slots.get(participant)?;
        slot.shot.clone().filter(|_| now.saturating_sub(slot.arrived) <= hold)
    }

    /// Drops frames older than `hold` and names their owners.
    pub fn expire(&self, now: Duration, hold: Duration) -> Vec<ParticipantId> {
        let mut gone = Vec::new();
        let mut shots = Vec::new();
        for (participant, slot) in self.lock().iter_mut() {
            if slot.shot.is_some() && now.saturating_sub(slot.arrived) > hold {
                shots.push(slot.shot.take());
                slot.count = 0;
                gone.push(participant.clone());
            }
        }
        gone
    }

    /// The poses found in everybody's newest frame, and how old that frame is. Those in whose frames nobody looked for
    /// poses are left out.
    pub fn poses(&self, now: Duration) -> Vec<(ParticipantId, Duration, Arc<[Pose]>)> {
        let slots = self.lock();
        let told = slots.iter().filter_map(|(participant, slot)| {
            let poses = slot.shot.as_ref()?.found.as_ref()?.poses.clone()?;
            Some((participant.clone(), now.saturating_sub(slot.arrived), poses))
        });
        told.collect()
    }

    /// Forgets a participant.
    pub fn forget(&self, participant: &ParticipantId) {
        let slot = self.lock().remove(participant);
        drop(slot);
    }
}
