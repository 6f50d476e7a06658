//! Where everything stands, for those who arrange it.
//!
//! The room solves its layout by itself, as the media does: it knows all that decides it, and the answer belongs to the
//! revision that it is reported with. Only where a keypoint is, which the frames say, is left out.

use std::time::{Duration, Instant};

use super::{
    Effect, Now, State,
    gathering::{Attendee, Gathering},
    participant::Member,
    view::Event,
};
use crate::{layout::LayerBox, media::port::ParticipantId};

/// The shortest time between two [`Event::BoxesChanged`]: who arranges a room need not see each one of a crowd come in.
pub const BOXES_PERIOD: Duration = Duration::from_millis(200);

/// How far listeners know where everything stands.
#[derive(Debug, Default)]
pub(super) struct BoxNews {
    /// People, pictures or speakers have changed since the last report.
    pub(super) due: bool,
    reported_at: Option<Instant>,
}

impl State {
    /// Returns who and what layouts are solved for now.
    pub fn gathering(&self) -> Gathering {
        let people: Vec<&Member> = self.members.iter().filter(|member| !member.hidden).collect();
        let index = |id: &ParticipantId| people.iter().position(|member| member.id == *id);
        Gathering {
            speakers: self.spotlight.order().iter().filter_map(index).collect(),
            people: people.iter().map(|member| Attendee { name: member.name.clone(), size: member.size }).collect(),
            pictures: self.images.iter().map(|image| (image.name.clone(), image.still.size())).collect(),
            can_cut: self.segmentation.model.is_some(),
        }
    }

    pub(super) fn boxes(&self) -> Vec<LayerBox> {
        self.gathering().boxes(&self.scene)
    }

    /// Reports where everything stands, if that may have changed without the layout and was not reported just now.
    pub(super) fn report_boxes(&mut self, now: Now) {
        if !self.box_news.due || self.has_ended() || self.boxes_deadline().is_some_and(|at| now.clock < at) {
            return;
        }
        self.box_news = BoxNews { due: false, reported_at: Some(now.clock) };
        let event = Event::BoxesChanged { revision: self.revision.0, boxes: self.boxes() };
        self.effects.push(Effect::Event(event));
    }

    /// Returns when what is due may be reported.
    pub(super) fn boxes_deadline(&self) -> Option<Instant> {
        self.box_news.reported_at.filter(|_| self.box_news.due).map(|at| at + BOXES_PERIOD)
    }
}
