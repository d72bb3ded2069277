//! The node: its real server, pool, emulator and store, in front of the chain of the data.

use crate::cluster::StillCluster;
use crate::data::Data;
use crate::relay::HoldingRelay;
use crate::{history, state};
use alloy_primitives::B256;
use anyhow::{Context as _, Result};
use parhelion_core::cluster::{Clock, Cluster};
use parhelion_core::emulator::{ChainSettings, Emulator};
use parhelion_core::feed::Feed;
use parhelion_core::pool::Pool;
use parhelion_core::relay::Relay;
use parhelion_core::store::{Block, Store};
use parhelion_emulator::Shell;
use parhelion_pool::MemoryPool;
use parhelion_rpc::{Config, Limits, Methods, Running, Services, serve};
use parhelion_store::SqlStore;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::watch;

/// A node that listens.
pub struct Node {
    /// Where to post requests.
    pub url: String,
    /// Hashes of transactions that the chain has and the node cannot have.
    pub blob_transactions: BTreeSet<B256>,
    server: Running,
    /// The database, for as long as the node runs.
    _folder: TempDir,
}

impl Node {
    /// Starts a node over the chain of the data, on a free port. Nobody lands what its pool accepts.
    ///
    /// # Errors
    /// When the chain makes no sense, or the node does not start.
    pub async fn start(data: &Data, limits: Limits) -> Result<Self> {
        let history = history::run(data.chain("genesis.json")?, data.chain("chain.rlp")?)?;
        let head = history.blocks.last().context("the chain has no blocks")?;
        let settings = ChainSettings {
            chain_id: history.chain_id,
            base_fee: head.header.base_fee_per_gas.context("the newest block is older than London")?,
            block_gas_limit: head.header.gas_limit,
        };
        let accounts = state::accounts(data.chain("headstate.json")?)?;
        let cluster = StillCluster::new(accounts, &settings, clock(head)?, slot_hashes(&history.blocks))?;
        let (coinbase, head_number) = (head.header.beneficiary, head.header.number);

        let folder = tempfile::tempdir().context("no folder for the database")?;
        let store = store(&folder, history.blocks).await?;
        let cluster: Arc<dyn Cluster> = Arc::new(cluster);
        let emulator: Arc<dyn Emulator> = Arc::new(Shell::new(cluster));
        let relay: Arc<dyn Relay> = Arc::new(HoldingRelay { emulator: Arc::clone(&emulator), coinbase });
        // Nobody runs its worker: what it accepts waits.
        let pool: Arc<dyn Pool> = Arc::new(MemoryPool::new(
            Arc::clone(&emulator),
            relay,
            Arc::clone(&store),
            parhelion_pool::Limits::default(),
        ));
        let services = Services {
            emulator,
            pool,
            store,
            chain_events: Feed::new(),
            finalized: watch::Sender::new(head_number).subscribe(),
            wallet: Arc::default(),
            extensions: Methods::new(),
        };
        let config = Config { limits, ..Config::new((Ipv4Addr::LOCALHOST, 0).into()) };
        let server = serve(config, services).await?;
        let url = format!("http://{}", server.local_addr());
        Ok(Self { url, blob_transactions: history.blob_transactions, server, _folder: folder })
    }

    /// The names of the methods that it answers.
    #[must_use]
    pub fn methods(&self) -> &[&'static str] {
        self.server.methods()
    }

    /// Stops the server.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// The clock in the slot of a block.
fn clock(head: &Block) -> Result<Clock> {
    Ok(Clock { slot: head.header.number, unix_timestamp: i64::try_from(head.header.timestamp)? })
}

/// Slots and hashes of the blocks, the newest first. The newest is of no block that a call sees, but PREVRANDAO: that of the
/// newest header.
fn slot_hashes(blocks: &[Block]) -> Vec<(u64, [u8; 32])> {
    let random = blocks.iter().rev().take(1).map(|head| (head.header.number, head.header.mix_hash.0));
    random.chain(blocks.iter().rev().skip(1).map(|block| (block.header.number, block.hash.0))).collect()
}

/// A database with these blocks.
async fn store(folder: &TempDir, blocks: Vec<Block>) -> Result<Arc<dyn Store>> {
    let file = folder.path().join("blocks.sqlite");
    let store = SqlStore::open(&format!("sqlite:{}", file.display())).await?;
    let mut blocks = blocks.into_iter();
    store.begin(blocks.next().context("the chain has no genesis")?).await?;
    store.append_all(blocks.collect()).await?;
    Ok(Arc::new(store))
}
