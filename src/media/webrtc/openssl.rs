//! The settings of OpenSSL, which is GStreamer's DTLS.

use std::{fs::File, io::Write as _, os::fd::IntoRawFd as _};

use rustix::fs::{MemfdFlags, memfd_create};

/// OpenSSL's own list of curves, and P-224 behind it: FFmpeg with GnuTLS shows a certificate of that curve, whatever it
/// is offered, and sends by WHIP only to those who take it.
const SETTINGS: &str = "openssl_conf = virfie\n\
    [virfie]\n\
    ssl_conf = modules\n\
    [modules]\n\
    system_default = every_context\n\
    [every_context]\n\
    Groups = X25519:P-256:X448:P-521:P-384:P-224\n";

/// The variable by which OpenSSL finds its settings.
const VARIABLE: &str = "OPENSSL_CONF";

/// Has OpenSSL take the certificates of all senders, unless the user has settings of their own.
///
/// # Safety
/// No other thread may run yet: the environment changes.
pub unsafe fn configure() {
    if std::env::var_os(VARIABLE).is_some() {
        return;
    }
    // A file that is nowhere on the disk, open as long as the process lives. Without it OpenSSL has its own list.
    let Ok(descriptor) = memfd_create("openssl.cnf", MemfdFlags::CLOEXEC) else { return };
    let mut file = File::from(descriptor);
    if file.write_all(SETTINGS.as_bytes()).is_err() {
        return;
    }
    // The number alone is kept, so that nothing closes it.
    let path = format!("/proc/self/fd/{}", file.into_raw_fd());
    // SAFETY: the caller says that no other thread could read the environment now.
    unsafe { std::env::set_var(VARIABLE, path) };
}
