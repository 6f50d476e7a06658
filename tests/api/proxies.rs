//! Trust of the server in what proxies say about where a request comes from.

use serde_json::json;

use super::{
    server::{Server, answer},
    whip::{SDP, WHIP_OFFER},
};

#[tokio::test]
async fn an_open_server_refuses_what_a_proxy_passed_on() {
    let server = Server::start().await;
    for name in [
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "forwarded",
        "via",
        "x-real-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "cdn-loop",
    ] {
        let asked = server.request("GET", "/rooms").header(name, "for=203.0.113.9");
        answer(asked).await.problem(403);
    }
    let page = |mode: &str, dest: &str| {
        let asked = server.request_at_top("GET", "/").header("sec-fetch-site", "cross-site");
        asked.header("sec-fetch-mode", mode).header("sec-fetch-dest", dest)
    };
    answer(page("no-cors", "image")).await.problem(403);
    answer(page("navigate", "iframe")).await.problem(403);
    assert_eq!(answer(page("navigate", "document")).await.status, 200, "a link");
    assert_eq!(server.get("/rooms").await.status, 200);
}

#[tokio::test]
async fn two_hosts_are_no_host() {
    let server = Server::start().await;
    let asked = server.request("GET", "/rooms").header("host", "127.0.0.1").header("host", "evil.example");
    answer(asked).await.problem(400);
}

#[tokio::test]
async fn a_proxy_that_the_operator_named_is_served() {
    let server = Server::start_with(|config| config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let asked = |origin: &str| {
        let asked = server.request("GET", "/rooms").header("x-forwarded-for", "203.0.113.9");
        asked.header("x-forwarded-host", "studio.example").header("origin", origin.to_owned())
    };
    assert_eq!(answer(asked("https://studio.example")).await.status, 200);
    answer(asked("https://evil.example")).await.problem(403);
    // That page cannot give itself the name: browsers ask first whether they may send it.
    let preflight = server.request("OPTIONS", "/rooms/demo").header("origin", "https://evil.example");
    let preflight = preflight.header("access-control-request-method", "PUT");
    let wanted = "Authorization, X-Forwarded-Host, content-type,forwarded";
    let allowed = answer(preflight.header("access-control-request-headers", wanted)).await;
    assert_eq!(allowed.header("access-control-allow-headers"), "authorization,content-type");
}

#[tokio::test]
async fn a_path_before_ours_stands_in_every_address() {
    let server = Server::start_with(|config| config.base_path = "/app".to_owned()).await;
    // Proxies take the path off or leave it.
    for path in ["/whip/demo", "/app/whip/demo", "/app/api/v1/whip/demo"] {
        let asked = server.request_at_top("POST", path).header("content-type", SDP).body(WHIP_OFFER);
        let made = answer(asked).await;
        assert_eq!(made.status, 201, "{made:?}");
        let location = made.header("location").to_owned();
        assert!(location.starts_with("/app/") && !location.starts_with("/app/app"), "{location}");
        assert!(location.contains("/whip/demo/"), "{location}");
        assert_eq!(answer(server.request_at_top("DELETE", &location)).await.status, 200);
    }
    let body = json!({"type": "rtmp", "url": "rtmp://127.0.0.1/live/key"});
    let made = answer(server.request_at_top("POST", "/app/api/v1/rooms/demo/outputs").json(&body)).await;
    assert!(made.header("location").starts_with("/app/api/v1/rooms/demo/outputs/"), "{made:?}");
    assert_eq!(answer(server.request_at_top("GET", "/app/r/demo?name=ann")).await.status, 200);
    answer(server.request_at_top("GET", "/apple")).await.problem(404);
}

#[tokio::test]
async fn a_prefix_is_believed_of_named_proxies_only() {
    for (trusted, expected) in [(vec!["127.0.0.1/32".parse().unwrap()], "/studio/whip/demo/"), (vec![], "/whip/demo/")]
    {
        let change = |config: &mut virfie::config::ServeConfig| {
            config.trusted_proxies = trusted;
            config.api_key = Some("a-key-of-sixteen".to_owned());
        };
        let mut server = Server::start_with(change).await;
        server.token = Some("a-key-of-sixteen".to_owned());
        let asked = server.request_at_top("POST", "/whip/demo").header("x-forwarded-prefix", "/studio/");
        let made = answer(asked.header("content-type", SDP).body(WHIP_OFFER)).await;
        assert!(made.header("location").starts_with(expected), "{made:?}");
    }
}

#[tokio::test]
async fn every_answer_says_what_browsers_may_do_with_it() {
    let server = Server::start().await;
    for path in ["/docs/", "/openapi.json", "/healthz", "/api/v1/rooms", "/api/v1/nothing", "/", "/nothing"] {
        let answer = answer(server.request_at_top("GET", path)).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'self'"), "{path}");
        assert_eq!(answer.header("x-frame-options"), "SAMEORIGIN", "{path}");
    }
}
