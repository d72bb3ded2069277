//! Tries of Solana transactions on the relay's own stage.

use crate::plan::unbuildable;
use parhelion_core::cluster::Account;
use parhelion_core::rehearsal::Stage;
use parhelion_core::relay::RelayError;
use parhelion_sdk::transaction::{Budget, Format, compile};
use solana_address::Address;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::collections::BTreeSet;

/// Runs instructions as one transaction: the compute units that it takes, and what it leaves.
pub(crate) fn perform(
    stage: &dyn Stage,
    payer: &Address,
    instructions: &[Instruction],
) -> Result<(u64, Vec<(Address, Account)>), RelayError> {
    // The stage takes the largest, whatever the cluster takes.
    let message =
        compile(instructions, payer, Hash::default(), &Budget::MAX, Format::V1).map_err(unbuildable)?;
    let signatures = vec![Signature::default(); message.header().num_required_signatures.into()];
    let tried = stage.run(VersionedTransaction { signatures, message });
    Ok((tried.compute_units, tried.outcome?))
}

/// The addresses that instructions name, but for one.
pub(crate) fn named(instructions: &[Instruction], but: &Address) -> Vec<Address> {
    let metas = instructions.iter().flat_map(|instruction| &instruction.accounts);
    let addresses: BTreeSet<Address> = metas.map(|meta| meta.pubkey).filter(|one| one != but).collect();
    addresses.into_iter().collect()
}
