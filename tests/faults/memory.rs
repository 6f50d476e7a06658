//! A crowd comes and goes, and the memory that it took goes back to the system. Rooms and outputs that are made and ended
//! in turn pile nothing up.

use std::net::TcpListener;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::server::{Server, answer, until};

/// Offers what it sends; never connects, which costs the server half a megabyte as long as it waits.
const OFFER: &str = include_str!("../../src/media/sdp/fixtures/obs_whip_offer.sdp");

const CROWD: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_has_left_leaves_no_memory_behind() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path()).await;
    let memory = || server.status("RssAnon");
    let come = async |room: &str, number: usize| {
        let path = format!("/whip/{room}?name=guest-{number}");
        answer(server.request("POST", &path).header("content-type", "application/sdp").body(OFFER)).await.expect(201);
    };
    server.send("PUT", "/rooms/stays", &json!({})).await.expect(201);
    // Pays for what is loaded and made once.
    come("stays", 0).await;
    let before = memory();
    server.send("PUT", "/rooms/crowd", &json!({"max_participants": CROWD})).await.expect(201);
    for number in 0..CROWD {
        come("crowd", number).await;
    }
    let crowded = memory();
    assert!(
        crowded > before + 24 * 1024,
        "{crowded} kB with a crowd, {before} kB before: too small a crowd to show it"
    );
    answer(server.request("DELETE", "/rooms/crowd")).await.expect(204);
    let left = until("memory goes back", async || Some(memory()).filter(|now| *now < before + (crowded - before) / 2));
    println!("{before} kB before, {crowded} kB with a crowd, {} kB after", left.await);
}

/// Returns somebody who takes connections and says nothing, and an output that goes there.
fn silent() -> (TcpListener, Value) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("rtmp://{}/live/key", listener.local_addr().unwrap());
    (listener, json!({"type": "rtmp", "url": url}))
}

/// Number of threads that what ends may hold, over those of one room: 64 pipelines, and four rooms.
const PILED_UP: u64 = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_and_outputs_that_are_made_and_ended_in_turn_pile_nothing_up() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path()).await;
    server.send("PUT", "/rooms/stays", &json!({})).await.expect(201);
    let (threads, memory) = (server.status("Threads"), server.status("RssAnon"));
    let mut most = 0;
    for _ in 0..120 {
        let made = server.send("PUT", "/rooms/turns", &json!({})).await.status;
        assert!([201, 503].contains(&made.as_u16()), "{made}");
        answer(server.request("DELETE", "/rooms/turns")).await;
        most = most.max(server.status("Threads"));
    }
    assert!(most < threads + PILED_UP, "{most} threads while rooms came and went, {threads} before");
    let now = server.status("RssAnon");
    assert!(now < memory + 200 * 1024, "{now} kB after rooms came and went, {memory} before");

    let (_silent, output) = silent();
    let come_and_go = async || {
        let mut most = 0;
        for _ in 0..40 {
            let made = server.send("POST", "/rooms/stays/outputs", &output).await;
            most = most.max(server.status("Threads"));
            if made.status == 503 {
                assert_eq!(made.header("retry-after"), "5");
                continue;
            }
            let id = made.expect(201).json()["id"].as_str().unwrap().to_owned();
            answer(server.request("DELETE", &format!("/rooms/stays/outputs/{id}"))).await.expect(204);
        }
        most
    };
    let most = join_all((0..8).map(|_| come_and_go())).await.into_iter().max().unwrap();
    assert!(most < threads + PILED_UP, "{most} threads while outputs came and went, {threads} before");
    // Those that end make room.
    until("an output is taken again", async || {
        (server.send("POST", "/rooms/stays/outputs", &output).await.status == 201).then_some(())
    })
    .await;
    assert_eq!(server.get("/readyz").await.expect(200).json()["rooms"], json!({"down": 0, "rebuilds": 0}));
}

/// Seconds of a processor that eight outputs may take to begin and end. What turns in circles takes a whole one each.
const WORK: f64 = 2.5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outputs_that_end_before_anything_came_leave_the_processors_alone() {
    let data = TempDir::new().unwrap();
    let server = Server::start(data.path()).await;
    server.send("PUT", "/rooms/stays", &json!({})).await.expect(201);
    let (_silent, output) = silent();
    let worked = || server.processor_seconds();
    let before = worked();
    join_all((0..8).map(async |_| {
        let made = server.send("POST", "/rooms/stays/outputs", &output).await.expect(201).json();
        let path = format!("/rooms/stays/outputs/{}", made["id"].as_str().unwrap());
        answer(server.request("DELETE", &path)).await.expect(204);
    }))
    .await;
    until("they are gone", async || (server.thread_count("mux:src") == 0).then_some(())).await;
    let worked = worked() - before;
    assert!(worked < WORK, "{worked} s of a processor for outputs that did nothing");
}
