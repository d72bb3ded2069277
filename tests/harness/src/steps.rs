//! Transactions in steps, on chain and compared with a run at once in the emulator.

use crate::chain::{Chain, refusal};
use alloy_primitives::B256;
use anyhow::{Context, bail, ensure};
use parhelion_core::cluster::{Account, LandedTransaction};
use parhelion_core::transaction::Transaction;
use parhelion_emulator::Use;
use parhelion_executor::{Limits, Options, Report};
use parhelion_sdk::address::holder_address;
use parhelion_sdk::instruction::{Run, RunAccount, holder_create, holder_write};
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Contract, Header, Layout, Run as RunState};
use parhelion_wire::address::AccountKey;
use parhelion_wire::event::Receipt;
use solana_instruction::Instruction;
use solana_signer::Signer;

/// Words of a run's stack.
pub const STACK_WORDS: u32 = 1100;
/// Room for its checkpoint.
pub const CHECKPOINT_ROOM: u32 = 96 * 1024;
/// Its memory.
pub const MEMORY: usize = 64 * 1024;

/// What a run in steps did.
#[derive(Debug)]
pub struct Stepped {
    /// The program's receipt.
    pub receipt: Receipt,
    /// What its emulation said.
    pub report: Report,
    /// Compute units of the beginning and of each step.
    pub compute_units: Vec<u64>,
}

impl Chain {
    /// Emulates a transaction that may be larger than a Solana transaction.
    ///
    /// # Errors
    /// The program's refusal.
    pub fn emulate_large(
        &self,
        transaction: &Transaction,
    ) -> Result<(Receipt, Report, Vec<Use>), ProgramError> {
        let machine = parhelion_executor::evm::machine::Limits {
            stack_words: STACK_WORDS as usize,
            memory_bytes: MEMORY,
            frames: Limits::IN_STEPS.machine.frames,
        };
        let limits = Limits { machine, ..Limits::IN_STEPS };
        self.emulate_with(transaction, &Options { limits, ..Options::ON_CHAIN })
    }

    /// The run of a transaction in the operator's holder `index`.
    #[must_use]
    pub fn run_in(&self, transaction: &Transaction, index: u32) -> Run<'_> {
        let (operator, coinbase) = (self.operator.keypair.pubkey(), self.operator.coinbase);
        Run::own(&self.deployment, operator, coinbase, index, B256::from(*transaction.inner().hash()))
    }

    /// Writes a transaction into a new holder with room for a run.
    ///
    /// # Errors
    /// As the program refuses.
    pub fn hold(&self, transaction: &Transaction, index: u32) -> anyhow::Result<()> {
        let envelope = transaction.envelope();
        let length =
            RunState::account_length(envelope.len(), STACK_WORDS as usize, CHECKPOINT_ROOM as usize, MEMORY);
        let operator = self.operator.keypair.pubkey();
        let address = holder_address(&self.deployment, &operator, index);
        if self.account(&address.to_bytes()).is_none_or(|account| account.data.len() < length) {
            let lamports = self.rent_per_byte()? * (length as u64 + 128);
            self.send(&holder_create(&self.deployment, &operator, index, length, lamports))?;
        }
        for (number, piece) in envelope.chunks(3000).enumerate() {
            let (length, offset) = (envelope.len() as u32, 3000 * number as u32);
            self.send(&[holder_write(&self.deployment, &operator, index, length, offset, piece)])?;
        }
        Ok(())
    }

    /// The instruction that begins a run.
    #[must_use]
    pub fn begin(&self, transaction: &Transaction, index: u32) -> Instruction {
        self.begin_with(transaction, index, STACK_WORDS, CHECKPOINT_ROOM)
    }

    /// [`Self::begin`] with other sizes of stack and checkpoint.
    #[must_use]
    pub fn begin_with(
        &self,
        transaction: &Transaction,
        index: u32,
        stack_words: u32,
        checkpoint_room: u32,
    ) -> Instruction {
        let sender = transaction.sender().into_array().into();
        let accounts = [
            RunAccount { address: self.address(&AccountKey::Balance(sender)).into(), writable: true },
            RunAccount::read(self.address(&AccountKey::Contract(sender)).into()),
        ];
        self.run_in(transaction, index).begin(stack_words, checkpoint_room, &accounts)
    }

    /// The state of the run in the operator's holder `index`.
    ///
    /// # Errors
    /// The program's, when there is none.
    pub fn run_state(&self, index: u32) -> Result<RunState, ProgramError> {
        let holder = holder_address(&self.deployment, &self.operator.keypair.pubkey(), index);
        let account = self.account(&holder.to_bytes()).ok_or(ProgramError::NoSuchRun)?;
        RunState::of(&account.data)
    }

    /// Runs a transaction in steps, with pauses at these parts of the gas that it uses (in hundredths), and one before it
    /// is written, and compares with its emulation: receipt, logs, and every account but for revisions.
    ///
    /// # Errors
    /// When it does not land, or chain and emulator differ.
    pub fn run_in_steps(&mut self, transaction: &Transaction, parts: &[u64]) -> anyhow::Result<Stepped> {
        const STEPS_MAX: u16 = 200;
        self.know(transaction.sender());
        let emulated = self.emulate_large(transaction);
        let (receipt, report, uses) = emulated.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        self.hold(transaction, 0)?;
        let mut compute_units = Vec::new();
        compute_units.push(self.send(&[self.begin(transaction, 0)]).context("begin")?.compute_units);
        self.assert_solvent()?;
        let run = self.run_state(0).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let used = report.gas_used - report.rent_gas - run.intrinsic_gas;
        let mut pauses: Vec<u64> = parts.iter().map(|part| run.gas_left - used * part / 100).collect();
        pauses.push(0);
        let written = self.run_accounts(&uses);
        let read: Vec<RunAccount> = written.iter().map(|account| RunAccount::read(account.address)).collect();
        for number in 0..STEPS_MAX {
            let is_last = self.run_state(0).is_ok_and(|run| run.paused_at == 0);
            let accounts = if is_last { &written } else { &read };
            let step = self.run_in(transaction, 0).step(number, &pauses, accounts);
            let landed = self.send(&[step]).with_context(|| format!("step {number}"))?;
            compute_units.push(landed.compute_units);
            self.assert_solvent()?;
            if is_last {
                self.compare_stepped(&landed, &receipt, &report, &uses)?;
                ensure!(self.run_state(0) == Err(ProgramError::NoSuchRun), "the holder is free");
                return Ok(Stepped { receipt, report, compute_units });
            }
        }
        bail!("the run does not end")
    }

    /// Compares what landed with what was emulated at once.
    fn compare_stepped(
        &self,
        landed: &LandedTransaction,
        receipt: &Receipt,
        report: &Report,
        uses: &[Use],
    ) -> anyhow::Result<()> {
        let events = self.events(landed);
        let expected = [&receipt.encode()[..], &report.records].concat();
        ensure!(events == expected, "the events differ: {events:02x?} and {expected:02x?}");
        for used in uses.iter().filter(|used| used.address != [0; 32] && !used.is_optional) {
            let (found, expected) = (self.account(&used.address), used.after.clone());
            let found = found.as_ref().map(without_revision);
            let expected = expected.as_ref().map(without_revision);
            ensure!(found == expected, "an account differs: {found:?} on chain, {expected:?} emulated");
        }
        Ok(())
    }

    /// Sends instructions that the program must refuse.
    ///
    /// # Errors
    /// When it does not, or for another reason.
    pub fn refuse(&self, instructions: &[Instruction], expected: ProgramError) -> anyhow::Result<()> {
        match self.send(instructions) {
            Ok(_) => bail!("it landed, not {expected:?}"),
            Err(error) => {
                let found = refusal(&error)?;
                ensure!(found == expected, "{found:?} instead of {expected:?}");
                Ok(())
            }
        }
    }
}

/// An account but for its revision, and the slots that new accounts note.
fn without_revision(account: &Account) -> (u64, Vec<u8>) {
    let mut data = account.data.clone();
    if let Some(header) = data.get_mut(..size_of::<Header>()) {
        header[4..].fill(0);
    }
    if let Ok(contract) = Contract::view_mut(&mut data) {
        contract.set_creation_slot(0);
    }
    (account.lamports, data)
}
