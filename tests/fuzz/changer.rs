//! Inputs from a seed: the same every time.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

/// The pieces that readers like least.
#[rustfmt::skip]
const SCRAPS: [&[u8]; 30] = [
    b"", b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b":", b"=", b"/", b"//", b"@", b"%", b"%00", b"..",
    b"\"", b"\\", b"{", b"}", b"[", b"]", b"-1", b"0", b"65536", b"4294967296", b"1e400", b"null",
    "\u{202E}\u{1F41D}".as_bytes(), &[0xff, 0xfe, 0x80],
];

/// The longest that an input may become, in bytes.
const LONGEST: usize = 64 * 1024;

pub struct Changer(StdRng);

impl Changer {
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// Returns one of the seeds with one to six changes.
    pub fn change(&mut self, seeds: &[&[u8]]) -> Vec<u8> {
        let mut input = seeds.choose(&mut self.0).expect("every target has seeds").to_vec();
        for _ in 0..self.0.random_range(1..=6) {
            let at = self.0.random_range(0..=input.len());
            let end = (at + self.0.random_range(0..=24)).min(input.len());
            match self.0.random_range(0..9) {
                0 => drop(input.drain(at..end)),
                1 | 2 => {
                    let scrap: &[u8] = SCRAPS.choose(&mut self.0).expect("there are some");
                    drop(input.splice(at..end, scrap.iter().copied()));
                }
                3 => {
                    let (copy, times) = (input[at..end].to_vec(), self.0.random_range(1..40));
                    drop(input.splice(at..at, copy.repeat(times)));
                }
                4 if at < input.len() => input[at] = self.0.random(),
                5 if at < input.len() => input[at] ^= 1 << self.0.random_range(0..8),
                6 => self.number(&mut input, at),
                7 => self.splice(&mut input, at, seeds),
                _ if self.0.random_bool(0.2) => input.truncate(at),
                _ => {}
            }
            input.truncate(LONGEST);
        }
        input
    }

    /// Another number is the change that readers notice least.
    fn number(&mut self, input: &mut Vec<u8>, from: usize) {
        let Some(begin) = input[from..].iter().position(u8::is_ascii_digit).map(|place| from + place) else { return };
        let length = input[begin..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = match self.0.random_range(0..4) {
            0 => self.0.random_range(0..10u64),
            1 => u64::MAX,
            2 => 1 << self.0.random_range(0..64),
            _ => self.0.random(),
        };
        drop(input.splice(begin..begin + length, number.to_string().into_bytes()));
    }

    /// A piece of another seed, a whole line of it where there are some.
    fn splice(&mut self, input: &mut Vec<u8>, at: usize, seeds: &[&[u8]]) {
        let other = seeds.choose(&mut self.0).expect("every target has seeds");
        let lines: Vec<&[u8]> = other.split_inclusive(|byte| *byte == b'\n').collect();
        let Some(line) = lines.choose(&mut self.0) else { return };
        let line = if line.len() > 400 { &line[..400] } else { line };
        drop(input.splice(at..at, line.iter().copied()));
    }
}
