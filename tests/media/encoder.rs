use std::{
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use gstreamer as gst;
use virfie::media::{
    compose::clock::CanvasFormat,
    encode::{Encoder, Recipe},
    gst::{
        clock::{clock_time, media_clock},
        launch::Launches,
    },
    port::VideoCodec,
};

use super::frames::{PATIENCE, flat, turn};

const FORMAT: CanvasFormat = CanvasFormat { width: 320, height: 180, fps: 30 };

/// An encoder that is fed one frame at a time, in real time, as the room's clock does it.
struct Bench {
    encoder: Encoder,
    units: Receiver<gst::Buffer>,
    errors: Receiver<String>,
    next: Duration,
    codec: VideoCodec,
}

impl Bench {
    fn start(codec: VideoCodec) -> Self {
        let (give, units) = channel();
        let (fail, errors) = channel();
        let encoder = Encoder::start(
            "bench",
            Recipe::Live { codec, bitrate: 500_000, fps: FORMAT.fps },
            &Launches::load(None).unwrap(),
            move |unit| drop(give.send(unit)),
            move |error| drop(fail.send(error)),
        )
        .unwrap();
        Self { encoder, units, errors, next: media_clock().now(), codec }
    }

    /// Puts one frame in and takes one unit out, with the same time. Returns whether it is a keyframe.
    fn frame(&mut self, number: u8) -> bool {
        self.next += Duration::from_secs(1) / FORMAT.fps;
        std::thread::sleep(self.next.saturating_sub(media_clock().now()));
        // Every frame is another one, so that none can be mistaken for its neighbour's.
        let mut frame = flat(FORMAT, [number.wrapping_mul(5), 90, 40]);
        frame.get_mut().unwrap().set_pts(clock_time(self.next));
        self.encoder.push(&frame, &FORMAT.caps());
        let unit = self.units.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{:?}", self.errors.try_recv()));
        assert_eq!(unit.pts(), Some(clock_time(self.next)), "frame {number}");
        let is_keyframe = !unit.flags().contains(gst::BufferFlags::DELTA_UNIT);
        assert_eq!(is_keyframe, holds_keyframe(self.codec, &unit.map_readable().unwrap()), "frame {number}");
        is_keyframe
    }
}

/// Reads it from the bitstream itself; an H.264 keyframe must bring its parameter sets with it.
fn holds_keyframe(codec: VideoCodec, unit: &[u8]) -> bool {
    if codec != VideoCodec::H264 {
        return unit[0] & 1 == 0;
    }
    let kinds: Vec<u8> = unit.windows(4).filter(|it| it[..3] == [0, 0, 1]).map(|it| it[3] & 0x1f).collect();
    let is_keyframe = kinds.contains(&5);
    assert_eq!(is_keyframe, kinds.contains(&7) && kinds.contains(&8), "{kinds:?}");
    assert!(is_keyframe != kinds.contains(&1), "slices of one kind: {kinds:?}");
    is_keyframe
}

fn units_keep_time_and_keyframes_are_made_on_request(codec: VideoCodec) {
    let mut bench = Bench::start(codec);
    let mut keyframes = Vec::new();
    for number in 0..50u8 {
        // A chorus at frame 18; single voices soon after it, too soon for another keyframe at once.
        let voices = match number {
            18 => 8,
            20 | 22 | 27 => 1,
            _ => 0,
        };
        for _ in 0..voices {
            bench.encoder.request_keyframe();
        }
        if bench.frame(number) {
            keyframes.push(number);
        }
    }
    println!("{codec}: keyframes at {keyframes:?}");
    // The first, the one for the chorus at once, and one for all that asked after it, half a second later.
    let &[first, chorus, late] = keyframes.as_slice() else { panic!("{codec}: keyframes at {keyframes:?}") };
    assert_eq!(first, 0);
    assert!((18..=19).contains(&chorus), "{codec}: {keyframes:?}");
    assert!((chorus + 14..=chorus + 18).contains(&late), "{codec}: {keyframes:?}");
    assert_eq!(bench.encoder.dropped(), 0);
}

#[test]
fn h264_units_keep_time_and_keyframes_are_made_on_request_and_together() {
    let _turn = turn();
    units_keep_time_and_keyframes_are_made_on_request(VideoCodec::H264);
}

#[test]
fn vp8_units_keep_time_and_keyframes_are_made_on_request_and_together() {
    let _turn = turn();
    units_keep_time_and_keyframes_are_made_on_request(VideoCodec::Vp8);
}

#[test]
fn without_requests_there_is_a_keyframe_every_two_seconds() {
    let _turn = turn();
    let mut bench = Bench::start(VideoCodec::H264);
    let keyframes: Vec<u8> = (0..65).filter(|number| bench.frame(*number)).collect();
    assert_eq!(keyframes, [0, 60]);
}
