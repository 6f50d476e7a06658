//! Priorities of threads when there is not enough time for all: those that make the output, before those that feed it.
//!
//! ```text
//!   mixing, sound ► delivery ► encoding for viewers ► encoding for outputs ► decoding ► segmentation
//! ```
//! A thread says itself what it works on ([`take`]); GStreamer's get theirs when they enter a pipeline that has a role
//! (`OwnedPipeline::works_as`). Mixing and sound are real time (`SCHED_RR`) where the system allows
//! it (`CAP_SYS_NICE`, or `RLIMIT_RTPRIO`), within an [`Allowance`]. All else is niceness: the output's other threads
//! rise above the process's own where that is allowed, so that segmentation stays level with other programs; where it
//! is not, those that feed the output step down.

#[cfg(target_os = "linux")]
use std::sync::OnceLock;
use std::{cell::Cell, time::Duration};

/// The work of a thread, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Composes the program. Real time.
    Mix,
    /// Mixes and encodes sound. Real time.
    Sound,
    /// Receives packets, decodes sound, sends packets, and carries out what control wants.
    Deliver,
    /// Encodes the picture for viewers, and sound.
    Encode,
    /// Composes pictures beside the program, and encodes pictures for outputs: a room may have many of them, each with
    /// several threads.
    Broadcast,
    /// Decodes pictures.
    Decode,
    /// Infers a mask that is overdue: the least share of somebody who would have no masks otherwise.
    DueMask,
    /// Finds masks.
    Segment,
}

/// The means that the system allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Means {
    real_time: bool,
    /// Whether threads may be less nice than the process.
    above: bool,
    /// The process's own niceness.
    base: i32,
}

/// Returns how far apart niceness is where threads may rise: two neighbours' shares of a core are about 2 to 1, less beside
/// what outputs alone get, and the output as a whole outweighs segmentation by 9 to 1.
const fn risen(role: Role) -> i32 {
    match role {
        Role::Mix | Role::Sound | Role::Deliver => -10,
        Role::Encode => -7,
        Role::Broadcast => -5,
        Role::Decode | Role::DueMask => -4,
        Role::Segment => 0,
    }
}

/// Returns the same where threads can only step down, and never back: less far, because another busy program, which
/// stays where it is, takes what they leave. At 8, segmentation still gets a seventh of a core beside one.
const fn stepped_down(role: Role) -> i32 {
    match role {
        Role::Mix | Role::Sound | Role::Deliver => 0,
        Role::Encode => 2,
        Role::Broadcast => 3,
        Role::Decode => 5,
        Role::DueMask | Role::Segment => 8,
    }
}

/// Returns the niceness of a role.
fn niceness(role: Role, means: Means) -> i32 {
    let offset = if means.above { risen(role) } else { stepped_down(role) };
    (means.base + offset).clamp(-20, 19)
}

/// Returns whether the role is real time.
fn is_real_time(role: Role, means: Means) -> bool {
    means.real_time && matches!(role, Role::Mix | Role::Sound)
}

thread_local! {
    static TAKEN: Cell<Option<Role>> = const { Cell::new(None) };
}

/// Has the calling thread work on this from now on. Cheap when it does already, so it may be called for every buffer.
pub fn take(role: Role) {
    let before = TAKEN.replace(Some(role));
    #[cfg(target_os = "linux")]
    if before != Some(role) {
        let means = means();
        let real_time = is_real_time(role, means);
        // A thread is never real time from its start.
        if real_time != before.is_some_and(|before| is_real_time(before, means)) {
            system::set_real_time(real_time);
        }
        // Refused in some sandboxes, and stepping back up always where `above` is false: then it stays as it is.
        system::set_niceness(niceness(role, means));
    }
}

/// Finds them once, on a thread of its own, so that no other is changed.
#[cfg(target_os = "linux")]
fn means() -> Means {
    static MEANS: OnceLock<Means> = OnceLock::new();
    *MEANS.get_or_init(|| {
        let tried = std::thread::Builder::new()
            .name("priority".into())
            .spawn(|| (system::set_real_time(true), system::process_niceness()));
        let (real_time, base) = tried.ok().and_then(|thread| thread.join().ok()).unwrap_or((false, 0));
        let lowest = Means { real_time, above: true, base };
        let above = std::thread::Builder::new()
            .name("priority".into())
            .spawn(move || system::set_niceness(niceness(Role::Deliver, lowest)))
            .ok()
            .and_then(|thread| thread.join().ok())
            .unwrap_or(false);
        tracing::info!(real_time, above, base, "the output's threads come first");
        Means { above, ..lowest }
    })
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::process::{getpid, getpriority_process, setpriority_process};

    /// Returns whether it was allowed. The lowest real-time priority: above everything that is not real time, below the
    /// system's own such threads. Threads that this one starts are ordinary ones.
    pub(super) fn set_real_time(real_time: bool) -> bool {
        let (policy, sched_priority) = if real_time { (libc::SCHED_RR, 1) } else { (libc::SCHED_OTHER, 0) };
        let parameters = libc::sched_param { sched_priority };
        // The flag stays when it is an ordinary thread again: taking it back needs a privilege.
        let policy = policy | libc::SCHED_RESET_ON_FORK;
        // SAFETY: the parameters are read during the call only; 0 is the calling thread.
        unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) == 0 }
    }

    /// Sets that of the calling thread: on Linux each has its own. Returns whether it was allowed.
    pub(super) fn set_niceness(niceness: i32) -> bool {
        setpriority_process(Some(rustix::thread::gettid()), niceness).is_ok()
    }

    /// Returns that of the main thread.
    pub(super) fn process_niceness() -> i32 {
        getpriority_process(Some(getpid())).unwrap_or(0)
    }
}

/// Keeps a real-time thread from taking a core for itself: one that works more than its share becomes an ordinary one
/// for a while. PURE.
#[derive(Debug, Clone, Default)]
pub struct Allowance {
    window: Duration,
    worked: Duration,
    /// Moment at which real time may be tried again.
    back: Option<Duration>,
}

/// Over this long work is summed up.
const WINDOW: Duration = Duration::from_secs(1);
/// Work in a window from which on a thread is no longer real time. Mixing 1280x720 takes a tenth of a core; only a
/// canvas that the machine is too small for comes here, and then other programs must go on living.
const MOST: Duration = Duration::from_millis(500);
/// Time for which it is an ordinary thread then.
const PAUSE: Duration = Duration::from_secs(10);

impl Allowance {
    /// Notes that the thread worked for so long, until `now`. Returns whether it may be real time now.
    pub fn work(&mut self, now: Duration, worked: Duration) -> bool {
        if self.back.is_some_and(|back| now >= back) {
            *self = Self { window: now, ..Self::default() };
        }
        if self.back.is_none() {
            if now.saturating_sub(self.window) >= WINDOW {
                (self.window, self.worked) = (now, Duration::ZERO);
            }
            self.worked += worked;
            if self.worked > MOST {
                self.back = Some(now + PAUSE);
            }
        }
        self.back.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 8] = [
        Role::Mix,
        Role::Sound,
        Role::Deliver,
        Role::Encode,
        Role::Broadcast,
        Role::Decode,
        Role::DueMask,
        Role::Segment,
    ];

    #[test]
    fn what_is_more_important_is_never_nicer() {
        for above in [false, true] {
            let means = Means { real_time: false, above, base: 0 };
            let levels: Vec<i32> = ROLES.into_iter().map(|role| niceness(role, means)).collect();
            assert!(levels.is_sorted(), "{levels:?}");
            let strictly = [Role::Deliver, Role::Encode, Role::Broadcast, Role::Decode, Role::Segment]
                .map(|role| niceness(role, means));
            assert!(strictly.windows(2).all(|pair| pair[0] < pair[1]), "{strictly:?}");
        }
    }

    #[test]
    fn levels_are_those_of_the_process_and_stay_in_range() {
        let nice = |base, above| niceness(Role::Segment, Means { real_time: false, above, base });
        assert_eq!((nice(0, true), nice(5, true), nice(0, false), nice(15, false)), (0, 5, 8, 19));
        assert_eq!(niceness(Role::Deliver, Means { real_time: false, above: true, base: -15 }), -20);
    }

    #[test]
    fn only_mixing_and_sound_are_real_time() {
        let means = Means { real_time: true, above: true, base: 0 };
        let real: Vec<Role> = ROLES.into_iter().filter(|role| is_real_time(*role, means)).collect();
        assert_eq!(real, [Role::Mix, Role::Sound]);
        assert!(!is_real_time(Role::Mix, Means { real_time: false, ..means }));
    }

    #[test]
    fn a_thread_that_takes_a_core_for_itself_is_ordinary_for_a_while() {
        let mut allowance = Allowance::default();
        let ms = Duration::from_millis;
        // A tenth of a core, for long.
        assert!((0..100).all(|tick| allowance.work(ms(tick * 33), ms(3))));
        // Nearly all of one.
        let begun = 100 * 33;
        let states: Vec<bool> = (0..60).map(|tick| allowance.work(ms(begun + tick * 33), ms(30))).collect();
        assert!(states[0] && !states[59]);
        let back = begun + 60 * 33 + 10_000;
        assert!(allowance.work(ms(back), ms(3)));
    }

    #[test]
    fn roles_can_be_taken_whatever_the_system_allows() {
        let thread = std::thread::spawn(|| {
            take(Role::Mix);
            take(Role::Segment);
            take(Role::Segment);
        });
        assert!(thread.join().is_ok());
    }
}
