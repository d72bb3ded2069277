//! The relay service: lands a transaction at once if it can, in steps if it must.

use crate::holders::{Holders, Lease, Place};
use crate::once::Care;
use crate::operator::Operator;
use crate::plan::Step;
use crate::record::Record;
use crate::shape::Shape;
use crate::steps::Ended;
use crate::tables::Tables;
use crate::translation::{Landed, Notes};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address as EthereumAddress, B256};
use async_trait::async_trait;
use futures::future::try_join_all;
use parhelion_core::cluster::{Account, Cluster, ClusterError, takes};
use parhelion_core::emulator::{CodeUse, Emulator, EmulatorError};
use parhelion_core::rehearsal::Rehearsal;
use parhelion_core::relay::{Relay, RelayError, SteppedRun};
use parhelion_core::transaction::Transaction;
use parhelion_sdk::address::holder_address;
use parhelion_sdk::transaction::{Budget, sign};
use parhelion_wire::ProgramError;
use parhelion_wire::address::Deployment;
use parhelion_wire::event::Outcome;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_signature::Signature;
use solana_system_interface::instruction::transfer;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::Arc;

/// Lands transactions with one operator's key.
pub struct Sender {
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) emulator: Arc<dyn Emulator>,
    pub(crate) rehearsal: Arc<dyn Rehearsal>,
    pub(crate) deployment: Deployment,
    pub(crate) operator: Arc<Operator>,
    pub(crate) holders: Holders,
    pub(crate) record: Record,
    /// Lookup tables, for a cluster without transaction format V1.
    pub(crate) tables: Option<Tables>,
    /// Where landed transactions are noted, for code that earns a translation.
    pub(crate) notes: Option<Notes>,
}

impl Sender {
    /// A relay that signs as `operator`.
    #[must_use]
    pub fn new(
        cluster: Arc<dyn Cluster>,
        emulator: Arc<dyn Emulator>,
        rehearsal: Arc<dyn Rehearsal>,
        operator: Arc<Operator>,
    ) -> Self {
        let deployment = cluster.deployment();
        Self {
            cluster,
            emulator,
            rehearsal,
            deployment,
            operator,
            holders: Holders::new(),
            record: Record::default(),
            tables: None,
            notes: None,
        }
    }

    /// The same relay, which notes what it lands.
    #[must_use]
    pub fn noting(self, notes: Notes) -> Self {
        Self { notes: Some(notes), ..self }
    }

    /// The same relay, for what the cluster takes: without transaction format V1 it sends legacy transactions, and V0 with
    /// lookup tables.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn adapt(self) -> Result<Self, RelayError> {
        let operator = self.operator.address();
        let nothing = [transfer(&operator, &operator, 0)];
        let newer = self.sign(&Shape::V1, &nothing, &Budget::MAX).await?;
        let older = self.sign(&Shape::packet(), &nothing, &Budget::MAX).await?;
        if takes(&*self.cluster, &newer, &older).await? {
            return Ok(self);
        }
        tracing::info!("the cluster has no transactions of format V1: using V0 and lookup tables");
        Ok(Self { tables: Some(Tables::default()), ..self })
    }

    /// The operator's holder `index`, as it is now.
    pub(crate) async fn own_place(&self, index: u32) -> Result<Place, RelayError> {
        let holder = holder_address(&self.deployment, &self.operator.address(), index);
        Ok(Place { holder, index, account: self.account(holder).await? })
    }

    /// A holder of the operator's as it is before it is made.
    pub(crate) fn absent_place(&self) -> Place {
        let holder = holder_address(&self.deployment, &self.operator.address(), 0);
        Place { holder, index: 0, account: None }
    }

    pub(crate) async fn account(&self, address: Address) -> Result<Option<Account>, RelayError> {
        Ok(self.cluster.accounts(&[address]).await?.accounts.pop().flatten())
    }

    pub(crate) async fn sign(
        &self,
        shape: &Shape,
        instructions: &[Instruction],
        budget: &Budget,
    ) -> Result<VersionedTransaction, RelayError> {
        let blockhash = self.cluster.latest_blockhash().await?;
        let (payer, signers) = (self.operator.address(), [&self.operator.keypair]);
        sign(instructions, &payer, &signers, blockhash, budget, shape.format())
            .map_err(|error| ClusterError::Unsupported(error.to_string()).into())
    }

    pub(crate) async fn send(
        &self,
        shape: &Shape,
        instructions: &[Instruction],
        budget: &Budget,
    ) -> Result<Signature, RelayError> {
        let transaction = self.sign(shape, instructions, budget).await?;
        Ok(self.cluster.send(&transaction).await?)
    }

    /// The shape of transactions that need no lookup tables.
    #[must_use]
    pub fn plain_shape(&self) -> Shape {
        if self.tables.is_some() { Shape::packet() } else { Shape::V1 }
    }

    /// Sends what is small in any shape.
    pub(crate) async fn send_small(&self, instruction: Instruction) -> Result<Signature, RelayError> {
        self.send(&self.plain_shape(), &[instruction], &Budget::MAX).await
    }

    pub(crate) async fn send_step(&self, shape: &Shape, step: &Step) -> Result<Vec<Signature>, RelayError> {
        try_join_all(step.iter().map(|instructions| self.send(shape, instructions, &Budget::MAX))).await
    }

    /// Notes codes that ran in what landed, and compute units that translations of them would have saved.
    pub(crate) fn note(&self, codes: &[CodeUse], units_saved: u64) {
        if let (Some(notes), false) = (&self.notes, codes.is_empty()) {
            notes.note(Landed { codes: codes.to_vec(), units_saved });
        }
    }

    /// Gives back a holder in which no run was begun, as far as is known. If there is one all the same (an answer got lost,
    /// or an earlier node of the operator left it), it is gone on with, and nobody else gets the holder meanwhile.
    async fn give_back(&self, lease: Lease) {
        match self.own_place(lease.index).await.map(|place| place.transaction()) {
            Ok(Some(transaction)) => self.holders.keep_unfinished(transaction.hash(), lease).await,
            // Where that cannot be read, the keeper finds out.
            Ok(None) | Err(_) => lease.end().await,
        }
    }

    /// Lands a transaction with the operator's holder `index`, which nobody else uses.
    async fn land_with(
        &self,
        transaction: &Transaction,
        index: u32,
        has_begun: bool,
        signatures: &mut Vec<Signature>,
    ) -> Ended {
        if !has_begun {
            match self.land_at_once(transaction, index, signatures).await {
                Ok(()) => return Ended::Over,
                Err(error) if needs_steps(&error) => {}
                Err(error) => return Ended::NotBegun(error),
            }
        }
        match self.own_place(index).await {
            Ok(place) => self.run_in_steps(transaction, place, has_begun, signatures).await,
            Err(error) if has_begun => Ended::Unfinished(error),
            Err(error) => Ended::NotBegun(error),
        }
    }
}

/// Whether a transaction does not fit one Solana transaction. Nothing was sent then.
fn needs_steps(error: &RelayError) -> bool {
    match error {
        RelayError::DoesNotFit { .. } => true,
        RelayError::Emulator(EmulatorError::Refused(refusal)) => {
            matches!(refusal.error, ProgramError::HeapLimit | ProgramError::TableLimit)
        }
        _ => false,
    }
}

/// Whether a transaction failed for a reason that is not the program's own: out of compute units, for one.
///
/// A translation that was listed can be closed before the transaction lands: then the code runs as it is, and may need
/// more compute units than when it was tried. Or an account grows that did not, and the System program is not listed.
pub(crate) const fn is_unnumbered(error: &RelayError) -> bool {
    matches!(error, RelayError::Cluster(ClusterError::Failed { code: None, .. }))
}

/// Whether the state on which the emulation ran is no longer the cluster's.
pub(crate) fn state_moved(error: &RelayError) -> bool {
    let RelayError::Cluster(ClusterError::Failed { code: Some(code), .. }) = error else { return false };
    matches!(
        ProgramError::from_code(*code),
        Some(
            ProgramError::AccountMissing
                | ProgramError::ReadOnlyAccount
                | ProgramError::GrowthLimit
                | ProgramError::NonceTooHigh
        )
    )
}

/// Work on a thread of its own that did not come back.
pub(crate) fn ended_badly() -> ClusterError {
    ClusterError::Unsupported("a rehearsal ended badly".to_owned())
}

#[async_trait]
impl Relay for Sender {
    fn coinbase(&self) -> EthereumAddress {
        self.operator.coinbase
    }

    async fn check(&self, transaction: &Transaction) -> Result<(), RelayError> {
        // Which holder makes no difference to whether it fits.
        let outcome = match self.prepare(transaction, None, Care::Usual).await {
            Err(error) if needs_steps(&error) => {
                self.prepare_run(transaction, &self.absent_place(), Care::Usual, true).await?.outcome
            }
            other => other?.outcome,
        };
        // Another failure is an Ethereum transaction like others; this one is only of this chain.
        if outcome == Outcome::OutOfRentGas {
            return Err(RelayError::OutOfRentGas { gas_limit: transaction.inner().gas_limit() });
        }
        Ok(())
    }

    fn run(&self, transaction: B256) -> Option<SteppedRun> {
        self.record.get(&transaction)
    }

    async fn land_together(&self, transactions: &[Transaction]) -> Result<usize, RelayError> {
        let Some(first) = transactions.first() else { return Ok(0) };
        match self.send_together(transactions).await? {
            Some(landed) => Ok(landed),
            None => self.land(first).await.map(|_| 1),
        }
    }

    async fn land(&self, transaction: &Transaction) -> Result<Vec<Signature>, RelayError> {
        let hash = transaction.hash();
        let unfinished = self.holders.unfinished(&hash).await;
        let has_begun = unfinished.is_some();
        let lease = match unfinished {
            Some(lease) => lease,
            None => self
                .holders
                .lease()
                .await
                .ok_or_else(|| ClusterError::Unsupported("the relay is shutting down".into()))?,
        };
        let mut signatures = Vec::new();
        match self.land_with(transaction, lease.index, has_begun, &mut signatures).await {
            Ended::Over => {
                lease.end().await;
                Ok(signatures)
            }
            Ended::NotBegun(error) => {
                self.give_back(lease).await;
                Err(error)
            }
            Ended::Unfinished(error) => {
                tracing::warn!(%hash, %error, "a run in steps is not over yet");
                self.holders.keep_unfinished(hash, lease).await;
                Err(error)
            }
        }
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sender").field("operator", &self.operator).finish_non_exhaustive()
    }
}
