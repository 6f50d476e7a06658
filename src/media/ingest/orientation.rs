//! PURE: how a sender says that its picture is to be turned: the video orientation of an RTP header extension (3GPP TS
//! 26.114, "CVO"), by which phones say how they are held.

/// Clockwise, by which a picture is to be turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Turn {
    /// It is upright.
    #[default]
    None,
    /// A quarter.
    Quarter,
    /// Upside down.
    Half,
    /// A quarter to the left.
    ThreeQuarters,
}

impl Turn {
    /// Returns what an RTP packet says in its extension of this id; `None`: nothing. That it is to be mirrored is not
    /// followed: a front camera's picture is seen by others as browsers show it.
    pub fn read(packet: &[u8], id: u8) -> Option<Self> {
        let value = *extension(packet, id)?.first()?;
        Some([Self::None, Self::Quarter, Self::Half, Self::ThreeQuarters][usize::from(value & 3)])
    }

    /// Returns the same as `videoflip` calls it.
    pub fn direction(self) -> &'static str {
        match self {
            Self::None => "identity",
            Self::Quarter => "90r",
            Self::Half => "180",
            Self::ThreeQuarters => "90l",
        }
    }
}

/// Returns the content of a packet's header extension, in its short or its long form (RFC 8285).
fn extension(packet: &[u8], wanted: u8) -> Option<&[u8]> {
    let first = *packet.first()?;
    if first >> 6 != 2 || first & 0x10 == 0 {
        return None;
    }
    let rest = packet.get(12 + 4 * usize::from(first & 0x0f)..)?;
    let [high, low, many, few, content @ ..] = rest else { return None };
    let mut content = content.get(..4 * usize::from(u16::from_be_bytes([*many, *few])))?;
    let is_short = [*high, *low] == [0xbe, 0xde];
    if !(is_short || *high == 0x10 && low >> 4 == 0) {
        return None;
    }
    while let [head, tail @ ..] = content {
        if *head == 0 {
            // Padding.
            content = tail;
            continue;
        }
        let (id, length, tail) = match (is_short, tail) {
            // The end of all of it.
            (true, _) if head >> 4 == 15 => return None,
            (true, tail) => (head >> 4, usize::from(head & 15) + 1, tail),
            (false, [length, tail @ ..]) => (*head, usize::from(*length), tail),
            (false, []) => return None,
        };
        let value = tail.get(..length)?;
        if id == wanted {
            return Some(value);
        }
        content = &tail[length..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(profile: [u8; 2], content: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        packet.extend(profile);
        packet.extend(u16::try_from(content.len() / 4).unwrap_or(0).to_be_bytes());
        packet.extend(content);
        packet.extend([1, 2, 3]);
        packet
    }

    #[test]
    fn short_and_long_forms_are_read_with_others_and_padding_beside() {
        let short = packet([0xbe, 0xde], &[0x31, 7, 7, 0, 0, 0x40, 1, 0]);
        assert_eq!(Turn::read(&short, 4), Some(Turn::Quarter));
        assert_eq!(Turn::read(&short, 5), None);
        let long = packet([0x10, 0], &[3, 2, 9, 9, 0, 20, 1, 0x0a]);
        assert_eq!(Turn::read(&long, 20), Some(Turn::Half));
        assert_eq!(Turn::read(&packet([0xbe, 0xde], &[0x40, 3, 0, 0]), 4), Some(Turn::ThreeQuarters));
    }

    #[test]
    fn what_is_cut_short_or_no_packet_says_nothing() {
        let whole = packet([0xbe, 0xde], &[0x40, 1, 0, 0]);
        for length in 0..17 {
            assert_eq!(Turn::read(&whole[..length], 4), None, "{length}");
        }
        assert_eq!(Turn::read(&packet([0xbe, 0xde], &[0x4f, 1, 0, 0]), 4), None);
        assert_eq!(Turn::read(&packet([0xab, 0xcd], &[0x40, 1, 0, 0]), 4), None);
        assert_eq!(Turn::read(&packet([0xbe, 0xde], &[0xf0, 1, 0x40, 1]), 4), None);
        assert_eq!(Turn::read(&[0x80; 40], 4), None);
    }
}
