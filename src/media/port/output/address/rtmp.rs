//! Address of an RTMP output, as platforms and encoders write it, taken apart. PURE.
//!
//! `rtmp://[USER:PASSWORD@]HOST[:PORT]/APPLICATION/KEY`. Nothing behind the host is decoded or encoded: a key arrives
//! as it was written, whatever signs it has. Where the path has an application and a key, a query belongs to the key,
//! slashes and all; where it has the application alone, the query is the application's up to the slash that the key
//! stands behind (`live2?backup=1/KEY`). Who has a key with a slash of its own gives it by itself.

use std::fmt;

use crate::media::port::output::secrets::{percent_decoded, redact_in, redact_url, scrub};

/// Longest address and longest key, in bytes.
const MAX_LENGTH: usize = 2048;

/// See the module. `Debug` shows no more than [`RtmpAddress::shown`].
#[derive(Clone, PartialEq, Eq)]
pub struct RtmpAddress {
    /// Over TLS.
    pub secure: bool,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    /// The scheme's own where none is written.
    pub port: u16,
    /// User and password, decoded.
    pub user: Option<(String, String)>,
    /// The application that the connection asks for.
    pub application: String,
    /// The name under which the stream is published: the stream key.
    pub stream: String,
    /// Whether it may lead into the server's own networks.
    pub internal: bool,
    /// The address as it was written, with the key.
    whole: String,
}

impl fmt::Debug for RtmpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RtmpAddress({})", self.shown())
    }
}

impl RtmpAddress {
    /// Takes an address apart. With a `key`, all behind the host is the application.
    ///
    /// # Errors
    /// The fault, in one line that repeats nothing of the address or the key.
    pub fn parse(url: &str, key: Option<&str>) -> Result<Self, &'static str> {
        let key = key.unwrap_or_default();
        if url.len() > MAX_LENGTH || key.len() > MAX_LENGTH {
            return Err("is longer than 2048 bytes");
        }
        if [url, key].iter().any(|text| text.chars().any(|c| c.is_whitespace() || c.is_control())) {
            return Err("has blanks or control characters");
        }
        let no_scheme = "must begin with rtmp:// or rtmps://";
        let (scheme, rest) = url.split_once("://").ok_or(no_scheme)?;
        let secure = scheme.eq_ignore_ascii_case("rtmps");
        if !secure && !scheme.eq_ignore_ascii_case("rtmp") {
            return Err(no_scheme);
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at(end);
        let (user, host_and_port) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let default_port = if secure { 443 } else { 1935 };
        let (host, port) = host_and_port_of(host_and_port, default_port).ok_or("names no host, or an invalid port")?;
        let behind = behind.trim_start_matches('/');
        let (application, stream) = match key {
            "" => application_and_stream(behind)?,
            key => (behind.trim_end_matches('/'), key),
        };
        if application.is_empty() {
            return Err("names no application, as in rtmp://host/app/key");
        }
        let user = user.map(|user| user.split_once(':').unwrap_or((user, "")));
        let whole = if key.is_empty() { url.to_owned() } else { format!("{}/{key}", url.trim_end_matches('/')) };
        Ok(Self {
            secure,
            host,
            port,
            user: user.map(|(name, password)| (percent_decoded(name), percent_decoded(password))),
            application: application.to_owned(),
            stream: stream.to_owned(),
            internal: false,
            whole,
        })
    }

    /// Returns what others may see: scheme, host and port.
    pub fn shown(&self) -> String {
        redact_url(&self.whole)
    }

    /// Returns a text without the secrets of this address.
    pub fn redact(&self, text: &str) -> String {
        scrub(&redact_in(text, &self.whole), &self.stream)
    }
}

/// Returns the application and stream of what stands behind the host, without the slash before it.
fn application_and_stream(behind: &str) -> Result<(&str, &str), &'static str> {
    const NO_KEY: &str = "names no stream key, as in rtmp://host/app/key";
    let path = behind.split('?').next().unwrap_or_default();
    if path.is_empty() {
        return Err("names no application, as in rtmp://host/app/key");
    }
    // Without a key in the path it may stand behind a query of the application.
    let in_query = || behind[path.len()..].find('/').map(|slash| path.len() + slash);
    let slash = path.rfind('/').or_else(in_query).ok_or(NO_KEY)?;
    let (application, stream) = (behind[..slash].trim_end_matches('/'), &behind[slash + 1..]);
    if stream.is_empty() { Err(NO_KEY) } else { Ok((application, stream)) }
}

/// Returns the host without brackets, and port.
fn host_and_port_of(text: &str, default_port: u16) -> Option<(String, u16)> {
    let (host, after) = match text.strip_prefix('[') {
        // An IPv6 address stands in brackets.
        Some(inner) => inner.split_once(']').filter(|(host, _)| host.parse::<std::net::Ipv6Addr>().is_ok())?,
        None => {
            let (host, after) = text.split_at(text.find(':').unwrap_or(text.len()));
            let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
            (!host.is_empty() && host.chars().all(allowed)).then_some((host, after))?
        }
    };
    let port = match after.strip_prefix(':') {
        Some(port) => port.parse::<u16>().ok().filter(|port| *port != 0)?,
        None => after.is_empty().then_some(default_port)?,
    };
    Some((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Returns the host, port, application and stream.
    fn taken(url: &str, key: Option<&str>) -> (String, u16, String, String) {
        let RtmpAddress { host, port, application, stream, .. } =
            RtmpAddress::parse(url, key).unwrap_or_else(|error| panic!("{url}: {error}"));
        (host, port, application, stream)
    }

    fn expected(host: &str, port: u16, application: &str, stream: &str) -> (String, u16, String, String) {
        (host.into(), port, application.into(), stream.into())
    }

    #[test]
    fn addresses_of_platforms_are_taken_apart() {
        for (url, host, port, application, stream) in [
            ("rtmp://127.0.0.1:1936/live/key", "127.0.0.1", 1936, "live", "key"),
            ("rtmps://a.example/app/key?x=1", "a.example", 443, "app", "key?x=1"),
            ("RTMP://user:secret@host/app/key", "host", 1935, "app", "key"),
            ("rtmp://[::1]:1935/live/key", "::1", 1935, "live", "key"),
            ("rtmp://host//live/instance/key", "host", 1935, "live/instance", "key"),
            ("rtmp://host/app/key?token=a/b&sign=c=d%2F+%", "host", 1935, "app", "key?token=a/b&sign=c=d%2F+%"),
            ("rtmp://host/app/k&e=y%+", "host", 1935, "app", "k&e=y%+"),
            ("rtmp://host/live2?backup=1/abcd-efgh", "host", 1935, "live2?backup=1", "abcd-efgh"),
            ("rtmp://host/live/?key=a/b", "host", 1935, "live", "?key=a/b"),
        ] {
            assert_eq!(taken(url, None), expected(host, port, application, stream), "{url}");
        }
        let user = RtmpAddress::parse("rtmp://ann:p%40ss@host/app/key", None).unwrap().user;
        assert_eq!(user, Some(("ann".to_owned(), "p@ss".to_owned())));
    }

    #[test]
    fn a_key_by_itself_is_taken_as_it_is() {
        for key in ["a/b", "/a&b=c%2F+d?e", "k"] {
            assert_eq!(taken("rtmp://host/app", Some(key)), expected("host", 1935, "app", key));
            assert_eq!(taken("rtmp://host/app/sub/", Some(key)), expected("host", 1935, "app/sub", key));
        }
    }

    #[test]
    fn other_addresses_are_refused_with_what_they_lack() {
        let long = format!("rtmp://host/app/{}", "k".repeat(2100));
        for (url, lack) in [
            ("", "begin"),
            ("rtmp", "begin"),
            ("http://host/app", "begin"),
            ("file:///etc/passwd", "begin"),
            ("rtmp://", "host"),
            ("rtmp:///app", "host"),
            ("rtmp://host", "application"),
            ("rtmp://host/", "application"),
            ("rtmp://host:0/app/key", "port"),
            ("rtmp://host:99999/app/key", "port"),
            ("rtmp://host:x/app/key", "port"),
            ("rtmp://ho st/app/key", "blanks"),
            ("rtmp://host/app/key live=1", "blanks"),
            ("rtmp://[zz]/app/key", "host"),
            ("rtmp://[::1/app/key", "host"),
            ("rtmp://host/app", "key"),
            ("rtmp://host/app/", "key"),
            ("rtmp://host/app?x=1", "key"),
            ("rtmp://host/app?x=1/", "key"),
            (long.as_str(), "2048"),
        ] {
            let told = RtmpAddress::parse(url, None).unwrap_err();
            assert!(told.contains(lack), "{url:?}: {told}");
        }
        assert!(RtmpAddress::parse("rtmp://host", Some("key")).unwrap_err().contains("application"));
        assert!(RtmpAddress::parse("rtmp://host/app", Some("a b")).unwrap_err().contains("blanks"));
    }

    #[test]
    fn nothing_of_a_key_is_shown() {
        for (url, key) in [("rtmp://host/app/sek/ret", None), ("rtmp://host/app", Some("sekr/e&t=1"))] {
            let address = RtmpAddress::parse(url, key).unwrap();
            let error = format!("cannot publish {} at {}", address.stream, address.whole);
            for text in [address.shown(), format!("{address:?}"), address.redact(&error)] {
                assert!(text.contains("host") && !text.contains("sek") && !text.contains("t=1"), "{text}");
            }
        }
    }
}
