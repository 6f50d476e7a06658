//! Sizes in MPEG-1, MPEG-2 and MPEG-4 Visual. PURE.

use super::{Size, bits::Bits, larger};

/// Finds the place behind the next start code's prefix, at or after this one.
pub fn start_code(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    let mut last = from.checked_add(2)?;
    while last < to {
        match bytes.get(last - 2..=last)? {
            [0, 0, 1] => return Some(last + 1),
            [.., 0] => last += 1,
            _ => last += 3,
        }
    }
    None
}

/// Reads what follows each start code's prefix, and returns the largest size.
fn largest(content: &[u8], mut read: impl FnMut(u8, &[u8]) -> Option<Size>) -> Option<Size> {
    let mut largest = None;
    let mut at = 0;
    while let Some(behind) = start_code(content, at, content.len()) {
        if let Some([code, rest @ ..]) = content.get(behind..) {
            largest = larger(largest, read(*code, rest));
        }
        at = behind;
    }
    largest
}

/// MPEG-1 or MPEG-2, with the size of the last sequence header, which an extension may follow in another buffer.
#[derive(Debug, Default)]
pub struct Mpeg2 {
    base: Option<Size>,
}

impl Mpeg2 {
    /// Reads ISO/IEC 13818-2, 6.2.2.1 and 6.2.2.3: the lower bits, and in an extension the higher ones.
    pub fn read(&mut self, content: &[u8]) -> Option<Size> {
        largest(content, |code, rest| match (code, rest) {
            (0xb3, [w, both, h, ..]) => {
                let side = |high: u8, low: u8| u32::from(high) << 4 | u32::from(low);
                self.base = Some((side(*w, both >> 4), u32::from(both & 15) << 8 | u32::from(*h)));
                self.base
            }
            (0xb5, [first, ..]) if first >> 4 == 1 => {
                let mut bits = Bits::new(rest);
                bits.skip(4 + 8 + 1 + 2)?;
                let (width, height) = (bits.take(2)? << 12, bits.take(2)? << 12);
                // FFmpeg adds the bits of each extension to what it had.
                self.base = self.base.map(|base| (base.0 | width, base.1 | height));
                self.base
            }
            _ => None,
        })
    }
}

/// Reads the largest size in ISO/IEC 14496-2, 6.2.3: that of a video object layer.
pub fn mpeg4(content: &[u8]) -> Option<Size> {
    largest(content, |code, rest| if (0x20..=0x2f).contains(&code) { layer(rest) } else { None })
}

fn layer(header: &[u8]) -> Option<Size> {
    const RECTANGULAR: u32 = 0;
    const GRAYSCALE: u32 = 3;
    const EXTENDED_ASPECT: u32 = 15;

    let mut bits = Bits::new(header);
    bits.skip(1)?;
    if let 14 | 15 = bits.take(8)? {
        return studio_layer(bits);
    }
    let version = if bits.flag()? { bits.take(7)? >> 3 } else { 1 };
    if bits.take(4)? == EXTENDED_ASPECT {
        bits.skip(16)?;
    }
    if bits.flag()? {
        bits.skip(2 + 1)?;
        if bits.flag()? {
            bits.skip(16 + 16 + 16 + 3 + 11 + 1 + 16)?;
        }
    }
    let shape = bits.take(2)?;
    if shape == GRAYSCALE && version != 1 {
        bits.skip(4)?;
    }
    bits.marker()?;
    let resolution = bits.take(16)?;
    bits.marker()?;
    if bits.flag()? {
        bits.skip(resolution.saturating_sub(1).max(1).ilog2() + 1)?;
    }
    // Layers of other shapes have none.
    (shape == RECTANGULAR).then_some(())?;
    bits.marker()?;
    side_by_side(bits, 13)
}

/// Reads the rest of 6.2.3.3, of a layer of the studio profile.
fn studio_layer(mut bits: Bits) -> Option<Size> {
    bits.skip(4 + 2 + 4 + 1 + 1 + 2 + 4)?;
    bits.marker()?;
    side_by_side(bits, 14)
}

fn side_by_side(mut bits: Bits, count: u32) -> Option<Size> {
    let width = bits.take(count)?;
    bits.marker()?;
    Some((width, bits.take(count)?))
}

#[cfg(test)]
pub mod tests {
    use super::{super::bits::tests::bytes, *};

    /// Of FFmpeg.
    pub const MPEG2: &[u8] =
        b"\0\0\x01\xb3\x14\x20\xf2\x13\xff\xff\xe0\x18\0\0\x01\xb5\x14\x8a\0\x01\0\x04\0\0\x01\xb8\0\x08\0\x40";
    const WIDE: &[u8] = b"\0\0\x01\xb3\0\x20\x32\x13\xff\xff\xe0\x18\0\0\x01\xb5\x14\x4a\x80\x01\0\x04\0\0\x01\xb8";
    pub const MPEG4: &[u8] = b"\0\0\x01\xb0\x01\0\0\x01\xb5\x89\x13\0\0\x01\0\0\0\x01\x20\0\xc4\x8d\x88\0\x2d\x0a\x14\
        \x1e\x54\x43\0\0\x01\xb2Lavc";
    /// Of Xvid, with the parameters of a decoder's buffer left out.
    const XVID: &[u8] = b"\0\0\x01\x20\0\xbc\x04\x06\xc4\0\x17\x30\xa1\x41\xe5\x46\x3f\0\0\x01\xb2Xvid";

    #[test]
    fn a_sequence_gives_its_size() {
        assert_eq!(Mpeg2::default().read(MPEG2), Some((322, 242)));
        assert_eq!(Mpeg2::default().read(WIDE), Some((4098, 50)));
        assert_eq!(Mpeg2::default().read(&[MPEG2, WIDE, MPEG2].concat()), Some((4098, 50)));
        assert_eq!(Mpeg2::default().read(b"\0\0\x01\xb3\xff"), None);
    }

    #[test]
    fn an_extension_may_come_later() {
        let mut stream = Mpeg2::default();
        let (header, extension) = WIDE.split_at(12);
        assert_eq!(stream.read(header), Some((2, 50)));
        assert_eq!(stream.read(b"\0\0\x01\x01slice"), None);
        assert_eq!(stream.read(extension), Some((4098, 50)));
        assert_eq!(Mpeg2::default().read(extension), None);
    }

    #[test]
    fn a_layer_gives_its_size() {
        assert_eq!(mpeg4(MPEG4), Some((322, 242)));
        assert_eq!(mpeg4(XVID), Some((322, 242)));
        assert_eq!(mpeg4(&[MPEG4, XVID].concat()), Some((322, 242)));
        assert_eq!(mpeg4(&MPEG4[..26]), None);
    }

    #[test]
    fn every_field_of_a_layer_counts() {
        let all = [(0, 1), (1, 8), (1, 1), (2, 4), (0, 3), (15, 4), (9, 16), (1, 1), (1, 2), (0, 1), (1, 1), (0, 15)];
        let buffer = [(1, 1), (7, 15), (1, 1), (7, 15), (1, 1), (7, 3), (7, 11), (1, 1), (7, 15), (1, 1)];
        let time = [(0, 2), (1, 1), (30_000, 16), (1, 1), (1, 1), (1001, 15)];
        let sides = [(1, 1), (8000, 13), (1, 1), (8191, 13), (1, 1)];
        let fields = [&all[..], &buffer, &time, &sides].concat();
        let layer = [&b"\0\0\x01\x2f"[..], &bytes(&fields)].concat();
        assert_eq!(mpeg4(&layer), Some((8000, 8191)));

        let once = [(0, 1), (1, 8), (0, 1), (1, 4), (0, 1), (0, 2), (1, 1), (1, 16), (1, 1), (1, 1), (0, 1)];
        let layer = [&b"\0\0\x01\x20"[..], &bytes(&[&once[..], &sides].concat())].concat();
        assert_eq!(mpeg4(&layer), Some((8000, 8191)), "of one tick a second");

        let studio = [(0, 1), (14, 8), (1, 4), (0, 2), (0, 4), (1, 1), (0, 1), (2, 2), (10, 4), (1, 1), (16_000, 14)];
        let layer = [&b"\0\0\x01\x20"[..], &bytes(&[&studio[..], &[(1, 1), (16_001, 14), (1, 1)]].concat())].concat();
        assert_eq!(mpeg4(&layer), Some((16_000, 16_001)));
    }

    #[test]
    fn start_codes_are_found() {
        let bytes = b"\0\0\0\x01\x01\0\0\x01\0\0\x02\0\x01\0\0\x01";
        assert_eq!(start_code(bytes, 0, 16), Some(4));
        assert_eq!(start_code(bytes, 4, 16), Some(8));
        assert_eq!(start_code(bytes, 8, 16), Some(16));
        assert_eq!(start_code(bytes, 8, 15), None);
        assert_eq!(start_code(bytes, 16, 16), None);
        assert_eq!(start_code(bytes, 99, 200), None);
    }
}
