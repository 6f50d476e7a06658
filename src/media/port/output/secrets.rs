//! Texts of outputs without their secrets: what may be shown and reported. PURE.

use percent_encoding::percent_decode_str;

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
mod tests {
    use super::*;

    #[test]
    fn urls_are_shown_without_their_secrets() {
        for (url, shown) in [
            ("rtmp://live.example.org/app/key", "rtmp://live.example.org/***"),
            ("rtmps://user:pass@live.example.org:443/app/key?auth=1", "rtmps://live.example.org:443/***"),
            ("rtmp://[2001:db8::1]:1935/app", "rtmp://[2001:db8::1]:1935/***"),
            ("rtmp://live.example.org", "rtmp://live.example.org/***"),
            ("rtmp://live.example.org?key=abc", "rtmp://live.example.org/***"),
            (" rtmp://h/a/key live=1 token=x ", "rtmp://h/***"),
            ("rtmp://user:pa/ss@host/app/key", "rtmp://***"),
            ("rtmp://user:12/3@host/app/key", "rtmp://***"),
            ("rtmp://secret key@", "rtmp://***"),
            ("rtmp:///app/key", "rtmp://***"),
            ("just-a-key", "***"),
            ("se cret://host/x", "***"),
            ("", "***"),
        ] {
            assert_eq!(redact_url(url), shown, "{url}");
        }
    }

    #[test]
    fn error_texts_lose_url_key_query_and_password() {
        let url = "rtmp://bob:hunter2@live.example.org:1935/app/live_4711%2Fabc?auth=s3cr3t&x=1";
        let cases = [
            format!("Could not connect to {url}: refused"),
            "publish of live_4711%2Fabc failed".to_owned(),
            "publish of live_4711/abc failed".to_owned(),
            "path app/live_4711%2Fabc?auth=s3cr3t&x=1 unknown".to_owned(),
            "auth s3cr3t for bob with hunter2 is wrong".to_owned(),
        ];
        for text in cases {
            let clean = redact_in(&text, url);
            for secret in ["4711", "s3cr3t", "hunter2", "bob"] {
                assert!(!clean.contains(secret), "{clean}");
            }
            assert!(clean.contains("***"), "{clean}");
        }
        assert_eq!(
            redact_in("Could not connect to rtmp://h/app/key1 now", "rtmp://h/app/key1"),
            "Could not connect to rtmp://h/*** now"
        );
    }

    #[test]
    fn texts_without_secrets_stay_readable() {
        let text = "rtmp2sink: the app 'live' on h took 12 bytes in 1 s";
        assert_eq!(redact_in(text, "rtmp://h/live/abcdef"), text);
        // A short key goes where it stands alone, and words that hold it stay.
        assert_eq!(redact_in("key a of app is bad", "rtmp://h/live/a"), "key *** of app is bad");
        assert_eq!(redact_in(text, ""), text);
        assert_eq!(redact_in(text, "nonsense"), text);
        // The only path segment may be the key.
        assert_eq!(redact_in("stream mykey is taken", "rtmp://h/mykey"), "stream *** is taken");
    }
}
