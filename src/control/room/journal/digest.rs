//! The notices that follow from a room's events. PURE.

use std::sync::Arc;

use super::notice::Notice;
use crate::control::room::state::{
    output::{Output, OutputPhase},
    view::{Event, LeaveReason, Participant, RoomState},
};

/// The knowledge that listeners have of a room. It outlives a fault of the room's task: the losses are reported by the
/// snapshot that the room begins again with.
#[derive(Debug, Default)]
pub struct Digest {
    /// Ids and names of those who are in, in order of joining.
    people: Vec<(Arc<str>, Arc<str>)>,
    outputs: Vec<Known>,
}

/// An output, and where its life stood when that was last of note.
#[derive(Debug)]
struct Known {
    output: Output,
    noted: OutputPhase,
}

impl Digest {
    /// Takes the room's next event. Returns what is of note.
    pub fn take(&mut self, event: &Event) -> Vec<Notice> {
        match event {
            Event::ParticipantJoined { participant } => self.joined(participant).into_iter().collect(),
            Event::ParticipantLeft { id, reason, .. } => self.left(id, *reason).into_iter().collect(),
            Event::ParticipantChanged { participant } => {
                let known = self.people.iter_mut().find(|(id, _)| *id == participant.id);
                known.into_iter().for_each(|(_, name)| *name = Arc::clone(&participant.name));
                Vec::new()
            }
            Event::OutputChanged { output } => self.changed(output).into_iter().collect(),
            Event::OutputRemoved { id } => self.removed(id),
            Event::RecordingFinished { recording } => {
                vec![Notice::RecordingFinished { recording: recording.clone() }]
            }
            Event::RoomChanged { room, .. } => self.compare(room),
            Event::Speaking { .. }
            | Event::Loudness { .. }
            | Event::Poses { .. }
            | Event::LayoutChanged { .. }
            | Event::BoxesChanged { .. }
            | Event::ScenesChanged { .. }
            | Event::SceneActivated { .. }
            | Event::TriggerFired { .. }
            | Event::PhotoTaken { .. }
            | Event::DataChanged { .. }
            | Event::ChatLine { .. }
            | Event::ChatRemoved { .. }
            | Event::TimerChanged { .. }
            | Event::TimerEnded { .. }
            | Event::TimerRemoved { .. }
            | Event::Marker { .. }
            | Event::RoomEnded => Vec::new(),
        }
    }

    fn joined(&mut self, participant: &Participant) -> Option<Notice> {
        if self.people.iter().any(|(id, _)| *id == participant.id) {
            return None;
        }
        self.people.push((Arc::clone(&participant.id), Arc::clone(&participant.name)));
        Some(Notice::ParticipantJoined { participant: participant.clone() })
    }

    fn left(&mut self, id: &str, reason: LeaveReason) -> Option<Notice> {
        let place = self.people.iter().position(|(known, _)| **known == *id)?;
        let (id, name) = self.people.remove(place);
        Some(Notice::ParticipantLeft { id, name, reason })
    }

    fn changed(&mut self, output: &Output) -> Option<Notice> {
        use OutputPhase::{Connecting, Retrying, Stopped};
        let place = self.outputs.iter().position(|known| known.output.id == output.id);
        let before = place.map(|place| self.outputs[place].noted);
        // While it retries, it connects again and again.
        let noted = match (before, output.state) {
            (Some(Retrying), Connecting) => Retrying,
            (_, now) => now,
        };
        // A layout of its own may have a megabyte, and a thousand notices are kept for those who come back.
        let output = Output { layout: None, ..output.clone() };
        let known = Known { output: output.clone(), noted };
        match place {
            Some(place) => self.outputs[place] = known,
            None => self.outputs.push(known),
        }
        let is_news = match output.state {
            Connecting => false,
            // One that never ran has not stopped.
            Stopped => before.is_some_and(|before| before != Stopped),
            now => before != Some(now),
        };
        is_news.then_some(Notice::OutputChanged { output })
    }

    fn removed(&mut self, id: &str) -> Vec<Notice> {
        let Some(place) = self.outputs.iter().position(|known| *known.output.id == *id) else { return Vec::new() };
        let Known { output, noted } = self.outputs.remove(place);
        let id = Arc::clone(&output.id);
        let ran = !matches!(noted, OutputPhase::Stopped | OutputPhase::Failed);
        let stopped = ran.then(|| Notice::OutputChanged { output: output.stopped() });
        stopped.into_iter().chain([Notice::OutputRemoved { id }]).collect()
    }

    /// Compares what listeners know with the whole room.
    fn compare(&mut self, room: &RoomState) -> Vec<Notice> {
        let is_in = |id: &Arc<str>| room.participants.iter().any(|participant| participant.id == *id);
        let lost: Vec<Arc<str>> = self.people.iter().map(|(id, _)| Arc::clone(id)).filter(|id| !is_in(id)).collect();
        let is_there = |id: &Arc<str>| room.outputs.iter().any(|output| output.id == *id);
        let outputs = self.outputs.iter().map(|known| Arc::clone(&known.output.id));
        let gone: Vec<Arc<str>> = outputs.filter(|id| !is_there(id)).collect();
        let mut notices: Vec<Notice> = lost.iter().filter_map(|id| self.left(id, LeaveReason::Lost)).collect();
        notices.extend(room.participants.iter().filter_map(|participant| self.joined(participant)));
        notices.extend(gone.iter().flat_map(|id| self.removed(id)));
        notices.extend(room.outputs.iter().filter_map(|output| self.changed(output)));
        notices
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::{
        control::room::state::{
            Beginning, Now, State,
            budget::Budget,
            name::RoomName,
            output::{OutputDocument, OutputEntry, Recordings},
            view::Settings,
        },
        layout::{Canvas, Scene},
        media::port::{Blame, OutputFault, OutputId, OutputState, Segmentation},
    };

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn sending() -> OutputEntry {
        let document: OutputDocument =
            serde_json::from_value(json!({"type": "rtmp", "url": "rtmp://host/live/key"})).unwrap();
        let recordings = Recordings { folder: "/r".into(), hls: "/h".into(), spare: 1 };
        let spec = document.spec(&RoomName::parse("demo").unwrap(), &recordings).unwrap();
        OutputEntry::new(OutputId("o1".into()), document, spec, AT)
    }

    /// Types of the notices, and states of outputs.
    fn names(notices: &[Notice]) -> Vec<String> {
        let name = |notice: &Notice| match notice {
            Notice::OutputChanged { output } => {
                serde_json::to_value(output.state).unwrap().as_str().unwrap().to_owned()
            }
            other => other.name().to_owned(),
        };
        notices.iter().map(name).collect()
    }

    #[test]
    fn an_outputs_state_is_reported_once_however_often_it_is_tried() {
        let (mut digest, mut sending) = (Digest::default(), sending());
        let fault = OutputFault::new(Blame::Destination, "refused");
        let retrying = |attempt| OutputState::Retrying { attempt, after: Duration::from_secs(1), fault: fault.clone() };
        let mut take = |state: OutputState| {
            sending.set_state(state, AT);
            let output = sending.view((640, 360, 30));
            names(&digest.take(&Event::OutputChanged { output }))
        };
        assert!(take(OutputState::Stopped).is_empty(), "it never ran");
        assert!(take(OutputState::Connecting).is_empty());
        assert_eq!(take(OutputState::Live), ["live"]);
        assert!(take(OutputState::Live).is_empty(), "something flows");
        assert_eq!(take(retrying(1)), ["retrying"]);
        for attempt in 2..5 {
            assert!(take(OutputState::Connecting).is_empty() && take(retrying(attempt)).is_empty());
        }
        assert!(take(OutputState::Connecting).is_empty());
        assert_eq!(take(OutputState::Live), ["live"]);
        assert!(take(OutputState::Connecting).is_empty(), "begun again with other settings");
        assert_eq!(take(OutputState::Live), ["live"]);
        assert_eq!(take(OutputState::Failed { fault: fault.clone() }), ["failed"]);
        assert_eq!(take(OutputState::Stopped), ["stopped"]);
        take(OutputState::Connecting);
        let gone = digest.take(&Event::OutputRemoved { id: "o1".into() });
        assert_eq!(names(&gone), ["stopped", "output_removed"]);
        assert!(digest.take(&Event::OutputRemoved { id: "o1".into() }).is_empty());
    }

    #[test]
    fn notices_leave_out_layouts_of_outputs() {
        let (mut digest, mut sending) = (Digest::default(), sending());
        sending.set_state(OutputState::Live, AT);
        let output = Output { layout: Some(Arc::new(json!({"layers": []}))), ..sending.view((640, 360, 30)) };
        let live = digest.take(&Event::OutputChanged { output });
        let gone = digest.take(&Event::OutputRemoved { id: "o1".into() });
        let outputs: Vec<&Output> = live
            .iter()
            .chain(&gone)
            .filter_map(|notice| match notice {
                Notice::OutputChanged { output } => Some(output),
                _ => None,
            })
            .collect();
        assert!(outputs.len() == 2 && outputs.iter().all(|output| output.layout.is_none()), "{outputs:?}");
    }

    #[test]
    fn who_was_lost_by_a_fault_of_the_room_is_reported_with_its_next_snapshot() {
        let mut digest = Digest { people: vec![("p1".into(), "ann".into())], ..Digest::default() };
        let output = sending().view((640, 360, 30));
        digest.take(&Event::OutputChanged { output: Output { state: OutputPhase::Live, ..output } });
        let beginning = Beginning {
            name: RoomName::parse("demo").unwrap(),
            settings: Settings::new(3, 2000),
            scene: Arc::new(Scene::default_for(Canvas::default())),
            segmentation: Segmentation { model: None, reason: None, keypoints: false },
            budget: Budget::of_cores(2),
            past: None,
        };
        let state = State::new(beginning, Now { clock: std::time::Instant::now(), wall: AT });
        let told = digest.take(&Event::snapshot(state.describe()));
        assert_eq!(names(&told), ["participant_left", "stopped", "output_removed"]);
        let Notice::ParticipantLeft { name, reason, .. } = &told[0] else { panic!("{told:?}") };
        assert_eq!((&**name, *reason), ("ann", LeaveReason::Lost));
        assert!(digest.take(&Event::snapshot(state.describe())).is_empty());
    }
}
