//! SRT: MPEG-TS with H.264 and AAC, to a receiver that is called, or to all who call.

use std::time::Duration;

use gstreamer::prelude::*;

use super::{Destination, PATIENCE, address::SrtAddress, counted, sink, terms::OutputFault};
use crate::media::gst::pipeline::OwnedPipeline;

/// See the module.
#[derive(Debug)]
pub(super) struct Srt(pub(super) SrtAddress);

impl Destination for Srt {
    fn stage(&self) -> &'static str {
        "output-srt"
    }

    fn redact(&self, text: &str) -> String {
        self.0.redact(text)
    }

    fn prepare(&self, pipeline: &OwnedPipeline) -> Result<(), OutputFault> {
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

    fn patience(&self) -> Option<Duration> {
        self.0.host.is_some().then_some(PATIENCE)
    }
}
