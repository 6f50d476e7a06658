//! People who are recorded cut out, from frames with masks to a file that ffmpeg decodes.

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    time::{Duration, Instant},
};

use gstreamer_video as gst_video;
use serde_json::Value;
use tempfile::TempDir;
use virfie::{
    layout::Cut,
    media::{
        compose::{clock::CanvasFormat, colour::Matrix},
        gst::{
            clock::{clock_time, media_clock},
            frame::{Shot, VideoFrame},
            launch::Launches,
            segmented::{Found, Shelf, attach},
        },
        iso::{CutoutRecorder, News, Order, Owner, Place, Sidecar},
    },
};

use super::frames::{PATIENCE, flat, turn};

const RGB: [u8; 3] = [200, 120, 40];
const FORMAT: CanvasFormat = CanvasFormat { width: 320, height: 180, fps: 30 };
/// No side is even.
const ODD: CanvasFormat = CanvasFormat { width: 161, height: 91, fps: 30 };
/// Time after the origin at which the first frame is.
const LATE: Duration = Duration::from_millis(3_210);

/// Returns the mask: nothing outside of the middle, all in it, half at its right edge.
fn alpha(format: CanvasFormat, x: usize, y: usize) -> u8 {
    let (width, height) = (format.width as usize, format.height as usize);
    let is_inside = (width / 4..width / 2).contains(&x) && (height / 4..height / 2).contains(&y);
    if x == width / 2 { 128 } else { u8::from(is_inside) * 255 }
}

/// Returns a frame in which such a mask was found for this cut.
fn shot(format: CanvasFormat, at: Duration, cut: Cut) -> Shot {
    let (width, height) = (format.width as usize, format.height as usize);
    let info = gst_video::VideoInfo::from_caps(&format.caps()).unwrap();
    let mut buffer = flat(format, RGB);
    let mut mask = Arc::new(Shelf::default()).plane((width, height));
    for (index, value) in mask.bytes_mut().iter_mut().enumerate() {
        *value = alpha(format, index % width, index / width);
    }
    let other = Cut { threshold: 0.9, ..Cut::default() };
    let none = Arc::new(Shelf::default()).plane((width, height));
    let masks = vec![(other, Arc::new(none)), (cut, Arc::new(mask))];
    {
        let buffer = buffer.get_mut().unwrap();
        buffer.set_pts(clock_time(at));
        attach(buffer, Found { masks, ..Found::default() });
    }
    VideoFrame::from_buffer_readable(buffer, &info).unwrap().into()
}

struct Recording {
    folder: TempDir,
    origin: Duration,
    recorder: CutoutRecorder,
    told: Receiver<News>,
}

impl Recording {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let origin = media_clock().now().saturating_sub(LATE);
        let path = folder.path().to_owned();
        let order = Order {
            place: Place { folder: path.clone(), stem: "show-ann-cutout".to_owned(), origin },
            owner: Owner { participant: "p1".into(), name: "ann".into() },
            sidecar: Arc::new(Sidecar::new("studio".into(), path, "show".to_owned(), jiff::Timestamp::UNIX_EPOCH)),
            check: Arc::new(|| Ok(())),
        };
        let (tell, told) = channel();
        let launches = Launches::load(None).unwrap();
        let recorder = CutoutRecorder::start(order, launches, move |news| tell.send(news).unwrap()).unwrap();
        Self { folder, origin, recorder, told }
    }

    /// Sends frames at these times after the origin, as a camera does.
    fn send(&self, format: CanvasFormat, times: &[Duration]) {
        for at in times {
            self.recorder.take(&shot(format, self.origin + *at, Cut::default()));
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Ends it: the names of its files, and what lies beside them.
    fn end(self) -> (TempDir, Vec<String>, Vec<Value>) {
        drop(self.recorder);
        let mut names = Vec::new();
        while let Ok(news) = self.told.recv_timeout(PATIENCE) {
            let News::Finished { name, bytes, .. } = news else { panic!("{news:?}") };
            assert_eq!(bytes, self.folder.path().join(&name).metadata().unwrap().len());
            names.push(name);
        }
        let beside = std::fs::read_to_string(self.folder.path().join("show.json")).unwrap_or("{}".to_owned());
        let beside: Value = serde_json::from_str(&beside).unwrap();
        (self.folder, names, beside["files"].as_array().cloned().unwrap_or_default())
    }
}

fn run(program: &str, before: &[&str], file: &Path, after: &[&str]) -> Option<Vec<u8>> {
    match Command::new(program).args(["-v", "error"]).args(before).arg(file).args(after).output() {
        Ok(output) => {
            assert!(output.status.success(), "{} {}", file.display(), String::from_utf8_lossy(&output.stderr));
            Some(output.stdout)
        }
        Err(error) => {
            eprintln!("SKIPPED: {program} is not installed: {error}");
            None
        }
    }
}

/// Returns the stream of a file, and the times of its frames.
fn probe(file: &Path) -> Option<(Value, Vec<f64>)> {
    let wanted = ["-of", "json", "-show_streams", "-show_entries", "packet=pts_time"];
    let found: Value = serde_json::from_slice(&run("ffprobe", &wanted, file, &[])?).unwrap();
    let packets = found["packets"].as_array().unwrap().iter();
    let times = packets.map(|packet| packet["pts_time"].as_str().unwrap().parse().unwrap()).collect();
    let [stream] = found["streams"].as_array().unwrap().as_slice() else { panic!("{found}") };
    Some((stream.clone(), times))
}

/// Returns every frame of a file as I420 with alpha behind it.
fn decoded(file: &Path, format: CanvasFormat) -> Option<Vec<Vec<u8>>> {
    let after = ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuva420p", "-"];
    let bytes = run("ffmpeg", &["-i"], file, &after)?;
    let (width, height) = (format.width as usize, format.height as usize);
    let size = 2 * width * height + 2 * width.div_ceil(2) * height.div_ceil(2);
    assert_eq!(bytes.len() % size, 0);
    Some(bytes.chunks(size).map(<[u8]>::to_vec).collect())
}

/// Holds a decoded frame against what was sent.
fn check(frame: &[u8], format: CanvasFormat) {
    let (width, height) = (format.width as usize, format.height as usize);
    let (luma, mask) = (&frame[..width * height], &frame[frame.len() - width * height..]);
    for (index, value) in mask.iter().enumerate() {
        let should = alpha(format, index % width, index / width);
        assert!(value.abs_diff(should) <= 1, "alpha of {}, {}: {value}", index % width, index / width);
    }
    assert!(mask.contains(&0) && mask.contains(&255));
    let [y, u, v] = Matrix::Bt601.colour(RGB);
    let chroma = &frame[width * height..frame.len() - width * height];
    let (blue, red) = chroma.split_at(chroma.len() / 2);
    for (plane, should) in [(luma, y), (blue, u), (red, v)] {
        // The same where nothing is kept: alpha is straight.
        assert!(plane.iter().all(|value| value.abs_diff(should) <= 2), "{should} and {:?}", &plane[..4]);
    }
}

#[test]
fn a_person_is_recorded_with_the_mask_as_alpha_and_on_the_time_line() {
    let _turn = turn();
    let recording = Recording::start();
    // Another cut's mask, and none at all, are no cutouts.
    recording.recorder.take(&shot(FORMAT, recording.origin + LATE, Cut { threshold: 0.7, ..Cut::default() }));
    // No steady rate.
    let times: Vec<Duration> = (0..40).map(|count| LATE + Duration::from_millis(count * 67 + count % 3 * 11)).collect();
    recording.send(FORMAT, &times);
    // As it would be left by a program that is killed.
    let (growing, killed) = ("show-ann-cutout.mov", "killed.mov");
    let deadline = Instant::now() + PATIENCE;
    while recording.recorder.bytes() < 10_000 {
        assert!(Instant::now() < deadline, "nothing is written");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::fs::copy(recording.folder.path().join(growing), recording.folder.path().join(killed)).unwrap();
    let odd: Vec<Duration> = (0..5).map(|count| times[39] + Duration::from_millis(500 + count * 40)).collect();
    recording.send(ODD, &odd);
    let (folder, names, beside) = recording.end();
    assert_eq!(names, ["show-ann-cutout.mov", "show-ann-cutout-2.mov"]);
    for ((name, format), sent) in names.iter().zip([FORMAT, ODD]).zip([&times, &odd]) {
        let file = folder.path().join(name);
        let Some((stream, found)) = probe(&file) else { return };
        assert_eq!((&stream["codec_name"], &stream["profile"]), (&"prores".into(), &"4444".into()));
        assert!(stream["pix_fmt"].as_str().unwrap().starts_with("yuva444p"), "{stream}");
        let is_sent = |at: &f64| sent.iter().any(|sent| (sent.as_secs_f64() - at).abs() < 0.0005);
        assert!(found.iter().all(is_sent) && found.len() > 2, "{found:?} of {sent:?}");
        assert!(found.is_sorted() && (found[0] - sent[0].as_secs_f64()).abs() < 0.0005, "{found:?}");
        let entry = beside.iter().find(|entry| entry["file"] == **name).unwrap();
        assert_eq!(
            (&entry["video"], &entry["audio"], &entry["cutout"]),
            (&"video/x-prores".into(), &false.into(), &true.into())
        );
        let told = [&entry["from"], &entry["until"]].map(|time| time.as_f64().unwrap());
        assert!((told[0] - found[0]).abs() < 0.002 && (told[1] - found[found.len() - 1]).abs() < 0.002, "{told:?}");
        let Some(frames) = decoded(&file, format) else { return };
        assert_eq!(frames.len(), found.len());
        frames.iter().for_each(|frame| check(frame, format));
    }
    // What was written until then plays; it counts from its own first frame.
    let killed = folder.path().join(killed);
    let (_, found) = probe(&killed).unwrap();
    println!("a killed one has {} frames", found.len());
    assert!(found.len() > 8 && found[0] == 0.0, "{found:?}");
    check(&decoded(&killed, FORMAT).unwrap()[0], FORMAT);
}

#[test]
fn a_sender_that_changes_its_size_all_the_time_makes_few_files() {
    let _turn = turn();
    let recording = Recording::start();
    for count in 0..60_u32 {
        let at = LATE + count * Duration::from_millis(80);
        let format = CanvasFormat { width: 64 + count % 7 * 8, height: 64, fps: 30 };
        recording.send(format, &[at]);
    }
    // Too small for the muxer.
    recording.send(CanvasFormat { width: 8, height: 8, fps: 30 }, &[LATE + Duration::from_secs(9)]);
    let (_folder, names, beside) = recording.end();
    assert!((1..=3).contains(&names.len()) && beside.len() == names.len(), "{names:?}");
}
