//! The size of compressed pictures, read from their own headers before a decoder sees them. PURE.
//!
//! A decoder takes its memory first, and a parser reports the size that the container claims, or that of the last of
//! several headers. So every header counts here, whether or not a picture uses it, and the largest is the answer.
//! It is the size that a decoder takes memory for: what is cropped afterwards counts.

mod av1;
mod bits;
mod h26x;
mod mpeg;
mod still;
pub mod vp9;

use av1::Av1;
use h26x::{H26xCodec, Units};
use mpeg::Mpeg2;

/// Width and height.
type Size = (u32, u32);

/// Reads the sizes of one stream's pictures.
#[derive(Debug)]
pub struct Sizes {
    reader: Reader,
    announced: Option<Size>,
}

/// The reader of a codec's headers, with what later ones depend on.
#[derive(Debug)]
enum Reader {
    /// Of a codec whose every picture says all.
    Picture(fn(&[u8]) -> Option<Size>),
    Units(Units),
    Av1(Av1),
    Mpeg2(Mpeg2),
}

impl Sizes {
    /// Begins a stream of this media type, with the fields `mpegversion` and `codec_data` of its caps (none: empty).
    pub fn new(kind: &str, mpeg_version: Option<i32>, private: &[u8]) -> Self {
        let mut reader = match (kind, mpeg_version) {
            ("video/x-h264", _) => Reader::Units(Units::new(H26xCodec::H264)),
            ("video/x-h265", _) => Reader::Units(Units::new(H26xCodec::H265)),
            ("video/x-vp8", _) => Reader::Picture(still::vp8),
            ("video/x-vp9", _) => Reader::Picture(vp9::size),
            ("video/x-av1", _) => Reader::Av1(Av1::default()),
            ("video/mpeg", Some(1 | 2)) => Reader::Mpeg2(Mpeg2::default()),
            ("video/mpeg", Some(4)) | ("video/x-divx" | "video/x-xvid" | "video/x-3ivx", _) => {
                Reader::Picture(mpeg::mpeg4)
            }
            ("image/jpeg", _) => Reader::Picture(still::jpeg),
            ("image/png", _) => Reader::Picture(still::png),
            ("video/x-prores", _) => Reader::Picture(still::prores),
            _ => Reader::Picture(|_| None),
        };
        let announced = match &mut reader {
            Reader::Picture(read) => read(private),
            Reader::Units(units) => units.private(private),
            Reader::Av1(av1) => av1.private(private),
            Reader::Mpeg2(mpeg2) => mpeg2.read(private),
        };
        Self { reader, announced }
    }

    /// Returns the largest size in the `codec_data`.
    pub fn announced(&self) -> Option<(u32, u32)> {
        self.announced
    }

    /// Reads the largest size that a header in this buffer gives; `None` where there is no header.
    pub fn read(&mut self, content: &[u8]) -> Option<(u32, u32)> {
        match &mut self.reader {
            Reader::Picture(read) => read(content),
            Reader::Units(units) => units.read(content),
            Reader::Av1(av1) => av1.read(content),
            Reader::Mpeg2(mpeg2) => mpeg2.read(content),
        }
    }
}

/// Returns that of more pixels.
fn larger(one: Option<Size>, other: Option<Size>) -> Option<Size> {
    let area = |(width, height): Size| u64::from(width) * u64::from(height);
    match (one, other) {
        (Some(one), Some(other)) => Some(if area(other) > area(one) { other } else { one }),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Heads of streams as encoders write them: 322x242 before rounding.
    const STREAMS: &[(&str, Option<i32>, &[u8])] = &[
        ("video/x-h264", None, h26x::tests::H264),
        ("video/x-h265", None, h26x::tests::H265),
        ("video/x-vp8", None, still::tests::VP8),
        ("video/x-vp9", None, vp9::tests::PROFILES[0]),
        ("video/x-vp9", None, vp9::tests::PROFILES[3]),
        ("video/x-av1", None, av1::tests::AOM),
        ("video/mpeg", Some(2), mpeg::tests::MPEG2),
        ("video/mpeg", Some(4), mpeg::tests::MPEG4),
        ("image/jpeg", None, still::tests::JPEG),
        ("image/png", None, still::tests::PNG),
        ("video/x-prores", None, still::tests::PRORES),
    ];

    #[test]
    fn every_codec_gives_its_size() {
        for (kind, version, head) in STREAMS {
            let (width, height) = Sizes::new(kind, *version, &[]).read(head).unwrap();
            assert!((322..=336).contains(&width) && (242..=256).contains(&height), "{kind}: {width}x{height}");
        }
        assert_eq!(Sizes::new("video/x-vp8", None, &[]).read(still::tests::VP8), Some((322, 242)));
        assert_eq!(Sizes::new("video/mpeg", None, &[]).read(mpeg::tests::MPEG2), None, "of an unknown version");
        assert_eq!(Sizes::new("video/mpeg", Some(4), mpeg::tests::MPEG4).announced(), Some((322, 242)));
        assert_eq!(Sizes::new("video/x-vp9", None, &[]).announced(), None);
    }

    #[test]
    fn the_larger_one_counts() {
        assert_eq!(larger(Some((4, 4)), Some((15, 1))), Some((4, 4)));
        assert_eq!(larger(Some((4, 4)), Some((17, 1))), Some((17, 1)));
        assert_eq!(larger(None, Some((1, 1))), Some((1, 1)));
        assert_eq!(larger(Some((u32::MAX, u32::MAX)), None), Some((u32::MAX, u32::MAX)));
    }

    #[test]
    fn no_input_breaks_it() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
        };
        for round in 0..40_000 {
            let (kind, version, head) = STREAMS[round % STREAMS.len()];
            let mut change = |bytes: &[u8]| {
                let mut bytes = bytes.repeat(1 + next(2));
                for _ in 0..next(8) {
                    let at = next(bytes.len());
                    bytes[at] = [0, 0xff, 1 << next(8), next(256) as u8, bytes[at] ^ (1 << next(8))][next(5)];
                }
                bytes.truncate(next(bytes.len() + 1));
                bytes
            };
            let mut sizes = Sizes::new(kind, version, &change(head));
            for _ in 0..3 {
                sizes.read(&change(head));
            }
        }
    }

    #[test]
    fn the_worst_input_is_read_soon() {
        let started = std::time::Instant::now();
        for (kind, version, _) in STREAMS {
            for unit in
                [&b"\0\0\x01\x67\x64"[..], b"\0\0\x01\x42\x01", b"\0\0\x01\xb5\x14", b"\0\0\x01\x20", b"\x0a\x80"]
                    .into_iter()
                    .chain([
                        &b"\0"[..],
                        b"\x01",
                        b"\xff",
                        b"\xff\xc0\0\x0b\x08",
                        b"\0\0\0\x01\x67",
                        b"\x0a\0",
                        b"\x89PNG",
                    ])
            {
                let content = unit.repeat((1 << 17) / unit.len());
                let mut sizes = Sizes::new(kind, *version, &content);
                sizes.read(&content);
            }
        }
        assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
    }
}
