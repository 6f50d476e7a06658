//! Places of all layers, for those who arrange them.
//!
//! The room solves its layout by itself, as the media does: it knows all that decides it, and the answer belongs to the
//! revision that it is reported with. Only where a keypoint is, which the frames say, is left out.

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Effect, Now, State,
    gathering::{Attendee, Gathering},
    participant::Member,
    view::{Event, RoomState},
};
use crate::{
    layout::{LayerBox, Scene},
    media::port::ParticipantId,
};

/// The shortest time between two [`Event::BoxesChanged`]: who arranges a room need not see each one of a crowd come in.
pub const BOXES_PERIOD: Duration = Duration::from_millis(200);

/// State of what listeners know about the places of all layers.
#[derive(Debug, Default)]
pub(super) struct BoxNews {
    /// People, pictures or speakers may have changed since the last report.
    pub(super) due: bool,
    /// Moment at which boxes were last reckoned for a report.
    reckoned_at: Option<Instant>,
    sent: Option<Sent>,
    /// Somebody who began to listen since then knows another list.
    differ: bool,
}

/// The list that all listeners got last, and what it was reckoned from.
#[derive(Debug)]
struct Sent {
    /// With what its texts said.
    scene: Arc<Scene>,
    gathering: Gathering,
    boxes: Vec<LayerBox>,
}

impl Sent {
    /// Returns whether that is where everything stands in this layout, too.
    fn is_of(&self, scene: &Arc<Scene>, gathering: &Gathering) -> bool {
        Arc::ptr_eq(&self.scene, scene) && self.gathering == *gathering
    }
}

impl State {
    /// Returns who and what layouts are solved for now.
    pub fn gathering(&self) -> Gathering {
        let people: Vec<&Member> = self.members.iter().filter(|member| member.is_shown()).collect();
        let index = |id: &ParticipantId| people.iter().position(|member| member.id == *id);
        Gathering {
            speakers: self.spotlight.order().iter().filter_map(index).collect(),
            people: people.iter().map(|member| Attendee { name: member.name.clone(), size: member.size }).collect(),
            pictures: self.images.iter().map(|image| (image.name.clone(), image.still.size())).collect(),
            can_cut: self.segmentation.model.is_some(),
        }
    }

    pub(super) fn boxes(&self) -> Vec<LayerBox> {
        let gathering = self.gathering();
        match &self.box_news.sent {
            Some(sent) if sent.is_of(&self.filled, &gathering) => sent.boxes.clone(),
            _ => gathering.boxes(&self.filled),
        }
    }

    /// Returns the whole room for those who hear from now on what changes.
    pub fn introduce(&mut self) -> RoomState {
        let room = self.describe();
        self.box_news.differ |= self.box_news.sent.as_ref().is_none_or(|sent| sent.boxes != room.boxes);
        room
    }

    /// Reports where everything stands, if that has changed without the layout and was not reckoned just now.
    pub(super) fn report_boxes(&mut self, now: Now) {
        if !self.box_news.due || self.has_ended() || self.boxes_deadline().is_some_and(|at| now.clock < at) {
            return;
        }
        self.box_news.due = false;
        let gathering = self.gathering();
        let before = self.box_news.sent.take();
        let still = before.as_ref().is_some_and(|sent| sent.is_of(&self.filled, &gathering));
        let (boxes, is_news) = match before {
            Some(sent) if still => (sent.boxes, false),
            before => {
                self.box_news.reckoned_at = Some(now.clock);
                let boxes = gathering.boxes(&self.filled);
                let is_news = before.is_none_or(|sent| sent.boxes != boxes);
                (boxes, is_news)
            }
        };
        if mem::take(&mut self.box_news.differ) || is_news {
            self.box_news.reckoned_at = Some(now.clock);
            let event = Event::BoxesChanged { revision: self.revision.0, boxes: boxes.clone() };
            self.effects.push(Effect::Event(event));
        }
        self.box_news.sent = Some(Sent { scene: Arc::clone(&self.filled), gathering, boxes });
    }

    /// Returns where everything stands, for an event that all listeners get.
    pub(super) fn sent_boxes(&mut self) -> Vec<LayerBox> {
        let boxes = self.boxes();
        let (scene, gathering) = (Arc::clone(&self.filled), self.gathering());
        self.box_news.sent = Some(Sent { scene, gathering, boxes: boxes.clone() });
        (self.box_news.due, self.box_news.differ) = (false, false);
        boxes
    }

    /// Returns when what is due may be reported.
    pub(super) fn boxes_deadline(&self) -> Option<Instant> {
        self.box_news.reckoned_at.filter(|_| self.box_news.due).map(|at| at + BOXES_PERIOD)
    }
}
