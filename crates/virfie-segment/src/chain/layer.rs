//! The layers of a chain: convolutions with bias and clamp.

/// The largest square that a convolution of all channels looks at.
pub(super) const MOST_SIDE: usize = 3;

/// The kind of convolution of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Every input channel into every output channel, over a square. Weights `[outputs, inputs, side, side]`.
    Square {
        /// Rows and columns of the square, 1 to 3.
        side: usize,
        /// Rows and columns between two outputs, at least 1.
        stride: usize,
    },
    /// Each channel by itself, 3x3. Weights `[channels, 1, 3, 3]`.
    Depthwise3x3 {
        /// Rows and columns between two outputs, at least 1.
        stride: usize,
        /// Rows and columns between two taps, at least 1.
        dilation: usize,
    },
    /// Every input channel into every output channel, pixel by pixel. Weights `[outputs, inputs, 1, 1]`.
    Pointwise,
}

impl Kind {
    /// Returns rows and columns between two outputs.
    pub(super) fn stride(self) -> usize {
        match self {
            Self::Square { stride, .. } | Self::Depthwise3x3 { stride, .. } => stride,
            Self::Pointwise => 1,
        }
    }

    /// Returns rows and columns that one output looks at.
    pub(super) fn extent(self) -> usize {
        match self {
            Self::Square { side, .. } => side,
            Self::Depthwise3x3 { dilation, .. } => dilation.saturating_mul(2).saturating_add(1),
            Self::Pointwise => 1,
        }
    }
}

/// Zeros around the input, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pads {
    /// Above.
    pub top: usize,
    /// To the left.
    pub left: usize,
    /// Below.
    pub bottom: usize,
    /// To the right.
    pub right: usize,
}

/// The padding of a layer's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// ONNX `SAME_UPPER`: as many outputs as inputs over the stride, rounded up; an odd zero goes below and right.
    Same,
    /// Exactly these.
    Explicit(Pads),
}

impl Padding {
    /// Returns the zeros around an input of this height and width.
    pub(super) fn resolve(self, kind: Kind, height: usize, width: usize) -> Pads {
        match self {
            Self::Explicit(pads) => pads,
            Self::Same => {
                let total = |size: usize| {
                    ((size.div_ceil(kind.stride()) - 1) * kind.stride() + kind.extent()).saturating_sub(size)
                };
                let (rows, columns) = (total(height), total(width));
                Pads { top: rows / 2, left: columns / 2, bottom: rows - rows / 2, right: columns - columns / 2 }
            }
        }
    }
}

/// One convolution, its bias and its clamp.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Kind of the convolution.
    pub kind: Kind,
    /// Channels that it reads, at least 1.
    pub inputs: usize,
    /// Channels that it writes, at least 1; those of the input where it is depthwise.
    pub outputs: usize,
    /// In ONNX's order, `[output, input, row, column]`.
    pub weights: Vec<f32>,
    /// One for each output channel.
    pub bias: Vec<f32>,
    /// Least and greatest value of its output, if bounded.
    pub clamp: Option<(f32, f32)>,
    /// Zeros around its input. A pointwise layer takes none.
    pub padding: Padding,
}

impl Layer {
    /// Returns the clamp, as bounds that always exist.
    pub(super) fn bounds(&self) -> (f32, f32) {
        self.clamp.unwrap_or((f32::NEG_INFINITY, f32::INFINITY))
    }

    /// Returns what is wrong with the layer by itself, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        let (inputs, outputs) = (self.inputs, self.outputs);
        if inputs == 0 || outputs == 0 {
            return Some("has no channels".into());
        }
        if self.kind.stride() == 0 || matches!(self.kind, Kind::Depthwise3x3 { dilation: 0, .. }) {
            return Some("has a stride or dilation of 0".into());
        }
        let expected = match self.kind {
            Kind::Square { side, .. } if side == 0 || side > MOST_SIDE => {
                return Some(format!("looks at {side} x {side} pixels; 1 to {MOST_SIDE} are possible"));
            }
            Kind::Square { side, .. } => inputs.checked_mul(outputs).and_then(|count| count.checked_mul(side * side)),
            Kind::Depthwise3x3 { .. } if inputs != outputs => {
                return Some(format!("is depthwise with {inputs} channels in and {outputs} out"));
            }
            Kind::Depthwise3x3 { .. } => inputs.checked_mul(9),
            Kind::Pointwise => inputs.checked_mul(outputs),
        };
        if expected != Some(self.weights.len()) {
            return Some(format!("has {} weights for {inputs} channels in and {outputs} out", self.weights.len()));
        }
        if self.bias.len() != outputs {
            return Some(format!("has {} biases for {outputs} channels", self.bias.len()));
        }
        if self.kind == Kind::Pointwise
            && !matches!(self.padding, Padding::Same)
            && self.padding != Padding::Explicit(Pads::default())
        {
            return Some("is pointwise and padded".into());
        }
        match self.clamp {
            Some((low, high)) if !low.le(&high) || low == f32::INFINITY || high == f32::NEG_INFINITY => {
                Some(format!("clamps to {low}..{high}"))
            }
            _ => None,
        }
    }
}
