//! The parts of GStreamer that the element shares with the program's other stages: one clock for all pipelines, which
//! threads come first, and what was found in a frame, travelling with it.

pub mod clock;
pub mod priority;
pub mod segmented;
