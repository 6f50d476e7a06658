//! ICE as we want it from webrtcbin's agent, and local candidates as the peer shall see them.

use std::net::IpAddr;

use gstreamer::{self as gst, glib, prelude::*};
use tracing::warn;

use super::peer::Network;
use crate::media::sdp::{Candidate, CandidateKind};

/// Sets STUN, TURN, ports, addresses and libnice's switches. To be called before negotiation.
pub(super) fn configure(webrtc: &gst::Element, network: &Network) {
    if let Some(stun) = &network.stun {
        webrtc.set_property("stun-server", stun);
    }
    for turn in &network.turn {
        if !webrtc.emit_by_name::<bool>("add-turn-server", &[turn]) {
            warn!("a TURN server is not understood and is left out");
        }
    }
    let agent = webrtc.property::<gst::Object>("ice-agent");
    if let Some((first, last)) = network.udp_ports {
        agent.set_property("min-rtp-port", u32::from(first));
        agent.set_property("max-rtp-port", u32::from(last));
    }
    if let Some(ip) = network.local_ip {
        agent.emit_by_name::<bool>("add-local-ip-address", &[&ip.to_string()]);
    }
    if agent.find_property("agent").is_some() {
        let nice = agent.property::<glib::Object>("agent");
        // Both are libnice's defaults turned round: it would ask the LAN for port mappings, and would never notice
        // that a peer went silent.
        nice.set_property("upnp", false);
        nice.set_property("keepalive-conncheck", true);
    }
}

/// Returns a local candidate as the peer shall see it, or `None` when it is of no use to anybody. A host candidate
/// shows the public address where there is one.
pub(super) fn shown(candidate: &str, public_ip: Option<IpAddr>) -> Option<String> {
    let candidate = Candidate::parse(candidate).ok()??;
    Some(match public_ip {
        Some(ip) if candidate.kind == CandidateKind::Host => candidate.with_address(ip).to_string(),
        _ => candidate.to_string(),
    })
}
