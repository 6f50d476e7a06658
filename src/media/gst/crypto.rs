//! OpenSSL, which is GStreamer's DTLS, while the process ends.

use std::{
    ffi::{c_int, c_void},
    ptr::null,
    sync::OnceLock,
};

use libloading::Library;

/// Libraries that GStreamer's DTLS may be linked with, the newest first.
const NAMES: [&str; 3] = ["libcrypto.so.4", "libcrypto.so.3", "libcrypto.so.1.1"];

/// `OPENSSL_INIT_NO_ATEXIT` of OpenSSL's `crypto.h`.
const NO_ATEXIT: u64 = 0x0008_0000;

/// `int OPENSSL_init_crypto(uint64_t opts, const OPENSSL_INIT_SETTINGS *settings)`
type Init = unsafe extern "C" fn(u64, *const c_void) -> c_int;

/// Has OpenSSL stay usable to the very end of the process. By itself it frees what it has when the program calls
/// `exit`, while connections on GStreamer's threads still use it: the process then ends by a signal now and then.
///
/// Has an effect before anything else uses OpenSSL only. Without OpenSSL there is nothing to keep.
pub(super) fn keep_to_the_end() {
    // Kept, because unloading OpenSSL and loading it again would forget what we asked for.
    static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        // SAFETY: loading OpenSSL runs no code that needs anything of us; GStreamer's plugin would load it next.
        let library = NAMES.iter().find_map(|name| unsafe { Library::new(name) }.ok())?;
        // SAFETY: the type is that of OpenSSL's documentation, in all versions that are named above.
        if let Ok(init) = unsafe { library.get::<Init>(b"OPENSSL_init_crypto\0") } {
            // SAFETY: no settings are allowed, and the function may be called at any time by any thread.
            unsafe { init(NO_ATEXIT, null()) };
        }
        Some(library)
    });
}

#[cfg(test)]
mod tests {
    use std::{env, process::Command};

    use super::*;

    /// Set in the process that ends.
    const ENDING: &str = "VIRFIE_TEST_ENDING";

    const BROKEN: c_int = 9;

    /// Runs after all handlers that were registered later, OpenSSL's included.
    extern "C" fn use_openssl() {
        type Random = unsafe extern "C" fn(*mut u8, c_int) -> c_int;
        let mut bytes = [0; 16];
        // SAFETY: the type is that of OpenSSL's documentation, and the buffer is as long as we say.
        let filled = unsafe {
            let library = NAMES.iter().find_map(|name| Library::new(name).ok());
            library.and_then(|library| Some(library.get::<Random>(b"RAND_bytes\0").ok()?(bytes.as_mut_ptr(), 16)))
        };
        if filled != Some(1) {
            // SAFETY: ends the process at once.
            unsafe { libc::_exit(BROKEN) };
        }
    }

    #[test]
    fn openssl_can_be_used_until_the_process_is_gone() {
        if env::var_os(ENDING).is_some() {
            // SAFETY: the handler is a plain function.
            assert_eq!(unsafe { libc::atexit(use_openssl) }, 0);
            crate::media::gst::init().expect("the test machine has GStreamer");
            // What was never used needs no end.
            use_openssl();
            return;
        }
        let program = env::current_exe().expect("a test is a program");
        let name = concat!(module_path!(), "::openssl_can_be_used_until_the_process_is_gone");
        let (_, name) = name.split_once("::").expect("it begins with the name of the crate");
        let ended = Command::new(program).args(["--exact", name]).env(ENDING, "1").output().expect("it can be run");
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && said.contains("1 passed"), "{ended:?}");
    }
}
