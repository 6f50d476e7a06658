//! Units and packets to the `appsrc`s of the bots' peers.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use gstreamer as gst;
use gstreamer_app::AppSrc;
use parking_lot::Mutex;

use super::gate::{Gate, Pass};
use crate::media::{
    gst::{clock::clock_time, handoff},
    port::PeerId,
};

/// One peer's end of an encoding.
#[derive(Debug)]
struct Receiver {
    peer: PeerId,
    src: AppSrc,
    gate: Mutex<Gate>,
}

/// Everybody who receives one encoding of the video.
#[derive(Debug, Default)]
pub struct Receivers {
    list: ArcSwap<Vec<Arc<Receiver>>>,
}

impl Receivers {
    /// Adds a peer; it gets nothing before the next keyframe, which the caller should ask for.
    pub fn add(&self, peer: PeerId, src: AppSrc) {
        let receiver = Arc::new(Receiver { peer, src, gate: Mutex::new(Gate::default()) });
        self.list.rcu(|list| {
            let mut list = Vec::clone(list);
            list.push(receiver.clone());
            list
        });
    }

    /// Removes a peer; `true` when it was there.
    pub fn remove(&self, peer: PeerId) -> bool {
        let before =
            self.list.rcu(|list| list.iter().filter(|receiver| receiver.peer != peer).cloned().collect::<Vec<_>>());
        before.iter().any(|receiver| receiver.peer == peer)
    }

    /// Returns whether nobody receives.
    pub fn is_empty(&self) -> bool {
        self.list.load().is_empty()
    }

    /// Sends a unit to all. Returns whether somebody needs a keyframe to go on.
    pub fn send(&self, unit: &gst::Buffer) -> bool {
        let keyframe = !unit.flags().contains(gst::BufferFlags::DELTA_UNIT);
        let mut wanted = false;
        for receiver in self.list.load().iter() {
            let queued = handoff::queued(&receiver.src);
            let pass = receiver.gate.lock().offer(keyframe, queued);
            match pass {
                // Fails only while the peer goes down; its owner knows.
                Pass::Send => drop(receiver.src.push_buffer(unit.clone())),
                Pass::Drop => {}
                Pass::DropAndRequestKeyframe => wanted = true,
            }
        }
        wanted
    }
}

/// Opus packets that may wait for one listener: sound that is later than this is of no use.
const AUDIO_BACKLOG: Duration = Duration::from_millis(300);

/// Everybody who gets the sound: all get the same.
#[derive(Debug, Default)]
pub struct Listeners {
    list: ArcSwap<Vec<(PeerId, AppSrc)>>,
}

impl Listeners {
    /// Adds a peer.
    pub fn add(&self, peer: PeerId, src: AppSrc) {
        self.list.rcu(|list| {
            let mut list = Vec::clone(list);
            list.push((peer, src.clone()));
            list
        });
    }

    /// Removes a peer.
    pub fn remove(&self, peer: PeerId) {
        self.list.rcu(|list| list.iter().filter(|(known, _)| *known != peer).cloned().collect::<Vec<_>>());
    }

    /// Sends an Opus packet of 20 ms to all, except where too many wait.
    pub fn send(&self, packet: &[u8], pts: Duration) {
        let list = self.list.load();
        if list.is_empty() {
            return;
        }
        let mut buffer = gst::Buffer::from_slice(packet.to_vec());
        if let Some(inside) = buffer.get_mut() {
            inside.set_pts(clock_time(pts));
            inside.set_dts(clock_time(pts));
            inside.set_duration(gst::ClockTime::from_mseconds(20));
        }
        for (_, src) in list.iter() {
            if handoff::queued(src) <= AUDIO_BACKLOG {
                // Fails only while the peer goes down; its owner knows.
                let _ = src.push_buffer(buffer.clone());
            }
        }
    }
}
