//! A room as a plain value: every input changes it and leaves [`Effect`]s to be carried out. PURE: time comes in as
//! [`Now`], random names come in with the inputs that need them.
//!
//! Its inputs, by what they are about:
//!
//! - `people`: joining, leaving, taking over, moderation. [`ban`]: who is kept out.
//! - `peers`: connections, of participants and of viewers.
//! - `media`: what the room's media begins with, and what its end means for those in the room.
//! - `news`: what the media reports.
//! - `boxes`: where everything stands, for those who arrange it.
//! - `triggers`: what triggers of the layout do beyond the picture.
//! - `outputs`, `aux_pictures`: where the room is sent, and what outputs show beside the program.
//! - [`budget`]: the most that outputs may have encoded.
//! - `stored`: scenes, and what of the room outlives the process.
//! - `words`: what texts say, and the data, timers and chat that they show.
//!
//! Its parts:
//!
//! - [`participant`], [`stage`], [`output`], [`scenes`], [`photo`], [`aux_picture`], [`spotlight`], [`name`], [`revision`];
//!   `output_keys`: which keys each type of output has.
//! - [`data`], [`timer`], [`chat`]: what texts show.
//! - [`change`], [`record`]: what requests want to change, and the room as one document.
//! - [`view`], [`health`], [`pose`], [`gathering`], [`note`]: what others see and hear of it; `redact`: what not all of
//!   them do.

pub mod aux_picture;
mod aux_pictures;
pub mod ban;
mod boxes;
pub mod budget;
pub mod change;
pub mod chat;
pub mod data;
pub mod gathering;
pub mod health;
mod media;
pub mod name;
mod news;
pub mod note;
pub mod output;
mod output_keys;
mod outputs;
pub mod participant;
mod peers;
mod people;
pub mod photo;
pub mod pose;
pub mod record;
mod redact;
pub mod scenes;
pub mod spotlight;
pub mod stage;
mod stored;
#[cfg(test)]
mod tests;
pub mod timer;
mod triggers;
pub mod view;
mod words;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::Value;

use self::{
    aux_pictures::AuxPicture,
    ban::KeptBan,
    boxes::BoxNews,
    budget::Budget,
    chat::Chat,
    health::Health,
    name::RoomName,
    note::{Closing, Note},
    output::OutputEntry,
    participant::Member,
    photo::Photos,
    pose::ParticipantPoses,
    record::Past,
    scenes::{SceneChoice, Scenes},
    spotlight::Spotlight,
    timer::Timer,
    view::{EndReason, Event, RoomState, RoomSummary, Segmentation, Settings},
    words::{Drawings, Filling},
};
pub use self::{
    boxes::BOXES_PERIOD,
    peers::{Reception, Resource, ResourceKind, Viewer},
    people::{Arrival, Place},
    words::{Drawn, Words},
};
use super::{error::RoomError, revision::Revision};
use crate::{
    layout::{AutoMode, Data, Scene},
    media::port::{self, AuxId, Image, MediaCommand, OutputId, PeerId, Picture, Seat},
};

/// Time by which a room that stores nothing outlives the last one who left: long enough for a page that is reloaded by
/// the only one in it.
pub const IDLE_LIFE: Duration = Duration::from_secs(30);

/// Bytes of all images of one layout, decoded: they stay in memory for as long as it shows them.
pub const MAX_IMAGE_BYTES: usize = 512 << 20;

/// Most outputs that a room may have. Each is a connection and a pipeline of its own.
pub const MAX_OUTPUTS: usize = 16;

/// Most viewers that a room may have. Each costs packetising and encrypting the whole stream.
pub const MAX_VIEWERS: usize = 500;

/// Most viewers of a room who may come with the same token: others shall find room as well.
pub const MAX_VIEWERS_OF_TOKEN: usize = 400;

/// Most connections of a room's viewers that may be in the making with the same token.
pub const MAX_CONNECTING_OF_TOKEN: usize = 32;

/// Most connections of a room's viewers that may be in the making with any token. Beyond, one of the token that has the
/// most is given up for a new one.
pub const MAX_CONNECTING: usize = 128;

/// A room's timers, by id.
pub type Timers = BTreeMap<Arc<str>, Timer>;

/// The time of an input: one clock to measure with, one to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Never jumps.
    pub clock: Instant,
    /// The time of day.
    pub wall: Timestamp,
}

/// Something that an input causes outside the room's state, in order.
#[derive(Debug)]
pub enum Effect {
    /// An order to the media.
    Media(MediaCommand),
    /// News for everyone who listens.
    Event(Event),
    /// A note for one session socket, if this connection has one.
    Notify(PeerId, Note),
    /// Close a session socket, if this connection has one.
    Close(PeerId, Closing),
    /// Work whose files have to be decoded first.
    Job(Job),
    /// Draw what texts should say, of the program or of a picture beside it.
    Words(Option<AuxId>),
}

/// The work that is done as soon as the files for it are decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Show this scene.
    Show(SceneChoice, Asker),
    /// Play this sound once.
    Play(Arc<str>),
    /// Play this music from now on; `None`: none.
    Music(Option<Arc<str>>),
    /// Decode the images of the layout that the room begins with.
    Images,
    /// Decode the images of a picture beside the program.
    AuxImages(AuxId),
}

/// The thing in a room that asks for a scene by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// One that may ask again soon.
    Trigger,
    /// One that asks once, at its end.
    Timer,
}

/// The values that a room begins with.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// Its name.
    pub name: RoomName,
    /// Its settings.
    pub settings: Settings,
    /// Its layout.
    pub scene: Arc<Scene>,
    /// The abilities of the machine's model.
    pub segmentation: port::Segmentation,
    /// The most that its outputs may have encoded.
    pub budget: Budget,
    /// Of a room that was stored before this start.
    pub past: Option<Past>,
}

/// A room.
#[derive(Debug)]
pub struct State {
    name: RoomName,
    settings: Settings,
    scene: Arc<Scene>,
    /// The same as it is shown: with what its texts say.
    filled: Arc<Scene>,
    filling: Filling,
    drawings: Drawings,
    images: Vec<Image>,
    data: Data,
    timers: Timers,
    chat: Chat,
    /// Number of those who watch, and whether nobody is in, as texts were last filled in for.
    heads: (usize, bool),
    /// Moment at which the system's time was last compared with the clock that nobody sets.
    compared_at: Now,
    scenes: Scenes,
    revision: Revision,
    created_at: Timestamp,
    /// Someone configured the room: it stays when everybody has left.
    stored: bool,
    /// The revision that was last handed out to be kept.
    kept: Option<Revision>,
    /// In order of joining.
    members: Vec<Member>,
    bans: Vec<KeptBan>,
    spotlight: Spotlight,
    box_news: BoxNews,
    viewers: Vec<Viewer>,
    outputs: Vec<OutputEntry>,
    /// Runs that the media was asked to end and has not reported as ended, and since when.
    outputs_ending: HashMap<OutputId, Instant>,
    aux_pictures: Vec<AuxPicture>,
    /// Counts changes of what is kept of outputs and bans, and up to which they were kept.
    others_changed: u64,
    others_kept: u64,
    /// The same of data and timers.
    words_changed: u64,
    words_kept: u64,
    photos: Photos,
    /// The name of the music that plays.
    music: Option<Arc<str>>,
    /// Moment at which a trigger last switched scenes.
    switched_at: Option<Instant>,
    /// Moment at which a room that stores nothing ends.
    ends_at: Option<Instant>,
    ended: Option<EndReason>,
    segmentation: port::Segmentation,
    budget: Budget,
    health: port::Health,
    loudness: port::Loudness,
    rebuilds: u32,
    rebuilt_because: Option<Arc<str>>,
    /// The media takes connections.
    media_open: bool,
    effects: Vec<Effect>,
}

impl State {
    /// Creates a new, empty room.
    pub fn new(beginning: Beginning, now: Now) -> Self {
        let Beginning { name, settings, scene, segmentation, budget, past } = beginning;
        let kept = past.as_ref().map(|past| past.revision);
        let Past { revision, created_at, scenes, outputs, data, timers, bans } =
            past.unwrap_or_else(|| Past::none(now.wall));
        let mut state = Self {
            name,
            settings,
            filled: Arc::clone(&scene),
            // Its images come, and with them what its texts say.
            filling: Filling::of(&scene, false),
            drawings: Drawings::new(),
            scene,
            images: Vec::new(),
            data,
            timers,
            chat: Chat::default(),
            heads: (0, true),
            compared_at: now,
            scenes,
            revision,
            created_at,
            stored: kept.is_some(),
            kept,
            members: Vec::new(),
            bans,
            spotlight: Spotlight::default(),
            box_news: BoxNews::default(),
            viewers: Vec::new(),
            outputs: Vec::new(),
            outputs_ending: HashMap::new(),
            aux_pictures: Vec::new(),
            others_changed: 0,
            others_kept: 0,
            words_changed: 0,
            words_kept: 0,
            photos: Photos::default(),
            music: None,
            switched_at: None,
            ends_at: kept.is_none().then_some(now.clock + IDLE_LIFE),
            ended: None,
            segmentation,
            budget,
            health: port::Health::default(),
            loudness: port::Loudness::default(),
            rebuilds: 0,
            rebuilt_because: None,
            media_open: true,
            effects: Vec::new(),
        };
        state.restore_outputs(outputs, now);
        state.choose_music();
        state
    }

    /// Returns the effects since the last call, in order.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Returns the room's name.
    pub fn name(&self) -> &RoomName {
        &self.name
    }

    /// Returns the revision now.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Returns the layout now.
    pub fn scene(&self) -> &Arc<Scene> {
        &self.scene
    }

    /// Returns the settings now.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns what the machine can do.
    pub fn segmentation(&self) -> &port::Segmentation {
        &self.segmentation
    }

    /// Returns whether the room is over.
    pub fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Returns why the room is over; `None` while it is not.
    pub fn end_reason(&self) -> Option<EndReason> {
        self.ended
    }

    /// Returns whether nobody is in and nothing is sent.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.viewers.is_empty() && self.outputs.is_empty()
    }

    /// Returns how many participants and viewers there are.
    pub fn head_count(&self) -> (usize, usize) {
        (self.members.len(), self.viewers.len())
    }

    /// Returns the whole room, as others see it.
    pub fn describe(&self) -> RoomState {
        let layout = self.scene.to_json();
        let canvas = layout.get("canvas").cloned().unwrap_or(Value::Null);
        RoomState {
            room: self.name.shared(),
            revision: self.revision.0,
            settings: self.settings.clone(),
            canvas,
            layout,
            boxes: self.boxes(),
            scenes: self.scenes.names(),
            active_scene: self.scenes.active(&self.scene),
            participants: self.members.iter().map(Member::view).collect(),
            viewers: self.viewers.len(),
            viewer_deliveries: self.viewers.iter().filter_map(|viewer| viewer.receiver.delivery.clone()).collect(),
            outputs: self.outputs(),
            data: self.data(),
            timers: self.timers(),
            loudness: self.loudness.into(),
            segmentation: Segmentation::new(&self.segmentation, &self.health),
            health: Health {
                rebuilds: self.rebuilds,
                rebuilt_because: self.rebuilt_because.clone(),
                ..Health::from(&self.health)
            },
            warnings: Vec::new(),
        }
    }

    /// Returns one line of the list of rooms.
    pub fn summary(&self) -> RoomSummary {
        RoomSummary {
            room: self.name.shared(),
            revision: self.revision.0,
            participants: self.members.len(),
            viewers: self.viewers.len(),
            outputs: self.outputs.len(),
            created_at: self.created_at,
        }
    }

    /// Takes what the media measured and what the machine can do, to be shown from now on.
    pub fn set_health(&mut self, health: port::Health, segmentation: port::Segmentation) {
        self.box_news.due |= self.segmentation.model.is_some() != segmentation.model.is_some();
        self.health = health;
        self.segmentation = segmentation;
    }

    /// Returns how loud the mix is.
    pub fn loudness(&self) -> port::Loudness {
        self.loudness
    }

    /// Returns whether the media can be asked for poses.
    ///
    /// # Errors
    /// [`RoomError::Unavailable`] where no model finds keypoints, [`RoomError::KeypointsOff`].
    pub fn check_poses(&self) -> Result<(), RoomError> {
        match pose::why_none(&self.segmentation) {
            Some(why) => Err(RoomError::Unavailable(why)),
            None if !self.settings.keypoints => Err(RoomError::KeypointsOff),
            None => Ok(()),
        }
    }

    /// Returns what the media found, by the names of those who are still in, and on air.
    pub fn name_poses(&self, found: &[port::ParticipantPoses]) -> Vec<ParticipantPoses> {
        self.members.iter().filter(|member| member.is_on_air()).filter_map(|member| member.poses(found)).collect()
    }

    /// Keeps the room when everybody has left.
    pub fn store(&mut self) {
        self.stored = true;
    }

    /// Shows another layout, whole, with its images.
    pub fn set_layout(&mut self, scene: Arc<Scene>, drawn: Drawn) {
        let canvas_changed = self.scene.canvas != scene.canvas;
        self.take_layout(scene, drawn);
        self.stored = true;
        self.revision.0 += 1;
        self.show();
        if canvas_changed {
            self.settle_aux_pictures();
        }
        self.report_layout();
        if canvas_changed {
            self.report_room();
        }
    }

    /// Takes the images of the room's first layout, which are decoded while the room already runs. Late ones, after
    /// a change of the layout, are dropped.
    pub fn set_first_images(&mut self, drawn: Drawn, of: &Arc<Scene>) {
        if Arc::ptr_eq(of, &self.scene) && (!drawn.images.is_empty() || drawn.filled.is_some()) {
            self.take_layout(Arc::clone(of), drawn);
            self.show();
        }
    }

    fn take_layout(&mut self, scene: Arc<Scene>, drawn: Drawn) {
        self.filled = drawn.filled.unwrap_or_else(|| Arc::clone(&scene));
        self.filling = Filling::of(&scene, true);
        self.scene = scene;
        self.images = drawn.images;
    }

    /// Changes settings, and the layout where its canvas was changed.
    pub fn set_settings(&mut self, settings: Settings, layout: Option<(Arc<Scene>, Drawn)>) {
        self.stored = true;
        if settings == self.settings && layout.is_none() {
            return;
        }
        self.revision.0 += 1;
        self.take_settings(settings, layout);
    }

    fn take_settings(&mut self, settings: Settings, layout: Option<(Arc<Scene>, Drawn)>) {
        if settings.hold_ms != self.settings.hold_ms {
            let hold = Duration::from_millis(settings.hold_ms);
            self.effects.push(Effect::Media(MediaCommand::SetHold(hold)));
        }
        if settings.keypoints != self.settings.keypoints {
            self.effects.push(Effect::Media(MediaCommand::SetKeypoints(settings.keypoints)));
        }
        self.settings = settings;
        if let Some((scene, drawn)) = layout {
            self.take_layout(scene, drawn);
            self.show();
            self.settle_aux_pictures();
            self.report_layout();
        }
        self.report_room();
    }

    /// Ends the room: every connection is closed, nothing is taken any more.
    pub fn end(&mut self, why: &Closing) {
        if self.has_ended() {
            return;
        }
        let is_shutdown = *why == Closing::Shutdown;
        self.ended = Some(if is_shutdown { EndReason::Shutdown } else { EndReason::Ended });
        // The end of the server is not an end of the room.
        self.stored &= is_shutdown;
        let peers: Vec<PeerId> = self.members.iter().filter_map(Member::peer).collect();
        self.effects.push(Effect::Event(Event::RoomEnded));
        self.effects.extend(peers.into_iter().map(|peer| Effect::Close(peer, why.clone())));
        // The media itself ends when the room's task drops it: no order is needed for each part.
    }

    /// Returns when [`State::tick`] has something to do next.
    pub fn deadline(&self, now: Now) -> Option<Instant> {
        let held = self.members.iter().filter_map(Member::held_until).min();
        let bearers = self.members.iter().map(|member| &member.bearer);
        let bearers = bearers.chain(self.viewers.iter().map(|viewer| &viewer.bearer));
        let expires = bearers.filter_map(|bearer| bearer.as_ref()?.until).min();
        let others = [self.ends_at, self.spotlight.deadline(), self.boxes_deadline(), self.words_deadline(now)];
        others.into_iter().chain([held, expires]).flatten().min()
    }

    /// Does what time brings: lost participants are dropped, the one who speaks is shown large, timers end, clocks go on,
    /// those who arrange the room hear where everything stands, an idle room ends. To be called after every input too.
    pub fn tick(&mut self, now: Now) {
        self.drop_expired(now);
        self.drop_lost(now);
        let people = self.members.iter().filter(|member| member.is_shown());
        let heard = people.map(|member| (&member.id, member.speaking && !member.muted));
        if self.spotlight.look(heard, now.clock) {
            if self.scene.auto.mode == AutoMode::Spotlight {
                self.show();
            } else {
                self.show_aux_pictures();
            }
        }
        self.end_timers(now);
        self.settle_words(now);
        self.report_boxes(now);
        if self.stored || !self.is_empty() {
            self.ends_at = None;
            return;
        }
        let ends_at = *self.ends_at.get_or_insert(now.clock + IDLE_LIFE);
        if now.clock >= ends_at {
            self.end(&Closing::RoomEnded);
        }
    }

    /// Hands the picture to the media.
    fn show(&mut self) {
        self.choose_music();
        self.box_news.due = true;
        self.change_words();
        let picture = self.picture();
        self.effects.push(Effect::Media(MediaCommand::SetPicture(picture)));
        self.show_aux_pictures();
    }

    fn picture(&self) -> Picture {
        self.picture_of(Arc::clone(&self.filled), self.images.clone())
    }

    /// Returns a layout with the people who are in.
    fn picture_of(&self, scene: Arc<Scene>, images: Vec<Image>) -> Picture {
        let seat = |member: &Member| Seat { participant: member.id.clone(), name: Arc::clone(&member.name) };
        let people = self.members.iter().filter(|member| member.is_shown()).map(seat).collect();
        Picture { scene, people, speakers: self.spotlight.order().to_vec(), images }
    }

    fn report_layout(&mut self) {
        let event = Event::LayoutChanged {
            revision: self.revision.0,
            layout: self.scene.to_json(),
            boxes: self.sent_boxes(),
            active_scene: self.scenes.active(&self.scene),
        };
        self.effects.push(Effect::Event(event));
    }

    fn report_room(&mut self) {
        let event = Event::snapshot(self.introduce());
        self.effects.push(Effect::Event(event));
    }
}
