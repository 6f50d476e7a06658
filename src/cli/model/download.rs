//! Files over HTTP, with timeouts, a size limit and a progress bar.

use std::{io::Read as _, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use url::Url;

use crate::config::webhook::is_local;

/// To reach the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// From the request to the first byte of the answer, and between any two reads: a wedged server is given up.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// For one file. The largest has 12 MB.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(600);

/// A source of files.
pub(super) struct Downloader {
    agent: ureq::Agent,
    base: String,
    bar: ProgressBar,
}

impl Downloader {
    /// Creates one for files below `base`, an `http` or `https` URL without user, query and fragment.
    ///
    /// # Errors
    /// The fault of the URL.
    pub(super) fn new(base: &str) -> Result<Self, DownloadError> {
        let url = Url::parse(base).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
        let url = url.ok_or(DownloadError::NoUrl)?;
        // A password in it would end up in messages.
        if base.contains(['@', '?', '#']) || base.contains(char::is_whitespace) {
            return Err(DownloadError::Secrets);
        }
        let mut config = ureq::Agent::config_builder()
            .user_agent(concat!("virfie/", env!("CARGO_PKG_VERSION")))
            .https_only(url.scheme() == "https")
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(READ_TIMEOUT))
            .timeout_per_read(Some(READ_TIMEOUT))
            .timeout_global(Some(TOTAL_TIMEOUT));
        if is_local(&url) {
            // A proxy of the environment does not reach this machine's own servers.
            config = config.proxy(None);
        }
        let agent = config.build().new_agent();
        // Draws nothing when stderr is no terminal.
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Ok(Self { agent, base: url.as_str().trim_end_matches('/').to_owned(), bar })
    }

    /// Shows a bar from now on.
    pub(super) fn expect(&self, what: &str, bytes: u64) {
        self.bar.set_message(what.to_owned());
        self.bar.set_length(bytes);
    }

    /// Returns the URL of a path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }

    /// Downloads a file of at most `limit` bytes.
    ///
    /// # Errors
    /// The failure, without the URL.
    pub(super) fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>, DownloadError> {
        let response = self.agent.get(self.url(path)).call().map_err(DownloadError::from)?;
        let mut reader = response.into_body().into_with_config().limit(limit).reader();
        let mut bytes = Vec::new();
        let mut piece = [0; 1 << 14];
        loop {
            match reader.read(&mut piece).map_err(|error| DownloadError::from(ureq::Error::from(error)))? {
                0 => return Ok(bytes),
                count => {
                    bytes.extend_from_slice(&piece[..count]);
                    self.bar.inc(count as u64);
                }
            }
        }
    }
}

impl Drop for Downloader {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The reason why a file does not come, in one line without its URL.
#[derive(Debug, thiserror::Error)]
pub(super) enum DownloadError {
    /// The user's fault.
    #[error("is not an http or https URL")]
    NoUrl,
    /// The user's fault.
    #[error("must have no user, query or fragment")]
    Secrets,
    /// The other server's.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The other server's.
    #[error("the file has more than {0} bytes")]
    TooLarge(u64),
    /// The line's, or the user's.
    #[error("the host name is unknown; is there a network?")]
    NoHost,
    /// The line's, or the other server's.
    #[error("timed out ({0})")]
    Late(ureq::Timeout),
    /// Any other failure on the way.
    #[error(transparent)]
    Other(Box<ureq::Error>),
}

impl From<ureq::Error> for DownloadError {
    fn from(error: ureq::Error) -> Self {
        match error {
            ureq::Error::StatusCode(code) => Self::Status(code),
            ureq::Error::BodyExceedsLimit(limit) => Self::TooLarge(limit),
            ureq::Error::HostNotFound => Self::NoHost,
            ureq::Error::Timeout(which) => Self::Late(which),
            other => Self::Other(other.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_plain_http_urls_are_taken() {
        let base = |url: &str| Downloader::new(url).map(|downloader| downloader.url("a/b.json"));
        assert_eq!(base("https://mirror.example/x/").unwrap(), "https://mirror.example/x/a/b.json");
        assert_eq!(base("http://[::1]:8000").unwrap(), "http://[::1]:8000/a/b.json");
        for wrong in ["", "mirror.example", "ftp://a/b", "https://", "http://u:p@h/", "http://h/?a", "http://h/#a"] {
            assert!(base(wrong).is_err(), "{wrong}");
        }
    }
}
