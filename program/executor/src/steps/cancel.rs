//! The end of a run that nobody finished.

use super::{block_of, message_of};
use crate::amount;
use crate::execute::{BlockValues, Options, Report};
use crate::ledger::Ledger;
use crate::run::{self, Finished};
use crate::world::World;
use crate::{ProgramError, Result};
use alloc::vec::Vec;
use parhelion_evm::H160;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::exit::Exit;
use parhelion_wire::account::Run;
use parhelion_wire::event::{Outcome, Receipt};
use parhelion_wire::transaction::Envelope;

/// Ends a run without its transaction: its nonce stays used, the gas that its attempt had used so far is charged, at least
/// the transaction's least, and goes to `coinbase`, the address of who cancels. The rest goes back to the sender, who is
/// free for other transactions.
///
/// # Errors
/// Those of the ledger, and [`ProgramError::CoinbaseMissing`].
#[inline(never)] // a stack frame has 4 KiB on sBPF: this one and the caller's together have more
pub fn cancel<'c, L: Ledger<'c>, C: Crypto>(
    ledger: L,
    crypto: C,
    now: &BlockValues,
    options: &Options,
    envelope: &Envelope<'c>,
    run: &Run,
    coinbase: H160,
) -> Result<Receipt> {
    let transaction = envelope.transaction()?;
    let env = run::env(&block_of(run, now), options.fork, envelope.sender, run.gas_price);
    let mut world = World::new_apart(ledger, crypto, env, options.limits);
    let sender = world.load_balance(&envelope.sender)?;
    let message = message_of(run, envelope, &transaction, sender)?;
    let used = message.evm_limit(options).saturating_sub(run.gas_left);
    let gas_used = used.max(run.intrinsic_gas).max(run.floor_gas).min(transaction.gas_limit);
    let fee = run::fee(gas_used, &run.gas_price)?;
    let rest = amount::checked_sub(&run.bought, &fee).ok_or(ProgramError::InsufficientFunds)?;
    world.escrow = run.bought;
    world.credit(sender, &rest)?;
    let mut plan = world.plan()?;
    // Its flag changes in any case.
    world.plan_balance(&mut plan, sender)?;
    let payee = world.accounts.id(&coinbase)?;
    let report = Report {
        outcome: Outcome::Cancelled,
        exit: Exit::Revert,
        gas_used,
        rent_gas: 0,
        created: None,
        records: Vec::new(),
        output: Vec::new(),
        codes: Vec::new(),
    };
    let mut finished = Finished { report, plan, fee };
    world.conclude(payee, now.slot, sender, &mut finished)?;
    world.mark_sender(sender, false)?;
    let receipt = finished.report.receipt(run.transaction_hash, &message, coinbase);
    if L::NEVER_FREES {
        core::mem::forget(world);
    }
    Ok(receipt)
}
