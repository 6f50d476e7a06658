//! Outputs whose other end is stopped, or takes half of what is sent: the room goes on, memory has a bound, the state
//! says so, and all is well again by itself. And outputs that are changed while they run.

use std::{
    fs,
    net::TcpListener as Bound,
    path::Path,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    process::{Child, Command},
    time::{interval, sleep},
};

use super::{
    outputs::{add, keyframes, pictures, port, receive, start},
    server::{ROOM, Server, signal},
    studio::Studio,
};
use crate::{guests::Guest, recorder::Attention};

/// A stuck connection is broken after 15 s, and tried again every few seconds.
const LONG: Duration = Duration::from_secs(60);

const MODULE: &str = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

/// Asks until there is something.
async fn within<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    let mut rounds = interval(Duration::from_millis(100));
    loop {
        rounds.tick().await;
        if let Some(found) = ask().await {
            println!("{what}: after {:?}", begun.elapsed());
            return found;
        }
        assert!(begun.elapsed() < LONG, "{what}: not within {LONG:?}");
    }
}

async fn output(server: &Server, id: &str) -> Value {
    server.get(&format!("/rooms/{ROOM}/outputs/{id}")).await.expect(200).json()
}

async fn is(server: &Server, id: &str, state: &str) {
    within(&format!("the output is {state}"), async || (output(server, id).await["state"] == state).then_some(()))
        .await;
}

/// Returns frames that the room has composed, and those that it missed.
async fn frames(server: &Server) -> (u64, u64) {
    let health = server.get(&format!("/rooms/{ROOM}")).await.expect(200).json()["health"].clone();
    (health["frames"].as_u64().unwrap(), health["missed_frames"].as_u64().unwrap())
}

/// Starts an RTMP server in a folder of its own; `None`, said aloud, where it is missing.
fn rtmp_server(folder: &Path, port: u16) -> Option<Child> {
    if !Path::new(MODULE).exists() {
        eprintln!("SKIPPED: nginx has no RTMP module at {MODULE}");
        return None;
    }
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let text = format!(
        "load_module {MODULE};\ndaemon off;\nmaster_process off;\npid {};\nerror_log {} info;\nevents {{}}\n\
         rtmp {{ server {{ listen 127.0.0.1:{port}; application live {{ live on; }} }} }}\n",
        file("nginx.pid"),
        file("error.log")
    );
    fs::write(folder.join("nginx.conf"), text).unwrap();
    let mut command = Command::new("nginx");
    command.args(["-p", folder.to_str().unwrap(), "-e", &file("error.log"), "-c", &file("nginx.conf")]);
    command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().inspect_err(|error| eprintln!("SKIPPED: nginx is not installed: {error}")).ok()
}

/// Opens a line to a port that carries so many bytes a second. Returns its own port.
async fn line(to: u16, rate: Arc<AtomicU64>) -> u16 {
    let socket = TcpSocket::new_v4().unwrap();
    // What waits in the line shall be little.
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(8).unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((from, _)) = listener.accept().await {
            let Ok(to) = TcpStream::connect(("127.0.0.1", to)).await else { continue };
            let (mut from_read, mut from_write) = from.into_split();
            let (mut to_read, mut to_write) = to.into_split();
            let rate = rate.clone();
            tokio::spawn(async move { tokio::io::copy(&mut to_read, &mut from_write).await });
            tokio::spawn(async move {
                let mut part = vec![0; 8 * 1024];
                while let Ok(read @ 1..) = from_read.read(&mut part).await {
                    let rate = rate.load(Ordering::Relaxed);
                    if rate < u64::MAX {
                        sleep(Duration::from_secs_f64(read as f64 / rate as f64)).await;
                    }
                    if to_write.write_all(&part[..read]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_rtmp_server_that_is_slow_or_stopped_disturbs_nobody_and_is_found_again() {
    let (data, nginx, studio) = (TempDir::new().unwrap(), TempDir::new().unwrap(), Studio::new());
    let rtmp = Bound::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let Some(nginx) = rtmp_server(nginx.path(), rtmp) else { return };
    let rate = Arc::new(AtomicU64::new(u64::MAX));
    let line = line(rtmp, rate.clone()).await;
    let server = start(data.path(), "0").await;
    let _guest = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Nothing).await;
    let video = json!({"bitrate": 3000, "preset": "ultrafast"});
    let url = format!("rtmp://127.0.0.1:{line}/live/key");
    let id = add(&server, &json!({"type": "rtmp", "url": url, "video": video})).await;
    is(&server, &id, "live").await;
    let (begun, missed) = frames(&server).await;
    let memory = server.status("VmRSS");

    rate.store(200_000, Ordering::Relaxed);
    within("it takes less than is sent, and says so", async || {
        let output = output(&server, &id).await;
        // Where the system holds much for a connection, its sink gives up before pictures are left out.
        (output["behind"] == true || output["state"] == "retrying").then_some(())
    })
    .await;
    rate.store(u64::MAX, Ordering::Relaxed);
    within("it takes all again", async || {
        let output = output(&server, &id).await;
        (output["state"] == "live" && output["behind"] == false && output["bitrate"].as_u64() > Some(2500))
            .then_some(())
    })
    .await;

    signal(&nginx, Signal::STOP);
    is(&server, &id, "retrying").await;
    let stopped = output(&server, &id).await;
    assert_eq!(stopped["blame"], "destination", "{stopped}");
    let more = server.status("VmRSS").saturating_sub(memory);
    signal(&nginx, Signal::CONT);
    is(&server, &id, "live").await;
    let (ended, missed_now) = frames(&server).await;
    println!("{} frames, {} missed, {more} kB more memory", ended - begun, missed_now - missed);
    assert!(more < 80_000, "{more} kB");
    assert!((missed_now - missed) * 100 < ended - begun, "{} of {}", missed_now - missed, ended - begun);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_srt_receiver_that_is_stopped_disturbs_nobody_and_is_found_again() {
    let (data, studio, srt) = (TempDir::new().unwrap(), Studio::new(), port());
    let Some(mut receiver) = receive(srt, &data.path().join("first.ts")) else { return };
    let server = start(data.path(), "0").await;
    let _guest = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Nothing).await;
    let url = format!("srt://127.0.0.1:{srt}?passphrase={}", super::outputs::PASSPHRASE);
    let id = add(&server, &json!({"type": "srt", "url": url, "video": {"preset": "ultrafast"}})).await;
    is(&server, &id, "live").await;
    let ((begun, missed), memory) = (frames(&server).await, server.status("VmRSS"));
    signal(&receiver, Signal::STOP);
    is(&server, &id, "retrying").await;
    let more = server.status("VmRSS").saturating_sub(memory);
    // This receiver takes one call, and that one is over.
    receiver.kill().await.unwrap();
    let second = data.path().join("second.ts");
    let _receiver = receive(srt, &second);
    is(&server, &id, "live").await;
    let (ended, missed_now) = frames(&server).await;
    println!("{} frames, {} missed, {more} kB more memory", ended - begun, missed_now - missed);
    assert!(more < 80_000, "{more} kB");
    assert!((missed_now - missed) * 100 < ended - begun, "{} of {}", missed_now - missed, ended - begun);
    within("the second receiver gets pictures", async || second.metadata().ok().filter(|file| file.len() > 100_000))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_bit_rate_of_the_sound_leaves_no_picture_out() {
    let (data, studio, srt) = (TempDir::new().unwrap(), Studio::new(), port());
    let file = data.path().join("sent.ts");
    let Some(mut receiver) = receive(srt, &file) else { return };
    let server = start(data.path(), "0").await;
    let _guest = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Nothing).await;
    let url = format!("srt://127.0.0.1:{srt}?passphrase={}", super::outputs::PASSPHRASE);
    // Without B-frames: of those, the receiver's end would cut off some that are shown before what has come.
    let video = json!({"size": "320x180", "fps": 15, "bitrate": 400, "keyframe_seconds": 4, "preset": "ultrafast",
                       "profile": "baseline"});
    let id = add(&server, &json!({"type": "srt", "url": url, "video": video})).await;
    is(&server, &id, "live").await;
    let bytes = |wanted: u64| {
        let file = file.clone();
        async move { within("more has come", async || file.metadata().ok().filter(|file| file.len() > wanted)).await.len() }
    };
    let first = bytes(60_000).await;
    let one = format!("/rooms/{ROOM}/outputs/{id}");
    server.send("PATCH", &one, &json!({"audio": {"bitrate": 64}})).await.expect(200);
    bytes(first + 350_000).await;
    receiver.kill().await.unwrap();
    if keyframes(&file).await.is_none() {
        return;
    }
    let times = pictures(&file).await.unwrap();
    println!("{} pictures in {} s", times.len(), times.last().unwrap() - times[0]);
    for pair in times.windows(2) {
        assert!(pair[1] - pair[0] < 0.2, "{pair:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn destinations_are_tried_and_the_step_that_fails_is_named() {
    let (data, nginx) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = start(data.path(), "0").await;
    server.send("PUT", &format!("/rooms/{ROOM}"), &json!({})).await.expect(201);
    let attempt = async |body: Value| {
        let tried = server.send("POST", &format!("/rooms/{ROOM}/outputs/test"), &body).await.expect(200);
        assert!(!tried.text().contains(super::outputs::PASSPHRASE) && !tried.text().contains("secretkey"));
        let tried = tried.json();
        println!("{tried}");
        assert!(tried["milliseconds"].as_u64() < Some(10_500), "{tried}");
        let steps = tried["steps"].as_array().unwrap().iter().map(|step| step["name"].as_str().unwrap().to_owned());
        (tried["ok"].as_bool().unwrap(), steps.collect::<Vec<_>>().join(" "), tried)
    };
    // The disk.
    let (ok, steps, _) = attempt(json!({"type": "file"})).await;
    assert!(ok && steps == "folder space", "{steps}");
    // Nobody is there; somebody is there and says nothing; somebody speaks something else.
    let nobody = port();
    let to =
        |port: u16, scheme: &str| json!({"type": "rtmp", "url": format!("{scheme}://127.0.0.1:{port}/live/secretkey")});
    let (ok, steps, tried) = attempt(to(nobody, "rtmp")).await;
    assert!(!ok && steps == "lookup" && tried["step"] == "connect", "{tried}");
    let silent = Bound::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().map(|address| (address.port(), silent)).unwrap();
    let (ok, steps, tried) = attempt(to(silent.0, "rtmp")).await;
    assert!(!ok && steps == "lookup connect" && tried["step"] == "handshake", "{tried}");
    assert_eq!(tried["blame"], "destination");
    let http = server.base().rsplit_once(':').unwrap().1.parse().unwrap();
    assert_eq!(attempt(to(http, "rtmp")).await.2["step"], "handshake");
    assert_eq!(attempt(to(http, "rtmps")).await.2["step"], "tls");
    // SRT: with the passphrase and without.
    let srt = port();
    let url =
        |passphrase: &str| json!({"type": "srt", "url": format!("srt://127.0.0.1:{srt}?passphrase={passphrase}")});
    let (ok, steps, tried) = attempt(url(super::outputs::PASSPHRASE)).await;
    assert!(!ok && steps == "lookup" && tried["step"] == "handshake", "{tried}");
    if let Some(mut receiver) = receive(srt, &data.path().join("tried.ts")) {
        within("it takes the right passphrase", async || {
            attempt(url(super::outputs::PASSPHRASE)).await.0.then_some(())
        })
        .await;
        receiver.kill().await.unwrap();
        let _receiver = receive(srt, &data.path().join("again.ts"));
        let tried = attempt(url("another-passphrase")).await;
        assert!(!tried.0 && tried.2["step"] == "handshake", "{tried:?}");
    }
    let rtmp = port();
    if let Some(_nginx) = rtmp_server(nginx.path(), rtmp) {
        within("nginx takes the application", async || {
            let (ok, steps, _) = attempt(to(rtmp, "rtmp")).await;
            (ok && steps == "lookup connect handshake application").then_some(())
        })
        .await;
        let none = json!({"type": "rtmp", "url": format!("rtmp://127.0.0.1:{rtmp}/nowhere/secretkey")});
        let (ok, _, tried) = attempt(none).await;
        assert!(!ok && tried["step"] == "application", "{tried}");
    }
    assert_eq!(server.get(&format!("/rooms/{ROOM}/outputs")).await.json(), json!([]), "nothing is stored");
    assert!(!data.path().join("recordings").join(ROOM).read_dir().is_ok_and(|mut files| files.next().is_some()));
    let faults =
        server.send("POST", &format!("/rooms/{ROOM}/outputs/test"), &json!({"type": "rtmp"})).await.faults(422);
    assert_eq!(faults, ["/url"]);
}
