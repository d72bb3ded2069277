//! One step of a run.

use super::{block_of, message_of};
use crate::execute::{BlockValues, Options, Report};
use crate::frames::{self, Ended, Progress, Stack};
use crate::ledger::Ledger;
use crate::run::{self, Finished, Message, Started};
use crate::world::World;
use crate::{ProgramError, Result};
use alloc::boxed::Box;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::machine::Machine;
use parhelion_wire::account::Run;
use parhelion_wire::event::Receipt;
use parhelion_wire::stored::{Reader, Writer};
use parhelion_wire::transaction::{Envelope, Transaction};

/// What came of a step.
#[derive(Debug)]
pub enum Step {
    /// The run goes on with another one.
    Paused,
    /// The transaction is over, and everything is written.
    Done(Box<(Receipt, Report)>),
}

/// What a run leaves in its holder between two steps.
#[derive(Debug)]
pub struct Held<'h> {
    /// Its state.
    pub run: &'h mut Run,
    /// Room for the checkpoint, with that of the last step in it.
    pub checkpoint: &'h mut [u8],
    /// The machine, with everything that the last step left in its arenas.
    pub machine: &'h mut Machine,
}

/// A run in the middle. In a box, because a stack frame has 4 KiB on sBPF.
struct Attempt<'c, L: Ledger<'c>, C: Crypto> {
    world: World<'c, L, C>,
    message: Message<'c>,
    started: Started,
    stack: Stack<'c>,
    /// How the outermost frame ended, once it did.
    ended: Option<Ended>,
}

/// Runs a transaction on until it is over, or until it has the largest of `pauses` left that is below what it has now:
/// units of gas, from the largest to the smallest. 0 means to pause before everything is written.
///
/// `now` is the block of this step, its coinbase the address that is paid if the run ends. A checkpoint whose accounts have changed is given up, and the attempt begins anew.
///
/// # Errors
/// As [`crate::execute`], and [`ProgramError::CheckpointLimit`] when there is not enough room for the checkpoint. Then the
/// run, the ledger and what is held count as not changed.
#[inline(never)] // a stack frame has 4 KiB on sBPF: this one and the caller's together have more
pub fn step<'c, L: Ledger<'c>, C: Crypto + Copy>(
    ledger: &mut L,
    crypto: C,
    now: &BlockValues,
    options: &Options,
    envelope: &Envelope<'c>,
    held: &mut Held<'_>,
    pauses: &[u64],
) -> Result<Step> {
    let Held { run, checkpoint, machine } = held;
    let transaction = envelope.transaction()?;
    let limits = (options, envelope, &transaction);
    run.steps = run.steps.saturating_add(1);
    run.progressed = now.slot;
    let length = run.checkpoint_length as usize;
    let is_ours = run.checkpoint_version == Run::CHECKPOINT_VERSION;
    let resumed = match checkpoint.get(..length).ok_or(ProgramError::CheckpointMalformed)? {
        bytes if is_ours && !bytes.is_empty() => {
            Attempt::resume(&mut *ledger, crypto, now, limits, run, machine, &mut Reader::new(bytes))
        }
        _ => Err(ProgramError::StateChanged),
    };
    let mut attempt = match resumed {
        Ok(attempt) => attempt,
        Err(ProgramError::StateChanged) => {
            run.restarts = run.restarts.saturating_add(u8::from(length != 0));
            run.checkpoint_version = Run::CHECKPOINT_VERSION;
            (run.number, run.timestamp, run.paused_at) = (now.slot, now.timestamp, u64::MAX);
            // Before anything is read, because it changes revisions.
            run.locked_at = if run.restarts < Run::RESTARTS_UNLOCKED { 0 } else { ledger.lock()? };
            Attempt::start(&mut *ledger, crypto, now, limits, run, machine)?
        }
        Err(error) => return Err(error),
    };
    run.gas_left = attempt.gas();
    // Below the last pause, because a pause leaves a bit more than its mark: the same one would be met at once.
    let left = run.gas_left.min(run.paused_at);
    let pause = pauses.iter().copied().find(|pause| *pause < left);
    if attempt.ended.is_none() {
        let pause = i64::try_from(pause.unwrap_or_default()).unwrap_or(i64::MAX);
        if let Progress::Ended(ended) = frames::run(&mut attempt.world, machine, &mut attempt.stack, pause)? {
            attempt.ended = Some(ended);
        }
    }
    let step = match attempt.ended {
        Some(ended) if pause.is_none() => {
            Step::Done(Box::new(attempt.finish(&ended, machine, now, options, run)?))
        }
        _ => {
            let mut out = Writer::new(checkpoint);
            attempt.put(machine, &mut out)?;
            run.checkpoint_length = out.length() as u32;
            (run.gas_left, run.paused_at) = (attempt.gas(), pause.unwrap_or_default());
            Step::Paused
        }
    };
    if L::NEVER_FREES {
        core::mem::forget(attempt);
    } else {
        drop(attempt);
    }
    if let (Step::Done(_), true) = (&step, run.locked_at != 0) {
        ledger.unlock();
    }
    Ok(step)
}

/// Options, envelope and transaction of a run.
type Fixed<'f, 'c> = (&'f Options, &'f Envelope<'c>, &'f Transaction<'c>);

impl<'c, L: Ledger<'c>, C: Crypto> Attempt<'c, L, C> {
    /// Gas that is left.
    fn gas(&self) -> u64 {
        self.ended.map_or_else(|| self.stack.gas(), |ended| ended.gas).max(0) as u64
    }

    /// An attempt's start.
    #[inline(never)]
    fn start(
        ledger: L,
        crypto: C,
        now: &BlockValues,
        (options, envelope, transaction): Fixed<'_, 'c>,
        run: &Run,
        machine: &mut Machine,
    ) -> Result<Box<Self>> {
        let env = run::env(&block_of(run, now), options.fork, envelope.sender, run.gas_price);
        let mut world = World::new_apart(ledger, crypto, env, options.limits);
        let sender = world.load_balance(&envelope.sender)?;
        let message = message_of(run, envelope, transaction, sender)?;
        world.escrow = run.bought;
        world.warm_start(&message)?;
        world.warm_access_list(transaction)?;
        let started = world.start(&message, &transaction.authorizations)?;
        machine.set_return_data(&[]);
        let gas = message.frame_gas(options)?;
        let (outermost, sender, value) = (message.outermost(), &message.sender, &message.value);
        let (stack, ended) = frames::begin(&mut world, machine, &outermost, sender, value, gas)?;
        Ok(Box::new(Self { world, message, started, stack, ended }))
    }

    /// The attempt of a checkpoint.
    #[inline(never)]
    fn resume(
        ledger: L,
        crypto: C,
        now: &BlockValues,
        (options, envelope, transaction): Fixed<'_, 'c>,
        run: &Run,
        machine: &mut Machine,
        input: &mut Reader<'_>,
    ) -> Result<Box<Self>> {
        let env = run::env(&block_of(run, now), options.fork, envelope.sender, run.gas_price);
        let mut world = World::take(ledger, crypto, env, options.limits, now.slot, input)?;
        let sender = world.load_balance(&envelope.sender)?;
        let message = message_of(run, envelope, transaction, sender)?;
        world.escrow = run.bought;
        let started = input.take()?;
        let ended = input.take()?;
        machine.set_return_data(input.counted()?);
        let stack = Stack::take(&mut world, machine, transaction.data, input)?;
        Ok(Box::new(Self { world, message, started, stack, ended }))
    }

    /// Writes the attempt into a checkpoint.
    #[inline(never)]
    fn put(&self, machine: &Machine, out: &mut Writer<'_>) -> Result<()> {
        self.world.put(out)?;
        out.put(&self.started)?;
        out.put(&self.ended)?;
        out.counted(machine.return_data())?;
        self.stack.put(out)
    }

    /// Ends the transaction.
    #[inline(never)]
    fn finish(
        &mut self,
        ended: &Ended,
        machine: &mut Machine,
        now: &BlockValues,
        options: &Options,
        run: &Run,
    ) -> Result<(Receipt, Report)> {
        let Self { world, message, started, .. } = self;
        if !world.is_proven {
            return Err(ProgramError::ReadsUnproven);
        }
        let mut finished = world.finish(machine, options, message, started, ended)?;
        // Its flag changes in any case.
        world.plan_balance(&mut finished.plan, message.account)?;
        // Who takes the last step is paid.
        let coinbase = world.accounts.id(&now.coinbase)?;
        world.conclude(coinbase, now.slot, message.account, &mut finished)?;
        world.mark_sender(message.account, false)?;
        let Finished { report, .. } = finished;
        Ok((report.receipt(run.transaction_hash, message, now.coinbase), report))
    }
}
