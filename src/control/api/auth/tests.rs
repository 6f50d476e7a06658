#![allow(clippy::unwrap_used)]
use std::{fs, os::unix::fs::PermissionsExt as _};

use axum::http::{HeaderName, HeaderValue, StatusCode};

use super::*;
use crate::control::room::DisplayName;

fn keyed(key: &str) -> Auth {
    Auth::new(&ServeConfig { api_key: Some(key.to_owned()), ..ServeConfig::default() }).unwrap()
}
fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
}
fn bearing(token: &str) -> HeaderMap {
    headers(&[(header::AUTHORIZATION, format!("Bearer {token}").as_str())])
}
fn uri(text: &'static str) -> Uri {
    Uri::from_static(text)
}
fn in_one_hour() -> u64 {
    jsonwebtoken::get_current_timestamp() + 3600
}
fn claims(role: Role, room: Option<&str>) -> Claims {
    Claims {
        room: room.map(str::to_owned),
        role,
        name: Some("ann".to_owned()),
        exp: in_one_hour(),
        jti: None,
        places: None,
    }
}

#[test]
fn roles_include_those_below() {
    assert!(Role::Viewer < Role::Participant && Role::Participant < Role::Producer && Role::Producer < Role::Admin);
    assert_eq!(serde_json::to_value(Role::Producer).unwrap(), "producer");
}

#[test]
fn the_key_is_admin_by_header_and_by_query() {
    let auth = keyed("s3cret");
    let access = auth.access(&bearing("s3cret"), &uri("/"), None).unwrap();
    assert_eq!((access.role, access.subject.as_str()), (Role::Admin, "key"));
    assert_eq!(auth.access(&HeaderMap::new(), &uri("/?a=b&token=s3cret"), None).unwrap().role, Role::Admin);
    for (headers, uri) in [
        (HeaderMap::new(), uri("/")),
        (HeaderMap::new(), uri("/?token=")),
        (bearing("other"), uri("/")),
        (headers(&[(header::AUTHORIZATION, "Basic czNjcmV0")]), uri("/")),
    ] {
        let problem = auth.access(&headers, &uri, None).unwrap_err();
        assert_eq!(problem.status, StatusCode::UNAUTHORIZED);
        assert_eq!(problem.headers[0].0, header::WWW_AUTHENTICATE);
    }
}

#[test]
fn a_token_opens_its_room_only() {
    let auth = keyed("s3cret");
    let token = auth.sign(&claims(Role::Participant, Some("demo"))).unwrap();
    let access = auth.access(&bearing(&token), &uri("/"), None).unwrap();
    assert_eq!((access.role, access.name.as_deref()), (Role::Participant, Some("ann")));
    assert!(access.require(Role::Viewer, "demo").is_ok());
    assert_eq!(access.require(Role::Producer, "demo").unwrap_err().status, StatusCode::FORBIDDEN);
    assert_eq!(access.require(Role::Viewer, "other").unwrap_err().status, StatusCode::FORBIDDEN);
    assert!(access.require_everywhere(Role::Viewer).is_err());
    assert_eq!(auth.verify(&token).unwrap().subject, access.subject);
    let other = auth.sign(&Claims { jti: Some("x".into()), ..claims(Role::Participant, Some("demo")) }).unwrap();
    assert_ne!(auth.verify(&other).unwrap().subject, access.subject);
}

#[test]
fn tokens_of_others_and_old_ones_are_refused() {
    let auth = keyed("s3cret");
    let foreign = keyed("other").sign(&claims(Role::Admin, None)).unwrap();
    assert!(auth.verify(&foreign).is_err());
    let over = Claims { exp: in_one_hour() - 3600 - LEEWAY_S - 5, ..claims(Role::Admin, None) };
    assert!(auth.verify(&auth.sign(&over).unwrap()).is_err());
    let within_leeway = Claims { exp: in_one_hour() - 3600 - LEEWAY_S / 2, ..claims(Role::Admin, None) };
    assert!(auth.verify(&auth.sign(&within_leeway).unwrap()).is_ok());
    // `alg: none`, the oldest trick.
    let body = BASE64_URL_SAFE_NO_PAD.encode(r#"{"role":"admin","exp":99999999999}"#);
    let unsigned = format!("{}.{body}.", BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#));
    assert!(auth.verify(&unsigned).is_err());
    assert!(auth.verify("").is_err());
}

#[test]
fn loopback_without_a_key_is_open() {
    let auth = Auth::new(&ServeConfig::default()).unwrap();
    assert!(auth.is_open() && auth.created_key().is_none());
    let access = auth.access(&HeaderMap::new(), &uri("/"), None).unwrap();
    assert_eq!((access.role, access.subject.as_str()), (Role::Admin, "open"));
}

#[test]
fn another_address_gets_a_key_that_stays() {
    let config = ServeConfig { listen: "0.0.0.0:0".parse().unwrap(), ..ServeConfig::default() };
    let first = Auth::new(&config).unwrap();
    let created = first.created_key().unwrap().clone();
    assert!(created.key.len() >= 40);
    assert_eq!(fs::metadata(&created.file).unwrap().permissions().mode() & 0o777, 0o600);
    let second = Auth::new(&config).unwrap();
    assert!(second.created_key().is_none());
    assert_eq!(second.access(&bearing(&created.key), &uri("/"), None).unwrap().role, Role::Admin);
    let token = first.sign(&claims(Role::Viewer, None)).unwrap();
    assert!(second.verify(&token).is_ok(), "tokens outlive a restart");
    fs::remove_dir_all(&config.data_dir).unwrap();
}

fn from(last: u8) -> Option<IpAddr> {
    Some(IpAddr::from([192, 0, 2, last]))
}

#[test]
fn a_key_is_no_more_than_a_key_to_tokens() {
    let (auth, other) = (keyed("a-key-of-sixteen"), keyed("a-key-of-sixteen"));
    let token = auth.sign(&claims(Role::Viewer, None)).unwrap();
    assert!(other.verify(&token).is_err(), "the same key on another server signs with another secret");
}

#[test]
fn wrong_keys_are_slowed_by_address_and_tokens_are_not() {
    let auth = keyed("a-key-of-sixteen");
    let token = auth.sign(&claims(Role::Viewer, None)).unwrap();
    let statuses: Vec<u16> = (0..2000)
        .map(|number| auth.access(&bearing(&format!("guess-{number}")), &uri("/"), from(1)).unwrap_err())
        .map(|problem| problem.status.as_u16())
        .collect();
    assert!(statuses.iter().filter(|status| **status == 401).count() < 20);
    let closed = auth.access(&bearing("a-key-of-sixteen"), &uri("/"), from(1)).unwrap_err();
    assert_eq!(closed.status, 429, "the right one is not looked at either");
    assert_eq!(closed.headers[0].0, header::RETRY_AFTER);
    assert!(auth.access(&bearing("a-key-of-sixteen"), &uri("/"), from(2)).is_ok());
    assert!(auth.access(&bearing(&token), &uri("/"), from(1)).is_ok());
    let over = Claims { exp: in_one_hour() - 7200, ..claims(Role::Viewer, None) };
    let over = auth.sign(&over).unwrap();
    for _ in 0..100 {
        assert_eq!(auth.access(&bearing(&over), &uri("/"), from(3)).unwrap_err().status, 401, "no guess");
    }
}

#[tokio::test]
async fn a_token_that_is_taken_back_or_rotated_is_over() {
    let config = ServeConfig { api_key: Some("a-key-of-sixteen".into()), ..ServeConfig::default() };
    let auth = Auth::new(&config).unwrap();
    let sign = |id: &str| auth.sign(&Claims { jti: Some(id.into()), ..claims(Role::Viewer, None) }).unwrap();
    let (first, second) = (sign("1"), sign("2"));
    let (one, two) = (auth.verify(&first).unwrap(), auth.verify(&second).unwrap());
    auth.revoke("1", in_one_hour()).unwrap();
    auth.over(&one).await;
    assert!(auth.verify(&first).is_err() && auth.verify(&second).is_ok());
    assert!(Auth::new(&config).unwrap().verify(&first).is_err(), "also after a restart");
    assert!(!auth.look_at_signing_key());
    secret::rotate(&config.data_dir).unwrap();
    assert!(auth.look_at_signing_key());
    auth.over(&two).await;
    assert!(auth.verify(&second).is_err());
    fs::remove_dir_all(&config.data_dir).unwrap();
}

#[test]
fn a_name_that_a_token_fixes_is_kept_for_it() {
    let auth = keyed("a-key-of-sixteen");
    let fixed = auth.sign(&Claims { jti: Some("1".into()), ..claims(Role::Participant, Some("demo")) }).unwrap();
    let nameless = Claims { name: None, jti: Some("2".into()), ..claims(Role::Participant, None) };
    let nameless = auth.verify(&auth.sign(&nameless).unwrap()).unwrap();
    assert_eq!(auth.reserved_names("demo", &nameless), ["ann"]);
    assert!(auth.reserved_names("other", &nameless).is_empty());
    assert!(auth.reserved_names("demo", &auth.verify(&fixed).unwrap()).is_empty());
}

#[test]
fn a_token_that_was_signed_with_marks_of_direction_fixes_the_name_without_them() {
    let auth = keyed("a-key-of-sixteen");
    // As earlier versions signed it.
    let marked = |id: &str| Claims {
        name: Some("\u{200f}ann\u{200e}\u{61c}".to_owned()),
        jti: Some(id.into()),
        ..claims(Role::Participant, Some("demo"))
    };
    let [one, other] = ["1", "2"].map(|id| auth.verify(&auth.sign(&marked(id)).unwrap()).unwrap());
    assert_eq!((one.name.as_deref(), other.name.as_deref()), (Some("ann"), Some("ann")));
    assert!(DisplayName::parse(one.name.as_deref().unwrap()).is_ok());
    assert!(auth.reserved_names("demo", &one).is_empty(), "it is its own name, too");
}
