//! The bounds of an open server (loopback, no key): it serves this machine's own pages only.
//!
//! Any page of the web that its user visits can reach loopback, too, by a plain request or by a name that it lets point
//! there (DNS rebinding). Both show in `Origin`, `Sec-Fetch-Site` and `Host`. And a proxy lets everybody reach it, who
//! then all seem to be this machine: what a proxy passed on is refused, unless the operator named the proxy. It is
//! known by headers, by the version of HTTP that it speaks, or by the user that it runs as. With a key, the key is what
//! is asked for, and every origin may come.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, Method, Version, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{
    AppState,
    client::{Client, is_forwarded},
    neighbour::is_of_a_service,
    problem::Problem,
};

/// The name by which a proxy was asked.
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Refuses with 403 what an open server must not serve, and with 400 what names two hosts.
pub async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    // RFC 9112, 3.2. The server does not guess which of two is meant.
    if request.headers().get_all(header::HOST).iter().nth(1).is_some() {
        return Problem::bad_request("the request names more than one Host").into_response();
    }
    if state.auth.is_open() {
        let proxied = request.extensions().get::<Client>().is_some_and(|client| client.proxied);
        let authority = request.uri().authority().map(Authority::as_str);
        let checked = if proxied {
            by_proxy(request.method(), request.headers())
        } else {
            by_nobody_else(request.version())
                .and_then(|()| local_only(request.method(), request.headers(), authority))
                .and_then(|()| by_people(&request))
        };
        if let Err(problem) = checked {
            return problem.into_response();
        }
    }
    next.run(request).await
}

/// Proxies that say nothing of themselves are known by the version of HTTP that they still speak, nginx for one;
/// clients have not for twenty years.
fn by_nobody_else(version: Version) -> Result<(), Problem> {
    if version > Version::HTTP_10 {
        return Ok(());
    }
    Err(Problem::forbidden(
        "this server is open, and HTTP/1.0 is what proxies speak: start it with --api-key, or with --trusted-proxy if the \
         proxy lets in only those who may do everything",
    ))
}

/// Those that speak HTTP/1.1 are known by the user that they run as. What watches over a server runs so as well, and
/// may ask how it is.
fn by_people(request: &Request) -> Result<(), Problem> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_watched = ["/healthz", "/readyz", "/metrics"].contains(&request.uri().path());
    if is_watched || !peer.is_some_and(|ConnectInfo(peer)| is_of_a_service(*peer)) {
        return Ok(());
    }
    Err(Problem::forbidden(
        "this server is open, and a service of this machine asks, which may be a proxy that lets in anybody: start it with \
         --api-key, or with --trusted-proxy if the proxy lets in only those who may do everything",
    ))
}

/// `authority` is that of the request's target: HTTP/2 has it in place of `Host`.
fn local_only(method: &Method, headers: &HeaderMap, authority: Option<&str>) -> Result<(), Problem> {
    if is_forwarded(headers) {
        return Err(Problem::forbidden(
            "this server is open, and a proxy passed this on, so anybody might have asked it: start it with --api-key, \
             or with --trusted-proxy if the proxy lets in only those who may do everything",
        ));
    }
    let host_is_local = text(headers, header::HOST).is_none_or(is_loopback) && authority.is_none_or(is_loopback);
    // A page without an origin of its own (a file, a sandboxed frame) says `null`.
    let origin_is_local =
        text(headers, header::ORIGIN).is_none_or(|origin| authority_of(origin).is_some_and(is_loopback));
    if host_is_local && origin_is_local && !is_of_another_site(method, headers) {
        return Ok(());
    }
    Err(Problem::forbidden("this server is open, so it serves this machine's own pages only; start it with --api-key"))
}

/// Behind a proxy that the operator named, names are the proxy's matter; pages of others are refused all the same.
fn by_proxy(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let hosts = [header::HOST, FORWARDED_HOST].map(|name| text(headers, name));
    let is_own = |authority: &str| hosts.iter().flatten().any(|host| host.eq_ignore_ascii_case(authority));
    let origin_is_own = text(headers, header::ORIGIN).is_none_or(|origin| authority_of(origin).is_some_and(is_own));
    if origin_is_own && !is_of_another_site(method, headers) {
        return Ok(());
    }
    Err(Problem::forbidden("this server is open, so it serves its own pages only; start it with --api-key"))
}

/// Returns whether a page of another site fetches this. Following a link of it is the user's own doing, and shows
/// nothing to that page.
fn is_of_another_site(method: &Method, headers: &HeaderMap) -> bool {
    let says = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let follows = method == Method::GET && says("sec-fetch-mode") == "navigate" && says("sec-fetch-dest") == "document";
    says("sec-fetch-site") == "cross-site" && !follows
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

fn authority_of(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, authority)| authority)
}

/// Returns whether an authority (`host` or `host:port`) names this machine.
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
    use axum::http::HeaderValue;

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
            assert!(local_only(&Method::GET, &headers, None).is_ok(), "{headers:?}");
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
            assert!(local_only(&Method::GET, &headers, None).is_err(), "{headers:?}");
        }
    }

    fn named(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn what_a_proxy_passed_on_is_not() {
        for name in [
            "forwarded",
            "via",
            "x-real-ip",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-anything",
            "cf-connecting-ip",
            "true-client-ip",
            "x-client-ip",
            "cdn-loop",
            "x-envoy-external-address",
        ] {
            let headers = named(&[("host", "127.0.0.1:8080"), (name, "203.0.113.9")]);
            assert!(local_only(&Method::GET, &headers, None).is_err(), "{name}");
        }
    }

    #[test]
    fn what_speaks_as_a_proxy_is_not_either() {
        assert!(by_nobody_else(Version::HTTP_10).is_err());
        assert!(by_nobody_else(Version::HTTP_11).is_ok() && by_nobody_else(Version::HTTP_2).is_ok());
    }

    #[test]
    fn pages_of_others_may_link_and_not_fetch() {
        let link = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        assert!(local_only(&Method::GET, &named(&link), None).is_ok());
        assert!(local_only(&Method::POST, &named(&link), None).is_err(), "a form");
        let image = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")];
        assert!(local_only(&Method::GET, &named(&image), None).is_err());
        assert!(by_proxy(&Method::GET, &named(&image)).is_err());
        assert!(local_only(&Method::GET, &named(&[("sec-fetch-site", "same-origin")]), None).is_ok());
    }

    #[test]
    fn behind_a_named_proxy_the_page_has_the_proxys_name() {
        let own = [("host", "127.0.0.1:8080"), ("x-forwarded-host", "studio.example")];
        let with = |origin: &'static str| named(&[own[0], own[1], ("origin", origin)]);
        assert!(by_proxy(&Method::GET, &with("https://studio.example")).is_ok());
        assert!(by_proxy(&Method::GET, &with("https://evil.example")).is_err());
        assert!(by_proxy(&Method::GET, &named(&own)).is_ok());
    }
}
