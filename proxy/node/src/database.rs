//! The database of a node in front of a cluster: where it is, and the block that it begins with.

use crate::secret_url::SecretUrl;
use anyhow::{Context as _, bail};
use parhelion_core::cluster::{Clock, Cluster, ClusterError};
use parhelion_core::emulator::ChainSettings;
use parhelion_core::store::{Block, BlockId, Store};
use parhelion_solana::RpcCluster;
use parhelion_store::SqlStore;
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Config, Layout};
use solana_address::Address;
use std::path::PathBuf;
use std::sync::Arc;

/// Opens the database that was named, or that of the chain in the user's folder for data. A new one begins with the chain,
/// or where the cluster's history begins.
pub(crate) async fn open(
    given: Option<&SecretUrl>,
    cluster: &RpcCluster,
    settings: &ChainSettings,
) -> anyhow::Result<Arc<SqlStore>> {
    let made = Made::read(cluster).await?;
    let url = match given {
        Some(url) => url.clone(),
        None => SecretUrl::from(default_url(&made, settings)?),
    };
    let shown = url.to_string();
    let store =
        SqlStore::open(url.reveal()).await.with_context(|| format!("the database {shown} cannot be used"))?;
    if store.is_empty() {
        let (oldest, now) = (cluster.oldest_block().await?, cluster.clock().await?);
        store.begin(made.first_block(oldest, &now, settings)).await?;
    } else if let Some(begins) = store.block(BlockId::Earliest).await?
        && made.is_other(&begins, settings)
    {
        bail!("the database {shown} is of another chain: name another one with --database, or delete it");
    }
    tracing::info!(database = shown, block = store.latest().await?, "the store is open");
    Ok(Arc::new(store))
}

/// When a chain was made: slot and seconds since 1970; zeros for one that an older program made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Made {
    slot: u64,
    time: u64,
}

impl Made {
    async fn read(cluster: &RpcCluster) -> anyhow::Result<Self> {
        let address = Address::new_from_array(cluster.deployment().config);
        let account = cluster.accounts(&[address]).await?.accounts.pop().flatten();
        let data = account.map(|account| account.data).unwrap_or_default();
        let unreadable = |error: ProgramError| {
            ClusterError::Unsupported(format!("the chain's settings cannot be read: {}", error.text()))
        };
        let (slot, time) = Config::view(&data).map_err(unreadable)?.genesis();
        Ok(Self { slot, time })
    }

    /// The chain's own first block: the slot before it was made, when it had no settings.
    fn genesis(&self, settings: &ChainSettings) -> Block {
        let nothing = ChainSettings { base_fee: 0, block_gas_limit: 0, ..*settings };
        parhelion_indexer::genesis(self.slot.saturating_sub(1), self.time, &nothing)
    }

    /// The block that a new database begins with, where the cluster has blocks from slot `oldest` on.
    fn first_block(&self, oldest: u64, now: &Clock, settings: &ChainSettings) -> Block {
        let slot = self.slot;
        if slot > 0 && slot >= oldest {
            return self.genesis(settings);
        }
        tracing::warn!(
            "the chain began in slot {slot}, and the Solana RPC has nothing before slot {oldest}: blocks begin there. A \
             node with the whole history makes a whole database"
        );
        let timestamp = now.unix_timestamp.max(0).unsigned_abs();
        parhelion_indexer::genesis(oldest.max(slot), timestamp, settings)
    }

    /// Whether a database that begins with this block is of another chain, as far as can be told from it.
    fn is_other(&self, begins: &Block, settings: &ChainSettings) -> bool {
        let own = self.genesis(settings);
        begins.header.number == own.header.number && begins.hash != own.hash
    }
}

/// A file of the chain in the user's folder for data; the folder is made.
fn default_url(made: &Made, settings: &ChainSettings) -> anyhow::Result<String> {
    let xdg = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = || std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default().join(".local/share");
    let folder = xdg.unwrap_or_else(home).join("parhelion");
    std::fs::create_dir_all(&folder).with_context(|| {
        format!("the folder {} cannot be made; name a database with --database", folder.display())
    })?;
    Ok(format!("sqlite:{}", folder.join(file_name(made, settings)).display()))
}

/// The same whatever of its history the cluster has.
fn file_name(made: &Made, settings: &ChainSettings) -> String {
    let [a, b, c, d, ..] = made.genesis(settings).hash.0;
    format!("chain-{}-{a:02x}{b:02x}{c:02x}{d:02x}.sqlite", settings.chain_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: ChainSettings = ChainSettings { chain_id: 5, base_fee: 6, block_gas_limit: 7 };
    const MADE: Made = Made { slot: 100, time: 1_700_000_000 };
    const NOW: Clock = Clock { slot: 900, unix_timestamp: 1_700_009_999 };

    #[test]
    fn a_database_begins_with_the_chain_or_where_history_does() {
        for (made, oldest, number, base_fee) in
            [(MADE, 0, 99, 0), (MADE, 100, 99, 0), (MADE, 101, 101, 6), (Made { slot: 0, time: 0 }, 3, 3, 6)]
        {
            let first = made.first_block(oldest, &NOW, &SETTINGS);
            let found = (first.header.number, first.header.base_fee_per_gas);
            assert_eq!(found, (number, Some(base_fee)), "{made:?}, {oldest}");
            assert!(!made.is_other(&first, &SETTINGS), "{made:?}, {oldest}");
        }
    }

    /// Nor does a setting that is changed make another chain of it.
    #[test]
    fn a_chain_keeps_its_file_when_the_cluster_forgets_its_beginning() {
        let changed = ChainSettings { base_fee: 60, ..SETTINGS };
        assert_eq!(file_name(&MADE, &SETTINGS), file_name(&MADE, &changed));
        let begins = MADE.first_block(0, &NOW, &SETTINGS);
        assert!(!MADE.is_other(&begins, &changed));
        let other = Made { time: MADE.time + 1, ..MADE };
        assert_ne!(file_name(&MADE, &SETTINGS), file_name(&other, &SETTINGS));
        assert!(other.is_other(&begins, &SETTINGS));
    }
}
