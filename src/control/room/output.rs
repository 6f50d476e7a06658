//! An output as the room knows it, and the check of where it may go. PURE.

use jiff::Timestamp;

use super::view::{Output, OutputKind, OutputPhase};
use crate::media::port::{OutputId, OutputState, OutputTarget, redact_url};

/// Longest URL of an output, in bytes.
const MAX_URL: usize = 2048;

/// An output of a room.
#[derive(Debug, Clone, PartialEq)]
pub struct Sending {
    /// Its id.
    pub id: OutputId,
    /// Where to, without the stream key.
    pub shown_url: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What the media said last, and when.
    state: (OutputState, Timestamp),
    /// What broke it last; stays shown while it is tried again.
    last_error: Option<String>,
}

impl Sending {
    /// A new output that has not been connected yet.
    pub fn new(id: OutputId, target: &OutputTarget, wall: Timestamp) -> Self {
        let OutputTarget::Rtmp { url } = target;
        Self {
            id,
            shown_url: redact_url(url),
            created_at: wall,
            state: (OutputState::Connecting, wall),
            last_error: None,
        }
    }

    /// Takes news from the media.
    pub fn set_state(&mut self, state: OutputState, wall: Timestamp) {
        match &state {
            OutputState::Retrying { last_error, .. } => self.last_error = Some(last_error.clone()),
            OutputState::Failed { error } => self.last_error = Some(error.clone()),
            OutputState::Live => self.last_error = None,
            OutputState::Connecting | OutputState::Stopped => {}
        }
        self.state = (state, wall);
    }

    /// What others see.
    pub fn view(&self) -> Output {
        let (state, since) = &self.state;
        let (phase, attempt, next_retry_at) = match state {
            OutputState::Connecting => (OutputPhase::Connecting, None, None),
            OutputState::Live => (OutputPhase::Live, None, None),
            OutputState::Retrying { attempt, after, .. } => {
                let next = since.checked_add(*after).ok();
                (OutputPhase::Retrying, Some(*attempt), next)
            }
            OutputState::Stopped => (OutputPhase::Stopped, None, None),
            OutputState::Failed { .. } => (OutputPhase::Failed, None, None),
        };
        Output {
            id: self.id.0.clone(),
            kind: OutputKind::Rtmp,
            url: self.shown_url.clone(),
            state: phase,
            attempt,
            next_retry_at,
            last_error: self.last_error.clone(),
            created_at: self.created_at,
        }
    }
}

/// Checks where an RTMP output shall go: `rtmp://` or `rtmps://`, a host, no blanks, at most 2048 bytes.
///
/// # Errors
/// What is wrong, in one line that does not repeat the URL (it holds the stream key).
pub fn rtmp_target(url: &str) -> Result<OutputTarget, &'static str> {
    if url.len() > MAX_URL {
        return Err("is longer than 2048 bytes");
    }
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("has blanks or control characters");
    }
    let Some((scheme, rest)) = url.split_once("://") else { return Err("must begin with rtmp:// or rtmps://") };
    if !["rtmp", "rtmps"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err("must begin with rtmp:// or rtmps://");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if !is_host_and_port(host_and_port) {
        return Err("names no host, or a port that is none");
    }
    if rest[authority.len()..].trim_start_matches('/').is_empty() {
        return Err("names no application, as in rtmp://host/app/key");
    }
    Ok(OutputTarget::Rtmp { url: url.to_owned() })
}

fn is_host_and_port(text: &str) -> bool {
    let (host, after) = match text.strip_prefix('[') {
        // An IPv6 address stands in brackets.
        Some(inner) => match inner.split_once(']') {
            Some((host, after)) if host.parse::<std::net::Ipv6Addr>().is_ok() => (host, after),
            _ => return false,
        },
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let host_is_one = text.starts_with('[')
        || host.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_')) && !host.is_empty();
    let port_is_one = match after.strip_prefix(':') {
        Some(port) => port.parse::<u16>().is_ok_and(|port| port != 0),
        None => after.is_empty(),
    };
    host_is_one && port_is_one
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    #[test]
    fn rtmp_urls_with_a_host_and_an_application_are_taken() {
        for url in [
            "rtmp://127.0.0.1:1935/live/key",
            "rtmps://a.example/app/key?x=1",
            "RTMP://user:secret@host/app",
            "rtmp://[::1]:1935/live/key",
        ] {
            assert_eq!(rtmp_target(url), Ok(OutputTarget::Rtmp { url: url.to_owned() }));
        }
    }

    #[test]
    fn other_urls_are_refused() {
        let long = format!("rtmp://host/{}", "k".repeat(2100));
        for url in [
            "",
            "rtmp",
            "http://host/app",
            "file:///etc/passwd",
            "rtmp://",
            "rtmp:///app",
            "rtmp://host",
            "rtmp://host/",
            "rtmp://host:0/app",
            "rtmp://host:99999/app",
            "rtmp://host:x/app",
            "rtmp://ho st/app",
            "rtmp://host/app live=1",
            "rtmp://[zz]/app",
            "rtmp://[::1/app",
            long.as_str(),
        ] {
            assert!(rtmp_target(url).is_err(), "{url:?}");
        }
    }

    #[test]
    fn the_time_of_the_next_retry_is_told() {
        let target = rtmp_target("rtmp://host/live/secretkey").unwrap();
        let wall: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut sending = Sending::new(OutputId("o1".into()), &target, wall);
        assert!(!sending.view().url.contains("secretkey"));
        let after = Duration::from_millis(1500);
        sending.set_state(OutputState::Retrying { attempt: 2, after, last_error: "refused".into() }, wall);
        let view = sending.view();
        assert_eq!((view.state, view.attempt), (OutputPhase::Retrying, Some(2)));
        assert_eq!(view.next_retry_at.unwrap().to_string(), "2026-01-01T00:00:01.5Z");
        assert_eq!(view.last_error.as_deref(), Some("refused"));
        sending.set_state(OutputState::Live, wall);
        assert_eq!(sending.view().last_error, None);
    }
}
