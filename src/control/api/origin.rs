//! The bounds of an open server (loopback, no key): it serves this machine's own pages only.
//!
//! Any page of the web that its user visits can reach loopback, too, by a plain request or by a name that it lets point
//! there (DNS rebinding). Both show in `Origin` and `Host`. With a key, the key is what is asked for, and every origin
//! may come.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{AppState, problem::Problem};

/// Middleware: refuses with 403 what an open server must not serve.
pub async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if state.auth.is_open()
        && let Err(problem) = local_only(request.headers(), request.uri().authority().map(Authority::as_str))
    {
        return problem.into_response();
    }
    next.run(request).await
}

/// `authority` is that of the request's target: HTTP/2 has it in place of `Host`.
fn local_only(headers: &HeaderMap, authority: Option<&str>) -> Result<(), Problem> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host_is_local = text(header::HOST).is_none_or(is_loopback) && authority.is_none_or(is_loopback);
    // A page without an origin of its own (a file, a sandboxed frame) says `null`.
    let origin_is_local = text(header::ORIGIN)
        .is_none_or(|origin| origin.split_once("://").is_some_and(|(_, authority)| is_loopback(authority)));
    if host_is_local && origin_is_local {
        return Ok(());
    }
    Err(Problem::forbidden("this server is open, so it serves this machine's own pages only; start it with --api-key"))
}

/// Whether an authority (`host` or `host:port`) names this machine.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit()) => host,
        _ => authority,
    };
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    }
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn this_machines_own_pages_and_tools_are_served() {
        for headers in [
            headers(&[]),
            headers(&[(header::HOST, "127.0.0.1:8080")]),
            headers(&[(header::HOST, "localhost:8080"), (header::ORIGIN, "http://localhost:5173")]),
            headers(&[(header::HOST, "[::1]:8080"), (header::ORIGIN, "http://[::1]:8080")]),
            headers(&[(header::HOST, "[::1]")]),
            headers(&[(header::HOST, "Studio.localhost.")]),
        ] {
            assert!(local_only(&headers, None).is_ok(), "{headers:?}");
        }
    }

    #[test]
    fn pages_and_names_of_others_are_not() {
        for headers in [
            headers(&[(header::HOST, "evil.example:8080")]),
            headers(&[(header::HOST, "localhost.evil.example")]),
            headers(&[(header::HOST, "127.0.0.1:8080"), (header::ORIGIN, "https://evil.example")]),
            headers(&[(header::HOST, "127.0.0.1:8080"), (header::ORIGIN, "http://192.0.2.1")]),
            headers(&[(header::HOST, "127.0.0.1:8080"), (header::ORIGIN, "null")]),
            headers(&[(header::HOST, "127.0.0.1.evil.example")]),
        ] {
            assert!(local_only(&headers, None).is_err(), "{headers:?}");
        }
    }
}
