//! What is deployed.

use crate::error::DeployError;
use parhelion_core::cluster::{Account, Cluster};
use parhelion_sdk::loader::{self, LoaderAccount};
use solana_address::Address;
use solana_sdk_ids::bpf_loader_upgradeable;

/// A program as a cluster has it.
#[derive(Clone, Debug)]
pub struct OnChain {
    /// When it was last changed.
    pub slot: u64,
    /// Who may change it; nobody any more if `None`.
    pub authority: Option<Address>,
    /// Its file, and the zeros behind it.
    pub file: Vec<u8>,
}

impl OnChain {
    /// Whether `ours` may change the program.
    pub(crate) fn require_authority(&self, program_id: Address, ours: Address) -> Result<(), DeployError> {
        match self.authority {
            None => Err(DeployError::Final(program_id)),
            Some(holder) if holder == ours => Ok(()),
            Some(holder) => Err(DeployError::NotAuthority { program_id, holder, ours }),
        }
    }
}

/// Reads the program at `program_id`; `None` if there is nothing yet.
///
/// # Errors
/// [`DeployError`], also when something else than a program is there.
pub async fn on_chain(cluster: &dyn Cluster, program_id: Address) -> Result<Option<OnChain>, DeployError> {
    // Both at once: an upgrade in between cannot show halves of two versions.
    let address = parhelion_sdk::address::program_data_address(&program_id);
    let accounts = cluster.accounts(&[program_id, address]).await?.accounts;
    let mut accounts = accounts.into_iter();
    let (program, data) = (accounts.next().flatten(), accounts.next().flatten());
    let Some(program) = program else { return Ok(None) };
    let other = || DeployError::NoProgramAccount { address: program_id, owner: program.owner };
    if program.owner != bpf_loader_upgradeable::ID {
        return Err(other());
    }
    match LoaderAccount::read(&program.data) {
        Some(LoaderAccount::Program { program_data }) if program_data == address => {}
        _ => return Err(other()),
    }
    let Some(Account { data, .. }) = data else { return Err(DeployError::Closed(program_id)) };
    match LoaderAccount::read(&data) {
        Some(LoaderAccount::ProgramData { slot, authority, file }) => {
            Ok(Some(OnChain { slot, authority, file: file.to_vec() }))
        }
        _ => Err(DeployError::Closed(program_id)),
    }
}

/// A buffer as a cluster has it.
pub(crate) struct Buffer {
    pub(crate) lamports: u64,
    pub(crate) file: Vec<u8>,
}

/// What is at the buffer's address.
pub(crate) enum BufferState {
    /// No buffer, but perhaps lamports that somebody sent there.
    Absent { lamports: u64 },
    /// Ours.
    Ours(Buffer),
}

/// Reads the buffer of `authority` for `program_id`.
pub(crate) async fn buffer(
    cluster: &dyn Cluster,
    authority: &Address,
    program_id: &Address,
) -> Result<BufferState, DeployError> {
    let address = loader::buffer_address(authority, program_id);
    let account = cluster.accounts(&[address]).await?.accounts.into_iter().next().flatten();
    let Some(account) = account else { return Ok(BufferState::Absent { lamports: 0 }) };
    if account.owner != loader::ID {
        return Ok(BufferState::Absent { lamports: account.lamports });
    }
    match LoaderAccount::read(&account.data) {
        Some(LoaderAccount::Buffer { authority: Some(holder), file }) if holder == *authority => {
            Ok(BufferState::Ours(Buffer { lamports: account.lamports, file: file.to_vec() }))
        }
        _ => Err(DeployError::ForeignBuffer(address)),
    }
}
