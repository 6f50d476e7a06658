//! The program, run to its end.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// The result of a run.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Success; anything else fails the test with what was said.
    pub fn fine(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// Checks that the usage is refused in one line, and returns it.
    pub fn refused(self) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(2), ""), "{}", self.stderr);
        assert!(self.stderr.starts_with("virfie: ") && self.stderr.trim_end().lines().count() == 1, "{}", self.stderr);
        self.stderr
    }
}

/// Returns `virfie segment INPUT …` with a model.
pub fn command(model: &Path, input: &Path, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_virfie"));
    command.arg("segment").arg(input).args(flags).env("VIRFIE_MODEL", model).stdin(Stdio::null());
    command
}

pub fn segment(model: &Path, input: &Path, flags: &[&str]) -> Ended {
    let output = command(model, input, flags).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
