//! SIGINT and SIGTERM, from the start of the program on: some systems forget one that nobody listens for.

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinHandle,
};

use crate::error::ProgramError;

/// Ends the program at once when a signal comes: nobody is served yet, and nothing is lost.
pub(super) struct Starting {
    watch: JoinHandle<()>,
    signals: Signals,
}

impl Starting {
    /// Begins to listen. To be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub(super) fn begin() -> Result<Self, ProgramError> {
        let (signals, mut early) = (Signals::new()?, Signals::new()?);
        let watch = tokio::spawn(async move {
            let name = early.next().await;
            tracing::info!(signal = name, "the server ends before it is ready");
            // Not by way of `main`: another thread may be in the middle of loading libraries, which that would take
            // down around it. What is on the disk is whole at any moment.
            // SAFETY: it ends the process, and touches no memory of it.
            unsafe { libc::_exit(0) }
        });
        Ok(Self { watch, signals })
    }

    /// Has signals wait until somebody asks for them. One that has just come is among them.
    pub(super) fn over(self) -> Signals {
        self.watch.abort();
        self.signals
    }
}

/// SIGINT and SIGTERM.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self, ProgramError> {
        let open = |kind| signal(kind).map_err(|error| ProgramError::Failed(format!("cannot hear signals: {error}")));
        Ok(Self { interrupt: open(SignalKind::interrupt())?, terminate: open(SignalKind::terminate())? })
    }

    /// Waits for one, and returns its name.
    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}
