//! An output as the room knows it. PURE.

use jiff::Timestamp;

use super::view::{Output, OutputKind, OutputPhase};
use crate::media::port::{OutputId, OutputState, OutputTarget};

/// An output of a room.
#[derive(Debug, Clone, PartialEq)]
pub struct Sending {
    /// Its id.
    pub id: OutputId,
    /// Where to, with the stream key: for media that is opened again. Neither shown nor stored.
    pub target: OutputTarget,
    /// Where to, without the stream key.
    pub shown_url: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What the media said last, and when.
    state: (OutputState, Timestamp),
    /// What broke it last; stays shown while it is tried again.
    last_error: Option<String>,
}

impl Sending {
    /// A new output that has not been connected yet.
    pub fn new(id: OutputId, target: &OutputTarget, wall: Timestamp) -> Self {
        let OutputTarget::Rtmp(address) = target;
        Self {
            id,
            target: target.clone(),
            shown_url: address.shown(),
            created_at: wall,
            state: (OutputState::Connecting, wall),
            last_error: None,
        }
    }

    /// Takes news from the media.
    pub fn set_state(&mut self, state: OutputState, wall: Timestamp) {
        match &state {
            OutputState::Retrying { last_error, .. } => self.last_error = Some(last_error.clone()),
            OutputState::Failed { error } => self.last_error = Some(error.clone()),
            OutputState::Live => self.last_error = None,
            OutputState::Connecting | OutputState::Stopped => {}
        }
        self.state = (state, wall);
    }

    /// What others see.
    pub fn view(&self) -> Output {
        let (state, since) = &self.state;
        let (phase, attempt, next_retry_at) = match state {
            OutputState::Connecting => (OutputPhase::Connecting, None, None),
            OutputState::Live => (OutputPhase::Live, None, None),
            OutputState::Retrying { attempt, after, .. } => {
                let next = since.checked_add(*after).ok();
                (OutputPhase::Retrying, Some(*attempt), next)
            }
            OutputState::Stopped => (OutputPhase::Stopped, None, None),
            OutputState::Failed { .. } => (OutputPhase::Failed, None, None),
        };
        Output {
            id: self.id.0.clone(),
            kind: OutputKind::Rtmp,
            url: Some(self.shown_url.clone()),
            state: phase,
            attempt,
            next_retry_at,
            last_error: self.last_error.clone(),
            created_at: self.created_at,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;
    use crate::media::port::RtmpAddress;

    #[test]
    fn the_time_of_the_next_retry_is_told() {
        let target = OutputTarget::Rtmp(RtmpAddress::parse("rtmp://host/live/secretkey", None).unwrap());
        let wall: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut sending = Sending::new(OutputId("o1".into()), &target, wall);
        assert!(!sending.view().url.unwrap().contains("secretkey"));
        let after = Duration::from_millis(1500);
        sending.set_state(OutputState::Retrying { attempt: 2, after, last_error: "refused".into() }, wall);
        let view = sending.view();
        assert_eq!((view.state, view.attempt), (OutputPhase::Retrying, Some(2)));
        assert_eq!(view.next_retry_at.unwrap().to_string(), "2026-01-01T00:00:01.5Z");
        assert_eq!(view.last_error.as_deref(), Some("refused"));
        sending.set_state(OutputState::Live, wall);
        assert_eq!(sending.view().last_error, None);
    }
}
