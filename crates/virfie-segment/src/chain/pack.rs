//! Weights in the order in which the kernels read them.

use super::{kernel::BLOCK, layer::Layer, memory::Aligned};

/// Weights of a layer that mixes channels, in panels of output channels.
#[derive(Debug)]
pub(super) struct Panels {
    /// Empty where the weights are in bfloat16.
    weights: Aligned<f32>,
    /// In bfloat16, pairs of input channels together; empty unless asked for.
    halves: Aligned<u16>,
    bias: Aligned<f32>,
    /// Output channels of a full panel.
    full: usize,
    /// Rows of each panel: input channels, or taps times input channels.
    depth: usize,
    pub clamp: (f32, f32),
}

/// One panel: 16 or more output channels.
pub(super) struct Panel<'a> {
    /// The plane of its first output channel.
    pub block: usize,
    pub weights: &'a [f32],
    pub halves: &'a [u16],
    pub bias: &'a [f32],
}

impl Panels {
    /// Packs `layer`, whose weight for an output and a packed row is `weight(output, row)`.
    fn new(layer: &Layer, depth: usize, full: usize, weight: impl Fn(usize, usize) -> f32) -> Self {
        let outputs = layer.outputs.next_multiple_of(BLOCK);
        let mut weights = Aligned::new(outputs * depth);
        for first in (0..outputs).step_by(full) {
            let width = full.min(outputs - first);
            let panel = &mut weights[first * depth..][..width * depth];
            for (row, packed) in panel.chunks_exact_mut(width).enumerate() {
                for (packed, output) in packed.iter_mut().zip(first..layer.outputs) {
                    *packed = weight(output, row);
                }
            }
        }
        let mut bias = Aligned::new(outputs);
        bias[..layer.outputs].copy_from_slice(&layer.bias);
        Self { weights, halves: Aligned::new(0), bias, full, depth, clamp: layer.bounds() }
    }

    /// Creates one of a pointwise layer: rows are input channels, filled up to full planes.
    pub fn pointwise(layer: &Layer, full: usize) -> Self {
        let depth = layer.inputs.next_multiple_of(BLOCK);
        Self::new(
            layer,
            depth,
            full,
            |output, row| {
                if row < layer.inputs { layer.weights[output * layer.inputs + row] } else { 0.0 }
            },
        )
    }

    /// Creates one of a convolution over `side` x `side` pixels whose lines have `channels` channels, at least those of
    /// the layer.
    pub fn square(layer: &Layer, side: usize, channels: usize, full: usize) -> Self {
        let taps = side * side;
        Self::new(layer, taps * channels, full, |output, row| {
            let (tap, input) = (row / channels, row % channels);
            if input < layer.inputs { layer.weights[(output * layer.inputs + input) * taps + tap] } else { 0.0 }
        })
    }

    /// Returns it with the weights in bfloat16 instead; for even depths.
    pub fn into_halves(mut self) -> Self {
        self.halves = Aligned::new(self.weights.len());
        for (panel, packed) in
            self.weights.chunks(self.full * self.depth).zip(self.halves.chunks_mut(self.full * self.depth))
        {
            let width = panel.len() / self.depth;
            for (pair, packed) in panel.chunks_exact(2 * width).zip(packed.chunks_exact_mut(2 * width)) {
                let (even, odd) = pair.split_at(width);
                for ((packed, &even), &odd) in packed.as_chunks_mut::<2>().0.iter_mut().zip(even).zip(odd) {
                    *packed = [bfloat16(even), bfloat16(odd)];
                }
            }
        }
        self.weights = Aligned::new(0);
        self
    }

    /// Returns the panels, in the order of their output channels.
    pub fn iter(&self) -> impl Iterator<Item = Panel<'_>> {
        (0..self.bias.len()).step_by(self.full).map(|first| {
            let width = self.full.min(self.bias.len() - first);
            let range = first * self.depth..(first + width) * self.depth;
            Panel {
                block: first / BLOCK,
                weights: self.weights.get(range.clone()).unwrap_or_default(),
                halves: self.halves.get(range).unwrap_or_default(),
                bias: &self.bias[first..first + width],
            }
        })
    }
}

/// Rounds to the nearest, ties to even.
fn bfloat16(value: f32) -> u16 {
    let bits = value.to_bits();
    if value.is_nan() {
        return (bits >> 16) as u16 | 0x40;
    }
    (bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

/// Weights of a depthwise layer: for each plane, nine taps of 16 channels.
#[derive(Debug)]
pub(super) struct Taps {
    pub weights: Aligned<f32>,
    pub bias: Aligned<f32>,
    pub clamp: (f32, f32),
}

impl Taps {
    pub fn new(layer: &Layer) -> Self {
        let channels = layer.outputs.next_multiple_of(BLOCK);
        let (mut weights, mut bias) = (Aligned::new(channels * 9), Aligned::new(channels));
        for (channel, taps) in layer.weights.chunks_exact(9).enumerate() {
            for (tap, &weight) in taps.iter().enumerate() {
                weights[(channel / BLOCK * 9 + tap) * BLOCK + channel % BLOCK] = weight;
            }
        }
        bias[..layer.outputs].copy_from_slice(&layer.bias);
        Self { weights, bias, clamp: layer.bounds() }
    }
}
