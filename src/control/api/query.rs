//! Queries: what stands in them is text.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use percent_encoding::percent_decode_str;

use super::problem::Problem;

/// Refuses a query that is not UTF-8, as extractors refuse such paths. A reader would get U+FFFD in place of what was sent:
/// a name that nobody has chosen.
pub(super) async fn check(request: Request, next: Next) -> Response {
    match fault(request.uri().query().unwrap_or_default()) {
        Some(place) => Problem::bad_request(format!("Invalid URL: Invalid UTF-8 in {place}")).into_response(),
        None => next.run(request).await,
    }
}

/// Returns the first place of a query that is not UTF-8.
fn fault(query: &str) -> Option<String> {
    let is_text = |part: &str| percent_decode_str(part).decode_utf8().is_ok();
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !is_text(key) {
            return Some("a key of the query".to_owned());
        }
        (!is_text(value)).then(|| format!("`{key}` of the query"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_that_is_no_text_is_named() {
        for query in ["", "&", "a", "a=", "name=Zo%C3%AB&b=+%20", "%E7%8E%8B=1", "name=%zz%", "name=%EF%BF%BD"] {
            assert_eq!(fault(query), None, "{query}");
        }
        for value in ["%ff", "a%FFb", "%C3", "%C3&b=%AB", "%ed%a0%80", "%c0%80", "%f4%90%80%80"] {
            assert_eq!(fault(&format!("a=1&name={value}")).as_deref(), Some("`name` of the query"), "{value}");
        }
        assert_eq!(fault("a=1&%ff=1").as_deref(), Some("a key of the query"));
    }
}
