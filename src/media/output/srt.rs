//! SRT: MPEG-TS with H.264 and AAC, to a receiver that is called, or to those who call.

mod callers;

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
const GIVEN_UP_OF: u64 = 20;
/// The same for what is sent again. A line that is too narrow loses most of what does not fit once more; the receiver
/// then gives it up without a word to the sender. A line that is only bad has it repaired.
const REPEATED_OF: u64 = 4;

/// The bytes of a line so far.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    /// Sent, those that were sent again too.
    sent: u64,
    /// Not sent in time.
    given_up: u64,
    /// Sent again.
    repeated: u64,
}

/// The packets that did not come in time.
#[derive(Debug)]
struct Losses {
    looked: Instant,
    /// As of the last look.
    counted: Counts,
    too_many: bool,
}

impl Losses {
    fn new(now: Instant) -> Self {
        Self { looked: now, counted: Counts::default(), too_many: false }
    }

    /// Takes what was counted so far, and says whether too much of it is lost.
    fn too_many(&mut self, now: Instant, counts: impl FnOnce() -> Counts) -> bool {
        if now.saturating_duration_since(self.looked) >= LOOK {
            let (before, counts) = (self.counted, counts());
            // A receiver that calls again is counted from zero.
            let since = |now: u64, before: u64| now.checked_sub(before).unwrap_or(now);
            let sent = since(counts.sent, before.sent);
            let given_up = since(counts.given_up, before.given_up);
            let repeated = since(counts.repeated, before.repeated);
            self.too_many = given_up * GIVEN_UP_OF > sent || repeated * REPEATED_OF > sent;
            (self.looked, self.counted) = (now, counts);
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
        if host.is_none() {
            callers::bound(&sink)?;
        }
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

/// Counts the bytes of all receivers together.
fn bytes(pipeline: &OwnedPipeline) -> Counts {
    let stats = sink(pipeline).ok().and_then(|sink| sink.property::<Option<gst::Structure>>("stats"));
    let Some(stats) = stats else { return Counts::default() };
    let of = |stats: &gst::StructureRef| {
        let [sent, given_up, repeated] =
            ["bytes-sent", "bytes-sent-dropped", "bytes-retransmitted"].map(|name| stats.get::<u64>(name).unwrap_or(0));
        Counts { sent, given_up, repeated }
    };
    // Those who called are listed, each by itself.
    let callers = stats.get::<gst::glib::ValueArray>("callers").ok();
    let all = callers.iter().flat_map(|callers| callers.iter()).filter_map(|value| value.get::<gst::Structure>().ok());
    all.map(|caller| of(&caller)).fold(of(&stats), |sum, more| Counts {
        sent: sum.sent + more.sent,
        given_up: sum.given_up + more.given_up,
        repeated: sum.repeated + more.repeated,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_on_which_a_twentieth_is_given_up_or_a_quarter_sent_again_carries_too_little() {
        let begun = Instant::now();
        let mut losses = Losses::new(begun);
        let mut look = |seconds: u64, (sent, given_up, repeated)| {
            losses.too_many(begun + Duration::from_secs(seconds), || Counts { sent, given_up, repeated })
        };
        assert!(!look(1, (100, 90, 0)), "too soon to say");
        assert!(!look(2, (1000, 20, 0)));
        assert!(look(4, (2000, 80, 0)));
        assert!(look(5, (3000, 80, 0)), "it is looked every two seconds");
        assert!(!look(6, (3000, 90, 200)));
        assert!(look(8, (4000, 90, 500)), "a line that is too narrow");
        assert!(!look(10, (5000, 90, 720)), "a line that is only bad");
        assert!(look(12, (100, 60, 0)), "another receiver");
    }
}
