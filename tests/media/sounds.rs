//! Sound files, decoded whole.

use std::{io::Write as _, path::Path, time::Duration};

use virfie::media::{file::samples, port::Samples};

use super::frames::{shared, turn};

const MINUTE: Duration = Duration::from_secs(60);

/// Returns half a second of a tone of 441 Hz, stereo at 44.1 kHz, as WAV; the right side is the left one, so many
/// times.
fn wav(right: f64) -> Vec<u8> {
    let sound: Vec<u8> = (0..22_050u32)
        .flat_map(|n| {
            let sample = (f64::from(n) * std::f64::consts::TAU / 100.0).sin() * 16_000.0;
            [(sample as i16).to_le_bytes(), ((sample * right) as i16).to_le_bytes()].concat()
        })
        .collect();
    let length = sound.len() as u32;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    file.extend(44_100u32.to_le_bytes());
    file.extend((44_100u32 * 4).to_le_bytes());
    file.extend(b"\x04\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.extend(sound);
    file
}

fn decoded(content: &[u8], longest: Duration) -> Result<Samples, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    samples(file.path(), longest).map_err(|error| error.to_string())
}

#[test]
fn sides_of_a_sound_are_kept_where_they_differ() {
    let _turn = turn();
    for right in [0.5, -1.0, 0.0] {
        let sound = decoded(&wav(right), MINUTE).unwrap();
        assert_eq!(sound.channels, 2, "{right}");
        let frames = sound.interleaved.as_chunks::<2>().0;
        assert!(frames.len().abs_diff(24_000) < 100, "{}", frames.len());
        let strange = |[left, other]: &&[i16; 2]| (f64::from(*other) - f64::from(*left) * right).abs() > 40.0;
        assert_eq!(frames.iter().find(strange), None, "{right}");
    }
}

#[test]
fn a_sound_of_equal_sides_becomes_mono_samples_of_48_khz() {
    let _turn = turn();
    let Samples { channels, interleaved: sound } = decoded(&wav(1.0), MINUTE).unwrap();
    assert_eq!(channels, 1);
    assert!(sound.len().abs_diff(24_000) < 100, "{}", sound.len());
    let rising = sound.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
    assert!((215..=225).contains(&rising), "{rising} waves in half a second of 441 Hz");
    let loudest = sound.iter().map(|sample| sample.unsigned_abs()).max();
    assert!(loudest.is_some_and(|loudest| (15_000..17_000).contains(&loudest)), "{loudest:?}");
}

#[test]
fn what_cannot_be_played_is_reported() {
    let _turn = turn();
    assert!(decoded(b"", MINUTE).is_err());
    assert!(decoded(b"ID3 this is no sound at all, whatever it begins with", MINUTE).is_err());
    assert!(decoded(&wav(1.0), Duration::ZERO).unwrap_err().contains("longer"));
    assert!(samples(Path::new("/nowhere/sound.mp3"), MINUTE).is_err());
}

#[test]
fn the_shutter_clicks() {
    let _turn = turn();
    let Some(file) = shared("virfie/static/scenarios/3. club virfie/sound/camera-shutter-click-01.mp3") else { return };
    let sound = samples(&file, MINUTE).unwrap().interleaved;
    assert!((4_800..480_000).contains(&sound.len()), "{}", sound.len());
    assert!(sound.iter().any(|sample| sample.unsigned_abs() > 3_000));
}
