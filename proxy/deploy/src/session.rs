//! A connection with a key: signing, sending, waiting.

use crate::error::DeployError;
use crate::progress::Progress;
use parhelion_core::cluster::{Cluster, ClusterError, takes};
use parhelion_sdk::loader::{self, PIECE_BYTES_MAX};
use parhelion_sdk::transaction::{Budget, Format, HEAP_BYTES_MIN, LOADED_DATA_BYTES_MAX, room, sign};
use solana_address::Address;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How often a transaction is signed anew because its blockhash expired.
const ATTEMPTS_MAX: u32 = 5;
/// How long one blockhash is used; it could be for half a minute or more.
const BLOCKHASH_KEPT: Duration = Duration::from_secs(5);
/// For how many transactions: an in-process VM makes a block of each.
const BLOCKHASH_USES_MAX: u32 = 64;
/// Between two looks at the clock.
const CLOCK_INTERVAL: Duration = Duration::from_millis(200);
/// Pieces in a V1 transaction.
const V1_PIECES: usize = 3;
/// Lamports for each signature.
const SIGNATURE_LAMPORTS: u64 = 5_000;

/// How transactions are sent.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What each transaction pays on top of its fee.
    pub priority_fee_lamports: u64,
    /// Writes that are on their way at the same time.
    pub window: usize,
    /// How long to wait for the slot after a deployment; a cluster that makes blocks of transactions only has none.
    pub slot_wait: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { priority_fee_lamports: 0, window: 16, slot_wait: Duration::from_secs(30) }
    }
}

/// A blockhash to sign with.
struct Kept {
    hash: Hash,
    since: Instant,
    uses: u32,
}

/// Deploys with one key to one program id.
pub struct Deployer<'a> {
    pub(crate) cluster: &'a dyn Cluster,
    pub(crate) authority: &'a Keypair,
    pub(crate) program_id: Address,
    pub(crate) settings: Settings,
    pub(crate) progress: &'a dyn Progress,
    format: Format<'static>,
    blockhash: Mutex<Option<Kept>>,
}

impl<'a> Deployer<'a> {
    /// Finds out which transaction format the cluster takes. The program id is that of the cluster's deployment;
    /// `authority` pays for everything and is, or will be, the program's upgrade authority.
    ///
    /// # Errors
    /// [`DeployError::Cluster`].
    pub async fn connect(
        cluster: &'a dyn Cluster,
        authority: &'a Keypair,
        settings: Settings,
        progress: &'a dyn Progress,
    ) -> Result<Self, DeployError> {
        let program_id = Address::new_from_array(cluster.deployment().program_id);
        let blockhash = Mutex::new(None);
        let format = Format::V1;
        let mut deployer = Self { cluster, authority, program_id, settings, progress, format, blockhash };
        if !deployer.takes_v1().await? {
            tracing::info!("the cluster has no transactions of format V1; using V0");
            deployer.format = Format::V0(&[]);
        }
        Ok(deployer)
    }

    /// The program's address.
    #[must_use]
    pub const fn program_id(&self) -> Address {
        self.program_id
    }

    /// The key that pays and signs.
    pub(crate) fn payer(&self) -> Address {
        self.authority.pubkey()
    }

    /// Whether the cluster takes transactions of format V1.
    async fn takes_v1(&self) -> Result<bool, DeployError> {
        let nothing = [transfer(&self.payer(), &self.payer(), 0)];
        let blockhash = self.cluster.latest_blockhash().await?;
        let sign = |format| {
            sign(&nothing, &self.payer(), &[self.authority], blockhash, &self.small_budget(), format)
        };
        Ok(takes(self.cluster, &sign(Format::V1)?, &sign(Format::V0(&[]))?).await?)
    }

    /// For the loader's and the System program's instructions: 2,370 and 150 compute units each.
    fn small_budget(&self) -> Budget {
        Budget { compute_units: 20_000, heap_bytes: HEAP_BYTES_MIN, ..self.budget() }
    }

    fn budget(&self) -> Budget {
        let priority_fee_lamports = self.settings.priority_fee_lamports;
        Budget { loaded_data_bytes: LOADED_DATA_BYTES_MAX, priority_fee_lamports, ..Budget::MAX }
    }

    /// The most bytes of a piece, and the most pieces in a transaction.
    pub(crate) fn shape(&self) -> Result<(usize, usize), DeployError> {
        match self.format {
            Format::V1 => Ok((PIECE_BYTES_MAX, V1_PIECES)),
            Format::V0(_) => {
                let empty = loader::write(&self.payer(), &self.program_id, 0, &[]);
                let bytes = room(&[empty], &self.payer(), &self.small_budget(), self.format)?;
                Ok((bytes.min(PIECE_BYTES_MAX), 1))
            }
        }
    }

    /// What `transactions` cost in fees, and a few more around them.
    pub(crate) fn fees(&self, transactions: usize) -> u64 {
        /// Closing, creating, deploying, initialising, funding: more than there will be.
        const OTHERS: u64 = 20;
        let each = SIGNATURE_LAMPORTS.saturating_add(self.settings.priority_fee_lamports);
        each.saturating_mul((transactions as u64).saturating_add(OTHERS))
    }

    /// Checks that the authority can pay `needed` and stays exempt from rent.
    pub(crate) async fn require_lamports(&self, needed: u64) -> Result<(), DeployError> {
        let authority = self.payer();
        let account = self.cluster.accounts(&[authority]).await?.accounts.into_iter().next().flatten();
        let has = account.map_or(0, |account| account.lamports);
        let needed = needed.saturating_add(self.cluster.rent_exemption(0).await?);
        if has < needed { Err(DeployError::Poor { authority, needed, has }) } else { Ok(()) }
    }

    /// Lands a write.
    pub(crate) async fn send_small(&self, instructions: &[Instruction]) -> Result<Signature, DeployError> {
        self.land(instructions, &[self.authority], &self.small_budget()).await
    }

    /// Lands a transaction that `others` sign too.
    pub(crate) async fn send(
        &self,
        instructions: &[Instruction],
        others: &[&Keypair],
    ) -> Result<Signature, DeployError> {
        let signers = [&[self.authority], others].concat();
        self.land(instructions, &signers, &self.budget()).await
    }

    /// Signs and sends until it landed or failed; anew whenever the blockhash expired, at most [`ATTEMPTS_MAX`] times.
    async fn land(
        &self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        budget: &Budget,
    ) -> Result<Signature, DeployError> {
        for _ in 1..ATTEMPTS_MAX {
            match self.try_to_land(instructions, signers, budget).await {
                Err(DeployError::Cluster(ClusterError::Expired)) => self.forget_blockhash().await,
                other => return other,
            }
        }
        self.try_to_land(instructions, signers, budget).await
    }

    async fn try_to_land(
        &self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        budget: &Budget,
    ) -> Result<Signature, DeployError> {
        let blockhash = self.recent_blockhash().await?;
        let transaction = sign(instructions, &self.payer(), signers, blockhash, budget, self.format)?;
        Ok(self.cluster.send(&transaction).await?)
    }

    async fn recent_blockhash(&self) -> Result<Hash, DeployError> {
        let mut kept = self.blockhash.lock().await;
        if let Some(kept) = kept.as_mut()
            && kept.since.elapsed() < BLOCKHASH_KEPT
            && kept.uses < BLOCKHASH_USES_MAX
        {
            kept.uses += 1;
            return Ok(kept.hash);
        }
        let hash = self.cluster.latest_blockhash().await?;
        *kept = Some(Kept { hash, since: Instant::now(), uses: 1 });
        Ok(hash)
    }

    /// Makes the next transaction ask for a new blockhash: with the old one, equal instructions would make a
    /// transaction that landed already.
    pub(crate) async fn forget_blockhash(&self) {
        *self.blockhash.lock().await = None;
    }

    /// Waits until the cluster is in a later slot, but no longer than the settings say.
    pub(crate) async fn wait_for_slot_after(&self, slot: u64) -> Result<(), DeployError> {
        let started = Instant::now();
        while started.elapsed() < self.settings.slot_wait {
            if self.cluster.clock().await?.slot > slot {
                return Ok(());
            }
            tokio::time::sleep(CLOCK_INTERVAL).await;
        }
        tracing::debug!(slot, "no later slot; going on");
        Ok(())
    }
}
