//! Senders whose network, clock or encoder is odd: what they send is seen and heard, or the room says why it is not.

use std::sync::Arc;

use gstreamer::{self as gst, prelude::*};
use parking_lot::Mutex;
use serde_json::{Value, json};
use virfie::media::{
    port::{TrackKind, VideoCodec},
    sdp::{MediaKind, VIDEO_ORIENTATION},
};

use super::{
    footage::{Footage, h264, tone, vp8},
    posted::{Posted, Tamper, whep, whip, whip_of},
    recorder::{Attention, BLUE, GREEN, Picture, RATE, RED, Recorder, amplitude},
    server::{ROOM, Server, until},
    studio::Studio,
};

const WHITE: [i32; 3] = [235, 235, 235];
const BLACK: [i32; 3] = [16, 16, 16];
const SMALL: &str = "video/x-raw,format=I420,width=320,height=180,framerate=25/1";

/// Returns black and white by turns, encoded as this codec.
fn blinking(codec: VideoCodec) -> Option<(VideoCodec, String)> {
    let made =
        if codec == VideoCodec::H264 { h264(0xff_ffff, SMALL, "tune=zerolatency") } else { vp8(0xff_ffff, SMALL) };
    made.map(|(codec, text)| (codec, text.replace("pattern=solid-color", "pattern=blink")))
}

/// Waits for a picture that moves: it has been white and black so many times.
async fn moves(recorder: &Recorder, x: f64, times: usize) {
    for _ in 0..times {
        recorder.picture("white", |it| it.shows(x, 0.5, WHITE)).await;
        recorder.picture("black", |it| it.shows(x, 0.5, BLACK)).await;
    }
}

/// Waits until a tone is heard for half a second.
async fn sounds(recorder: &Recorder, hertz: f64, least: f64) {
    for _ in 0..20 {
        if amplitude(&recorder.fresh_samples(RATE / 2).await, hertz) > least {
            return;
        }
    }
    panic!("{hertz} Hz is not heard");
}

/// Returns numbers that look random and are the same each time.
fn numbers() -> impl FnMut() -> u32 {
    let mut state = 0x2545_f491_u32;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    }
}

async fn problem(server: &Server, name: &str) -> Value {
    server.participant(name).await.map_or(Value::Null, |one| one["problem"].clone())
}

async fn fill(server: &Server, names: &[&str]) {
    let share = 100.0 / names.len() as f64;
    let layer = |(index, name): (usize, &&str)| {
        json!({"id": name, "source": {"participant": name}, "fit": "fill", "y": 0, "height": "100%",
               "x": format!("{}%", share * index as f64), "width": format!("{share}%")})
    };
    let layers: Vec<Value> = names.iter().enumerate().map(layer).collect();
    server.put_layout(&json!({"layers": layers, "auto": {"mode": "off"}})).await;
}

async fn watched(server: &Server) -> Posted {
    let mut viewer = whep(server, VideoCodec::H264, Attention::Both).await;
    viewer.connected().await;
    viewer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_media_are_seen_and_heard_side_by_side() {
    let server = Server::start_with(|config| config.max_participants = 12).await;
    Studio::new();
    let caps = |size: &str, rate: &str| format!("video/x-raw,format=I420,{size},framerate={rate}");
    let mono = "audiotestsrc is-live=true samplesperbuffer=960 volume=0.2";
    let opposite = format!(
        "{mono} freq=700 ! audio/x-raw,format=F32LE,rate=48000,channels=1 \
         ! audioconvert mix-matrix=\"<<(float)1.0>, <(float)-1.0>>\" \
         ! audio/x-raw,rate=48000,channels=2,channel-mask=(bitmask)0x3 ! opusenc bitrate=96000"
    );
    // A tone of 0.4 s a second; in between nothing is sent but a packet now and then.
    let pauses = format!(
        "{mono} wave=ticks freq=900 tick-interval=1000000000 sine-periods-per-tick=360 \
         ! audio/x-raw,rate=48000,channels=1 ! opusenc dtx=true audio-type=voice"
    );
    let ten = SMALL.replace("I420", "I420_10LE");
    let all = [
        ("b-frames", h264(0xff_0000, SMALL, "threads=1 rc-lookahead=0 bframes=3 b-adapt=false"), Some(tone(400))),
        ("opposite", vp8(0x00_ff00, SMALL), Some(opposite)),
        ("pauses", vp8(0x00_00ff, SMALL), Some(pauses)),
        ("ten-bits", h264(0xff_ff00, &ten, "tune=zerolatency"), Some(tone(1100))),
        ("silent", vp8(0xff_00ff, SMALL), None),
        ("one", vp8(0x00_ffff, &caps("width=320,height=180", "1/1")), Some(tone(1300))),
        ("sixty", h264(0xff_ffff, &caps("width=320,height=180", "60/1"), "tune=zerolatency"), None),
        ("tiny", vp8(0xff_8000, &caps("width=16,height=16", "15/1")), None),
        ("tinier", h264(0x80_80ff, &caps("width=16,height=16", "15/1"), "tune=zerolatency"), None),
        ("voice", None, Some(tone(1700))),
    ];
    let seen: Vec<&str> = all.iter().filter(|one| one.1.is_some()).map(|one| one.0).collect();
    fill(&server, &seen).await;
    let mut senders = Vec::new();
    for (name, video, audio) in all {
        senders.push((name, whip(&server, name, &Arc::new(Footage::new(video, audio))).await));
    }
    for (_, sender) in &mut senders {
        sender.connected().await;
    }
    let viewer = watched(&server).await;
    let colours = [
        RED,
        GREEN,
        BLUE,
        [255, 255, 0],
        [255, 0, 255],
        [0, 255, 255],
        [255, 255, 255],
        [255, 128, 0],
        [128, 128, 255],
    ];
    let places: Vec<(f64, [i32; 3])> = colours
        .iter()
        .enumerate()
        .map(|(index, colour)| ((index as f64 + 0.5) / colours.len() as f64, *colour))
        .collect();
    for ((x, colour), name) in places.iter().zip(&seen) {
        viewer.recorder.picture(name, |it| it.shows(*x, 0.5, *colour)).await;
    }
    // Who sends a frame a second is there in between.
    let missing = Arc::new(Mutex::new(None));
    let (noted, wanted) = (missing.clone(), places.clone());
    viewer.recorder.set_alarm(move |it| {
        let gone = wanted.iter().position(|(x, colour)| !it.shows(*x, 0.5, *colour));
        let is_gone = gone.is_some();
        noted.lock().get_or_insert((gone, gone.map(|index| it.colour(wanted[index].0, 0.5))));
        is_gone
    });
    for hertz in [400.0, 700.0, 1100.0, 1300.0, 1700.0] {
        sounds(&viewer.recorder, hertz, 0.05).await;
    }
    // Of the one with pauses, two seconds hold 0.8 s.
    let with_pauses = amplitude(&viewer.recorder.fresh_samples(2 * RATE).await, 900.0);
    assert!(with_pauses > 0.02, "the tone with pauses: {with_pauses}");
    assert!(!viewer.recorder.rang(), "gone for a moment: {:?} of {seen:?}", missing.lock());
    for (name, has_video, has_audio) in [("silent", true, false), ("voice", false, true), ("pauses", true, true)] {
        let one = server.participant(name).await.unwrap();
        assert_eq!((&one["video"], &one["audio"]), (&json!(has_video), &json!(has_audio)), "{one}");
        assert_eq!((&one["state"], &one["problem"]), (&json!("connected"), &Value::Null), "{one}");
    }
    let tiny = server.participant("tiny").await.unwrap();
    assert_eq!(tiny["size"], json!([16, 16]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_picture_is_shown() {
    let (server, _studio) = (Server::start().await, Studio::new());
    let caps = "video/x-raw,format=I420,width=4096,height=2304,framerate=2/1";
    fill(&server, &["large"]).await;
    let mut sender = whip(&server, "large", &Arc::new(Footage::new(vp8(0xff_8000, caps), Some(tone(440))))).await;
    sender.connected().await;
    let viewer = watched(&server).await;
    viewer.recorder.picture("orange", |it| it.shows(0.5, 0.5, [255, 128, 0])).await;
    sounds(&viewer.recorder, 440.0, 0.05).await;
    let large = server.participant("large").await.unwrap();
    assert_eq!((&large["size"], &large["problem"]), (&json!([4096, 2304]), &Value::Null), "{large}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sizes_that_change_all_the_time_are_followed() {
    let (server, _studio) = (Server::start().await, Studio::new());
    let sized =
        |(width, height): (i32, i32)| format!("video/x-raw,format=I420,width={width},height={height},framerate=15/1");
    let named = |caps: &str| format!("capsfilter name=size caps={caps}");
    let first = sized((320, 180));
    let left = Arc::new(Footage::new(vp8(0xff_0000, &named(&first)), None));
    let right = Arc::new(Footage::new(h264(0x00_00ff, &named(&first), "tune=zerolatency"), Some(tone(440))));
    fill(&server, &["left", "right"]).await;
    let mut senders = [whip(&server, "left", &left).await, whip(&server, "right", &right).await];
    for sender in &mut senders {
        sender.connected().await;
    }
    let viewer = watched(&server).await;
    let both = |it: &Picture| it.shows(0.25, 0.5, RED) && it.shows(0.75, 0.5, BLUE);
    viewer.recorder.picture("red beside blue", both).await;
    viewer.recorder.set_alarm(move |it| !both(it));
    let change = |footage: &Footage, size| {
        footage.element("size").set_property("caps", sized(size).parse::<gst::Caps>().unwrap());
    };
    let is_size = async |name: &str, (width, height): (i32, i32)| {
        until("the new size", async || {
            (server.participant(name).await.unwrap()["size"] == json!([width, height])).then_some(())
        })
        .await;
    };
    for size in [(640, 360), (176, 144), (1280, 720), (180, 320), (322, 182)] {
        change(&left, size);
        change(&right, size);
        is_size("left", size).await;
        is_size("right", size).await;
        viewer.recorder.more_pictures(15).await;
    }
    assert!(!viewer.recorder.rang(), "both are seen in every frame: {}", viewer.recorder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loss_and_garbage_do_no_harm_to_others_and_end_with_themselves() {
    let (server, studio) = (Server::start().await, Studio::new());
    fill(&server, &["cam", "other"]).await;
    let cam = Arc::new(Footage::new(blinking(VideoCodec::H264), Some(tone(440))));
    let mut sender = whip(&server, "cam", &cam).await;
    let mut other = whip(&server, "other", &studio.source("green", 1000.0)).await;
    sender.connected().await;
    other.connected().await;
    let viewer = watched(&server).await;
    viewer.recorder.picture("green", |it| it.shows(0.75, 0.5, GREEN)).await;
    moves(&viewer.recorder, 0.25, 3).await;
    viewer.recorder.set_alarm(|it| !it.shows(0.75, 0.5, GREEN));

    let loss = || -> Tamper {
        let mut number = numbers();
        Box::new(move |_| !number().is_multiple_of(10))
    };
    sender.tamper(TrackKind::Video, loss());
    sender.tamper(TrackKind::Audio, loss());
    moves(&viewer.recorder, 0.25, 10).await;
    let heard = viewer.recorder.fresh_samples(2 * RATE).await;
    assert!(amplitude(&heard, 440.0) > 0.1, "{}", amplitude(&heard, 440.0));
    assert!(problem(&server, "cam").await.is_null());

    let garbage = || -> Tamper {
        let mut number = numbers();
        Box::new(move |packet| {
            packet[12..].iter_mut().for_each(|byte| *byte = number() as u8);
            true
        })
    };
    sender.tamper(TrackKind::Video, garbage());
    sender.tamper(TrackKind::Audio, garbage());
    // Longer than what is waited for before a sender's problem is reported.
    viewer.recorder.more_pictures(150).await;
    println!("reported of the garbage: {}", problem(&server, "cam").await);
    // Beside noise at full scale, which the limiter holds down.
    sounds(&viewer.recorder, 1000.0, 0.02).await;

    sender.leave_alone();
    moves(&viewer.recorder, 0.25, 5).await;
    sounds(&viewer.recorder, 440.0, 0.1).await;
    until("no problem", async || problem(&server, "cam").await.is_null().then_some(())).await;
    assert!(!viewer.recorder.rang(), "the other is seen in every frame");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_is_turned_as_its_sender_says() {
    const ID: u8 = 4;
    let (server, _studio) = (Server::start().await, Studio::new());
    fill(&server, &["phone"]).await;
    for codec in [VideoCodec::Vp8, VideoCodec::H264] {
        let half = SMALL.replace("width=320", "width=160");
        // Red on the left and blue on the right.
        let halves = format!("{half} ! videobox right=-160 fill=blue ! {SMALL}");
        let made = if codec == VideoCodec::H264 {
            h264(0xff_0000, &halves, "tune=zerolatency")
        } else {
            vp8(0xff_0000, &halves)
        };
        let phone = Arc::new(Footage::new(made, None));
        let mut sender = whip_of(&server, "phone", &phone, |offer| {
            let video = offer.media.iter_mut().find(|section| section.kind == MediaKind::Video).unwrap();
            video.extensions.push((ID, VIDEO_ORIENTATION.to_owned()));
        })
        .await;
        sender.connected().await;
        let viewer = watched(&server).await;
        let upright = |it: &Picture| it.shows(0.25, 0.5, RED) && it.shows(0.75, 0.5, BLUE);
        viewer.recorder.picture("red on the left while nothing is said", upright).await;
        for (turn, [a, b]) in [
            (1, [(0.5, 0.25), (0.5, 0.75)]),
            (0, [(0.25, 0.5), (0.75, 0.5)]),
            (3, [(0.5, 0.75), (0.5, 0.25)]),
            (2, [(0.75, 0.5), (0.25, 0.5)]),
        ] {
            let says = move |packet: &mut Vec<u8>| {
                packet[0] |= 0x10;
                packet.splice(12..12, [0xbe, 0xde, 0, 1, ID << 4, turn, 0, 0]);
                true
            };
            sender.tamper(TrackKind::Video, Box::new(says));
            let is_turned = |it: &Picture| it.shows(a.0, a.1, RED) && it.shows(b.0, b.1, BLUE);
            viewer.recorder.picture(&format!("red where it is at {turn} quarters"), is_turned).await;
            let size = if turn % 2 == 1 { json!([180, 320]) } else { json!([320, 180]) };
            until("its size", async || (server.participant("phone").await.unwrap()["size"] == size).then_some(()))
                .await;
        }
    }
    assert_eq!(server.get(&format!("/rooms/{ROOM}")).await.expect(200).json()["health"]["rebuilds"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_one_per_cent_fast_is_neither_seen_nor_heard() {
    let (server, _studio) = (Server::start().await, Studio::new());
    let cam = Arc::new(Footage::new(blinking(VideoCodec::Vp8), Some(tone(440))).fast());
    let mut sender = whip(&server, "cam", &cam).await;
    for kind in [TrackKind::Video, TrackKind::Audio] {
        let mut first = None;
        let faster = move |packet: &mut Vec<u8>| {
            let stamp = u32::from_be_bytes(packet[4..8].try_into().unwrap());
            let passed = u64::from(stamp.wrapping_sub(*first.get_or_insert(stamp)));
            let faster = stamp.wrapping_add(u32::try_from(passed / 100).unwrap());
            packet[4..8].copy_from_slice(&faster.to_be_bytes());
            true
        };
        sender.tamper(kind, Box::new(faster));
    }
    sender.connected().await;
    let viewer = watched(&server).await;
    moves(&viewer.recorder, 0.5, 3).await;
    sounds(&viewer.recorder, 440.0, 0.1).await;
    // Longer than what too much may wait before some of it is left out.
    for round in 0..5 {
        let samples = viewer.recorder.fresh_samples(2 * RATE).await;
        // Where some of it is left out the tone goes on in another phase: in the hundredth of a second, or the two, that
        // hold both, they may cancel each other. Nothing is missing there.
        let loud: Vec<f64> = samples.chunks(RATE / 100).map(|part| amplitude(part, 440.0)).collect();
        let silent = loud.windows(3).position(|parts| parts.iter().all(|loud| *loud < 0.1));
        assert_eq!(silent, None, "no gap in round {round}: {loud:.2?}");
    }
    moves(&viewer.recorder, 0.5, 5).await;
}
