//! The choice from a remote offer: at most one audio and one video section, one codec each.
//!
//! GST-1.22: webrtcbin answers with the first common payload type only, answers rejected and inactive m-lines of an
//! offer as if they were wanted, and finds no transceiver for H.264 profiles that differ by a letter. So the choice is
//! made here, and webrtcbin sees an offer with nothing left to choose.

use super::{
    Codec, CodecFormat, Description, Direction, Fault, MediaKind, PROTOCOL, SDES_MID, Section, TRANSPORT_WIDE_CC,
    VIDEO_ORIENTATION,
};
use crate::media::codec::VideoCodec;

/// The direction in which media of a taken section flows, as we see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flow {
    /// We send.
    Send,
    /// We receive.
    Receive,
    /// Both.
    Both,
}

impl Flow {
    /// Returns whether we send.
    pub fn sends(self) -> bool {
        self != Self::Receive
    }

    /// Returns whether we receive.
    pub fn receives(self) -> bool {
        self != Self::Send
    }

    /// Returns the direction as the peer writes it.
    fn peers(self) -> Direction {
        match self {
            Self::Send => Direction::RecvOnly,
            Self::Receive => Direction::SendOnly,
            Self::Both => Direction::SendRecv,
        }
    }
}

/// A section that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its index in the offer. In the narrowed description and in webrtcbin, a section's index is its place in the list
    /// of chosen ones.
    pub section: usize,
    /// Audio or video.
    pub kind: MediaKind,
    /// Direction in which media flows.
    pub direction: Flow,
    /// The one codec.
    pub codec: Codec,
    /// The section's id of [`TRANSPORT_WIDE_CC`].
    pub twcc_extension: Option<u8>,
    /// The section's id of [`VIDEO_ORIENTATION`], where we receive.
    pub orientation_extension: Option<u8>,
}

/// Chooses what to take of a remote offer.
///
/// `receive` and `send` are our video codecs in order of preference; an empty list means that we do not receive, or
/// send, at all, sound included. Of each kind the first section is taken that flows our way and has a codec for us:
/// Opus at 48 kHz, whether or not it says that it has two channels; VP8; VP9 of profile 0; H.264, constrained baseline
/// before baseline, in packetization mode 1 before mode 0 (whose packets are among those of mode 1), and main, high or
/// one of high's kin only for receiving and only if nothing else fits. Mode 0 is sent to only if nothing else fits, and
/// gets the packets of mode 1: those who do not say a mode take them. A section that flows both ways is taken one way
/// where only that is possible. Payload types of two chosen sections never collide.
///
/// # Errors
/// Nothing can be taken; the message lists what was offered.
pub fn choose(offer: &Description, receive: &[VideoCodec], send: &[VideoCodec]) -> Result<Vec<Chosen>, Fault> {
    let mut chosen: Vec<Chosen> = Vec::new();
    for (index, section) in offer.media.iter().enumerate() {
        if section.rejected || chosen.iter().any(|earlier| earlier.kind == section.kind) {
            continue;
        }
        let usable: Vec<&Codec> = section.codecs.iter().filter(|codec| is_free(codec.payload, &chosen)).collect();
        if let Some((direction, codec)) = take(section, &usable, receive, send) {
            let received = direction.receives() && section.kind == MediaKind::Video;
            chosen.push(Chosen {
                section: index,
                kind: section.kind,
                direction,
                codec: codec.clone(),
                twcc_extension: extension(section, TRANSPORT_WIDE_CC),
                orientation_extension: received.then(|| extension(section, VIDEO_ORIENTATION)).flatten(),
            });
        }
    }
    if chosen.is_empty() { Err(nothing(offer, receive, send)) } else { Ok(chosen) }
}

/// Checks that every section of an offer that has something for us is taken, where the peer sends, and otherwise that
/// each kind is: who is answered with a rejected line takes it for a success, and shows or sends nothing (RFC 9725,
/// section 4.4.3).
///
/// # Errors
/// The first section that is left over, with what it offers and what would be taken.
pub fn check_whole(offer: &Description, chosen: &[Chosen], wanted: &[VideoCodec], sends: bool) -> Result<(), Fault> {
    for (index, section) in offer.media.iter().enumerate() {
        let flows = if sends { section.direction.sends() } else { section.direction.receives() };
        if section.rejected || !flows || chosen.iter().any(|choice| choice.section == index) {
            continue;
        }
        let (mid, kind) = (&section.mid, section.kind);
        if chosen.iter().any(|choice| choice.kind == kind) {
            if sends {
                return Err(Fault::new(format!("mid {mid}: a second {kind} m-line; one of each kind is received")));
            }
            continue;
        }
        let taken = if kind == MediaKind::Video { names(wanted) } else { "opus".to_owned() };
        let verb = if sends { "received" } else { "sent" };
        let offered = codecs_of(section);
        return Err(Fault::new(format!("mid {mid}: {kind} is offered as {offered}, and {verb} as {taken}")));
    }
    Ok(())
}

/// Returns the offer as webrtcbin gets it: the chosen sections only, in their order, each with its one codec and our
/// way of flowing. Kept of the feedback: `nack`, `nack pli`, `ccm fir`, `transport-cc`; of the extensions:
/// [`TRANSPORT_WIDE_CC`], of a picture that we receive [`VIDEO_ORIENTATION`] and, where no SSRC is declared,
/// [`SDES_MID`].
///
/// Sections that are not taken are left out rather than rejected, for webrtcbin would answer them (see the module);
/// [`super::answered`] puts them back into the answer. Candidates move to the first section kept. What peers may write
/// in several ways is written in the one way that our own m-lines have, for webrtcbin compares it as text.
pub fn narrowed(offer: &Description, chosen: &[Chosen]) -> Description {
    let mut narrow = Description { media: Vec::new(), bundle: Vec::new(), ..offer.clone() };
    for choice in chosen {
        let Some(section) = offer.media.get(choice.section) else { continue };
        let mut section = section.clone();
        section.direction = choice.direction.peers();
        section.protocol = PROTOCOL.to_owned();
        section.codecs = vec![choice.codec.clone()];
        for codec in &mut section.codecs {
            codec.feedback.retain(|kind| kind != "goog-remb");
            normalise(codec);
        }
        let orientation = choice.orientation_extension;
        section.extensions.retain(|(id, uri)| {
            uri == TRANSPORT_WIDE_CC || uri == SDES_MID || (uri == VIDEO_ORIENTATION && Some(*id) == orientation)
        });
        // What repeats packets is a codec of its own, which is not taken.
        section.ssrcs.iter_mut().for_each(|ssrc| ssrc.repair = None);
        narrow.media.push(section);
    }
    let kept = |mid: &&String| narrow.media.iter().any(|section| section.mid == **mid);
    narrow.bundle = offer.bundle.iter().filter(kept).cloned().collect();
    let (from, to) = (offer.tagged(), narrow.tagged());
    if let (Some(from), Some(to)) = (offer.media.get(from), narrow.media.get_mut(to)) {
        to.candidates.clone_from(&from.candidates);
        to.end_of_candidates = from.end_of_candidates;
    }
    narrow.without_mid_extension()
}

/// Writes it as our own m-lines have it: Opus with its two channels, H.264 in packetization mode 1.
fn normalise(codec: &mut Codec) {
    match &mut codec.format {
        CodecFormat::Opus => codec.channels = 2,
        CodecFormat::H264 { packetization_mode, .. } => {
            *packetization_mode = 1;
            codec.fmtp.retain(|(key, _)| key != "packetization-mode");
            codec.fmtp.push(("packetization-mode".to_owned(), "1".to_owned()));
        }
        _ => {}
    }
}

fn take<'a>(
    section: &Section,
    usable: &[&'a Codec],
    receive: &[VideoCodec],
    send: &[VideoCodec],
) -> Option<(Flow, &'a Codec)> {
    let receiving = section.direction.sends() && !receive.is_empty();
    let sending = section.direction.receives() && !send.is_empty();
    if section.kind == MediaKind::Audio {
        let flow = match (receiving, sending) {
            (true, true) => Flow::Both,
            (true, false) => Flow::Receive,
            (false, true) => Flow::Send,
            (false, false) => return None,
        };
        let is_opus = |codec: &&&Codec| codec.format == CodecFormat::Opus && codec.clock_rate == 48_000;
        return usable.iter().find(is_opus).map(|codec| (flow, *codec));
    }
    if section.kind != MediaKind::Video {
        return None;
    }
    let both: Vec<VideoCodec> = receive.iter().filter(|codec| send.contains(codec)).copied().collect();
    let both = (receiving && sending).then(|| video(usable, &both, false)).flatten().map(|codec| (Flow::Both, codec));
    let receive = || receiving.then(|| video(usable, receive, true)).flatten().map(|codec| (Flow::Receive, codec));
    let send = || sending.then(|| video(usable, send, false)).flatten().map(|codec| (Flow::Send, codec));
    both.or_else(receive).or_else(send)
}

/// Returns the best codec of `usable` for the first of `wanted` that has one.
fn video<'a>(usable: &[&'a Codec], wanted: &[VideoCodec], any_profile: bool) -> Option<&'a Codec> {
    let best = |is_fit: &dyn Fn(&Codec) -> Option<u8>| {
        let fits = usable.iter().filter_map(|codec| is_fit(codec).map(|rank| (rank, *codec)));
        fits.min_by_key(|(rank, _)| *rank).map(|(_, codec)| codec)
    };
    // What is received may be cut into packets as it likes; to send, we have to know that ours are taken.
    let strict =
        |codec: VideoCodec| best(&|offered| rank(codec, offered).filter(|_| any_profile || mode(offered) != Some(0)));
    let lenient = || match any_profile {
        true => best(&|offered| h264_profile(offered).map(|_| 0)),
        false => best(&|offered| rank(VideoCodec::H264, offered)),
    };
    let strict = wanted.iter().find_map(|codec| strict(*codec));
    strict.or_else(|| wanted.contains(&VideoCodec::H264).then(lenient).flatten())
}

/// Returns how well an offered codec is the wanted one: 0 is best, `None` is not at all.
fn rank(wanted: VideoCodec, offered: &Codec) -> Option<u8> {
    if offered.clock_rate != 90_000 {
        return None;
    }
    match (wanted, &offered.format) {
        (VideoCodec::Vp8, CodecFormat::Vp8) => Some(0),
        (VideoCodec::Vp9, CodecFormat::Vp9) => (offered.parameter("profile-id").unwrap_or("0") == "0").then_some(0),
        (VideoCodec::H264, CodecFormat::H264 { profile_level_id, .. }) => {
            // The second constraint flag makes baseline constrained.
            let constrained = profile_level_id & 0x00_4000 != 0;
            let by_mode = if mode(offered) == Some(0) { 2 } else { 0 };
            (h264_profile(offered)? == 0x42).then_some(by_mode + u8::from(!constrained))
        }
        _ => None,
    }
}

/// Returns the packetization mode of an H.264 codec.
fn mode(codec: &Codec) -> Option<u8> {
    match codec.format {
        CodecFormat::H264 { packetization_mode, .. } => Some(packetization_mode),
        _ => None,
    }
}

/// Returns the profile of an H.264 codec, if decoders know it: baseline 0x42, main 0x4d, high 0x64, high of 10 bit
/// 0x6e, of 4:2:2 0x7a and of 4:4:4 0xf4. The packets of mode 2 are interleaved, which nobody offers and we cannot
/// undo.
fn h264_profile(codec: &Codec) -> Option<u32> {
    match codec.format {
        CodecFormat::H264 { profile_level_id, packetization_mode: 0 | 1 } if codec.clock_rate == 90_000 => {
            Some(profile_level_id >> 16).filter(|profile| matches!(profile, 0x42 | 0x4d | 0x64 | 0x6e | 0x7a | 0xf4))
        }
        _ => None,
    }
}

/// Returns whether a payload type is free. Types 66 to 95 read as RTCP when multiplexed (RFC 5761; Chrome uses up to
/// 65), and bundled sections share one space of payload types.
fn is_free(payload: u8, chosen: &[Chosen]) -> bool {
    !(66..=95).contains(&payload) && chosen.iter().all(|choice| choice.codec.payload != payload)
}

fn extension(section: &Section, uri: &str) -> Option<u8> {
    section.extensions.iter().find(|(_, own)| own == uri).map(|(id, _)| *id)
}

fn nothing(offer: &Description, receive: &[VideoCodec], send: &[VideoCodec]) -> Fault {
    let mut offered: Vec<String> = Vec::new();
    for section in offer.media.iter().filter(|section| !section.rejected) {
        offered.push(format!("{} {} {}", section.direction, section.kind, codecs_of(section)));
    }
    let list = |codecs: &[VideoCodec]| {
        if codecs.is_empty() { "nothing".to_owned() } else { format!("opus/{}", names(codecs)) }
    };
    let offered = if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") };
    Fault::new(format!("no usable codec: offered {offered}; received is {}, sent is {}", list(receive), list(send)))
}

fn names(codecs: &[VideoCodec]) -> String {
    codecs.iter().map(VideoCodec::to_string).collect::<Vec<_>>().join("/")
}

/// Returns the names of a section's codecs, with the profile where that is what decides.
fn codecs_of(section: &Section) -> String {
    let mut names: Vec<String> = Vec::new();
    for codec in &section.codecs {
        let name = match (&codec.format, codec.parameter("profile-id")) {
            (CodecFormat::Vp9, Some(profile)) => format!("VP9 profile {profile}"),
            (CodecFormat::H264 { profile_level_id, .. }, _) if h264_profile(codec).is_none() => {
                format!("H264 profile-level-id {profile_level_id:06x}")
            }
            _ => codec.format.name().to_owned(),
        };
        if !names.contains(&name) && names.len() < 8 {
            names.push(name);
        }
    }
    names.join("/")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{super::SdpKind, *};

    use VideoCodec::{H264, Vp8, Vp9};

    const TWCC: &str = "a=extmap:4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\n";
    const MID: &str = "a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid\n";

    /// Returns an offer of sections given as (m-line's kind, direction, attribute lines with `rtpmap` first).
    fn offer(sections: &[(&str, &str, &str)]) -> Description {
        let mids: Vec<String> = (0..sections.len()).map(|index| index.to_string()).collect();
        let mut text = format!(
            "v=0\na=group:BUNDLE {}\na=ice-ufrag:abcd\na=ice-pwd:abcdefghijklmnopqrstuv\na=setup:actpass\n\
             a=fingerprint:sha-256 {}\n",
            mids.join(" "),
            vec!["00"; 32].join(":")
        );
        for (mid, (kind, direction, lines)) in sections.iter().enumerate() {
            let payloads: Vec<&str> =
                lines.lines().filter_map(|line| line.strip_prefix("a=rtpmap:")?.split(' ').next()).collect();
            text.push_str(&format!("m={kind} 9 UDP/TLS/RTP/SAVPF {}\na=mid:{mid}\n", payloads.join(" ")));
            text.push_str(&format!("a={direction}\na=rtcp-mux\n{lines}{TWCC}{MID}"));
        }
        Description::parse(&text, SdpKind::Offer).unwrap()
    }

    fn payloads(chosen: &[Chosen]) -> Vec<(usize, Flow, u8)> {
        chosen.iter().map(|choice| (choice.section, choice.direction, choice.codec.payload)).collect()
    }

    const OPUS: &str = "a=rtpmap:111 opus/48000/2\na=rtcp-fb:111 transport-cc\n";
    const BOTH: &str = "a=rtpmap:96 VP8/90000\na=rtcp-fb:96 goog-remb\na=rtcp-fb:96 nack\na=rtcp-fb:96 nack pli\n\
                        a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n\
                        a=rtpmap:102 H264/90000\na=fmtp:102 packetization-mode=0;profile-level-id=42e01f\n\
                        a=rtpmap:103 H264/90000\na=fmtp:103 packetization-mode=1;profile-level-id=42001f\n\
                        a=rtpmap:104 H264/90000\na=fmtp:104 packetization-mode=1;profile-level-id=42e01f\n\
                        a=rtpmap:105 H264/90000\na=fmtp:105 packetization-mode=1;profile-level-id=64001f\n";

    #[test]
    fn our_preference_decides_and_constrained_baseline_comes_first() {
        let publisher = offer(&[("audio", "sendonly", OPUS), ("video", "sendonly", BOTH)]);
        let vp8 = choose(&publisher, &[Vp8, H264], &[]).unwrap();
        assert_eq!(payloads(&vp8), [(0, Flow::Receive, 111), (1, Flow::Receive, 96)]);
        assert_eq!(vp8[1].twcc_extension, Some(4));
        let h264 = choose(&publisher, &[Vp9, H264, Vp8], &[]).unwrap();
        assert_eq!(payloads(&h264)[1], (1, Flow::Receive, 104));
    }

    #[test]
    fn main_and_high_are_received_if_nothing_else_fits_and_never_sent() {
        let high = "a=rtpmap:105 H264/90000\na=fmtp:105 packetization-mode=1;profile-level-id=64001f\n";
        assert_eq!(
            payloads(&choose(&offer(&[("video", "sendonly", high)]), &[Vp8, H264], &[]).unwrap()),
            [(0, Flow::Receive, 105)]
        );
        assert!(choose(&offer(&[("video", "recvonly", high)]), &[], &[H264]).is_err());
        let with_vp8 = format!("{high}a=rtpmap:96 VP8/90000\n");
        let taken = choose(&offer(&[("video", "sendonly", &with_vp8)]), &[H264, Vp8], &[]).unwrap();
        assert_eq!(payloads(&taken), [(0, Flow::Receive, 96)]);
    }

    #[test]
    fn a_viewer_gets_what_we_send() {
        let viewer = offer(&[("video", "recvonly", BOTH), ("audio", "recvonly", OPUS)]);
        let chosen = choose(&viewer, &[], &[H264, Vp8]).unwrap();
        assert_eq!(payloads(&chosen), [(0, Flow::Send, 104), (1, Flow::Send, 111)]);
        assert!(choose(&viewer, &[Vp8], &[]).is_err());
    }

    #[test]
    fn both_ways_needs_one_codec_for_both_lists_else_one_way() {
        let caller = offer(&[("audio", "sendrecv", OPUS), ("video", "sendrecv", BOTH)]);
        let both = choose(&caller, &[Vp8, H264], &[H264]).unwrap();
        assert_eq!(payloads(&both), [(0, Flow::Both, 111), (1, Flow::Both, 104)]);
        let one_way = choose(&caller, &[Vp8], &[H264]).unwrap();
        assert_eq!(payloads(&one_way), [(0, Flow::Both, 111), (1, Flow::Receive, 96)]);
        let publisher = choose(&caller, &[Vp8], &[]).unwrap();
        assert_eq!(payloads(&publisher), [(0, Flow::Receive, 111), (1, Flow::Receive, 96)]);
    }

    #[test]
    fn only_the_first_usable_section_of_a_kind_is_taken() {
        let many = offer(&[
            ("video", "inactive", "a=rtpmap:96 VP8/90000\n"),
            ("video", "sendonly", "a=rtpmap:98 H265/90000\n"),
            ("video", "sendonly", "a=rtpmap:100 VP8/90000\n"),
            ("audio", "sendonly", "a=rtpmap:100 opus/48000/2\na=rtpmap:101 opus/48000/2\n"),
        ]);
        let chosen = choose(&many, &[Vp8], &[]).unwrap();
        assert_eq!(payloads(&chosen), [(2, Flow::Receive, 100), (3, Flow::Receive, 101)]);
    }

    #[test]
    fn what_we_lack_is_named_with_what_was_offered() {
        let strange = offer(&[("video", "sendonly", "a=rtpmap:98 H265/90000\na=rtpmap:99 AV1/90000\n")]);
        let fault = choose(&strange, &[Vp8, H264], &[]).unwrap_err().to_string();
        assert_eq!(
            fault,
            "no usable codec: offered sendonly video H265/AV1; received is opus/vp8/h264, sent is nothing"
        );
        for bad in
            ["a=rtpmap:72 VP8/90000\n", "a=rtpmap:96 VP8/45000\n", "a=rtpmap:96 VP9/90000\na=fmtp:96 profile-id=2\n"]
        {
            assert!(choose(&offer(&[("video", "sendonly", bad)]), &[Vp8, Vp9], &[]).is_err(), "{bad}");
        }
    }

    #[test]
    fn how_a_phone_is_held_is_taken_from_those_who_send() {
        let lines = format!("{BOTH}a=extmap:13 {VIDEO_ORIENTATION}\n");
        let publisher = offer(&[("video", "sendonly", &lines)]);
        let chosen = choose(&publisher, &[Vp8], &[]).unwrap();
        assert_eq!(chosen[0].orientation_extension, Some(13));
        let narrow = narrowed(&publisher, &chosen);
        assert!(narrow.media[0].extensions.contains(&(13, VIDEO_ORIENTATION.to_owned())), "{narrow:?}");
        let viewer = offer(&[("video", "recvonly", &lines)]);
        assert_eq!(choose(&viewer, &[], &[Vp8]).unwrap()[0].orientation_extension, None);
    }

    #[test]
    fn h264_of_ten_bit_is_received_and_what_nobody_decodes_is_named_by_its_profile() {
        let h264 = |profile: &str| {
            format!("a=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=1;profile-level-id={profile}\n")
        };
        for profile in ["6e001f", "7a001f", "f4001f"] {
            let publisher = offer(&[("video", "sendonly", &h264(profile))]);
            assert!(choose(&publisher, &[Vp8, H264], &[]).is_ok(), "{profile}");
            assert!(choose(&offer(&[("video", "recvonly", &h264(profile))]), &[], &[H264]).is_err(), "{profile}");
        }
        let strange = offer(&[("video", "sendonly", &h264("58001f"))]);
        let fault = choose(&strange, &[H264], &[]).unwrap_err().to_string();
        assert!(fault.contains("H264 profile-level-id 58001f"), "{fault}");
    }

    #[test]
    fn the_narrowed_offer_has_one_codec_known_feedback_and_two_extensions() {
        let lines = format!("{BOTH}a=extmap:2 urn:ietf:params:rtp-hdrext:toffset\n");
        let publisher =
            offer(&[("video", "inactive", BOTH), ("audio", "sendrecv", OPUS), ("video", "sendonly", &lines)]);
        let narrow = narrowed(&publisher, &choose(&publisher, &[Vp8], &[]).unwrap());
        assert_eq!(narrow.bundle, ["1", "2"]);
        assert_eq!(narrow.media.iter().map(|section| section.direction).collect::<Vec<_>>(), [Direction::SendOnly; 2]);
        let video = &narrow.media[1];
        assert_eq!(video.codecs.len(), 1);
        assert_eq!(video.codecs[0].feedback, ["nack", "nack pli"]);
        assert_eq!(video.extensions.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [4, 9]);
        assert_eq!(Description::parse(&narrow.to_sdp(), SdpKind::Offer).unwrap(), narrow);
    }

    #[test]
    fn declared_streams_replace_the_mid_extension_and_candidates_stay_with_the_bundle() {
        let opus = format!("{OPUS}a=ssrc:7 cname:me\n");
        let video = "a=rtpmap:98 H265/90000\na=candidate:1 1 udp 5 192.0.2.1 9 typ host\na=end-of-candidates\n";
        let publisher = offer(&[("video", "sendonly", video), ("audio", "sendonly", &opus)]);
        let narrow = narrowed(&publisher, &choose(&publisher, &[Vp8], &[]).unwrap());
        let [audio] = narrow.media.as_slice() else { panic!("{narrow:?}") };
        assert_eq!(audio.extensions, [(4, TRANSPORT_WIDE_CC.to_owned())]);
        assert_eq!((audio.candidates.len(), audio.end_of_candidates, audio.ssrcs[0].id), (1, true, 7));
    }
}
