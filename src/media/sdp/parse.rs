//! A remote description: lines in, a checked [`Description`] out.

use super::{
    Candidate, Description, Direction, Fingerprint, SdpKind, Section, Setup, Ssrc,
    grammar::{Fault, SdpLine, is_token, lines, quoted},
    limits::{MAX_BYTES, MAX_GROUP, MAX_LINE, MAX_MID, MAX_SECTIONS},
    section::{RawSection, Shared},
};

impl Description {
    /// Reads and checks a whole description.
    ///
    /// # Errors
    /// The first thing that is malformed, over a limit, or beyond what this server negotiates: see the module.
    pub fn parse(text: &str, kind: SdpKind) -> Result<Self, Fault> {
        let (session, sections) = read(&lines(text, MAX_BYTES)?, kind)?;
        let description = resolve(session, sections, kind)?;
        // Wildcards and shared attributes grow when they are written out for every codec and section.
        let written = description.to_sdp();
        if written.len() > MAX_BYTES || written.lines().any(|line| line.len() > MAX_LINE) {
            return Err(Fault::new("too much to be carried: the normalised description is over the limits"));
        }
        Ok(description)
    }
}

/// The part above the first m-line.
#[derive(Default)]
struct Session {
    shared: Shared,
    bundle: Option<Vec<String>>,
    ice_lite: bool,
}

fn read(lines: &[SdpLine<'_>], kind: SdpKind) -> Result<(Session, Vec<RawSection>), Fault> {
    let mut session = Session::default();
    let mut sections: Vec<RawSection> = Vec::new();
    match lines.first() {
        Some(first) if first.letter == b'v' && first.value == "0" => {}
        Some(first) => return Err(first.fault("a description begins with v=0")),
        None => return Err(Fault::new("the description is empty")),
    }
    for line in lines {
        if line.letter == b'm' {
            if sections.len() == MAX_SECTIONS {
                return Err(line.fault(format_args!("more than {MAX_SECTIONS} m-lines")));
            }
            sections.push(RawSection::new(line)?);
            continue;
        }
        let Some((name, value)) = line.attribute() else { continue };
        if let Some(section) = sections.last_mut() {
            section.read(line, name, value, kind)?;
            continue;
        }
        match name {
            "group" => read_group(&mut session, line, value)?,
            "ice-lite" => session.ice_lite = true,
            _ => {
                session.shared.read(line, name, value, kind)?;
            }
        }
    }
    if sections.is_empty() {
        return Err(Fault::new("the description has no m-line"));
    }
    Ok((session, sections))
}

/// Takes `a=group:BUNDLE …`; other groups (lip sync) are left out.
fn read_group(session: &mut Session, line: &SdpLine<'_>, value: &str) -> Result<(), Fault> {
    let mut words = value.split(' ').filter(|word| !word.is_empty());
    if words.next() != Some("BUNDLE") {
        return Ok(());
    }
    if session.bundle.is_some() {
        return Err(line.fault("a second BUNDLE group"));
    }
    let mut mids: Vec<String> = Vec::new();
    for mid in words {
        if !is_token(mid) || mid.len() > MAX_MID || mids.len() == MAX_GROUP {
            return Err(line.fault(format_args!("bad BUNDLE group at {}", quoted(mid))));
        }
        if mids.iter().any(|known| known == mid) {
            return Err(line.fault(format_args!("mid {} stands twice in the BUNDLE group", quoted(mid))));
        }
        mids.push(mid.to_owned());
    }
    session.bundle = Some(mids);
    Ok(())
}

/// The values that all sections of a bundle share, taken from its first section.
struct Common {
    ufrag: String,
    pwd: String,
    setup: Setup,
    fingerprint: Fingerprint,
}

fn resolve(session: Session, raw: Vec<RawSection>, kind: SdpKind) -> Result<Description, Fault> {
    let mids = mids(&raw)?;
    // Publishers without a microphone name its mid all the same (FFmpeg).
    let group: Vec<&String> = session.bundle.iter().flatten().filter(|mid| mids.contains(mid)).collect();
    let in_group = |index: usize| group.contains(&&mids[index]);
    let rejected: Vec<bool> = raw
        .iter()
        .enumerate()
        .map(|(index, section)| {
            section.other.is_some() || section.port == 0 && !(section.bundle_only && in_group(index))
        })
        .collect();
    let is_taken = |mid: &String| mids.iter().position(|own| own == mid).is_some_and(|index| !rejected[index]);
    let bundle: Vec<String> = group.iter().copied().filter(|mid| is_taken(mid)).cloned().collect();
    let active: Vec<usize> = (0..raw.len()).filter(|&index| !rejected[index]).collect();
    let Some(&first) = active.first() else {
        return Err(Fault::new("every m-line is rejected (port 0), or neither audio nor video"));
    };
    if let (Some(&outside), true) = (active.iter().find(|&&index| !in_group(index)), active.len() > 1) {
        return Err(Fault::new(format!("mid {} is not in the BUNDLE group: all m-lines must be", mids[outside])));
    }
    let tagged = bundle.first().and_then(|mid| mids.iter().position(|own| own == mid)).unwrap_or(first);

    // The group's first section may be one that is rejected here: what the others leave out stands there.
    let leader = group.first().and_then(|mid| mids.iter().position(|own| own == *mid)).unwrap_or(tagged);
    let common = common(&session.shared, [&raw[tagged], &raw[leader]], &mids[tagged])?;
    let led: Vec<Candidate> = if leader == tagged { Vec::new() } else { raw[leader].candidates.clone() };
    let trickle = session.shared.trickle || raw.iter().any(|section| section.shared.trickle);
    let mut media: Vec<Section> = Vec::new();
    for (index, (section, mid)) in raw.into_iter().zip(mids).enumerate() {
        let place = format!("mid {mid}");
        let mut built = if rejected[index] {
            rejected_section(&section, mid, &common)
        } else {
            active_section(section, mid, &place, &session.shared, &common)?
        };
        if index != tagged {
            built.candidates.clear();
            built.end_of_candidates = false;
        } else if built.candidates.is_empty() {
            built.candidates.clone_from(&led);
        }
        agree(&mut built, &media, &place)?;
        media.push(built);
    }
    Ok(Description { kind, media, bundle, ice_lite: session.ice_lite, trickle })
}

/// Returns the sections' names; the index where a section has no name.
fn mids(raw: &[RawSection]) -> Result<Vec<String>, Fault> {
    let mut mids: Vec<String> = Vec::new();
    for (index, section) in raw.iter().enumerate() {
        let mid = section.mid.clone().unwrap_or_else(|| index.to_string());
        if mids.contains(&mid) {
            return Err(Fault::new(format!("mid {} stands twice", quoted(&mid))));
        }
        mids.push(mid);
    }
    Ok(mids)
}

/// `leading`: the section whose transport counts, and the one to look at for what that lacks.
fn common(session: &Shared, leading: [&RawSection; 2], mid: &str) -> Result<Common, Fault> {
    let [own, leader] = leading.map(|section| &section.shared);
    let missing = |what: &str| Fault::new(format!("mid {mid}: no {what}"));
    if !leading[0].rtcp_mux {
        return Err(missing("rtcp-mux, which is required"));
    }
    let places = [own, session, leader];
    let ufrag = places.iter().find_map(|place| place.ufrag.clone()).ok_or_else(|| missing("ice-ufrag"))?;
    let pwd = places.iter().find_map(|place| place.pwd.clone()).ok_or_else(|| missing("ice-pwd"))?;
    let setup = places.iter().find_map(|place| place.setup).ok_or_else(|| missing("setup"))?;
    let weak = places.iter().any(|place| place.only_weak());
    let fingerprint = places.iter().find_map(|place| place.fingerprint().cloned()).ok_or_else(|| {
        missing(if weak { "fingerprint by sha-256, sha-384 or sha-512 (others are too weak)" } else { "fingerprint" })
    })?;
    Ok(Common { ufrag, pwd, setup, fingerprint })
}

fn rejected_section(raw: &RawSection, mid: String, common: &Common) -> Section {
    let ice = (common.ufrag.clone(), common.pwd.clone());
    let line = (raw.kind, raw.protocol.clone(), raw.other.clone());
    Section::rejected(line, mid, ice, common.fingerprint.clone(), common.setup)
}

fn active_section(
    mut raw: RawSection,
    mid: String,
    place: &str,
    session: &Shared,
    common: &Common,
) -> Result<Section, Fault> {
    if raw.shared.only_weak() || raw.shared.fingerprint().is_some_and(|own| *own != common.fingerprint) {
        return Err(Fault::new(format!("{place}: fingerprint differs from that of the other m-lines")));
    }
    let ssrcs: Vec<Ssrc> = raw.take_ssrcs();
    let codecs = raw.codecs.into_codecs(&raw.payloads);
    if codecs.is_empty() {
        return Err(Fault::new(format!("{place}: no payload type has an rtpmap")));
    }
    Ok(Section {
        kind: raw.kind,
        protocol: raw.protocol,
        other: None,
        mid,
        direction: raw.shared.direction.or(session.direction).unwrap_or(Direction::SendRecv),
        rejected: false,
        ice_ufrag: common.ufrag.clone(),
        ice_pwd: common.pwd.clone(),
        fingerprint: common.fingerprint.clone(),
        setup: common.setup,
        codecs,
        extensions: raw.extensions,
        candidates: raw.candidates,
        end_of_candidates: raw.shared.end_of_candidates || session.end_of_candidates,
        rtcp_rsize: raw.rtcp_rsize,
        ssrcs,
        msid: raw.msid,
    })
}

/// Checks that sections agree. Bundled sections share one space of SSRCs and extension ids (RFC 8843): an SSRC of two
/// sections is refused, an extension id of two meanings keeps its first.
fn agree(section: &mut Section, earlier: &[Section], place: &str) -> Result<(), Fault> {
    for other in earlier {
        if let Some(both) = section.ssrcs.iter().find(|ssrc| other.ssrcs.iter().any(|known| known.id == ssrc.id)) {
            return Err(Fault::new(format!("{place}: SSRC {} is declared by mid {} too", both.id, other.mid)));
        }
        section
            .extensions
            .retain(|(id, uri)| !other.extensions.iter().any(|(known, meaning)| known == id && meaning != uri));
    }
    Ok(())
}
