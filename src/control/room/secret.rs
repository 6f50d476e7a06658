//! Random names that nobody can guess, and ids that are short.

use rand::Rng;

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// Length of an id: 36^10 values, so that two of a room never meet.
const ID_LENGTH: usize = 10;

/// Length of a secret: 36^25 is a little more than 128 bits.
const SECRET_LENGTH: usize = 25;

/// Returns a short id in base 36, for participants and outputs. Not secret.
pub fn id() -> String {
    base36(ID_LENGTH)
}

/// Returns at least 128 random bits in base 36. Who knows it may take the place over.
pub fn secret() -> String {
    base36(SECRET_LENGTH)
}

fn base36(length: usize) -> String {
    // The thread's generator is cryptographically strong.
    let mut random = rand::rng();
    (0..length).map(|_| char::from(DIGITS[random.random_range(0..DIGITS.len())])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_secrets_are_base36_and_differ() {
        let (a, b) = (secret(), secret());
        assert_ne!(a, b);
        assert_eq!((a.len(), id().len()), (25, 10));
        assert!(a.bytes().all(|c| DIGITS.contains(&c)));
    }
}
