//! The sound of a file, whole.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSink;

use super::{Allowed, DAMAGED, FileError, LOOK, News, decoder, head, setup, stage};
use crate::media::gst::pipeline::{OwnedPipeline, named};

/// Samples a second.
const RATE: usize = 48_000;

/// How long a file may take in all: decoding ten minutes takes some seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// Decodes a file's sound to mono samples of 48 kHz. Takes up to some seconds: for blocking threads.
///
/// # Errors
/// When it cannot be read, holds no sound that can be decoded, or is longer than `longest`.
pub fn samples(path: &Path, longest: Duration) -> Result<Vec<i16>, FileError> {
    let broken = |error: String| FileError::Broken { path: path.into(), error };
    let allowed = Allowed::sound(&head(path)?).ok_or_else(|| broken("it is no MP3, WAV or Ogg file".into()))?;
    crate::media::gst::init().map_err(setup)?;
    let owned = OwnedPipeline::new("file-samples");
    let news = Arc::new(News::default());
    news.listen(&owned, allowed.is_foreign());
    let bin = stage(&owned, "file-samples")?;
    let entrance = bin.static_pad("sink").ok_or_else(|| setup("file-samples has no sink"))?;
    decoder(&owned, path, allowed, &news, move |kind| kind.starts_with("audio/").then(|| entrance.clone()))?;
    let sink: AppSink = named(&bin, "samples").map_err(setup)?;
    // What fails here is told on the bus, in more words.
    let _ = owned.play();
    let most = longest.as_secs() as usize * RATE;
    let begun = Instant::now();
    let mut samples = Vec::new();
    loop {
        let look = gst::ClockTime::from_mseconds(LOOK.as_millis() as u64);
        if let Some(sample) = sink.try_pull_sample(look) {
            let Some(buffer) = sample.buffer() else { continue };
            let map = buffer.map_readable().map_err(|_| broken("its samples cannot be read".into()))?;
            samples.extend(map.as_slice().chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
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
        false => Ok(samples),
    }
}
