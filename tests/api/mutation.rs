//! A thousand broken inputs from a fixed seed. The server never fails (5xx), never hangs, and what is refused changes
//! nothing.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Value, json};

use super::{
    page::{ANSWER, CANDIDATE, Page},
    server::{Answer, Server, answer},
    whip::{FRAGMENT, SDP, WHEP_OFFER, WHIP_OFFER},
};

/// Any failure repeats itself with the same seed.
const SEED: u64 = 20_261_123;

/// Pieces that tend to break parsers.
const PIECES: [&str; 24] = [
    "",
    " ",
    "\0",
    "\r\n",
    "\n\n",
    "\u{202E}",
    "\u{1F600}",
    "%",
    "%n",
    "..",
    "/",
    "~1",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    "-1",
    "1e999",
    "99999999999999999999",
    "null",
    "a=",
    "m=video 0 X 0",
];

struct Mutator(StdRng);

impl Mutator {
    /// Returns one to four changes at random places of a text.
    fn text(&mut self, text: &str) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..self.0.random_range(1..=4) {
            let at = self.0.random_range(0..=chars.len());
            let end = (at + self.0.random_range(0..=40)).min(chars.len());
            match self.0.random_range(0..6) {
                0 => drop(chars.drain(at..end)),
                1 => {
                    let piece: &str = PIECES.choose(&mut self.0).unwrap();
                    drop(chars.splice(at..at, piece.chars()));
                }
                2 => {
                    let copy: Vec<char> = chars[at..end].to_vec();
                    let times = self.0.random_range(1..=20);
                    drop(chars.splice(at..at, copy.iter().copied().cycle().take(copy.len() * times)));
                }
                3 if at < chars.len() => chars[at] = char::from(self.0.random_range(0..=127u8)),
                4 => chars.truncate(at),
                _ => {
                    let mut lines: Vec<String> =
                        chars.iter().collect::<String>().split('\n').map(str::to_owned).collect();
                    let (a, b) = (self.0.random_range(0..lines.len()), self.0.random_range(0..lines.len()));
                    lines.swap(a, b);
                    chars = lines.join("\n").chars().collect();
                }
            }
        }
        chars.into_iter().collect()
    }

    /// Returns something where a JSON value should be.
    fn odd_value(&mut self) -> Value {
        match self.0.random_range(0..14) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(-1),
            3 => json!(0),
            4 => json!(1e300),
            5 => json!(u64::MAX),
            6 => json!(0.000_000_1),
            7 => json!([]),
            8 => json!({}),
            9 => json!("100000%"),
            10 => json!("-0%"),
            11 => json!("x".repeat(5000)),
            12 => json!(["a", {"b": null}]),
            _ => json!(*PIECES.choose(&mut self.0).unwrap()),
        }
    }

    /// Changes one place of a JSON value.
    fn json(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) if !members.is_empty() && self.0.random_bool(0.85) => {
                let keys: Vec<String> = members.keys().cloned().collect();
                let key = keys.choose(&mut self.0).unwrap();
                match self.0.random_range(0..8) {
                    0 => drop(members.remove(key)),
                    1 => {
                        let odd = self.odd_value();
                        members.insert(format!("{key}x"), odd);
                    }
                    _ => self.json(members.get_mut(key).unwrap()),
                }
            }
            Value::Array(items) if !items.is_empty() && self.0.random_bool(0.85) => {
                let at = self.0.random_range(0..items.len());
                match self.0.random_range(0..6) {
                    0 => drop(items.remove(at)),
                    1 => {
                        let copy = items[at].clone();
                        let times = self.0.random_range(1..=100);
                        items.extend(std::iter::repeat_n(copy, times));
                    }
                    _ => self.json(&mut items[at]),
                }
            }
            other => *other = self.odd_value(),
        }
    }
}

fn good_layout() -> Value {
    json!({
        "canvas": {"width": 640, "height": 360, "fps": 30, "background": "#111111"},
        "layers": [
            {"id": "back", "source": {"color": "#203040"}, "z": 0},
            {"id": "ann", "source": {"participant": "ann"}, "x": "-10%", "y": "20%", "width": "60%", "cutout": "person",
             "mirror": true, "z": 10},
            {"id": "guest", "source": {"slot": 2}, "x": 64, "y": 18, "width": 48, "height": 36, "fit": "cover",
             "opacity": 0.9, "crop": {"left": "10%"}, "z": 11}
        ],
        "auto": {"mode": "grid", "gap": "1%", "cutout": "none"}
    })
}

/// Returns what must not change by anything that is refused. Numbers that grow by themselves are left out.
async fn state(server: &Server) -> Value {
    let mut state = server.get("/rooms/demo").await.json();
    state["health"] = Value::Null;
    state
}

fn check(what: &str, answer: &Answer) {
    assert!(!answer.status.is_server_error(), "seed {SEED}: {what}: {answer:?}");
    if answer.status.is_client_error() {
        answer.problem(answer.status.as_u16());
    }
}

async fn demo() -> (Server, Mutator) {
    let server = Server::start_with(|config| config.hold_ms = 0).await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    server.send("PUT", "/rooms/demo/layout", &good_layout()).await;
    (server, Mutator(StdRng::seed_from_u64(SEED)))
}

#[tokio::test]
async fn layouts() {
    let (server, mut mutator) = demo().await;
    let mut before = state(&server).await;
    let (mut taken, mut refused) = (0, 0);
    for n in 0..500 {
        let mut body = good_layout();
        for _ in 0..mutator.0.random_range(1..=3) {
            mutator.json(&mut body);
        }
        let (method, path) = match n % 4 {
            0 => ("PATCH", "/rooms/demo/layout"),
            1 => {
                body = body.pointer("/layers/1").cloned().unwrap_or(Value::Null);
                ("PATCH", "/rooms/demo/layout/layers/ann")
            }
            _ => ("PUT", "/rooms/demo/layout"),
        };
        let answer = server.send(method, path, &body).await;
        check(&body.to_string(), &answer);
        let after = state(&server).await;
        if answer.status.is_success() {
            taken += 1;
            // What was taken reads back to itself.
            let layout = server.get("/rooms/demo/layout").await.json();
            assert_eq!(server.send("PUT", "/rooms/demo/layout?dry_run=true", &layout).await.json(), layout, "{body}");
            server.send("PUT", "/rooms/demo/layout", &good_layout()).await;
            before = state(&server).await;
        } else {
            refused += 1;
            assert_eq!(after, before, "seed {SEED}: {body}");
        }
    }
    assert!(taken > 10 && refused > 100, "both happen: {taken} taken, {refused} refused");
}

#[tokio::test]
async fn bodies() {
    let (server, mut mutator) = demo().await;
    let (page, welcome) = Page::join(&server, "demo", "ann").await;
    let participant = format!("/rooms/demo/participants/{}", welcome["participant"]["id"].as_str().unwrap());
    let settings = json!({
        "canvas": {"width": 640}, "max_participants": 5, "hold_ms": 0, "keypoints": false, "guests_land": "on_air",
        "locked": false
    })
    .to_string();
    let moderation = json!({"muted": false, "volume": 1.0, "hidden": false, "stage": "on_air"}).to_string();
    let output = json!({"type": "rtmp", "url": "rtmp://live.example:1935/app/key"}).to_string();
    let layout = good_layout().to_string();
    let targets = [
        ("PUT", "/rooms/demo", &settings),
        ("PATCH", participant.as_str(), &moderation),
        ("POST", "/rooms/demo/outputs", &output),
        ("PUT", "/rooms/demo/layout", &layout),
    ];
    for n in 0..300 {
        let (method, path, good) = targets[n % targets.len()];
        let body = mutator.text(good);
        let before = state(&server).await;
        let request = server.request(method, path).header("content-type", "application/json").body(body.clone());
        let answer = answer(request).await;
        check(&body, &answer);
        if !answer.status.is_success() {
            assert_eq!(state(&server).await, before, "seed {SEED}: {method} {path} {body:?}");
        }
    }
    page.vanish();
}

#[tokio::test]
async fn offers_and_fragments() {
    let (server, mut mutator) = demo().await;
    let posted = server.post("/whep/demo", SDP, WHEP_OFFER).await;
    let session = posted.header("location").to_owned();
    let fragment = format!("a=ice-ufrag:6f0a93d4\r\na=mid:0\r\na={CANDIDATE}\r\na=end-of-candidates\r\n");
    for n in 0..400 {
        let before = state(&server).await;
        let (what, answer) = match n % 3 {
            0 => {
                let offer = mutator.text(WHIP_OFFER);
                let answer = server.post("/whip/demo?name=cam", SDP, &offer).await;
                (offer, answer)
            }
            1 => {
                let offer = mutator.text(WHEP_OFFER);
                let answer = server.post("/whep/demo", SDP, &offer).await;
                (offer, answer)
            }
            _ => {
                let body = mutator.text(&fragment);
                let request = server.request_at_top("PATCH", &session).header("content-type", FRAGMENT);
                (body.clone(), answer(request.body(body)).await)
            }
        };
        check(&what, &answer);
        if answer.status == 201 {
            let made = answer.header("location").to_owned();
            let ended = super::server::answer(server.request_at_top("DELETE", &made)).await;
            assert_eq!(ended.status, 200);
        }
        assert_eq!(state(&server).await, before, "seed {SEED}: {what:?}");
    }
}

#[tokio::test]
async fn session_messages() {
    let (server, mut mutator) = demo().await;
    let before = state(&server).await;
    let join = json!({"type": "join", "name": "ann", "resume": null, "receive": ["h264"], "send": ["vp8"]}).to_string();
    for n in 0..200 {
        let mut page = Page::open(&server, "demo").await;
        if n % 4 == 0 {
            page.say_text(mutator.text(&join)).await;
        } else {
            page.say_text(join.clone()).await;
            let message = match n % 4 {
                1 => json!({"type": "answer", "sdp": mutator.text(ANSWER)}).to_string(),
                2 => json!({"type": "candidate", "candidate": mutator.text(CANDIDATE), "mline": 0}).to_string(),
                _ => mutator.text(&json!({"type": "media", "audio": true, "video": false}).to_string()),
            };
            page.say_text(message).await;
        }
        page.say(json!({"type": "leave"})).await;
        let closed = page.closed().await;
        assert!([1000, 4001, 4003].contains(&closed.code), "seed {SEED} at {n}: {closed:?}");
        if closed.code == 4001 {
            assert!(closed.problem.is_some(), "seed {SEED} at {n}");
        }
    }
    // The last one's place is dropped by the room in its own time.
    let room = server.state.registry.list().remove(0);
    let (_, mut feed) = room.listen().await.unwrap();
    while !room.participants().await.unwrap().is_empty() {
        feed.next().await;
    }
    assert_eq!(state(&server).await, before);
}
