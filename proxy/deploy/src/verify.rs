//! Whether the chain runs what is in a file.

use crate::error::DeployError;
use crate::on_chain::{OnChain, on_chain};
use crate::plan::first_difference;
use parhelion_core::cluster::Cluster;
use parhelion_sdk::address::sha256;
use solana_address::Address;

/// The comparison of a deployed program with a file.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The program on chain.
    pub on_chain: OnChain,
    /// The first byte that differs; `None` if they are the same.
    pub difference: Option<usize>,
    /// SHA-256 of the program on chain, without the zeros behind it.
    pub on_chain_sha256: [u8; 32],
    /// SHA-256 of the file.
    pub file_sha256: [u8; 32],
}

/// Compares the program at the cluster's program id with `file`. Needs no key.
///
/// # Errors
/// [`DeployError`] when there is nothing to compare; that they differ is no error here.
pub async fn verify(cluster: &dyn Cluster, file: &[u8]) -> Result<Verified, DeployError> {
    let program_id = Address::new_from_array(cluster.deployment().program_id);
    let there = on_chain(cluster, program_id).await?.ok_or(DeployError::Missing(program_id))?;
    let difference = first_difference(&there.file, file);
    // A file may itself end in zeros.
    let used = there.file.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let used = used.max(file.len()).min(there.file.len());
    let on_chain_sha256 = sha256(&[there.file.get(..used).unwrap_or_default()]);
    Ok(Verified { on_chain: there, difference, on_chain_sha256, file_sha256: sha256(&[file]) })
}
