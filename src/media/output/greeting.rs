//! The first words of RTMP: the handshake, and the question for an application. Nothing is published.

use std::io::{self, Read, Write};

/// Size of the second part of a handshake.
const BLOCK: usize = 1536;
/// Longest message that is read.
const LONGEST: usize = 64 * 1024;
/// Messages that may come before the answer.
const MESSAGES: usize = 32;
/// Bytes of a chunk's payload where nobody has set others.
const CHUNK: usize = 128;
/// The kind of a message that sets the size of chunks, and that of a command.
const SET_CHUNK: u8 = 1;
const COMMAND: u8 = 20;

/// The answer of an application's server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Accepted,
    /// With its own words.
    Refused(String),
}

/// Shakes hands.
///
/// # Errors
/// When the other end is no RTMP server, or is gone.
pub(super) fn shake_hands(stream: &mut (impl Read + Write)) -> io::Result<()> {
    let mut ours = [0; BLOCK + 1];
    ours[0] = 3;
    for (index, byte) in ours.iter_mut().enumerate().skip(9) {
        *byte = (index * 31 % 251) as u8;
    }
    stream.write_all(&ours)?;
    stream.flush()?;
    let mut theirs = [0; 1 + BLOCK];
    stream.read_exact(&mut theirs)?;
    if theirs[0] != 3 {
        return Err(io::Error::other("it does not speak RTMP"));
    }
    stream.write_all(&theirs[1..])?;
    stream.flush()?;
    stream.read_exact(&mut [0; BLOCK])
}

/// Asks for an application. `url`: of the application, as RTMP has it.
///
/// # Errors
/// When the other end says nothing that can be read.
pub(super) fn ask(stream: &mut (impl Read + Write), application: &str, url: &str) -> io::Result<Answer> {
    stream.write_all(&question(application, url))?;
    stream.flush()?;
    let mut reader = Chunks { stream, chunk: CHUNK, open: Vec::new() };
    for _ in 0..MESSAGES {
        let (kind, message) = reader.message()?;
        if kind == SET_CHUNK && message.len() >= 4 {
            let size = u32::from_be_bytes([message[0], message[1], message[2], message[3]]) & 0x7FFF_FFFF;
            reader.chunk = usize::try_from(size).unwrap_or(CHUNK).clamp(1, LONGEST);
        } else if kind == COMMAND {
            match text_at(&message, 0).as_deref() {
                Some("_result") => return Ok(Answer::Accepted),
                Some("_error") => return Ok(Answer::Refused(description(&message))),
                // `onBWDone` and the like.
                _ => {}
            }
        }
    }
    Err(io::Error::other("it does not answer the question for the application"))
}

fn question(application: &str, url: &str) -> Vec<u8> {
    let mut message = text("connect");
    // The transaction, 1.
    message.push(0);
    message.extend(1f64.to_be_bytes());
    message.push(3);
    for (key, value) in [("app", application), ("type", "nonprivate"), ("flashVer", "FMLE/3.0"), ("tcUrl", url)] {
        message.extend(&text(key)[1..]);
        message.extend(text(value));
    }
    message.extend([0, 0, 9]);
    let length = u32::try_from(message.len()).unwrap_or_default().to_be_bytes();
    // Chunk stream 3, at zero, of no message stream.
    let mut bytes = vec![3, 0, 0, 0, length[1], length[2], length[3], COMMAND, 0, 0, 0, 0];
    for (index, part) in message.chunks(CHUNK).enumerate() {
        if index > 0 {
            bytes.push(0xC3);
        }
        bytes.extend(part);
    }
    bytes
}

/// Writes a text as AMF0 does. Addresses are shorter than its longest.
fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    [&[2][..], &length.to_be_bytes(), &text.as_bytes()[..usize::from(length)]].concat()
}

/// Reads a text of AMF0.
fn text_at(message: &[u8], at: usize) -> Option<String> {
    let length = u16::from_be_bytes([*message.get(at + 1)?, *message.get(at + 2)?]);
    let bytes = message.get(at + 3..at + 3 + usize::from(length))?;
    (message[at] == 2).then(|| String::from_utf8_lossy(bytes).into_owned())
}

/// Returns what an `_error` says, in at most a line.
fn description(message: &[u8]) -> String {
    const KEY: &[u8] = b"description";
    let found = message.windows(KEY.len()).position(|window| window == KEY);
    let said = found.and_then(|at| text_at(message, at + KEY.len())).unwrap_or_default();
    said.chars().filter(|sign| !sign.is_control()).take(200).collect()
}

/// A chunk stream that has been seen.
#[derive(Debug, Default)]
struct Open {
    id: u32,
    length: usize,
    kind: u8,
    extended: bool,
    message: Vec<u8>,
}

struct Chunks<'a, S> {
    stream: &'a mut S,
    chunk: usize,
    open: Vec<Open>,
}

impl<S: Read> Chunks<'_, S> {
    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads until a message is whole: its kind and its content.
    fn message(&mut self) -> io::Result<(u8, Vec<u8>)> {
        loop {
            let [first] = self.bytes()?;
            let id = match first & 0x3F {
                0 => 64 + u32::from(self.bytes::<1>()?[0]),
                1 => {
                    let [low, high] = self.bytes()?;
                    64 + u32::from(low) + u32::from(high) * 256
                }
                id => id.into(),
            };
            let place = self.open.iter().position(|open| open.id == id);
            if place.is_none() && self.open.len() >= MESSAGES {
                return Err(io::Error::other("it opens too many streams"));
            }
            let place = place.unwrap_or_else(|| {
                self.open.push(Open { id, ..Open::default() });
                self.open.len() - 1
            });
            let form = first >> 6;
            if form < 3 {
                let time: [u8; 3] = self.bytes()?;
                self.open[place].extended = time == [0xFF; 3];
            }
            if form < 2 {
                let [a, b, c, kind] = self.bytes()?;
                let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                if length > LONGEST {
                    return Err(io::Error::other("it sends too long a message"));
                }
                (self.open[place].length, self.open[place].kind) = (length, kind);
            }
            if form == 0 {
                self.bytes::<4>()?;
            }
            if self.open[place].extended {
                self.bytes::<4>()?;
            }
            let left = self.open[place].length - self.open[place].message.len().min(self.open[place].length);
            let mut part = vec![0; left.min(self.chunk)];
            self.stream.read_exact(&mut part)?;
            let open = &mut self.open[place];
            open.message.extend(part);
            if open.message.len() >= open.length {
                return Ok((open.kind, std::mem::take(&mut open.message)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Cursor;

    use super::*;

    /// The peer: what it says, and what it hears.
    struct Peer {
        says: Cursor<Vec<u8>>,
        told: Vec<u8>,
    }

    impl Read for Peer {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.says.read(into)
        }
    }

    impl Write for Peer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.told.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn peer(says: Vec<u8>) -> Peer {
        Peer { says: Cursor::new(says), told: Vec::new() }
    }

    /// Returns a message in chunks of this size, on chunk stream 3.
    fn chunks(kind: u8, message: &[u8], size: usize) -> Vec<u8> {
        let length = (message.len() as u32).to_be_bytes();
        let mut bytes = vec![3, 0, 0, 0, length[1], length[2], length[3], kind, 0, 0, 0, 0];
        bytes.extend(message.chunks(size).collect::<Vec<_>>().join(&0xC3));
        bytes
    }

    #[test]
    fn hands_are_shaken_with_servers_only() {
        let mut theirs = vec![7; 1 + 2 * BLOCK];
        theirs[0] = 3;
        let mut server = peer(theirs);
        shake_hands(&mut server).unwrap();
        assert_eq!(server.told.len(), 1 + 2 * BLOCK);
        assert_eq!(&server.told[1 + BLOCK..], [7; BLOCK], "it gets back what it said");
        let web = shake_hands(&mut peer(vec![b'H'; 1 + 2 * BLOCK])).unwrap_err();
        assert!(web.to_string().contains("RTMP"));
        assert_eq!(shake_hands(&mut peer(vec![3; 90])).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn an_answer_is_found_among_what_else_comes() {
        let size = chunks(SET_CHUNK, &50u32.to_be_bytes(), CHUNK);
        let chatter = chunks(COMMAND, &text("onBWDone"), 50);
        let long = [text("_result"), vec![0; 300]].concat();
        let mut server = peer([size.clone(), chatter, chunks(COMMAND, &long, 50)].concat());
        let asked = ask(&mut server, "live", "rtmp://host:1935/live").unwrap();
        assert_eq!(asked, Answer::Accepted);
        let told = String::from_utf8_lossy(&server.told).into_owned();
        assert!(told.contains("connect") && told.contains("app") && told.contains("live"), "{told:?}");

        let why =
            [text("_error"), vec![0; 9], vec![3], text("description")[1..].to_vec(), text("no such app")].concat();
        let refused = ask(&mut peer(chunks(COMMAND, &why, CHUNK)), "nope", "rtmp://host/nope").unwrap();
        assert_eq!(refused, Answer::Refused("no such app".to_owned()));
    }

    #[test]
    fn nonsense_ends() {
        for says in
            [Vec::new(), vec![0xFF; 5000], chunks(COMMAND, &text("onBWDone"), CHUNK).repeat(100), vec![3; 90_000]]
        {
            assert!(ask(&mut peer(says), "a", "rtmp://h/a").is_err());
        }
    }
}
