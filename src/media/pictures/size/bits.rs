//! Reads bits, the first of a byte being its highest. PURE.

/// A place in some bytes. Past their end, nothing is read.
#[derive(Debug, Clone)]
pub struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    /// Begins at the first bit.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Reads one bit.
    pub fn flag(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// Reads a number of at most 32 bits.
    pub fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0_u32;
        for _ in 0..count {
            value = value << 1 | u32::from(self.flag()?);
        }
        Some(value)
    }

    /// Passes by some bits, of which the last must be there.
    pub fn skip(&mut self, count: u32) -> Option<()> {
        let at = self.at.checked_add(usize::try_from(count).ok()?)?;
        (at <= self.bytes.len().saturating_mul(8)).then(|| self.at = at)
    }

    /// Passes by a marker. Decoders take one that is wrong for a right one.
    pub fn marker(&mut self) -> Option<()> {
        self.skip(1)
    }

    /// Reads `ue(v)`, the Exp-Golomb code of H.264, 9.1, and H.265, 9.2.
    ///
    /// No code has more than 31 zeros. FFmpeg takes more for 31, and goes on.
    pub fn golomb(&mut self) -> Option<u32> {
        let mut ahead = self.clone();
        let mut zeros = 0;
        while zeros < 31 && !ahead.flag()? {
            zeros += 1;
        }
        self.skip(zeros)?;
        Some(self.take(zeros + 1)?.wrapping_sub(1))
    }

    /// Reads `se(v)`, a signed Exp-Golomb code.
    pub fn signed_golomb(&mut self) -> Option<i64> {
        let code = i64::from(self.golomb()?);
        Some(if code % 2 == 1 { code / 2 + 1 } else { -(code / 2) })
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Makes bytes of numbers, each with its count of bits, for the tests of headers.
    pub fn bytes(fields: &[(u32, u32)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let bits = fields.iter().flat_map(|(value, count)| (0..*count).rev().map(move |bit| value >> bit & 1));
        for (at, bit) in bits.enumerate() {
            if at % 8 == 0 {
                bytes.push(0);
            }
            bytes[at / 8] |= (bit as u8) << (7 - at % 8);
        }
        bytes
    }

    /// Makes the field of an Exp-Golomb code.
    pub fn golomb(value: u32) -> (u32, u32) {
        (value + 1, 2 * (value + 1).ilog2() + 1)
    }

    #[test]
    fn numbers_come_back() {
        let made = bytes(&[(5, 3), golomb(0), golomb(999), (0x1ff, 9), golomb(6)]);
        let mut bits = Bits::new(&made);
        assert_eq!(bits.take(3), Some(5));
        assert_eq!(bits.golomb(), Some(0));
        assert_eq!(bits.golomb(), Some(999));
        assert_eq!(bits.skip(9), Some(()));
        assert_eq!(bits.signed_golomb(), Some(-3));
        assert_eq!(bits.skip(99), None);
    }

    #[test]
    fn the_end_ends() {
        assert_eq!(Bits::new(&[]).flag(), None);
        assert_eq!(Bits::new(&[0; 7]).golomb(), None);
        assert_eq!(Bits::new(&[0; 8]).golomb(), Some(u32::MAX), "of 63 bits");
        assert_eq!(Bits::new(&[0, 0]).golomb(), None);
        assert_eq!(Bits::new(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]).golomb(), Some(0xffff_fffe));
        assert_eq!(Bits::new(&[0xff]).take(9), None);
    }
}
