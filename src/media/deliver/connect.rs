//! From an offer to a str0m connection that sends, and our answer.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use rand::Rng as _;
use str0m::{
    Candidate as IceCandidate, IceCreds, Rtc, RtcConfig,
    bwe::Bitrate,
    config::DtlsCert,
    crypto::Fingerprint as StrFingerprint,
    error::{IceError, RtcError},
    format::{Codec as StrCodec, FormatParams},
    media::{Frequency, MediaKind, Mid, Pt},
    net::TcpType,
    rtp::Extension,
};

use super::answer::{Track, Transport, answer, is_dtls_client};
use crate::media::{
    codec::SENT,
    port::PeerRefused,
    sdp::{self, Address, Candidate, CodecFormat, Description, Fingerprint, HashAlgorithm, Section},
};

/// The first estimate, in bits a second. A lower one would hold the first keyframe back; a line that carries less shows
/// it within a second.
const FIRST_ESTIMATE: u64 = 8_000_000;

/// Packets that can be sent again, and for how long: at 2.5 Mbit/s about three seconds, which is longer than any player
/// waits.
pub(super) const KEPT_PACKETS: usize = 1_000;
/// See [`KEPT_PACKETS`].
pub(super) const KEPT_FOR: Duration = Duration::from_secs(3);
/// Share of all that is sent which may be retransmissions: a line that loses a third is to be asked for less.
pub(super) const MOST_REPEATED: f32 = 0.35;

/// Time between two reports of str0m's numbers.
const STATISTICS: Duration = Duration::from_millis(100);

/// The reason why somebody cannot be connected, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Their description is refused.
    #[error(transparent)]
    Description(#[from] sdp::Fault),
    /// Their description has nothing to connect to.
    #[error("every m-line is rejected")]
    AllRejected,
    /// str0m does not know how their certificate is named.
    #[error("the only fingerprint is by {0} (add one by sha-256)")]
    Fingerprint(&'static str),
    /// str0m does not take an address of ours.
    #[error(transparent)]
    Address(#[from] IceError),
    /// DTLS does not begin.
    #[error(transparent)]
    Dtls(#[from] RtcError),
    /// We do not understand str0m's name of our own certificate.
    #[error(transparent)]
    OwnFingerprint(sdp::Fault),
}

impl ConnectError {
    /// Returns whether it is our fault, and not that of who sent the description.
    pub(super) fn is_ours(&self) -> bool {
        match self {
            Self::Description(_) | Self::AllRejected | Self::Fingerprint(_) => false,
            Self::Address(_) | Self::Dtls(_) | Self::OwnFingerprint(_) => true,
        }
    }
}

impl From<ConnectError> for PeerRefused {
    fn from(error: ConnectError) -> Self {
        let text = error.to_string();
        if error.is_ours() { Self::Failed(text) } else { Self::Unacceptable(text) }
    }
}

/// Our end of all connections.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// Shown to every peer.
    pub(super) certificate: DtlsCert,
    /// We answer connectivity checks and make none.
    pub(super) lite: bool,
    /// Peers are called at private and loopback addresses.
    pub(super) internal_peers: bool,
}

/// The addresses where receivers reach us.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses {
    /// By UDP.
    pub(super) udp: Vec<SocketAddr>,
    /// By TCP, when nothing comes through by UDP.
    pub(super) tcp: Vec<SocketAddr>,
}

impl Addresses {
    /// Returns them as candidates. TCP has a lower priority (RFC 6544).
    pub(super) fn candidates(&self) -> impl Iterator<Item = Result<IceCandidate, IceError>> {
        let udp = self.udp.iter().map(|address| IceCandidate::builder().udp().host(*address).build());
        let passive = |address| IceCandidate::builder().tcp().host(address).tcptype(TcpType::Passive).build();
        let tcp = self.tcp.iter().map(move |address| passive(*address));
        udp.chain(tcp)
    }
}

/// A connection and what it sends.
pub(super) struct Connected {
    pub(super) rtc: Rtc,
    pub(super) tracks: Vec<Track>,
    pub(super) ufrag: String,
    /// SDP.
    pub(super) answer: String,
}

/// Letters that ICE allows in names and passwords.
const ICE_LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn random_text(length: usize) -> String {
    let mut random = rand::rng();
    (0..length).map(|_| char::from(ICE_LETTERS[random.random_range(0..ICE_LETTERS.len())])).collect()
}

/// Answers an offer.
///
/// # Errors
/// It takes nothing that we send, or no connection can be made.
pub(super) fn connect(
    offer: &Description,
    identity: &Identity,
    addresses: &Addresses,
    now: Instant,
) -> Result<Connected, ConnectError> {
    let chosen = sdp::choose(offer, &[], &SENT)?;
    let mut ssrcs: Vec<u32> = Vec::new();
    let mut ssrc = || loop {
        let number = rand::random::<u32>();
        if number != 0 && !ssrcs.contains(&number) {
            ssrcs.push(number);
            return number;
        }
    };
    let mut tracks: Vec<Track> = chosen.iter().filter_map(|one| Track::new(offer, one, &mut ssrc)).collect();
    agree_on_extensions(&mut tracks);
    let creds = credentials();
    // One of both ends has to make the checks.
    let lite = identity.lite && !offer.ice_lite;
    let mut rtc = config(identity, &tracks, &creds, lite).build(now);
    check_fingerprint(offer)?;
    let mut candidates = Vec::new();
    for candidate in addresses.candidates() {
        // It is left out when it is there already.
        if let Some(added) = rtc.add_local_candidate(candidate?) {
            candidates.extend(Candidate::parse(&added.to_sdp_string()).ok().flatten());
        }
    }
    let fingerprint = introduce(&mut rtc, offer, &tracks, (offer.ice_lite, identity))?;
    let fingerprint = Fingerprint::parse(&fingerprint).map_err(ConnectError::OwnFingerprint)?;
    let transport = Transport { ufrag: creds.ufrag.clone(), pwd: creds.pass, lite, fingerprint, candidates };
    let answer = answer(offer, &tracks, &transport).to_sdp();
    Ok(Connected { rtc, tracks, ufrag: creds.ufrag, answer })
}

/// Makes a name and a password for one connection.
pub(super) fn credentials() -> IceCreds {
    IceCreds { ufrag: random_text(8), pass: random_text(24) }
}

/// Returns the section whose transport is that of all.
fn first(remote: &Description) -> Result<&Section, ConnectError> {
    remote.media.iter().find(|section| !section.rejected).ok_or(ConnectError::AllRejected)
}

/// Checks that the peer's certificate is named in the way that str0m knows.
///
/// # Errors
/// The kind of the fingerprint, where it is another one.
pub(super) fn check_fingerprint(remote: &Description) -> Result<(), ConnectError> {
    let algorithm = first(remote)?.fingerprint.algorithm;
    if algorithm == HashAlgorithm::Sha256 { Ok(()) } else { Err(ConnectError::Fingerprint(algorithm.name())) }
}

/// Informs str0m who the peer is, where it may be reached and what it is sent. Returns our own fingerprint.
///
/// # Errors
/// The part of it that str0m refuses.
pub(super) fn introduce(
    rtc: &mut Rtc,
    remote: &Description,
    tracks: &[Track],
    (controlling, identity): (bool, &Identity),
) -> Result<String, ConnectError> {
    let first = first(remote)?;
    let fingerprint = {
        let mut direct = rtc.direct_api();
        direct.set_ice_controlling(controlling);
        let (ufrag, pass) = (first.ice_ufrag.clone(), first.ice_pwd.clone());
        direct.set_remote_ice_credentials(IceCreds { ufrag, pass });
        let Fingerprint { algorithm, bytes } = first.fingerprint.clone();
        direct.set_remote_fingerprint(StrFingerprint { hash_func: algorithm.name().to_owned(), bytes });
        for track in tracks {
            declare(&mut direct, track);
        }
        direct.start_dtls(is_dtls_client(remote))?;
        direct.local_dtls_fingerprint().to_string()
    };
    let named = remote.media.iter().flat_map(|section| &section.candidates);
    for candidate in named.filter(|candidate| is_usable(candidate, identity)) {
        add_candidate(rtc, candidate);
    }
    Ok(fingerprint)
}

/// Makes the tracks agree on extensions. One id means one extension in the whole bundle, and str0m has one table for
/// all: a track that differs from the first does without, and m-lines are named by all packets or by none.
pub(super) fn agree_on_extensions(tracks: &mut [Track]) {
    let twcc = tracks.iter().find_map(|track| track.twcc);
    let mid = tracks.first().and_then(|track| track.mid_extension).filter(|id| Some(*id) != twcc);
    let mid = mid.filter(|id| tracks.iter().all(|track| track.mid_extension == Some(*id)));
    for track in tracks {
        track.twcc = track.twcc.filter(|id| Some(*id) == twcc);
        track.mid_extension = mid;
    }
}

pub(super) fn config(identity: &Identity, tracks: &[Track], creds: &IceCreds, lite: bool) -> RtcConfig {
    let mut config = RtcConfig::new()
        .clear_codecs()
        .clear_extension_map()
        .set_rtp_mode(true)
        .set_ice_lite(lite)
        .set_dtls_cert(identity.certificate.clone())
        .set_local_ice_credentials(creds.clone())
        .set_stats_interval(Some(STATISTICS))
        .enable_bwe(Some(Bitrate::bps(FIRST_ESTIMATE)));
    for track in tracks {
        let (codec, clock, channels) = match track.codec.format {
            CodecFormat::Opus => (StrCodec::Opus, Frequency::FORTY_EIGHT_KHZ, Some(2)),
            CodecFormat::Vp8 => (StrCodec::Vp8, Frequency::NINETY_KHZ, None),
            _ => (StrCodec::H264, Frequency::NINETY_KHZ, None),
        };
        let repair = track.repair.map(Pt::new_with_value);
        let payload = Pt::new_with_value(track.codec.payload);
        config.codec_config().add_config(payload, repair, codec, clock, channels, FormatParams::default());
        if let Some(id) = track.twcc {
            config = config.set_extension(id, Extension::TransportSequenceNumber);
        }
        if let Some(id) = track.mid_extension {
            config = config.set_extension(id, Extension::RtpMid);
        }
    }
    config
}

/// Returns the name of a track inside str0m, which is that of its m-line where packets name it.
pub(super) fn mid_of(track: &Track) -> Mid {
    match track.mid_extension {
        Some(_) => Mid::from(track.mid.as_str()),
        None => Mid::from(track.section.to_string().as_str()),
    }
}

fn declare(direct: &mut str0m::change::DirectApi<'_>, track: &Track) {
    let kind = if track.is_video() { MediaKind::Video } else { MediaKind::Audio };
    let mid = mid_of(track);
    direct.declare_media(mid, kind);
    let repair = track.repair.map(|_| track.repair_ssrc.into());
    let stream = direct.declare_stream_tx(track.ssrc.into(), repair, mid, None);
    if track.is_video() {
        stream.set_rtx_cache(KEPT_PACKETS, KEPT_FOR, Some(MOST_REPEATED));
    }
}

/// Returns whether a peer may be reached there. Names are of no use to us, and by TCP it is the peer who connects.
pub(super) fn is_usable(candidate: &Candidate, identity: &Identity) -> bool {
    let by_udp = matches!(candidate.address, Address::Ip(_)) && candidate.transport == sdp::Transport::Udp;
    by_udp && (identity.internal_peers || !candidate.is_internal())
}

/// Informs str0m where the peer may be reached.
pub(super) fn add_candidate(rtc: &mut Rtc, candidate: &Candidate) {
    if let Ok(candidate) = IceCandidate::from_sdp_string(&candidate.to_string()) {
        rtc.add_remote_candidate(candidate);
    }
}
