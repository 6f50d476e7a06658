//! RTMP and RTMPS: FLV with H.264 and AAC.

use std::time::Duration;

use gstreamer::prelude::*;

use super::{Destination, PATIENCE, address::RtmpAddress, counted, sink, terms::OutputFault};
use crate::media::gst::pipeline::OwnedPipeline;

/// See the module.
#[derive(Debug)]
pub(super) struct Rtmp(pub(super) RtmpAddress);

impl Destination for Rtmp {
    fn stage(&self) -> &'static str {
        "output-rtmp"
    }

    fn redact(&self, text: &str) -> String {
        self.0.redact(text)
    }

    fn prepare(&self, pipeline: &OwnedPipeline) -> Result<(), OutputFault> {
        let sink = sink(pipeline)?;
        // One by one: a whole URL would be cut at its last slash, a query's too.
        let RtmpAddress { secure, host, port, user, application, stream, .. } = &self.0;
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
        counted(pipeline, "out-bytes-total")
    }

    /// Handshake and commands are below it.
    fn accepted_from(&self) -> u64 {
        16 * 1024
    }

    fn patience(&self) -> Option<Duration> {
        Some(PATIENCE)
    }
}
