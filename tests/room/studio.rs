//! The media that peers send: a clip of one colour, and a steady tone.

#![allow(dead_code)]

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use gstreamer::{self as gst, prelude::*};
use tempfile::TempDir;
use virfie::{
    bot::source::{Source, SourceConfig},
    media::{gst::launch::Launches, port::VideoCodec, webrtc::peer::Network},
};

/// Clips are made when they are first asked for, and gone with the studio.
pub struct Studio {
    folder: TempDir,
}

impl Studio {
    pub fn new() -> Self {
        virfie::media::gst::init().unwrap();
        Self { folder: TempDir::new().unwrap() }
    }

    /// Returns ten seconds of `videotestsrc pattern=…`: `red`, `green`, `blue`, `white`.
    pub fn clip(&self, pattern: &str) -> PathBuf {
        self.clip_of(pattern, &format!("videotestsrc pattern={pattern} num-buffers=150"))
    }

    fn clip_of(&self, name: &str, pictures: &str) -> PathBuf {
        let file = self.folder.path().join(format!("{name}.webm"));
        if !file.exists() {
            let text = format!(
                "{pictures} ! videoconvert ! videoscale ! video/x-raw,format=I420,width=320,height=180,framerate=15/1 \
                 ! vp8enc deadline=1 cpu-used=16 target-bitrate=300000 ! webmmux ! filesink name=file"
            );
            let pipeline = gst::parse::launch(&text).unwrap().downcast::<gst::Pipeline>().unwrap();
            pipeline.by_name("file").unwrap().set_property("location", file.to_str().unwrap());
            pipeline.set_state(gst::State::Playing).unwrap();
            let over = [gst::MessageType::Eos, gst::MessageType::Error];
            let message = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(20), &over);
            assert_eq!(message.map(|message| message.type_()), Some(gst::MessageType::Eos), "a clip is made");
            pipeline.set_state(gst::State::Null).unwrap();
        }
        file
    }

    /// Returns ten seconds of a woman who does not move, in the middle of a picture.
    pub fn portrait(&self) -> PathBuf {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/golden/portrait.png");
        let text = format!(
            "filesrc location={} ! pngdec ! videoconvert ! imagefreeze num-buffers=150 \
             ! video/x-raw,framerate=15/1",
            file.display()
        );
        self.clip_of("portrait", &text)
    }

    /// Returns a sender's source: 320x180 at 15 frames a second of one colour, and a tone without pauses.
    pub fn source(&self, pattern: &str, tone: f64) -> Arc<Source> {
        self.source_in(VideoCodec::Vp8, pattern, tone)
    }

    pub fn source_in(&self, codec: VideoCodec, pattern: &str, tone: f64) -> Arc<Source> {
        Self::source_of(self.clip(pattern), codec, tone)
    }

    /// Returns the same of another clip.
    pub fn source_of(clip: PathBuf, codec: VideoCodec, tone: f64) -> Arc<Source> {
        let config = SourceConfig {
            video: Some(clip),
            size: (320, 180),
            fps: 15,
            codec,
            bitrate: 300_000,
            tone,
            steady: true,
            ..SourceConfig::default()
        };
        Arc::new(Source::start(&config, &launches()).unwrap())
    }
}

/// Returns the launch texts as they are built in.
pub fn launches() -> Launches {
    Launches::load(None).unwrap()
}

/// Peers stay on loopback.
pub fn network() -> Network {
    Network { local_ip: Some(IpAddr::from([127, 0, 0, 1])), ..Network::default() }
}
