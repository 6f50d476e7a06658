//! The trial of an output's destination before it is used: each step towards it, and the one that fails.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use crate::media::port::{Blame, OutputFault, Trial, TrialStep};

/// Longest time that all steps together may take.
const LONGEST: Duration = Duration::from_secs(9);

/// Longest time that one address may take to answer.
const CONNECT: Duration = Duration::from_secs(4);

/// The steps of a trial, as they are taken.
#[derive(Debug)]
pub struct Steps {
    deadline: Instant,
    begun: Instant,
    now: &'static str,
    since: Instant,
    taken: Vec<TrialStep>,
}

impl Steps {
    /// Has taken none.
    pub(super) fn new() -> Self {
        let begun = Instant::now();
        Self { deadline: begun + LONGEST, begun, now: "begin", since: begun, taken: Vec::new() }
    }

    /// Takes a step.
    ///
    /// # Errors
    /// The fault of the step itself.
    pub(super) fn take<T>(
        &mut self,
        name: &'static str,
        step: impl FnOnce(Duration) -> Result<T, OutputFault>,
    ) -> Result<T, OutputFault> {
        (self.now, self.since) = (name, Instant::now());
        let done = step(self.left())?;
        self.taken.push(TrialStep { name, milliseconds: milliseconds(self.since) });
        Ok(done)
    }

    /// Returns how long the rest may take.
    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }

    /// Says how it went.
    pub(super) fn end(self, result: Result<(), OutputFault>) -> Trial {
        let failed = result.err().map(|fault| (self.now, fault));
        Trial { steps: self.taken, milliseconds: milliseconds(self.begun), failed }
    }
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Says that the destination is to blame for an error.
pub(super) fn theirs(error: &io::Error) -> OutputFault {
    let text = match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "it does not answer in time".to_owned(),
        io::ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
        _ => error.to_string(),
    };
    OutputFault::new(Blame::Destination, text)
}

/// Connects to the first of the addresses that answers.
///
/// # Errors
/// The error of the last one.
pub(super) fn connect(addresses: &[SocketAddr], left: Duration) -> Result<TcpStream, OutputFault> {
    let until = Instant::now() + left;
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    for address in addresses {
        let left = until.saturating_duration_since(Instant::now()).min(CONNECT);
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(address, left) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(theirs(&last))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_step_that_fails_is_named_and_those_before_it_are_timed() {
        let mut steps = Steps::new();
        steps.take("lookup", |_| Ok(())).unwrap();
        let failed = steps.take("connect", |_| Err::<(), _>(theirs(&io::ErrorKind::TimedOut.into())));
        let trial = steps.end(failed);
        assert_eq!(trial.steps.iter().map(|step| step.name).collect::<Vec<_>>(), ["lookup"]);
        let (step, fault) = trial.failed.unwrap();
        assert_eq!((step, fault.text.as_str()), ("connect", "it does not answer in time"));
    }
}
