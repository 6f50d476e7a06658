//! A crowd comes and goes, and the memory that it took goes back to the system.

use serde_json::json;
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
