//! A run on the relay's own stage: the real program, with as many compute units as it takes.

use super::sizing::Trial;
use crate::stage::perform;
use alloy_primitives::{Address as EthereumAddress, B256};
use parhelion_core::cluster::{Account, ClusterError};
use parhelion_core::rehearsal::Stage;
use parhelion_core::relay::RelayError;
use parhelion_sdk::instruction::{Run, RunAccount};
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
    /// The accounts of the first step where it is to lock them; none for a run that is seldom disturbed.
    pub(crate) locking: Vec<RunAccount>,
    /// What stands in front of the last step.
    pub(crate) closing: Vec<Instruction>,
    /// The accounts, writable as the last step needs them.
    pub(crate) accounts: Vec<RunAccount>,
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

    /// Whether the run is to be begun.
    pub(crate) const fn has_opening(&self) -> bool {
        !self.opening.is_empty()
    }

    /// The instructions of a step that pauses at one of `pauses`, which changes no account.
    pub(crate) fn middle(&self, number: u16, pauses: &[u64]) -> Vec<Instruction> {
        let read: Vec<RunAccount> =
            self.accounts.iter().map(|account| RunAccount::read(account.address)).collect();
        vec![self.run().step(number, pauses, &read)]
    }

    /// [`Self::middle`], but the step may lock accounts.
    pub(crate) fn first(&self, number: u16, pauses: &[u64]) -> Vec<Instruction> {
        match self.locking.is_empty() {
            true => self.middle(number, pauses),
            false => vec![self.run().step(number, pauses, &self.locking)],
        }
    }

    /// The instructions of the step that ends the run, if it comes when the marks are behind it.
    pub(crate) fn last(&self, number: u16, pauses: &[u64]) -> Vec<Instruction> {
        let step = self.run().step(number, pauses, &self.accounts);
        self.closing.iter().cloned().chain([step]).collect()
    }
}

/// A run on a stage.
pub(crate) struct OnStage<'a> {
    stage: Box<dyn Stage>,
    parts: &'a Parts,
    /// Whether the next step is the first.
    is_first: bool,
    /// The run where it is.
    state: RunState,
    /// What the last try to a mark left.
    tried: Vec<(Address, Account)>,
    /// The longest checkpoint so far, in bytes.
    pub(crate) checkpoint: u32,
}

impl<'a> OnStage<'a> {
    /// The run at its beginning, or where the holder on the stage has it.
    pub(crate) fn new(
        stage: Box<dyn Stage>,
        parts: &'a Parts,
        holder: Option<&Account>,
    ) -> Result<Self, RelayError> {
        let state = if parts.has_opening() {
            let (_, left) = perform(&*stage, &parts.operator, &parts.opening)?;
            state(&left, &parts.holder)?
        } else {
            holder.and_then(|holder| RunState::of(&holder.data).ok()).ok_or_else(unreadable)?
        };
        Ok(Self { stage, parts, is_first: true, state, tried: Vec::new(), checkpoint: 0 })
    }
}

impl Trial for OnStage<'_> {
    fn gas(&self) -> u64 {
        self.state.gas_left
    }

    fn is_at_end(&self) -> bool {
        self.state.paused_at == 0
    }

    fn try_to(&mut self, mark: Option<u64>) -> Result<(u64, u64), RelayError> {
        let step = match mark {
            Some(mark) if self.is_first => self.parts.first(0, &[mark, 0]),
            Some(mark) => self.parts.middle(0, &[mark, 0]),
            None => self.parts.last(0, &[]),
        };
        let opening = if self.is_first { &self.parts.opening[..] } else { &[] };
        let (units, left) = perform(&*self.stage, &self.parts.operator, &[opening, &step].concat())?;
        if mark.is_none() {
            return Ok((units, self.state.gas_left));
        }
        let reached = state(&left, &self.parts.holder)?;
        self.checkpoint = self.checkpoint.max(reached.checkpoint_length);
        self.tried = left;
        Ok((units, reached.gas_left))
    }

    fn keep(&mut self) -> Result<(), RelayError> {
        self.state = state(&self.tried, &self.parts.holder)?;
        self.is_first = false;
        for (address, account) in self.tried.drain(..) {
            self.stage.set(address, account)?;
        }
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
