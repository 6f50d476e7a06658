//! Files over HTTP, with timeouts, a size limit and a progress bar.

use std::{io::Read as _, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

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
    /// What is wrong with the URL.
    pub(super) fn new(base: &str) -> Result<Self, String> {
        let secure = base.starts_with("https://");
        let host = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://")).unwrap_or_default();
        if host.is_empty() || host.starts_with('/') {
            return Err("is not an http or https URL".into());
        }
        // A password in it would end up in messages.
        if base.contains(['@', '?', '#']) || base.contains(char::is_whitespace) {
            return Err("must have no user, query or fragment".into());
        }
        let mut config = ureq::Agent::config_builder()
            .user_agent(concat!("virfie/", env!("CARGO_PKG_VERSION")))
            .https_only(secure)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(READ_TIMEOUT))
            .timeout_per_read(Some(READ_TIMEOUT))
            .timeout_global(Some(TOTAL_TIMEOUT));
        if ["127.0.0.1", "localhost", "[::1]"].contains(&authority_host(host)) {
            // A proxy of the environment does not reach this machine's own servers.
            config = config.proxy(None);
        }
        let agent = config.build().new_agent();
        // Draws nothing when stderr is no terminal.
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Ok(Self { agent, base: base.trim_end_matches('/').to_owned(), bar })
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
    /// What happened, without the URL.
    pub(super) fn get(&self, path: &str, limit: u64) -> Result<Vec<u8>, String> {
        let response = self.agent.get(self.url(path)).call().map_err(|error| explain(&error))?;
        let mut reader = response.into_body().into_with_config().limit(limit).reader();
        let mut bytes = Vec::new();
        let mut piece = [0; 1 << 14];
        loop {
            match reader.read(&mut piece).map_err(|error| explain(&ureq::Error::from(error)))? {
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

/// Returns the host of `host:port/path`.
fn authority_host(rest: &str) -> &str {
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.rfind(']') {
        Some(end) => &authority[..=end],
        None => authority.split(':').next().unwrap_or(authority),
    }
}

fn explain(error: &ureq::Error) -> String {
    match error {
        ureq::Error::StatusCode(code) => format!("the server answered with status {code}"),
        ureq::Error::BodyExceedsLimit(limit) => format!("the file has more than {limit} bytes"),
        ureq::Error::HostNotFound => "the host name is unknown; is there a network?".into(),
        ureq::Error::Timeout(which) => format!("timed out ({which})"),
        other => other.to_string(),
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
        for wrong in
            ["", "mirror.example", "ftp://a/b", "https://", "http:///x", "http://u:p@h/", "http://h/?a", "http://h/#a"]
        {
            assert!(base(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_host_is_found_with_and_without_a_port() {
        let hosts = ["localhost:8000/x", "localhost/x:1", "[::1]:8000/x", "[::1]", "127.0.0.1"];
        let found: Vec<&str> = hosts.iter().map(|rest| authority_host(rest)).collect();
        assert_eq!(found, ["localhost", "localhost", "[::1]", "[::1]", "127.0.0.1"]);
    }
}
