//! The network of an address: whether it is a public one, and whom it stands for. PURE.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns whether an address means something in its own network only: loopback, link-local, private and shared
/// addresses, those that are reserved, and those of IPv6 that hold such a one of IPv4. Addresses for documentation
/// count as public.
pub fn is_internal(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => is_internal_v4(ip),
        IpAddr::V6(ip) => is_internal_v6(ip),
    }
}

/// Finds whom an address stands for: itself, and of IPv6 the network that one household or machine has.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        other => other,
    }
}

fn is_internal_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_broadcast()
        || ip.is_multicast()
        || a == 0
        // Carrier-grade NAT, protocol assignments, benchmarks, reserved.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 240
}

fn is_internal_v6(ip: Ipv6Addr) -> bool {
    let [a, ..] = ip.segments();
    // Addresses that hold one of IPv4: NAT64, 6to4, those that are translated or compatible, and Teredo's, inverted.
    let embedded = match ip.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x2002, high, low, ..] => Some(v4_of(high, low)),
        [0x2001, 0, _, _, _, _, high, low] => Some(v4_of(!high, !low)),
        _ => None,
    };
    // NAT64 of an operator's own (RFC 8215).
    let local_nat64 = matches!(ip.segments(), [0x64, 0xff9b, 1, ..]);
    ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_multicast()
        || a & 0xfe00 == 0xfc00
        || a & 0xffc0 == 0xfe80
        || a & 0xffc0 == 0xfec0
        || local_nat64
        || embedded.is_some_and(is_internal_v4)
}

fn v4_of(high: u16, low: u16) -> Ipv4Addr {
    let ([w, x], [y, z]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(w, x, y, z)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_of_no_public_network_are_internal() {
        for text in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.9.9",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::1",
            "::7f00:1",
            "64:ff9b:1::808:808",
            "::ffff:0:10.0.0.1",
            "2001:0:4136:e378:8000:63bf:f5ff:fffe",
        ] {
            assert!(is_internal(text.parse().unwrap()), "{text}");
        }
        for text in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "64:ff9b::808:808",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        ] {
            assert!(!is_internal(text.parse().unwrap()), "{text}");
        }
    }
}
