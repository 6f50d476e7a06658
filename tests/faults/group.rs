//! A control group that bounds how many threads those in it have.

use std::{
    fs,
    path::{Path, PathBuf},
    process::id,
};

/// A control group, empty again when it is dropped.
pub struct Group(PathBuf);

impl Group {
    /// Returns one that lets nobody in it have more threads, if we may make one.
    pub fn make(most: usize) -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let roots = [("pids", "/sys/fs/cgroup/pids"), ("", "/sys/fs/cgroup")];
        roots.into_iter().find_map(|(controller, root)| {
            let path = own.lines().find_map(|line| {
                let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
                (controllers == controller).then_some(path)
            })?;
            let folder = Path::new(root).join(path.trim_start_matches('/')).join(format!("virfie-faults-{}", id()));
            fs::create_dir(&folder).ok()?;
            let group = Self(folder);
            fs::write(group.0.join("pids.max"), most.to_string()).ok()?;
            Some(group)
        })
    }

    /// Returns the folder of the group.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Fails while somebody is in it, which the test has reported by then.
        let _ = fs::remove_dir(&self.0);
    }
}
