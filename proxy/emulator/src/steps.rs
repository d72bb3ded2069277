//! Emulated runs in steps.

use crate::crypto::Native;
use crate::ledger::Recorder;
use crate::shell::Shell;
use alloy_primitives::Address;
use parhelion_core::emulator::{EmulatorError, SteppedEmulation};
use parhelion_core::transaction::Transaction;
use parhelion_executor::evm::machine::{Limits as MachineLimits, Machine};
use parhelion_executor::steps::{self, Held, Step};
use parhelion_executor::{BlockValues, Limits, Options, Report};
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Config, Layout, Run};
use parhelion_wire::transaction::Envelope;

/// The largest machine that an account can hold: 2 MiB of stack and 7 of memory, of the 10 MiB that an account has.
const MACHINE_MAX: MachineLimits =
    MachineLimits { stack_words: 64 * 1024, memory_bytes: 7 << 20, frames: Limits::IN_STEPS.machine.frames };

/// What the largest run in steps may use: no transaction has more.
pub(crate) const LARGEST: Options =
    Options { limits: Limits { machine: MACHINE_MAX, ..Limits::IN_STEPS }, ..Options::ON_CHAIN };

/// What a run used of its machine: stack words and bytes of memory.
type Used = (usize, usize);

impl Shell {
    /// [`parhelion_core::emulator::Emulator::emulate_in_steps`].
    pub(crate) async fn emulate_steps(
        &self,
        transaction: &Transaction,
        coinbase: Address,
        holder: Option<Vec<u8>>,
    ) -> Result<SteppedEmulation, EmulatorError> {
        let run = move |ledger: &mut Recorder<'_>, block: &BlockValues, envelope: &Envelope<'_>| match &holder
        {
            None => from_the_start(ledger, block, envelope),
            Some(holder) => from_a_holder(ledger, block, envelope, holder.clone()),
        };
        let (emulation, (stack_words, memory_bytes)) =
            self.run_transaction(transaction, coinbase, run).await?;
        Ok(SteppedEmulation { emulation, stack_words, memory_bytes })
    }
}

/// Begins a run and takes one step to its end.
fn from_the_start(
    ledger: &mut Recorder<'_>,
    block: &BlockValues,
    envelope: &Envelope<'_>,
) -> Result<(Report, Used), ProgramError> {
    let mut run = steps::begin(&mut *ledger, Native, block, &LARGEST, envelope)?;
    let mut machine = Machine::new(&MACHINE_MAX);
    let mut held = Held { run: &mut run, checkpoint: &mut [], machine: &mut machine };
    let report = to_the_end(ledger, block, &LARGEST, envelope, &mut held)?;
    Ok((report, machine.used()))
}

/// Takes one step from where the run in a holder is to its end.
fn from_a_holder(
    ledger: &mut Recorder<'_>,
    block: &BlockValues,
    envelope: &Envelope<'_>,
    mut holder: Vec<u8>,
) -> Result<(Report, Used), ProgramError> {
    let parts = Run::parts(&mut holder, None)?;
    let mut run = Run::read(parts.state)?;
    if ledger.config_revision()? != run.config_revision {
        run.checkpoint_length = 0;
    }
    let mut machine = Machine::with_arenas(parts.stack, parts.memory);
    let (stack_words, memory_bytes) = (machine.stack_words(), machine.memory_bytes());
    let machine_limits = MachineLimits { stack_words, memory_bytes, ..MACHINE_MAX };
    let mut held = Held { run: &mut run, checkpoint: parts.checkpoint, machine: &mut machine };
    let options = Options { limits: Limits { machine: machine_limits, ..LARGEST.limits }, ..LARGEST };
    let report = to_the_end(ledger, block, &options, envelope, &mut held)?;
    Ok((report, (stack_words, memory_bytes)))
}

fn to_the_end(
    ledger: &mut Recorder<'_>,
    block: &BlockValues,
    options: &Options,
    envelope: &Envelope<'_>,
    held: &mut Held<'_>,
) -> Result<Report, ProgramError> {
    match steps::step(ledger, Native, block, options, envelope, held, &[])? {
        Step::Done(done) => Ok(done.1),
        // Without a pause to come to it does not pause.
        Step::Paused => Err(ProgramError::CheckpointMalformed),
    }
}

impl Recorder<'_> {
    /// The revision of the chain's settings.
    fn config_revision(&self) -> Result<u32, ProgramError> {
        let account = self.config().ok_or(ProgramError::AccountMissing)?;
        Ok(Config::view(&account.data)?.header().revision())
    }
}
