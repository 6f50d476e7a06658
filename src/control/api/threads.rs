//! Number of further threads that the system lets this process have.
//!
//! Hardly any bound is of the process alone. The limit of a user counts the threads of all their processes, that of a
//! control group (a service's, a container's) all that are in it, and the system's all that there are: what others have
//! taken is not left for us.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rustix::process::{Resource, getrlimit, getuid};

/// Folder of control groups, where it is in the usual place.
const GROUPS: &str = "/sys/fs/cgroup";

/// So many are left at least: there is no need to count exactly.
const PLENTY: usize = 4096;

/// The limits that bound the threads of a process.
#[derive(Debug)]
pub(super) struct Bounds(Vec<Bound>);

#[derive(Debug, PartialEq, Eq)]
enum Bound {
    /// So many threads of this process.
    Process(usize),
    /// So many of all processes of this user.
    User(usize, u32),
    /// So many of a control group and those below it, as its folder says now.
    Group(PathBuf),
    /// So many of the whole system.
    System(usize),
}

impl Bounds {
    pub(super) fn of_this_process() -> Self {
        // A thread maps its stack and a guard page beside it.
        let mut bounds: Vec<Bound> =
            number("/proc/sys/vm/max_map_count").map(|maps| Bound::Process(maps / 2)).into_iter().collect();
        for file in ["/proc/sys/kernel/threads-max", "/proc/sys/kernel/pid_max"] {
            bounds.extend(number(file).map(Bound::System));
        }
        let user = getuid();
        // The system bounds everybody but root.
        if let (Some(most), false) = (getrlimit(Resource::Nproc).current, user.is_root()) {
            bounds.push(Bound::User(usize::try_from(most).unwrap_or(usize::MAX), user.as_raw()));
        }
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let groups = groups(&own, Path::new(GROUPS)).into_iter();
        bounds.extend(groups.filter(|folder| folder.join("pids.max").exists()).map(Bound::Group));
        Self(bounds)
    }

    /// Creates one for a process that may have so many.
    pub(super) fn of(most: usize) -> Self {
        Self(vec![Bound::Process(most)])
    }

    /// Returns how many more there may be. A bound of which the system does not say how far it is used up counts for
    /// nothing.
    pub(super) fn left(&self) -> usize {
        self.0.iter().filter_map(Bound::left).min().unwrap_or(usize::MAX)
    }
}

impl Bound {
    fn left(&self) -> Option<usize> {
        match self {
            Self::Process(most) => {
                let own = fs::read_dir("/proc/self/task").ok()?.count();
                Some(most.saturating_sub(own))
            }
            Self::User(most, user) => {
                // To count all of a user's means to look at every process: only when it can matter.
                let at_least = system_wide().map(|all| most.saturating_sub(all));
                at_least.filter(|left| *left > PLENTY).or_else(|| Some(most.saturating_sub(threads_of(*user)?)))
            }
            Self::Group(folder) => {
                // `max` is no number, and no bound.
                let (most, used) = (number(folder.join("pids.max"))?, number(folder.join("pids.current"))?);
                Some(most.saturating_sub(used))
            }
            Self::System(most) => system_wide().map(|all| most.saturating_sub(all)),
        }
    }
}

/// Returns the folders of the control groups that may bound threads, by `/proc/self/cgroup`: our own and all above it.
fn groups(own: &str, root: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let root = match controllers {
            "" => root.to_owned(),
            some if some.split(',').any(|one| one == "pids") => root.join(some),
            _ => continue,
        };
        // Of a group outside of what can be seen from here, the path leads upwards.
        let path = if path.contains("..") { "" } else { path.trim_start_matches('/') };
        let folder = if path.is_empty() { root.clone() } else { root.join(path) };
        folders.extend(folder.ancestors().take_while(|above| above.starts_with(&root)).map(Path::to_owned));
    }
    folders
}

/// Threads of all processes.
fn system_wide() -> Option<usize> {
    // `0.20 0.18 0.12 1/80 11206`: one of 80 runs.
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').nth(3)?.split('/').nth(1)?.parse().ok()
}

/// Threads of all processes of a user.
fn threads_of(user: u32) -> Option<usize> {
    let processes = fs::read_dir("/proc").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    // One that has ended meanwhile has none.
    let statuses = processes.filter_map(|process| fs::read_to_string(process.join("status")).ok());
    Some(statuses.filter_map(|status| threads_in(&status, user)).sum())
}

/// Returns the threads of a process, by its status, if it is this user's.
fn threads_in(status: &str, user: u32) -> Option<usize> {
    let value = |key: &str| {
        status.lines().find_map(|line| line.strip_prefix(key)).and_then(|rest| rest.split_whitespace().next())
    };
    let is_theirs = value("Uid:")?.parse() == Ok(user);
    value("Threads:")?.parse().ok().filter(|_| is_theirs)
}

fn number(file: impl AsRef<Path>) -> Option<usize> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn all_groups_above_ours_bound_us() {
        let root = Path::new("/g");
        let paths = |own: &str| -> Vec<String> {
            groups(own, root).iter().map(|folder| folder.to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(
            paths("0::/system.slice/virfie.service\n"),
            ["/g/system.slice/virfie.service", "/g/system.slice", "/g"]
        );
        assert_eq!(paths("0::/\n"), ["/g"]);
        assert_eq!(paths("8:pids:/a\n4:memory:/b\n1:cpu,pids:/\n"), ["/g/pids/a", "/g/pids", "/g/cpu,pids"]);
        assert_eq!(paths("0::/../../other\n"), ["/g"]);
        assert_eq!(paths("nonsense\n"), [""; 0]);
    }

    #[test]
    fn a_group_has_left_what_nobody_in_it_has_taken() {
        let folder = tempfile::tempdir().unwrap();
        let says = |most: &str, used: &str| {
            fs::write(folder.path().join("pids.max"), most).unwrap();
            fs::write(folder.path().join("pids.current"), used).unwrap();
            Bound::Group(folder.path().to_owned()).left()
        };
        assert_eq!(says("200\n", "150\n"), Some(50));
        assert_eq!(says("100\n", "150\n"), Some(0));
        assert_eq!(says("max\n", "150\n"), None);
    }

    #[test]
    fn threads_of_others_are_not_ours() {
        let status = "Name:\tvirfie\nUid:\t1000\t0\t0\t0\nThreads:\t37\nOdd:\t1\n";
        assert_eq!((threads_in(status, 1000), threads_in(status, 0)), (Some(37), None));
        assert_eq!(threads_in("Name:\tx\n", 1000), None);
    }

    #[test]
    fn this_machine_has_an_answer() {
        assert!(Bounds::of_this_process().left() > 0);
        assert!(threads_of(getuid().as_raw()).unwrap() > 0);
        assert_eq!(Bounds::of(0).left(), 0);
    }
}
