//! ICE candidates (RFC 8839 section 5.1, RFC 6544 for TCP).

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
};

use super::{
    grammar::{Fault, is_ice_text, number, quoted},
    is_internal,
};

/// A checked candidate. `Display` writes it again as `candidate:…`, without unknown extensions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// 1 to 32 ICE characters; equal for candidates of the same kind, base and server.
    pub foundation: String,
    /// 1 is RTP, 2 is RTCP (useless with rtcp-mux: descriptions and fragments leave these out).
    pub component: u8,
    /// UDP or TCP.
    pub transport: Transport,
    /// 1 to 2^31 - 1.
    pub priority: u32,
    /// Address to send to.
    pub address: Address,
    /// Not 0.
    pub port: u16,
    /// Way by which the address was found.
    pub kind: CandidateKind,
    /// The address behind a reflexive or relayed one.
    pub related: Option<(IpAddr, u16)>,
}

/// Transport of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp(TcpType),
}

/// The side that opens the TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TcpType {
    /// The candidate's owner connects.
    Active,
    /// The candidate's owner listens.
    Passive,
    /// Both connect at the same time.
    SimultaneousOpen,
}

/// Address of a candidate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// Not unspecified, multicast or broadcast.
    Ip(IpAddr),
    /// A `….local` name: browsers hide host addresses behind it. Only an mDNS resolver in the same network can say
    /// more; the peer still reaches us by its own checks.
    Mdns(String),
}

/// The way that an address was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CandidateKind {
    /// An interface's own.
    Host,
    /// Seen by a STUN server.
    ServerReflexive,
    /// Seen by the peer.
    PeerReflexive,
    /// Given by a TURN server.
    Relay,
}

/// The meaning of a well-formed candidate line.
pub(super) enum Read {
    /// One to use.
    Candidate(Candidate),
    /// One that RFC 8839 has ignored: why.
    Ignored(Useless),
}

/// The reason why a well-formed candidate is of no use: the peer's fault.
#[derive(Debug, thiserror::Error)]
pub(super) enum Useless {
    /// Something odd stands in its place.
    #[error("{what} {}", quoted(.part))]
    Odd {
        /// The part that is odd.
        what: &'static str,
        /// The text that stands there.
        part: String,
    },
    /// It is too long.
    #[error("{0} bytes, 512 are allowed")]
    Long(usize),
    /// Its address belongs to nobody.
    #[error("address {0} cannot be sent to")]
    Unsendable(IpAddr),
    /// Its address would have to be looked up.
    #[error("address {} is not an IP address", quoted(.0))]
    Name(String),
}

impl Candidate {
    /// Reads one candidate, with or without `a=` and `candidate:` before it. An empty text (or `end-of-candidates`) is
    /// the end of candidates, `None`.
    ///
    /// # Errors
    /// Not well-formed, or of no use to us: host names (only IP addresses and `.local` names are taken, so that no peer
    /// makes us look names up), unspecified or multicast addresses, port 0, unknown transports.
    pub fn parse(text: &str) -> Result<Option<Self>, Fault> {
        let text = text.trim();
        let text = text.strip_prefix("a=").unwrap_or(text);
        let text = text.strip_prefix("candidate:").unwrap_or(text);
        if text.is_empty() || text == "end-of-candidates" {
            return Ok(None);
        }
        match Self::read(text)? {
            Read::Candidate(candidate) => Ok(Some(candidate)),
            Read::Ignored(why) => Err(Fault::new(format!("candidate: {why}"))),
        }
    }

    /// Reads what stands behind `candidate:`. Words in a wrong order are an error; whatever is odd in its own place
    /// makes one candidate useless and says nothing about the others.
    pub(super) fn read(text: &str) -> Result<Read, Fault> {
        if text.chars().any(char::is_control) {
            return Err(Fault::new("candidate: contains a control character"));
        }
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let [_, _, _, _, _, _, typ, _, ..] = words.as_slice() else {
            return Err(Fault::new(format!("candidate: too few words in {}", quoted(text))));
        };
        if *typ != "typ" {
            return Err(Fault::new(format!("candidate: \"typ\" expected, not {}", quoted(typ))));
        }
        Ok(Self::usable(text, &words).map_or_else(Read::Ignored, Read::Candidate))
    }

    /// Returns a candidate of these words, or why it is of no use.
    fn usable(text: &str, words: &[&str]) -> Result<Self, Useless> {
        let odd = |what: &'static str, part: &str| Useless::Odd { what, part: part.to_owned() };
        let [foundation, component, transport, priority, address, port, _, kind, more @ ..] = words else {
            return Err(odd("too few words in", text));
        };
        if text.len() > 512 {
            return Err(Useless::Long(text.len()));
        }
        if foundation.len() > 32 || !is_ice_text(foundation) {
            return Err(odd("bad foundation", foundation));
        }
        let component: u8 =
            number(component).filter(|it| matches!(it, 1 | 2)).ok_or_else(|| odd("component", component))?;
        let priority = number::<u32>(priority)
            .filter(|it| (1..1 << 31).contains(it))
            .ok_or_else(|| odd("bad priority", priority))?;
        let port = number::<u16>(port).filter(|port| *port != 0).ok_or_else(|| odd("bad port", port))?;
        let kind = match *kind {
            "host" => CandidateKind::Host,
            "srflx" => CandidateKind::ServerReflexive,
            "prflx" => CandidateKind::PeerReflexive,
            "relay" => CandidateKind::Relay,
            _ => return Err(odd("unknown type", kind)),
        };
        let extension = |name: &str| more.chunks_exact(2).find(|pair| pair[0] == name).map(|pair| pair[1]);
        let transport = match transport.to_ascii_lowercase().as_str() {
            "udp" => Transport::Udp,
            "tcp" => Transport::Tcp(match extension("tcptype") {
                Some("active") => TcpType::Active,
                Some("passive") => TcpType::Passive,
                Some("so") => TcpType::SimultaneousOpen,
                other => return Err(odd("bad tcptype", other.unwrap_or_default())),
            }),
            _ => return Err(odd("unknown transport", transport)),
        };
        let related = match (extension("raddr"), extension("rport")) {
            // It is for diagnosis only: whatever stands in its place is no reason to do without the candidate.
            (Some(address), Some(port)) => address.parse::<IpAddr>().ok().zip(number::<u16>(port)),
            _ => None,
        };
        let address = Address::read(address)?;
        let foundation = (*foundation).to_owned();
        Ok(Self { foundation, component, transport, priority, address, port, kind, related })
    }

    /// Returns the same candidate at a public address, for a server behind 1:1 NAT. Only host candidates of the
    /// address's own family change; all others are returned as they are.
    pub fn with_address(&self, ip: IpAddr) -> Self {
        let mut changed = self.clone();
        if let (CandidateKind::Host, Address::Ip(own)) = (self.kind, &self.address)
            && own.is_ipv4() == ip.is_ipv4()
        {
            changed.address = Address::Ip(ip);
        }
        changed
    }

    /// Returns whether it waits for a TCP connection: then who takes it connects to any address and port that it names.
    pub fn is_tcp_server(&self) -> bool {
        matches!(self.transport, Transport::Tcp(TcpType::Passive | TcpType::SimultaneousOpen))
    }

    /// Returns whether it leads into a network that is not the public one: loopback, link-local, private and shared
    /// addresses, and the names of a local network.
    pub fn is_internal(&self) -> bool {
        match &self.address {
            Address::Ip(ip) => is_internal(*ip),
            Address::Mdns(_) => true,
        }
    }

    /// Returns the address, if it is not a name.
    pub fn ip(&self) -> Option<IpAddr> {
        match self.address {
            Address::Ip(ip) => Some(ip),
            Address::Mdns(_) => None,
        }
    }
}

impl Address {
    /// Reads an address to send to, or why it is of no use.
    fn read(text: &str) -> Result<Self, Useless> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            let useless = ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST);
            return if useless { Err(Useless::Unsendable(ip)) } else { Ok(Self::Ip(ip)) };
        }
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let lower = text.to_ascii_lowercase();
        let is_mdns = text.len() <= 253 && lower.ends_with(".local") && text.split('.').all(label);
        if is_mdns { Ok(Self::Mdns(lower)) } else { Err(Useless::Name(text.to_owned())) }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { foundation, component, transport, priority, address, port, kind, related } = self;
        let protocol = if matches!(transport, Transport::Udp) { "udp" } else { "tcp" };
        write!(f, "candidate:{foundation} {component} {protocol} {priority} {address} {port} typ {kind}")?;
        if let Some((ip, port)) = related {
            write!(f, " raddr {ip} rport {port}")?;
        }
        match transport {
            Transport::Udp => Ok(()),
            Transport::Tcp(TcpType::Active) => f.write_str(" tcptype active"),
            Transport::Tcp(TcpType::Passive) => f.write_str(" tcptype passive"),
            Transport::Tcp(TcpType::SimultaneousOpen) => f.write_str(" tcptype so"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Mdns(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for CandidateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relay => "relay",
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn one(text: &str) -> Candidate {
        Candidate::parse(text).unwrap().unwrap()
    }

    #[test]
    fn reads_what_browsers_send_and_drops_their_extensions() {
        let chrome = one("candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 0.0.0.0 rport 0 \
                          generation 0 ufrag EsAw network-id 1 network-cost 10");
        assert_eq!(chrome.kind, CandidateKind::ServerReflexive);
        assert_eq!(
            chrome.to_string(),
            "candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 0.0.0.0 rport 0"
        );
        let firefox = one("a=candidate:0 1 UDP 2122187007 6b8f-0c9E.local 50123 typ host");
        assert_eq!(firefox.address, Address::Mdns("6b8f-0c9e.local".to_owned()));
        let tcp = one("2 1 TCP 2105458943 2001:db8::1 9 typ host tcptype active");
        assert_eq!(tcp.transport, Transport::Tcp(TcpType::Active));
        for candidate in [chrome, firefox, tcp] {
            assert_eq!(one(&candidate.to_string()), candidate);
        }
    }

    #[test]
    fn an_empty_candidate_is_the_end() {
        for text in ["", "  ", "a=", "candidate:", "a=candidate:", "a=end-of-candidates"] {
            assert_eq!(Candidate::parse(text).unwrap(), None, "{text}");
        }
    }

    #[test]
    fn what_is_malformed_or_useless_is_refused_in_one_line() {
        for text in [
            "candidate:1 1 udp 5 10.0.0.1",
            "candidate:1 1 udp 5 10.0.0.1 70000 typ host",
            "candidate:1 1 udp 5 10.0.0.1 0 typ host",
            "candidate:1 1 udp 0 10.0.0.1 1 typ host",
            "candidate:1 1 udp 2147483648 10.0.0.1 1 typ host",
            "candidate:1 0 udp 5 10.0.0.1 1 typ host",
            "candidate:1 3 udp 5 10.0.0.1 1 typ host",
            "candidate:1 1 sctp 5 10.0.0.1 1 typ host",
            "candidate:1 1 tcp 5 10.0.0.1 1 typ host",
            "candidate:1 1 udp 5 10.0.0.1 1 typ guess",
            "candidate:1 1 udp 5 10.0.0.1 1 kind host",
            "candidate:1 1 udp 5 0.0.0.0 1 typ host",
            "candidate:1 1 udp 5 224.0.0.1 1 typ host",
            "candidate:1 1 udp 5 fe80::1%eth0 1 typ host",
            "candidate:1 1 udp 5 internal.example.org 1 typ host",
            "candidate:1 1 udp 5 ..local 1 typ host",
            "candidate:é 1 udp 5 10.0.0.1 1 typ host",
            "candidate:1 1 udp 5 10.0.0.1 1 typ host\r\na=setup:active",
            "v=0",
        ] {
            let fault = Candidate::parse(text).unwrap_err().to_string();
            assert!(fault.starts_with("candidate: ") && !fault.contains('\n'), "{text}: {fault}");
        }
    }

    #[test]
    fn who_waits_for_tcp_and_who_is_in_a_network_of_their_own_is_known() {
        let tcp = |kind: &str| one(&format!("1 1 tcp 5 192.0.2.1 9 typ host tcptype {kind}")).is_tcp_server();
        assert!(tcp("passive") && tcp("so") && !tcp("active"));
        let internal = |address: &str| one(&format!("1 1 udp 5 {address} 9 typ host")).is_internal();
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.254",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "nas.local",
        ] {
            assert!(internal(address), "{address}");
        }
        for address in ["192.0.2.1", "100.63.0.1", "101.64.0.1", "172.32.0.1", "2001:db8::1", "::ffff:192.0.2.1"] {
            assert!(!internal(address), "{address}");
        }
    }

    #[test]
    fn a_public_address_replaces_host_addresses_of_its_family_only() {
        let public: IpAddr = "198.51.100.9".parse().unwrap();
        let host = one("1 1 udp 5 10.0.0.1 4000 typ host").with_address(public);
        assert_eq!(host.to_string(), "candidate:1 1 udp 5 198.51.100.9 4000 typ host");
        for other in [
            "1 1 udp 5 2001:db8::1 4000 typ host",
            "1 1 udp 5 192.0.2.1 4000 typ relay",
            "1 1 udp 5 a.local 1 typ host",
        ] {
            assert_eq!(one(other).with_address(public), one(other));
        }
    }
}
