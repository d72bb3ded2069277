//! The frames of a run in steps, written down between two of them and read back.
//!
//! A frame's words and memory stay in the machine's arenas. Its code is found again where it came from, and so is its
//! input.

use super::{Active, Ended, Purpose, Source, Stack};
use crate::ledger::Ledger;
use crate::world::{Id, World};
use crate::{ProgramError, Result};
use alloc::vec::Vec;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::exit::Exit;
use parhelion_evm::interpreter::{Code, Frame, FrameInput, Input, Position};
use parhelion_evm::machine::Machine;
use parhelion_evm::{H160, U256};
use parhelion_wire::stored;
use parhelion_wire::stored::{Reader, Stored, Writer};

/// What a frame was made of, as far as it is a value, and where it is.
struct Place {
    account: Id,
    address: H160,
    caller: H160,
    value: U256,
    is_static: bool,
    gas: i64,
    /// Its call data: a range of memory, or that of the message.
    input: Option<Range>,
    pc: u32,
    is_translated: bool,
    stack_base: u32,
    stack_length: u32,
    memory_start: u32,
    memory_length: u32,
    call_output: Range,
}
stored!(Place {
    account,
    address,
    caller,
    value,
    is_static,
    gas,
    input,
    pc,
    is_translated,
    stack_base,
    stack_length,
    memory_start,
    memory_length,
    call_output,
});

/// A range of memory.
struct Range {
    start: u32,
    length: u32,
}
stored!(Range { start, length });

impl Stored for Source {
    fn put(&self, out: &mut Writer<'_>) -> Result<()> {
        match self {
            Self::Account(code) => out.put(&0u8).and_then(|()| out.put(code)),
            Self::Memory { start, length } => {
                out.put(&1u8).and_then(|()| out.put(&Range { start: *start, length: *length }))
            }
            Self::Message => out.put(&2u8),
        }
    }

    fn take(input: &mut Reader<'_>) -> Result<Self> {
        match input.take::<u8>()? {
            0 => Ok(Self::Account(input.take()?)),
            1 => input.take().map(|Range { start, length }| Self::Memory { start, length }),
            2 => Ok(Self::Message),
            _ => Err(ProgramError::CheckpointMalformed),
        }
    }
}

impl Stored for Purpose {
    fn put(&self, out: &mut Writer<'_>) -> Result<()> {
        match self {
            Self::Call => out.put(&false),
            Self::Create(id, address) => {
                out.put(&true)?;
                out.put(id)?;
                out.put(address)
            }
        }
    }

    fn take(input: &mut Reader<'_>) -> Result<Self> {
        Ok(if input.take()? { Self::Create(input.take()?, input.take()?) } else { Self::Call })
    }
}

impl Stored for Ended {
    fn put(&self, out: &mut Writer<'_>) -> Result<()> {
        out.put(&(self.exit as u8))?;
        out.put(&self.gas)?;
        out.put(&self.created)
    }

    fn take(input: &mut Reader<'_>) -> Result<Self> {
        let exit = Exit::from_number(input.take()?).ok_or(ProgramError::CheckpointMalformed)?;
        Ok(Self { exit, gas: input.take()?, created: input.take()? })
    }
}

impl<'c> Stack<'c> {
    /// Gas that all frames have left.
    pub(crate) fn gas(&self) -> i64 {
        self.callers_gas.saturating_add(self.frames.last().map_or(0, |active| active.frame.gas()))
    }

    /// Writes the frames into a checkpoint.
    pub(crate) fn put(&self, out: &mut Writer<'_>) -> Result<()> {
        out.put(&(self.frames.len() as u16))?;
        for active in &self.frames {
            let frame = active.frame.input();
            // A frame that waits or pauses is between two blocks.
            let at = active.frame.position().ok_or(ProgramError::CheckpointMalformed)?;
            out.put(&active.purpose)?;
            out.put(&active.source)?;
            out.put(&active.checkpoint)?;
            out.put(&Place {
                account: frame.account,
                address: frame.address,
                caller: frame.caller,
                value: frame.value,
                is_static: frame.is_static,
                gas: frame.gas,
                input: match frame.input {
                    Input::Bytes(_) => None,
                    Input::Memory { start, length } => {
                        Some(Range { start: start as u32, length: length as u32 })
                    }
                },
                pc: at.pc,
                is_translated: at.is_translated,
                stack_base: at.stack_base,
                stack_length: at.stack_length,
                memory_start: at.memory_start,
                memory_length: at.memory_length,
                call_output: Range { start: at.call_output_start, length: at.call_output_length },
            })?;
        }
        Ok(())
    }

    /// The frames of a checkpoint. `message` is the transaction's data.
    #[inline(never)] // a stack frame has 4 KiB on sBPF
    pub(crate) fn take<L: Ledger<'c>, C: Crypto>(
        world: &mut World<'c, L, C>,
        machine: &Machine,
        message: &'c [u8],
        input: &mut Reader<'_>,
    ) -> Result<Self> {
        let count: u16 = input.take()?;
        if usize::from(count) > world.limits.machine.frames {
            return Err(ProgramError::CheckpointMalformed);
        }
        let mut stack = Self { frames: Vec::with_capacity(usize::from(count).max(8)), callers_gas: 0 };
        for _ in 0..count {
            stack.callers_gas = stack.gas();
            let (purpose, source, checkpoint) = (input.take()?, input.take()?, input.take()?);
            let code = world.code_of(source, machine, message)?;
            let place: Place = input.take()?;
            let is_creation = matches!(purpose, Purpose::Create(..));
            let frame = place.frame(code, if is_creation { &[] } else { message }, machine);
            let frame = frame.ok_or(ProgramError::CheckpointMalformed)?;
            stack.frames.push(Active { frame, purpose, source, checkpoint });
        }
        Ok(stack)
    }
}

impl Place {
    /// The frame that was here.
    #[inline(never)] // a stack frame has 4 KiB on sBPF
    fn frame<'c>(&self, code: Code<'c>, message: &'c [u8], machine: &Machine) -> Option<Frame<'c, Id>> {
        let input = FrameInput {
            code,
            input: match self.input {
                None => Input::Bytes(message),
                Some(Range { start, length }) => {
                    Input::Memory { start: start as usize, length: length as usize }
                }
            },
            account: self.account,
            address: self.address,
            caller: self.caller,
            value: self.value,
            is_static: self.is_static,
            gas: self.gas,
        };
        let position = Position {
            pc: self.pc,
            is_translated: self.is_translated,
            stack_base: self.stack_base,
            stack_length: self.stack_length,
            memory_start: self.memory_start,
            memory_length: self.memory_length,
            call_output_start: self.call_output.start,
            call_output_length: self.call_output.length,
        };
        Frame::at(input, &position, machine)
    }
}

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// The code of a frame.
    fn code_of(&mut self, source: Source, machine: &Machine, message: &[u8]) -> Result<Code<'c>> {
        let init_code = match source {
            Source::Account(code) => return self.runnable(code),
            Source::Memory { start, length } => machine.memory(start as usize, length as usize),
            Source::Message => message,
        };
        self.count_code_bytes(init_code.len())?;
        Ok(Code::init(init_code))
    }
}
