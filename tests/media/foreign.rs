//! Files that somebody sent to do harm, and the files that are played all the same.

use std::{
    fs, io,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::{AppSink, AppSrc};
use gstreamer_video as gst_video;
use virfie::media::{
    file::{Player, Reader, Stop},
    gst::launch::Launches,
    pictures::seal,
    port::DecodeError,
    upload::Decoder,
};

use super::{
    frames::{run, turn},
    group::Group,
};

const MINUTE: Duration = Duration::from_secs(60);

/// An ID3v2.4 tag without frames.
const ID3: &[u8] = b"ID3\x04\0\0\0\0\0\x0a\0\0\0\0\0\0\0\0\0\0";

fn launches() -> Launches {
    Launches::load(None).unwrap()
}

/// Decodes in this process, and in one of its own.
fn decoders() -> [Decoder; 2] {
    let program = || PathBuf::from(env!("CARGO_BIN_EXE_virfie"));
    [None, Some(program())].map(|program| Decoder::new(program, None, launches()))
}

/// Returns a file that ffmpeg makes; `None` (said aloud) where it cannot.
fn made(path: &Path, arguments: &str) -> Option<()> {
    let arguments = arguments.split(' ').filter(|argument| !argument.is_empty());
    let made = Command::new("ffmpeg").args(["-v", "error", "-y"]).args(arguments).arg(path).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: there is no ffmpeg that makes {}", path.display());
        return None;
    }
    Some(())
}

/// Returns a WebM of five key frames of 64 x 48.
fn webm(folder: &Path) -> PathBuf {
    let path = folder.join("a.webm");
    let source = "videotestsrc num-buffers=5 ! video/x-raw,width=64,height=48,framerate=25/1";
    run(&format!("{source} ! vp8enc deadline=1 keyframe-max-dist=1 ! webmmux ! filesink location={}", path.display()));
    path
}

/// Writes that the key frames from `first` on are of 16000 x 16000.
fn enlarge(path: &Path, first: usize) {
    let mut content = fs::read(path).unwrap();
    let starts: Vec<usize> =
        content.windows(3).enumerate().filter(|(_, word)| *word == [0x9d, 1, 0x2a]).map(|(at, _)| at).collect();
    assert!(starts.len() >= 5);
    for at in &starts[first..] {
        content[at + 3..at + 7].copy_from_slice(&[0x80, 0x3e, 0x80, 0x3e]);
    }
    fs::write(path, content).unwrap();
}

/// Returns the most memory that this process ever had, in kilobytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Returns a box of an MP4 file.
fn boxed(kind: &[u8; 4], inside: &[u8]) -> Vec<u8> {
    [&(inside.len() as u32 + 8).to_be_bytes()[..], kind, inside].concat()
}

#[test]
fn no_file_opens_an_address_or_another_file() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there.ts");
    fs::write(&there, [0x47; 1880]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("http://{}/a.ts", listener.local_addr().unwrap());
    let wanted = [address, format!("file://{}", there.display()), "file:///nowhere/secret.ts".to_owned()];
    let lists = |wanted: &str| {
        [
            format!("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{wanted}\n#EXT-X-ENDLIST\n"),
            format!("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n{wanted}\n"),
            format!(
                "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
                 mediaPresentationDuration=\"PT1S\" minBufferTime=\"PT1S\" \
                 profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\"><Period><AdaptationSet mimeType=\"audio/mp4\">\
                 <Representation id=\"1\" bandwidth=\"1000\"><BaseURL>{wanted}</BaseURL></Representation>\
                 </AdaptationSet></Period></MPD>\n"
            ),
            format!(
                "<?xml version=\"1.0\"?>\n<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"10\">\
                 <StreamIndex Type=\"audio\" Url=\"{wanted}\" Chunks=\"1\"><QualityLevel Bitrate=\"1\"/><c d=\"10\"/>\
                 </StreamIndex></SmoothStreamingMedia>\n"
            ),
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n"
                .to_owned(),
            format!("<smil><body><audio src=\"{wanted}\"/></body></smil>\n"),
            format!("{wanted}\n"),
            format!("[Reference]\r\nRef1={wanted}\r\n"),
        ]
    };
    let ape = b"APETAGEX\xd0\x07\0\0\x20\0\0\0\0\0\0\0\0\0\0\xa0\0\0\0\0\0\0\0\0";
    let file = folder.path().join("sound.mp3");
    for list in 0..lists("").len() {
        for head in [ID3.to_vec(), [ID3, ID3].concat(), [ID3, ape].concat(), b"ID3".to_vec(), vec![0xff, 0xfb, 0x90, 0]]
        {
            let told = wanted.clone().map(|wanted| {
                fs::write(&file, [&head[..], lists(&wanted)[list].as_bytes()].concat()).unwrap();
                decoders()[0].sound(&file, MINUTE).unwrap_err().to_string()
            });
            assert!(told[1] == told[0] && told[2] == told[0] && !told[0].contains(['/', '\n']), "{told:?}");
            assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "{list} behind {head:?}");
        }
    }
    // A QuickTime file that refers to another one, and one whose frames are elsewhere.
    let file = folder.path().join("clip.mov");
    for wanted in wanted {
        let address = [wanted.as_bytes(), b"\0"].concat();
        let elsewhere =
            [b"\0\0\0\0url ".to_vec(), (address.len() as u32).to_be_bytes().to_vec(), address.clone()].concat();
        let reference = boxed(b"rmra", &boxed(b"rmda", &boxed(b"rdrf", &elsewhere)));
        let data = [b"\0\0\0\0\0\0\0\x01".to_vec(), boxed(b"url ", &[&[0; 4][..], &address].concat())].concat();
        let data = boxed(b"trak", &boxed(b"mdia", &boxed(b"minf", &boxed(b"dinf", &boxed(b"dref", &data)))));
        for moov in [reference, data] {
            fs::write(&file, [boxed(b"ftyp", b"qt  \0\0\0\0qt  "), boxed(b"moov", &moov)].concat()).unwrap();
            let why = decoders()[0].clip(&file).unwrap_err().to_string();
            assert!(!why.contains(['/', '\n']), "{why}");
            assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
    }
}

#[test]
fn a_picture_that_is_too_large_is_refused_before_it_is_decoded() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let path = webm(folder.path());
    enlarge(&path, 0);
    for decoder in decoders() {
        assert_eq!(decoder.clip(&path).unwrap_err().to_string(), "frames of 16000x16000 are too large");
    }

    let path = folder.path().join("large.mp4");
    let line = "-f lavfi -i color=s=8192x8192:r=25 -frames:v 3 -c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    if made(&path, line).is_some() {
        let before = peak();
        let why = decoders()[0].clip(&path).unwrap_err().to_string();
        assert_eq!(why, "frames of 8192x8192 are too large");
        assert!(peak() - before < 60_000, "{} kB", peak() - before);
    }
}

/// Reads a clip that grows to 16000 x 16000, and returns how many frames come before it is refused.
fn frames_before_a_huge_one(path: &Path) -> usize {
    let mut reader = Reader::open_clip(path, &launches(), &Stop::default(), Arc::new(())).unwrap();
    let mut count = 0;
    let error = loop {
        match reader.next() {
            Ok(Some(_)) => count += 1,
            Ok(None) => panic!("it ended after {count}"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.ends_with("frames of 16000x16000 are too large"), "{error}");
    count
}

#[test]
fn a_clip_that_grows_ends_where_it_grows() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let path = webm(folder.path());
    enlarge(&path, 3);
    let count = frames_before_a_huge_one(&path);
    assert!((1..=3).contains(&count), "{count}");
}

#[test]
fn a_clip_that_breaks_at_its_beginning_is_opened_now_and_then() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let path = webm(folder.path());
    enlarge(&path, 1);
    let (shown, seen) = std::sync::mpsc::channel();
    let _player =
        Player::start(path, launches(), Arc::new(()), move |_, _| shown.send(Instant::now()).is_ok()).unwrap();
    let [first, second] = [(); 2].map(|()| seen.recv_timeout(MINUTE).unwrap());
    assert!(second - first > Duration::from_millis(1500), "{:?}", second - first);
}

/// A sequence parameter set of H.264 for 16000 x 16000: baseline, level 6.2, POC type 2, one reference, 1000 x 1000
/// macroblocks.
const HUGE_SPS: &[u8] = &[0x67, 66, 0xc0, 62, 0xda, 0x00, 0x3e, 0x80, 0x07, 0xd1, 0x90];

/// Puts [`HUGE_SPS`] in the place of those in the stream of a Matroska file from `first` on, and fills up what is left.
fn enlarge_h264(path: &Path, first: usize) {
    let mut content = fs::read(path).unwrap();
    let is_sps = |at: &usize| content[*at..*at + 3] == [0, 0, 0] && content[*at + 4] & 0x1f == 7;
    let places: Vec<usize> = (0..content.len() - 5).filter(is_sps).collect();
    assert!(places.len() > first, "{places:?}");
    for at in &places[first..] {
        let length = usize::from(content[at + 3]);
        let filler = length - HUGE_SPS.len() - 4;
        let mut unit = vec![0, 0, 0, HUGE_SPS.len() as u8];
        unit.extend(HUGE_SPS);
        unit.extend([0, 0, 0, filler as u8, 12]);
        unit.resize(4 + length - 1, 0xff);
        unit.push(0x80);
        content[*at..*at + unit.len()].copy_from_slice(&unit);
    }
    fs::write(path, content).unwrap();
}

#[test]
fn a_clip_whose_parameters_grow_ends_where_they_grow() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mkv");
    let line = "-f lavfi -i testsrc2=s=320x240:r=25 -frames:v 6 -c:v libx264 -g 2 -bf 0 -x264-params repeat-headers=1 \
                -pix_fmt yuv420p";
    if made(&path, line).is_none() {
        return;
    }
    enlarge_h264(&path, 1);
    let before = peak();
    let count = frames_before_a_huge_one(&path);
    assert!((1..=2).contains(&count), "{count}");
    assert!(peak() - before < 60_000, "{} kB", peak() - before);
}

/// Returns one frame of VP9.
fn vp9(folder: &Path, width: usize, height: usize) -> Vec<u8> {
    let path = folder.join(format!("{width}.vp9"));
    let source = format!("videotestsrc num-buffers=1 ! video/x-raw,width={width},height={height},framerate=25/1");
    run(&format!("{source} ! vp9enc deadline=1 ! filesink location={}", path.display()));
    fs::read(path).unwrap()
}

#[test]
fn of_frames_of_vp9_that_nothing_distinguishes_the_first_is_decoded() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let both = [vp9(folder.path(), 320, 240), vp9(folder.path(), 640, 480)].concat();
    let text = "appsrc name=in caps=video/x-vp9 format=time ! vp9dec name=decoder ! appsink name=out sync=false";
    let pipeline = gst::parse::launch(text).unwrap().downcast::<gst::Pipeline>().unwrap();
    seal(&pipeline.by_name("decoder").unwrap());
    let source = pipeline.by_name("in").unwrap().downcast::<AppSrc>().unwrap();
    let sink = pipeline.by_name("out").unwrap().downcast::<AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    source.push_buffer(gst::Buffer::from_slice(both)).unwrap();
    source.end_of_stream().unwrap();
    let sample = sink.pull_sample().unwrap();
    let info = gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
    pipeline.set_state(gst::State::Null).unwrap();
    assert_eq!((info.width(), info.height()), (320, 240));
}

#[test]
fn what_layouts_show_and_play_is_still_decoded() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    for (name, line) in [
        ("a.ogg", "opusenc ! oggmux"),
        ("b.ogg", "vorbisenc ! oggmux"),
        ("a.wav", "wavenc"),
        ("b.wav", "alawenc ! wavenc"),
        ("a.mp3", "lamemp3enc ! id3v2mux"),
        ("b.mp3", "lamemp3enc ! mpegaudioparse"),
        ("c.mp3", "lamemp3enc ! id3v2mux"),
    ] {
        let path = folder.path().join(name);
        let source =
            "audiotestsrc num-buffers=50 samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=1 ! audioconvert";
        let tagged = format!("{source} ! taginject tags=\"title=tone\"");
        run(&format!("{tagged} ! {line} ! filesink location={}", path.display()));
        if name == "c.mp3" {
            let tag = b"APETAGEX\xd0\x07\0\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
            fs::write(&path, [&fs::read(&path).unwrap()[..], tag].concat()).unwrap();
        }
        let [here, apart] =
            decoders().map(|decoder| decoder.sound(&path, MINUTE).unwrap_or_else(|error| panic!("{name}: {error}")));
        assert!(here.interleaved.len().abs_diff(48_000) < 4_800, "{name}: {}", here.interleaved.len());
        assert!(here.interleaved.iter().any(|sample| sample.unsigned_abs() > 10_000), "{name}");
        assert!(here == apart, "{name}");
    }
    for (name, codec) in [
        ("h264.mp4", "-c:v libx264 -pix_fmt yuv420p"),
        ("h265.mp4", "-c:v libx265 -x265-params log-level=none -pix_fmt yuv420p"),
        ("mpeg4.mp4", "-c:v mpeg4"),
        ("mjpeg.mov", "-c:v mjpeg"),
        ("prores.mov", "-c:v prores_ks"),
        ("animation.mov", "-c:v qtrle"),
        ("png.mov", "-c:v png"),
        ("raw.mkv", "-c:v rawvideo -pix_fmt yuv420p"),
        ("raw.mov", "-c:v rawvideo -pix_fmt rgb24"),
        ("vp9.webm", "-c:v libvpx-vp9"),
        ("av1.mkv", "-c:v libaom-av1 -cpu-used 8"),
        ("h264.mkv", "-c:v libx264 -c:a libopus"),
    ] {
        let path = folder.path().join(name);
        let source = "-f lavfi -i color=red:s=64x48:r=25:d=0.2 -f lavfi -i sine=d=0.2";
        if made(&path, &format!("{source} {codec}")).is_some() {
            for decoder in decoders() {
                let (poster, length) = decoder.clip(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
                let planes = poster.whole().planes();
                assert_eq!(poster.size(), (64, 48), "{name}");
                assert!(planes.y[1000].abs_diff(81) < 16 && planes.v[300].abs_diff(240) < 16, "{name}");
                assert!(length.is_some_and(|length| length.as_millis().abs_diff(200) < 60), "{name}: {length:?}");
            }
        }
    }
}

#[test]
fn what_a_files_process_does_harms_nobody_else() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mp4");
    let apart = &decoders()[1];
    // Headers that are compressed, and say that they are four gigabytes.
    let zlib = [b"\xf0\0\0\0".to_vec(), vec![0x78, 0x9c, 3, 0, 0, 0, 0, 1]].concat();
    let compressed = boxed(b"cmov", &[boxed(b"dcom", b"zlib"), boxed(b"cmvd", &zlib)].concat());
    fs::write(&path, [boxed(b"ftyp", b"isom\0\0\0\0isom"), boxed(b"moov", &compressed)].concat()).unwrap();
    let why = apart.clip(&path).unwrap_err().to_string();
    assert!(!why.contains(['/', '\n']) && !why.is_empty(), "{why}");
    // Programs that say nothing, and something else.
    for program in ["true", "false", "yes", "env"] {
        let decoder = Decoder::new(Some(program.into()), None, launches());
        assert!(decoder.clip(&path).is_err() && decoder.sound(&path, MINUTE).is_err(), "{program}");
    }
    let nowhere = Decoder::new(Some("/nowhere/program".into()), None, launches());
    assert_eq!(nowhere.clip(&path).unwrap_err(), DecodeError::NotNow);
}

#[test]
fn files_are_read_with_stages_of_the_operators_own() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let (clip, sound) = (webm(folder.path()), folder.path().join("a.wav"));
    run(&format!("audiotestsrc num-buffers=5 ! wavenc ! filesink location={}", sound.display()));
    let stages = folder.path().join("stages");
    fs::create_dir(&stages).unwrap();
    let built_in = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/clip-frames.launch");
    fs::copy(built_in, stages.join("clip-frames.launch")).unwrap();
    let decoder = Decoder::new(Some(env!("CARGO_BIN_EXE_virfie").into()), Some(stages), launches());
    assert_eq!(decoder.clip(&clip).map(drop), Ok(()));
    assert_eq!(decoder.sound(&sound, MINUTE).map(drop), Ok(()));
}

#[test]
fn a_file_that_gets_no_threads_is_not_blamed() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let (clip, sound) = (webm(folder.path()), folder.path().join("a.wav"));
    run(&format!("audiotestsrc num-buffers=5 ! wavenc ! filesink location={}", sound.display()));
    let limited = folder.path().join("limited");
    // The first is the program's own.
    for most in [1, 2, 3, 5, 8, 200] {
        let Some(group) = Group::make(most) else {
            assert_eq!(most, 1, "the group of before is still there");
            eprintln!("SKIPPED: this system lets nobody make a control group that bounds threads");
            return;
        };
        let (group_path, program) = (group.path().display(), env!("CARGO_BIN_EXE_virfie"));
        let script = format!("#!/bin/sh\necho $$ > '{group_path}/cgroup.procs' || exit 1\nexec '{program}' \"$@\"\n");
        fs::write(&limited, script).unwrap();
        fs::set_permissions(&limited, fs::Permissions::from_mode(0o755)).unwrap();
        let decoder = Decoder::new(Some(limited.clone()), None, launches());
        let outcomes = [decoder.clip(&clip).map(drop), decoder.sound(&sound, MINUTE).map(drop)];
        println!("{most}: {outcomes:?}");
        for outcome in outcomes {
            match most {
                1 => assert_eq!(outcome, Err(DecodeError::NotNow)),
                200 => assert_eq!(outcome, Ok(())),
                _ => assert!(matches!(outcome, Ok(()) | Err(DecodeError::NotNow)), "{most}: {outcome:?}"),
            }
        }
    }
}
