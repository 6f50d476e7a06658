#![allow(clippy::unwrap_used)]

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use super::*;

fn shape(width: usize, height: usize) -> Shape {
    Shape { width, height, rate: (25, 1), aspect: (1, 1), colours: Colours::Bt601 }
}

/// Returns two seconds of a tone, mono, 8000 samples a second.
fn wav(folder: &TempDir) -> PathBuf {
    let samples: Vec<u8> =
        (0..16_000u32).flat_map(|at| (((f64::from(at) * 0.3).sin() * 8000.0).round() as i16).to_le_bytes()).collect();
    let length = samples.len() as u32;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(8000u32.to_le_bytes());
    file.extend(16_000u32.to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.extend(samples);
    let path = folder.path().join("tone.wav");
    fs::write(&path, file).unwrap();
    path
}

/// Returns a frame in three flat stripes: dark, of a luma that stands for its number, and bright.
fn frame(shape: Shape, number: usize) -> [Vec<u8>; 3] {
    let luma = |x: usize| match x * 3 / shape.width {
        0 => 30,
        1 => 60 + 8 * number as u8,
        _ => 220,
    };
    let chroma = shape.width.div_ceil(2) * shape.height.div_ceil(2);
    let y = (0..shape.width * shape.height).map(|at| luma(at % shape.width)).collect();
    [y, vec![100; chroma], vec![160; chroma]]
}

fn views(planes: &[Vec<u8>; 3], shape: Shape) -> [(&[u8], usize); 3] {
    let half = shape.width.div_ceil(2);
    [(&planes[0], shape.width), (&planes[1], half), (&planes[2], half)]
}

fn target(path: &Path) -> Target<'_> {
    Target { path, called: path, container: Container::of(path).unwrap(), sound: None }
}

fn write(target: Target<'_>, shape: Shape, times: &[u64]) -> Result<(usize, usize), FileError> {
    let mut writer = Writer::create(target, shape, &Stop::default())?;
    for (number, time) in times.iter().enumerate() {
        let planes = frame(shape, number);
        writer.push(views(&planes, shape), Duration::from_millis(*time), Some(Duration::from_millis(40)))?;
    }
    let size = writer.size();
    writer.finish()?;
    Ok(size)
}

/// Returns times in milliseconds and the luma in the middle of every frame, after a look at its corners.
fn read(path: &Path) -> (Reader, Vec<(u64, u8)>) {
    let mut reader = Reader::open(path, &Stop::default()).unwrap();
    let Shape { width, height, .. } = reader.shape();
    let mut seen = Vec::new();
    while let Some(frame) = reader.next().unwrap() {
        let [(y, stride), (u, _), (v, _)] = frame.planes();
        let at = |x: usize, row: usize| y[row * stride + x];
        for (x, row, wanted) in [(0, 0, 30), (0, height - 1, 30), (width - 1, 0, 220), (width - 1, height - 1, 220)] {
            assert!(at(x, row).abs_diff(wanted) <= 8, "{x},{row}: {}", at(x, row));
        }
        assert!(u[0].abs_diff(100) <= 4 && v[0].abs_diff(160) <= 4, "{} {}", u[0], v[0]);
        seen.push((frame.pts.as_millis() as u64, at(width / 2, height / 2)));
    }
    (reader, seen)
}

#[test]
fn what_is_written_is_read_again_in_every_container() {
    let folder = tempfile::tempdir().unwrap();
    let times: Vec<u64> = (0..20).map(|number| number * 40).collect();
    for name in ["a.mp4", "a.m4v", "a.MOV", "a.mkv"] {
        let path = folder.path().join(name);
        assert_eq!(write(target(&path), shape(120, 80), &times), Ok((120, 80)));
        let (reader, seen) = read(&path);
        assert_eq!(reader.shape(), shape(120, 80), "{name}");
        assert!(!reader.has_sound());
        assert_eq!(seen.iter().map(|(time, _)| *time).collect::<Vec<_>>(), times, "{name}");
        for (number, (_, luma)) in seen.iter().enumerate() {
            assert!(luma.abs_diff(60 + 8 * number as u8) <= 3, "{name} {number}: {luma}");
        }
    }
}

#[test]
fn times_stay_where_frames_come_as_they_like() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gaps.mp4");
    let times = [0, 40, 120, 130, 500, 540, 1200];
    write(target(&path), shape(64, 64), &times).unwrap();
    let seen: Vec<u64> = read(&path).1.iter().map(|(time, _)| *time).collect();
    assert_eq!(seen.len(), times.len());
    assert!(seen.iter().zip(times).all(|(seen, time)| seen.abs_diff(time) <= 1), "{seen:?}");
}

#[test]
fn odd_sides_grow_by_one_and_repeat_their_edge() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.mp4");
    assert_eq!(write(target(&path), shape(121, 81), &[0, 40, 80]), Ok((122, 82)));
    let (reader, seen) = read(&path);
    assert_eq!(((reader.shape().width, reader.shape().height), seen.len()), ((122, 82), 3));
}

#[test]
fn the_sound_of_another_file_goes_in_and_is_as_long_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (path, sound) = (folder.path().join("sound.mp4"), wav(&folder));
    let target = Target { sound: Some(&sound), ..target(&path) };
    let times: Vec<u64> = (0..20).map(|number| number * 40).collect();
    write(target, shape(64, 48), &times).unwrap();
    let (reader, seen) = read(&path);
    assert!(reader.has_sound());
    assert_eq!(seen.len(), 20);
    let seconds = reader.duration().unwrap().as_secs_f64();
    assert!((1.9..2.2).contains(&seconds), "{seconds}");
}

#[test]
fn what_is_no_video_says_so_and_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let whole = path("whole.mp4");
    write(target(&whole), shape(64, 64), &[0, 40, 80, 120]).unwrap();
    let whole = fs::read(whole).unwrap();
    fs::write(path("text.mp4"), "this is a text and no video at all, whatever its name may say\n").unwrap();
    fs::write(path("noise.mp4"), (0..5000u32).map(|at| (at * at % 251) as u8).collect::<Vec<_>>()).unwrap();
    fs::write(path("half.mp4"), &whole[..whole.len() / 2]).unwrap();
    fs::write(path("empty.mp4"), "").unwrap();
    let stop = Stop::default();
    for name in ["text.mp4", "noise.mp4", "half.mp4", "empty.mp4"] {
        let error = Reader::open(&path(name), &stop).unwrap_err();
        assert!(matches!(error, FileError::NoVideo { .. }), "{name}: {error:?}");
        assert!(error.to_string().contains(name) && !error.to_string().contains('\n'), "{error}");
    }
    let error = Reader::open(&wav(&folder), &stop).unwrap_err().to_string();
    assert!(error.ends_with("it holds sound only"), "{error}");
    assert!(matches!(Reader::open(&path("nowhere.mp4"), &stop), Err(FileError::Unreadable { .. })));
    assert!(matches!(Reader::open(folder.path(), &stop), Err(FileError::Unreadable { .. })));
}

#[test]
fn a_full_disk_and_frames_that_are_too_small_are_said() {
    let full = Path::new("/dev/full");
    if full.exists() {
        let called = Path::new("holiday.mp4");
        let target = Target { path: full, called, container: Container::Mp4, sound: None };
        let times: Vec<u64> = (0..200).map(|number| number * 40).collect();
        let error = write(target, shape(64, 64), &times).unwrap_err();
        assert!(matches!(&error, FileError::Broken { path, .. } if path == called), "{error:?}");
    } else {
        eprintln!("SKIPPED: there is no /dev/full");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.mp4");
    let error = write(target(&path), shape(64, 8), &[0]).unwrap_err().to_string();
    assert!(error.contains("64x8") && error.contains("too small"), "{error}");
}

#[test]
fn who_stops_ends_reading_and_writing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mkv");
    write(target(&path), shape(64, 64), &[0, 40, 80, 120]).unwrap();
    let stop = Stop::default();
    let mut reader = Reader::open(&path, &stop).unwrap();
    let other = folder.path().join("b.mkv");
    let mut writer = Writer::create(target(&other), shape(64, 64), &stop).unwrap();
    assert!(reader.next().unwrap().is_some());
    stop.stop();
    assert_eq!(reader.next().map(|frame| frame.is_some()), Err(FileError::Stopped));
    let planes = frame(shape(64, 64), 0);
    assert_eq!(writer.push(views(&planes, shape(64, 64)), Duration::ZERO, None), Err(FileError::Stopped));
    assert_eq!(writer.finish(), Err(FileError::Stopped));
}

/// An element that does not play, and does not say why.
mod refusing {
    use gstreamer::{self as gst, glib, subclass::prelude::*};

    #[derive(Default)]
    pub struct Refusing;

    #[glib::object_subclass]
    impl ObjectSubclass for Refusing {
        const NAME: &'static str = "VirfieRefusing";
        type Type = super::Refusing;
        type ParentType = gst::Element;
    }

    impl ObjectImpl for Refusing {}
    impl GstObjectImpl for Refusing {}

    impl ElementImpl for Refusing {
        fn change_state(&self, transition: gst::StateChange) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
            match transition {
                gst::StateChange::PausedToPlaying => Err(gst::StateChangeError),
                _ => self.parent_change_state(transition),
            }
        }
    }
}

gst::glib::wrapper! {
    pub struct Refusing(ObjectSubclass<refusing::Refusing>)
        @extends gst::Element, gst::Object;
}

#[test]
fn a_pipeline_that_does_not_begin_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mp4");
    write(target(&path), shape(64, 64), &[0, 40, 80, 120]).unwrap();
    let stage = |owned: &OwnedPipeline| {
        let refusing = gst::glib::Object::new::<Refusing>();
        owned.pipeline().add(&refusing).map_err(setup)?;
        // Nothing reaches the sink, neither a frame nor an end.
        let frames = "valve drop=true ! appsink name=frames sync=false async=false";
        let frames = gst::parse::bin_from_description(frames, true).map_err(setup)?;
        owned.pipeline().add(&frames).map_err(setup)?;
        Ok(frames)
    };
    let begun = std::time::Instant::now();
    let any = |_: &[u8]| Some(Allowed::own(MAX_PIXELS));
    let opened = Reader::open_through((path.as_path(), Arc::new(())), &Stop::default(), any, stage);
    assert!(matches!(opened, Err(FileError::Setup(_))), "{opened:?}");
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
}
