//! Addresses of outputs, as people write them, taken apart, and shown without their secrets. PURE.

pub mod rtmp;
pub mod srt;
pub mod whip;

pub use rtmp::RtmpAddress;
pub use srt::{SRT_CALLERS, SrtAddress};
pub use whip::WhipAddress;
