//! Convolutions written down from their definition, in NHWC, padded as TensorFlow's `SAME` does.

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Picture {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) channels: usize,
    pub(super) values: Vec<f32>,
}

impl Picture {
    fn at(&self, row: isize, column: isize, channel: usize) -> f32 {
        if row < 0 || column < 0 || row >= self.rows as isize || column >= self.columns as isize {
            return 0.0;
        }
        self.values[(row as usize * self.columns + column as usize) * self.channels + channel]
    }

    pub(super) fn map(mut self, f: impl Fn(f32) -> f32) -> Self {
        self.values.iter_mut().for_each(|value| *value = f(*value));
        self
    }
}

pub(super) fn relu6(value: f32) -> f32 {
    value.clamp(0.0, 6.0)
}

pub(super) struct Conv<'a> {
    /// `[side, side, in, out]`, or `[side, side, channels, 1]`.
    pub(super) kernel: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) side: usize,
    pub(super) stride: usize,
    pub(super) dilation: usize,
    pub(super) depthwise: bool,
}

impl Conv<'_> {
    pub(super) fn run(&self, input: &Picture) -> Picture {
        let (rows, above) = self.same(input.rows);
        let (columns, left) = self.same(input.columns);
        let outputs = self.bias.len();
        let mut values = Vec::new();
        for row in 0..rows {
            for column in 0..columns {
                for output in 0..outputs {
                    values.push(self.value(input, row, column, output, (above, left)));
                }
            }
        }
        Picture { rows, columns, channels: outputs, values }
    }

    fn value(&self, input: &Picture, row: usize, column: usize, output: usize, (above, left): (usize, usize)) -> f32 {
        let mut sum = f64::from(self.bias[output]);
        for y in 0..self.side {
            for x in 0..self.side {
                let at = (
                    (row * self.stride + y * self.dilation) as isize - above as isize,
                    (column * self.stride + x * self.dilation) as isize - left as isize,
                );
                let tap = y * self.side + x;
                if self.depthwise {
                    let weight = self.kernel[tap * input.channels + output];
                    sum += f64::from(weight) * f64::from(input.at(at.0, at.1, output));
                    continue;
                }
                for channel in 0..input.channels {
                    let weight = self.kernel[(tap * input.channels + channel) * self.bias.len() + output];
                    sum += f64::from(weight) * f64::from(input.at(at.0, at.1, channel));
                }
            }
        }
        sum as f32
    }

    /// Returns the output size and leading pad along one axis, by TensorFlow's rule.
    fn same(&self, input: usize) -> (usize, usize) {
        let output = input.div_ceil(self.stride);
        let reach = (output - 1) * self.stride + (self.side - 1) * self.dilation + 1;
        (output, reach.saturating_sub(input) / 2)
    }
}
