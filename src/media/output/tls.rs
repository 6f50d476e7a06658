//! Streams with a deadline, and TLS over them, checked against the authorities that the system trusts.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

use crate::media::port::{Blame, OutputFault};

/// Places in which systems keep the authorities that they trust.
const AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A stream that ends in time, however slowly the other end speaks.
#[derive(Debug)]
pub(super) struct Timed {
    stream: TcpStream,
    until: Instant,
}

impl Timed {
    pub(super) fn new(stream: TcpStream, left: Duration) -> Self {
        Self { stream, until: Instant::now() + left }
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(into)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Speaks TLS with a host, and checks that it is the one.
///
/// # Errors
/// The fault of its certificate, or of its TLS.
pub(super) fn secure(host: &str, mut stream: Timed) -> Result<StreamOwned<ClientConnection, Timed>, OutputFault> {
    let mut roots = RootCertStore::empty();
    let file = AUTHORITIES.iter().find(|file| Path::new(file).exists());
    let ours = |text: String| OutputFault::new(Blame::Operator, text);
    let file = file.ok_or_else(|| ours("this machine has no list of authorities that it trusts".to_owned()))?;
    let listed = CertificateDer::pem_file_iter(file).map_err(|error| ours(error.to_string()))?;
    // What cannot be read is trusted in nothing.
    roots.add_parsable_certificates(listed.filter_map(Result::ok));
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| OutputFault::new(Blame::Server, error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let theirs = |text: String| OutputFault::new(Blame::Destination, text);
    let name = ServerName::try_from(host.to_owned()).map_err(|error| theirs(error.to_string()))?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|error| theirs(error.to_string()))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).map_err(|error| super::trial::theirs(&error))?;
    }
    Ok(StreamOwned::new(connection, stream))
}
