//! Descriptions of other people's clients: taken as they are meant, or refused with their line.

use super::*;

/// Returns the offer of a fixture, changed.
fn changed(name: &str, change: impl Fn(&str) -> String) -> Description {
    let (kind, text) = fixture(name);
    Description::parse(&change(text), kind).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

/// Returns webrtcbin's answer to the narrowed offer, as far as it matters.
fn ours(offer: &Description, chosen: &[Chosen]) -> Description {
    let mut ours = narrowed(offer, chosen);
    ours.kind = SdpKind::Answer;
    for section in &mut ours.media {
        (section.setup, section.direction) = (Setup::Active, Direction::RecvOnly);
        section.msid = Some("user@machine webrtctransceiver0".to_owned());
    }
    ours
}

#[test]
fn other_media_is_rejected_in_its_place_and_the_rest_is_taken() {
    let plain = parsed("obs_whip_offer");
    for (line, echo) in [
        ("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"),
        ("m=application 0 UDP/DTLS/SCTP webrtc-datachannel", "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"),
        ("m=application 9 DTLS/SCTP 5000", "m=application 0 DTLS/SCTP 5000\r\n"),
        ("m=text 9 UDP/TLS/RTP/SAVPF 98 99", "m=text 0 UDP/TLS/RTP/SAVPF 98 99\r\n"),
    ] {
        let more = format!("{line}\na=mid:2\na=sctp-port:5000\na=rtpmap:nonsense\n");
        let offer = changed("obs_whip_offer", |text| format!("{}{more}", text.replace("BUNDLE 0 1", "BUNDLE 0 1 2")));
        assert_eq!((&offer.media[..2], offer.bundle.len()), (&plain.media[..], 2), "{line}");
        let chosen = choose(&offer, &[VideoCodec::H264], &[]).unwrap();
        check_whole(&offer, &chosen, &[VideoCodec::H264], true).unwrap();
        assert_eq!(narrowed(&offer, &chosen).media.len(), 2);
        let answer = answered(&offer, &chosen, &ours(&offer, &chosen)).unwrap().to_sdp();
        assert!(answer.contains(echo), "{answer}");
        assert_eq!(Description::parse(&answer, SdpKind::Answer).unwrap().media.len(), 3);
    }
    assert!(
        fault("obs_whip_offer", |text| text.replace("m=audio", "m=text").replace("m=video", "m=message"))
            .contains("neither audio nor video")
    );
}

#[test]
fn a_group_that_other_media_leads_keeps_its_transport() {
    let offer = changed("obs_whip_offer", |text| {
        let (head, rest) = text.split_once("m=audio").unwrap();
        let transport = "a=ice-ufrag:Yb3W\na=ice-pwd:s0VnQe7TkA4xMz9LhPr2Ud\na=setup:actpass\n";
        let rest = ["a=ice-ufrag", "a=ice-pwd", "a=setup", "a=candidate", "a=end-of-c"]
            .iter()
            .fold(format!("m=audio{rest}"), |rest, prefix| without(&rest, prefix))
            .replace(" 60139 UDP", " 0 UDP")
            .replace("a=rtcp-mux\n", "a=rtcp-mux\na=bundle-only\n");
        let head = head.replace("BUNDLE 0 1", "BUNDLE data 0 1");
        format!(
            "{head}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:data\n{transport}\
             a=candidate:1 1 UDP 5 192.0.2.7 4000 typ host\n{rest}"
        )
    });
    assert_eq!(offer.media.iter().map(|section| section.rejected).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!((offer.bundle.as_slice(), offer.tagged()), (["0".to_owned(), "1".to_owned()].as_slice(), 1));
    assert_eq!((offer.media[1].ice_ufrag.as_str(), offer.media[1].candidates.len()), ("Yb3W", 1));
}

#[test]
fn what_other_peers_write_without_another_meaning_is_taken() {
    let plain = parsed("obs_whip_offer");
    // FFmpeg names the mid of a microphone that it does not have.
    let alone = changed("chrome_simulcast_offer", |text| text.replace("BUNDLE 0", "BUNDLE 0 1"));
    assert_eq!(alone, parsed("chrome_simulcast_offer"));
    let only = changed("obs_whip_offer", |text| text.replace("a=rtcp-mux\n", "a=rtcp-mux-only\n"));
    assert_eq!(only, plain);
    let ufrag = changed("obs_whip_offer", |text| text.replace("a=ice-ufrag:Yb3W", "a=ice-ufrag:Yb-3_W=#"));
    assert_eq!(ufrag.media[0].ice_ufrag, "Yb-3_W=#");
    for protocol in ["RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "RTP/AVP"] {
        let offer = changed("obs_whip_offer", |text| text.replace("UDP/TLS/RTP/SAVPF", protocol));
        let chosen = choose(&offer, &[VideoCodec::H264], &[]).unwrap();
        assert!(narrowed(&offer, &chosen).to_sdp().contains("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"));
        let answer = answered(&offer, &chosen, &ours(&offer, &chosen)).unwrap().to_sdp();
        assert!(answer.contains(&format!("m=video 9 {protocol} 96\r\n")), "{answer}");
        assert!(!answer.contains("user@machine") && answer.matches("a=rtcp-mux-only\r\n").count() == 2, "{answer}");
    }
    for odd in ["1 1 UDP 5 nas 9 typ host", "1 1 UDP 5 192.0.2.9 9 typ guess", "{a:b} 1 UDP 5 192.0.2.9 9 typ host"] {
        let useless = format!("a=candidate:{odd}\na=candidate:1 1 UDP 4294967295 192.0.2.9 9 typ host\na=end-of-c");
        assert_eq!(changed("obs_whip_offer", |text| text.replacen("a=end-of-c", &useless, 1)), plain, "{odd}");
    }
}

#[test]
fn codecs_are_narrowed_to_one_form_and_answered_as_they_were_offered() {
    for (fmtp, mode) in [("", None), ("a=fmtp:106 packetization-mode=0\n", Some("0"))] {
        let offer = changed("ffmpeg_whip_offer", |text| {
            without(text, "a=fmtp:106").replace("opus/48000/2", "opus/48000") + fmtp
        });
        let chosen = choose(&offer, &[VideoCodec::H264], &[]).unwrap();
        check_whole(&offer, &chosen, &[VideoCodec::H264], true).unwrap();
        let narrow = narrowed(&offer, &chosen).to_sdp();
        assert!(narrow.contains("opus/48000/2\r\n") && narrow.contains("packetization-mode=1\r\n"), "{narrow}");
        let whole = answered(&offer, &chosen, &ours(&offer, &chosen)).unwrap();
        assert!(whole.to_sdp().contains("opus/48000\r\n"), "{}", whole.to_sdp());
        assert_eq!(whole.media[1].codecs[0].parameter("packetization-mode"), mode);
        assert_eq!(Description::parse(&whole.to_sdp(), SdpKind::Answer), Ok(whole));
    }
}

#[test]
fn what_would_be_answered_in_part_is_refused_with_its_line_and_codec() {
    let refused = |change: &dyn Fn(&str) -> String| {
        let offer = changed("obs_whip_offer", change);
        let chosen = choose(&offer, &[VideoCodec::H264], &[]).unwrap();
        check_whole(&offer, &chosen, &[VideoCodec::H264], true).unwrap_err().to_string()
    };
    assert_eq!(refused(&|text| text.replace("H264/", "AV1/")), "mid 1: video is offered as AV1, and received as h264");
    assert_eq!(
        refused(&|text| text.replace("opus/", "PCMU/")),
        "mid 0: audio is offered as PCMU, and received as opus"
    );
    let profile = |text: &str| text.replace("H264/90000\n", "VP9/90000\na=fmtp:96 profile-id=2\n");
    assert!(refused(&profile).contains("VP9 profile 2"));
    let second = "m=video 9 UDP/TLS/RTP/SAVPF 97\na=mid:2\na=sendonly\na=rtcp-mux\na=rtpmap:97 VP8/90000\n";
    let two = |text: &str| text.replace("BUNDLE 0 1", "BUNDLE 0 1 2") + second;
    assert_eq!(refused(&two), "mid 2: a second video m-line; one of each kind is received");
    // What does not flow our way need not be known.
    let offer = changed("obs_whip_offer", |text| two(text).replace("a=mid:2\na=sendonly", "a=mid:2\na=inactive"));
    let chosen = choose(&offer, &[VideoCodec::H264], &[]).unwrap();
    check_whole(&offer, &chosen, &[VideoCodec::H264], true).unwrap();
}
