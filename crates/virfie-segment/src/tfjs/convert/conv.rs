//! Convolutions: kernels from TensorFlow's order to ONNX's, explicit pads, bias and activation folded in.

use super::{
    super::{ConvertError, topology::Node},
    Attribute, Converter, Picture, Value, named_as_head,
};

/// Largest stride, dilation and pad. Larger ones are no network of this kind, and products of these cannot overflow.
const MAX_STEP: i64 = 64;

/// Largest factor between the image's grid and a head's.
const MAX_STRIDE: i64 = 1024;

/// A kernel in ONNX's order: `[out, in / groups, rows, columns]`.
struct Kernel {
    dims: [usize; 4],
    values: Vec<f32>,
    groups: usize,
}

impl<'a> Converter<'a> {
    /// Converts `Conv2D`, `DepthwiseConv2dNative`, and those two with bias and activation fused.
    pub(super) fn conv(&mut self, index: usize, depthwise: bool, fused: bool) -> Result<Value<'a>, ConvertError> {
        let node = &self.nodes[index];
        let Picture { name: input, channels, stride } = self.picture(index, 0)?;
        let (shape, values) = self.floats(index, 1)?;
        let &[rows, columns, taken, last] = shape else {
            return Err(node.fault(format!("its kernel has shape {shape:?}, not four sides")));
        };
        if values.is_empty() || taken != channels {
            return Err(node.fault(format!("its kernel has shape {shape:?} for {channels} channels")));
        }
        let kernel = if depthwise { depthwise_kernel(shape, values) } else { full_kernel(shape, values) };
        let outputs = if depthwise { taken * last } else { last };

        if let Some(format) = node.text("data_format")?.filter(|format| format != "NHWC") {
            return Err(node.fault(format!("data_format is {format:?}, not NHWC")));
        }
        let strides = steps(node, "strides")?.ok_or_else(|| node.fault("has no strides"))?;
        let dilations = steps(node, "dilations")?.unwrap_or([1, 1]);
        let pads = pads(node, [rows, columns], dilations)?;
        if strides[0] != strides[1] {
            return Err(node.fault(format!("its strides {strides:?} differ")));
        }
        let stride = stride * strides[0];
        if stride > MAX_STRIDE {
            return Err(node.fault(format!("the picture is reduced {stride} times, more than {MAX_STRIDE}")));
        }

        let (bias, activation) = if fused { self.fused(index, outputs)? } else { (None, None) };
        let kernel_name = self.part_name(index, "kernel");
        self.emit.floats(&kernel_name, &kernel.dims, &kernel.values)?;
        let mut inputs = vec![input.as_str(), kernel_name.as_str()];
        let bias_name = self.part_name(index, "bias");
        if let Some(bias) = bias {
            self.emit.floats(&bias_name, &[outputs], bias)?;
            inputs.push(&bias_name);
        }
        let name = self.name(index);
        let raw_name = if activation.is_some() { self.part_name(index, "conv") } else { name.clone() };
        let attributes = [
            ("dilations", Attribute::Ints(&dilations)),
            ("group", Attribute::Int(kernel.groups as i64)),
            ("kernel_shape", Attribute::Ints(&[rows as i64, columns as i64])),
            ("pads", Attribute::Ints(&pads)),
            ("strides", Attribute::Ints(&strides)),
        ];
        let place = self.emit.node("Conv", &raw_name, &inputs, &attributes);
        match activation {
            Some(activation) => self.activation(activation, &name, &raw_name)?,
            None if bias.is_none() => {
                self.open_conv.insert(index, place);
            }
            None => {}
        }
        Ok(Value::Picture(Picture { name, channels: outputs, stride }))
    }

    /// Makes the addition of one constant a channel the bias of the convolution before it, when nobody else takes that
    /// convolution's result. `None` when it cannot be.
    pub(super) fn fold_bias(
        &mut self,
        index: usize,
        picture: &Picture,
        bias: &[f32],
    ) -> Result<Option<Value<'a>>, ConvertError> {
        let folds = |source: &&usize| self.uses[**source] == 1 && !named_as_head(&self.nodes[**source].name);
        let conv = self.sources[index].iter().filter(folds).find_map(|source| self.open_conv.get(source)).copied();
        let Some(conv) = conv.filter(|_| bias.len() == picture.channels) else { return Ok(None) };
        let bias_name = self.part_name(index, "bias");
        self.emit.floats(&bias_name, &[bias.len()], bias)?;
        let name = self.name(index);
        let conv = self.emit.node_mut(conv);
        conv.input.push(bias_name);
        conv.name.clone_from(&name);
        conv.output = vec![name.clone()];
        Ok(Some(Value::Picture(Picture { name, ..*picture })))
    }

    /// Bias and activation of a fused convolution, of which either may be missing.
    fn fused(&self, index: usize, outputs: usize) -> Result<(Option<&'a [f32]>, Option<&'static str>), ConvertError> {
        let node = &self.nodes[index];
        let operations = node.texts("fused_ops")?;
        let mut rest = operations.iter().map(String::as_str).peekable();
        let bias = match rest.next_if_eq(&"BiasAdd") {
            None => None,
            Some(_) => {
                let (shape, values) = self.floats(index, 2)?;
                if values.len() != outputs {
                    return Err(node.fault(format!("its bias has shape {shape:?} for {outputs} channels")));
                }
                Some(values)
            }
        };
        let activation = match rest.next() {
            None => None,
            Some("Relu") => Some("Relu"),
            Some("Relu6") => Some("Relu6"),
            Some(other) => return Err(node.fault(format!("fuses {other:?}, which cannot be converted"))),
        };
        match rest.next() {
            None => Ok((bias, activation)),
            Some(other) => Err(node.fault(format!("fuses {other:?} after its activation"))),
        }
    }
}

/// Turns `[rows, columns, in, out]` to `[out, in, rows, columns]`.
fn full_kernel(shape: &[usize], values: &[f32]) -> Kernel {
    let (taps, inputs, outputs) = (shape[0] * shape[1], shape[2], shape[3]);
    let mut turned = Vec::with_capacity(values.len());
    for output in 0..outputs {
        for input in 0..inputs {
            turned.extend((0..taps).map(|tap| values[(tap * inputs + input) * outputs + output]));
        }
    }
    Kernel { dims: [outputs, inputs, shape[0], shape[1]], values: turned, groups: 1 }
}

/// Turns `[rows, columns, channels, multiplier]` to `[channels * multiplier, 1, rows, columns]`.
fn depthwise_kernel(shape: &[usize], values: &[f32]) -> Kernel {
    let (taps, outputs) = (shape[0] * shape[1], shape[2] * shape[3]);
    let mut turned = Vec::with_capacity(values.len());
    for output in 0..outputs {
        turned.extend((0..taps).map(|tap| values[tap * outputs + output]));
    }
    Kernel { dims: [outputs, 1, shape[0], shape[1]], values: turned, groups: shape[2] }
}

/// Returns the two spatial values of a list in NHWC order.
fn steps(node: &Node, key: &str) -> Result<Option<[i64; 2]>, ConvertError> {
    match node.ints(key)?.as_deref() {
        None => Ok(None),
        Some(&[1, rows, columns, 1]) if (1..=MAX_STEP).contains(&rows) && (1..=MAX_STEP).contains(&columns) => {
            Ok(Some([rows, columns]))
        }
        Some(other) => {
            let shown = &other[..other.len().min(8)];
            Err(node.fault(format!("{key} are {shown:?}, not [1, a, b, 1] with a and b from 1 to {MAX_STEP}")))
        }
    }
}

/// Pads in ONNX's order: top, left, bottom, right.
fn pads(node: &Node, kernel: [usize; 2], dilations: [i64; 2]) -> Result<[i64; 4], ConvertError> {
    match node.text("padding")?.as_deref() {
        Some("VALID") => Ok([0; 4]),
        Some("SAME") => {
            // For sides of 16k + 1 this is what TensorFlow does at every stride; the odd pad of an even kernel comes
            // last there.
            let mut pads = [0; 4];
            for axis in 0..2 {
                let side = i64::try_from(kernel[axis]).ok().filter(|side| *side <= MAX_STEP);
                let side = side.ok_or_else(|| node.fault(format!("its kernel has a side above {MAX_STEP}")))?;
                let total = dilations[axis] * (side - 1);
                pads[axis] = total / 2;
                pads[axis + 2] = total - total / 2;
            }
            Ok(pads)
        }
        Some("EXPLICIT") => match node.ints("explicit_paddings")?.as_deref() {
            Some(&[0, 0, top, bottom, left, right, 0, 0])
                if [top, bottom, left, right].iter().all(|pad| (0..=MAX_STEP).contains(pad)) =>
            {
                Ok([top, left, bottom, right])
            }
            _ => Err(node.fault("its explicit_paddings are not those of a picture")),
        },
        Some(other) => Err(node.fault(format!("padding is {other:?}"))),
        None => Err(node.fault("has no padding")),
    }
}
