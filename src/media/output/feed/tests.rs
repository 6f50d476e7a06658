#![allow(clippy::unwrap_used)]
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Counts pictures and packets of sound.
#[derive(Debug, Clone, Default)]
struct Counts(Arc<[AtomicUsize; 2]>);

impl Counts {
    fn get(&self) -> [usize; 2] {
        [0, 1].map(|index: usize| self.0[index].load(Ordering::Relaxed))
    }
}

impl Ends for Counts {
    fn waiting(&self) -> Duration {
        Duration::ZERO
    }

    fn sound_waiting(&self) -> Duration {
        Duration::ZERO
    }

    fn picture(&mut self, _unit: &gst::Buffer, _out: gst::Buffer) {
        self.0[0].fetch_add(1, Ordering::Relaxed);
    }

    fn sound(&mut self, _packet: &gst::Buffer, _caps: &gst::Caps, _out: ClockTime) {
        self.0[1].fetch_add(1, Ordering::Relaxed);
    }

    fn finish(&mut self) {}
}

/// Makes a unit of this time, so many milliseconds long.
fn unit(at: u64, length: u64, flags: gst::BufferFlags) -> gst::Buffer {
    let mut buffer = gst::Buffer::with_size(8).unwrap();
    let fields = buffer.get_mut().unwrap();
    fields.set_pts(ClockTime::from_mseconds(at));
    fields.set_dts(ClockTime::from_mseconds(at));
    fields.set_duration(ClockTime::from_mseconds(length));
    fields.set_flags(flags);
    buffer
}

fn feed() -> (Feed, Counts, gst::Caps) {
    crate::media::gst::init().expect("the test machine has GStreamer");
    let counts = Counts::default();
    (Feed::new(Box::new(counts.clone()), None), counts, gst::Caps::new_empty_simple("audio/mpeg"))
}

#[test]
fn as_many_markers_wait_for_their_picture_as_a_recording_may_have() {
    let (mut feed, _, caps) = feed();
    feed.sound(&unit(0, 20, gst::BufferFlags::empty()), &caps);
    feed.picture(&unit(0, 1000, gst::BufferFlags::empty()));
    for n in 0..=MAX_MARKERS {
        feed.mark(format!("m{n}").into(), ClockTime::from_mseconds(500));
    }
    assert!(!feed.has_marks(), "their picture has not come");
    feed.picture(&unit(1000, 1000, gst::BufferFlags::DELTA_UNIT));
    let marks = feed.take_marks();
    assert_eq!(marks.len(), MAX_MARKERS);
    assert_eq!(marks[999], Mark { name: "m999".into(), at: Duration::from_millis(500) });
}

/// Settings of so many frames a second.
fn settings(fps: u32) -> VideoSettings {
    crate::media::port::Wishes::default().video((640, 360, fps))
}

#[test]
fn a_stream_begins_however_long_an_encoder_of_few_frames_looks_ahead() {
    let (mut feed, counts, caps) = feed();
    feed.encoded_as(&settings(1));
    // The keyframe of the beginning comes twelve seconds after its sound.
    for at in (0..12_000).step_by(20) {
        feed.sound(&unit(at, 20, gst::BufferFlags::empty()), &caps);
    }
    feed.picture(&unit(0, 1000, gst::BufferFlags::empty()));
    feed.picture(&unit(1000, 1000, gst::BufferFlags::DELTA_UNIT));
    assert_eq!(counts.get(), [2, 50], "both pictures, and the first second's sound");
    let (mut feed, counts, caps) = self::feed();
    feed.encoded_as(&settings(30));
    for at in (0..12_000).step_by(20) {
        feed.sound(&unit(at, 20, gst::BufferFlags::empty()), &caps);
    }
    assert!(feed.sound.len() <= 301, "at the usual rate no more than six seconds wait: {}", feed.sound.len());
    feed.picture(&unit(0, 33, gst::BufferFlags::empty()));
    assert_eq!(counts.get(), [0, 0], "a picture without the sound of its time is not begun with");
}

#[test]
fn sound_that_waited_for_its_picture_counts_not_among_what_waits_for_the_next_part() {
    let (mut feed, _, caps) = feed();
    feed.split = Some(Split::Seconds(2));
    feed.encoded_as(&settings(1));
    for at in (0..20_000).step_by(20) {
        feed.sound(&unit(at, 20, gst::BufferFlags::empty()), &caps);
    }
    for (at, flags) in
        [(0, gst::BufferFlags::empty()), (1000, gst::BufferFlags::DELTA_UNIT), (2000, gst::BufferFlags::empty())]
    {
        feed.picture(&unit(at, 1000, flags));
    }
    assert!(feed.passes_on());
    feed.picture(&unit(3000, 1000, gst::BufferFlags::DELTA_UNIT));
    assert!(!feed.has_overflown(), "900 packets waited before");
    for at in 0..451 {
        feed.picture(&unit(4000 + at, 1, gst::BufferFlags::DELTA_UNIT));
    }
    assert!(feed.has_overflown(), "what comes for seconds meanwhile is not kept");
}
