//! Finds hosts for outputs, and keeps those out of the server's own networks that may not be sent there.

use std::{
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::mpsc::channel,
    time::Duration,
};

use crate::media::port::{Blame, OutputFault, is_internal};

/// Time for which an attempt waits for it.
pub(super) const LOOKUP: Duration = Duration::from_secs(5);

/// Returns whether what is sent there stays in the server's own networks: the address is an internal one, or one of this
/// machine, where it would come in behind the firewall.
pub(super) fn is_own(address: IpAddr) -> bool {
    let address = address.to_canonical();
    // Where the system does not say, nobody is led inside.
    is_internal(address) || if_addrs::get_if_addrs().map_or(true, |own| own.iter().any(|one| one.ip() == address))
}

/// Finds a host's addresses, at least one. A name may have another address than when the output was made: who may not send
/// into the server's own networks is not led there later, either.
///
/// # Errors
/// When it has none, when nobody knows in time, or when one of them is internal and that is not allowed.
pub(super) fn find(host: &str, port: u16, internal: bool, left: Duration) -> Result<Vec<SocketAddr>, OutputFault> {
    let (found, wait) = channel();
    let asked = (host.to_owned(), port);
    // The system may take longer than anybody waits.
    let looking = std::thread::Builder::new().name("output-lookup".to_owned()).spawn(move || {
        let addresses = asked.to_socket_addrs().map(Iterator::collect);
        // Nobody waits any more.
        let _ = found.send(addresses);
    });
    looking.map_err(|error| OutputFault::new(Blame::Operator, error.to_string()))?;
    let theirs = |text: String| OutputFault::new(Blame::Destination, text);
    let addresses: Vec<SocketAddr> = match wait.recv_timeout(left) {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(error)) => return Err(theirs(format!("its host is not found: {error}"))),
        Err(_) => return Err(theirs("its host is not found in time".to_owned())),
    };
    if !internal && addresses.iter().any(|address| is_own(address.ip())) {
        return Err(OutputFault::new(Blame::Operator, "its host leads into a network of the server's own"));
    }
    if addresses.is_empty() { Err(theirs("its host has no address".to_owned())) } else { Ok(addresses) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn this_machines_addresses_are_its_own_and_others_are_not() {
        for one in if_addrs::get_if_addrs().unwrap() {
            assert!(is_own(one.ip()), "{}", one.ip());
        }
        assert!(!is_own("8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn a_host_leads_into_the_servers_own_networks_only_where_that_is_allowed() {
        for host in ["127.0.0.1", "localhost", "::1", "10.1.2.3"] {
            let refused = find(host, 9, false, LOOKUP).map_err(|fault| fault.text);
            assert!(refused.is_err_and(|text| text.contains("own")), "{host}");
            assert!(find(host, 9, true, LOOKUP).is_ok_and(|found| found.iter().all(|one| one.port() == 9)), "{host}");
        }
        assert!(find("192.0.2.7", 9, true, LOOKUP).is_ok() && find("no such host", 9, true, LOOKUP).is_err());
    }
}
