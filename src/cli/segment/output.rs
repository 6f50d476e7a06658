//! The file that is written: under another name until it is whole.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::error::ProgramError;

/// A file to be. Dropped before [`Output::keep`], it leaves nothing.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    temporary: PathBuf,
}

impl Output {
    /// # Errors
    /// When it would overwrite the input, or there is no folder for it.
    pub(super) fn new(input: &Path, path: PathBuf) -> Result<Self, ProgramError> {
        let fail = |why: &str| Err(ProgramError::Usage(format!("--output {}: {why}", path.display())));
        if same(input, &path) {
            return fail("this is the input, which is never overwritten");
        }
        if path.is_dir() {
            return fail("this is a folder");
        }
        let folder = match path.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
            Some(folder) => folder,
            None => return fail("this does not name a file"),
        };
        if !folder.is_dir() {
            return fail(&format!("there is no folder {}", folder.display()));
        }
        let Some(name) = path.file_name() else { return fail("this does not name a file") };
        let temporary = folder.join(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
        Ok(Self { path, temporary })
    }

    /// Returns where it goes in the end.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns where it is written.
    pub(super) fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Gives it its name, since it is whole.
    ///
    /// # Errors
    /// Of the file system, in one line.
    pub(super) fn keep(self) -> Result<(), ProgramError> {
        fs::rename(&self.temporary, &self.path)
            .map_err(|error| ProgramError::Failed(format!("{}: {error}", self.path.display())))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // It was renamed, or never made; of any other error nobody could make use.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Returns whether both are the same file, perhaps by different names.
fn same(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |path: &Path| -> io::Result<(u64, u64)> { fs::metadata(path).map(|about| (about.dev(), about.ino())) };
    matches!((id(one), id(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_not_kept_leaves_nothing_and_what_is_kept_has_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let (input, path) = (folder.path().join("in.png"), folder.path().join("out.png"));
        fs::write(&input, "in").unwrap();
        fs::write(&path, "old").unwrap();
        let count = || fs::read_dir(folder.path()).unwrap().count();
        let output = Output::new(&input, path.clone()).unwrap();
        fs::write(output.temporary(), "half").unwrap();
        assert_eq!(count(), 3);
        drop(output);
        assert_eq!((count(), fs::read_to_string(&path).unwrap()), (2, "old".into()));
        let output = Output::new(&input, path.clone()).unwrap();
        fs::write(output.temporary(), "whole").unwrap();
        output.keep().unwrap();
        assert_eq!((count(), fs::read_to_string(&path).unwrap()), (2, "whole".into()));
    }

    #[test]
    fn the_input_is_not_overwritten_by_any_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let (input, link) = (folder.path().join("in.png"), folder.path().join("link.png"));
        fs::write(&input, "in").unwrap();
        std::os::unix::fs::symlink(&input, &link).unwrap();
        let dotted = folder.path().join(".").join("in.png");
        for path in [input.clone(), link, dotted] {
            assert!(Output::new(&input, path).unwrap_err().to_string().contains("never overwritten"));
        }
        let nowhere = folder.path().join("nowhere/out.png");
        assert!(Output::new(&input, nowhere).unwrap_err().to_string().contains("there is no folder"));
        assert!(Output::new(&input, folder.path().into()).unwrap_err().to_string().contains("is a folder"));
    }
}
