use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::Duration,
};

use gstreamer as gst;
use gstreamer_video as gst_video;
use serde_json::{Value, json};
use virfie::{
    layout::{Canvas, read},
    media::{
        compose::{
            clock::{Audience, CanvasFormat, Composer},
            colour::Matrix,
            latest_frames::{Arrival, LatestFrames},
            layer_request::LayerRequest,
        },
        gst::{clock::media_clock, frame::VideoFrame, priority::Role},
        port::{ParticipantId, PeerId, Picture, Seat},
    },
};

use super::frames::{PATIENCE, alike, flat, pixel, turn};

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const WHITE: [u8; 3] = [255; 3];
const GREY: [u8; 3] = [0x11; 3];

const CANVAS: (usize, usize) = (320, 180);

/// One composed frame, as it was handed over.
struct Shot {
    /// On the media clock.
    at: Duration,
    pts: Duration,
    data: Vec<u8>,
}

impl Shot {
    fn shows(&self, x: usize, y: usize, rgb: [u8; 3]) -> bool {
        alike(pixel(&self.data, CANVAS, x, y), Matrix::Bt601.colour(rgb))
    }
}

struct Watcher {
    shots: Sender<Shot>,
    expired: Sender<(ParticipantId, Duration)>,
}

impl Audience for Watcher {
    fn frame(&self, frame: &gst::Buffer, format: CanvasFormat) {
        assert_eq!((format.width as usize, format.height as usize), CANVAS);
        let data = frame.map_readable().unwrap().as_slice().to_vec();
        let pts = Duration::from_nanos(frame.pts().unwrap().nseconds());
        // The test may be over.
        let _ = self.shots.send(Shot { at: media_clock().now(), pts, data });
    }

    fn ask(&self, _: &ParticipantId, ask: &LayerRequest) {
        assert!(ask.cuts.is_empty(), "nobody can be cut out here");
    }

    fn expired(&self, participant: &ParticipantId) {
        let _ = self.expired.send((participant.clone(), media_clock().now()));
    }
}

struct Room {
    composer: Composer,
    slots: Arc<LatestFrames>,
    shots: Receiver<Shot>,
    expired: Receiver<(ParticipantId, Duration)>,
}

fn picture(fps: u32, layout: &Value, people: &[&str]) -> Picture {
    let canvas = Canvas { width: CANVAS.0 as u32, height: CANVAS.1 as u32, fps, ..Canvas::default() };
    let scene = Arc::new(read(layout, &canvas).unwrap());
    let seat = |name: &&str| Seat { participant: id(name), name: (*name).into() };
    let people = people.iter().map(seat).collect();
    Picture { scene, people, speakers: Vec::new(), images: Vec::new() }
}

fn id(name: &str) -> ParticipantId {
    ParticipantId(format!("id-of-{name}").into())
}

/// Returns the left half in one colour, the right half in another.
fn halves(left: &str, right: &str) -> Value {
    json!({
        "layers": [
            {"id": "left", "source": {"color": left}, "x": 0, "y": 0, "width": "50%", "height": "100%"},
            {"id": "right", "source": {"color": right}, "x": "50%", "y": 0, "width": "50%", "height": "100%"}
        ],
        "auto": {"mode": "off"}
    })
}

impl Room {
    fn start(picture: Picture, hold: Duration) -> Self {
        let (give, shots) = channel();
        let (tell, expired) = channel();
        let slots = Arc::<LatestFrames>::default();
        let watcher = Arc::new(Watcher { shots: give, expired: tell });
        let composer = Composer::start("test", Role::Mix, picture, hold, false, slots.clone(), watcher).unwrap();
        Self { composer, slots, shots, expired }
    }

    fn shot(&self) -> Shot {
        self.shots.recv_timeout(PATIENCE).expect("the clock ticks")
    }

    /// Returns the first frame from now on that is as it should be, of ten seconds.
    fn find(&self, fits: impl FnMut(&Shot) -> bool) -> Shot {
        (0..300).map(|_| self.shot()).find(fits).expect("such a frame within ten seconds")
    }

    fn put(&self, name: &str, size: (u32, u32), rgb: [u8; 3]) -> Arrival {
        let format = CanvasFormat { width: size.0, height: size.1, fps: 30 };
        let info = gst_video::VideoInfo::from_caps(&format.caps()).unwrap();
        let frame = VideoFrame::from_buffer_readable(flat(format, rgb), &info).unwrap();
        self.slots.put(&id(name), PeerId(1), frame.into(), media_clock().now())
    }
}

#[test]
fn a_frame_leaves_at_every_tick_with_the_ticks_time() {
    let _turn = turn();
    for fps in [15, 30, 60] {
        let room = Room::start(picture(fps, &json!({}), &[]), Duration::from_secs(1));
        room.composer.run(true);
        let shots: Vec<Shot> = (0..fps + 1).map(|_| room.shot()).collect();
        let period = Duration::from_secs(1) / fps;
        let steps: Vec<Duration> = shots.windows(2).map(|pair| pair[1].pts - pair[0].pts).collect();
        assert!(steps.iter().all(|step| step.as_nanos() % period.as_nanos() == 0), "{fps}: {steps:?}");
        let missed: u128 = steps.iter().map(|step| step.as_nanos() / period.as_nanos() - 1).sum();
        let late = shots.iter().filter(|shot| shot.at.saturating_sub(shot.pts) > period).count();
        println!("{fps} a second: {missed} ticks missed, {late} frames late");
        assert!(missed <= u128::from(fps) / 10 && late <= fps as usize / 10, "{fps}: {missed} missed, {late} late");
        assert!(shots.iter().all(|shot| shot.at >= shot.pts), "no frame before its tick");
    }
}

#[test]
fn another_picture_is_shown_whole_at_one_frame_edge() {
    let _turn = turn();
    let pictures = [picture(30, &halves("#ff0000", "#00ff00"), &[]), picture(30, &halves("#0000ff", "#ffffff"), &[])];
    let colours = [(RED, GREEN), (BLUE, WHITE)];
    let room = Room::start(pictures[0].clone(), Duration::from_secs(1));
    room.composer.run(true);
    let rows = [0, 1, 60, 90, 120, 178, 179];
    let is_whole = |shot: &Shot, (left, right): ([u8; 3], [u8; 3])| {
        let lefts = [0, 80, 158].iter().all(|x| rows.iter().all(|y| shot.shows(*x, *y, left)));
        lefts && [162, 240, 319].iter().all(|x| rows.iter().all(|y| shot.shows(*x, *y, right)))
    };
    for round in 1..=30 {
        let (old, new) = (colours[(round + 1) % 2], colours[round % 2]);
        assert!(room.shots.try_iter().all(|shot| is_whole(&shot, old)), "round {round}: a torn frame before it");
        room.composer.set_picture(pictures[round % 2].clone(), Vec::new());
        let first = room.shot();
        assert!(is_whole(&first, old) || is_whole(&first, new), "round {round}: a torn frame");
        // One frame may have been under way, and one more waited for the test; not three.
        let (_, third) = (room.shot(), room.shot());
        assert!(is_whole(&third, new), "round {round}: the old picture is shown for too long");
    }
}

#[test]
fn the_last_frame_of_a_silent_sender_is_held_and_then_gone() {
    let _turn = turn();
    const HOLD: Duration = Duration::from_millis(400);
    let room = Room::start(picture(30, &json!({}), &["ann"]), HOLD);
    room.slots.assign(&id("ann"), PeerId(1));
    room.composer.run(true);
    assert!(room.shot().shows(160, 90, GREY));
    for (round, rgb) in [RED, BLUE].into_iter().enumerate() {
        let put = media_clock().now();
        assert_eq!(room.put("ann", (160, 90), rgb), Arrival::Started(160, 90), "round {round}");
        let shown = room.find(|shot| shot.shows(160, 90, rgb));
        assert!(shown.at - put < Duration::from_millis(200), "shown after {:?}", shown.at - put);
        let gone = room.find(|shot| !shot.shows(160, 90, rgb));
        assert!(gone.shows(160, 90, GREY) && gone.shows(5, 5, GREY));
        let held = gone.at - put;
        println!("held {held:?} of {HOLD:?}");
        assert!(held >= HOLD && held < HOLD + Duration::from_millis(200), "{held:?}");
        let (who, _) = room.expired.recv_timeout(PATIENCE).unwrap();
        assert_eq!(who, id("ann"));
    }
    assert!(room.expired.try_recv().is_err(), "reported once each time");

    // Someone else's connection does not count, and a forgotten one is gone at once.
    room.put("ann", (160, 90), GREEN);
    room.find(|shot| shot.shows(160, 90, GREEN));
    room.slots.assign(&id("ann"), PeerId(2));
    assert_eq!(room.put("ann", (160, 90), RED), Arrival::Stale);
    room.slots.forget(&id("ann"));
    let gone = room.find(|shot| !shot.shows(160, 90, GREEN));
    assert!(gone.shows(160, 90, GREY));
}

#[test]
fn a_resting_clock_gives_no_frames_but_snapshots_of_what_is_now() {
    let _turn = turn();
    let room = Room::start(picture(30, &halves("#ff0000", "#00ff00"), &["ann"]), Duration::from_millis(300));
    let snapshot = || {
        let (reply, answer) = channel();
        room.composer.snapshot(Box::new(move |frame| drop(reply.send(frame))));
        answer.recv_timeout(PATIENCE).unwrap().unwrap()
    };
    let at = |frame: &virfie::media::port::Frame, x: usize| {
        let start = (90 * CANVAS.0 + x) * 3;
        [frame.rgb[start], frame.rgb[start + 1], frame.rgb[start + 2]]
    };
    let near = |one: [u8; 3], other: [u8; 3]| one.iter().zip(other).all(|(one, other)| one.abs_diff(other) <= 4);
    let frame = snapshot();
    assert_eq!((frame.width, frame.height, frame.rgb.len()), (320, 180, 320 * 180 * 3));
    assert!(near(at(&frame, 80), RED) && near(at(&frame, 240), GREEN));
    room.composer.set_picture(picture(30, &halves("#0000ff", "#ffffff"), &["ann"]), Vec::new());
    let frame = snapshot();
    assert!(near(at(&frame, 80), BLUE) && near(at(&frame, 240), WHITE), "a snapshot is never of an older picture");

    // Frames are held no longer because nobody looks.
    room.slots.assign(&id("ann"), PeerId(1));
    room.put("ann", (160, 90), RED);
    assert_eq!(room.expired.recv_timeout(PATIENCE).unwrap().0, id("ann"));
    assert!(matches!(room.shots.recv_timeout(Duration::from_millis(100)), Err(RecvTimeoutError::Timeout)));

    room.composer.run(true);
    room.shot();
    room.composer.run(false);
    // What was under way may still come; then there is silence.
    while room.shots.recv_timeout(Duration::from_millis(150)).is_ok() {}
    assert!(near(at(&snapshot(), 80), BLUE));
}

#[test]
fn who_leaves_fades_out_if_the_layout_has_a_transition() {
    let _turn = turn();
    let layout = json!({
        "layers": [
            {"id": "ann", "source": {"participant": "ann"}, "x": 0, "y": 0, "width": "50%", "height": "100%"},
            {"id": "bob", "source": {"participant": "bob"}, "x": "50%", "y": 0, "width": "50%", "height": "100%"}
        ],
        "auto": {"mode": "off"},
        "transition": {"duration_ms": 600, "easing": "linear"}
    });
    let room = Room::start(picture(30, &layout, &["ann", "bob"]), Duration::from_secs(9));
    for name in ["ann", "bob"] {
        room.slots.assign(&id(name), PeerId(1));
        room.put(name, (160, 180), RED);
    }
    room.composer.run(true);
    room.find(|shot| shot.shows(80, 90, RED) && shot.shows(240, 90, RED));

    // The one who stays is another index from now on; the other's place fades from red to grey.
    room.slots.forget(&id("ann"));
    room.composer.set_picture(picture(30, &layout, &["bob"]), Vec::new());
    let red = |shot: &Shot, x: usize| pixel(&shot.data, CANVAS, x, 90)[2];
    let mut fading = Vec::new();
    let last = room.find(|shot| {
        fading.push(red(shot, 80));
        shot.shows(80, 90, GREY)
    });
    assert!(last.shows(240, 90, RED));
    assert!(fading.windows(2).all(|pair| pair[1] <= pair[0]), "it only fades: {fading:?}");
    let [first, end] = [Matrix::Bt601.colour(RED)[2], Matrix::Bt601.colour(GREY)[2]];
    let between = fading.iter().filter(|red| **red < first - 5 && **red > end + 5).count();
    assert!(between >= 8, "of 18 frames of fading {between} were seen: {fading:?}");

    // Nothing more comes from bob, who is still in: the same.
    room.slots.forget(&id("bob"));
    let mut fading = 0;
    room.find(|shot| {
        fading += usize::from(!shot.shows(240, 90, RED) && !shot.shows(240, 90, GREY));
        shot.shows(240, 90, GREY)
    });
    assert!(fading >= 8, "{fading}");
}

#[test]
fn sixty_changes_a_second_cost_no_frame() {
    let _turn = turn();
    let at = |x: usize| {
        let mut layout = halves("#ff0000", "#00ff00");
        layout["layers"][0]["x"] = json!(x);
        layout["layers"][0]["radius"] = json!(9);
        picture(30, &layout, &[])
    };
    let room = Room::start(at(0), Duration::from_secs(1));
    room.composer.run(true);
    room.shot();
    let begun = media_clock().now();
    for change in 1..=120_u32 {
        let due = begun + Duration::from_secs(1) * change / 60;
        std::thread::sleep(due.saturating_sub(media_clock().now()));
        room.composer.set_picture(at(change as usize), Vec::new());
    }
    let shots: Vec<Shot> = room.shots.try_iter().collect();
    let period = Duration::from_secs(1) / 30;
    let missed: u128 =
        shots.windows(2).map(|pair| (pair[1].pts - pair[0].pts + period / 2).as_nanos() / period.as_nanos() - 1).sum();
    println!("{} frames, {missed} ticks missed", shots.len());
    // As without changes: these machines are noisy.
    assert!(shots.len() >= 54 && missed <= 6, "{} frames, {missed} missed", shots.len());
    room.find(|shot| shot.shows(125, 90, RED) && !shot.shows(115, 90, RED));
}

/// Breaks when a participant's last frame has been held for long enough.
struct Breaks(Sender<Shot>);

impl Audience for Breaks {
    fn frame(&self, _: &gst::Buffer, _: CanvasFormat) {
        let _ = self.0.send(Shot { at: media_clock().now(), pts: Duration::ZERO, data: Vec::new() });
    }

    fn ask(&self, _: &ParticipantId, _: &LayerRequest) {}

    fn expired(&self, _: &ParticipantId) {
        panic!("a fault that a test has asked for");
    }
}

#[test]
fn a_fault_outside_of_the_arithmetic_is_seen_from_outside() {
    let _turn = turn();
    let (give, shots) = channel();
    let slots = Arc::<LatestFrames>::default();
    let hold = Duration::from_millis(100);
    let picture = picture(30, &json!({}), &["ann"]);
    let composer =
        Composer::start("test", Role::Mix, picture, hold, false, slots.clone(), Arc::new(Breaks(give))).unwrap();
    composer.run(true);
    shots.recv_timeout(PATIENCE).expect("the clock ticks");
    assert!(!composer.is_over());
    let format = CanvasFormat { width: 64, height: 36, fps: 30 };
    let info = gst_video::VideoInfo::from_caps(&format.caps()).unwrap();
    let frame = VideoFrame::from_buffer_readable(flat(format, [255, 0, 0]), &info).unwrap();
    slots.assign(&id("ann"), PeerId(1));
    slots.put(&id("ann"), PeerId(1), frame.into(), media_clock().now());
    // Its thread drops what it sends to when it ends.
    while shots.recv_timeout(PATIENCE).is_ok() {}
    let begun = std::time::Instant::now();
    while !composer.is_over() {
        assert!(begun.elapsed() < PATIENCE, "the thread has panicked");
        std::thread::yield_now();
    }
}
