//! Lines, tokens and numbers of SDP, and the error that names them.

use std::str::FromStr;

use super::limits::{MAX_LINE, PWD, UFRAG};

/// The reason why a description, candidate or fragment is refused: one line that names the line number or the mid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

impl Fault {
    /// Creates a fault with this one-line text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Quotes remote text for a message: in quotes, at most 40 characters, nothing unprintable.
pub(super) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    let more = if text.chars().nth(40).is_some() { "…" } else { "" };
    format!("\"{shown}{more}\"")
}

/// One `x=…` line.
#[derive(Clone, Copy)]
pub(super) struct SdpLine<'a> {
    /// From 1, as editors count.
    pub number: usize,
    /// The letter.
    pub letter: u8,
    /// The text behind `=`.
    pub value: &'a str,
}

impl<'a> SdpLine<'a> {
    /// Returns the name and value of an `a=` line; the value is empty for a flag.
    pub fn attribute(&self) -> Option<(&'a str, &'a str)> {
        (self.letter == b'a').then(|| self.value.split_once(':').unwrap_or((self.value, "")))
    }

    /// Returns a fault at this line.
    pub fn fault(&self, what: impl std::fmt::Display) -> Fault {
        Fault::new(format!("line {}: {what}", self.number))
    }
}

/// Splits a text into checked lines. Blank lines are skipped; line ends may be CRLF or LF.
pub(super) fn lines(text: &str, max_bytes: usize) -> Result<Vec<SdpLine<'_>>, Fault> {
    if text.len() > max_bytes {
        return Err(Fault::new(format!("{} bytes are more than the {max_bytes} allowed", text.len())));
    }
    let mut lines = Vec::new();
    for (index, raw) in text.split('\n').enumerate() {
        let content = raw.strip_suffix('\r').unwrap_or(raw);
        let number = index + 1;
        if content.is_empty() {
            continue;
        }
        if content.len() > MAX_LINE {
            return Err(Fault::new(format!("line {number}: {} bytes, {MAX_LINE} are allowed", content.len())));
        }
        if content.chars().any(char::is_control) {
            return Err(Fault::new(format!("line {number}: contains a control character")));
        }
        match content.as_bytes() {
            [letter @ b'a'..=b'z', b'=', ..] => lines.push(SdpLine { number, letter: *letter, value: &content[2..] }),
            _ => return Err(Fault::new(format!("line {number}: {} is not of the form x=…", quoted(content)))),
        }
    }
    Ok(lines)
}

/// Returns a decimal number without sign or blanks. (`str::parse` alone would take `+5`.)
pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// Returns whether it is an RFC 8866 `token`.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| {
            matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'^'..=b'~')
        })
}

/// Returns whether it is an RFC 8839 `ice-char`, one or more, and the four signs that browsers let pass beside them.
pub(super) fn is_ice_text(text: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') || matches!(byte, b'-' | b'_' | b'=' | b'#')
    };
    !text.is_empty() && text.bytes().all(allowed)
}

/// Checks an ICE user fragment.
pub(super) fn ice_ufrag(text: &str) -> Result<String, Fault> {
    if !UFRAG.contains(&text.len()) || !is_ice_text(text) {
        let what = format!("ice-ufrag must be {} to {} letters, digits or +/-_=#", UFRAG.start(), UFRAG.end());
        return Err(Fault::new(what));
    }
    Ok(text.to_owned())
}

/// Checks an ICE password. The message never repeats it.
pub(super) fn ice_pwd(text: &str) -> Result<String, Fault> {
    if !PWD.contains(&text.len()) || !is_ice_text(text) {
        return Err(Fault::new(format!("ice-pwd must be {} to {} letters, digits or +/-_=#", PWD.start(), PWD.end())));
    }
    Ok(text.to_owned())
}

/// Stores what may be said once, or twice alike.
pub(super) fn say_once<T: PartialEq>(
    place: &mut Option<T>,
    value: T,
    line: &SdpLine<'_>,
    name: &str,
) -> Result<(), Fault> {
    match place {
        Some(earlier) if *earlier != value => Err(line.fault(format_args!("{name} differs from an earlier one"))),
        _ => {
            *place = Some(value);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn lines_end_with_lf_or_crlf_and_keep_their_numbers() {
        let read = lines("v=0\r\n\na=mid:0\n", 100).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[1].number, read[1].attribute()), (3, Some(("mid", "0"))));
    }

    #[test]
    fn control_characters_and_strange_lines_are_refused_with_their_number() {
        for text in ["v=0\ns=a\u{0}b", "v=0\nS=x", "v=0\nhello", "v=0\ns=\u{7f}", "v=0\na=x\ry"] {
            let fault = lines(text, 100).err().unwrap().to_string();
            assert!(fault.starts_with("line 2: "), "{fault}");
        }
    }

    #[test]
    fn long_texts_and_lines_are_refused() {
        assert!(lines(&"v=0\n".repeat(100), 399).is_err());
        assert!(lines(&format!("s={}", "x".repeat(MAX_LINE)), 10_000).is_err());
    }

    #[test]
    fn numbers_have_no_sign_and_do_not_overflow() {
        assert_eq!(number::<u8>("255"), Some(255));
        for bad in ["", "+5", "-1", " 1", "256", "1e2", "٣"] {
            assert_eq!(number::<u8>(bad), None, "{bad}");
        }
    }

    #[test]
    fn quoted_text_is_short_and_printable() {
        assert_eq!(quoted("a\"b\u{1b}"), "\"a\\\"b\\u{1b}\"");
        assert!(quoted(&"x".repeat(1000)).chars().count() < 50);
    }
}
