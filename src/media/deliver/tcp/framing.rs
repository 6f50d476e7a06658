//! Framing of packets in a TCP connection: each behind its length (RFC 4571). PURE.

/// Longest packet that a receiver may send. No packet of WebRTC is longer than what a network carries in one piece.
pub const MOST: usize = 2_048;

/// Bytes of a length.
const HEAD: usize = 2;

/// No more is taken of this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

/// The bytes that have come of a packet that is not complete.
#[derive(Debug, Default)]
pub struct Incoming(Vec<u8>);

impl Incoming {
    /// Takes bytes of the connection, and hands each packet that they complete to `take`.
    ///
    /// # Errors
    /// A packet is too long, or `take` refuses one.
    pub fn push(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8]) -> Result<(), Refused>) -> Result<(), Refused> {
        self.0.extend_from_slice(bytes);
        let mut rest = self.0.as_slice();
        while let Some((head, after)) = rest.split_first_chunk::<HEAD>() {
            let length = usize::from(u16::from_be_bytes(*head));
            if length > MOST {
                return Err(Refused);
            }
            let Some((packet, after)) = after.split_at_checked(length) else { break };
            // An empty one keeps the connection open and says nothing.
            if !packet.is_empty() {
                take(packet)?;
            }
            rest = after;
        }
        let left = rest.len();
        let taken = self.0.len() - left;
        self.0.drain(..taken);
        // A large piece that came at once must not be held for as long as the connection lasts.
        self.0.shrink_to(HEAD + MOST);
        Ok(())
    }
}

/// Returns what stands before a packet of this length; `None`: no connection can carry it.
pub fn head(length: usize) -> Option<[u8; HEAD]> {
    u16::try_from(length).ok().map(u16::to_be_bytes)
}

/// Returns whether a connection that begins with this byte may carry packets: the first one is a connectivity check,
/// which is shorter than 512 bytes. HTTP begins with a letter, TLS with 22.
pub fn may_begin_with(byte: u8) -> bool {
    byte <= 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn framed(packets: &[&[u8]]) -> Vec<u8> {
        packets.iter().flat_map(|packet| [&head(packet.len()).unwrap()[..], packet].concat()).collect()
    }

    fn taken(incoming: &mut Incoming, bytes: &[u8]) -> Result<Vec<Vec<u8>>, Refused> {
        let mut packets = Vec::new();
        incoming.push(bytes, |packet| {
            packets.push(packet.to_vec());
            Ok(())
        })?;
        Ok(packets)
    }

    #[test]
    fn packets_come_whole_however_the_bytes_are_cut() {
        let packets: [&[u8]; 4] = [b"first", b"2", &[7; MOST], b"last"];
        let bytes = framed(&packets);
        for size in [1, 2, 3, 7, 1_000, bytes.len()] {
            let mut incoming = Incoming::default();
            let all: Vec<Vec<u8>> = bytes.chunks(size).flat_map(|piece| taken(&mut incoming, piece).unwrap()).collect();
            assert_eq!(all, packets, "in pieces of {size}");
            assert!(incoming.0.is_empty());
        }
    }

    #[test]
    fn half_a_packet_waits_and_an_empty_one_is_none() {
        let mut incoming = Incoming::default();
        assert_eq!(taken(&mut incoming, &[0, 0, 0, 0, 0, 3, 1, 2]), Ok(vec![]));
        assert_eq!(taken(&mut incoming, &[3, 0]), Ok(vec![vec![1, 2, 3]]));
        assert_eq!(taken(&mut incoming, &[1, 9]), Ok(vec![vec![9]]));
    }

    #[test]
    fn a_packet_that_is_too_long_is_refused_before_it_comes() {
        let [high, low] = head(MOST + 1).unwrap();
        assert_eq!(taken(&mut Incoming::default(), &[high, low]), Err(Refused));
        assert_eq!(taken(&mut Incoming::default(), b"GET / HTTP/1.1\r\n"), Err(Refused));
        assert_eq!(head(1 << 16), None);
    }

    #[test]
    fn no_more_is_taken_after_a_packet_that_is_refused() {
        let mut seen = 0;
        let outcome = Incoming::default().push(&framed(&[b"a", b"b", b"c"]), |packet| {
            seen += 1;
            if packet == b"b" { Err(Refused) } else { Ok(()) }
        });
        assert_eq!((outcome, seen), (Err(Refused), 2));
    }

    #[test]
    fn little_is_held_of_much_that_came() {
        let mut incoming = Incoming::default();
        let many = framed(&vec![&[1_u8; 1_000][..]; 60]);
        assert_eq!(taken(&mut incoming, &[&many[..], &[0, 9, 1]].concat()).unwrap().len(), 60);
        assert_eq!(incoming.0, [0, 9, 1]);
        assert!(incoming.0.capacity() < 2 * (HEAD + MOST), "{}", incoming.0.capacity());
    }

    #[test]
    fn http_and_tls_begin_otherwise() {
        let letters = "GET POST PUT HEAD OPTIONS PATCH DELETE PRI";
        assert!(letters.split(' ').all(|method| !may_begin_with(method.as_bytes()[0])));
        assert!(!may_begin_with(22) && may_begin_with(head(100).unwrap()[0]) && may_begin_with(head(300).unwrap()[0]));
    }
}
