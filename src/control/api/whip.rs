//! WHIP (RFC 9725): a sender joins with one POST of its offer. The resource handling is shared with WHEP.
//!
//! The routes have no prefix of their own: they are served under `/api/v1` and at the top, and `Location` is always
//! under the path that was posted to.

use axum::{
    Router,
    extract::{FromRequestParts, OriginalUri, Path, Query, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{patch, post},
};
use serde::Deserialize;

use super::{
    AppState,
    auth::{Access, Role},
    capacity,
    problem::{self, ApiResult, Problem, ProblemSchema},
    room_path::{Precondition, RoomPath, caller, find},
};
use crate::{
    config::IceServer,
    control::room::{Claim, DisplayName, IfMatch, Opened, PostedOffer, ResourceKind, RoomError, RoomName},
    media::port::{Description, SdpKind, check_offer, parse_fragment},
};

/// Largest SDP or fragment, in bytes.
const MAX_SDP: usize = 64 * 1024;

/// Media type of offers and answers.
pub(super) const SDP: &str = "application/sdp";

/// Media type of trickled candidates (RFC 8840).
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// The name of a sender who gives none.
const NAMELESS: &str = "guest";

/// Says what may be posted.
pub(super) const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// Returns the routes of this resource, to be mounted under `/api/v1` and at the top.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/whip/{room}", post(post_whip).options(options_whip))
        // Who writes a slash behind the room means the room.
        .route("/whip/{room}/", post(post_whip).options(options_whip))
        .route("/whip/{room}/{session}", patch(patch_whip).delete(delete_whip).options(resource_options))
}

/// Joins a room as a sender. A new POST of the same token with the same name takes the old session over.
#[utoipa::path(
    post, path = "/whip/{room}", tag = "webrtc",
    params(
        ("room" = String, Path, description = "The room's name; the room is made if it does not exist"),
        ("name" = Option<String>, Query, description = "The name to be seen by; a token's name comes before it"),
    ),
    request_body(content = String, content_type = "application/sdp", description = "The offer"),
    responses(
        (status = 201, description = "The answer; `Location` is the session, `Link` the ICE servers",
         body = String, content_type = "application/sdp"),
        (status = 400, description = "The query or the SDP is malformed",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 403, description = "The token is for another room or role, or the room is locked or bars the sender",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The room is full",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 415, description = "No SDP", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The offer cannot be taken as a whole; the detail names the m-line and its codecs",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 429, description = "The token has all its places or rooms",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The server has nothing left to build it of; `Retry-After` says when to ask again",
         body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn post_whip(
    State(app): State<AppState>,
    access: Access,
    room: RoomPath,
    posted_to: OriginalUri,
    request: Request,
) -> ApiResult<Response> {
    access.require(Role::Participant, room.name.as_str())?;
    let asked = asked_name(&request)?;
    let name = access.name.as_deref().or(asked.as_deref());
    let display_name = DisplayName::parse(name.unwrap_or(NAMELESS))?;
    // A missing name distinguishes nobody, so such a participant may not take another's place.
    let claim = name.map(|name| Claim { subject: access.subject.clone(), name: name.to_owned() });
    let offer = offer(request).await?;
    // Before anything is changed: a refused offer makes no room and ends no session.
    check_offer(&offer.offer, true).map_err(RoomError::Refused)?;
    let promise = app.capacity.admit(capacity::SENDER, &access)?;
    let caller = caller(&app, &access, &room.name);
    let handle = app.founders.find_or_make(&app, &access, &room.name)?;
    let opened = handle.join_whip(display_name, caller, claim, offer).await?;
    promise.keep(&handle);
    created(&app, &posted_to, opened)
}

/// Trickles candidates. An ICE restart is refused: make a new session. The session's secret is all that it takes.
#[utoipa::path(
    patch, path = "/whip/{room}/{session}", tag = "webrtc",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("session" = String, Path, description = "The session, as in `Location`"),
        ("If-Match" = Option<String>, Header, description = "The session's `ETag`"),
    ),
    request_body(content = String, content_type = "application/trickle-ice-sdpfrag", description = "Candidates"),
    responses(
        (status = 204, description = "Taken"),
        (status = 400, description = "Malformed", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such session",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 412, description = "The session has another tag",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "An ICE restart",
         body = ProblemSchema, content_type = "application/problem+json"),
    ),
    security(())
)]
pub async fn patch_whip(
    State(app): State<AppState>,
    session: SessionPath,
    guard: Precondition,
    request: Request,
) -> ApiResult<Response> {
    trickle(&app, ResourceKind::Whip, session, &guard.0, request).await
}

/// Ends a session: the participant leaves. The session's secret is all that it takes.
#[utoipa::path(
    delete, path = "/whip/{room}/{session}", tag = "webrtc",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("session" = String, Path, description = "The session, as in `Location`"),
    ),
    responses(
        (status = 200, description = "Ended"),
        (status = 404, description = "No such session",
         body = ProblemSchema, content_type = "application/problem+json"),
    ),
    security(())
)]
pub async fn delete_whip(State(app): State<AppState>, session: SessionPath) -> ApiResult<StatusCode> {
    find(&app, &session.room)?.close_resource(ResourceKind::Whip, session.secret).await?;
    Ok(StatusCode::OK)
}

async fn options_whip(State(app): State<AppState>, access: ApiResult<Access>, room: RoomPath) -> Response {
    endpoint_options(&app, access, Role::Participant, &room)
}

/// Lists what may be posted, and those who may post it also the ICE servers: some clients have to know them before they
/// make their offer.
pub(super) fn endpoint_options(app: &AppState, access: ApiResult<Access>, role: Role, room: &RoomPath) -> Response {
    let methods = "POST, OPTIONS";
    let told = [(header::ALLOW, methods), (header::ACCESS_CONTROL_ALLOW_METHODS, methods), (ACCEPT_POST, SDP)];
    let may_post = access.and_then(|access| access.require(role, room.name.as_str())).is_ok();
    let links = if may_post { ice_links(app) } else { HeaderMap::new() };
    (StatusCode::NO_CONTENT, told, links).into_response()
}

/// Lists what may be patched.
pub(super) async fn resource_options() -> Response {
    let methods = "PATCH, DELETE, OPTIONS";
    let told = [(header::ALLOW, methods), (header::ACCESS_CONTROL_ALLOW_METHODS, methods), (ACCEPT_PATCH, FRAGMENT)];
    (StatusCode::NO_CONTENT, told).into_response()
}

/// The path of a session: its room and the secret that names it.
#[derive(Debug, Clone)]
pub struct SessionPath {
    /// The room's checked name.
    pub room: RoomName,
    /// Names the session.
    pub secret: String,
}

impl<S: Send + Sync> FromRequestParts<S> for SessionPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Segments {
            room: String,
            session: String,
        }
        let Path(Segments { room, session }) =
            Path::from_request_parts(parts, state).await.map_err(|error| Problem::bad_request(error.body_text()))?;
        Ok(Self { room: RoomName::parse(&room)?, secret: session })
    }
}

/// Returns the `name` of the query.
fn asked_name(request: &Request) -> ApiResult<Option<String>> {
    #[derive(Deserialize)]
    struct Parameters {
        name: Option<String>,
    }
    let Query(Parameters { name }) =
        Query::try_from_uri(request.uri()).map_err(|error| Problem::bad_request(error.body_text()))?;
    Ok(name)
}

/// Returns the checked offer of a POST.
pub(super) async fn offer(request: Request) -> ApiResult<PostedOffer> {
    let text = text(SDP, request).await?;
    let offer = Description::parse(&text, SdpKind::Offer)
        .map_err(|fault| Problem::bad_request(format!("the offer cannot be taken: {fault}")))?;
    let ufrags = offer.media.iter().map(|section| section.ice_ufrag.clone()).collect();
    Ok(PostedOffer { offer, ufrags })
}

/// Returns a body of this media type.
async fn text(media_type: &str, request: Request) -> ApiResult<String> {
    let given = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(media_type) {
        let detail = format!("the body must be sent with `Content-Type: {media_type}`");
        return Err(Problem::unsupported_media_type(detail));
    }
    let bytes = problem::read_body(request, &(), MAX_SDP, || format!("the body has at most {MAX_SDP} bytes")).await?;
    String::from_utf8(bytes.into()).map_err(|_| Problem::bad_request("the body is not UTF-8"))
}

/// Returns the answer to a POST: 201, under the path that was posted to.
pub(super) fn created(app: &AppState, posted_to: &OriginalUri, opened: Opened) -> ApiResult<Response> {
    let location = format!("{}/{}", posted_to.0.path().trim_end_matches('/'), opened.secret);
    let location = HeaderValue::from_str(&location).map_err(|_| Problem::internal("the path cannot be a header"))?;
    let etag = HeaderValue::from_str(&format!("\"{}\"", tag(opened.peer.0)))
        .map_err(|_| Problem::internal("the tag cannot be a header"))?;
    let mut headers = ice_links(app);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(SDP));
    headers.insert(header::LOCATION, location);
    headers.insert(header::ETAG, etag);
    headers.insert(ACCEPT_PATCH, HeaderValue::from_static(FRAGMENT));
    Ok((StatusCode::CREATED, headers, opened.answer).into_response())
}

/// Returns a `Link` to each ICE server.
fn ice_links(app: &AppState) -> HeaderMap {
    let servers = app.ice_servers();
    let links = servers.iter().filter_map(|server| HeaderValue::from_str(&ice_link(server)).ok());
    links.map(|link| (header::LINK, link)).collect()
}

/// Returns the tag of a session's ICE credentials. They never change: there are no restarts.
fn tag(peer: u64) -> String {
    format!("ice-{peer}")
}

/// Returns a `Link` to an ICE server (RFC 9725, section 4.6).
fn ice_link(server: &IceServer) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut link = format!("<{}>; rel=\"ice-server\"", server.url);
    if let (Some(username), Some(credential)) = (&server.username, &server.credential) {
        link += &format!(
            "; username=\"{}\"; credential=\"{}\"; credential-type=\"password\"",
            quoted(username),
            quoted(credential)
        );
    }
    link
}

/// Takes candidates of a PATCH.
pub(super) async fn trickle(
    app: &AppState,
    kind: ResourceKind,
    session: SessionPath,
    guard: &IfMatch,
    request: Request,
) -> ApiResult<Response> {
    let room = find(app, &session.room)?;
    let resource = room.resource(kind, session.secret).await?;
    // A session whose connection is lost is only kept for its picture.
    let peer = resource.peer.ok_or(RoomError::NoConnection)?;
    if !guard.allows_tag(&tag(peer.0)) {
        return Err(Problem::precondition_failed("the session has other ICE credentials"));
    }
    let text = text(FRAGMENT, request).await?;
    let fragment = parse_fragment(&text).map_err(|fault| Problem::bad_request(fault.to_string()))?;
    if fragment.ufrag.as_ref().is_some_and(|ufrag| !resource.ufrags.contains(ufrag)) {
        return Err(Problem::unprocessable("ICE restarts are not supported: end this session and make a new one"));
    }
    let end = fragment.end.then_some(None);
    let candidates = fragment.candidates.into_iter().map(|(_, candidate)| Some(candidate)).chain(end).collect();
    room.candidates(peer, candidates).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::{Error, body::Body};
    use futures_util::stream;

    use super::{super::patience::TooSlow, *};

    #[tokio::test]
    async fn what_comes_late_or_in_part_is_not_called_too_large() {
        let posted = |body: Body| Request::builder().header(header::CONTENT_TYPE, SDP).body(body).unwrap();
        let broken = |error| Body::from_stream(stream::iter([Ok("v=0"), Err(error)]));
        for (body, status) in [
            (broken(Error::new(TooSlow)), 408),
            (broken(Error::new(std::io::Error::other("gone"))), 400),
            (Body::from(vec![b'a'; MAX_SDP + 1]), 413),
            (Body::from(vec![0xff]), 400),
        ] {
            assert_eq!(text(SDP, posted(body)).await.unwrap_err().status, status);
        }
    }

    #[test]
    fn ice_servers_are_linked_with_their_credentials() {
        let stun = IceServer::parse("stun:stun.example:3478").unwrap();
        assert_eq!(ice_link(&stun), "<stun:stun.example:3478>; rel=\"ice-server\"");
        let turn = IceServer::parse("turn:ann:p\"w@turn.example:3478?transport=udp").unwrap();
        assert_eq!(
            ice_link(&turn),
            "<turn:turn.example:3478?transport=udp>; rel=\"ice-server\"; username=\"ann\"; credential=\"p\\\"w\"; \
             credential-type=\"password\""
        );
    }
}
