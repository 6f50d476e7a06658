//! Requests to a room about connections: session sockets, WHIP senders, WHEP viewers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

use super::{feed::Feed, handle::RoomHandle};
use crate::{
    control::room::{
        actor::{
            link::{Link, SessionEnd},
            now,
        },
        error::RoomError,
        secret,
        state::{
            Arrival, Place, Reception, Resource, ResourceKind, Viewer,
            name::DisplayName,
            participant::{Bearer, Caller, Claim, JoinMethod, PeerConnection, Receiver},
            view::{LeaveReason, Participant, RoomState},
        },
    },
    media::port::{Candidate, Description, Negotiation, ParticipantId, PeerId, PeerRefused, ReceiverView, VideoCodec},
};

/// Longest time that the media may take to answer an offer: it gathers candidates for up to a second.
const ANSWER_WAIT: Duration = Duration::from_secs(10);

/// A browser at the door.
#[derive(Debug)]
pub struct SessionJoin {
    /// The name that they ask for.
    pub name: DisplayName,
    /// Their role, and the token that they came with.
    pub caller: Caller,
    /// The secret of an earlier place.
    pub resume: Option<String>,
    /// The video codec that they shall send.
    pub ingest: VideoCodec,
}

/// A browser's place in the room.
#[derive(Debug)]
pub struct Joined {
    /// The connection.
    pub peer: PeerId,
    /// The participant that they are in the room.
    pub participant: Participant,
    /// Takes the place over later.
    pub resume: String,
    /// The room at the moment of joining.
    pub room: RoomState,
    /// All events after that.
    pub events: Feed,
    /// The notes for this socket alone, and the end of the session.
    pub end: SessionEnd,
}

/// An offer that came by HTTP.
#[derive(Debug)]
pub struct PostedOffer {
    /// The checked offer.
    pub offer: Description,
    /// Its ICE user fragments.
    pub ufrags: Vec<String>,
}

/// The wishes of one who wants to watch.
#[derive(Debug)]
pub struct Watching {
    /// The offer.
    pub posted: PostedOffer,
    /// The claim that they make: a WHIP sender of the same claim does not hear themselves.
    pub claim: Option<Claim>,
    /// The rendition that they want, by its height; `None` or `auto`: what the line carries.
    pub rendition: Option<String>,
    /// The token that they came with.
    pub bearer: Option<Bearer>,
}

/// A connection made by HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Names its resource; who knows it may end it.
    pub secret: String,
    /// The connection.
    pub peer: PeerId,
    /// The answer's SDP.
    pub answer: String,
}

fn next_peer() -> PeerId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    PeerId(NEXT.fetch_add(1, Ordering::Relaxed))
}

impl RoomHandle {
    /// Takes a browser in. The offer follows as a note.
    ///
    /// # Errors
    /// [`RoomError::Banned`], [`RoomError::Locked`], [`RoomError::Full`], [`RoomError::TooManyPlaces`],
    /// [`RoomError::NoRoom`].
    pub async fn join_session(&self, join: SessionJoin) -> Result<Joined, RoomError> {
        let peer = next_peer();
        let arrival = Arrival {
            name: join.name,
            caller: join.caller,
            joined_by: JoinMethod::Session,
            resume: join.resume,
            connection: PeerConnection::new(peer, Vec::new()),
            negotiation: Negotiation::Offer { ingest: join.ingest },
            fresh_id: ParticipantId(secret::id().into()),
            fresh_secret: secret::secret(),
        };
        let (link, end) = Link::new();
        let this = self.clone();
        self.call(move |room| {
            let Place { participant, secret: resume, .. } = room.state.join(arrival, now())?;
            room.link(peer, link);
            // Only the others hear what the joining itself causes: the welcome says it to this one.
            room.settle();
            let events = Feed::new(this, room.subscribe());
            Ok::<_, RoomError>(Joined { peer, participant, resume, room: room.state.introduce(), events, end })
        })
        .await?
    }

    /// Takes a WHIP sender in, or lets it take over the place of its claim.
    ///
    /// # Errors
    /// [`RoomError::Refused`] when the media cannot answer the offer, [`RoomError::Banned`], [`RoomError::Locked`],
    /// [`RoomError::Full`], [`RoomError::TooManyPlaces`], [`RoomError::Unavailable`], [`RoomError::NoRoom`].
    pub async fn join_whip(
        &self,
        name: DisplayName,
        caller: Caller,
        claim: Option<Claim>,
        posted: PostedOffer,
    ) -> Result<Opened, RoomError> {
        let peer = next_peer();
        let secret = secret::secret();
        let (reply, answer) = oneshot::channel();
        let arrival = Arrival {
            name,
            caller,
            joined_by: JoinMethod::Whip { claim },
            resume: None,
            connection: PeerConnection::new(peer, posted.ufrags),
            negotiation: Negotiation::Answer { offer: posted.offer, reply },
            fresh_id: ParticipantId(secret::id().into()),
            fresh_secret: secret.clone(),
        };
        let undo = Undo::new(self, peer, &secret);
        let place = self.call(move |room| room.state.join(arrival, now())).await.and_then(|result| result);
        let place = match place {
            Ok(place) => place,
            Err(error) => {
                undo.not_needed();
                return Err(error);
            }
        };
        self.answered(undo, answer, place.resumed).await.map(|answer| Opened { secret, peer, answer })
    }

    /// Takes a viewer in.
    ///
    /// # Errors
    /// [`RoomError::Refused`] when the media cannot answer the offer, [`RoomError::TooManyViewers`],
    /// [`RoomError::TooManyConnecting`], [`RoomError::Invalid`] for a rendition that the room does not have,
    /// [`RoomError::Unavailable`], [`RoomError::NoRoom`].
    pub async fn join_viewer(&self, watching: Watching) -> Result<Opened, RoomError> {
        let Watching { posted, claim, rendition, bearer } = watching;
        let peer = next_peer();
        let secret = secret::secret();
        let (reply, answer) = oneshot::channel();
        let receiver = Receiver::new(PeerConnection::new(peer, posted.ufrags));
        let viewer = Viewer { receiver, secret: secret.clone(), claim, bearer };
        let reception = Reception { offer: posted.offer, rendition, reply };
        let undo = Undo::new(self, peer, &secret);
        if let Err(error) = self.call(move |room| room.state.watch(viewer, reception)).await.and_then(|done| done) {
            undo.not_needed();
            return Err(error);
        }
        self.answered(undo, answer, false).await.map(|answer| Opened { secret, peer, answer })
    }

    /// Waits for the media's answer; without one the connection is taken back.
    async fn answered(
        &self,
        undo: Undo,
        answer: oneshot::Receiver<Result<String, PeerRefused>>,
        keep_place: bool,
    ) -> Result<String, RoomError> {
        let error = match timeout(ANSWER_WAIT, answer).await {
            Ok(Ok(Ok(answer))) => {
                undo.not_needed();
                return Ok(answer);
            }
            Ok(Ok(Err(refused))) => RoomError::Refused(refused),
            Ok(Err(_)) | Err(_) => RoomError::Unavailable("the room's media did not answer in time".to_owned()),
        };
        let (peer, secret) = undo.not_needed();
        if keep_place {
            self.lose(peer).await;
        } else {
            self.take_back(peer, secret).await;
        }
        Err(error)
    }

    /// Undoes a connection that never came to be. A sender is known by the secret that was made for this very POST: the
    /// media may have reported already that the connection is gone.
    async fn take_back(&self, peer: PeerId, secret: String) {
        // An error only says that the room has ended.
        let _ = self
            .call(move |room| {
                if !room.state.drop_viewer(peer) {
                    room.state.refuse(&secret);
                }
            })
            .await;
    }

    /// Makes the receiving connection of a session, in place of an older one; the answer's SDP.
    ///
    /// # Errors
    /// [`RoomError::Refused`] when the media cannot answer the offer, [`RoomError::NoConnection`],
    /// [`RoomError::Unavailable`], [`RoomError::NoRoom`].
    pub async fn receive(&self, session: PeerId, offer: Description) -> Result<String, RoomError> {
        let connection = PeerConnection::new(next_peer(), Vec::new());
        let (reply, answer) = oneshot::channel();
        let reception = Reception { offer, rendition: None, reply };
        self.call(move |room| room.state.receive(session, connection, reception)).await??;
        match timeout(ANSWER_WAIT, answer).await {
            Ok(Ok(answer)) => answer.map_err(RoomError::Refused),
            Ok(Err(_)) | Err(_) => Err(RoomError::Unavailable("the room's media did not answer in time".to_owned())),
        }
    }

    /// Returns what the page of a session can use, and the rendition that it wants.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`], [`RoomError::Invalid`], [`RoomError::NoRoom`].
    pub async fn view(&self, session: PeerId, view: ReceiverView, rendition: String) -> Result<(), RoomError> {
        self.call(move |room| room.state.view(session, view, Some(&rendition))).await?
    }

    /// Returns the receiving connection of a session.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`], [`RoomError::NoRoom`].
    pub async fn receiver_of(&self, session: PeerId) -> Result<PeerId, RoomError> {
        self.call(move |room| room.state.receiver_of(session)).await?
    }

    /// Passes a browser's answer on.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`], [`RoomError::NoRoom`].
    pub async fn answer(&self, peer: PeerId, answer: Description) -> Result<(), RoomError> {
        self.call(move |room| room.state.answer(peer, answer)).await?
    }

    /// Passes remote candidates on, in order; `None` is the end of candidates.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`], [`RoomError::NoRoom`].
    pub async fn candidates(&self, peer: PeerId, candidates: Vec<Option<Candidate>>) -> Result<(), RoomError> {
        self.call(move |room| candidates.into_iter().try_for_each(|candidate| room.state.candidate(peer, candidate)))
            .await?
    }

    /// Notes that a browser switched its microphone or camera.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`], [`RoomError::NoRoom`].
    pub async fn set_switches(&self, peer: PeerId, audio: bool, video: bool) -> Result<(), RoomError> {
        self.call(move |room| room.state.set_switches(peer, audio, video)).await?
    }

    /// Notes that a browser's user has said whether they are ready to go on air.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`], [`RoomError::NoRoom`].
    pub async fn set_ready(&self, peer: PeerId, ready: bool) -> Result<(), RoomError> {
        self.call(move |room| room.state.set_ready(peer, ready)).await?
    }

    /// Puts out everyone who came with this token; `None`: with any.
    pub async fn dismiss(&self, subject: Option<Arc<str>>) {
        // An error only says that the room has ended.
        let _ = self
            .call(move |room| {
                room.state.dismiss(|bearer| subject.as_ref().is_none_or(|subject| bearer.subject == *subject));
            })
            .await;
    }

    /// Notes that a browser leaves for good. Nothing happens when its connection was replaced.
    pub async fn leave(&self, peer: PeerId) {
        // An error only says that the room has ended.
        let _ = self.call(move |room| room.state.leave(peer, LeaveReason::Left)).await;
    }

    /// Notes that a browser's socket is lost: its place is kept for `hold_ms`. Nothing happens when the connection was
    /// replaced.
    pub async fn lose(&self, peer: PeerId) {
        // An error only says that the room has ended.
        let _ = self.call(move |room| room.state.lose(peer, now())).await;
    }

    /// Returns the connection behind a WHIP or WHEP resource.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`], [`RoomError::NoRoom`].
    pub async fn resource(&self, kind: ResourceKind, secret: String) -> Result<Resource, RoomError> {
        self.call(move |room| room.state.resource(kind, &secret)).await?
    }

    /// Ends the connection behind a WHIP or WHEP resource.
    ///
    /// # Errors
    /// [`RoomError::NoConnection`], [`RoomError::NoRoom`].
    pub async fn close_resource(&self, kind: ResourceKind, secret: String) -> Result<(), RoomError> {
        self.call(move |room| room.state.close_resource(kind, &secret)).await?
    }
}

/// Takes a connection back when the request that makes it is given up half-way (its client went away).
struct Undo(Option<(RoomHandle, PeerId, String)>);

impl Undo {
    fn new(room: &RoomHandle, peer: PeerId, secret: &str) -> Self {
        Self(Some((room.clone(), peer, secret.to_owned())))
    }

    fn not_needed(mut self) -> (PeerId, String) {
        let (_, peer, secret) = self.0.take().expect("it is taken here or in drop, and never both");
        (peer, secret)
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if let Some((room, peer, secret)) = self.0.take() {
            tokio::spawn(async move { room.take_back(peer, secret).await });
        }
    }
}
