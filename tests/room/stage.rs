//! Somebody backstage: what others see and hear of them, and what they see and hear themselves.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{
    guests::Guest,
    recorder::{Attention, BLUE, Picture, RATE, RED, amplitude, decibels},
    server::Server,
    sound::{HEARD, hears},
    studio::Studio,
};

const ANN: f64 = 440.0;
const BOB: f64 = 1000.0;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_backstage_is_neither_seen_nor_heard_and_is_within_a_second_on_air() {
    let (server, studio) = (Server::start().await, Studio::new());
    let ann = Guest::join(&server, "ann", Some(&studio.source("red", ANN)), Attention::Both).await;
    let bob = Guest::join(&server, "bob", Some(&studio.source("blue", BOB)), Attention::Both).await;
    bob.recorder.picture("red beside blue", |it| it.shows(0.25, 0.5, RED) && it.shows(0.75, 0.5, BLUE)).await;
    hears(&bob.recorder, "ann", |level| level(ANN) > HEARD).await;
    let whole = amplitude(&bob.recorder.fresh_samples(RATE).await, ANN);

    server.moderate("ann", &json!({"stage": "backstage"})).await;
    let alone = |it: &Picture| it.shows(0.05, 0.1, BLUE) && it.shows(0.5, 0.5, BLUE);
    bob.recorder.picture("blue everywhere", alone).await;
    hears(&bob.recorder, "nothing of ann", |level| decibels(level(ANN), whole) < -50.0).await;
    bob.recorder.set_alarm(move |it| !alone(it));
    let later = amplitude(&bob.recorder.fresh_samples(RATE).await, ANN);
    assert!(decibels(later, whole) < -50.0, "they stay unheard: {later} of {whole}");
    server.moderate("ann", &json!({"stage": "ready"})).await;
    bob.recorder.more_pictures(15).await;
    assert!(!bob.recorder.rang(), "they are in no frame");
    // They receive the programme all the while.
    ann.recorder.picture("blue everywhere", alone).await;
    hears(&ann.recorder, "bob, backstage", |level| level(BOB) > HEARD).await;

    server.moderate("ann", &json!({"stage": "on_air"})).await;
    let asked = Instant::now();
    let both = |it: &Picture| it.shows(0.25, 0.5, RED) && it.shows(0.75, 0.5, BLUE);
    let back = async {
        hears(&bob.recorder, "ann again", |level| decibels(level(ANN), whole) > -6.0).await;
        asked.elapsed()
    };
    let (seen, heard) = tokio::join!(bob.recorder.picture("red is back", both), back);
    let seen = seen.at.saturating_duration_since(asked);
    println!("from the PATCH's answer: seen after {seen:?}, heard in half a second that was over after {heard:?}");
    assert!(seen < Duration::from_secs(1) && heard < Duration::from_millis(1600), "{seen:?}, {heard:?}");
}
