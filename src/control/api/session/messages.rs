//! The messages of the session WebSocket. PURE.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    control::{
        api::problem::ProblemSchema,
        room::{Event, Participant, RoomState},
    },
    media::port::VideoCodec,
};

/// A message of the page to the session's WebSocket.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// The first message.
    Join {
        /// The name to be seen by; a token's name comes before it.
        name: String,
        /// The secret of an earlier `welcome`: its place is taken over if it is still there.
        #[serde(default)]
        resume: Option<String>,
        /// Video codecs that the browser can receive, best first: `h264`, `vp8`. The offer of `receive` decides which
        /// one is sent.
        #[serde(default)]
        receive: Vec<String>,
        /// Video codecs that the browser can send, best first: `vp8`, `h264`, `vp9`.
        #[serde(default)]
        send: Vec<String>,
    },
    /// The answer to the server's offer, for the connection that sends.
    Answer {
        /// SDP.
        sdp: String,
    },
    /// The offer of the connection that receives, in place of an older one; `answer` follows.
    Receive {
        /// SDP.
        sdp: String,
    },
    /// The page reports which picture of the mix it can use, and which one its user wants.
    View {
        /// Height of the player in pixels of the screen.
        #[serde(default)]
        height: Option<u32>,
        /// Nobody looks at the page.
        #[serde(default)]
        hidden: bool,
        /// Share of frames that there was no time to decode, 0 to 1.
        #[serde(default)]
        dropped: f32,
        /// The user wants to save data.
        #[serde(default)]
        save_data: bool,
        /// `auto`, or a rendition by its height: `360p`.
        #[serde(default = "auto")]
        rendition: String,
    },
    /// One of the browser's candidates; empty or null is the end of them.
    Candidate {
        /// `candidate:…`
        #[serde(default)]
        candidate: Option<String>,
        /// Index of the m-line. All share one transport, so it is not looked at.
        #[serde(default)]
        mline: Option<u32>,
        /// The connection that it belongs to.
        #[serde(default)]
        connection: Way,
    },
    /// The user's own switches, shown to others.
    Media {
        /// Microphone.
        audio: bool,
        /// Camera.
        video: bool,
    },
    /// The user, who is backstage, says whether they can be put on air. Not looked at while they are on air.
    Ready {
        /// Whether they are `ready`, or only `backstage`.
        ready: bool,
    },
    /// The user leaves for good.
    Leave,
}

/// One of a page's two connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SessionConnection)]
pub enum Way {
    /// It carries microphone and camera.
    #[default]
    Send,
    /// It carries the mix.
    Receive,
}

fn auto() -> String {
    "auto".to_owned()
}

impl ClientMessage {
    /// Returns the message's `type`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Join { .. } => "join",
            Self::Answer { .. } => "answer",
            Self::Receive { .. } => "receive",
            Self::View { .. } => "view",
            Self::Candidate { .. } => "candidate",
            Self::Media { .. } => "media",
            Self::Ready { .. } => "ready",
            Self::Leave => "leave",
        }
    }
}

/// A STUN or TURN server, as `RTCPeerConnection` takes it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = IceServer)]
pub struct IceServerEntry {
    /// Its URLs.
    pub urls: Vec<String>,
    /// TURN only.
    #[schema(required)]
    pub username: Option<String>,
    /// TURN only.
    #[schema(required)]
    pub credential: Option<String>,
}

/// A message of the session's WebSocket to the page.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage<'a> {
    /// The browser is in the room.
    Welcome {
        /// The page's user in it.
        participant: &'a Participant,
        /// The secret of a later `join` that takes this place over.
        resume: &'a str,
        /// The room now.
        room: &'a RoomState,
        /// For the browser's `RTCPeerConnection`.
        ice_servers: &'a [IceServerEntry],
    },
    /// The server's offer for the connection that sends; there is only ever one.
    Offer {
        /// SDP.
        sdp: &'a str,
    },
    /// The answer to `receive`, with all candidates.
    Answer {
        /// SDP.
        sdp: &'a str,
    },
    /// Delivery of the mix to the browser; about once a second, and when the rendition changes.
    Delivery {
        /// The rendition that is sent, by its height; null: sound alone.
        #[schema(required)]
        rendition: Option<&'a str>,
        /// Reason for this rendition.
        reason: &'a str,
        /// All that there are, the largest first.
        renditions: &'a [String],
        /// Share of packets lost, 0 to 1.
        loss: f64,
        /// To the browser and back, in milliseconds; null until measured.
        #[schema(required)]
        round_trip_ms: Option<f64>,
        /// Estimated capacity of the line, in kbit/s; null until known.
        #[schema(required)]
        estimate_kbps: Option<u64>,
    },
    /// Size at which the browser's own picture is shown on the canvas: it need not send more.
    Shown {
        /// In pixels of the whole picture; 0: not shown.
        width: u32,
        /// In pixels of the whole picture; 0: not shown.
        height: u32,
        /// Frames a second that can be of use.
        fps: u32,
    },
    /// One of the server's candidates, for the connection that sends.
    Candidate {
        /// `candidate:…`
        candidate: &'a str,
        /// Index of the m-line.
        mline: u32,
    },
    /// The server receives from the browser.
    Connected,
    /// News from the room.
    Event {
        /// The same as in the event stream.
        event: &'a Event,
    },
    /// Something failed; the socket closes after this.
    Error {
        /// An RFC 9457 object.
        #[schema(value_type = ProblemSchema)]
        problem: Value,
    },
}

/// Returns what the browser shall send: the first of its list that we can decode, else VP8, which every browser can.
pub fn ingest_codec(send: &[String]) -> VideoCodec {
    let known = [("vp8", VideoCodec::Vp8), ("h264", VideoCodec::H264), ("vp9", VideoCodec::Vp9)];
    first_of(send, &known).unwrap_or(VideoCodec::Vp8)
}

fn first_of(wanted: &[String], known: &[(&str, VideoCodec)]) -> Option<VideoCodec> {
    wanted.iter().find_map(|name| {
        known.iter().find(|(known_name, _)| name.eq_ignore_ascii_case(known_name)).map(|(_, codec)| *codec)
    })
}

#[cfg(test)]
mod tests;
