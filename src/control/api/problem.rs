//! Errors over HTTP: RFC 9457 `application/problem+json`, and the extractor for JSON bodies that produces them.

use std::{any::Any, error::Error};

use axum::{
    body::{self, Body, Bytes},
    extract::{DefaultBodyLimit, FromRequest, OptionalFromRequest, Request, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use serde_path_to_error::Segment;

use super::patience::TooSlow;
use crate::layout::Fault;

/// Time after which somebody who was refused for now may ask again, in seconds.
pub(super) const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// The answer of a handler: `T`, or a [`Problem`].
pub type ApiResult<T> = Result<T, Problem>;

/// Largest JSON body, in bytes. A layout of a hundred layers is about 30 KiB.
pub const JSON_LIMIT: usize = 1024 * 1024;

/// The media type of problems.
const PROBLEM_JSON: &str = "application/problem+json";

/// Wrong places of a body that the answer lists. A body can have a hundred thousand, and their list would be four times
/// as large.
const MOST_PLACES: usize = 100;

/// Most of a foreign error's plain text that is kept as `detail`, in bytes.
const DETAIL_LIMIT: usize = 4096;

/// A refused or failed request, RFC 9457. Nothing was changed by the request.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The member `type`: a stable URN, one for each kind of problem.
    pub kind: &'static str,
    /// The member `title`: the kind in words, the same for all of its kind.
    pub title: &'static str,
    /// The fault of this request, for a person.
    pub detail: String,
    /// The wrong places of a body.
    pub errors: Vec<Fault>,
    /// Headers that belong to the answer, such as `WWW-Authenticate`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// Returns a problem of the kind that goes with `status`.
    pub fn with_status(status: StatusCode, detail: impl Into<String>) -> Self {
        let (kind, title) = kind_of(status);
        Self { status, kind, title, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    /// Makes a 400: the request cannot be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::with_status(StatusCode::BAD_REQUEST, detail)
    }

    /// Makes a 401: no key or token, or one that is not valid (any more).
    pub fn unauthorized() -> Self {
        let detail = "this needs a valid API key or token: `Authorization: Bearer …` or `?token=…`";
        Self::with_status(StatusCode::UNAUTHORIZED, detail)
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"virfie\""))
    }

    /// Makes a 403: known, but not allowed.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::with_status(StatusCode::FORBIDDEN, detail)
    }

    /// Makes a 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::with_status(StatusCode::NOT_FOUND, detail)
    }

    /// Makes a 409: in the way of what is there now.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::with_status(StatusCode::CONFLICT, detail)
    }

    /// Makes a 412: `If-Match` names another revision than the room's.
    pub fn precondition_failed(detail: impl Into<String>) -> Self {
        Self::with_status(StatusCode::PRECONDITION_FAILED, detail)
    }

    /// Makes a 408: what was to come did not come in time.
    pub fn too_slow(detail: impl Into<String>) -> Self {
        Self::with_status(StatusCode::REQUEST_TIMEOUT, detail)
    }

    /// Makes a 413.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::with_status(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// Makes a 415.
    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    }

    /// Makes a 422: readable, but it means nothing that can be done.
    pub fn unprocessable(detail: impl Into<String>) -> Self {
        Self::with_status(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// Makes a 422 with a pointer to every wrong place of the body, to the first hundred of them where there are more.
    pub fn invalid(mut errors: Vec<Fault>) -> Self {
        let detail = match errors.as_slice() {
            [only] if only.pointer.is_empty() => only.detail.clone(),
            [only] => format!("{}: {}", only.pointer, only.detail),
            more if more.len() > MOST_PLACES => {
                format!("the body has {} wrong places, of which these are the first {MOST_PLACES}", more.len())
            }
            more => format!("the body has {} wrong places", more.len()),
        };
        errors.truncate(MOST_PLACES);
        Self { errors, ..Self::unprocessable(detail) }
    }

    /// Makes a 429: a limit of the server is reached.
    pub fn too_many(detail: impl Into<String>) -> Self {
        Self::with_status(StatusCode::TOO_MANY_REQUESTS, detail)
    }

    /// Makes a 503: not now; the server is draining, has too much to do, or its media is not there. It says when to ask
    /// again.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::with_status(StatusCode::SERVICE_UNAVAILABLE, detail).header(header::RETRY_AFTER, RETRY_AFTER)
    }

    /// Makes a 500: our fault. `detail` is shown, so it must hold no secret and no path.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::with_status(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Returns the RFC 9457 object, also sent in the session's `error` message.
    pub fn to_json(&self) -> Value {
        let mut object = json!({
            "type": self.kind,
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if !self.errors.is_empty() {
            object["errors"] = self.errors.iter().map(|f| json!({"pointer": f.pointer, "detail": f.detail})).collect();
        }
        object
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.to_json().to_string();
        let mut response =
            (self.status, [(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON))], body).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

/// Returns `type` and `title` of a status.
fn kind_of(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        400 => ("urn:virfie:problem:bad-request", "The request cannot be read"),
        401 => ("urn:virfie:problem:unauthorized", "A valid key or token is needed"),
        403 => ("urn:virfie:problem:forbidden", "Not allowed"),
        404 => ("urn:virfie:problem:not-found", "Not found"),
        405 => ("urn:virfie:problem:method-not-allowed", "Method not allowed"),
        408 => ("urn:virfie:problem:too-slow", "The request did not come in time"),
        409 => ("urn:virfie:problem:conflict", "In conflict with the present state"),
        412 => ("urn:virfie:problem:stale", "The resource has changed"),
        413 => ("urn:virfie:problem:too-large", "The body is too large"),
        415 => ("urn:virfie:problem:unsupported-type", "Unsupported type of content"),
        422 => ("urn:virfie:problem:invalid", "The request is not valid"),
        429 => ("urn:virfie:problem:limit", "A limit is reached"),
        500 => ("urn:virfie:problem:internal", "The server failed"),
        503 => ("urn:virfie:problem:unavailable", "Not available now"),
        _ => ("about:blank", status.canonical_reason().unwrap_or("Error")),
    }
}

/// The shape of a problem, for the OpenAPI document.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemSchema {
    /// A stable URN of the kind of problem.
    #[schema(example = "urn:virfie:problem:invalid")]
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// The fault of this request, for a person.
    pub detail: String,
    /// The wrong places of the body, if it has any.
    pub errors: Option<Vec<FaultSchema>>,
}

/// One wrong place of a body.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ProblemPlace)]
pub struct FaultSchema {
    /// RFC 6901 JSON pointer; empty for the whole body.
    #[schema(example = "/layers/0/x")]
    pub pointer: String,
    /// The fault of that place.
    pub detail: String,
}

/// A JSON body of the shape `T`, of at most [`JSON_LIMIT`] bytes. `Option<ApiJson<T>>` takes no body as `None`.
///
/// Refuses with 413 a larger body, with 415 another `Content-Type`, with 400 what is not JSON, and with 422 and a
/// pointer what has the wrong shape.
#[derive(Debug, Clone)]
pub struct ApiJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for ApiJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let declared = json_declared(request.headers());
        let bytes = read_json(request, state).await?;
        declared?;
        parse(&bytes).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for ApiJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let declared = json_declared(request.headers());
        let bytes = read_json(request, state).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        declared?;
        parse(&bytes).map(|value| Some(Self(value)))
    }
}

/// Returns the whole body, or 413.
async fn read_json<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    read_body(request, state, JSON_LIMIT, || format!("a JSON body has at most {JSON_LIMIT} bytes")).await
}

/// Returns a whole body of at most so many bytes, or 413 with `limit`, which says how many.
///
/// # Errors
/// Also 408 and 400, see [`unreadable`].
pub(super) async fn read_body<S: Send + Sync>(
    mut request: Request,
    state: &S,
    most: usize,
    limit: impl FnOnce() -> String,
) -> Result<Bytes, Problem> {
    DefaultBodyLimit::max(most).apply(&mut request);
    whole(Bytes::from_request(request, state).await, limit)
}

/// Returns a body as it came, or 413 with `limit`, which says how large it may be.
pub fn whole(body: Result<Bytes, BytesRejection>, limit: impl FnOnce() -> String) -> Result<Bytes, Problem> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(limit()),
        _ => unreadable(&rejection),
    })
}

/// Returns why a body cannot be read to its end.
pub(super) fn unreadable(error: &(dyn Error + 'static)) -> Problem {
    let mut reason = Some(error);
    while let Some(error) = reason {
        if let Some(slow) = error.downcast_ref::<TooSlow>() {
            return Problem::too_slow(slow.to_string());
        }
        reason = error.source();
    }
    Problem::bad_request("the body ended too early")
}

/// Returns whether the content says that it is JSON: `application/json`, or any `…+json` such as a merge patch.
pub(super) fn json_declared(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = given.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    match essence.strip_prefix("application/") {
        Some(subtype) if subtype == "json" || subtype.ends_with("+json") => Ok(()),
        _ => Err(Problem::unsupported_media_type("the body must be sent with `Content-Type: application/json`")),
    }
}

/// Reads a body of the shape `T`. Errors are those of [`ApiJson`].
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // In two steps: `serde_json` alone reports a wrong shape by line and column, and a pointer is wanted.
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| Problem::bad_request(format!("this is not JSON: {error}")))?;
    shape(value)
}

/// Does the second step of [`parse`].
pub(super) fn shape<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let detail = error.inner().to_string();
        Problem::invalid(vec![Fault { pointer: pointer(error.path()), detail }])
    })
}

/// Returns the RFC 6901 pointer of a path.
fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            // Variants have no place of their own in the body.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// Makes a problem of every error that a library answered (unknown routes and methods, wrong paths and
/// queries, failed WebSocket handshakes), so that clients see one kind of error. Keeps the headers, `Allow` for one.
pub async fn normalise(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    // Only what has no type or is plain text is a library's; a handler's own error body has its own type.
    if !is_error || !(content_type.is_empty() || content_type.starts_with("text/plain")) {
        return response;
    }
    let (parts, content) = response.into_parts();
    let text = body::to_bytes(content, DETAIL_LIMIT).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let detail = match (text.trim(), status) {
        ("", StatusCode::NOT_FOUND) => "there is nothing at this address",
        ("", StatusCode::METHOD_NOT_ALLOWED) => "this address does not take this method; `Allow` lists those it takes",
        ("", _) => status.canonical_reason().unwrap_or("the request failed"),
        (text, _) => text,
    };
    let mut problem = Problem::with_status(status, detail).into_response();
    for (name, value) in &parts.headers {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            problem.headers_mut().append(name, value.clone());
        }
    }
    problem
}

/// Answers a request whose handler panicked. The panic's text stays in the log.
pub fn of_panic(panic: Box<dyn Any + Send>) -> Response<Body> {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&'static str>().copied())
        .unwrap_or("unknown panic");
    tracing::error!(panic = text, "a request handler panicked");
    Problem::internal("the server made a mistake while handling this request; its log says more").into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Layer {
        x: i32,
    }
    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Layers {
        layers: Vec<Layer>,
    }

    async fn object(response: Response) -> (StatusCode, HeaderMap, Value) {
        let (parts, content) = response.into_parts();
        let bytes = body::to_bytes(content, 1 << 20).await.unwrap();
        (parts.status, parts.headers, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn is_an_rfc_9457_object() {
        let problem = Problem::invalid(vec![
            Fault { pointer: "/layers/0/x".into(), detail: "no length".into() },
            Fault { pointer: "/z".into(), detail: "unknown key".into() },
        ]);
        let (status, headers, value) = object(problem.into_response()).await;
        assert_eq!(status, 422);
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(
            value,
            json!({
                "type": "urn:virfie:problem:invalid", "title": "The request is not valid", "status": 422,
                "detail": "the body has 2 wrong places",
                "errors": [{"pointer": "/layers/0/x", "detail": "no length"}, {"pointer": "/z", "detail": "unknown key"}],
            })
        );
    }

    #[tokio::test]
    async fn unauthorized_says_how_to_authenticate() {
        let (status, headers, value) = object(Problem::unauthorized().into_response()).await;
        assert_eq!(status, 401);
        assert!(headers[header::WWW_AUTHENTICATE].to_str().unwrap().starts_with("Bearer"));
        assert!(value.get("errors").is_none());
    }

    #[test]
    fn points_to_the_wrong_place() {
        let read = |text: &str| parse::<Layers>(text.as_bytes()).unwrap_err();
        assert_eq!(read("{").status, 400);
        assert_eq!(read("").status, 400);
        let wrong = read(r#"{"layers":[{"x":1},{"x":"a"}]}"#);
        assert_eq!((wrong.status.as_u16(), wrong.errors[0].pointer.as_str()), (422, "/layers/1/x"));
        let unknown = read(r#"{"layers":[{"x":1,"a/b~c":2}]}"#);
        assert_eq!(unknown.errors[0].pointer, "/layers/0/a~1b~0c");
        assert!(unknown.errors[0].detail.contains("unknown field"), "{}", unknown.errors[0].detail);
        assert!(!unknown.errors[0].detail.contains("line"), "{}", unknown.errors[0].detail);
        assert_eq!(parse::<Layers>(br#"{"layers":[]}"#).unwrap(), Layers { layers: Vec::new() });
    }

    fn request(content_type: Option<&str>, body: impl Into<Body>) -> Request {
        let mut builder = Request::builder().uri("/");
        if let Some(content_type) = content_type {
            builder = builder.header(header::CONTENT_TYPE, content_type);
        }
        builder.body(body.into()).unwrap()
    }

    #[tokio::test]
    async fn takes_json_only_and_not_too_much() {
        async fn extract(request: Request) -> Result<ApiJson<Value>, Problem> {
            <ApiJson<Value> as FromRequest<()>>::from_request(request, &()).await
        }
        assert_eq!(extract(request(Some("application/json; charset=utf-8"), "{}")).await.unwrap().0, json!({}));
        assert!(extract(request(Some("application/merge-patch+json"), "{}")).await.is_ok());
        assert_eq!(extract(request(Some("text/plain"), "{}")).await.unwrap_err().status, 415);
        assert_eq!(extract(request(None, "{}")).await.unwrap_err().status, 415);
        let large = " ".repeat(JSON_LIMIT + 1);
        assert_eq!(extract(request(Some("application/json"), large)).await.unwrap_err().status, 413);
    }

    #[tokio::test]
    async fn no_body_is_none_when_it_may_be_left_out() {
        async fn extract(request: Request) -> Result<Option<ApiJson<Value>>, Problem> {
            <ApiJson<Value> as OptionalFromRequest<()>>::from_request(request, &()).await
        }
        assert!(extract(request(None, "")).await.unwrap().is_none());
        assert!(extract(request(Some("application/json"), "{}")).await.unwrap().is_some());
        assert_eq!(extract(request(None, "{}")).await.unwrap_err().status, 415);
    }

    #[test]
    fn of_very_many_wrong_places_the_first_are_listed() {
        let faults = |count| (0..count).map(|n| Fault { pointer: format!("/{n}"), detail: "is unknown".to_owned() });
        let all = Problem::invalid(faults(MOST_PLACES).collect());
        assert_eq!((all.errors.len(), all.detail.as_str()), (MOST_PLACES, "the body has 100 wrong places"));
        let many = Problem::invalid(faults(100_000).collect());
        assert_eq!((many.errors.len(), many.errors[99].pointer.as_str()), (MOST_PLACES, "/99"));
        assert!(many.detail.contains("100000 wrong places") && many.to_json().to_string().len() < 10_000);
    }

    #[tokio::test]
    async fn panics_do_not_leak_their_text() {
        let (status, _, value) = object(of_panic(Box::new("secret"))).await;
        assert_eq!(status, 500);
        assert!(!value.to_string().contains("secret"));
    }
}
