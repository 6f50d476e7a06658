//! The size of a compressed picture, read from its own header, for codecs of which no parser tells it. PURE.

/// Width and height of a picture of this media type; `None` where it does not say.
pub fn picture_size(kind: &str, content: &[u8]) -> Option<(u32, u32)> {
    match kind {
        "video/x-vp8" => vp8(content),
        "image/jpeg" => jpeg(content),
        "image/png" => png(content),
        "video/x-prores" => prores(content),
        _ => None,
    }
}

fn pair(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
}

/// RFC 6386, 9.1: only key frames have a size.
fn vp8(content: &[u8]) -> Option<(u32, u32)> {
    let [tag, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = *content else { return None };
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    (tag & 1 == 0).then(|| (side(w0, w1), side(h0, h1)))
}

/// The largest size that a frame header of the file gives: a decoder may take any of them.
fn jpeg(content: &[u8]) -> Option<(u32, u32)> {
    let mut largest: Option<(u32, u32)> = None;
    let mut at = 0;
    while let Some(found) = content.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == 0xff)) {
        at += found;
        let Some(marker) = content.get(at + 1) else { break };
        match marker {
            // Frame headers of every kind; C4, C8 and CC are something else.
            0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(marker) => {
                if let (Some(height), Some(width)) = (pair(content, at + 5), pair(content, at + 7)) {
                    let area = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
                    largest = largest.filter(|own| area(*own) >= area((width, height))).or(Some((width, height)));
                }
                at += 2 + pair(content, at + 2).unwrap_or(2) as usize;
            }
            // A scan: what follows is no marker until the next one that does not belong to the scan.
            0xda => break,
            0x01..=0xbf | 0xc4 | 0xc8 | 0xcc | 0xdb..=0xfe => at += 2 + pair(content, at + 2).unwrap_or(2) as usize,
            _ => at += 1,
        }
    }
    largest
}

fn png(content: &[u8]) -> Option<(u32, u32)> {
    let sides = content.strip_prefix(b"\x89PNG\r\n\x1a\n")?.get(8..16)?;
    let side = |at: usize| u32::from_be_bytes([sides[at], sides[at + 1], sides[at + 2], sides[at + 3]]);
    Some((side(0), side(4)))
}

/// SMPTE RDD 36, 5.1: the frame's size and `icpf`, then the frame header.
fn prores(content: &[u8]) -> Option<(u32, u32)> {
    if content.get(4..8)? != b"icpf" {
        return None;
    }
    Some((pair(content, 16)?, pair(content, 18)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_tells_its_size() {
        let vp8 = [0x10, 2, 0, 0x9d, 1, 0x2a, 0x80, 0x3e, 0x81, 0x7e, 9];
        assert_eq!(picture_size("video/x-vp8", &vp8), Some((16_000, 16_001)));
        assert_eq!(picture_size("video/x-vp8", &[0x11, 2, 0, 0x9d, 1, 0x2a, 1, 1, 1, 1]), None, "no key frame");
        let jpeg = b"\xff\xd8\xff\xe0\0\x04\xff\xc0\xff\xff\xc2\0\x0b\x08\x0f\xa0\x1f\x40\x03\x01\x22\0\xff\xda";
        assert_eq!(picture_size("image/jpeg", jpeg), Some((8000, 4000)));
        let twice = [&jpeg[..22], b"\xff\xc0\0\x0b\x08\xff\xff\xff\xff\x03\x01\x22\0\xff\xd9"].concat();
        assert_eq!(picture_size("image/jpeg", &twice), Some((65_535, 65_535)));
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x40\0\0\x01\0\0\x08\x06";
        assert_eq!(picture_size("image/png", png), Some((16_384, 65_536)));
        let prores = b"\0\0\x10\0icpf\0\x94\0\0apl0\x20\0\x10\0\x80";
        assert_eq!(picture_size("video/x-prores", prores), Some((8192, 4096)));
        assert_eq!(picture_size("video/x-h264", png), None);
    }

    #[test]
    fn a_cut_off_picture_tells_none() {
        for kind in ["video/x-vp8", "image/jpeg", "image/png", "video/x-prores"] {
            for content in [&b""[..], b"\xff", b"\xff\xc0", b"\xff\xc0\0", b"\x89PNG\r\n\x1a\n\0\0", b"\0\0\0\0icpf\0"]
            {
                assert_eq!(picture_size(kind, content), None, "{kind} {content:?}");
            }
        }
    }
}
