//! A tap on a peer, for those who keep its media: encoded frames and Opus packets as they came, behind their
//! depayloaders, and the pictures that were decoded and segmented.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::ArcSwap;
use gstreamer::{self as gst, glib, prelude::*};
use gstreamer_video as gst_video;
use parking_lot::Mutex;

use crate::media::{gst::frame::Shot, port::TrackKind};

/// Gets what comes. Called on streaming threads of the peer's pipeline; must not block.
pub trait Listener: Send + Sync + 'static {
    /// Takes a frame or a packet, with running time as PTS, and its caps.
    fn packet(&self, kind: TrackKind, packet: &gst::Buffer, caps: &gst::Caps);
    /// Takes a decoded frame, with running time as PTS.
    fn shot(&self, shot: &Shot);
}

/// The place where listeners hear a peer.
pub struct Tap {
    /// Nothing is heard of a peer before it is trusted.
    trusted: Arc<AtomicBool>,
    listeners: ArcSwap<Vec<Arc<dyn Listener>>>,
    /// Behind the depayloader of the picture.
    picture: Mutex<Option<glib::WeakRef<gst::Pad>>>,
}

impl std::fmt::Debug for Tap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tap")
    }
}

impl Tap {
    /// Makes one that nobody listens at.
    pub fn new(trusted: Arc<AtomicBool>) -> Self {
        Self { trusted, listeners: ArcSwap::default(), picture: Mutex::default() }
    }

    /// Hears a track behind its depayloader. An operator's launch text without one cannot be heard.
    pub fn attach(self: &Arc<Self>, kind: TrackKind, bin: &gst::Bin) {
        let Some(pad) = bin.by_name("depay").and_then(|depay| depay.static_pad("src")) else { return };
        if kind == TrackKind::Video {
            *self.picture.lock() = Some(pad.downgrade());
        }
        let tap = Arc::downgrade(self);
        pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |pad, info| {
            if let Some(tap) = tap.upgrade() {
                match &info.data {
                    Some(gst::PadProbeData::Buffer(packet)) => tap.hear(kind, packet, pad),
                    Some(gst::PadProbeData::BufferList(packets)) => {
                        packets.iter_owned().for_each(|packet| tap.hear(kind, &packet, pad));
                    }
                    _ => {}
                }
            }
            gst::PadProbeReturn::Ok
        });
    }

    fn hear(&self, kind: TrackKind, packet: &gst::Buffer, pad: &gst::Pad) {
        let listeners = self.listeners.load();
        if listeners.is_empty() || !self.trusted.load(Ordering::Acquire) {
            return;
        }
        let Some(caps) = pad.current_caps() else { return };
        listeners.iter().for_each(|listener| listener.packet(kind, packet, &caps));
    }

    /// Lets those who listen have a decoded frame of a peer that is trusted.
    pub fn show(&self, shot: &Shot) {
        self.listeners.load().iter().for_each(|listener| listener.shot(shot));
    }

    /// Lets somebody listen from now on.
    pub fn listen(&self, listener: Arc<dyn Listener>) {
        self.listeners.rcu(|listeners| {
            let mut listeners = Vec::clone(listeners);
            listeners.push(listener.clone());
            listeners
        });
    }

    /// Lets somebody hear no more.
    pub fn unlisten(&self, listener: &Arc<dyn Listener>) {
        self.listeners.rcu(|listeners| {
            let others = listeners.iter().filter(|other| !Arc::ptr_eq(other, listener));
            others.cloned().collect::<Vec<_>>()
        });
    }

    /// Asks the peer for a keyframe.
    pub fn ask_for_keyframe(&self) {
        let pad = self.picture.lock().as_ref().and_then(glib::WeakRef::upgrade);
        if let Some(pad) = pad {
            pad.send_event(gst_video::UpstreamForceKeyUnitEvent::builder().all_headers(true).build());
        }
    }
}
