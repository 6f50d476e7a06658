//! The kinds of files that are kept as assets. Their content decides, never their name. PURE.

use serde::Serialize;
use utoipa::ToSchema;

use super::{font, picture};

/// The use of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssetKind {
    /// A picture, perhaps an animated one.
    Image,
    /// A font that texts are written in.
    Font,
    /// Something to be heard in the mix.
    Sound,
    /// A video that is shown again and again.
    Clip,
}

impl AssetKind {
    /// Returns the kind of this content and its media type; `None` when it is nothing that is taken.
    pub fn sniff(content: &[u8]) -> Option<(Self, &'static str)> {
        let image = picture::PictureFormat::sniff(content).map(|format| (Self::Image, format.content_type()));
        let font = || font::sniff(content).map(|content_type| (Self::Font, content_type));
        let clip = || clip(content).map(|content_type| (Self::Clip, content_type));
        let sound = || sound(content).map(|content_type| (Self::Sound, content_type));
        image.or_else(font).or_else(clip).or_else(sound)
    }
}

/// Returns the media type of a video file: MP4, QuickTime, WebM or Matroska. What it holds is looked at by the media.
fn clip(content: &[u8]) -> Option<&'static str> {
    match content {
        [_, _, _, _, b'f', b't', b'y', b'p', b'M', b'4', b'A' | b'B', ..] => None,
        [_, _, _, _, b'f', b't', b'y', b'p', b'q', b't', ..] => Some("video/quicktime"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("video/mp4"),
        [0x1a, 0x45, 0xdf, 0xa3, rest @ ..] => {
            let head = &rest[..rest.len().min(64)];
            Some(if head.windows(4).any(|word| word == b"webm") { "video/webm" } else { "video/x-matroska" })
        }
        _ => None,
    }
}

/// Returns the media type of a sound file: MP3, WAV, or Ogg with Opus or Vorbis. The media look into it.
fn sound(content: &[u8]) -> Option<&'static str> {
    match content {
        [b'I', b'D', b'3', ..] => Some("audio/mpeg"),
        // MPEG audio, layer III, of any version: a frame begins.
        [0xff, second, ..] if second & 0xe6 == 0xe2 && second & 0x18 != 0x08 => Some("audio/mpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some("audio/wav"),
        [b'O', b'g', b'g', b'S', rest @ ..] => {
            let head = &rest[..rest.len().min(60)];
            let holds = |word: &[u8]| head.windows(word.len()).any(|part| part == word);
            (holds(b"OpusHead") || holds(b"\x01vorbis")).then_some("audio/ogg")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_show_the_kind() {
        for (content, kind) in [
            (&b"GIF89a"[..], Some((AssetKind::Image, "image/gif"))),
            (b"OTTO....", Some((AssetKind::Font, "font/otf"))),
            (b"\0\0\0\x20ftypisom....", Some((AssetKind::Clip, "video/mp4"))),
            (b"\0\0\0\x14ftypqt  ....", Some((AssetKind::Clip, "video/quicktime"))),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", Some((AssetKind::Clip, "video/webm"))),
            (b"\x1a\x45\xdf\xa3....", Some((AssetKind::Clip, "video/x-matroska"))),
            (b"\0\0\0\x20ftypM4A ....", None),
            (b"RIFF....WAVE", Some((AssetKind::Sound, "audio/wav"))),
            (b"", None),
        ] {
            assert_eq!(AssetKind::sniff(content), kind);
        }
    }

    #[test]
    fn the_first_bytes_show_a_sound() {
        let mut ogg = b"OggS\0\x02".to_vec();
        ogg.extend([0; 22]);
        let opus = [&ogg[..], b"OpusHead"].concat();
        let vorbis = [&ogg[..], b"\x01vorbis"].concat();
        let theora = [&ogg[..], b"\x80theora"].concat();
        for (content, kind) in [
            (&b"ID3\x04...."[..], Some("audio/mpeg")),
            (&[0xff, 0xfb, 0x90, 0x64], Some("audio/mpeg")),
            (&[0xff, 0xf3, 0x40, 0xc4], Some("audio/mpeg")),
            (b"RIFF....WAVEfmt ", Some("audio/wav")),
            (&opus, Some("audio/ogg")),
            (&vorbis, Some("audio/ogg")),
            (&theora, None),
            (&[0xff, 0xd8, 0xff, 0xe0], None),
            (&[0xff, 0xf1, 0x50, 0x80], None),
            (b"RIFF....AVI ", None),
            (b"", None),
        ] {
            assert_eq!(sound(content), kind, "{content:?}");
        }
    }
}
