//! Four people cut out and enlarged to 800x450 over a 1280x720 background: what a frame costs here, and what the same
//! frames cost in GStreamer's `compositor`.
//!
//! After criterion's measurements one line compares CPU time of the whole process, user and system:
//! `compose: ours X ms CPU/frame, compositor Y ms CPU/frame, ratio Z (…)`. The pictures of both are compared as well,
//! so that both are known to do the same job. Without GStreamer's `compositor` the line says so.
//!
//! Two more lines say what twelve people cut out cost, with round corners, a border and their name in letters and
//! without, and what a change of the layout costs the mix thread.

use std::{
    fs,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput};
use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;
use serde_json::{Value, json};
use virfie::{
    control::assets::lettering::{Face, Letterer},
    layout::{Canvas, read},
    media::{
        compose::{
            backdrop::BackdropPainter,
            canvas::{Geometry, Isa, LayerBlender},
            latest_frames::LatestFrames,
            planes::{I420, copy},
            rotate::{Rotation, RotationBlender},
            stage::Stage,
            twirl::Twirler,
        },
        gst::frame::VideoFrame,
        port::{Image, ParticipantId, PeerId, Picture, Seat, Still},
    },
};

/// The canvas in pixels.
const CANVAS: (usize, usize) = (1280, 720);
/// A person's picture in pixels.
const PERSON: (usize, usize) = (640, 360);
/// A layer on the canvas in pixels.
const LAYER: (i32, i32) = (800, 450);
/// Upper left corners of the layers: one in each corner of the canvas, overlapping in the middle.
const PLACES: [(i32, i32); 4] = [(0, 0), (480, 0), (0, 270), (480, 270)];

/// Frames through `compositor`: some seconds, as process times come in steps of 10 ms.
const COMPOSITOR_FRAMES: u32 = 150;
/// Frames composed here, to last about as long.
const OUR_FRAMES: u32 = 5000;

/// Returns a person-like picture: texture, and a mask of a head and shoulders with a soft edge of 6 pixels (a fifth of
/// it all).
fn person(index: usize) -> I420 {
    let (width, height) = PERSON;
    let mut picture = I420::new(width, height, true);
    let mut noise = 0x9e37_79b9_u32.wrapping_mul(index as u32 + 1) | 1;
    let mut planes = picture.planes_mut();
    for y in 0..height {
        for (x, sample) in planes.luma_row(y).iter_mut().enumerate() {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            *sample = (60 + (x / 4 + y / 3 + 40 * index) % 120) as u8 + (noise % 9) as u8;
        }
    }
    for y in 0..height / 2 {
        planes.chroma_row(0, y).iter_mut().enumerate().for_each(|(x, sample)| *sample = (90 + x / 8) as u8);
        planes.chroma_row(1, y).fill((120 + 10 * index + y / 10) as u8);
    }
    let alpha = picture.alpha_mut().expect("the picture was made with alpha");
    for (position, sample) in alpha.iter_mut().enumerate() {
        let x = (position % width) as f32 / height as f32 - 0.5 * width as f32 / height as f32;
        let y = (position / width) as f32 / height as f32;
        let head = (x / 0.16).hypot((y - 0.35) / 0.22);
        let body = (x / 0.42).hypot((y - 1.05) / 0.48);
        let inside = (1.0 - head.min(body)) * 0.2 * height as f32;
        *sample = ((inside / 6.0 + 0.5).clamp(0.0, 1.0) * 255.0) as u8;
    }
    picture
}

/// Returns a smooth picture to stand in front of.
fn background() -> I420 {
    let (width, height) = CANVAS;
    let mut picture = I420::new(width, height, false);
    let mut planes = picture.planes_mut();
    for y in 0..height {
        planes.luma_row(y).iter_mut().enumerate().for_each(|(x, sample)| *sample = (40 + x / 16 + y / 8) as u8);
    }
    for y in 0..height / 2 {
        planes.chroma_row(0, y).fill((100 + y / 8) as u8);
        planes.chroma_row(1, y).iter_mut().enumerate().for_each(|(x, sample)| *sample = (100 + x / 16) as u8);
    }
    picture
}

/// Everything that a frame is made of, and the canvas.
struct Scene {
    background: I420,
    people: Vec<I420>,
    blenders: Vec<LayerBlender>,
    canvas: I420,
}

impl Scene {
    fn new(isa: Isa) -> Self {
        Self {
            background: background(),
            people: (0..PLACES.len()).map(person).collect(),
            blenders: PLACES.iter().map(|_| LayerBlender::with_isa(isa)).collect(),
            canvas: I420::new(CANVAS.0, CANVAS.1, false),
        }
    }

    fn compose(&mut self, (width, height): (i32, i32), use_alpha: bool) {
        let mut canvas = self.canvas.planes_mut();
        copy(&mut canvas, &self.background.planes());
        for ((blender, person), &(x, y)) in self.blenders.iter_mut().zip(&self.people).zip(&PLACES) {
            let whole = Geometry::whole_at(x, y, PERSON.0, PERSON.1);
            let geometry = Geometry { dst_width: width, dst_height: height, ..whole };
            blender.blend(&mut canvas, &person.planes(), &geometry, 255, use_alpha);
        }
        black_box(&self.canvas);
    }
}

fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compose");
    group.throughput(Throughput::Elements(1));
    let small = (LAYER.0 / 2, LAYER.1 / 2);
    let tiny = (LAYER.0 / 3, LAYER.1 / 3);
    for (name, isa, size, use_alpha) in [
        ("four masked layers of 800x450", Isa::detect(), LAYER, true),
        ("four masked layers of 400x225", Isa::detect(), small, true),
        ("four masked layers of 266x150, halved", Isa::detect(), tiny, true),
        ("four opaque layers of 800x450", Isa::detect(), LAYER, false),
        ("four masked layers of 800x450, portable", Isa::PLAIN, LAYER, true),
    ] {
        let mut scene = Scene::new(isa);
        group.bench_function(name, |bencher| bencher.iter(|| scene.compose(size, use_alpha)));
    }
    let mut scene = Scene::new(Isa::detect());
    let mut rotators: [RotationBlender; 4] = Default::default();
    let turn = Rotation { degrees: 12.0, radius: 20.0, border: None, opacity: 255, use_alpha: true };
    group.bench_function("four masked layers of 800x450, turned by 12 degrees", |bencher| {
        bencher.iter(|| {
            let mut canvas = scene.canvas.planes_mut();
            copy(&mut canvas, &scene.background.planes());
            for ((rotator, person), &(x, y)) in rotators.iter_mut().zip(&scene.people).zip(&PLACES) {
                let whole = Geometry::whole_at(x, y, PERSON.0, PERSON.1);
                let geometry = Geometry { dst_width: LAYER.0, dst_height: LAYER.1, ..whole };
                rotator.blend(&mut canvas, &person.planes(), &geometry, &turn);
            }
        });
    });
    group.bench_function("background only", |bencher| {
        bencher.iter(|| copy(&mut scene.canvas.planes_mut(), &scene.background.planes()));
    });
    // As a layout has it, in the circle that is as wide as the canvas, and at Virfie's size.
    for (name, width) in [("twirl of 1280x720", 1280), ("twirl of 960x720", 960)] {
        let (mut twirler, mut angle) = (Twirler::default(), 0.0f32);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                // Another angle in every frame, as it is to and fro.
                angle = (angle + 0.1) % 10.0;
                let mut canvas = scene.canvas.planes_mut();
                canvas.width = width;
                twirler.draw(&mut canvas, angle);
            });
        });
    }
    group.finish();
}

/// Returns CPU time of this process so far, in milliseconds, user and system; in steps of 10 ms.
fn cpu_ms() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name, in brackets, may hold spaces; the state follows it as field 3, user and system time are 14 and 15.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    // The kernel counts in hundredths of a second towards programs, whatever its own tick is.
    Some((user + system) * 10.0)
}

/// Returns CPU milliseconds a frame of ours, and the last picture.
fn ours() -> Option<(f64, I420)> {
    let mut scene = Scene::new(Isa::detect());
    scene.compose(LAYER, true);
    let before = cpu_ms()?;
    for _ in 0..OUR_FRAMES {
        scene.compose(LAYER, true);
    }
    Some(((cpu_ms()? - before) / f64::from(OUR_FRAMES), scene.canvas))
}

/// Returns the same frames through `compositor`, one thread; as its inputs have alpha, it works in AYUV.
fn launch_line() -> String {
    // One colorimetry everywhere, or it would convert by a matrix as well.
    let video = |format: &str, (width, height): (usize, usize)| {
        format!("video/x-raw,format={format},width={width},height={height},framerate=30/1,colorimetry=bt709")
    };
    let mut line = String::from("compositor name=mix max-threads=1 background=black sink_0::zorder=0");
    for (index, (x, y)) in PLACES.iter().enumerate() {
        let pad = format!("sink_{}", index + 1);
        let (width, height) = LAYER;
        line += &format!(" {pad}::xpos={x} {pad}::ypos={y} {pad}::width={width} {pad}::height={height}");
        line += &format!(" {pad}::zorder={}", index + 1);
    }
    line += &format!(" ! {} ! videoconvert n-threads=1 ! {}", video("AYUV", CANVAS), video("I420", CANVAS));
    line += " ! appsink name=out sync=false max-buffers=1 drop=true wait-on-eos=false";
    let source = |name: &str, caps: String, pad: usize| {
        format!(" appsrc name={name} format=time max-bytes=0 caps=\"{caps}\" ! mix.sink_{pad}")
    };
    line += &source("background", video("I420", CANVAS), 0);
    for index in 0..PLACES.len() {
        line += &source(&format!("person{index}"), video("A420", PERSON), index + 1);
    }
    line
}

/// Returns CPU milliseconds a frame of `compositor`, and the last picture as packed I420.
fn compositor() -> Result<(f64, Vec<u8>), Box<dyn std::error::Error>> {
    gst::init()?;
    let pipeline = gst::parse::launch(&launch_line())?.downcast::<gst::Pipeline>().map_err(|_| "not a pipeline")?;
    let element = |name: &str| pipeline.by_name(name).ok_or("an element is missing");

    // All frames are queued before the clock starts; they share one memory each.
    let pictures = std::iter::once(("background".to_owned(), background()))
        .chain((0..PLACES.len()).map(|index| (format!("person{index}"), person(index))));
    for (name, picture) in pictures {
        let source = element(&name)?.downcast::<gst_app::AppSrc>().map_err(|_| "not an appsrc")?;
        let frame = gst::Buffer::from_slice(picture.data().to_vec());
        for index in 0..u64::from(COMPOSITOR_FRAMES) {
            let mut buffer = frame.copy();
            let start = |index: u64| gst::ClockTime::from_nseconds(index * 1_000_000_000 / 30);
            let buffer_mut = buffer.get_mut().ok_or("a fresh copy is shared")?;
            buffer_mut.set_pts(start(index));
            buffer_mut.set_duration(start(index + 1) - start(index));
            source.push_buffer(buffer)?;
        }
        source.end_of_stream()?;
    }
    let sink = element("out")?.downcast::<gst_app::AppSink>().map_err(|_| "not an appsink")?;
    let bus = pipeline.bus().ok_or("a pipeline without bus")?;

    let before = cpu_ms().ok_or("no process times")?;
    pipeline.set_state(gst::State::Playing)?;
    let end =
        bus.timed_pop_filtered(gst::ClockTime::from_seconds(120), &[gst::MessageType::Eos, gst::MessageType::Error]);
    let spent = cpu_ms().ok_or("no process times")? - before;
    let outcome = match end.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Eos(_)) => {
            let sample = sink.pull_sample()?;
            let buffer = sample.buffer().ok_or("a sample without buffer")?;
            Ok((spent / f64::from(COMPOSITOR_FRAMES), buffer.map_readable()?.to_vec()))
        }
        Some(gst::MessageView::Error(error)) => Err(error.error().to_string().into()),
        _ => Err("no end within two minutes".into()),
    };
    pipeline.set_state(gst::State::Null)?;
    outcome
}

/// Returns the mean difference of the luma samples, in levels.
fn luma_difference(ours: &I420, theirs: &[u8]) -> f64 {
    let ours = ours.planes().y;
    let sum: u64 = ours.iter().zip(theirs).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / ours.len() as f64
}

fn compare() {
    let started = Instant::now();
    let Some((ours, picture)) = ours() else {
        println!("compose: no process times on this system, compositor not compared");
        return;
    };
    match compositor() {
        Ok((theirs, their_picture)) => println!(
            "compose: ours {ours:.3} ms CPU/frame, compositor {theirs:.2} ms CPU/frame, ratio {:.4} \
             (1/{:.0}; luma differs by {:.2} levels on average; measured in {:.0} s)",
            ours / theirs,
            theirs / ours,
            luma_difference(&picture, &their_picture),
            started.elapsed().as_secs_f64(),
        ),
        Err(error) => println!("compose: ours {ours:.3} ms CPU/frame, compositor not compared: {error}"),
    }
}

/// Number of people in the room.
const TWELVE: usize = 12;
/// Frames composed of them.
const ROOM_FRAMES: u32 = 1500;
/// Changes of the layout.
const CHANGES: u32 = 2000;

/// Returns twelve people cut out in a grid over an image, plain or with all that a layer can have around it.
fn layout(adorned: bool, shift: i32) -> Value {
    let mut layers = Vec::new();
    for index in 0..TWELVE {
        let (x, y) = (10 + index % 4 * 318, 10 + index / 4 * 236);
        let mut person = json!({"id": format!("p{index}"), "source": {"participant": format!("p{index}")},
            "x": x as i32 + shift, "y": y, "width": 308, "height": 228, "cutout": "person", "z": 1});
        if adorned {
            person["radius"] = json!(24);
            person["border"] = json!({"width": 4, "color": "#ffcc00"});
            let name = json!({"text": format!("Participant {index}"), "size": 24, "weight": 600});
            let at = (x as i32 + shift + 16, y + 186);
            layers.push(json!({"id": format!("t{index}"), "source": name, "x": at.0, "y": at.1, "z": 2}));
        }
        layers.push(person);
    }
    json!({"canvas": {"background": "back.png"}, "layers": layers, "auto": {"mode": "off"}})
}

fn who(index: usize) -> ParticipantId {
    ParticipantId(format!("id{index}").into())
}

/// Returns the room's picture, with everything that control makes ready for it.
fn picture(layout: &Value, back: &Image, letterer: &Letterer) -> Picture {
    let scene = Arc::new(read(layout, &Canvas::default()).expect("the layout is right"));
    let mut images = vec![back.clone()];
    for (_, lettering) in scene.letterings() {
        let still = letterer.draw(&lettering, &Face::Family("Inter")).expect("the text is small");
        images.push(Image { name: lettering.name().into(), still: Arc::new(still), clip: None });
    }
    let seat = |index: usize| Seat { participant: who(index), name: format!("p{index}").into() };
    Picture { scene, people: (0..TWELVE).map(seat).collect(), speakers: Vec::new(), images }
}

/// Returns everybody's newest frame, with a mask as alpha.
fn cameras() -> LatestFrames {
    let slots = LatestFrames::default();
    let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::A420, PERSON.0 as u32, PERSON.1 as u32);
    let info = info.build().expect("a usual size");
    for index in 0..TWELVE {
        let buffer = gst::Buffer::from_slice(person(index).data().to_vec());
        let frame = VideoFrame::from_buffer_readable(buffer, &info).expect("the planes fit");
        slots.assign(&who(index), PeerId(index as u64));
        slots.put(&who(index), PeerId(index as u64), frame.into(), Duration::ZERO);
    }
    slots
}

fn room() {
    if gst::init().is_err() {
        println!("compose: no GStreamer, no room");
        return;
    }
    let slots = cameras();
    let letterer = Letterer::default();
    let pixels: Vec<u8> =
        (0..1920u32 * 1080).flat_map(|at| [(at % 251) as u8, (at / 1920 % 241) as u8, 90, 255]).collect();
    let back = Image { name: "back.png".into(), still: Arc::new(Still::new(&pixels, 1920, 1080)), clip: None };
    let mut canvas = I420::new(CANVAS.0, CANVAS.1, false);
    let (second, hold) = (Duration::from_secs(1), Duration::MAX);
    let mut cost = |adorned: bool| {
        let show = BackdropPainter::default().prepare(picture(&layout(adorned, 0), &back, &letterer));
        let mut stage = Stage::new(show, true);
        let mut frame = || {
            let asked = stage.update(&slots, second, hold).count();
            stage.compose(&mut canvas.planes_mut());
            asked
        };
        assert_eq!(frame(), TWELVE);
        let before = cpu_ms()?;
        (0..ROOM_FRAMES).for_each(|_| {
            black_box(frame());
        });
        Some((cpu_ms()? - before) / f64::from(ROOM_FRAMES))
    };
    if let (Some(plain), Some(adorned)) = (cost(false), cost(true)) {
        println!(
            "compose: {TWELVE} people cut out over an image of 1280x720 {plain:.3} ms CPU/frame; with radius, border and \
             text {adorned:.3} ms CPU/frame"
        );
    }

    // The same room, all layers moved to and fro; texts and images are those that control has kept.
    let pictures = [0, 40].map(|shift| picture(&layout(true, shift), &back, &letterer));
    let mut painter = BackdropPainter::default();
    let mut stage = Stage::new(painter.prepare(pictures[0].clone()), true);
    let (mut aside, mut mixing, mut first) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for change in 0..CHANGES {
        let begun = Instant::now();
        let show = painter.prepare(pictures[change as usize % 2].clone());
        aside += begun.elapsed();
        let begun = Instant::now();
        let spent = stage.set(show);
        mixing += begun.elapsed();
        let begun = Instant::now();
        black_box(stage.update(&slots, second, hold).count());
        first += begun.elapsed();
        drop(spent);
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(CHANGES);
    println!(
        "compose: a change of 24 layers costs the mix thread {:.1} us to take and {:.1} us to place; {:.1} us beside it",
        each(mixing),
        each(first),
        each(aside)
    );
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion);
    criterion.final_summary();
    // Only where criterion measures too, not where it is asked to try or to list.
    if !std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        room();
        compare();
    }
}
