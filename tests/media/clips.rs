use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, mpsc::channel},
    time::{Duration, Instant},
};

use gstreamer_video::prelude::*;
use serde_json::json;
use virfie::{
    layout::{Canvas, read},
    media::{
        compose::{backdrop, latest_frames::LatestFrames, planes::I420, reel::Reel, stage::Stage},
        file::{Colours, Container, Player, Shape, Stop, Target, Writer},
        gst::launch::Launches,
        port::{Image, Picture, Still},
        upload::Decoder,
    },
};

use super::frames::{PATIENCE, turn};

const SIZE: (usize, usize) = (64, 48);
const STEP: Duration = Duration::from_millis(40);

/// Returns the luma of frame `number`.
fn luma(number: usize) -> u8 {
    40 + 16 * number as u8
}

/// Returns which frame has this luma.
fn number(luma: u8) -> usize {
    (usize::from(luma) - 32) / 16
}

fn launches() -> Launches {
    Launches::load(None).unwrap()
}

/// Decodes in this process.
fn decoder() -> Decoder {
    Decoder::new(None, None, launches())
}

/// Returns ten frames, 400 ms.
fn clip(folder: &Path) -> PathBuf {
    let path = folder.join("clip.mp4");
    let shape = Shape { width: SIZE.0, height: SIZE.1, rate: (25, 1), aspect: (1, 1), colours: Colours::Bt601 };
    let target = Target { path: &path, called: &path, container: Container::of(&path).unwrap(), sound: None };
    let mut writer = Writer::create(target, shape, &Stop::default()).unwrap();
    for index in 0..10 {
        let planes =
            [vec![luma(index); SIZE.0 * SIZE.1], vec![128; SIZE.0 * SIZE.1 / 4], vec![128; SIZE.0 * SIZE.1 / 4]];
        let views = [(&planes[0][..], SIZE.0), (&planes[1][..], SIZE.0 / 2), (&planes[2][..], SIZE.0 / 2)];
        writer.push(views, STEP * index as u32, Some(STEP)).unwrap();
    }
    writer.finish().unwrap();
    path
}

#[test]
fn a_clip_goes_round_without_a_gap() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let (give, frames) = channel();
    let push = move |frame: virfie::media::gst::frame::VideoFrame, pts| {
        let middle = SIZE.1 / 2 * frame.plane_stride()[0] as usize + SIZE.0 / 2;
        give.send((number(frame.plane_data(0).unwrap()[middle]), pts)).is_ok()
    };
    let player = Player::start(clip(folder.path()), launches(), Arc::new(()), push).unwrap();
    for index in 0..45u32 {
        let (number, pts) = frames.recv_timeout(PATIENCE).expect("a clip never ends");
        assert_eq!((number, pts), (index as usize % 10, STEP * index));
    }
    drop(player);
    // Its thread ends: what is on the way comes, and then nothing more.
    while frames.recv_timeout(PATIENCE).is_ok() {}
}

#[test]
fn a_layer_shows_a_clip_by_the_clock() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let reel = Arc::new(Reel::default());
    let of_player = reel.clone();
    let _player = Player::start(clip(folder.path()), launches(), Arc::new(()), move |frame, pts| {
        of_player.push(frame.into(), pts)
    })
    .unwrap();
    let layout = json!({"layers": [{"id": "v", "source": {"video": "clip.mp4"}, "fit": "fill"}]});
    let scene = Arc::new(read(&layout, &Canvas { width: 128, height: 96, ..Canvas::default() }).unwrap());
    let name: Arc<str> = "video:clip.mp4".into();
    let poster = Arc::new(Still::new(&[255, 255, 255, 255].repeat(64 * 48), 64, 48));
    let images = vec![Image { name: name.clone(), still: poster, clip: None }];
    let mut show = backdrop::BackdropPainter::default().prepare(Picture {
        scene,
        people: Vec::new(),
        speakers: Vec::new(),
        images,
    });
    show.reels = vec![(name, reel.clone())];
    let mut stage = Stage::new(show, false);
    let mut canvas = I420::new(128, 96, false);
    let mut compose = |now: Duration| {
        let _ = stage.update(&LatestFrames::default(), now, Duration::from_secs(1)).count();
        stage.compose(&mut canvas.planes_mut());
        canvas.planes().y[48 * 128 + 64]
    };
    // Before the first frame is decoded its poster is there, which is white.
    let first = compose(Duration::from_secs(100));
    assert!(first == 235 || number(first) == 0, "{first}");
    let begun = Instant::now();
    let started = loop {
        let now = Duration::from_secs(100) + begun.elapsed();
        if compose(now) != 235 {
            break now;
        }
        assert!(begun.elapsed() < PATIENCE, "the first frame comes");
        std::thread::yield_now();
    };
    // Three times round, looked at every 20 ms in the clock's own time; the decoder gets the time that it needs.
    for step in 0..60u32 {
        let due = Instant::now() + Duration::from_millis(15);
        let wanted = step as usize / 2 % 10;
        let now = started + Duration::from_millis(20) * step;
        let mut seen = number(compose(now));
        while seen != wanted && Instant::now() < due + PATIENCE {
            std::thread::yield_now();
            seen = number(compose(now));
        }
        assert_eq!(seen, wanted, "at step {step}");
    }
    reel.close();
}

#[test]
fn clips_are_looked_into_and_it_is_said_why_not() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path());
    let (poster, length) = decoder().clip(&path).unwrap();
    assert_eq!((poster.size(), number(poster.whole().planes().y[1000])), ((64, 48), 0));
    assert_eq!(length.map(|length| length.as_millis() / 10), Some(40));
    let whole = std::fs::read(&path).unwrap();
    let broken = folder.path().join("broken.mp4");
    for content in [&whole[..whole.len() / 2], &whole[..200], b"\0\0\0\x20ftypisom"] {
        std::fs::write(&broken, content).unwrap();
        if let Err(why) = decoder().clip(&broken).map_err(|error| error.to_string()) {
            assert!(!why.contains("broken.mp4") && !why.contains('\n') && !why.is_empty(), "{why}");
        }
    }
    assert!(decoder().clip(&folder.path().join("none.mp4")).is_err());
}

#[test]
fn what_is_transparent_in_a_clip_stays_so() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alpha.webm");
    // The left half is transparent, the right half red.
    let source = "color=red:s=64x48:r=25:d=0.4,format=yuva420p,geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='if(lt(X,32),0,255)'";
    let made = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            source,
            "-c:v",
            "libvpx-vp9",
            "-pix_fmt",
            "yuva420p",
            "-auto-alt-ref",
            "0",
        ])
        .arg(&path)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: there is no ffmpeg that writes VP9 with alpha");
        return;
    }
    let (poster, _) = decoder().clip(&path).unwrap();
    let planes = poster.whole().planes();
    let (alpha, stride) = planes.alpha.expect("it has alpha");
    assert!(alpha[24 * stride + 10] < 20 && alpha[24 * stride + 54] > 235);
    assert!(planes.y[24 * 64 + 54].abs_diff(81) < 12);
}
