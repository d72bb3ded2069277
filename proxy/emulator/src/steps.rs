//! Emulated runs in steps.

use crate::crypto::Native;
use crate::ledger::Recorder;
use crate::read::Ran;
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

/// Room for a checkpoint off chain: more than any run needs.
const CHECKPOINT_MAX: usize = 4 << 20;

impl Shell {
    /// [`parhelion_core::emulator::Emulator::emulate_in_steps`].
    pub(crate) async fn emulate_steps(
        &self,
        transaction: &Transaction,
        coinbase: Address,
        holder: Option<Vec<u8>>,
    ) -> Result<SteppedEmulation, EmulatorError> {
        let run = move |ledger: &mut Recorder<'_>, block: &BlockValues, envelope: &Envelope<'_>| {
            let mut begun = match &holder {
                None => Begun::from_the_start(ledger, block, envelope)?,
                Some(holder) => Begun::from_a_holder(ledger, holder)?,
            };
            // Without a pause to come to it does not pause.
            let report =
                begun.step(ledger, block, envelope, &[])?.ok_or(ProgramError::CheckpointMalformed)?;
            let used = match &holder {
                None => begun.machine.used(),
                Some(_) => (begun.machine.stack_words(), begun.machine.memory_bytes()),
            };
            Ok((report, (used, begun.run.gas_left, begun.run.paused_at)))
        };
        let Ran { emulation, beside: ((stack_words, memory_bytes), gas_left, paused_at), .. } =
            self.run_transaction(transaction, coinbase, run).await?;
        Ok(SteppedEmulation { emulation, stack_words, memory_bytes, gas_left, paused_at })
    }
}

/// A run in steps that was begun, off chain.
pub(crate) struct Begun {
    pub(crate) run: Run,
    checkpoint: Vec<u8>,
    machine: Machine,
    options: Options,
}

impl Begun {
    /// Begins a run.
    pub(crate) fn from_the_start(
        ledger: &mut Recorder<'_>,
        block: &BlockValues,
        envelope: &Envelope<'_>,
    ) -> Result<Self, ProgramError> {
        Ok(Self::of(steps::begin(&mut *ledger, Native, block, &LARGEST, envelope)?))
    }

    /// A run that was begun, and has taken no step.
    pub(crate) fn of(run: Run) -> Self {
        Self { run, checkpoint: Vec::new(), machine: Machine::new(&MACHINE_MAX), options: LARGEST }
    }

    /// Goes on with the run in a holder.
    pub(crate) fn from_a_holder(ledger: &Recorder<'_>, holder: &[u8]) -> Result<Self, ProgramError> {
        let mut holder = holder.to_vec();
        let parts = Run::parts(&mut holder, None)?;
        let mut run = Run::read(parts.state)?;
        if ledger.config_revision()? != run.config_revision {
            run.checkpoint_length = 0;
        }
        let machine = Machine::with_arenas(parts.stack, parts.memory);
        let (stack_words, memory_bytes) = (machine.stack_words(), machine.memory_bytes());
        let machine_limits = MachineLimits { stack_words, memory_bytes, ..MACHINE_MAX };
        let options = Options { limits: Limits { machine: machine_limits, ..LARGEST.limits }, ..LARGEST };
        Ok(Self { run, checkpoint: parts.checkpoint.to_vec(), machine, options })
    }

    /// Gas that is left where the last step began if it was the last of all, or ended if it was not; down to the mark that
    /// was come to there.
    pub(crate) fn left(&self) -> u64 {
        self.run.gas_left.min(self.run.paused_at)
    }

    /// Takes a step; its report if it was the last one.
    pub(crate) fn step(
        &mut self,
        ledger: &mut Recorder<'_>,
        block: &BlockValues,
        envelope: &Envelope<'_>,
        pauses: &[u64],
    ) -> Result<Option<Report>, ProgramError> {
        if !pauses.is_empty() {
            self.checkpoint.resize(self.checkpoint.len().max(CHECKPOINT_MAX), 0);
        }
        let Self { run, checkpoint, machine, options } = self;
        let mut held = Held { run, checkpoint, machine };
        let step = steps::step(ledger, Native, block, options, envelope, &mut held, pauses)?;
        Ok(match step {
            Step::Done(done) => Some(done.1),
            Step::Paused => None,
        })
    }
}

impl Recorder<'_> {
    /// The revision of the chain's settings.
    fn config_revision(&self) -> Result<u32, ProgramError> {
        let account = self.config().ok_or(ProgramError::AccountMissing)?;
        Ok(Config::view(&account.data)?.header().revision())
    }
}
