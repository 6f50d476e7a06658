//! The name of a segmentation model, as layers write it. PURE.

use std::fmt;

/// The longest name, in bytes.
const LONGEST: usize = 63;

/// A name of 1 to 63 characters out of `A-Za-z0-9._-` that does not begin with a dot: never a path. It is copied about
/// with what is wished of every frame, so it owns no memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModelName {
    bytes: [u8; LONGEST],
    length: u8,
}

impl ModelName {
    /// Returns the name, if it can be one.
    pub fn new(name: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let mut bytes = [0; LONGEST];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        let fits = !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain);
        Some(Self { bytes, length: u8::try_from(name.len()).ok()? }).filter(|_| fits)
    }

    /// Returns it as it is written.
    pub fn as_str(&self) -> &str {
        let bytes = &self.bytes[..usize::from(self.length)];
        std::str::from_utf8(bytes).expect("a name is made of ASCII alone")
    }
}

impl fmt::Debug for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_path() {
        for name in ["embedded", "bodypix-mobilenet-050-16", "a", &"x".repeat(63)] {
            assert_eq!(ModelName::new(name).map(|name| name.as_str().to_owned()).as_deref(), Some(name));
        }
        for name in ["", "..", ".hidden", "a/b", "a\\b", "ü", "a b", "a\n", &"x".repeat(64)] {
            assert_eq!(ModelName::new(name), None, "{name:?}");
        }
    }
}
