//! Transactions that run at once, in one Solana transaction.

use crate::holders::Place;
use crate::plan::{HolderState, Plan, Request, plan};
use crate::service::{Sender, ended_badly, is_unnumbered, state_moved};
use crate::shape::Shape;
use crate::stage::{named, perform};
use crate::tables::Lengths;
use crate::translation::rule::units_saved;
use alloy_consensus::Transaction as _;
use parhelion_core::cluster::ClusterError;
use parhelion_core::emulator::{AccountUse, CodeUse, Emulation};
use parhelion_core::relay::RelayError;
use parhelion_core::transaction::Transaction;
use parhelion_sdk::transaction::{Budget, COMPUTE_UNITS_MAX};
use parhelion_wire::account::Holder;
use parhelion_wire::event::Outcome;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_sdk_ids::system_program;
use solana_signature::Signature;
use std::collections::BTreeSet;
use tokio::task::spawn_blocking;

/// How often a transaction is emulated anew because the state moved on.
const ATTEMPTS_MAX: usize = 8;
/// Compute units on top of the simulation's, in percent: state may differ a little when the transaction lands.
const COMPUTE_MARGIN_PERCENT: u64 = 20;
/// Compute units on top of the margin.
const COMPUTE_MARGIN: u64 = 10_000;

/// How much a transaction leaves to chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// It lists what it needs in the state that was read.
    Usual,
    /// It also runs in a state that is a little different: it has all compute units that there are, lists the System
    /// program, which makes room in accounts that grow, and no translations, which can be closed.
    More,
}

impl Care {
    pub(crate) fn apply(self, emulation: &mut Emulation) {
        let system = AccountUse { address: system_program::ID.to_bytes(), writable: false };
        if self == Self::More {
            emulation.codes.clear();
            if let Err(position) =
                emulation.accounts.binary_search_by_key(&system.address, |used| used.address)
            {
                emulation.accounts.insert(position, system);
            }
        }
    }
}

/// A plan whose last transaction was tried.
pub(crate) struct Ready {
    plan: Plan,
    budget: Budget,
    codes: Vec<CodeUse>,
    /// The shape of its transactions.
    shape: Shape,
    /// How it ends.
    pub(crate) outcome: Outcome,
    /// Compute units that it took then, if that could be done.
    compute_units: Option<u64>,
}

impl Sender {
    /// Emulates, plans and tries. The holder is the operator's own with this index; without one it is a check whether it
    /// can be landed, and nothing is written for it.
    pub(crate) async fn prepare(
        &self,
        transaction: &Transaction,
        index: Option<u32>,
        care: Care,
    ) -> Result<Ready, RelayError> {
        let mut emulation = self.emulator.emulate(transaction, self.operator.coinbase).await?;
        care.apply(&mut emulation);
        // A small transaction has no use for a holder, so nothing is read for it.
        let place = match index.filter(|_| transaction.envelope().len() >= SMALL) {
            Some(index) => self.own_place(index).await?,
            None => self.absent_place(),
        };
        let needed = Holder::account_length(transaction.envelope().len());
        let holder = HolderState {
            index: place.index,
            length: place.account.as_ref().map(|account| account.data.len()),
            needed,
            lamports: self.cluster.rent_exemption(needed).await?,
        };
        let (plan, shape) = self.plan(transaction, &emulation, holder, index.is_none()).await?;
        let compute_units = match plan.uses_holder {
            true => Some(self.rehearse_last(transaction, &plan, &place, &holder).await?),
            false => self.simulate(&shape, &plan.last).await?,
        };
        if compute_units.is_some_and(|units| units > u64::from(COMPUTE_UNITS_MAX)) {
            return Err(too_many_units());
        }
        let budget = compute_units.filter(|_| care == Care::Usual).map_or(Budget::MAX, with_margin);
        let outcome = emulation.execution.outcome;
        Ok(Ready { plan, shape, budget, codes: emulation.codes, outcome, compute_units })
    }

    /// Plans, with lookup tables where these are needed; writes those that pay, but for a check.
    async fn plan(
        &self,
        transaction: &Transaction,
        emulation: &Emulation,
        holder: HolderState,
        is_check: bool,
    ) -> Result<(Plan, Shape), RelayError> {
        let plan_in = |shape: &Shape| {
            plan(&Request {
                deployment: &self.deployment,
                operator: self.operator.address(),
                coinbase: self.operator.coinbase,
                envelope: transaction.envelope(),
                emulation,
                holder,
                format: shape.format(),
            })
        };
        let Some(tables) = &self.tables else { return Ok((plan_in(&Shape::V1)?, Shape::V1)) };
        let accounts: BTreeSet<Address> =
            emulation.accounts.iter().map(|used| Address::from(used.address)).collect();
        let shape = self.shape(&accounts, emulation.slot).await;
        let planned = plan_in(&shape);
        let without = planned.as_ref().ok().map(Plan::transactions);
        if is_check || without == Some(1) {
            return Ok((planned?, shape));
        }
        let with = plan_in(&shape.imagined(&accounts)).ok().map(|plan| plan.transactions());
        let lengths = Lengths { without, with, making: self.making(&accounts).await? };
        let pays = tables.pays(transaction.inner().to().unwrap_or_default(), lengths).await;
        match planned {
            Err(_) if pays => {
                let slot = self.put_into_tables(&accounts).await?;
                let shape = self.shape(&accounts, slot).await;
                Ok((plan_in(&shape)?, shape))
            }
            planned => {
                if pays {
                    tables.want(accounts).await;
                }
                Ok((planned?, shape))
            }
        }
    }

    /// Runs instructions on the cluster without landing them and gives the compute units that they took; `None` where the
    /// cluster does not simulate.
    pub(crate) async fn simulate(
        &self,
        shape: &Shape,
        instructions: &[Instruction],
    ) -> Result<Option<u64>, RelayError> {
        let signed = self.sign(shape, instructions, &Budget::MAX).await?;
        let simulation = match self.cluster.simulate(&signed).await {
            // Then the transaction itself will tell.
            Err(ClusterError::Unsupported(_)) => return Ok(None),
            other => other?,
        };
        match simulation.failure {
            None => Ok(Some(simulation.compute_units)),
            // Whatever the program says then, it says it because it ran out of compute units.
            Some(_) if simulation.compute_units >= u64::from(COMPUTE_UNITS_MAX) => Err(too_many_units()),
            Some(failure) => Err(failure.into()),
        }
    }

    /// The same for a plan whose last transaction finds the envelope in a holder: no cluster simulates that.
    async fn rehearse_last(
        &self,
        transaction: &Transaction,
        plan: &Plan,
        place: &Place,
        holder: &HolderState,
    ) -> Result<u64, RelayError> {
        let operator = self.operator.address();
        let filled = place.filled(
            self.deployment.program_id,
            &operator,
            transaction.envelope(),
            (holder.needed, holder.lamports),
        )?;
        let mut stage = self.rehearsal.stage(&named(&plan.last, &place.holder)).await?;
        let (holder, instructions) = (place.holder, plan.last.clone());
        let work = move || {
            stage.set(holder, filled)?;
            perform(&*stage, &operator, &instructions).map(|(units, _)| units)
        };
        spawn_blocking(work).await.map_err(|_| ended_badly())?
    }

    /// Lands a transaction with a holder that nobody else uses.
    pub(crate) async fn land_at_once(
        &self,
        transaction: &Transaction,
        holder: u32,
        signatures: &mut Vec<Signature>,
    ) -> Result<(), RelayError> {
        let mut attempt = 1;
        let mut care = Care::Usual;
        loop {
            let result = match self.prepare(transaction, Some(holder), care).await {
                Ok(ready) => self.attempt(&ready, signatures).await,
                Err(error) => Err(error),
            };
            let Err(error) = result else { return Ok(()) };
            let is_starved = care == Care::Usual && is_unnumbered(&error);
            if attempt >= ATTEMPTS_MAX || !(is_starved || state_moved(&error)) {
                return Err(error);
            }
            tracing::debug!(hash = %transaction.hash(), attempt, %error, "emulating again");
            if is_starved {
                care = Care::More;
            }
            attempt += 1;
        }
    }

    async fn attempt(&self, ready: &Ready, signatures: &mut Vec<Signature>) -> Result<(), RelayError> {
        let Ready { plan, shape, budget, codes, compute_units, .. } = ready;
        for step in &plan.before {
            signatures.extend(self.send_step(shape, step).await?);
        }
        signatures.push(self.send(shape, &plan.last, budget).await?);
        self.note(codes, compute_units.map_or(0, |units| units_saved(units, plan.is_proven)));
        Ok(())
    }
}

/// What a transaction may use that took `compute_units` in a simulation.
pub(crate) fn with_margin(compute_units: u64) -> Budget {
    let units = compute_units + compute_units * COMPUTE_MARGIN_PERCENT / 100 + COMPUTE_MARGIN;
    Budget { compute_units: units.min(COMPUTE_UNITS_MAX.into()) as u32, ..Budget::MAX }
}

fn too_many_units() -> RelayError {
    RelayError::DoesNotFit {
        needs: "more compute units".into(),
        limit: format!("{COMPUTE_UNITS_MAX} compute units"),
    }
}

/// Envelopes shorter than this fit a Solana transaction beside the most accounts that it can list.
const SMALL: usize = 1024;
