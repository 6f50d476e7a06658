//! Cuts an MPEG transport stream of H.264 and AAC into segments. Each begins with the tables and a keyframe. PURE.

use std::time::Duration;

/// Bytes of a packet.
const PACKET: usize = 188;
/// First byte of every packet.
const SYNC: u8 = 0x47;
/// Packet identifier of the table of programs.
const PROGRAMS: u16 = 0;
/// The number of H.264 in the tables.
const H264: u8 = 0x1b;
/// Times are counted so often a second.
const TICKS: u64 = 90_000;
/// Times have so many bits.
const TIME: u64 = (1 << 33) - 1;

/// A whole segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its content.
    pub bytes: Vec<u8>,
    /// Moment at which its first picture is shown; the stream's first picture is decoded at zero.
    pub begins: Duration,
    /// Time for which its pictures are shown.
    pub lasts: Duration,
    /// Sequence parameters of its picture, as far as one packet has them.
    pub parameters: Vec<u8>,
    /// Whether they are other ones than those of the segment before.
    pub is_other: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Segmenter {
    segment: u64,
    keyframes: u64,
    tables: Tables,
    /// Counts the tables, as each kind of packet is counted.
    continuity: u8,
    open: Option<Open>,
    /// Moment at which the next segment begins.
    begins: Duration,
}

/// The tables that describe the stream.
#[derive(Debug, Default)]
struct Tables {
    programs: Option<[u8; PACKET]>,
    streams: Option<[u8; PACKET]>,
    streams_at: u16,
    video: Option<u16>,
    all: Vec<u16>,
}

/// The segment that is being filled.
#[derive(Debug)]
struct Open {
    bytes: Vec<u8>,
    parameters: Vec<u8>,
    is_other: bool,
    /// Moments at which its first picture is shown, and the last so far, in ticks.
    first: u64,
    last: u64,
    pictures: u32,
}

/// The beginning of a unit.
struct Unit<'a> {
    is_keyframe: bool,
    shown: u64,
    decoded: u64,
    content: &'a [u8],
}

impl Segmenter {
    /// Makes one for segments of so many seconds, of a stream with keyframes so many seconds apart.
    pub fn new(segment_seconds: u32, keyframe_seconds: u32) -> Self {
        Self {
            segment: u64::from(segment_seconds) * TICKS,
            keyframes: u64::from(keyframe_seconds) * TICKS,
            tables: Tables::default(),
            continuity: 0,
            open: None,
            begins: Duration::ZERO,
        }
    }

    /// Takes whole packets, and gives the segments that are over.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Segment> {
        let (packets, _) = bytes.as_chunks::<PACKET>();
        packets.iter().filter(|packet| packet[0] == SYNC).filter_map(|packet| self.packet(packet)).collect()
    }

    /// Gives what was begun: the stream is over.
    pub fn finish(&mut self) -> Option<Segment> {
        let open = self.open.take()?;
        let between = u64::from(open.pictures.saturating_sub(1));
        let length = since(open.last, open.first);
        let one = length.checked_div(between).unwrap_or(TICKS / 30);
        Some(self.close(open, length + one))
    }

    fn packet(&mut self, packet: &[u8; PACKET]) -> Option<Segment> {
        let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
        if pid == PROGRAMS || pid == self.tables.streams_at {
            self.tables.take(pid, packet);
            return None;
        }
        if !self.tables.all.contains(&pid) {
            return None;
        }
        let unit = if self.tables.video == Some(pid) { unit(packet) } else { None };
        let over = unit.and_then(|unit| self.picture(&unit));
        if let Some(open) = &mut self.open {
            open.bytes.extend_from_slice(packet);
        }
        over
    }

    /// Counts a picture; with a keyframe, a segment may be over and the next one begin.
    fn picture(&mut self, unit: &Unit<'_>) -> Option<Segment> {
        let Some(open) = &mut self.open else {
            if unit.is_keyframe {
                self.begins = time(since(unit.shown, unit.decoded));
                self.begin(unit, parameters(unit.content), false);
            }
            return None;
        };
        if unit.is_keyframe {
            let length = since(unit.shown, open.first);
            let parameters = parameters(unit.content);
            let is_other = parameters != open.parameters;
            // The next keyframe would come too late. Half a second is what a length is rounded by.
            if is_other || length + self.keyframes > self.segment + TICKS / 2 {
                let over = self.open.take().map(|open| self.close(open, length));
                self.begin(unit, parameters, is_other);
                return over;
            }
        }
        open.pictures += 1;
        if since(unit.shown, open.first) > since(open.last, open.first) {
            open.last = unit.shown;
        }
        None
    }

    fn begin(&mut self, unit: &Unit<'_>, parameters: Vec<u8>, is_other: bool) {
        let mut bytes = Vec::new();
        for table in [self.tables.programs, self.tables.streams].into_iter().flatten() {
            let begun = bytes.len();
            bytes.extend_from_slice(&table);
            bytes[begun + 3] = (table[3] & 0xf0) | self.continuity;
        }
        self.continuity = (self.continuity + 1) & 0x0f;
        self.open = Some(Open { bytes, parameters, is_other, first: unit.shown, last: unit.shown, pictures: 1 });
    }

    fn close(&mut self, open: Open, length: u64) -> Segment {
        let (begins, lasts) = (self.begins, time(length));
        self.begins += lasts;
        let Open { bytes, parameters, is_other, .. } = open;
        Segment { bytes, begins, lasts, parameters, is_other }
    }
}

impl Tables {
    /// Keeps a table. Ours are of one packet each.
    fn take(&mut self, pid: u16, packet: &[u8; PACKET]) {
        let Some((begins, content)) = payload(packet) else { return };
        let Some(section) = content.get(1 + usize::from(*content.first().unwrap_or(&0))..) else { return };
        if !begins || section.len() < 12 {
            return;
        }
        let length = usize::from(u16::from_be_bytes([section[1] & 0x0f, section[2]]));
        // Behind it stands a checksum.
        let Some(section) = section.get(..(3 + length).saturating_sub(4)) else { return };
        if pid == PROGRAMS {
            if let Some([_, _, high, low]) = section.get(8..12) {
                self.streams_at = u16::from_be_bytes([high & 0x1f, *low]);
                self.programs = Some(*packet);
            }
            return;
        }
        let Some([high, low]) = section.get(10..12) else { return };
        let mut rest = section.get(12 + usize::from(u16::from_be_bytes([high & 0x0f, *low]))..).unwrap_or_default();
        (self.all, self.video) = (Vec::new(), None);
        while let [kind, high, low, more_high, more_low, ..] = rest {
            let pid = u16::from_be_bytes([high & 0x1f, *low]);
            self.all.push(pid);
            if *kind == H264 {
                self.video = Some(pid);
            }
            rest = rest.get(5 + usize::from(u16::from_be_bytes([more_high & 0x0f, *more_low]))..).unwrap_or_default();
        }
        self.streams = Some(*packet);
    }
}

/// Returns what a packet carries, and whether a unit or a table begins with it.
fn payload(packet: &[u8; PACKET]) -> Option<(bool, &[u8])> {
    let begins = packet[1] & 0x40 != 0;
    let at = if packet[3] & 0x20 == 0 { 4 } else { 5 + usize::from(packet[4]) };
    let has_payload = packet[3] & 0x10 != 0;
    packet.get(at..).filter(|_| has_payload).map(|content| (begins, content))
}

/// Reads the beginning of a unit of the picture, if one begins with this packet.
fn unit(packet: &[u8; PACKET]) -> Option<Unit<'_>> {
    let (true, content) = payload(packet)? else { return None };
    let is_keyframe = packet[3] & 0x20 != 0 && packet[4] > 0 && packet[5] & 0x40 != 0;
    let [0, 0, 1, _, _, _, _, flags, header, rest @ ..] = content else { return None };
    let shown = if flags & 0x80 != 0 { timestamp(rest)? } else { return None };
    let decoded = if flags & 0x40 != 0 { timestamp(rest.get(5..)?)? } else { shown };
    Some(Unit { is_keyframe, shown, decoded, content: rest.get(usize::from(*header)..)? })
}

/// Reads 33 bits out of five bytes.
fn timestamp(bytes: &[u8]) -> Option<u64> {
    let [a, b, c, d, e, ..] = bytes else { return None };
    let [a, b, c, d, e] = [a, b, c, d, e].map(|byte| u64::from(*byte));
    Some((((a >> 1) & 0x07) << 30) | (b << 22) | ((c >> 1) << 15) | (d << 7) | (e >> 1))
}

/// Ticks from one time to a later one; zero where it is an earlier one.
const fn since(later: u64, earlier: u64) -> u64 {
    let ticks = later.wrapping_sub(earlier) & TIME;
    if ticks > TIME / 2 { 0 } else { ticks }
}

const fn time(ticks: u64) -> Duration {
    Duration::from_nanos(ticks * 100_000 / 9)
}

/// Finds the sequence parameters in the beginning of a unit.
fn parameters(content: &[u8]) -> Vec<u8> {
    let begins = |part: &[u8]| part.starts_with(&[0, 0, 1]);
    let sequence = |part: &[u8]| begins(part) && part[3] & 0x1f == 7;
    let Some(at) = content.windows(4).position(sequence) else { return Vec::new() };
    let found = &content[at + 3..];
    let end = found.windows(3).position(|part| begins(part) || part == [0, 0, 0]);
    found[..end.unwrap_or(found.len())].to_vec()
}

#[cfg(test)]
mod tests;
