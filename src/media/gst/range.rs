//! The range of decoded pictures, announced so that `videoconvert` acts on it.

use gstreamer::{self as gst, prelude::*};
use gstreamer_video as gst_video;

/// Rows from which a picture that names no matrix is high definition.
const HIGH: i32 = 720;

/// Has a picture of full range that leaves this pad be converted. `videoconvert` copies the planes of two formats with
/// the same matrix whatever their ranges are (GST-1.22: its fast paths compare matrix and primaries only), and what is
/// composed is BT.601. So full range is given FCC's matrix there: its weights differ from BT.601's by less than a
/// hundredth, which nobody sees.
pub fn announce_full_range(pad: &gst::Pad) {
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, |_, info| {
        let told = info.event().and_then(|event| match event.view() {
            gst::EventView::Caps(caps) => told(caps.caps()),
            _ => None,
        });
        if let Some(caps) = told {
            info.data = Some(gst::PadProbeData::Event(gst::event::Caps::new(&caps)));
        }
        gst::PadProbeReturn::Ok
    });
}

/// Returns the same caps with another matrix; `None` where nothing is to be changed.
fn told(caps: &gst::CapsRef) -> Option<gst::Caps> {
    let fields = caps.structure(0)?;
    let says: gst_video::VideoColorimetry = fields.get::<&str>("colorimetry").ok()?.parse().ok()?;
    if says.range() != gst_video::VideoColorRange::Range0_255 {
        return None;
    }
    let matrix = match says.matrix() {
        gst_video::VideoColorMatrix::Bt601 => gst_video::VideoColorMatrix::Fcc,
        gst_video::VideoColorMatrix::Unknown if fields.get::<i32>("height").ok()? < HIGH => {
            gst_video::VideoColorMatrix::Fcc
        }
        gst_video::VideoColorMatrix::Unknown => gst_video::VideoColorMatrix::Bt709,
        _ => return None,
    };
    let other = gst_video::VideoColorimetry::new(says.range(), matrix, says.transfer(), says.primaries());
    let mut caps = caps.to_owned();
    caps.make_mut().set("colorimetry", other.to_string());
    Some(caps)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_full_range_of_bt601_and_of_no_matrix_is_named_differently() {
        gst::init().unwrap();
        let matrix = |colorimetry: &str, height: i32| {
            let builder = gst::Caps::builder("video/x-raw").field("format", "I420").field("height", height);
            let caps = builder.field("colorimetry", colorimetry).build();
            told(&caps).map(|caps| caps.structure(0).unwrap().get::<String>("colorimetry").unwrap())
        };
        for unchanged in ["bt601", "bt709", "1:3:5:1", "2:4:16:4", "nonsense"] {
            assert_eq!(matrix(unchanged, 360), None, "{unchanged}");
        }
        assert_eq!(matrix("1:4:16:4", 360).unwrap(), "1:2:16:4");
        assert_eq!(matrix("1:0:0:0", 360).unwrap(), "1:2:0:0");
        assert_eq!(matrix("1:0:0:0", 720).unwrap(), "1:3:0:0");
    }
}
