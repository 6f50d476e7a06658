//! Sizes of pictures that say them near their beginning: VP8, JPEG, PNG and ProRes. PURE.

use super::{Size, larger};

fn pair(bytes: &[u8], at: usize) -> Option<u32> {
    match bytes.get(at..at.checked_add(2)?)? {
        [high, low] => Some(u32::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

/// Reads the header of RFC 6386, 9.1: only key frames have a size.
pub fn vp8(content: &[u8]) -> Option<Size> {
    let [tag, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = *content else { return None };
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    (tag & 1 == 0).then(|| (side(w0, w1), side(h0, h1)))
}

/// Reads the largest size that a frame header of ITU-T T.81, B.2.2, gives, wherever it is.
///
/// A decoder may take any of them, also one behind a scan, and FFmpeg finds one inside a segment that it does not know.
/// So the lengths of segments do not count, but a frame header must be one that a decoder takes.
pub fn jpeg(content: &[u8]) -> Option<Size> {
    let mut largest = None;
    let mut rest = content;
    while let Some(found) = rest.iter().position(|byte| *byte == 0xff) {
        rest = rest.get(found + 1..)?;
        largest = larger(largest, frame_header(rest));
    }
    largest
}

/// Reads what follows the first byte of a marker. C4, C8 and CC are something else; F7 is that of T.87.
fn frame_header(after: &[u8]) -> Option<Size> {
    let [0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xf7, _, _, 1..=16, ..] = *after else {
        return None;
    };
    let count = usize::from(*after.get(8)?);
    let is_factor = |factor: u8| (1..=4).contains(&factor);
    let is_sound = |part: &[u8]| match *part {
        [_, sampling, 0..=3] => is_factor(sampling >> 4) && is_factor(sampling & 15),
        _ => false,
    };
    let mut components = after.get(9..9 + 3 * count)?.chunks_exact(3);
    ((1..=4).contains(&count) && components.all(is_sound)).then_some(())?;
    Some((pair(after, 6)?, pair(after, 4)?))
}

/// Reads the largest size that an `IHDR` of the PNG specification, 11.2.1, gives.
///
/// It should come first and once, yet FFmpeg takes one behind other chunks, and the signature of MNG before it.
pub fn png(content: &[u8]) -> Option<Size> {
    let mut rest = content.strip_prefix(b"\x89PNG\r\n\x1a\n").or_else(|| content.strip_prefix(b"\x8aMNG\r\n\x1a\n"))?;
    let mut largest = None;
    while let [a, b, c, d, name @ ..] = rest {
        if let [b'I', b'H', b'D', b'R', w0, w1, w2, w3, h0, h1, h2, h3, ..] = *name {
            let size = (u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]));
            largest = larger(largest, Some(size));
        }
        let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).ok()?;
        // Behind the content is its checksum.
        match length.checked_add(12).and_then(|length| rest.get(length..)) {
            Some(behind) => rest = behind,
            None => break,
        }
    }
    largest
}

/// Reads SMPTE RDD 36, 5.1: the frame's size and `icpf`, then the frame header.
pub fn prores(content: &[u8]) -> Option<Size> {
    if content.get(4..8)? != b"icpf" {
        return None;
    }
    Some((pair(content, 16)?, pair(content, 18)?))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Of libvpx.
    pub const VP8: &[u8] = b"\x70\x67\x00\x9d\x01\x2a\x42\x01\xf2\x00\x00\x47\x08\x85\x85\x88";
    /// Of FFmpeg, without its comment.
    pub const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x02\0\0\x01\0\x01\0\0\xff\xc0\0\x11\x08\0\xf2\x01\x42\
        \x03\x01\x22\0\x02\x11\0\x03\x11\0\xff\xda";
    pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\x42\0\0\0\xf2\x08\x02\0\0\0\xb7\x72\x5b\x0a";
    pub const PRORES: &[u8] = b"\0\0\x10\0icpf\0\x94\0\0apl0\x01\x42\0\xf2";

    const SECOND: &[u8] = b"\xff\xc2\0\x0b\x08\xff\xfe\xff\xff\x01\x01\x22\0\xff\xda";

    #[test]
    fn a_picture_gives_its_size() {
        assert_eq!(vp8(VP8), Some((322, 242)));
        assert_eq!(vp8(&[0x10, 2, 0, 0x9d, 1, 0x2a, 0x80, 0x3e, 0x81, 0x7e, 9]), Some((16_000, 16_001)));
        assert_eq!(vp8(&[0x11, 2, 0, 0x9d, 1, 0x2a, 1, 1, 1, 1]), None, "no key frame");
        assert_eq!(jpeg(JPEG), Some((322, 242)));
        assert_eq!(png(PNG), Some((322, 242)));
        assert_eq!(prores(PRORES), Some((322, 242)));
    }

    #[test]
    fn no_frame_header_hides() {
        let behind = [JPEG, b"\0\x0c\x03\x01\0\x02\x11\x03\x11\0\x3f\0\x12\x34\xff\0", SECOND].concat();
        assert_eq!(jpeg(&behind), Some((65_535, 65_534)), "behind a scan");
        let inside = [b"\xff\xd8\xff\xf0\xff\xff", SECOND, JPEG].concat();
        assert_eq!(jpeg(&inside), Some((65_535, 65_534)), "in an unknown segment");
        let lossless = [&b"\xff\xf7"[..], &SECOND[2..]].concat();
        assert_eq!(jpeg(&lossless), Some((65_535, 65_534)), "of JPEG-LS");
        assert_eq!(jpeg(b"\xff\xff\xff\xc0\0\x0b\x08\0\x02\0\x03\x01\x01\x11\0"), Some((3, 2)), "behind fill bytes");
    }

    #[test]
    fn what_looks_like_a_frame_header_is_none() {
        for (at, value) in [(1, 0xc4), (4, 0), (4, 17), (9, 0), (9, 5), (11, 0x12 << 3), (11, 0x10), (12, 4)] {
            let mut second = SECOND.to_vec();
            second[at] = value;
            assert_eq!(jpeg(&second), None, "{at}: {value}");
        }
    }

    #[test]
    fn no_chunk_hides_the_header() {
        let text = b"\0\0\0\x0ctEXt\0\0\0\x01\0\0\0\x01\x08\x02\0\0crc.";
        let behind = [&PNG[..8], text, &PNG[8..]].concat();
        assert_eq!(png(&behind), Some((322, 242)));
        let twice = [PNG, b"\0\0\0\x0dIHDR\0\0\x40\0\0\x01\0\0\x08\x06"].concat();
        assert_eq!(png(&twice), Some((16_384, 65_536)));
        let mng = [b"\x8aMNG\r\n\x1a\n", &PNG[8..]].concat();
        assert_eq!(png(&mng), Some((322, 242)));
    }

    #[test]
    fn a_cut_off_picture_gives_none() {
        for read in [vp8, jpeg, png, prores] {
            for whole in [VP8, &JPEG[..30], &PNG[..23], PRORES] {
                for length in 0..whole.len().min(19) {
                    read(&whole[..length]);
                }
            }
            for content in [&b""[..], b"\xff", b"\xff\xc0", b"\xff\xc0\0", b"\x89PNG\r\n\x1a\n\0\0", b"\0\0\0\0icpf\0"]
            {
                assert_eq!(read(content), None, "{content:?}");
            }
        }
        assert_eq!(png(&PNG[..23]), None);
        assert_eq!(jpeg(&JPEG[..38]), None);
    }
}
