//! Typed requests to a room's task. Each waits for the room's answer; what it causes has been ordered by then.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{preparations::Preparations, warned::Warned};
use crate::{
    control::room::{
        actor::{Call, Room, now},
        error::RoomError,
        images::ImageSource,
        revision::{IfMatch, Revision},
        secret,
        state::{
            State,
            ban::Ban,
            chat::{ChatLine, NewChatLine},
            name::RoomName,
            note::Closing,
            output::{Marker, Output, OutputDocument},
            participant::Moderation,
            photo::Photo,
            pose::RoomPoses,
            timer::{TimerOrder, TimerView},
            view::{Participant, RoomState, RoomSummary},
        },
    },
    layout::{CanvasLimit, Data},
    media::port::{Frame, Media, OutputId, OutputSpec, OutputTarget, Trial},
};

/// Most requests that may wait for a room. Those who ask wait themselves when it is full.
pub(in crate::control::room) const CALLS: usize = 256;

/// Time for which the room state waits for fresh numbers; the last known ones are shown then.
const HEALTH_WAIT: Duration = Duration::from_millis(500);

/// Longest time that poses may take: the media keeps the newest, and is asked on a thread that may be busy with a
/// tear-down.
const POSES_WAIT: Duration = Duration::from_secs(2);

/// Longest time that a snapshot may take: many frames at the slowest rate, and a media thread that is busy with a
/// tear-down.
const SNAPSHOT_WAIT: Duration = Duration::from_secs(5);

/// Most pipelines of all rooms that may be on their way out before nothing new is begun that would end the same way.
const MOST_ENDING: usize = 64;

/// Checks that what is over gives up its threads as fast as others come.
///
/// # Errors
/// [`RoomError::Unavailable`].
pub(in crate::control::room) fn check_ending(media: &dyn Media) -> Result<(), RoomError> {
    match media.ending() > MOST_ENDING {
        true => {
            Err(RoomError::Unavailable("rooms and outputs that are over still end: try again in some seconds".into()))
        }
        false => Ok(()),
    }
}

/// A room, from outside. Cheap to clone; the room may end at any time ([`RoomError::NoRoom`] then).
#[derive(Clone)]
pub struct RoomHandle {
    name: RoomName,
    calls: mpsc::Sender<Call>,
    pub(super) images: Arc<dyn ImageSource>,
    /// Asked which models there are.
    pub(super) media: Arc<dyn Media>,
    /// The largest canvas that it may get.
    pub(super) largest: CanvasLimit,
    /// The faults of texts that the log has already.
    pub(super) warned: Arc<Warned>,
    pub(super) preparations: Preparations,
}

impl std::fmt::Debug for RoomHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RoomHandle({})", self.name)
    }
}

impl RoomHandle {
    pub(in crate::control::room) fn new(
        name: RoomName,
        calls: mpsc::Sender<Call>,
        images: Arc<dyn ImageSource>,
        media: Arc<dyn Media>,
        largest: CanvasLimit,
    ) -> Self {
        let (warned, preparations) = (Arc::default(), Preparations::default());
        Self { name, calls, images, media, largest, warned, preparations }
    }

    /// Returns the room's name.
    pub fn name(&self) -> &RoomName {
        &self.name
    }

    /// Counts what the room has decoded from now on with `holder`, whose token directs it; `None`: with nobody, as with
    /// the key.
    pub fn decode_for(&self, holder: Option<String>) {
        self.images.decode_for(holder);
    }

    /// Returns whether the room is over.
    pub fn has_ended(&self) -> bool {
        self.calls.is_closed()
    }

    /// Resolves when the room is over and everything of it is given up.
    pub async fn ended(&self) {
        self.calls.closed().await;
    }

    /// Returns whether both are the same room, not only rooms of the same name.
    pub(in crate::control::room) fn is_same(&self, other: &Self) -> bool {
        self.calls.same_channel(&other.calls)
    }

    /// Runs something inside the room's task.
    pub(super) async fn call<R: Send + 'static>(
        &self,
        request: impl FnOnce(&mut Room) -> R + Send + 'static,
    ) -> Result<R, RoomError> {
        let (reply, answer) = oneshot::channel();
        let call: Call = Box::new(move |room| {
            let result = request(room);
            room.settle();
            // Who asked may be gone.
            let _ = reply.send(result);
        });
        self.calls.send(call).await.map_err(|_| RoomError::NoRoom)?;
        answer.await.map_err(|_| match self.calls.is_closed() {
            true => RoomError::NoRoom,
            false => RoomError::Unavailable("the room has met a fault and begins again: try again".to_owned()),
        })
    }

    /// Runs something that changes the state if the precondition holds, and returns the revision after it.
    pub(super) async fn change<R: Send + 'static>(
        &self,
        guard: &IfMatch,
        change: impl FnOnce(&mut State) -> Result<R, RoomError> + Send + 'static,
    ) -> Result<(Revision, R), RoomError> {
        let guard = guard.clone();
        self.call(move |room| {
            guard.check(room.state.revision())?;
            change(&mut room.state).map(|result| (room.state.revision(), result))
        })
        .await?
    }

    /// Returns whether the layout or a scene needs this asset; `family`: of a font. A room that is over needs nothing.
    pub async fn uses_asset(&self, name: &str, family: Option<&str>) -> bool {
        let record = self.call(|room| room.state.record()).await;
        record.is_ok_and(|record| record.layouts().iter().any(|layout| layout.needs(name, family)))
    }

    /// Returns the whole room, with fresh numbers if the media reports them soon.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn state(&self) -> Result<RoomState, RoomError> {
        let answer = self.call(|room| room.measure()).await?;
        let health = timeout(HEALTH_WAIT, answer).await.ok().and_then(Result::ok);
        self.call(move |room| {
            if let Some(health) = health {
                room.take_health(health);
            }
            room.state.describe()
        })
        .await
    }

    /// Returns one line about the room.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn summary(&self) -> Result<RoomSummary, RoomError> {
        self.call(|room| room.state.summary()).await
    }

    /// Returns the layout now.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn layout(&self) -> Result<(Revision, Value), RoomError> {
        self.call(|room| (room.state.revision(), room.state.scene().to_json())).await
    }

    /// Returns everyone in the room, in order of joining.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn participants(&self) -> Result<Vec<Participant>, RoomError> {
        self.call(|room| room.state.participants()).await
    }

    /// Returns one participant.
    ///
    /// # Errors
    /// [`RoomError::NoParticipant`], [`RoomError::NoRoom`].
    pub async fn participant(&self, id: String) -> Result<Participant, RoomError> {
        self.call(move |room| room.state.participant(&id)).await?
    }

    /// Changes a participant, for a moderator.
    ///
    /// # Errors
    /// [`RoomError::NoParticipant`], [`RoomError::Invalid`], [`RoomError::Stale`], [`RoomError::NoRoom`].
    pub async fn moderate(
        &self,
        id: String,
        change: Moderation,
        guard: &IfMatch,
    ) -> Result<(Revision, Participant), RoomError> {
        self.change(guard, move |state| state.moderate(&id, &change)).await
    }

    /// Removes a participant, who may come again.
    ///
    /// # Errors
    /// [`RoomError::NoParticipant`], [`RoomError::Stale`], [`RoomError::NoRoom`].
    pub async fn kick(&self, id: String, guard: &IfMatch) -> Result<(Revision, Participant), RoomError> {
        self.change(guard, move |state| state.kick(&id)).await
    }

    /// Removes a participant and keeps them out.
    ///
    /// # Errors
    /// [`RoomError::TooManyBans`], and as [`RoomHandle::kick`].
    pub async fn ban(&self, id: String, guard: &IfMatch) -> Result<(Revision, Participant), RoomError> {
        self.change(guard, move |state| state.ban(&id, secret::id().into(), now())).await
    }

    /// Returns all who are barred.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn bans(&self) -> Result<Vec<Ban>, RoomError> {
        self.call(|room| room.state.bans()).await
    }

    /// Lets somebody in again.
    ///
    /// # Errors
    /// [`RoomError::NoBan`], [`RoomError::NoRoom`].
    pub async fn lift_ban(&self, id: String) -> Result<(), RoomError> {
        self.call(move |room| room.state.lift_ban(&id)).await?
    }

    /// Returns all outputs.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn outputs(&self) -> Result<Vec<Output>, RoomError> {
        self.call(|room| room.state.outputs()).await
    }

    /// Returns one output.
    ///
    /// # Errors
    /// [`RoomError::NoOutput`], [`RoomError::NoRoom`].
    pub async fn output(&self, id: String) -> Result<Output, RoomError> {
        self.call(move |room| room.state.output(&id)).await?
    }

    /// Sends the room somewhere, unless the output is not enabled.
    ///
    /// # Errors
    /// [`RoomError::TooManyOutputs`], [`RoomError::Invalid`] with the place that another output has or that asks for too
    /// much, [`RoomError::OutputsStillEnd`], [`RoomError::Unavailable`] while too much still ends, [`RoomError::Stale`],
    /// [`RoomError::NoRoom`].
    pub async fn add_output(
        &self,
        document: OutputDocument,
        spec: OutputSpec,
        guard: &IfMatch,
    ) -> Result<(Revision, Output), RoomError> {
        check_ending(&*self.media)?;
        let id = OutputId(secret::id().into());
        self.change(guard, move |state| state.add_output(id, document, spec, now())).await
    }

    /// Returns what was asked for of an output, with its secrets.
    ///
    /// # Errors
    /// [`RoomError::NoOutput`], [`RoomError::NoRoom`].
    pub async fn output_document(&self, id: String) -> Result<OutputDocument, RoomError> {
        self.call(move |room| room.state.output_document(&id)).await?
    }

    /// Changes an output; where that is possible, without ending it.
    ///
    /// # Errors
    /// [`RoomError::NoOutput`], and as [`RoomHandle::add_output`].
    pub async fn change_output(
        &self,
        id: String,
        document: OutputDocument,
        spec: OutputSpec,
        guard: &IfMatch,
    ) -> Result<(Revision, Output), RoomError> {
        if document.enabled {
            check_ending(&*self.media)?;
        }
        self.change(guard, move |state| state.change_output(&id, document, spec, now())).await
    }

    /// Starts or stops an output.
    ///
    /// # Errors
    /// [`RoomError::NoOutput`], [`RoomError::TooMuchEncoded`],
    /// [`RoomError::TooMuchSent`], [`RoomError::OutputsStillEnd`],
    /// [`RoomError::Unavailable`] while too much still ends, [`RoomError::NoRoom`].
    pub async fn enable_output(&self, id: String, enabled: bool) -> Result<Output, RoomError> {
        if enabled {
            check_ending(&*self.media)?;
        }
        self.call(move |room| room.state.enable_output(&id, enabled, now())).await?
    }

    /// Starts or stops all outputs.
    ///
    /// # Errors
    /// [`RoomError::TooMuchEncoded`],
    /// [`RoomError::TooMuchSent`], [`RoomError::OutputsStillEnd`], [`RoomError::Unavailable`] while too much still
    /// ends, [`RoomError::NoRoom`].
    pub async fn enable_outputs(&self, enabled: bool) -> Result<Vec<Output>, RoomError> {
        if enabled {
            check_ending(&*self.media)?;
        }
        self.call(move |room| room.state.enable_outputs(enabled, now())).await?
    }

    /// Checks that a new output could be encoded beside the others, as [`RoomHandle::add_output`] does.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] with the place that asks for too much, [`RoomError::Unavailable`] while too much still ends,
    /// [`RoomError::NoRoom`].
    pub async fn check_output(&self, document: OutputDocument, spec: OutputSpec) -> Result<(), RoomError> {
        check_ending(&*self.media)?;
        self.call(move |room| room.state.check_work_of(&document, &spec, None)).await?
    }

    /// Tries what an output would be sent to; `None`: nobody knows what came of it.
    pub async fn try_output(&self, target: OutputTarget) -> Option<Trial> {
        let media = self.media.clone();
        tokio::task::spawn_blocking(move || media.try_output(target)).await.ok()
    }

    /// Pauses or resumes a recording.
    ///
    /// # Errors
    /// [`RoomError::NoOutput`], [`RoomError::NoRecording`], [`RoomError::NoRoom`].
    pub async fn pause_output(&self, id: String, paused: bool) -> Result<Output, RoomError> {
        self.call(move |room| room.state.pause_output(&id, paused, now())).await?
    }

    /// Names this moment in all recordings that run.
    ///
    /// # Errors
    /// [`RoomError::NoRecordings`], [`RoomError::TooManyMarkers`], [`RoomError::NoRoom`].
    pub async fn mark(&self, name: Arc<str>) -> Result<Marker, RoomError> {
        self.call(move |room| room.state.mark(name, now())).await?
    }

    /// Stops and forgets an output.
    ///
    /// # Errors
    /// [`RoomError::NoOutput`], [`RoomError::Stale`], [`RoomError::NoRoom`].
    pub async fn remove_output(&self, id: String, guard: &IfMatch) -> Result<(Revision, Output), RoomError> {
        self.change(guard, move |state| state.remove_output(&id, now())).await
    }

    /// Returns the canvas now, or what an output shows.
    ///
    /// # Errors
    /// [`RoomError::Unavailable`] when the media has none to give, [`RoomError::NoOutput`], [`RoomError::NoRoom`].
    pub async fn snapshot(&self, output: Option<String>) -> Result<Frame, RoomError> {
        let aux = |state: &State| output.map_or(Ok(None), |output| state.aux_of_output(&output));
        let answer = self.call(|room| aux(&room.state).map(|aux| room.snapshot(aux))).await??;
        match timeout(SNAPSHOT_WAIT, answer).await {
            Ok(Ok(Ok(frame))) => Ok(frame),
            Ok(Ok(Err(error))) => Err(RoomError::Unavailable(error.to_string())),
            Ok(Err(_)) | Err(_) => Err(RoomError::Unavailable("the room's media gave no picture in time".to_owned())),
        }
    }

    /// Returns the pictures that triggers took, oldest first.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn photos(&self) -> Result<Vec<Photo>, RoomError> {
        self.call(|room| room.state.photos()).await
    }

    /// Returns one picture that a trigger took.
    ///
    /// # Errors
    /// [`RoomError::NoPhoto`], [`RoomError::NoRoom`].
    pub async fn photo(&self, id: String) -> Result<Arc<Frame>, RoomError> {
        self.call(move |room| room.state.photo(&id)).await?.ok_or(RoomError::NoPhoto)
    }

    /// Returns all that was put for texts.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn data(&self) -> Result<Data, RoomError> {
        self.call(|room| room.state.data()).await
    }

    /// Returns what was put under a key.
    ///
    /// # Errors
    /// [`RoomError::NoData`], [`RoomError::NoRoom`].
    pub async fn datum(&self, key: String) -> Result<Value, RoomError> {
        self.call(move |room| room.state.datum(&key)).await?
    }

    /// Puts a value under a key, both checked before; whether there was none.
    ///
    /// # Errors
    /// [`RoomError::TooManyData`], [`RoomError::NoRoom`].
    pub async fn put_data(&self, key: String, value: Value) -> Result<bool, RoomError> {
        self.call(move |room| room.state.put_data(&key, value)).await?
    }

    /// Forgets what was put under a key.
    ///
    /// # Errors
    /// [`RoomError::NoData`], [`RoomError::NoRoom`].
    pub async fn remove_data(&self, key: String) -> Result<(), RoomError> {
        self.call(move |room| room.state.remove_data(&key)).await?
    }

    /// Returns the last lines of the chat, oldest first.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn chat(&self) -> Result<Vec<ChatLine>, RoomError> {
        self.call(|room| room.state.chat()).await
    }

    /// Adds a line to the chat that was checked before.
    ///
    /// # Errors
    /// [`RoomError::TooManyLines`], [`RoomError::NoRoom`].
    pub async fn add_chat(&self, line: NewChatLine) -> Result<ChatLine, RoomError> {
        self.call(move |room| room.state.add_chat(line, now())).await?
    }

    /// Takes a line of the chat away, or all of them; whether there was one.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn remove_chat(&self, id: Option<u64>) -> Result<bool, RoomError> {
        self.call(move |room| room.state.remove_chat(id)).await
    }

    /// Returns all timers, by id.
    ///
    /// # Errors
    /// [`RoomError::NoRoom`].
    pub async fn timers(&self) -> Result<Vec<TimerView>, RoomError> {
        self.call(|room| room.state.timers()).await
    }

    /// Returns one timer.
    ///
    /// # Errors
    /// [`RoomError::NoTimer`], [`RoomError::NoRoom`].
    pub async fn timer(&self, id: String) -> Result<TimerView, RoomError> {
        self.call(move |room| room.state.timer(&id)).await?
    }

    /// Has a timer, whose id was checked before, do something.
    ///
    /// # Errors
    /// [`RoomError::NoTimer`], [`RoomError::TooManyTimers`], [`RoomError::NoRoom`].
    pub async fn order_timer(&self, id: String, order: TimerOrder) -> Result<TimerView, RoomError> {
        self.call(move |room| room.state.order_timer(&id, order, now())).await?
    }

    /// Forgets a timer.
    ///
    /// # Errors
    /// [`RoomError::NoTimer`], [`RoomError::NoRoom`].
    pub async fn remove_timer(&self, id: String) -> Result<(), RoomError> {
        self.call(move |room| room.state.remove_timer(&id)).await?
    }

    /// Returns where people are in their pictures now.
    ///
    /// # Errors
    /// [`RoomError::KeypointsOff`], [`RoomError::Unavailable`] where no model finds keypoints or the media does not
    /// answer, [`RoomError::NoRoom`].
    pub async fn poses(&self) -> Result<RoomPoses, RoomError> {
        let answer = self.call(|room| room.state.check_poses().map(|()| room.find_poses())).await??;
        let Ok(Ok(found)) = timeout(POSES_WAIT, answer).await else {
            return Err(RoomError::Unavailable("the room's media reported no poses in time".to_owned()));
        };
        let participants = self.call(move |room| room.state.name_poses(&found)).await?;
        Ok(RoomPoses { participants })
    }

    /// Ends the room and waits until everything of it is given up.
    ///
    /// # Errors
    /// [`RoomError::Stale`], [`RoomError::NoRoom`].
    pub async fn end(&self, why: Closing, guard: &IfMatch) -> Result<(), RoomError> {
        self.change(guard, move |state| {
            state.end(&why);
            Ok(())
        })
        .await?;
        self.ended().await;
        Ok(())
    }
}
