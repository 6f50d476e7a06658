//! Time for which packets of a peer are waited for, and what belongs together of what it sends.

use gstreamer::{self as gst, prelude::*};

/// Sets up what puts a stream's packets in order.
pub(super) fn set_up(jitterbuffer: &gst::Element) {
    wait_for_gaps(jitterbuffer);
    keep_together(jitterbuffer);
}

/// Has a packet counted as lost only when a later one has come. Else GStreamer expects each one at the pace of the
/// pictures, gives it up when it is a tenth of a second late, and throws away the rest of a keyframe that its sender
/// spreads over a longer time.
fn wait_for_gaps(jitterbuffer: &gst::Element) {
    if jitterbuffer.find_property("rtx-next-seqnum").is_some() {
        jitterbuffer.set_property("rtx-next-seqnum", false);
    }
}

/// Has all streams of a peer taken for one sender's, which they are. Sound is kept with its picture where both have one
/// CNAME, and some senders, str0m for one, give each stream one of its own.
fn keep_together(jitterbuffer: &gst::Element) {
    jitterbuffer.connect_pad_added(|_, pad| {
        if pad.name() != "sink_rtcp" {
            return;
        }
        pad.add_probe(gst::PadProbeType::BUFFER, |_, info| {
            if let Some(packet) = info.buffer_mut()
                && let Ok(mut map) = packet.make_mut().map_writable()
            {
                name_alike(&mut map);
            }
            gst::PadProbeReturn::Ok
        });
    });
}

/// Writes the CNAME of each source description in a compound of RTCP (RFC 3550, 6.5) over with as many letters. Names
/// of one length become one.
fn name_alike(packets: &mut [u8]) {
    const SOURCE_DESCRIPTION: u8 = 202;
    const CNAME: u8 = 1;
    let mut rest = packets;
    while let [_, kind, high, low, ..] = *rest {
        let length = 4 * (1 + usize::from(u16::from_be_bytes([high, low])));
        let Some((packet, next)) = rest.split_at_mut_checked(length) else { return };
        if let [_, _, _, _, _, _, _, _, CNAME, letters, name @ ..] = packet
            && kind == SOURCE_DESCRIPTION
            && let Some(name) = name.get_mut(..usize::from(*letters))
        {
            name.fill(b'x');
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a source description of one source.
    fn described(name: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x81, 202, 0, 0, 0, 0, 0, 7, 1, name.len() as u8];
        packet.extend(name);
        packet.resize(packet.len().next_multiple_of(4) + 4, 0);
        packet[3] = (packet.len() / 4 - 1) as u8;
        packet
    }

    const REPORT: [u8; 8] = [0x80, 201, 0, 1, 0, 0, 0, 7];

    #[test]
    fn names_of_one_length_become_one() {
        let mut one = [&REPORT[..], &described(b"a1b2")].concat();
        let mut other = [&REPORT[..], &described(b"c3d4")].concat();
        name_alike(&mut one);
        name_alike(&mut other);
        assert_eq!(one, other);
        assert_eq!(&one[..8], &REPORT);
        assert!(one.ends_with(&described(b"xxxx")));
    }

    #[test]
    fn what_is_cut_short_stays() {
        let whole = [&REPORT[..], &described(b"a1b2")].concat();
        for length in 0..whole.len() {
            let mut part = whole[..length].to_vec();
            name_alike(&mut part);
            assert_eq!(part, whole[..length], "{length}");
        }
        let mut wrong = described(b"a1b2");
        wrong[9] = 200;
        let before = wrong.clone();
        name_alike(&mut wrong);
        assert_eq!(wrong, before);
    }
}
