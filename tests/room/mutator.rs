//! Broken inputs from a seed: the same every time.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Value, json};

/// Any failure repeats itself with the same seed.
pub const SEED: u64 = 0x7669_7266_6965;

/// The pieces that parsers like least.
#[rustfmt::skip]
const SCRAPS: [&str; 20] = [
    "\0", "\r", "\n", "\r\n\r\n", " ", "\t", ":", "=", "/", "%s%n", "\u{FEFF}", "\u{1F41D}", "0", "-1", "65536",
    "4294967296", "1e400", "nan", "a=mid:", "m=audio",
];

/// Number of signs of a text that is too long for anything.
const LONG: usize = 3000;

pub struct Mutator(StdRng);

impl Mutator {
    pub fn new(stream: u64) -> Self {
        Self(StdRng::seed_from_u64(SEED ^ stream))
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        from.choose(&mut self.0).expect("there is something to choose from")
    }

    /// Returns one to three changes of a text, each of a line or within one.
    pub fn text(&mut self, text: &str) -> String {
        let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        for _ in 0..self.0.random_range(1..=3) {
            let at = self.0.random_range(0..lines.len());
            match self.0.random_range(0..10) {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[at].clone()),
                2 => {
                    let other = self.0.random_range(0..lines.len());
                    lines.swap(at, other);
                }
                3 => lines.truncate(at + 1),
                4 => {
                    let times = self.0.random_range(2..60);
                    let line = lines[at].clone();
                    drop(lines.splice(at..at, std::iter::repeat_n(line, times)));
                }
                _ => lines[at] = self.line(&lines[at].clone()),
            }
            if lines.is_empty() {
                lines.push(String::new());
            }
        }
        lines.join("\n")
    }

    fn line(&mut self, line: &str) -> String {
        let mut signs: Vec<char> = line.chars().collect();
        let from = self.0.random_range(0..=signs.len());
        let to = self.0.random_range(from..=signs.len().min(from + 12));
        match self.0.random_range(0..5) {
            0 => drop(signs.drain(from..to)),
            1 => {
                let scrap = *self.pick(&SCRAPS);
                drop(signs.splice(from..to, scrap.chars()));
            }
            2 => {
                let copy = signs[from..to].to_vec();
                drop(signs.splice(from..from, copy.repeat(20)));
            }
            3 if from < signs.len() => signs[from] = char::from(self.0.random_range(0x20..0x7f_u8)),
            // Another number is the change that parsers notice least.
            _ => {
                for sign in signs.iter_mut().skip(from).filter(|sign| sign.is_ascii_digit()).take(3) {
                    *sign = char::from(self.0.random_range(b'0'..=b'9'));
                }
            }
        }
        signs.into_iter().collect()
    }

    /// Returns bytes with a few of them changed, or cut.
    pub fn bytes(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..self.0.random_range(1..=6) {
            let at = self.0.random_range(0..bytes.len());
            bytes[at] = self.0.random();
        }
        if self.0.random_bool(0.3) {
            bytes.truncate(self.0.random_range(0..bytes.len()));
        }
        bytes
    }

    /// Changes, renames, doubles or takes away one place of a JSON value.
    pub fn json(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) if !members.is_empty() && self.0.random_bool(0.9) => {
                let keys: Vec<String> = members.keys().cloned().collect();
                let key = self.pick(&keys).clone();
                let inside = &mut members[&key];
                match self.0.random_range(0..10) {
                    0 => drop(members.remove(&key)),
                    1 => {
                        let moved = inside.take();
                        members.remove(&key);
                        members.insert(key.to_uppercase(), moved);
                    }
                    _ => self.json(inside),
                }
            }
            Value::Array(items) if !items.is_empty() && self.0.random_bool(0.9) => {
                let at = self.0.random_range(0..items.len());
                match self.0.random_range(0..8) {
                    0 => drop(items.remove(at)),
                    1 => {
                        let item = items[at].clone();
                        items.resize(items.len() + 70, item);
                    }
                    _ => self.json(&mut items[at]),
                }
            }
            place => *place = self.misfit(),
        }
    }

    fn misfit(&mut self) -> Value {
        match self.0.random_range(0..13) {
            0 => Value::Null,
            1 => json!(self.0.random::<bool>()),
            2 => json!(self.0.random_range(-3..3)),
            3 => json!(self.0.random_range(-1e6..1e6)),
            4 => json!(i64::MIN),
            5 => json!(1e308),
            6 => json!([[[]]]),
            7 => json!({"participant": "ann", "slot": 1}),
            8 => json!("50 %"),
            9 => json!("-99999999%"),
            10 => json!("#12345g"),
            11 => json!("\u{1F41D}".repeat(LONG)),
            _ => json!(*self.pick(&SCRAPS)),
        }
    }
}
