//! The certificate that the server shows.

use std::{
    fs, io,
    io::Write as _,
    net::IpAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum_server::tls_rustls::RustlsConfig;
use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};

use crate::{
    config::{ServeConfig, Tls},
    disk,
    error::ProgramError,
};

/// Lifetime of a certificate that is made here. Apple's browsers take no longer one than 825 days.
const VALID_DAYS: i64 = 800;

/// The next start makes a new certificate in place of one that ends earlier than this.
const RENEW_DAYS: i64 = 30;

/// The certificate in use. It is replaced while the server runs; connections that stand keep the one they began with.
pub struct Certificate {
    rustls: RustlsConfig,
    /// The files' content that it was made from.
    pem: Pem,
}

/// Chain and key.
type Pem = (Vec<u8>, Vec<u8>);

impl Certificate {
    /// Returns what the server's end of TLS shall use.
    pub fn rustls(&self) -> RustlsConfig {
        self.rustls.clone()
    }

    /// Takes another certificate when the files hold one (or when the one made here is close to its end), for as long
    /// as the server runs. The log reports one that cannot be used once, and the one in use stays.
    pub async fn keep(mut self, config: Arc<ServeConfig>, reachable: IpAddr, period: Duration) {
        let mut ticks = tokio::time::interval(period);
        let mut complaint = None;
        loop {
            ticks.tick().await;
            match self.look(&config, &reachable).await {
                Ok(true) => tracing::info!("another certificate is used from now on"),
                Ok(false) => complaint = None,
                Err(error) => {
                    let error = error.to_string();
                    if complaint.as_ref() != Some(&error) {
                        tracing::warn!(%error, "the certificate stays as it is");
                        complaint = Some(error);
                    }
                }
            }
        }
    }

    /// Returns whether there was another certificate, which is used from now on.
    async fn look(&mut self, config: &ServeConfig, reachable: &IpAddr) -> Result<bool, ProgramError> {
        let Some(pem) = pem(config, reachable)? else { return Ok(false) };
        if pem == self.pem {
            return Ok(false);
        }
        let loaded = self.rustls.reload_from_pem(pem.0.clone(), pem.1.clone()).await;
        loaded.map_err(|error| unusable(&error))?;
        self.pem = pem;
        Ok(true)
    }
}

/// Returns the certificate that the server shows, or `None` for plain HTTP. `reachable` is the address that others
/// open.
///
/// # Errors
/// [`ProgramError::Usage`] that names the key when a file cannot be used.
pub async fn configuration(config: &ServeConfig, reachable: &IpAddr) -> Result<Option<Certificate>, ProgramError> {
    let Some(pem) = pem(config, reachable)? else { return Ok(None) };
    let loaded = RustlsConfig::from_pem(pem.0.clone(), pem.1.clone()).await;
    loaded.map(|rustls| Some(Certificate { rustls, pem })).map_err(|error| unusable(&error))
}

fn unusable(error: &io::Error) -> ProgramError {
    ProgramError::Usage(format!("tls-cert, tls-key: {error}"))
}

/// Returns what the files hold now; one made here is made again where it has to be.
fn pem(config: &ServeConfig, reachable: &IpAddr) -> Result<Option<Pem>, ProgramError> {
    match &config.tls {
        Tls::Off => Ok(None),
        Tls::Files { cert, key } => Ok(Some((read("tls-cert", cert)?, read("tls-key", key)?))),
        Tls::SelfSigned => {
            let place = Place::under(&config.data_dir);
            let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
            let current = place.current(&names(config.listen.ip(), *reachable), today);
            current.map(Some).map_err(|error| ProgramError::Failed(format!("tls: cannot make a certificate: {error}")))
        }
    }
}

/// Bytes of a certificate with its chain, or of a key.
const MOST_OF_PEM: u64 = 1 << 20;

fn read(key: &str, file: &Path) -> Result<Vec<u8>, ProgramError> {
    disk::read(file, MOST_OF_PEM).map_err(|error| ProgramError::Usage(format!("{key}: {}: {error}", file.display())))
}

/// The place where a certificate made here is kept.
struct Place {
    certificate: PathBuf,
    key: PathBuf,
}

impl Place {
    fn under(data_dir: &Path) -> Self {
        Self { certificate: data_dir.join("self-signed.crt"), key: data_dir.join("self-signed.key") }
    }

    /// Returns the certificate and key (PEM) that are kept for these names, or new ones. Kept ones stay as long as they
    /// can, because browsers ask again for each new one.
    fn current(&self, names: &[String], today: Date) -> io::Result<(Vec<u8>, Vec<u8>)> {
        if let (Ok(certificate), Ok(key)) =
            (disk::read_text(&self.certificate, MOST_OF_PEM), disk::read(&self.key, MOST_OF_PEM))
            && let Some((kept, until)) = certificate.lines().next().and_then(note_read)
            && kept == names.join(" ")
            && today.checked_add(Span::new().days(RENEW_DAYS)).is_ok_and(|soon| soon < until)
        {
            return Ok((certificate.into_bytes(), key));
        }
        let until = today.checked_add(Span::new().days(VALID_DAYS)).map_err(io::Error::other)?;
        let (certificate, key) = make(names, today, until).map_err(io::Error::other)?;
        // PEM readers skip what stands before the first block.
        let certificate = format!("{}{certificate}", note(names, until));
        let _ = fs::remove_file(&self.key);
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.key)?.write_all(key.as_bytes())?;
        fs::write(&self.certificate, &certificate)?;
        Ok((certificate.into_bytes(), key.into_bytes()))
    }
}

const NOTE: &str = "Virfie, self-signed until ";

fn note(names: &[String], until: Date) -> String {
    format!("{NOTE}{until} for {}\n", names.join(" "))
}

/// Returns names and end of a note.
fn note_read(line: &str) -> Option<(&str, Date)> {
    let (until, names) = line.strip_prefix(NOTE)?.split_once(" for ")?;
    Some((names, until.parse().ok()?))
}

/// Returns what browsers may open: this machine's names and addresses, each once.
fn names(listen: IpAddr, reachable: IpAddr) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    for address in [listen, reachable] {
        if !address.is_unspecified() {
            names.push(address.to_string());
        }
    }
    if let Ok(host) = fs::read_to_string("/proc/sys/kernel/hostname") {
        let host = host.trim().to_ascii_lowercase();
        let is_name = |label: &str| {
            !label.is_empty() && label.len() < 64 && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
        };
        if host.len() < 200 && host.split('.').all(is_name) {
            if !host.contains('.') {
                names.push(format!("{host}.local"));
            }
            names.push(host);
        }
    }
    names.sort();
    names.dedup();
    names
}

/// Makes a certificate for these names and its key, PEM.
fn make(names: &[String], from: Date, until: Date) -> Result<(String, String), rcgen::Error> {
    let day =
        |date: Date| rcgen::date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs());
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Virfie");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = day(from);
    params.not_after = day(until);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_certificate_made_here_is_kept_until_it_must_change() {
        let config = ServeConfig { tls: Tls::SelfSigned, ..ServeConfig::default() };
        fs::create_dir_all(&config.data_dir).unwrap();
        let place = Place::under(&config.data_dir);
        let (names, today): (Vec<String>, Date) =
            (vec!["localhost".into(), "127.0.0.1".into()], "2026-03-01".parse().unwrap());
        let first = place.current(&names, today).unwrap();
        assert_eq!(fs::metadata(&place.key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(place.current(&names, "2028-01-01".parse().unwrap()).unwrap(), first);
        assert_ne!(place.current(&names, "2028-05-01".parse().unwrap()).unwrap(), first, "close to its end");
        let more: Vec<String> = [names.as_slice(), &["studio.local".to_owned()]].concat();
        assert_ne!(place.current(&more, today).unwrap(), first, "another name");
        assert!(configuration(&config, &IpAddr::from([127, 0, 0, 1])).await.unwrap().is_some(), "rustls takes it");
        fs::remove_dir_all(&config.data_dir).unwrap();
    }

    #[tokio::test]
    async fn another_certificate_is_taken_and_a_broken_one_is_not() {
        let folder = tempfile::TempDir::new().unwrap();
        let (cert, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        let put = |name: &str| {
            let from = "2026-03-01".parse().unwrap();
            let made = make(&[name.to_owned()], from, "2027-03-01".parse().unwrap()).unwrap();
            fs::write(&cert, made.0).unwrap();
            fs::write(&key, made.1).unwrap();
        };
        put("one.example");
        let tls = Tls::Files { cert: cert.clone(), key: key.clone() };
        let config = ServeConfig { tls, ..ServeConfig::default() };
        let reachable = IpAddr::from([127, 0, 0, 1]);
        let mut certificate = configuration(&config, &reachable).await.unwrap().unwrap();
        let first = certificate.rustls().get_inner();
        assert!(!certificate.look(&config, &reachable).await.unwrap(), "nothing has changed");
        put("two.example");
        assert!(certificate.look(&config, &reachable).await.unwrap());
        let second = certificate.rustls().get_inner();
        assert!(!Arc::ptr_eq(&first, &second), "new connections are shown the new one");
        fs::write(&cert, "half a file").unwrap();
        assert!(certificate.look(&config, &reachable).await.is_err());
        assert!(Arc::ptr_eq(&second, &certificate.rustls().get_inner()));
    }

    #[tokio::test]
    async fn a_missing_file_is_named_by_its_key() {
        let tls = Tls::Files { cert: "/no/such.pem".into(), key: "/no/such.key".into() };
        let config = ServeConfig { tls, ..ServeConfig::default() };
        let error = configuration(&config, &IpAddr::from([127, 0, 0, 1])).await.err().unwrap();
        assert!(matches!(&error, ProgramError::Usage(line) if line.starts_with("tls-cert: ")), "{error}");
    }

    #[test]
    fn names_are_unique_and_hold_the_addresses() {
        let all = names(IpAddr::from([0, 0, 0, 0]), IpAddr::from([192, 0, 2, 7]));
        assert!(all.iter().any(|name| name == "192.0.2.7") && all.iter().any(|name| name == "localhost"));
        assert!(!all.iter().any(|name| name == "0.0.0.0"));
        let mut unique = all.clone();
        unique.dedup();
        assert_eq!(all, unique);
    }
}
