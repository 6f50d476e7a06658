//! A server that is asked to end while it starts.

use std::{process::Stdio, time::Duration};

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
    time::{sleep, timeout},
};

use super::server::{PATIENCE, PROGRAM, signal};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_still_starts_ends_at_once() {
    // Some come while it loads the network, others while it makes ready to answer, and the last ones when it does.
    for (wanted, milliseconds) in [
        (Signal::TERM, 0),
        (Signal::INT, 0),
        (Signal::TERM, 20),
        (Signal::TERM, 80),
        (Signal::INT, 200),
        (Signal::TERM, 500),
        (Signal::TERM, 1500),
    ] {
        let data = TempDir::new().unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        // It listens for signals before it says anything.
        timeout(PATIENCE, log.next_line()).await.expect("it says something").unwrap().expect("it runs");
        sleep(Duration::from_millis(milliseconds)).await;
        signal(&child, wanted);
        let ended = timeout(PATIENCE, child.wait()).await.expect("it ends").unwrap();
        assert_eq!(ended.code(), Some(0), "{wanted:?} after {milliseconds} ms");
    }
}
