//! Joining and leaving again and again leaves nothing behind: no thread, no file descriptor, no pipeline, no memory.
//!
//! `VIRFIE_SOAK_JOINS=100` for the whole; 20 joins otherwise. Half of the guests leave, half are killed.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../room/client.rs"]
mod client;
#[path = "../room/guests.rs"]
mod guests;
#[path = "../room/http.rs"]
mod http;
#[path = "../room/recorder.rs"]
mod recorder;
#[path = "../room/server.rs"]
mod server;
#[path = "../room/studio.rs"]
mod studio;

use std::{
    env, fs,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use tokio::time::interval;
use virfie::{bot::source::Source, media::gst::pipeline};

use client::{Client, Manner};
use guests::invitation;
use server::{Server, until};
use studio::Studio;

/// Joins before anything is measured: they fill caches and pools.
const WARM_UP: usize = 5;

/// Guests who join at the same time.
const AT_ONCE: usize = 4;

/// Frames of the mix that a guest waits for.
const FRAMES: u64 = 5;

/// Longest time that what was used may take to be given back: idle threads of GLib's pools live for 15 s.
const SETTLE: Duration = Duration::from_secs(20);

/// Time for which the numbers must stand still to count as settled.
const STILL: Duration = Duration::from_secs(2);

/// Threads, descriptors or pipelines that may be there by chance at the moment of looking.
const SLACK: usize = 2;

/// Most that the memory may grow, in kB: glibc's arenas and caches, not a leak per join.
const MEMORY_KB: u64 = 60 * 1024;

/// The resources that a process uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Used {
    threads: usize,
    descriptors: usize,
    pipelines: usize,
}

impl Used {
    fn now() -> Self {
        let entries = |folder: &str| fs::read_dir(folder).unwrap().count();
        Self {
            threads: entries("/proc/self/task"),
            descriptors: entries("/proc/self/fd"),
            pipelines: pipeline::alive(),
        }
    }

    fn is_within(self, before: Self) -> bool {
        self.threads <= before.threads + SLACK
            && self.descriptors <= before.descriptors + SLACK
            && self.pipelines <= before.pipelines
    }
}

/// Returns resident memory, in kB.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().split(' ').next().unwrap().parse().unwrap()
}

/// Waits until the numbers fit and stand still, or the time is over; the last numbers.
async fn settled(fits: impl Fn(Used) -> bool) -> Used {
    let begun = Instant::now();
    let (mut last, mut since) = (Used::now(), Instant::now());
    let mut looks = interval(Duration::from_millis(200));
    loop {
        looks.tick().await;
        let now = Used::now();
        if now != last {
            (last, since) = (now, Instant::now());
        }
        if (fits(now) && since.elapsed() >= STILL) || begun.elapsed() >= SETTLE {
            return now;
        }
    }
}

/// Some guests join together, see a few frames each, and go: every second one leaves, the others are killed.
async fn wave(server: &Server, source: &Arc<Source>, numbers: std::ops::Range<usize>) {
    let manner = Manner { source: Some(source.clone()), hook: None, tamper: |answer| answer };
    let mut clients: Vec<(usize, Client)> = numbers
        .map(|number| {
            let invitation = invitation(server, &format!("guest-{number}"), Some(source), "h264");
            (number, Client::join(invitation, manner.clone()))
        })
        .collect();
    for (_, client) in &mut clients {
        client.connected().await;
    }
    for (number, client) in clients {
        let frames = || client.tally.frames.load(Ordering::Relaxed);
        until("frames of the mix", async || (frames() >= FRAMES).then_some(())).await;
        if number % 2 == 0 {
            client.leave().await;
        } else {
            drop(client);
        }
    }
    until("an empty room", async || server.participants().await.is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joins_and_leaves_leave_nothing_behind() {
    let joins: usize = env::var("VIRFIE_SOAK_JOINS").map_or(20, |text| text.parse().expect("a number of joins"));
    let (server, studio) = (Server::start_with(|config| config.hold_ms = 200).await, Studio::new());
    let source = studio.source("red", 440.0);

    wave(&server, &source, 0..WARM_UP).await;
    // Whatever lingers of the warm-up: at most what lingers after it, too.
    let before = settled(|_| true).await;
    let memory_before = memory();
    println!("after {WARM_UP} joins: {before:?}, {memory_before} kB");

    let begun = Instant::now();
    for first in (0..joins).step_by(AT_ONCE) {
        wave(&server, &source, first..joins.min(first + AT_ONCE)).await;
        println!(
            "{:>4} joins in {:?}: {:?}, {} kB",
            joins.min(first + AT_ONCE),
            begun.elapsed(),
            Used::now(),
            memory()
        );
    }
    let after = settled(|used| used.is_within(before)).await;
    let grown = memory().saturating_sub(memory_before);
    println!("after {joins} more: {after:?}, {grown} kB more");
    assert!(after.is_within(before), "{before:?} before, {after:?} after {joins} joins");
    assert!(grown < MEMORY_KB, "{grown} kB more after {joins} joins");
}
