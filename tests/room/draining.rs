//! The end of the server.

use std::time::{Duration, Instant};

use super::{
    client::{Client, Manner},
    guests::invitation,
    posted::whip,
    server::{ROOM, Server},
    studio::Studio,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_ends_within_6_s_and_lets_every_socket_know_that_the_server_goes() {
    let (server, studio) = (Server::start().await, Studio::new());
    let source = studio.source("red", 440.0);
    let mut clients = Vec::new();
    for name in ["ann", "bob", "eve"] {
        let manner = Manner { source: Some(source.clone()), hook: None, tamper: |answer| answer };
        clients.push(Client::join(invitation(&server, name, Some(&source), "h264"), manner));
    }
    for client in &mut clients {
        client.connected().await;
    }
    let mut camera = whip(&server, "cam", &source).await;
    camera.connected().await;
    assert_eq!(server.participants().await.len(), 4);

    let begun = Instant::now();
    server.state.registry.drain().await;
    println!("drained in {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    for client in &mut clients {
        let reason = client.over().await;
        assert!(reason.contains("(1001)"), "{reason}");
    }
    server.get(&format!("/rooms/{ROOM}")).await.expect(404);
    server.send("PUT", &format!("/rooms/{ROOM}"), &serde_json::json!({})).await.expect(503);
    super::server::answer(server.request_at_top("GET", "/readyz")).await.expect(503);
    super::server::answer(server.request_at_top("GET", "/healthz")).await.expect(200);
}
