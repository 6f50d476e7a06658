//! Markers as chapters in a Matroska file that has come to its end. PURE.

use std::{
    io::{self, Read, Seek, SeekFrom, Write},
    time::Duration,
};

use crate::media::port::output::notes::{Chapter, ends};

const SEGMENT: [u8; 4] = [0x18, 0x53, 0x80, 0x67];
const SEEK_HEAD: [u8; 4] = [0x11, 0x4D, 0x9B, 0x74];
const CHAPTERS: [u8; 4] = [0x10, 0x43, 0xA7, 0x70];
const EBML: [u8; 4] = [0x1A, 0x45, 0xDF, 0xA3];
const VOID: u8 = 0xEC;

/// Adds chapters to a Matroska file that has come to its end: behind all else, and to its table of contents. `false`,
/// and nothing is changed: it is no such file, or has no room in its table. A program that is killed meanwhile leaves a
/// file that plays.
///
/// # Errors
/// When the disk does not do it.
pub fn add_to_matroska(
    file: &mut (impl Read + Write + Seek),
    chapters: &[Chapter],
    length: Duration,
) -> io::Result<bool> {
    let whole = file.seek(SeekFrom::End(0))?;
    let mut head = vec![0; usize::try_from(whole.min(4096)).unwrap_or(4096)];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut head)?;
    let Some(place) = places(&head, whole) else { return Ok(false) };
    let element = element(&CHAPTERS, &edition(chapters, length));
    file.seek(SeekFrom::Start(whole))?;
    file.write_all(&element)?;
    file.flush()?;
    // Eight bytes, the first of which says so.
    let size = (whole + element.len() as u64 - place.content) | 1 << 56;
    file.seek(SeekFrom::Start(place.size))?;
    file.write_all(&size.to_be_bytes())?;
    let mut entry = element_of(&[0x53, 0xAB], &CHAPTERS);
    entry.extend(element_of(&[0x53, 0xAC], &(whole - place.content).to_be_bytes()));
    let mut seek = element_of(&[0x4D, 0xBB], &entry);
    let left = place.room - seek.len();
    if left > 0 {
        seek.extend(element_of(&[VOID], &vec![0; left - 2]));
    }
    file.seek(SeekFrom::Start(place.void))?;
    file.write_all(&seek)?;
    file.flush()?;
    Ok(true)
}

/// Bytes of a table's entry.
const ENTRY: usize = 21;

/// The places where a file is changed.
struct Places {
    /// The eight bytes of the segment's size.
    size: u64,
    /// The segment's content.
    content: u64,
    /// Bytes that are free in the table of contents.
    void: u64,
    room: usize,
}

/// Finds the places in a file's first bytes.
fn places(head: &[u8], whole: u64) -> Option<Places> {
    let (id, before, size) = header(head, 0)?;
    let segment = (id == EBML).then_some(before + size)?;
    let (id, before, size) = header(head, segment)?;
    let begin = segment + before;
    // Of known size and all that the file has; the size takes eight bytes.
    if id != SEGMENT || before != 12 || begin as u64 + size as u64 != whole {
        return None;
    }
    let (id, before, size) = header(head, begin)?;
    let end = (id == SEEK_HEAD).then_some(begin + before + size).filter(|end| *end <= head.len())?;
    let mut at = begin + before;
    while at < end {
        let (id, before, size) = header(head, at)?;
        let room = before + size;
        let fits = room == ENTRY || (ENTRY + 2..ENTRY + 120).contains(&room);
        if id == [VOID] && fits && at + room <= end {
            return Some(Places { size: segment as u64 + 4, content: begin as u64, void: at as u64, room });
        }
        at += room;
    }
    None
}

/// Reads an element's id, how long its header is, and how long its content.
fn header(bytes: &[u8], at: usize) -> Option<(&[u8], usize, usize)> {
    let length = |first: u8| first.leading_zeros() as usize + 1;
    let id = length(*bytes.get(at)?);
    let size_at = at.checked_add(id)?;
    let first = *bytes.get(size_at)?;
    let size = length(first);
    if id > 4 || size > 8 {
        return None;
    }
    let rest = bytes.get(size_at + 1..size_at + size)?;
    let begin = u64::from(first) & ((1 << (8 - size)) - 1);
    let value = rest.iter().fold(begin, |value, byte| value << 8 | u64::from(*byte));
    Some((bytes.get(at..size_at)?, id + size, usize::try_from(value).ok()?))
}

/// Writes an element whose size takes eight bytes.
fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    [id, &(content.len() as u64 | 1 << 56).to_be_bytes(), content].concat()
}

/// Writes a short element: at most 126 bytes.
fn element_of(id: &[u8], content: &[u8]) -> Vec<u8> {
    [id, &[0x80 | content.len() as u8], content].concat()
}

fn edition(chapters: &[Chapter], length: Duration) -> Vec<u8> {
    let number = |id: &[u8], value: u64| element_of(id, &value.to_be_bytes());
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let atoms = chapters.iter().zip(ends(chapters, length)).zip(1..).flat_map(|((chapter, end), count)| {
        // ChapString and ChapLanguage (undetermined).
        let display = [element(&[0x85], chapter.name.as_bytes()), element_of(&[0x43, 0x7C], b"und")].concat();
        let atom = [
            number(&[0x73, 0xC4], count),
            number(&[0x91], nanoseconds(chapter.at)),
            number(&[0x92], nanoseconds(end)),
            element(&[0x80], &display),
        ];
        element(&[0xB6], &atom.concat())
    });
    element(&[0x45, 0xB9], &atoms.collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Cursor;

    use super::*;

    fn chapters() -> Vec<Chapter> {
        let chapter = |name: &str, at| Chapter { name: name.to_owned(), at: Duration::from_millis(at) };
        vec![chapter("begin", 0), chapter("a=b; #c \\ \u{fc}", 1500), chapter("end", 1500)]
    }

    /// Returns a file with room in its table of contents, and one cluster.
    fn file(room: usize) -> Vec<u8> {
        let mut void = vec![VOID, 0x80 | (room as u8 - 2)];
        void.resize(room, 0);
        let content = [element(&SEEK_HEAD, &void), element(&[0x1F, 0x43, 0xB6, 0x75], &[1; 40])].concat();
        [element_of(&EBML, &[0; 20]), element(&SEGMENT, &content)].concat()
    }

    #[test]
    fn chapters_are_put_behind_all_else_and_named_in_the_table() {
        for room in [21, 28, 40] {
            let before = file(room);
            let mut after = Cursor::new(before.clone());
            assert!(add_to_matroska(&mut after, &chapters(), Duration::from_secs(9)).unwrap(), "{room}");
            let after = after.into_inner();
            let (_, header_of_segment, size) = header(&after, 25).unwrap();
            assert_eq!(25 + header_of_segment + size, after.len(), "the segment is all of the file");
            let content = 25 + header_of_segment;
            let table = content + header(&after, content).unwrap().1;
            let (id, head, size) = header(&after, table).unwrap();
            assert_eq!((id, head + size), (&[0x4D, 0xBB][..], ENTRY));
            let at = u64::from_be_bytes(after[table + 13..table + 21].try_into().unwrap());
            assert_eq!((content + at as usize, &after[before.len()..][..4]), (before.len(), &CHAPTERS[..]));
            let text = String::from_utf8_lossy(&after[before.len()..]).into_owned();
            assert!(chapters().iter().all(|chapter| text.contains(&chapter.name)));
        }
    }

    #[test]
    fn other_files_stay_as_they_are() {
        let cut = file(28)[..80].to_vec();
        for before in [Vec::new(), vec![0; 100], vec![0xFF; 100], file(22), file(10), cut, b"ftyp and more".to_vec()] {
            let mut after = Cursor::new(before.clone());
            assert!(!add_to_matroska(&mut after, &chapters(), Duration::ZERO).unwrap(), "{before:?}");
            assert_eq!(after.into_inner(), before);
        }
    }
}
