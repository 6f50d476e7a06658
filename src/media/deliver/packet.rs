//! Encoded units as RTP payloads, made once for all receivers. PURE.
//!
//! H.264 by RFC 6184 in packetization mode 1 (single NAL units, STAP-A for the small ones before a picture, FU-A for
//! the large ones); VP8 by RFC 7741 without picture ids: sequence numbers give a receiver all that one encoding without
//! temporal layers has to say, and stay right when it is switched to another.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::media::codec::{EncodingId, VideoCodec};

/// Bytes of a payload. With 12 of the RTP header, 20 of extensions, 10 of SRTP, 8 of UDP and 40 of IPv6 a packet stays
/// below the 1,280 bytes that every network carries.
pub const MAX_PAYLOAD: usize = 1_150;

/// One encoded picture, ready to be sent to anybody.
#[derive(Debug)]
pub struct Unit {
    /// The encoding that it belongs to.
    pub encoding: EncodingId,
    /// Whether a receiver can begin with it.
    pub keyframe: bool,
    /// Running time of the picture.
    pub pts: Duration,
    /// The same on the process's clock.
    pub at: Instant,
    /// RTP payloads in their order; the last one has the marker.
    pub payloads: Vec<Arc<[u8]>>,
}

impl Unit {
    /// Cuts an access unit (H.264 in byte-stream format, or a VP8 frame) into payloads. `None`: there is nothing in it.
    pub fn new(encoding: EncodingId, keyframe: bool, (pts, at): (Duration, Instant), data: &[u8]) -> Option<Self> {
        let payloads = match encoding.codec {
            VideoCodec::H264 => h264(data),
            VideoCodec::Vp8 | VideoCodec::Vp9 => vp8(data),
        };
        (!payloads.is_empty()).then_some(Self { encoding, keyframe, pts, at, payloads })
    }
}

/// NAL unit type of an access unit delimiter, which RTP does not need.
const DELIMITER: u8 = 9;
/// NAL unit type of several small ones together.
const STAP_A: u8 = 24;
/// NAL unit type of a part of a large one.
const FU_A: u8 = 28;

/// Returns the NAL units of a byte stream, without start codes.
fn nal_units(data: &[u8]) -> Vec<&[u8]> {
    let mut units = Vec::new();
    let (mut begun, mut at) = (None, 0);
    while at + 3 <= data.len() {
        // A third byte above 1 ends every start code that could begin in these three.
        if data[at + 2] > 1 {
            at += 3;
        } else if data[at..at + 3] == [0, 0, 1] {
            if let Some(begun) = begun.replace(at + 3) {
                units.push(trimmed(&data[begun..at]));
            }
            at += 3;
        } else {
            at += 1;
        }
    }
    units.extend(begun.map(|begun| trimmed(&data[begun..])));
    units.retain(|unit: &&[u8]| !unit.is_empty() && unit[0] & 0x1f != DELIMITER);
    units
}

/// Returns it without the zeros that belong to the next start code or fill up.
fn trimmed(unit: &[u8]) -> &[u8] {
    let length = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &unit[..length]
}

fn h264(data: &[u8]) -> Vec<Arc<[u8]>> {
    let mut payloads = Vec::with_capacity(data.len() / MAX_PAYLOAD + 2);
    let mut small: Vec<&[u8]> = Vec::new();
    let mut size = 1;
    for unit in nal_units(data) {
        if size + 2 + unit.len() > MAX_PAYLOAD {
            aggregate(&mut small, &mut payloads);
            size = 1;
        }
        if unit.len() > MAX_PAYLOAD {
            fragment(unit, &mut payloads);
        } else {
            size += 2 + unit.len();
            small.push(unit);
        }
    }
    aggregate(&mut small, &mut payloads);
    payloads
}

/// Puts small units in one payload, in their order.
fn aggregate(units: &mut Vec<&[u8]>, payloads: &mut Vec<Arc<[u8]>>) {
    match units.as_slice() {
        [] => {}
        [single] => payloads.push(Arc::from(*single)),
        several => {
            // The highest importance of those inside (RFC 6184, section 5.7).
            let importance = several.iter().map(|unit| unit[0] & 0x60).max().unwrap_or(0);
            let mut payload = vec![importance | STAP_A];
            for unit in several {
                let length = u16::try_from(unit.len()).unwrap_or(u16::MAX);
                payload.extend(length.to_be_bytes());
                payload.extend_from_slice(unit);
            }
            payloads.push(payload.into());
        }
    }
    units.clear();
}

/// Cuts a large unit in parts of about equal size: a last one of a few bytes would cost a whole packet.
fn fragment(unit: &[u8], payloads: &mut Vec<Arc<[u8]>>) {
    let (header, body) = (unit[0], &unit[1..]);
    let count = body.len().div_ceil(MAX_PAYLOAD - 2);
    let parts = body.chunks(body.len().div_ceil(count));
    let last = parts.len() - 1;
    for (index, part) in parts.enumerate() {
        let (start, end) = (u8::from(index == 0) << 7, u8::from(index == last) << 6);
        let mut payload = Vec::with_capacity(2 + part.len());
        payload.extend([header & 0xe0 | FU_A, start | end | header & 0x1f]);
        payload.extend_from_slice(part);
        payloads.push(payload.into());
    }
}

fn vp8(data: &[u8]) -> Vec<Arc<[u8]>> {
    let count = data.len().div_ceil(MAX_PAYLOAD - 1).max(1);
    let parts = data.chunks(data.len().div_ceil(count).max(1));
    let payload = |(index, part): (usize, &[u8])| {
        let mut payload = Vec::with_capacity(1 + part.len());
        // S: the frame's first (and only) partition begins here.
        payload.push(u8::from(index == 0) << 4);
        payload.extend_from_slice(part);
        Arc::from(payload)
    };
    parts.enumerate().map(payload).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::media::codec::Rendition;

    const H264: EncodingId = EncodingId { codec: VideoCodec::H264, rendition: Rendition::Full };
    const VP8: EncodingId = EncodingId { codec: VideoCodec::Vp8, rendition: Rendition::Full };

    fn start() -> (Duration, Instant) {
        (Duration::ZERO, Instant::now())
    }

    fn payloads(encoding: EncodingId, data: &[u8]) -> Vec<Vec<u8>> {
        let unit = Unit::new(encoding, true, start(), data).unwrap();
        unit.payloads.iter().map(|payload| payload.to_vec()).collect()
    }

    /// Returns what a receiver makes of payloads: NAL units.
    fn assembled(payloads: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut units: Vec<Vec<u8>> = Vec::new();
        for payload in payloads {
            match payload[0] & 0x1f {
                STAP_A => {
                    let mut rest = &payload[1..];
                    while let [high, low, after @ ..] = rest {
                        let length = usize::from(u16::from_be_bytes([*high, *low]));
                        units.push(after[..length].to_vec());
                        rest = &after[length..];
                    }
                }
                FU_A => {
                    if payload[1] & 0x80 != 0 {
                        units.push(vec![payload[0] & 0xe0 | payload[1] & 0x1f]);
                    }
                    units.last_mut().unwrap().extend(&payload[2..]);
                }
                _ => units.push(payload.clone()),
            }
        }
        units
    }

    fn stream(units: &[Vec<u8>]) -> Vec<u8> {
        let coded = |(index, unit): (usize, &Vec<u8>)| {
            let code: &[u8] = if index % 2 == 0 { &[0, 0, 0, 1] } else { &[0, 0, 1] };
            [code, unit].concat()
        };
        units.iter().enumerate().flat_map(coded).collect()
    }

    fn nal(kind: u8, length: usize) -> Vec<u8> {
        let mut unit = vec![0x60 | kind];
        unit.extend((1..length).map(|at| (at % 251) as u8 | 1));
        unit
    }

    #[test]
    fn headers_travel_together_and_large_slices_in_equal_parts() {
        let units = [nal(7, 20), nal(8, 5), nal(5, 3_000)];
        let made = payloads(H264, &stream(&units));
        assert_eq!(made.iter().map(|payload| payload[0] & 0x1f).collect::<Vec<_>>(), [STAP_A, FU_A, FU_A, FU_A]);
        assert!(made.iter().all(|payload| payload.len() <= MAX_PAYLOAD));
        let lengths: Vec<usize> = made[1..].iter().map(Vec::len).collect();
        assert!(lengths.iter().max().unwrap() - lengths.iter().min().unwrap() <= 2, "{lengths:?}");
        assert_eq!(assembled(&made), units);
    }

    #[test]
    fn every_size_comes_back_as_it_was() {
        for length in (1..4_000).step_by(37).chain([MAX_PAYLOAD - 3, MAX_PAYLOAD - 1, MAX_PAYLOAD, MAX_PAYLOAD + 1]) {
            let units = [nal(7, 9), nal(1, length), nal(1, length / 2 + 1)];
            let made = payloads(H264, &stream(&units));
            assert!(made.iter().all(|payload| payload.len() <= MAX_PAYLOAD), "{length}");
            assert_eq!(assembled(&made), units, "{length}");
        }
    }

    #[test]
    fn delimiters_padding_and_emptiness_are_left_out() {
        let data = [0, 0, 0, 1, 9, 0x10, 0, 0, 1, 0x65, 7, 0, 0, 0, 0, 1, 0x41, 8, 0, 0];
        assert_eq!(assembled(&payloads(H264, &data)), [vec![0x65, 7], vec![0x41, 8]]);
        for nothing in [&[][..], &[0, 0], &[0, 0, 1], &[0, 0, 0, 0, 1, 9, 0x10], &[1, 2, 3, 4, 5]] {
            assert!(Unit::new(H264, true, start(), nothing).is_none(), "{nothing:?}");
        }
        assert!(Unit::new(VP8, true, start(), &[]).is_none());
    }

    #[test]
    fn only_the_first_part_of_a_vp8_frame_begins_it() {
        let frame: Vec<u8> = (0..5_000).map(|at| (at % 256) as u8).collect();
        let made = payloads(VP8, &frame);
        assert_eq!(made[0][0], 0x10);
        assert!(made[1..].iter().all(|payload| payload[0] == 0));
        assert!(made.iter().all(|payload| payload.len() <= MAX_PAYLOAD));
        assert_eq!(made.iter().flat_map(|payload| payload[1..].to_vec()).collect::<Vec<_>>(), frame);
    }
}
