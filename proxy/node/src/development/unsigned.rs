//! Transactions of impersonated senders: nobody signed them, so the program would refuse them. They are run by the same
//! executor outside the VM, and what they leave is put into it.

use super::{Development, Parts};
use alloy_primitives::B256;
use parhelion_core::cluster::{Cluster, LandedInstruction};
use parhelion_core::pool::PoolError;
use parhelion_core::relay::RelayError;
use parhelion_core::transaction::Transaction;
use parhelion_emulator::Unsigned;
use parhelion_wire::instruction::{RECOVER_ON_CHAIN, tag};

impl Development {
    /// Runs a transaction that nobody signed, in a block of its own unless one is open.
    pub(crate) async fn land_unsigned(&self, transaction: &Transaction) -> Result<B256, PoolError> {
        let Parts { cluster, emulator, coinbase, .. } = &self.parts;
        let _turn = self.turn().await;
        // Nothing may change between the run and its landing.
        let _pause = cluster.pause().await;
        let clock = cluster.next_clock().await.map_err(RelayError::Cluster)?;
        let Unsigned { accounts, events } = emulator.run_unsigned(transaction, *coinbase, clock).await?;
        let program_id = cluster.deployment().program_id.into();
        let instruction = |data, inner| LandedInstruction { program_id, accounts: Vec::new(), data, inner };
        let events = events.into_iter().map(|event| instruction(event, Vec::new())).collect();
        let data = [&[tag::EXECUTE, RECOVER_ON_CHAIN], coinbase.as_slice(), transaction.envelope()].concat();
        cluster.land(accounts, instruction(data, events)).await.map_err(RelayError::Cluster)?;
        Ok(transaction.hash())
    }
}
