//! The encodings for outputs: the program or a picture beside it, and the mix, as each asks for them, encoded once for
//! equal settings.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use gstreamer as gst;
use metrics::counter;
use parking_lot::Mutex;
use tracing::{error, info};

use super::{
    Input,
    failures::Failures,
    program::Canvas,
    tally::{Held, Tally},
};
use crate::media::{
    compose::clock::CanvasFormat,
    encode::{Encoder, Recipe, sound::SoundEncoder},
    gst::{clock::media_clock, launch::Launches, load},
    output::worker::Output,
    port::{AudioSettings, AuxId, OutputId, Speed, VideoSettings, Wishes},
};

/// Number of formats of frames that are kept in mind: more than a room has pictures at once.
const FORMATS: usize = 8;

/// Those who get what one encoder makes.
type Listeners = ArcSwap<Vec<Arc<Output>>>;

/// An output, and what it asks for.
struct Member {
    id: OutputId,
    output: Arc<Output>,
    wishes: Wishes,
    /// Of which picture; `None`: the program.
    aux: Option<AuxId>,
    /// Of its canvas as it is; `None` while that is unknown.
    video: Option<VideoSettings>,
}

impl Member {
    fn picture(&self) -> Option<PictureKey> {
        Some(PictureKey { aux: self.aux.clone(), settings: self.video? })
    }
}

/// The picture that an encoder encodes, and its settings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PictureKey {
    /// `None`: the program.
    aux: Option<AuxId>,
    settings: VideoSettings,
}

/// A running encoder of the picture.
struct PictureEncoder {
    encoder: Encoder,
    speed: Speed,
    _held: Held,
}

/// The parts that outputs of equal settings share: an encoder, and those who get what it makes.
struct Track<S, E> {
    settings: S,
    encoder: ArcSwapOption<E>,
    listeners: Arc<Listeners>,
    failures: Mutex<Failures>,
}

type Picture = Track<PictureKey, PictureEncoder>;
type SoundTrack = Track<AudioSettings, (SoundEncoder, Held)>;
type Tracks<S, E> = ArcSwap<Vec<Arc<Track<S, E>>>>;

impl<S: Clone + PartialEq, E> Track<S, E> {
    /// Makes the tracks those that are wanted, with their listeners; those that are there already stay.
    fn settle(tracks: &Tracks<S, E>, members: &[Member], wanted: impl Fn(&Member) -> Option<S>) -> Arc<Vec<Arc<Self>>> {
        let (before, mut after) = (tracks.load(), Vec::<Arc<Self>>::new());
        for settings in members.iter().filter_map(&wanted) {
            if after.iter().all(|track| track.settings != settings) {
                let known = before.iter().find(|track| track.settings == settings).cloned();
                after.push(known.unwrap_or_else(|| Arc::new(Self::new(settings))));
            }
        }
        for track in &after {
            let listening = members.iter().filter(|member| wanted(member).as_ref() == Some(&track.settings));
            track.listeners.store(Arc::new(listening.map(|member| member.output.clone()).collect()));
        }
        let after = Arc::new(after);
        tracks.store(after.clone());
        after
    }

    fn new(settings: S) -> Self {
        Self { settings, encoder: ArcSwapOption::default(), listeners: Arc::default(), failures: Mutex::default() }
    }

    /// Returns whether an encoder is to be made.
    fn is_due(&self, now: Duration) -> bool {
        self.encoder.load().is_none() && now >= self.failures.lock().until
    }

    /// Throws an encoder away; [`Broadcasts::rebalance`] makes a new one after a pause.
    fn failed(tracks: &Tracks<S, E>, settings: &S, now: Duration) {
        if let Some(track) = tracks.load().iter().find(|track| track.settings == *settings) {
            track.encoder.store(None);
            track.failures.lock().add(now);
            counter!("virfie_encoder_failures_total").increment(1);
        }
    }

    /// Lets go of all tracks. Encoders hold their listeners.
    fn clear(tracks: &Tracks<S, E>) {
        tracks.swap(Arc::default()).iter().for_each(|track| track.listeners.store(Arc::default()));
    }
}

/// Outputs and their encoders. Frames come from the clock's thread, sound from the desk's, changes from the room's.
pub(super) struct Broadcasts {
    room: Arc<str>,
    launches: Launches,
    inputs: Mutex<Sender<Input>>,
    members: Mutex<Vec<Member>>,
    pictures: Tracks<PictureKey, PictureEncoder>,
    sounds: Tracks<AudioSettings, (SoundEncoder, Held)>,
    tally: Tally,
    /// Whether an encoder is needed that must wait until others have ended.
    waits: AtomicBool,
    /// Of the frames so far; each picture has one format at a time.
    caps: Mutex<Vec<(CanvasFormat, gst::Caps)>>,
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
            tally: Tally::default(),
            waits: AtomicBool::new(false),
            caps: Mutex::default(),
        }
    }

    /// Gives a composed frame, of the program or of a picture beside it, to every running encoder of that.
    pub(super) fn frame(&self, aux: Option<&AuxId>, frame: &gst::Buffer, format: CanvasFormat) {
        let pictures = self.pictures.load();
        let mut caps = None;
        for picture in pictures.iter().filter(|picture| picture.settings.aux.as_ref() == aux) {
            if let Some(running) = picture.encoder.load().as_ref() {
                running.encoder.push(frame, caps.get_or_insert_with(|| self.caps(format)));
            }
        }
    }

    /// Returns the caps of a format, made once.
    fn caps(&self, format: CanvasFormat) -> gst::Caps {
        let mut known = self.caps.lock();
        if let Some((_, caps)) = known.iter().find(|(of, _)| *of == format) {
            return caps.clone();
        }
        if known.len() == FORMATS {
            known.remove(0);
        }
        let caps = format.caps();
        known.push((format, caps.clone()));
        caps
    }

    /// Gives a block of the mix to every running encoder.
    pub(super) fn block(&self, samples: &[[f32; 2]], pts: Duration) {
        for sound in self.sounds.load().iter() {
            if let Some((encoder, _)) = sound.encoder.load().as_deref() {
                encoder.push(samples, pts);
            }
        }
    }

    /// Adds an output. The caller rebalances.
    pub(super) fn add(&self, id: OutputId, output: Output, wishes: Wishes, aux: Option<AuxId>) {
        self.members.lock().push(Member { id, output: Arc::new(output), wishes, aux, video: None });
    }

    /// Has an output get something else. The caller rebalances.
    pub(super) fn change(&self, id: &OutputId, wishes: Wishes, aux: Option<AuxId>) {
        if let Some(member) = self.members.lock().iter_mut().find(|member| member.id == *id) {
            (member.wishes, member.aux) = (wishes, aux);
        }
    }

    /// Pauses an output, or has it go on.
    pub(super) fn pause(&self, id: &OutputId, paused: bool) {
        self.members.lock().iter().filter(|member| member.id == *id).for_each(|member| member.output.pause(paused));
    }

    /// Names this moment in all outputs that keep it.
    pub(super) fn mark(&self, name: &Arc<str>) {
        self.members.lock().iter().for_each(|member| member.output.mark(name));
    }

    /// Ends an output. The caller rebalances.
    pub(super) fn remove(&self, id: &OutputId) {
        self.members.lock().retain(|member| member.id != *id);
    }

    /// Returns how much work the encoder of an output's picture does.
    pub(super) fn speed(&self, id: &OutputId) -> Option<Speed> {
        let key = self.members.lock().iter().find(|member| member.id == *id)?.picture()?;
        let pictures = self.pictures.load();
        let picture = pictures.iter().find(|picture| picture.settings == key)?;
        picture.encoder.load().as_ref().map(|running| running.speed)
    }

    /// Has the picture of an output begin again, where its settings are of those who may ask for that.
    pub(super) fn request_keyframe(&self, id: &OutputId) {
        let key = self.members.lock().iter().find(|member| member.id == *id).and_then(Member::picture);
        let Some(key) = key.filter(|key| key.settings.low_delay) else { return };
        let pictures = self.pictures.load();
        let picture = pictures.iter().find(|picture| picture.settings == key);
        if let Some(running) = picture.and_then(|picture| picture.encoder.load_full()) {
            running.encoder.request_keyframe();
        }
    }

    /// Starts the encoders that outputs need and stops the others. `canvas` gives that of the program, or of a picture
    /// beside it, if there is one. Returns what runs, in words, and of which picture.
    pub(super) fn rebalance(&self, canvas: impl Fn(Option<&AuxId>) -> Option<Canvas>) -> Vec<(Option<AuxId>, String)> {
        let now = media_clock().now();
        let mut members = self.members.lock();
        for member in members.iter_mut() {
            let before = member.picture();
            member.video = canvas(member.aux.as_ref()).map(|canvas| member.wishes.video(canvas));
            if let Some(video) = member.video {
                member.output.set_video(video);
            }
            if before.is_some() && member.picture() != before {
                member.output.begin_again();
            }
        }
        let pictures = Track::settle(&self.pictures, &members, Member::picture);
        self.waits.store(false, Ordering::Relaxed);
        let may_begin = || {
            !self.tally.is_full() || {
                self.waits.store(true, Ordering::Relaxed);
                false
            }
        };
        pictures
            .iter()
            .filter(|picture| picture.is_due(now) && may_begin())
            .for_each(|picture| self.begin_picture(picture));
        let sounds = Track::settle(&self.sounds, &members, |member| Some(member.wishes.audio()));
        sounds.iter().filter(|sound| sound.is_due(now) && may_begin()).for_each(|sound| self.begin_sound(sound));
        let running = pictures.iter().filter(|picture| picture.encoder.load().is_some());
        running.map(|picture| (picture.settings.aux.clone(), picture.name())).collect()
    }

    /// Returns whether [`Broadcasts::rebalance`] is due again soon: encoders that are over still end.
    pub(super) fn waits(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    fn begin_picture(&self, picture: &Picture) {
        let (key, settings) = (picture.settings.clone(), picture.settings.settings);
        let VideoSettings { width, height, fps, .. } = settings;
        let idle = load::idle_cores();
        let speed = settings.preset.unwrap_or_else(|| Speed::fitting((width, height), fps, idle));
        load::claim(speed.load((width, height), fps));
        let (listeners, failed) = (picture.listeners.clone(), Mutex::new(self.inputs.lock().clone()));
        let (held, alive) = self.tally.begin();
        let started = Encoder::start(
            &format!("broadcast-{}-{width}x{height}", self.room),
            Recipe::Broadcast(settings, speed),
            &self.launches,
            move |unit| {
                // It ends with the pipeline.
                let _alive = &alive;
                listeners.load().iter().for_each(|output| output.picture(&unit));
            },
            // Fails only when the room is over.
            move |error| drop(failed.lock().send(Input::BroadcastFailed(key.clone(), error))),
        );
        match started {
            Ok(encoder) => {
                info!(room = %self.room, picture = picture.name(), speed = speed.name(), idle, "broadcast encoder started");
                picture.encoder.store(Some(Arc::new(PictureEncoder { encoder, speed, _held: held })));
            }
            Err(error) => {
                error!(room = %self.room, picture = picture.name(), %error, "a broadcast encoder cannot be made");
                picture.failures.lock().add(media_clock().now());
            }
        }
    }

    fn begin_sound(&self, sound: &SoundTrack) {
        let settings = sound.settings;
        let (listeners, failed) = (sound.listeners.clone(), Mutex::new(self.inputs.lock().clone()));
        let (held, alive) = self.tally.begin();
        let started = SoundEncoder::start(
            &format!("broadcast-{}-sound-{}", self.room, settings.bitrate),
            settings,
            &self.launches,
            move |packet, caps| {
                // As above.
                let _alive = &alive;
                listeners.load().iter().for_each(|output| output.sound(packet, caps));
            },
            // Fails only when the room is over.
            move |error| drop(failed.lock().send(Input::SoundFailed(settings, error))),
        );
        match started {
            Ok(encoder) => sound.encoder.store(Some(Arc::new((encoder, held)))),
            Err(error) => {
                error!(room = %self.room, %error, "an encoder of the sound cannot be made");
                sound.failures.lock().add(media_clock().now());
            }
        }
    }

    /// Throws an encoder of the picture away; see [`Track::failed`].
    pub(super) fn picture_failed(&self, key: &PictureKey, now: Duration) {
        Track::failed(&self.pictures, key, now);
    }

    /// Does the same for the sound.
    pub(super) fn sound_failed(&self, settings: &AudioSettings, now: Duration) {
        Track::failed(&self.sounds, settings, now);
    }

    /// Returns what encoders encode that take frames and give nothing.
    pub(super) fn hung(&self, now: Duration) -> Vec<PictureKey> {
        let hangs = |picture: &&Arc<Picture>| {
            picture.encoder.load().as_ref().is_some_and(|running| running.encoder.is_hung(now))
        };
        self.pictures.load().iter().filter(hangs).map(|picture| picture.settings.clone()).collect()
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
        self.members.lock().clear();
        Track::clear(&self.pictures);
        Track::clear(&self.sounds);
    }
}

impl Picture {
    fn name(&self) -> String {
        let VideoSettings { width, height, fps, bitrate, .. } = self.settings.settings;
        format!("h264 {width}x{height} at {fps} fps, {bitrate} kbit/s")
    }
}
