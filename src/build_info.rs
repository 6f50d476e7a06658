//! Identity of this program: its version, and where a release says so, the revision and the date that it was built
//! from. `virfie --version` prints it, and the metric `virfie_build_info` carries it.
//!
//! `build.rs` passes on `VIRFIE_REVISION` and `SOURCE_DATE_EPOCH`, which `make deb` sets from git. It does not ask git
//! itself: then each commit would compile the whole crate again. Nothing else of the machine gets in, so that the same
//! sources give the same text.

use std::sync::LazyLock;

use jiff::{Timestamp, tz::TimeZone};

/// The program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns the revision in git, if it was named.
pub fn revision() -> Option<&'static str> {
    given(option_env!("VIRFIE_BUILT_REVISION"))
}

/// Returns what `virfie --version` prints behind the name: `0.1.0 (0123456789ab, 2026-11-29)`.
pub fn description() -> &'static str {
    static DESCRIPTION: LazyLock<String> =
        LazyLock::new(|| describe(VERSION, revision(), given(option_env!("VIRFIE_BUILT_EPOCH"))));
    &DESCRIPTION
}

fn given(text: Option<&'static str>) -> Option<&'static str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// `epoch` is the date in seconds since 1970.
fn describe(version: &str, revision: Option<&str>, epoch: Option<&str>) -> String {
    let at = epoch.and_then(|seconds| Timestamp::from_second(seconds.parse().ok()?).ok());
    let date = at.map(|at| at.to_zoned(TimeZone::UTC).date().to_string());
    let known: Vec<&str> = revision.into_iter().chain(date.as_deref()).collect();
    if known.is_empty() { version.to_owned() } else { format!("{version} ({})", known.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_said() {
        let describe = |revision, epoch| describe("1.2.3", revision, epoch);
        assert_eq!(describe(None, None), "1.2.3");
        assert_eq!(describe(Some("0123456789ab"), None), "1.2.3 (0123456789ab)");
        assert_eq!(describe(None, Some("0")), "1.2.3 (1970-01-01)");
        assert_eq!(describe(Some("0123456789ab"), Some("1795916067")), "1.2.3 (0123456789ab, 2026-11-29)");
        assert_eq!(describe(None, Some("soon")), "1.2.3", "a date that cannot be read is left out");
    }

    #[test]
    fn this_program_says_its_version_and_nothing_of_the_machine() {
        let said = description();
        assert!(said.starts_with(VERSION), "{said}");
        assert!(!said.contains('/'), "{said}");
        assert_eq!(given(Some(" ")), None);
    }
}
