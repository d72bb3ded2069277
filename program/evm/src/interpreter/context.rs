//! What an operation works on: machine, frame and host, behind checked accessors.

use super::Interrupt;
use super::frame::{Frame, Output};
use crate::exit::Exit;
use crate::gas;
use crate::host::Host;
use crate::machine::Machine;
use crate::{H160, U256, arith, from_address, to_address};

/// What an operation works on.
pub(super) struct Context<'m, 'f, 'c, H: Host> {
    pub(super) machine: &'m mut Machine,
    pub(super) frame: &'f mut Frame<'c, H::Account>,
    pub(super) host: &'m mut H,
}

impl<E> From<Exit> for Interrupt<E> {
    fn from(exit: Exit) -> Self {
        Self::Exit(exit, Output::default())
    }
}

/// What an operation gives back, or why it does not simply go on.
pub(super) type Result<T, E> = core::result::Result<T, Interrupt<E>>;

impl<H: Host> Context<'_, '_, '_, H> {
    /// Takes the top word.
    pub(super) fn pop(&mut self) -> Result<U256, H::Error> {
        if self.frame.stack_length == 0 {
            return Err(Exit::StackUnderflow.into());
        }
        self.frame.stack_length -= 1;
        let top = self.machine.stack_at(self.frame.stack_base + self.frame.stack_length);
        // SAFETY: the frame's words lie in the arena and were written when they were pushed.
        Ok(unsafe { *top })
    }

    /// Takes the `N` top words, the top one last.
    pub(super) fn pop_words<const N: usize>(&mut self) -> Result<&[U256; N], H::Error> {
        let Some(left) = self.frame.stack_length.checked_sub(N) else {
            return Err(Exit::StackUnderflow.into());
        };
        self.frame.stack_length = left;
        let first = self.machine.stack_at(self.frame.stack_base + left);
        // SAFETY: the frame's words lie in the arena and were written when they were pushed; nothing is pushed as long as
        // the context is borrowed.
        Ok(unsafe { &*first.cast::<[U256; N]>() })
    }

    /// Takes the top word as an address.
    pub(super) fn pop_address(&mut self) -> Result<H160, H::Error> {
        Ok(to_address(&self.pop()?))
    }

    /// Pushes a word.
    pub(super) fn push(&mut self, word: &U256) -> Result<(), H::Error> {
        if self.frame.stack_length >= 1024 {
            return Err(Exit::StackOverflow.into());
        }
        let index = self.frame.stack_base + self.frame.stack_length;
        if index >= self.machine.stack_words() {
            return Err(Interrupt::Limit);
        }
        // SAFETY: the index lies below the arena's length.
        unsafe { *self.machine.stack_at(index) = *word }
        self.frame.stack_length += 1;
        Ok(())
    }

    /// Pushes a small number.
    pub(super) fn push_u64(&mut self, value: u64) -> Result<(), H::Error> {
        self.push(&U256([value, 0, 0, 0]))
    }

    /// Pushes an address.
    pub(super) fn push_address(&mut self, address: &H160) -> Result<(), H::Error> {
        self.push(&from_address(address))
    }

    /// Charges gas.
    #[inline(always)]
    pub(super) fn charge(&mut self, gas: i64) -> Result<(), H::Error> {
        if gas > self.frame.input.gas {
            return Err(Exit::OutOfGas.into());
        }
        self.frame.input.gas -= gas;
        Ok(())
    }

    /// Asserts that the frame may change state (EIP-214).
    pub(super) fn require_mutable(&self) -> Result<(), H::Error> {
        if self.frame.input.is_static { Err(Exit::StaticViolation.into()) } else { Ok(()) }
    }

    /// Charges for memory up to the end of all `ranges` and makes it part of the frame's.
    pub(super) fn expand_memory(&mut self, ranges: &[Output]) -> Result<(), H::Error> {
        let cost = self.memory_cost(ranges);
        self.charge(cost)?;
        self.grow_memory(ranges)
    }

    /// What memory up to the end of all `ranges` costs.
    pub(super) fn memory_cost(&self, ranges: &[Output]) -> i64 {
        let words = gas::words(end_of(ranges) as u64);
        let now = (self.frame.memory_length / 32) as u64;
        if words <= now { 0 } else { gas::memory(words) - gas::memory(now) }
    }

    /// Makes memory up to the end of all `ranges` part of the frame's; its gas is charged already.
    pub(super) fn grow_memory(&mut self, ranges: &[Output]) -> Result<(), H::Error> {
        let length = gas::words(end_of(ranges) as u64) as usize * 32;
        let now = self.frame.memory_length;
        if length > now {
            let start = self.frame.memory_start;
            self.machine.grow_memory(start + now, start + length).map_err(|_| Interrupt::Limit)?;
            self.frame.memory_length = length;
        }
        Ok(())
    }

    /// A range of the frame's memory as a range of the machine's.
    pub(super) const fn in_machine(&self, range: Output) -> Output {
        Output { start: self.frame.memory_start + range.start, length: range.length }
    }

    /// Copies `source[offset..]` to a range of memory, with zeros behind the source's end.
    pub(super) fn copy_to_memory(machine: &mut Machine, source: &[u8], offset: &U256, target: Output) {
        let offset = arith::as_u64_saturating(offset).min(source.len() as u64) as usize;
        let source = &source[offset..];
        let memory = machine.memory_mut(target.start, target.length);
        let copied = source.len().min(memory.len());
        memory[..copied].copy_from_slice(&source[..copied]);
        memory[copied..].fill(0);
    }

    /// Charges the access of an address (EIP-2929).
    pub(super) fn charge_account_access(&mut self, address: &H160) -> Result<(), H::Error> {
        let is_cold = self.host.access_account(address).map_err(Interrupt::Host)?;
        self.charge(if is_cold { gas::COLD_ACCOUNT_ACCESS } else { gas::WARM_ACCESS })
    }
}

/// A range of memory as two stack words; an empty range has no position. A range that no gas could pay for is out of gas.
#[inline(always)]
pub(super) fn range<E>(offset: &U256, length: &U256) -> Result<Output, E> {
    const FAR: u64 = 1 << 40;
    let length = arith::as_u64_saturating(length);
    if length == 0 {
        return Ok(Output::default());
    }
    let start = arith::as_u64_saturating(offset);
    if start > FAR || length > FAR {
        return Err(Exit::OutOfGas.into());
    }
    Ok(Output { start: start as usize, length: length as usize })
}

/// The end of the furthest range.
fn end_of(ranges: &[Output]) -> usize {
    ranges.iter().map(|range| range.start + range.length).max().unwrap_or_default()
}
