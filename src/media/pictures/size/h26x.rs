//! Sizes in H.264 and H.265, in NAL units behind start codes or behind their lengths. PURE.

use super::{Size, bits::Bits, larger, mpeg::start_code};

/// Bytes that are read behind a unit: FFmpeg takes a parameter set that is cut off within its size.
const BEHIND: usize = 8;

/// The codec of the units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum H26xCodec {
    /// ITU-T H.264.
    H264,
    /// ITU-T H.265.
    H265,
}

/// A stream of NAL units.
#[derive(Debug)]
pub struct Units {
    codec: H26xCodec,
    /// Bytes of the length before each unit; none: start codes. More than one where the stream contradicts itself.
    lengths: Vec<usize>,
}

impl Units {
    /// Begins a stream of start codes.
    pub fn new(codec: H26xCodec) -> Self {
        Self { codec, lengths: Vec::new() }
    }

    /// Reads an `avcC` or `hvcC` of ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1: the length's length, then parameter sets.
    pub fn private(&mut self, data: &[u8]) -> Option<Size> {
        let units = start_codes(data, 0, data.len(), None, |start, end| self.unit(data, start, end));
        let configured = match self.codec {
            H26xCodec::H264 => self.avc(data),
            H26xCodec::H265 => self.hevc(data),
        };
        larger(units, configured)
    }

    fn avc(&mut self, data: &[u8]) -> Option<Size> {
        let [1, _, _, _, length, _, ..] = *data else { return None };
        self.prefix(length);
        let mut largest = None;
        let mut at = 5;
        // The count of sequence parameter sets and those, then the same of picture parameter sets.
        for mask in [0x1f, 0xff] {
            let Some(count) = data.get(at) else { break };
            at += 1;
            largest = larger(largest, self.sets(data, &mut at, u32::from(count & mask)));
        }
        largest
    }

    fn hevc(&mut self, data: &[u8]) -> Option<Size> {
        // FFmpeg takes anything that does not look like a start code for a record.
        if let [0, 0, 0 | 1, ..] = data {
            return None;
        }
        self.prefix(*data.get(21)?);
        let mut largest = None;
        let mut at = 23;
        for _ in 0..*data.get(22)? {
            let Some([_, high, low]) = data.get(at..at + 3) else { break };
            at += 3;
            largest = larger(largest, self.sets(data, &mut at, u32::from(u16::from_be_bytes([*high, *low]))));
        }
        largest
    }

    fn prefix(&mut self, field: u8) {
        let length = usize::from(field & 3) + 1;
        if !self.lengths.contains(&length) {
            self.lengths.push(length);
        }
    }

    /// Reads that many units behind lengths of two bytes.
    fn sets(&self, data: &[u8], at: &mut usize, count: u32) -> Option<Size> {
        let mut largest = None;
        for _ in 0..count {
            let Some([high, low]) = data.get(*at..*at + 2) else { break };
            let start = *at + 2;
            let end = (start + usize::from(u16::from_be_bytes([*high, *low]))).min(data.len());
            largest = larger(largest, self.marked(data, start, end));
            *at = end;
        }
        largest
    }

    /// Reads the largest size in a buffer.
    pub fn read(&mut self, content: &[u8]) -> Option<Size> {
        let mut largest = None;
        // FFmpeg takes such a buffer for new private data.
        if let (H26xCodec::H264, false, [1, _, 0, _, 0xfc..=0xff, _, _, _, _, ..]) =
            (self.codec, self.lengths.is_empty(), content)
        {
            largest = self.avc(content);
        }
        // A buffer that contradicts the private data may be read the other way.
        let mut has_start_codes = self.lengths.is_empty() || content.starts_with(&[0, 0, 0, 1]);
        for length in &self.lengths {
            let (size, is_whole) = self.prefixed(content, *length);
            largest = larger(largest, size);
            has_start_codes |= !is_whole;
        }
        if has_start_codes {
            largest = larger(
                largest,
                start_codes(content, 0, content.len(), None, |start, end| self.unit(content, start, end)),
            );
        }
        if self.lengths.is_empty()
            && let (size, true) = self.prefixed(content, 4)
        {
            largest = larger(largest, size);
        }
        largest
    }

    /// Reads units behind lengths, and says whether these fit the buffer.
    fn prefixed(&self, content: &[u8], length: usize) -> (Option<Size>, bool) {
        let mut largest = None;
        let mut at = 0;
        while at < content.len() {
            let Some(start) = at.checked_add(length).filter(|start| *start <= content.len()) else {
                return (largest, false);
            };
            let bytes = content.get(at..start).unwrap_or_default();
            let size = bytes.iter().fold(0_usize, |size, byte| size << 8 | usize::from(*byte));
            let end = start.saturating_add(size);
            largest = larger(largest, self.marked(content, start, end.min(content.len())));
            if end > content.len() {
                return (largest, false);
            }
            at = end;
        }
        (largest, true)
    }

    /// Reads a unit, which should have no start code in it. FFmpeg goes on behind one.
    fn marked(&self, content: &[u8], start: usize, end: usize) -> Option<Size> {
        start_codes(content, start, end, Some(start), |start, end| self.unit(content, start, end))
    }

    /// Reads a unit that is a sequence parameter set.
    fn unit(&self, content: &[u8], start: usize, end: usize) -> Option<Size> {
        const H264_SET: u8 = 7;
        const H264_SUBSET: u8 = 15;
        const H265_SET: u8 = 33;

        let unit = content.get(start..end)?;
        let behind = content.get(start..end.saturating_add(BEHIND).min(content.len()))?;
        match (self.codec, unit) {
            (H26xCodec::H264, [header, _, ..]) if [H264_SET, H264_SUBSET].contains(&(header & 0x1f)) => {
                let set = behind.get(1..)?;
                // FFmpeg reads one that it does not understand again, as if nothing in it were escaped.
                larger(h264(&unescaped(set)), h264(&padded(set)))
            }
            (H26xCodec::H265, [first, second, _, ..]) if first >> 1 & 0x3f == H265_SET => {
                let is_base = first & 1 == 0 && second >> 3 == 0;
                h265(&unescaped(behind.get(2..)?), is_base)
            }
            _ => None,
        }
    }
}

/// Calls for each unit behind a start code, and for one that begins without.
fn start_codes(
    content: &[u8],
    from: usize,
    to: usize,
    mut start: Option<usize>,
    mut read: impl FnMut(usize, usize) -> Option<Size>,
) -> Option<Size> {
    let (mut largest, mut at) = (None, from);
    loop {
        let next = start_code(content, at, to);
        if let Some(start) = start {
            largest = larger(largest, read(start, next.map_or(to, |next| next - 3)));
        }
        at = match next {
            Some(next) => next,
            None => return largest,
        };
        start = Some(at);
    }
}

/// Takes out the bytes of H.264, 7.4.1, and H.265, 7.4.2.
fn unescaped(unit: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(unit.len() + BEHIND);
    let mut zeros = 0;
    for byte in unit {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        bytes.push(*byte);
    }
    bytes.resize(bytes.len() + BEHIND, 0);
    bytes
}

fn padded(unit: &[u8]) -> Vec<u8> {
    [unit, &[0; BEHIND]].concat()
}

/// Reads `seq_parameter_set_data()` of H.264, 7.3.2.1.1.
fn h264(set: &[u8]) -> Option<Size> {
    match set.first()? {
        66 | 77 | 88 => h264_of(set, false),
        100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 => h264_of(set, true),
        // Decoders disagree about the rest.
        _ => larger(h264_of(set, false), h264_of(set, true)),
    }
}

fn h264_of(set: &[u8], has_chroma: bool) -> Option<Size> {
    let mut bits = Bits::new(set);
    bits.skip(8 + 8 + 8)?;
    bits.golomb()?;
    if has_chroma {
        let chroma = bits.golomb()?;
        if chroma == 3 {
            bits.skip(1)?;
        }
        bits.golomb()?;
        bits.golomb()?;
        bits.skip(1)?;
        if bits.flag()? {
            for list in 0..if chroma == 3 { 12 } else { 8 } {
                if bits.flag()? {
                    scaling_list(&mut bits, if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    bits.golomb()?;
    match bits.golomb()? {
        0 => {
            bits.golomb()?;
        }
        1 => {
            bits.skip(1)?;
            bits.golomb()?;
            bits.golomb()?;
            let count = bits.golomb()?;
            (count <= 255).then_some(())?;
            for _ in 0..count {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    bits.golomb()?;
    bits.skip(1)?;
    let mut side = || bits.golomb().map(|blocks| blocks.saturating_add(1).saturating_mul(16));
    let (width, height) = (side()?, side()?);
    let is_of_fields = !bits.flag()?;
    Some((width, height.saturating_mul(1 + u32::from(is_of_fields))))
}

/// Passes by `scaling_list()`, 7.3.2.1.1.1.
fn scaling_list(bits: &mut Bits, count: u32) -> Option<()> {
    let (mut last, mut next) = (8, 8);
    for _ in 0..count {
        if next != 0 {
            next = (last + bits.signed_golomb()?).rem_euclid(256);
        }
        if next != 0 {
            last = next;
        }
    }
    Some(())
}

/// Reads `seq_parameter_set_rbsp()` of H.265, 7.3.2.2.1.
fn h265(set: &[u8], is_base: bool) -> Option<Size> {
    let mut bits = Bits::new(set);
    bits.skip(4)?;
    let layers = bits.take(3)?;
    // F.7.3.2.2.1: a set of another layer that has no size of its own.
    (is_base || layers != 7).then_some(())?;
    bits.skip(1)?;
    profile_tier_level(&mut bits, layers)?;
    bits.golomb()?;
    if bits.golomb()? == 3 {
        bits.skip(1)?;
    }
    Some((bits.golomb()?, bits.golomb()?))
}

/// Passes by `profile_tier_level()`, 7.3.3.
fn profile_tier_level(bits: &mut Bits, layers: u32) -> Option<()> {
    const PROFILE: u32 = 88;
    const LEVEL: u32 = 8;

    bits.skip(PROFILE + LEVEL)?;
    let mut present = 0;
    for _ in 0..layers {
        present += if bits.flag()? { PROFILE } else { 0 };
        present += if bits.flag()? { LEVEL } else { 0 };
    }
    if layers > 0 {
        bits.skip(2 * 8_u32.saturating_sub(layers))?;
    }
    bits.skip(present)
}

#[cfg(test)]
pub mod tests {
    use super::{super::bits::tests::golomb, *};

    /// Of x264: a sequence parameter set of the profile 4:4:4, and a picture parameter set.
    pub const H264: &[u8] =
        b"\0\0\0\x01\x67\xf4\0\x0c\x91\x9b\x28\x2a\x10\xf1\xf1\xf8\x08\x80\0\0\x03\0\x80\0\0\x05\x07\
        \x8a\x14\xcb\0\0\0\x01\x68\xeb\xe3\xc4\x48\x44";
    /// With the scaling lists of the standard, and its `avcC`.
    const LISTS: &[u8] =
        b"\x67\x64\0\x0c\xac\xd9\x41\x50\x87\x88\x88\xc0\x44\0\0\x03\0\x04\0\0\x03\0\x28\x3c\x50\xa6\x58";
    const FIELDS: &[u8] =
        b"\0\0\0\x01\x67\x64\0\x15\xac\xd9\x41\x51\x0f\x11\x2e\x02\x20\0\0\x03\0\x20\0\0\x03\x01\x43\xe2";
    /// Of 7680x4320.
    const LARGE: &[u8] = b"\x67\x42\xc0\x3c\xda\0\x78\0\x21\xdb\x01\x10\0\0\x03\0\x10\0\0\x03\0\xa0\xf0\x80\x42\xa0";
    /// Of x265: its parameter sets.
    pub const H265: &[u8] = b"\0\0\0\x01\x40\x01\x0c\x01\xff\xff\x01\x60\0\0\x03\0\x90\0\0\x03\0\0\x03\0\x3c\x95\x98\
        \x09\0\0\0\x01\x42\x01\x01\x01\x60\0\0\x03\0\x90\0\0\x03\0\0\x03\0\x3c\xa0\x0a\x48\x0f\x9c\x92\x65\x95\x9a\
        \x49\x32\xbc\x05\xa0\x20\0\0\x03\0\x20\0\0\x03\0\xa1\0\0\0\x01\x44\x01\xc1\x72\xb4\x62\x40";
    /// With two layers in time.
    const TEMPORAL: &[u8] = b"\0\0\x01\x42\x01\x02\x01\x60\0\0\x03\0\x90\0\0\x03\0\0\x03\0\x3c\0\0\xa0\x0a\x48\x0f\x9c\
        \x92\x65\x95\x98\xac\xd2\x49\x95\xe0";
    const H265_SET: &[u8] = b"\x42\x01\x01\x01\x60\0\0\x03\0\x90\0\0\x03\0\0\x03\0\x3c\xa0\x0a\x48\x0f\x9c\x92\x65\x95";

    const SMALL: Option<Size> = Some((336, 256));
    const HUGE: Option<Size> = Some((7680, 4320));

    fn set(profile: u32, fields: &[(u32, u32)]) -> Vec<u8> {
        let head = [(0x67, 8), (profile, 8), (0, 8), (30, 8), golomb(0)];
        super::super::bits::tests::bytes(&[&head[..], fields, &[(1, 1)]].concat())
    }

    fn prefixed(units: &[&[u8]], length: usize) -> Vec<u8> {
        let of = |unit: &&[u8]| [&(unit.len() as u32).to_be_bytes()[4 - length..], unit].concat();
        units.iter().flat_map(of).collect()
    }

    fn record(length: u8, unit: &[u8]) -> Vec<u8> {
        [&[1, 0x64, 0, 12, 0xfc | (length - 1), 0xe1], &prefixed(&[unit], 2)[..], &[0]].concat()
    }

    #[test]
    fn a_set_gives_its_size() {
        let mut stream = Units::new(H26xCodec::H264);
        assert_eq!(stream.read(H264), SMALL);
        assert_eq!(stream.read(FIELDS), Some((336, 256)), "of fields");
        assert_eq!(stream.read(&[b"\0\0\x01", LISTS].concat()), SMALL);
        assert_eq!(stream.read(&[b"\0\0\x01", LARGE].concat()), HUGE);
        assert_eq!(stream.read(b"\0\0\x01\x41\x9a\0\0\x01"), None);
        assert_eq!(stream.read(&[&b"\0\0\x01\x6f"[..], &LARGE[1..]].concat()), HUGE, "a subset");
        for stream in [H265, TEMPORAL] {
            assert_eq!(Units::new(H26xCodec::H265).read(stream), Some((328, 248)));
        }
    }

    #[test]
    fn the_largest_set_counts() {
        let large = [b"\0\0\x01", LARGE].concat();
        assert_eq!(Units::new(H26xCodec::H264).read(&[H264, &large].concat()), HUGE);
        assert_eq!(Units::new(H26xCodec::H264).read(&[&large, H264].concat()), HUGE);
        for length in [1, 2, 3, 4_u8] {
            let mut stream = Units::new(H26xCodec::H264);
            assert_eq!(stream.private(&record(length, LISTS)), SMALL);
            let units = prefixed(&[b"\x41\x9a\x12", LISTS, LARGE, b"\x41\x9a"], length.into());
            assert_eq!(stream.read(&units), HUGE, "{length}");
            assert_eq!(stream.read(&prefixed(&[b"\x41\x9a\x12", &[0x41; 200]], length.into())), None);
        }
        assert_eq!(Units::new(H26xCodec::H264).private(&record(4, LARGE)), HUGE);
        assert_eq!(Units::new(H26xCodec::H264).read(&prefixed(&[LISTS, LARGE], 4)), HUGE, "of an unknown form");
    }

    #[test]
    fn records_of_h265_are_read() {
        let head = b"\x01\x01\x60\0\0\0\x90\0\0\0\0\0\x3c\xf0\0\xfc\xfd\xf8\xf8\0\0\x0d\x02";
        let sets = [&b"\xa0\0\x01\0\x03\x40\x01\x0c\xa1\0\x01"[..], &prefixed(&[H265_SET], 2)].concat();
        let mut stream = Units::new(H26xCodec::H265);
        assert_eq!(stream.private(&[&head[..], &sets].concat()), Some((328, 248)));
        assert_eq!(stream.read(&prefixed(&[b"\x02\x01\xd0", H265_SET], 2)), Some((328, 248)));
        assert_eq!(stream.private(H265), Some((328, 248)), "of start codes");
        assert_eq!(stream.lengths, [2]);
    }

    #[test]
    fn no_form_hides_a_set() {
        let mut stream = Units::new(H26xCodec::H264);
        stream.private(&record(4, LISTS));
        let inside = [b"\x41\x9a\0\0\x01", LARGE].concat();
        assert_eq!(stream.read(&prefixed(&[&inside], 4)), HUGE, "behind a start code in a unit");
        assert_eq!(stream.read(&[b"\0\0\0\x01", LARGE].concat()), HUGE, "behind a start code");
        assert_eq!(stream.read(&[&b"\0\0\x01"[..], LARGE].concat()), HUGE, "behind a short one");
        assert_eq!(stream.read(&[&b"\0\0\x01\0"[..], LARGE].concat()), HUGE, "cut off");
        assert_eq!(stream.read(&record(2, LARGE)), HUGE, "in a record among the pictures");
        assert_eq!(stream.read(&prefixed(&[LARGE], 2)), HUGE, "in the form of that");
        assert_eq!(stream.read(&prefixed(&[LARGE], 4)), HUGE);
    }

    #[test]
    fn lengths_are_no_start_codes() {
        let mut stream = Units::new(H26xCodec::H264);
        stream.private(&record(4, LISTS));
        let mut unit = [&LARGE[1..], &[0x55; 999]].concat();
        unit.truncate(0x167);
        // The length's last byte looks like a parameter set's first.
        assert_eq!(stream.read(&prefixed(&[&unit[..]], 4)), None);
    }

    #[test]
    fn every_field_of_a_set_counts() {
        let chroma = [golomb(3), (0, 1), golomb(2), golomb(2), (0, 1), (1, 1)];
        let lists = [vec![(1, 1); 17], vec![(0, 5)], vec![(1, 1), golomb(16)], vec![(0, 5)]].concat();
        let order = [golomb(4), golomb(1), (0, 1), golomb(7), golomb(8), golomb(2), golomb(900), golomb(1)];
        let rest = [golomb(4), (0, 1), golomb(999), golomb(499), (0, 1)];
        let made = set(244, &[&chroma[..], &lists, &order, &rest].concat());
        assert_eq!(Units::new(H26xCodec::H264).read(&[b"\0\0\x01", &made[..]].concat()), Some((16_000, 16_000)));
        let plain = [golomb(4), golomb(2), golomb(4), (0, 1), golomb(999), golomb(999), (1, 1)];
        for profile in [66, 77, 88, 139, 7] {
            let made = [b"\0\0\x01", &set(profile, &plain)[..]].concat();
            assert_eq!(Units::new(H26xCodec::H264).read(&made), Some((16_000, 16_000)), "{profile}");
        }
    }

    #[test]
    fn escapes_are_taken_out() {
        assert_eq!(unescaped(b"\0\0\x03\x01\0\0\x03\0\0\x03\0\x03")[..9], *b"\0\0\x01\0\0\0\0\0\x03");
        // A long offset before the size is such a sequence. FFmpeg also takes it where an encoder did not escape it.
        let far = [golomb(4), golomb(1), (0, 1), (0, 20), (3, 2), (0, 19), golomb(0), golomb(0)];
        let rest = [golomb(1), (0, 1), golomb(999), golomb(999), (1, 1)];
        let raw = set(66, &[&far[..], &rest].concat());
        assert_eq!(raw[5..8], [0, 0, 3]);
        let escaped = [&raw[..7], &[3], &raw[7..]].concat();
        for set in [raw, escaped] {
            let stream = [b"\0\0\x01", &set[..]].concat();
            assert_eq!(Units::new(H26xCodec::H264).read(&stream), Some((16_000, 16_000)), "{set:?}");
        }
    }

    #[test]
    fn a_set_that_is_cut_off_counts() {
        let made = set(66, &[golomb(4), golomb(2), golomb(4), (0, 1), golomb(1023), golomb(1023)]);
        let cut = [b"\0\0\x01", &made[..made.len() - 1], b"\0\0\x01\x41"].concat();
        assert_eq!(Units::new(H26xCodec::H264).read(&cut), Some((16_384, 32_768)));
    }
}
