//! Signature by which a receiver knows that a request is ours, and not an old one sent again. PURE.

use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use sha2::{Digest as _, Sha256};

/// Makes the key that signs for this secret.
pub(super) fn key(secret: &str) -> Key {
    Key::new(HMAC_SHA256, secret.as_bytes())
}

/// Writes the header `Virfie-Signature`: the time of the request in seconds since 1970, and the HMAC-SHA256 of that time, a
/// full stop and the body.
pub(super) fn signature(key: &Key, at: i64, body: &[u8]) -> String {
    let mut signing = hmac::Context::with_key(key);
    signing.update(format!("{at}.").as_bytes());
    signing.update(body);
    format!("t={at},v1={}", hexadecimal(signing.sign().as_ref()))
}

/// Writes the header `Idempotency-Key`: of a body always the same, of another body another.
pub(super) fn idempotency_key(body: &[u8]) -> String {
    hexadecimal(&Sha256::digest(body)[..16])
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_as_others_compute_it() {
        // As `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac a-secret-of-sixteen` has it.
        let expected = "t=1700000000,v1=e8744ca57c358f5d4038718c08bfc4db464d38bdb70b6795fa1c8cdb6934d522";
        assert_eq!(signature(&key("a-secret-of-sixteen"), 1_700_000_000, b"{\"a\":1}"), expected);
        assert_ne!(signature(&key("a-secret-of-sixteen"), 1_700_000_001, b"{\"a\":1}"), expected);
        assert_ne!(idempotency_key(b"one"), idempotency_key(b"other"));
        assert_eq!(idempotency_key(b"one").len(), 32);
    }
}
