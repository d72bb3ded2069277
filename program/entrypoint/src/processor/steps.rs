//! begin, step, lock, cancel: run a transaction over several Solana transactions. See [`parhelion_executor::steps`].

use super::execute::{Fixed, check_fixed};
use super::signature;
use crate::account::Account;
use crate::crypto::Syscalls;
use crate::input::Input;
use crate::sysvar::Clock;
use alloc::vec::Vec;
use core::ptr::NonNull;
use parhelion_evm::U256;
use parhelion_evm::machine::{Limits as MachineLimits, Machine};
use parhelion_executor::steps::{Held, Step};
use parhelion_executor::{Limits, Options, steps};
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Holder, Layout, Run, RunParts};
use parhelion_wire::instruction::{self, Begin, Cancel, TransactionId, transaction_id};
use parhelion_wire::transaction::Envelope;

/// A run in steps: the limits of the chain.
const OPTIONS: Options = Options { limits: Limits::IN_STEPS, ..Options::ON_CHAIN };

/// Words of memory are whole.
const MEMORY_WORD: usize = 32;

/// Begins a run.
pub(super) fn begin(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let (fixed, holder) = checked(input)?;
    let Begin { coinbase, stack_words, checkpoint_room } = Begin::decode(data)?;
    let view = Holder::view(holder.data())?;
    if view.operator() != fixed.operator.key() {
        return Err(ProgramError::ForeignHolder);
    }
    if view.has_run() {
        return Err(ProgramError::RunActive);
    }
    // SAFETY: the view above is not used any more, and the ledger never finds a holder: no key derives its address.
    let parts = Run::parts(unsafe { holder.data_mut_for_good() }, Some((stack_words, checkpoint_room)))?;
    let is_too_small = stack_words < Run::STACK_WORDS_MIN
        || checkpoint_room < Run::CHECKPOINT_MIN
        || parts.memory.len() < Run::MEMORY_MIN;
    if is_too_small {
        return Err(ProgramError::RunTooSmall);
    }
    let envelope = Envelope::decode(parts.envelope)?;
    signature::recover(&envelope)?;
    let block = fixed.block(coinbase)?;
    let mut ledger = fixed.ledger(input, block.slot);
    let mut run = steps::begin(&mut ledger, Syscalls, &block, &OPTIONS, &envelope)?;
    run.operator = *fixed.operator.key();
    run.config_revision = fixed.config.header().revision();
    (run.stack_words, run.checkpoint_room) = (stack_words, checkpoint_room);
    run.write(parts.state)?;
    // SAFETY: nothing of the parts is used any more.
    Run::mark(unsafe { holder.data_mut() }, block.slot, true)
}

/// Takes a step.
pub(super) fn step(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let (fixed, holder) = checked(input)?;
    let step = instruction::Step::decode(data)?;
    let mut run = run_of(&holder, &step.transaction)?;
    let block = fixed.block(step.coinbase)?;
    own(&mut run, &fixed, block.slot)?;
    let revision = fixed.config.header().revision();
    if run.config_revision != revision {
        // Other settings: the attempt begins anew.
        (run.config_revision, run.checkpoint_length) = (revision, 0);
        run.restarts = run.restarts.saturating_add(1);
    }
    // SAFETY: no view of the holder is alive, and the ledger never finds a holder: no key derives its address.
    let RunParts { envelope, state, stack, checkpoint, memory } =
        Run::parts(unsafe { holder.data_mut_for_good() }, None)?;
    let envelope = Envelope::decode(envelope)?;
    let mut machine = machine(stack, memory)?;
    let machine_limits = MachineLimits {
        stack_words: machine.stack_words(),
        memory_bytes: machine.memory_bytes(),
        frames: OPTIONS.limits.machine.frames,
    };
    let options = Options { limits: Limits { machine: machine_limits, ..OPTIONS.limits }, ..OPTIONS };
    let mut ledger = fixed.ledger(input, block.slot).with_locks(run.locked_at);
    let mut held = Held { run: &mut run, checkpoint, machine: &mut machine };
    let pauses: Vec<u64> = step.pauses().collect();
    let done = steps::step(&mut ledger, Syscalls, &block, &options, &envelope, &mut held, &pauses)?;
    run.write(state)?;
    // SAFETY: nothing of the parts is used any more.
    Run::mark(unsafe { holder.data_mut() }, block.slot, matches!(done, Step::Paused))?;
    match done {
        Step::Paused => Ok(()),
        Step::Done(done) => fixed.report(&done.0, &done.1.records, &done.1.output),
    }
}

/// Locks what a run at its end has read.
pub(super) fn lock(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let (fixed, holder) = checked(input)?;
    let lock = instruction::Lock::decode(data)?;
    let mut run = run_of(&holder, &lock.transaction)?;
    let slot = Clock::get()?.slot;
    own(&mut run, &fixed, slot)?;
    // SAFETY: no view of the holder is alive, and the ledger never finds a holder: no key derives its address.
    let RunParts { state, checkpoint, .. } = Run::parts(unsafe { holder.data_mut_for_good() }, None)?;
    steps::lock(&mut fixed.ledger(input, slot), slot, &mut run, checkpoint)?;
    run.write(state)?;
    // SAFETY: nothing of the parts is used any more.
    Run::mark(unsafe { holder.data_mut() }, slot, true)
}

/// Ends a run that nobody continues.
pub(super) fn cancel(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let (fixed, holder) = checked(input)?;
    let Cancel { transaction, coinbase } = Cancel::decode(data)?;
    let run = run_of(&holder, &transaction)?;
    let block = fixed.block(coinbase)?;
    if !run.may_be_cancelled(block.slot) {
        return Err(ProgramError::TooEarlyToCancel);
    }
    // SAFETY: no view of the holder is alive, and the ledger never finds a holder: no key derives its address.
    let parts = Run::parts(unsafe { holder.data_mut_for_good() }, None)?;
    let envelope = Envelope::decode(parts.envelope)?;
    let mut ledger = fixed.ledger(input, block.slot);
    let receipt = steps::cancel(&mut ledger, Syscalls, &block, &OPTIONS, &envelope, &run, coinbase)?;
    // SAFETY: nothing of the parts is used any more.
    Run::mark(unsafe { holder.data_mut() }, block.slot, false)?;
    fixed.report(&receipt, &[], &[])
}

/// The accounts in front, and the holder, which is the program's and writable.
fn checked<'c>(input: &Input<'c>) -> Result<(Fixed<'c>, Account<'c>), ProgramError> {
    let [operator, config_account, program, holder] = input.first()?;
    let config = check_fixed(input, &operator, &config_account, &program)?;
    holder.require_owner(input.program_id)?;
    holder.require_writable()?;
    Ok((Fixed { operator, config_account, config, program }, holder))
}

/// Makes the operator a run's, if it is not, and that is allowed.
fn own(run: &mut Run, fixed: &Fixed<'_>, slot: u64) -> Result<(), ProgramError> {
    if run.operator == *fixed.operator.key() {
        return Ok(());
    }
    if !run.may_be_taken_over(slot) {
        return Err(ProgramError::ForeignRun);
    }
    (run.operator, run.owned_since) = (*fixed.operator.key(), slot);
    Ok(())
}

/// The run in a holder, which must be that of a transaction.
fn run_of(holder: &Account<'_>, transaction: &TransactionId) -> Result<Run, ProgramError> {
    let run = Run::of(holder.data())?;
    if transaction_id(&run.transaction_hash) == *transaction { Ok(run) } else { Err(ProgramError::NoSuchRun) }
}

/// The machine whose arenas are these.
fn machine(stack: &mut [u8], memory: &mut [u8]) -> Result<Machine, ProgramError> {
    let words = stack.len() / size_of::<U256>();
    let start = NonNull::from(&mut *stack).cast::<U256>();
    if !start.is_aligned() {
        return Err(ProgramError::WrongLength);
    }
    let limits = MachineLimits {
        stack_words: words,
        memory_bytes: memory.len() / MEMORY_WORD * MEMORY_WORD,
        frames: OPTIONS.limits.machine.frames,
    };
    // SAFETY: the words and the bytes are there, initialised, disjoint and exclusive, for longer than the instruction runs;
    // a word is four little-endian integers, as it is in an account, and any bits are one.
    Ok(unsafe { Machine::in_place(start, NonNull::from(memory).cast(), &limits) })
}
