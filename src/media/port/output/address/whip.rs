//! Address of a WHIP output: `http(s)://HOST[:PORT]/PATH`, and the token that opens it. PURE.

use std::fmt;

use url::Url;

use crate::media::port::output::{
    secrets::{percent_decoded, redact_url, scrub},
    settings::Profile,
};

/// Longest address and longest token, in bytes.
const MAX_LENGTH: usize = 2048;

/// Parts of paths that every server has, and that are no secrets.
const COMMON: [&str; 8] = ["api", "ingest", "live", "publish", "rtc", "v1", "webrtc", "whip"];

/// The destination, and the identity to use there. `Debug` shows no more than [`WhipAddress::shown`].
#[derive(Clone, PartialEq, Eq)]
pub struct WhipAddress {
    /// `http` or `https`; keys often stand in the path.
    pub url: Url,
    /// Bearer of every request.
    pub token: Option<String>,
    /// The profile of H.264 that is offered.
    pub profile: Profile,
    /// Whether it may lead into the server's own networks: who made it may send there.
    pub internal: bool,
}

impl fmt::Debug for WhipAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WhipAddress({})", self.shown())
    }
}

impl WhipAddress {
    /// Reads an address. It leads into no internal network yet.
    ///
    /// # Errors
    /// The fault, in one line that repeats nothing of the address.
    pub fn parse(text: &str, token: Option<&str>, profile: Profile) -> Result<Self, &'static str> {
        if text.len() > MAX_LENGTH {
            return Err("is longer than 2048 bytes");
        }
        let url = Url::parse(text).map_err(|_| "is not an address, as in https://host/whip/room")?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("must begin with https:// or http://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("has a user: whom the other server knows by a token gives that");
        }
        if url.fragment().is_some() {
            return Err("has a fragment, which no server sees");
        }
        Ok(Self { url, token: token.filter(|token| !token.is_empty()).map(str::to_owned), profile, internal: false })
    }

    /// Returns whether a text can be a token: it becomes a part of a header.
    pub fn is_token(text: &str) -> bool {
        text.len() <= MAX_LENGTH && text.bytes().all(|byte| byte.is_ascii_graphic())
    }

    /// Returns the host, without the brackets of an IPv6 address, and the port.
    pub fn host(&self) -> (String, u16) {
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        (host, self.url.port_or_known_default().unwrap_or(443))
    }

    /// Returns what others may see: scheme, host and port.
    pub fn shown(&self) -> String {
        redact_url(self.url.as_str())
    }

    /// Returns a text without the secrets of this address: the token, and what stands in path and query.
    pub fn redact(&self, text: &str) -> String {
        let mut clean = text.replace(self.url.as_str(), &self.shown());
        let segments = self.url.path().split('/').map(str::to_owned);
        let query = self.url.query_pairs().map(|(_, value)| value.into_owned());
        let raw = self.url.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let raw = raw.map(|(_, value)| value.to_owned());
        let mut secrets: Vec<String> = segments.chain(query).chain(raw).chain(self.token.clone()).collect();
        secrets.extend(secrets.clone().iter().map(|secret| percent_decoded(secret)));
        secrets.retain(|secret| !secret.is_empty() && !COMMON.contains(&secret.as_str()));
        // The longest first, so that none is cut by another that it holds.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        for secret in secrets {
            clean = scrub(&clean, &secret);
        }
        clean
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(text: &str) -> Result<WhipAddress, &'static str> {
        WhipAddress::parse(text, Some("tok-4711"), Profile::Baseline)
    }

    #[test]
    fn addresses_are_read_with_their_ports() {
        for (text, host, port) in [
            ("https://live.example/whip/studio", "live.example", 443),
            ("http://127.0.0.1:8080/whip/studio?name=mix", "127.0.0.1", 8080),
            ("http://[::1]/whip/studio", "::1", 80),
        ] {
            assert_eq!(parse(text).unwrap().host(), (host.to_owned(), port), "{text}");
        }
    }

    #[test]
    fn other_addresses_are_refused_with_what_they_lack() {
        for (text, lack) in [
            ("", "address"),
            ("live.example/whip", "address"),
            ("rtmp://live.example/app/key", "https://"),
            ("https://ann:secret@live.example/whip", "token"),
            ("https://live.example/whip#top", "fragment"),
        ] {
            let told = parse(text).unwrap_err();
            assert!(told.contains(lack), "{text:?}: {told}");
        }
        assert!(
            WhipAddress::is_token("eyJ.a-b_c") && !WhipAddress::is_token("a b") && !WhipAddress::is_token("a\r\nb")
        );
    }

    #[test]
    fn no_secret_is_shown() {
        let address = parse("https://live.example/mysecretkey/webRTC/publish?sign=a%2Fbcde").unwrap();
        let text = "cannot post to /mysecretkey/webRTC with tok-4711, a/bcde and a%2Fbcde: whip";
        for text in [address.shown(), format!("{address:?}"), address.redact(text)] {
            for secret in ["mysecretkey", "tok-4711", "a/bcde", "a%2Fbcde"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
        assert!(address.redact(text).ends_with("whip"));
    }
}
