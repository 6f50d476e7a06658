//! Who hears whom: steady tones, found again in what each receiver decodes.

use std::{sync::Arc, time::Instant};

use futures_util::future::join_all;
use serde_json::json;
use virfie::media::port::VideoCodec;

use super::{
    guests::Guest,
    posted::whep,
    recorder::{Attention, RATE, Recorder, amplitude, decibels},
    server::{PATIENCE, Server, until},
    studio::Studio,
};

/// A source's tone has an amplitude of 0.2; with this much of it left, it is heard.
const HEARD: f64 = 0.05;

/// Waits until a stretch of half a second is as it should be.
async fn hears(recorder: &Arc<Recorder>, what: &str, fits: impl Fn(&dyn Fn(f64) -> f64) -> bool) {
    let begun = Instant::now();
    loop {
        let samples = recorder.fresh_samples(RATE / 2).await;
        if fits(&|hertz| amplitude(&samples, hertz)) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_hears_the_others_and_not_themselves() {
    const TONES: [f64; 3] = [440.0, 1000.0, 1700.0];
    let (server, studio) = (Server::start().await, Studio::new());
    let mut guests = Vec::new();
    for (name, tone) in ["ann", "bob", "eve"].into_iter().zip(TONES) {
        guests.push(Guest::join(&server, name, Some(&studio.source("red", tone)), Attention::Sound).await);
    }
    let viewer = whep(&server, VideoCodec::H264, Attention::Sound).await;
    let each = guests.iter().zip(TONES).map(|(guest, own)| async move {
        let others = || TONES.into_iter().filter(move |tone| *tone != own);
        hears(&guest.recorder, "the others", |level| others().all(|tone| level(tone) > HEARD)).await;
        // From now on, in any whole second.
        for _ in 0..2 {
            let second = guest.recorder.fresh_samples(RATE).await;
            let weakest = others().map(|tone| amplitude(&second, tone)).fold(f64::MAX, f64::min);
            let below = decibels(weakest, amplitude(&second, own));
            println!("{own} Hz: the others at {weakest:.3}, itself {below:.0} dB below");
            assert!(weakest > HEARD / 2.0, "{own} Hz hears the others: {weakest}");
            assert!(below >= 30.0, "{own} Hz hears itself only {below:.1} dB below the others");
        }
    });
    join_all(each).await;
    hears(&viewer.recorder, "a viewer hears all three", |level| TONES.iter().all(|tone| level(*tone) > HEARD)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moderator_mutes_and_sets_the_volume() {
    const TONE: f64 = 1000.0;
    let (server, studio) = (Server::start().await, Studio::new());
    let _ann = Guest::join(&server, "ann", Some(&studio.source("red", TONE)), Attention::Nothing).await;
    let bob = Guest::join(&server, "bob", None, Attention::Sound).await;
    hears(&bob.recorder, "the tone", |level| level(TONE) > HEARD).await;
    // The first blocks of a connection may have gaps: a whole second without any is the measure.
    let whole = amplitude(&bob.recorder.fresh_samples(RATE).await, TONE);

    server.moderate("ann", &json!({"muted": true})).await;
    hears(&bob.recorder, "silence", |level| decibels(level(TONE), whole) < -50.0).await;
    let later = amplitude(&bob.recorder.fresh_samples(RATE).await, TONE);
    assert!(decibels(later, whole) < -50.0, "muted stays muted: {later} of {whole}");
    until("muted is not speaking", async || {
        let ann = server.participant("ann").await.unwrap();
        (ann["muted"] == true && ann["speaking"] == false).then_some(())
    })
    .await;

    for (volume, expected) in [(0.25, -12.04), (2.0, 6.02), (1.0, 0.0)] {
        server.moderate("ann", &json!({"muted": false, "volume": volume})).await;
        let near = |level: f64| (decibels(level, whole) - expected).abs() < 2.0;
        hears(&bob.recorder, &format!("volume {volume}"), |level| near(level(TONE))).await;
    }
}

/// Half a second of a steady tone, mono at 48 kHz, as WAV.
fn wav(hertz: f64) -> Vec<u8> {
    let sample = |n: u32| ((f64::from(n) * hertz * std::f64::consts::TAU / 48_000.0).sin() * 16_000.0) as i16;
    let sound: Vec<u8> = (0..24_000).flat_map(|n| sample(n).to_le_bytes()).collect();
    let length = sound.len() as u32;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(48_000u32.to_le_bytes());
    file.extend(96_000u32.to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.extend(sound);
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_layouts_music_and_its_triggers_sounds_are_heard_by_everybody() {
    const MUSIC: f64 = 600.0;
    const SOUND: f64 = 1400.0;
    let (server, studio) = (Server::start().await, Studio::new());
    for (name, tone) in [("music.wav", MUSIC), ("sound.wav", SOUND)] {
        server.send_text("PUT", &format!("/assets/{name}"), "audio/wav", wav(tone)).await.expect(201);
    }
    let ann = Guest::join(&server, "ann", Some(&studio.source("red", 440.0)), Attention::Sound).await;
    let viewer = whep(&server, VideoCodec::H264, Attention::Sound).await;
    server.put_layout(&json!({"auto": {"mode": "grid"}, "music": "music.wav"})).await;
    hears(&ann.recorder, "the music", |level| level(MUSIC) > 0.02 && level(SOUND) < 0.005).await;
    hears(&viewer.recorder, "the music and ann", |level| level(MUSIC) > 0.02 && level(440.0) > HEARD).await;
    server.delete("/assets/music.wav").await.expect(409);

    let trigger = json!({"id": "t", "when": "always", "do": [{"sound": "sound.wav"}], "every_ms": 500});
    server.put_layout(&json!({"auto": {"mode": "grid"}, "triggers": [trigger]})).await;
    hears(&ann.recorder, "the sound", |level| level(SOUND) > HEARD && level(MUSIC) < 0.005).await;
    hears(&viewer.recorder, "the sound and ann", |level| level(SOUND) > HEARD && level(440.0) > HEARD).await;
    server.put_layout(&json!({"auto": {"mode": "grid"}})).await;
    hears(&ann.recorder, "silence", |level| level(SOUND) < 0.002 && level(MUSIC) < 0.002).await;
}
