//! execute, execute_from_holder: run a signed Ethereum transaction.

use super::signature;
use crate::account::Account;
use crate::crypto::Syscalls;
use crate::input::Input;
use crate::ledger::{self, OnChain};
use crate::report;
use crate::sysvar::Clock;
use parhelion_executor::{BlockValues, Options};
use parhelion_wire::account::{Config, Holder};
use parhelion_wire::event::Receipt;
use parhelion_wire::instruction::{Execute, ExecuteFromHolder, RECOVER_ON_CHAIN};
use parhelion_wire::transaction::Envelope;
use parhelion_wire::{H160, ProgramError};
use solana_define_syscall::definitions::sol_set_return_data;

/// Runs the transaction in the instruction's data.
pub(super) fn process(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let [operator, config_account, program] = input.first()?;
    let config = check_fixed(input, &operator, &config_account, &program)?;
    let execute = Execute::decode(data)?;
    if execute.signature_instruction == RECOVER_ON_CHAIN {
        signature::recover(&execute.envelope)?;
    } else {
        signature::check_instruction(input, execute.signature_instruction, &execute.envelope)?;
    }
    let fixed = Fixed { operator, config_account, config, program };
    run(input, &fixed, execute.coinbase, &execute.envelope)
}

/// Runs the transaction in a holder.
pub(super) fn process_from_holder(input: &Input<'_>, data: &[u8]) -> Result<(), ProgramError> {
    let [operator, config_account, program, holder] = input.first()?;
    let config = check_fixed(input, &operator, &config_account, &program)?;
    let ExecuteFromHolder { coinbase } = ExecuteFromHolder::decode(data)?;
    holder.require_owner(input.program_id)?;
    // SAFETY: a holder is not written while it is executed: the ledger finds accounts by derived addresses, and no
    // key derives the address of a holder.
    let view = Holder::view(unsafe { holder.data_for_good() })?;
    if view.operator() != operator.key() {
        return Err(ProgramError::ForeignHolder);
    }
    if view.has_run() {
        return Err(ProgramError::RunActive);
    }
    let envelope = Envelope::decode(view.envelope()?)?;
    signature::recover(&envelope)?;
    run(input, &Fixed { operator, config_account, config, program }, coinbase, &envelope)
}

/// The accounts in front, checked.
pub(super) struct Fixed<'c> {
    pub(super) operator: Account<'c>,
    pub(super) config_account: Account<'c>,
    pub(super) config: Config,
    pub(super) program: Account<'c>,
}

/// Checks the accounts that every run begins with.
pub(super) fn check_fixed(
    input: &Input<'_>,
    operator: &Account<'_>,
    config: &Account<'_>,
    program: &Account<'_>,
) -> Result<Config, ProgramError> {
    operator.require_signer()?;
    operator.require_writable()?;
    program.require_key(input.program_id)?;
    ledger::config(config, input.program_id)
}

/// Runs a transaction whose sender is proven, and reports it.
fn run<'c>(
    input: &Input<'c>,
    fixed: &Fixed<'c>,
    coinbase: H160,
    envelope: &Envelope<'c>,
) -> Result<(), ProgramError> {
    let block = fixed.block(coinbase)?;
    let mut ledger = fixed.ledger(input, block.slot);
    let (receipt, run) =
        parhelion_executor::execute(&mut ledger, Syscalls, &block, &Options::ON_CHAIN, envelope)?;
    fixed.report(&receipt, &run.records, &run.output)
}

impl<'c> Fixed<'c> {
    /// The values of the current block.
    pub(super) fn block(&self, coinbase: H160) -> Result<BlockValues, ProgramError> {
        let clock = Clock::get()?;
        Ok(BlockValues {
            chain_id: self.config.chain_id(),
            base_fee: self.config.base_fee(),
            gas_limit: self.config.block_gas_limit(),
            slot: clock.slot,
            timestamp: clock.unix_timestamp.max(0) as u64,
            coinbase,
            blob_base_fee: BlockValues::NO_BLOBS,
        })
    }

    /// The ledger over the instruction's accounts.
    pub(super) fn ledger<'a>(&self, input: &'a Input<'c>, slot: u64) -> OnChain<'a, 'c> {
        let Self { operator, config_account, config, .. } = self;
        OnChain::new(&input.accounts, *config_account, config, *operator, input.program_id, slot)
    }

    /// Reports a transaction that is over.
    pub(super) fn report(
        &self,
        receipt: &Receipt,
        records: &[u8],
        output: &[u8],
    ) -> Result<(), ProgramError> {
        let parts = [&receipt.encode()[..], records];
        report::send(&self.config_account, self.config.config_bump, &self.program, &parts)?;
        set_return_data(output);
        Ok(())
    }
}

/// The runtime keeps this much return data of a Solana transaction.
const RETURN_DATA_MAX: usize = 1024;

/// Shows the outermost frame's output to Solana's tools (simulations print it). Longer output is cut.
fn set_return_data(output: &[u8]) {
    let shown = output.get(..RETURN_DATA_MAX).unwrap_or(output);
    if !shown.is_empty() {
        // SAFETY: the syscall reads as many bytes as it is told.
        unsafe { sol_set_return_data(shown.as_ptr(), shown.len() as u64) }
    }
}
