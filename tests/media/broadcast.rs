//! Outputs, from frames and samples to a file that ffmpeg decodes.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        mpsc::{Sender, channel},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tempfile::TempDir;
use virfie::media::{
    compose::clock::CanvasFormat,
    encode::{Encoder, Recipe, sound::SoundEncoder},
    gst::{
        clock::{clock_time, media_clock},
        launch::Launches,
    },
    output::worker::{Output, Teller},
    port::{Container, FileTarget, Flow, OutputState, OutputTarget, Recorded, Speed, Split, Wishes},
};

use super::frames::{PATIENCE, flat, turn};

const FORMAT: CanvasFormat = CanvasFormat { width: 320, height: 180, fps: 30 };
/// Frames of the clip, and those of them that are white.
pub const FRAMES: u64 = 240;
pub const FLASHES: [u64; 3] = [100, 140, 180];
const FLASH: u64 = 4;

struct Told(Sender<OutputState>, Arc<Mutex<Vec<Recorded>>>);

impl Teller for Told {
    fn state(&self, state: OutputState) {
        // The test may be over.
        let _ = self.0.send(state);
    }

    fn flow(&self, _flow: Flow) {}

    fn recorded(&self, file: Recorded) {
        self.1.lock().push(file);
    }
}

/// Records a flash and a beep at the same times, as the room's clock and desk would give them.
fn record(folder: &Path, container: Container, wishes: &Wishes) -> PathBuf {
    let clip = Clip { container, wishes: wishes.clone(), split: None, frames: FRAMES, flashes: &FLASHES };
    let files = clip.record(folder, |_, _| {});
    files.into_iter().next().unwrap()
}

/// The recording that is made.
pub struct Clip<'a> {
    pub container: Container,
    pub wishes: Wishes,
    pub split: Option<Split>,
    pub frames: u64,
    /// The first of the frames that are white and loud, four in a row. The others' grey counts them; see [`grey`].
    pub flashes: &'a [u64],
}

/// Returns how grey a frame is that is no flash: each is another one than the eight before it.
pub fn grey(number: u64) -> u8 {
    // Above black, so that no conversion cuts one off.
    u8::try_from(24 + number % 8 * 12).unwrap()
}

impl Clip<'_> {
    /// Records it. `at` is called with each frame's number before the frame. Returns the files, in order.
    pub fn record(&self, folder: &Path, at_frame: impl Fn(u64, &Output)) -> Vec<PathBuf> {
        let Self { container, split, .. } = *self;
        let target = FileTarget { folder: folder.to_owned(), name: "clip".to_owned(), container, split, spare: 0 };
        let told = self.play(OutputTarget::File(target), at_frame);
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|file| file.extension().unwrap() == container.ending()).collect();
        files.sort();
        let told: Vec<_> = told.into_iter().map(|file| (folder.join(file.name), file.bytes)).collect();
        let there = files.iter().map(|file| (file.clone(), file.metadata().unwrap().len()));
        assert_eq!(told, there.collect::<Vec<_>>(), "each file is reported when it is finished");
        files
    }

    /// Sends it to an output, from beginning to end, as the room's clock and desk would. Returns what it says that it
    /// recorded.
    pub fn play(&self, target: OutputTarget, at_frame: impl Fn(u64, &Output)) -> Vec<Recorded> {
        let Self { ref wishes, frames, flashes, .. } = *self;
        let launches = Launches::load(None).unwrap();
        let (tell, told) = channel();
        let recorded = Arc::<Mutex<Vec<Recorded>>>::default();
        let output =
            Arc::new(Output::start("test", target, launches.clone(), Told(tell, recorded.clone()), false).unwrap());
        let (pictures, sounds) = (output.clone(), output.clone());
        let video = wishes.video((FORMAT.width, FORMAT.height, FORMAT.fps));
        let recipe = Recipe::Broadcast(video, Speed::Veryfast);
        let encoder =
            Encoder::start("test", recipe, &launches, move |unit| pictures.picture(&unit), |error| panic!("{error}"));
        let encoder = encoder.unwrap();
        let on_packet = move |packet: &gstreamer::Buffer, caps: &gstreamer::Caps| sounds.sound(packet, caps);
        let sound =
            SoundEncoder::start("test", wishes.audio(), &launches, on_packet, |error| panic!("{error}")).unwrap();
        let begun = media_clock().now();
        let mut blocks = 0;
        for number in 0..frames {
            let at = begun + Duration::from_secs(1) * u32::try_from(number).unwrap() / FORMAT.fps;
            std::thread::sleep(at.saturating_sub(media_clock().now()));
            at_frame(number, &output);
            let is_white = flashes.iter().any(|flash| (*flash..flash + FLASH).contains(&number));
            let mut frame = flat(FORMAT, if is_white { [255; 3] } else { [grey(number); 3] });
            frame.get_mut().unwrap().set_pts(clock_time(at));
            encoder.push(&frame, &FORMAT.caps());
            while begun + Duration::from_millis(20) * blocks <= at {
                let first = u64::from(blocks) * 960;
                let beep = |sample: u64| {
                    let seconds = sample as f64 / 48_000.0;
                    let flash = (seconds * f64::from(FORMAT.fps)) as u64;
                    let is_loud = flashes.iter().any(|begin| (*begin..begin + FLASH).contains(&flash));
                    if is_loud { (seconds * 1000.0 * std::f64::consts::TAU).sin() as f32 * 0.5 } else { 0.0 }
                };
                let samples: Vec<[f32; 2]> = (first..first + 960).map(|sample| [beep(sample); 2]).collect();
                sound.push(&samples, begun + Duration::from_millis(20) * blocks);
                blocks += 1;
            }
        }
        drop((encoder, sound));
        drop(output);
        // It says so when the file has its end.
        loop {
            match told.recv_timeout(PATIENCE).unwrap() {
                OutputState::Stopped => break,
                OutputState::Failed { fault } | OutputState::Retrying { fault, .. } => panic!("{fault:?}"),
                OutputState::Connecting | OutputState::Live => {}
            }
        }
        std::mem::take(&mut recorded.lock())
    }
}

/// Sends the usual clip to an output.
pub fn play(target: OutputTarget, wishes: &Wishes) {
    let container = Container::Mkv;
    let clip = Clip { container, wishes: wishes.clone(), split: None, frames: FRAMES, flashes: &FLASHES };
    clip.play(target, |_, _| {});
}

/// Returns what a program prints; `None` (said aloud) where it is not installed.
pub fn printed(program: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(output.stdout)
        }
        Err(error) => {
            eprintln!("SKIPPED: {program} is not installed: {error}");
            None
        }
    }
}

/// Returns times at which the picture becomes white, in seconds.
pub fn flashes(file: &str) -> Option<Vec<f64>> {
    let times = ["-v", "error", "-select_streams", "v", "-show_entries", "frame=pts_time", "-of", "csv=p=0", file];
    let times = String::from_utf8(printed("ffprobe", &times)?).unwrap();
    let times = times.lines().map(|line| line.trim_end_matches(',')).filter(|line| !line.is_empty());
    let times: Vec<f64> = times.map(|time| time.parse().unwrap()).collect();
    let grey =
        ["-v", "error", "-i", file, "-vf", "scale=1:1,format=gray", "-fps_mode", "passthrough", "-f", "rawvideo", "-"];
    let grey = printed("ffmpeg", &grey)?;
    assert_eq!(grey.len(), times.len());
    let begins = (1..grey.len()).filter(|index| grey[*index] > 128 && grey[index - 1] <= 128);
    Some(begins.map(|index| times[index]).collect())
}

/// Returns times at which the sound begins, in seconds.
pub fn beeps(file: &str) -> Option<Vec<f64>> {
    let arguments = [
        "-v",
        "error",
        "-i",
        file,
        "-vn",
        "-ac",
        "1",
        "-ar",
        "48000",
        "-af",
        "aresample=first_pts=0",
        "-f",
        "f32le",
        "-",
    ];
    let samples = printed("ffmpeg", &arguments)?;
    let samples = samples.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let mut quiet_since = 0;
    let mut begins = Vec::new();
    for (index, sample) in samples.enumerate() {
        if sample.abs() > 0.1 {
            if index - quiet_since > 24_000 {
                begins.push(index as f64 / 48_000.0);
            }
            quiet_since = index;
        }
    }
    Some(begins)
}

#[test]
fn picture_and_sound_of_a_recording_are_simultaneous_and_at_a_steady_rate() {
    let _turn = turn();
    for container in [Container::Mkv, Container::Mp4] {
        for wishes in [
            "{}",
            r#"{"video": {"fps": 15, "profile": "baseline"}, "audio": {"sample_rate": 44100, "channels": 1, "loudness": -12}}"#,
        ] {
            let folder = TempDir::new().unwrap();
            let file = record(folder.path(), container, &serde_json::from_str(wishes).unwrap());
            let file = file.to_str().unwrap();
            let (Some(flashes), Some(beeps)) = (flashes(file), beeps(file)) else { return };
            println!("{container:?} {wishes}: flashes at {flashes:?}, beeps at {beeps:?}");
            assert_eq!((flashes.len(), beeps.len()), (FLASHES.len(), FLASHES.len()), "{flashes:?} {beeps:?}");
            for (flash, beep) in flashes.iter().zip(&beeps) {
                // At half the rate, a picture may stand for the one after it.
                assert!((beep - flash).abs() < 0.04, "{container:?} {wishes}: {:.0} ms", (beep - flash) * 1000.0);
            }
            for pair in flashes.windows(2) {
                assert!((pair[1] - pair[0] - 40.0 / 30.0).abs() < 0.04, "{flashes:?}");
            }
        }
    }
}
