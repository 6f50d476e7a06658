//! The words of control and media about HLS outputs. PURE.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Seconds of a segment.
pub const SEGMENT_SECONDS: std::ops::RangeInclusive<u32> = 2..=10;
/// Segments that a sliding playlist lists: an hour of four seconds each at most.
pub const SEGMENTS: std::ops::RangeInclusive<u32> = 3..=900;
/// Seconds of a segment where nobody sets others: players begin three segments before the end.
const USUAL_SECONDS: u32 = 4;
/// Number of segments that are listed where nobody says.
const USUAL_SEGMENTS: u32 = 6;

/// File of the playlist in an output's folder.
pub const PLAYLIST: &str = "live.m3u8";
/// The longest playlist that is read again, in bytes: an event of three weeks has one of 60 MB.
pub const LONGEST_PLAYLIST: u64 = 64 << 20;
/// File of what a master playlist says of the codecs, in the same folder.
pub const CODECS: &str = "codecs";
/// Ends the playlist of what goes on no more.
pub const END: &str = "#EXT-X-ENDLIST";
/// Marks the playlist of an event.
pub const EVENT: &str = "#EXT-X-PLAYLIST-TYPE:EVENT";

/// The segments that a playlist lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HlsWindow)]
pub enum Window {
    /// The newest ones.
    #[default]
    Sliding,
    /// All since the output was made.
    Event,
}

/// The rules by which a stream is cut and listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Length of a segment, in seconds.
    pub segment_seconds: u32,
    /// From one keyframe to the next, in seconds.
    pub keyframe_seconds: u32,
    /// Number of segments that are listed; `None`: all.
    pub listed: Option<u32>,
}

impl Cut {
    /// Works out what is asked for.
    ///
    /// # Errors
    /// The JSON pointer of each place, and what is wrong there.
    pub fn new(
        segment_seconds: Option<u32>,
        window: Option<Window>,
        segments: Option<u32>,
        keyframe_seconds: u32,
    ) -> Result<Self, Vec<(&'static str, String)>> {
        let mut wrong = Vec::new();
        // An invalid distance is reported in its own place.
        let keyframe_seconds = keyframe_seconds.clamp(1, *SEGMENT_SECONDS.end());
        let usual = USUAL_SECONDS.next_multiple_of(keyframe_seconds);
        let seconds = segment_seconds.unwrap_or(usual);
        if !SEGMENT_SECONDS.contains(&seconds) || !seconds.is_multiple_of(keyframe_seconds) {
            let (least, most) = (SEGMENT_SECONDS.start(), SEGMENT_SECONDS.end());
            let detail =
                format!("must be from {least} to {most}, and a multiple of keyframe_seconds ({keyframe_seconds})");
            wrong.push(("/segment_seconds", detail));
        }
        let listed = match window.unwrap_or_default() {
            Window::Sliding => Some(segments.unwrap_or(USUAL_SEGMENTS)),
            Window::Event => None,
        };
        if segments.is_some() && listed.is_none() {
            wrong.push(("/segments", "is not a key of an event, which keeps all its segments".to_owned()));
        } else if listed.is_some_and(|listed| !SEGMENTS.contains(&listed)) {
            wrong.push(("/segments", format!("must be from {} to {}", SEGMENTS.start(), SEGMENTS.end())));
        }
        if wrong.is_empty() { Ok(Self { segment_seconds: seconds, keyframe_seconds, listed }) } else { Err(wrong) }
    }
}

impl Default for Cut {
    fn default() -> Self {
        Self { segment_seconds: USUAL_SECONDS, keyframe_seconds: 2, listed: Some(USUAL_SEGMENTS) }
    }
}

/// The stream that an HLS output makes, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HlsTarget {
    /// The folder of the room's HLS outputs; each has one of its own in it.
    pub folder: PathBuf,
    /// Path at which players find it on this server.
    pub address: String,
    /// Way in which it is cut.
    pub cut: Cut,
    /// Bytes that an event leaves free on the disk.
    pub spare: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_multiples_of_the_keyframes_distance() {
        for (keyframes, seconds) in [(1, 4), (2, 4), (3, 6), (4, 4), (5, 5), (10, 10)] {
            let cut = Cut::new(None, None, None, keyframes);
            assert_eq!(cut.map(|cut| (cut.segment_seconds, cut.listed)), Ok((seconds, Some(6))), "{keyframes}");
        }
        let event = Cut { segment_seconds: 6, keyframe_seconds: 2, listed: None };
        assert_eq!(Cut::new(Some(6), Some(Window::Event), None, 2), Ok(event));
        for (seconds, window, segments, places) in [
            (Some(3), None, None, vec!["/segment_seconds"]),
            (Some(12), None, Some(2), vec!["/segment_seconds", "/segments"]),
            (Some(0), None, None, vec!["/segment_seconds"]),
            (None, Some(Window::Event), Some(5), vec!["/segments"]),
            (None, None, Some(901), vec!["/segments"]),
        ] {
            let wrong =
                Cut::new(seconds, window, segments, 2).map_err(|wrong| wrong.into_iter().map(|(at, _)| at).collect());
            assert_eq!(wrong, Err(places), "{seconds:?} {window:?} {segments:?}");
        }
    }
}
