//! Outputs that are a pipeline of their own: both streams on the output's time line, muxed, and written by a sink.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender},
    },
    time::Duration,
};

use gstreamer as gst;
use gstreamer_app::AppSrc;

use super::{Begun, Destination, ENDED, Ends, FAREWELL, Link, Opening};
use crate::media::{
    gst::{
        handoff,
        launch::Launches,
        pipeline::{BusNews, OwnedPipeline},
        priority::Role,
        stage::StageError,
    },
    port::{Blame, OutputFault},
};

/// The time that the thread of a sink that has seen the end has to report it.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// Begins an attempt, or a later part of one, as a pipeline.
///
/// # Errors
/// The element that is missing, as a fault.
pub(super) fn begin<'a, D: Destination>(destination: &'a D, opening: Opening<'_>) -> Result<Begun<'a>, OutputFault> {
    let Opening { name, part, launches, broke, .. } = opening;
    let (sources, pipeline) = build(destination, (name, part), launches, broke)?;
    let can_end = sources.can_end.clone();
    Ok((Box::new(sources), Box::new(Running { destination, pipeline, can_end })))
}

/// The ends of the pipeline that are fed.
#[derive(Debug)]
struct Sources {
    video: AppSrc,
    audio: AppSrc,
    audio_caps: Option<gst::Caps>,
    /// Whether the pipeline can end: something came before, or its muxer needs nothing.
    can_end: Arc<AtomicBool>,
}

impl Ends for Sources {
    fn waiting(&self) -> Duration {
        handoff::queued(&self.video)
    }

    fn sound_waiting(&self) -> Duration {
        handoff::queued(&self.audio)
    }

    fn picture(&mut self, _unit: &gst::Buffer, out: gst::Buffer) {
        self.can_end.store(true, Ordering::Relaxed);
        // Fails only when the attempt is over; the thread sees that on the bus.
        let _ = self.video.push_buffer(out);
    }

    fn sound(&mut self, packet: &gst::Buffer, caps: &gst::Caps, out: gst::ClockTime) {
        if self.audio_caps.as_ref() != Some(caps) {
            self.audio_caps = Some(caps.clone());
            self.audio.set_caps(Some(caps));
        }
        let mut packet = packet.clone();
        let buffer = packet.make_mut();
        buffer.set_pts(out);
        buffer.set_dts(out);
        self.can_end.store(true, Ordering::Relaxed);
        // As with pictures.
        let _ = self.audio.push_buffer(packet);
    }

    fn finish(&mut self) {
        if !self.can_end.load(Ordering::Relaxed) {
            return;
        }
        for src in [&self.video, &self.audio] {
            // Fails only when the attempt is over.
            let _ = src.end_of_stream();
        }
    }
}

/// The pipeline as it runs.
struct Running<'a, D> {
    destination: &'a D,
    pipeline: OwnedPipeline,
    can_end: Arc<AtomicBool>,
}

impl<D: Destination> Link for Running<'_, D> {
    fn written(&self) -> u64 {
        self.destination.written(&self.pipeline)
    }

    fn is_accepted(&self) -> bool {
        self.written() >= self.destination.accepted_from()
    }

    fn is_behind(&self) -> bool {
        self.destination.is_behind(&self.pipeline)
    }

    /// Ends it with `FCUnpublish` and `deleteStream`, or the end of a file.
    fn say_farewell(&mut self, broken: &Receiver<OutputFault>) {
        if !self.can_end.load(Ordering::Relaxed) {
            return;
        }
        // The sink has seen the end, or the server is gone. What it says then is written by a thread of its own.
        if broken.recv_timeout(FAREWELL).is_ok() {
            std::thread::sleep(LAST_WORDS);
        }
    }
}

fn build(
    destination: &impl Destination,
    (name, part): (&str, u32),
    launches: &Launches,
    broke: Sender<OutputFault>,
) -> Result<(Sources, OwnedPipeline), OutputFault> {
    let owned = OwnedPipeline::new(&format!("output-{name}")).works_as(Role::Deliver);
    // Its own time line; nothing in it waits for the clock.
    owned.on_bus(move |news| match news {
        BusNews::Error { element, text, .. } => {
            let blame = if element == "sink" { Blame::Destination } else { Blame::Server };
            // The receiver is gone once the attempt is over.
            let _ = broke.send(OutputFault::new(blame, text));
        }
        BusNews::Eos => drop(broke.send(OutputFault::new(Blame::Destination, ENDED))),
        BusNews::Latency => {}
    });
    owned.stage(launches, destination.stage())?;
    let video: AppSrc = owned.element("video")?;
    let audio: AppSrc = owned.element("audio")?;
    destination.prepare(&owned, part)?;
    let video_caps = gst::Caps::builder("video/x-h264").field("stream-format", "byte-stream").field("alignment", "au");
    handoff::configure(&video, &video_caps.build());
    // Which encoder it is, and so the caps, is known with the first packet.
    handoff::configure_without_caps(&audio);
    // Streams that start at zero are always late by the shared clock, and a live muxer would not wait for the later
    // of the two. Both flow steadily, so it can wait for both; if one ever ended, the watchdog would see it.
    video.set_is_live(false);
    audio.set_is_live(false);
    owned.play().map_err(StageError::from)?;
    let can_end = Arc::new(AtomicBool::new(destination.takes_bare_end()));
    Ok((Sources { video, audio, audio_caps: None, can_end }, owned))
}
