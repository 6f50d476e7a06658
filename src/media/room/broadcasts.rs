//! What outputs get: the canvas and the mix as each asks for them, encoded once for equal settings.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc::Sender},
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use gstreamer as gst;
use metrics::counter;
use tracing::{error, info};

use super::{Input, failures::Failures, program::Canvas};
use crate::media::{
    compose::clock::Format,
    encode::{Encoder, Recipe, sound::SoundEncoder},
    gst::{clock::media_clock, launch::Launches, load},
    output::worker::Output,
    port::{AudioSettings, OutputId, Speed, VideoSettings, Wishes},
};

/// Those who get what one encoder makes.
type Listeners = ArcSwap<Vec<Arc<Output>>>;

/// An output, and what it asks for.
struct Member {
    id: OutputId,
    output: Arc<Output>,
    wishes: Wishes,
    /// Of the canvas as it is.
    video: VideoSettings,
    audio: AudioSettings,
}

/// A running encoder of the picture.
struct PictureEncoder {
    encoder: Encoder,
    speed: Speed,
}

/// One picture that somebody wants.
struct Picture {
    settings: VideoSettings,
    encoder: ArcSwapOption<PictureEncoder>,
    listeners: Arc<Listeners>,
    failures: Mutex<Failures>,
}

/// One sound that somebody wants.
struct SoundTrack {
    settings: AudioSettings,
    encoder: ArcSwapOption<SoundEncoder>,
    listeners: Arc<Listeners>,
    failures: Mutex<Failures>,
}

/// Outputs and their encoders. Frames come from the clock's thread, sound from the desk's, changes from the room's.
pub(super) struct Broadcasts {
    room: Arc<str>,
    launches: Launches,
    inputs: Mutex<Sender<Input>>,
    members: Mutex<Vec<Member>>,
    pictures: ArcSwap<Vec<Arc<Picture>>>,
    sounds: ArcSwap<Vec<Arc<SoundTrack>>>,
}

impl Broadcasts {
    pub(super) fn new(room: Arc<str>, launches: Launches, inputs: Sender<Input>) -> Self {
        Self {
            room,
            launches,
            inputs: Mutex::new(inputs),
            members: Mutex::default(),
            pictures: ArcSwap::default(),
            sounds: ArcSwap::default(),
        }
    }

    /// Gives a composed frame to every running encoder.
    pub(super) fn frame(&self, frame: &gst::Buffer, format: Format) {
        let pictures = self.pictures.load();
        if pictures.is_empty() {
            return;
        }
        let caps = format.caps();
        for picture in pictures.iter() {
            if let Some(running) = picture.encoder.load().as_ref() {
                running.encoder.push(frame, &caps);
            }
        }
    }

    /// Gives a block of the mix to every running encoder.
    pub(super) fn block(&self, samples: &[f32], pts: Duration) {
        for sound in self.sounds.load().iter() {
            if let Some(encoder) = sound.encoder.load().as_ref() {
                encoder.push(samples, pts);
            }
        }
    }

    /// Adds an output. The caller rebalances.
    pub(super) fn add(&self, id: OutputId, output: Output, wishes: Wishes, canvas: Canvas) {
        let (video, audio) = (wishes.video(canvas), wishes.audio());
        lock(&self.members).push(Member { id, output: Arc::new(output), wishes, video, audio });
    }

    /// Has an output get something else. The caller rebalances.
    pub(super) fn change(&self, id: &OutputId, wishes: Wishes) {
        if let Some(member) = lock(&self.members).iter_mut().find(|member| member.id == *id) {
            member.audio = wishes.audio();
            member.wishes = wishes;
            member.output.begin_again();
        }
    }

    /// Ends an output. The caller rebalances.
    pub(super) fn remove(&self, id: &OutputId) {
        lock(&self.members).retain(|member| member.id != *id);
    }

    /// Tells how much work the encoder of an output's picture does.
    pub(super) fn speed(&self, id: &OutputId) -> Option<Speed> {
        let settings = lock(&self.members).iter().find(|member| member.id == *id)?.video;
        let pictures = self.pictures.load();
        let picture = pictures.iter().find(|picture| picture.settings == settings)?;
        picture.encoder.load().as_ref().map(|running| running.speed)
    }

    /// Starts the encoders that outputs need and stops the others. Returns what runs, in words.
    pub(super) fn rebalance(self: &Arc<Self>, canvas: Canvas) -> Vec<String> {
        let now = media_clock().now();
        let mut members = lock(&self.members);
        members.iter_mut().for_each(|member| member.video = member.wishes.video(canvas));
        let (before, mut pictures) = (self.pictures.load(), Vec::new());
        for member in members.iter() {
            let known = |picture: &&Arc<Picture>| picture.settings == member.video;
            if pictures.iter().any(|picture: &Arc<Picture>| picture.settings == member.video) {
                continue;
            }
            pictures.push(before.iter().find(known).cloned().unwrap_or_else(|| Arc::new(Picture::new(member.video))));
        }
        for picture in &pictures {
            let listening = members.iter().filter(|member| member.video == picture.settings);
            picture.listeners.store(Arc::new(listening.map(|member| member.output.clone()).collect()));
            if picture.encoder.load().is_none() && now >= lock(&picture.failures).until {
                self.begin_picture(picture);
            }
        }
        let (before, mut sounds) = (self.sounds.load(), Vec::new());
        for member in members.iter() {
            let known = |sound: &&Arc<SoundTrack>| sound.settings == member.audio;
            if sounds.iter().any(|sound: &Arc<SoundTrack>| sound.settings == member.audio) {
                continue;
            }
            sounds.push(before.iter().find(known).cloned().unwrap_or_else(|| Arc::new(SoundTrack::new(member.audio))));
        }
        for sound in &sounds {
            let listening = members.iter().filter(|member| member.audio == sound.settings);
            sound.listeners.store(Arc::new(listening.map(|member| member.output.clone()).collect()));
            if sound.encoder.load().is_none() && now >= lock(&sound.failures).until {
                self.begin_sound(sound);
            }
        }
        let running = pictures.iter().filter_map(|picture| picture.encoder.load().as_ref().map(|_| picture.name()));
        let running = running.collect();
        self.pictures.store(Arc::new(pictures));
        self.sounds.store(Arc::new(sounds));
        running
    }

    fn begin_picture(self: &Arc<Self>, picture: &Picture) {
        let VideoSettings { width, height, fps, .. } = picture.settings;
        let idle = load::idle_cores();
        let speed = picture.settings.preset.unwrap_or_else(|| Speed::fitting((width, height), fps, idle));
        load::claim(speed.load((width, height), fps));
        let settings = picture.settings;
        let (listeners, failed) = (picture.listeners.clone(), Mutex::new(lock(&self.inputs).clone()));
        let started = Encoder::start(
            &format!("broadcast-{}-{width}x{height}", self.room),
            Recipe::Broadcast(settings, speed),
            &self.launches,
            move |unit| listeners.load().iter().for_each(|output| output.picture(&unit)),
            // Fails only when the room is over.
            move |error| drop(lock(&failed).send(Input::BroadcastFailed(settings, error))),
        );
        match started {
            Ok(encoder) => {
                info!(room = %self.room, picture = picture.name(), speed = speed.name(), idle, "broadcast encoder started");
                picture.encoder.store(Some(Arc::new(PictureEncoder { encoder, speed })));
            }
            Err(error) => {
                error!(room = %self.room, picture = picture.name(), %error, "no broadcast encoder");
                lock(&picture.failures).add(media_clock().now());
            }
        }
    }

    fn begin_sound(self: &Arc<Self>, sound: &SoundTrack) {
        let settings = sound.settings;
        let (listeners, failed) = (sound.listeners.clone(), Mutex::new(lock(&self.inputs).clone()));
        let started = SoundEncoder::start(
            &format!("broadcast-{}-sound-{}", self.room, settings.bitrate),
            settings,
            &self.launches,
            move |packet, caps| listeners.load().iter().for_each(|output| output.sound(packet, caps)),
            // Fails only when the room is over.
            move |error| drop(lock(&failed).send(Input::SoundFailed(settings, error))),
        );
        match started {
            Ok(encoder) => sound.encoder.store(Some(Arc::new(encoder))),
            Err(error) => {
                error!(room = %self.room, %error, "no encoder of the sound");
                lock(&sound.failures).add(media_clock().now());
            }
        }
    }

    /// Throws an encoder of the picture away; [`Broadcasts::rebalance`] makes a new one after a pause.
    pub(super) fn picture_failed(&self, settings: &VideoSettings, now: Duration) {
        let pictures = self.pictures.load();
        if let Some(picture) = pictures.iter().find(|picture| picture.settings == *settings) {
            picture.encoder.store(None);
            lock(&picture.failures).add(now);
            counter!("virfie_encoder_failures_total").increment(1);
        }
    }

    /// The same for the sound.
    pub(super) fn sound_failed(&self, settings: &AudioSettings, now: Duration) {
        let sounds = self.sounds.load();
        if let Some(sound) = sounds.iter().find(|sound| sound.settings == *settings) {
            sound.encoder.store(None);
            lock(&sound.failures).add(now);
            counter!("virfie_encoder_failures_total").increment(1);
        }
    }

    /// Settings whose encoders take frames and give nothing.
    pub(super) fn hung(&self, now: Duration) -> Vec<VideoSettings> {
        let hangs = |picture: &&Arc<Picture>| {
            picture.encoder.load().as_ref().is_some_and(|running| running.encoder.is_hung(now))
        };
        self.pictures.load().iter().filter(hangs).map(|picture| picture.settings).collect()
    }

    /// Counts the time that encoders have taken so far for nothing: the whole process may have been stopped.
    pub(super) fn forgive(&self) {
        for picture in self.pictures.load().iter() {
            picture.encoder.load().iter().for_each(|running| running.encoder.forgive());
        }
    }

    /// Counts the frames that running encoders had no time for.
    pub(super) fn dropped(&self) -> u64 {
        let pictures = self.pictures.load();
        pictures.iter().filter_map(|picture| picture.encoder.load_full()).map(|running| running.encoder.dropped()).sum()
    }

    /// Lets go of every output and encoder: the room is over.
    pub(super) fn clear(&self) {
        lock(&self.members).clear();
        // Encoders hold their listeners.
        for picture in self.pictures.swap(Arc::default()).iter() {
            picture.listeners.store(Arc::default());
        }
        for sound in self.sounds.swap(Arc::default()).iter() {
            sound.listeners.store(Arc::default());
        }
    }
}

impl Picture {
    fn new(settings: VideoSettings) -> Self {
        Self { settings, encoder: ArcSwapOption::default(), listeners: Arc::default(), failures: Mutex::default() }
    }

    fn name(&self) -> String {
        let VideoSettings { width, height, fps, bitrate, .. } = self.settings;
        format!("h264 {width}x{height} at {fps} fps, {bitrate} kbit/s")
    }
}

impl SoundTrack {
    fn new(settings: AudioSettings) -> Self {
        Self { settings, encoder: ArcSwapOption::default(), listeners: Arc::default(), failures: Mutex::default() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
