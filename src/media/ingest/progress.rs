//! PURE: what comes of a sender's video, and what is wrong when nothing does.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Packets without a picture for so long are a problem. A keyframe that was lost is there again sooner.
const WITHOUT_PICTURE: Duration = Duration::from_secs(4);

/// Packets without a picture for so long, and again and again, are a reason to ask for a keyframe: a decoder that lost
/// what others refer to may complain of nothing.
const WITHOUT_KEYFRAME: Duration = Duration::from_secs(1);

/// Counted by the threads that receive.
#[derive(Debug, Default)]
pub struct Progress {
    packets: AtomicU64,
    frames: AtomicU64,
    /// Width and height of a picture that is too large, in the upper and lower half; 0: it is not.
    too_large: AtomicU64,
}

impl Progress {
    /// Notes a packet.
    pub fn packet(&self) {
        self.packets.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a decoded frame.
    pub fn frame(&self) {
        self.frames.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes the size of the picture that comes from now on, if it is too large.
    pub fn too_large(&self, size: Option<(u32, u32)>) {
        let number = size.map_or(0, |(width, height)| u64::from(width) << 32 | u64::from(height));
        self.too_large.store(number, Ordering::Relaxed);
    }
}

/// Looks at a sender's progress now and then.
#[derive(Debug, Default)]
pub struct Diagnosis {
    packets: u64,
    frames: u64,
    /// Since when packets come and frames do not.
    since: Option<Duration>,
    /// Moment at which a keyframe was asked for last.
    asked: Option<Duration>,
    problem: Option<String>,
}

impl Diagnosis {
    /// Returns what is wrong, if that has changed: `Some(None)` when all is well again.
    pub fn look(&mut self, now: Duration, progress: &Progress) -> Option<Option<String>> {
        let [packets, frames, size] =
            [&progress.packets, &progress.frames, &progress.too_large].map(|it| it.load(Ordering::Relaxed));
        let [more_packets, more_frames] = [packets != self.packets, frames != self.frames];
        (self.packets, self.frames) = (packets, frames);
        let since = if more_packets && !more_frames { *self.since.get_or_insert(now) } else { now };
        if since == now && !more_packets || more_frames {
            self.since = None;
        }
        let problem = if size != 0 {
            let (width, height) = (size >> 32, size & u64::from(u32::MAX));
            Some(format!("the picture is too large: {width}x{height}; 4096x2304 is shown at most"))
        } else if more_frames {
            None
        } else if now.saturating_sub(since) >= WITHOUT_PICTURE {
            Some("video comes, and no picture can be made of it".to_owned())
        } else {
            return None;
        };
        if problem == self.problem {
            return None;
        }
        self.problem.clone_from(&problem);
        Some(problem)
    }
}

impl Diagnosis {
    /// Returns whether a keyframe is to be asked for now, as the last look has it.
    pub fn wants_keyframe(&mut self, now: Duration) -> bool {
        let waits = |since: Option<Duration>| since.map(|since| now.saturating_sub(since));
        let is_due = waits(self.since) >= Some(WITHOUT_KEYFRAME)
            && waits(self.asked).is_none_or(|passed| passed >= WITHOUT_KEYFRAME);
        if is_due {
            self.asked = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(100.0 + seconds)
    }

    #[test]
    fn packets_without_a_picture_are_reported_once_and_a_picture_ends_it() {
        let (progress, mut diagnosis) = (Progress::default(), Diagnosis::default());
        let mut told = Vec::new();
        for tenth in 0..100 {
            progress.packet();
            if tenth >= 80 {
                progress.frame();
            }
            told.extend(diagnosis.look(at(f64::from(tenth) / 10.0), &progress).map(|problem| (tenth, problem)));
        }
        let [(first, Some(problem)), (second, None)] = told.as_slice() else { panic!("{told:?}") };
        assert!((40..=42).contains(first) && *second == 80, "{told:?}");
        assert_eq!(problem, "video comes, and no picture can be made of it");
    }

    #[test]
    fn a_keyframe_is_asked_for_each_second_while_nothing_is_seen() {
        let (progress, mut diagnosis) = (Progress::default(), Diagnosis::default());
        let mut asked = Vec::new();
        for tenth in 0..60 {
            progress.packet();
            if !(10..45).contains(&tenth) {
                progress.frame();
            }
            diagnosis.look(at(f64::from(tenth) / 10.0), &progress);
            asked.extend(diagnosis.wants_keyframe(at(f64::from(tenth) / 10.0)).then_some(tenth));
        }
        assert_eq!(asked, [20, 30, 40]);
    }

    #[test]
    fn who_sends_nothing_or_seldom_has_no_problem() {
        let (progress, mut diagnosis) = (Progress::default(), Diagnosis::default());
        for tenth in 0..200 {
            // A slide each five seconds, in one burst, decoded a moment later.
            if tenth % 50 == 0 {
                progress.packet();
            }
            if tenth % 50 == 1 {
                progress.frame();
            }
            assert_eq!(diagnosis.look(at(f64::from(tenth) / 10.0), &progress), None);
        }
    }

    #[test]
    fn a_picture_that_is_too_large_is_reported_by_its_size_until_another_comes() {
        let (progress, mut diagnosis) = (Progress::default(), Diagnosis::default());
        progress.too_large(Some((7680, 4320)));
        let problem = diagnosis.look(at(0.0), &progress).unwrap().unwrap();
        assert_eq!(problem, "the picture is too large: 7680x4320; 4096x2304 is shown at most");
        assert_eq!(diagnosis.look(at(1.0), &progress), None);
        progress.too_large(None);
        progress.frame();
        assert_eq!(diagnosis.look(at(2.0), &progress), Some(None));
    }
}
