//! A thousand broken inputs over the wire, against the real engine: nothing of it ends the process, hangs, or is
//! answered with a server error, and the next one to come is served.

use std::{io::Cursor, time::Duration};

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::time::timeout;
use virfie::bot::session::{News, Session};

use super::{
    guests::{Guest, invitation},
    mutator::{Mutator, SEED},
    posted::SDP,
    recorder::{Attention, RED},
    server::{Answer, PATIENCE, ROOM, Server, answer, until},
    studio::Studio,
};

const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

const WHIP_OFFERS: [&str; 6] = [
    include_str!("../../src/media/sdp/fixtures/obs_whip_offer.sdp"),
    include_str!("../../src/media/sdp/fixtures/chrome_whip_offer.sdp"),
    include_str!("../../src/media/sdp/fixtures/chrome_simulcast_offer.sdp"),
    include_str!("../../src/media/sdp/fixtures/ffmpeg_whip_offer.sdp"),
    include_str!("../../src/media/sdp/fixtures/gstreamer_whip_offer.sdp"),
    include_str!("../../src/media/sdp/fixtures/safari_whip_offer.sdp"),
];

const WHEP_OFFER: &str = include_str!("../../src/media/sdp/fixtures/firefox_whep_offer.sdp");

/// Candidates for the session of [`WHEP_OFFER`], of the networks for documentation.
const CANDIDATES: &str = "a=ice-ufrag:6f0a93d4\r\na=ice-pwd:4c1d8b70f25a936e0e7bb9d6a38f5c21\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
    a=candidate:0 1 UDP 2122252543 192.0.2.44 51555 typ host\r\n\
    a=candidate:1 1 TCP 2105524479 192.0.2.44 9 typ host tcptype active\r\n\
    a=candidate:2 1 UDP 1686052863 203.0.113.9 51555 typ srflx raddr 192.0.2.44 rport 51555\r\n\
    a=end-of-candidates\r\n";

const SESSION_ANSWER: &str = include_str!("../../src/media/sdp/fixtures/chrome_answer.sdp");

/// As many are made at once: each that is accepted is a webrtcbin.
const AT_ONCE: usize = 6;

/// Anything but a failure of the server; 503 is a refusal.
fn check(what: &str, answer: &Answer) {
    let fair = !answer.status.is_server_error() || answer.status == 503;
    assert!(fair, "seed {SEED:#x}: {} {} for {what:?}", answer.status, answer.text());
}

async fn is_alive(server: &Server) {
    answer(server.request_at_top("GET", "/healthz")).await.expect(200);
}

/// Posts all these offers, deletes what was accepted, and returns how many that were.
async fn post_offers(server: &Server, path: &str, offers: Vec<String>) -> usize {
    let posts = stream::iter(offers.into_iter().enumerate()).map(|(number, offer)| async move {
        let posted = server.send_text("POST", &path.replace("{n}", &number.to_string()), SDP, offer.clone()).await;
        check(&offer, &posted);
        if posted.status != 201 {
            return 0;
        }
        let deleted = answer(server.request_at_top("DELETE", posted.header("location"))).await;
        assert!([200, 404].contains(&deleted.status.as_u16()), "{}", deleted.status);
        1
    });
    posts.buffer_unordered(AT_ONCE).fold(0, |sum, accepted| async move { sum + accepted }).await
}

async fn offers(server: &Server) {
    let mut mutator = Mutator::new(1);
    let whip: Vec<String> = (0..160)
        .map(|_| {
            let offer = *mutator.pick(&WHIP_OFFERS);
            mutator.text(offer)
        })
        .collect();
    let whep: Vec<String> = (0..140).map(|_| mutator.text(WHEP_OFFER)).collect();
    let senders = post_offers(server, &format!("/whip/{ROOM}?name=m{{n}}"), whip).await;
    is_alive(server).await;
    let viewers = post_offers(server, &format!("/whep/{ROOM}"), whep).await;
    is_alive(server).await;
    println!("accepted: {senders} of 160 senders, {viewers} of 140 viewers");
    assert!(senders > 5 && viewers > 5, "some broken offers are still offers");
}

async fn fragments(server: &Server) {
    let mut mutator = Mutator::new(2);
    let mut taken = 0;
    for _ in 0..5 {
        let posted = server.send_text("POST", &format!("/whep/{ROOM}"), SDP, WHEP_OFFER).await.expect(201);
        let session = posted.header("location");
        for _ in 0..30 {
            let body = mutator.text(CANDIDATES);
            let request = server.request_at_top("PATCH", session).header("content-type", FRAGMENT);
            let patched = answer(request.body(body.clone())).await;
            check(&body, &patched);
            taken += usize::from(patched.status == 204);
        }
        let deleted = answer(server.request_at_top("DELETE", session)).await;
        assert!([200, 404].contains(&deleted.status.as_u16()), "{}", deleted.status);
    }
    println!("taken: {taken} of 150 fragments");
    is_alive(server).await;
}

/// Joins as a page does, and answers the room's offer with something broken.
async fn answer_session(server: &Server, name: String, broken: String) {
    let mut session = Session::join(&invitation(server, &name, None, "h264")).await.unwrap();
    let offered = async {
        loop {
            match session.next().await {
                News::Offer(_) => return,
                News::Over(reason, _) => panic!("{name} is not let in: {reason}"),
                _ => {}
            }
        }
    };
    timeout(PATIENCE, offered).await.expect("the room offers");
    session.send(json!({"type": "answer", "sdp": broken})).await.unwrap();
    // Most are refused at once; those that are not will never connect, and are not waited for.
    let refused = async { while !matches!(session.next().await, News::Over(..)) {} };
    if timeout(Duration::from_millis(300), refused).await.is_err() {
        session.leave().await;
    }
}

async fn answers(server: &Server) {
    let mut mutator = Mutator::new(3);
    let broken: Vec<(usize, String)> = (0..60).map(|number| (number, mutator.text(SESSION_ANSWER))).collect();
    stream::iter(broken)
        .for_each_concurrent(AT_ONCE, |(number, text)| answer_session(server, format!("a{number}"), text))
        .await;
    is_alive(server).await;
}

fn good_layout() -> Value {
    json!({
        "canvas": {"width": 640, "height": 360, "fps": 30, "background": "#111111"},
        "layers": [
            {"id": "wall", "source": {"color": "#203040"}, "x": 10, "y": "5%", "width": "50%", "height": 100, "z": -1},
            {"id": "ann", "source": {"participant": "ann"}, "x": "-10%", "y": "20%", "width": "60%",
             "cutout": "person", "mirror": true, "crop": {"left": "10%", "bottom": 4}, "opacity": 0.5, "z": 10},
            {"id": "two", "source": {"slot": 2}, "scale": "30%", "anchor": "bottom-right", "fit": "contain"}
        ],
        "auto": {"mode": "grid", "gap": "1%", "cutout": "none"}
    })
}

async fn layouts(server: &Server) {
    let mut mutator = Mutator::new(4);
    let good = good_layout();
    server.put_layout(&good).await;
    let mut taken = 0;
    for number in 0..290 {
        let mut body = good.clone();
        for _ in 0..=number % 3 {
            mutator.json(&mut body);
        }
        let mut what = body.to_string();
        let path = format!("/rooms/{ROOM}/layout");
        let changed = match number % 5 {
            0 => {
                let layer = body.pointer("/layers/1").cloned().unwrap_or(Value::Null);
                server.send("PATCH", &format!("{path}/layers/ann"), &layer).await
            }
            1 => server.send("PATCH", &path, &body).await,
            2 => {
                what = mutator.text(&serde_json::to_string_pretty(&good).unwrap());
                server.send_text("PUT", &path, "application/json", what.clone()).await
            }
            _ => server.send("PUT", &path, &body).await,
        };
        check(&what, &changed);
        if changed.status.is_success() {
            taken += 1;
            server.put_layout(&good).await;
        }
    }
    println!("taken: {taken} of 290 layouts");
    is_alive(server).await;
}

async fn bodies(server: &Server) {
    let mut mutator = Mutator::new(5);
    let ann = server.participant("ann").await.expect("the guest is in the room");
    let of_ann = format!("/rooms/{ROOM}/participants/{}", ann["id"].as_str().unwrap());
    let (of_room, of_outputs) = (format!("/rooms/{ROOM}"), format!("/rooms/{ROOM}/outputs"));
    let targets = [
        ("PUT", of_room.as_str(), json!({"max_participants": 16, "hold_ms": 1000})),
        ("PATCH", of_ann.as_str(), json!({"muted": false, "volume": 1.0, "hidden": false})),
        ("POST", "/tokens", json!({"room": ROOM, "role": "viewer", "name": "x", "ttl_seconds": 60})),
        // Port 9 discards, and hardly any machine has it open.
        ("POST", of_outputs.as_str(), json!({"type": "rtmp", "url": "rtmp://127.0.0.1:9/live/key"})),
    ];
    for number in 0..150 {
        let (method, path, good) = &targets[number % targets.len()];
        let mut body = good.clone();
        // An address is never changed a little: it would be another machine's.
        let text = if number % 3 == 0 && *path != of_outputs {
            mutator.text(&serde_json::to_string_pretty(good).unwrap())
        } else {
            mutator.json(&mut body);
            body.to_string()
        };
        let answered = server.send_text(method, path, "application/json", text.clone()).await;
        check(&text, &answered);
        if answered.status.is_success() && (*method, *path) != ("POST", "/tokens") {
            if *method == "POST" {
                server.delete(&format!("{of_outputs}/{}", answered.json()["id"].as_str().unwrap())).await.expect(204);
            } else {
                server.send(method, path, good).await.expect(200);
            }
        }
    }

    let mut png = Cursor::new(Vec::new());
    image::RgbImage::from_fn(64, 36, |x, y| image::Rgb([x as u8, y as u8, 90]))
        .write_to(&mut png, image::ImageFormat::Png)
        .unwrap();
    for number in 0..50 {
        let broken = mutator.bytes(png.get_ref());
        let put = server.send_text("PUT", &format!("/assets/m{number}.png"), "image/png", broken).await;
        check(&format!("broken picture {number}"), &put);
    }
    is_alive(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_broken_inputs_do_no_harm() {
    // One who is refused keeps their place for `hold_ms`, and they come faster than that.
    let (server, studio) = (Server::start_with(|config| config.max_participants = 200).await, Studio::new());
    let source = studio.source("red", 440.0);
    let ann = Guest::join(&server, "ann", Some(&source), Attention::Picture).await;
    ann.recorder.picture("red", |it| it.shows(0.5, 0.5, RED)).await;
    let begun = std::time::Instant::now();
    offers(&server).await;
    println!("300 offers: {:?}", begun.elapsed());
    fragments(&server).await;
    answers(&server).await;
    println!("and 150 fragments, 60 answers: {:?}", begun.elapsed());
    layouts(&server).await;
    bodies(&server).await;
    println!("and 290 layouts, 200 bodies: {:?}", begun.elapsed());

    // Those who were there are still there, and those who come now are served.
    server.put_layout(&json!({"canvas": {"width": 640, "height": 360, "fps": 30, "background": "#111111"}})).await;
    server.moderate("ann", &json!({"muted": false, "volume": 1.0, "hidden": false})).await;
    until("the broken ones are gone", async || (server.participants().await.len() == 1).then_some(())).await;
    ann.recorder.more_pictures(30).await;
    ann.recorder.picture("red as before", |it| it.shows(0.1, 0.1, RED) && it.shows(0.9, 0.9, RED)).await;
    let bob = Guest::join(&server, "bob", None, Attention::Picture).await;
    bob.recorder.picture("the room", |it| it.shows(0.25, 0.5, RED)).await;
}
