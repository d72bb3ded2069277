//! A relay that lands nothing: what the pool accepts waits there, as in the vectors.

use alloy_primitives::{Address, B256};
use async_trait::async_trait;
use parhelion_core::cluster::ClusterError;
use parhelion_core::emulator::Emulator;
use parhelion_core::relay::{Relay, RelayError};
use parhelion_core::transaction::Transaction;
use solana_signature::Signature;
use std::sync::Arc;

/// See the module.
pub(crate) struct HoldingRelay {
    pub(crate) emulator: Arc<dyn Emulator>,
    pub(crate) coinbase: Address,
}

#[async_trait]
impl Relay for HoldingRelay {
    fn coinbase(&self) -> Address {
        self.coinbase
    }

    async fn check(&self, transaction: &Transaction) -> Result<(), RelayError> {
        self.emulator.emulate(transaction, self.coinbase).await?;
        Ok(())
    }

    async fn land(&self, transaction: &Transaction) -> Result<Vec<Signature>, RelayError> {
        let hash: B256 = transaction.hash();
        Err(ClusterError::Unsupported(format!("nothing lands here: {hash} stays in the pool")).into())
    }
}
