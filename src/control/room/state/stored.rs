//! Stored layouts, and what of the room outlives the process.

use std::sync::Arc;

use super::{
    Drawn, Effect, Now, State, Timers,
    record::{Past, RoomRecord},
    scenes::{SceneName, Scenes},
    view::{Event, Settings},
};
use crate::layout::{Data, Scene};

impl State {
    /// Returns the stored scenes.
    pub fn scenes(&self) -> &Scenes {
        &self.scenes
    }

    /// Sets other scenes from now on. What the canvas shows stays.
    pub fn set_scenes(&mut self, scenes: Scenes) {
        self.stored = true;
        self.revision.0 += 1;
        self.take_scenes(scenes);
    }

    fn take_scenes(&mut self, scenes: Scenes) {
        self.scenes = scenes;
        self.settle_aux_pictures();
        let event = Event::ScenesChanged {
            revision: self.revision.0,
            scenes: self.scenes.names(),
            active_scene: self.scenes.active(&self.scene),
        };
        self.effects.push(Effect::Event(event));
    }

    /// Shows a scene of the list: `layout` is what it becomes in this room, with its images.
    pub fn activate(&mut self, name: &SceneName, layout: Arc<Scene>, drawn: Drawn) {
        // Before the layout, whose event names the active scene.
        self.scenes.set_active(name);
        self.set_layout(layout, drawn);
        self.effects.push(Effect::Event(Event::SceneActivated { revision: self.revision.0, name: name.shared() }));
    }

    /// Sets other scenes from now on, of which this one is shown: `layout` is what it becomes in this room.
    pub fn set_scenario(&mut self, scenes: Scenes, first: &SceneName, layout: Arc<Scene>, drawn: Drawn) {
        self.scenes = scenes;
        self.activate(first, layout, drawn);
        self.take_scenes(self.scenes.clone());
    }

    /// Makes the room another: settings, layout with its images, scenes, data and timers. What is `None` stays.
    pub fn import(
        &mut self,
        settings: Settings,
        layout: Option<(Arc<Scene>, Drawn)>,
        scenes: Option<Scenes>,
        words: (Option<Data>, Option<Timers>),
        now: Now,
    ) {
        self.stored = true;
        self.revision.0 += 1;
        // Before the event that has the whole room.
        self.take_words(words.0, words.1, now);
        self.take_settings(settings, layout);
        if let Some(scenes) = scenes {
            self.take_scenes(scenes);
        }
    }

    /// Returns what of the room can be kept.
    pub fn record(&self) -> RoomRecord {
        RoomRecord {
            settings: self.settings.clone(),
            scene: Arc::clone(&self.scene),
            past: Past {
                revision: self.revision,
                created_at: self.created_at,
                scenes: self.scenes.clone(),
                outputs: self.outputs.iter().map(|sending| (sending.kept(), sending.spec.clone())).collect(),
                data: self.data.clone(),
                timers: self.timers.clone(),
                bans: self.bans.clone(),
            },
        }
    }

    /// Returns whether the room is to be there after a restart.
    pub fn is_stored(&self) -> bool {
        self.stored
    }

    /// Counts the changes of data and timers.
    pub fn words_changed(&self) -> u64 {
        self.words_changed
    }

    /// Puts the data and timers of now into a record of the room in which all else is of now.
    pub fn record_words(&self, record: &mut RoomRecord) {
        record.past.data = self.data.clone();
        record.past.timers = self.timers.clone();
    }

    /// Returns whether the room has changed since it was last kept.
    pub fn is_unkept(&self) -> bool {
        self.is_more_than_words_unkept() || self.stored && self.words_kept != self.words_changed
    }

    /// Returns whether what has changed since is more than data and timers, which change often.
    pub fn is_more_than_words_unkept(&self) -> bool {
        self.stored && (self.kept != Some(self.revision) || self.others_kept != self.others_changed)
    }

    /// Returns what is to be kept now, if that has changed since the last call.
    pub fn take_unkept(&mut self) -> Option<RoomRecord> {
        if !self.is_unkept() {
            return None;
        }
        self.kept = Some(self.revision);
        (self.others_kept, self.words_kept) = (self.others_changed, self.words_changed);
        Some(self.record())
    }

    /// Returns whether the room has ended and nothing of it is to be kept, although something was.
    pub fn is_to_be_forgotten(&self) -> bool {
        self.has_ended() && !self.stored && self.kept.is_some()
    }
}
