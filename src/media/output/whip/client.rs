//! The HTTP of a WHIP client: one POST of an offer, redirects, and the DELETE of what came of it.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tracing::debug;
use ureq::{
    Agent, Body,
    config::Config,
    http::{Response, Uri, header},
    tls::TlsConfig,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};
use url::Url;

use super::super::hosts::is_own;
use crate::media::{
    port::{Blame, OutputFault, WhipAddress},
    sdp::MAX_BYTES,
};

/// Longest time that the other server may take to answer an offer.
const ANSWER: Duration = Duration::from_secs(10);
/// Longest time that it may take to hear that a session is over.
const FAREWELL: Duration = Duration::from_secs(2);
/// Number of times that an offer is sent on to where the answer points.
const MOST_REDIRECTS: usize = 5;
/// Characters of the other server's own words that are shown.
const MOST_WORDS: usize = 200;
/// Media type of offers and answers.
const SDP: &str = "application/sdp";

/// Finds hosts as usual, and refuses those in the server's own networks, also where a redirect leads or a name has
/// changed its address.
#[derive(Debug)]
struct Guarded {
    found: DefaultResolver,
    internal: bool,
}

/// The reason why a host is not called.
#[derive(Debug, thiserror::Error)]
#[error("it leads into a network of the server's own")]
struct Internal;

impl Resolver for Guarded {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.found.resolve(uri, config, timeout)?;
        if !self.internal && found.iter().any(|address| is_own(address.ip())) {
            return Err(ureq::Error::Other(Box::new(Internal)));
        }
        Ok(found)
    }
}

/// Speaks for one attempt.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    token: Option<String>,
}

/// A session that the other server has made.
#[derive(Debug)]
pub(super) struct Session {
    /// SDP.
    pub(super) answer: String,
    /// Address at which it is ended; some servers do not say.
    pub(super) resource: Option<Url>,
}

impl Client {
    pub(super) fn new(address: &WhipAddress) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = Agent::config_builder()
            .user_agent(concat!("virfie/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(ANSWER))
            .http_status_as_error(false)
            .max_redirects(0)
            // A proxy would find hosts by itself.
            .proxy(None)
            .tls_config(TlsConfig::builder().unversioned_rustls_crypto_provider(provider).build())
            .build();
        let resolver = Guarded { found: DefaultResolver::default(), internal: address.internal };
        let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
        Self { agent, token: address.token.clone() }
    }

    fn bearer(&self) -> String {
        self.token.as_ref().map(|token| format!("Bearer {token}")).unwrap_or_default()
    }

    /// Posts an offer.
    ///
    /// # Errors
    /// Why there is no answer. What the other server says about the request itself is final.
    pub(super) fn post(&self, url: &Url, offer: &str) -> Result<Session, OutputFault> {
        let mut at = url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let mut request =
                self.agent.post(at.as_str()).header(header::CONTENT_TYPE, SDP).header(header::ACCEPT, SDP);
            if self.token.is_some() {
                request = request.header(header::AUTHORIZATION, self.bearer());
            }
            let mut response = request.send(offer).map_err(|error| unreached(&error))?;
            let location = location_of(&response, &at);
            match response.status().as_u16() {
                200 | 201 => {
                    let answer = text_of(&mut response).map_err(|error| unreached(&error))?;
                    return Ok(Session { answer, resource: location.filter(|to| may_follow(&at, to)) });
                }
                307 | 308 => {
                    let to = location.ok_or_else(|| broken("it redirects to nowhere"))?;
                    if !may_follow(&at, &to) {
                        return Err(OutputFault::last(Blame::Destination, "it redirects from https to another scheme"));
                    }
                    at = to;
                }
                _ => return Err(refused(&mut response)),
            }
        }
        Err(broken("it redirects again and again"))
    }

    /// Ends a session, as well as it can be.
    pub(super) fn delete(&self, resource: &Url) {
        let mut request = self.agent.delete(resource.as_str());
        if self.token.is_some() {
            request = request.header(header::AUTHORIZATION, self.bearer());
        }
        // Who is gone has ended it already.
        if let Err(error) = request.config().timeout_global(Some(FAREWELL)).build().call() {
            debug!(%error, "a session of WHIP was not deleted");
        }
    }
}

fn broken(text: &str) -> OutputFault {
    OutputFault::new(Blame::Destination, text)
}

/// Returns where the response points, as its address sees it.
fn location_of(response: &Response<Body>, at: &Url) -> Option<Url> {
    at.join(response.headers().get(header::LOCATION)?.to_str().ok()?).ok()
}

/// Returns whether the token may go there, too: over HTTP, and not in clear where it was not before.
fn may_follow(from: &Url, to: &Url) -> bool {
    to.scheme() == "https" || (to.scheme() == "http" && from.scheme() == "http")
}

fn text_of(response: &mut Response<Body>) -> Result<String, ureq::Error> {
    response.body_mut().with_config().limit(MAX_BYTES as u64).read_to_string()
}

fn unreached(error: &ureq::Error) -> OutputFault {
    match error {
        ureq::Error::Timeout(_) => broken(&format!("it does not answer within {} s", ANSWER.as_secs())),
        ureq::Error::HostNotFound => broken("its host cannot be found"),
        ureq::Error::Other(other) if other.is::<Internal>() => OutputFault::last(
            Blame::Destination,
            format!("{other}: start the server with --internal-outputs, or have an admin make the output"),
        ),
        error => broken(&format!("it cannot be reached: {error}")),
    }
}

/// Returns what a status other than success means. Who asks wrongly does so again, except where the answer depends on
/// the time.
fn refused(response: &mut Response<Body>) -> OutputFault {
    let status = response.status();
    let words = text_of(response).ok().and_then(|text| words(&text)).map(|words| format!(" ({words})"));
    let text = match status.as_u16() {
        401 | 403 => format!("it refuses the token: {status}"),
        404 | 410 => format!("the other server has no such room: {status}"),
        _ => format!("it refuses the offer: {status}"),
    };
    let text = format!("{text}{}", words.unwrap_or_default());
    let is_final = status.is_client_error() && !matches!(status.as_u16(), 408 | 409 | 425 | 429);
    OutputFault { blame: Blame::Destination, text, is_final }
}

/// Returns what the other server says in words, if it says it as a problem of RFC 9457.
fn words(body: &str) -> Option<String> {
    let problem: Value = serde_json::from_str(body).ok()?;
    let said = ["detail", "title", "error", "message"].iter().find_map(|key| problem.get(key)?.as_str())?;
    let said: String = said.chars().filter(|sign| !sign.is_control()).take(MOST_WORDS).collect();
    (!said.is_empty()).then_some(said)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        thread,
    };

    use super::*;
    use crate::media::port::Profile;

    /// Starts a server that gives these answers one after the other. Returns its address, and what it was asked.
    fn server(answers: Vec<String>) -> (Url, thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}/whip/key", listener.local_addr().unwrap())).unwrap();
        let serve = move || {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let (mut request, mut piece) = (Vec::new(), [0; 4096]);
                while !request.ends_with(b"v=0") && !request.starts_with(b"DELETE") {
                    let count = stream.read(&mut piece).unwrap();
                    request.extend_from_slice(&piece[..count]);
                }
                asked.push(String::from_utf8(request).unwrap());
                stream.write_all(answer.as_bytes()).unwrap();
            }
            asked
        };
        (url, thread::spawn(serve))
    }

    fn response(status: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
    }

    fn client(url: &Url, internal: bool) -> Client {
        let address = WhipAddress::parse(url.as_str(), Some("tok"), Profile::Baseline).unwrap();
        Client::new(&WhipAddress { internal, ..address })
    }

    #[test]
    fn an_offer_follows_redirects_and_its_session_is_deleted_where_the_answer_says() {
        let answers = vec![
            response("307 Temporary Redirect", "location: /other?x=1\r\n", ""),
            response("201 Created", "location: sessions/4711\r\ncontent-type: application/sdp\r\n", "v=0 answer"),
            response("200 OK", "", ""),
        ];
        let (url, served) = server(answers);
        let client = client(&url, true);
        let session = client.post(&url, "v=0").unwrap();
        assert_eq!(session.answer, "v=0 answer");
        let resource = session.resource.unwrap();
        assert_eq!(resource.path(), "/sessions/4711");
        client.delete(&resource);
        let asked = served.join().unwrap();
        for (request, line) in
            asked.iter().zip(["POST /whip/key HTTP", "POST /other?x=1 HTTP", "DELETE /sessions/4711 HTTP"])
        {
            assert!(request.starts_with(line), "{request}");
            assert!(request.to_ascii_lowercase().contains("authorization: bearer tok\r\n"), "{request}");
        }
    }

    #[test]
    fn internal_networks_are_refused_however_one_gets_there() {
        let (url, _served) = server(Vec::new());
        let fault = client(&url, false).post(&url, "v=0").unwrap_err();
        assert!(fault.is_final && fault.text.contains("network of the server's own"), "{fault:?}");
    }

    #[test]
    fn what_a_refusal_means_is_said() {
        for (status, is_final, words) in [
            ("401 Unauthorized", true, "token"),
            ("403 Forbidden", true, "token"),
            ("404 Not Found", true, "no such room"),
            ("406 Not Acceptable", true, "refuses the offer"),
            ("302 Found", false, "refuses the offer"),
            ("429 Too Many Requests", false, "429"),
            ("503 Service Unavailable", false, "503"),
        ] {
            let body = r#"{"title": "No", "detail": "because\n of this"}"#;
            let (url, served) = server(vec![response(status, "retry-after: 1\r\n", body)]);
            let fault = client(&url, true).post(&url, "v=0").unwrap_err();
            assert_eq!((fault.is_final, fault.blame), (is_final, Blame::Destination), "{status}");
            assert!(fault.text.contains(words) && fault.text.contains("because of this"), "{fault:?}");
            served.join().unwrap();
        }
    }

    #[test]
    fn a_token_never_goes_from_https_to_http() {
        let url = |text: &str| Url::parse(text).unwrap();
        let (secure, plain) = (url("https://a.example/"), url("http://b.example/"));
        assert!(may_follow(&secure, &url("https://b.example/")) && may_follow(&plain, &secure));
        assert!(!may_follow(&secure, &plain) && !may_follow(&plain, &url("ftp://b.example/")));
    }
}
