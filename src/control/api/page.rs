//! The web page, which is built into the program (`web/dist`), with each file packed beside it: nothing is packed while
//! somebody waits.

use axum::{
    Extension,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rust_embed::EmbeddedFile;

use super::{
    client::{Client, entries},
    given::names,
    packing::{Packing, welcome},
    problem::Problem,
};

#[derive(rust_embed::Embed)]
#[folder = "web/dist"]
struct Dist;

/// The rights of the page. Styles may stand inline, because the layout editor makes its own at run time; scripts may
/// not. Pictures come from us, from what the page drew, and from data; connections go to where the page is from, and
/// WebSockets anywhere, as a page behind a proxy can have another name than the server.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' blob: data:; media-src 'self' blob: mediastream:; font-src 'self' data:; \
    connect-src 'self' ws: wss:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; \
    frame-ancestors 'self'";

/// The build gives these names that change with their content.
const HASHED: &str = "app/";

/// The element that all addresses of the page are relative to, as the build writes it.
const BASE: &str = "<base href=\"/\" />";

/// Answers what no route takes: the page at `/` and `/r/{room}`, its files, and 404 for everything else.
pub async fn serve(method: Method, uri: Uri, headers: HeaderMap, client: Option<Extension<Client>>) -> Response {
    let prefix = client.map(|Extension(client)| client.prefix).unwrap_or_default();
    let path = match uri.path().trim_start_matches('/') {
        // Browsers ask for this one on their own, whatever page they show.
        "favicon.ico" => "favicon.svg",
        path => path,
    };
    let is_page = path.is_empty() || path == "r" || path.starts_with("r/");
    let name = if is_page { "index.html" } else { path };
    // A packed file is another form of an address, and no address of its own.
    let Some(file) = Dist::get(name).filter(|_| !Packing::made(name)) else {
        return Problem::not_found("there is nothing at this address").into_response();
    };
    if method != Method::GET && method != Method::HEAD {
        return Problem::with_status(StatusCode::METHOD_NOT_ALLOWED, "the page is only read")
            .header(header::ALLOW, HeaderValue::from_static("GET,HEAD"))
            .into_response();
    }
    // The page is another one under another path. It is made then, so there is no packed one.
    let is_moved = is_page && !prefix.is_empty();
    let packed = if is_moved { None } else { packed(name, &headers) };
    let mark = if is_moved { prefix.replace('/', "-") } else { String::new() };
    // Each packing has a tag of its own, as its bytes are others.
    let sent = packed.as_ref().map_or(&file, |(_, packed)| packed);
    let etag = format!("\"{}{mark}\"", BASE64_URL_SAFE_NO_PAD.encode(&sent.metadata.sha256_hash()[..16]));
    let caching = if !is_page && path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common = [
        (header::ETAG, etag.as_str()),
        (header::CACHE_CONTROL, caching),
        (header::VARY, "accept-encoding"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A link with `?token=` must not reach others.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    if names(&headers, header::IF_NONE_MATCH, &etag) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let content_type = match file.metadata.mimetype() {
        "text/html" => "text/html; charset=utf-8",
        "text/css" => "text/css; charset=utf-8",
        "text/javascript" | "application/javascript" => "text/javascript; charset=utf-8",
        other => other,
    };
    let content_type = [(header::CONTENT_TYPE, content_type)];
    if is_moved {
        // A checked path holds nothing that HTML would take for its own.
        let based = String::from_utf8_lossy(&file.data).replacen(BASE, &format!("<base href=\"{prefix}/\" />"), 1);
        return (common, content_type, based).into_response();
    }
    match packed {
        Some((packing, packed)) => {
            (common, content_type, [(header::CONTENT_ENCODING, packing.name())], packed.data).into_response()
        }
        None => (common, content_type, file.data).into_response(),
    }
}

/// Returns the file as the browser likes it best, if that is a packed one.
fn packed(name: &str, headers: &HeaderMap) -> Option<(Packing, EmbeddedFile)> {
    let found = |packing: Packing| Dist::get(&format!("{name}{}", packing.ending())).map(|file| (packing, file));
    welcome(entries(headers, header::ACCEPT_ENCODING)).into_iter().find_map(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    async fn get(path: &'static str) -> Response {
        serve(Method::GET, Uri::from_static(path), HeaderMap::new(), None).await
    }

    #[tokio::test]
    async fn every_room_has_the_page() {
        for path in ["/", "/r/demo", "/r/demo?token=x"] {
            let response = get(path).await;
            assert_eq!(response.status(), 200, "{path}");
            let header = |name| response.headers()[name].to_str().unwrap();
            assert_eq!(header(header::CONTENT_TYPE), "text/html; charset=utf-8");
            assert_eq!(header(header::CACHE_CONTROL), "no-cache");
            assert!(header(header::CONTENT_SECURITY_POLICY).contains("script-src 'self';"));
            assert_eq!(header(header::REFERRER_POLICY), "no-referrer");
        }
    }

    #[tokio::test]
    async fn under_a_path_all_addresses_are_below_it() {
        let page = async |prefix: &str| {
            let client = Extension(Client { prefix: prefix.to_owned(), ..Client::default() });
            let response = serve(Method::GET, Uri::from_static("/r/demo"), HeaderMap::new(), Some(client)).await;
            let etag = response.headers()[header::ETAG].clone();
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            (String::from_utf8(body.into()).unwrap(), etag)
        };
        let (plain, plain_etag) = page("").await;
        let (based, based_etag) = page("/studio").await;
        assert!(plain.contains(BASE) && based.contains("<base href=\"/studio/\" />"));
        assert_ne!(plain_etag, based_etag);
        for address in plain.split(['"', '\'']).filter(|text| text.contains("favicon") || text.contains("app/")) {
            assert!(!address.starts_with('/'), "{address} does not follow the base");
        }
    }

    #[tokio::test]
    async fn the_same_page_is_not_sent_twice() {
        let etag = get("/").await.headers()[header::ETAG].clone();
        let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, etag)]);
        let response = serve(Method::GET, Uri::from_static("/"), headers, None).await;
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    }

    /// Asks for `path` as a browser that takes these encodings.
    async fn get_packed(path: &str, accepted: &'static str) -> Response {
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted))]);
        serve(Method::GET, path.parse().unwrap(), headers, None).await
    }

    async fn content(response: Response) -> Vec<u8> {
        axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().into()
    }

    /// Returns a script of the built page.
    fn script() -> String {
        let name = Dist::iter().find(|name| name.starts_with(HASHED) && name.ends_with(".js")).unwrap();
        format!("/{name}")
    }

    #[tokio::test]
    async fn files_go_out_packed_to_those_who_take_it() {
        for path in ["/r/demo".to_owned(), script()] {
            let plain = get_packed(&path, "identity").await;
            assert!(plain.headers().get(header::CONTENT_ENCODING).is_none(), "{path}");
            let kind = plain.headers()[header::CONTENT_TYPE].clone();
            let mut tags = vec![plain.headers()[header::ETAG].clone()];
            let mut sizes = vec![content(plain).await.len()];
            for (accepted, encoding) in [("gzip, deflate", "gzip"), ("gzip, deflate, br, zstd", "br")] {
                let response = get_packed(&path, accepted).await;
                let headers = response.headers();
                assert_eq!(headers[header::CONTENT_ENCODING], encoding, "{path}");
                assert_eq!(headers[header::CONTENT_TYPE], kind, "{path}");
                assert_eq!(headers[header::VARY], "accept-encoding", "{path}");
                assert!(headers.contains_key(header::CONTENT_SECURITY_POLICY), "{path}");
                tags.push(headers[header::ETAG].clone());
                let bytes = content(response).await;
                assert!(encoding != "gzip" || bytes.starts_with(&[0x1f, 0x8b]), "{path} is packed by gzip");
                sizes.push(bytes.len());
            }
            assert!(sizes[0] > sizes[1] && sizes[1] > sizes[2], "{path}: {sizes:?}");
            assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2], "{path}: {tags:?}");
        }
    }

    #[tokio::test]
    async fn a_tag_is_of_one_packing() {
        let accepts = (header::ACCEPT_ENCODING, HeaderValue::from_static("br"));
        let etag = get_packed("/", "br").await.headers()[header::ETAG].clone();
        let weak = HeaderValue::try_from(format!("\"other\", W/{}", etag.to_str().unwrap())).unwrap();
        for known in [etag.clone(), weak] {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, known), accepts.clone()]);
            let response = serve(Method::GET, Uri::from_static("/"), headers, None).await;
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
            assert_eq!(response.headers()[header::ETAG], etag);
            assert_eq!(response.headers()[header::VARY], "accept-encoding");
        }
        let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, etag)]);
        let plain = serve(Method::GET, Uri::from_static("/"), headers, None).await;
        assert_eq!(plain.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn under_a_path_the_page_is_not_packed() {
        let client = Extension(Client { prefix: "/studio".to_owned(), ..Client::default() });
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static("br"))]);
        let response = serve(Method::GET, Uri::from_static("/"), headers, Some(client)).await;
        assert!(response.headers().get(header::CONTENT_ENCODING).is_none());
        assert!(String::from_utf8(content(response).await).unwrap().contains("<base href=\"/studio/\" />"));
    }

    #[tokio::test]
    async fn packed_files_have_no_address() {
        for path in [format!("{}.br", script()), "/index.html.gz".to_owned()] {
            assert_eq!(get_packed(&path, "br").await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[tokio::test]
    async fn what_is_not_there_is_a_problem() {
        for path in ["/nothing", "/api/v1/nothing", "/app/nothing.js", "/../Cargo.toml", "/index.html/x"] {
            let response = get(path).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        }
        let response = serve(Method::POST, Uri::from_static("/"), HeaderMap::new(), None).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
