//! User of this machine who opened a connection, as the kernel's table of TCP sockets says.
//!
//! A proxy may say nothing of itself and ask for this machine by its own name. But web servers run as users that exist
//! for them alone, and an open server is for the people at this machine.

use std::net::{IpAddr, SocketAddr};

use procfs::net::{TcpNetEntry, tcp, tcp6};

/// Users that are made for services, on Debian and most others.
const SERVICES: std::ops::Range<u32> = 1..1000;

/// `nobody`, as whom some web servers run.
const NOBODY: u32 = 65_534;

/// Number of times that the tables are read: they change while they are, and one that is there may be passed over.
const LOOKS: usize = 3;

/// Returns whether another service of this machine may have opened the connection from `peer`. Who has closed their
/// end, or is not found, may be one: a proxy hangs up as soon as its client does. Where the kernel shows no tables,
/// nobody is one.
pub(super) fn is_of_a_service(peer: SocketAddr) -> bool {
    let own = rustix::process::geteuid().as_raw();
    for _ in 0..LOOKS {
        // A table has an entry for each socket, and reads in well under a millisecond.
        let [four, six] = [tcp(), tcp6()];
        if four.is_err() && six.is_err() {
            return false;
        }
        let entries = [four, six].into_iter().filter_map(Result::ok).flatten();
        if let Some(user) = user(peer, entries) {
            return is_service(user, own);
        }
    }
    true
}

fn is_service(user: u32, own: u32) -> bool {
    user != own && (SERVICES.contains(&user) || user == NOBODY)
}

/// Returns whose end of a connection within this machine has this address. An end that its process has closed
/// belongs to no user any more.
fn user(peer: SocketAddr, entries: impl IntoIterator<Item = TcpNetEntry>) -> Option<u32> {
    let canonical = |address: SocketAddr| (address.ip().to_canonical(), address.port());
    let is_here = |ip: IpAddr| ip.to_canonical().is_loopback();
    let is_it = |entry: &TcpNetEntry| {
        entry.inode != 0 && is_here(entry.remote_address.ip()) && canonical(entry.local_address) == canonical(peer)
    };
    entries.into_iter().find(is_it).map(|entry| entry.uid)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_user_behind_a_connection_is_known() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let entries = [tcp(), tcp6()].into_iter().flat_map(Result::unwrap);
            let own = rustix::process::geteuid().as_raw();
            assert_eq!(user(client.local_addr().unwrap(), entries), Some(own), "{address}");
            let here = client.local_addr().unwrap();
            assert!(!is_of_a_service(here));
            client.shutdown(std::net::Shutdown::Write).unwrap();
            assert!(!is_of_a_service(here), "it still waits for an answer");
            drop(client);
            assert!(is_of_a_service(here), "nobody knows whose it was");
        }
    }

    #[test]
    fn people_and_the_server_itself_are_no_services() {
        assert!(is_service(33, 1000) && is_service(65_534, 0) && is_service(33, 998));
        assert!(!is_service(0, 998) && !is_service(1000, 998) && !is_service(998, 998));
    }
}
