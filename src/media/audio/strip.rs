//! One participant's incoming sound: a FIFO between a network that brings samples when it likes and a mixer that
//! takes 20 ms every 20 ms. PURE; allocates only at its creation.
//!
//! It starts to play when [`TARGET_BLOCKS`] are there, or more of a sender whose picture takes longer. When they run
//! out, the sound fades and it gathers again. When there are too many for too long (the sender's clock is faster than
//! ours, or a burst came after a stall), the oldest are left out with a short crossfade, so that the delay stays small.
//! A clock that is 200 ppm off needs one such repair every minute or more.

/// Samples per second.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples in a block: 20 ms, the frame of the Opus encodings.
pub const BLOCK: usize = 960;

/// Number of blocks that are gathered before the sound starts: 40 ms rides out the jitter of a usual network.
pub const TARGET_BLOCKS: usize = 2;

/// This many blocks more than shall wait are too late for a conversation, if it lasts.
const HIGH_BLOCKS: usize = 4;

/// Number of blocks in a row that must find too many: 500 ms. A shorter burst is played off by itself.
const HIGH_PATIENCE: u32 = 25;

/// The most that a picture is waited for: 300 ms.
const MOST_TARGET: usize = 15 * BLOCK;

/// This many blocks at once are cut without patience: half a second late is an echo, not a conversation.
const FLOOD_BLOCKS: usize = 25;

/// Length of all fades: 5 ms is too short to hear as a fade and long enough not to click.
pub(super) const FADE: usize = 240;

/// Size of the ring: a power of two above [`FLOOD_BLOCKS`], 683 ms.
pub(super) const RING: usize = 1 << 15;

/// Samples above this are a decoder's garbage, 12 dB over full scale; they and NaN count as silence, as one of them
/// would spoil everybody's mix.
const SANE: f32 = 4.0;

/// The counts of what went wrong so far, and the amount that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Samples left out because too many had come.
    pub dropped: u64,
    /// Number of times that the sound ran out while playing.
    pub underruns: u64,
    /// Samples waiting now.
    pub waiting: usize,
}

/// The move that a strip is asked to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// By how much the sound comes later, or earlier if that is below zero.
    pub later: i64,
    /// Samples that wait then, on the average.
    pub waiting: usize,
}

/// The FIFO of one participant, or of one side of theirs, f32 at 48 kHz.
#[derive(Clone)]
pub struct Strip {
    ring: Box<[f32; RING]>,
    /// Samples ever written and ever taken; their difference is what waits.
    written: u64,
    taken: u64,
    playing: bool,
    /// Number of samples that shall wait before a block is taken.
    target: usize,
    /// The last samples that were played, to fade from when nothing follows.
    history: [f32; FADE],
    /// The samples that would have been played next before a cut, to fade from; meaningful while `tail_pending`.
    tail: [f32; FADE],
    tail_pending: bool,
    high_for: u32,
    dropped: u64,
    underruns: u64,
}

impl Default for Strip {
    fn default() -> Self {
        Self::new()
    }
}

impl Strip {
    /// Creates an empty strip: 128 KiB, all that it ever needs.
    pub fn new() -> Self {
        Self {
            ring: Box::new([0.0; RING]),
            written: 0,
            taken: 0,
            playing: false,
            target: TARGET_BLOCKS * BLOCK,
            history: [0.0; FADE],
            tail: [0.0; FADE],
            tail_pending: false,
            high_for: 0,
            dropped: 0,
            underruns: 0,
        }
    }

    /// Appends samples, any number at a time. Whatever does not fit pushes the oldest out.
    pub fn push(&mut self, samples: &[f32]) {
        // Of more than a ring only the newest can survive; the others are counted as dropped by the cut below.
        let lost = samples.len().saturating_sub(RING);
        let samples = &samples[lost..];
        if lost > 0 {
            self.cut(self.waiting());
            self.dropped += lost as u64;
        }
        let excess = (self.waiting() + samples.len()).saturating_sub(RING);
        if excess > 0 {
            self.cut(excess);
        }
        let at = self.written as usize % RING;
        let first = samples.len().min(RING - at);
        copy_sane(&mut self.ring[at..at + first], &samples[..first]);
        copy_sane(&mut self.ring[..samples.len() - first], &samples[first..]);
        self.written += samples.len() as u64;
    }

    /// Takes the next 20 ms. `false` when there is nothing to play: then `block` is silence.
    pub fn pull(&mut self, block: &mut [f32; BLOCK]) -> bool {
        self.shorten();
        let fade_in = !self.playing;
        if fade_in {
            if self.waiting() < self.target {
                block.fill(0.0);
                return false;
            }
            self.playing = true;
        }
        let count = self.waiting().min(BLOCK);
        self.peek(&mut block[..count]);
        self.taken += count as u64;
        if self.tail_pending && !fade_in {
            for (i, (new, old)) in block.iter_mut().zip(&self.tail).enumerate().take(count.min(FADE)) {
                let up = (i + 1) as f32 / FADE as f32;
                *new = *new * up + old * (1.0 - up);
            }
        }
        self.tail_pending = false;
        if fade_in {
            for (i, sample) in block[..FADE].iter_mut().enumerate() {
                *sample *= (i + 1) as f32 / FADE as f32;
            }
        }
        if count < BLOCK {
            self.run_out(block, count);
        }
        self.history.copy_from_slice(&block[BLOCK - FADE..]);
        true
    }

    /// Returns what went wrong so far, and how much waits.
    pub fn counters(&self) -> Counters {
        Counters { dropped: self.dropped, underruns: self.underruns, waiting: self.waiting() }
    }

    /// Has what follows come later, or earlier, as far as that is possible: some is heard twice, or not at all.
    pub fn shift(&mut self, order: Move) {
        self.target = order.waiting.clamp(TARGET_BLOCKS * BLOCK, MOST_TARGET);
        let waiting = self.waiting();
        let wanted = waiting.saturating_add_signed(order.later as isize).min(MOST_TARGET.max(waiting));
        if self.playing && wanted != waiting {
            self.keep_tail();
            // Behind what is played lies what was played last, as much as the ring holds.
            let again = wanted.saturating_sub(waiting).min(self.taken as usize).min(RING - waiting);
            self.taken -= again as u64;
            self.taken += waiting.saturating_sub(wanted) as u64;
        }
    }

    /// Returns samples that wait.
    pub fn waiting(&self) -> usize {
        (self.written - self.taken) as usize
    }

    /// Copies the oldest waiting samples; `out` must not be longer than what waits.
    fn peek(&self, out: &mut [f32]) {
        let at = self.taken as usize % RING;
        let first = out.len().min(RING - at);
        let second = out.len() - first;
        out[..first].copy_from_slice(&self.ring[at..at + first]);
        out[first..].copy_from_slice(&self.ring[..second]);
    }

    /// Leaves out the oldest `count` waiting samples; the next block fades over from them.
    fn cut(&mut self, count: usize) {
        self.keep_tail();
        self.taken += count as u64;
        self.dropped += count as u64;
    }

    /// Keeps what would be played next, for the next block to fade over from.
    fn keep_tail(&mut self) {
        if self.playing && !self.tail_pending {
            let mut tail = [0.0; FADE];
            let there = self.waiting().min(FADE);
            self.peek(&mut tail[..there]);
            if there < FADE {
                // Nothing more was known at the time: fall silent smoothly from the last known sample.
                let last = if there > 0 { tail[there - 1] } else { self.history[FADE - 1] };
                for (i, sample) in tail[there..].iter_mut().enumerate() {
                    *sample = last * (1.0 - (i + 1) as f32 / (FADE - there) as f32);
                }
            }
            self.tail = tail;
            self.tail_pending = true;
        }
    }

    /// Brings the delay back to the target when it was too long for too long.
    fn shorten(&mut self) {
        let waiting = self.waiting();
        self.high_for = if waiting > self.target + HIGH_BLOCKS * BLOCK { self.high_for + 1 } else { 0 };
        if self.high_for > HIGH_PATIENCE || waiting > FLOOD_BLOCKS * BLOCK {
            self.cut(waiting - self.target);
            self.high_for = 0;
        }
    }

    /// Ends the sound within this block, of which only the first `count` samples came.
    fn run_out(&mut self, block: &mut [f32; BLOCK], count: usize) {
        // The missing samples are the last ones mirrored in time, which joins without a step.
        let start = count.min(BLOCK - FADE);
        for i in count..start + FADE {
            let back = 2 * count as isize - 1 - i as isize;
            block[i] =
                if back >= 0 { block[back as usize] } else { self.history[(FADE as isize + back).max(0) as usize] };
        }
        for (i, sample) in block[start..start + FADE].iter_mut().enumerate() {
            *sample *= 1.0 - (i + 1) as f32 / FADE as f32;
        }
        block[start + FADE..].fill(0.0);
        self.playing = false;
        self.underruns += 1;
    }
}

fn copy_sane(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = if from.abs() <= SANE { *from } else { 0.0 };
    }
}

#[cfg(test)]
mod tests;
