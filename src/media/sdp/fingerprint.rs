//! The certificate hash of an SDP, and its comparison with the certificate that DTLS showed.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::grammar::{Fault, quoted};

/// Hash functions that a fingerprint may use, weakest first. SHA-1 and older are not among them: a second certificate
/// of the same SHA-1 hash can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// 32 bytes.
    Sha256,
    /// 48 bytes.
    Sha384,
    /// 64 bytes.
    Sha512,
}

impl HashAlgorithm {
    fn from_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha384, Self::Sha512].into_iter().find(|it| it.name().eq_ignore_ascii_case(name))
    }

    /// Returns the name that SDP has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// Returns the length of the hash in bytes.
    fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn hash(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha384 => Sha384::digest(data).to_vec(),
            Self::Sha512 => Sha512::digest(data).to_vec(),
        }
    }
}

/// The hash of a peer's DTLS certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// Algorithm by which it was made.
    pub algorithm: HashAlgorithm,
    /// 32, 48 or 64 bytes, by the algorithm.
    pub bytes: Vec<u8>,
}

impl Fingerprint {
    /// Reads `sha-256 AB:CD:…`, the value of `a=fingerprint`. Case does not matter.
    ///
    /// # Errors
    /// Another algorithm than SHA-256, SHA-384 or SHA-512, a wrong number of bytes, or no hexadecimal pairs.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let name = text.split(' ').next().unwrap_or_default();
        Self::read(text)?
            .ok_or_else(|| Fault::new(format!("fingerprint by {} (use sha-256, sha-384 or sha-512)", quoted(name))))
    }

    /// Works as [`Self::parse`], but `None` for an algorithm that is not accepted: RFC 8122 allows others beside a good
    /// one.
    pub(super) fn read(text: &str) -> Result<Option<Self>, Fault> {
        let (name, hex) = text.split_once(' ').ok_or_else(|| Fault::new("fingerprint has no hash"))?;
        let Some(algorithm) = HashAlgorithm::from_name(name) else { return Ok(None) };
        let bytes: Option<Vec<u8>> = hex.trim().split(':').map(hex_pair).collect();
        match bytes {
            Some(bytes) if bytes.len() == algorithm.len() => Ok(Some(Self { algorithm, bytes })),
            _ => Err(Fault::new(format!(
                "{} fingerprint must be {} hexadecimal pairs with colons between",
                algorithm.name(),
                algorithm.len()
            ))),
        }
    }

    /// Returns the SHA-256 hash of the first certificate of a PEM text; `None` where it has no readable one.
    pub fn of_pem(pem: &str) -> Option<Self> {
        let algorithm = HashAlgorithm::Sha256;
        certificate_der(pem).map(|der| Self { algorithm, bytes: algorithm.hash(&der) })
    }

    /// Returns whether the first certificate of a PEM text has this hash. `false` where the text has no readable
    /// certificate.
    pub fn matches_pem(&self, pem: &str) -> bool {
        certificate_der(pem).is_some_and(|der| self.algorithm.hash(&der) == self.bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm.name())?;
        for (index, byte) in self.bytes.iter().enumerate() {
            write!(f, "{}{byte:02X}", if index == 0 { ' ' } else { ':' })?;
        }
        Ok(())
    }
}

fn hex_pair(text: &str) -> Option<u8> {
    let two = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    two.then(|| u8::from_str_radix(text, 16).ok()).flatten()
}

/// Returns the DER bytes of the first certificate of a PEM text.
fn certificate_der(pem: &str) -> Option<Vec<u8>> {
    let (_, after) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = after.split_once("-----END CERTIFICATE-----")?;
    let compact: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(compact).ok().filter(|der| !der.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    // What is hashed is whatever the PEM holds: no ASN.1 is read, so three bytes do for a certificate.
    const PEM: &str = "noise\n-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n\
                       -----BEGIN CERTIFICATE-----\nZGVm\n-----END CERTIFICATE-----\n";
    const ABC_256: &str =
        "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";

    #[test]
    fn reads_what_it_writes_in_any_case() {
        let upper = Fingerprint::parse(&format!("sha-256 {ABC_256}")).unwrap();
        let lower = Fingerprint::parse(&format!("SHA-256 {}", ABC_256.to_lowercase())).unwrap();
        assert_eq!(upper, lower);
        assert_eq!(upper.to_string(), format!("sha-256 {ABC_256}"));
    }

    #[test]
    fn matches_the_first_certificate_only() {
        let abc = Fingerprint::parse(&format!("sha-256 {ABC_256}")).unwrap();
        assert!(abc.matches_pem(PEM));
        assert_eq!(Fingerprint::of_pem(PEM), Some(abc));
        let def = Fingerprint { algorithm: HashAlgorithm::Sha256, bytes: HashAlgorithm::Sha256.hash(b"def") };
        assert!(!def.matches_pem(PEM));
        for algorithm in [HashAlgorithm::Sha384, HashAlgorithm::Sha512] {
            assert!(Fingerprint { algorithm, bytes: algorithm.hash(b"abc") }.matches_pem(PEM));
        }
    }

    #[test]
    fn matches_nothing_where_there_is_no_certificate() {
        let abc = Fingerprint::parse(&format!("sha-256 {ABC_256}")).unwrap();
        for pem in ["", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----"] {
            assert!(!abc.matches_pem(pem));
        }
        let empty = Fingerprint { algorithm: HashAlgorithm::Sha256, bytes: HashAlgorithm::Sha256.hash(b"") };
        assert!(!empty.matches_pem("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"));
    }

    #[test]
    fn weak_algorithms_and_wrong_lengths_are_refused() {
        let sha1 = "sha-1 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33";
        assert!(Fingerprint::parse(sha1).unwrap_err().to_string().contains("sha-1"));
        assert_eq!(Fingerprint::read(sha1).unwrap(), None);
        assert!(Fingerprint::parse(&format!("sha-256 {}", &ABC_256[3..])).is_err());
        assert!(Fingerprint::parse(&format!("sha-384 {ABC_256}")).is_err());
        assert!(Fingerprint::parse(&format!("sha-256 {}", ABC_256.replace("BA:", "+A:"))).is_err());
        assert!(Fingerprint::parse("sha-256").is_err());
    }
}
