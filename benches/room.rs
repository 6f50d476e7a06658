//! A whole room: a real server and real bots on this machine, and where the server's time goes.
//!
//! `cargo bench --bench room -- [--seconds 30] [--bots 4] [--size 640x480] [--model embedded|FILE|none] [--video FILE]
//! [--fps 30]`
//!
//! Prints one line a metric. The bots are one process that encodes once for all of them, so that the server has the
//! machine nearly to itself; their share is printed too, because on a small machine it counts.

use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Threads by the beginning of their names, and what they do. GStreamer names a thread after the pad that it drives.
const WORK: &[(&str, &str)] = &[
    ("newest", "segment"),
    ("mix-", "compose"),
    ("frames", "encode"),
    ("rtpjitterbuffer", "decode"),
    ("sound-", "sound"),
    ("nicesrc", "network"),
    ("ice", "network"),
    ("units", "network"),
    ("funnel", "network"),
    ("queue", "network"),
    ("srtp", "network"),
    ("rtpsession", "network"),
    ("webrtc", "network"),
    ("dtls", "network"),
    ("tokio", "control"),
    ("room-", "control"),
    ("virfie", "control"),
];

fn main() {
    let options: Vec<String> = std::env::args().skip(1).filter(|option| option != "--bench").collect();
    if options.iter().any(|option| option == "--test" || option == "--list") {
        return;
    }
    let option = |name: &str, default: &str| {
        let at = options.iter().position(|option| option == name);
        at.and_then(|at| options.get(at + 1)).cloned().unwrap_or_else(|| default.to_owned())
    };
    let seconds: u64 = option("--seconds", "30").parse().expect("--seconds is a number");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let model = option("--model", "embedded");
    let video = PathBuf::from(option("--video", &data.join("video/asl_man_grey_tshirt.mp4").to_string_lossy()));
    let folder = std::env::temp_dir().join(format!("virfie-bench-{}", std::process::id()));
    let port = free_port();

    let mut serve = Command::new(env!("CARGO_BIN_EXE_virfie"));
    serve.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"]).arg(&folder).args([
        "--log-level",
        "warn",
        "--model",
        &model,
    ]);
    let server = Running(serve.stdout(Stdio::null()).spawn().expect("the server's binary was just built"));
    wait_for(port);
    let mut bot = Command::new(env!("CARGO_BIN_EXE_virfie"));
    let bots = option("--bots", "4");
    bot.args(["bot", "--server", &format!("http://127.0.0.1:{port}"), "--room", "bench", "--name", "bot"]).args([
        "--count",
        &bots,
        "--size",
        &option("--size", "640x480"),
        "--fps",
        &option("--fps", "30"),
    ]);
    if video.exists() {
        bot.arg("--video").arg(&video);
    }
    let bot = Running(bot.stdout(Stdio::null()).spawn().expect("the binary was just built"));
    // Joins, first keyframes, codec ramps: not part of the steady state.
    std::thread::sleep(Duration::from_secs(8));

    let (before, bot_before, health_before) = (threads(server.0.id()), total(bot.0.id()), health(port));
    let begun = Instant::now();
    let mut memory = Vec::new();
    let mut masks = Vec::new();
    while begun.elapsed() < Duration::from_secs(seconds) {
        std::thread::sleep(Duration::from_secs(1));
        memory.push(rss_mib(server.0.id()));
        masks.push(health(port).get("masks_per_second").copied().unwrap_or(0.0));
    }
    let passed = begun.elapsed().as_secs_f64();
    let (after, bot_after, health_after) = (threads(server.0.id()), total(bot.0.id()), health(port));
    let grown = |key: &str| health_after.get(key).unwrap_or(&0.0) - health_before.get(key).unwrap_or(&0.0);

    let mut split: BTreeMap<&str, f64> = BTreeMap::new();
    let mut others: Vec<(f64, String)> = Vec::new();
    for (id, (name, ticks)) in &after {
        let used = (ticks - before.get(id).map_or(0.0, |(_, ticks)| *ticks)) / passed;
        match WORK.iter().find(|(prefix, _)| name.starts_with(prefix)) {
            Some((_, work)) => *split.entry(work).or_default() += used,
            None => {
                *split.entry("other").or_default() += used;
                others.push((used, name.clone()));
            }
        }
    }
    others.sort_by(|a, b| b.0.total_cmp(&a.0));
    let cores: f64 = split.values().sum();
    println!("room: {bots} bots, {seconds} s");
    println!("room: server {cores:.2} cores, bots {:.2} cores", (bot_after - bot_before) / passed);
    for (work, used) in &split {
        println!("room:   {work:<8} {used:.3} cores");
    }
    for (used, name) in others.iter().take(4).filter(|(used, _)| *used > 0.01) {
        println!("room:     other: {name} {used:.3}");
    }
    println!(
        "room: output {:.2} fps, late {}, missed {}",
        grown("frames") / passed,
        grown("late_frames"),
        grown("missed_frames")
    );
    let mean = masks.iter().sum::<f64>() / masks.len().max(1) as f64;
    println!("room: {mean:.1} masks a second, {:.2} ms each", health_after.get("mask_ms").unwrap_or(&0.0));
    println!("room: compose {:.2} ms a frame", health_after.get("compose_ms").unwrap_or(&0.0));
    println!(
        "room: memory {} MiB at first, {} MiB at last, {} threads",
        memory.first().unwrap_or(&0),
        memory.last().unwrap_or(&0),
        after.len()
    );
    drop(bot);
    drop(server);
    // What is left of it hurts nobody.
    let _ = fs::remove_dir_all(folder);
}

/// A child that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may be over already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}

fn wait_for(port: u16) {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the server does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Returns CPU seconds of every thread, by id, with its name.
fn threads(pid: u32) -> BTreeMap<u32, (String, f64)> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return BTreeMap::new() };
    tasks
        .filter_map(|task| {
            let path = task.ok()?.path();
            let id = path.file_name()?.to_str()?.parse().ok()?;
            let name = fs::read_to_string(path.join("comm")).ok()?.trim().to_owned();
            Some((id, (name, cpu_seconds(&fs::read_to_string(path.join("stat")).ok()?)?)))
        })
        .collect()
}

fn total(pid: u32) -> f64 {
    fs::read_to_string(format!("/proc/{pid}/stat")).ok().and_then(|stat| cpu_seconds(&stat)).unwrap_or(0.0)
}

/// Returns `utime + stime`, fields 14 and 15; the name in field 2 may hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    // Linux has had 100 ticks a second on every machine that this runs on.
    Some(ticks / 100.0)
}

fn rss_mib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Returns the numbers of the room's state, by their last name.
fn health(port: u16) -> BTreeMap<String, f64> {
    let body = ureq::get(format!("http://127.0.0.1:{port}/api/v1/rooms/bench"))
        .call()
        .ok()
        .and_then(|mut answer| {
            let mut text = String::new();
            answer.body_mut().as_reader().read_to_string(&mut text).ok()?;
            serde_json::from_str::<serde_json::Value>(&text).ok()
        })
        .unwrap_or_default();
    ["health", "segmentation"]
        .iter()
        .filter_map(|part| body.get(part)?.as_object().cloned())
        .flatten()
        .filter_map(|(key, value)| Some((key, value.as_f64()?)))
        .collect()
}
