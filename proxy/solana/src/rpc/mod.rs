//! A cluster behind a Solana RPC URL.
//!
//! * Reads of accounts name the clock too, in one call, so that everything is of one slot. They also name the slot of
//!   the newest transaction that landed through here, so that a node behind a load balancer that lags does not show
//!   the state before it.
//! * A transaction is sent again until it is confirmed or its blockhash expired, counted in blocks and not in seconds.
//! * Two slots are followed: the newest of the commitment, and the newest finalized one. What is finalized is read without
//!   the transactions: the program's signatures, and for each of their slots the hash of the block before.
//! * Every read is tried at most [`READ_ATTEMPTS_MAX`] times.
//!
//! The node must keep transactions with their inner instructions (`--enable-rpc-transaction-history`), as public RPC
//! services do.

mod blocks;
mod send;
mod slots;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use parhelion_core::cluster::{
    ACCOUNTS_MAX, Account, BlockOutline, Clock, Cluster, ClusterError, LandedBlock, Simulation, Snapshot,
};
use parhelion_wire::address::Deployment;
use slots::SlotWatch;
use solana_address::Address;
use solana_commitment_config::CommitmentConfig;
use solana_hash::Hash;
use solana_rent::Rent;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::client_error::{Error as RequestError, ErrorKind};
use solana_rpc_client_api::config::{
    RpcAccountInfoConfig, RpcProgramAccountsConfig, UiAccountEncoding, UiDataSliceConfig,
};
use solana_rpc_client_api::custom_error as code;
use solana_rpc_client_api::filter::{Memcmp, RpcFilterType};
use solana_rpc_client_api::request::{MAX_MULTIPLE_ACCOUNTS, RpcError};
use solana_sdk_ids::sysvar;
use solana_signature::Signature;
use solana_slot_hashes::SlotHashes;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often a read is tried before the cluster counts as unreachable.
pub const READ_ATTEMPTS_MAX: u32 = 5;
/// The pause after the first failed attempt; it grows by as much with each further one.
pub const RETRY_DELAY: Duration = Duration::from_millis(200);
/// How long one request may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// How long the rent rate is used before it is read again; it changes at epoch boundaries, days apart.
pub const RENT_KEPT: Duration = Duration::from_secs(60);

// The clock is read with the accounts.
const _: () = assert!(ACCOUNTS_MAX < MAX_MULTIPLE_ACCOUNTS);

/// What [`RpcCluster::connect`] needs.
#[derive(Clone, Debug)]
pub struct RpcOptions {
    /// The RPC URL.
    pub url: String,
    /// Where the program is.
    pub program_id: Address,
    /// How final what is read, waited for and indexed has to be: confirmed or finalized.
    pub commitment: CommitmentConfig,
}

impl RpcOptions {
    /// The program at `program_id` on the cluster behind `url`, confirmed.
    #[must_use]
    pub fn new(url: impl Into<String>, program_id: Address) -> Self {
        Self { url: url.into(), program_id, commitment: CommitmentConfig::confirmed() }
    }
}

/// How long a blockhash is signed with at most while the newest slot stays the same: a part of the minute that it lives.
const BLOCKHASH_AGE_MAX: Duration = Duration::from_secs(2);

/// A cluster behind a Solana RPC URL.
pub struct RpcCluster {
    rpc: Arc<RpcClient>,
    commitment: CommitmentConfig,
    program_id: Address,
    deployment: Deployment,
    slots: SlotWatch,
    finalized: SlotWatch,
    /// The newest slot in which one of our transactions landed.
    landed_slot: AtomicU64,
    rent: Mutex<Option<(Instant, Rent)>>,
    blockhash: Mutex<Option<KnownBlockhash>>,
}

/// A blockhash that is good enough for the rest of its slot.
#[derive(Clone, Copy, Debug)]
struct KnownBlockhash {
    /// The newest slot that was known then.
    slot: u64,
    read_at: Instant,
    hash: Hash,
}

impl RpcCluster {
    /// Asks the cluster for its slot, and keeps asking in a task that ends when this is dropped.
    ///
    /// # Errors
    /// [`ClusterError::Unreachable`], or [`ClusterError::Unsupported`] for the commitment *processed*, with which
    /// blocks cannot be read.
    pub async fn connect(options: &RpcOptions) -> Result<Self, ClusterError> {
        let rpc = RpcClient::new_with_timeout_and_commitment(
            options.url.clone(),
            REQUEST_TIMEOUT,
            options.commitment,
        );
        Self::over(rpc, options.program_id).await
    }

    /// The oldest slot whose block the cluster still has.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn oldest_block(&self) -> Result<u64, ClusterError> {
        retry(|| self.rpc.get_first_available_block()).await
    }

    async fn over(rpc: RpcClient, program_id: Address) -> Result<Self, ClusterError> {
        let rpc = Arc::new(rpc);
        let commitment = rpc.commitment();
        if !commitment.is_at_least_confirmed() {
            let text =
                "the commitment must be confirmed or finalized: blocks that are merely processed may vanish";
            return Err(ClusterError::Unsupported(text.to_owned()));
        }
        let slots = SlotWatch::start(Arc::clone(&rpc), commitment).await?;
        let finalized = SlotWatch::start(Arc::clone(&rpc), CommitmentConfig::finalized()).await?;
        Ok(Self {
            rpc,
            commitment,
            program_id,
            deployment: parhelion_sdk::address::deployment(&program_id),
            slots,
            finalized,
            landed_slot: AtomicU64::new(0),
            rent: Mutex::new(None),
            blockhash: Mutex::new(None),
        })
    }

    /// Reads one account that every cluster has.
    async fn sysvar<T>(&self, address: Address) -> Result<T, ClusterError>
    where
        T: wincode::DeserializeOwned<Dst = T>,
    {
        let account = self.read(&[address]).await?.into_iter().next().flatten();
        decode_sysvar(&address, account.as_ref())
    }

    /// Reads accounts at one slot, not before the newest landed transaction.
    async fn read(&self, addresses: &[Address]) -> Result<Vec<Option<Account>>, ClusterError> {
        let config = self.account_config();
        let response =
            retry(|| self.rpc.get_multiple_ui_accounts_with_config(addresses, config.clone())).await?;
        if response.value.len() != addresses.len() {
            return Err(nonsense("a different number of accounts than asked for"));
        }
        let decode = |account: Option<solana_rpc_client_api::response::UiAccount>| {
            let Some(account) = account else { return Ok(None) };
            let account =
                account.to_account().ok_or_else(|| nonsense("account data that cannot be decoded"))?;
            let solana_account::Account { lamports, data, owner, .. } = account;
            Ok(Some(Account { lamports, owner, data }))
        };
        response.value.into_iter().map(decode).collect()
    }

    fn account_config(&self) -> RpcAccountInfoConfig {
        RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            commitment: Some(self.commitment),
            min_context_slot: self.min_context_slot(),
            ..RpcAccountInfoConfig::default()
        }
    }

    fn min_context_slot(&self) -> Option<u64> {
        Some(self.landed_slot.load(Ordering::Relaxed)).filter(|slot| *slot > 0)
    }

    fn kept_rent(&self) -> Option<Rent> {
        let kept = self.rent.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.as_ref().filter(|(read, _)| read.elapsed() < RENT_KEPT).map(|(_, rent)| rent.clone())
    }
}

#[async_trait]
impl Cluster for RpcCluster {
    fn deployment(&self) -> Deployment {
        self.deployment
    }

    async fn accounts(&self, addresses: &[Address]) -> Result<Snapshot, ClusterError> {
        if addresses.len() > ACCOUNTS_MAX {
            let text = format!("{} accounts asked for at once, at most {ACCOUNTS_MAX}", addresses.len());
            return Err(ClusterError::Unsupported(text));
        }
        let with_clock = [addresses, &[sysvar::clock::ID]].concat();
        let mut accounts = self.read(&with_clock).await?;
        let clock = accounts.pop().flatten();
        let clock: solana_clock::Clock = decode_sysvar(&sysvar::clock::ID, clock.as_ref())?;
        Ok(Snapshot { clock: port_clock(&clock), accounts })
    }

    async fn accounts_beginning(&self, prefix: &[u8]) -> Result<Vec<Address>, ClusterError> {
        let none_of_it = UiDataSliceConfig { offset: 0, length: 0 };
        let config = RpcProgramAccountsConfig {
            filters: Some(vec![RpcFilterType::Memcmp(Memcmp::new_base58_encoded(0, prefix))]),
            account_config: RpcAccountInfoConfig { data_slice: Some(none_of_it), ..self.account_config() },
            ..RpcProgramAccountsConfig::default()
        };
        let found = retry(|| self.rpc.get_program_ui_accounts_with_config(&self.program_id, config.clone()));
        Ok(found.await?.into_iter().map(|(address, _)| address).collect())
    }

    async fn clock(&self) -> Result<Clock, ClusterError> {
        Ok(port_clock(&self.sysvar(sysvar::clock::ID).await?))
    }

    async fn slot_hashes(&self) -> Result<Vec<(u64, [u8; 32])>, ClusterError> {
        let hashes: SlotHashes = self.sysvar(sysvar::slot_hashes::ID).await?;
        Ok(hashes.iter().map(|(slot, hash)| (*slot, hash.to_bytes())).collect())
    }

    async fn rent_exemption(&self, data_length: usize) -> Result<u64, ClusterError> {
        if let Some(rent) = self.kept_rent() {
            return Ok(rent.minimum_balance(data_length));
        }
        let rent: Rent = self.sysvar(sysvar::rent::ID).await?;
        let exemption = rent.minimum_balance(data_length);
        *self.rent.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some((Instant::now(), rent));
        Ok(exemption)
    }

    async fn latest_blockhash(&self) -> Result<Hash, ClusterError> {
        let slot = *self.slots.subscribe().borrow();
        let known = *self.blockhash.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) =
            known.filter(|known| known.slot == slot && known.read_at.elapsed() < BLOCKHASH_AGE_MAX)
        {
            return Ok(known.hash);
        }
        let read_at = Instant::now();
        let hash = retry(|| self.rpc.get_latest_blockhash()).await?;
        let known = KnownBlockhash { slot, read_at, hash };
        *self.blockhash.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(hash)
    }

    async fn send(&self, transaction: &VersionedTransaction) -> Result<Signature, ClusterError> {
        self.send_until_landed(transaction).await
    }

    async fn simulate(&self, transaction: &VersionedTransaction) -> Result<Simulation, ClusterError> {
        self.simulate_now(transaction).await
    }

    fn newest_slot(&self) -> watch::Receiver<u64> {
        self.slots.subscribe()
    }

    fn finalized_slot(&self) -> watch::Receiver<u64> {
        self.finalized.subscribe()
    }

    async fn finalized_blocks(&self, first: u64, last: u64) -> Result<Vec<BlockOutline>, ClusterError> {
        self.read_outlines(first, last).await
    }

    async fn blocks(&self, first: u64, last: u64) -> Result<Vec<LandedBlock>, ClusterError> {
        self.read_blocks(first, last).await
    }

    async fn oldest_slot(&self) -> Result<u64, ClusterError> {
        self.oldest_block().await
    }

    async fn busy_slots(&self, first: u64, last: u64) -> Result<Vec<u64>, ClusterError> {
        self.read_busy_slots(first, last).await
    }

    async fn blocks_of(&self, slots: &[u64]) -> Result<Vec<LandedBlock>, ClusterError> {
        self.read_blocks_of(slots).await
    }
}

const fn port_clock(clock: &solana_clock::Clock) -> Clock {
    Clock { slot: clock.slot, unix_timestamp: clock.unix_timestamp }
}

fn decode_sysvar<T>(address: &Address, account: Option<&Account>) -> Result<T, ClusterError>
where
    T: wincode::DeserializeOwned<Dst = T>,
{
    account
        .and_then(|account| wincode::deserialize(&account.data).ok())
        .ok_or_else(|| nonsense(&format!("no sysvar at {address}")))
}

/// Repeats a read while its failure may pass.
async fn retry<T, Answer>(mut request: impl FnMut() -> Answer) -> Result<T, ClusterError>
where
    Answer: Future<Output = Result<T, RequestError>>,
{
    let mut attempt = 1;
    loop {
        match request().await {
            Ok(answer) => return Ok(answer),
            Err(error) if attempt < READ_ATTEMPTS_MAX && is_transient(&error) => {
                tracing::debug!(error = told(&error), attempt, "the Solana RPC failed; trying again");
                tokio::time::sleep(RETRY_DELAY * attempt).await;
                attempt += 1;
            }
            Err(error) => return Err(refused(&error)),
        }
    }
}

/// Whether the same request may succeed in a moment.
fn is_transient(error: &RequestError) -> bool {
    match error.kind() {
        ErrorKind::Io(_) | ErrorKind::Reqwest(_) | ErrorKind::Middleware(_) => true,
        ErrorKind::RpcError(RpcError::RpcResponseError { code, .. }) => matches!(
            *code,
            code::JSON_RPC_SERVER_ERROR_BLOCK_NOT_AVAILABLE
                | code::JSON_RPC_SERVER_ERROR_BLOCK_STATUS_NOT_AVAILABLE_YET
                | code::JSON_RPC_SERVER_ERROR_NODE_UNHEALTHY
                | code::JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED
        ),
        // An answer that is no JSON-RPC: a gateway's error page.
        ErrorKind::RpcError(RpcError::RpcRequestError(_)) | ErrorKind::SerdeJson(_) => true,
        _ => false,
    }
}

/// What a failed request means for the caller.
fn refused(error: &RequestError) -> ClusterError {
    match error.kind() {
        ErrorKind::RpcError(RpcError::RpcResponseError { code, message, .. }) if !is_transient(error) => {
            ClusterError::Unsupported(format!("the Solana RPC refused a request: {message} (code {code})"))
        }
        _ => ClusterError::Unreachable(told(error)),
    }
}

/// What an error says, with the host instead of the URL: that may hold a key of the RPC service.
fn told(error: &RequestError) -> String {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::Reqwest(failed) => match failed.url() {
            Some(url) => text.replace(url.as_str(), url.host_str().unwrap_or_default()),
            None => text,
        },
        _ => text,
    }
}

/// The code of an answer that is an error.
fn response_code(error: &RequestError) -> Option<i64> {
    match error.kind() {
        ErrorKind::RpcError(RpcError::RpcResponseError { code, .. }) => Some(*code),
        _ => None,
    }
}

fn nonsense(what: &str) -> ClusterError {
    ClusterError::Unreachable(format!("the Solana RPC answered with {what}"))
}
