//! Someone between the room and a browser: the DTLS certificate is not the one that the SDP names.

use std::sync::{Arc, atomic::Ordering};

use super::{
    client::{Client, Manner},
    guests::{Guest, invitation},
    recorder::{Attention, RED, Recorder},
    server::{Server, until},
    studio::Studio,
};

/// Turns every digit of every fingerprint into another one.
fn forged(answer: String) -> String {
    let forge = |line: &str| match line.split_once("fingerprint:sha-256 ") {
        Some((head, hash)) => {
            let other: String = hash
                .chars()
                .map(|sign| sign.to_digit(16).map_or(sign, |digit| char::from_digit(15 - digit, 16).unwrap()))
                .collect();
            format!("{head}fingerprint:sha-256 {}", other.to_ascii_uppercase())
        }
        None => line.to_owned(),
    };
    let forged: Vec<String> = answer.split("\r\n").map(forge).collect();
    let forged = forged.join("\r\n");
    assert_ne!(forged, answer, "there is a fingerprint");
    forged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_with_another_certificate_neither_sends_nor_receives() {
    let (server, studio) = (Server::start().await, Studio::new());
    let watcher = Guest::join(&server, "watcher", None, Attention::Picture).await;
    watcher.recorder.more_pictures(5).await;
    watcher.recorder.set_alarm(|it| [0.25, 0.5, 0.75].iter().any(|x| it.shows(*x, 0.5, RED)));

    let source = studio.source("red", 440.0);
    let recorder = Arc::<Recorder>::default();
    let manner = Manner { source: Some(source.clone()), hook: Some(recorder.hook(Attention::Both)), tamper: forged };
    let mut mallory = Client::join(invitation(&server, "mallory", Some(&source), "h264"), manner);
    let reason = mallory.over().await;
    println!("refused: {reason}");
    assert!(!mallory.was_connected(), "the server never said that media flows");
    watcher.recorder.more_pictures(30).await;
    assert!(!watcher.recorder.rang(), "no frame of a stranger is shown");
    let got = (recorder.pictures(), recorder.heard(), mallory.tally.frames.load(Ordering::Relaxed));
    assert_eq!(got, (0, 0, 0), "a stranger gets nothing of the mix");
    until("the place is given up", async || server.participant("mallory").await.is_none().then_some(())).await;

    // The same client with its true certificate is welcome: it was the certificate.
    let manner = Manner { source: Some(source.clone()), hook: None, tamper: |answer| answer };
    let mut honest = Client::join(invitation(&server, "honest", Some(&source), "h264"), manner);
    honest.connected().await;
    watcher.recorder.picture("the honest one", |it| it.shows(0.75, 0.5, RED)).await;
    assert!(watcher.recorder.rang(), "the alarm works");
}
