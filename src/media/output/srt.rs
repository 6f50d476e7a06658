//! SRT: MPEG-TS with H.264 and AAC, to a receiver that is called, or to all who call.

use std::{
    net::UdpSocket,
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use parking_lot::Mutex;

use super::{
    Begun, Destination, Kind, Opening, PATIENCE, counted,
    hosts::{self, LOOKUP},
    muxed, sink,
    trial::Steps,
};
use crate::media::{
    gst::{
        handoff,
        launch::Launches,
        pipeline::{BusNews, OwnedPipeline},
        priority::Role,
    },
    port::{Blame, OutputFault, SrtAddress},
};

/// See the module.
#[derive(Debug)]
pub(super) struct Srt {
    address: SrtAddress,
    losses: Mutex<Losses>,
}

/// Time between two looks at how much was lost.
const LOOK: Duration = Duration::from_secs(2);

/// Of so many bytes one may be given up, and the line still carries what is sent. SRT gives up what has not come in
/// time, however often it was sent again.
const ONE_OF: u64 = 20;

/// The packets that were not sent in time.
#[derive(Debug)]
struct Losses {
    looked: Instant,
    /// Bytes sent, and given up, when it was looked last.
    counted: (u64, u64),
    too_many: bool,
}

impl Losses {
    fn new(now: Instant) -> Self {
        Self { looked: now, counted: (0, 0), too_many: false }
    }

    /// Takes how many bytes were sent and given up so far, and says whether too many are given up.
    fn too_many(&mut self, now: Instant, counts: impl FnOnce() -> (u64, u64)) -> bool {
        if now.saturating_duration_since(self.looked) >= LOOK {
            let (sent, given_up) = counts();
            // A receiver that calls again is counted from zero.
            let since = |now: u64, before: u64| now.checked_sub(before).unwrap_or(now);
            let (sent_now, given_up_now) = (since(sent, self.counted.0), since(given_up, self.counted.1));
            self.too_many = given_up_now * ONE_OF > sent_now;
            (self.looked, self.counted) = (now, (sent, given_up));
        }
        self.too_many
    }
}

/// An empty packet of MPEG-TS.
const EMPTY: [u8; 188] = {
    let mut packet = [0xFF; 188];
    (packet[0], packet[1], packet[2], packet[3]) = (0x47, 0x1F, 0xFF, 0x10);
    packet
};

/// Time between two packets to a receiver that is tried.
const BEAT: Duration = Duration::from_millis(50);

impl Srt {
    pub(super) fn new(address: SrtAddress) -> Self {
        Self { address, losses: Mutex::new(Losses::new(Instant::now())) }
    }

    /// Waits until the receiver takes something, or says no.
    fn call(&self, launches: &Launches, left: Duration) -> Result<(), OutputFault> {
        let until = Instant::now() + left;
        let owned = OwnedPipeline::new("output-trial").works_as(Role::Deliver);
        let (said, heard) = channel();
        owned.on_bus(move |news| {
            if let BusNews::Error { text, .. } = news {
                // The trial may be over.
                let _ = said.send(OutputFault::new(Blame::Destination, text));
            }
        });
        owned.stage(launches, "try-srt")?;
        let packets: AppSrc = owned.element("packets")?;
        self.prepare(&owned, 1)?;
        handoff::configure(&packets, &gst::Caps::builder("video/mpegts").field("systemstream", true).build());
        // What it fails with is heard.
        let _ = owned.play();
        while Instant::now() < until {
            // Fails only when the sink has failed.
            let _ = packets.push_buffer(gst::Buffer::from_slice(EMPTY));
            if let Ok(fault) = heard.recv_timeout(BEAT) {
                return Err(fault);
            }
            if self.written(&owned) > 0 {
                return Ok(());
            }
        }
        Err(OutputFault::new(Blame::Destination, "it does not answer in time"))
    }
}

impl Kind for Srt {
    fn redact(&self, text: &str) -> String {
        self.address.redact(text)
    }

    /// Calls the receiver with packets that every demultiplexer leaves out.
    fn try_out(&self, steps: &mut Steps, launches: &Launches) -> Result<(), OutputFault> {
        let SrtAddress { port, internal, .. } = self.address;
        let Some(host) = &self.address.host else {
            let taken = |error: std::io::Error| OutputFault::new(Blame::Operator, error.to_string());
            return steps.take("port", |_| UdpSocket::bind(("0.0.0.0", port)).map_err(taken)).map(drop);
        };
        steps.take("lookup", |left| hosts::find(host, port, internal, left))?;
        steps.take("handshake", |left| self.call(launches, left))
    }

    fn patience(&self) -> Option<Duration> {
        self.address.host.is_some().then_some(PATIENCE)
    }

    fn begin(&self, opening: Opening<'_>) -> Result<Begun<'_>, OutputFault> {
        muxed::begin(self, opening)
    }
}

impl Destination for Srt {
    fn stage(&self) -> &'static str {
        "output-srt"
    }

    fn prepare(&self, pipeline: &OwnedPipeline, _part: u32) -> Result<(), OutputFault> {
        let sink = sink(pipeline)?;
        let SrtAddress { host, port, latency, passphrase, key_length, stream, internal } = &self.address;
        // Names mean nothing to SRT: what was looked at is what is called.
        let found = host.as_ref().map(|host| hosts::find(host, *port, *internal, LOOKUP)).transpose()?;
        let uri = match found.iter().flatten().next() {
            Some(address) => format!("srt://{address}"),
            None => format!("srt://:{port}"),
        };
        sink.set_property("uri", uri);
        sink.set_property_from_str("mode", if host.is_some() { "caller" } else { "listener" });
        sink.set_property("latency", i32::try_from(*latency).unwrap_or(i32::MAX));
        if let Some(passphrase) = passphrase {
            sink.set_property("passphrase", passphrase);
            sink.set_property_from_str("pbkeylen", &key_length.to_string());
        }
        if let Some(stream) = stream {
            sink.set_property("streamid", stream);
        }
        Ok(())
    }

    fn written(&self, pipeline: &OwnedPipeline) -> u64 {
        // What was given up has not left.
        counted(pipeline, "bytes-sent-total").saturating_sub(counted(pipeline, "bytes-sent-dropped"))
    }

    fn accepted_from(&self) -> u64 {
        1
    }

    fn is_behind(&self, pipeline: &OwnedPipeline) -> bool {
        let mut losses = self.losses.lock();
        losses.too_many(Instant::now(), || bytes(pipeline))
    }
}

/// Counts the bytes that were sent to all receivers, and those that were given up.
fn bytes(pipeline: &OwnedPipeline) -> (u64, u64) {
    let stats = sink(pipeline).ok().and_then(|sink| sink.property::<Option<gst::Structure>>("stats"));
    let Some(stats) = stats else { return (0, 0) };
    let of = |stats: &gst::StructureRef| {
        (stats.get("bytes-sent").unwrap_or(0), stats.get("bytes-sent-dropped").unwrap_or(0))
    };
    // Those who called are listed, each by itself.
    let callers = stats.get::<gst::glib::ValueArray>("callers").ok();
    let all = callers.iter().flat_map(|callers| callers.iter()).filter_map(|value| value.get::<gst::Structure>().ok());
    all.map(|caller| of(&caller)).fold(of(&stats), |(sent, given_up), (more, worse)| (sent + more, given_up + worse))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_on_which_a_twentieth_is_given_up_carries_too_little() {
        let begun = Instant::now();
        let mut losses = Losses::new(begun);
        let mut look = |seconds: u64, counted| losses.too_many(begun + Duration::from_secs(seconds), || counted);
        assert!(!look(1, (100, 90)), "too soon to say");
        assert!(!look(2, (1000, 20)));
        assert!(look(4, (2000, 80)));
        assert!(look(5, (3000, 80)), "it is looked every two seconds");
        assert!(!look(6, (3000, 90)));
        assert!(look(8, (100, 60)), "another receiver");
    }
}
