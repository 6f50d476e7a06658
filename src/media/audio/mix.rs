//! Mix-minus: one sum of everybody, and for each participant who can be heard that sum without themselves. PURE.
//!
//! ```text
//!  push ► strip ► gain ► gate ─┬─► sum S ─► limit ─► shared    (for all who are not heard themselves, and viewers)
//!   each participant           └─► S - own ─► limit ─► own     (for each who is heard)
//! ```
//!
//! A participant is in the mix at all only while heard: the gate opens with a block above [`AUDIBLE_RMS`] and closes
//! 1 s after the last one. Whoever is outside the mix hears exactly S, so all of them can share one encoding.
//! The cost grows linearly with the participants, and [`Mixer::tick`] allocates nothing.

use super::{
    level::{Level, Speech},
    limiter::Limiter,
    strip::{BLOCK, Counters, FADE, Strip},
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

/// The mixer of a room.
#[derive(Default)]
pub struct Mixer {
    channels: Vec<Channel>,
    tapes: Tapes,
    sum: Buffer,
    limiter: Limiter,
}

/// One block of samples on the heap.
struct Buffer(Box<[f32; BLOCK]>);

impl Default for Buffer {
    fn default() -> Self {
        Self(Box::new([0.0; BLOCK]))
    }
}

/// One participant in the mixer.
struct Channel {
    id: u32,
    strip: Strip,
    /// Gain at the end of the last block, and where the next block's ramp ends.
    gain: f32,
    gain_target: f32,
    /// Blocks until the gate closes; 0 is closed.
    hold: u32,
    /// Whether this participant is in the current block's sum.
    heard: bool,
    level: Level,
    speech: Speech,
    speech_change: Option<bool>,
    /// What this participant adds to the sum.
    part: Buffer,
    /// What this participant hears, when heard.
    own: Buffer,
    limiter: Limiter,
}

impl Mixer {
    /// A mixer of nobody. It ticks all the same: `shared` is silence.
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

    /// What is played beside the participants.
    pub fn tapes(&mut self) -> &mut Tapes {
        &mut self.tapes
    }

    /// A participant's FIFO.
    pub fn strip(&mut self, id: u32) -> Option<&mut Strip> {
        self.channel(id).map(|channel| &mut channel.strip)
    }

    /// Appends a participant's decoded samples, mono 48 kHz, any number. An unknown id changes nothing: sound may
    /// arrive just after its sender left.
    pub fn push(&mut self, id: u32, samples: &[f32]) {
        if let Some(strip) = self.strip(id) {
            strip.push(samples);
        }
    }

    /// How loud a participant is in the mix: linear, 0.0 (muted) to 2.0. Reached by the end of the next block, so
    /// without a click. What is outside is clamped; NaN changes nothing.
    pub fn set_gain(&mut self, id: u32, gain: f32) {
        if gain.is_nan() {
            return;
        }
        if let Some(channel) = self.channel(id) {
            channel.gain_target = gain.clamp(0.0, MAX_GAIN);
        }
    }

    /// Mixes the next 20 ms.
    pub fn tick(&mut self) -> Tick<'_> {
        let sum = &mut *self.sum.0;
        sum.fill(0.0);
        for channel in &mut self.channels {
            let was_heard = channel.heard;
            channel.advance();
            if channel.heard {
                for (sum, part) in sum.iter_mut().zip(channel.part.0.iter()) {
                    *sum += part;
                }
                if !was_heard {
                    // Until now this listener heard the shared mix: go on from its gain.
                    channel.limiter = self.limiter.clone();
                }
            }
        }
        // Nobody's own: everybody hears them.
        self.tapes.add_to(sum);
        for channel in self.channels.iter_mut().filter(|channel| channel.heard) {
            let own = &mut *channel.own.0;
            for ((own, sum), part) in own.iter_mut().zip(sum.iter()).zip(channel.part.0.iter()) {
                *own = sum - part;
            }
            channel.limiter.process(own);
        }
        self.limiter.process(sum);
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
    /// The mix of everybody, for whoever is not heard in it. No sample is above 0.99.
    pub fn shared(&self) -> &'a [f32; BLOCK] {
        &self.mixer.sum.0
    }

    /// The mix without this participant; `None` for whoever is not heard or not known: they listen to the shared one.
    pub fn own(&self, id: u32) -> Option<&'a [f32; BLOCK]> {
        self.find(id).filter(|channel| channel.heard).map(|channel| &*channel.own.0)
    }

    /// How loud a participant's block was before gain; `None` for an unknown id.
    pub fn level(&self, id: u32) -> Option<Level> {
        self.find(id).map(|channel| channel.level)
    }

    /// Whether a participant speaks; never while muted.
    pub fn speaking(&self, id: u32) -> bool {
        self.find(id).is_some_and(|channel| channel.speech.speaking())
    }

    /// Who began (`true`) or ceased (`false`) to speak with this block.
    pub fn speech_changes(&self) -> impl Iterator<Item = (u32, bool)> + 'a {
        self.mixer.channels.iter().filter_map(|channel| channel.speech_change.map(|now| (channel.id, now)))
    }

    /// The state of a participant's FIFO; `None` for an unknown id.
    pub fn counters(&self, id: u32) -> Option<Counters> {
        self.find(id).map(|channel| channel.strip.counters())
    }

    fn find(&self, id: u32) -> Option<&'a Channel> {
        self.mixer.channels.iter().find(|channel| channel.id == id)
    }
}

impl Channel {
    fn new(id: u32) -> Self {
        Self {
            id,
            strip: Strip::new(),
            gain: 1.0,
            gain_target: 1.0,
            hold: 0,
            heard: false,
            level: Level::default(),
            speech: Speech::default(),
            speech_change: None,
            part: Buffer::default(),
            own: Buffer::default(),
            limiter: Limiter::default(),
        }
    }

    /// Takes the next block from the strip and makes of it what goes into the sum.
    fn advance(&mut self) {
        let part = &mut *self.part.0;
        let played = self.strip.pull(part);
        self.level = if played { Level::of(part) } else { Level::default() };
        // Muted is not speaking, however loud the microphone is.
        let speech_level = if self.gain_target > 0.0 { self.level } else { Level::default() };
        self.speech_change = self.speech.update(speech_level);

        let (from, to) = (self.gain, self.gain_target);
        self.gain = to;
        let was_open = self.hold > 0;
        if self.level.scaled(from.max(to)).rms > AUDIBLE_RMS {
            self.hold = AUDIBLE_HOLD_BLOCKS + 1;
        }
        self.hold = self.hold.saturating_sub(1);
        let open = self.hold > 0;
        self.heard = open || was_open;
        if !self.heard {
            return;
        }
        if from != to {
            for (i, sample) in part.iter_mut().enumerate() {
                *sample *= from + (to - from) * ((i + 1) as f32 / BLOCK as f32);
            }
        } else if to != 1.0 {
            part.iter_mut().for_each(|sample| *sample *= to);
        }
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
}

#[cfg(test)]
mod tests;
