//! Tokens: an admin has one signed for somebody who shall not have the key.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{delete, post},
};
use jiff::Timestamp;
use rand::Rng as _;
use serde::{Deserialize, Serialize};

use super::{
    AppState,
    auth::{self, Access, Claims, Role},
    problem::{ApiJson, ApiResult, Problem, ProblemSchema},
};
use crate::{
    control::room::{DisplayName, RoomName, without_marks},
    layout::Fault,
};

/// Lifetime of a token when nobody says otherwise, in seconds: an evening.
const DEFAULT_TTL_S: u64 = 6 * 3600;

/// Length of a token's id, in hexadecimal digits.
const ID_LENGTH: usize = 16;

/// Most places that a token takes in a room: as many as a room has.
const MAX_PLACES: u32 = 1000;

/// Longest lifetime of a token, in seconds: a year.
const MAX_TTL_S: u64 = 366 * 24 * 3600;

/// Returns the routes of tokens.
pub fn router() -> Router<AppState> {
    Router::new().route("/tokens", post(create)).route("/tokens/{id}", delete(revoke))
}

/// The wished content of a token.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// The only room it opens; every room when left out.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    pub room: Option<String>,
    /// The role of its bearer.
    pub role: Role,
    /// The display name that its bearer has. The marks of direction U+061C, U+200E and U+200F are dropped.
    #[schema(min_length = 1, max_length = 64)]
    pub name: Option<String>,
    /// Lifetime in seconds; six hours when neither this nor `exp` is given.
    #[schema(minimum = 1, maximum = 31622400)]
    pub ttl_seconds: Option<u64>,
    /// Until when it is valid, in seconds since 1970; excludes `ttl_seconds`.
    pub exp: Option<u64>,
    /// Number of participants whom it lets into one room at once; 4 when left out. For a link that many shall use.
    #[schema(minimum = 1, maximum = 1000)]
    pub places: Option<u32>,
}

/// A signed token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Token {
    /// Takes it back: `DELETE /tokens/{id}`.
    pub id: String,
    /// A JWT, for `Authorization: Bearer …` or `?token=…`.
    pub token: String,
    /// Until when it is valid, RFC 3339.
    #[schema(format = DateTime)]
    pub expires_at: String,
}

/// Signs a token
#[utoipa::path(post, path = "/tokens", tag = "tokens", request_body = TokenRequest, responses(
    (status = 200, description = "The token", body = Token),
    (status = "default", description = "Refused", body = ProblemSchema, content_type = "application/problem+json"),
))]
pub async fn create(
    State(state): State<AppState>,
    access: Access,
    ApiJson(request): ApiJson<TokenRequest>,
) -> ApiResult<Json<Token>> {
    access.require_everywhere(Role::Admin)?;
    let claims = claims(request, Timestamp::now().as_second().unsigned_abs()).map_err(Problem::invalid)?;
    let (auth, signed) = (Arc::clone(&state.auth), claims.clone());
    // A name that it fixes is kept on the disk.
    let token = tokio::task::spawn_blocking(move || auth.sign(&signed)).await;
    let token = token.map_err(|_| Problem::internal("the token cannot be signed"))??;
    let expires_at = i64::try_from(claims.exp)
        .ok()
        .and_then(|second| Timestamp::from_second(second).ok())
        .ok_or_else(|| Problem::internal("the token's end cannot be written"))?;
    tracing::info!(role = %claims.role, room = claims.room.as_deref(), expires_at = %expires_at, "token signed");
    Ok(Json(Token { id: claims.jti.unwrap_or_default(), token, expires_at: expires_at.to_string() }))
}

/// Takes a token back: it is invalid from now on, and those who came with it are put out.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens",
    params(("id" = String, Path, description = "The token's id, as `POST /tokens` answered it")),
    responses(
        (status = 204, description = "Taken back; also when it was already, or was over"),
        (status = 404, description = "No token has such an id",
         body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub async fn revoke(State(state): State<AppState>, access: Access, Path(id): Path<String>) -> ApiResult<StatusCode> {
    access.require_everywhere(Role::Admin)?;
    if id.len() != ID_LENGTH || !id.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(Problem::not_found("no token has such an id"));
    }
    // Tokens are kept nowhere, so this one may be valid as long as any can.
    let until = Timestamp::now().as_second().unsigned_abs().saturating_add(MAX_TTL_S);
    let (auth, own) = (Arc::clone(&state.auth), id.clone());
    let revoked = tokio::task::spawn_blocking(move || auth.revoke(&own, until)).await;
    revoked.map_err(|_| Problem::internal("the token cannot be taken back"))??;
    state.registry.dismiss(Some(auth::subject(&id).into())).await;
    tracing::info!(token = id, "a token was taken back");
    Ok(StatusCode::NO_CONTENT)
}

/// Returns what the token says; `now` is in seconds since 1970.
///
/// # Errors
/// Every wrong place of the request.
fn claims(request: TokenRequest, now: u64) -> Result<Claims, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fault = |pointer: &str, detail: String| faults.push(Fault { pointer: pointer.to_owned(), detail });
    if let Some(Err(error)) = request.room.as_deref().map(RoomName::parse) {
        fault("/room", error.to_string());
    }
    let name = request.name.as_deref().map(without_marks);
    let name = match name.as_deref().map(DisplayName::parse) {
        Some(Err(error)) => {
            fault("/name", error.to_string());
            None
        }
        Some(Ok(name)) => Some(name.as_str().to_owned()),
        None => None,
    };
    let exp = match (request.ttl_seconds, request.exp) {
        (Some(_), Some(_)) => {
            fault("/exp", "excludes ttl_seconds".to_owned());
            now
        }
        (ttl, None) => {
            let ttl = ttl.unwrap_or(DEFAULT_TTL_S);
            if !(1..=MAX_TTL_S).contains(&ttl) {
                fault("/ttl_seconds", format!("must be within 1 to {MAX_TTL_S}"));
            }
            now.saturating_add(ttl)
        }
        (None, Some(exp)) => {
            if exp <= now || exp > now + MAX_TTL_S {
                fault("/exp", format!("must be after now ({now}) and within a year"));
            }
            exp
        }
    };
    if request.places.is_some_and(|places| !(1..=MAX_PLACES).contains(&places)) {
        fault("/places", format!("must be within 1 to {MAX_PLACES}"));
    }
    let jti = format!("{:016x}", rand::rng().random::<u64>());
    let (room, role, places) = (request.room, request.role, request.places);
    let claims = Claims { room, role, name, exp, jti: Some(jti), places };
    if faults.is_empty() { Ok(claims) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> Result<Claims, Vec<String>> {
        let request: TokenRequest = serde_json::from_value(value).unwrap();
        claims(request, 1_000_000).map_err(|faults| faults.into_iter().map(|fault| fault.pointer).collect())
    }

    #[test]
    fn a_token_ends_after_six_hours_unless_said_otherwise() {
        let claims = read(json!({"role": "viewer"})).unwrap();
        assert_eq!((claims.role, claims.room, claims.exp), (Role::Viewer, None, 1_000_000 + 21_600));
        assert_eq!(read(json!({"role": "viewer", "ttl_seconds": 60})).unwrap().exp, 1_000_060);
        assert_eq!(read(json!({"role": "viewer", "exp": 1_000_001})).unwrap().exp, 1_000_001);
    }

    #[test]
    fn every_wrong_place_is_reported() {
        let all = json!({"role": "admin", "room": "a b", "name": "", "ttl_seconds": 1, "exp": 2_000_000});
        assert_eq!(read(all).unwrap_err(), ["/room", "/name", "/exp"]);
        for (key, value) in [
            ("ttl_seconds", 0),
            ("ttl_seconds", 400_000_000),
            ("places", 0),
            ("places", 1001),
            ("exp", 1_000_000),
            ("exp", u64::MAX),
        ] {
            let mut body = json!({"role": "admin"});
            body[key] = value.into();
            assert_eq!(read(body).unwrap_err(), [format!("/{key}")]);
        }
    }

    #[test]
    fn two_tokens_of_the_same_content_differ() {
        let one = || read(json!({"role": "participant", "room": "demo", "name": " ann "})).unwrap();
        assert_ne!(one().jti, one().jti);
        assert_eq!(one().name.as_deref(), Some("ann"));
    }

    #[test]
    fn a_name_is_signed_without_marks_of_direction() {
        let of = |name: &str| read(json!({"role": "participant", "name": name}));
        assert_eq!(of("ann \u{200f}").unwrap().name.as_deref(), Some("ann"));
        for nothing in ["\u{200e}\u{61c}", "\u{200f}\u{202e}ann"] {
            assert_eq!(of(nothing).unwrap_err(), ["/name"]);
        }
    }
}
