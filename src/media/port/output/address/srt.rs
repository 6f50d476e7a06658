//! Address of an SRT output: `srt://HOST:PORT?KEY=VALUE&…`, taken apart. PURE.
//!
//! Without a host, or with `mode=listener`, receivers call this server at the port. Keys are those that other programs
//! have, too: `mode`, `latency` (ms), `passphrase`, `pbkeylen`, `streamid`.

use std::fmt;

use url::Url;

use crate::media::port::output::secrets::{redact_url, scrub};

/// Longest address, in bytes.
const MAX_LENGTH: usize = 2048;
/// The latency where none is written, in milliseconds: four round trips of a usual line.
const LATENCY: u32 = 250;

/// Receivers that may call one output at once.
pub const SRT_CALLERS: usize = 32;

/// See the module. `Debug` shows no more than [`SrtAddress::shown`].
#[derive(Clone, PartialEq, Eq)]
pub struct SrtAddress {
    /// `None`: this server listens. Without the brackets of an IPv6 address.
    pub host: Option<String>,
    /// Port that is called, or listened on.
    pub port: u16,
    /// Longest time that lost packets may take to come again, in milliseconds.
    pub latency: u32,
    /// The secret that both ends know, 10 to 79 characters.
    pub passphrase: Option<String>,
    /// Bytes of the key made from it.
    pub key_length: u8,
    /// The name by which the receiver knows the stream.
    pub stream: Option<String>,
    /// Whether it may lead into the server's own networks.
    pub internal: bool,
}

impl fmt::Debug for SrtAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SrtAddress({})", self.shown())
    }
}

impl SrtAddress {
    /// Takes an address apart.
    ///
    /// # Errors
    /// The fault, in one line that repeats nothing of the address.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_LENGTH {
            return Err("is longer than 2048 bytes");
        }
        // An address has a host; that of whom calls is any.
        let text = text.replacen("srt://:", "srt://0.0.0.0:", 1);
        let url = Url::parse(&text).map_err(|_| "is not an address, as in srt://host:port")?;
        if url.scheme() != "srt" {
            return Err("must begin with srt://");
        }
        if !url.username().is_empty() || url.password().is_some() || !matches!(url.path(), "" | "/") {
            return Err("has more than a host, a port and a query");
        }
        let mut address = Self {
            host: url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned()).filter(|host| !host.is_empty()),
            port: url.port().filter(|port| *port != 0).ok_or("names no port, as in srt://host:port")?,
            latency: LATENCY,
            passphrase: None,
            key_length: 16,
            stream: None,
            internal: false,
        };
        let is_any = address.host.as_deref().is_none_or(|host| matches!(host, "0.0.0.0" | "::"));
        let mut listens = is_any;
        for (key, value) in url.query_pairs() {
            match &*key {
                "mode" => match &*value {
                    "listener" => listens = true,
                    "caller" => listens = false,
                    _ => return Err("has a mode other than caller and listener"),
                },
                "latency" => {
                    let latency = value.parse().ok().filter(|latency| (20..=8000).contains(latency));
                    address.latency = latency.ok_or("has a latency that is not from 20 to 8000, in milliseconds")?;
                }
                "passphrase" if value.is_empty() => {}
                "passphrase" if (10..=79).contains(&value.len()) => address.passphrase = Some(value.into_owned()),
                "passphrase" => return Err("has a passphrase that has not 10 to 79 characters"),
                "pbkeylen" => {
                    let length = value.parse().ok().filter(|length| [16, 24, 32].contains(length));
                    address.key_length = length.ok_or("has a pbkeylen other than 16, 24 and 32")?;
                }
                "streamid" if value.len() <= 512 => address.stream = Some(value.into_owned()),
                "streamid" => return Err("has a streamid that is longer than 512 bytes"),
                // What SRT itself is: said by other programs, and nothing else is possible here.
                "transtype" | "transport" => {}
                _ => return Err("has a key other than mode, latency, passphrase, pbkeylen and streamid"),
            }
        }
        if listens {
            address.host = None;
        } else if is_any {
            return Err("names no host to call");
        }
        Ok(address)
    }

    /// Returns what others may see: scheme, host and port.
    pub fn shown(&self) -> String {
        match &self.host {
            Some(host) if host.contains(':') => redact_url(&format!("srt://[{host}]:{}", self.port)),
            Some(host) => redact_url(&format!("srt://{host}:{}", self.port)),
            None => format!("srt://:{}", self.port),
        }
    }

    /// Returns a text without the secrets of this address.
    pub fn redact(&self, text: &str) -> String {
        let secrets = [self.passphrase.as_deref(), self.stream.as_deref()];
        secrets.into_iter().flatten().filter(|secret| !secret.is_empty()).fold(text.to_owned(), |text, secret| {
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            scrub(&scrub(&text, secret), &encoded)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let address = SrtAddress::parse(
            "srt://ingest.example:9000?passphrase=long%20enough&latency=800&streamid=%23!::r=a,m=publish",
        )
        .unwrap();
        assert_eq!((address.host.as_deref(), address.port, address.latency), (Some("ingest.example"), 9000, 800));
        assert_eq!(address.passphrase.as_deref(), Some("long enough"));
        assert_eq!(address.stream.as_deref(), Some("#!::r=a,m=publish"));
        assert_eq!(SrtAddress::parse("srt://[::1]:9000").unwrap().host.as_deref(), Some("::1"));
        for listener in ["srt://:9000", "srt://0.0.0.0:9000?mode=listener"] {
            let address = SrtAddress::parse(listener).unwrap();
            assert_eq!((address.host, address.port), (None, 9000), "{listener}");
        }
    }

    #[test]
    fn other_addresses_are_refused_with_what_they_lack() {
        for (text, lack) in [
            ("", "address"),
            ("host:9000", "srt://"),
            ("rtmp://host/app/key", "srt://"),
            ("srt://host", "port"),
            ("srt://host:0", "port"),
            ("srt://host:9000/path", "query"),
            ("srt://user:secret@host:9000", "query"),
            ("srt://:9000?mode=caller", "host"),
            ("srt://host:9000?mode=rendezvous", "mode"),
            ("srt://host:9000?latency=5", "latency"),
            ("srt://host:9000?passphrase=short", "passphrase"),
            ("srt://host:9000?pbkeylen=20", "pbkeylen"),
            ("srt://host:9000?oheadbw=4", "key other"),
        ] {
            let told = SrtAddress::parse(text).unwrap_err();
            assert!(told.contains(lack), "{text:?}: {told}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let address = SrtAddress::parse("srt://host:9000?passphrase=top%20secret%21&streamid=mykey").unwrap();
        for text in [address.shown(), format!("{address:?}"), address.redact("cannot use top secret! of mykey")] {
            assert!(!text.contains("secret") && !text.contains("mykey"), "{text}");
        }
    }
}
