//! What runs of all kinds have in common: from the bought gas to the written accounts.
//!
//! ```text
//! execute        validate ─▶ buy gas ─▶ start ─▶ frames ─▶ finish ─▶ conclude
//! call                       buy gas ─▶ start ─▶ frames ─▶ finish
//! steps   begin: validate, buy gas ┊ start ─▶ frames ┊ … ┊ frames ─▶ finish ─▶ conclude
//! ```

use crate::amount;
use crate::commit::Plan;
use crate::execute::{BlockValues, Options, Report};
use crate::frames::{Ended, Outermost};
use crate::ledger::Ledger;
use crate::world::{Checkpoint, CodeOf, Id, World, is_precompile};
use crate::{ProgramError, Result, rent};
use alloc::vec::Vec;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::exit::Exit;
use parhelion_evm::fork::Fork;
use parhelion_evm::gas::{self, Intrinsic};
use parhelion_evm::host::Env;
use parhelion_evm::machine::Machine;
use parhelion_evm::{H160, H256, U256};
use parhelion_wire::event::{Outcome, Receipt};
use parhelion_wire::stored;
use parhelion_wire::transaction::{AuthorizationList, Transaction};

/// A transaction or call, ready to run.
pub(crate) struct Message<'c> {
    /// The sender's row, loaded.
    pub(crate) account: Id,
    pub(crate) sender: H160,
    pub(crate) to: Option<H160>,
    pub(crate) value: U256,
    pub(crate) data: &'c [u8],
    pub(crate) gas_limit: u64,
    pub(crate) gas_price: U256,
    pub(crate) rent_gas_price: Option<U256>,
    pub(crate) nonce: u64,
    pub(crate) intrinsic: Intrinsic,
    /// What all gas costs, in wei.
    pub(crate) bought: U256,
}

/// Where a run can be undone to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    before_authorizations: Checkpoint,
    after_authorizations: Checkpoint,
}
stored!(Started { before_authorizations, after_authorizations });

impl<'c> Message<'c> {
    /// The message of a transaction.
    #[inline(always)] // or it is moved
    pub(crate) fn of(
        transaction: &Transaction<'c>,
        sender: H160,
        account: Id,
        gas_price: U256,
        intrinsic: Intrinsic,
    ) -> Result<Self> {
        Ok(Self {
            account,
            sender,
            to: transaction.to,
            value: transaction.value,
            data: transaction.data,
            gas_limit: transaction.gas_limit,
            gas_price,
            rent_gas_price: Some(gas_price),
            nonce: transaction.nonce,
            intrinsic,
            bought: fee(transaction.gas_limit, &gas_price)?,
        })
    }

    /// The outermost call or creation.
    pub(crate) const fn outermost(&self) -> Outermost<'c> {
        match self.to {
            Some(to) => Outermost::Call { to, data: self.data },
            None => Outermost::Create { init_code: self.data, nonce: self.nonce },
        }
    }

    /// Gas that the EVM's part may use, intrinsic gas included.
    pub(crate) fn evm_limit(&self, options: &Options) -> u64 {
        self.gas_limit.min(options.evm_gas_max)
    }

    /// Gas for the outermost frame.
    pub(crate) fn frame_gas(&self, options: &Options) -> Result<i64> {
        let gas = self.evm_limit(options).checked_sub(self.intrinsic.initial);
        Ok(gas.ok_or(ProgramError::IntrinsicGasTooLow)? as i64)
    }
}

/// What a run comes to.
pub(crate) struct Finished<A> {
    pub(crate) report: Report,
    /// What is to be written; lacks the coinbase.
    pub(crate) plan: Plan<A>,
    /// Wei for the gas that was used.
    pub(crate) fee: U256,
}

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// Warms what is warm from the start: sender, coinbase (EIP-3651). Gives the coinbase's row. The callee follows in
    /// [`Self::start`]; precompiles are warm always.
    #[inline(always)] // or runs at once pay for there being others
    pub(crate) fn warm_start(&mut self, message: &Message<'_>) -> Result<Id> {
        self.warm_row(message.account)?;
        let coinbase = self.accounts.id(&self.env.coinbase)?;
        self.warm_row(coinbase)?;
        Ok(coinbase)
    }

    /// The callee is warm from the start (EIP-2929), and so is its delegate (EIP-7702).
    fn warm_callee(&mut self, message: &Message<'_>) -> Result<()> {
        let Some(to) = message.to.filter(|to| !is_precompile(to, self.env.fork)) else { return Ok(()) };
        let id = self.accounts.id(&to)?;
        self.warm_row(id)?;
        if !message.value.is_zero() {
            // It is needed in any case, and tells of most addresses that they have no code.
            self.load_balance_of(id)?;
        }
        match self.load_code_of(id)? {
            CodeOf::Delegate(delegate) => self.warm(&delegate).map(drop),
            CodeOf::None | CodeOf::Hash(_) => Ok(()),
        }
    }

    /// Warms a transaction's access list (EIP-2930).
    pub(crate) fn warm_access_list(&mut self, transaction: &Transaction<'_>) -> Result<()> {
        for item in transaction.access_list.iter() {
            self.warm(&item.address)?;
            for key in item.storage_keys {
                self.warm_storage(&item.address, &key)?;
            }
        }
        Ok(())
    }

    /// Uses up the sender's nonce (Yellow Paper, equation 74).
    pub(crate) fn use_nonce(&mut self, message: &Message<'_>) -> Result<()> {
        self.change(message.account)?.nonce =
            message.nonce.checked_add(1).ok_or(ProgramError::NonceOverflow)?;
        Ok(())
    }

    /// Takes the price of all gas from the sender.
    pub(crate) fn buy_gas(&mut self, message: &Message<'_>) -> Result<()> {
        let rest = amount::checked_sub(&self.account(message.account)?.state.balance, &message.bought);
        self.change(message.account)?.balance = rest.ok_or(ProgramError::InsufficientFunds)?;
        Ok(())
    }

    /// Applies authorizations, and warms what they have to do with.
    #[inline(always)] // or runs at once pay for there being others
    pub(crate) fn start(
        &mut self,
        message: &Message<'_>,
        authorizations: &AuthorizationList<'_>,
    ) -> Result<Started> {
        let before_authorizations = self.checkpoint();
        let after_authorizations = if authorizations.count == 0 {
            before_authorizations
        } else {
            self.authorize(authorizations)?;
            self.checkpoint()
        };
        self.warm_callee(message)?;
        Ok(Started { before_authorizations, after_authorizations })
    }

    /// Charges for gas and rent.
    #[inline(always)] // or runs at once pay for there being others
    pub(crate) fn finish(
        &mut self,
        machine: &mut Machine,
        options: &Options,
        message: &Message<'_>,
        started: &Started,
        ended: &Ended,
    ) -> Result<Finished<L::Account>> {
        let used = gas_used(message.evm_limit(options), ended, self.refund, &message.intrinsic);
        let mut outcome = match ended.exit {
            exit if exit.is_success() => Outcome::Success,
            Exit::Revert => Outcome::Revert,
            _ => Outcome::Halt,
        };
        let available = message.gas_limit.saturating_sub(used);
        let mut plan = self.plan()?;
        let mut rent_gas = rent_gas(&plan, &message.rent_gas_price)?;
        if rent_gas.is_none_or(|gas| gas > available) {
            outcome = Outcome::OutOfRentGas;
            self.undo_to(&started.after_authorizations)?;
            plan = self.plan()?;
            rent_gas = self::rent_gas(&plan, &message.rent_gas_price)?;
            if rent_gas.is_none_or(|gas| gas > available) {
                self.undo_to(&started.before_authorizations)?;
                plan = self.plan()?;
                rent_gas = Some(0);
            }
        }
        let rent_gas = rent_gas.unwrap_or_default();
        let gas_used = used.saturating_add(rent_gas);
        let fee = self.settle(message, gas_used)?;
        let created = if outcome.is_success() { ended.created } else { None };
        let output = machine.take_return_data();
        let (exit, records, codes) = (ended.exit, Vec::new(), Vec::new());
        let report = Report { outcome, exit, gas_used, rent_gas, created, records, output, codes };
        Ok(Finished { report, plan, fee })
    }

    /// Gives what was paid for unused gas back; gives what the other gas costs.
    fn settle(&mut self, message: &Message<'_>, gas_used: u64) -> Result<U256> {
        let paid = fee(gas_used, &message.gas_price)?;
        let unused = amount::checked_sub(&message.bought, &paid).ok_or(ProgramError::InsufficientFunds)?;
        self.credit(message.account, &unused)?;
        Ok(paid)
    }

    /// Pays the operator and writes everything.
    #[inline(always)] // or runs at once pay for there being others
    pub(crate) fn conclude(
        &mut self,
        coinbase: Id,
        slot: u64,
        sender: Id,
        finished: &mut Finished<L::Account>,
    ) -> Result<()> {
        let Finished { report, plan, fee } = finished;
        self.pay(coinbase, fee)?;
        self.plan_balance(plan, coinbase)?;
        self.burn_destroyed()?;
        self.check_sum()?;
        report.codes.clone_from(&plan.codes);
        self.commit(plan, slot, sender)?;
        report.records = core::mem::take(&mut self.report);
        Ok(())
    }

    /// Pays a fee to an operator's address.
    pub(crate) fn pay(&mut self, coinbase: Id, fee: &U256) -> Result<()> {
        self.load_balance_of(coinbase)?;
        if !self.balance_exists(coinbase)? {
            // Its rent would be on the sender.
            return Err(ProgramError::CoinbaseMissing);
        }
        self.credit(coinbase, fee)
    }
}

impl Report {
    /// The receipt of a transaction.
    pub(crate) const fn receipt(
        &self,
        transaction_hash: H256,
        message: &Message<'_>,
        coinbase: H160,
    ) -> Receipt {
        Receipt {
            transaction_hash,
            sender: message.sender,
            coinbase,
            outcome: self.outcome,
            gas_used: self.gas_used,
            rent_gas: self.rent_gas,
            effective_gas_price: message.gas_price,
            created: self.created,
        }
    }
}

/// What code sees of block and transaction.
pub(crate) const fn env(block: &BlockValues, fork: Fork, origin: H160, gas_price: U256) -> Env {
    Env {
        fork,
        chain_id: block.chain_id,
        number: block.slot,
        timestamp: block.timestamp,
        coinbase: block.coinbase,
        gas_limit: block.gas_limit,
        base_fee: U256([block.base_fee, 0, 0, 0]),
        blob_base_fee: block.blob_base_fee,
        origin,
        gas_price,
    }
}

/// Gas that the EVM's part used: after refunds (EIP-3529), and at least the floor (EIP-7623).
fn gas_used(evm_limit: u64, ended: &Ended, refund: i64, intrinsic: &Intrinsic) -> u64 {
    let used = evm_limit.saturating_sub(ended.gas.max(0) as u64);
    let refund_max = used.checked_div(gas::REFUND_QUOTIENT_MAX as u64).unwrap_or_default();
    let refund = refund_max.min(refund.max(0) as u64);
    used.saturating_sub(refund).max(intrinsic.floor)
}

/// Gas for the rent of what is planned; `None` when no gas limit covers it.
fn rent_gas<A>(plan: &Plan<A>, price: &Option<U256>) -> Result<Option<u64>> {
    match price {
        Some(price) => rent::gas(plan.rent, price),
        None => Ok(Some(0)),
    }
}

/// Gas times price, in wei.
pub(crate) fn fee(gas: u64, price: &U256) -> Result<U256> {
    amount::checked_mul(gas, price).ok_or(ProgramError::InsufficientFunds)
}
