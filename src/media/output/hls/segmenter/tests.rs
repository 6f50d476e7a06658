use super::*;

const VIDEO: u16 = 0x41;
const AUDIO: u16 = 0x42;
/// Shown after it is decoded.
const REORDERED: u64 = TICKS / 15;

fn packet(pid: u16, begins: bool, random_access: bool, payload: &[u8]) -> [u8; PACKET] {
    let mut packet = [0xff; PACKET];
    let [high, low] = pid.to_be_bytes();
    packet[..4].copy_from_slice(&[SYNC, high | if begins { 0x40 } else { 0 }, low, 0x30]);
    packet[4] = u8::try_from(PACKET - 5 - payload.len()).unwrap_or_default();
    packet[5] = if random_access { 0x40 } else { 0 };
    packet[PACKET - payload.len()..].copy_from_slice(payload);
    packet
}

fn tables() -> Vec<u8> {
    let programs = [0, 0, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xe0, 0x20, 1, 2, 3, 4];
    let streams = [
        0, 2, 0xb0, 23, 0, 1, 0xc1, 0, 0, 0xe0, 0x41, 0xf0, 0, 0x1b, 0xe0, 0x41, 0xf0, 0, 0x0f, 0xe0, 0x42, 0xf0, 0, 1,
        2, 3, 4,
    ];
    [packet(0, true, false, &programs), packet(0x20, true, false, &streams)].concat()
}

fn five(time: u64) -> [u8; 5] {
    let byte = |shift: u32, bits: u64| ((time >> shift) & bits) as u8;
    [(byte(30, 7) << 1) | 1, byte(22, 255), (byte(15, 127) << 1) | 1, byte(7, 255), (byte(0, 127) << 1) | 1]
}

/// Returns a picture; a keyframe has parameters.
fn picture(decoded: u64, parameters: Option<u8>) -> Vec<u8> {
    let mut content = vec![0, 0, 1, 0xe0, 0, 0, 0x81, 0xc0, 10];
    content.extend(five((decoded + REORDERED) & TIME));
    content.extend(five(decoded & TIME));
    content.extend([0, 0, 0, 1, 9, 0xf0]);
    if let Some(parameters) = parameters {
        content.extend([0, 0, 0, 1, 0x67, 0x64, 0, parameters, 0, 0, 0, 1, 0x68, 1]);
    }
    packet(VIDEO, true, parameters.is_some(), &content).to_vec()
}

/// Pushes pictures of ten a second from `from` to `to`, with keyframes every two seconds counted from `from`.
fn run(segmenter: &mut Segmenter, origin: u64, from: u64, to: u64, parameters: u8) -> Vec<Segment> {
    let mut over = Vec::new();
    for tenth in from..to {
        let is_key = (tenth - from).is_multiple_of(20);
        over.extend(segmenter.push(&picture(origin + tenth * TICKS / 10, is_key.then_some(parameters))));
        over.extend(segmenter.push(&packet(AUDIO, true, true, &[0, 0, 1, 0xc0, 0, 0, 0x80, 0, 0])));
    }
    over
}

fn seconds(segments: &[Segment]) -> Vec<(f64, f64)> {
    segments.iter().map(|segment| (segment.begins.as_secs_f64(), segment.lasts.as_secs_f64())).collect()
}

fn near(found: &[(f64, f64)], wanted: &[(f64, f64)]) {
    let is = |(a, b): (&(f64, f64), &(f64, f64))| (a.0 - b.0).abs() < 0.001 && (a.1 - b.1).abs() < 0.001;
    assert!(found.len() == wanted.len() && found.iter().zip(wanted).all(is), "{found:?} {wanted:?}");
}

#[test]
fn segments_are_equal_and_begin_with_tables_and_a_keyframe() {
    let mut segmenter = Segmenter::new(4, 2);
    // Sound and pictures of before the tables and the first keyframe are of no use.
    segmenter.push(&picture(0, Some(31)));
    segmenter.push(&tables());
    segmenter.push(&picture(0, None));
    // The clock of 33 bits turns over on the way.
    let mut segments = run(&mut segmenter, TIME - 5 * TICKS, 0, 125, 31);
    let early = REORDERED as f64 / TICKS as f64;
    near(&seconds(&segments), &[(early, 4.0), (early + 4.0, 4.0), (early + 8.0, 4.0)]);
    segments.extend(segmenter.finish());
    near(&seconds(&segments[3..]), &[(early + 12.0, 0.5)]);
    assert!(segmenter.finish().is_none());
    for (number, segment) in segments.iter().enumerate() {
        assert!(!segment.is_other && segment.parameters == [0x67, 0x64, 0, 31]);
        let (packets, rest) = segment.bytes.as_chunks::<PACKET>();
        assert!(rest.is_empty());
        assert_eq!((packets[0][2], packets[1][2], packets[2][2]), (0, 0x20, 0x41));
        assert!(packets[..2].iter().all(|table| usize::from(table[3] & 0x0f) == number), "tables are counted");
        assert_eq!(packets[2][5] & 0x40, 0x40, "a keyframe");
        assert!(packets[2..].iter().all(|packet| [0x41, 0x42].contains(&packet[2])));
    }
}

#[test]
fn another_picture_begins_another_segment() {
    let mut segmenter = Segmenter::new(4, 2);
    segmenter.push(&tables());
    let mut segments = run(&mut segmenter, 0, 0, 30, 31);
    segments.extend(run(&mut segmenter, 0, 30, 80, 40));
    segments.extend(segmenter.finish());
    let early = REORDERED as f64 / TICKS as f64;
    near(&seconds(&segments), &[(early, 3.0), (early + 3.0, 4.0), (early + 7.0, 1.0)]);
    assert_eq!(segments.iter().map(|segment| segment.is_other).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn a_keyframe_out_of_turn_makes_no_segment_too_long() {
    let mut segmenter = Segmenter::new(4, 2);
    segmenter.push(&tables());
    let mut segments = run(&mut segmenter, 0, 0, 29, 31);
    segments.extend(run(&mut segmenter, 0, 29, 130, 31));
    let lengths: Vec<f64> = segments.iter().map(|segment| segment.lasts.as_secs_f64()).collect();
    assert_eq!(lengths, [2.9, 4.0, 4.0]);
}

#[test]
fn what_is_no_stream_gives_nothing() {
    let mut segmenter = Segmenter::new(4, 2);
    for byte in 0..=255 {
        assert!(segmenter.push(&[byte; 3 * PACKET + 7]).is_empty());
        let mut odd = tables();
        odd.iter_mut().skip(4).step_by(7).for_each(|place| *place = byte);
        assert!(segmenter.push(&odd).is_empty());
        assert!(segmenter.push(&packet(VIDEO, true, true, &[byte; 20])).is_empty());
    }
}
