//! Threads to decode with, which the system gives or refuses. Where it refuses them, GStreamer says of a file that it is
//! damaged or that there is no decoder for it, or GLib ends the process: neither is the file's fault.

use std::{
    fs,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use gstreamer::glib::{self, LogLevel};
use rustix::process::{Resource, getrlimit};

use super::load;

/// Whether GLib was refused a thread.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// Threads that decoding one file takes beside those of its decoder, which has one for each core.
const BESIDE: usize = 8;

/// Most threads of a decoder.
const MOST_OF_DECODER: usize = 16;

/// Stack of a thread that only tries whether there are some, in bytes.
const STACK: usize = 64 * 1024;

/// Memory that has to be left for the stacks of some more threads, in bytes. With less, it is a file that takes too much.
const SPARE: u64 = 64 << 20;

/// Hears from now on what GLib says when it is refused a thread. `last` is called before GLib ends the process for want of
/// one.
pub fn listen(last: impl Fn() + Send + Sync + 'static) {
    glib::log_set_default_handler(move |domain, level, message| {
        if is_refusal(message) {
            REFUSED.store(true, Ordering::Relaxed);
            if level == LogLevel::Error && is_memory_left() {
                last();
            }
        }
        glib::log_default_handler(domain, level, Some(message));
    });
}

/// Returns whether something failed for want of threads, and not of memory of its own.
pub fn are_lacking() -> bool {
    is_memory_left() && (REFUSED.load(Ordering::Relaxed) || !are_given(of_decoding(load::cores())))
}

/// Returns how many threads a file takes at most that is decoded in a process of its own, on so many cores: those of its
/// decoding, and as many when [`are_lacking`] tries whether there are some, while the former are still being torn down.
pub fn of_file(cores: usize) -> usize {
    2 * of_decoding(cores)
}

/// Returns how many threads decoding one file takes at most.
fn of_decoding(cores: usize) -> usize {
    cores.min(MOST_OF_DECODER) + BESIDE
}

/// Returns whether GLib or GStreamer says by this that it was refused a thread: "failed to create thread: …", "creating
/// thread '…': …", "could not create async clock thread: …".
fn is_refusal(message: &str) -> bool {
    message.contains("creat") && message.contains("thread")
}

/// Returns whether the system gives so many threads at once.
fn are_given(count: usize) -> bool {
    let mut held = Vec::with_capacity(count);
    let tried: Result<Vec<_>, _> = (0..count)
        .map(|_| {
            let (hold, held_by) = mpsc::channel::<()>();
            held.push(hold);
            // It ends when the other end is gone.
            thread::Builder::new().name("try".into()).stack_size(STACK).spawn(move || held_by.recv().is_ok())
        })
        .collect();
    tried.is_ok()
}

/// Returns whether this process has not taken nearly all memory that it may.
fn is_memory_left() -> bool {
    let Some(most) = getrlimit(Resource::Data).current else { return true };
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let taken = status.lines().find_map(|line| line.strip_prefix("VmData:")?.trim().strip_suffix(" kB")?.parse().ok());
    taken.is_none_or(|taken: u64| taken * 1024 + SPARE <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_the_threads_of_its_decoding_and_those_that_are_tried_beside_them() {
        assert_eq!([1, 2, 16, 64].map(of_file), [18, 20, 48, 48]);
        assert_eq!([1, 2, 16, 64].map(of_decoding), [9, 10, 24, 24]);
    }

    #[test]
    fn some_threads_are_given_and_what_says_otherwise_is_known() {
        assert!(are_given(4) && is_memory_left());
        for refusal in [
            "failed to create thread: Error creating thread: Resource temporarily unavailable",
            "creating thread 'pool-spawner': Error creating thread: Resource temporarily unavailable",
            "could not create async clock thread: Error creating thread: Resource temporarily unavailable",
        ] {
            assert!(is_refusal(refusal), "{refusal}");
        }
        assert!(!is_refusal("Failed to load plugin") && !is_refusal("g_object_unref: assertion failed"));
    }
}
