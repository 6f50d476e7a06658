//! Senders who go without a word.

use std::time::{Duration, Instant};

use super::{
    client::{Client, Manner},
    guests::{Guest, invitation},
    recorder::{Attention, BACKGROUND, RED},
    server::{Server, until},
    studio::Studio,
};

/// The time for which the server of a test holds a place.
const HOLD: Duration = Duration::from_millis(1000);

/// A vanished peer must be gone by then.
const GONE: Duration = Duration::from_secs(15);

/// Checks how long the last picture was seen. It may be a little older than the moment of vanishing.
fn was_held(held: Duration) {
    println!("the last picture was held {held:?} of {HOLD:?}");
    assert!(held > HOLD.mul_f64(0.7) && held < HOLD + Duration::from_millis(1500), "{held:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_picture_of_a_killed_sender_is_held_and_then_gone() {
    let (server, studio) = (Server::start().await, Studio::new());
    let watcher = Guest::join(&server, "watcher", None, Attention::Picture).await;
    let ann = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Nothing).await;
    // The watcher sends no picture, but has its tile.
    watcher.recorder.picture("red", |it| it.shows(0.75, 0.5, RED)).await;
    let killed = Instant::now();
    ann.vanish();
    let empty = watcher.recorder.picture("an empty place", |it| it.shows(0.75, 0.5, BACKGROUND)).await;
    was_held(empty.at - killed);
    until("she is gone", async || server.participant("ann").await.is_none().then_some(())).await;
    println!("gone after {:?}", killed.elapsed());
    assert!(killed.elapsed() < GONE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_whose_packets_stop_is_held_and_gone_within_15_s_though_its_socket_lives() {
    let (server, studio) = (Server::start().await, Studio::new());
    let watcher = Guest::join(&server, "watcher", None, Attention::Picture).await;
    let source = studio.source("red", 440.0);
    let manner = Manner { source: Some(source.clone()), hook: None, tamper: |answer| answer };
    let mut ann = Client::join(invitation(&server, "ann", Some(&source), "h264"), manner);
    ann.connected().await;
    watcher.recorder.picture("red", |it| it.shows(0.75, 0.5, RED)).await;
    let silent = Instant::now();
    ann.fall_silent();
    let empty = watcher.recorder.picture("an empty place", |it| it.shows(0.75, 0.5, BACKGROUND)).await;
    was_held(empty.at - silent);
    assert!(server.participant("ann").await.is_some(), "she may come back: her socket lives");
    until("she is gone", async || server.participant("ann").await.is_none().then_some(())).await;
    println!("gone after {:?}: {}", silent.elapsed(), ann.over().await);
    assert!(silent.elapsed() < GONE, "{:?}", silent.elapsed());
}
