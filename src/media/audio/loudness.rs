//! Loudness of the programme, by EBU R 128. PURE.
//!
//! Silence that lasts costs nothing: it is not measured, and changes no mean, as what is below -70 LUFS never does.

use ebur128::{EbuR128, Mode};

use crate::media::port::Loudness;

/// Blocks of 20 ms from one report to the next: a second.
const REPORT_BLOCKS: u32 = 50;

/// Blocks of silence after which nothing of the sound before them is left in what is measured: 3.2 s.
const SILENT_BLOCKS: u32 = 160;

/// A peak that is lower than this is reported as -100 dB.
const NO_PEAK: f64 = 1e-5;

/// Measures a mix block by block.
pub struct Meter {
    ebu: EbuR128,
    /// Blocks since the last report.
    blocks: u32,
    /// Blocks of silence.
    silent: u32,
    /// The highest true peak since the last report, and of all time; linear.
    peak: f64,
    highest: f64,
}

impl Meter {
    /// Begins to measure two sides at 48 kHz.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new() -> Result<Self, ebur128::Error> {
        // The histogram keeps the integrated loudness of a room that lasts for days in as much memory as that of an
        // hour.
        let mode = Mode::M | Mode::S | Mode::I | Mode::TRUE_PEAK | Mode::HISTOGRAM;
        let ebu = EbuR128::new(2, 48_000, mode)?;
        Ok(Self { ebu, blocks: 0, silent: SILENT_BLOCKS, peak: 0.0, highest: 0.0 })
    }

    /// Takes 20 ms, left and right; once a second what has come of them. Nothing while silence lasts.
    pub fn take(&mut self, block: &[[f32; 2]]) -> Option<Loudness> {
        let is_silent = block.as_flattened().iter().all(|sample| *sample == 0.0);
        if is_silent && self.silent == SILENT_BLOCKS {
            return None;
        }
        self.silent = if is_silent { self.silent + 1 } else { 0 };
        // Fails only for samples that are no whole frames.
        let _ = self.ebu.add_frames_f32(block.as_flattened());
        for side in 0..2 {
            self.peak = self.peak.max(self.ebu.prev_true_peak(side).unwrap_or(0.0));
        }
        self.blocks += 1;
        if self.blocks < REPORT_BLOCKS && self.silent < SILENT_BLOCKS {
            return None;
        }
        self.blocks = 0;
        self.highest = self.highest.max(self.peak);
        let peak = std::mem::take(&mut self.peak);
        Some(Loudness {
            momentary: self.ebu.loudness_momentary().ok().and_then(finite),
            short_term: self.ebu.loudness_shortterm().ok().and_then(finite),
            integrated: self.ebu.loudness_global().ok().and_then(finite),
            true_peak: decibels(peak),
            max_true_peak: decibels(self.highest),
        })
    }
}

/// Returns a loudness that counts. Nothing is below -70 LUFS, which is where the standard stops counting.
fn finite(lufs: f64) -> Option<f32> {
    (lufs >= -70.0).then_some(lufs as f32)
}

fn decibels(peak: f64) -> Option<f32> {
    (peak > NO_PEAK).then(|| (20.0 * peak.log10()) as f32)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Feeds so many blocks of a sine and returns the last report.
    fn measured(meter: &mut Meter, blocks: usize, hertz: f64, left: f64, right: f64) -> Option<Loudness> {
        let mut last = None;
        for block in 0..blocks {
            let sine = |at: usize| ((block * 960 + at) as f64 * hertz * std::f64::consts::TAU / 48_000.0).sin();
            let samples: Vec<[f32; 2]> =
                (0..960).map(|at| [(left * sine(at)) as f32, (right * sine(at)) as f32]).collect();
            last = meter.take(&samples).or(last);
        }
        last
    }

    fn near(found: Option<f32>, expected: f32) -> bool {
        found.is_some_and(|found| (found - expected).abs() < 0.1)
    }

    #[test]
    fn the_reference_tone_is_as_loud_as_it_says() {
        // EBU Tech 3341, cases 1 and 2: a stereo sine of 1 kHz at -23 dBFS is -23 LUFS, one at -33 dBFS is -33 LUFS.
        for dbfs in [-23.0f32, -33.0] {
            let gain = 10f64.powf(f64::from(dbfs) / 20.0);
            let told = measured(&mut Meter::new().unwrap(), 1000, 1000.0, gain, gain).unwrap();
            assert!(
                [told.momentary, told.short_term, told.integrated].iter().all(|found| near(*found, dbfs)),
                "{told:?}"
            );
            assert!(near(told.true_peak, dbfs) && near(told.max_true_peak, dbfs), "{told:?}");
        }
        // One side alone has half of the power.
        let gain = 10f64.powf(-23.0 / 20.0);
        let told = measured(&mut Meter::new().unwrap(), 1000, 1000.0, 0.0, gain).unwrap();
        assert!(near(told.integrated, -26.0), "{told:?}");
    }

    #[test]
    fn a_peak_between_samples_is_seen() {
        // A quarter of the rate, halfway between zero and peak: no sample is above 0.707 of it.
        let mut meter = Meter::new().unwrap();
        let sample = |at: usize| if at % 4 < 2 { 0.5f32 } else { -0.5 };
        let block: Vec<[f32; 2]> = (0..960).map(|at| [sample(at), 0.0]).collect();
        let told = (0..100).filter_map(|_| meter.take(&block)).next_back().unwrap();
        assert!((told.true_peak.unwrap() + 3.01).abs() < 0.4, "{told:?}");
    }

    #[test]
    fn it_is_reported_once_a_second_and_silence_once() {
        let mut meter = Meter::new().unwrap();
        assert_eq!(measured(&mut meter, 500, 1000.0, 0.0, 0.0), None, "silence from the beginning");
        let block: Vec<[f32; 2]> = (0..960).map(|at| [(at as f32 * 0.1).sin() * 0.1; 2]).collect();
        assert_eq!((0..500).filter_map(|_| meter.take(&block)).count(), 10);
        let told: Vec<Loudness> = (0..1000).filter_map(|_| meter.take(&[[0.0; 2]; 960])).collect();
        assert!((3..=4).contains(&told.len()), "{told:?}");
        let last = told[told.len() - 1];
        assert_eq!((last.momentary, last.short_term, last.true_peak), (None, None, None));
        assert!(last.integrated.is_some() && last.max_true_peak.is_some());
    }
}
