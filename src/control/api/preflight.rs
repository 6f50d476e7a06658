//! Keeps a plain OPTIONS apart from a browser's preflight. `CorsLayer` answers both, and a WHIP client's question what
//! it may post (RFC 9725) would get an empty answer. So a plain one passes that layer under another method's name.

use axum::{extract::Request, http::Method, http::header, middleware::Next, response::Response};

/// What a plain OPTIONS is called between [`hide`] and [`restore`]; no client can send it past the router.
const PLAIN: &str = "VIRFIE-OPTIONS";

/// Outside of the CORS layer.
pub(super) async fn hide(mut request: Request, next: Next) -> Response {
    let preflight = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if request.method() == Method::OPTIONS
        && !preflight
        && let Ok(method) = Method::from_bytes(PLAIN.as_bytes())
    {
        *request.method_mut() = method;
    }
    next.run(request).await
}

/// Inside of it.
pub(super) async fn restore(mut request: Request, next: Next) -> Response {
    if request.method().as_str() == PLAIN {
        *request.method_mut() = Method::OPTIONS;
    }
    next.run(request).await
}
