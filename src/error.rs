//! Failures of the program: the words on stderr, and the exit code.

/// The end of a subcommand that did not do what was asked. Printed as one line `virfie: …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// Wrong flags, environment, file or input; the message names the key. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// Everything else. Exit code 1.
    #[error("{0}")]
    Failed(String),
}

impl ProgramError {
    /// Makes one of a wrong flag, file or input.
    pub fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// Returns the process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
        }
    }
}
