//! Answers of a server, and waiting for them.

// Each test program uses its part of this.
#![allow(dead_code)]

use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;
use tokio::time::{interval, timeout};

/// Longest time that anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The room of every test.
pub const ROOM: &str = "demo";

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {} {}", self.status, self.text()));
        value.to_str().unwrap()
    }

    /// Pointers of a problem's `errors`, after checking that it is a problem with this status.
    pub fn faults(&self, status: u16) -> Vec<String> {
        let problem = self.problem(status);
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    }

    /// Returns the RFC 9457 object, after checking that it is one with this status.
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["detail"].is_string() && problem["type"].is_string());
        problem
    }

    /// Returns itself, after checking the status.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// Sends a request and reads the whole answer.
pub async fn answer(request: RequestBuilder) -> Answer {
    let whole = async {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
    };
    timeout(PATIENCE, whole).await.expect("the server answers")
}

/// Asks again and again until there is something. Fails after [`PATIENCE`].
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    let mut rounds = interval(Duration::from_millis(50));
    loop {
        rounds.tick().await;
        if let Some(found) = ask().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
    }
}
