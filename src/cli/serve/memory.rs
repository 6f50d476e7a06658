//! Memory that nobody uses any more goes back to the system.
//!
//! When a crowd has left, glibc keeps what it freed for the next one: the pieces lie between others that are still in
//! use, and only what lies at the end goes back by itself. That would be half a gigabyte for two hundred senders. So
//! the program looks now and then how much it is, and gives it back when it has become much more than could be given
//! back last.

use std::{env, fs, os::unix::process::CommandExt as _, process::Command, time::Instant};

/// Variable that asks GLib for no allocator of its own. Up to GLib 2.74 it has one, which keeps all that it ever had:
/// some 60 MB after two hundred senders. It is asked when the library is loaded, before any code of ours.
const GLIB: (&str, &str) = ("G_SLICE", "always-malloc");

/// Begins the program again, with the same arguments and as the same process, where GLib has an allocator of its own.
/// Goes on where that is not possible, or where somebody has chosen.
pub(super) fn begin_with_one_allocator() {
    let (variable, value) = GLIB;
    if env::var_os(variable).is_some() {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    // It returns only when it has failed; then all is as it was.
    let _ = command.args(arguments).env(variable, value).exec();
}

/// Free memory that is worth the work, in bytes: the work takes some hundredths of a second, in which threads that ask
/// for memory may have to wait.
const STEP: u64 = 16 << 20;
/// And of what is in use, so that it is done when a crowd has left, and not while it comes and goes.
const PART: u64 = 4;

/// The process's memory that is free and held nevertheless, and the time when it is given back.
#[derive(Debug, Default)]
struct Surplus {
    /// Bytes that were left the last time: pages of which a part is in use, threads' stacks.
    left: u64,
}

impl Surplus {
    /// Returns whether it is time, with so many bytes now and so many in use.
    fn is_due(&mut self, bytes: u64, in_use: u64) -> bool {
        self.left = self.left.min(bytes);
        bytes > self.left + STEP.max(in_use / PART)
    }

    /// Notes that it was given back, and so many bytes are left.
    fn was_given_back(&mut self, bytes: u64) {
        self.left = bytes;
    }
}

/// Gives free memory back, whenever it is asked to look.
#[derive(Debug, Default)]
pub(super) struct Memory(Surplus);

impl Memory {
    /// Looks, and gives back what there is to give. Not to be called on a thread that others wait for.
    pub(super) fn look(&mut self) {
        let Some((before, in_use)) = counted() else { return };
        if !self.0.is_due(before, in_use) {
            return;
        }
        let begun = Instant::now();
        give_back();
        let after = counted().map_or(before, |(surplus, _)| surplus);
        self.0.was_given_back(after);
        let (took, megabytes) = (begun.elapsed(), before.saturating_sub(after) >> 20);
        tracing::debug!(?took, megabytes, "free memory was given back");
    }
}

/// Returns bytes of this process's memory that no file stands for and nobody has asked for, and those that somebody
/// has, where that is known.
fn counted() -> Option<(u64, u64)> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let own = kilobytes.split_whitespace().next()?.parse::<u64>().ok()? * 1024;
    let in_use = in_use()?;
    Some((own.saturating_sub(in_use), in_use))
}

#[cfg(target_env = "gnu")]
fn in_use() -> Option<u64> {
    // SAFETY: it only counts, and takes the allocator's own locks.
    let counted = unsafe { libc::mallinfo2() };
    u64::try_from(counted.uordblks + counted.hblkhd).ok()
}

#[cfg(target_env = "gnu")]
fn give_back() {
    // SAFETY: it takes the allocator's own locks, and touches only what is free.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators are not asked.
#[cfg(not(target_env = "gnu"))]
fn in_use() -> Option<u64> {
    None
}

#[cfg(not(target_env = "gnu"))]
fn give_back() {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MB: u64 = 1 << 20;

    #[test]
    fn it_is_given_back_when_it_has_become_much_more_than_what_was_left() {
        let mut surplus = Surplus::default();
        let mut is_due = |bytes: u64, in_use: u64| surplus.is_due(bytes * MB, in_use * MB);
        assert!(!is_due(16, 64) && is_due(17, 64));
        assert!(!is_due(100, 400) && is_due(101, 400), "a crowd that comes and goes uses it again");
        surplus.was_given_back(20 * MB);
        let mut is_due = |bytes: u64, in_use: u64| surplus.is_due(bytes * MB, in_use * MB);
        assert!(!is_due(20, 0) && !is_due(36, 0) && is_due(37, 0));
        assert!(!is_due(5, 0), "less is left by itself");
        assert!(is_due(22, 0));
    }

    #[test]
    #[cfg(target_env = "gnu")]
    fn what_lies_between_pieces_in_use_goes_back() {
        // One piece of 32 stays, so that nothing goes back by itself.
        let make = || -> Vec<Option<Vec<u8>>> { (0..4096).map(|_| Some(vec![1; 16 * 1024])).collect() };
        let mut all: Vec<Vec<Option<Vec<u8>>>> =
            (0..4).map(|_| std::thread::spawn(make).join().expect("it only allocates")).collect();
        for (number, piece) in all.iter_mut().flatten().enumerate() {
            piece.take_if(|_| number % 32 != 0);
        }
        let (before, _) = counted().unwrap();
        Memory::default().look();
        let (after, _) = counted().unwrap();
        assert!(before > after + 150 * MB, "{} MB before, {} MB after", before / MB, after / MB);
        assert!(all.iter().flatten().flatten().all(|piece| piece.iter().all(|byte| *byte == 1)));
    }
}
