//! The hot path of segmentation: nothing large is allocated per frame, whatever is wished for.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use virfie::{
    layout::{BodyPart, BodyParts, Cut},
    media::segment::{input::Yuv, model::Model, stream::MaskRequest, stream::Stream},
};

/// Counts what is asked for.
struct Counting;

static BYTES: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

fn count(bytes: usize) {
    BYTES.fetch_add(bytes, Ordering::Relaxed);
    LARGEST.fetch_max(bytes, Ordering::Relaxed);
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promises are those that the system's allocator wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are those that the system's allocator wants.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
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
