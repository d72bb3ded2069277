//! Solana inside this process, for the development node.
//!
//! The program's real binary runs in the Solana VM ([`litesvm`]), behind the same port as a cluster. What differs from
//! a cluster, on purpose:
//!
//! * Every transaction that succeeds makes a block of its own: the slot moves on by one. Nothing else moves it but
//!   [`SvmCluster::make_empty_blocks`], and a block that is opened and closed: that one holds all that was sent between.
//! * The clock shows the real time unless it was moved on, and never goes back.
//! * It can go back to what it was ([`SvmCluster::restore`]); whoever follows it has to be told.
//! * A transaction that fails leaves no trace: no fee, no block. (On a cluster the preflight stops most of them.)
//! * The first block is slot 1; slot 0 is the state at start.
//! * Blocks are kept in memory, the last [`BLOCKS_MAX`] of them.
//! * There are no lookup tables: a transaction that needs more than 64 addresses has no place here.
//!
//! As on a cluster, a transaction may name any of the last [`BLOCKHASH_BLOCKS_MAX`] blockhashes, and sending one twice
//! lands it once.

mod chain;
mod history;
mod past;
mod rehearsal;
#[cfg(test)]
mod tests;
mod time;

pub use rehearsal::SvmRehearsal;

use async_trait::async_trait;
use chain::Chain;
use parhelion_core::cluster::{
    ACCOUNTS_MAX, Account, Clock, Cluster, ClusterError, LandedBlock, LandedInstruction, Moment, Simulation,
    Snapshot,
};
use parhelion_wire::address::Deployment;
use past::Past;
use solana_address::Address;
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::{OwnedRwLockWriteGuard, RwLock, watch};

/// Blocks of the program's transactions that are kept for [`Cluster::blocks`]; the indexer of the same process follows
/// at once and needs the newest only. At a few kilobytes a block this is below 100 MB.
pub const BLOCKS_MAX: usize = 16_384;
/// Blocks for which a blockhash can be used, as on a cluster.
pub const BLOCKHASH_BLOCKS_MAX: usize = 150;

/// Which of Solana's features are switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Features {
    /// Those of mainnet, and transaction format V1 (live since litesvm's list was made).
    #[default]
    Mainnet,
    /// All that this version knows: what mainnet may have one day.
    All,
    /// Those of mainnet without transaction format V1: for tests of what goes on without it. It has lookup tables, too.
    WithoutV1,
}

/// What [`SvmCluster::start`] needs.
#[derive(Clone, Debug)]
pub struct SvmOptions {
    /// Where the program is.
    pub program_id: Address,
    /// Its binary (ELF).
    pub program: Vec<u8>,
    /// Who may upgrade it, and may therefore `initialize` the chain.
    pub upgrade_authority: Address,
    /// Solana's features.
    pub features: Features,
}

/// Solana inside this process. Clones are the same.
#[derive(Clone)]
pub struct SvmCluster {
    // The VM is neither async nor shared: calls take turns, each on a thread that may block.
    chain: Arc<Mutex<Chain>>,
    deployment: Deployment,
    newest_slot: watch::Sender<u64>,
    /// Whoever sends reads this; whoever wants that nobody sends writes it.
    senders: Arc<RwLock<()>>,
}

/// A chain as it was at some time. Clones share nothing.
#[derive(Clone)]
pub struct SvmSnapshot(Box<Chain>);

impl SvmSnapshot {
    /// The newest slot.
    #[must_use]
    pub fn slot(&self) -> u64 {
        self.0.clock().slot
    }
}

/// While this is there, nobody sends.
#[must_use]
pub struct Pause {
    _senders: OwnedRwLockWriteGuard<()>,
}

impl SvmCluster {
    /// Starts at slot 0 with nothing but the program, deployed by Solana's upgradeable loader.
    ///
    /// # Errors
    /// [`ClusterError::Unsupported`] when the binary is no program that this VM runs.
    pub fn start(options: &SvmOptions) -> Result<Self, ClusterError> {
        Ok(Self::over(Chain::start(options, unix_time())?, &options.program_id))
    }

    fn over(chain: Chain, program_id: &Address) -> Self {
        let deployment = parhelion_sdk::address::deployment(program_id);
        let newest_slot = watch::Sender::new(chain.clock().slot);
        Self { chain: Arc::new(Mutex::new(chain)), deployment, newest_slot, senders: Arc::default() }
    }

    /// Gives `lamports` out of nowhere to an address.
    ///
    /// # Errors
    /// [`ClusterError::Unsupported`] when the balance would exceed 64 bits.
    pub async fn airdrop(&self, address: Address, lamports: u64) -> Result<(), ClusterError> {
        self.run(move |chain| chain.airdrop(address, lamports)).await
    }

    /// Replaces an account, or removes it when it has no lamports. No block is made.
    ///
    /// # Errors
    /// [`ClusterError::Unsupported`] for a sysvar whose data makes no sense.
    pub async fn set_account(&self, address: Address, account: Account) -> Result<(), ClusterError> {
        self.run(move |chain| chain.set_account(address, account)).await
    }

    /// Moves the clock on. It stands until the real time has caught up.
    ///
    /// # Errors
    /// None but that of a VM that stopped.
    pub async fn advance_time(&self, seconds: u32) -> Result<(), ClusterError> {
        self.run(move |chain| {
            chain.advance_time(seconds);
            Ok(())
        })
        .await
    }

    /// Lets slots pass: makes so many blocks without transactions. The clock's time stands.
    ///
    /// # Errors
    /// None but that of a VM that stopped.
    pub async fn make_empty_blocks(&self, count: u32) -> Result<(), ClusterError> {
        let newest_slot = self.newest_slot.clone();
        self.run(move |chain| {
            chain.make_empty_blocks(count);
            announce(&newest_slot, chain);
            Ok(())
        })
        .await
    }

    /// Moves the time of blocks on for good: it goes on from there. Gives how many seconds it is ahead of the real time then.
    ///
    /// # Errors
    /// None but that of a VM that stopped.
    pub async fn increase_time(&self, seconds: u64) -> Result<i64, ClusterError> {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        self.run(move |chain| Ok(chain.increase_time(seconds, unix_time()))).await
    }

    /// Says which time the next block has, in seconds since 1970; the time of blocks goes on from there.
    ///
    /// # Errors
    /// [`ClusterError::Unsupported`] for a time before the newest block's.
    pub async fn set_next_timestamp(&self, timestamp: u64) -> Result<(), ClusterError> {
        let timestamp = i64::try_from(timestamp).unwrap_or(i64::MAX);
        self.run(move |chain| chain.set_next_timestamp(timestamp)).await
    }

    /// Opens a block: transactions that are sent from now on land in it, and it can be read when it is closed.
    ///
    /// # Errors
    /// None but that of a VM that stopped.
    pub async fn open_block(&self) -> Result<(), ClusterError> {
        self.run(|chain| {
            chain.open_block(unix_time());
            Ok(())
        })
        .await
    }

    /// Closes the block that is open, if one is.
    ///
    /// # Errors
    /// None but that of a VM that stopped.
    pub async fn close_block(&self) -> Result<(), ClusterError> {
        let newest_slot = self.newest_slot.clone();
        self.run(move |chain| {
            chain.close_block();
            announce(&newest_slot, chain);
            Ok(())
        })
        .await
    }

    /// The clock of the block that the next transaction lands in.
    ///
    /// # Errors
    /// None but that of a VM that stopped.
    pub async fn next_clock(&self) -> Result<Clock, ClusterError> {
        self.run(|chain| Ok(chain.landing_clock(unix_time()))).await
    }

    /// Lands what was run outside of the VM: the accounts as they are afterwards, and an instruction of the program as it
    /// is shown to those who follow the chain. It makes a block, unless one is open.
    ///
    /// # Errors
    /// [`ClusterError::Unsupported`] for a sysvar whose data makes no sense.
    pub async fn land(
        &self,
        accounts: Vec<(Address, Account)>,
        instruction: LandedInstruction,
    ) -> Result<(), ClusterError> {
        let newest_slot = self.newest_slot.clone();
        self.run(move |chain| {
            chain.land_outside(accounts, instruction, unix_time())?;
            announce(&newest_slot, chain);
            Ok(())
        })
        .await
    }

    /// Everything as it is now.
    ///
    /// # Errors
    /// None but that of a VM that stopped.
    pub async fn snapshot(&self) -> Result<SvmSnapshot, ClusterError> {
        Ok(SvmSnapshot(self.run(|chain| Ok(Box::new(chain.clone()))).await?))
    }

    /// Goes back to what was. The newest slot is that of the snapshot again, and blocks behind it will be others.
    ///
    /// # Errors
    /// None but that of a VM that stopped.
    pub async fn restore(&self, snapshot: SvmSnapshot) -> Result<(), ClusterError> {
        let newest_slot = self.newest_slot.clone();
        self.run(move |chain| {
            *chain = *snapshot.0;
            chain.resume();
            announce(&newest_slot, chain);
            Ok(())
        })
        .await
    }

    /// Lets nobody send until what is given is dropped. What is being sent lands before.
    pub async fn pause(&self) -> Pause {
        Pause { _senders: Arc::clone(&self.senders).write_owned().await }
    }

    /// Another cluster, which begins with everything that this one has now. Neither sees what the other does later.
    ///
    /// # Errors
    /// None but that of a VM that stopped.
    pub async fn fork(&self) -> Result<Self, ClusterError> {
        let chain = self.run(|chain| Ok(chain.fork())).await?;
        Ok(Self::over(chain, &self.deployment.program_id.into()))
    }

    /// What the last instruction of the newest transaction returned (Solana's *return data*), as Solana's own tools
    /// show it.
    ///
    /// # Errors
    /// None but that of a VM that stopped.
    pub async fn return_data(&self) -> Result<Vec<u8>, ClusterError> {
        self.run(|chain| Ok(chain.return_data.clone())).await
    }

    /// Reads: at once unless somebody works on the chain. That takes less than having another thread do it.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Chain) -> T + Send + 'static,
    ) -> Result<T, ClusterError> {
        if let Ok(chain) = self.chain.try_lock() {
            return Ok(read(&chain));
        }
        self.run(move |chain| Ok(read(chain))).await
    }

    /// Runs `work` on a thread that may block.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Chain) -> Result<T, ClusterError> + Send + 'static,
    ) -> Result<T, ClusterError> {
        let chain = Arc::clone(&self.chain);
        let stopped =
            || ClusterError::Unsupported("the in-process Solana VM stopped; restart the node".to_owned());
        let task = tokio::task::spawn_blocking(move || match chain.lock() {
            Ok(mut chain) => work(&mut chain),
            // A call before this one panicked half way, so what is in there cannot be trusted.
            Err(_) => Err(stopped()),
        });
        task.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the in-process Solana VM stopped");
            Err(stopped())
        })
    }
}

#[async_trait]
impl Cluster for SvmCluster {
    fn deployment(&self) -> Deployment {
        self.deployment
    }

    async fn accounts(&self, addresses: &[Address]) -> Result<Snapshot, ClusterError> {
        if addresses.len() > ACCOUNTS_MAX {
            let text = format!("{} accounts asked for at once, at most {ACCOUNTS_MAX}", addresses.len());
            return Err(ClusterError::Unsupported(text));
        }
        let addresses = addresses.to_vec();
        self.read(move |chain| chain.accounts(&addresses)).await
    }

    async fn accounts_beginning(&self, prefix: &[u8]) -> Result<Vec<Address>, ClusterError> {
        let prefix = prefix.to_vec();
        self.run(move |chain| Ok(chain.accounts_beginning(&prefix))).await
    }

    async fn clock(&self) -> Result<Clock, ClusterError> {
        self.read(Chain::clock).await
    }

    async fn slot_hashes(&self) -> Result<Vec<(u64, [u8; 32])>, ClusterError> {
        self.read(|chain| chain.slot_hashes(chain.clock().slot)).await
    }

    async fn rent_exemption(&self, data_length: usize) -> Result<u64, ClusterError> {
        self.read(move |chain| chain.rent_exemption(data_length)).await
    }

    async fn at(&self, moment: Moment) -> Result<Arc<dyn Cluster>, ClusterError> {
        let (clock, change) = self.run(move |chain| chain.moment(moment)).await?;
        Ok(Arc::new(Past { cluster: self.clone(), clock, change }))
    }

    async fn latest_blockhash(&self) -> Result<Hash, ClusterError> {
        self.read(Chain::latest_blockhash).await
    }

    async fn send(&self, transaction: &VersionedTransaction) -> Result<Signature, ClusterError> {
        let _turn = self.senders.read().await;
        let transaction = transaction.clone();
        let newest_slot = self.newest_slot.clone();
        self.run(move |chain| {
            let signature = chain.send(transaction, unix_time())?;
            announce(&newest_slot, chain);
            Ok(signature)
        })
        .await
    }

    async fn simulate(&self, transaction: &VersionedTransaction) -> Result<Simulation, ClusterError> {
        let transaction = transaction.clone();
        self.run(move |chain| chain.simulate(transaction)).await
    }

    fn newest_slot(&self) -> watch::Receiver<u64> {
        self.newest_slot.subscribe()
    }

    fn goes_back(&self) -> bool {
        true
    }

    async fn blocks(&self, first: u64, last: u64) -> Result<Vec<LandedBlock>, ClusterError> {
        self.run(move |chain| chain.blocks(first, last)).await
    }

    async fn busy_slots(&self, first: u64, last: u64) -> Result<Vec<u64>, ClusterError> {
        let blocks = self.blocks(first, last).await?;
        Ok(blocks.into_iter().map(|block| block.clock.slot).collect())
    }
}

/// Tells who follows it the newest slot. To be called while the chain is locked, so that slots are told in order.
fn announce(newest_slot: &watch::Sender<u64>, chain: &Chain) {
    let slot = chain.clock().slot;
    newest_slot.send_if_modified(|newest| std::mem::replace(newest, slot) != slot);
}

/// Seconds since 1970; 0 on a machine whose clock stands before.
fn unix_time() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}
