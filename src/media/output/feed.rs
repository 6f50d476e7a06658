//! The feed of an attempt: when picture and sound begin, where they are cut, and how they go on after it.
//!
//! A cut lies before a picture: before a keyframe where a recording goes on in another part, or before the first
//! picture of a pause. Which picture that is, shows only once it is encoded, seconds after its sound. So sound and
//! markers wait here for the picture of their time. They all come in running time and go out on the output's own time
//! line:
//!
//! GST-1.22: 9f169ffaf9 and 81178eab42, remove at 1.24: flvmux mis-orders when running time does not start at zero, so
//! both streams are restamped by the same offset, to start at zero with the first keyframe.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use gstreamer::{self as gst, ClockTime};
use tracing::warn;

use super::{BACKLOG, Ends};
use crate::media::{
    codec::encoder_patience,
    gst::clock::clock_time,
    port::{Split, VideoSettings, notes::MAX_MARKERS},
};

/// An encoder of the picture gives a unit at most so much later than it is waited for.
const LATER: ClockTime = ClockTime::SECOND;

/// Time for which a picture stands whose encoder does not say so.
const PICTURE: ClockTime = ClockTime::from_mseconds(33);

/// A marker on the output's time line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) name: Arc<str>,
    pub(super) at: Duration,
}

/// The decision about what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    /// Nothing until a keyframe of this time or later.
    Waits { from: ClockTime },
    /// All.
    Open,
    /// All before this time. After it nothing, or what begins with a keyframe at `then` or later.
    Closes { at: ClockTime, then: Option<ClockTime> },
    /// Nothing until somebody resumes.
    Closed,
}

/// The map by which running time becomes the output's time: what was at `start` is at `base`.
#[derive(Debug, Clone, Copy, Default)]
struct Timeline {
    start: ClockTime,
    base: ClockTime,
}

impl Timeline {
    fn out(self, time: ClockTime) -> ClockTime {
        (self.base + time).saturating_sub(self.start)
    }
}

/// The media that come while the next part is being built.
#[derive(Debug)]
enum Item {
    Picture(gst::Buffer),
    Sound(gst::Buffer, gst::Caps),
}

/// The part before, until the last of its sound has come.
#[derive(Debug)]
struct Before {
    ends: Box<dyn Ends>,
    line: Timeline,
    cut: ClockTime,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Feed {
    ends: Box<dyn Ends>,
    split: Option<Split>,
    gate: Gate,
    /// `None` before the first keyframe of a part.
    line: Option<Timeline>,
    /// Place of the last cut, until something has passed after it.
    cut: Option<ClockTime>,
    /// Sound of before it has no place.
    sound_from: ClockTime,
    /// An encoder of the picture gives a unit at most so long after its frame.
    looks_ahead: ClockTime,
    /// The newest picture that has come, and the end of its time.
    seen: Option<(ClockTime, ClockTime)>,
    /// Sound whose picture has not come yet.
    sound: VecDeque<(gst::Buffer, gst::Caps)>,
    marks: VecDeque<(ClockTime, Arc<str>)>,
    told: Vec<Mark>,
    /// Whether units are dropped until the next keyframe.
    skipping: bool,
    overflows: bool,
    /// The last unit's DTS and the last packet's PTS, in running time: another encoder's may begin a little earlier.
    last: (Option<ClockTime>, Option<ClockTime>),
    /// The last unit's DTS and the end of the last packet, in the output's time.
    sent: (Option<ClockTime>, ClockTime),
    /// Bytes of this part, and those since its last keyframe.
    bytes: (u64, u64),
    /// Items that wait for the next part.
    passing: Option<VecDeque<Item>>,
    /// Number of those that waited already when the part before ended.
    passed_on: usize,
    before: Option<Before>,
}

impl Feed {
    pub(super) fn new(ends: Box<dyn Ends>, split: Option<Split>) -> Self {
        Self {
            ends,
            split,
            gate: Gate::Waits { from: ClockTime::ZERO },
            line: None,
            cut: None,
            sound_from: ClockTime::ZERO,
            looks_ahead: looks_ahead(u32::MAX),
            seen: None,
            sound: VecDeque::new(),
            marks: VecDeque::new(),
            told: Vec::new(),
            skipping: false,
            overflows: false,
            last: (None, None),
            sent: (None, ClockTime::ZERO),
            bytes: (0, 0),
            passing: None,
            passed_on: 0,
            before: None,
        }
    }

    /// Returns when, in running time, the first picture passed that this output began with.
    pub(super) fn start(&self) -> Option<ClockTime> {
        self.line.filter(|line| line.base.is_zero()).map(|line| line.start)
    }

    /// Returns whether a picture has passed.
    pub(super) fn has_begun(&self) -> bool {
        self.line.is_some()
    }

    /// Returns whether nothing passes now because somebody paused it.
    pub(super) fn rests(&self) -> bool {
        self.gate == Gate::Closed || self.cut.is_some() && matches!(self.gate, Gate::Waits { .. })
    }

    /// Returns whether the next part is to be built.
    pub(super) fn passes_on(&self) -> bool {
        self.passing.is_some()
    }

    /// Returns whether something had to be thrown away since this was asked last.
    pub(super) fn has_overflown(&mut self) -> bool {
        std::mem::take(&mut self.overflows)
    }

    /// Returns whether there are markers that [`Feed::take_marks`] gives.
    pub(super) fn has_marks(&self) -> bool {
        !self.told.is_empty()
    }

    /// Gives the markers of this part whose time has come.
    pub(super) fn take_marks(&mut self) -> Vec<Mark> {
        std::mem::take(&mut self.told)
    }

    /// Returns how long this part is so far.
    pub(super) fn length(&self) -> Duration {
        let end = self.line.zip(self.seen).map_or(ClockTime::ZERO, |(line, seen)| match self.rests() {
            true => line.out(self.cut.unwrap_or(seen.1)),
            false => line.out(seen.1),
        });
        Duration::from_nanos(end.nseconds())
    }

    /// Hears as what the picture is encoded from now on.
    pub(super) fn encoded_as(&mut self, video: &VideoSettings) {
        self.looks_ahead = looks_ahead(video.fps);
        self.ends.encoded_as(video);
    }

    /// Leaves units out until the next keyframe.
    pub(super) fn skip(&mut self) {
        self.skipping = true;
    }

    /// Lets nothing pass that is of this time or later.
    pub(super) fn pause(&mut self, at: ClockTime) {
        self.gate = match self.gate {
            Gate::Open => Gate::Closes { at, then: None },
            // What lay between two pauses has not been encoded yet, and is left out.
            Gate::Closes { at, .. } => Gate::Closes { at, then: None },
            Gate::Waits { .. } | Gate::Closed => Gate::Closed,
        };
        if self.gate == Gate::Closed {
            self.sound.clear();
            self.settle_marks();
        }
    }

    /// Goes on with the first keyframe of this time or later.
    pub(super) fn resume(&mut self, from: ClockTime) {
        self.gate = match self.gate {
            Gate::Closed => Gate::Waits { from },
            Gate::Closes { at, then: None } => Gate::Closes { at, then: Some(from) },
            runs => runs,
        };
    }

    /// Takes a marker.
    pub(super) fn mark(&mut self, name: Arc<str>, at: ClockTime) {
        if self.marks.len() < MAX_MARKERS {
            self.marks.push_back((at, name));
        } else {
            // Only of a recording that has its most already, where another that runs beside it has not.
            warn!(%name, "a marker is lost: a recording has no more");
        }
        if self.gate == Gate::Closed && self.passing.is_none() {
            self.settle_marks();
        }
    }

    /// Takes an H.264 access unit, PTS and DTS in running time.
    pub(super) fn picture(&mut self, unit: &gst::Buffer) {
        if let Some(waiting) = &mut self.passing {
            waiting.push_back(Item::Picture(unit.clone()));
            self.overflows |= bounded(waiting, self.passed_on);
            return;
        }
        let Some((pts, dts)) = unit.pts().zip(unit.dts_or_pts()) else { return };
        let keyframe = is_keyframe(unit);
        // All pictures of before it have come: nothing between it and them is missing when it is left out.
        let is_newest = self.seen.is_none_or(|(newest, _)| pts > newest);
        match self.gate {
            Gate::Closed => return,
            Gate::Waits { from } => {
                if !keyframe || pts < from || !self.begin(pts, dts) {
                    return;
                }
            }
            Gate::Closes { at, then } if is_newest && pts >= at => {
                self.close(then);
                return;
            }
            Gate::Open if keyframe && is_newest && self.is_full(pts) => {
                self.pass_on(pts, unit);
                return;
            }
            Gate::Open | Gate::Closes { .. } => {}
        }
        if is_newest {
            self.seen = Some((pts, pts + unit.duration().filter(|time| !time.is_zero()).unwrap_or(PICTURE)));
        }
        if self.may_go(dts, keyframe) {
            self.last.0 = Some(dts);
            self.bytes.1 = if keyframe { 0 } else { self.bytes.1 };
            self.count(unit);
            let mut out = self.restamped(unit);
            if let Some(last) = self.sent.0
                && out.dts() <= Some(last)
            {
                out.make_mut().set_dts(last + ClockTime::NSECOND);
            }
            self.sent.0 = out.dts();
            self.ends.picture(unit, out);
        }
        self.release();
    }

    /// Takes a packet of sound and its caps, PTS in running time.
    pub(super) fn sound(&mut self, packet: &gst::Buffer, caps: &gst::Caps) {
        let Some(pts) = packet.pts() else { return };
        if let Some(before) = &mut self.before {
            if pts < before.cut {
                before.ends.sound(packet, caps, before.line.out(pts));
                return;
            }
            self.end_before();
        }
        if let Some(waiting) = &mut self.passing {
            if self.cut.is_some_and(|cut| pts >= cut) {
                waiting.push_back(Item::Sound(packet.clone(), caps.clone()));
                self.overflows |= bounded(waiting, self.passed_on);
                return;
            }
            self.send_sound(packet, caps);
            return;
        }
        if self.rests() && self.line.is_some() && self.cut.is_some_and(|cut| pts < cut) {
            self.send_sound(packet, caps);
            return;
        }
        if self.gate == Gate::Closed {
            return;
        }
        self.sound.push_back((packet.clone(), caps.clone()));
        let first = |sound: &VecDeque<(gst::Buffer, gst::Caps)>| sound.front().and_then(|(packet, _)| packet.pts());
        while first(&self.sound).is_some_and(|first| pts.saturating_sub(first) > self.looks_ahead) {
            self.sound.pop_front();
        }
        self.release();
    }

    /// Begins with this keyframe, or goes on with it after a pause; `false`: it is not the one to begin with.
    fn begin(&mut self, pts: ClockTime, dts: ClockTime) -> bool {
        match (self.line, self.cut) {
            (Some(line), Some(cut)) => {
                self.line = Some(Timeline { start: pts, base: line.out(cut) });
                // A packet that lies half before it is nearer than the next one.
                self.sound_from = pts.saturating_sub(PICTURE);
            }
            (_, cut) => {
                let first = self.sound.front().and_then(|(packet, _)| packet.pts());
                // Sound that begins after the picture would be taken for simultaneous by some. The next part's follows.
                if cut.is_none() && first.is_none_or(|first| first > dts) {
                    return false;
                }
                // A later part begins with its picture and the sound of that moment: fragmented MP4 lets each track
                // begin at zero.
                self.line = Some(Timeline { start: cut.unwrap_or(dts), base: ClockTime::ZERO });
                self.sound_from = cut.unwrap_or(dts).max(dts);
            }
        }
        (self.gate, self.cut, self.skipping) = (Gate::Open, None, false);
        true
    }

    /// Ends what passes where its newest picture ends.
    fn close(&mut self, then: Option<ClockTime>) {
        let Some((_, end)) = self.seen else { return };
        self.cut = Some(end);
        self.send_sound_before(end);
        self.gate = match then {
            Some(from) => Gate::Waits { from },
            None => Gate::Closed,
        };
        self.settle_marks();
        if then.is_none() {
            self.sound.clear();
        }
    }

    /// Ends this part before a keyframe, which is the next part's first.
    fn pass_on(&mut self, cut: ClockTime, keyframe: &gst::Buffer) {
        self.send_sound_before(cut);
        let (now, later) = std::mem::take(&mut self.marks).into_iter().partition(|(at, _)| *at < cut);
        self.marks = now;
        self.settle_marks();
        self.marks = later;
        let sound = std::mem::take(&mut self.sound).into_iter().map(|(packet, caps)| Item::Sound(packet, caps));
        self.cut = Some(cut);
        // The sound first: the picture waits for none.
        let waiting: VecDeque<Item> = sound.chain([Item::Picture(keyframe.clone())]).collect();
        self.passed_on = waiting.len();
        self.passing = Some(waiting);
    }

    /// Goes on into the next part's pipeline.
    pub(super) fn go_on(&mut self, ends: Box<dyn Ends>) {
        let Some(waiting) = self.passing.take() else { return };
        let ends = std::mem::replace(&mut self.ends, ends);
        if let Some((cut, line)) = self.cut.zip(self.line.take()) {
            self.before = Some(Before { ends, line, cut });
        }
        (self.sent, self.bytes, self.seen) = ((None, ClockTime::ZERO), (0, 0), None);
        // A pause that was asked for meanwhile closes this part.
        let gate = std::mem::replace(&mut self.gate, Gate::Waits { from: ClockTime::ZERO });
        let mut waiting = waiting.into_iter();
        for item in waiting.by_ref() {
            match item {
                Item::Sound(packet, caps) => self.sound(&packet, &caps),
                Item::Picture(unit) => {
                    self.picture(&unit);
                    break;
                }
            }
        }
        self.gate = match gate {
            Gate::Closes { then, .. } if self.line.is_none() => then.map_or(Gate::Closed, |from| Gate::Waits { from }),
            Gate::Open => self.gate,
            other => other,
        };
        for item in waiting {
            match item {
                Item::Sound(packet, caps) => self.sound(&packet, &caps),
                Item::Picture(unit) => self.picture(&unit),
            }
        }
    }

    /// Ends the part before, whether or not all of its sound has come.
    pub(super) fn end_before(&mut self) {
        if let Some(mut before) = self.before.take() {
            before.ends.finish();
        }
    }

    /// Ends all. What still waits for a picture of its time waits in vain.
    pub(super) fn end(&mut self) {
        self.end_before();
        if self.line.is_some() && !self.rests() {
            if let Some((_, end)) = self.seen {
                self.send_sound_before(end);
            }
            self.settle_marks();
        }
        self.ends.finish();
    }

    /// Returns whether the part is as large or as long as it is to be.
    fn is_full(&self, pts: ClockTime) -> bool {
        let passed = self.line.map_or(ClockTime::ZERO, |line| line.out(pts));
        match self.split {
            None => false,
            Some(Split::Seconds(seconds)) => passed + PICTURE / 2 >= ClockTime::from_seconds(seconds.into()),
            // Another such group of pictures would make it larger.
            Some(Split::Megabytes(megabytes)) => self.bytes.0 + self.bytes.1 > u64::from(megabytes) * 1_000_000,
        }
    }

    /// Returns whether a unit is pushed: the other end must take what it gets, and keyframes end what was left out.
    fn may_go(&mut self, dts: ClockTime, keyframe: bool) -> bool {
        let queued = self.ends.waiting();
        if queued > BACKLOG {
            (self.overflows, self.skipping) = (true, true);
        }
        if self.skipping && (!keyframe || queued > BACKLOG / 2) {
            return false;
        }
        self.skipping = self.last.0.is_some_and(|last| dts <= last);
        !self.skipping
    }

    /// Sends what has waited for the newest picture.
    fn release(&mut self) {
        let Some((newest, _)) = self.seen else { return };
        if !matches!(self.gate, Gate::Open | Gate::Closes { .. }) {
            return;
        }
        self.send_sound_before(newest);
        let line = self.line.unwrap_or_default();
        while self.marks.front().is_some_and(|(at, _)| *at <= newest) {
            if let Some((at, name)) = self.marks.pop_front() {
                self.tell(line.out(at).max(line.base), name);
            }
        }
    }

    fn send_sound_before(&mut self, end: ClockTime) {
        while self.sound.front().is_some_and(|(packet, _)| packet.pts() < Some(end)) {
            if let Some((packet, caps)) = self.sound.pop_front() {
                self.send_sound(&packet, &caps);
            }
        }
    }

    fn send_sound(&mut self, packet: &gst::Buffer, caps: &gst::Caps) {
        let Some((pts, line)) = packet.pts().zip(self.line) else { return };
        let (out, duration) = (line.out(pts), packet.duration().unwrap_or_default());
        let is_new = pts >= self.sound_from && self.last.1.is_none_or(|last| pts > last);
        // After a pause, what overlaps by more than half a packet with the sound of before has no place.
        let fits = out + duration / 2 >= self.sent.1;
        if !is_new || !fits || self.ends.sound_waiting() > BACKLOG {
            return;
        }
        self.last.1 = Some(pts);
        self.sent.1 = out + duration;
        self.count(packet);
        self.ends.sound(packet, caps, out);
    }

    /// Puts all markers that wait to where they belong in what is over.
    fn settle_marks(&mut self) {
        let Some(line) = self.line else { return };
        let end = self.cut.or(self.seen.map(|(_, end)| end)).unwrap_or_default();
        for (at, name) in std::mem::take(&mut self.marks) {
            self.tell(line.out(at.min(end)).max(line.base), name);
        }
    }

    fn tell(&mut self, at: ClockTime, name: Arc<str>) {
        self.told.push(Mark { name, at: Duration::from_nanos(at.nseconds()) });
    }

    fn count(&mut self, buffer: &gst::Buffer) {
        let bytes = buffer.size() as u64;
        self.bytes = (self.bytes.0 + bytes, self.bytes.1 + bytes);
    }

    fn restamped(&self, unit: &gst::Buffer) -> gst::Buffer {
        let line = self.line.unwrap_or_default();
        let mut out = unit.clone();
        let buffer = out.make_mut();
        buffer.set_pts(unit.pts().map(|pts| line.out(pts)));
        buffer.set_dts(unit.dts_or_pts().map(|dts| line.out(dts)));
        out
    }
}

fn is_keyframe(unit: &gst::Buffer) -> bool {
    !unit.flags().contains(gst::BufferFlags::DELTA_UNIT)
}

/// Returns how long after its frame a unit of so many a second comes at the latest, in running time.
fn looks_ahead(fps: u32) -> ClockTime {
    clock_time(encoder_patience(fps)) + LATER
}

/// Drops all where more has come than there may, beside so many that waited before; `true` when it did.
fn bounded(waiting: &mut VecDeque<Item>, before: usize) -> bool {
    /// As many items as come in four seconds at 60 pictures a second.
    const MOST: usize = 450;
    if waiting.len() <= before + MOST {
        return false;
    }
    waiting.clear();
    true
}

#[cfg(test)]
mod tests;
