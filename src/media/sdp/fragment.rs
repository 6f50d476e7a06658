//! Trickled candidates of a WHIP or WHEP PATCH: `application/trickle-ice-sdpfrag` (RFC 8840).

use super::{
    Candidate,
    candidate::Read,
    grammar::{Fault, ice_pwd, ice_ufrag, is_token, lines, quoted, say_once},
    limits::{MAX_CANDIDATES, MAX_FRAGMENT_BYTES, MAX_MID, MAX_SECTIONS},
};

/// The content of a fragment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fragment {
    /// ICE user fragment. One that differs from the offer's asks for an ICE restart.
    pub ufrag: Option<String>,
    /// ICE password.
    pub pwd: Option<String>,
    /// Candidates with the mid that they stand under; `None` where they stand under none. All of them belong to the
    /// one bundled transport.
    pub candidates: Vec<(Option<String>, Candidate)>,
    /// No candidates will follow.
    pub end: bool,
}

/// Reads a fragment. Candidates that ICE ignores (host names, RTCP components) and those beyond 32 are left out.
///
/// # Errors
/// Malformed lines or candidates, differing credentials, more than 4 m-lines or 16 KiB.
pub fn parse_fragment(text: &str) -> Result<Fragment, Fault> {
    let mut fragment = Fragment::default();
    let mut mid: Option<String> = None;
    let mut sections = 0;
    for line in lines(text, MAX_FRAGMENT_BYTES)? {
        if line.letter == b'm' {
            sections += 1;
            if sections > MAX_SECTIONS {
                return Err(line.fault(format_args!("more than {MAX_SECTIONS} m-lines")));
            }
            mid = None;
            continue;
        }
        let Some((name, value)) = line.attribute() else { continue };
        match name {
            "ice-ufrag" => {
                let ufrag = ice_ufrag(value).map_err(|what| line.fault(what))?;
                say_once(&mut fragment.ufrag, ufrag, &line, name)?;
            }
            "ice-pwd" => {
                let pwd = ice_pwd(value).map_err(|what| line.fault(what))?;
                say_once(&mut fragment.pwd, pwd, &line, name)?;
            }
            "mid" => {
                if !is_token(value) || value.len() > MAX_MID {
                    return Err(line.fault(format_args!("bad mid {}", quoted(value))));
                }
                mid = Some(value.to_owned());
            }
            "candidate" if value.is_empty() => fragment.end = true,
            "candidate" => match Candidate::read(value).map_err(|fault| line.fault(fault))? {
                Read::Candidate(candidate) if candidate.component == 1 => {
                    if fragment.candidates.len() < MAX_CANDIDATES {
                        fragment.candidates.push((mid.clone(), candidate));
                    }
                }
                Read::Candidate(_) | Read::Ignored(_) => {}
            },
            "end-of-candidates" => fragment.end = true,
            _ => {}
        }
    }
    Ok(fragment)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn candidates_come_with_their_mid_and_the_credentials() {
        let fragment = parse_fragment(
            "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=group:BUNDLE 0 1\r\n\
             m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n\
             a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0\r\n\
             a=candidate:2 1 udp 5 nas.example.org 61764 typ host\r\n\
             a=candidate:2 2 udp 5 192.0.2.1 61765 typ host\r\n\
             a=end-of-candidates\r\n",
        )
        .unwrap();
        assert_eq!(fragment.ufrag.as_deref(), Some("EsAw"));
        assert!(fragment.pwd.is_some() && fragment.end);
        let [(mid, candidate)] = fragment.candidates.as_slice() else { panic!("{fragment:?}") };
        assert_eq!(mid.as_deref(), Some("0"));
        assert_eq!(candidate.port, 61764);
    }

    #[test]
    fn a_bare_candidate_is_taken_and_an_empty_text_says_nothing() {
        let fragment = parse_fragment("a=candidate:1 1 udp 5 192.0.2.1 9 typ host\n").unwrap();
        assert_eq!(fragment.candidates[0].0, None);
        assert_eq!(parse_fragment("").unwrap(), Fragment::default());
    }

    #[test]
    fn faults_name_their_line() {
        let two = "a=ice-ufrag:EsAw\na=ice-ufrag:Other\n";
        assert!(parse_fragment(two).unwrap_err().to_string().starts_with("line 2: ice-ufrag"));
        assert!(
            parse_fragment("a=mid:0\na=candidate:nonsense\n").unwrap_err().to_string().starts_with("line 2: candidate")
        );
        assert!(parse_fragment(&"m=audio 9 x 0\n".repeat(5)).is_err());
        assert!(parse_fragment(&"a=x\n".repeat(5000)).is_err());
    }

    #[test]
    fn candidates_beyond_the_limit_are_left_out() {
        let many: String = (1..=100).map(|n| format!("a=candidate:{n} 1 udp {n} 192.0.2.1 {n} typ host\n")).collect();
        assert_eq!(parse_fragment(&many).unwrap().candidates.len(), MAX_CANDIDATES);
    }
}
