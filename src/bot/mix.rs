//! A bot's connection that receives the mix: webrtcbin, which offers.

use crate::media::{
    codec::VideoCodec,
    gst::launch::Launches,
    port::{Candidate, Description, SdpKind},
    sdp::{Fault, Fingerprint},
    webrtc::{
        line::MediaLine,
        peer::{Network, OnTrack, Peer, PeerError, PeerNews},
    },
};

/// The reason why the mix cannot be received, in one line.
#[derive(Debug, thiserror::Error)]
pub enum MixError {
    /// The connection, which says whose fault it is.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The answer is refused: the server's fault.
    #[error(transparent)]
    Answer(#[from] Fault),
    /// The server's fault.
    #[error("an answer without m-lines")]
    Empty,
    /// The server's fault.
    #[error("connected before it was answered")]
    Unanswered,
}

/// See the module.
#[derive(Debug)]
pub struct Mix {
    peer: Peer,
    fingerprint: Option<Fingerprint>,
}

impl Mix {
    /// Makes the connection and its offer, which comes as [`PeerNews::Described`] and goes into a `receive` message.
    ///
    /// # Errors
    /// When an element is missing or refuses, in one line.
    pub fn offer(
        name: &str,
        codec: VideoCodec,
        network: &Network,
        launches: &Launches,
        on_track: OnTrack,
        listener: impl Fn(PeerNews) + Send + Sync + 'static,
    ) -> Result<Self, MixError> {
        let peer = Peer::new(name, &MediaLine::received(codec, 102), network, launches, on_track, listener)?;
        peer.offer();
        Ok(Self { peer, fingerprint: None })
    }

    /// Takes the server's answer.
    ///
    /// # Errors
    /// It is no answer to our offer.
    pub fn accept(&mut self, sdp: &str) -> Result<(), MixError> {
        let answer = Description::parse(sdp, SdpKind::Answer)?;
        let tagged = answer.tagged();
        let section = answer.media.get(tagged).ok_or(MixError::Empty)?;
        self.peer.accept(&answer.to_sdp())?;
        let mline = u32::try_from(tagged).unwrap_or(0);
        for candidate in &section.candidates {
            self.peer.add_candidate(mline, &Candidate::to_string(candidate));
        }
        self.fingerprint = Some(section.fingerprint.clone());
        Ok(())
    }

    /// Checks that the server is who it said it is; to be called when the connection stands.
    ///
    /// # Errors
    /// It is somebody else.
    pub fn verify(&self) -> Result<(), MixError> {
        Ok(self.peer.verify(self.fingerprint.as_ref().ok_or(MixError::Unanswered)?)?)
    }

    /// Returns the connection, for its numbers.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }
}
