//! `bench`: how long one frame takes, from decoded planes to logits.

use std::{path::Path, time::Instant};

use crate::{
    error::ProgramError,
    media::segment::{
        grid::Grid,
        input::Yuv,
        model::{HeadRequest, Model, ModelError, ModelSource},
    },
};

/// Frames that are not counted: caches and branch predictors settle.
const WARM_UP: usize = 5;

/// Runs a model on frames of a size (width, height); returns the text for the user.
pub(super) fn bench(
    file: &Path,
    frame: (usize, usize),
    needs: HeadRequest,
    frames: usize,
) -> Result<String, ProgramError> {
    let usage = |error: ModelError| ProgramError::Usage(error.to_string());
    let model = Model::from_source(&ModelSource::of(file)).map_err(usage)?;
    let failed = |error: &dyn std::fmt::Display| ProgramError::Failed(error.to_string());
    let mut session = model.session(frame, needs).map_err(usage)?;
    let (width, height) = frame;
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    // A slope in brightness and colours, so that nothing is constant.
    let plane = |width: usize, height: usize| -> Vec<u8> {
        (0..width * height).map(|i| (16 + (i % width * 3 + i / width * 5) % 220) as u8).collect()
    };
    let (y, u, v) = (plane(width, height), plane(half_width, half_height), plane(half_width, half_height));
    let picture = Yuv { width, height, y: (&y, width), u: (&u, half_width), v: (&v, half_width) };
    let mut times = Vec::with_capacity(frames);
    let mut grid = Grid::default();
    for round in 0..WARM_UP + frames {
        let start = Instant::now();
        grid = session.run(&picture).map_err(|error| failed(&error))?.grid;
        if round >= WARM_UP {
            times.push(start.elapsed().as_secs_f64() * 1000.0);
        }
    }
    times.sort_by(f64::total_cmp);
    let (median, p95) = (quantile(&times, 0.5), quantile(&times, 0.95));
    Ok(format!(
        "{}: {frames} frames of {width}x{height}, mask grid {}x{}: median {median:.2} ms, p95 {p95:.2} ms, {:.0} a second",
        model.name(),
        grid.columns,
        grid.rows,
        1000.0 / median
    ))
}

/// Returns a quantile (0.0..=1.0) of sorted values; of none it is 0.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let index = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
    sorted.get(index).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn heads_are_run_or_are_missed_in_a_line() {
        let needs = HeadRequest { parts: true, poses: true, ..HeadRequest::default() };
        let said = bench(Path::new("embedded"), (640, 360), needs, 2).unwrap();
        assert!(said.contains("2 frames of 640x360, mask grid 64x36"), "{said}");
        let error = bench(Path::new("nowhere.onnx"), (640, 360), needs, 2).unwrap_err();
        assert!(error.exit_code() == 2 && error.to_string().contains("nowhere.onnx"), "{error}");
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!((quantile(&values, 0.5), quantile(&values, 0.95)), (51.0, 95.0));
        assert_eq!((quantile(&[7.0], 0.95), quantile(&[], 0.5)), (7.0, 0.0));
    }
}
