//! Answers: the remote one to our offer, and our own one to a narrowed offer.

use super::{Chosen, Codec, CodecFormat, Description, Direction, Fault, MediaKind, SdpKind, Section};

/// Checks that an answer fits an offer of ours with that many sections, audio first and video behind: same count and
/// kinds, nothing rejected or inactive (GST-1.22: late packets of an inactive section end the whole bundle), all in one
/// BUNDLE group.
///
/// # Errors
/// The first difference.
pub fn check_answer(answer: &Description, sections: usize) -> Result<(), Fault> {
    if answer.kind != SdpKind::Answer {
        return Err(Fault::new("an answer is expected, not an offer"));
    }
    if answer.media.len() != sections {
        return Err(Fault::new(format!("the answer has {} m-lines, the offer {sections}", answer.media.len())));
    }
    for (index, section) in answer.media.iter().enumerate() {
        let expected = if index == 0 { MediaKind::Audio } else { MediaKind::Video };
        if section.kind != expected {
            return Err(fault(index, section, format_args!("is {}, {expected} was offered", section.kind)));
        }
        if section.rejected {
            return Err(fault(index, section, format_args!("is rejected: every m-line must be answered")));
        }
        if section.direction == Direction::Inactive {
            return Err(fault(index, section, format_args!("is inactive: every m-line must be answered")));
        }
        if sections > 1 && !answer.bundle.contains(&section.mid) {
            return Err(fault(index, section, format_args!("is not in the BUNDLE group")));
        }
    }
    Ok(())
}

/// Checks an answer against the very offer: beside what [`check_answer`] wants, same mids and kinds in the same order,
/// directions that the offer allows, and no payload type or header extension that the offer does not have.
///
/// # Errors
/// The first difference.
pub fn check_answer_to(answer: &Description, offer: &Description) -> Result<(), Fault> {
    if answer.kind != SdpKind::Answer {
        return Err(Fault::new("an answer is expected, not an offer"));
    }
    if answer.media.len() != offer.media.len() {
        let (answered, offered) = (answer.media.len(), offer.media.len());
        return Err(Fault::new(format!("the answer has {answered} m-lines, the offer {offered}")));
    }
    for (index, (answered, offered)) in answer.media.iter().zip(&offer.media).enumerate() {
        let fault = |what: String| Err(fault(index, answered, format_args!("{what}")));
        if answered.kind != offered.kind || answered.mid != offered.mid {
            return fault(format!("is not the {} of mid {} that was offered", offered.kind, offered.mid));
        }
        if answered.rejected || answered.direction == Direction::Inactive {
            return fault("is rejected or inactive: every m-line must be answered".to_owned());
        }
        let (theirs, ours) = (answered.direction, offered.direction);
        if (theirs.sends() && !ours.receives()) || (theirs.receives() && !ours.sends()) {
            return fault(format!("is {theirs}, which does not fit the offered {ours}"));
        }
        for codec in &answered.codecs {
            let is_offered = offered.codecs.iter().any(|own| {
                own.payload == codec.payload
                    && own.clock_rate == codec.clock_rate
                    && own.format.name().eq_ignore_ascii_case(codec.format.name())
            });
            if !is_offered {
                return fault(format!("has payload type {}, which was not offered", codec.payload));
            }
        }
        if let Some((id, _)) = answered.extensions.iter().find(|extension| !offered.extensions.contains(extension)) {
            return fault(format!("has header extension {id}, which was not offered"));
        }
        if answer.media.len() > 1 && !answer.bundle.contains(&answered.mid) {
            return fault("is not in the BUNDLE group".to_owned());
        }
    }
    Ok(())
}

/// Returns our whole answer to `offer`, made of webrtcbin's answer to the narrowed one: the sections that were not
/// chosen are put back in their places, rejected, so that the peer finds as many m-lines as it offered, and each codec
/// is written as it was offered, which [`super::narrowed`] may have changed.
///
/// # Errors
/// The answer does not have the chosen sections in their order.
pub fn answered(offer: &Description, chosen: &[Chosen], answer: &Description) -> Result<Description, Fault> {
    let mut whole = Description { media: Vec::new(), ..answer.clone() };
    let mut sections = answer.media.iter();
    for (index, offered) in offer.media.iter().enumerate() {
        if let Some(choice) = chosen.iter().find(|choice| choice.section == index) {
            let section = sections.next().filter(|section| section.kind == offered.kind && section.mid == offered.mid);
            let missing = || Fault::new(format!("mid {}: our answer lacks it", offered.mid));
            let mut section = section.ok_or_else(missing)?.clone();
            section.protocol.clone_from(&offered.protocol);
            section.codecs.iter_mut().for_each(|codec| restore(codec, &choice.codec));
            if !section.direction.sends() {
                // Whatever webrtcbin declares of itself there is of no use, and would name user and machine.
                section.ssrcs.clear();
                section.msid = None;
            }
            whole.media.push(section);
        } else if let Some(model) = answer.media.first() {
            let ice = (model.ice_ufrag.clone(), model.ice_pwd.clone());
            let (line, mid) = (offered.line(), offered.mid.clone());
            whole.media.push(Section::rejected(line, mid, ice, model.fingerprint.clone(), model.setup));
        }
    }
    match sections.next() {
        Some(section) => Err(Fault::new(format!("mid {}: our answer has it, the offer does not", section.mid))),
        None => Ok(whole),
    }
}

/// Gives an answered codec the offered channels, and H.264 the offered profile and packetization mode. (GST-1.22:
/// webrtcbin's answer has no profile, which would mean baseline at level 1.)
fn restore(codec: &mut Codec, offered: &Codec) {
    if codec.payload != offered.payload {
        return;
    }
    codec.channels = offered.channels;
    if !matches!(codec.format, CodecFormat::H264 { .. }) {
        return;
    }
    let is_profile = |(key, _): &(String, String)| matches!(key.as_str(), "profile-level-id" | "packetization-mode");
    codec.fmtp.retain(|parameter| !is_profile(parameter));
    codec.fmtp.extend(offered.fmtp.iter().filter(|parameter| is_profile(parameter)).cloned());
    codec.format = offered.format.clone();
}

fn fault(index: usize, section: &Section, what: std::fmt::Arguments<'_>) -> Fault {
    Fault::new(format!("m-line {index} (mid {}) {what}", section.mid))
}
