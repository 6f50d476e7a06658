//! The readers of the inputs, and the seeds that inputs are made from. A target returns whether it has taken the input,
//! and fails where one that it took does not hold what it should.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, Uri, header};
use virfie::{
    config::ServeConfig,
    control::{
        api::auth::{Auth, Claims, Role},
        assets::{kind::AssetKind, picture},
    },
    layout::{
        Canvas, read,
        scenario::{Node, import},
        solve::{Facts, solve},
    },
    media::port::{
        Candidate, Description, Profile, RtmpAddress, SdpKind, SrtAddress, WhipAddress, check_offer, parse_fragment,
    },
};

pub struct Target {
    pub name: &'static str,
    pub read: fn(&[u8]) -> bool,
    pub seeds: &'static [&'static [u8]],
}

macro_rules! seeds {
    ($($file:literal),* $(,)?) => { &[$(include_bytes!(concat!("../../", $file))),*] };
}

pub const TARGETS: &[Target] = &[
    Target {
        name: "offers",
        read: offer,
        seeds: seeds!(
            "src/media/sdp/fixtures/obs_whip_offer.sdp",
            "src/media/sdp/fixtures/chrome_whip_offer.sdp",
            "src/media/sdp/fixtures/chrome_simulcast_offer.sdp",
            "src/media/sdp/fixtures/ffmpeg_whip_offer.sdp",
            "src/media/sdp/fixtures/firefox_whep_offer.sdp",
            "src/media/sdp/fixtures/gstreamer_whip_offer.sdp",
            "src/media/sdp/fixtures/safari_whip_offer.sdp",
        ),
    },
    Target { name: "answers", read: answer, seeds: seeds!("src/media/sdp/fixtures/chrome_answer.sdp") },
    Target {
        name: "candidates",
        read: candidate,
        seeds: &[
            b"candidate:0 1 UDP 2122252543 192.0.2.44 51555 typ host",
            b"candidate:1 1 TCP 2105524479 2001:db8::7 9 typ host tcptype active",
            b"a=candidate:2 1 udp 1686052863 203.0.113.9 51555 typ srflx raddr 192.0.2.44 rport 51555 generation 0",
            b"candidate:3 1 udp 41885439 203.0.113.10 60000 typ relay raddr 203.0.113.9 rport 51555 ufrag abcd",
        ],
    },
    Target {
        name: "fragments",
        read: fragment,
        seeds: &[
            b"a=ice-ufrag:6f0a93d4\r\na=ice-pwd:4c1d8b70f25a936e0e7bb9d6a38f5c21\r\n\
            m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
            a=candidate:0 1 UDP 2122252543 192.0.2.44 51555 typ host\r\na=end-of-candidates\r\n",
        ],
    },
    Target {
        name: "layouts",
        read: layout,
        seeds: seeds!(
            "pipelines/layouts/class.json",
            "pipelines/layouts/emotion-tracker.json",
            "pipelines/layouts/grid.json",
            "pipelines/layouts/news-desk.json",
            "pipelines/layouts/picture-in-picture.json",
            "pipelines/layouts/side-by-side.json",
            "pipelines/layouts/solo.json",
            "pipelines/layouts/spotlight.json",
        ),
    },
    Target {
        name: "scenarios",
        read: scenario,
        seeds: &[
            br##"{"scenes": [{"name": "One", "players": [{"x": "10%", "y": 20, "width": "50%", "z-index": 2}],
            "overlays": [{"asset": "a.png", "x": 1}], "triggers": [{"type": "wave"}]}, {"name": "Two"}]}"##,
            br##"scenarios["a"] = {scenes: [{name: 'One', players: {a: {x: 0, y: '0', width: 1e2,},}, overlays: [],},],};"##,
        ],
    },
    Target { name: "tokens", read: token, seeds: &[b"TOKEN", b"TOKEN TOKEN", b"Bearer TOKEN", b"TOKEN.", b".TOKEN"] },
    Target {
        name: "pictures",
        read: picture_header,
        seeds: &[
            // Each of two pixels, of the smallest that there is of its kind.
            b"GIF89a\x02\x00\x01\x00\x80\x00\x00\xff\x00\x00\x00\xff\x00,\x00\x00\x00\x00\x02\x00\x01\x00\x00\x02\x02\x44\x0a\x00;",
        ],
    },
    Target {
        name: "outputs",
        read: output,
        seeds: &[
            b"rtmp://live.example:1935/app/stream-key",
            b"rtmps://user:secret@live.example/app/key?x=1",
            b"RTMP://[2001:db8::1]:1935/a/b/c",
            b"srt://live.example:9000?passphrase=a-long-secret&latency=800&streamid=stream-key",
            b"srt://:9000?mode=listener",
            b"https://live.example/whip/stream-key?sign=a%2Fsecret",
        ],
    },
];

fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

fn offer(input: &[u8]) -> bool {
    let Ok(offer) = Description::parse(&text(input), SdpKind::Offer) else { return false };
    // Both may refuse it; neither may fail.
    let _ = (check_offer(&offer, true), check_offer(&offer, false));
    true
}

fn answer(input: &[u8]) -> bool {
    Description::parse(&text(input), SdpKind::Answer).is_ok()
}

fn candidate(input: &[u8]) -> bool {
    Candidate::parse(&text(input)).is_ok()
}

fn fragment(input: &[u8]) -> bool {
    parse_fragment(&text(input)).is_ok()
}

fn layout(input: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice(input) else { return false };
    let canvas = Canvas::default();
    let Ok(scene) = read(&value, &canvas) else { return false };
    let again = read(&scene.to_json(), &canvas).expect("what is read back can be put again");
    assert_eq!(again, scene, "and means the same");
    let facts = Facts { people: &[], speakers: &[], image_size: &|_| Some((640, 360)), can_cut: true };
    let placements = solve(&scene, &facts);
    assert!(placements.len() <= 1000, "{} placements", placements.len());
    true
}

fn scenario(input: &[u8]) -> bool {
    let Ok(node) = Node::parse(&text(input)) else { return false };
    let canvas = Canvas::default();
    let Ok(imported) = import(&node, &canvas, &|_| None) else { return false };
    for scene in imported.scenes {
        assert!(read(&scene.layout, &canvas).is_ok(), "a scene has a layout that can be read: {}", scene.layout);
    }
    true
}

static AUTH: LazyLock<(Auth, String)> = LazyLock::new(|| {
    let key = "a-key-that-is-long-enough-for-everybody".to_owned();
    let auth = Auth::new(&ServeConfig { api_key: Some(key), ..ServeConfig::default() }).expect("it needs no file");
    let exp = jsonwebtoken::get_current_timestamp() + 36_000;
    let claims = Claims { room: Some("demo".to_owned()), role: Role::Viewer, name: None, exp, jti: None, places: None };
    let token = auth.sign(&claims).expect("tokens are signed");
    (auth, token)
});

/// Nothing but the token itself is let in, and as no more than it says.
fn token(input: &[u8]) -> bool {
    let (auth, real) = &*AUTH;
    let given = text(input).replace("TOKEN", real);
    let mut headers = HeaderMap::new();
    let Ok(value) = HeaderValue::from_str(&format!("Bearer {given}")) else { return false };
    headers.insert(header::AUTHORIZATION, value);
    if let Ok(access) = auth.access(&headers, &Uri::from_static("/"), None) {
        assert_eq!((access.role, access.room.as_deref()), (Role::Viewer, Some("demo")));
        assert_eq!(given.trim(), real, "only the token itself is one");
    }
    if let Ok(uri) = format!("/?token={given}").parse::<Uri>()
        && let Ok(access) = auth.access(&HeaderMap::new(), &uri, None)
    {
        assert_eq!(access.role, Role::Viewer);
    }
    true
}

fn picture_header(input: &[u8]) -> bool {
    let _ = AssetKind::sniff(input);
    picture::header(input).is_ok_and(|header| header.width > 0 && header.height > 0)
}

fn output(input: &[u8]) -> bool {
    let url = text(input);
    // Their hosts are what the reader of URLs makes of them, so that nothing is known of what is shown.
    let srt = SrtAddress::parse(&url).map(|address| address.redact(&address.shown()));
    let whip = WhipAddress::parse(&url, Some("secret"), Profile::High).map(|address| address.redact(&address.shown()));
    let Ok(address) = RtmpAddress::parse(&url, None) else { return srt.is_ok() || whip.is_ok() };
    let shown = address.shown();
    // A change can make a host of either.
    let authority = url.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    for secret in ["stream-key", "secret"] {
        assert!(host.contains(secret) || !shown.contains(secret), "{url} is shown as {shown}");
    }
    true
}
