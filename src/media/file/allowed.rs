//! Elements that may decode a file, and the size that its pictures may have.
//!
//! decodebin plugs whatever is installed for what it finds, and some of that opens addresses and other files: a
//! playlist behind the head of a sound would become requests of this machine. So a file that came from somebody else is
//! what its first bytes say, and only the elements that are listed here for that see it. A picture's size is read
//! before its decoder sees it, for a decoder takes its memory first and reports the size afterwards.

use std::sync::Arc;

use gstreamer::{self as gst, glib, prelude::*};

use super::{FileError, News, setup};
use crate::media::pictures::{on_pictures, seal};

/// Bytes of a file that show its format.
pub(super) const HEAD: usize = 128;

/// A container, and what its content may be decoded by.
#[derive(Debug)]
struct AllowedFormat {
    /// The caps that the first elements get for it, in place of a guess.
    caps: &'static str,
    elements: &'static [&'static [&'static str]],
}

const MP3: &[&str] = &["mpegaudioparse", "mpg123audiodec", "avdec_mp3float", "avdec_mp3"];

/// Decoders of pictures, in software: a stranger's stream has no business in a graphics driver.
const PICTURES: &[&str] = &[
    "h264parse",
    "avdec_h264",
    "openh264dec",
    "h265parse",
    "avdec_h265",
    "libde265dec",
    "vp8dec",
    "avdec_vp8",
    "vp8alphadecodebin",
    "vp9parse",
    "vp9dec",
    "avdec_vp9",
    "vp9alphadecodebin",
    "av1parse",
    "dav1ddec",
    "av1dec",
    "avdec_av1",
    "mpeg4videoparse",
    "avdec_mpeg4",
    "mpegvideoparse",
    "avdec_mpeg2video",
    "mpeg2dec",
    "jpegparse",
    "jpegdec",
    "avdec_mjpeg",
    "avdec_prores",
    "avdec_qtrle",
    "pngparse",
    "pngdec",
    "avdec_png",
];

const TAGGED_MP3: AllowedFormat =
    AllowedFormat { caps: "application/x-id3", elements: &[&["id3demux", "apedemux"], MP3] };
const BARE_MP3: AllowedFormat = AllowedFormat { caps: "audio/mpeg,mpegversion=(int)1,layer=(int)3", elements: &[MP3] };
const WAV: AllowedFormat = AllowedFormat {
    caps: "audio/x-wav",
    elements: &[&["wavparse", "alawdec", "mulawdec", "adpcmdec", "avdec_adpcm_ms", "avdec_adpcm_ima_wav"], MP3],
};
const OGG: AllowedFormat = AllowedFormat {
    caps: "application/ogg",
    elements: &[&["oggdemux", "opusparse", "opusdec", "avdec_opus", "vorbisparse", "vorbisdec", "avdec_vorbis"]],
};
const MP4: AllowedFormat = AllowedFormat { caps: "video/quicktime", elements: &[&["qtdemux"], PICTURES] };
const MATROSKA: AllowedFormat = AllowedFormat { caps: "video/x-matroska", elements: &[&["matroskademux"], PICTURES] };
const WEBM: AllowedFormat = AllowedFormat { caps: "video/webm", elements: MATROSKA.elements };

/// The elements that a file may be decoded by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    /// Of a file that came from somebody else.
    format: Option<&'static AllowedFormat>,
    /// Of one picture.
    max_pixels: u64,
}

impl Allowed {
    /// Allows whatever decodes what is in one file: for files of who runs the program.
    pub(super) fn own(max_pixels: u64) -> Self {
        Self { format: None, max_pixels }
    }

    /// Creates one for a sound that came from somebody else; `None`: it is something else.
    pub(super) fn sound(head: &[u8]) -> Option<Self> {
        let format = match head {
            [b'I', b'D', b'3', ..] => &TAGGED_MP3,
            [0xff, second, ..] if second & 0xe0 == 0xe0 => &BARE_MP3,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => &WAV,
            [b'O', b'g', b'g', b'S', ..] => &OGG,
            _ => return None,
        };
        Some(Self { format: Some(format), max_pixels: 0 })
    }

    /// Creates one for a video that came from somebody else; `None`: it is something else.
    pub(super) fn clip(head: &[u8], max_pixels: u64) -> Option<Self> {
        let format = match head {
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => &MP4,
            [0x1a, 0x45, 0xdf, 0xa3, rest @ ..] => {
                if rest.windows(4).any(|word| word == b"webm") {
                    &WEBM
                } else {
                    &MATROSKA
                }
            }
            _ => return None,
        };
        Some(Self { format: Some(format), max_pixels })
    }

    /// Returns whether the file came from somebody else, who learns no more than what they sent.
    pub(super) fn is_foreign(self) -> bool {
        self.format.is_some()
    }

    /// Keeps a decodebin to this.
    pub(super) fn guard(self, decode: &gst::Element, news: &Arc<News>) -> Result<(), FileError> {
        if let Some(format) = self.format {
            decode.set_property("sink-caps", format.caps.parse::<gst::Caps>().map_err(setup)?);
        }
        let answers = glib::Type::from_name("GstAutoplugSelectResult").ok_or_else(|| setup("this is no decodebin"))?;
        decode.connect("autoplug-select", false, move |values| {
            let caps = values.get(2).and_then(|caps| caps.get::<gst::Caps>().ok());
            let factory = values.get(3).and_then(|factory| factory.get::<gst::ElementFactory>().ok());
            let answer = match (caps, factory) {
                (Some(caps), Some(factory)) => self.select(&caps, &factory),
                _ => "skip",
            };
            glib::EnumClass::with_type(answers)?.to_value_by_nick(answer)
        });
        let news = news.clone();
        let bin = decode.downcast_ref::<gst::Bin>().ok_or_else(|| setup("decodebin is no bin"))?;
        bin.connect_deep_element_added(move |_, _, element| self.watch(element, &news));
        Ok(())
    }

    /// Returns what decodebin is to do with this element and a stream of these caps.
    fn select(self, caps: &gst::Caps, factory: &gst::ElementFactory) -> &'static str {
        let name = factory.name();
        let may = match self.format {
            Some(format) => format.elements.iter().flat_map(|list| list.iter()).any(|own| *own == name),
            None => is_local(factory),
        };
        let kind = caps.structure(0).map(|fields| fields.name().as_str());
        match (may, self.format, kind) {
            (true, ..) => "try",
            // The sound of a clip is not played: that there is some is all that is to be known.
            (false, Some(_), Some(kind)) if self.max_pixels > 0 && kind.starts_with("audio/") => "expose",
            (false, ..) => "skip",
        }
    }

    /// Watches what goes into a decoder of pictures.
    fn watch(self, element: &gst::Element, news: &Arc<News>) {
        let class = element.factory().and_then(|factory| factory.metadata("klass").map(str::to_owned));
        let is = |word| class.as_ref().is_some_and(|class| class.contains(word));
        if is("Decoder")
            && (is("Video") || is("Image"))
            && let Some(sink) = element.static_pad("sink")
        {
            self.bound(&sink, news);
            seal(element);
        }
    }

    /// Reads the sizes of pictures that pass here, and lets none pass that are too large.
    pub(super) fn bound(self, pad: &gst::Pad, news: &Arc<News>) {
        let news = news.clone();
        on_pictures(pad, move |_, size| {
            news.with(|heard| {
                if let Some((width, height)) = size
                    && u64::from(width) * u64::from(height) > self.max_pixels
                {
                    heard.error = Some(format!("frames of {width}x{height} are too large"));
                    heard.shut = true;
                }
                // What follows one that is too large would be taken for it.
                heard.shut
            })
        });
    }
}

/// Returns whether an element decodes what it is given and opens nothing. FFmpeg's demuxers may.
fn is_local(factory: &gst::ElementFactory) -> bool {
    let class = factory.metadata("klass").unwrap_or_default();
    let is = |word: &str| class.split('/').any(|part| part == word);
    let opens = is("Adaptive") || is("Network") || is("Source") || factory.name().starts_with("avdemux_");
    !opens && (is("Demuxer") || is("Parser") || is("Decoder"))
}
