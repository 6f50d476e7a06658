//! Plan of when a recording of somebody begins, and when it goes on in another file. PURE.
//!
//! A file has one set of tracks from its beginning to its end. So one begins when both sound and picture have come, or
//! when only one has for [`GATHER`]; and another when a track comes that the file lacks, or one has been silent for
//! [`SILENT`], which a muxer would wait for.

use std::time::Duration;

use crate::media::port::TrackKind;

/// Time for which a track is waited for when the other has come.
pub(super) const GATHER: Duration = Duration::from_secs(2);

/// A track that brings nothing for so long has ended: more than the slowest picture and the longest pause of Opus.
pub(super) const SILENT: Duration = Duration::from_secs(5);

/// The tracks of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tracks {
    pub(super) video: bool,
    pub(super) audio: bool,
}

/// The next thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing else than before.
    Wait,
    /// Begin a file with these tracks.
    Begin(Tracks),
    /// End the file; [`IsoPlan::step`] says when another begins.
    End,
}

/// The facts that are known of the tracks.
#[derive(Debug, Default)]
pub(super) struct IsoPlan {
    /// Moment at which each brought something last: picture (from a keyframe on) and sound.
    heard: [Option<Duration>; 2],
    /// Moment at which the first of those that wait for a file came.
    since: Option<Duration>,
    file: Option<Tracks>,
}

const fn index(kind: TrackKind) -> usize {
    match kind {
        TrackKind::Video => 0,
        TrackKind::Audio => 1,
    }
}

impl IsoPlan {
    /// Takes note of a packet. A picture counts from its first keyframe on.
    pub(super) fn heard(&mut self, kind: TrackKind, keyframe: bool, now: Duration) {
        let known = &mut self.heard[index(kind)];
        if kind == TrackKind::Audio || keyframe || known.is_some() {
            *known = Some(now);
            self.since.get_or_insert(now);
        }
    }

    /// Says what is to be done now, and takes it as done.
    pub(super) fn step(&mut self, now: Duration) -> Step {
        for heard in &mut self.heard {
            if heard.is_some_and(|at| now.saturating_sub(at) >= SILENT) {
                *heard = None;
            }
        }
        let there = Tracks { video: self.heard[0].is_some(), audio: self.heard[1].is_some() };
        if let Some(file) = self.file {
            if file == there {
                return Step::Wait;
            }
            self.file = None;
            // What is missing is not waited for again: what is there goes on.
            self.since = (there.video || there.audio).then(|| now.saturating_sub(GATHER));
            return Step::End;
        }
        let Some(since) = self.since.filter(|_| there.video || there.audio) else { return Step::Wait };
        if (there.video && there.audio) || now.saturating_sub(since) >= GATHER {
            self.file = Some(there);
            return Step::Begin(there);
        }
        Step::Wait
    }

    /// Notes that the file has ended by a fault, or because its codec changed: another may begin.
    pub(super) fn ended(&mut self, now: Duration) {
        self.file = None;
        self.heard[0] = None;
        self.since = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Tracks = Tracks { video: true, audio: true };
    const SOUND: Tracks = Tracks { video: false, audio: true };

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn both_tracks_are_one_file_and_one_alone_is_waited_with() {
        let mut plan = IsoPlan::default();
        plan.heard(TrackKind::Audio, false, at(0));
        plan.heard(TrackKind::Video, false, at(100));
        assert_eq!(plan.step(at(100)), Step::Wait, "nothing can be seen before a keyframe");
        plan.heard(TrackKind::Video, true, at(400));
        assert_eq!(plan.step(at(400)), Step::Begin(BOTH));
        assert_eq!(plan.step(at(500)), Step::Wait);

        let mut plan = IsoPlan::default();
        plan.heard(TrackKind::Audio, false, at(0));
        assert_eq!(plan.step(at(1990)), Step::Wait);
        assert_eq!(plan.step(at(2000)), Step::Begin(SOUND));
    }

    #[test]
    fn a_camera_that_goes_off_and_on_makes_three_files() {
        let mut plan = IsoPlan::default();
        let mut steps = Vec::new();
        for now in (0..40_000).step_by(20) {
            plan.heard(TrackKind::Audio, false, at(now));
            if !(10_000..20_000).contains(&now) {
                plan.heard(TrackKind::Video, now % 1000 == 0, at(now));
            }
            match plan.step(at(now)) {
                Step::Wait => {}
                step => steps.push((now, step)),
            }
        }
        let expected = [
            (0, Step::Begin(BOTH)),
            (14_980, Step::End),
            (15_000, Step::Begin(SOUND)),
            (20_000, Step::End),
            (20_020, Step::Begin(BOTH)),
        ];
        assert_eq!(steps, expected);
    }

    #[test]
    fn silence_of_both_ends_the_file_and_nothing_begins_by_itself() {
        let mut plan = IsoPlan::default();
        plan.heard(TrackKind::Audio, false, at(0));
        plan.heard(TrackKind::Video, true, at(0));
        assert_eq!(plan.step(at(0)), Step::Begin(BOTH));
        assert_eq!(plan.step(at(5000)), Step::End);
        assert_eq!(plan.step(at(60_000)), Step::Wait);
        plan.heard(TrackKind::Audio, false, at(61_000));
        assert_eq!(plan.step(at(61_000)), Step::Wait, "the picture is waited for again");
        assert_eq!(plan.step(at(63_000)), Step::Begin(SOUND));
    }
}
