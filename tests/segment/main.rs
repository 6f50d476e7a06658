//! `virfie segment` as a program: pictures and videos in, files, lines and exit codes out.
//!
//! - `program`: runs it. `made`: a network of one layer that takes red for a person, and pictures and videos for it.
//! - `pictures`, `videos`, `refusals`: what is asked of it. `people`: with a real model and real clips, where
//!   `../shared/data` has them.

#![allow(clippy::unwrap_used, missing_docs)]

mod made;
mod people;
mod pictures;
mod program;
mod refusals;
mod videos;
