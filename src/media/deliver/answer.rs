//! Our answer to the offer of somebody who receives. PURE.

use crate::media::sdp::{
    Candidate, Chosen, Codec, CodecFormat, Description, Direction, Fingerprint, SDES_MID, SdpKind, Section, Setup,
    Ssrc, TRANSPORT_WIDE_CC,
};

/// The name that RTCP and SDP give all that a room sends. It reveals nothing of machine or user.
pub const CNAME: &str = "virfie";

/// Longest mid that str0m writes into packets; longer ones are distinguished by the declared SSRCs alone.
const MAX_MID: usize = 16;

/// Our end of the transport.
#[derive(Debug, Clone)]
pub struct Transport {
    /// ICE user fragment.
    pub ufrag: String,
    /// ICE password.
    pub pwd: String,
    /// We answer connectivity checks and make none.
    pub lite: bool,
    /// Hash of our DTLS certificate.
    pub fingerprint: Fingerprint,
    /// Addresses at which we can be reached.
    pub candidates: Vec<Candidate>,
}

/// One stream as it is negotiated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Index of the m-line.
    pub section: usize,
    /// Name of the m-line.
    pub mid: String,
    /// The codec, with the peer's payload type.
    pub codec: Codec,
    /// Payload type of retransmissions, if the peer takes any.
    pub repair: Option<u8>,
    /// Id of the header extension that numbers packets over the whole transport.
    pub twcc: Option<u8>,
    /// Id of the header extension that names a packet's m-line.
    pub mid_extension: Option<u8>,
    /// SSRC of the stream; not 0.
    pub ssrc: u32,
    /// SSRC of its retransmissions; not 0.
    pub repair_ssrc: u32,
}

impl Track {
    /// Returns the stream that answers a chosen section. `ssrc` gives a number that no other stream of the connection
    /// has.
    pub fn new(offer: &Description, chosen: &Chosen, mut ssrc: impl FnMut() -> u32) -> Option<Self> {
        let section = offer.media.get(chosen.section)?;
        let payload = chosen.codec.payload.to_string();
        let repeats = |codec: &&Codec| {
            codec.format.name().eq_ignore_ascii_case("rtx") && codec.parameter("apt") == Some(payload.as_str())
        };
        let id = |uri: &str| section.extensions.iter().find(|(id, own)| own == uri && *id < 15).map(|(id, _)| *id);
        let feeds_back = chosen.codec.feedback.iter().any(|kind| kind == "transport-cc");
        Some(Self {
            section: chosen.section,
            mid: section.mid.clone(),
            codec: chosen.codec.clone(),
            repair: section.codecs.iter().find(repeats).map(|codec| codec.payload),
            twcc: id(TRANSPORT_WIDE_CC).filter(|_| feeds_back),
            mid_extension: id(SDES_MID).filter(|_| section.mid.len() <= MAX_MID),
            ssrc: ssrc(),
            repair_ssrc: ssrc(),
        })
    }

    /// Returns whether this is video.
    pub fn is_video(&self) -> bool {
        self.codec.format != CodecFormat::Opus
    }
}

/// Returns whether we begin the DTLS handshake: only where the peer insists on waiting for it, as it may begin at once.
pub fn is_dtls_client(remote: &Description) -> bool {
    remote.media.first().is_some_and(|section| section.setup == Setup::Passive)
}

/// Returns our answer: each m-line of the offer in its place, those with a track sendonly and the others rejected.
pub fn answer(offer: &Description, tracks: &[Track], transport: &Transport) -> Description {
    let setup = if is_dtls_client(offer) { Setup::Active } else { Setup::Passive };
    let mut media: Vec<Section> = Vec::with_capacity(offer.media.len());
    for (index, offered) in offer.media.iter().enumerate() {
        let ice = (transport.ufrag.clone(), transport.pwd.clone());
        let (line, mid) = (offered.line(), offered.mid.clone());
        let mut section = Section::rejected(line, mid, ice, transport.fingerprint.clone(), setup);
        if let Some(track) = tracks.iter().find(|track| track.section == index) {
            fill(&mut section, offered, track);
        }
        media.push(section);
    }
    let taken = |mid: &&String| tracks.iter().any(|track| track.mid == **mid);
    let bundle = offer.bundle.iter().filter(taken).cloned().collect();
    let mut answer = Description { kind: SdpKind::Answer, media, bundle, ice_lite: transport.lite, trickle: true };
    let tagged = answer.tagged();
    if let Some(section) = answer.media.get_mut(tagged) {
        section.candidates.clone_from(&transport.candidates);
        section.end_of_candidates = true;
    }
    answer
}

fn fill(section: &mut Section, offered: &Section, track: &Track) {
    section.direction = Direction::SendOnly;
    section.rejected = false;
    section.rtcp_rsize = offered.rtcp_rsize;
    let mut codec = track.codec.clone();
    codec.feedback.retain(|kind| kind != "goog-remb" && (kind != "transport-cc" || track.twcc.is_some()));
    section.codecs.push(codec);
    section.codecs.extend(offered.codecs.iter().filter(|codec| Some(codec.payload) == track.repair).cloned());
    let ours = [(track.twcc, TRANSPORT_WIDE_CC), (track.mid_extension, SDES_MID)];
    section.extensions = ours.into_iter().filter_map(|(id, uri)| Some((id?, uri.to_owned()))).collect();
    let repair = track.repair.map(|_| track.repair_ssrc);
    section.ssrcs.push(Ssrc { id: track.ssrc, cname: CNAME.to_owned(), repair });
    // One stream for both, or players would not keep them in step; WHEP wants the very same value on every line.
    section.msid = Some(CNAME.to_owned());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::media::{
        codec::SENT,
        sdp::{MediaKind, choose},
    };

    const FIREFOX: &str = include_str!("../sdp/fixtures/firefox_whep_offer.sdp");

    fn transport() -> Transport {
        Transport {
            ufrag: "ours".into(),
            pwd: "p".repeat(24),
            lite: true,
            fingerprint: Fingerprint::parse(&format!("sha-256 {}", vec!["AB"; 32].join(":"))).unwrap(),
            candidates: vec![Candidate::parse("candidate:1 1 udp 100 192.0.2.1 4000 typ host").unwrap().unwrap()],
        }
    }

    fn answered(offer: &Description) -> (Vec<Track>, Description) {
        let mut next = 100;
        let mut ssrc = || {
            next += 1;
            next
        };
        let chosen = choose(offer, &[], &SENT).unwrap();
        let tracks: Vec<Track> = chosen.iter().filter_map(|one| Track::new(offer, one, &mut ssrc)).collect();
        let answer = answer(offer, &tracks, &transport());
        (tracks, answer)
    }

    #[test]
    fn a_browser_is_sent_what_it_takes_with_retransmissions_and_declared_streams() {
        let offer = Description::parse(FIREFOX, SdpKind::Offer).unwrap();
        let (tracks, answer) = answered(&offer);
        assert_eq!(answer.media.len(), offer.media.len());
        let text = answer.to_sdp();
        for line in
            ["a=sendonly", "a=ice-lite", "a=setup:passive", "a=ssrc-group:FID ", "cname:virfie", "a=msid:virfie\r\n"]
        {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
        let video = tracks.iter().find(|track| track.is_video()).unwrap();
        assert!(video.repair.is_some());
        assert!(text.contains(&format!("a=fmtp:{} apt={}", video.repair.unwrap(), video.codec.payload)));
        assert_eq!(Description::parse(&text, SdpKind::Answer).unwrap(), answer);
    }

    #[test]
    fn what_is_not_sent_is_rejected_in_its_place() {
        let offer = Description::parse(FIREFOX, SdpKind::Offer).unwrap();
        let mut twice = offer.clone();
        let mut second = offer.media.iter().find(|section| section.kind == MediaKind::Video).unwrap().clone();
        second.mid = "second".into();
        twice.bundle.push(second.mid.clone());
        twice.media.push(second);
        let (tracks, answer) = answered(&twice);
        assert_eq!(tracks.len(), 2);
        assert!(answer.media[2].rejected);
        assert!(!answer.bundle.contains(&"second".to_owned()));
    }

    #[test]
    fn a_peer_that_waits_for_our_handshake_gets_it() {
        let mut offer = Description::parse(FIREFOX, SdpKind::Offer).unwrap();
        assert!(!is_dtls_client(&offer));
        offer.media.iter_mut().for_each(|section| section.setup = Setup::Passive);
        assert!(is_dtls_client(&offer));
        assert_eq!(answered(&offer).1.media[0].setup, Setup::Active);
    }
}
