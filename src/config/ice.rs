//! STUN and TURN servers, as users write them, as browsers get them, and as GStreamer takes them. PURE.

use std::{borrow::Cow, fmt, time::Duration};

use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All bytes but the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The reason why a text is no server, in one line that never holds the credential: the operator's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IceServerError {
    /// It has no scheme.
    #[error("must be stun:HOST[:PORT] or turn:USER:PASSWORD@HOST[:PORT][?transport=udp|tcp]")]
    Form,
    /// Its scheme is another one.
    #[error("the scheme {0:?} is not one of stun, turn, turns")]
    Scheme(String),
    /// Somebody is named where nobody is asked.
    #[error("a STUN server takes no user and password")]
    NeedsNone,
    /// A user or a password is missing.
    #[error("a TURN server needs USER:PASSWORD@")]
    NeedsUser,
    /// Both are missing, and what they could be made from.
    #[error("a TURN server needs USER:PASSWORD@, or a turn-secret")]
    NeedsUserOrSecret,
    /// Something else stands behind the host.
    #[error("after `?` only transport=udp or transport=tcp of a TURN server can stand")]
    Query,
    /// Its host, or its port, is not one.
    #[error("{0:?} is not HOST or HOST:PORT")]
    Host(String),
}

/// One STUN or TURN server.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:host:port`, `turn:host:port?transport=udp` or `turns:…` (RFC 7064, RFC 7065), without the credential.
    pub url: String,
    /// TURN only.
    pub username: Option<String>,
    /// TURN only. Never logged.
    pub credential: Option<String>,
    /// Shared with the TURN server: credentials are made from it. Never logged.
    secret: Option<String>,
    scheme: Scheme,
    authority: String,
    query: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Stun,
    Turn,
    Turns,
}

impl Scheme {
    fn text(self) -> &'static str {
        match self {
            Self::Stun => "stun",
            Self::Turn => "turn",
            Self::Turns => "turns",
        }
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer").field("url", &self.url).finish_non_exhaustive()
    }
}

impl IceServer {
    /// Reads `stun:host[:port]`, `turn:user:password@host[:port][?transport=udp|tcp]` or `turns:…`; `//` after the
    /// colon is allowed. Special characters of user and password (`:` in the user, `%`) are percent-encoded.
    ///
    /// # Errors
    /// The fault, in one line that never holds the credential.
    pub fn parse(text: &str) -> Result<Self, IceServerError> {
        Self::parse_with(text, None)
    }

    /// Works as [`IceServer::parse`]; a TURN server without user and password takes credentials that are made from
    /// `secret`.
    ///
    /// # Errors
    /// As there.
    pub fn parse_with(text: &str, secret: Option<&str>) -> Result<Self, IceServerError> {
        let (scheme, rest) = text.split_once(':').ok_or(IceServerError::Form)?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "stun" => Scheme::Stun,
            "turn" => Scheme::Turn,
            "turns" => Scheme::Turns,
            other => return Err(IceServerError::Scheme(other.to_owned())),
        };
        // The password may hold any of `:`, `@` and `?`, so the host is looked for from the end.
        let (credential, host) = match rest.rsplit_once('@') {
            Some((credential, host)) => (Some(credential), host),
            None => (None, rest),
        };
        let (host, query) = match host.split_once('?') {
            Some((host, query)) => (host, Some(query)),
            None => (host, None),
        };
        let (username, credential) = match (scheme, credential) {
            (Scheme::Stun, None) => (None, None),
            (Scheme::Stun, Some(_)) => return Err(IceServerError::NeedsNone),
            (Scheme::Turn | Scheme::Turns, Some(credential)) => {
                let (user, password) = credential.split_once(':').ok_or(IceServerError::NeedsUser)?;
                if user.is_empty() || password.is_empty() {
                    return Err(IceServerError::NeedsUser);
                }
                (Some(percent_decoded(user)), Some(percent_decoded(password)))
            }
            (Scheme::Turn | Scheme::Turns, None) if secret.is_some() => (None, None),
            (Scheme::Turn | Scheme::Turns, None) => return Err(IceServerError::NeedsUserOrSecret),
        };
        let secret = secret.filter(|_| scheme != Scheme::Stun && username.is_none()).map(str::to_owned);
        let query = match (scheme, query) {
            (_, None) => None,
            (Scheme::Turn | Scheme::Turns, Some(query @ ("transport=udp" | "transport=tcp"))) => Some(query.to_owned()),
            _ => return Err(IceServerError::Query),
        };
        let authority = authority(host, if scheme == Scheme::Turns { 5349 } else { 3478 })?;
        let mut url = format!("{}:{authority}", scheme.text());
        if let Some(query) = &query {
            url = format!("{url}?{query}");
        }
        Ok(Self { url, username, credential, secret, scheme, authority, query })
    }

    /// Returns whether it is STUN only.
    pub fn is_stun(&self) -> bool {
        self.scheme == Scheme::Stun
    }

    /// Returns whether its credentials are made from a secret.
    pub fn has_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Returns the same with credentials that are valid for `lifetime` from `now` (seconds since 1970), where they are
    /// made from a secret: the user is the time at which they end, the password its HMAC (coturn's `use-auth-secret`).
    #[must_use]
    pub fn at(&self, now: u64, lifetime: Duration) -> Self {
        let Some(secret) = &self.secret else { return self.clone() };
        let username = format!("{}:virfie", now.saturating_add(lifetime.as_secs()));
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
        let credential = BASE64_STANDARD.encode(hmac::sign(&key, username.as_bytes()));
        Self { username: Some(username), credential: Some(credential), ..self.clone() }
    }

    /// Returns the URI that webrtcbin takes: `stun://host:port` or `turn://user:password@host:port?transport=udp`, user
    /// and password percent-encoded.
    pub fn gstreamer_uri(&self) -> String {
        let scheme = self.scheme.text();
        let mut uri = match (&self.username, &self.credential) {
            (Some(user), Some(password)) => {
                let [user, password] = [user, password].map(|part| utf8_percent_encode(part, RESERVED));
                format!("{scheme}://{user}:{password}@{}", self.authority)
            }
            _ => format!("{scheme}://{}", self.authority),
        };
        if let Some(query) = &self.query {
            uri = format!("{uri}?{query}");
        }
        uri
    }
}

/// Returns `host:port` of `host[:port]`; IPv6 addresses stand in brackets.
fn authority(text: &str, default_port: u16) -> Result<String, IceServerError> {
    let wrong = || IceServerError::Host(text.to_owned());
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or_else(wrong)?;
            address.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?;
            let port = if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or_else(wrong)?) };
            (format!("[{address}]"), port)
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host.to_owned(), Some(port)),
            None => (text.to_owned(), None),
        },
    };
    let named = host.starts_with('[') || host.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-'));
    if host.is_empty() || !named {
        return Err(wrong());
    }
    let port = match port {
        None => default_port,
        Some(port) => port.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(wrong)?,
    };
    Ok(format!("{host}:{port}"))
}

/// Decodes `%XX`; an invalid sequence, or one that does not give UTF-8, stays as it is.
pub(super) fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn stun_gets_the_standard_port() {
        let server = IceServer::parse("stun:stun.example.org").unwrap();
        assert_eq!(server.url, "stun:stun.example.org:3478");
        assert_eq!(server.gstreamer_uri(), "stun://stun.example.org:3478");
        assert!(server.is_stun() && server.username.is_none());
        assert_eq!(IceServer::parse("stun:[2001:db8::1]:99").unwrap().gstreamer_uri(), "stun://[2001:db8::1]:99");
    }

    #[test]
    fn turn_keeps_its_credential_apart_from_its_url() {
        let server = IceServer::parse("turn:ann:p@ss?w:rd@10.0.0.1:5000?transport=tcp").unwrap();
        assert_eq!(server.url, "turn:10.0.0.1:5000?transport=tcp");
        assert_eq!((server.username.as_deref(), server.credential.as_deref()), (Some("ann"), Some("p@ss?w:rd")));
        assert_eq!(server.gstreamer_uri(), "turn://ann:p%40ss%3Fw%3Ard@10.0.0.1:5000?transport=tcp");
        assert!(!format!("{server:?}").contains("p@ss"));
        assert_eq!(IceServer::parse("turns:a:b@h").unwrap().url, "turns:h:5349");
    }

    #[test]
    fn credentials_are_percent_decoded() {
        let server = IceServer::parse("turn:1700%3Aann:100%25%zz@h").unwrap();
        assert_eq!((server.username.as_deref(), server.credential.as_deref()), (Some("1700:ann"), Some("100%%zz")));
    }

    #[test]
    fn a_shared_secret_makes_credentials_that_end() {
        let server = IceServer::parse_with("turn:turn.example", Some("north")).unwrap();
        assert!(server.has_secret() && server.username.is_none());
        let day = server.at(1_700_000_000, Duration::from_secs(86_400));
        assert_eq!(day.username.as_deref(), Some("1700086400:virfie"));
        // As `printf 1700086400:virfie | openssl dgst -sha1 -hmac north -binary | base64` has it.
        assert_eq!(day.credential.as_deref(), Some("uRSwt1wvN448fvghS64FynJiBo4="));
        assert_ne!(server.at(1_700_000_001, Duration::from_secs(86_400)).credential, day.credential);
        assert!(!format!("{server:?}{day:?}").contains("north"));
        let fixed = IceServer::parse_with("turn:ann:pw@turn.example", Some("north")).unwrap();
        assert_eq!(fixed.at(1, Duration::from_secs(1)), fixed);
        assert!(
            IceServer::parse_with("stun:stun.example", Some("north")).unwrap().at(1, Duration::ZERO).username.is_none()
        );
    }

    #[test]
    fn what_is_no_server_is_refused_without_its_password() {
        for text in [
            "",
            "stun",
            "stun:",
            "http://h",
            "stun:u:hunter2@h",
            "turn:h",
            "turn:u@h",
            "turn::hunter2@h",
            "turn:u:hunter2@h:0",
            "turn:u:hunter2@h:x",
            "turn:u:hunter2@h?transport=quic",
            "turn:u:hunter2@",
            "stun:h:99999",
            "stun:[::1",
            "stun:[::1]9",
            "stun:a b",
        ] {
            let error = IceServer::parse(text).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
