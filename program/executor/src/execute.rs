//! One transaction from validation to commit, and calls that change nothing.

use crate::amount;
use crate::commit::Plan;
use crate::frames::{self, Ended, Outermost};
use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::world::{Id, World};
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
use parhelion_wire::transaction::{AuthorizationList, Envelope};

/// Values of the block that a transaction runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockValues {
    /// The chain id.
    pub chain_id: u64,
    /// Base fee in wei per gas, not 0.
    pub base_fee: u64,
    /// The block gas limit.
    pub gas_limit: u64,
    /// The Solana slot: NUMBER.
    pub slot: u64,
    /// Seconds since 1970: TIMESTAMP.
    pub timestamp: u64,
    /// The operator's Ethereum address: COINBASE.
    pub coinbase: H160,
    /// Wei per blob gas: [`Self::NO_BLOBS`] on this chain.
    pub blob_base_fee: U256,
}

impl BlockValues {
    /// BLOBBASEFEE of a chain without blobs: the least that EIP-7516 has.
    pub const NO_BLOBS: U256 = U256([1, 0, 0, 0]);
}

/// How a run differs from a transaction on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The maxima of the run.
    pub limits: Limits,
    /// Gas for the EVM's part at most: EIP-7825 for transactions.
    pub evm_gas_max: u64,
    /// The rules that apply: Osaka's on chain.
    pub fork: Fork,
}

impl Options {
    /// A transaction on chain, and its emulation.
    pub const ON_CHAIN: Self =
        Self { limits: Limits::ON_CHAIN, evm_gas_max: gas::TRANSACTION_MAX, fork: Fork::Osaka };
    /// A call that never goes on chain.
    pub const OFF_CHAIN: Self =
        Self { limits: Limits::OFF_CHAIN, evm_gas_max: gas::LIMIT_MAX, fork: Fork::Osaka };
}

/// What a run did.
#[derive(Clone, Debug)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// How the outermost frame ended.
    pub exit: Exit,
    /// Gas used, rent gas included.
    pub gas_used: u64,
    /// The part of it that pays rent.
    pub rent_gas: u64,
    /// The contract that a creating transaction created.
    pub created: Option<H160>,
    /// Withdrawals and logs, as records of the event format.
    pub records: Vec<u8>,
    /// Return data or revert data of the outermost frame.
    pub output: Vec<u8>,
    /// Codes that are stored: hash and length.
    pub codes: Vec<(H256, usize)>,
}

/// A call that is not a signed transaction.
#[derive(Clone, Copy, Debug)]
pub struct Call<'c> {
    /// Who calls.
    pub from: H160,
    /// The callee; `None` creates a contract.
    pub to: Option<H160>,
    /// Wei to transfer.
    pub value: U256,
    /// Call data or init code.
    pub data: &'c [u8],
    /// Gas limit, rent gas included.
    pub gas_limit: u64,
    /// Wei per gas that the caller pays; 0 charges nothing.
    pub gas_price: U256,
    /// Wei per gas by which rent is turned into gas; `None` charges no rent.
    pub rent_gas_price: Option<U256>,
    /// The caller's nonce; its own when absent. Decides the address of a created contract.
    pub nonce: Option<u64>,
    /// Addresses and storage keys that are warm from the start.
    pub access_list: &'c [(H160, Vec<U256>)],
    /// EIP-7702 authorizations.
    pub authorizations: AuthorizationList<'c>,
}

/// A transaction or call, ready to run.
struct Message<'c> {
    /// The sender's row, loaded.
    account: Id,
    sender: H160,
    to: Option<H160>,
    value: U256,
    data: &'c [u8],
    gas_limit: u64,
    gas_price: U256,
    rent_gas_price: Option<U256>,
    nonce: u64,
    intrinsic: Intrinsic,
}

/// Runs a signed transaction and writes what it changed. The caller has proven that `envelope.sender` signed.
///
/// # Errors
/// When the transaction is invalid, an account is missing or not what it should be, or a limit is reached. Then
/// nothing counts as written, although some accounts may have been: on chain the whole Solana transaction fails.
#[inline(never)] // a stack frame has 4 KiB on sBPF: this one and the caller's together have more
pub fn execute<'c, L: Ledger<'c>, C: Crypto>(
    ledger: L,
    crypto: C,
    block: &BlockValues,
    options: &Options,
    envelope: &Envelope<'c>,
) -> Result<(Receipt, Report)> {
    let transaction = envelope.transaction()?;
    let sender = envelope.sender;
    let mut world = World::new(ledger, crypto, env(block, options.fork, sender), options.limits);
    let valid = world.validate(&transaction, &sender, block.base_fee)?;
    world.env.gas_price = valid.gas_price;
    let message = Message {
        account: valid.sender,
        sender,
        to: transaction.to,
        value: transaction.value,
        data: transaction.data,
        gas_limit: transaction.gas_limit,
        gas_price: valid.gas_price,
        rent_gas_price: Some(valid.gas_price),
        nonce: transaction.nonce,
        intrinsic: valid.intrinsic,
    };
    // The nonce is used up from here on (Yellow Paper, equation 74).
    world.change(valid.sender)?.nonce =
        transaction.nonce.checked_add(1).ok_or(ProgramError::NonceOverflow)?;
    let coinbase = world.warm_start(&message)?;
    for item in transaction.access_list.iter() {
        world.warm(&item.address)?;
        for key in item.storage_keys {
            world.warm_storage(&item.address, &key)?;
        }
    }
    let (mut report, mut plan) = run(&mut world, options, &message, &transaction.authorizations)?;
    pay_coinbase(&mut world, coinbase, &fee(report.gas_used, &valid.gas_price)?)?;
    world.plan_balance(&mut plan, coinbase)?;
    world.burn_destroyed()?;
    world.check_sum()?;
    report.codes.clone_from(&plan.codes);
    world.commit(&plan, block.slot, valid.sender)?;
    report.records = core::mem::take(&mut world.report);
    let hash = transaction.hash(&envelope.signature, |parts: &[&[u8]]| world.crypto.keccak256(parts));
    let receipt = Receipt {
        transaction_hash: hash,
        sender,
        coinbase: block.coinbase,
        outcome: report.outcome,
        gas_used: report.gas_used,
        rent_gas: report.rent_gas,
        effective_gas_price: valid.gas_price,
        created: report.created,
    };
    if L::NEVER_FREES {
        core::mem::forget(world);
    }
    Ok((receipt, report))
}

/// Runs a call and changes nothing. Nonce and signature play no part; fees are charged as far as the call names a
/// price.
///
/// # Errors
/// As [`execute`].
pub fn call<'c, L: Ledger<'c>, C: Crypto>(
    ledger: L,
    crypto: C,
    block: &BlockValues,
    options: &Options,
    call: &Call<'c>,
) -> Result<Report> {
    let mut world = World::new(ledger, crypto, env(block, options.fork, call.from), options.limits);
    world.env.gas_price = call.gas_price;
    let sender = world.load_balance(&call.from)?;
    let shape = gas::TransactionShape {
        data: call.data,
        creates: call.to.is_none(),
        access_addresses: call.access_list.len() as u32,
        access_storage_keys: call.access_list.iter().map(|(_, keys)| keys.len() as u32).sum(),
        authorizations: call.authorizations.count,
    };
    if shape.creates && call.data.len() > gas::INIT_CODE_SIZE_MAX {
        return Err(ProgramError::InitCodeTooLarge);
    }
    let intrinsic = gas::intrinsic(&shape, options.fork);
    if call.gas_limit < intrinsic.initial.max(intrinsic.floor) {
        return Err(ProgramError::IntrinsicGasTooLow);
    }
    let state = world.account(sender)?.state;
    let cost = amount::checked_mul(call.gas_limit, &call.gas_price)
        .and_then(|fee| amount::checked_add(&fee, &call.value));
    if cost.is_none_or(|cost| state.balance < cost) {
        return Err(ProgramError::InsufficientFunds);
    }
    let message = Message {
        account: sender,
        sender: call.from,
        to: call.to,
        value: call.value,
        data: call.data,
        gas_limit: call.gas_limit,
        gas_price: call.gas_price,
        rent_gas_price: call.rent_gas_price,
        nonce: call.nonce.unwrap_or(state.nonce),
        intrinsic,
    };
    // As in a transaction the nonce is used up before authorizations are looked at. A sender without a Balance
    // account could send none, and gets no such account here: its rent would be counted.
    if world.balance_exists(sender)? {
        world.change(sender)?.nonce = message.nonce.checked_add(1).ok_or(ProgramError::NonceOverflow)?;
    }
    world.warm_start(&message)?;
    for (address, keys) in call.access_list {
        world.warm(address)?;
        for key in keys {
            world.warm_storage(address, key)?;
        }
    }
    let (mut report, _) = run(&mut world, options, &message, &call.authorizations)?;
    report.records = core::mem::take(&mut world.report);
    if let Some(created) = report.created {
        // As in Ethereum nodes, a creating call gives the code that it would leave.
        report.output = world.visible_code(&created)?.to_vec();
    }
    Ok(report)
}

/// What code sees of block and transaction.
fn env(block: &BlockValues, fork: Fork, origin: H160) -> Env {
    Env {
        fork,
        chain_id: block.chain_id,
        number: block.slot,
        timestamp: block.timestamp,
        coinbase: block.coinbase,
        gas_limit: block.gas_limit,
        base_fee: block.base_fee.into(),
        blob_base_fee: block.blob_base_fee,
        origin,
        gas_price: U256([0; 4]),
    }
}

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// Warms what is warm from the start: sender, callee, coinbase (EIP-3651), precompiles (EIP-2929). Gives the
    /// coinbase's row.
    fn warm_start(&mut self, message: &Message<'_>) -> Result<Id> {
        self.warm_row(message.account)?;
        if let Some(to) = message.to {
            self.warm(&to)?;
        }
        let coinbase = self.accounts.id(&self.env.coinbase)?;
        self.warm_row(coinbase)?;
        Ok(coinbase)
    }

    /// EIP-7702: the delegate of the callee is warm as well.
    fn warm_delegate(&mut self, to: &H160) -> Result<()> {
        use parhelion_evm::host::Host;
        if let Some(delegate) = self.delegate(to)? {
            self.warm(&delegate)?;
        }
        Ok(())
    }
}

/// Buys gas, runs the message, charges for gas and rent. Gives the plan of what to write, which lacks the coinbase.
fn run<'c, L: Ledger<'c>, C: Crypto>(
    world: &mut World<'c, L, C>,
    options: &Options,
    message: &Message<'c>,
    authorizations: &AuthorizationList<'c>,
) -> Result<(Report, Plan<L::Account>)> {
    let sender = message.account;
    let price = message.gas_price;
    let bought = fee(message.gas_limit, &price)?;
    let rest = amount::checked_sub(&world.account(sender)?.state.balance, &bought);
    world.change(sender)?.balance = rest.ok_or(ProgramError::InsufficientFunds)?;

    let before_authorizations = world.checkpoint();
    let after_authorizations = if authorizations.count == 0 {
        before_authorizations
    } else {
        world.authorize(authorizations)?;
        world.checkpoint()
    };
    let evm_limit = message.gas_limit.min(options.evm_gas_max);
    let gas = evm_limit.checked_sub(message.intrinsic.initial).ok_or(ProgramError::IntrinsicGasTooLow)?;
    let outermost = match message.to {
        Some(to) => {
            world.warm_delegate(&to)?;
            Outermost::Call { to, data: message.data }
        }
        None => Outermost::Create { init_code: message.data, nonce: message.nonce },
    };
    let mut machine = Machine::new(&options.limits.machine);
    let ended = frames::run(world, &mut machine, &outermost, &message.sender, &message.value, gas as i64)?;

    let used = gas_used(evm_limit, &ended, world.refund, &message.intrinsic);
    let mut outcome = match ended.exit {
        exit if exit.is_success() => Outcome::Success,
        Exit::Revert => Outcome::Revert,
        _ => Outcome::Halt,
    };
    let available = message.gas_limit.saturating_sub(used);
    let mut plan = world.plan()?;
    let mut rent_gas = rent_gas(&plan, &message.rent_gas_price)?;
    if rent_gas.is_none_or(|gas| gas > available) {
        outcome = Outcome::OutOfRentGas;
        world.undo_to(&after_authorizations)?;
        plan = world.plan()?;
        rent_gas = self::rent_gas(&plan, &message.rent_gas_price)?;
        if rent_gas.is_none_or(|gas| gas > available) {
            world.undo_to(&before_authorizations)?;
            plan = world.plan()?;
            rent_gas = Some(0);
        }
    }
    let rent_gas = rent_gas.unwrap_or_default();
    let gas_used = used.saturating_add(rent_gas);
    settle(world, message, gas_used, bought)?;
    let created = if outcome.is_success() { ended.created } else { None };
    let output = machine.take_return_data();
    let (exit, records, codes) = (ended.exit, Vec::new(), Vec::new());
    Ok((Report { outcome, exit, gas_used, rent_gas, created, records, output, codes }, plan))
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

/// Gives what was paid for unused gas back.
fn settle<'c, L: Ledger<'c>, C: Crypto>(
    world: &mut World<'c, L, C>,
    message: &Message<'_>,
    gas_used: u64,
    bought: U256,
) -> Result<()> {
    let paid = fee(gas_used, &message.gas_price)?;
    let unused = amount::checked_sub(&bought, &paid).ok_or(ProgramError::InsufficientFunds)?;
    world.credit(message.account, &unused)
}

/// Pays the operator.
fn pay_coinbase<'c, L: Ledger<'c>, C: Crypto>(
    world: &mut World<'c, L, C>,
    coinbase: Id,
    fee: &U256,
) -> Result<()> {
    world.load_balance_of(coinbase)?;
    if !world.balance_exists(coinbase)? {
        // Its rent would be on the sender.
        return Err(ProgramError::CoinbaseMissing);
    }
    world.credit(coinbase, fee)
}

/// Gas times price, in wei.
fn fee(gas: u64, price: &U256) -> Result<U256> {
    amount::checked_mul(gas, price).ok_or(ProgramError::InsufficientFunds)
}
