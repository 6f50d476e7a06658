//! The effects of triggers of the layout beyond the picture.

use std::{sync::Arc, time::Duration};

use super::{
    Asker, Effect, Job, Now, State,
    photo::{Photo, Photos},
    scenes::SceneChoice,
    view::Event,
};
use crate::{
    layout::{Trigger, trigger::Action},
    media::port::{Frame, ParticipantId},
};

/// Triggers switch scenes no more often: two scenes that switch to each other must not flicker.
const SWITCH_PAUSE: Duration = Duration::from_secs(1);

impl State {
    /// Notes that a trigger fired. One that the layout does not have any more does nothing, also where another one has
    /// its id now.
    pub(super) fn trigger_fired(&mut self, trigger: &Trigger, participants: &[ParticipantId], now: Now) {
        if !self.scene.triggers.contains(trigger) {
            return;
        }
        let events = trigger.actions.iter().filter_map(|action| match action {
            Action::Event(action) => Some(action.event.as_str().into()),
            _ => None,
        });
        let participants = participants.iter().map(|id| Arc::clone(&id.0)).collect();
        let event = Event::TriggerFired { trigger: trigger.id.as_str().into(), participants, events: events.collect() };
        self.effects.push(Effect::Event(event));
        for action in &trigger.actions {
            if let Action::Sound(action) = action {
                self.effects.push(Effect::Job(Job::Play(action.sound.as_str().into())));
            }
        }
        let mut wanted = trigger.actions.iter().filter_map(|action| match action {
            // A name that no scene can have means none.
            Action::Scene(action) => SceneChoice::parse(&action.scene).ok(),
            _ => None,
        });
        let rests = self.switched_at.is_some_and(|at| now.clock.saturating_duration_since(at) < SWITCH_PAUSE);
        if let Some(choice) = wanted.next().filter(|_| !rests) {
            self.switched_at = Some(now.clock);
            self.effects.push(Effect::Job(Job::Show(choice, Asker::Trigger)));
        }
    }

    pub(super) fn photo_taken(&mut self, trigger: Arc<str>, frame: Frame, sound: Option<String>, now: Now) {
        if let Some(sound) = sound {
            self.effects.push(Effect::Job(Job::Play(sound.into())));
        }
        let photo = self.photos.keep(trigger, frame, now.wall);
        self.effects.push(Effect::Event(Event::PhotoTaken { photo }));
    }

    /// Lets the music of the layout play, unless it does.
    pub(super) fn choose_music(&mut self) {
        if self.music.as_deref() != self.scene.music.as_deref() {
            self.music = self.scene.music.as_deref().map(Arc::from);
            self.effects.push(Effect::Job(Job::Music(self.music.clone())));
        }
    }

    /// Returns the pictures that triggers took, oldest first.
    pub fn photos(&self) -> Vec<Photo> {
        self.photos.list()
    }

    /// Returns one of them.
    pub fn photo(&self, id: &str) -> Option<Arc<Frame>> {
        Photos::get(&self.photos, id)
    }
}
