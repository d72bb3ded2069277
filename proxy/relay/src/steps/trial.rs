//! A run on the relay's own stage: the real program, with as many compute units as it takes.

use super::lists::{List, Lists};
use super::sizing::Trial;
use crate::plan::fits_bare;
use crate::shape::Shape;
use crate::stage::perform;
use alloy_primitives::{Address as EthereumAddress, B256};
use parhelion_core::cluster::{Account, ClusterError};
use parhelion_core::rehearsal::Stage;
use parhelion_core::relay::RelayError;
use parhelion_sdk::instruction::{Run, RunAccount};
use parhelion_sdk::transaction::ADDRESSES_MAX;
use parhelion_wire::account::Run as RunState;
use parhelion_wire::address::Deployment;
use solana_address::Address;
use solana_instruction::Instruction;

/// The parts of a run's Solana transactions.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// The deployment.
    pub(crate) deployment: Deployment,
    /// Who signs and pays.
    pub(crate) operator: Address,
    /// Where the fees go.
    pub(crate) coinbase: EthereumAddress,
    /// The holder that the run is in.
    pub(crate) holder: Address,
    /// The Ethereum transaction's hash.
    pub(crate) transaction: B256,
    /// What stands in front of the first step, `begin` being the last of it; empty for a run that goes on.
    pub(crate) opening: Vec<Instruction>,
    /// What the first step is to lock, the most important first; nothing for a run that is seldom disturbed.
    pub(crate) locking: Vec<Address>,
    /// What stands in front of the last step.
    pub(crate) closing: Vec<Instruction>,
    /// The accounts.
    pub(crate) lists: Lists,
    /// The shape of the transactions.
    pub(crate) shape: Shape,
}

impl Parts {
    /// What its instructions have in common.
    pub(crate) const fn run(&self) -> Run<'_> {
        let Self { deployment, operator, coinbase, holder, transaction, .. } = self;
        Run {
            deployment,
            operator: *operator,
            coinbase: *coinbase,
            holder: *holder,
            transaction: *transaction,
        }
    }

    /// Whether instructions fit one transaction.
    pub(crate) fn fit(&self, instructions: &[Instruction]) -> bool {
        fits_bare(instructions, &self.operator, self.shape.format())
    }

    /// Whether the run is to be begun.
    pub(crate) const fn has_opening(&self) -> bool {
        !self.opening.is_empty()
    }

    /// The instructions of a step that pauses at one of `pauses`, which changes no account.
    pub(crate) fn middle(&self, number: u16, pauses: &[u64], accounts: &[Address]) -> Vec<Instruction> {
        let read: Vec<RunAccount> = accounts.iter().copied().map(RunAccount::read).collect();
        vec![self.run().step(number, pauses, &read)]
    }

    /// [`Self::middle`], but the step may lock accounts.
    pub(crate) fn first(&self, number: u16, pauses: &[u64], accounts: &[Address]) -> Vec<Instruction> {
        let account =
            |address: &Address| RunAccount { address: *address, writable: self.locking.contains(address) };
        vec![self.run().step(number, pauses, &accounts.iter().map(account).collect::<Vec<_>>())]
    }

    /// How many accounts of its own a step has room for.
    pub(crate) fn room(&self) -> usize {
        let address = |number| Address::new_from_array([number; 32]);
        let step = |count| self.middle(0, &[u64::MAX, 0], &(0..count).map(address).collect::<Vec<_>>());
        (1..=ADDRESSES_MAX as u8).take_while(|count| self.fit(&step(*count))).count()
    }

    /// The transactions that lock what the last step does not list.
    pub(crate) fn locks(&self, number: u16) -> Vec<Vec<Instruction>> {
        let lock = |accounts: &[RunAccount]| vec![self.run().lock(number, accounts)];
        let mut locks: Vec<Vec<RunAccount>> = Vec::new();
        for account in self.lists.locks() {
            match locks.last_mut() {
                Some(last) if self.fit(&lock(&[&last[..], &[account]].concat())) => last.push(account),
                _ => locks.push(vec![account]),
            }
        }
        locks.iter().map(|accounts| lock(accounts)).collect()
    }

    /// The instructions of the step that ends the run, if it comes when the marks are behind it.
    pub(crate) fn last(&self, number: u16, pauses: &[u64]) -> Vec<Instruction> {
        let step = self.run().step(number, pauses, self.lists.of_end());
        self.closing.iter().cloned().chain([step]).collect()
    }
}

/// A run on a stage.
pub(crate) struct OnStage<'a> {
    stage: Box<dyn Stage>,
    parts: &'a Parts,
    /// Whether the next step is the first.
    is_first: bool,
    /// Gas that is left where the run is, and the mark that it has come to.
    place: (u64, u64),
    /// What the last try to a mark left.
    tried: Vec<(Address, Account)>,
    /// The accounts that it listed.
    listed: Vec<Address>,
    /// The accounts of each step that pauses.
    pub(crate) lists: Vec<Vec<Address>>,
    /// A try for the next step that would have listed too much.
    too_long: Option<List>,
}

impl<'a> OnStage<'a> {
    /// The run where the emulation has it: gas that is left, and the mark.
    pub(crate) fn new(stage: Box<dyn Stage>, parts: &'a Parts, place: (u64, u64)) -> Self {
        let (tried, listed, lists) = (Vec::new(), Vec::new(), Vec::new());
        Self { stage, parts, is_first: true, place, tried, listed, lists, too_long: None }
    }

    /// What is in front of the next step.
    fn opening(&self) -> &'a [Instruction] {
        if self.is_first { &self.parts.opening } else { &[] }
    }

    /// The accounts of a step from here to a mark, if it has room for them.
    fn list(&mut self, mark: u64) -> Option<Vec<Address>> {
        let mut list = self.parts.lists.of_step(self.place.0, mark);
        if self.is_first {
            list.needed.extend(&self.parts.locking);
            list.needed.sort_unstable();
            list.needed.dedup();
        }
        let fits = |accounts: &[Address]| {
            let step = self.parts.middle(0, &[mark, 0], accounts);
            self.parts.fit(&[self.opening(), &step].concat())
        };
        let mut accounts = list.needed.clone();
        if !fits(&accounts) {
            self.too_long = Some(list);
            return None;
        }
        for address in &list.useful {
            accounts.push(*address);
            if !fits(&accounts) {
                accounts.pop();
            }
        }
        Some(accounts)
    }

    fn perform(&self, instructions: &[Instruction]) -> Result<(u64, Vec<(Address, Account)>), RelayError> {
        perform(&*self.stage, &self.parts.operator, instructions)
    }

    /// Why no mark is near enough, if that is because of the accounts.
    pub(crate) fn explain(&self, error: RelayError) -> RelayError {
        match (&error, &self.too_long) {
            (RelayError::DoesNotFit { .. }, Some(list)) if !self.is_at_end() => list.does_not_fit(),
            _ => error,
        }
    }
}

impl Trial for OnStage<'_> {
    fn gas(&self) -> u64 {
        self.place.0
    }

    fn is_at_end(&self) -> bool {
        self.place.1 == 0
    }

    fn try_to(&mut self, mark: u64) -> Result<(u64, u64), RelayError> {
        let Some(accounts) = self.list(mark) else {
            let units = self.too_long.as_ref().map_or(u64::MAX, List::units);
            return Ok((units, self.place.0));
        };
        let step = match self.is_first {
            true => self.parts.first(0, &[mark, 0], &accounts),
            false => self.parts.middle(0, &[mark, 0], &accounts),
        };
        let (units, left) = self.perform(&[self.opening(), &step].concat())?;
        let reached = state(&left, &self.parts.holder)?;
        (self.tried, self.listed) = (left, accounts);
        Ok((units, reached.gas_left))
    }

    fn try_all(&mut self) -> Result<Option<u64>, RelayError> {
        if matches!(self.parts.lists, Lists::Spread { .. }) {
            if !self.is_at_end() {
                return Ok(None);
            }
            for lock in self.parts.locks(0) {
                for (address, account) in self.perform(&lock)?.1 {
                    self.stage.set(address, account)?;
                }
            }
        }
        let (units, _) = self.perform(&[self.opening(), &self.parts.last(0, &[])].concat())?;
        Ok(Some(units))
    }

    fn keep(&mut self) -> Result<(), RelayError> {
        let state = state(&self.tried, &self.parts.holder)?;
        self.place = (state.gas_left, state.paused_at);
        (self.is_first, self.too_long) = (false, None);
        for (address, account) in self.tried.drain(..) {
            self.stage.set(address, account)?;
        }
        self.lists.push(std::mem::take(&mut self.listed));
        Ok(())
    }
}

/// The run in the holder that a try left.
fn state(left: &[(Address, Account)], holder: &Address) -> Result<RunState, RelayError> {
    let account = left.iter().find(|(address, _)| address == holder);
    account.and_then(|(_, account)| RunState::of(&account.data).ok()).ok_or_else(unreadable)
}

fn unreadable() -> RelayError {
    ClusterError::Unsupported(
        "the run in the holder cannot be read: is the node as new as the program?".into(),
    )
    .into()
}
