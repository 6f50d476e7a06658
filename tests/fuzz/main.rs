//! Everything that strangers write, changed at random from a seed: nothing of it may panic, and what is taken must hold
//! what its reader promises.
//!
//! `VIRFIE_FUZZ_ROUNDS=1000000` for a long run by hand, `VIRFIE_FUZZ_SEED=7` for other inputs. A failure names seed,
//! target and round, and writes its input out. `libfuzzer` has the same targets for a fuzzer that sees what they execute;
//! `VIRFIE_FUZZ_CORPUS=FOLDER` leaves the seeds as files for it.

#![allow(clippy::unwrap_used, missing_docs)]

mod changer;
mod targets;

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
};

use changer::Changer;
use targets::{TARGETS, Target};

/// Inputs of each target: some seconds of work in all.
const ROUNDS: u64 = 100_000;

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Changes the target's seeds again and again. How many inputs were taken.
fn run(target: &Target) -> u64 {
    let (seed, rounds) = (number("VIRFIE_FUZZ_SEED", 1), number("VIRFIE_FUZZ_ROUNDS", ROUNDS));
    let mut changer = Changer::new(seed);
    let mut taken = 0;
    for round in 0..rounds {
        let input = changer.change(target.seeds);
        match catch_unwind(AssertUnwindSafe(|| (target.read)(&input))) {
            Ok(true) => taken += 1,
            Ok(false) => {}
            Err(_) => panic!("{} of seed {seed}, round {round}: {:?}", target.name, String::from_utf8_lossy(&input)),
        }
    }
    println!("{}: {taken} of {rounds} taken", target.name);
    taken
}

#[test]
fn every_seed_is_taken() {
    for target in TARGETS {
        for (index, seed) in target.seeds.iter().enumerate() {
            assert!((target.read)(seed), "{}: seed {index}", target.name);
        }
    }
}

#[test]
fn the_seeds_are_a_corpus_for_other_fuzzers() {
    let own = tempfile::tempdir().unwrap();
    let folder = env::var_os("VIRFIE_FUZZ_CORPUS").map_or_else(|| own.path().to_owned(), PathBuf::from);
    let programs = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/libfuzzer/Cargo.toml")).unwrap();
    for target in TARGETS {
        let corpus = folder.join(target.name);
        fs::create_dir_all(&corpus).unwrap();
        for (index, seed) in target.seeds.iter().enumerate() {
            fs::write(corpus.join(format!("seed-{index}")), seed).unwrap();
        }
        assert!(programs.contains(&format!("name = \"{}\"", target.name)), "libFuzzer has {}, too", target.name);
    }
    assert_eq!(programs.matches("[[bin]]").count(), TARGETS.len());
}

#[test]
fn nothing_that_strangers_write_does_harm() {
    for target in TARGETS {
        let taken = run(target);
        assert!(taken > 0, "{}: what is never taken is not looked into", target.name);
    }
}

/// Depth is what readers that call themselves are stopped by, and chance never makes enough of it.
#[test]
fn what_is_nested_deeply_is_refused() {
    for target in TARGETS {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("{a:[", "]}"), ("(", ")"), ("/*", "*/")] {
            for depth in [200, 20_000] {
                let half = open.repeat(depth);
                let whole = format!("{half}1{}", close.repeat(depth));
                for text in [half.clone(), whole.clone(), format!("{{\"layers\": {whole}}}"), format!("a = {whole};")] {
                    let taken = (target.read)(text.as_bytes());
                    // A token's target takes whatever can stand in a header, and looks that nobody is let in by it.
                    assert!(!taken || target.name == "tokens", "{}: {depth} times {open}", target.name);
                }
            }
        }
    }
}
