//! Packed files of the page, and the packing that a browser takes (`Accept-Encoding`, RFC 9110). PURE.

/// The packing of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// Smaller; browsers take it over TLS and from this machine only.
    Brotli,
    /// Taken by every browser.
    Gzip,
}

impl Packing {
    /// The one that makes files smallest first.
    pub(super) const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// Returns the name as `Content-Encoding` writes it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Returns what the name of the packed file has behind that of the file, as the build of the page writes it.
    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }

    /// Returns whether a file of this name is the packed form of another one.
    pub(super) fn made(name: &str) -> bool {
        Self::ALL.iter().any(|packing| name.ends_with(packing.ending()))
    }
}

/// Returns the packings that may be sent to who accepts these, the most welcome first. The file as it is may always be
/// sent as well: a browser that refuses it would be left with nothing.
pub(super) fn welcome<'a>(accepted: impl Iterator<Item = &'a str>) -> Vec<Packing> {
    let accepted: Vec<&str> = accepted.collect();
    let least = weight_of("identity", &accepted).unwrap_or(0);
    let weight =
        |packing: Packing| weight_of(packing.name(), &accepted).or_else(|| weight_of("*", &accepted)).unwrap_or(0);
    let mut packings: Vec<Packing> =
        Packing::ALL.into_iter().filter(|packing| weight(*packing) > 0 && weight(*packing) >= least).collect();
    // Those of equal weight stay in the order of `ALL`.
    packings.sort_by_key(|packing| std::cmp::Reverse(weight(*packing)));
    packings
}

/// Returns how much an encoding is wanted, in thousandths; `None` where nothing is said of it.
fn weight_of(name: &str, accepted: &[&str]) -> Option<u16> {
    accepted.iter().find_map(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let named = parts.next().is_some_and(|given| given.eq_ignore_ascii_case(name));
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        named.then(|| quality.map_or(1000, thousandths))
    })
}

/// Returns a quality such as `0.8`; what is no number is not wanted.
fn thousandths(quality: &str) -> u16 {
    let share = quality.trim().parse::<f32>().unwrap_or(0.0);
    // Not a number becomes 0.
    (share.clamp(0.0, 1.0) * 1000.0).round() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn welcome(accepted: &str) -> Vec<Packing> {
        super::welcome(accepted.split(','))
    }

    #[test]
    fn the_smallest_that_is_taken_comes_first() {
        assert_eq!(welcome("gzip, deflate, br, zstd"), [Packing::Brotli, Packing::Gzip]);
        assert_eq!(welcome("gzip, deflate"), [Packing::Gzip]);
        assert_eq!(welcome("GZIP"), [Packing::Gzip]);
        assert_eq!(welcome("*"), [Packing::Brotli, Packing::Gzip]);
    }

    #[test]
    fn qualities_are_heeded() {
        assert_eq!(welcome("br;q=0.5, gzip;q=0.8"), [Packing::Gzip, Packing::Brotli]);
        assert_eq!(welcome("br;q=0, gzip"), [Packing::Gzip]);
        assert_eq!(welcome("br ; q=0.000, *;q=0.1"), [Packing::Gzip]);
        assert!(welcome("identity, gzip;q=0.5").is_empty());
        assert_eq!(welcome("identity;q=0.5, gzip;q=1.0"), [Packing::Gzip]);
    }

    #[test]
    fn what_is_not_said_or_not_readable_is_not_wanted() {
        for accepted in ["", "identity", "zstd", "br;q=many", "br;q=NaN", "brotli", ";;,,", "*;q=0"] {
            assert!(welcome(accepted).is_empty(), "{accepted}");
        }
    }

    #[test]
    fn packed_files_are_known_by_their_names() {
        assert!(Packing::made("app/index-x.js.br") && Packing::made("index.html.gz"));
        assert!(!Packing::made("app/index-x.js") && !Packing::made("favicon.svg"));
    }
}
