//! A still picture: read, looked at once, written.

use std::{
    io::{Cursor, Write as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use image::{DynamicImage, ImageFormat, codecs::jpeg::JpegEncoder};

use super::{
    finder::Finder,
    painter::CutoutPainter,
    plan::{SegmentPlan, Show, Written},
    raster::{Plane, Raster, Space},
    report,
};
use crate::{
    control::assets::picture,
    error::ProgramError,
    media::{
        compose::colour::{Matrix, rgba_to_i420},
        segment::{input::Yuv, model::Model},
    },
};

/// Of JPEGs: no blocks to be seen.
const JPEG_QUALITY: u8 = 92;

/// Does what is planned.
///
/// # Errors
/// As [`super::run`].
pub(super) fn run(input: &Path, mut plan: SegmentPlan, model: &Arc<Model>) -> Result<(), ProgramError> {
    let usage = |error: &dyn std::fmt::Display| ProgramError::Usage(format!("{}: {error}", input.display()));
    let content = std::fs::read(input).map_err(|error| usage(&error))?;
    let picture = picture::decode(&content).map_err(|error| usage(&error))?;
    let size = (picture.width() as usize, picture.height() as usize);
    let mut finder = Finder::new(model, size, &plan).map_err(|error| ProgramError::Usage(error.to_string()))?;
    let frame = rgba_to_i420(picture.as_raw(), size.0, size.1, Matrix::Bt601);
    let planes = frame.planes();
    let yuv = Yuv {
        width: size.0,
        height: size.1,
        y: (planes.y, planes.y_stride),
        u: (planes.u, planes.u_stride),
        v: (planes.v, planes.v_stride),
    };
    finder.look(&yuv, Duration::ZERO).map_err(|error| ProgramError::Failed(error.to_string()))?;
    if plan.json {
        // The reader may have gone; nobody can read the error.
        let _ = writeln!(std::io::stdout().lock(), "{}", report::of(finder.found(), size, None));
    }
    let Some((output, Written::Picture(format))) = plan.output.take() else { return Ok(()) };
    let mut raster = Raster::of_rgba(&picture);
    // What was transparent stays so, unless something is put behind or shown in its place.
    let opaque = plan.behind.is_some() || plan.show == Show::Mask;
    let alpha = picture.pixels().map(|pixel| if opaque { 255 } else { pixel[3] });
    let mut alpha = Plane { width: size.0, height: size.1, data: alpha.collect() };
    CutoutPainter::new(&mut plan, size, Space::Rgb).paint(&mut raster, finder.found(), Some(&mut alpha));
    let painted = DynamicImage::from(raster.to_rgba(alpha.data.iter().copied()));
    let failed = |error: &dyn std::fmt::Display| ProgramError::Failed(format!("{}: {error}", output.path().display()));
    let mut encoded = Cursor::new(Vec::new());
    let written = match format {
        ImageFormat::Jpeg => {
            let encoder = JpegEncoder::new_with_quality(&mut encoded, JPEG_QUALITY);
            painted.into_rgb8().write_with_encoder(encoder)
        }
        _ => painted.write_to(&mut encoded, format),
    };
    written.map_err(|error| failed(&error))?;
    std::fs::write(output.temporary(), encoded.get_ref()).map_err(|error| failed(&error))?;
    let path = output.path().to_owned();
    output.keep()?;
    if !plan.json {
        let _ = writeln!(std::io::stdout().lock(), "{}", path.display());
    }
    Ok(())
}
