//! RTMP and RTMPS: FLV with H.264 and AAC.

use std::time::Duration;

use gstreamer::{self as gst, prelude::*};

use super::{
    Destination,
    address::RtmpAddress,
    terms::{Blame, OutputFault},
};
use crate::media::gst::pipeline::OwnedPipeline;

/// How long an attempt may take to be accepted.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub(super) struct Rtmp {
    address: RtmpAddress,
}

impl Rtmp {
    pub(super) fn new(address: RtmpAddress) -> Self {
        Self { address }
    }
}

impl Destination for Rtmp {
    fn stage(&self) -> &'static str {
        "output-rtmp"
    }

    fn shown(&self) -> String {
        self.address.shown()
    }

    fn redact(&self, text: &str) -> String {
        self.address.redact(text)
    }

    fn prepare(&self, pipeline: &OwnedPipeline) -> Result<(), OutputFault> {
        let sink: gst::Element = pipeline.element("sink").map_err(|text| OutputFault::new(Blame::Operator, text))?;
        // One by one: a whole URL would be cut at its last slash, a query's too.
        let RtmpAddress { secure, host, port, user, application, stream, .. } = &self.address;
        sink.set_property_from_str("scheme", if *secure { "rtmps" } else { "rtmp" });
        sink.set_property("host", host);
        sink.set_property("port", i32::from(*port));
        sink.set_property("application", application);
        sink.set_property("stream", stream);
        if let Some((name, password)) = user {
            sink.set_property("username", name);
            sink.set_property("password", password);
        }
        Ok(())
    }

    fn written(&self, pipeline: &OwnedPipeline) -> u64 {
        let Ok(sink) = pipeline.element::<gst::Element>("sink") else { return 0 };
        let stats = sink.property::<Option<gst::Structure>>("stats");
        stats.and_then(|stats| stats.get::<u64>("out-bytes-total").ok()).unwrap_or(0)
    }

    /// Handshake and commands are below it.
    fn accepted_from(&self) -> u64 {
        16 * 1024
    }

    fn patience(&self) -> Option<Duration> {
        Some(CONNECT_TIMEOUT)
    }
}
