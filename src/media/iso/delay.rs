//! Has a QuickTime movie begin later than at zero. GST-1.22: qtmux counts timestamps from the first one, whatever it
//! is, so that an empty edit is put before the track afterwards.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    time::Duration,
};

/// The longest index that is read: that of days.
const LONGEST: u64 = 256 << 20;

/// Delays all that is in a finished movie by so much. Its index must be its end, as that of the muxer is.
///
/// # Errors
/// When it cannot be read or written, or is invalid.
pub(super) fn delay(path: &Path, by: Duration) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let at = find_index(&mut file)?;
    let mut index = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.read_to_end(&mut index)?;
    let found = boxes(&index).unwrap_or_default();
    let content = found.iter().find(|(name, _)| name == b"moov").map(|(_, content)| *content);
    let delayed = content.and_then(|content| delayed(content, by));
    let delayed = delayed.ok_or_else(|| invalid("its index is not understood"))?;
    file.seek(SeekFrom::Start(at))?;
    file.write_all(&delayed)
}

fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// Finds where the last box of the file begins, which is its index.
fn find_index(file: &mut File) -> io::Result<u64> {
    let end = file.metadata()?.len();
    let mut at = 0;
    loop {
        let mut head = [0; 16];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut head[..8])?;
        let (size, name) = (u64::from(number(&head, 0).unwrap_or(0)), &head[4..8]);
        if name == b"moov" && at + size == end && size <= LONGEST {
            return Ok(at);
        }
        let size = match size {
            1 => {
                file.read_exact(&mut head[8..])?;
                u64::from(number(&head, 8).unwrap_or(0)) << 32 | u64::from(number(&head, 12).unwrap_or(0))
            }
            size => size,
        };
        at = at.checked_add(size).filter(|next| size >= 8 && *next < end).ok_or_else(|| invalid("it has no index"))?;
    }
}

/// A box: its name, and what is in it.
type Found<'a> = ([u8; 4], &'a [u8]);

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}

/// Splits what is in a box into boxes.
fn boxes(mut bytes: &[u8]) -> Option<Vec<Found<'_>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (size, name) = (number(bytes, 0)? as usize, *bytes.get(4..)?.first_chunk()?);
        found.push((name, bytes.get(8..size)?));
        bytes = &bytes[size..];
    }
    Some(found)
}

/// Makes the index of a movie whose track begins so much later. `None`: it has no track with an edit list, or is
/// invalid.
fn delayed(index: &[u8], by: Duration) -> Option<Vec<u8>> {
    let (_, header) = boxes(index)?.into_iter().find(|(name, _)| name == b"mvhd")?;
    let scale = number(header, if header.first()? == &0 { 12 } else { 20 })?;
    let ticks = by.as_nanos() * u128::from(scale) / 1_000_000_000;
    let mut edits = 0;
    let made = rebuilt((*b"moov", index), u32::try_from(ticks).ok()?, &mut edits)?;
    (edits > 0).then_some(made)
}

fn rebuilt((name, content): Found<'_>, by: u32, edits: &mut u32) -> Option<Vec<u8>> {
    let mut made = vec![0; 4];
    made.extend(name);
    match &name {
        b"moov" | b"trak" | b"edts" => {
            for inner in boxes(content)? {
                made.extend(rebuilt(inner, by, edits)?);
            }
        }
        // Here the lengths are, in the movie's time.
        b"mvhd" => made.extend(longer(content, (16, 24), by)?),
        b"tkhd" => made.extend(longer(content, (20, 28), by)?),
        b"elst" => {
            *edits += 1;
            let (is_short, count) = (content.first()? == &0, number(content, 4)?);
            made.extend(content.get(..4)?);
            made.extend((count + 1).to_be_bytes());
            // An edit of nothing: its length, no time of the media, and the rate of one.
            if is_short {
                made.extend(by.to_be_bytes());
                made.extend((-1_i32).to_be_bytes());
            } else {
                made.extend(u64::from(by).to_be_bytes());
                made.extend((-1_i64).to_be_bytes());
            }
            made.extend(0x1_0000_u32.to_be_bytes());
            made.extend(content.get(8..)?);
        }
        _ => made.extend(content),
    }
    let size = u32::try_from(made.len()).ok()?;
    made[..4].copy_from_slice(&size.to_be_bytes());
    Some(made)
}

/// Adds to the length that is at one of two places, by the version of the box.
fn longer(content: &[u8], (short, long): (usize, usize), by: u32) -> Option<Vec<u8>> {
    let mut made = content.to_vec();
    if content.first()? == &0 {
        let length = number(content, short)?.checked_add(by)?;
        made.get_mut(short..)?.first_chunk_mut::<4>()?.copy_from_slice(&length.to_be_bytes());
    } else {
        let place = made.get_mut(long..)?.first_chunk_mut::<8>()?;
        let length = u64::from_be_bytes(*place).checked_add(by.into())?;
        place.copy_from_slice(&length.to_be_bytes());
    }
    Some(made)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).unwrap();
        [&size.to_be_bytes(), name.as_slice(), content].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    fn movie(mvhd: &[u32], tkhd: &[u32], elst: &[u32]) -> Vec<u8> {
        let track = [boxed(b"tkhd", &words(tkhd)), boxed(b"edts", &boxed(b"elst", &words(elst)))].concat();
        let index = [boxed(b"mvhd", &words(mvhd)), boxed(b"trak", &track)].concat();
        [boxed(b"ftyp", b"qt  "), boxed(b"mdat", b"pictures"), boxed(b"moov", &index)].concat()
    }

    fn delayed_file(movie: &[u8]) -> io::Result<Vec<u8>> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), movie)?;
        delay(file.path(), Duration::from_millis(2500))?;
        std::fs::read(file.path())
    }

    #[test]
    fn a_movie_begins_later_and_is_longer_by_as_much() {
        let before = movie(&[0, 0, 0, 1000, 40], &[0, 0, 0, 1, 0, 40], &[0, 1, 40, 0, 0x1_0000]);
        let empty = [2500, u32::MAX, 0x1_0000];
        let elst = [&[0, 2][..], &empty, &[40, 0, 0x1_0000]].concat();
        assert_eq!(delayed_file(&before).unwrap(), movie(&[0, 0, 0, 1000, 2540], &[0, 0, 0, 1, 0, 2540], &elst));
        let long = 1 << 24;
        let before =
            movie(&[long, 0, 0, 0, 0, 1000, 1, 0], &[long, 0, 0, 0, 0, 1, 0, 1, 0], &[long, 1, 1, 0, 0, 0, 0x1_0000]);
        let elst = [long, 2, 0, 2500, u32::MAX, u32::MAX, 0x1_0000, 1, 0, 0, 0, 0x1_0000];
        let after = movie(&[long, 0, 0, 0, 0, 1000, 1, 2500], &[long, 0, 0, 0, 0, 1, 0, 1, 2500], &elst);
        assert_eq!(delayed_file(&before).unwrap(), after);
    }

    #[test]
    fn what_is_no_finished_movie_stays_as_it_is() {
        let whole = movie(&[0, 0, 0, 1000, 40], &[0, 0, 0, 1, 0, 40], &[0, 1, 40, 0, 0x1_0000]);
        for length in 0..whole.len() {
            assert!(delayed_file(&whole[..length]).is_err(), "{length}");
        }
        let more = [whole, boxed(b"moof", b"")].concat();
        assert!(delayed_file(&more).is_err());
    }
}
