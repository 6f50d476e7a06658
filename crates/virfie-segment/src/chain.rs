//! Runs networks of convolutions (MobileNetV1 and its heads, U-Nets of depthwise and pointwise layers) on one thread:
//! depthwise and pointwise layers in one pass, vector instructions as the processor has them, nothing allocated per
//! run.

mod build;
mod graph;
mod kernel;
mod layer;
mod map;
mod memory;
mod pack;
mod plan;
mod run;
#[cfg(test)]
mod tests;

pub use graph::{Graph, Node, Source};
pub use kernel::Isa;
pub use layer::{Kind, Layer, Padding, Pads};
pub use memory::Arena;
pub use plan::{ChainPlan, Precision};

/// The reason why a chain cannot be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainError {
    /// There is no layer and no head.
    Empty,
    /// A layer cannot be: its index, heads counted on after the nodes, and what is wrong with it.
    Layer(usize, String),
    /// The layers need more memory than can be addressed.
    TooLarge,
    /// The maps that were given to run with do not fit the plan.
    Mismatch(String),
}

impl std::fmt::Display for ChainError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("a chain without layers"),
            Self::Layer(index, fault) => write!(f, "layer {index} {fault}"),
            Self::TooLarge => f.write_str("a chain that needs too much memory"),
            Self::Mismatch(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for ChainError {}
