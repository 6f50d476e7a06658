//! The DTLS certificate of the process's webrtcbins: ECDSA, made once. GStreamer's own would be RSA, which costs some
//! hundred milliseconds to make and which str0m's DTLS does not take from a peer.

use std::sync::OnceLock;

use gstreamer::{self as gst, prelude::*};
use rcgen::{CertificateParams, DnType, KeyPair};
use tracing::warn;

use crate::media::sdp::Fingerprint;

/// Returns the certificate and key as GStreamer takes them: PEM, one after the other. `None` when none could be made.
fn pem() -> Option<&'static str> {
    static PEM: OnceLock<Option<String>> = OnceLock::new();
    PEM.get_or_init(|| {
        make().inspect_err(|error| warn!(%error, "an ECDSA certificate cannot be made; GStreamer's own is used")).ok()
    })
    .as_deref()
}

fn make() -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    // Peers know it by its hash in the SDP; the name says nothing.
    params.distinguished_name.push(DnType::CommonName, "virfie");
    Ok(params.self_signed(&key)?.pem() + &key.serialize_pem())
}

/// Returns a description of webrtcbin's with the fingerprint of the certificate that its peer will see: it reads the
/// hash before its DTLS elements are given the certificate.
pub(super) fn announce(description: String) -> String {
    let Some(fingerprint) = pem().and_then(Fingerprint::of_pem) else { return description };
    let line = |line: &str| match line.starts_with("a=fingerprint:") {
        true => format!("a=fingerprint:{fingerprint}\r\n"),
        false => format!("{line}\r\n"),
    };
    description.lines().map(line).collect()
}

/// Makes the certificate, so that no peer has to wait for it.
pub fn warm_up() {
    pem();
}

/// Has every DTLS element that this webrtcbin makes use the certificate.
pub(super) fn use_in(webrtc: &gst::Element) {
    let (Some(bin), Some(pem)) = (webrtc.downcast_ref::<gst::Bin>(), pem()) else { return };
    bin.connect_deep_element_added(move |_, _, element| {
        if element.factory().is_some_and(|factory| factory.name() == "dtlsdec") {
            element.set_property("pem", pem);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gstreamer_takes_the_certificate() {
        crate::media::gst::init().expect("the test machine has GStreamer");
        let element = gst::ElementFactory::make("dtlsdec").build().expect("the plugin dtls is installed");
        let pem = pem().expect("it can be made");
        element.set_property("pem", pem);
        let taken: String = element.property("pem");
        assert!(Fingerprint::of_pem(pem).is_some_and(|fingerprint| fingerprint.matches_pem(&taken)));
    }

    #[test]
    fn the_fingerprint_of_every_line_is_that_of_the_certificate() {
        let ours = pem().and_then(Fingerprint::of_pem).expect("it can be made");
        let text = announce("v=0\r\na=fingerprint:sha-256 00\r\nm=x\r\na=fingerprint:sha-256 11\r\n".to_owned());
        assert_eq!(text, format!("v=0\r\na=fingerprint:{ours}\r\nm=x\r\na=fingerprint:{ours}\r\n"));
    }
}
