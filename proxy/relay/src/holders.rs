//! The operator's holders: which are free, and which have a run in them that is not over.

use alloy_primitives::B256;
use parhelion_core::cluster::{Account, ClusterError};
use parhelion_core::relay::RelayError;
use parhelion_core::transaction::Transaction;
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Holder, Run};
use solana_address::Address;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Large transactions in progress at most; each has a holder of its own.
pub(crate) const HOLDERS_MAX: u32 = 16;

/// The operator's holders, lent one transaction at a time.
#[derive(Debug)]
pub(crate) struct Holders {
    /// Those that are free, and since when; the one that was used last is the last.
    free: Arc<Mutex<Vec<(u32, Instant)>>>,
    count: Arc<Semaphore>,
    /// Holders with runs that were left in the middle, by transaction.
    unfinished: Mutex<BTreeMap<B256, Lease>>,
}

/// A holder that nobody else uses; give it back with [`Lease::end`].
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) index: u32,
    free: Arc<Mutex<Vec<(u32, Instant)>>>,
    permit: OwnedSemaphorePermit,
}

impl Holders {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            free: Arc::new(Mutex::new((0..HOLDERS_MAX).rev().map(|index| (index, now)).collect())),
            count: Arc::new(Semaphore::new(HOLDERS_MAX as usize)),
            unfinished: Mutex::default(),
        }
    }

    /// Waits for a free holder.
    pub(crate) async fn lease(&self) -> Option<Lease> {
        let permit = Arc::clone(&self.count).acquire_owned().await.ok()?;
        let (index, _) = self.free.lock().await.pop()?;
        Some(Lease { index, free: Arc::clone(&self.free), permit })
    }

    /// The holders that were free for `age`. They are not free meanwhile.
    pub(crate) async fn lease_idle(&self, age: Duration) -> Vec<Lease> {
        let mut free = self.free.lock().await;
        let mut leases = Vec::new();
        // Whoever waits for one was there first: then there is no permit.
        while free.first().is_some_and(|(_, since)| since.elapsed() >= age)
            && let Ok(permit) = Arc::clone(&self.count).try_acquire_owned()
        {
            let (index, _) = free.remove(0);
            leases.push(Lease { index, free: Arc::clone(&self.free), permit });
        }
        leases
    }

    /// The indices of the free holders.
    pub(crate) async fn free(&self) -> Vec<u32> {
        let mut free: Vec<u32> = self.free.lock().await.iter().map(|(index, _)| *index).collect();
        free.sort_unstable();
        free
    }

    /// Takes the holder with this index, if it is free.
    pub(crate) async fn lease_one(&self, index: u32) -> Option<Lease> {
        let mut free = self.free.lock().await;
        let position = free.iter().position(|(other, _)| *other == index)?;
        let permit = Arc::clone(&self.count).try_acquire_owned().ok()?;
        free.remove(position);
        Some(Lease { index, free: Arc::clone(&self.free), permit })
    }

    /// Keeps a holder whose run is not over.
    pub(crate) async fn keep_unfinished(&self, transaction: B256, lease: Lease) {
        self.unfinished.lock().await.insert(transaction, lease);
    }

    /// Takes the holder of a transaction whose run is not over.
    pub(crate) async fn unfinished(&self, transaction: &B256) -> Option<Lease> {
        self.unfinished.lock().await.remove(transaction)
    }

    /// The transactions whose runs are not over.
    pub(crate) async fn all_unfinished(&self) -> Vec<B256> {
        self.unfinished.lock().await.keys().copied().collect()
    }
}

impl Lease {
    /// Gives the holder back.
    pub(crate) async fn end(self) {
        // The index first, so that whoever gets the permit finds one.
        self.free.lock().await.push((self.index, Instant::now()));
        drop(self.permit);
    }
}

/// A holder, where a run is or will be.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its address.
    pub(crate) holder: Address,
    /// Which of the operator's own it is; any number for those of others, in which runs only go on.
    pub(crate) index: u32,
    /// Its account, if there is one.
    pub(crate) account: Option<Account>,
}

impl Place {
    /// The transaction whose run is here, if one is.
    pub(crate) fn transaction(&self) -> Option<Transaction> {
        self.run()?;
        let envelope = Holder::view(&self.account.as_ref()?.data).ok()?.envelope().ok()?;
        Transaction::from_envelope(envelope).ok()
    }

    /// The run that is here, if one is.
    pub(crate) fn run(&self) -> Option<Run> {
        Run::of(&self.account.as_ref()?.data).ok()
    }

    /// The run of a transaction, if it is here.
    pub(crate) fn run_of(&self, transaction: &Transaction) -> Option<Run> {
        self.run().filter(|run| run.transaction_hash.0 == transaction.hash().0)
    }

    /// The account as it will be when an envelope is written into `needed` bytes of it, of which the rent is exempt with
    /// `lamports`.
    pub(crate) fn filled(
        &self,
        program_id: [u8; 32],
        operator: &Address,
        envelope: &[u8],
        (needed, lamports): (usize, u64),
    ) -> Result<Account, RelayError> {
        let damaged = |error: ProgramError| ClusterError::Unsupported(error.text().into());
        let mut account = match &self.account {
            Some(now) if now.data.len() >= needed => now.clone(),
            _ => {
                let mut data = vec![0; needed];
                Holder::create(&mut data, 0, &operator.to_bytes()).map_err(damaged)?;
                Account { lamports, owner: program_id.into(), data }
            }
        };
        Holder::write(&mut account.data, 0, envelope.len() as u32, 0, envelope).map_err(damaged)?;
        Ok(account)
    }
}
