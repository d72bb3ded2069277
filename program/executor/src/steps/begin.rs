//! The beginning of a run.

use crate::Result;
use crate::execute::{BlockValues, Options};
use crate::ledger::Ledger;
use crate::run::{self, Message};
use crate::world::World;
use parhelion_evm::U256;
use parhelion_evm::crypto::Crypto;
use parhelion_wire::account::Run;
use parhelion_wire::transaction::Envelope;

/// Begins a run in steps: checks the transaction as [`crate::execute`] does, takes nonce and gas from the sender, and
/// marks it as busy. The caller has proven that `envelope.sender` signed, and fills in what it alone knows: the operator,
/// the sizes of the machine and the revision of the settings.
///
/// # Errors
/// As [`crate::execute`], before anything runs.
#[inline(never)] // a stack frame has 4 KiB on sBPF: this one and the caller's together have more
pub fn begin<'c, L: Ledger<'c>, C: Crypto>(
    ledger: L,
    crypto: C,
    block: &BlockValues,
    options: &Options,
    envelope: &Envelope<'c>,
) -> Result<Run> {
    let transaction = envelope.transaction()?;
    let env = run::env(block, options.fork, envelope.sender, U256([0; 4]));
    let mut world = World::new_apart(ledger, crypto, env, options.limits);
    let valid = world.validate(&transaction, &envelope.sender, block.base_fee)?;
    let message = Message::of(&transaction, envelope.sender, valid.sender, valid.gas_price, valid.intrinsic)?;
    world.use_nonce(&message)?;
    world.buy_gas(&message)?;
    let plan = world.plan()?;
    world.commit(&plan, block.slot, valid.sender)?;
    world.mark_sender(valid.sender, true)?;
    let transaction_hash =
        transaction.hash(&envelope.signature, |parts: &[&[u8]]| world.crypto.keccak256(parts));
    let run = Run {
        version: Run::VERSION,
        checkpoint_version: Run::CHECKPOINT_VERSION,
        restarts: 0,
        locked_at: 0,
        transaction_hash,
        operator: [0; 32],
        coinbase: block.coinbase,
        gas_price: valid.gas_price,
        bought: message.bought,
        intrinsic_gas: valid.intrinsic.initial,
        floor_gas: valid.intrinsic.floor,
        config_revision: 0,
        number: block.slot,
        timestamp: block.timestamp,
        begun: block.slot,
        owned_since: block.slot,
        progressed: block.slot,
        steps: 0,
        gas_left: message.frame_gas(options)? as u64,
        paused_at: u64::MAX,
        stack_words: 0,
        checkpoint_room: 0,
        checkpoint_length: 0,
    };
    if L::NEVER_FREES {
        core::mem::forget(world);
    }
    Ok(run)
}
