//! Outputs of the room.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Effect, MAX_OUTPUTS, Now, State,
    output::{KeptOutput, Marker, Output, OutputDocument, OutputEntry, OutputPhase},
    view::Event,
};
use crate::{
    control::room::error::RoomError,
    layout::Fault,
    media::port::{Flow, MediaCommand, OutputId, OutputSpec, OutputState, notes::MAX_MARKERS},
};

/// A run that has not been reported as ended for so long is not waited for: its media may be another by now.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

impl State {
    /// Returns all outputs, oldest first.
    pub fn outputs(&self) -> Vec<Output> {
        self.outputs.iter().map(|sending| sending.view(self.canvas_of(sending))).collect()
    }

    /// Returns one output.
    ///
    /// # Errors
    /// [`RoomError::NoOutput`].
    pub fn output(&self, id: &str) -> Result<Output, RoomError> {
        let sending = &self.outputs[self.place(id)?];
        Ok(sending.view(self.canvas_of(sending)))
    }

    /// Returns what was asked for of an output, with its secrets.
    ///
    /// # Errors
    /// [`RoomError::NoOutput`].
    pub fn output_document(&self, id: &str) -> Result<OutputDocument, RoomError> {
        self.place(id).map(|index| self.outputs[index].document.clone())
    }

    /// Adds an output, and starts it unless it is not enabled. The room is stored from now on.
    ///
    /// # Errors
    /// [`RoomError::TooManyOutputs`]; [`RoomError::Invalid`] when its address is another one's, or when its picture is
    /// more than the machine encodes for one room; [`RoomError::OutputsStillEnd`].
    pub fn add_output(
        &mut self,
        id: OutputId,
        document: OutputDocument,
        spec: OutputSpec,
        now: Now,
    ) -> Result<Output, RoomError> {
        if self.outputs.len() >= MAX_OUTPUTS {
            return Err(RoomError::TooManyOutputs { max: MAX_OUTPUTS });
        }
        self.check_address(&spec, None)?;
        self.check_work_of(&document, &spec, None)?;
        self.check_ending(now)?;
        self.outputs.push(OutputEntry::new(id, document, spec, now.wall));
        self.stored = true;
        Ok(self.settle_output(self.outputs.len() - 1, now))
    }

    /// Changes an output. What can be changed while it runs does not end it.
    ///
    /// # Errors
    /// [`RoomError::NoOutput`]; [`RoomError::Invalid`] when its address is another one's, or when its picture is more
    /// than the machine encodes for one room; [`RoomError::OutputsStillEnd`].
    pub fn change_output(
        &mut self,
        id: &str,
        document: OutputDocument,
        spec: OutputSpec,
        now: Now,
    ) -> Result<Output, RoomError> {
        let index = self.place(id)?;
        self.check_address(&spec, Some(index))?;
        self.check_work_of(&document, &spec, Some(index))?;
        if document.enabled {
            self.check_ending(now)?;
        }
        let sending = &mut self.outputs[index];
        let same_target = sending.spec.target == spec.target;
        let (before, other) = (
            sending.media_id(),
            !same_target || (&sending.spec.wishes, &sending.spec.aux) != (&spec.wishes, &spec.aux),
        );
        let stays = same_target && sending.spec.target.takes_changes();
        if other && sending.runs() {
            if stays {
                let (wishes, aux) = (spec.wishes.clone(), spec.aux.clone());
                self.effects.push(Effect::Media(MediaCommand::ChangeOutput { output: before.clone(), wishes, aux }));
            } else {
                sending.set_state(OutputState::Stopped, now.wall);
                let_go(&mut self.outputs_ending, &mut self.effects, before.clone(), now);
            }
        }
        if sending.runs() && sending.spec.paused != spec.paused {
            let (output, paused) = (before, spec.paused);
            self.effects.push(Effect::Media(MediaCommand::PauseOutput { output, paused }));
        }
        sending.take(document, spec);
        Ok(self.settle_output(index, now))
    }

    /// Pauses or resumes a recording that runs.
    ///
    /// # Errors
    /// [`RoomError::NoOutput`], [`RoomError::NoRecording`].
    pub fn pause_output(&mut self, id: &str, paused: bool, now: Now) -> Result<Output, RoomError> {
        let index = self.place(id)?;
        let sending = &mut self.outputs[index];
        if !sending.records() || !sending.runs() {
            return Err(RoomError::NoRecording);
        }
        if sending.document.paused != paused {
            sending.set_paused(paused);
            let output = sending.media_id();
            self.effects.push(Effect::Media(MediaCommand::PauseOutput { output, paused }));
        }
        Ok(self.settle_output(index, now))
    }

    /// Names this moment in all recordings that run.
    ///
    /// # Errors
    /// [`RoomError::NoRecordings`], [`RoomError::TooManyMarkers`].
    pub fn mark(&mut self, name: Arc<str>, now: Now) -> Result<Marker, RoomError> {
        // One that waits for its next try writes nothing, and would lose it; nor does one that was paused before it began.
        let writes = |sending: &&mut OutputEntry| {
            sending.records() && sending.runs() && sending.phase() != OutputPhase::Retrying && !sending.waits_in_pause()
        };
        let mut recordings = self.outputs.iter_mut().filter(writes).peekable();
        if recordings.peek().is_none() {
            return Err(RoomError::NoRecordings);
        }
        let mut free = recordings.filter(|sending| sending.markers < MAX_MARKERS).peekable();
        if free.peek().is_none() {
            return Err(RoomError::TooManyMarkers { max: MAX_MARKERS });
        }
        free.for_each(|sending| sending.markers += 1);
        self.effects.push(Effect::Media(MediaCommand::Mark(name.clone())));
        let marker = Marker { name, at: now.wall };
        self.effects.push(Effect::Event(Event::Marker { marker: marker.clone() }));
        Ok(marker)
    }

    /// Starts or stops an output. One that failed is tried again.
    ///
    /// # Errors
    /// [`RoomError::NoOutput`], [`RoomError::TooMuchEncoded`],
    /// [`RoomError::TooMuchSent`], [`RoomError::OutputsStillEnd`].
    pub fn enable_output(&mut self, id: &str, enabled: bool, now: Now) -> Result<Output, RoomError> {
        let index = self.place(id)?;
        if enabled {
            self.check_work_to_start(Some(index))?;
            self.check_ending(now)?;
        }
        self.outputs[index].document.enabled = enabled;
        Ok(self.settle_output(index, now))
    }

    /// Starts or stops all outputs.
    ///
    /// # Errors
    /// [`RoomError::TooMuchEncoded`], [`RoomError::TooMuchSent`], [`RoomError::OutputsStillEnd`].
    pub fn enable_outputs(&mut self, enabled: bool, now: Now) -> Result<Vec<Output>, RoomError> {
        if enabled {
            self.check_work_to_start(None)?;
            self.check_ending(now)?;
        }
        for index in 0..self.outputs.len() {
            self.outputs[index].document.enabled = enabled;
            self.settle_output(index, now);
        }
        Ok(self.outputs())
    }

    /// Stops and forgets an output. The answer is the output as it ends.
    ///
    /// # Errors
    /// [`RoomError::NoOutput`].
    pub fn remove_output(&mut self, id: &str, now: Now) -> Result<Output, RoomError> {
        let index = self.place(id)?;
        let mut sending = self.outputs.remove(index);
        self.others_changed += 1;
        match sending.runs() {
            true => let_go(&mut self.outputs_ending, &mut self.effects, sending.media_id(), now),
            // Its thread has ended; the rest of it goes.
            false => self.effects.push(Effect::Media(MediaCommand::RemoveOutput(sending.media_id()))),
        }
        sending.set_state(OutputState::Stopped, now.wall);
        self.settle_aux_pictures();
        self.effects.push(Effect::Event(Event::OutputRemoved { id: sending.id.0.clone() }));
        Ok(sending.view(self.canvas_of(&sending)))
    }

    /// Takes outputs of an earlier start of the program. Those that are enabled start.
    pub fn restore_outputs(&mut self, kept: Vec<(KeptOutput, OutputSpec)>, now: Now) {
        for (kept, spec) in kept {
            let KeptOutput { id, created_at, output, internal: _ } = kept;
            self.outputs.push(OutputEntry::new(OutputId(id.into()), output, spec, created_at));
            self.settle_output(self.outputs.len() - 1, now);
        }
        // Nothing has changed that is not on the disk.
        self.others_kept = self.others_changed;
    }

    /// Counts the outputs in each phase, in the order of [`OutputPhase::ALL`].
    pub fn output_count(&self) -> [usize; OutputPhase::ALL.len()] {
        OutputPhase::ALL.map(|phase| self.outputs.iter().filter(|sending| sending.phase() == phase).count())
    }

    /// Counts the changes of what is kept of outputs and bans.
    pub fn others_changed(&self) -> u64 {
        self.others_changed
    }

    /// Gives all outputs that are to run to new media.
    pub(super) fn start_outputs(&mut self, now: Now) {
        for sending in self.outputs.iter_mut().filter(|sending| sending.runs()) {
            sending.begin(now.wall);
            let (output, spec) = (sending.media_id(), sending.spec.clone());
            self.effects.push(Effect::Media(MediaCommand::AddOutput { output, spec }));
        }
    }

    /// Notes that the media is gone.
    pub(super) fn lose_outputs(&mut self, now: Now) {
        for index in 0..self.outputs.len() {
            if self.outputs[index].runs() {
                self.outputs[index].set_state(OutputState::Connecting, now.wall);
                self.report_output(index);
            }
        }
    }

    pub(super) fn output_news(&mut self, id: &OutputId, state: OutputState, now: Now) {
        if matches!(state, OutputState::Stopped | OutputState::Failed { .. }) {
            self.outputs_ending.remove(id);
        }
        let Some(index) = self.of_run(id) else { return };
        self.outputs[index].set_state(state, now.wall);
        self.settle_aux_pictures();
        self.report_output(index);
    }

    pub(super) fn output_flow(&mut self, id: &OutputId, flow: Flow) {
        let Some(index) = self.of_run(id) else { return };
        self.outputs[index].set_flow(flow);
        self.report_output(index);
    }

    /// Returns the output whose present run the media knows by this id.
    fn of_run(&self, id: &OutputId) -> Option<usize> {
        self.outputs.iter().position(|sending| sending.media_id() == *id && sending.runs())
    }

    fn report_output(&mut self, index: usize) -> Output {
        let sending = &self.outputs[index];
        let output = sending.view(self.canvas_of(sending));
        self.effects.push(Effect::Event(Event::OutputChanged { output: output.clone() }));
        output
    }

    /// Checks that runs end as fast as others begin: each holds threads until it has said farewell.
    ///
    /// # Errors
    /// [`RoomError::OutputsStillEnd`].
    fn check_ending(&mut self, now: Now) -> Result<(), RoomError> {
        self.outputs_ending.retain(|_, since| now.clock.saturating_duration_since(*since) < ENDS_WITHIN);
        match self.outputs_ending.len() >= MAX_OUTPUTS {
            true => Err(RoomError::OutputsStillEnd { max: MAX_OUTPUTS }),
            false => Ok(()),
        }
    }

    /// Starts or stops an output as it is asked for, and reports what has become of it.
    fn settle_output(&mut self, index: usize, now: Now) -> Output {
        let sending = &mut self.outputs[index];
        match (sending.document.enabled, sending.runs()) {
            (true, false) => {
                sending.begin(now.wall);
                let (output, spec) = (sending.media_id(), sending.spec.clone());
                self.effects.push(Effect::Media(MediaCommand::AddOutput { output, spec }));
            }
            (false, true) => {
                let output = sending.media_id();
                sending.set_state(OutputState::Stopped, now.wall);
                sending.set_paused(false);
                let_go(&mut self.outputs_ending, &mut self.effects, output, now);
            }
            (false, false) => sending.set_state(OutputState::Stopped, now.wall),
            (true, true) => {}
        }
        self.others_changed += 1;
        self.settle_aux_pictures();
        self.report_output(index)
    }

    /// Checks that what is served here has an address of its own. `but`: the output that is changed.
    fn check_address(&self, spec: &OutputSpec, but: Option<usize>) -> Result<(), RoomError> {
        let Some(wanted) = spec.target.served_at() else { return Ok(()) };
        let mut others = self.outputs.iter().enumerate().filter(|(index, _)| Some(*index) != but);
        if others.all(|(_, sending)| sending.spec.target.served_at() != Some(wanted)) {
            return Ok(());
        }
        let detail = "is the name of another HLS output of this room".to_owned();
        Err(RoomError::Invalid(vec![Fault { pointer: "/name".to_owned(), detail }]))
    }

    fn place(&self, id: &str) -> Result<usize, RoomError> {
        self.outputs.iter().position(|sending| &*sending.id.0 == id).ok_or(RoomError::NoOutput)
    }
}

/// Has the media end a run.
fn let_go(ending: &mut HashMap<OutputId, Instant>, effects: &mut Vec<Effect>, run: OutputId, now: Now) {
    ending.insert(run.clone(), now.clock);
    effects.push(Effect::Media(MediaCommand::RemoveOutput(run)));
}
