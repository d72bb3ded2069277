//! The relay service: emulate, plan, simulate, send.

use crate::holders::{Holders, Lease};
use crate::operator::Operator;
use crate::plan::{FORMAT, HolderState, Plan, Request, Step, plan};
use crate::translation::rule::units_saved;
use crate::translation::{Landed, Notes};
use alloy_primitives::Address as EthereumAddress;
use async_trait::async_trait;
use futures::future::try_join_all;
use parhelion_core::cluster::{Account, Cluster, ClusterError};
use parhelion_core::emulator::{CodeUse, Emulation, Emulator};
use parhelion_core::relay::{Relay, RelayError};
use parhelion_core::transaction::Transaction;
use parhelion_sdk::address::holder_address;
use parhelion_sdk::transaction::{Budget, COMPUTE_UNITS_MAX, sign};
use parhelion_wire::ProgramError;
use parhelion_wire::account::Holder;
use parhelion_wire::address::Deployment;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::sync::Arc;

/// How often a transaction is emulated anew because the state moved on.
const ATTEMPTS_MAX: usize = 8;
/// Compute units on top of the simulation's, in percent: state may differ a little when the transaction lands.
const COMPUTE_MARGIN_PERCENT: u64 = 20;
/// Compute units on top of the margin.
const COMPUTE_MARGIN: u64 = 10_000;

/// Lands transactions with one operator's key.
pub struct Sender {
    cluster: Arc<dyn Cluster>,
    emulator: Arc<dyn Emulator>,
    deployment: Deployment,
    operator: Arc<Operator>,
    holders: Holders,
    /// Where landed transactions are noted, for code that earns a translation.
    notes: Option<Notes>,
}

/// A plan whose last transaction was simulated.
struct Ready {
    plan: Plan,
    budget: Budget,
    codes: Vec<CodeUse>,
    /// Compute units that it took in the simulation, if there was one.
    compute_units: Option<u64>,
}

impl Sender {
    /// A relay that signs as `operator`.
    #[must_use]
    pub fn new(cluster: Arc<dyn Cluster>, emulator: Arc<dyn Emulator>, operator: Arc<Operator>) -> Self {
        let deployment = cluster.deployment();
        Self { cluster, emulator, deployment, operator, holders: Holders::new(), notes: None }
    }

    /// The same relay, which notes what it lands.
    #[must_use]
    pub fn noting(self, notes: Notes) -> Self {
        Self { notes: Some(notes), ..self }
    }

    /// Emulates, plans and simulates.
    async fn prepare(
        &self,
        transaction: &Transaction,
        holder: u32,
        lists_translations: bool,
    ) -> Result<Ready, RelayError> {
        let mut emulation = self.emulator.emulate(transaction, self.operator.coinbase).await?;
        if !lists_translations {
            emulation.codes.clear();
        }
        let plan = self.plan(transaction, &emulation, holder).await?;
        let compute_units = self.simulate(transaction, &plan, holder).await?;
        let budget = compute_units.map_or(Budget::MAX, with_margin);
        Ok(Ready { plan, budget, codes: emulation.codes, compute_units })
    }

    async fn plan(
        &self,
        transaction: &Transaction,
        emulation: &Emulation,
        index: u32,
    ) -> Result<Plan, RelayError> {
        let operator = self.operator.address();
        let address = holder_address(&self.deployment, &operator, index);
        let envelope = transaction.envelope();
        // A small transaction has no use for a holder, so nothing is read for it.
        let holder = if envelope.len() < SMALL {
            HolderState { index, capacity: None, lamports: 0 }
        } else {
            let account = self.cluster.accounts(&[address]).await?.accounts.pop().flatten();
            let capacity =
                account.map(|account| account.data.len().saturating_sub(Holder::account_length(0)));
            let lamports = self.cluster.rent_exemption(Holder::account_length(envelope.len())).await?;
            HolderState { index, capacity, lamports }
        };
        let coinbase = self.operator.coinbase;
        plan(&Request { deployment: &self.deployment, operator, coinbase, envelope, emulation, holder })
    }

    /// Runs the plan's last transaction without landing it and gives the compute units that it took; `None` where the
    /// cluster does not simulate.
    async fn simulate(
        &self,
        transaction: &Transaction,
        plan: &Plan,
        index: u32,
    ) -> Result<Option<u64>, RelayError> {
        let with = match plan.uses_holder {
            true => vec![self.filled_holder(transaction, index).await?],
            false => Vec::new(),
        };
        let signed = self.sign(&plan.last, &Budget::MAX).await?;
        let simulation = match self.cluster.simulate(&signed, &with).await {
            // Then the transaction itself will tell.
            Err(ClusterError::Unsupported(_)) => return Ok(None),
            other => other?,
        };
        match simulation.failure {
            None => Ok(Some(simulation.compute_units)),
            // Whatever the program says then, it says it because it ran out of compute units.
            Some(_) if simulation.compute_units >= u64::from(COMPUTE_UNITS_MAX) => {
                Err(RelayError::DoesNotFit {
                    needs: "more compute units".into(),
                    limit: format!("{COMPUTE_UNITS_MAX} compute units"),
                })
            }
            Some(failure) => Err(failure.into()),
        }
    }

    /// The holder as it will be before the last step.
    async fn filled_holder(
        &self,
        transaction: &Transaction,
        index: u32,
    ) -> Result<(Address, Account), RelayError> {
        let operator = self.operator.address();
        let envelope = transaction.envelope();
        let mut data = vec![0; Holder::account_length(envelope.len())];
        let length = envelope.len() as u32;
        Holder::create(&mut data, 0, &operator.to_bytes())
            .and_then(|()| Holder::write(&mut data, 0, length, 0, envelope))
            .map_err(|error| ClusterError::Unsupported(error.text().into()))?;
        let lamports = self.cluster.rent_exemption(data.len()).await?;
        let owner = self.deployment.program_id.into();
        Ok((holder_address(&self.deployment, &operator, index), Account { lamports, owner, data }))
    }

    async fn sign(
        &self,
        instructions: &[Instruction],
        budget: &Budget,
    ) -> Result<VersionedTransaction, RelayError> {
        let blockhash = self.cluster.latest_blockhash().await?;
        let (payer, signers) = (self.operator.address(), [&self.operator.keypair]);
        sign(instructions, &payer, &signers, blockhash, budget, FORMAT)
            .map_err(|error| ClusterError::Unsupported(error.to_string()).into())
    }

    async fn send(&self, instructions: &[Instruction], budget: &Budget) -> Result<Signature, RelayError> {
        let transaction = self.sign(instructions, budget).await?;
        Ok(self.cluster.send(&transaction).await?)
    }

    async fn send_step(&self, step: &Step) -> Result<Vec<Signature>, RelayError> {
        try_join_all(step.iter().map(|instructions| self.send(instructions, &Budget::MAX))).await
    }

    /// Lands a transaction with a holder that nobody else uses.
    async fn land_with(&self, transaction: &Transaction, holder: u32) -> Result<Vec<Signature>, RelayError> {
        let mut signatures = Vec::new();
        let mut attempt = 1;
        let mut lists_translations = true;
        loop {
            let ready = self.prepare(transaction, holder, lists_translations).await;
            let result = match &ready {
                Ok(ready) => self.attempt(ready, &mut signatures).await,
                Err(error) => Err(error.clone()),
            };
            let Err(error) = result else { return Ok(signatures) };
            let may_lack_translation = ready.is_ok_and(|ready| ready.plan.translations > 0);
            let is_starved = may_lack_translation && is_unnumbered(&error);
            if attempt >= ATTEMPTS_MAX || !(is_starved || state_moved(&error)) {
                return Err(error);
            }
            tracing::debug!(hash = %transaction.hash(), attempt, %error, "emulating again");
            lists_translations &= !is_starved;
            attempt += 1;
        }
    }

    async fn attempt(&self, ready: &Ready, signatures: &mut Vec<Signature>) -> Result<(), RelayError> {
        let Ready { plan, budget, codes, compute_units } = ready;
        for step in &plan.before {
            signatures.extend(self.send_step(step).await?);
        }
        signatures.push(self.send(&plan.last, budget).await?);
        if let Some(notes) = &self.notes
            && !codes.is_empty()
        {
            let units_saved = compute_units.map_or(0, |units| units_saved(units, plan.is_proven));
            notes.note(Landed { codes: codes.clone(), units_saved });
        }
        Ok(())
    }
}

/// What a transaction may use that took `compute_units` in a simulation.
fn with_margin(compute_units: u64) -> Budget {
    let units = compute_units + compute_units * COMPUTE_MARGIN_PERCENT / 100 + COMPUTE_MARGIN;
    Budget { compute_units: units.min(COMPUTE_UNITS_MAX.into()) as u32, ..Budget::MAX }
}

/// Whether a transaction failed for a reason that is not the program's own: out of compute units, for one.
///
/// A translation that was listed can be closed before the transaction lands: then the code runs as it is, and may need
/// more compute units than the simulation did.
const fn is_unnumbered(error: &RelayError) -> bool {
    matches!(error, RelayError::Cluster(ClusterError::Failed { code: None, .. }))
}

/// Envelopes shorter than this fit a Solana transaction beside the most accounts that it can list.
const SMALL: usize = 1024;

/// Whether the state on which the emulation ran is no longer the cluster's.
fn state_moved(error: &RelayError) -> bool {
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

#[async_trait]
impl Relay for Sender {
    fn coinbase(&self) -> EthereumAddress {
        self.operator.coinbase
    }

    async fn check(&self, transaction: &Transaction) -> Result<(), RelayError> {
        // Which holder makes no difference to whether it fits.
        self.prepare(transaction, 0, true).await.map(drop)
    }

    async fn land(&self, transaction: &Transaction) -> Result<Vec<Signature>, RelayError> {
        let closed = || ClusterError::Unsupported("the relay is shutting down".into());
        let lease: Lease = self.holders.lease().await.ok_or_else(closed)?;
        let result = self.land_with(transaction, lease.index).await;
        lease.end().await;
        result
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sender").field("operator", &self.operator).finish_non_exhaustive()
    }
}
