//! Operations on single values, and padding.

use super::{
    super::{
        ConvertError,
        weights::{Data, Tensor},
    },
    Attribute, Converter, Picture, Value,
};

/// Most rows or columns that a `Pad` adds at one side.
const MAX_PAD: i32 = 64;

impl<'a> Converter<'a> {
    /// Two pictures, or a picture and a constant (one value, or one a channel) in any order.
    pub(super) fn binary(&mut self, index: usize, op: &str) -> Result<Value<'a>, ConvertError> {
        let node = &self.nodes[index];
        let name = self.name(index);
        let (left, right, picture) = match (self.source(index, 0)?, self.source(index, 1)?) {
            (Value::Picture(left), Value::Picture(right)) => {
                if left.channels != right.channels || left.stride != right.stride {
                    return Err(node.fault("takes pictures of different sizes"));
                }
                (left.name.clone(), right.name, left)
            }
            (Value::Picture(left), Value::Const(tensor)) => {
                let values = self.per_channel(index, tensor, left.channels)?;
                if op == "Add"
                    && let Some(value) = self.fold_bias(index, &left, values)?
                {
                    return Ok(value);
                }
                (left.name.clone(), self.operand(index, values)?, left)
            }
            (Value::Const(tensor), Value::Picture(right)) => {
                let values = self.per_channel(index, tensor, right.channels)?;
                (self.operand(index, values)?, right.name.clone(), right)
            }
            _ => return Err(node.fault("takes constants only")),
        };
        self.emit.node(op, &name, &[&left, &right], &[]);
        Ok(Value::Picture(Picture { name, ..picture }))
    }

    /// Converts `Relu`, `Relu6` and `Sigmoid`.
    pub(super) fn unary(&mut self, index: usize, op: &'static str) -> Result<Value<'a>, ConvertError> {
        let picture = self.picture(index, 0)?;
        let name = self.name(index);
        self.activation(op, &name, &picture.name)?;
        Ok(Value::Picture(Picture { name, ..picture }))
    }

    pub(super) fn activation(&mut self, op: &str, name: &str, input: &str) -> Result<(), ConvertError> {
        if op == "Relu6" {
            return self.bounded(name, input, 0.0, 6.0);
        }
        self.emit.node(op, name, &[input], &[]);
        Ok(())
    }

    pub(super) fn clip(&mut self, index: usize) -> Result<Value<'a>, ConvertError> {
        let picture = self.picture(index, 0)?;
        let (least, most) = (self.number(index, 1)?, self.number(index, 2)?);
        let name = self.name(index);
        self.bounded(&name, &picture.name, least, most)?;
        Ok(Value::Picture(Picture { name, ..picture }))
    }

    /// Converts `Pad` with a constant, rows and columns only.
    pub(super) fn pad(&mut self, index: usize) -> Result<Value<'a>, ConvertError> {
        let node = &self.nodes[index];
        let picture = self.picture(index, 0)?;
        let pads = match self.source(index, 1)? {
            Value::Const(Tensor { shape, data: Data::Int(values) }) if *shape == [4, 2] => values.as_slice(),
            _ => return Err(node.fault("its paddings are not a constant of four pairs")),
        };
        let &[0, 0, top, bottom, left, right, 0, 0] = pads else {
            return Err(node.fault("pads more than rows and columns"));
        };
        if [top, bottom, left, right].iter().any(|pad| !(0..=MAX_PAD).contains(pad)) {
            return Err(node.fault(format!("its paddings {pads:?} are not from 0 to {MAX_PAD}")));
        }
        let filling = if self.sources[index].len() > 2 { self.number(index, 2)? } else { 0.0 };
        let (pads_name, filling_name) = (self.part_name(index, "pads"), self.part_name(index, "filling"));
        self.emit.ints(&pads_name, &[0, 0, top, left, 0, 0, bottom, right].map(i64::from))?;
        self.emit.floats(&filling_name, &[], &[filling])?;
        let name = self.name(index);
        self.emit.node(
            "Pad",
            &name,
            &[&picture.name, &pads_name, &filling_name],
            &[("mode", Attribute::Text("constant"))],
        );
        Ok(Value::Picture(Picture { name, ..picture }))
    }

    fn bounded(&mut self, name: &str, input: &str, least: f32, most: f32) -> Result<(), ConvertError> {
        let (least_name, most_name) = (format!("{name}:min"), format!("{name}:max"));
        self.emit.floats(&least_name, &[], &[least])?;
        self.emit.floats(&most_name, &[], &[most])?;
        self.emit.node("Clip", name, &[input, &least_name, &most_name], &[]);
        Ok(())
    }

    /// A constant that is combined with a picture of so many channels: one value, or one a channel.
    fn per_channel(&self, index: usize, tensor: &'a Tensor, channels: usize) -> Result<&'a [f32], ConvertError> {
        match (tensor.shape.as_slice(), &tensor.data) {
            (_, Data::Float(values)) if values.len() == 1 => Ok(values),
            ([last] | [1, last] | [1, 1, last] | [1, 1, 1, last], Data::Float(values)) if *last == channels => {
                Ok(values)
            }
            _ => Err(self.nodes[index].fault("its constant is neither one float nor one a channel")),
        }
    }

    /// Adds such a constant; returns its name.
    fn operand(&mut self, index: usize, values: &[f32]) -> Result<String, ConvertError> {
        let name = self.part_name(index, "operand");
        self.emit.floats(&name, &[1, values.len(), 1, 1], values)?;
        Ok(name)
    }
}
