//! The reports of a room's media, up to its last word: recordings are finished when the room, or this media, is over.

use std::{collections::HashSet, time::Duration};

use tokio::{
    runtime::Handle,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::timeout,
};

use super::supervise::{EndingMark, Lasting};
use crate::{
    control::room::state::{output::FinishedRecording, view::Event},
    media::port::{MediaCommand, MediaEvent, OutputId, OutputState},
};

/// Longest time that media that is given up may take to finish its recordings and to end.
const LAST_WORD: Duration = Duration::from_secs(10);

/// See the module.
pub(super) struct News {
    heard: UnboundedReceiver<MediaEvent>,
    /// Runs of recordings whose end has not been reported.
    recordings: HashSet<OutputId>,
    lasting: Lasting,
}

impl News {
    /// Makes the media's end, and the room's.
    pub(super) fn of(lasting: &Lasting) -> (UnboundedSender<MediaEvent>, Self) {
        let (tell, heard) = mpsc::unbounded_channel();
        (tell, Self { heard, recordings: HashSet::new(), lasting: lasting.clone() })
    }

    /// Waits for the next of them; `None` when nothing follows. Nothing is lost when this is given up while it waits.
    pub(super) async fn next(&mut self) -> Option<MediaEvent> {
        let event = self.heard.recv().await?;
        tick_off(&mut self.recordings, &event);
        Some(event)
    }

    /// Remembers what the media will have to finish when it carries this out.
    pub(super) fn expect_of(&mut self, command: &MediaCommand) {
        if let MediaCommand::AddOutput { output, spec } = command
            && spec.target.kind().is_recording()
        {
            self.recordings.insert(output.clone());
        }
    }
}

fn tick_off(recordings: &mut HashSet<OutputId>, event: &MediaEvent) {
    if let MediaEvent::Output { output, state: OutputState::Stopped | OutputState::Failed { .. } } = event {
        recordings.remove(output);
    }
}

impl Drop for News {
    fn drop(&mut self) {
        // It is missing when the whole process is on its way down.
        let Ok(runtime) = Handle::try_current() else { return };
        let mut heard = std::mem::replace(&mut self.heard, mpsc::unbounded_channel().1);
        let (mut recordings, lasting) = (std::mem::take(&mut self.recordings), self.lasting.clone());
        let ending = EndingMark::new(&lasting.parts.vitals);
        let mut farewell = (!recordings.is_empty()).then(|| lasting.parts.farewells.subscribe());
        runtime.spawn(async move {
            let last_words = async {
                // The media is over when nobody can report any more.
                while let Some(event) = heard.recv().await {
                    tick_off(&mut recordings, &event);
                    if let MediaEvent::Recorded { output, file } = event {
                        let recording = FinishedRecording::new(&output, file);
                        lasting.tell(Event::RecordingFinished { recording });
                    }
                    if recordings.is_empty() {
                        farewell = None;
                    }
                }
            };
            if timeout(LAST_WORD, last_words).await.is_err() {
                tracing::warn!("the media of a room that is over did not end in time");
            }
            drop((ending, farewell));
        });
    }
}
