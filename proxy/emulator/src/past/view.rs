//! A cluster as it was at a point of its history.

use super::record::{self, BlockRecord, SlotHashes};
use async_trait::async_trait;
use parhelion_core::cluster::{Account, Clock, Cluster, ClusterError, LandedBlock, Snapshot};
use parhelion_core::past::{Archive, Change, Point, Version};
use parhelion_wire::Pubkey;
use parhelion_wire::account::ACCOUNT_STORAGE_OVERHEAD;
use parhelion_wire::address::Deployment;
use solana_address::Address;
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// BLOCKHASH goes so many slots back.
const BLOCKHASH_SLOTS: u64 = 256;

/// A cluster as it was.
pub(super) struct View {
    /// The cluster as it is.
    live: Arc<dyn Cluster>,
    archive: Arc<dyn Archive>,
    /// What the archive is asked for.
    point: Point,
    /// What it shows.
    clock: Clock,
    rent_per_byte: u64,
    /// Changes behind the point, and what was there.
    changed: Arc<Mutex<Changed>>,
    /// The slot hashes of a slot that were asked of the cluster, and are not kept yet.
    slot_hashes: Arc<Mutex<Option<(u64, SlotHashes)>>>,
    /// Accounts that are not known, and that somebody has asked for or was told of.
    unknown: Arc<Mutex<BTreeSet<Pubkey>>>,
    /// Whether accounts that are not the program's are looked up as they are now.
    has_others: bool,
    /// Whether what was there may be forgotten meanwhile.
    is_old: bool,
}

/// Changes that are not in the archive, and what it has told.
#[derive(Debug, Default)]
struct Changed {
    /// What each account became last.
    newest: HashMap<Pubkey, Version>,
    /// What the archive has told of others.
    archived: HashMap<Pubkey, Option<Version>>,
    /// All of them, in order.
    all: Vec<Change>,
}

impl Changed {
    /// Accounts of which nothing was told.
    fn open(&self, addresses: &[Pubkey]) -> Vec<Pubkey> {
        let is_open =
            |address: &&Pubkey| !self.newest.contains_key(*address) && !self.archived.contains_key(*address);
        addresses.iter().filter(is_open).copied().collect()
    }

    fn version(&self, address: &Pubkey) -> Option<Version> {
        self.newest.get(address).or_else(|| self.archived.get(address)?.as_ref()).cloned()
    }
}

impl View {
    /// The cluster at a point of `clock`'s slot, or of the slots before it.
    pub(super) fn new(
        (live, archive): (Arc<dyn Cluster>, Arc<dyn Archive>),
        point: Point,
        clock: Clock,
        rent_per_byte: u64,
    ) -> Self {
        let (changed, slot_hashes, unknown) = Default::default();
        let (has_others, is_old) = (false, false);
        Self { live, archive, point, clock, rent_per_byte, changed, slot_hashes, unknown, has_others, is_old }
    }

    /// The cluster behind a point that the archive has; `None` where the archive has nothing.
    pub(super) async fn behind(
        parts: (Arc<dyn Cluster>, Arc<dyn Archive>),
        point: Point,
    ) -> Result<Option<Self>, ClusterError> {
        let version = parts.1.versions(point, &[record::BLOCK]).await?.pop().flatten();
        let Some(values) = BlockRecord::read(version.as_ref()) else { return Ok(None) };
        let view = Self::new(parts, point, values.clock(point.block), values.rent_per_byte);
        Ok(Some(Self { is_old: true, ..view }))
    }

    /// The same at another time: that of a run in steps, whose block is the one in which its attempt began.
    pub(super) fn as_of(&self, clock: Clock) -> Self {
        Self { clock, ..self.same() }
    }

    /// The same, with accounts that are not the program's as they are now: those that are paid by withdrawals. Nobody keeps
    /// what they were.
    pub(super) fn with_others(&self) -> Self {
        Self { has_others: true, ..self.same() }
    }

    /// Another view of the same: changes show in both.
    fn same(&self) -> Self {
        Self {
            live: Arc::clone(&self.live),
            archive: Arc::clone(&self.archive),
            changed: Arc::clone(&self.changed),
            slot_hashes: Arc::clone(&self.slot_hashes),
            unknown: Arc::clone(&self.unknown),
            ..*self
        }
    }

    fn changed(&self) -> MutexGuard<'_, Changed> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes an account: it is so from now on.
    pub(super) fn put(&self, change: Change) {
        match change.version {
            Version::Unknown => self.unknown().insert(change.address),
            _ => self.unknown().remove(&change.address),
        };
        let mut changed = self.changed();
        changed.newest.insert(change.address, change.version.clone());
        changed.all.push(change);
    }

    /// Accounts at an earlier point.
    pub(super) fn earlier(&self, point: Point) -> Self {
        let parts = (Arc::clone(&self.live), Arc::clone(&self.archive));
        let earlier = Self::new(parts, point.min(self.point), self.clock, self.rent_per_byte);
        let changed = self.changed();
        changed
            .all
            .iter()
            .filter(|change| change.point <= point)
            .cloned()
            .for_each(|change| earlier.put(change));
        drop(changed);
        earlier
    }

    fn unknown(&self) -> MutexGuard<'_, BTreeSet<Pubkey>> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accounts that are not known, and that somebody has asked for or was told of.
    pub(super) fn met_unknown(&self) -> BTreeSet<Pubkey> {
        self.unknown().clone()
    }

    /// What it shows.
    pub(super) const fn clock(&self) -> Clock {
        self.clock
    }

    /// The slot hashes that were asked of the cluster and are to be kept, as a record.
    pub(super) fn take_slot_hashes(&self) -> Option<Version> {
        let asked = self.slot_hashes.lock().unwrap_or_else(PoisonError::into_inner).take();
        asked.map(|(slot, hashes)| record::slot_hashes_version(slot, &hashes))
    }

    /// What is known of accounts.
    pub(super) async fn versions(&self, addresses: &[Pubkey]) -> Result<Vec<Option<Version>>, ClusterError> {
        let mut open = self.changed().open(addresses);
        if !open.is_empty() {
            // What is forgotten is forgotten together with the block's values, which are read last.
            open.extend(self.is_old.then_some(record::BLOCK));
            let told = self.archive.versions(self.point, &open).await?;
            if self.is_old && !matches!(told.last(), Some(Some(_))) {
                return Err(unknown(self.clock.slot));
            }
            self.changed().archived.extend(open.into_iter().zip(told));
        }
        let changed = self.changed();
        Ok(addresses.iter().map(|address| changed.version(address)).collect())
    }

    fn account(&self, address: &Pubkey, version: Option<Version>) -> Result<Option<Account>, ClusterError> {
        match version {
            None | Some(Version::Absent) => Ok(None),
            Some(Version::Present { lamports, data }) => {
                let owner = Address::from(self.live.deployment().program_id);
                Ok(Some(Account { lamports, owner, data }))
            }
            Some(Version::Unknown) => {
                self.unknown().insert(*address);
                Err(ClusterError::Unsupported(format!(
                    "the account {} is not known at block {}: a transaction before it could not be run again",
                    Address::from(*address),
                    self.clock.slot
                )))
            }
        }
    }

    /// Fills in accounts of others, which are not in the archive.
    async fn add_others(
        &self,
        addresses: &[Address],
        accounts: &mut [Option<Account>],
    ) -> Result<(), ClusterError> {
        let program = Address::from(self.live.deployment().program_id);
        let now = self.live.accounts(addresses).await?.accounts;
        for (account, now) in accounts.iter_mut().zip(now) {
            if account.is_none() {
                // An account of the program that is there now was not there then.
                *account = now.filter(|now| now.owner != program);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Cluster for View {
    fn deployment(&self) -> Deployment {
        self.live.deployment()
    }

    async fn accounts(&self, addresses: &[Address]) -> Result<Snapshot, ClusterError> {
        let keys: Vec<Pubkey> = addresses.iter().map(Address::to_bytes).collect();
        let versions = self.versions(&keys).await?;
        let accounts = keys.iter().zip(versions).map(|(address, version)| self.account(address, version));
        let mut accounts = accounts.collect::<Result<Vec<_>, _>>()?;
        if self.has_others {
            self.add_others(addresses, &mut accounts).await?;
        }
        Ok(Snapshot { clock: self.clock, accounts })
    }

    async fn clock(&self) -> Result<Clock, ClusterError> {
        Ok(self.clock)
    }

    async fn slot_hashes(&self) -> Result<Vec<(u64, [u8; 32])>, ClusterError> {
        let slot = self.clock.slot;
        let kept = self.versions(&[record::SLOT_HASHES]).await?.pop().flatten();
        if let Some(hashes) = record::read_slot_hashes(slot, kept.as_ref()) {
            return Ok(hashes);
        }
        let mut hashes = self.live.slot_hashes().await?;
        hashes.retain(|(before, _)| *before < slot);
        // Less would make BLOCKHASH zero where it was not.
        if hashes.last().is_none_or(|(oldest, _)| *oldest > slot.saturating_sub(BLOCKHASH_SLOTS)) {
            return Err(ClusterError::Unsupported(format!("the slot hashes at block {slot} are not kept")));
        }
        *self.slot_hashes.lock().unwrap_or_else(PoisonError::into_inner) = Some((slot, hashes.clone()));
        Ok(hashes)
    }

    async fn rent_exemption(&self, data_length: usize) -> Result<u64, ClusterError> {
        let bytes = (data_length as u64).saturating_add(ACCOUNT_STORAGE_OVERHEAD);
        Ok(bytes.saturating_mul(self.rent_per_byte))
    }

    async fn latest_blockhash(&self) -> Result<Hash, ClusterError> {
        Err(over())
    }

    async fn send(&self, _: &VersionedTransaction) -> Result<Signature, ClusterError> {
        Err(over())
    }

    fn newest_slot(&self) -> watch::Receiver<u64> {
        watch::Sender::new(self.clock.slot).subscribe()
    }

    async fn blocks(&self, _: u64, _: u64) -> Result<Vec<LandedBlock>, ClusterError> {
        Err(over())
    }
}

/// The state at a block is not kept.
pub(super) fn unknown(block: u64) -> ClusterError {
    ClusterError::Unsupported(format!(
        "the state at block {block} is not known here: this node's database keeps that of the newest blocks only \
         (--past-blocks), or does not begin with the chain; use the tag \"latest\""
    ))
}

fn over() -> ClusterError {
    ClusterError::Unsupported("this is the past: nothing is sent there".to_owned())
}
