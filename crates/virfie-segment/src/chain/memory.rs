//! Memory of a run: aligned, reserved once.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// Bytes of a cache line and of the widest vector.
const LINE: usize = 64;

/// A fixed number of elements that begins at a cache line.
#[derive(Debug)]
pub(super) struct Aligned<T> {
    data: Vec<T>,
    start: usize,
    len: usize,
}

impl<T: Copy + Default> Aligned<T> {
    /// Zeros.
    pub fn new(len: usize) -> Self {
        let data = vec![T::default(); len + LINE / size_of::<T>()];
        let start = data.as_ptr().align_offset(LINE).min(data.len() - len);
        Self { data, start, len }
    }
}

impl<T: Copy + Default> Clone for Aligned<T> {
    /// Copies it, aligned again: the copy lies elsewhere.
    fn clone(&self) -> Self {
        let mut copy = Self::new(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.data[self.start..self.start + self.len]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.data[self.start..self.start + self.len]
    }
}

/// The memory that a plan needs, in elements.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    /// Feature maps that exist at the same time, borders included.
    pub slots: Vec<usize>,
    /// Depthwise sums on their way to the pointwise layer.
    pub scratch: usize,
    /// The same in bfloat16.
    pub halves: usize,
    /// Input rows of a convolution.
    pub lines: usize,
    /// A tile of a head.
    pub tile: usize,
}

/// Working memory of one run at a time, made by [`super::ChainPlan::arena`].
#[derive(Debug, Clone)]
pub struct Arena {
    /// Of the plan that it was made for: others have their borders elsewhere.
    pub(super) mark: Arc<()>,
    /// Feature maps. Their borders stay zero: only insides are ever written.
    pub(super) slots: Vec<Aligned<f32>>,
    pub(super) scratch: Aligned<f32>,
    pub(super) halves: Aligned<u16>,
    pub(super) lines: Aligned<f32>,
    pub(super) tile: Aligned<f32>,
}

impl Arena {
    pub(super) fn new(sizes: &Sizes, mark: Arc<()>) -> Self {
        Self {
            slots: sizes.slots.iter().map(|&len| Aligned::new(len)).collect(),
            scratch: Aligned::new(sizes.scratch),
            halves: Aligned::new(sizes.halves),
            lines: Aligned::new(sizes.lines),
            tile: Aligned::new(sizes.tile),
            mark,
        }
    }
}
