//! The mix as AAC or Opus, for outputs of equal settings.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSinkCallbacks, AppSrc};
use parking_lot::Mutex;

use super::{
    EncodeError,
    leveller::{LATENESS, Leveller},
};
use crate::media::{
    gst::{
        clock::clock_time,
        handoff,
        launch::Launches,
        pipeline::{BusNews, OwnedPipeline},
        priority::Role,
        stage::StageError,
    },
    port::{AudioCodec, AudioSettings},
};

/// The longest queue before the encoder: it takes its time to begin, and then soon has nothing to wait for.
const BACKLOG: Duration = Duration::from_secs(3);

/// Silence before the first sound: pictures that are encoded from now on find sound beside them. Some files would else
/// have both begin at zero, whatever lies between.
const LEAD: Duration = Duration::from_millis(400);

/// Samples a second of the mix.
const RATE: u64 = 48_000;

/// A running encoder.
#[derive(Debug)]
pub struct SoundEncoder {
    /// Runs as long as this lives.
    _owned: OwnedPipeline,
    samples: AppSrc,
    /// The leveller, if the sound is to be as loud as somebody wants it.
    leveller: Option<Mutex<Leveller>>,
    begun: AtomicBool,
}

impl SoundEncoder {
    /// Starts an encoder; `on_packet` gets each packet, PTS in running time, and its caps.
    ///
    /// # Errors
    /// When an element is missing or the launch text is wrong.
    pub fn start(
        name: &str,
        settings: AudioSettings,
        launches: &Launches,
        on_packet: impl Fn(&gst::Buffer, &gst::Caps) + Send + Sync + 'static,
        on_error: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self, EncodeError> {
        let owned = OwnedPipeline::new(name).works_as(Role::Encode);
        let stage = match settings.codec {
            AudioCodec::Aac => "encode-aac",
            AudioCodec::Opus => "encode-opus",
        };
        owned.stage(launches, stage)?;
        let samples: AppSrc = owned.element("samples")?;
        let (encoder, shape): (gst::Element, gst::Element) = (owned.element("encoder")?, owned.element("shape")?);
        let sink: AppSink = owned.element("packets")?;
        let whole = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let raw = gst::Caps::builder("audio/x-raw")
            .field("channels", whole(settings.channels))
            .field("rate", whole(settings.sample_rate));
        shape.set_property("caps", raw.build());
        encoder.set_property_from_str("bitrate", &(settings.bitrate.saturating_mul(1000)).to_string());
        let priming = match settings.codec {
            // The encoder puts a packet of silence before the sound, and stamps it as if it were the first of the sound.
            AudioCodec::Aac => clock_time(settings.packet()),
            AudioCodec::Opus => gst::ClockTime::ZERO,
        };
        sink.set_callbacks(
            AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    if let Some((packet, caps)) = sample.buffer_owned().zip(sample.caps_owned())
                        && let Some(pts) = packet.pts().and_then(|pts| pts.checked_sub(priming))
                    {
                        let mut packet = packet;
                        packet.make_mut().set_pts(pts);
                        packet.make_mut().set_dts(pts);
                        on_packet(&packet, &caps);
                    }
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        );
        owned.on_bus(move |news| {
            if let BusNews::Error { element, text, detail } = news {
                on_error(format!("{element}: {text} ({detail})"));
            }
        });
        let mix = gst::Caps::builder("audio/x-raw")
            .field("format", "F32LE")
            .field("rate", whole(48_000))
            .field("channels", 2i32)
            .field("layout", "interleaved");
        handoff::configure(&samples, &mix.build());
        owned.play().map_err(StageError::from)?;
        let leveller = settings.loudness.map(Leveller::new).transpose()?;
        Ok(Self { _owned: owned, samples, leveller: leveller.map(Mutex::new), begun: AtomicBool::new(false) })
    }

    /// Encodes a block of the mix whose first sample is at `pts`, in running time, or drops it when too many wait.
    pub fn push(&self, samples: &[[f32; 2]], pts: Duration) {
        if handoff::queued(&self.samples) > BACKLOG {
            return;
        }
        if !self.begun.swap(true, Ordering::Relaxed) {
            let silence = vec![[0.0; 2]; LEAD.as_millis() as usize * (RATE / 1000) as usize];
            self.give(&silence, pts.saturating_sub(LEAD));
        }
        self.give(samples, pts);
    }

    fn give(&self, samples: &[[f32; 2]], pts: Duration) {
        let Some(leveller) = &self.leveller else { return self.encode(samples, pts) };
        let mut samples = samples.to_vec();
        leveller.lock().process(&mut samples);
        self.encode(&samples, pts.saturating_sub(LATENESS));
    }

    fn encode(&self, samples: &[[f32; 2]], pts: Duration) {
        let bytes: Vec<u8> = samples.as_flattened().iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let mut block = gst::Buffer::from_mut_slice(bytes);
        if let Some(block) = block.get_mut() {
            block.set_pts(clock_time(pts));
            block.set_duration(gst::ClockTime::from_nseconds(samples.len() as u64 * 1_000_000_000 / RATE));
        }
        // Fails only while the pipeline goes down; its owner knows.
        let _ = self.samples.push_buffer(block);
    }
}
