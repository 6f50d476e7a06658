//! Receivers of webhooks, as users write them and as requests are made. PURE.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use url::{Host, Url};

use super::ice::percent_decoded;

/// The longest URL that is taken, in bytes.
const LONGEST: usize = 2048;

/// The reason why a text is no receiver, in one line that repeats nothing of it: the operator's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// It is too long.
    #[error("has {0} bytes, and at most {LONGEST} are possible")]
    TooLong(usize),
    /// It is no URL that can be posted to.
    #[error("must be http://… or https://… with a host, and nothing behind a #")]
    NoUrl,
}

/// Returns whether a URL leads to this machine.
pub fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A receiver of what happens on the server. `Debug` shows no more than the host: user, path and query are secrets of
/// many receivers.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Without user and password.
    url: String,
    authorization: Option<String>,
    shown: String,
    is_local: bool,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({})", self.shown)
    }
}

impl Webhook {
    /// Reads `https://[user:password@]host[:port][/path][?query]`, or the same with `http`.
    ///
    /// # Errors
    /// The fault, in one line that repeats nothing of the URL.
    pub fn parse(text: &str) -> Result<Self, WebhookError> {
        if text.len() > LONGEST {
            return Err(WebhookError::TooLong(text.len()));
        }
        let mut url = Url::parse(text).map_err(|_| WebhookError::NoUrl)?;
        if !["http", "https"].contains(&url.scheme()) || url.fragment().is_some() || !url.has_host() {
            return Err(WebhookError::NoUrl);
        }
        let is_local = is_local(&url);
        let shown = format!("{}/***", url.origin().ascii_serialization());
        let credential = (url.username().to_owned(), url.password().map(str::to_owned));
        let authorization = match credential {
            (user, None) if user.is_empty() => None,
            (user, password) => {
                let (user, password) = (percent_decoded(&user), percent_decoded(&password.unwrap_or_default()));
                Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
            }
        };
        // Both fail only where there is no host.
        url.set_username("").map_err(|()| WebhookError::NoUrl)?;
        url.set_password(None).map_err(|()| WebhookError::NoUrl)?;
        Ok(Self { url: url.into(), authorization, shown, is_local })
    }

    /// Gives the URL to ask, without user and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Gives the header `Authorization` of each request.
    pub fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// Says what may be shown of the URL.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns whether it is on this machine.
    pub fn is_local(&self) -> bool {
        self.is_local
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn user_and_password_become_a_header() {
        let hook = Webhook::parse("https://ann:p%40ss@hooks.example:8443/secret/path?token=hidden").unwrap();
        assert_eq!(hook.url(), "https://hooks.example:8443/secret/path?token=hidden");
        // As `printf 'ann:p@ss' | base64` has it.
        assert_eq!(hook.authorization(), Some("Basic YW5uOnBAc3M="));
        assert_eq!((hook.shown(), hook.is_local()), ("https://hooks.example:8443/***", false));
        assert_eq!(format!("{hook:?}"), "Webhook(https://hooks.example:8443/***)");
        let plain = Webhook::parse("http://[::1]:9000").unwrap();
        assert_eq!((plain.url(), plain.authorization(), plain.is_local()), ("http://[::1]:9000/", None, true));
        assert!(Webhook::parse("http://127.1.2.3/x").unwrap().is_local());
    }

    #[test]
    fn what_is_no_receiver_is_refused_without_its_secrets() {
        let long = format!("https://h/hunter2{}", "x".repeat(LONGEST));
        for text in [
            "",
            "hooks.example/hunter2",
            "ftp://u:hunter2@h/",
            "https://",
            "http://h:99999/hunter2",
            "https://h/#hunter2",
            &long,
        ] {
            let error = Webhook::parse(text).unwrap_err().to_string();
            assert!(!error.contains("hunter2") && !error.contains('\n'), "{error}");
        }
    }
}
