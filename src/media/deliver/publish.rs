//! A room to another server: we offer and send, it answers (RFC 9725), over a port and threads of its own.
//!
//! Other servers have one port for all that comes, and distinguish their senders by addresses, as we do: two rooms from
//! one port of ours to one of theirs would be taken for each other.

use std::{
    fmt, io,
    time::{Duration, Instant},
};

use sha2::{Digest as _, Sha256};
use str0m::IceCreds;

use super::{
    Delivery, Listener, Newcomer, News, RoomKey, Sound,
    answer::{CNAME, Track},
    connect::{self, Addresses, ConnectError, Connected},
    packet::Unit,
    rung::{Ladder, RenditionChoice},
    socket::Binding,
    tcp::Service,
};
use crate::media::{
    codec::{EncodingId, Rendition, VideoCodec},
    port::{PeerId, Profile},
    sdp::{
        Candidate, Chosen, Codec, CodecFormat, Description, Direction, Fault, Fingerprint, Flow, HashAlgorithm,
        MediaKind, PROTOCOL, SDES_MID, SdpKind, Section, Setup, Ssrc, TRANSPORT_WIDE_CC, check_answer_to,
    },
};

/// The only connection of its port.
const PEER: PeerId = PeerId(0);
/// The encoding that is sent.
const ENCODING: EncodingId = EncodingId { codec: VideoCodec::H264, rendition: Rendition::Full };
/// Payload types that we offer: Opus, H.264 and its retransmissions.
const PAYLOADS: [u8; 3] = [111, 102, 103];
/// Ids of the header extensions that we offer.
const EXTENSIONS: [(u8, &str); 2] = [(1, SDES_MID), (2, TRANSPORT_WIDE_CC)];
/// Size of a picture with its headers, in percent of its own.
const OVERHEAD: u32 = 106;
/// Bits a second of the sound, headers included.
const SOUND: u32 = 160_000;

/// The choice of useful addresses.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// The other server is on this machine.
    pub loopback: bool,
    /// It may name private and loopback addresses.
    pub internal: bool,
}

/// The reason why nothing is published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The other server's fault: what it says is no answer to our offer.
    #[error("its answer is invalid: {0}")]
    Invalid(ConnectError),
    /// The other server's fault: it does not take what we send.
    #[error("its answer does not take what is sent: {0}")]
    Unwilling(#[from] Unwilling),
    /// Our fault.
    #[error("the connection cannot be built: {0}")]
    Failed(ConnectError),
}

impl From<ConnectError> for PublishError {
    fn from(error: ConnectError) -> Self {
        if error.is_ours() { Self::Failed(error) } else { Self::Invalid(error) }
    }
}

/// The part that an answer does not take.
#[derive(Debug, thiserror::Error)]
pub enum Unwilling {
    /// Something of our offer.
    #[error(transparent)]
    Offer(Fault),
    /// The way that we connect.
    #[error(transparent)]
    Connection(ConnectError),
    /// The sound.
    #[error("it takes no Opus")]
    Opus,
    /// The picture.
    #[error("it takes no H.264 of profile {}", .0.name())]
    H264(Profile),
}

/// An offer that waits for its answer, and the port that it names.
#[derive(Debug)]
pub struct Offered {
    delivery: Delivery,
    offer: Description,
    creds: IceCreds,
    /// Of the sound, of the picture, and of what repeats them.
    ssrcs: [u32; 4],
    profile: Profile,
}

impl Offered {
    /// Opens a port and makes an offer to send Opus, and H.264 of this profile.
    ///
    /// # Errors
    /// No port is free, or the system has no thread left.
    pub fn new(reach: Reach, profile: Profile) -> io::Result<Self> {
        let Reach { loopback, internal } = reach;
        let internal_peers = Some(internal);
        let binding = Binding { loopback_too: loopback, internal_peers, tcp: Service::Off, ..Binding::default() };
        let delivery = Delivery::start_threads(binding, 1)?;
        let creds = connect::credentials();
        let mut ssrcs = [0; 4];
        for index in 0..ssrcs.len() {
            ssrcs[index] = loop {
                let number = rand::random::<u32>();
                if number != 0 && !ssrcs.contains(&number) {
                    break number;
                }
            };
        }
        let offer = offer(&delivery, &creds, ssrcs, profile)?;
        Ok(Self { delivery, offer, creds, ssrcs, profile })
    }

    /// Returns SDP, with all our candidates.
    pub fn sdp(&self) -> String {
        self.offer.to_sdp()
    }

    /// Connects as an answer says; `listener` gets the news.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub fn accept(
        self,
        answer: &str,
        listener: impl Fn(News) + Send + Sync + 'static,
    ) -> Result<Publication, PublishError> {
        let Self { delivery, offer, creds, ssrcs, profile } = self;
        let answer = Description::parse(answer, SdpKind::Answer).map_err(ConnectError::from)?;
        check_answer_to(&answer, &offer).map_err(Unwilling::Offer)?;
        connect::check_fingerprint(&answer).map_err(Unwilling::Connection)?;
        let mut tracks = tracks(&answer, ssrcs, profile)?;
        connect::agree_on_extensions(&mut tracks);
        let mut rtc = connect::config(&delivery.identity, &tracks, &creds, false).build(Instant::now());
        for candidate in addresses(&delivery).candidates() {
            rtc.add_local_candidate(candidate.map_err(ConnectError::from)?);
        }
        // Who offers controls, where both make checks (RFC 8445).
        connect::introduce(&mut rtc, &answer, &tracks, (true, &delivery.identity))?;
        let room = delivery.open();
        let connected = Connected { rtc, tracks, ufrag: creds.ufrag, answer: String::new() };
        let newcomer = Newcomer {
            room,
            peer: PEER,
            ladder: ladder(2_500_000, 720),
            wish: RenditionChoice::Fixed(Rendition::Full),
            listener: Listener(std::sync::Arc::new(move |_, news| listener(news))),
        };
        delivery.take_in(connected, newcomer);
        Ok(Publication { delivery, room })
    }
}

/// A room on its way to another server. Dropping it ends the connection.
pub struct Publication {
    delivery: Delivery,
    room: RoomKey,
}

impl fmt::Debug for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Publication({})", self.delivery.port())
    }
}

impl Publication {
    /// Sends an access unit, its time as running time and on the process's clock.
    pub fn picture(&self, keyframe: bool, at: (Duration, Instant), data: &[u8]) {
        if let Some(unit) = Unit::new(ENCODING, keyframe, at, data) {
            self.delivery.unit(self.room, unit);
        }
    }

    /// Sends a packet of Opus.
    pub fn sound(&self, (pts, at): (Duration, Instant), packet: &[u8]) {
        self.delivery.sound(self.room, Sound { pts, at, shared: Some(packet.into()), own: Vec::new() });
    }

    /// Says what the picture needs, in bits a second, and how high it is.
    pub fn needs(&self, bits: u32, height: u32) {
        self.delivery.set_ladder(self.room, ladder(bits, height));
    }

    /// Returns bytes that have gone out.
    pub fn sent(&self) -> u64 {
        self.delivery.sent()
    }

    /// Ends the connection politely.
    pub fn end(&self) {
        self.delivery.remove(PEER);
    }
}

impl Drop for Publication {
    fn drop(&mut self) {
        self.end();
    }
}

/// Returns one rung: the encoding has one size.
fn ladder(bits: u32, height: u32) -> Ladder {
    Ladder { bitrate: [bits / 100 * OVERHEAD; 3], height: [height; 3], sound: SOUND }
}

fn addresses(delivery: &Delivery) -> Addresses {
    Addresses { udp: delivery.sockets.addresses(), tcp: Vec::new() }
}

fn offer(delivery: &Delivery, creds: &IceCreds, ssrcs: [u32; 4], profile: Profile) -> io::Result<Description> {
    let bytes = Sha256::digest(&delivery.identity.certificate.certificate).to_vec();
    let fingerprint = Fingerprint { algorithm: HashAlgorithm::Sha256, bytes };
    let section = |kind, mid: &str| {
        let line = (kind, PROTOCOL.to_owned(), None);
        let ice = (creds.ufrag.clone(), creds.pass.clone());
        let mut section = Section::rejected(line, mid.to_owned(), ice, fingerprint.clone(), Setup::ActPass);
        (section.rejected, section.direction, section.rtcp_rsize) = (false, Direction::SendOnly, true);
        section.extensions = EXTENSIONS.map(|(id, uri)| (id, uri.to_owned())).to_vec();
        section.msid = Some(format!("{CNAME} {kind}"));
        section
    };
    let (mut audio, mut video) = (section(MediaKind::Audio, "0"), section(MediaKind::Video, "1"));
    audio.codecs = vec![opus()];
    audio.ssrcs = vec![Ssrc { id: ssrcs[0], cname: CNAME.to_owned(), repair: None }];
    video.codecs = vec![h264(profile), repair()];
    video.ssrcs = vec![Ssrc { id: ssrcs[2], cname: CNAME.to_owned(), repair: Some(ssrcs[3]) }];
    for candidate in addresses(delivery).candidates() {
        let text = candidate.map_err(io::Error::other)?.to_sdp_string();
        audio.candidates.extend(Candidate::parse(&text).ok().flatten());
    }
    audio.end_of_candidates = true;
    let bundle = vec!["0".to_owned(), "1".to_owned()];
    Ok(Description { kind: SdpKind::Offer, media: vec![audio, video], bundle, ice_lite: false, trickle: false })
}

fn written(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn opus() -> Codec {
    Codec {
        payload: PAYLOADS[0],
        format: CodecFormat::Opus,
        clock_rate: 48_000,
        channels: 2,
        fmtp: written(&[("minptime", "10"), ("stereo", "1"), ("sprop-stereo", "1"), ("useinbandfec", "1")]),
        feedback: vec!["transport-cc".to_owned()],
    }
}

/// Returns profile and constraints, and level 3.1 whatever the size, as browsers say it: other ends compare it as text,
/// and read what the stream says.
fn profile_level_id(profile: Profile) -> u32 {
    match profile {
        Profile::Baseline => 0x42_e01f,
        Profile::Main => 0x4d_001f,
        Profile::High => 0x64_001f,
    }
}

fn h264(profile: Profile) -> Codec {
    let profile_level_id = profile_level_id(profile);
    let id = format!("{profile_level_id:06x}");
    Codec {
        payload: PAYLOADS[1],
        format: CodecFormat::H264 { profile_level_id, packetization_mode: 1 },
        clock_rate: 90_000,
        channels: 1,
        fmtp: written(&[("level-asymmetry-allowed", "1"), ("packetization-mode", "1"), ("profile-level-id", &id)]),
        feedback: ["nack", "nack pli", "ccm fir", "transport-cc"].map(str::to_owned).to_vec(),
    }
}

fn repair() -> Codec {
    Codec {
        payload: PAYLOADS[2],
        format: CodecFormat::Other("rtx".to_owned()),
        clock_rate: 90_000,
        channels: 1,
        fmtp: written(&[("apt", &PAYLOADS[1].to_string())]),
        feedback: Vec::new(),
    }
}

/// Returns the streams that the answer takes: both, or the room would be seen without its sound.
fn tracks(answer: &Description, ssrcs: [u32; 4], profile: Profile) -> Result<Vec<Track>, Unwilling> {
    let mut numbers = ssrcs.into_iter();
    let mut tracks = Vec::new();
    for (index, section) in answer.media.iter().enumerate() {
        let usable = |codec: &&Codec| match section.kind {
            MediaKind::Audio => codec.format == CodecFormat::Opus,
            _ => takes(codec, profile),
        };
        let codec = section.codecs.iter().find(usable).ok_or(match section.kind {
            MediaKind::Audio => Unwilling::Opus,
            _ => Unwilling::H264(profile),
        })?;
        let chosen = Chosen {
            section: index,
            kind: section.kind,
            direction: Flow::Send,
            codec: codec.clone(),
            twcc_extension: None,
            orientation_extension: None,
        };
        // There are as many numbers as streams and repairs.
        tracks.extend(Track::new(answer, &chosen, || numbers.next().unwrap_or(1)));
    }
    Ok(tracks)
}

/// Returns whether a codec of the answer is H.264 of our profile, or of one that has more. One that does not say means
/// ours.
fn takes(codec: &Codec, profile: Profile) -> bool {
    let CodecFormat::H264 { profile_level_id: theirs, .. } = codec.format else { return false };
    codec.parameter("profile-level-id").is_none() || theirs >> 16 >= profile_level_id(profile) >> 16
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn offered(profile: Profile) -> Offered {
        Offered::new(Reach { loopback: true, internal: true }, profile).unwrap()
    }

    /// Returns what another server would answer.
    fn answer(offered: &Offered) -> Description {
        let mut answer = offered.offer.clone();
        answer.kind = SdpKind::Answer;
        for section in &mut answer.media {
            (section.direction, section.setup) = (Direction::RecvOnly, Setup::Passive);
            section.ssrcs.clear();
        }
        answer
    }

    fn refusal(offered: Offered, answer: &str) -> PublishError {
        offered.accept(answer, |_| {}).map(drop).unwrap_err()
    }

    #[test]
    fn the_offer_reads_back_and_declares_its_streams() {
        let offered = offered(Profile::Baseline);
        let text = offered.sdp();
        let read = Description::parse(&text, SdpKind::Offer).unwrap();
        assert_eq!(read.bundle, ["0", "1"]);
        for line in [
            "a=sendonly",
            "a=setup:actpass",
            "a=ssrc-group:FID ",
            "profile-level-id=42e01f",
            "opus/48000/2",
            "sprop-stereo=1",
            "a=candidate:",
            "a=end-of-candidates",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("ice-lite"), "somebody has to make the checks");
    }

    #[test]
    fn an_answer_that_takes_both_is_accepted() {
        let offered = offered(Profile::Baseline);
        let answer = answer(&offered).to_sdp();
        offered.accept(&answer, |_| {}).unwrap();
    }

    #[test]
    fn what_fails_here_is_not_blamed_on_the_other_server() {
        let invalid = Description::parse("no sdp at all", SdpKind::Answer).unwrap_err();
        let theirs =
            [ConnectError::Description(invalid), ConnectError::AllRejected, ConnectError::Fingerprint("sha-1")];
        for error in theirs {
            assert!(matches!(PublishError::from(error), PublishError::Invalid(_)));
        }
        // No packet comes from there.
        let nowhere = str0m::Candidate::host("0.0.0.0:9".parse().unwrap(), "udp").unwrap_err();
        let failed = PublishError::from(ConnectError::from(nowhere));
        assert!(matches!(failed, PublishError::Failed(_)), "{failed}");
        assert!(!failed.to_string().contains("answer"), "{failed}");
    }

    #[test]
    fn answers_of_no_use_are_refused_each_for_its_own_fault() {
        let offered_first = offered(Profile::Baseline);
        assert!(matches!(refusal(offered_first, "no sdp at all"), PublishError::Invalid(_)));
        let no_video = offered(Profile::Baseline);
        let mut without = answer(&no_video);
        let line = without.media[1].clone();
        without.bundle.pop();
        without.media[1] = Section::rejected(
            line.line(),
            line.mid.clone(),
            (line.ice_ufrag.clone(), line.ice_pwd.clone()),
            line.fingerprint.clone(),
            line.setup,
        );
        assert!(
            matches!(refusal(no_video, &without.to_sdp()), PublishError::Unwilling(why) if why.to_string().contains("rejected"))
        );
        let high = offered(Profile::High);
        let mut lower = answer(&high);
        lower.media[1].codecs[0] = h264(Profile::Baseline);
        assert!(matches!(refusal(high, &lower.to_sdp()), PublishError::Unwilling(Unwilling::H264(Profile::High))));
    }
}
