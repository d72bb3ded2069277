//! Accounts that are not known, until they are known again.
//!
//! What an account is now, the cluster tells. Once everything up to the slot of that answer was run again, and nothing in it
//! named the account, the answer is what the account is from there on: so what could not be run again once does not leave a
//! gap for ever.

use parhelion_core::cluster::{ACCOUNTS_MAX, Account, Cluster, ClusterError};
use parhelion_core::past::Version;
use parhelion_wire::Pubkey;
use solana_address::Address;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::info;

/// Accounts that are remembered as not known.
const UNKNOWN_MAX: usize = 10_000;

/// The accounts that are not known, and what the cluster has told of them.
#[derive(Debug, Default)]
pub(super) struct Unknowns(Mutex<BTreeMap<Pubkey, Option<Told>>>);

/// What an account was behind a slot.
#[derive(Debug)]
struct Told {
    slot: u64,
    version: Version,
}

impl Unknowns {
    fn accounts(&self) -> MutexGuard<'_, BTreeMap<Pubkey, Option<Told>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An account is not known, from something in a block on. What was told of it before counts no more.
    pub(super) fn add(&self, address: Pubkey) {
        let mut accounts = self.accounts();
        if accounts.len() < UNKNOWN_MAX || accounts.contains_key(&address) {
            accounts.insert(address, None);
        }
    }

    /// Something in a block may have changed these accounts.
    pub(super) fn touch<'a>(&self, addresses: impl IntoIterator<Item = &'a Pubkey>) {
        let mut accounts = self.accounts();
        for address in addresses {
            if let Some(told) = accounts.get_mut(address) {
                *told = None;
            }
        }
    }

    /// Those that are known where a block begins.
    pub(super) fn known(&self, block: u64) -> Vec<(Pubkey, Version)> {
        let is_known = |told: &&Told| told.slot < block;
        let known = |(address, told): (&Pubkey, &Option<Told>)| {
            told.as_ref().filter(is_known).map(|told| (*address, told.version.clone()))
        };
        self.accounts().iter().filter_map(known).collect()
    }

    /// Forgets accounts that are known.
    pub(super) fn forget(&self, known: &[(Pubkey, Version)]) {
        let mut accounts = self.accounts();
        for (address, _) in known {
            accounts.remove(address);
        }
        if !known.is_empty() {
            info!(accounts = known.len(), left = accounts.len(), "accounts of the past are known again");
        }
    }

    /// Asks the cluster about some of those of which it has not told.
    pub(super) async fn ask(&self, cluster: &dyn Cluster) -> Result<(), ClusterError> {
        let open: Vec<Address> = {
            let accounts = self.accounts();
            let open = accounts.iter().filter(|(_, told)| told.is_none());
            open.map(|(address, _)| Address::from(*address)).take(ACCOUNTS_MAX).collect()
        };
        if open.is_empty() {
            return Ok(());
        }
        let program = Address::from(cluster.deployment().program_id);
        let snapshot = cluster.accounts(&open).await?;
        let mut accounts = self.accounts();
        for (address, account) in open.iter().zip(snapshot.accounts) {
            let version = match account {
                Some(Account { lamports, owner, data }) if owner == program => {
                    Version::Present { lamports, data }
                }
                _ => Version::Absent,
            };
            let told = Told { slot: snapshot.clock.slot, version };
            accounts.entry(address.to_bytes()).and_modify(|open| *open = Some(told));
        }
        Ok(())
    }
}
