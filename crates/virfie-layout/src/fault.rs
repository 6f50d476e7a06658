//! Wrong places in a JSON value, and the pointers to them.

/// A wrong place in a layout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", self.place())]
pub struct Fault {
    /// RFC 6901 JSON pointer to a place that exists in what was read; `""` is the whole. A missing key is reported at
    /// the object that lacks it.
    pub pointer: String,
    /// The fault there, in one line for the person who wrote it.
    pub detail: String,
}

impl Fault {
    fn place(&self) -> &str {
        if self.pointer.is_empty() { "the layout" } else { &self.pointer }
    }
}

/// Returns the pointer of `key` under `pointer`; `~` and `/` in the key are escaped.
pub fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_escaped_as_rfc_6901_says() {
        assert_eq!(child("", "a"), "/a");
        assert_eq!(child("/layers/0", ""), "/layers/0/");
        assert_eq!(child("", "a/b~c"), "/a~1b~0c");
        assert_eq!(child("", "~1"), "/~01");
    }

    #[test]
    fn a_fault_reads_as_a_line() {
        let fault = Fault { pointer: "/canvas/fps".into(), detail: "must be a number".into() };
        assert_eq!(fault.to_string(), "/canvas/fps: must be a number");
        assert_eq!(Fault { pointer: String::new(), ..fault }.to_string(), "the layout: must be a number");
    }
}
