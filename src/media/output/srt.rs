//! SRT: MPEG-TS with H.264 and AAC, to a receiver that is called, or to all who call.

use std::{
    net::UdpSocket,
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;

use super::{
    Begun, Destination, Kind, Opening, PATIENCE,
    address::SrtAddress,
    counted, muxed, sink,
    terms::{Blame, OutputFault},
    trial::{self, Steps},
};
use crate::media::gst::{
    handoff,
    launch::Launches,
    pipeline::{BusNews, OwnedPipeline},
    priority::Role,
};

/// See the module.
#[derive(Debug)]
pub(super) struct Srt(pub(super) SrtAddress);

/// An empty packet of MPEG-TS.
const EMPTY: [u8; 188] = {
    let mut packet = [0xFF; 188];
    (packet[0], packet[1], packet[2], packet[3]) = (0x47, 0x1F, 0xFF, 0x10);
    packet
};

/// How often a packet is sent to a receiver that is tried.
const BEAT: Duration = Duration::from_millis(50);

impl Srt {
    /// Waits until the receiver takes something, or says no.
    fn call(&self, launches: &Launches, left: Duration) -> Result<(), OutputFault> {
        let until = Instant::now() + left;
        let ours = |text: String| OutputFault::new(Blame::Operator, text);
        let owned = OwnedPipeline::new("output-trial").works_as(Role::Deliver);
        let (said, heard) = channel();
        owned.on_bus(move |news| {
            if let BusNews::Error { text, .. } = news {
                // The trial may be over.
                let _ = said.send(OutputFault::new(Blame::Destination, text));
            }
        });
        let bin = launches.bin("try-srt").map_err(|error| ours(error.to_string()))?;
        owned.pipeline().add(&bin).map_err(|error| ours(error.to_string()))?;
        let packets: AppSrc = owned.element("packets").map_err(ours)?;
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
        self.0.redact(text)
    }

    /// Calls the receiver with packets that every demultiplexer leaves out.
    fn try_out(&self, steps: &mut Steps, launches: &Launches) -> Result<(), OutputFault> {
        let port = self.0.port;
        let Some(host) = &self.0.host else {
            let taken = |error: std::io::Error| OutputFault::new(Blame::Operator, error.to_string());
            return steps.take("port", |_| UdpSocket::bind(("0.0.0.0", port)).map_err(taken)).map(drop);
        };
        steps.take("lookup", |left| trial::lookup(host, port, left))?;
        steps.take("handshake", |left| self.call(launches, left))
    }

    fn patience(&self) -> Option<Duration> {
        self.0.host.is_some().then_some(PATIENCE)
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
        let SrtAddress { host, port, latency, passphrase, key_length, stream } = &self.0;
        let uri = match host {
            Some(host) if host.contains(':') => format!("srt://[{host}]:{port}"),
            Some(host) => format!("srt://{host}:{port}"),
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
        counted(pipeline, "bytes-sent-total")
    }

    fn accepted_from(&self) -> u64 {
        1
    }
}
