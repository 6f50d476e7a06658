//! The system lets the server have no more threads: new people are asked to come again later, and everybody else
//! notices nothing. GLib would end the process.

use std::{os::unix::fs::chown, process::Stdio};

use rustix::process::{Signal, getuid};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::{
    group::Group,
    server::{PROGRAM, Server, answer, arguments, until},
};

/// Offers what it sends; never connects, which costs the server as many threads.
const OFFER: &str = include_str!("../../src/media/sdp/fixtures/obs_whip_offer.sdp");

/// A user that nobody else is.
const USER: u32 = 61_873;

/// Threads that the server may have: two dozen are its own, and it keeps 64 in reserve.
const MOST: usize = 200;

/// Fills the server until it refuses, and looks that it lives.
async fn fill(mut server: Server) {
    server.send("PUT", "/rooms/demo", &json!({"canvas": {"background": "#0000ff"}})).await.expect(201);
    let post = async |number: usize| {
        let request = server.request("POST", &format!("/whip/r{}?name=n{number}", number / 8));
        answer(request.header("content-type", "application/sdp").body(OFFER)).await
    };
    let mut taken = 0;
    let refused = loop {
        let answer = post(taken).await;
        if answer.status != 201 {
            break answer;
        }
        taken += 1;
        assert!(taken < 100, "it is never full");
    };
    eprintln!("{taken} were taken");
    assert!(taken > 0);
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "5"), "{}", refused.text());
    assert!(refused.json()["detail"].as_str().unwrap().contains("threads"), "{}", refused.text());
    for number in 0..50 {
        post(1000 + number).await.expect(503);
    }
    // Files are decoded by threads, too.
    let put = server.request("PUT", "/assets/a.png").header("content-type", "image/png").body(vec![1]);
    answer(put).await.expect(503);
    // Who is there already is served.
    assert!(super::alike(server.colour().await, [0, 0, 255]));
    assert_eq!(server.get("/readyz").await.expect(200).json()["rooms"], json!({"down": 0, "rebuilds": 0}));
    // Who goes makes room.
    answer(server.request("DELETE", "/rooms/r0")).await.expect(204);
    until("there is room again", async || (post(2000).await.status == 201).then_some(())).await;
    server.signal(Signal::TERM);
    assert_eq!(server.ended().await.code(), Some(0));
}

/// Creates a folder for a server that is run by somebody else than root.
fn given_away() -> TempDir {
    let folder = TempDir::new().unwrap();
    chown(folder.path(), Some(USER), Some(USER)).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_may_have_no_more_threads_is_asked_to_come_again() {
    const OTHERS: usize = 100;
    if !getuid().is_root() {
        eprintln!("SKIPPED: who may not become another user cannot be limited apart from all else");
        return;
    }
    let (data, home) = (given_away(), given_away());
    let as_user = || {
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={USER}"), &format!("--regid={USER}"), "--clear-groups"]);
        command.env("HOME", home.path()).current_dir(home.path()).kill_on_drop(true);
        command
    };
    // Other programs of this user count as well.
    let others: Vec<Child> =
        (0..OTHERS).filter_map(|_| as_user().args(["sleep", "600"]).stdin(Stdio::null()).spawn().ok()).collect();
    let mut command = as_user();
    command.args(["prlimit", &format!("--nproc={}", MOST + others.len()), PROGRAM]).args(arguments(data.path()));
    if others.len() < OTHERS {
        eprintln!("SKIPPED: there is no setpriv");
        return;
    }
    match Server::run(command).await {
        Some(server) => fill(server).await,
        None => eprintln!("SKIPPED: another user cannot run the server from where it is"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_may_have_no_more_threads_is_asked_to_come_again() {
    let Some(group) = Group::make(MOST) else {
        eprintln!("SKIPPED: this system lets nobody make a control group that bounds threads");
        return;
    };
    let data = TempDir::new().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "echo $$ > \"$1/cgroup.procs\" && shift && exec \"$@\"", "sh"]).arg(group.path());
    command.arg(PROGRAM).args(arguments(data.path()));
    match Server::run(command).await {
        Some(server) => fill(server).await,
        None => eprintln!("SKIPPED: this system lets nobody into a control group"),
    }
}
