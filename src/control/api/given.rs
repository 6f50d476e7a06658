//! Files as answers to GET and HEAD: whole, a part, or not again where the asker has it (RFC 9110, sections 13 and 14).

use std::{
    fs,
    io::{self, Seek as _, SeekFrom},
    ops::RangeInclusive,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use httpdate::HttpDate;
use tokio::task::spawn_blocking;

use super::{
    client::entries,
    problem::{ApiResult, Problem},
    transfer,
};
use crate::{control::assets::Content, disk};

/// Seconds from 1970 up to the year 10000, which the dates of HTTP cannot write.
const YEAR_10000: u64 = 253_402_300_800;

/// A file that may be given.
#[derive(Debug)]
pub(super) struct Given {
    content: Content,
    /// Bytes that are given of it: a file that grows has more soon.
    bytes: u64,
    etag: String,
    modified: Option<HttpDate>,
}

/// The part of a file that is given.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// Nothing: the asker has it.
    Nothing,
    Whole,
    Part(RangeInclusive<u64>),
}

impl Given {
    /// Takes an asset, which its content names.
    pub fn new(content: Content, bytes: u64, etag: String) -> Self {
        Self { content, bytes, etag, modified: None }
    }

    /// Opens a file of the disk, which its length and its last change name. A link does not count.
    ///
    /// # Errors
    /// Errors of the disk; [`io::ErrorKind::NotFound`] where there is no file.
    pub async fn open(path: PathBuf) -> io::Result<Self> {
        let opened = spawn_blocking(move || {
            if !disk::is_file(&path) {
                return Err(io::Error::from(io::ErrorKind::NotFound));
            }
            disk::open(&path).and_then(Self::of_file)
        });
        opened.await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    fn of_file(file: fs::File) -> io::Result<Self> {
        let about = file.metadata()?;
        let bytes = about.len();
        let since = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let etag = format!("\"{:x}.{:08x}-{bytes:x}\"", since.as_secs(), since.subsec_nanos());
        let is_written = (1..YEAR_10000).contains(&since.as_secs());
        let modified = is_written.then(|| HttpDate::from(UNIX_EPOCH + since));
        Ok(Self { content: Content::File(file), bytes, etag, modified })
    }

    /// Returns the answer to a GET or HEAD with these headers: 200, 206 or 304.
    ///
    /// # Errors
    /// 412 where the asker wants another file than this, 416 for a part that it does not have.
    pub fn answer(self, method: &Method, headers: &HeaderMap) -> ApiResult<Response> {
        let wanted = self.wanted(method, headers)?;
        let Self { content, bytes, etag, modified } = self;
        let named = HeaderValue::try_from(etag).map_err(|_| Problem::internal("the content cannot be named"))?;
        let ranges = HeaderValue::from_static("bytes");
        let mut common: HeaderMap = [(header::ETAG, named), (header::ACCEPT_RANGES, ranges)].into_iter().collect();
        let date = modified.and_then(|modified| HeaderValue::try_from(modified.to_string()).ok());
        common.extend(date.map(|date| (header::LAST_MODIFIED, date)));
        let (status, from, length) = match wanted {
            Wanted::Nothing => return Ok((StatusCode::NOT_MODIFIED, common).into_response()),
            Wanted::Whole => (StatusCode::OK, 0, bytes),
            Wanted::Part(part) => {
                let (first, last) = part.into_inner();
                let place = HeaderValue::try_from(format!("bytes {first}-{last}/{bytes}"));
                common.extend(place.ok().map(|place| (header::CONTENT_RANGE, place)));
                (StatusCode::PARTIAL_CONTENT, first, last - first + 1)
            }
        };
        common.insert(header::CONTENT_LENGTH, length.into());
        let body = body(content, from, length).map_err(|error| {
            tracing::error!(%error, "a file cannot be given");
            Problem::internal("the file cannot be read")
        })?;
        Ok((status, common, body).into_response())
    }

    /// Returns what of it is asked for, in the order in which conditions are looked at (section 13.2.2).
    fn wanted(&self, method: &Method, headers: &HeaderMap) -> ApiResult<Wanted> {
        let since =
            |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()?.parse::<HttpDate>().ok());
        let is_other = if headers.contains_key(header::IF_MATCH) {
            !names(headers, header::IF_MATCH, &self.etag)
        } else {
            let since = since(header::IF_UNMODIFIED_SINCE);
            self.modified.zip(since).is_some_and(|(modified, since)| modified > since)
        };
        if is_other {
            return Err(Problem::precondition_failed("the file has changed"));
        }
        let is_known = if headers.contains_key(header::IF_NONE_MATCH) {
            names(headers, header::IF_NONE_MATCH, &self.etag)
        } else {
            let since = since(header::IF_MODIFIED_SINCE);
            self.modified.zip(since).is_some_and(|(modified, since)| modified <= since)
        };
        if is_known {
            return Ok(Wanted::Nothing);
        }
        // Other methods than GET have no parts.
        if method != Method::GET || !self.is_continued(headers) {
            return Ok(Wanted::Whole);
        }
        let mut ranges = headers.get_all(header::RANGE).iter();
        let (Some(range), None) = (ranges.next().and_then(|range| range.to_str().ok()), ranges.next()) else {
            return Ok(Wanted::Whole);
        };
        part(range, self.bytes).ok_or_else(|| {
            let problem = Problem::with_status(
                StatusCode::RANGE_NOT_SATISFIABLE,
                format!("the file has {} bytes, and this part lies beyond them", self.bytes),
            );
            match HeaderValue::try_from(format!("bytes */{}", self.bytes)) {
                Ok(length) => problem.header(header::CONTENT_RANGE, length),
                Err(_) => problem,
            }
        })
    }

    /// Returns whether a part would continue what the asker has: `If-Range` names this very file, or is left out.
    fn is_continued(&self, headers: &HeaderMap) -> bool {
        let Some(known) = headers.get(header::IF_RANGE) else { return true };
        let known = known.to_str().unwrap_or_default();
        if known == self.etag {
            return true;
        }
        // Within one second a file may change twice, and still have the same date.
        let is_over = |date: HttpDate| SystemTime::from(date) + Duration::from_secs(1) <= SystemTime::now();
        known.parse().is_ok_and(|date| self.modified == Some(date) && is_over(date))
    }
}

/// Returns whether a condition's list of tags has this one, which is strong. Proxies that pack make tags weak: such a
/// one still says that the asker has the content (`If-None-Match`), but not that it has these bytes (`If-Match`).
pub(super) fn names(headers: &HeaderMap, condition: HeaderName, etag: &str) -> bool {
    let is_weak_enough = condition == header::IF_NONE_MATCH;
    let is_it = |given: &str| given == etag || is_weak_enough && given.strip_prefix("W/") == Some(etag);
    entries(headers, condition).any(|given| given == "*" || is_it(given))
}

/// Returns what a `Range` asks for of so many bytes; `None` where they are not there. The whole is given for what this
/// cannot read, for other units, and for several parts: section 14.2 lets all of these be passed over.
fn part(range: &str, bytes: u64) -> Option<Wanted> {
    let Some((first, last)) = only(range) else { return Some(Wanted::Whole) };
    let (first, last) = match (first, last) {
        // Of an empty file, its last bytes are the whole.
        (None, Some(1..)) if bytes == 0 => return Some(Wanted::Whole),
        (None, length) => (bytes - length?.min(bytes), u64::MAX),
        (Some(first), last) => (first, last.unwrap_or(u64::MAX)),
    };
    if last < first {
        return Some(Wanted::Whole);
    }
    (first < bytes).then(|| Wanted::Part(first..=last.min(bytes - 1)))
}

/// Returns both positions of the only part that a `Range` in bytes has; `None` where it has none, or more.
fn only(range: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, parts) = range.split_once('=')?;
    let mut parts = parts.split(',').map(|part| part.trim_matches([' ', '\t'])).filter(|part| !part.is_empty());
    let (Some(part), None) = (parts.next(), parts.next()) else { return None };
    let (first, last) = part.split_once('-').filter(|_| part != "-" && unit.eq_ignore_ascii_case("bytes"))?;
    Some((position(first)?, position(last)?))
}

/// Reads a number of any length; one left out is `Some(None)`.
fn position(digits: &str) -> Option<Option<u64>> {
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    // A longer number is beyond every file.
    is_number.then(|| (!digits.is_empty()).then(|| digits.parse().unwrap_or(u64::MAX)))
}

/// Returns so much of a file as the body of an answer.
fn body(content: Content, from: u64, length: u64) -> io::Result<Body> {
    Ok(match content {
        Content::BuiltIn(content) => {
            let within = |position: u64| usize::try_from(position).unwrap_or(usize::MAX).min(content.len());
            Bytes::from_static(&content[within(from)..within(from + length)]).into()
        }
        Content::File(mut file) => {
            file.seek(SeekFrom::Start(from))?;
            Body::from_stream(transfer::pieces(file, length))
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::body::to_bytes;

    use super::*;

    /// Date at which the file of the tests was written.
    const WRITTEN: &str = "Sat, 28 Nov 2020 12:00:00 GMT";

    fn given() -> Given {
        let content = Content::BuiltIn(b"0123456789");
        Given { content, bytes: 10, etag: "\"a\"".to_owned(), modified: Some(WRITTEN.parse().unwrap()) }
    }

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    /// Returns the status of an answer, or of a refusal, its `Content-Range`, and its content.
    async fn answer(method: Method, pairs: &[(HeaderName, &str)]) -> (u16, String, String) {
        let answer = given().answer(&method, &headers(pairs)).unwrap_or_else(|problem| problem.into_response());
        let place = answer.headers().get(header::CONTENT_RANGE).map(|place| place.to_str().unwrap().to_owned());
        let (status, place) = (answer.status(), place.unwrap_or_default());
        let content = if status.is_success() { to_bytes(answer.into_body(), 100).await.unwrap() } else { Bytes::new() };
        (status.as_u16(), place, String::from_utf8(content.into()).unwrap())
    }

    #[test]
    fn parts_are_read_as_rfc_9110_says() {
        let of_ten = |range: &str| part(range, 10);
        for (range, first, last) in [
            ("bytes=0-0", 0, 0),
            ("bytes=3-5", 3, 5),
            ("bytes=3-", 3, 9),
            ("bytes=0-99", 0, 9),
            ("bytes=-1", 9, 9),
            ("bytes=-10", 0, 9),
            ("bytes=-999999", 0, 9),
            ("bytes=-99999999999999999999999999", 0, 9),
            ("bytes=9-99999999999999999999999999", 9, 9),
            ("bytes=000-0002", 0, 2),
            ("Bytes=1-2", 1, 2),
            ("bytes=1-2,", 1, 2),
            ("bytes= 1-2", 1, 2),
        ] {
            assert_eq!(of_ten(range), Some(Wanted::Part(first..=last)), "{range}");
        }
        for range in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999999-"] {
            assert_eq!(of_ten(range), None, "{range}");
        }
        for range in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-3",
            "bytes=1",
            "bytes=--1",
            "bytes=+1-2",
            "bytes=1-2-3",
            "bytes 1-2",
            "items=0-1",
            "seconds=0-",
            "bytes=0-1,3-4",
            "bytes=0-1,90-",
            "bytes=1-2;x",
        ] {
            assert_eq!(of_ten(range), Some(Wanted::Whole), "{range}");
        }
        assert_eq!((part("bytes=0-", 0), part("bytes=0-5", 0), part("bytes=-0", 0)), (None, None, None));
        assert_eq!(part("bytes=-5", 0), Some(Wanted::Whole));
    }

    #[tokio::test]
    async fn a_part_is_given_by_get_alone() {
        let range = [(header::RANGE, "bytes=3-5")];
        assert_eq!(answer(Method::GET, &range).await, (206, "bytes 3-5/10".to_owned(), "345".to_owned()));
        assert_eq!(answer(Method::HEAD, &range).await.0, 200);
        assert_eq!(answer(Method::GET, &[]).await, (200, String::new(), "0123456789".to_owned()));
        let beyond = [(header::RANGE, "bytes=10-")];
        assert_eq!(answer(Method::GET, &beyond).await, (416, "bytes */10".to_owned(), String::new()));
        assert_eq!(answer(Method::HEAD, &beyond).await.0, 200);
        let twice = [(header::RANGE, "bytes=1-1"), (header::RANGE, "bytes=2-2")];
        assert_eq!(answer(Method::GET, &twice).await.0, 200);
        let head = given().answer(&Method::HEAD, &HeaderMap::new()).unwrap();
        for (name, value) in [
            (header::CONTENT_LENGTH, "10"),
            (header::ACCEPT_RANGES, "bytes"),
            (header::ETAG, "\"a\""),
            (header::LAST_MODIFIED, WRITTEN),
        ] {
            assert_eq!(head.headers()[name], value);
        }
    }

    #[tokio::test]
    async fn a_part_of_another_file_is_not_given() {
        for (known, status) in [
            ("\"a\"", 206),
            (WRITTEN, 206),
            ("\"b\"", 200),
            ("W/\"a\"", 200),
            ("\"a\", \"b\"", 200),
            ("*", 200),
            ("", 200),
            ("Sat, 28 Nov 2020 12:00:01 GMT", 200),
            ("Sat, 28 Nov 2020 11:59:59 GMT", 200),
            ("tomorrow", 200),
        ] {
            let asked = [(header::RANGE, "bytes=3-5"), (header::IF_RANGE, known)];
            assert_eq!(answer(Method::GET, &asked).await.0, status, "{known}");
            // Nor is it refused.
            let asked = [(header::RANGE, "bytes=10-"), (header::IF_RANGE, known)];
            assert_eq!(answer(Method::GET, &asked).await.0, if status == 206 { 416 } else { 200 }, "{known}");
        }
        let mut new = given();
        let now = HttpDate::from(SystemTime::now() + Duration::from_secs(1));
        new.modified = Some(now);
        assert!(!new.is_continued(&headers(&[(header::IF_RANGE, &now.to_string())])), "it may change once more");
    }

    #[tokio::test]
    async fn conditions_come_before_parts() {
        let before = "Sat, 28 Nov 2020 11:00:00 GMT";
        for (condition, value, status) in [
            (header::IF_MATCH, "\"b\", \"a\"", 206),
            (header::IF_MATCH, "*", 206),
            (header::IF_MATCH, "W/\"a\"", 412),
            (header::IF_MATCH, "\"b\"", 412),
            (header::IF_UNMODIFIED_SINCE, WRITTEN, 206),
            (header::IF_UNMODIFIED_SINCE, before, 412),
            (header::IF_UNMODIFIED_SINCE, "never", 206),
            (header::IF_NONE_MATCH, "\"b\", W/\"a\"", 304),
            (header::IF_NONE_MATCH, "*", 304),
            (header::IF_NONE_MATCH, "\"b\"", 206),
            (header::IF_MODIFIED_SINCE, WRITTEN, 304),
            (header::IF_MODIFIED_SINCE, before, 206),
        ] {
            let asked = [(header::RANGE, "bytes=3-5"), (condition.clone(), value)];
            assert_eq!(answer(Method::GET, &asked).await.0, status, "{condition}: {value}");
            let whole = if status == 206 { 200 } else { status };
            assert_eq!(answer(Method::HEAD, &asked).await.0, whole, "{condition}: {value}");
        }
        // A tag says more than a date.
        let both = [(header::IF_NONE_MATCH, "\"b\""), (header::IF_MODIFIED_SINCE, WRITTEN)];
        assert_eq!(answer(Method::GET, &both).await.0, 200);
        let both = [(header::IF_MATCH, "\"a\""), (header::IF_UNMODIFIED_SINCE, before)];
        assert_eq!(answer(Method::GET, &both).await.0, 200);
    }

    #[tokio::test]
    async fn what_grows_is_given_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mkv");
        fs::write(&path, "01234").unwrap();
        let given = Given::open(path.clone()).await.unwrap();
        fs::write(&path, "0123456789").unwrap();
        let answer = given.answer(&Method::GET, &HeaderMap::new()).unwrap();
        assert_eq!(answer.headers()[header::CONTENT_LENGTH], "5");
        assert_eq!(to_bytes(answer.into_body(), 100).await.unwrap(), "01234");
        // Dates that HTTP cannot write are left out.
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(UNIX_EPOCH - Duration::from_secs(7)).unwrap();
        let answer = Given::open(path).await.unwrap().answer(&Method::HEAD, &HeaderMap::new()).unwrap();
        assert!(answer.status() == 200 && !answer.headers().contains_key(header::LAST_MODIFIED));
        assert_eq!(Given::open(folder.path().join("b")).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
