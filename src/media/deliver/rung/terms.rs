//! Input and output of choosing a rung. PURE.

use std::time::Duration;

use crate::media::codec::Rendition;

/// The estimate that the estimator starts again from, in percent of the present picture's need.
const ASSUMED: u64 = 115;

/// The step that a receiver gets. In order, what needs more comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rung {
    /// Sound and this picture.
    Video(Rendition),
    /// Sound alone.
    SoundOnly,
}

/// The reason why a receiver has its present rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Nothing has asked for less yet.
    Start,
    /// The line carries no more, by its estimate or its queue.
    Network,
    /// Too much is lost.
    Loss,
    /// The player shows no more.
    Player,
    /// The page is not visible.
    Hidden,
    /// The viewer asked the browser to save data.
    SaveData,
    /// The decoder drops frames.
    Decoder,
    /// The viewer fixed it.
    Fixed,
    /// The line was worse before.
    Recovered,
}

impl Reason {
    /// Names it as the API shows it; these words do not change.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Network => "slow network",
            Self::Loss => "loss",
            Self::Player => "small player",
            Self::Hidden => "hidden",
            Self::SaveData => "save data",
            Self::Decoder => "slow decoder",
            Self::Fixed => "fixed",
            Self::Recovered => "recovered",
        }
    }
}

/// The needs and sizes of a room's rungs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ladder {
    /// Each rendition's bit/s on the wire, without the sound, by index.
    pub bitrate: [u32; 3],
    /// Each rendition's height in pixels, by index.
    pub height: [u32; 3],
    /// The sound's bit/s on the wire.
    pub sound: u32,
}

impl Ladder {
    /// Adds up what a picture and the sound need, in bit/s.
    pub fn need(&self, rendition: Rendition) -> u64 {
        u64::from(self.bitrate[rendition.index()]) + u64::from(self.sound)
    }

    /// Works out what the estimator starts again from while this picture is sent, in bit/s.
    pub(super) fn assumed(&self, present: Rendition) -> u64 {
        percent(self.need(present), ASSUMED)
    }

    /// Finds the smallest rendition that fills a player of this many pixels in height, enlarged by up to 10 %.
    pub(super) fn filling(&self, height: u32) -> Rendition {
        let fills = |rendition: &Rendition| u64::from(self.height[rendition.index()]) * 11 >= u64::from(height) * 10;
        Rendition::ALL.into_iter().rev().find(fills).unwrap_or(Rendition::Full)
    }
}

/// The facts that are known of a receiver's line.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LinkSample {
    /// Bit/s that the congestion control takes the line to carry; `None` without transport-wide feedback.
    pub estimate: Option<u64>,
    /// The same at this moment, by which packets are paced; `estimate` is an average over the last seconds.
    pub pace: Option<u64>,
    /// Share of packets lost over the last report, from 0 to 1. What is no number counts as 0.
    pub loss: f32,
    /// Round trip time. While it is unknown, a low estimate is believed whatever the loss.
    pub round_trip: Option<Duration>,
    /// Round trip that the connection's own checks found, before anything was sent that could queue.
    pub checked: Option<Duration>,
    /// Age of the oldest packet that waits in the pacer.
    pub queued: Duration,
    /// Bit/s sent over the last half second or so, of everything.
    pub sending: u64,
}

/// The facts that are known of a receiver's player.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct View {
    /// Its height in device pixels.
    pub height: Option<u32>,
    /// Whether its page is hidden.
    pub hidden: bool,
    /// Whether the browser was asked to save data.
    pub save_data: bool,
    /// Share of frames dropped in decoding, from 0 to 1. What is no number counts as 0.
    pub dropped: f32,
}

/// The rendition that the viewer asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenditionChoice {
    /// Whatever fits.
    Auto,
    /// This picture always, or sound alone for a line that does not carry even the sound and 30 % of it for a second:
    /// that much of a picture is a slide show, and costs the sound. It returns when the line carries half of it.
    Fixed(Rendition),
}

/// The decision about what a receiver gets now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The rung.
    pub rung: Rung,
    /// Reason for this one.
    pub reason: Reason,
    /// Bit/s to probe for: half as much again as what the next rung needs while a larger one is wanted, else what the
    /// present rung needs.
    pub desired: u64,
    /// Bit/s that padding shall fill up to, to try out whether the line carries the next picture; 0: none.
    pub minimum: u64,
    /// Whether a keyframe had better wait a moment for the line to drain.
    pub holds: bool,
    /// Whether the picture's packets had better wait for the next looks: the line may be full to the brim.
    pub waits: bool,
    /// Bit/s that the estimator shall start again from: after a trial that filled the line it would take the line for
    /// ever narrower while that drains, and after a false alarm for long.
    pub assume: Option<u64>,
}

/// Returns so many percent of `bits`.
pub(super) fn percent(bits: u64, share: u64) -> u64 {
    bits.saturating_mul(share) / 100
}
