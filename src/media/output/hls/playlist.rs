//! The playlist of an HLS output: which segments are listed, and which are over. PURE.

use std::{collections::VecDeque, fmt::Write as _, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::media::port::output::hls::{END, EVENT};

/// A listed segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Names its file, and its place in the sequence.
    pub number: u64,
    /// Time that it lasts.
    pub lasts: Duration,
    /// Time at which its first picture was composed.
    pub at: Timestamp,
    /// Whether its times or its encoding do not follow from the segment before.
    pub is_cut: bool,
}

impl Entry {
    fn ends(&self) -> Timestamp {
        let lasts = SignedDuration::try_from(self.lasts).unwrap_or_default();
        self.at.checked_add(lasts).unwrap_or(self.at)
    }
}

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Playlist {
    /// Number of segments that are listed; `None`: all.
    most: Option<usize>,
    entries: VecDeque<Entry>,
    next: u64,
    /// Cuts that are listed no more, counted from where this playlist began.
    cuts: u64,
    /// Seconds of the longest segment.
    target: u64,
    /// Segments that are listed no more, and that somebody may be fetching.
    old: VecDeque<u64>,
}

/// Names the file of a segment.
pub fn file(number: u64) -> String {
    format!("{number}.ts")
}

/// Reads the number of a segment from its file's name.
pub fn number(file: &str) -> Option<u64> {
    let digits = file.strip_suffix(".ts")?;
    digits.parse().ok().filter(|number: &u64| number.to_string() == digits)
}

impl Playlist {
    /// Begins a playlist. Its numbers begin with the seconds since 1970: as segments last longer than one, they are
    /// higher than all of earlier playlists, so that neither a player nor a cache takes one segment for another.
    pub fn new(segment_seconds: u32, most: Option<u32>, now: Timestamp) -> Self {
        let first = u64::try_from(now.as_second()).unwrap_or_default();
        Self {
            most: most.map(|most| most as usize),
            entries: VecDeque::new(),
            next: first,
            cuts: first,
            target: u64::from(segment_seconds),
            old: VecDeque::new(),
        }
    }

    /// Goes on with what an earlier run has listed. Of a sliding playlist, nothing is left when it is older than it is
    /// long. `files`: the numbers of all segments that there are.
    pub fn resume(mut self, text: &str, files: impl Iterator<Item = u64>, now: Timestamp) -> Self {
        let Some((cuts, entries)) = read(text) else {
            self.old = files.collect();
            return self;
        };
        let (first, last) = (entries.front().map(|entry| entry.number), entries.back());
        let length: Duration = entries.iter().map(|entry| entry.lasts).sum();
        let is_old = last.is_some_and(|last| now.duration_since(last.ends()).unsigned_abs() > length);
        let follows = last.map(|last| last.number + 1);
        (self.cuts, self.entries) = (cuts, entries);
        let mut old: Vec<u64> = files.filter(|number| first.is_none_or(|first| *number < first)).collect();
        old.sort_unstable();
        self.old = old.into();
        if is_old && self.most.is_some() {
            self.shorten(0);
        } else {
            self.shorten(self.most.unwrap_or(usize::MAX));
        }
        // Those that are listed together are counted without a gap.
        self.next = match follows {
            Some(follows) if !self.entries.is_empty() => follows,
            follows => follows.unwrap_or_default().max(self.next),
        };
        self.target = self.entries.iter().map(rounded).max().unwrap_or_default().max(self.target);
        self
    }

    /// Returns the number of the next segment.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Returns whether a segment was listed before.
    pub fn has_history(&self) -> bool {
        !self.entries.is_empty() || !self.old.is_empty()
    }

    /// Lists the next segment. Gives the numbers of those that nobody fetches any more.
    pub fn add(&mut self, lasts: Duration, at: Timestamp, is_cut: bool) -> Vec<u64> {
        let entry = Entry { number: self.next, lasts, at, is_cut };
        self.next += 1;
        self.target = self.target.max(rounded(&entry));
        self.entries.push_back(entry);
        let Some(most) = self.most else { return Vec::new() };
        self.shorten(most);
        // As long as the playlist itself, and a segment: who has read it then may still fetch its last.
        let over = self.old.len().saturating_sub(most + 1);
        self.old.drain(..over).collect()
    }

    fn shorten(&mut self, most: usize) {
        let over = self.entries.len().saturating_sub(most);
        for entry in self.entries.drain(..over) {
            self.cuts += u64::from(entry.is_cut);
            self.old.push_back(entry.number);
        }
    }

    /// Writes it.
    pub fn text(&self, is_over: bool) -> String {
        let mut text =
            format!("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:{}\n", self.target);
        let mut line = |line: std::fmt::Arguments<'_>| {
            // A text takes everything.
            let _ = text.write_fmt(line);
            text.push('\n');
        };
        if self.most.is_none() {
            line(format_args!("{EVENT}"));
        }
        line(format_args!("#EXT-X-MEDIA-SEQUENCE:{}", self.entries.front().map_or(self.next, |entry| entry.number)));
        line(format_args!("#EXT-X-DISCONTINUITY-SEQUENCE:{}", self.cuts));
        for entry in &self.entries {
            if entry.is_cut {
                line(format_args!("#EXT-X-DISCONTINUITY"));
            }
            line(format_args!("#EXT-X-PROGRAM-DATE-TIME:{:.3}", entry.at));
            line(format_args!("#EXTINF:{:.6},", entry.lasts.as_secs_f64()));
            line(format_args!("{}", file(entry.number)));
        }
        if is_over {
            line(format_args!("{END}"));
        }
        text
    }
}

/// Seconds, as the playlist writes the longest one.
fn rounded(entry: &Entry) -> u64 {
    entry.lasts.as_secs_f64().round() as u64
}

/// Reads what [`Playlist::text`] has written: the cuts before, and the segments.
fn read(text: &str) -> Option<(u64, VecDeque<Entry>)> {
    let (mut cuts, mut entries) = (None, VecDeque::new());
    let (mut at, mut lasts, mut is_cut) = (None, None, false);
    for line in text.lines() {
        if let Some(count) = line.strip_prefix("#EXT-X-DISCONTINUITY-SEQUENCE:") {
            cuts = Some(count.parse().ok()?);
        } else if line == "#EXT-X-DISCONTINUITY" {
            is_cut = true;
        } else if let Some(time) = line.strip_prefix("#EXT-X-PROGRAM-DATE-TIME:") {
            at = Some(time.parse().ok()?);
        } else if let Some(seconds) = line.strip_prefix("#EXTINF:") {
            lasts = Some(Duration::try_from_secs_f64(seconds.trim_end_matches(',').parse().ok()?).ok()?);
        } else if !line.starts_with('#') {
            let entry = Entry { number: number(line)?, lasts: lasts.take()?, at: at.take()?, is_cut };
            entries.push_back(entry);
            is_cut = false;
        }
    }
    cuts.map(|cuts| (cuts, entries))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SEGMENT: Duration = Duration::from_secs(4);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_796_000_000 + seconds).unwrap()
    }

    fn filled(most: Option<u32>, count: i64) -> (Playlist, Vec<u64>) {
        let mut playlist = Playlist::new(4, most, at(0));
        let over = (0..count).flat_map(|n| playlist.add(SEGMENT, at(4 * n), n == 2)).collect();
        (playlist, over)
    }

    #[test]
    fn a_sliding_playlist_lists_the_newest_and_keeps_as_many_a_little_longer() {
        let (playlist, over) = filled(Some(3), 10);
        assert_eq!(over, [1_796_000_000, 1_796_000_001, 1_796_000_002]);
        assert_eq!(
            playlist.text(false),
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:4\n\
             #EXT-X-MEDIA-SEQUENCE:1796000007\n#EXT-X-DISCONTINUITY-SEQUENCE:1796000001\n\
             #EXT-X-PROGRAM-DATE-TIME:2026-11-30T00:53:48.000Z\n#EXTINF:4.000000,\n1796000007.ts\n\
             #EXT-X-PROGRAM-DATE-TIME:2026-11-30T00:53:52.000Z\n#EXTINF:4.000000,\n1796000008.ts\n\
             #EXT-X-PROGRAM-DATE-TIME:2026-11-30T00:53:56.000Z\n#EXTINF:4.000000,\n1796000009.ts\n"
        );
        assert!(playlist.text(true).ends_with("\n#EXT-X-ENDLIST\n"));
    }

    #[test]
    fn an_event_keeps_everything_and_goes_on_after_a_restart() {
        let (mut playlist, over) = filled(None, 40);
        assert!(over.is_empty() && playlist.text(false).contains("#EXT-X-PLAYLIST-TYPE:EVENT\n"));
        let day = 24 * 3600;
        let mut again = Playlist::new(4, None, at(day)).resume(&playlist.text(true), 0..0, at(day));
        assert_eq!(again.text(false), playlist.text(false));
        assert_eq!(again.next(), playlist.next(), "what is listed together is counted without a gap");
        again.add(SEGMENT, at(day), true);
        playlist.add(SEGMENT, at(160), false);
        assert_eq!(again.text(false).matches("#EXTINF").count(), 41);
        assert!(again.text(false).contains("#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-12-01"));
    }

    #[test]
    fn a_sliding_playlist_goes_on_after_a_change_and_not_after_a_pause() {
        let (playlist, _) = filled(Some(3), 10);
        let files = || (0..10).map(|n| 1_796_000_000 + n).rev();
        let soon = Playlist::new(2, Some(3), at(43)).resume(&playlist.text(true), files(), at(43));
        assert!(soon.text(false).contains("1796000009.ts\n") && soon.has_history());
        assert_eq!(soon.old, (0..7).map(|n| 1_796_000_000 + n).collect::<Vec<_>>());
        let mut late = Playlist::new(2, Some(3), at(60)).resume(&playlist.text(true), files(), at(60));
        assert!(!late.text(false).contains("#EXTINF") && late.has_history());
        let over = late.add(SEGMENT, at(60), true);
        assert_eq!((over.len(), late.old.len()), (6, 4));
        assert!(late.text(false).contains("#EXT-X-MEDIA-SEQUENCE:1796000060\n"));
        assert!(!Playlist::new(2, Some(3), at(0)).resume("broken", 0..0, at(0)).has_history());
    }

    #[test]
    fn only_names_of_segments_are_numbers() {
        assert_eq!(number(&file(17)), Some(17));
        for name in ["", ".ts", "017.ts", "+1.ts", "-1.ts", "1.ts ", "../1.ts", "1.m3u8", "99999999999999999999.ts"] {
            assert_eq!(number(name), None, "{name}");
        }
    }
}
