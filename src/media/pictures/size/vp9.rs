//! Sizes in VP9. Sections are of the VP9 bitstream specification, version 0.6. PURE.

use super::{Size, bits::Bits, larger};

const SYNC: u32 = 0x49_83_42;

/// Reads the largest size in a frame or in the frames of a superframe, also of those that are not shown.
pub fn size(content: &[u8]) -> Option<Size> {
    let mut largest = None;
    match superframe(content) {
        Some((frames, sizes)) => {
            let mut rest = frames;
            for size in sizes {
                let Some((frame, behind)) = rest.split_at_checked(size) else { break };
                largest = larger(largest, frame_size(frame));
                rest = behind;
            }
            // Also the first where the index is wrong: a decoder may look at it first.
            larger(largest, frame_size(content))
        }
        None => frame_size(content),
    }
}

/// Reads the index of Annex B: what the frames are in, and the size of each.
fn superframe(content: &[u8]) -> Option<(&[u8], Vec<usize>)> {
    let marker = *content.last()?;
    if marker >> 5 != 0b110 {
        return None;
    }
    let (count, width) = (usize::from(marker & 7) + 1, usize::from(marker >> 3 & 3) + 1);
    let (frames, index) = content.split_at_checked(content.len().checked_sub(2 + count * width)?)?;
    let [first, sizes @ .., _] = index else { return None };
    (*first == marker).then_some(())?;
    let size = |bytes: &[u8]| bytes.iter().rev().fold(0, |size, byte| size << 8 | usize::from(*byte));
    Some((frames, sizes.chunks_exact(width).map(size).collect()))
}

/// Makes the index (Annex B) of a buffer that has none: all of it is one frame.
pub fn index_of_one(content: &[u8]) -> Option<[u8; 6]> {
    /// One frame, whose size has four bytes.
    const MARKER: u8 = 0b1101_1000;
    if superframe(content).is_some() {
        return None;
    }
    let [a, b, c, d] = u32::try_from(content.len()).ok()?.to_le_bytes();
    Some([MARKER, a, b, c, d, MARKER])
}

/// Reads the uncompressed header, 6.2; `None` for a frame that takes its size from another.
fn frame_size(frame: &[u8]) -> Option<Size> {
    let mut bits = Bits::new(frame);
    (bits.take(2)? == 2).then_some(())?;
    let profile = u32::from(bits.flag()?) | u32::from(bits.flag()?) << 1;
    if profile == 3 {
        bits.skip(1)?;
    }
    let shows_existing = bits.flag()?;
    if shows_existing {
        return None;
    }
    let is_key = !bits.flag()?;
    let is_shown = bits.flag()?;
    let is_resilient = bits.flag()?;
    if is_key {
        (bits.take(24)? == SYNC).then_some(())?;
        color(&mut bits, profile)?;
        return sides(&mut bits);
    }
    let is_intra = !is_shown && bits.flag()?;
    if !is_resilient {
        bits.skip(2)?;
    }
    if is_intra {
        (bits.take(24)? == SYNC).then_some(())?;
        if profile > 0 {
            color(&mut bits, profile)?;
        }
        bits.skip(8)?;
        return sides(&mut bits);
    }
    bits.skip(8 + 3 * (3 + 1))?;
    // 7.2.5: the first that is found gives its size.
    for _ in 0..3 {
        if bits.flag()? {
            return None;
        }
    }
    sides(&mut bits)
}

/// Passes by `color_config()`, 6.2.2.
fn color(bits: &mut Bits, profile: u32) -> Option<()> {
    const RGB: u32 = 7;

    if profile >= 2 {
        bits.skip(1)?;
    }
    let has_subsampling = profile % 2 == 1;
    if bits.take(3)? == RGB {
        bits.skip(u32::from(has_subsampling))
    } else {
        bits.skip(if has_subsampling { 4 } else { 1 })
    }
}

/// Reads `frame_size()`, 6.2.3.
fn sides(bits: &mut Bits) -> Option<Size> {
    Some((bits.take(16)? + 1, bits.take(16)? + 1))
}

#[cfg(test)]
pub mod tests {
    use super::{super::bits::tests::bytes, *};

    /// Of libvpx, in the profiles 0 to 3, and 1 with RGB.
    pub const PROFILES: [&[u8]; 5] = [
        b"\x82\x49\x83\x42\x00\x14\x10\x0f\x16\x0c\x38\x24",
        b"\xa2\x49\x83\x42\x00\x02\x82\x01\xe2\xc1\xc7\x04",
        b"\x92\x49\x83\x42\x00\x0a\x08\x07\x8b\x06\x1c\x12",
        b"\xb1\x24\xc1\xa1\x00\x00\xa0\x80\x78\xb0\x61\xc1",
        b"\xa2\x49\x83\x42\xe0\x14\x10\x0f\x16\x0a\x38\x24",
    ];

    /// Of a hidden frame of one colour depth, which depends on no other.
    const INTRA: [(u32, u32); 8] = [(2, 2), (0, 2), (0, 1), (1, 1), (0, 1), (0, 1), (1, 1), (0, 2)];

    #[test]
    fn every_profile_gives_its_size() {
        for frame in PROFILES {
            assert_eq!(size(frame), Some((322, 242)), "{frame:?}");
        }
    }

    #[test]
    fn frames_without_a_key_give_theirs() {
        let last = [(SYNC, 24), (0xff, 8), (15_999, 16), (65_535, 16)];
        assert_eq!(size(&bytes(&[&INTRA[..], &last].concat())), Some((16_000, 65_536)));
        let inter = [(2, 2), (0, 2), (0, 1), (1, 1), (1, 1), (0, 1), (0, 2), (1, 8), (0, 12)];
        let explicit = [&inter[..], &[(0, 3), (15_999, 16), (15_999, 16)]].concat();
        assert_eq!(size(&bytes(&explicit)), Some((16_000, 16_000)));
        let as_before = [&inter[..], &[(1, 3), (15_999, 16), (15_999, 16)]].concat();
        assert_eq!(size(&bytes(&as_before)), None);
        let resilient = [(2, 2), (0, 2), (0, 1), (1, 1), (1, 1), (1, 1), (1, 8), (0, 12), (0, 3), (9, 16), (7, 16)];
        assert_eq!(size(&bytes(&resilient)), Some((10, 8)));
        let deep = [(2, 2), (1, 2), (0, 1), (1, 1), (0, 1), (1, 1), (1, 1), (SYNC, 24)];
        let deep = [&deep[..], &[(1, 1), (2, 3), (0, 1), (0xff, 8), (15_999, 16), (15_999, 16)]].concat();
        assert_eq!(size(&bytes(&deep)), Some((16_000, 16_000)), "intra-only, profile 2");
        assert_eq!(size(&bytes(&[(2, 2), (0, 2), (1, 1), (3, 3)])), None, "one that is shown again");
    }

    #[test]
    fn every_frame_of_a_superframe_counts() {
        let huge = bytes(&[&INTRA[..], &[(SYNC, 24), (0xff, 8), (15_999, 16), (15_999, 16)]].concat());
        let length = u8::try_from(huge.len()).unwrap_or(0);
        let index = [0b1100_1001, 12, 0, length, 0, 0b1100_1001];
        let both = [PROFILES[0], &huge, &index].concat();
        assert_eq!(size(&both), Some((16_000, 16_000)));
        let first = [&huge[..], PROFILES[0], &[0b1100_0001, length, 12, 0b1100_0001]].concat();
        assert_eq!(size(&first), Some((16_000, 16_000)));
        let wrong = [PROFILES[0], &huge, &[0b1100_0001, 12, 255, 0b1100_0001]].concat();
        assert_eq!(size(&wrong), Some((322, 242)));
    }

    #[test]
    fn a_buffer_without_an_index_gets_one_that_holds_all_of_it() {
        let both = [PROFILES[0], PROFILES[0]].concat();
        let index = index_of_one(&both).unwrap_or_default();
        let sealed = [&both[..], &index].concat();
        assert_eq!(superframe(&sealed), Some((&both[..], vec![both.len()])));
        assert_eq!(index_of_one(&sealed), None, "it has one");
    }
}
