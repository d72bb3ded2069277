//! The memory that frames run in: one arena for stacks, one for memories, one buffer of return data.
//!
//! Frames nest strictly, so a callee's stack begins where its caller's ends, and the same holds for memories. Both
//! arenas have a fixed size, given when the machine is made: on chain the heap is 256 KiB. A run that would need
//! more stops with [`LimitReached`], which is fatal for the Solana transaction and invisible to the contract.
//!
//! A run in steps has its arenas in an account ([`Machine::in_place`]), where they stay between two steps.

use crate::U256;
use alloc::alloc::{alloc_zeroed, dealloc, handle_alloc_error};
use alloc::vec::Vec;
use core::alloc::Layout;
use core::ptr::NonNull;

/// Sizes of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Stack words of all nested frames together.
    pub stack_words: usize,
    /// Bytes of memory of all nested frames together.
    pub memory_bytes: usize,
    /// Nested frames.
    pub frames: usize,
}

/// An arena is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitReached;

/// The arenas.
#[derive(Debug)]
pub struct Machine {
    stack: Arena<U256>,
    memory: Arena<u8>,
    /// Memory bytes below this mark may hold something; above, the arena is zero.
    memory_dirty: usize,
    /// What the last call of the running frame returned.
    pub(crate) return_data: Vec<u8>,
}

impl Machine {
    /// Allocates the arenas.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            stack: Arena::new(limits.stack_words),
            memory: Arena::new(limits.memory_bytes),
            memory_dirty: 0,
            return_data: Vec::new(),
        }
    }

    /// A machine whose arenas are at hand already. What was in them stays in them; memory that a frame gets is zeroed
    /// first.
    ///
    /// # Safety
    /// `stack` points to `limits.stack_words` initialised words and `memory` to `limits.memory_bytes` initialised
    /// bytes, which are disjoint, outlive the machine, and are used by nobody else as long as it lives.
    #[must_use]
    pub const unsafe fn in_place(stack: NonNull<U256>, memory: NonNull<u8>, limits: &Limits) -> Self {
        Self {
            stack: Arena { start: stack, length: limits.stack_words, is_owned: false },
            memory: Arena { start: memory, length: limits.memory_bytes, is_owned: false },
            memory_dirty: limits.memory_bytes,
            return_data: Vec::new(),
        }
    }

    /// A machine with a copy of arenas: of stack words, 32 little-endian bytes each, and of memory.
    #[must_use]
    pub fn with_arenas(stack: &[u8], memory: &[u8]) -> Self {
        let (words, _) = stack.as_chunks::<32>();
        let limits = Limits { stack_words: words.len(), memory_bytes: memory.len(), frames: 0 };
        let mut machine = Self::new(&limits);
        for (target, word) in machine.stack.slice_mut().iter_mut().zip(words) {
            *target = U256::from_little_endian(word);
        }
        machine.memory_mut(0, memory.len()).copy_from_slice(memory);
        machine.memory_dirty = memory.len();
        machine
    }

    /// Stack words and bytes of memory that were used since [`Self::new`]. Words that are zero at the stack's very top
    /// do not show, so there may have been a few more.
    #[must_use]
    pub fn used(&self) -> (usize, usize) {
        let words = self.stack.slice().iter().rposition(|word| word.0 != [0; 4]).map_or(0, |last| last + 1);
        (words, self.memory_dirty)
    }

    /// The stack word at `index`, or one past the last.
    #[inline(always)]
    pub(crate) fn stack_at(&mut self, index: usize) -> *mut U256 {
        self.stack.at(index)
    }

    /// How many stack words there are in all.
    #[must_use]
    #[inline(always)]
    pub const fn stack_words(&self) -> usize {
        self.stack.length
    }

    /// The memory byte at `index`, or one past the last.
    #[inline(always)]
    pub(crate) fn memory_at(&mut self, index: usize) -> *mut u8 {
        self.memory.at(index)
    }

    /// Stack words. A range that does not lie in the arena is empty.
    pub(crate) fn stack(&self, start: usize, length: usize) -> &[U256] {
        self.stack.slice().get(start..).and_then(|rest| rest.get(..length)).unwrap_or_default()
    }

    /// Bytes of memory.
    ///
    /// The range must lie in the arena; a range that does not is empty.
    #[must_use]
    pub fn memory(&self, start: usize, length: usize) -> &[u8] {
        self.memory.slice().get(start..).and_then(|rest| rest.get(..length)).unwrap_or_default()
    }

    /// [`Self::memory`] for writing.
    pub(crate) fn memory_mut(&mut self, start: usize, length: usize) -> &mut [u8] {
        self.memory.slice_mut().get_mut(start..).and_then(|rest| rest.get_mut(..length)).unwrap_or_default()
    }

    /// Copies inside of memory; the ranges may overlap.
    pub(crate) fn memory_copy_within(&mut self, source: usize, target: usize, length: usize) {
        let memory = self.memory.slice_mut();
        if source + length <= memory.len() && target + length <= memory.len() {
            memory.copy_within(source..source + length, target);
        }
    }

    /// Makes the bytes from `from` to `to` part of a frame's memory: zeroes what earlier frames left there.
    pub(crate) fn grow_memory(&mut self, from: usize, to: usize) -> Result<(), LimitReached> {
        if to > self.memory.length {
            return Err(LimitReached);
        }
        let used_before = self.memory_dirty.min(to);
        if from < used_before {
            self.memory.slice_mut()[from..used_before].fill(0);
        }
        self.memory_dirty = self.memory_dirty.max(to);
        Ok(())
    }

    /// As [`Self::grow_memory`], where there are no bytes to zero or but a few words of them (`from` and `to` are multiples of
    /// 32 apart); whether it is so.
    #[inline(always)]
    pub(crate) fn extend_memory(&mut self, from: usize, to: usize) -> bool {
        const LENGTH_MAX: usize = 4 * 32;
        if to > self.memory.length {
            return false;
        }
        if from >= self.memory_dirty {
            self.memory_dirty = to;
            return true;
        }
        if to - from > LENGTH_MAX {
            return false;
        }
        for word in self.memory.slice_mut()[from..to].as_chunks_mut::<32>().0 {
            *word = [0; 32];
        }
        self.memory_dirty = self.memory_dirty.max(to);
        true
    }

    /// How many bytes of memory there are in all.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.memory.length
    }

    /// What the last call of the running frame returned.
    #[must_use]
    pub fn return_data(&self) -> &[u8] {
        &self.return_data
    }

    /// What the last frame returned, out of a machine that is done.
    #[must_use]
    pub fn take_return_data(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.return_data)
    }

    /// Replaces the return data by bytes of memory.
    pub fn return_memory(&mut self, start: usize, length: usize) {
        self.return_data.clear();
        let memory = self.memory.slice();
        if let Some(bytes) = memory.get(start..start + length) {
            self.return_data.extend_from_slice(bytes);
        }
    }

    /// Replaces the return data.
    pub fn set_return_data(&mut self, bytes: &[u8]) {
        self.return_data.clear();
        self.return_data.extend_from_slice(bytes);
    }

    /// Copies the beginning of the return data into memory, as CALL does.
    pub(crate) fn write_return_data(&mut self, start: usize, length: usize) {
        let length = length.min(self.return_data.len());
        if let Some(target) = self.memory.slice_mut().get_mut(start..start + length) {
            target.copy_from_slice(&self.return_data[..length]);
        }
    }
}

/// Plain values in one piece: a zeroed allocation, or a place that somebody else owns.
///
/// Not a `Box<[T]>`, because the interpreter holds a pointer into the arena while other code reads it through the
/// machine; all accesses go through the one pointer stored here.
#[derive(Debug)]
struct Arena<T> {
    start: NonNull<T>,
    length: usize,
    is_owned: bool,
}

/// Types whose zero bytes are a valid value and that need no drop.
trait Plain: Copy {}
impl Plain for u8 {}
impl Plain for U256 {}

impl<T: Plain> Arena<T> {
    fn new(length: usize) -> Self {
        let length = length.max(1);
        let Ok(layout) = Layout::array::<T>(length) else { handle_alloc_error(Layout::new::<T>()) };
        // SAFETY: the layout's size is not zero, because length is at least 1 and T is not zero-sized.
        let start = unsafe { alloc_zeroed(layout) };
        match NonNull::new(start.cast::<T>()) {
            Some(start) => Self { start, length, is_owned: true },
            None => handle_alloc_error(layout),
        }
    }

    #[inline(always)]
    fn at(&mut self, index: usize) -> *mut T {
        let index = if index > self.length { self.length } else { index };
        // SAFETY: index is at most the length, so the result is inside the allocation or one past its end.
        unsafe { self.start.as_ptr().add(index) }
    }

    fn slice(&self) -> &[T] {
        // SAFETY: `length` values are there, all initialised (by `new`, or by the contract of `in_place`), and live as
        // long as self; nobody writes while the slice is borrowed, because writing takes `&mut Machine`.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    fn slice_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `slice`, and `&mut self` makes the borrow unique; the interpreter's own pointer into the
        // arena is not used while it calls into the machine.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl<T> Drop for Arena<T> {
    fn drop(&mut self) {
        if let (true, Ok(layout)) = (self.is_owned, Layout::array::<T>(self.length)) {
            // SAFETY: allocated in `new` with this very layout; T needs no drop.
            unsafe { dealloc(self.start.as_ptr().cast(), layout) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grown_memory_is_zero_even_where_an_earlier_frame_wrote() {
        let mut machine = Machine::new(&Limits { stack_words: 1, memory_bytes: 96, frames: 1 });
        machine.grow_memory(0, 64).expect("fits");
        machine.memory_mut(0, 64).fill(7);
        machine.grow_memory(32, 96).expect("fits");
        assert_eq!((machine.memory(0, 32), machine.memory(32, 64)), (&[7; 32][..], &[0; 64][..]));
        assert_eq!(machine.grow_memory(0, 97), Err(LimitReached));
        assert!(machine.memory(90, 10).is_empty(), "outside of the arena");
    }

    #[test]
    fn a_copy_of_arenas_is_a_machine_and_what_was_used_shows() {
        let mut machine = Machine::new(&Limits { stack_words: 9, memory_bytes: 96, frames: 1 });
        assert_eq!(machine.used(), (0, 0));
        machine.grow_memory(0, 64).expect("fits");
        machine.stack.slice_mut()[4] = U256::one();
        assert_eq!(machine.used(), (5, 64));
        let (mut stack, memory) = ([0; 96], [7; 64]);
        stack[32] = 5;
        let machine = Machine::with_arenas(&stack, &memory);
        assert_eq!(machine.stack.slice(), [U256::zero(), U256::from(5), U256::zero()]);
        assert_eq!((machine.memory(0, 64), machine.used()), (&memory[..], (2, 64)));
        assert!(Machine::with_arenas(&[], &[]).memory(0, 2).is_empty());
    }

    #[test]
    fn what_is_in_place_stays_there_and_new_memory_is_zero_all_the_same() {
        let (mut stack, mut memory) = ([U256([7; 4]); 2], [7u8; 64]);
        let limits = Limits { stack_words: 2, memory_bytes: 64, frames: 1 };
        for round in 0..2 {
            let (stack, memory) = (NonNull::from(&mut stack).cast(), NonNull::from(&mut memory).cast());
            // SAFETY: the arrays are as long as the limits say, and used by the machine only while it lives.
            let mut machine = unsafe { Machine::in_place(stack, memory, &limits) };
            assert_eq!(machine.memory(0, 32), [7 - 7 * round; 32]);
            machine.grow_memory(0, 32).expect("fits");
        }
        assert_eq!((stack[1], memory[31], memory[32]), (U256([7; 4]), 0, 7));
    }
}
