//! The terms of outputs, which control and media share: their addresses, settings and states, and the files that they
//! leave beside recordings. PURE.

pub mod address;
pub mod hls;
pub mod notes;
mod secrets;
pub mod settings;
pub mod terms;
