//! Sizes in AV1. Sections are of the AV1 bitstream specification, version 1.0.0 with errata 1. PURE.

use super::{Size, bits::Bits, larger};

/// A stream, with what the headers of its frames depend on.
#[derive(Debug, Default)]
pub struct Av1 {
    sequence: Option<Sequence>,
}

/// The content of a sequence header, as far as it precedes the size in a frame header.
#[derive(Debug, Default)]
struct Sequence {
    is_reduced: bool,
    has_equal_intervals: bool,
    decoder_model: Option<DecoderModel>,
    /// Of each operating point, with whether it has a decoder model.
    points: Vec<(u32, bool)>,
    width_bits: u32,
    height_bits: u32,
    size: Size,
    /// Bits of a frame's number and of a difference of two.
    frame_numbers: Option<(u32, u32)>,
    screen_content: Choice,
    integer_vectors: Choice,
    order_bits: u32,
}

/// Bits of a decoder model's fields.
#[derive(Debug, Clone, Copy)]
struct DecoderModel {
    buffer_delay: u32,
    removal_time: u32,
    presentation_time: u32,
}

/// The choice that the sequence header makes, or leaves to each frame.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Fixed(bool),
    #[default]
    PerFrame,
}

/// The layers that an OBU belongs to.
#[derive(Debug, Default, Clone, Copy)]
struct Layers {
    temporal: u32,
    spatial: u32,
}

impl Av1 {
    /// Reads the `av1C` of the AV1 binding to ISO base media files, 2.3.3: four bytes, then OBUs.
    pub fn private(&mut self, data: &[u8]) -> Option<Size> {
        match data {
            [0x81, _, _, _, units @ ..] => self.read(units),
            _ => self.read(data),
        }
    }

    /// Reads the largest size in OBUs of the low-overhead format, 5.2: of sequences and of frames that have their own.
    pub fn read(&mut self, content: &[u8]) -> Option<Size> {
        let mut largest = None;
        let mut rest = content;
        while let [header, behind @ ..] = rest {
            // libaom passes by zeros between the pictures.
            if *header == 0 {
                rest = behind;
                continue;
            }
            let Some((layers, length, payload)) = unit(*header, behind) else { break };
            let (payload, after) = payload.split_at_checked(length).unwrap_or((payload, &[]));
            largest = larger(largest, self.unit(header >> 3 & 15, layers, payload));
            rest = after;
        }
        largest
    }

    fn unit(&mut self, kind: u8, layers: Layers, payload: &[u8]) -> Option<Size> {
        const SEQUENCE_HEADER: u8 = 1;
        const FRAME_HEADER: u8 = 3;
        const FRAME: u8 = 6;
        const REDUNDANT_FRAME_HEADER: u8 = 7;

        match kind {
            SEQUENCE_HEADER => {
                let mut sequence = Sequence::default();
                let rest = sequence.read(&mut Bits::new(payload));
                let size = (sequence.size.0 > 0).then_some(sequence.size);
                // One that is cut off is no header, but what it says of its size counts.
                if rest.is_some() {
                    self.sequence = Some(sequence);
                }
                size
            }
            FRAME_HEADER | FRAME | REDUNDANT_FRAME_HEADER => {
                self.sequence.as_ref()?.frame_size(&mut Bits::new(payload), layers)
            }
            _ => None,
        }
    }
}

/// Reads an OBU's extension and length, 5.3.2 to 5.3.4. One without a length takes what follows.
fn unit(header: u8, behind: &[u8]) -> Option<(Layers, usize, &[u8])> {
    let (mut layers, mut rest) = (Layers::default(), behind);
    if header & 4 != 0 {
        let [extension, after @ ..] = rest else { return None };
        layers = Layers { temporal: u32::from(extension >> 5), spatial: u32::from(extension >> 3 & 3) };
        rest = after;
    }
    if header & 2 == 0 {
        return Some((layers, rest.len(), rest));
    }
    // 4.10.5: at most eight bytes.
    let mut length = 0_u64;
    for shift in (0..8).map(|index| index * 7) {
        let [byte, after @ ..] = rest else { return None };
        rest = after;
        length |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((layers, usize::try_from(length).ok()?, rest));
        }
    }
    None
}

impl Sequence {
    /// Reads `sequence_header_obu()`, 5.5.1, up to what says nothing of a size.
    fn read(&mut self, bits: &mut Bits) -> Option<()> {
        bits.skip(3 + 1)?;
        self.is_reduced = bits.flag()?;
        if self.is_reduced {
            bits.skip(5)?;
            self.points = vec![(0, false)];
        } else {
            self.timing(bits)?;
            self.operating_points(bits)?;
        }
        self.width_bits = bits.take(4)? + 1;
        self.height_bits = bits.take(4)? + 1;
        self.size = (bits.take(self.width_bits)? + 1, bits.take(self.height_bits)? + 1);
        if !self.is_reduced && bits.flag()? {
            let difference = bits.take(4)? + 2;
            self.frame_numbers = Some((difference + bits.take(3)? + 1, difference));
        }
        bits.skip(3)?;
        if !self.is_reduced {
            self.tools(bits)?;
        }
        Some(())
    }

    /// Reads `timing_info()`, 5.5.3, and `decoder_model_info()`, 5.5.4.
    fn timing(&mut self, bits: &mut Bits) -> Option<()> {
        if !bits.flag()? {
            return Some(());
        }
        bits.skip(32 + 32)?;
        self.has_equal_intervals = bits.flag()?;
        if self.has_equal_intervals {
            unbounded(bits)?;
        }
        if bits.flag()? {
            let buffer_delay = bits.take(5)? + 1;
            bits.skip(32)?;
            let (removal_time, presentation_time) = (bits.take(5)? + 1, bits.take(5)? + 1);
            self.decoder_model = Some(DecoderModel { buffer_delay, removal_time, presentation_time });
        }
        Some(())
    }

    fn operating_points(&mut self, bits: &mut Bits) -> Option<()> {
        let has_delays = bits.flag()?;
        for _ in 0..=bits.take(5)? {
            let layers = bits.take(12)?;
            if bits.take(5)? > 7 {
                bits.skip(1)?;
            }
            let mut has_model = false;
            if let Some(model) = self.decoder_model {
                has_model = bits.flag()?;
                if has_model {
                    bits.skip(2 * model.buffer_delay + 1)?;
                }
            }
            if has_delays && bits.flag()? {
                bits.skip(4)?;
            }
            self.points.push((layers, has_model));
        }
        Some(())
    }

    fn tools(&mut self, bits: &mut Bits) -> Option<()> {
        bits.skip(4)?;
        let has_order = bits.flag()?;
        if has_order {
            bits.skip(2)?;
        }
        self.screen_content = choice(bits)?;
        if self.screen_content != Choice::Fixed(false) {
            self.integer_vectors = choice(bits)?;
        }
        if has_order {
            self.order_bits = bits.take(3)? + 1;
        }
        Some(())
    }

    /// Reads `uncompressed_header()`, 5.9.2; `None` for a frame that has no size of its own.
    ///
    /// It should be smaller than the sequence's, but not all decoders insist.
    fn frame_size(&self, bits: &mut Bits, layers: Layers) -> Option<Size> {
        const KEY: u32 = 0;
        const INTRA_ONLY: u32 = 2;
        const SWITCH: u32 = 3;

        // A frame of a reduced header has the sequence's size, and one that is shown again has its old one.
        if self.is_reduced || bits.flag()? {
            return None;
        }
        let kind = bits.take(2)?;
        let is_shown = bits.flag()?;
        match self.decoder_model {
            Some(model) if is_shown && !self.has_equal_intervals => bits.skip(model.presentation_time)?,
            _ => {}
        }
        if !is_shown {
            bits.skip(1)?;
        }
        let refreshes_all = kind == SWITCH || kind == KEY && is_shown;
        let is_resilient = refreshes_all || bits.flag()?;
        bits.skip(1)?;
        if self.screen_content.ask(bits)? {
            self.integer_vectors.ask(bits)?;
        }
        if let Some((count, _)) = self.frame_numbers {
            bits.skip(count)?;
        }
        let has_own = kind == SWITCH || bits.flag()?;
        has_own.then_some(())?;
        bits.skip(self.order_bits)?;
        let is_intra = kind == KEY || kind == INTRA_ONLY;
        if !is_intra && !is_resilient {
            bits.skip(3)?;
        }
        self.removal_times(bits, layers)?;
        let refreshed = if refreshes_all { 0xff } else { bits.take(8)? };
        if (!is_intra || refreshed != 0xff) && is_resilient {
            bits.skip(8 * self.order_bits)?;
        }
        if !is_intra {
            let is_short = self.order_bits > 0 && bits.flag()?;
            if is_short {
                bits.skip(3 + 3)?;
            }
            for _ in 0..7 {
                bits.skip(if is_short { 0 } else { 3 } + self.frame_numbers.map_or(0, |(_, difference)| difference))?;
            }
            // 5.9.7: the first that is found gives its size.
            for _ in 0..if is_resilient { 0 } else { 7 } {
                if bits.flag()? {
                    return None;
                }
            }
        }
        Some((bits.take(self.width_bits)? + 1, bits.take(self.height_bits)? + 1))
    }

    fn removal_times(&self, bits: &mut Bits, layers: Layers) -> Option<()> {
        let Some(model) = self.decoder_model else { return Some(()) };
        if bits.flag()? {
            for (own, has_model) in &self.points {
                let is_in = own >> layers.temporal & 1 == 1 && own >> (layers.spatial + 8) & 1 == 1;
                if *has_model && (*own == 0 || is_in) {
                    bits.skip(model.removal_time)?;
                }
            }
        }
        Some(())
    }
}

/// Passes by `uvlc()`, 4.10.3. Decoders take 32 zeros for a whole code.
fn unbounded(bits: &mut Bits) -> Option<()> {
    for zeros in 0..32 {
        if bits.flag()? {
            return bits.skip(zeros);
        }
    }
    Some(())
}

fn choice(bits: &mut Bits) -> Option<Choice> {
    Some(if bits.flag()? { Choice::PerFrame } else { Choice::Fixed(bits.flag()?) })
}

impl Choice {
    fn ask(self, bits: &mut Bits) -> Option<bool> {
        match self {
            Self::Fixed(value) => Some(value),
            Self::PerFrame => bits.flag(),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::{super::bits::tests::bytes, *};

    /// Of libaom: a delimiter, a sequence header and the beginning of a frame.
    pub const AOM: &[u8] =
        b"\x12\0\x0a\x0b\0\0\0\x04\x3d\x07\xc4\xda\xf9\0\x40\x32\xda\x09\x14\0\xa4\0\x10\xb4\x7d\x33";
    /// Of a later version, which makes frames smaller.
    const RESIZED: &[u8] = b"\x12\0\x0a\x0b\x20\0\0\x04\x3d\x07\xc7\x81\xb5\xf2\x04";
    const SMALLER: &[u8] = b"\x12\0\x32\xc3\x27\x3a\xd7\xd9\x02\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
        \xd6\xa0\x80\xa0\x80\x78\xc5\0\0";
    const NEXT: &[u8] = b"\x32\xb1\x17\x3a\
        \xd7\xdb\x04\x08\0\x08\0\0\0\0\0\x20\0\0\0\x40\0\x20\0\x10\0\x08\0\x04\0\x02\
        \xd6\xa0\x80\xa0\x80\x78\xc5\0\0";

    /// A sequence of 320x240 whose frames may say 65536x65536.
    const SIDES: [(u32, u32); 4] = [(15, 4), (15, 4), (319, 16), (239, 16)];
    const FULL: [(u32, u32); 2] = [(65_535, 16), (65_535, 16)];

    fn unit(kind: u32, fields: &[&[(u32, u32)]]) -> Vec<u8> {
        let payload = bytes(&fields.concat());
        [&[(kind as u8) << 3 | 2, payload.len() as u8], &payload[..]].concat()
    }

    #[test]
    fn a_sequence_gives_its_size() {
        let mut stream = Av1::default();
        assert_eq!(stream.read(AOM), Some((322, 242)));
        assert_eq!(stream.read(&AOM[15..]), None, "a frame of that size");
        assert_eq!(stream.private(&[b"\x81\0\x0c\0", &AOM[2..15]].concat()), Some((322, 242)));
        assert_eq!(stream.read(&[AOM, &[0, 0], RESIZED].concat()), Some((322, 242)), "behind zeros");
    }

    #[test]
    fn a_frame_may_have_its_own() {
        let mut stream = Av1::default();
        assert_eq!(stream.read(SMALLER), None, "of an unknown sequence");
        assert_eq!(stream.read(RESIZED), Some((322, 242)));
        assert_eq!(stream.read(SMALLER), Some((215, 161)));
        assert_eq!(stream.read(NEXT), Some((215, 161)));
    }

    #[test]
    fn a_still_gives_its_size() {
        let still = unit(1, &[&[(0, 3), (1, 1), (1, 1), (8, 5)], &SIDES, &[(0, 3), (0, 1), (0, 1), (0, 9)]]);
        assert_eq!(Av1::default().read(&still), Some((320, 240)));
        let cut = [b"\x0a\x07", &AOM[4..11]].concat();
        assert_eq!(Av1::default().read(&cut), Some((322, 242)), "of a header that is cut off");
    }

    #[test]
    fn every_field_before_the_size_counts() {
        // Timing, a decoder model, and two operating points, the first of them with the model.
        let timing =
            [(0, 3), (0, 1), (0, 1), (1, 1), (1, 32), (25, 32), (0, 1), (1, 1), (9, 5), (1, 32), (5, 5), (7, 5)];
        let points = [(1, 1), (1, 5), (0x101, 12), (8, 5), (1, 1), (1, 1), (3, 10), (3, 10), (0, 1), (1, 1), (9, 4)];
        let second = [(0, 12), (7, 5), (0, 1), (0, 1)];
        // Frames' numbers of 10 bits and their differences of 6, then 4 bits of order.
        let tools = [(1, 1), (4, 4), (3, 3), (0, 3), (0, 4), (1, 1), (0, 2), (1, 1), (1, 1), (3, 3), (0, 3)];
        let sequence = unit(1, &[&timing, &points, &second, &SIDES, &tools]);
        let mut stream = Av1::default();
        assert_eq!(stream.read(&sequence), Some((320, 240)));

        // Shown again; not shown.
        assert_eq!(stream.read(&unit(3, &[&[(1, 1), (0, 3)], &FULL])), None);
        let key = [(0, 1), (0, 2), (1, 1), (200, 8), (0, 1), (1, 1), (0, 1), (77, 10), (1, 1), (5, 4)];
        let times = [(1, 1), (33, 6)];
        assert_eq!(stream.read(&unit(6, &[&key, &times, &FULL])), Some((65_536, 65_536)));
        let intra = [(0, 1), (2, 2), (0, 1), (1, 1), (1, 1), (0, 1), (0, 1), (77, 10), (1, 1), (5, 4), (0, 1), (1, 8)];
        assert_eq!(stream.read(&unit(6, &[&intra, &[(0, 32)], &FULL])), Some((65_536, 65_536)));
        let inter =
            [(0, 1), (1, 2), (0, 1), (1, 1), (0, 1), (0, 1), (0, 1), (77, 10), (1, 1), (5, 4), (7, 3), (0, 1), (1, 8)];
        let short = [&[(1, 1), (0, 6)][..], &[(9, 6); 7]].concat();
        let long = [&[(0, 1)][..], &[(0, 3), (9, 6)].repeat(7)].concat();
        for references in [&short, &long] {
            let own = [(0, 7)];
            assert_eq!(stream.read(&unit(6, &[&inter, references, &own, &FULL])), Some((65_536, 65_536)));
            let found = [(0, 6), (1, 1)];
            assert_eq!(stream.read(&unit(6, &[&inter, references, &found, &FULL])), None);
        }
        let switch = [(0, 1), (3, 2), (0, 1), (1, 1), (0, 1), (0, 1), (77, 10), (5, 4), (0, 1), (0, 32)];
        assert_eq!(stream.read(&unit(6, &[&switch, &long, &FULL])), Some((65_536, 65_536)));

        // Of another layer in time, which the operating point with the model has not.
        let payload = bytes(&[&key[..], &[(1, 1)], &FULL].concat());
        let other = [&[0x36, 0x20, payload.len() as u8], &payload[..]].concat();
        assert_eq!(stream.read(&other), Some((65_536, 65_536)));
    }

    #[test]
    fn long_codes_end() {
        let timing = [(0, 3), (0, 1), (0, 1), (1, 1), (1, 32), (25, 32), (1, 1)];
        let points = [(0, 1), (0, 1), (0, 5), (0, 12), (0, 5)];
        for code in [vec![(0, 32)], vec![(0, 31), (1, 1), (9, 31)], vec![(1, 1)], vec![(0, 3), (9, 4)]] {
            let sequence = unit(1, &[&timing, &code, &points, &SIDES, &[(0, 30)]]);
            assert_eq!(Av1::default().read(&sequence), Some((320, 240)), "{code:?}");
        }
        assert_eq!(Av1::default().read(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]), None);
    }
}
