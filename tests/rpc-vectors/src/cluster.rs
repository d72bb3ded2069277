//! A cluster that stands still: accounts as the program lays them out, and a clock.

use anyhow::{Result, anyhow};
use async_trait::async_trait;
use parhelion_conformance::ledger::Accounts;
use parhelion_core::cluster::{Account, Clock, Cluster, ClusterError, LandedBlock, Snapshot};
use parhelion_core::emulator::ChainSettings;
use parhelion_sdk::address::{account_address, deployment};
use parhelion_wire::account::{Config, Layout};
use parhelion_wire::address::Deployment;
use solana_address::Address;
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::collections::HashMap;
use tokio::sync::watch;

const PROGRAM: Address = Address::new_from_array([0x77; 32]);

/// See the module.
pub(crate) struct StillCluster {
    deployment: Deployment,
    accounts: HashMap<Address, Account>,
    clock: Clock,
    slot_hashes: Vec<(u64, [u8; 32])>,
}

impl StillCluster {
    /// A cluster with these accounts in the slot of `clock`. `slot_hashes`: the newest first.
    ///
    /// # Errors
    /// When the settings are none that the program could have.
    pub(crate) fn new(
        accounts: Accounts,
        settings: &ChainSettings,
        clock: Clock,
        slot_hashes: Vec<(u64, [u8; 32])>,
    ) -> Result<Self> {
        let deployment = deployment(&PROGRAM);
        // Rent is free, so an account needs no more than one lamport to be there.
        let account = |data| Account { lamports: 1, owner: PROGRAM, data };
        let mut accounts: HashMap<Address, Account> = accounts
            .into_iter()
            .map(|(key, data)| (account_address(&deployment, &key), account(data)))
            .collect();
        accounts.insert(Address::from(deployment.config), account(config(&deployment, settings)?));
        Ok(Self { deployment, accounts, clock, slot_hashes })
    }
}

/// The Config account's data.
fn config(deployment: &Deployment, settings: &ChainSettings) -> Result<Vec<u8>> {
    let mut data = vec![0; size_of::<Config>()];
    let config = Config::create(&mut data, 0).map_err(|error| anyhow!("Config: {}", error.text()))?;
    config.set_chain_id(settings.chain_id);
    config.set_base_fee(settings.base_fee);
    config.set_block_gas_limit(settings.block_gas_limit);
    config.address = deployment.config;
    Ok(data)
}

/// What a node that reads only does not ask for.
fn still<T>() -> Result<T, ClusterError> {
    Err(ClusterError::Unsupported("this cluster stands still".into()))
}

#[async_trait]
impl Cluster for StillCluster {
    fn deployment(&self) -> Deployment {
        self.deployment
    }

    async fn accounts(&self, addresses: &[Address]) -> Result<Snapshot, ClusterError> {
        let accounts = addresses.iter().map(|address| self.accounts.get(address).cloned()).collect();
        Ok(Snapshot { clock: self.clock, accounts })
    }

    async fn clock(&self) -> Result<Clock, ClusterError> {
        Ok(self.clock)
    }

    async fn slot_hashes(&self) -> Result<Vec<(u64, [u8; 32])>, ClusterError> {
        Ok(self.slot_hashes.clone())
    }

    async fn rent_exemption(&self, _: usize) -> Result<u64, ClusterError> {
        Ok(0)
    }

    async fn latest_blockhash(&self) -> Result<Hash, ClusterError> {
        still()
    }

    async fn send(&self, _: &VersionedTransaction) -> Result<Signature, ClusterError> {
        still()
    }

    fn newest_slot(&self) -> watch::Receiver<u64> {
        watch::channel(self.clock.slot).1
    }

    async fn blocks(&self, _: u64, _: u64) -> Result<Vec<LandedBlock>, ClusterError> {
        still()
    }
}
