//! One target of `tests/fuzz` under libFuzzer: that of this program's name. Each program of `Cargo.toml` is made of this
//! file.

#![no_main]

#[path = "../targets.rs"]
mod targets;

use libfuzzer_sys::{Corpus, fuzz_target};
use targets::TARGETS;

fuzz_target!(|input: &[u8]| -> Corpus {
    let target = TARGETS.iter().find(|target| target.name == env!("CARGO_BIN_NAME"));
    let read = target.expect("each program has the name of a target").read;
    // What is refused teaches as much as what is taken.
    let _ = read(input);
    Corpus::Keep
});
