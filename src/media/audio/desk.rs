//! The thread that ticks the mixer and encodes what it gives.

use std::{
    collections::HashMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use parking_lot::Mutex;
use tracing::{error, warn};

use super::{
    lips,
    loudness::Meter,
    mix::{Mixer, Sides},
};
use crate::media::{
    gst::{
        clock::media_clock,
        priority::{self, Role},
    },
    port::{Loudness, ParticipantId, PeerId, Sound},
};

const BLOCK: Duration = Duration::from_millis(20);

/// Time by which a block is stamped earlier than it is made.
const LEAD: Duration = Duration::from_micros(lips::LEAD as u64 * 1000 / 48);

/// While all that is heard is in the middle: Opus at 40 kbit/s mono is transparent for speech and good for music.
const BITRATE: i32 = 40_000;

/// While the sides differ.
const WIDE_BITRATE: i32 = 48_000;

/// Blocks of equal sides after which they are coded as one: 2 s, so that a pause of what is on one side changes
/// nothing.
const WIDE_HOLD_BLOCKS: u32 = 100;

/// Half of the range: no audible difference for voices, half of the CPU.
const COMPLEXITY: i32 = 5;

/// Loss that the in-band redundancy is made for, in percent.
const EXPECTED_LOSS: i32 = 10;

/// Ticks that may be caught up after a stall; more would only make listeners' buffers grow.
const CATCH_UP: u32 = 10;

/// The receiver of what the desk reports to its room. Called on its thread; must not block.
pub trait Listener: Send + Sync + 'static {
    /// Takes the whole mix as samples, left and right, for outputs; `pts` is the running time of the first one.
    fn block(&self, samples: &[[f32; 2]; 960], pts: Duration);
    /// Notes that someone began or stopped speaking.
    fn speaking(&self, participant: &ParticipantId, speaking: bool);
    /// Reports how loud the mix was, once a second while it is not silent.
    fn loudness(&self, loudness: Loudness);
    /// Takes the Opus packets of a block whose first sample is at running time `pts`: that of the whole mix, if
    /// somebody needs it, and those of listeners who would hear themselves in it.
    fn packets(&self, shared: Option<Packet>, own: Vec<(PeerId, Packet)>, pts: Duration);
}

/// An Opus packet of 20 ms.
pub type Packet = Arc<[u8]>;

/// The time when samples were captured, as far as it is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Captured {
    /// The running time of the first one.
    pub at: Option<Duration>,
    /// Time after its capture at which a picture of the same participant is seen; `None` without a picture.
    pub seen_after: Option<Duration>,
}

impl Captured {
    fn tell(self, mixer: &mut Mixer, strip: u32, count: usize) {
        if let Some(at) = self.at {
            mixer.captured(strip, in_samples(at) + count as i64, self.seen_after.map(in_samples));
        }
    }
}

/// Returns a time in samples at 48 kHz.
fn in_samples(time: Duration) -> i64 {
    i64::try_from(time.as_micros() * 48 / 1000).unwrap_or(i64::MAX)
}

#[derive(Debug)]
struct Ear {
    peer: PeerId,
    participant: Option<ParticipantId>,
}

struct Inner {
    mixer: Mixer,
    strips: HashMap<ParticipantId, u32>,
    next_strip: u32,
    ears: Vec<Ear>,
}

/// A room's sound desk. Dropping it ends the thread at its next block.
pub struct Desk {
    inner: Arc<Mutex<Inner>>,
    /// Between two blocks, in nanoseconds: the longest since it was asked for.
    gap: Arc<AtomicU64>,
    blocks: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk")
    }
}

impl Desk {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(room: &str, listener: Arc<dyn Listener>) -> std::io::Result<Self> {
        let inner = Inner { mixer: Mixer::new(), strips: HashMap::new(), next_strip: 0, ears: Vec::new() };
        let inner = Arc::new(Mutex::new(inner));
        let weak = Arc::downgrade(&inner);
        let gap = Arc::<AtomicU64>::default();
        let blocks = Arc::<AtomicU64>::default();
        let (gap_of, blocks_of) = (gap.clone(), blocks.clone());
        let encoders = HashMap::new();
        let ticker = Ticker { inner: weak, listener, encoders, shared: None, gap: gap_of, blocks: blocks_of };
        let thread = std::thread::Builder::new().name(format!("sound-{room}")).spawn(move || ticker.work())?;
        Ok(Self { inner, gap, blocks, thread })
    }

    /// Returns whether the thread has ended, which nobody asked it to: it panicked.
    pub fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Blocks mixed so far.
    pub fn blocks(&self) -> u64 {
        self.blocks.load(Ordering::Relaxed)
    }

    /// Returns the longest time between two blocks since this was asked for last: 20 ms when all is well.
    pub fn longest_gap(&self) -> Duration {
        Duration::from_nanos(self.gap.swap(0, Ordering::Relaxed))
    }

    /// Takes samples of a participant.
    pub fn push(&self, participant: &ParticipantId, samples: &[f32], captured: Captured) {
        self.with_strip(participant, |mixer, strip| {
            mixer.push(strip, samples);
            captured.tell(mixer, strip, samples.len());
        });
    }

    /// Takes as many samples of each side.
    pub fn push_stereo(&self, participant: &ParticipantId, left: &[f32], right: &[f32], captured: Captured) {
        self.with_strip(participant, |mixer, strip| {
            mixer.push_stereo(strip, left, right);
            captured.tell(mixer, strip, left.len());
        });
    }

    fn with_strip(&self, participant: &ParticipantId, act: impl FnOnce(&mut Mixer, u32)) {
        let mut inner = self.inner.lock();
        if let Some(strip) = inner.strips.get(participant).copied() {
            act(&mut inner.mixer, strip);
        }
    }

    /// Opens a participant's strip, and makes it if need be; its gain and place stay over reconnections.
    pub fn open(&self, participant: &ParticipantId) {
        let mut inner = self.inner.lock();
        if !inner.strips.contains_key(participant) {
            let strip = inner.next_strip;
            inner.next_strip += 1;
            if inner.mixer.add(strip) {
                inner.strips.insert(participant.clone(), strip);
            } else {
                warn!(%participant, "the mixer is full: this participant is not heard");
            }
        }
    }

    /// Forgets a participant.
    pub fn forget(&self, participant: &ParticipantId) {
        let mut inner = self.inner.lock();
        if let Some(strip) = inner.strips.remove(participant) {
            inner.mixer.remove(strip);
        }
    }

    /// Sets the linear gain, 0.0..=2.0, and the place between left (-1.0) and right (1.0).
    pub fn set_gain(&self, participant: &ParticipantId, gain: f32, pan: f32) {
        self.open(participant);
        self.with_strip(participant, |mixer, strip| {
            mixer.set_gain(strip, gain);
            mixer.set_pan(strip, pan);
        });
    }

    /// Plays a sound into the mix, once.
    pub fn play(&self, sound: Arc<Sound>) {
        self.inner.lock().mixer.tapes().play(sound);
    }

    /// Plays this music into the mix from now on.
    pub fn set_music(&self, music: Option<Arc<Sound>>) {
        self.inner.lock().mixer.tapes().set_music(music);
    }

    /// Has this peer hear, from now on, the room, without `participant`'s own voice.
    pub fn listen(&self, peer: PeerId, participant: Option<ParticipantId>) {
        self.inner.lock().ears.push(Ear { peer, participant });
    }

    /// Notes that this peer hears no more.
    pub fn unlisten(&self, peer: PeerId) {
        self.inner.lock().ears.retain(|ear| ear.peer != peer);
    }
}

struct Ticker {
    inner: Weak<Mutex<Inner>>,
    listener: Arc<dyn Listener>,
    shared: Option<Coder>,
    encoders: HashMap<u32, Coder>,
    gap: Arc<AtomicU64>,
    blocks: Arc<AtomicU64>,
}

/// The packets that one tick has to send, collected under the lock and sent after it.
#[derive(Default)]
struct Parcels {
    shared: Option<Packet>,
    own: Vec<(PeerId, Packet)>,
}

impl Ticker {
    fn work(mut self) {
        priority::take(Role::Sound);
        let mut last = None;
        let mut tick = media_clock().now();
        let mut parcels = Parcels::default();
        let mut news = Vec::new();
        let mut samples = [[0f32; 2]; 960];
        let mut meter = Meter::new().inspect_err(|error| error!(%error, "the loudness is not measured")).ok();
        loop {
            tick += BLOCK;
            let now = media_clock().now();
            if now < tick {
                std::thread::sleep(tick - now);
            } else if now > tick + BLOCK * CATCH_UP {
                warn!(behind = ?(now - tick), "sound stalled");
                tick = now;
            }
            {
                let Some(inner) = self.inner.upgrade() else { return };
                let mut inner = inner.lock();
                inner.mixer.keep_lips(in_samples(tick));
                self.tick(&mut inner, &mut parcels, &mut news, &mut samples);
            }
            let Parcels { shared, own } = std::mem::take(&mut parcels);
            if shared.is_some() || !own.is_empty() {
                self.listener.packets(shared, own, tick.saturating_sub(LEAD));
            }
            self.listener.block(&samples, tick.saturating_sub(LEAD));
            if let Some(loudness) = meter.as_mut().and_then(|meter| meter.take(&samples)) {
                self.listener.loudness(loudness);
            }
            self.blocks.fetch_add(1, Ordering::Relaxed);
            let now = media_clock().now();
            if let Some(last) = last.replace(now) {
                let gap = u64::try_from(now.saturating_sub(last).as_nanos()).unwrap_or(u64::MAX);
                self.gap.fetch_max(gap, Ordering::Relaxed);
            }
            for (participant, speaking) in news.drain(..) {
                self.listener.speaking(&participant, speaking);
            }
        }
    }

    fn tick(
        &mut self,
        inner: &mut Inner,
        parcels: &mut Parcels,
        news: &mut Vec<(ParticipantId, bool)>,
        samples: &mut [[f32; 2]; 960],
    ) {
        let Inner { mixer, strips, ears, .. } = inner;
        self.encoders.retain(|strip, _| strips.values().any(|known| known == strip));
        let block = mixer.tick();
        block.shared().interleave(samples);
        let mut needed = false;
        for ear in ears.iter() {
            let strip = ear.participant.as_ref().and_then(|participant| strips.get(participant)).copied();
            let own = strip.and_then(|strip| block.own(strip).map(|own| (strip, own)));
            match own {
                Some((strip, own)) => {
                    let slot = match self.encoders.entry(strip) {
                        std::collections::hash_map::Entry::Occupied(entry) => Some(entry.into_mut()),
                        std::collections::hash_map::Entry::Vacant(entry) => Coder::new().map(|made| entry.insert(made)),
                    };
                    let packet = slot.and_then(|coder| coder.encode(own));
                    parcels.own.extend(packet.map(|packet| (ear.peer, packet)));
                }
                None => needed = true,
            }
        }
        if needed {
            if self.shared.is_none() {
                self.shared = Coder::new();
            }
            parcels.shared = self.shared.as_mut().and_then(|coder| coder.encode(block.shared()));
        }
        for (strip, speaking) in block.speech_changes() {
            if let Some((participant, _)) = strips.iter().find(|(_, known)| **known == strip) {
                news.push((participant.clone(), speaking));
            }
        }
    }
}

/// An Opus encoder. It begins with one channel and gets two when they first differ: a room of people who talk costs no
/// more than one in mono. From then on it codes one of the two while both are the same.
struct Coder {
    encoder: opus::Encoder,
    is_stereo: bool,
    /// Blocks until equal sides are coded as one again; 0: they are.
    wide_for: u32,
}

impl Coder {
    fn new() -> Option<Self> {
        let encoder = logged(encoder(opus::Channels::Mono))?;
        Some(Self { encoder, is_stereo: false, wide_for: 0 })
    }

    fn encode(&mut self, block: Sides<'_>) -> Option<Packet> {
        let was_wide = self.wide_for > 0;
        self.wide_for = if block.differ() { WIDE_HOLD_BLOCKS } else { self.wide_for.saturating_sub(1) };
        let is_wide = self.wide_for > 0;
        if is_wide != was_wide {
            logged(self.widen(is_wide))?;
        }
        // RFC 6716: a frame of 20 ms is at most 1275 bytes.
        let mut packet = [0u8; 1275];
        let length = if self.is_stereo {
            let mut samples = [[0f32; 2]; 960];
            block.interleave(&mut samples);
            self.encoder.encode_float(samples.as_flattened(), &mut packet)
        } else {
            self.encoder.encode_float(block.left, &mut packet)
        };
        Some(Arc::from(&packet[..logged(length)?]))
    }

    /// Has the next packets carry two channels, or one.
    fn widen(&mut self, is_wide: bool) -> opus::Result<()> {
        if !self.is_stereo {
            self.encoder = encoder(opus::Channels::Stereo)?;
            self.is_stereo = true;
        }
        let (channels, bitrate) =
            if is_wide { (opus::Channels::Stereo, WIDE_BITRATE) } else { (opus::Channels::Mono, BITRATE) };
        self.encoder.set_force_channels(Some(channels))?;
        self.encoder.set_bitrate(opus::Bitrate::Bits(bitrate))
    }
}

fn encoder(channels: opus::Channels) -> opus::Result<opus::Encoder> {
    let mut encoder = opus::Encoder::new(48_000, channels, opus::Application::Voip)?;
    encoder.set_bitrate(opus::Bitrate::Bits(BITRATE))?;
    encoder.set_complexity(COMPLEXITY)?;
    encoder.set_inband_fec(true)?;
    encoder.set_packet_loss_perc(EXPECTED_LOSS)?;
    Ok(encoder)
}

fn logged<T>(result: opus::Result<T>) -> Option<T> {
    result.inspect_err(|error| error!(%error, "Opus")).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Codes a block of two tones and says whether its packet carries two channels (RFC 6716, 3.1), and its bytes.
    fn coded(coder: &mut Coder, at: usize, is_wide: bool) -> (bool, usize) {
        let tone = |hertz: f32| {
            let sample = |n: usize| ((at * 960 + n) as f32 * hertz * std::f32::consts::TAU / 48_000.0).sin() * 0.2;
            std::array::from_fn::<f32, 960, _>(sample)
        };
        let (left, right) = (tone(440.0), tone(1000.0));
        let packet = coder.encode(Sides { left: &left, right: if is_wide { &right } else { &left } }).unwrap();
        (packet[0] & 4 != 0, packet.len())
    }

    #[test]
    fn two_channels_are_coded_only_while_they_differ_and_a_little_longer() {
        let mut coder = Coder::new().unwrap();
        let before: Vec<(bool, usize)> = (0..50).map(|at| coded(&mut coder, at, false)).collect();
        assert!(before.iter().all(|(is_stereo, _)| !is_stereo) && !coder.is_stereo);
        let during: Vec<(bool, usize)> = (50..100).map(|at| coded(&mut coder, at, true)).collect();
        assert!(during.iter().all(|(is_stereo, _)| *is_stereo));
        let hold = WIDE_HOLD_BLOCKS as usize;
        let pause: Vec<(bool, usize)> = (100..99 + hold).map(|at| coded(&mut coder, at, false)).collect();
        assert!(pause.iter().all(|(is_stereo, _)| *is_stereo), "a pause changes nothing");
        // The encoder goes over to one channel within some packets.
        let after: Vec<(bool, usize)> =
            (110 + hold..160 + hold).map(|at| coded(&mut coder, at, false)).skip(10).collect();
        assert!(after.iter().all(|(is_stereo, _)| !is_stereo));
        let bytes = |packets: &[(bool, usize)]| packets.iter().map(|(_, bytes)| bytes).sum::<usize>() / packets.len();
        let (mono, again) = (bytes(&before[10..]), bytes(&after));
        assert!(again <= mono + mono / 10, "one channel takes {again} bytes where it took {mono}");
    }
}
