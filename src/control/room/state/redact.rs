//! Parts of a room that only those who direct it see: where it is sent, and news for those who arrange it. PURE.

use std::sync::Arc;

use super::{
    output::{FinishedRecording, Output},
    view::{Event, RoomState},
};

impl Output {
    /// Returns the same without anything that shows where it goes, and without the layout of its own picture, which may be
    /// as large as a room's.
    #[must_use]
    pub fn without_target(self) -> Self {
        // An error may name the host.
        Self { url: None, last_error: None, layout: None, ..self }
    }
}

impl RoomState {
    /// Returns the same without anything that shows where the room is sent.
    #[must_use]
    pub fn without_targets(mut self) -> Self {
        self.outputs = self.outputs.into_iter().map(Output::without_target).collect();
        self
    }
}

impl Event {
    /// Returns what of it those see who do not direct the room: nothing that shows where it is sent. `None`: it is not
    /// for them.
    #[must_use]
    pub fn for_guests(self: Arc<Self>) -> Option<Arc<Self>> {
        let shown = match &*self {
            Self::BoxesChanged { .. } => return None,
            Self::RoomChanged { revision, room } if !room.outputs.is_empty() => {
                let room = Box::new(RoomState::clone(room).without_targets());
                Arc::new(Self::RoomChanged { revision: *revision, room })
            }
            Self::OutputChanged { output } => Arc::new(Self::OutputChanged { output: output.clone().without_target() }),
            Self::RecordingFinished { recording } => {
                let recording = FinishedRecording { name: None, ..recording.clone() };
                Arc::new(Self::RecordingFinished { recording })
            }
            _ => self,
        };
        Some(shown)
    }
}
