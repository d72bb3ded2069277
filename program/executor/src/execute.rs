//! One transaction from validation to commit, and calls that change nothing.

use crate::amount;
use crate::frames::{self, Progress};
use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::run::{self, Finished, Message};
use crate::world::World;
use crate::{ProgramError, Result};
use alloc::vec::Vec;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::exit::Exit;
use parhelion_evm::fork::Fork;
use parhelion_evm::gas;
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
    // The price is known after validation.
    let env = run::env(block, options.fork, sender, U256([0; 4]));
    let mut world = World::new(ledger, crypto, env, options.limits);
    let valid = world.validate(&transaction, &sender, block.base_fee)?;
    world.env.gas_price = valid.gas_price;
    let message = Message::of(&transaction, sender, valid.sender, valid.gas_price, valid.intrinsic)?;
    world.use_nonce(&message)?;
    let coinbase = world.warm_start(&message)?;
    world.warm_access_list(&transaction)?;
    let mut finished = run(&mut world, options, &message, &transaction.authorizations)?;
    world.conclude(coinbase, block.slot, valid.sender, &mut finished)?;
    let Finished { report, .. } = finished;
    let hash = transaction.hash(&envelope.signature, |parts: &[&[u8]]| world.crypto.keccak256(parts));
    let receipt = report.receipt(hash, &message, block.coinbase);
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
    let env = run::env(block, options.fork, call.from, call.gas_price);
    let mut world = World::new(ledger, crypto, env, options.limits);
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
    let bought = run::fee(call.gas_limit, &call.gas_price)?;
    if amount::checked_add(&bought, &call.value).is_none_or(|cost| state.balance < cost) {
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
        bought,
    };
    // As in a transaction the nonce is used up before authorizations are looked at. A sender without a Balance
    // account could send none, and gets no such account here: its rent would be counted.
    if world.balance_exists(sender)? {
        world.use_nonce(&message)?;
    }
    world.warm_start(&message)?;
    for (address, keys) in call.access_list {
        world.warm(address)?;
        for key in keys {
            world.warm_storage(address, key)?;
        }
    }
    let Finished { mut report, .. } = run(&mut world, options, &message, &call.authorizations)?;
    report.records = core::mem::take(&mut world.report);
    if let Some(created) = report.created {
        // As in Ethereum nodes, a creating call gives the code that it would leave.
        report.output = world.visible_code(&created)?.to_vec();
    }
    Ok(report)
}

/// Buys gas, runs the message at once, charges for gas and rent.
fn run<'c, L: Ledger<'c>, C: Crypto>(
    world: &mut World<'c, L, C>,
    options: &Options,
    message: &Message<'c>,
    authorizations: &AuthorizationList<'c>,
) -> Result<Finished<L::Account>> {
    world.buy_gas(message)?;
    let started = world.start(message, authorizations)?;
    let mut machine = Machine::new(&options.limits.machine);
    let gas = message.frame_gas(options)?;
    let pause = L::GAS_MAX.map_or(0, |max| gas.saturating_sub(max).max(0));
    let (outermost, sender, value) = (message.outermost(), &message.sender, &message.value);
    let (mut stack, ended) = frames::begin(world, &mut machine, &outermost, sender, value, gas)?;
    let ended = match ended {
        Some(ended) => ended,
        None => match frames::run(world, &mut machine, &mut stack, pause)? {
            Progress::Ended(ended) => ended,
            // It takes more gas than the ledger lets it take.
            Progress::Paused => return Err(ProgramError::HeapLimit),
        },
    };
    world.finish(&mut machine, options, message, &started, &ended)
}
