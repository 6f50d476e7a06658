//! Bounds what is allocated: in the hot path of segmentation nothing large per frame, whatever is wished for, and while a text is
//! drawn not much more than its picture.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use virfie::{
    control::assets::lettering::{Face, Letterer},
    layout::{BodyPart, BodyParts, Cut, Lettering, Text, TextFrame},
    media::segment::{input::Yuv, model::Model, stream::MaskRequest, stream::Stream},
};

/// Counts what is asked for.
struct Counting;

static BYTES: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);
/// Bytes in use, and the most that were.
static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Held by each test: the numbers are the process's.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(bytes: usize, freed: usize) {
    BYTES.fetch_add(bytes, Ordering::Relaxed);
    LARGEST.fetch_max(bytes, Ordering::Relaxed);
    let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(held, Ordering::Relaxed);
    HELD.fetch_sub(freed, Ordering::Relaxed);
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are those that the system's allocator wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are those that the system's allocator wants.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: the caller's promises are those that the system's allocator wants.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SIZE: (usize, usize) = (640, 360);
/// Frames that are counted, after some that are not.
const FRAMES: usize = 32;
/// Bytes a frame: lists of a few masks and poses, no picture and no feature map (a mask of 640x360 has 230,400).
const FEW: usize = 8 * 1024;

#[test]
fn a_frame_costs_no_large_allocation_after_the_first() {
    let _turn = turn();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/models/MobileNetV1-x050-stride16.onnx");
    if !file.exists() {
        eprintln!("SKIPPED: there is no {}", file.display());
        return;
    }
    let model = Model::load(&file).expect("the shared model can be loaded");
    let hands = BodyParts::NONE.with(BodyPart::LeftHand).with(BodyPart::RightHand);
    let cuts = vec![Cut::default(), Cut { parts: Some(hands), ..Cut::default() }];
    let wishes = [
        ("a person", MaskRequest { cuts: vec![Cut::default()], ..MaskRequest::default() }, 1),
        ("a person, every second frame", MaskRequest { cuts: vec![Cut::default()], ..MaskRequest::default() }, 2),
        ("a person, hands and poses", MaskRequest { cuts, poses: true, ..MaskRequest::default() }, 1),
    ];
    let (width, height) = SIZE;
    let (chroma_width, chroma_height) = (width / 2, height / 2);
    for (what, wish, every) in wishes {
        let mut stream = Stream::new(model.clone());
        let mut pictures: Vec<(Vec<u8>, Vec<u8>)> = (0..4)
            .map(|shift| {
                let luma = (0..width * height).map(|at| (16 + (at % width + shift * 9) * 200 / 700) as u8).collect();
                (luma, (0..chroma_width * chroma_height).map(|at| (100 + at % 50) as u8).collect())
            })
            .collect();
        for frame in 0..FRAMES + 8 {
            if frame == 8 {
                BYTES.store(0, Ordering::Relaxed);
                LARGEST.store(0, Ordering::Relaxed);
            }
            let (luma, chroma) = &mut pictures[frame % 4];
            let yuv = Yuv { width, height, y: (luma, width), u: (chroma, chroma_width), v: (chroma, chroma_width) };
            let now = std::time::Duration::from_millis(33) * frame as u32;
            let outcome = stream.frame(&yuv, &wish, every, now).expect("it runs");
            assert_eq!(outcome.masks.len(), wish.cuts.len());
        }
        let (each, largest) = (BYTES.load(Ordering::Relaxed) / FRAMES, LARGEST.load(Ordering::Relaxed));
        println!("{what}: {each} bytes a frame, {largest} at once");
        assert!(each < FEW && largest < FEW, "{what}: {each} bytes a frame, {largest} at once");
    }
}

#[test]
fn a_text_takes_a_few_times_its_picture_while_it_is_drawn() {
    let _turn = turn();
    let (letterer, face) = (Letterer::default(), Face::Family("DejaVu Sans"));
    let peak = |text: &Text, frame: TextFrame| {
        let held = HELD.load(Ordering::Relaxed);
        PEAK.store(held, Ordering::Relaxed);
        let drawn = letterer.draw(&Lettering { text, frame }, &face).map(|still| still.size());
        (drawn, PEAK.load(Ordering::Relaxed) - held)
    };
    let letters = || (0xc0..).filter_map(char::from_u32).filter(|letter| letter.is_alphabetic()).take(900);
    let line = Text::plain(letters().collect::<String>());
    let lines: Vec<String> = letters().collect::<Vec<_>>().chunks(30).map(|line| line.iter().collect()).collect();
    // Each letter has a hundred kilobytes before they are made smaller.
    let lines = Text { size: 500.0, ..Text::plain(lines.join("\n")) };
    // The fonts are read once.
    assert!(peak(&Text { size: 8.0, ..line.clone() }, TextFrame::Natural).0.is_ok());
    for (text, frame) in [
        (&line, TextFrame::Height(9000)),
        (&line, TextFrame::Height(8000)),
        (&lines, TextFrame::Natural),
        (&lines, TextFrame::Height(1500)),
        (&lines, TextFrame::Width(4000)),
    ] {
        let (drawn, peak) = peak(text, frame);
        let pixels = drawn.as_ref().map_or(0, |(width, height)| *width as usize * *height as usize);
        println!("{frame:?}: {drawn:?}, {peak} bytes");
        assert!(peak < 32 * 1024 * 1024 + 8 * pixels, "{frame:?}: {drawn:?}, {peak} bytes");
    }
}
