//! SRT: MPEG-TS with H.264 and AAC, to a receiver that is called, or to all who call.

use std::time::Duration;

use gstreamer::{self as gst, prelude::*};

use super::{
    Destination,
    address::SrtAddress,
    terms::{Blame, OutputFault},
};
use crate::media::gst::pipeline::OwnedPipeline;

/// How long a call may take to be accepted.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub(super) struct Srt {
    address: SrtAddress,
}

impl Srt {
    pub(super) fn new(address: SrtAddress) -> Self {
        Self { address }
    }
}

impl Destination for Srt {
    fn stage(&self) -> &'static str {
        "output-srt"
    }

    fn shown(&self) -> String {
        self.address.shown()
    }

    fn redact(&self, text: &str) -> String {
        self.address.redact(text)
    }

    fn prepare(&self, pipeline: &OwnedPipeline) -> Result<(), OutputFault> {
        let sink: gst::Element = pipeline.element("sink").map_err(|text| OutputFault::new(Blame::Operator, text))?;
        let SrtAddress { host, port, latency, passphrase, key_length, stream } = &self.address;
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
        let Ok(sink) = pipeline.element::<gst::Element>("sink") else { return 0 };
        let Some(stats) = sink.property::<Option<gst::Structure>>("stats") else { return 0 };
        stats.get::<u64>("bytes-sent-total").unwrap_or(0)
    }

    fn accepted_from(&self) -> u64 {
        1
    }

    fn patience(&self) -> Option<Duration> {
        self.address.host.is_some().then_some(CONNECT_TIMEOUT)
    }
}
