//! The treatment of an output's failure: when it is tried again, when it counts as stuck, and what may be reported.
//! PURE.

use std::time::Duration;

use percent_encoding::percent_decode_str;

/// For this long after an output broke, retries stay quick: a server that is restarted is back within seconds, and the
/// output must be live again within 10 s.
pub const QUICK_PHASE: Duration = Duration::from_secs(60);
/// Longest wait in the quick phase.
pub const QUICK_MAX: Duration = Duration::from_secs(5);
/// First wait.
pub const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait after the quick phase: a server that was down for an hour is found within half a minute.
pub const SLOW_MAX: Duration = Duration::from_secs(30);
/// Live for this long, an output has recovered: the next break starts from the beginning.
pub const RECOVERED_AFTER: Duration = Duration::from_secs(30);
/// An output that was never live is given up after so many attempts: its address or key is wrong.
pub const MAX_FIRST_ATTEMPTS: u32 = 5;

/// The step that follows a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try again.
    Retry {
        /// 1 for the first retry since the output was last recovered.
        attempt: u32,
        /// Wait so long before.
        after: Duration,
    },
    /// It never was live, and has been tried often enough.
    GiveUp {
        /// Number of times that it was tried.
        attempts: u32,
    },
}

/// Retry policy of one output. All times are durations since one epoch of the caller's choice.
#[derive(Debug, Clone, Default)]
pub struct Retry {
    /// Breaks since the output was last recovered.
    breaks: u32,
    /// Moment at which the first of them came.
    broken_since: Option<Duration>,
    /// Breaks after the quick phase.
    slow_breaks: u32,
    live_since: Option<Duration>,
    was_live: bool,
}

impl Retry {
    /// Creates an output that is about to be tried for the first time.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that the output is live: its server takes the stream. Reporting it again changes nothing.
    pub fn live(&mut self, now: Duration) {
        self.was_live = true;
        self.live_since.get_or_insert(now);
    }

    /// Notes that an attempt failed, or that a live output broke. `random` is a number from 0 to 1; it takes up to half
    /// of the wait away, so that outputs that broke together do not come back together.
    pub fn broke(&mut self, now: Duration, random: f64) -> Next {
        let recovered = self.live_since.take().is_some_and(|live| now.saturating_sub(live) >= RECOVERED_AFTER);
        if recovered {
            (self.breaks, self.slow_breaks, self.broken_since) = (0, 0, None);
        }
        self.breaks += 1;
        if !self.was_live && self.breaks >= MAX_FIRST_ATTEMPTS {
            return Next::GiveUp { attempts: self.breaks };
        }
        let broken_since = *self.broken_since.get_or_insert(now);
        let wait = if now.saturating_sub(broken_since) < QUICK_PHASE {
            doubled(FIRST_WAIT, self.breaks - 1).min(QUICK_MAX)
        } else {
            self.slow_breaks += 1;
            doubled(QUICK_MAX, self.slow_breaks).min(SLOW_MAX)
        };
        let random = if random.is_nan() { 0.0 } else { random.clamp(0.0, 1.0) };
        Next::Retry { attempt: self.breaks, after: wait.mul_f64(1.0 - random / 2.0) }
    }
}

/// Returns `wait` doubled so many times, up to far beyond any limit.
pub fn doubled(wait: Duration, times: u32) -> Duration {
    wait.saturating_mul(1 << times.min(16))
}

/// An output that sends less than this in a [`WINDOW`] does not send the stream: sound alone makes 60 KiB.
pub const MIN_BYTES: u64 = 4 * 1024;
/// Time that is looked at together.
pub const WINDOW: Duration = Duration::from_secs(5);
/// So many poor windows in a row, 15 s, and the output is stuck: a server may pause for a few seconds.
const POOR_WINDOWS: u32 = 3;

/// The state of an output's flow of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flowing {
    /// They do, or it is too early to know.
    Yes,
    /// They have not for 15 s: the connection hangs. Break it.
    Wedged,
}

/// Watches the bytes that one live output has sent.
#[derive(Debug, Clone)]
pub struct Watchdog {
    window_start: Duration,
    bytes_at_start: u64,
    poor_windows: u32,
}

impl Watchdog {
    /// Creates a watchdog of a connection that is made now.
    pub fn new(now: Duration) -> Self {
        Self { window_start: now, bytes_at_start: 0, poor_windows: 0 }
    }

    /// Returns a watchdog of a connection that has sent so much, and goes on now.
    pub fn resumed(now: Duration, total: u64) -> Self {
        Self { bytes_at_start: total, ..Self::new(now) }
    }

    /// Reports the total of bytes sent on this connection, every few seconds.
    pub fn bytes(&mut self, now: Duration, total: u64) -> Flowing {
        let elapsed = now.saturating_sub(self.window_start);
        let windows = u32::try_from(elapsed.as_nanos() / WINDOW.as_nanos()).unwrap_or(u32::MAX);
        if windows > 0 {
            let grown = total.saturating_sub(self.bytes_at_start);
            let is_poor = grown / u64::from(windows) < MIN_BYTES;
            self.poor_windows = if is_poor { self.poor_windows.saturating_add(windows) } else { 0 };
            self.window_start += WINDOW.saturating_mul(windows);
            self.bytes_at_start = total;
        }
        if self.poor_windows >= POOR_WINDOWS { Flowing::Wedged } else { Flowing::Yes }
    }
}

/// The sign for anything secret.
const HIDDEN: &str = "***";

/// Returns a URL that may be shown: `scheme://host[:port]/***`. User, path, query and fragment are dropped, for stream
/// keys live there. What is not surely a host is hidden too.
pub fn redact_url(url: &str) -> String {
    let url = url.trim();
    let Some((scheme, rest)) = url.split_once("://") else { return HIDDEN.to_owned() };
    if scheme.is_empty() || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
        return HIDDEN.to_owned();
    }
    let (authority, path) = split_authority(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // An `@` further on may mean that a password held a slash, and that the host is no host.
    if path.contains('@') || !is_host(host) {
        return format!("{scheme}://{HIDDEN}");
    }
    format!("{scheme}://{host}/{HIDDEN}")
}

/// Returns an error text without the URL and the secrets in it: stream key, query, user and password, as written and
/// percent-decoded. The application's name (the first of several path segments) is left as it is.
pub fn redact_in(text: &str, url: &str) -> String {
    let url = url.trim();
    let mut clean = if url.is_empty() { text.to_owned() } else { text.replace(url, &redact_url(url)) };
    for secret in secrets(url) {
        clean = scrub(&clean, &secret);
    }
    clean
}

/// Returns the authority, and all that stands behind it.
fn split_authority(rest: &str) -> (&str, &str) {
    let end = rest.find(|sign: char| matches!(sign, '/' | '?' | '#' | '\\') || sign.is_whitespace());
    rest.split_at(end.unwrap_or(rest.len()))
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.rfind(']') {
        Some(end) => (&text[..=end], text[end + 1..].strip_prefix(':')),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let address = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte));
    let host_fits = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(ipv6) => address(ipv6),
        None => name(host),
    };
    host_fits && !host.is_empty() && port.is_none_or(|port| port.parse::<u16>().is_ok()) && text.len() <= 260
}

/// Returns all secrets of a URL, longest first, so that none is cut by another that it holds.
fn secrets(url: &str) -> Vec<String> {
    let Some((_, rest)) = url.split_once("://") else { return Vec::new() };
    let (authority, behind) = split_authority(rest);
    let mut found: Vec<&str> = Vec::new();
    if let Some((user_info, _)) = authority.rsplit_once('@') {
        found.push(user_info);
        found.extend(user_info.split(':'));
    }
    let path_end = behind.find(['?', '#']).unwrap_or(behind.len());
    let (path, query) = behind.split_at(path_end);
    let path = path.trim_start_matches(['/', '\\']);
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    found.extend(if segments.len() > 1 { &segments[1..] } else { &segments[..] });
    if segments.len() > 1 {
        found.push(path);
        found.push(path.split_once('/').map_or(path, |(_, key)| key));
    }
    if query.len() > 1 {
        found.push(&query[1..]);
        found.push(behind.rsplit('/').next().unwrap_or(behind));
        found.extend(query[1..].split(['&', ';', '#']).filter_map(|pair| pair.split_once('=')).map(|(_, value)| value));
    }
    let decoded: Vec<String> = found.iter().map(|secret| percent_decoded(secret)).collect();
    let mut all: Vec<String> =
        found.into_iter().map(str::to_owned).chain(decoded).filter(|secret| !secret.is_empty()).collect();
    all.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    all.dedup();
    all
}

/// Replaces a secret. A short one, as `1` or `ab`, only where it stands alone: else every text would become unreadable.
pub(super) fn scrub(text: &str, secret: &str) -> String {
    if secret.chars().count() >= 4 {
        return text.replace(secret, HIDDEN);
    }
    let is_part = |sign: Option<char>| sign.is_some_and(char::is_alphanumeric);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in text.match_indices(secret) {
        let end = at + secret.len();
        if !is_part(text[..at].chars().next_back()) && !is_part(text[end..].chars().next()) {
            out.push_str(&text[done..at]);
            out.push_str(HIDDEN);
            done = end;
        }
    }
    out.push_str(&text[done..]);
    out
}

/// Decodes `%XX`; an invalid sequence stays as it is.
pub(super) fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests;
