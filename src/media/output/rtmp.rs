//! RTMP and RTMPS: FLV with H.264 and AAC.

use std::{
    io::{Read, Write},
    time::Duration,
};

use gstreamer::prelude::*;

use super::{
    Begun, Destination, Kind, Opening, PATIENCE, counted,
    greeting::{self, Answer},
    hosts::{self, LOOKUP},
    muxed, sink,
    tls::{self, Timed},
    trial::{self, Steps},
};
use crate::media::{
    gst::{launch::Launches, pipeline::OwnedPipeline},
    port::{Blame, OutputFault, RtmpAddress},
};

/// See the module.
#[derive(Debug)]
pub(super) struct Rtmp(pub(super) RtmpAddress);

impl Rtmp {
    /// Asks for the application, and publishes nothing in it.
    fn greet(&self, steps: &mut Steps, stream: &mut (impl Read + Write)) -> Result<(), OutputFault> {
        let RtmpAddress { secure, host, port, application, .. } = &self.0;
        steps.take("handshake", |_| greeting::shake_hands(stream).map_err(|error| trial::theirs(&error)))?;
        steps.take("application", |_| {
            let scheme = if *secure { "rtmps" } else { "rtmp" };
            let url = format!("{scheme}://{host}:{port}/{application}");
            match greeting::ask(stream, application, &url).map_err(|error| trial::theirs(&error))? {
                Answer::Accepted => Ok(()),
                // It asks who we are, which is said when the output starts.
                Answer::Refused(text) if self.0.user.is_some() && text.contains("authmod") => Ok(()),
                Answer::Refused(text) => {
                    Err(OutputFault::new(Blame::Destination, format!("it does not take this application: {text}")))
                }
            }
        })
    }
}

impl Kind for Rtmp {
    fn redact(&self, text: &str) -> String {
        self.0.redact(text)
    }

    fn try_out(&self, steps: &mut Steps, _launches: &Launches) -> Result<(), OutputFault> {
        let RtmpAddress { secure, host, port, internal, .. } = &self.0;
        let addresses = steps.take("lookup", |left| hosts::find(host, *port, *internal, left))?;
        let stream = steps.take("connect", |left| trial::connect(&addresses, left))?;
        if *secure {
            let mut stream = steps.take("tls", |left| tls::secure(host, Timed::new(stream, left)))?;
            self.greet(steps, &mut stream)
        } else {
            let mut stream = Timed::new(stream, steps.left());
            self.greet(steps, &mut stream)
        }
    }

    fn patience(&self) -> Option<Duration> {
        Some(PATIENCE)
    }

    fn begin(&self, opening: Opening<'_>) -> Result<Begun<'_>, OutputFault> {
        muxed::begin(self, opening)
    }
}

impl Destination for Rtmp {
    fn stage(&self) -> &'static str {
        "output-rtmp"
    }

    /// GST-1.22: flvmux, given the end and nothing before it, asks itself for data without a pause, until it is torn down.
    fn takes_bare_end(&self) -> bool {
        false
    }

    fn prepare(&self, pipeline: &OwnedPipeline, _part: u32) -> Result<(), OutputFault> {
        let sink = sink(pipeline)?;
        // One by one: a whole URL would be cut at its last slash, a query's too.
        let RtmpAddress { secure, host, port, user, application, stream, internal, .. } = &self.0;
        if !internal {
            // The sink looks once more: a server is asked for by its name, and its certificate has it.
            hosts::find(host, *port, false, LOOKUP)?;
        }
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
}
