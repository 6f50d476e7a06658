//! A room whose media breaks while people see and hear each other: a thread that panics, one that hangs, an encoder
//! that takes pictures and gives nothing.
//!
//! The server is the one that users have. The system beneath it fails: a library that is loaded before all others makes
//! a thread's sleep an error, which Rust's own library panics at, or one without end; and an operator's launch text
//! writes what the encoder gives into a pipe that nobody empties.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use super::{
    is_seen_and_heard, meet,
    recorder::{BLUE, RED},
    server::{PROGRAM, Server, arguments, library, until},
    show_ann,
    studio::Studio,
};

/// From a fault to somebody who sees the room again: it is noticed after two seconds, and a fourth one in a row waits
/// four before anything is built, to which people come a moment later.
const LIMIT: Duration = Duration::from_secs(15);

/// Does to the sleep of a thread, once, what a file says: `panic NAME` or `hang NAME`.
const BREAK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
static int fails(void) {
    char own[17] = "", kind[8] = "", thread[16] = "";
    const char *name = getenv("BREAK");
    prctl(PR_GET_NAME, own);
    if (!name || (strncmp(own, "mix-", 4) && strncmp(own, "sound-", 6))) return 0;
    FILE *file = fopen(name, "r");
    if (!file) return 0;
    int read = fscanf(file, "%7s %15s", kind, thread);
    fclose(file);
    if (read != 2 || strcmp(own, thread) || unlink(name)) return 0;
    while (!strcmp(kind, "hang")) pause();
    return 1;
}
int nanosleep(const struct timespec *wanted, struct timespec *left) {
    static int (*real)(const struct timespec *, struct timespec *);
    if (fails()) { errno = EINVAL; return -1; }
    if (!real) real = (int (*)(const struct timespec *, struct timespec *))dlsym(RTLD_NEXT, "nanosleep");
    return real(wanted, left);
}
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *left) {
    static int (*real)(clockid_t, int, const struct timespec *, struct timespec *);
    if (fails()) return EINVAL;
    if (!real)
        real = (int (*)(clockid_t, int, const struct timespec *, struct timespec *))dlsym(RTLD_NEXT, "clock_nanosleep");
    return real(clock, flags, wanted, left);
}
"#;

/// Returns a number of the metrics.
async fn metric(server: &Server, name: &str) -> u64 {
    let metrics = server.get("/metrics").await.expect(200).text();
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
    line.map_or(0, |number| number.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_whose_picture_or_sound_breaks_is_there_again_within_seconds() {
    let (data, tools, studio) = (TempDir::new().unwrap(), TempDir::new().unwrap(), Studio::new());
    let [wish, written] = ["break", "new"].map(|name| tools.path().join(name));
    let Some(library) = library(tools.path(), BREAK).await else { return };
    let mut command = Command::new(PROGRAM);
    command.args(arguments(data.path())).env("LD_PRELOAD", &library).env("BREAK", &wish);
    let mut server = Server::run(command).await.expect("the server starts");
    server.send("PUT", "/rooms/demo", &json!({"max_participants": 5})).await.expect(201);
    server.send("PUT", "/rooms/demo/scenes/Intro", &json!({"layers": []})).await.expect(201);
    show_ann(&server).await;
    let before = server.get("/rooms/demo").await.json();
    let tone = studio.source("red", 440.0);
    // Both come again by themselves, as pages do.
    let (_ann, bob) = meet(&server, &tone).await;
    let faults = [
        ("panic mix-demo", "composes the picture has ended"),
        ("hang mix-demo", "no frame"),
        ("panic sound-demo", "mixes the sound has ended"),
        ("hang sound-demo", "no sound"),
    ];
    for (count, (fault, because)) in (1u64..).zip(faults) {
        fs::write(&written, fault).unwrap();
        let begun = Instant::now();
        fs::rename(&written, &wish).unwrap();
        let told = until("the fault is noticed", async || {
            let ready = server.get("/readyz").await;
            (ready.json()["rooms"]["rebuilds"] == count).then_some(ready)
        })
        .await;
        assert!(told.status == 503 || told.json()["rooms"]["down"] == 0, "{}", told.text());
        until("the room is there again", async || (server.get("/readyz").await.status == 200).then_some(())).await;
        // The pixels of the layout that was put, and the tone that is sent.
        bob.recorder.more_pictures(5).await;
        bob.recorder.picture("red", |it| it.shows(0.5, 0.5, RED)).await;
        let took = begun.elapsed();
        assert!(took < LIMIT, "{fault}: {took:?}");
        eprintln!("{fault}: seen again after {took:?}");
        is_seen_and_heard(&bob).await;
        let room = server.get("/rooms/demo").await.json();
        assert_eq!(room["health"]["rebuilds"], count);
        assert!(room["health"]["rebuilt_because"].as_str().unwrap().contains(because), "{}", room["health"]);
        for key in ["settings", "canvas", "layout", "scenes"] {
            assert_eq!(room[key], before[key], "{fault}: {key}");
        }
        assert_eq!(metric(&server, "virfie_room_rebuilds_total{part=\"media\"}").await, count);
        assert_eq!(metric(&server, "virfie_rooms_down").await, 0);
    }
    // Threads that hang for ever do not keep the program.
    server.signal(Signal::TERM);
    assert_eq!(server.ended().await.code(), Some(0));
}

/// A pipe with a name, and the one who empties it.
struct Drain {
    empties: Arc<AtomicBool>,
}

impl Drain {
    fn new(pipe: &Path) -> Self {
        let empties = Arc::new(AtomicBool::new(true));
        let mut end = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(pipe).unwrap();
        let orders = Arc::downgrade(&empties);
        thread::spawn(move || {
            let mut bytes = vec![0; 65_536];
            // Until the test is over.
            while let Some(empties) = orders.upgrade() {
                if empties.load(Ordering::Relaxed) {
                    // Nothing there, or nobody who writes.
                    let _ = end.read(&mut bytes);
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self { empties }
    }

    /// Fills the pipe from now on.
    fn stop_up(&self, pipe: &Path) {
        self.empties.store(false, Ordering::Relaxed);
        let mut end: File = OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(pipe).unwrap();
        loop {
            match end.write(&[0; 512]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn open(&self) {
        self.empties.store(true, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encoder_that_hangs_is_replaced_and_the_picture_goes_on() {
    let (data, tools, studio) = (TempDir::new().unwrap(), TempDir::new().unwrap(), Studio::new());
    let pipe = tools.path().join("pipe");
    if !Command::new("mkfifo").arg(&pipe).status().await.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: there is no mkfifo");
        return;
    }
    let drain = Drain::new(&pipe);
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join("encode-h264.launch");
    let text = fs::read_to_string(built_in).unwrap();
    let (encoder, rest) = text.split_once("! appsink name=units").expect("units are taken by an appsink");
    let into_pipe = format!(
        "{encoder}! tee name=both\nboth. ! filesink sync=false async=false buffer-mode=unbuffered location={}\n\
         both. ! appsink name=units{rest}",
        pipe.display()
    );
    fs::write(tools.path().join("encode-h264.launch"), into_pipe).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(arguments(data.path())).arg("--pipelines").arg(tools.path());
    let mut server = Server::run(command).await.expect("the server starts");
    server.send("PUT", "/rooms/demo", &json!({})).await.expect(201);
    show_ann(&server).await;
    let tone = studio.source("red", 440.0);
    let (_ann, bob) = meet(&server, &tone).await;

    drain.stop_up(&pipe);
    until("the encoder is given up", async || {
        (metric(&server, "virfie_encoder_failures_total").await > 0).then_some(())
    })
    .await;
    // The rest of the room lives: it takes another layout, and is drawn.
    let blue = json!({"canvas": {"background": "#0000ff"}, "auto": {"mode": "off"}});
    server.send("PUT", "/rooms/demo/layout", &blue).await.expect(200);
    assert!(super::alike(server.colour().await, [0, 0, 255]));
    server.get("/readyz").await.expect(200);
    drain.open();
    // Bob, whose connection has lived all the while, sees what was put meanwhile.
    bob.recorder.picture("blue", |it| it.shows(0.5, 0.5, BLUE)).await;
    let room = server.get("/rooms/demo").await.json();
    assert_eq!(room["health"]["rebuilds"], 0, "the room itself is whole: {}", room["health"]);
    server.signal(Signal::TERM);
    assert_eq!(server.ended().await.code(), Some(0));
}
