//! The session WebSocket: how the page joins a room, is offered its connection and hears what happens.
//!
//! JSON text messages, see [`messages`]. The socket and the WebRTC connection live and die together; a page that lost
//! either comes back with a new socket and its `resume` secret. Close codes: 1000 left, 1001 the server ends, 4001 bad
//! message, 4003 refused, 4008 replaced by a newer connection, 4009 removed or the room ended, 4011 the connection
//! failed (come again).

pub mod messages;
mod outgoing;
mod pace;

use std::time::Duration;

use axum::{
    Router,
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::{StreamExt as _, stream::SplitStream};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite;

use self::{
    messages::{ClientMessage, IceServerEntry, ServerMessage, Way, ingest_codec},
    outgoing::{Clogged, Farewell, Outgoing},
    pace::{MOST_PER_SECOND, Pace},
};
use super::{
    AppState,
    auth::{Access, Role},
    capacity,
    problem::{self, Problem, ProblemSchema},
    room_path::{RoomPath, caller},
};
use crate::{
    control::room::{Closing, DisplayName, Joined, Note, RoomError, RoomHandle, RoomName, SessionJoin},
    media::port::{Candidate, Description, PeerId, ReceiverView, SdpKind, check_offer},
};

/// Largest message of a browser, in bytes: that of an SDP.
const MAX_MESSAGE: usize = 64 * 1024;

/// Largest message that is read at all. Those between are refused in words; beyond it the socket cannot be read on.
const MAX_READ: usize = 4 * MAX_MESSAGE;

/// Longest time that a browser may take until its first message.
const JOIN_WAIT: Duration = Duration::from_secs(10);

/// Time between two questions to a browser for a sign of life.
const PING_PERIOD: Duration = Duration::from_secs(5);

/// Longest time for which a browser may be silent: three pings unanswered.
const SILENCE: Duration = Duration::from_secs(15);

/// Time for which the browser's own close frame is waited for: cutting the connection before could cost it our last
/// message.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

const BAD_MESSAGE: u16 = 4001;
const REFUSED: u16 = 4003;
/// Replaced by a newer connection.
const REPLACED: u16 = 4008;
/// Removed by a moderator, or the room ended.
const REMOVED: u16 = 4009;
/// The connection failed.
const FAILED: u16 = 4011;
/// The server ends.
const GOING_AWAY: u16 = 1001;
/// The browser left.
const NORMAL: u16 = 1000;

/// Returns the routes of this resource.
pub fn router() -> Router<AppState> {
    Router::new().route("/rooms/{room}/session", get(session))
}

/// Opens a WebSocket of JSON text messages: signalling and news of one participant. The page sends `ClientMessage`s, the server
/// `ServerMessage`s.
#[utoipa::path(
    get, path = "/rooms/{room}/session", tag = "webrtc",
    params(
        ("room" = String, Path, description = "The room's name; the room is made if it does not exist"),
        ("token" = Option<String>, Query, description = "Key or token: a browser cannot send headers with a WebSocket"),
    ),
    responses(
        (status = 101, description = "The socket. The first message is `join`; refusals come as an `error` message"),
        (status = 400, description = "No WebSocket handshake",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn session(
    State(app): State<AppState>,
    room: RoomPath,
    access: Result<Access, Problem>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match (upgrade, &access) {
        (Ok(upgrade), _) => upgrade,
        (Err(_), Err(problem)) => return problem.clone().into_response(),
        (Err(rejection), Ok(_)) => {
            return Problem::with_status(rejection.status(), rejection.body_text()).into_response();
        }
    };
    // A browser cannot read why a handshake was refused: the open socket says it.
    upgrade.max_message_size(MAX_READ).max_frame_size(MAX_READ).on_upgrade(move |socket| async move {
        let _counted = app.registry.session_guard();
        let (sink, stream) = socket.split();
        let outgoing = Outgoing::new(sink);
        let mut incoming = Incoming { stream, heard: Instant::now(), pace: Pace::new(Instant::now().into_std()) };
        let farewell = match serve(&app, room.name, access, &outgoing, &mut incoming).await {
            Ok(()) => Farewell { problem: None, code: NORMAL, reason: "left" },
            Err(farewell) => farewell,
        };
        tracing::debug!(code = farewell.code, reason = farewell.reason, "session closes");
        outgoing.finish(farewell).await;
        let _ = timeout(CLOSE_WAIT, async { while let Some(Ok(_)) = incoming.stream.next().await {} }).await;
    })
}

fn bad(problem: Problem) -> Farewell {
    Farewell { problem: Some(Box::new(problem)), code: BAD_MESSAGE, reason: "bad message" }
}

fn refused(problem: Problem) -> Farewell {
    Farewell { problem: Some(Box::new(problem)), code: REFUSED, reason: "refused" }
}

fn failed(detail: &str) -> Farewell {
    Farewell { problem: Some(Box::new(Problem::unavailable(detail))), code: FAILED, reason: "connection failed" }
}

/// Ends the session of a browser that is gone or silent; it may come back with its secret.
fn lost() -> Farewell {
    Farewell { problem: None, code: FAILED, reason: "connection lost" }
}

/// Serves from the first message to the last. An error says how the socket is closed; the place is kept for a while
/// then.
async fn serve(
    app: &AppState,
    name: RoomName,
    access: Result<Access, Problem>,
    outgoing: &Outgoing,
    incoming: &mut Incoming,
) -> Result<(), Farewell> {
    let access = access.map_err(refused)?;
    access.require(Role::Participant, name.as_str()).map_err(refused)?;
    let first = timeout(JOIN_WAIT, incoming.next())
        .await
        .unwrap_or_else(|_| Err(bad(Problem::bad_request("the first message did not come within 10 seconds"))))?;
    let join = session_join(app, &access, &name, first)?;

    // A page comes again by itself after a while.
    let promise = app
        .capacity
        .admit(capacity::SENDER.and(capacity::RECEIVER), &access)
        .map_err(|problem| not_joined(RoomError::Unavailable(problem.detail)))?;
    let room = app.founders.find_or_make(app, &access, &name).map_err(not_joined)?;
    let joined = room.join_session(join).await.map_err(not_joined)?;
    promise.keep(&room);
    let peer = joined.peer;
    let directs = access.role >= Role::Producer;
    let ending = Session { room: &room, peer, outgoing, incoming, answered: false, offered: false, directs }
        .run(joined, &ice_servers(app))
        .await;
    match ending {
        Ok(()) => room.leave(peer).await,
        Err(_) => room.lose(peer).await,
    }
    ending
}

/// Returns what the first message asks for.
fn session_join(
    app: &AppState,
    access: &Access,
    room: &RoomName,
    first: ClientMessage,
) -> Result<SessionJoin, Farewell> {
    let ClientMessage::Join { name, resume, send, .. } = first else {
        let detail = format!("the first message must be `join`, not `{}`", first.name());
        return Err(bad(Problem::unprocessable(detail)));
    };
    // The signer of a token vouches for its name.
    let name = access.name.as_deref().unwrap_or(&name);
    let name = DisplayName::parse(name).map_err(|error| bad(error.into()))?;
    Ok(SessionJoin { name, caller: caller(app, access, room), resume, ingest: ingest_codec(&send) })
}

fn not_joined(error: RoomError) -> Farewell {
    match error {
        RoomError::Draining => {
            Farewell { problem: Some(Box::new(error.into())), code: GOING_AWAY, reason: "server ends" }
        }
        // The room ended at this very moment: the next attempt makes a new one.
        RoomError::NoRoom | RoomError::Unavailable(_) => {
            Farewell { problem: Some(Box::new(error.into())), code: FAILED, reason: "try again" }
        }
        error => refused(error.into()),
    }
}

fn ice_servers(app: &AppState) -> Vec<IceServerEntry> {
    let entry = |server: crate::config::IceServer| IceServerEntry {
        urls: vec![server.url],
        username: server.username,
        credential: server.credential,
    };
    app.ice_servers().into_iter().map(entry).collect()
}

/// The receiving half of the socket.
struct Incoming {
    stream: SplitStream<WebSocket>,
    /// Moment at which something came last, pongs included.
    heard: Instant,
    pace: Pace,
}

impl Incoming {
    /// Returns the browser's next message. Nothing is lost when this is given up while it waits.
    async fn next(&mut self) -> Result<ClientMessage, Farewell> {
        loop {
            let message = match self.stream.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Err(broken(error)),
                None => return Err(lost()),
            };
            self.heard = Instant::now();
            if !self.pace.allows(self.heard.into_std()) {
                let detail = format!("more than {MOST_PER_SECOND} messages in a second");
                return Err(bad(Problem::too_many(detail)));
            }
            match message {
                Message::Text(text) if text.as_str().len() > MAX_MESSAGE => return Err(too_long()),
                Message::Text(text) => return problem::parse(text.as_str().as_bytes()).map_err(bad),
                Message::Binary(_) => return Err(bad(Problem::bad_request("messages are JSON text, not binary"))),
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Close(_) => return Err(lost()),
            }
        }
    }
}

fn too_long() -> Farewell {
    bad(Problem::too_large(format!("a message has at most {MAX_MESSAGE} bytes")))
}

/// Returns a socket that cannot be read any more.
fn broken(error: axum::Error) -> Farewell {
    let inner = error.into_inner();
    match inner.downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => too_long(),
        Some(tungstenite::Error::Utf8(_)) => bad(Problem::bad_request("messages are UTF-8")),
        _ => lost(),
    }
}

/// A browser in a room.
struct Session<'a> {
    room: &'a RoomHandle,
    peer: PeerId,
    outgoing: &'a Outgoing,
    incoming: &'a mut Incoming,
    /// The server's offer was sent.
    offered: bool,
    /// The browser's answer was taken.
    answered: bool,
    /// Whether it may see where the room is sent.
    directs: bool,
}

impl Session<'_> {
    /// Runs until the browser leaves (`Ok`) or the socket has to close.
    async fn run(mut self, joined: Joined, ice_servers: &[IceServerEntry]) -> Result<(), Farewell> {
        let Joined { participant, resume, room, mut events, mut end, .. } = joined;
        let room = if self.directs { room } else { room.without_targets() };
        let welcome = ServerMessage::Welcome { participant: &participant, resume: &resume, room: &room, ice_servers };
        self.outgoing.send(&welcome).map_err(too_slow)?;
        drop(room);
        let mut ping = interval(PING_PERIOD);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // In this order, so that the room's last news is queued before the socket is closed for it.
            tokio::select! {
                biased;
                Some(note) = end.notes.recv() => self.pass_on(&note)?,
                Some(event) = events.next() => {
                    let event = if self.directs { Some(event) } else { event.for_guests() };
                    if let Some(event) = event {
                        self.outgoing.send(&ServerMessage::Event { event: &event }).map_err(too_slow)?;
                    }
                }
                why = &mut end.close => return Err(closing(why.unwrap_or_else(|_| faulty()))),
                message = self.incoming.next() => match message? {
                    ClientMessage::Leave => return Ok(()),
                    message => self.take(message).await?,
                },
                _ = ping.tick() => {
                    if self.incoming.heard.elapsed() > SILENCE {
                        return Err(lost());
                    }
                    self.outgoing.ping().map_err(too_slow)?;
                }
            }
        }
    }

    fn pass_on(&mut self, note: &Note) -> Result<(), Farewell> {
        let message = match note {
            Note::Offer { sdp } => {
                self.offered = true;
                ServerMessage::Offer { sdp }
            }
            Note::Candidate { mline, candidate } => ServerMessage::Candidate { candidate, mline: *mline },
            Note::Connected => ServerMessage::Connected,
            Note::Delivery(delivery) => ServerMessage::Delivery {
                rendition: delivery.rendition.as_deref(),
                reason: &delivery.reason,
                renditions: &delivery.renditions,
                loss: delivery.loss,
                round_trip_ms: delivery.round_trip_ms,
                estimate_kbps: delivery.estimate_kbps,
            },
            Note::Shown { width, height, fps } => ServerMessage::Shown { width: *width, height: *height, fps: *fps },
        };
        self.outgoing.send(&message).map_err(too_slow)
    }

    async fn take(&mut self, message: ClientMessage) -> Result<(), Farewell> {
        let (room, peer) = (self.room, self.peer);
        match message {
            ClientMessage::Answer { sdp } => {
                if !self.offered || self.answered {
                    let detail = "an answer is expected once, after the offer";
                    return Err(bad(Problem::unprocessable(detail)));
                }
                let answer = Description::parse(&sdp, SdpKind::Answer)
                    .map_err(|fault| bad(Problem::unprocessable(format!("sdp: {fault}"))))?;
                self.answered = true;
                carried_out(room.answer(peer, answer)).await
            }
            ClientMessage::Receive { sdp } => self.receive(&sdp).await,
            ClientMessage::View { height, hidden, dropped, save_data, rendition } => {
                if !(0.0..=1.0).contains(&dropped) {
                    return Err(bad(Problem::unprocessable("`dropped` is a share, from 0 to 1")));
                }
                let view = ReceiverView { height, hidden, save_data, dropped, ..ReceiverView::default() };
                carried_out(room.view(peer, view, rendition)).await
            }
            ClientMessage::Candidate { candidate, connection, .. } => {
                let candidate = Candidate::parse(candidate.as_deref().unwrap_or_default())
                    .map_err(|fault| bad(Problem::unprocessable(fault.to_string())))?;
                carried_out(async {
                    let peer = match connection {
                        Way::Send => peer,
                        Way::Receive => room.receiver_of(peer).await?,
                    };
                    room.candidates(peer, vec![candidate]).await
                })
                .await
            }
            ClientMessage::Media { audio, video } => carried_out(room.set_switches(peer, audio, video)).await,
            ClientMessage::Ready { ready } => carried_out(room.set_ready(peer, ready)).await,
            ClientMessage::Join { .. } | ClientMessage::Leave => {
                Err(bad(Problem::unprocessable("`join` is the first message only")))
            }
        }
    }
}

impl Session<'_> {
    /// Makes the connection that carries the mix, and answers its offer.
    async fn receive(&self, sdp: &str) -> Result<(), Farewell> {
        let unusable = |what: &dyn std::fmt::Display| bad(Problem::unprocessable(format!("sdp: {what}")));
        let offer = Description::parse(sdp, SdpKind::Offer).map_err(|fault| unusable(&fault))?;
        check_offer(&offer, false).map_err(|refused| unusable(&refused))?;
        match self.room.receive(self.peer, offer).await {
            Ok(sdp) => self.outgoing.send(&ServerMessage::Answer { sdp: &sdp }).map_err(too_slow),
            // As in `carried_out`.
            Err(RoomError::NoConnection | RoomError::NoRoom) => Ok(()),
            Err(error) => Err(failed(&error.to_string())),
        }
    }
}

/// Returns what a message asks of the room. A connection that the room no longer knows is about to be closed by it: the
/// reason is on its way, and better than any that could be given here.
async fn carried_out(asked: impl Future<Output = Result<(), RoomError>>) -> Result<(), Farewell> {
    match asked.await {
        Ok(()) | Err(RoomError::NoConnection | RoomError::NoRoom) => Ok(()),
        Err(error) => Err(bad(error.into())),
    }
}

fn too_slow(_: Clogged) -> Farewell {
    failed("the browser does not read what it is sent")
}

/// Closes a session whose room's task is gone without a word: it has met a fault, and begins again.
fn faulty() -> Closing {
    Closing::MediaFailed("the room has met a fault and begins again".to_owned())
}

fn closing(why: Closing) -> Farewell {
    let plain = |code, reason| Farewell { problem: None, code, reason };
    let told = |problem, code, reason| Farewell { problem: Some(Box::new(problem)), code, reason };
    match why {
        Closing::Replaced => plain(REPLACED, "replaced by a newer connection"),
        Closing::Removed => told(Problem::forbidden("a moderator removed you from the room"), REMOVED, "removed"),
        Closing::Unauthorized => told(Problem::unauthorized(), REFUSED, "the token is over"),
        Closing::RoomEnded => plain(REMOVED, "the room has ended"),
        Closing::Shutdown => plain(GOING_AWAY, "the server is shutting down"),
        Closing::MediaFailed(reason) => failed(&reason),
        Closing::TooSlow => too_slow(Clogged),
    }
}
