//! One request to a receiver, and what its answer means.

use std::{io, sync::Arc, time::Duration};

use aws_lc_rs::hmac::Key;
use jiff::{Timestamp, fmt::rfc2822};
use rustls::crypto::aws_lc_rs::default_provider;
use ureq::{Agent, http::HeaderMap, tls::TlsConfig};

use super::{
    queue::{Answer, Message},
    signature,
};
use crate::config::Webhook;

/// From the look-up of the receiver's name to the last byte of its answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of an answer that are read, so that its connection can be used again.
const MOST_READ: u64 = 16 << 10;

/// A client of one receiver. Cheap to clone.
#[derive(Clone)]
pub(super) struct Poster {
    agent: Agent,
    webhook: Webhook,
    key: Key,
}

impl Poster {
    pub(super) fn new(webhook: &Webhook, secret: &str) -> Self {
        let tls = TlsConfig::builder().unversioned_rustls_crypto_provider(Arc::new(default_provider()));
        let mut config = Agent::config_builder()
            .user_agent(concat!("virfie/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls.build())
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0);
        if webhook.is_local() {
            // A proxy of the environment does not reach this machine's own servers.
            config = config.proxy(None);
        }
        Self { agent: config.build().new_agent(), webhook: webhook.clone(), key: signature::key(secret) }
    }

    /// Says what may be shown of the receiver's URL.
    pub(super) fn shown(&self) -> &str {
        self.webhook.shown()
    }

    /// Sends a message. Takes up to [`PATIENCE`].
    pub(super) fn post(&self, message: &Message) -> Answer {
        let now = Timestamp::now();
        let signature = signature::signature(&self.key, now.as_second(), &message.body);
        let mut request = self.agent.post(self.webhook.url());
        request = request.header("Content-Type", "application/json").header("Virfie-Event", message.kind);
        request = request.header("Virfie-Signature", signature).header("Idempotency-Key", &message.key);
        if let Some(authorization) = self.webhook.authorization() {
            request = request.header("Authorization", authorization);
        }
        match request.send(&message.body[..]) {
            Ok(response) => {
                let answer = meaning(response.status().as_u16(), response.headers(), now);
                // What it says is of no use to us.
                let _ = response.into_body().into_with_config().limit(MOST_READ).read_to_vec();
                answer
            }
            Err(error) => Answer::Failed { why: explain(&error), after: None },
        }
    }
}

/// Reads what an answer means.
fn meaning(status: u16, headers: &HeaderMap, now: Timestamp) -> Answer {
    let said = format!("it answered with {status}");
    match status {
        200..=299 => Answer::Accepted,
        300..=399 => Answer::Refused(format!("{said}, and redirects are not followed")),
        410 => Answer::Gone,
        408 | 429 | 500.. => Answer::Failed { why: said, after: retry_after(headers, now) },
        _ => Answer::Refused(said),
    }
}

/// Reads `Retry-After`: seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// Says what happened. Nothing of the URL is in it.
fn explain(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("it did not answer within {} s", PATIENCE.as_secs()),
        ureq::Error::HostNotFound => "the name of its host is unknown".to_owned(),
        ureq::Error::ConnectionFailed => "it cannot be reached".to_owned(),
        ureq::Error::Rustls(error) => format!("TLS: {error}"),
        ureq::Error::Io(error) => of_connection(error),
        _ => "the request failed".to_owned(),
    }
}

fn of_connection(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => format!("TLS: {error}"),
        None => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_answer_says_whether_to_try_again() {
        let now: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
        let means = |status, retry_after: Option<&str>| {
            let mut headers = HeaderMap::new();
            retry_after.map(|text| headers.insert("retry-after", text.parse().unwrap()));
            match meaning(status, &headers, now) {
                Answer::Accepted => "accepted".to_owned(),
                Answer::Refused(_) => "refused".to_owned(),
                Answer::Gone => "gone".to_owned(),
                Answer::Failed { after, .. } => format!("failed {:?}", after.map(|after| after.as_secs())),
            }
        };
        for status in [200, 202, 204] {
            assert_eq!(means(status, None), "accepted");
        }
        for status in [301, 307, 400, 401, 404, 422] {
            assert_eq!(means(status, Some("1")), "refused");
        }
        assert_eq!(means(410, None), "gone");
        for status in [408, 429, 500, 503, 599] {
            assert_eq!(means(status, None), "failed None");
        }
        assert_eq!(means(429, Some("120")), "failed Some(120)");
        assert_eq!(means(503, Some("Sat, 28 Nov 2026 12:00:30 GMT")), "failed Some(30)");
        assert_eq!(means(503, Some("Sat, 28 Nov 2026 11:00:00 GMT")), "failed Some(0)");
        assert_eq!(means(503, Some("soon")), "failed None");
    }
}
