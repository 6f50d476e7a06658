//! The address of a request's client, and the path under which the server is reached, also where a proxy stands
//! between.
//!
//! A proxy's word about its client is believed only where the operator named the proxy (`--trusted-proxy`): otherwise
//! anybody could say it of themselves.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Uri, header, uri::PathAndQuery},
    middleware::Next,
    response::Response,
};

use super::AppState;
use crate::config::{self, ServeConfig};

/// Says under which path a proxy offers us.
const FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Says whom a proxy asks for.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The sender of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// Their address; `None` where the server does not know it.
    pub address: Option<IpAddr>,
    /// The request came by a proxy that the operator named.
    pub proxied: bool,
    /// The path that stands before ours in addresses, without a slash at its end.
    pub prefix: String,
}

impl Client {
    fn of(headers: &HeaderMap, peer: Option<IpAddr>, config: &ServeConfig) -> Self {
        let proxied = peer.is_some_and(|peer| config.trusts_proxy(peer));
        if !proxied {
            return Self { address: peer, proxied, prefix: config.base_path.clone() };
        }
        let prefix = headers.get(FORWARDED_PREFIX).and_then(|value| value.to_str().ok());
        let prefix = prefix.and_then(config::base_path).unwrap_or_else(|| config.base_path.clone());
        // Each proxy adds whom it saw at the end; what stands before the last stranger is that stranger's word.
        let stranger = forwarded_for(headers).into_iter().rev().find(|ip| !config.trusts_proxy(*ip));
        Self { address: stranger.or(peer), proxied, prefix }
    }
}

/// Returns whether a proxy passed this on.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| is_of_proxies(name.as_str()))
}

/// Headers that proxies and networks of them add, in small letters.
const OF_PROXIES: &[&str] = &[
    "forwarded",
    "via",
    "x-forwarded",
    "forwarded-for",
    "x-original-forwarded-for",
    "x-original-host",
    "x-real-ip",
    "x-real-port",
    "x-client-ip",
    "client-ip",
    "true-client-ip",
    "x-cluster-client-ip",
    "x-originating-ip",
    "x-remote-ip",
    "x-remote-addr",
    "x-proxyuser-ip",
    "proxy-client-ip",
    "wl-proxy-client-ip",
    "x-coming-from",
    "cdn-loop",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "cf-pseudo-ipv4",
    "cf-ray",
    "cf-visitor",
    "cloudfront-viewer-address",
    "fastly-client-ip",
    "fly-client-ip",
    "x-amz-cf-id",
    "x-amzn-trace-id",
    "x-appengine-user-ip",
    "x-azure-clientip",
    "x-azure-socketip",
    "x-nf-client-connection-ip",
    "x-vercel-forwarded-for",
    "ali-cdn-real-ip",
    "x-accel-internal",
];

/// Beginnings of the names of more of them.
const BEGINNINGS: &[&str] = &["x-forwarded-", "x-envoy-", "x-akamai-", "tailscale-user-"];

/// Returns whether a header is one that proxies add; in small letters.
pub(super) fn is_of_proxies(name: &str) -> bool {
    OF_PROXIES.contains(&name) || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

/// Returns the addresses that proxies saw, the last proxy's last.
fn forwarded_for(headers: &HeaderMap) -> Vec<IpAddr> {
    let mut plain = entries(headers, FORWARDED_FOR).peekable();
    if plain.peek().is_some() {
        return plain.filter_map(address).collect();
    }
    let seen = |element: &str| {
        let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(key, _)| key.eq_ignore_ascii_case("for"))?;
        address(value.trim_matches('"'))
    };
    entries(headers, header::FORWARDED).filter_map(seen).collect()
}

/// Returns the entries of a header that is a list, wherever it is split.
pub(super) fn entries(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// Returns an address as proxies write it: with a port or without, of IPv6 with brackets or without.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(inner, _)| inner);
    plain.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// Runs outside of all routes: finds out who asks, takes the path before ours off, and puts it before the
/// addresses that are answered.
pub(super) async fn identify(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    let client = Client::of(request.headers(), peer.map(|ip| ip.to_canonical()), &state.config);
    let prefix = client.prefix.clone();
    if let Some(uri) = without(request.uri(), &prefix) {
        *request.uri_mut() = uri;
    }
    request.extensions_mut().insert(client);
    let mut response = next.run(request).await;
    if !prefix.is_empty()
        && let Some(location) = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok())
        && location.starts_with('/')
        && !is_below(location, &prefix)
        && let Ok(location) = HeaderValue::from_str(&format!("{prefix}{location}"))
    {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// Returns the address without the path before ours; `None` where that is missing, because the proxy took it off.
fn without(uri: &Uri, prefix: &str) -> Option<Uri> {
    let whole = uri.path_and_query()?.as_str();
    if prefix.is_empty() || !is_below(whole, prefix) {
        return None;
    }
    let rest = &whole[prefix.len()..];
    let rest = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(rest).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }
    fn behind(proxies: &[&str]) -> ServeConfig {
        let trusted_proxies = proxies.iter().map(|text| text.parse().unwrap()).collect();
        ServeConfig { trusted_proxies, ..ServeConfig::default() }
    }
    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_named_proxies_are_believed() {
        let said = headers(&[("x-forwarded-for", "203.0.113.9"), ("x-forwarded-prefix", "/app/")]);
        let stranger = Client::of(&said, Some(ip("192.0.2.1")), &behind(&["10.0.0.0/8"]));
        assert_eq!(stranger, Client { address: Some(ip("192.0.2.1")), proxied: false, prefix: String::new() });
        let proxy = Client::of(&said, Some(ip("10.1.2.3")), &behind(&["10.0.0.0/8"]));
        assert_eq!(proxy, Client { address: Some(ip("203.0.113.9")), proxied: true, prefix: "/app".into() });
        let itself = Client::of(&headers(&[]), Some(ip("10.1.2.3")), &behind(&["10.0.0.0/8"]));
        assert_eq!((itself.address, itself.proxied), (Some(ip("10.1.2.3")), true));
    }

    #[test]
    fn a_client_cannot_say_another_address_than_its_own() {
        let config = behind(&["10.0.0.0/8", "::1/128"]);
        for (said, address) in [
            (headers(&[("x-forwarded-for", "1.2.3.4, 203.0.113.9, 10.9.9.9")]), "203.0.113.9"),
            (headers(&[("x-forwarded-for", "203.0.113.9:5000")]), "203.0.113.9"),
            (headers(&[("forwarded", "for=1.2.3.4, for=\"[2001:db8::7]:80\";proto=https")]), "2001:db8::7"),
            (headers(&[("x-forwarded-for", "unknown")]), "10.1.1.1"),
        ] {
            assert_eq!(Client::of(&said, Some(ip("10.1.1.1")), &config).address, Some(ip(address)), "{said:?}");
        }
    }

    #[test]
    fn the_path_before_ours_is_taken_off_where_the_proxy_left_it() {
        let without = |text: &str| without(&text.parse().unwrap(), "/app").map(|uri| uri.to_string());
        assert_eq!(without("/app/whip/demo?name=ann").as_deref(), Some("/whip/demo?name=ann"));
        assert_eq!(without("/app").as_deref(), Some("/"));
        assert_eq!(without("/app?token=x").as_deref(), Some("/?token=x"));
        assert_eq!(without("/apple"), None);
        assert_eq!(without("/whip/demo"), None);
    }
}
