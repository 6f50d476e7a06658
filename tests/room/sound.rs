//! Tests of who hears whom: steady tones, found again in what each receiver decodes.

use std::{path::Path, process::Command, sync::Arc, time::Instant};

use futures_util::future::join_all;
use serde_json::json;
use virfie::media::port::VideoCodec;

use super::{
    footage::Footage,
    guests::Guest,
    posted::{whep, whip},
    recorder::{Attention, RATE, Recorder, amplitude, decibels},
    server::{PATIENCE, ROOM, Server, until},
    studio::Studio,
};

/// A source's tone has an amplitude of 0.2; with this much of it left, it is heard.
pub const HEARD: f64 = 0.05;

/// Waits until a stretch of half a second is as it should be.
pub async fn hears(recorder: &Arc<Recorder>, what: &str, fits: impl Fn(&dyn Fn(f64) -> f64) -> bool) {
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

/// Returns half a second of a steady tone for each channel at 48 kHz, as WAV.
fn wav(tones: &[f64]) -> Vec<u8> {
    wav_at(tones, 16_000.0)
}

/// Returns the same with these peaks.
fn wav_at(tones: &[f64], peak: f64) -> Vec<u8> {
    let sample =
        |n: u32, hertz: f64| ((f64::from(n) * hertz * std::f64::consts::TAU / 48_000.0).sin() * peak).round() as i16;
    let frame = |n: u32| tones.iter().flat_map(move |hertz| sample(n, *hertz).to_le_bytes());
    let sound: Vec<u8> = (0..24_000).flat_map(frame).collect();
    let (length, channels) = (sound.len() as u32, tones.len() as u16);
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend(48_000u32.to_le_bytes());
    file.extend((96_000 * u32::from(channels)).to_le_bytes());
    file.extend((2 * channels).to_le_bytes());
    file.extend(b"\x10\0data");
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
        server.send_text("PUT", &format!("/assets/{name}"), "audio/wav", wav(&[tone])).await.expect(201);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_tone_is_as_loud_as_it_says_and_an_output_is_levelled() {
    let server = Server::start().await;
    // A sine of 1 kHz on both sides whose peaks are at -23 dB is -23 LUFS. Music is 10.006 dB softer than its file.
    let tone: Vec<u8> = wav_at(&[1000.0], 10f64.powf((-23.0 + 10.006) / 20.0) * 32_768.0);
    server.send_text("PUT", "/assets/tone.wav", "audio/wav", tone).await.expect(201);
    server.put_layout(&json!({"auto": {"mode": "grid"}, "music": "tone.wav"})).await;
    let told = until("the tone is measured", async || {
        let loudness = server.room().await["loudness"].clone();
        let near = |key: &str| loudness[key].as_f64().is_some_and(|found| (found + 23.0).abs() <= 0.1);
        ["momentary", "short_term"].iter().all(|key| near(key)).then_some(loudness)
    })
    .await;
    println!("{told}");
    assert!((told["true_peak"].as_f64().unwrap() + 23.0).abs() <= 0.2, "{told}");
    let outputs = format!("/rooms/{ROOM}/outputs");
    let output = json!({
        "type": "file", "name": "levelled", "video": {"preset": "ultrafast", "bitrate": 1000},
        "audio": {"loudness": -16, "bitrate": 192},
    });
    server.send("POST", &outputs, &output).await.expect(201);
    until("five seconds are recorded", async || {
        (server.get(&outputs).await.json()[0]["bytes"].as_u64() > Some(750_000)).then_some(())
    })
    .await;
    server.send("POST", &format!("{outputs}/stop"), &json!({})).await;
    until("it has stopped", async || (server.get(&outputs).await.json()[0]["state"] == "stopped").then_some(())).await;
    let Some(sides) = decoded(&server.recording("levelled"), 2) else { return };
    for side in sides {
        let level = amplitude(&side[side.len() - RATE..side.len() - RATE / 2], 1000.0);
        assert!((decibels(level, 1.0) + 16.0).abs() < 0.5, "{:.2} dB", decibels(level, 1.0));
    }
}

/// Returns what ffmpeg decodes of a recording, a channel a list; `None` (said aloud) where it is not installed.
fn decoded(file: &Path, channels: usize) -> Option<Vec<Vec<f32>>> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-i"]).arg(file).args(["-vn", "-ar", "48000", "-f", "f32le", "-"]);
    let Ok(output) = command.output() else {
        eprintln!("SKIPPED: ffmpeg is not installed");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let samples: Vec<f32> =
        output.stdout.chunks_exact(4).map(|it| f32::from_le_bytes([it[0], it[1], it[2], it[3]])).collect();
    Some((0..channels).map(|side| samples.iter().skip(side).step_by(channels).copied().collect()).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn left_and_right_stay_what_they_are_up_to_recordings() {
    const LEFT_VOICE: f64 = 440.0;
    const MIDDLE_VOICE: f64 = 1000.0;
    const SENT_LEFT: f64 = 1700.0;
    const MUSIC: [f64; 2] = [600.0, 800.0];
    let (server, studio) = (Server::start().await, Studio::new());
    let _ann = Guest::join(&server, "ann", Some(&studio.source("red", LEFT_VOICE)), Attention::Sound).await;
    let _bob = Guest::join(&server, "bob", Some(&studio.source("red", MIDDLE_VOICE)), Attention::Nothing).await;
    let viewer = whep(&server, VideoCodec::H264, Attention::Sound).await;
    hears(&viewer.recorder, "both", |level| level(LEFT_VOICE) > HEARD && level(MIDDLE_VOICE) > HEARD).await;
    let [left, right] = viewer.recorder.fresh_sides(RATE).await;
    let whole = amplitude(&left, MIDDLE_VOICE);
    assert!(decibels(amplitude(&right, MIDDLE_VOICE), whole).abs() < 0.1, "in the middle");

    server.moderate("ann", &json!({"pan": -1})).await;
    let alone = |levels: [f64; 2], side: usize| levels[side] > 0.02 && decibels(levels[1 - side], levels[side]) < -25.0;
    let stereo = format!(
        "audiotestsrc is-live=true samplesperbuffer=960 volume=0.2 freq={SENT_LEFT} \
         ! audio/x-raw,format=F32LE,rate=48000,channels=1 \
         ! audioconvert mix-matrix=\"<<(float)1.0>, <(float)0.0>>\" \
         ! audio/x-raw,rate=48000,channels=2,channel-mask=(bitmask)0x3 ! opusenc bitrate=96000"
    );
    let mut band = whip(&server, "band", &Arc::new(Footage::new(None, Some(stereo)))).await;
    band.connected().await;
    server.send_text("PUT", "/assets/stereo.wav", "audio/wav", wav(&MUSIC)).await.expect(201);
    server.put_layout(&json!({"auto": {"mode": "grid"}, "music": "stereo.wav"})).await;
    hears(&viewer.recorder, "all of it", |level| level(SENT_LEFT) > HEARD && level(MUSIC[0]) > 0.005).await;

    let outputs = format!("/rooms/{ROOM}/outputs");
    for output in
        [json!({"type": "file", "name": "two"}), json!({"type": "file", "name": "one", "audio": {"channels": 1}})]
    {
        let mut output = output;
        output["video"] = json!({"preset": "ultrafast"});
        server.send("POST", &outputs, &output).await.expect(201);
    }
    until("both record", async || {
        let list = server.get(&outputs).await.json();
        list.as_array().unwrap().iter().all(|one| one["bytes"].as_u64() > Some(200_000)).then_some(())
    })
    .await;
    server.send("POST", &format!("{outputs}/stop"), &json!({})).await;
    until("both have stopped", async || {
        let list = server.get(&outputs).await.json();
        list.as_array().unwrap().iter().all(|one| one["state"] == "stopped").then_some(())
    })
    .await;
    let Some(two) = decoded(&server.recording("two"), 2) else { return };
    let middle = |side: &[f32]| side[side.len() / 2..][..RATE / 2].to_vec();
    let level = |hertz: f64| [&two[0], &two[1]].map(|side| amplitude(&middle(side), hertz));
    for (hertz, side) in [(LEFT_VOICE, 0), (SENT_LEFT, 0), (MUSIC[0], 0), (MUSIC[1], 1)] {
        assert!(alone(level(hertz), side), "{hertz} Hz at {:?}", level(hertz));
    }
    assert!(level(MIDDLE_VOICE).iter().all(|side| decibels(*side, whole).abs() < 1.0), "{:?}", level(MIDDLE_VOICE));
    let one = decoded(&server.recording("one"), 1).unwrap();
    for (hertz, side) in [(LEFT_VOICE, 0), (MUSIC[1], 1)] {
        let (mono, stereo) = (amplitude(&middle(&one[0]), hertz), level(hertz)[side]);
        assert!((decibels(mono, stereo) + 6.02).abs() < 1.5, "{hertz} Hz: {mono} of {stereo}");
    }
}
