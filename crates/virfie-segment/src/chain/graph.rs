//! The graph that a plan is made from: convolutions, and sums of a coarse and a fine map, in an order in which they can
//! be computed.

use super::layer::Layer;

/// The input that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The picture.
    Input,
    /// The map that the node of this index makes.
    Node(usize),
}

/// One step of a network.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A convolution of one map.
    Convolution(Layer, Source),
    /// `fine + coarse`, each value of `coarse` counting for two by two of `fine`, whose rows and columns are twice as
    /// many: how decoders of the U-Net kind (Ronneberger, Fischer, Brox 2015) take up what the encoder saw.
    Merge {
        /// Half the rows and columns.
        coarse: Source,
        /// A pointwise convolution that nobody else reads: the sum takes its place.
        fine: Source,
        /// Least and greatest value of the sum, if bounded.
        clamp: Option<(f32, f32)>,
    },
}

impl Node {
    /// Returns what it reads.
    pub(super) fn sources(&self) -> impl Iterator<Item = Source> {
        let (one, other) = match *self {
            Self::Convolution(_, from) => (from, None),
            Self::Merge { coarse, fine, .. } => (coarse, Some(fine)),
        };
        std::iter::once(one).chain(other)
    }
}

/// A network: nodes that read the picture or nodes before them, and heads, pointwise all, that read any of these.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    /// In an order in which they can be computed.
    pub nodes: Vec<Node>,
    /// One output each. Without heads the last node's output is the one output.
    pub heads: Vec<(Layer, Source)>,
}

impl Graph {
    /// Returns layers one after the other, and heads on the last one.
    pub fn line(layers: &[Layer], heads: &[Layer]) -> Self {
        let after = |index: usize| index.checked_sub(1).map_or(Source::Input, Source::Node);
        let nodes = layers.iter().enumerate().map(|(index, layer)| Node::Convolution(layer.clone(), after(index)));
        let heads = heads.iter().map(|head| (head.clone(), after(layers.len())));
        Self { nodes: nodes.collect(), heads: heads.collect() }
    }

    /// Returns those of the heads, in the order given, and the nodes that they need. Indices beyond the heads are left
    /// out.
    pub fn keeping(&self, heads: &[usize]) -> Self {
        let heads: Vec<&(Layer, Source)> = heads.iter().filter_map(|&head| self.heads.get(head)).collect();
        let mut needed = vec![false; self.nodes.len()];
        let need = |needed: &mut [bool], source: Source| {
            if let Source::Node(index) = source
                && let Some(needed) = needed.get_mut(index)
            {
                *needed = true;
            }
        };
        heads.iter().for_each(|(_, source)| need(&mut needed, *source));
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if needed[index] {
                node.sources().for_each(|source| need(&mut needed, source));
            }
        }
        let mut places = Vec::with_capacity(needed.len());
        let mut kept = 0;
        for &needed in &needed {
            places.push(kept);
            kept += usize::from(needed);
        }
        let moved = |source: Source| match source {
            Source::Node(index) => Source::Node(places.get(index).copied().unwrap_or(index)),
            Source::Input => Source::Input,
        };
        let nodes = self.nodes.iter().zip(&needed).filter(|(_, needed)| **needed).map(|(node, _)| match node.clone() {
            Node::Convolution(layer, from) => Node::Convolution(layer, moved(from)),
            Node::Merge { coarse, fine, clamp } => Node::Merge { coarse: moved(coarse), fine: moved(fine), clamp },
        });
        Self {
            nodes: nodes.collect(),
            heads: heads.into_iter().map(|(layer, source)| (layer.clone(), moved(*source))).collect(),
        }
    }
}
