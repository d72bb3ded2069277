//! From a transaction, or a run in the middle, to the Solana transactions that end it.

use super::lists::Lists;
use super::sizing::{Sizes, size};
use super::trial::{OnStage, Parts};
use crate::holders::Place;
use crate::once::Care;
use crate::plan::{self, HolderState, Request, Step, Written, reserves, run_accounts, write_holder};
use crate::service::{Sender, ended_badly};
use crate::shape::Shape;
use crate::stage::named;
use parhelion_core::cluster::{ACCOUNTS_MAX, Account, ClusterError};
use parhelion_core::emulator::{AccountUse, CodeUse, Emulation, Spread, SteppedEmulation};
use parhelion_core::relay::RelayError;
use parhelion_core::transaction::Transaction;
use parhelion_sdk::address::account_address;
use parhelion_sdk::convert::to_h160;
use parhelion_sdk::instruction::RunAccount;
use parhelion_sdk::transaction::ADDRESSES_MAX;
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Header, Kind, Run as RunState};
use parhelion_wire::address::AccountKey;
use parhelion_wire::event::Outcome;
use solana_address::Address;
use solana_instruction::Instruction;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use tokio::task::spawn_blocking;

/// Bytes of an account at most.
const ACCOUNT_MAX: usize = 10 << 20;
/// Stack words on top of those that an emulation used: zeroes at the top do not show in it.
const STACK_MARGIN: usize = 64;
/// Memory on top of what an emulation used, in percent: an attempt that begins anew may need a little more.
const MEMORY_MARGIN_PERCENT: usize = 10;
/// A memory is a multiple of this.
const MEMORY_UNIT: usize = 1024;
/// The largest room for a checkpoint that is tried.
const CHECKPOINT_MAX: usize = 1 << 20;

/// What a run in steps keeps in its holder behind the envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Machine {
    stack_words: usize,
    checkpoint: usize,
    memory: usize,
}

/// A run that is ready to be sent.
pub(crate) struct Prepared {
    /// The parts of its transactions.
    pub(crate) parts: Parts,
    /// Steps in front of all.
    pub(crate) before: Vec<Step>,
    /// Where it pauses.
    pub(crate) sizes: Sizes,
    /// The accounts of each step that pauses.
    pub(crate) lists: Vec<Vec<Address>>,
    /// The codes that it runs.
    pub(crate) codes: Vec<CodeUse>,
    /// How it ends.
    pub(crate) outcome: Outcome,
    /// Whether its first step gives the attempt up that is there, because something was changed.
    pub(crate) restarts: bool,
}

impl Machine {
    /// The least that goes round an emulation.
    fn of(emulation: &SteppedEmulation) -> Self {
        let words = emulation.stack_words + STACK_MARGIN;
        let memory = emulation.memory_bytes + emulation.memory_bytes * MEMORY_MARGIN_PERCENT / 100;
        Self {
            stack_words: words.max(RunState::STACK_WORDS_MIN as usize),
            checkpoint: RunState::CHECKPOINT_MIN as usize,
            memory: memory.max(RunState::MEMORY_MIN).next_multiple_of(MEMORY_UNIT),
        }
    }

    /// A larger one, after a try in this one failed for `error`.
    fn larger(self, error: &RelayError) -> Option<Self> {
        let RelayError::Cluster(ClusterError::Failed { code: Some(code), .. }) = error else { return None };
        match ProgramError::from_code(*code)? {
            ProgramError::CheckpointLimit if self.checkpoint < CHECKPOINT_MAX => {
                Some(Self { checkpoint: 2 * self.checkpoint, ..self })
            }
            ProgramError::HeapLimit if self.stack_words < ACCOUNT_MAX / 64 => {
                Some(Self { stack_words: 2 * self.stack_words, ..self })
            }
            _ => None,
        }
    }

    const fn account_length(self, envelope: usize) -> usize {
        RunState::account_length(envelope, self.stack_words, self.checkpoint, self.memory)
    }
}

impl Sender {
    /// Emulates a run from where it is, or from its beginning, and finds its steps. For a check nothing is written.
    pub(crate) async fn prepare_run(
        &self,
        transaction: &Transaction,
        place: &Place,
        care: Care,
        is_check: bool,
    ) -> Result<Prepared, RelayError> {
        let state = place.run_of(transaction);
        let holder = state.and(place.account.as_ref()).map(|account| account.data.clone());
        let coinbase = self.operator.coinbase;
        let mut emulation = self.emulator.emulate_in_steps(transaction, coinbase, holder.clone()).await?;
        care.apply(&mut emulation.emulation);
        let parts = self.parts(transaction, place, &emulation.emulation, holder, is_check).await?;
        if state.is_some() {
            return self.prepare_with(transaction, place, &emulation, parts, None).await;
        }
        let mut machine = Machine::of(&emulation);
        loop {
            match self.prepare_with(transaction, place, &emulation, parts.clone(), Some(machine)).await {
                Err(error) => machine = machine.larger(&error).ok_or(error)?,
                prepared => return prepared,
            }
        }
    }

    /// The parts of a run's Solana transactions, but for what is in front of them.
    async fn parts(
        &self,
        transaction: &Transaction,
        place: &Place,
        emulation: &Emulation,
        holder: Option<Vec<u8>>,
        is_check: bool,
    ) -> Result<Parts, RelayError> {
        let (operator, coinbase) = (self.operator.address(), self.operator.coinbase);
        let accounts = |uses: &[AccountUse]| run_accounts(&self.deployment, &operator, &place.holder, uses);
        let whole = Parts {
            deployment: self.deployment,
            operator,
            coinbase,
            holder: place.holder,
            transaction: transaction.hash(),
            opening: Vec::new(),
            locking: Vec::new(),
            closing: reserves(&self.deployment, &operator, emulation),
            lists: Lists::Whole(accounts(&emulation.accounts)),
            shape: Shape::V1,
        };
        if let Some(whole) = self.fitted(whole.clone(), emulation.slot, is_check).await? {
            return Ok(whole);
        }
        let Spread { parts, end, reads } = self.emulator.spread(transaction, coinbase, holder).await?;
        let end = accounts(&end);
        let count = end.len();
        let spread = Parts { lists: Lists::Spread { parts, end, reads }, ..whole };
        self.fitted(spread, emulation.slot, is_check).await?.ok_or_else(|| RelayError::DoesNotFit {
            needs: format!("{count} accounts that it writes, or reads and finds absent"),
            limit: format!("{ADDRESSES_MAX} accounts, some of which the run itself needs"),
        })
    }

    /// The parts in a shape in which the last step fits, if there is one. Lookup tables are written where they are needed;
    /// a check is content with imagining them.
    async fn fitted(&self, mut parts: Parts, slot: u64, is_check: bool) -> Result<Option<Parts>, RelayError> {
        let accounts: BTreeSet<Address> =
            parts.lists.of_end().iter().map(|account| account.address).collect();
        let last = parts.last(0, &[]);
        parts.shape = self.shape(&accounts, slot).await;
        if parts.fit(&last) {
            return Ok(Some(parts));
        }
        parts.shape = parts.shape.imagined(&accounts);
        if !parts.fit(&last) {
            return Ok(None);
        }
        if !is_check {
            let slot = self.put_into_tables(&accounts).await?;
            parts.shape = self.shape(&accounts, slot).await;
        }
        Ok(parts.fit(&last).then_some(parts))
    }

    /// Finds the steps, from the beginning with this machine, or without one from where the run is.
    async fn prepare_with(
        &self,
        transaction: &Transaction,
        place: &Place,
        stepped: &SteppedEmulation,
        mut parts: Parts,
        machine: Option<Machine>,
    ) -> Result<Prepared, RelayError> {
        let emulation = &stepped.emulation;
        let envelope = transaction.envelope();
        let needed = machine.map_or(0, |machine| machine.account_length(envelope.len()));
        if needed > ACCOUNT_MAX {
            return Err(RelayError::DoesNotFit {
                needs: format!("{needed} bytes of stack and memory"),
                limit: format!("{ACCOUNT_MAX} bytes"),
            });
        }
        let holder = HolderState {
            index: place.index,
            length: place.account.as_ref().map(|account| account.data.len()),
            needed,
            lamports: self.cluster.rent_exemption(needed).await?,
        };
        let shape = parts.shape.clone();
        let request = Request {
            deployment: &self.deployment,
            operator: self.operator.address(),
            coinbase: self.operator.coinbase,
            envelope,
            emulation,
            holder,
            format: shape.format(),
        };
        list_translations(&mut parts, &request);
        // A step of a spread run has no accounts to begin anew with, unless it is meant to.
        let may_restart = matches!(parts.lists, Lists::Whole(_)) || stepped.paused_at == u64::MAX;
        let restarts = place.run_of(transaction).map_or(0, |run| run.restarts);
        if may_restart && restarts.saturating_add(1) >= RunState::RESTARTS_UNLOCKED {
            self.list_locks(&mut parts).await?;
        }
        let mut before = Vec::new();
        if let Some(machine) = machine {
            (before, parts.opening) = opening(&request, &parts, transaction, machine)?;
        }
        let filled = match before.is_empty() {
            true => None,
            false => Some(place.filled(
                self.deployment.program_id,
                &request.operator,
                envelope,
                (needed, holder.lamports),
            )?),
        };
        let begins = (stepped.gas_left, stepped.paused_at);
        let (parts, sizes, lists) = self.rehearse(parts, place, begins, filled).await?;
        let outcome = emulation.execution.outcome;
        let attempt = place.run_of(transaction).filter(|run| run.checkpoint_length != 0);
        let restarts = attempt.is_some() && stepped.paused_at == u64::MAX;
        Ok(Prepared { parts, before, sizes, lists, codes: emulation.codes.clone(), outcome, restarts })
    }

    /// Finds what the first step is to lock, and has the last one unlock it: the state that the run reads, what was written
    /// last before all else; but not the coinbase's balance, which every other transaction of the operator changes.
    async fn list_locks(&self, parts: &mut Parts) -> Result<(), RelayError> {
        let coinbase =
            account_address(&self.deployment, &AccountKey::Balance(to_h160(self.operator.coinbase)));
        let mut addresses = parts.lists.addresses();
        addresses.remove(&coinbase);
        let addresses: Vec<Address> = addresses.into_iter().collect();
        let program = Address::from(self.deployment.program_id);
        let revision = |account: &Account| {
            let kinds = [Kind::Balance as u8, Kind::Contract as u8, Kind::Cell as u8];
            let header = Header::of(&account.data)?;
            (account.owner == program && kinds.contains(&header.kind())).then(|| header.revision())
        };
        let mut locks = Vec::with_capacity(addresses.len());
        for batch in addresses.chunks(ACCOUNTS_MAX) {
            let found = self.cluster.accounts(batch).await?.accounts;
            let revisions = found.iter().map(|account| account.as_ref().and_then(revision));
            locks.extend(
                batch.iter().zip(revisions).filter_map(|(address, revision)| Some((revision?, *address))),
            );
        }
        locks.sort_unstable_by_key(|(revision, _)| Reverse(*revision));
        // Of a spread run half of the first step's room is for what it reads itself.
        let count = if matches!(parts.lists, Lists::Whole(_)) { locks.len() } else { parts.room() / 2 };
        parts.locking = locks.into_iter().take(count).map(|(_, address)| address).collect();
        for account in parts.lists.of_end_mut() {
            account.writable |= parts.locking.contains(&account.address);
        }
        Ok(())
    }

    /// Finds the steps on a stage, and the accounts of each one that pauses. `begins` is where the run is, `filled` the
    /// holder where it is written by transactions before.
    async fn rehearse(
        &self,
        parts: Parts,
        place: &Place,
        begins: (u64, u64),
        filled: Option<Account>,
    ) -> Result<(Parts, Sizes, Vec<Vec<Address>>), RelayError> {
        let mut instructions = parts.opening.clone();
        instructions.extend(parts.last(0, &[]));
        let mut addresses = parts.lists.addresses();
        addresses.extend(named(&instructions, &place.holder));
        let addresses: Vec<Address> = addresses.into_iter().collect();
        let mut stage = self.rehearsal.stage(&addresses).await?;
        let holder = filled.or_else(|| place.account.clone());
        let work = move || {
            if let Some(holder) = &holder {
                stage.set(parts.holder, holder.clone())?;
            }
            let mut trial = OnStage::new(stage, &parts, begins);
            let sizes = size(&mut trial).map_err(|error| trial.explain(error))?;
            let lists = std::mem::take(&mut trial.lists);
            drop(trial);
            Ok((parts, sizes, lists))
        };
        // The VM computes for a while; the runtime's threads are for waiting.
        spawn_blocking(work).await.map_err(|_| ended_badly())?
    }
}

/// Lists translations as far as the last step has room for them.
fn list_translations(parts: &mut Parts, request: &Request<'_>) {
    for translation in plan::translations(request) {
        let Lists::Whole(accounts) = &mut parts.lists else { return };
        accounts.push(translation);
        let accounts = accounts.clone();
        // The opening has an address more than a step: the System program, which makes the holder.
        let fuller = [&accounts[..], &[RunAccount::read(Address::new_from_array([0xff; 32]))]].concat();
        let fuller = Parts { lists: Lists::Whole(fuller), ..parts.clone() };
        if !fuller.fit(&fuller.last(0, &[])) {
            parts.lists =
                Lists::Whole(accounts.split_last().map(|(_, rest)| rest.to_vec()).unwrap_or_default());
            return;
        }
    }
}

/// The transactions that fill the holder, and what stands in front of the first step.
fn opening(
    request: &Request<'_>,
    parts: &Parts,
    transaction: &Transaction,
    machine: Machine,
) -> Result<(Vec<Step>, Vec<Instruction>), RelayError> {
    let sender = to_h160(transaction.sender());
    let address = |key: &AccountKey| account_address(request.deployment, key);
    let accounts = [
        RunAccount { address: address(&AccountKey::Balance(sender)), writable: true },
        RunAccount::read(address(&AccountKey::Contract(sender))),
    ];
    // Sizes are below that of an account.
    let begin = parts.run().begin(machine.stack_words as u32, machine.checkpoint as u32, &accounts);
    let first_step = parts.middle(0, &[u64::MAX, 0], &parts.lists.of_begin());
    let steps = first_step.len();
    let Written { before, mut last } = write_holder(request, &[&[begin], &first_step[..]].concat())?;
    last.truncate(last.len() - steps);
    Ok((before, last))
}
