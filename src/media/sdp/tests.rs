//! Whole descriptions as browsers and publishers write them, taken whole and taken apart.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::media::codec::VideoCodec;

mod lenient;

/// Name, kind and text of every fixture.
const FIXTURES: [(&str, SdpKind, &str); 8] = [
    ("chrome_whip_offer", SdpKind::Offer, include_str!("fixtures/chrome_whip_offer.sdp")),
    ("chrome_simulcast_offer", SdpKind::Offer, include_str!("fixtures/chrome_simulcast_offer.sdp")),
    ("chrome_answer", SdpKind::Answer, include_str!("fixtures/chrome_answer.sdp")),
    ("firefox_whep_offer", SdpKind::Offer, include_str!("fixtures/firefox_whep_offer.sdp")),
    ("safari_whip_offer", SdpKind::Offer, include_str!("fixtures/safari_whip_offer.sdp")),
    ("obs_whip_offer", SdpKind::Offer, include_str!("fixtures/obs_whip_offer.sdp")),
    ("gstreamer_whip_offer", SdpKind::Offer, include_str!("fixtures/gstreamer_whip_offer.sdp")),
    ("ffmpeg_whip_offer", SdpKind::Offer, include_str!("fixtures/ffmpeg_whip_offer.sdp")),
];

fn fixture(name: &str) -> (SdpKind, &'static str) {
    FIXTURES.iter().find(|(own, ..)| *own == name).map(|(_, kind, text)| (*kind, *text)).unwrap()
}

fn parsed(name: &str) -> Description {
    let (kind, text) = fixture(name);
    Description::parse(text, kind).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

/// Returns the fault of a fixture after a change of its text.
fn fault(name: &str, change: impl Fn(&str) -> String) -> String {
    let (kind, text) = fixture(name);
    let changed = change(text);
    assert_ne!(changed, text, "the change must find its place");
    Description::parse(&changed, kind).expect_err("must be refused").to_string()
}

fn without(text: &str, prefix: &str) -> String {
    text.lines().filter(|line| !line.starts_with(prefix)).flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn every_fixture_is_accepted_and_reads_back_equal() {
    for (name, kind, text) in FIXTURES {
        let description = parsed(name);
        let written = description.to_sdp();
        assert_eq!(Description::parse(&written, kind).unwrap(), description, "{name}");
        assert!(written.split_terminator("\r\n").all(|line| !line.contains(['\r', '\n'])), "{name}");
        let crlf = text.replace('\n', "\r\n");
        assert_eq!(Description::parse(&crlf, kind).unwrap(), description, "{name}");
    }
}

#[test]
fn every_offer_narrows_to_one_codec_per_section() {
    use VideoCodec::{H264, Vp8};
    let expected = [
        ("chrome_whip_offer", vec![111, 96]),
        ("chrome_simulcast_offer", vec![96]),
        ("safari_whip_offer", vec![111, 104]),
        ("obs_whip_offer", vec![111, 96]),
        ("gstreamer_whip_offer", vec![96, 99]),
        ("ffmpeg_whip_offer", vec![111, 106]),
    ];
    for (name, payloads) in expected {
        let offer = parsed(name);
        let chosen = choose(&offer, &[Vp8, H264], &[]).unwrap();
        let narrow = narrowed(&offer, &chosen);
        assert_eq!(
            narrow.media.iter().map(|section| section.codecs[0].payload).collect::<Vec<_>>(),
            payloads,
            "{name}"
        );
        assert!(
            narrow.media.iter().all(|section| section.codecs.len() == 1 && section.direction == Direction::SendOnly)
        );
        assert_eq!(Description::parse(&narrow.to_sdp(), SdpKind::Offer).unwrap(), narrow, "{name}");
    }
    let viewer = parsed("firefox_whep_offer");
    let chosen = choose(&viewer, &[], &[H264, Vp8]).unwrap();
    assert_eq!(chosen.iter().map(|choice| choice.codec.payload).collect::<Vec<_>>(), [126, 109]);
}

#[test]
fn nothing_of_a_description_reaches_the_text_that_is_not_known() {
    for (name, ..) in FIXTURES {
        let written = parsed(name).to_sdp();
        for strange in [
            "simulcast",
            "a=rid",
            "sprop-stereo",
            "sprop-maxcapturerate",
            "msid-semantic",
            "a=rtcp:",
            "mixed",
            "group:LS",
            "mozilla",
            "FFmpegPublishSession",
            "generation",
            "level-id=180",
        ] {
            assert!(!written.contains(strange), "{name} has {strange}");
        }
    }
    let hostile =
        fixture("obs_whip_offer").1.replace("a=mid:1\n", "a=mid:1\na=x-evil:1\na=crypto:1 AES\nb=AS:1\nk=clear:x\n");
    assert_eq!(Description::parse(&hostile, SdpKind::Offer).unwrap(), parsed("obs_whip_offer"));
}

#[test]
fn chrome_is_read_in_full() {
    let offer = parsed("chrome_whip_offer");
    assert_eq!(offer.bundle, ["0", "1"]);
    assert!(offer.trickle && !offer.ice_lite);
    let [audio, video] = offer.media.as_slice() else { panic!() };
    assert_eq!((audio.kind, audio.direction, audio.setup), (MediaKind::Audio, Direction::SendOnly, Setup::ActPass));
    assert_eq!((audio.ice_ufrag.as_str(), audio.ice_pwd.len()), ("kT5f", 24));
    assert_eq!(audio.codecs[0].format, CodecFormat::Opus);
    assert_eq!(video.codecs.len(), 33);
    assert!(video.rtcp_rsize);
    assert_eq!(
        video.ssrcs,
        [Ssrc { id: 1_839_022_914, cname: "d9Yq3Zl1xGm0sK7P".to_owned(), repair: Some(3_310_485_617) }]
    );
    assert!(video.extensions.contains(&(3, TRANSPORT_WIDE_CC.to_owned())));
    assert_eq!(video.codecs[0].feedback, ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"]);
}

#[test]
fn candidates_of_an_offer_are_kept_at_the_tagged_section() {
    let offer = parsed("chrome_simulcast_offer");
    assert_eq!(offer.media[0].candidates.len(), 3);
    let offer = parsed("obs_whip_offer");
    assert_eq!((offer.media[0].candidates.len(), offer.media[0].end_of_candidates), (3, true));
    // Under the second m-line they belong to a transport that bundling gives up.
    let text =
        fixture("obs_whip_offer").1.replace("a=mid:1\n", "a=mid:1\na=candidate:9 1 UDP 5 192.0.2.9 9 typ host\n");
    assert_eq!(Description::parse(&text, SdpKind::Offer).unwrap(), offer);
}

#[test]
fn a_bundle_only_section_takes_the_transport_of_the_group() {
    let offer = parsed("firefox_whep_offer");
    let [video, audio] = offer.media.as_slice() else { panic!() };
    assert!(!audio.rejected);
    assert_eq!((&audio.ice_ufrag, &audio.ice_pwd, audio.setup), (&video.ice_ufrag, &video.ice_pwd, video.setup));
    assert_eq!(audio.fingerprint, video.fingerprint);
    assert!(offer.to_sdp().contains("m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101\r\n"));
}

#[test]
fn session_level_transport_is_written_into_every_section() {
    let (kind, text) = fixture("obs_whip_offer");
    let moved =
        ["a=setup:", "a=ice-ufrag:", "a=ice-pwd:"].iter().fold(text.to_owned(), |text, prefix| without(&text, prefix));
    let moved =
        moved.replace("a=group:LS 0 1\n", "a=setup:actpass\na=ice-ufrag:Yb3W\na=ice-pwd:s0VnQe7TkA4xMz9LhPr2Ud\n");
    let description = Description::parse(&moved, kind).unwrap();
    assert_eq!(description, parsed("obs_whip_offer"));
    assert_eq!(description.to_sdp().matches("a=setup:actpass\r\n").count(), 2);
    assert_eq!(description.to_sdp().matches("a=fingerprint:sha-256 ").count(), 2);
}

#[test]
fn one_section_needs_no_group_and_no_mid() {
    let (kind, text) = fixture("chrome_simulcast_offer");
    let bare = without(&without(text, "a=group"), "a=mid");
    let offer = Description::parse(&bare, kind).unwrap();
    assert!(offer.bundle.is_empty());
    assert_eq!(offer.media[0].mid, "0");
    assert!(!offer.to_sdp().contains("BUNDLE"));
    assert!(fault("obs_whip_offer", |text| without(text, "a=group:BUNDLE")).contains("BUNDLE"));
}

#[test]
fn rejected_sections_keep_their_place_and_leave_the_group() {
    let (kind, text) = fixture("chrome_whip_offer");
    let offer = Description::parse(&text.replace("m=audio 9 ", "m=audio 0 "), kind).unwrap();
    assert!(offer.media[0].rejected && !offer.media[1].rejected);
    assert_eq!((offer.bundle.as_slice(), offer.tagged()), (["1".to_owned()].as_slice(), 1));
    assert!(offer.to_sdp().contains("m=audio 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=inactive\r\n"));
    assert_eq!(Description::parse(&offer.to_sdp(), kind).unwrap(), offer);
    assert!(Description::parse(&text.replace(" 9 UDP", " 0 UDP"), kind).unwrap_err().to_string().contains("rejected"));
}

#[test]
fn structural_faults_are_reported_in_one_line_with_their_place() {
    let cases: [(&str, &str, &str); 16] = [
        ("a=group:BUNDLE 0 1", "a=group:BUNDLE 0 9", "mid 1 is not in the BUNDLE group"),
        ("a=group:BUNDLE 0 1", "a=group:BUNDLE 0 0 1", "line 5: mid \"0\" stands twice"),
        ("a=group:BUNDLE 0 1", "a=group:BUNDLE 0 1\na=group:BUNDLE 0 1", "line 6: a second BUNDLE group"),
        ("a=group:BUNDLE 0 1", "a=group:BUNDLE 0", "mid 1 is not in the BUNDLE group"),
        ("a=mid:1", "a=mid:0", "mid \"0\" stands twice"),
        ("a=mid:1", "a=mid:1 2", "token characters"),
        ("a=ice-ufrag:Yb3W", "a=ice-ufrag:Yb3", "ice-ufrag must be 4 to 256"),
        ("a=ice-pwd:s0VnQe7TkA4xMz9LhPr2Ud", "a=ice-pwd:s0VnQe7TkA4xMz9LhPr2U", "ice-pwd must be 22 to 256"),
        ("a=ice-ufrag:Yb3W", "a=ice-ufrag:Yb3W\na=ice-ufrag:Yb3X", "ice-ufrag differs"),
        ("a=setup:actpass", "a=setup:holdconn", "unknown setup"),
        ("a=sendonly", "a=sendonly\na=recvonly", "direction differs"),
        ("SAVPF 111", "SAVPF 111 111", "payload type 111 stands twice"),
        ("SAVPF 111", "SAVPF 128", "bad payload type"),
        ("UDP/TLS/RTP/SAVPF 96", "UDP/RTP 96", "is not UDP/TLS/RTP/SAVPF"),
        ("m=audio 60139", "m=te:xt 60139", "bad m-line"),
        ("a=ssrc:2417730587 cname:", "a=ssrc:2417730586 cname:", "SSRC 2417730586 is declared by mid 0 too"),
    ];
    for (from, to, expected) in cases {
        let told = fault("obs_whip_offer", |text| text.replacen(from, to, 1));
        assert!(told.contains(expected) && !told.contains('\n'), "{to}: {told}");
    }
}

#[test]
fn what_a_transport_needs_must_be_there() {
    for (prefix, expected) in [
        ("a=rtcp-mux", "rtcp-mux"),
        ("a=setup", "no setup"),
        ("a=fingerprint", "no fingerprint"),
        ("a=ice-ufrag", "no ice-ufrag"),
        ("a=ice-pwd", "no ice-pwd"),
        ("a=rtpmap", "rtpmap"),
        ("m=", "no m-line"),
        ("v=", "begins with v=0"),
    ] {
        let told = fault("obs_whip_offer", |text| without(text, prefix));
        assert!(told.contains(expected), "{prefix}: {told}");
    }
    assert!(fault("chrome_answer", |text| text.replace("setup:active", "setup:actpass")).contains("active or passive"));
}

#[test]
fn fingerprints_must_be_strong_and_agree() {
    let sha1 = "sha-1 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33";
    let (kind, text) = fixture("obs_whip_offer");
    let beside = text.replace("a=group:LS 0 1", &format!("a=fingerprint:{sha1}"));
    assert_eq!(Description::parse(&beside, kind).unwrap(), parsed("obs_whip_offer"));
    let told = fault("obs_whip_offer", |text| {
        format!("{}\n", without(text, "a=fingerprint")).replace("a=group:LS 0 1", &format!("a=fingerprint:{sha1}"))
    });
    assert!(told.contains("too weak"), "{told}");
    let told = fault("ffmpeg_whip_offer", |text| text.replacen("sha-256 AE:31", "sha-256 AE:32", 1));
    assert!(told.contains("mid 1: fingerprint differs"), "{told}");
    // aiortc names several; all of them know SHA-256.
    let beside = text.replace("a=group:LS 0 1", &format!("a=fingerprint:sha-512 {}", vec!["01"; 64].join(":")));
    assert_eq!(Description::parse(&beside, kind).unwrap(), parsed("obs_whip_offer"));
    let other = format!("a=fingerprint:sha-256 {}", vec!["01"; 32].join(":"));
    let told = fault("obs_whip_offer", |text| text.replace("a=group:LS 0 1", &other));
    assert!(told.contains("line 9: fingerprint differs"), "{told}");
}

#[test]
fn limits_hold() {
    let (_, text) = fixture("obs_whip_offer");
    let line = "a=x:yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n";
    assert!(fault("obs_whip_offer", |text| format!("{text}{}", line.repeat(1100))).contains("bytes"));
    assert!(fault("obs_whip_offer", |text| format!("{text}a=x:{}\n", "y".repeat(MAX_LINE))).contains("line 43"));
    let five = |text: &str| {
        let more: String = (2..5).map(|n| format!("m=audio 0 UDP/TLS/RTP/SAVPF 0\na=mid:{n}\n")).collect();
        format!("{text}{more}")
    };
    assert!(fault("obs_whip_offer", five).contains("more than 4 m-lines"));
    let many: Vec<String> = (0..=MAX_CODECS).map(|payload| payload.to_string()).collect();
    let told = fault("obs_whip_offer", |text| text.replace("SAVPF 111", &format!("SAVPF {}", many.join(" "))));
    assert!(told.contains("65 payload types"), "{told}");
    let candidates: String = (1..100).map(|n| format!("a=candidate:{n} 1 udp {n} 192.0.2.1 {n} typ host\n")).collect();
    let full = text.replacen("a=end-of-candidates\n", &candidates, 1);
    assert_eq!(Description::parse(&full, SdpKind::Offer).unwrap().media[0].candidates.len(), MAX_CANDIDATES);
    // Small text, large description: 64 codecs in 4 sections with long parameters and feedback for all.
    let maps: String = (0..64).map(|n| format!("a=rtpmap:{n} x/1\na=fmtp:{n} apt={}\n", "1".repeat(150))).collect();
    let feedback = "a=rtcp-fb:* nack\na=rtcp-fb:* nack pli\na=rtcp-fb:* ccm fir\na=rtcp-fb:* transport-cc\na=rtcp-fb:* goog-remb\n";
    let payloads: Vec<String> = (0..64).map(|n| n.to_string()).collect();
    let section =
        |mid| format!("m=audio 9 UDP/TLS/RTP/SAVPF {}\na=mid:{mid}\na=rtcp-mux\n{maps}{feedback}", payloads.join(" "));
    let head = text.split("m=audio").next().unwrap().replace("BUNDLE 0 1", "BUNDLE 0 1 2 3");
    let head = format!("{head}a=setup:active\na=ice-ufrag:Yb3W\na=ice-pwd:s0VnQe7TkA4xMz9LhPr2Ud\n");
    let grown: String = [head].into_iter().chain((0..4).map(section)).collect();
    assert!(grown.len() < MAX_BYTES);
    assert!(Description::parse(&grown, SdpKind::Offer).unwrap_err().to_string().contains("too much to be carried"));
}

#[test]
fn an_answer_must_take_every_section_as_offered() {
    let answer = parsed("chrome_answer");
    check_answer(&answer, 3).unwrap();
    assert!(check_answer(&answer, 2).unwrap_err().to_string().contains("3 m-lines"));
    assert!(check_answer(&parsed("obs_whip_offer"), 2).is_err());
    let (kind, text) = fixture("chrome_answer");
    for (from, to, expected) in [
        ("m=video 9", "m=video 0", "m-line 1 (mid video1) is rejected"),
        ("a=sendonly", "a=inactive", "m-line 1 (mid video1) is inactive"),
        ("m=audio", "m=video", "m-line 0 (mid audio0) is video, audio was offered"),
    ] {
        let changed = Description::parse(&text.replacen(from, to, 1), kind).unwrap();
        assert_eq!(check_answer(&changed, 3).unwrap_err().to_string().split(':').next(), Some(expected), "{to}");
    }

    let mut offer = answer.clone();
    offer.kind = SdpKind::Offer;
    offer.media[1].direction = Direction::RecvOnly;
    offer.media[2].direction = Direction::SendOnly;
    check_answer_to(&answer, &offer).unwrap();
    for (from, to, expected) in [
        ("a=mid:video2", "a=mid:video3", "is not the video of mid video2"),
        ("a=sendonly", "a=sendrecv", "does not fit"),
        ("rtpmap:97 VP8", "rtpmap:97 VP9", "payload type 97"),
        ("a=extmap:1 ", "a=extmap:2 ", "header extension 2"),
    ] {
        let text = text.replacen(from, to, 1).replace(
            "BUNDLE audio0 video1 video2",
            if to.ends_with('3') { "BUNDLE audio0 video1 video3" } else { "BUNDLE audio0 video1 video2" },
        );
        let told = check_answer_to(&Description::parse(&text, kind).unwrap(), &offer).unwrap_err().to_string();
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn our_answer_gets_the_sections_back_that_were_not_taken() {
    let (kind, text) = fixture("chrome_whip_offer");
    let offer = Description::parse(&text.replace("opus/", "lyra/"), kind).unwrap();
    let chosen = choose(&offer, &[VideoCodec::Vp8], &[]).unwrap();
    // The repair of a stream is another codec, which webrtcbin is not offered.
    assert!(offer.to_sdp().contains("a=ssrc-group:FID ") && !narrowed(&offer, &chosen).to_sdp().contains("ssrc-group"));
    let mut ours = narrowed(&offer, &chosen);
    assert_eq!(ours.media.len(), 1);
    ours.kind = SdpKind::Answer;
    ours.media[0].setup = Setup::Active;
    ours.media[0].direction = Direction::RecvOnly;
    let whole = answered(&offer, &chosen, &ours).unwrap();
    assert_eq!(whole.media.iter().map(|section| section.rejected).collect::<Vec<_>>(), [true, false]);
    assert_eq!(whole.media.iter().map(|section| section.mid.as_str()).collect::<Vec<_>>(), ["0", "1"]);
    assert_eq!(whole.bundle, ["1"]);
    assert_eq!(Description::parse(&whole.to_sdp(), SdpKind::Answer).unwrap(), whole);

    let mut short = ours.clone();
    short.media[0].mid = "7".to_owned();
    assert!(answered(&offer, &chosen, &short).is_err());
    assert!(answered(&offer, &[], &ours).is_err());
}

#[test]
fn our_answer_names_the_profile_that_was_offered() {
    let offer = parsed("ffmpeg_whip_offer");
    let chosen = choose(&offer, &[VideoCodec::H264], &[]).unwrap();
    let mut ours = narrowed(&offer, &chosen);
    ours.kind = SdpKind::Answer;
    let codec = &mut ours.media[1].codecs[0];
    codec.fmtp = vec![("packetization-mode".to_owned(), "1".to_owned())];
    codec.format = CodecFormat::H264 { profile_level_id: 0x42_0010, packetization_mode: 1 };
    let whole = answered(&offer, &chosen, &ours).unwrap();
    assert_eq!(whole.media[1].codecs[0].parameter("profile-level-id"), Some("42e01f"));
    assert_eq!(whole.media[1].codecs[0].format, chosen[1].codec.format);
    assert_eq!(Description::parse(&whole.to_sdp(), SdpKind::Answer), Ok(whole));
}

/// Marsaglia's xorshift: the same mutations on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound.max(1)
    }
}

/// Makes one to four random changes of a text.
fn mutate(text: &str, random: &mut Random) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let (one, other) = (random.below(lines.len()), random.below(lines.len()));
        match random.below(9) {
            0 => {
                lines.remove(one);
            }
            1 => {
                let copy = lines[one].clone();
                lines.insert(other, copy);
            }
            2 => lines.swap(one, other),
            3 => {
                let at = random.below(lines[one].len());
                lines[one].truncate(at);
            }
            4 => {
                // Every number of the line grows out of its range, or gets a strange form.
                let strange =
                    ["99999999999999999999", "-1", "0", "65536", "256", "4294967296", "+7", ""][random.below(8)];
                let mut grown = Vec::new();
                for (index, part) in lines[one].split(|byte| byte.is_ascii_digit()).enumerate() {
                    if index > 0 && (index + other).is_multiple_of(2) {
                        grown.extend_from_slice(strange.as_bytes());
                    }
                    grown.extend_from_slice(part);
                }
                lines[one] = grown;
            }
            5 => {
                let words =
                    ["BUNDLE", "a=mid:", "%s%n", "a=inactive", "m=video 9 UDP/TLS/RTP/SAVPF 96", "\u{0}", "é", "*"];
                lines.insert(one, words[random.below(words.len())].as_bytes().to_vec());
            }
            6 => lines.truncate(one + 1),
            _ => {
                let line = &mut lines[one];
                let at = random.below(line.len());
                if let Some(byte) = line.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
        bytes = lines.join(&b'\n');
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn mutated_descriptions_are_refused_or_normalised_and_never_panic() {
    let mut random = Random(0x5eed_1234_abcd_0001);
    for (name, kind, text) in FIXTURES {
        let mut accepted = 0;
        for round in 0..1500 {
            let mutated = mutate(text, &mut random);
            match Description::parse(&mutated, kind) {
                Ok(description) => {
                    accepted += 1;
                    let written = description.to_sdp();
                    assert_eq!(
                        Description::parse(&written, kind).as_ref(),
                        Ok(&description),
                        "{name} {round}:\n{mutated}"
                    );
                    if let Ok(chosen) = choose(&description, &[VideoCodec::Vp8, VideoCodec::H264], &[VideoCodec::H264])
                    {
                        let narrow = narrowed(&description, &chosen);
                        assert_eq!(
                            Description::parse(&narrow.to_sdp(), kind).as_ref(),
                            Ok(&narrow),
                            "{name} {round}:\n{mutated}"
                        );
                    }
                }
                Err(fault) => {
                    let told = fault.to_string();
                    assert!(
                        !told.is_empty() && told.len() < 400 && !told.contains(char::is_control),
                        "{name}: {told:?}"
                    );
                }
            }
        }
        // Mutations that nothing survives, or all do, test little.
        assert!((50..1450).contains(&accepted), "{name}: {accepted}");
    }
}

#[test]
fn mutated_candidates_and_fragments_are_refused_or_read_back() {
    let mut random = Random(77);
    let candidates: Vec<&str> =
        fixture("chrome_simulcast_offer").1.lines().filter(|line| line.starts_with("a=cand")).collect();
    for round in 0..3000 {
        let mutated = mutate(candidates[round % candidates.len()], &mut random);
        if let Ok(Some(candidate)) = Candidate::parse(&mutated) {
            assert_eq!(Candidate::parse(&candidate.to_string()), Ok(Some(candidate)), "{mutated}");
        }
        let fragment = format!("a=ice-ufrag:abcd\nm=video 9 x 0\na=mid:1\n{}\n", candidates.join("\n"));
        if let Ok(fragment) = parse_fragment(&mutate(&fragment, &mut random)) {
            assert!(fragment.candidates.len() <= MAX_CANDIDATES);
        }
    }
}
