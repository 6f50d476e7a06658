#![allow(clippy::unwrap_used)]
use super::{scale::Size, *};

const PLAIN: MaskOptions = MaskOptions { threshold: 0.5, feather: 0.33, smoothing: 0.0 };

/// A picture whose luma is `luma(x, y)`, with a little colour.
struct Picture {
    size: Size,
    y: Vec<u8>,
    chroma: Vec<u8>,
}

impl Picture {
    fn new(size: Size, luma: impl Fn(usize, usize) -> u8) -> Self {
        let y = (0..size.0 * size.1).map(|index| luma(index % size.0, index / size.0)).collect();
        let chroma = (0..size.0.div_ceil(2) * size.1.div_ceil(2)).map(|index| 120 + (index * 7 % 11) as u8).collect();
        Self { size, y, chroma }
    }

    fn yuv(&self) -> Yuv<'_> {
        let half = self.size.0.div_ceil(2);
        let (width, height) = self.size;
        Yuv { width, height, y: (&self.y, width), u: (&self.chroma, half), v: (&self.chroma, half) }
    }

    fn grey(size: Size) -> Self {
        Self::new(size, |_, _| 120)
    }

    /// Returns a light person left of `edge`, the wall dark.
    fn edge(size: Size, edge: usize) -> Self {
        Self::new(size, |x, y| if x < edge { 180 } else { 60 } + ((x * 5 + y * 3) % 7) as u8)
    }

    fn mask(&self, maker: &mut MaskMaker, logits: &[f32], grid: Size, options: MaskOptions) -> Vec<u8> {
        let mut alpha = vec![7; self.size.0 * self.size.1];
        maker.make(logits, Grid::ends(grid.0, grid.1), &self.yuv(), options, &mut alpha, self.size.0);
        alpha
    }
}

/// Returns a spotted ball around `(x, y)` before a darker, striped wall, and the network's logits for it.
fn ball((x, y): (usize, usize)) -> (Picture, Vec<f32>) {
    let inside = |at: (f32, f32)| (at.0 - x as f32).hypot(at.1 - y as f32) < 70.0;
    let luma = |column: usize, row: usize| {
        if inside((column as f32, row as f32)) {
            let (column, row) = (column + 640 - x, row + 360 - y);
            190 + ((column / 9 * 5 + row / 7 * 3) % 8 * 6) as u8
        } else {
            60 + ((column / 12 + row / 20) % 5 * 8) as u8
        }
    };
    let point = |index: usize| ((index % 17) as f32 * 40.0, (index / 17) as f32 * 40.0);
    let logits = (0..170).map(|index| if inside(point(index)) { 8.0 } else { -8.0 }).collect();
    (Picture::new((640, 360), luma), logits)
}

/// Returns the share of all pixels in which `alpha` is not the ball around `(x, y)`.
fn missed(alpha: &[u8], (x, y): (usize, usize)) -> f32 {
    let inside = |index: usize| ((index % 640) as f32 - x as f32).hypot((index / 640) as f32 - y as f32) < 70.0;
    let wrong = alpha.iter().enumerate().filter(|(index, alpha)| (**alpha >= 128) != inside(*index)).count();
    wrong as f32 / alpha.len() as f32
}

/// Logits that fall from left to right through zero at `zero` (0..=1 of the width).
fn slope((columns, rows): Size, zero: f32) -> Vec<f32> {
    (0..columns * rows).map(|index| (zero - (index % columns) as f32 / (columns - 1) as f32) * 24.0).collect()
}

fn crossing(row: &[u8]) -> usize {
    row.iter().position(|alpha| *alpha < 128).unwrap_or(row.len())
}

#[test]
fn the_share_that_is_kept_is_that_of_the_mask() {
    let (picture, logits) = ball((320, 180));
    let mut maker = MaskMaker::default();
    assert_eq!(maker.kept(), 0.0);
    let alpha = picture.mask(&mut maker, &logits, (17, 10), PLAIN);
    let share = alpha.iter().filter(|alpha| **alpha >= 128).count() as f32 / alpha.len() as f32;
    assert!(share > 0.05 && (maker.kept() - share).abs() < 0.01, "{} of {share}", maker.kept());
    let mut carried = vec![0; alpha.len()];
    assert!(maker.carry(&picture.yuv(), PLAIN, &mut carried, 640));
    assert!((maker.kept() - share).abs() < 0.01, "carried along: {} of {share}", maker.kept());
    picture.mask(&mut maker, &[-8.0; 170], (17, 10), PLAIN);
    assert_eq!(maker.kept(), 0.0);
}

#[test]
fn sure_frames_are_opaque_or_transparent_to_the_corners() {
    let picture = Picture::edge((90, 70), 40);
    for (logit, want) in [(9.0, 255), (-9.0, 0), (f32::NAN, 0)] {
        let alpha = picture.mask(&mut MaskMaker::default(), &[logit; 12], (4, 3), PLAIN);
        assert!(alpha.iter().all(|value| *value == want), "{logit}");
    }
}

#[test]
fn the_mask_moves_to_the_pictures_edge() {
    let picture = Picture::edge((640, 360), 300);
    // The network is 20 pixels wrong to either side.
    for zero in [280.0 / 640.0, 320.0 / 640.0] {
        let alpha = picture.mask(&mut MaskMaker::default(), &slope((17, 10), zero), (17, 10), PLAIN);
        for row in alpha.chunks(640) {
            let at = crossing(row);
            assert!((298..=302).contains(&at), "{zero}: {at}");
        }
    }
}

#[test]
fn without_an_edge_the_mask_stays_where_the_network_put_it() {
    for (threshold, want) in [(0.5, 320), (0.8, 283)] {
        let options = MaskOptions { threshold, ..PLAIN };
        let alpha = Picture::grey((640, 360)).mask(&mut MaskMaker::default(), &slope((17, 10), 0.5), (17, 10), options);
        let at = crossing(&alpha[180 * 640..][..640]);
        assert!(at.abs_diff(want) <= 4, "{threshold}: {at}");
    }
}

#[test]
fn feather_softens_the_edge() {
    let veiled = |feather: f32| {
        let options = MaskOptions { feather, ..PLAIN };
        let alpha = Picture::grey((320, 180)).mask(&mut MaskMaker::default(), &slope((9, 6), 0.5), (9, 6), options);
        alpha.iter().filter(|value| (1..255).contains(*value)).count()
    };
    assert!(veiled(0.0) * 2 < veiled(0.33) && veiled(0.33) < veiled(1.0));
}

#[test]
fn small_islands_go_small_holes_close_and_furniture_is_not_cut_out() {
    let picture = Picture::grey((640, 360));
    let (columns, rows) = (65, 37);
    let grid = |change: &dyn Fn(usize, usize) -> Option<f32>| -> Vec<u8> {
        let logits: Vec<f32> = (0..columns * rows)
            .map(|index| {
                let (x, y) = (index % columns, index / columns);
                change(x, y).unwrap_or(if (20..45).contains(&x) && y > 8 { 6.0 } else { -6.0 })
            })
            .collect();
        picture.mask(&mut MaskMaker::default(), &logits, (columns, rows), PLAIN)
    };
    let clean = grid(&|_, _| None);
    let kept = clean.iter().filter(|value| **value > 128).count();
    assert!((60_000..80_000).contains(&kept), "{kept}");
    let island = grid(&|x, y| ((5..8).contains(&x) && (5..8).contains(&y)).then_some(6.0));
    assert_eq!(island[60 * 640 + 60], 0);
    let hole = grid(&|x, y| ((30..33).contains(&x) && (20..23).contains(&y)).then_some(-6.0));
    assert_eq!(hole[215 * 640 + 315], 255);
    let furniture = grid(&|x, y| Some(if (20..45).contains(&x) && y > 8 { 0.5 } else { -6.0 }));
    assert!(furniture.iter().all(|value| *value == 0));
}

#[test]
fn still_pictures_are_smoothed_and_movement_is_not() {
    let options = MaskOptions { smoothing: 0.9, ..PLAIN };
    let grid = (17, 10);
    let still = Picture::grey((640, 360));
    let mut maker = MaskMaker::default();
    still.mask(&mut maker, &slope(grid, 0.5), grid, options);
    let next = still.mask(&mut maker, &slope(grid, 0.55), grid, options);
    let at = crossing(&next[180 * 640..][..640]);
    assert!((318..330).contains(&at), "32 pixels of noise are held back: {at}");

    let mut maker = MaskMaker::default();
    Picture::edge((640, 360), 200).mask(&mut maker, &slope(grid, 200.0 / 640.0), grid, options);
    let moved = Picture::edge((640, 360), 400).mask(&mut maker, &slope(grid, 400.0 / 640.0), grid, options);
    let at = crossing(&moved[180 * 640..][..640]);
    assert!((397..=403).contains(&at), "the mask follows at once: {at}");
}

#[test]
fn after_a_cut_nothing_of_the_last_mask_stays() {
    let options = MaskOptions { smoothing: 0.95, ..PLAIN };
    let grid = (17, 10);
    // Both scenes are alike in the right third.
    let scene = |luma: u8| Picture::new((640, 360), move |x, _| if x < 420 { luma } else { 90 });
    let mut maker = MaskMaker::default();
    scene(200).mask(&mut maker, &[9.0; 170], grid, options);
    let alpha = scene(40).mask(&mut maker, &[-9.0; 170], grid, options);
    assert!(alpha.iter().all(|value| *value == 0));
}

#[test]
fn a_reset_or_another_size_forgets_the_last_mask() {
    let options = MaskOptions { smoothing: 0.95, ..PLAIN };
    let picture = Picture::grey((64, 48));
    let other = Picture::grey((66, 48));
    let fresh = picture.mask(&mut MaskMaker::default(), &[-3.0; 20], (5, 4), options);
    let mut maker = MaskMaker::default();
    picture.mask(&mut maker, &[3.0; 20], (5, 4), options);
    maker.reset();
    assert_eq!(picture.mask(&mut maker, &[-3.0; 20], (5, 4), options), fresh);
    picture.mask(&mut maker, &[3.0; 20], (5, 4), options);
    other.mask(&mut maker, &[3.0; 20], (5, 4), options);
    assert_eq!(picture.mask(&mut maker, &[-3.0; 20], (5, 4), options), fresh);
}

#[test]
fn the_portable_code_gives_the_same_bytes() {
    let options = MaskOptions::default();
    for size in [(640, 360), (641, 363), (1280, 720), (90, 50), (33, 1)] {
        let (mut fast, mut plain) = (MaskMaker::default(), MaskMaker::default());
        for frame in 0..3 {
            let picture = Picture::new(size, |x, y| ((x * x / 50 + y * 3 + frame * x / 9) % 200) as u8);
            let logits: Vec<f32> = (0..170).map(|index| ((index * 37 + frame * 5) % 23) as f32 - 11.0).collect();
            let fast = picture.mask(&mut fast, &logits, (17, 10), options);
            let mut alpha = vec![0; size.0 * size.1];
            plain.fit(size, Grid::ends(17, 10));
            plain.make_plain((&logits, Region::whole(size)), &picture.yuv(), options, &mut alpha, size.0);
            assert!(fast == alpha, "{size:?}, frame {frame}");
        }
    }
}

#[test]
fn logits_of_a_part_of_the_frame_make_the_mask_that_those_of_the_whole_make() {
    let (picture, logits) = ball((330, 170));
    let whole = picture.mask(&mut MaskMaker::default(), &logits, (17, 10), PLAIN);
    // The same points, those of the middle half of the frame: 160 to 480, and 80 to 280.
    let region = Region { x: 160, y: 80, width: 322, height: 202 };
    let part: Vec<f32> = (0..9 * 6).map(|index| logits[(index / 9 + 2) * 17 + index % 9 + 4]).collect();
    let (mut maker, mut alpha) = (MaskMaker::default(), vec![7; 640 * 360]);
    maker.make_part((&part, region), Grid::ends(9, 6), &picture.yuv(), PLAIN, &mut alpha, 640);
    assert!(missed(&alpha, (330, 170)) < missed(&whole, (330, 170)) + 0.002, "{}", missed(&alpha, (330, 170)));
    let bounds = maker.bounds().unwrap();
    let near = |found: (f32, f32), from: f32, to: f32| (found.0 - from).abs() <= 12.0 && (found.1 - to).abs() <= 12.0;
    assert!(near(bounds.x, 260.0, 400.0) && near(bounds.y, 100.0, 240.0), "{bounds:?}");
    // Sure of somebody, and wrong: nothing outside of the part is kept.
    let region = Region { x: 320, y: 180, width: 320, height: 180 };
    maker.make_part((&[9.0; 4], region), Grid::ends(2, 2), &Picture::grey((640, 360)).yuv(), PLAIN, &mut alpha, 640);
    let at = |x: usize, y: usize| alpha[y * 640 + x];
    assert_eq!([at(500, 300), at(250, 300), at(500, 120), at(100, 100)], [255, 0, 0, 0]);
}

#[test]
fn rows_keep_to_their_strides() {
    let (width, height) = (30, 22);
    let picture = Picture::edge((width, height), 12);
    let tight = picture.mask(&mut MaskMaker::default(), &slope((3, 3), 0.4), (3, 3), PLAIN);
    let pad = |plane: &[u8], width: usize| -> Vec<u8> {
        plane.chunks(width).flat_map(|row| row.iter().copied().chain([255; 5])).collect()
    };
    let (y, chroma) = (pad(&picture.y, width), pad(&picture.chroma, 15));
    let yuv = Yuv { width, height, y: (&y, width + 5), u: (&chroma, 20), v: (&chroma, 20) };
    let mut alpha = vec![9; (width + 3) * height];
    MaskMaker::default().make(&slope((3, 3), 0.4), Grid::ends(3, 3), &yuv, PLAIN, &mut alpha, width + 3);
    for (row, want) in alpha.chunks(width + 3).zip(tight.chunks(width)) {
        assert_eq!(&row[..width], want);
        assert_eq!(&row[width..], &[9; 3]);
    }
}

#[test]
fn odd_sizes_and_grids_do_not_panic() {
    for size in [(1, 1), (2, 2), (1, 40), (3, 3), (5, 2), (17, 9), (321, 7), (1281, 721), (2000, 1000), (360, 640)] {
        for grid in [(1, 1), (3, 1), (1, 3), (17, 10), (65, 37)] {
            let logits: Vec<f32> = (0..grid.0 * grid.1).map(|index| [9.0, -9.0, f32::NAN, 1e30][index % 4]).collect();
            Picture::grey(size).mask(&mut MaskMaker::default(), &logits, grid, PLAIN);
        }
    }
    let mut alpha = [7; 4];
    let picture = Picture::grey((2, 2));
    MaskMaker::default().make(&[], Grid::default(), &picture.yuv(), PLAIN, &mut alpha, 2);
    assert_eq!(alpha, [0; 4]);
}

#[test]
fn a_carried_mask_follows_what_moves() {
    let mut maker = MaskMaker::default();
    let (picture, logits) = ball((200, 180));
    let first = picture.mask(&mut maker, &logits, (17, 10), MaskOptions::default());
    assert!(missed(&first, (200, 180)) < 0.01, "{}", missed(&first, (200, 180)));
    for at in [(218, 174), (240, 170), (255, 165), (262, 190)] {
        let mut alpha = first.clone();
        assert!(maker.carry(&ball(at).0.yuv(), MaskOptions::default(), &mut alpha, 640));
        let (carried, held) = (missed(&alpha, at), missed(&first, at));
        assert!(carried < 0.01 && held > 0.015, "{at:?}: {carried}, held {held}");
    }
    // The network's next word counts as if it had been asked all the time.
    let (picture, logits) = ball((262, 190));
    let last = picture.mask(&mut maker, &logits, (17, 10), MaskOptions::default());
    assert!(missed(&last, (262, 190)) < 0.01);
}

#[test]
fn a_carried_mask_of_a_still_picture_stays() {
    let (picture, logits) = ball((320, 200));
    let mut maker = MaskMaker::default();
    let first = picture.mask(&mut maker, &logits, (17, 10), MaskOptions::default());
    let mut alpha = vec![0; first.len()];
    assert!(maker.carry(&picture.yuv(), MaskOptions::default(), &mut alpha, 640));
    assert!(alpha == first);
}

#[test]
fn nothing_is_carried_without_an_earlier_mask_of_the_size() {
    let mut maker = MaskMaker::default();
    let (picture, other) = (Picture::grey((64, 48)), Picture::grey((48, 64)));
    let mut alpha = vec![9; 64 * 48];
    let mut carry = |maker: &mut MaskMaker, picture: &Picture| {
        let carried = maker.carry(&picture.yuv(), PLAIN, &mut alpha, picture.size.0);
        assert_eq!(carried, alpha.iter().all(|value| *value == 255));
        carried
    };
    assert!(!carry(&mut maker, &picture), "no mask yet");
    picture.mask(&mut maker, &[9.0; 12], (4, 3), PLAIN);
    assert!(!carry(&mut maker, &other), "another size");
    maker.reset();
    assert!(!carry(&mut maker, &picture), "forgotten");
    picture.mask(&mut maker, &[], (0, 0), PLAIN);
    assert!(!carry(&mut maker, &picture), "made without logits");
    picture.mask(&mut maker, &[9.0; 12], (4, 3), PLAIN);
    assert!(carry(&mut maker, &picture));
}

#[test]
fn carrying_keeps_to_strides_and_gives_the_same_bytes_in_portable_code() {
    let options = MaskOptions::default();
    for size in [(640, 360), (641, 363), (90, 50), (33, 1), (1, 1), (1281, 721)] {
        let (width, stride) = (size.0, size.0 + 3);
        let (mut fast, mut plain) = (MaskMaker::default(), MaskMaker::default());
        let logits: Vec<f32> = (0..170).map(|index| ((index * 37) % 23) as f32 - 11.0).collect();
        let picture =
            |frame: usize| Picture::new(size, |x, y| (((x + 5 * frame) * x / 50 + (y + 2 * frame) * 3) % 200) as u8);
        assert!(
            picture(0).mask(&mut fast, &logits, (17, 10), options)
                == picture(0).mask(&mut plain, &logits, (17, 10), options)
        );
        for frame in 1..3 {
            let picture = picture(frame);
            let mut alpha = vec![9; stride * size.1];
            assert!(fast.carry(&picture.yuv(), options, &mut alpha, stride));
            let mut tight = vec![0; width * size.1];
            plain.carry_plain(&picture.yuv(), options, &mut tight, width);
            for (row, want) in alpha.chunks(stride).zip(tight.chunks(width)) {
                assert!(row[..width] == *want && row[width..] == [9; 3], "{size:?}, frame {frame}");
            }
        }
    }
}
