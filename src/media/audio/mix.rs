//! Mix-minus: one sum of everybody, and for each participant who can be heard that sum without themselves. PURE.
//!
//! ```text
//!  push ► strip ► gain, pan ► gate ─┬─► sum S ─► limit ─► shared    (for all who are not heard themselves, and viewers)
//!   each participant                └─► S - own ─► limit ─► own     (for each who is heard)
//! ```
//!
//! A participant is in the mix at all only while heard: the gate opens with a block above [`AUDIBLE_RMS`] and closes
//! 1 s after the last one. A listener who is outside the mix hears exactly S, so all of them can share one encoding.
//! The cost grows linearly with the participants, and [`Mixer::tick`] allocates nothing.
//!
//! Left and right are planes of their own. While all that is heard is in the middle, the right one is neither computed
//! nor looked at: people who talk cost what they cost in mono.

use super::{
    level::{Level, Speech},
    limiter::Limiter,
    lips::Lips,
    strip::{BLOCK, Counters, FADE, RING, Strip},
    tape::Tapes,
};

/// As many participants as a mixer takes.
pub const MAX_STRIPS: usize = 64;

/// Loudest gain: +6 dB.
pub const MAX_GAIN: f32 = 2.0;

/// A block whose RMS after gain is above this belongs into the mix: -60 dBFS, the residue of a browser's noise
/// suppression and no more.
const AUDIBLE_RMS: f32 = 0.001;

/// Blocks of 20 ms that the gate stays open after the last audible one: 1 s, so that a pause in speech neither cuts
/// breath and room tone nor moves the listener between the shared encoding and their own.
const AUDIBLE_HOLD_BLOCKS: u32 = 50;

/// Blocks that sound beside its picture waits for a pause to be moved in: 3 s, longer than people speak in one breath.
const PAUSE_PATIENCE_BLOCKS: u32 = 150;

/// Sides that are nowhere further apart than this are the same: -72 dB of full scale.
const HEARD_APART: f32 = 0.000_25;

/// Samples after which two strips that were given the same hold the same, whatever they held before.
const SAME: usize = 2 * RING;

/// The mixer of a room.
#[derive(Default)]
pub struct Mixer {
    channels: Vec<Channel>,
    tapes: Tapes,
    sum: Planes,
    limiter: Limiter,
    /// Whether the sides of the current block differ. Else the right planes hold nothing of it.
    is_wide: bool,
}

/// One block of samples on the heap, a plane for each side.
struct Planes {
    left: Box<[f32; BLOCK]>,
    right: Box<[f32; BLOCK]>,
}

impl Default for Planes {
    fn default() -> Self {
        Self { left: Box::new([0.0; BLOCK]), right: Box::new([0.0; BLOCK]) }
    }
}

impl Planes {
    fn sides(&self, is_wide: bool) -> Sides<'_> {
        Sides { left: &self.left, right: if is_wide { &self.right } else { &self.left } }
    }
}

/// A block of the mix, as planes. One and the same plane for both where they do not differ.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// The left side.
    pub left: &'a [f32; BLOCK],
    /// The right side.
    pub right: &'a [f32; BLOCK],
}

impl Sides<'_> {
    /// Returns whether the sides differ.
    pub fn is_wide(&self) -> bool {
        !std::ptr::eq(self.left, self.right)
    }

    /// Returns whether the sides differ by what could be heard. What rounding alone makes of equal ones is less.
    pub fn differ(&self) -> bool {
        self.is_wide()
            && self.left.iter().zip(self.right).fold(0.0, |most, (left, right)| (left - right).abs().max(most))
                > HEARD_APART
    }

    /// Writes left and right in turn, as encoders want them.
    pub fn interleave(&self, out: &mut [[f32; 2]; BLOCK]) {
        for ((out, left), right) in out.iter_mut().zip(self.left).zip(self.right) {
            *out = [*left, *right];
        }
    }
}

/// One participant in the mixer.
struct Channel {
    id: u32,
    /// The sound that they send, or its left side.
    strip: Strip,
    /// The right side of what they send, where that is not the same.
    right: Option<Strip>,
    lips: Lips,
    /// Blocks for which the sound should have been moved.
    apart: u32,
    /// Samples that both sides were given alike since they differed.
    alike: usize,
    volume: f32,
    pan: f32,
    /// Gain of each side at the end of the last block, and where the next block's ramp ends.
    gains: [f32; 2],
    gains_target: [f32; 2],
    /// Blocks until the gate closes; 0 is closed.
    hold: u32,
    /// Whether this participant is in the current block's sum.
    heard: bool,
    /// Whether the sides of `part` differ. Else the right one holds nothing of this block.
    is_wide: bool,
    level: Level,
    speech: Speech,
    speech_change: Option<bool>,
    /// This participant's share of the sum.
    part: Planes,
    /// The mix that this participant hears, when heard.
    own: Planes,
    limiter: Limiter,
}

impl Mixer {
    /// Creates a mixer of nobody. It ticks all the same: `shared` is silence.
    pub fn new() -> Self {
        Self { channels: Vec::with_capacity(MAX_STRIPS), ..Self::default() }
    }

    /// Adds a participant with gain 1.0. `false` when the mixer is full or has the id already; then nothing changes.
    pub fn add(&mut self, id: u32) -> bool {
        if self.channels.len() == MAX_STRIPS || self.strip(id).is_some() {
            return false;
        }
        self.channels.push(Channel::new(id));
        true
    }

    /// Removes a participant and everything known of them. An unknown id changes nothing.
    pub fn remove(&mut self, id: u32) {
        self.channels.retain(|channel| channel.id != id);
    }

    /// Returns what is played beside the participants.
    pub fn tapes(&mut self) -> &mut Tapes {
        &mut self.tapes
    }

    /// Returns a participant's FIFO.
    pub fn strip(&mut self, id: u32) -> Option<&mut Strip> {
        self.channel(id).map(|channel| &mut channel.strip)
    }

    /// Appends a participant's decoded samples, mono 48 kHz, any number. An unknown id changes nothing: sound may
    /// arrive just after its sender left.
    pub fn push(&mut self, id: u32, samples: &[f32]) {
        if let Some(channel) = self.channel(id) {
            channel.push(samples, samples, true);
        }
    }

    /// Appends as many samples of each side, likewise.
    pub fn push_stereo(&mut self, id: u32, left: &[f32], right: &[f32]) {
        let count = left.len().min(right.len());
        if let Some(channel) = self.channel(id) {
            channel.push(&left[..count], &right[..count], false);
        }
    }

    /// Takes when the last sample that was pushed was captured, and how long after its capture a picture of this
    /// participant is seen, both in samples: see [`Lips::came`].
    pub fn captured(&mut self, id: u32, at: i64, seen_after: Option<i64>) {
        if let Some(channel) = self.channel(id) {
            channel.lips.came(at, seen_after);
        }
    }

    /// Brings everybody's sound beside their picture, for a block that is taken at `now`.
    pub fn keep_lips(&mut self, now: i64) {
        self.channels.iter_mut().for_each(|channel| channel.keep_lips(now));
    }

    /// Sets how loud a participant is in the mix: linear, 0.0 (muted) to 2.0. Reached by the end of the next block, so
    /// without a click. What is outside is clamped; NaN changes nothing.
    pub fn set_gain(&mut self, id: u32, gain: f32) {
        if gain.is_nan() {
            return;
        }
        if let Some(channel) = self.channel(id) {
            channel.volume = gain.clamp(0.0, MAX_GAIN);
            channel.aim();
        }
    }

    /// Sets where a participant is heard: -1.0 (left) to 1.0 (right), likewise. They are equally loud everywhere; see
    /// [`gains_of`].
    pub fn set_pan(&mut self, id: u32, pan: f32) {
        if pan.is_nan() {
            return;
        }
        if let Some(channel) = self.channel(id) {
            channel.pan = pan.clamp(-1.0, 1.0);
            channel.aim();
        }
    }

    /// Mixes the next 20 ms.
    pub fn tick(&mut self) -> Tick<'_> {
        let mut is_wide = self.tapes.is_wide();
        for channel in &mut self.channels {
            let was_heard = channel.heard;
            channel.advance();
            is_wide |= channel.heard && channel.is_wide;
            if channel.heard && !was_heard {
                // Until now this listener heard the shared mix: go on from its gain.
                channel.limiter = self.limiter.clone();
            }
        }
        self.is_wide = is_wide;
        let (left, right) = (&mut *self.sum.left, &mut *self.sum.right);
        left.fill(0.0);
        if is_wide {
            right.fill(0.0);
        }
        for channel in self.channels.iter().filter(|channel| channel.heard) {
            let part = channel.part.sides(channel.is_wide);
            add(left, part.left);
            if is_wide {
                add(right, part.right);
            }
        }
        // Nobody's own: everybody hears them.
        self.tapes.add_to(left, is_wide.then_some(&mut *right));
        for channel in self.channels.iter_mut().filter(|channel| channel.heard) {
            let part = channel.part.sides(channel.is_wide);
            subtract(&mut channel.own.left, left, part.left);
            if is_wide {
                subtract(&mut channel.own.right, right, part.right);
                channel.limiter.process_pair(&mut *channel.own.left, &mut *channel.own.right);
            } else {
                channel.limiter.process(&mut *channel.own.left);
            }
        }
        match is_wide {
            true => self.limiter.process_pair(left, right),
            false => self.limiter.process(left),
        }
        Tick { mixer: self }
    }

    fn channel(&mut self, id: u32) -> Option<&mut Channel> {
        self.channels.iter_mut().find(|channel| channel.id == id)
    }
}

/// The result of one [`Mixer::tick`].
pub struct Tick<'a> {
    mixer: &'a Mixer,
}

impl<'a> Tick<'a> {
    /// Returns the mix of everybody, for listeners who are not heard in it. No sample is above 0.99.
    pub fn shared(&self) -> Sides<'a> {
        self.mixer.sum.sides(self.mixer.is_wide)
    }

    /// Returns the mix without this participant; `None` for one who is not heard or not known: they listen to the
    /// shared one.
    pub fn own(&self, id: u32) -> Option<Sides<'a>> {
        let channel = self.find(id).filter(|channel| channel.heard)?;
        Some(channel.own.sides(self.mixer.is_wide))
    }

    /// Returns how loud a participant's block was before gain; `None` for an unknown id.
    pub fn level(&self, id: u32) -> Option<Level> {
        self.find(id).map(|channel| channel.level)
    }

    /// Returns whether a participant speaks; never while muted.
    pub fn speaking(&self, id: u32) -> bool {
        self.find(id).is_some_and(|channel| channel.speech.speaking())
    }

    /// Returns who began (`true`) or stopped (`false`) speaking with this block.
    pub fn speech_changes(&self) -> impl Iterator<Item = (u32, bool)> + 'a {
        self.mixer.channels.iter().filter_map(|channel| channel.speech_change.map(|now| (channel.id, now)))
    }

    /// Returns the state of a participant's FIFO; `None` for an unknown id.
    pub fn counters(&self, id: u32) -> Option<Counters> {
        self.find(id).map(|channel| channel.strip.counters())
    }

    fn find(&self, id: u32) -> Option<&'a Channel> {
        self.mixer.channels.iter().find(|channel| channel.id == id)
    }
}

/// Returns the gain of each side at a place between left (-1.0) and right (1.0), and this volume. In the middle it is
/// the volume itself; towards a side the power of both together stays the same, so that nobody becomes louder or softer
/// by being placed.
fn gains_of(volume: f32, pan: f32) -> [f32; 2] {
    if pan == 0.0 {
        return [volume; 2];
    }
    let (right, left) = ((pan + 1.0) * std::f32::consts::FRAC_PI_4).sin_cos();
    // The cosine of a right angle is a little off zero.
    [left, right].map(|side| side.max(0.0) * std::f32::consts::SQRT_2 * volume)
}

fn add(sum: &mut [f32; BLOCK], part: &[f32; BLOCK]) {
    sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
}

fn subtract(own: &mut [f32; BLOCK], sum: &[f32; BLOCK], part: &[f32; BLOCK]) {
    own.iter_mut().zip(sum).zip(part).for_each(|((own, sum), part)| *own = sum - part);
}

impl Channel {
    fn new(id: u32) -> Self {
        Self {
            id,
            strip: Strip::new(),
            right: None,
            lips: Lips::default(),
            apart: 0,
            alike: 0,
            volume: 1.0,
            pan: 0.0,
            gains: [1.0; 2],
            gains_target: [1.0; 2],
            hold: 0,
            heard: false,
            is_wide: false,
            level: Level::default(),
            speech: Speech::default(),
            speech_change: None,
            part: Planes::default(),
            own: Planes::default(),
            limiter: Limiter::default(),
        }
    }

    fn push(&mut self, left: &[f32], right: &[f32], is_mono: bool) {
        match (&mut self.right, is_mono) {
            (None, true) => {}
            (None, false) => {
                // Until now both sides were the same. What a strip does depends on how much it is given and when, so
                // two that are alike stay in step.
                let mut strip = self.strip.clone();
                strip.push(right);
                (self.right, self.alike) = (Some(strip), 0);
            }
            (Some(strip), _) => {
                strip.push(right);
                self.alike = if is_mono { self.alike + right.len() } else { 0 };
                if self.alike > SAME {
                    self.right = None;
                }
            }
        }
        self.strip.push(left);
    }

    /// Has the next block go to the volume and the place that are wanted.
    fn aim(&mut self) {
        self.gains_target = gains_of(self.volume, self.pan);
    }

    /// See [`Mixer::keep_lips`]. In a pause nobody hears that some is left out or comes twice, so one is waited for.
    fn keep_lips(&mut self, now: i64) {
        let Some(order) = self.lips.look(now, self.strip.waiting()) else {
            self.apart = 0;
            return;
        };
        self.apart += 1;
        if self.level.rms > AUDIBLE_RMS && self.apart < PAUSE_PATIENCE_BLOCKS {
            return;
        }
        self.strip.shift(order);
        if let Some(right) = &mut self.right {
            right.shift(order);
        }
        self.lips.moved();
    }

    /// Takes the next block from the strip and makes of it what goes into the sum.
    fn advance(&mut self) {
        let (left, right) = (&mut *self.part.left, &mut *self.part.right);
        self.level = if self.strip.pull(left) { Level::of(left) } else { Level::default() };
        if let Some(strip) = &mut self.right
            && strip.pull(right)
        {
            self.level = self.level.max(Level::of(right));
        }
        // Muted is not speaking, however loud the microphone is.
        let speech_level = if self.volume > 0.0 { self.level } else { Level::default() };
        self.speech_change = self.speech.update(speech_level);

        let (from, to) = (self.gains, self.gains_target);
        self.gains = to;
        let was_open = self.hold > 0;
        let loudest = from.into_iter().chain(to).fold(0.0, f32::max);
        if self.level.scaled(loudest).rms > AUDIBLE_RMS {
            self.hold = AUDIBLE_HOLD_BLOCKS + 1;
        }
        self.hold = self.hold.saturating_sub(1);
        let open = self.hold > 0;
        self.heard = open || was_open;
        if !self.heard {
            return;
        }
        self.is_wide = self.right.is_some() || from[0] != from[1] || to[0] != to[1];
        if self.is_wide && self.right.is_none() {
            right.copy_from_slice(left);
        }
        for (side, plane) in [left, right].into_iter().enumerate().take(if self.is_wide { 2 } else { 1 }) {
            scale(plane, from[side], to[side]);
            gate(plane, was_open, open);
        }
    }
}

/// Goes from one gain to another within the block.
fn scale(part: &mut [f32; BLOCK], from: f32, to: f32) {
    if from != to {
        for (i, sample) in part.iter_mut().enumerate() {
            *sample *= from + (to - from) * ((i + 1) as f32 / BLOCK as f32);
        }
    } else if to != 1.0 {
        part.iter_mut().for_each(|sample| *sample *= to);
    }
}

/// Fades in while the gate opens, and out while it closes.
fn gate(part: &mut [f32; BLOCK], was_open: bool, open: bool) {
    if open && !was_open {
        for (i, sample) in part[..FADE].iter_mut().enumerate() {
            *sample *= (i + 1) as f32 / FADE as f32;
        }
    } else if was_open && !open {
        for (i, sample) in part[..FADE].iter_mut().enumerate() {
            *sample *= 1.0 - (i + 1) as f32 / FADE as f32;
        }
        part[FADE..].fill(0.0);
    }
}

#[cfg(test)]
mod tests;
