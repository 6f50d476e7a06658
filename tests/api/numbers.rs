use serde_json::json;
use virfie::{
    media::port::{Loudness, MediaEvent},
    telemetry,
};

use super::{
    page::Page,
    server::{Server, answer},
};

#[tokio::test]
async fn a_room_says_how_its_media_is_doing() {
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    let room = server.get("/rooms/demo").await.json();
    let segmentation = json!({
        "available": true, "model": "fake", "reason": null, "keypoints": true,
        "masks_per_second": 12.35, "mask_ms": 0.0, "masks_every": 2, "mask_age_ms": 41.99, "carried_per_second": 11.5,
        "oldest_mask_ms": 130.0, "inputs_smaller": 1, "thinned_per_second": 0.0,
    });
    assert_eq!(room["segmentation"], segmentation);
    let health = json!({
        "running": true, "fps": 30.0, "frames": 7, "late_frames": 0, "missed_frames": 0, "dropped_frames": 3,
        "skipped_per_second": 0.0, "sound_gap_ms": 41.0, "longest_sound_gap_ms": 60.0,
        "degraded": ["mask_detail", "mask_rate", "output"], "compose_ms": 0.0, "encoders": [],
        "rebuilds": 0, "rebuilt_because": null,
    });
    assert_eq!(room["health"], health);
}

#[tokio::test]
async fn a_room_says_how_loud_it_is() {
    let server = Server::start().await;
    let (mut ann, _) = Page::join(&server, "demo", "ann").await;
    let silent = json!({
        "momentary": null, "short_term": null, "integrated": null, "true_peak": null, "max_true_peak": null,
    });
    assert_eq!(server.get("/rooms/demo").await.json()["loudness"], silent);
    let loudness = Loudness {
        momentary: Some(-19.96),
        short_term: Some(-23.04),
        integrated: Some(-23.0),
        true_peak: None,
        max_true_peak: Some(-1.26),
    };
    server.media.room("demo").say(MediaEvent::Loudness(loudness));
    let told = json!({
        "momentary": -20.0, "short_term": -23.0, "integrated": -23.0, "true_peak": null, "max_true_peak": -1.3,
    });
    assert_eq!(ann.wait_for_event("loudness").await["loudness"], told);
    assert_eq!(server.get("/rooms/demo").await.json()["loudness"], told);
}

#[tokio::test]
async fn readiness_says_what_the_model_can() {
    let server = Server::start().await;
    let ready = answer(server.request_at_top("GET", "/readyz")).await.json();
    assert_eq!((&ready["segmentation"]["model"], &ready["segmentation"]["keypoints"]), (&json!("fake"), &json!(true)));
}

#[tokio::test]
async fn prometheus_hears_of_all_rooms() {
    telemetry::metrics();
    let server = Server::start().await;
    server.send("PUT", "/rooms/demo", &json!({})).await;
    server.get("/rooms/demo").await;
    let text = answer(server.request_at_top("GET", "/metrics")).await.text();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse::<f64>().unwrap()
    };
    assert!((value("virfie_mask_age_seconds") - 0.041_987).abs() < 1e-6, "{text}");
    assert_eq!(value("virfie_masks_every"), 2.0);
    assert!(value("virfie_dropped_frames_total") >= 3.0, "{text}");
    // What other tests of this process add to and take from sums is not known.
    for name in [
        "virfie_loudness_lufs",
        "virfie_true_peak_dbtp",
        "virfie_rooms",
        "virfie_frames_total",
        "virfie_masks_per_second",
        "virfie_carried_masks_per_second",
    ] {
        value(name);
    }
}
