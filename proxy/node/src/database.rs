//! The database of a node in front of a cluster: where it is, and the block that it begins with.

use anyhow::{Context as _, bail};
use parhelion_core::cluster::{Cluster, ClusterError};
use parhelion_core::emulator::ChainSettings;
use parhelion_core::store::{Block, BlockId, Store};
use parhelion_solana::RpcCluster;
use parhelion_store::SqlStore;
use parhelion_wire::account::{Config, Layout};
use solana_address::Address;
use std::path::PathBuf;
use std::sync::Arc;

/// Opens the database that was named, or that of the chain in the user's folder for data. A new one begins with the chain,
/// or where the cluster's history begins.
pub(crate) async fn open(
    given: Option<&str>,
    cluster: &RpcCluster,
    settings: &ChainSettings,
) -> anyhow::Result<Arc<SqlStore>> {
    let first = first_block(cluster, settings).await?;
    let url = match given {
        Some(url) => url.to_owned(),
        None => default_url(settings.chain_id, &first)?,
    };
    let shown = without_secrets(&url);
    let store = SqlStore::open(&url).await.with_context(|| format!("the database {shown} cannot be used"))?;
    if store.is_empty() {
        store.begin(first).await?;
    } else if let Some(begins) = store.block(BlockId::Earliest).await?
        && begins.header.number == first.header.number
        && begins.hash != first.hash
    {
        bail!("the database {shown} is of another chain: name another one with --database, or delete it");
    }
    tracing::info!(database = shown, block = store.latest().await?, "the store is open");
    Ok(Arc::new(store))
}

/// The block that all nodes of a chain begin with.
async fn first_block(cluster: &RpcCluster, settings: &ChainSettings) -> anyhow::Result<Block> {
    let address = Address::new_from_array(cluster.deployment().config);
    let account = cluster.accounts(&[address]).await?.accounts.pop().flatten();
    let data = account.map(|account| account.data).unwrap_or_default();
    let (slot, time) = Config::view(&data)
        .map_err(|error| {
            ClusterError::Unsupported(format!("the chain's settings cannot be read: {}", error.text()))
        })?
        .genesis();
    let oldest = cluster.oldest_block().await?;
    if slot > 0 && slot >= oldest {
        let nothing = ChainSettings { base_fee: 0, block_gas_limit: 0, ..*settings };
        return Ok(parhelion_indexer::genesis(slot - 1, time, &nothing));
    }
    tracing::warn!(
        "the chain began in slot {slot}, and the Solana RPC has nothing before slot {oldest}: blocks begin there, if the \
         database is new. A node with the whole history makes a whole database"
    );
    let now = cluster.clock().await?;
    Ok(parhelion_indexer::genesis(oldest.max(slot), now.unix_timestamp.max(0).unsigned_abs(), settings))
}

/// A file of the chain in the user's folder for data; the folder is made.
fn default_url(chain_id: u64, genesis: &Block) -> anyhow::Result<String> {
    let xdg = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = || std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default().join(".local/share");
    let folder = xdg.unwrap_or_else(home).join("parhelion");
    std::fs::create_dir_all(&folder).with_context(|| {
        format!("the folder {} cannot be made; name a database with --database", folder.display())
    })?;
    let [a, b, c, d, ..] = genesis.hash.0;
    let file = folder.join(format!("chain-{chain_id}-{a:02x}{b:02x}{c:02x}{d:02x}.sqlite"));
    Ok(format!("sqlite:{}", file.display()))
}

/// A URL without user and password.
fn without_secrets(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}://{place}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("postgres://me:s3cr@t@db.example/chain", "postgres://db.example/chain"),
            ("postgres://db.example/chain", "postgres://db.example/chain"),
            ("sqlite:/data/chain.sqlite", "sqlite:/data/chain.sqlite"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }
}
