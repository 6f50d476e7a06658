//! The sound of a file, whole.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;

use super::{Allowed, DAMAGED, FileError, LOOK, News, decoder, head, setup, stage};
use crate::media::{
    gst::pipeline::{OwnedPipeline, named},
    port::Samples,
};

/// Samples a second.
const RATE: usize = 48_000;

/// Longest time that a file may take in all: decoding ten minutes takes some seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sides of a sound that differ by no more than this are one: -78 dB, what lossy codecs and dither make of equal ones.
const ALIKE: u16 = 4;

/// Decodes a file's sound to samples of 48 kHz, of two channels where they differ. Takes up to some seconds: for
/// blocking threads.
///
/// # Errors
/// When it cannot be read, holds no sound that can be decoded, or is longer than `longest`.
pub fn samples(path: &Path, longest: Duration) -> Result<Samples, FileError> {
    let broken = |error: String| FileError::Broken { path: path.into(), error };
    let allowed = Allowed::sound(&head(path)?).ok_or_else(|| broken("it is not an MP3, WAV or Ogg file".into()))?;
    crate::media::gst::init().map_err(setup)?;
    let owned = OwnedPipeline::new("file-samples");
    let news = Arc::new(News::default());
    news.listen(&owned, allowed.is_foreign());
    let bin = stage(&owned, "file-samples")?;
    let entrance = bin.static_pad("sink").ok_or_else(|| setup("file-samples has no sink"))?;
    decoder(&owned, path, allowed, &news, move |kind| kind.starts_with("audio/").then(|| entrance.clone()))?;
    let sink: AppSink = named(&bin, "samples").map_err(setup)?;
    // What fails here is reported on the bus, in more words.
    let _ = owned.play();
    let most = longest.as_secs() as usize * RATE * 2;
    let begun = Instant::now();
    let mut samples: Vec<i16> = Vec::new();
    loop {
        let look = gst::ClockTime::from_mseconds(LOOK.as_millis() as u64);
        if let Some(sample) = sink.try_pull_sample(look) {
            let Some(buffer) = sample.buffer() else { continue };
            let map = buffer.map_readable().map_err(|_| broken("its samples cannot be read".into()))?;
            // An operator's own text may give one channel.
            let channels = sample.caps().and_then(|caps| caps.structure(0)?.get::<i32>("channels").ok());
            let copies = if channels == Some(1) { 2 } else { 1 };
            let decoded = map.as_slice().as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair));
            samples.extend(decoded.flat_map(|one| std::iter::repeat_n(one, copies)));
            if samples.len() > most {
                return Err(broken(format!("it is longer than {} s", longest.as_secs())));
            }
        } else {
            let (error, nothing) = news.with(|heard| (heard.error.clone(), heard.all && !heard.sound));
            if let Some(error) = error {
                return Err(broken(error));
            }
            if nothing || sink.is_eos() {
                break;
            }
        }
        if begun.elapsed() > PATIENCE {
            return Err(broken(format!("decoding it takes longer than {} s", PATIENCE.as_secs())));
        }
    }
    match samples.is_empty() {
        true => Err(broken(DAMAGED.to_owned())),
        false => Ok(narrowed(samples)),
    }
}

/// Keeps one side of a sound that has the same on both.
fn narrowed(mut samples: Vec<i16>) -> Samples {
    let frames = samples.as_chunks::<2>().0;
    if frames.iter().any(|[left, right]| left.abs_diff(*right) > ALIKE) {
        return Samples { channels: 2, interleaved: samples };
    }
    let count = frames.len();
    for index in 0..count {
        samples[index] = samples[2 * index];
    }
    samples.truncate(count);
    samples.shrink_to_fit();
    Samples { channels: 1, interleaved: samples }
}
