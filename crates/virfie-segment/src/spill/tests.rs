use super::*;

const GREY: [u8; 3] = [100, 128, 128];
const GREEN: [u8; 3] = [173, 42, 26];

/// A frame and its alpha.
#[derive(Clone)]
struct Picture {
    size: (usize, usize),
    planes: [Vec<u8>; 3],
    alpha: Vec<u8>,
}

impl Picture {
    /// `pixel(x, y)` gives colour and alpha; a chroma sample is the mean of its four pixels.
    fn new(size: (usize, usize), pixel: impl Fn(usize, usize) -> ([u8; 3], u8)) -> Self {
        let half = size.0.div_ceil(2);
        let whole = |index: usize| pixel(index % size.0, index / size.0);
        let mean = |index: usize, channel: usize| {
            let (x, y) = (index % half * 2, index / half * 2);
            let four = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
            (four.iter().map(|(x, y)| u32::from(pixel(*x, *y).0[channel])).sum::<u32>() / 4) as u8
        };
        let (pixels, cells) = (0..size.0 * size.1, 0..half * size.1.div_ceil(2));
        Self {
            size,
            planes: [
                pixels.clone().map(|index| whole(index).0[0]).collect(),
                cells.clone().map(|index| mean(index, 1)).collect(),
                cells.map(|index| mean(index, 2)).collect(),
            ],
            alpha: pixels.map(|index| whole(index).1).collect(),
        }
    }

    /// Returns grey left of `edge`, green right of it, mixed as alpha says over `soft` pixels.
    fn mixed(size: (usize, usize), edge: usize, soft: usize) -> Self {
        Self::new(size, |x, _| {
            let share = ((edge + soft).saturating_sub(x) as f32 / soft as f32).min(1.0);
            let mix =
                |person: u8, room: u8| (f32::from(person) * share + f32::from(room) * (1.0 - share)).round() as u8;
            (std::array::from_fn(|channel| mix(GREY[channel], GREEN[channel])), (share * 255.0).round() as u8)
        })
    }

    /// Returns something in every pixel, and every kind of edge.
    fn wild(size: (usize, usize)) -> Self {
        let hash = |x: usize, y: usize| (x * 7919 + y * 104_729) ^ (x * y * 31);
        Self::new(size, |x, y| {
            let alpha = (x as f32 * 0.11).sin() + (y as f32 * 0.07).cos() + (hash(x, y) % 100) as f32 * 0.003;
            let colour = [hash(x, y) % 256, hash(x + 1, y) % 256, hash(x, y + 1) % 256].map(|value| value as u8);
            (colour, (alpha * 200.0 + 128.0) as u8)
        })
    }

    fn half(&self) -> usize {
        self.size.0.div_ceil(2)
    }

    fn yuv(&self) -> Yuv<'_> {
        let [y, u, v] = &self.planes;
        let (width, height) = self.size;
        Yuv { width, height, y: (y, width), u: (u, self.half()), v: (v, self.half()) }
    }

    fn cleaned(&self, with: impl Fn(&mut Despill, &Yuv<'_>, (&[u8], usize), YuvMut<'_>)) -> [Vec<u8>; 3] {
        let mut planes = self.planes.clone();
        let [y, u, v] = &mut planes;
        let target = YuvMut { y: (y, self.size.0), u: (u, self.half()), v: (v, self.half()) };
        with(&mut Despill::default(), &self.yuv(), (&self.alpha, self.size.0), target);
        planes
    }

    fn clean(&self) -> [Vec<u8>; 3] {
        self.cleaned(Despill::clean)
    }
}

fn near(value: u8, want: u8, tolerance: u8) -> bool {
    value.abs_diff(want) <= tolerance
}

#[test]
fn a_grey_person_before_green_has_a_grey_edge() {
    let picture = Picture::mixed((160, 96), 77, 3);
    let [y, u, v] = picture.clean();
    let mut soft = 0;
    for (index, alpha) in picture.alpha.iter().enumerate().filter(|(_, alpha)| (80..255).contains(*alpha)) {
        let (x, line) = (index % 160, index / 160);
        let cell = line / 2 * 80 + x / 2;
        soft += 1;
        assert!(near(y[index], GREY[0], 12), "luma {} at {x}, alpha {alpha}", y[index]);
        assert!(near(u[cell], GREY[1], 12) && near(v[cell], GREY[2], 12), "{} {} at {x}", u[cell], v[cell]);
    }
    assert!(soft >= 2 * 96);
    assert!(picture.planes[1].iter().zip(&u).any(|(before, after)| after.abs_diff(*before) > 20));
}

#[test]
fn a_rim_of_the_wall_inside_a_hard_edge_goes() {
    // Dark hair before a bright wall; alpha is one pixel too wide.
    let picture =
        Picture::new((160, 96), |x, _| ([if x < 80 { 30 } else { 220 }, 128, 128], if x < 81 { 255 } else { 0 }));
    let [y, ..] = picture.clean();
    assert!(y.chunks(160).all(|row| row[..79].iter().all(|luma| *luma == 30) && near(row[80], 30, 8)));
}

#[test]
fn inside_and_outside_stay_byte_for_byte() {
    for size in [(160, 96), (161, 97)] {
        let picture = Picture::wild(size);
        let (width, height) = size;
        let [y, u, v] = picture.clean();
        let sure = |x: usize, y: usize| {
            let at = |x: usize, y: usize| picture.alpha[y.min(height - 1) * width + x.min(width - 1)];
            let here = at(x, y);
            (here == 0 || here == 255)
                && (0..9).all(|near| at((x + near % 3).saturating_sub(1), (y + near / 3).saturating_sub(1)) == here)
        };
        let mut kept = 0;
        for (index, (before, after)) in picture.planes[0].iter().zip(&y).enumerate() {
            let (x, line) = (index % width, index / width);
            if sure(x, line) {
                kept += 1;
                assert_eq!(before, after, "{x}, {line}");
            }
        }
        for (before, after) in [(&picture.planes[1], &u), (&picture.planes[2], &v)] {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                let (x, line) = (index % picture.half() * 2, index / picture.half() * 2);
                let pixels = [(x, line), (x + 1, line), (x, line + 1), (x + 1, line + 1)];
                if pixels.iter().all(|(x, y)| sure((*x).min(width - 1), (*y).min(height - 1))) {
                    assert_eq!(before, after, "{x}, {line}");
                }
            }
        }
        assert!((1000..width * height - 1000).contains(&kept), "{kept}");
        assert_ne!(y, picture.planes[0]);
    }
}

#[test]
fn the_persons_own_colours_stay_where_alpha_is_too_low() {
    // Alpha ends six pixels before the person does.
    let picture = Picture::new((160, 96), |x, y| {
        let person = [GREY[0] - (y % 2 * 8) as u8, GREY[1], GREY[2]];
        (if x < 84 { person } else { GREEN }, (((84usize.saturating_sub(x)) * 255 / 6).min(255)) as u8)
    });
    let [y, ..] = picture.clean();
    for (row, before) in y.chunks(160).zip(picture.planes[0].chunks(160)) {
        assert!((0..82).all(|x| near(row[x], before[x], 3)), "{:?}", &row[76..84]);
    }
}

#[test]
fn tiles_leave_no_seams() {
    for edge in 70..80 {
        let picture = Picture::mixed((160, 96), edge, 5);
        let planes = picture.clean();
        for (plane, width) in planes.iter().zip([160, 80, 80]) {
            let first = &plane[..width];
            assert!(plane.chunks(width).all(|row| row.iter().zip(first).all(|(one, other)| near(*one, *other, 1))));
        }
    }
}

#[test]
fn nothing_changes_without_an_edge_or_without_a_difference() {
    for alpha in [0, 255] {
        let picture = Picture { alpha: vec![alpha; 90 * 50], ..Picture::wild((90, 50)) };
        assert_eq!(picture.clean(), picture.planes);
    }
    let grey = Picture::new((90, 50), |x, _| (GREY, (x * 3).min(255) as u8));
    assert_eq!(grey.clean(), grey.planes);
}

#[test]
fn a_veil_far_from_all_that_is_sure_stays() {
    let picture = Picture { alpha: vec![128; 90 * 50], ..Picture::wild((90, 50)) };
    assert_eq!(picture.clean(), picture.planes);
}

#[test]
fn the_portable_code_gives_the_same_bytes() {
    for size in [(640, 360), (641, 363), (1280, 720), (90, 50), (33, 1), (1, 33)] {
        let picture = Picture::wild(size);
        let plain = picture.cleaned(|despill, frame, alpha, planes| {
            despill.fit((frame.width, frame.height));
            despill.clean_plain(frame, alpha, planes);
        });
        assert!(picture.clean() == plain, "{size:?}");
    }
}

#[test]
fn another_frame_gives_the_same_as_the_first() {
    let (one, other) = (Picture::wild((161, 97)), Picture::mixed((90, 50), 40, 6));
    let mut despill = Despill::default();
    for picture in [&one, &other, &one, &one] {
        let mut planes = picture.planes.clone();
        let [y, u, v] = &mut planes;
        let target = YuvMut { y: (y, picture.size.0), u: (u, picture.half()), v: (v, picture.half()) };
        despill.clean(&picture.yuv(), (&picture.alpha, picture.size.0), target);
        assert!(planes == picture.clean());
    }
}

#[test]
fn rows_keep_to_their_strides() {
    let picture = Picture::wild((61, 35));
    let pad = |plane: &[u8], width: usize, by: usize| -> Vec<u8> {
        plane.chunks(width).flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(9, by))).collect()
    };
    let [y, u, v] =
        [(0, 61, 3), (1, 31, 4), (2, 31, 5)].map(|(plane, width, by)| pad(&picture.planes[plane], width, by));
    let alpha = pad(&picture.alpha, 61, 7);
    let yuv = Yuv { width: 61, height: 35, y: (&y, 64), u: (&u, 35), v: (&v, 36) };
    let (mut out_y, mut out_u, mut out_v) = (pad(&picture.planes[0], 61, 1), u.clone(), v.clone());
    let planes = YuvMut { y: (&mut out_y, 62), u: (&mut out_u, 35), v: (&mut out_v, 36) };
    Despill::default().clean(&yuv, (&alpha, 68), planes);
    let [want_y, want_u, want_v] = picture.clean();
    assert_eq!(out_y, pad(&want_y, 61, 1));
    assert_eq!(out_u, pad(&want_u, 31, 4));
    assert_eq!(out_v, pad(&want_v, 31, 5));
}

#[test]
fn odd_sizes_do_not_panic() {
    for size in [(1, 1), (2, 2), (1, 40), (3, 3), (5, 2), (17, 9), (321, 7), (7, 321), (1281, 721), (2000, 1000)] {
        Picture::wild(size).clean();
    }
}

#[test]
fn planes_that_are_too_short_stay_as_they_are() {
    let picture = Picture::wild((64, 48));
    for short in 0..7 {
        for stride in [0, usize::MAX] {
            let whole = picture.yuv();
            let mut planes = picture.planes.clone();
            let [y, u, v] = &mut planes;
            let wide = |plane: usize, width: usize| if plane == short { stride } else { width };
            let frame =
                Yuv { y: (whole.y.0, wide(0, 64)), u: (whole.u.0, wide(1, 32)), v: (whole.v.0, wide(2, 32)), ..whole };
            let target = YuvMut { y: (y, wide(4, 64)), u: (u, wide(5, 32)), v: (v, wide(6, 32)) };
            Despill::default().clean(&frame, (&picture.alpha, wide(3, 64)), target);
            assert_eq!(planes, picture.planes, "{short}");
        }
    }
    let empty = Yuv { width: 0, height: 9, y: (&[], 0), u: (&[], 0), v: (&[], 0) };
    Despill::default().clean(&empty, (&[], 0), YuvMut { y: (&mut [], 0), u: (&mut [], 0), v: (&mut [], 0) });
}
