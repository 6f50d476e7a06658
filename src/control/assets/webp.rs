//! The chunks of a WebP: how large its pictures are by their own headers, and its colour profile. PURE.

/// Returns the chunks of a RIFF file or of a part of one: four letters, and what is in them.
pub fn chunks(mut rest: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let (head, after) = rest.split_at_checked(8)?;
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let inside = &after[..length.min(after.len())];
        rest = after.get(length.checked_add(length % 2)?..).unwrap_or_default();
        Some((&head[..4], inside))
    })
}

/// Returns one chunk.
pub fn chunk(kind: &[u8; 4], inside: &[u8]) -> Vec<u8> {
    let length = u32::try_from(inside.len()).unwrap_or_default().to_le_bytes();
    [&kind[..], &length, inside, &[0; 1][..inside.len() % 2]].concat()
}

/// Returns the colour profile, if the file says that it has one.
pub fn profile_in(content: &[u8]) -> Option<&[u8]> {
    const HAS_PROFILE: u8 = 0x20;
    let mut all = chunks(content.get(12..)?);
    let (kind, head) = all.next()?;
    let has = kind == b"VP8X" && head.first()? & HAS_PROFILE != 0;
    all.find(|(kind, _)| has && *kind == b"ICCP").map(|(_, inside)| inside)
}

/// Returns pixels of the largest picture of a WebP file, whatever its canvas is said to be.
pub fn largest(content: &[u8]) -> u64 {
    let pictures = chunks(content.get(12..).unwrap_or_default()).flat_map(|(kind, inside)| {
        // A picture of an animation has chunks of its own behind its place, size and length.
        let parts = if kind == b"ANMF" { inside.get(16..).unwrap_or_default() } else { &[] };
        std::iter::once((kind, inside)).chain(chunks(parts))
    });
    pictures.filter_map(|(kind, inside)| pixels(kind, inside)).max().unwrap_or(0)
}

fn pixels(kind: &[u8], inside: &[u8]) -> Option<u64> {
    let (width, height) = match (kind, inside) {
        (b"VP8 ", [_, _, _, _, _, _, w0, w1, h0, h1, ..]) => {
            let side = |low: &u8, high: &u8| u64::from(u16::from_le_bytes([*low, *high]) & 0x3fff);
            (side(w0, w1), side(h0, h1))
        }
        (b"VP8L", [0x2f, a, b, c, d, ..]) => {
            let bits = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
            ((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1)
        }
        _ => return None,
    };
    Some(width * height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
        [b"RIFF\0\0\0\0WEBP".to_vec(), chunks.concat()].concat()
    }

    #[test]
    fn every_picture_is_looked_at() {
        let lossy = |width: u16, height: u16| {
            let sides = [width.to_le_bytes(), height.to_le_bytes()].concat();
            chunk(b"VP8 ", &[&[0x10, 0, 0, 0x9d, 1, 0x2a][..], &sides, &[9]].concat())
        };
        let lossless = chunk(b"VP8L", &[0x2f, 0xff, 0xff, 0xff, 0x0f, 1]);
        assert_eq!(largest(&webp(&[lossy(16_383, 16_383)])), 16_383 * 16_383);
        assert_eq!(largest(&webp(&[chunk(b"VP8X", &[0; 10]), chunk(b"ICCP", b"odd"), lossy(3, 4)])), 12);
        assert_eq!(largest(&webp(std::slice::from_ref(&lossless))), 16_384 * 16_384);
        let moving = |inside: &[u8]| chunk(b"ANMF", &[&[0; 16], inside].concat());
        assert_eq!(largest(&webp(&[moving(&lossy(2, 2)), moving(&lossy(300, 200)), moving(&lossy(5, 5))])), 60_000);
        let alpha = [chunk(b"ALPH", &[0; 5]), lossy(70, 10)].concat();
        assert_eq!(largest(&webp(&[moving(&alpha)])), 700);
        for cut in
            [&b""[..], b"RIFF", b"RIFF\0\0\0\0WEBPVP8 \xff\xff\xff\xff", b"RIFF\0\0\0\0WEBPANMF\xff\xff\xff\xffabc"]
        {
            assert_eq!(largest(cut), 0);
        }
    }
}
