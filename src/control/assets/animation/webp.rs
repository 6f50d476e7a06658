//! The pictures of an animated WebP: each is decoded as a file of its own. PURE.

use std::{io::Cursor, num::NonZeroU32, time::Duration};

use image::{DynamicImage, ImageDecoder as _, codecs::webp::WebPDecoder};

use super::{
    Animation,
    canvas::{Disposal, Part},
};
use crate::control::assets::{
    decoders::{self, refusal},
    picture_terms::PictureError,
    profile::Profile,
    webp::{chunk, chunks, profile_in},
};

/// Opens one within the limits; `None`: it does not move.
///
/// # Errors
/// When it cannot be used.
pub fn open(
    content: &[u8],
) -> Result<Option<Animation<impl Iterator<Item = Result<Part, PictureError>>>>, PictureError> {
    let decoder = decoders::webp(content)?;
    if !decoder.has_animation() {
        return Ok(None);
    }
    let (size, mut plays) = (decoder.dimensions(), None);
    let inside = content.get(12..).unwrap_or_default();
    for (kind, inside) in chunks(inside) {
        if let (b"ANIM", [_, _, _, _, low, high, ..]) = (kind, inside) {
            plays = NonZeroU32::new(u16::from_le_bytes([*low, *high]).into());
        }
    }
    let profile = profile_in(content).and_then(Profile::of_icc);
    let parts = chunks(inside)
        .filter(|(kind, _)| *kind == b"ANMF")
        .map(move |(_, inside)| part(inside, size, profile.as_ref()));
    Ok(Some(Animation { size, plays, parts }))
}

/// Returns a picture by its chunk.
fn part(inside: &[u8], canvas: (u32, u32), profile: Option<&Profile>) -> Result<Part, PictureError> {
    let broken = || PictureError::Broken("one of its pictures is invalid".to_owned());
    let (head, inside) = inside.split_at_checked(16).ok_or_else(broken)?;
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], 0]);
    let (left, top, size) = (number(0) * 2, number(3) * 2, (number(6) + 1, number(9) + 1));
    if left + size.0 > canvas.0 || top + size.1 > canvas.1 {
        return Err(broken());
    }
    let file = alone(inside, size).ok_or_else(broken)?;
    let decoder = WebPDecoder::new(Cursor::new(file.as_slice())).map_err(refusal)?;
    if decoder.dimensions() != size {
        return Err(broken());
    }
    let pixels = DynamicImage::from_decoder(decoder).map_err(refusal)?;
    Ok(Part {
        left,
        top,
        pixels: decoders::to_srgb(profile, pixels),
        over: head[15] & 2 == 0,
        disposal: if head[15] & 1 == 0 { Disposal::Keep } else { Disposal::Clear },
        length: Duration::from_millis(number(12).into()),
    })
}

/// Returns a file of one picture, of the chunks that an animation has for it.
fn alone(inside: &[u8], (width, height): (u32, u32)) -> Option<Vec<u8>> {
    let find = |wanted: &[u8; 4]| chunks(inside).find(|(kind, _)| kind == wanted).map(|(_, inside)| inside);
    let body = match (find(b"VP8L"), find(b"VP8 "), find(b"ALPH")) {
        (Some(lossless), ..) => chunk(b"VP8L", lossless),
        (None, Some(lossy), Some(alpha)) => {
            let [w, h] = [width - 1, height - 1].map(u32::to_le_bytes);
            let head = [0x10, 0, 0, 0, w[0], w[1], w[2], h[0], h[1], h[2]];
            [chunk(b"VP8X", &head), chunk(b"ALPH", alpha), chunk(b"VP8 ", lossy)].concat()
        }
        (None, Some(lossy), None) => chunk(b"VP8 ", lossy),
        (None, None, _) => return None,
    };
    let length = u32::try_from(body.len() + 4).ok()?.to_le_bytes();
    Some([b"RIFF", &length[..], b"WEBP", &body].concat())
}
