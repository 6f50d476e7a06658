//! Headers by which every answer has a browser take it for nothing else than it says, and show it in no other site's
//! frame.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// Headers for answers that do not set them themselves.
const RULES: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'self'")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN")),
    // Addresses may hold `?token=`.
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Adds the rules.
pub(super) async fn add(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in RULES {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}
