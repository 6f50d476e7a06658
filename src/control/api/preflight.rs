//! Keeps a plain OPTIONS apart from a browser's preflight. `CorsLayer` answers both, and a WHIP client's question what
//! it may post (RFC 9725) would get an empty answer. So a plain one passes that layer under another method's name. A
//! preflight's answer says what may be posted, too, but never the ICE servers: it comes without the caller's key. And
//! no page is allowed to say what proxies say: one that passes it on would be believed.

use axum::{
    extract::Request,
    http::{HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};

use super::{
    client::is_of_proxies,
    whip::{ACCEPT_POST, SDP},
};

/// The method of a plain OPTIONS between [`hide`] and [`restore`]; no client can send it past the router.
const PLAIN: &str = "VIRFIE-OPTIONS";

/// Runs outside of the CORS layer.
pub(super) async fn hide(mut request: Request, next: Next) -> Response {
    let options = request.method() == Method::OPTIONS;
    let preflight = options && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if preflight {
        leave_out_proxies(&mut request);
    }
    let takes_offers = preflight && is_endpoint(request.uri().path());
    if options
        && !preflight
        && let Ok(method) = Method::from_bytes(PLAIN.as_bytes())
    {
        *request.method_mut() = method;
    }
    let mut response = next.run(request).await;
    if takes_offers {
        response.headers_mut().insert(ACCEPT_POST, HeaderValue::from_static(SDP));
    }
    response
}

/// Allows what a page wants to send by repeating it in the answer.
fn leave_out_proxies(request: &mut Request) {
    let Some(wanted) = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) else { return };
    let wanted = wanted.to_str().unwrap_or_default().to_ascii_lowercase();
    let left: Vec<&str> = wanted.split(',').map(str::trim).filter(|name| !is_of_proxies(name)).collect();
    if let Ok(left) = HeaderValue::try_from(left.join(",")) {
        request.headers_mut().insert(header::ACCESS_CONTROL_REQUEST_HEADERS, left);
    }
}

/// Returns whether this is where WHIP or WHEP offers are posted: the room stands last.
fn is_endpoint(path: &str) -> bool {
    let path = path.strip_prefix(super::BASE).unwrap_or(path).trim_end_matches('/');
    let room = path.strip_prefix("/whip/").or_else(|| path.strip_prefix("/whep/"));
    room.is_some_and(|room| !room.is_empty() && !room.contains('/'))
}

/// Runs inside of it.
pub(super) async fn restore(mut request: Request, next: Next) -> Response {
    if request.method().as_str() == PLAIN {
        *request.method_mut() = Method::OPTIONS;
    }
    next.run(request).await
}
