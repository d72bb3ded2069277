//! The port to the program's executor, run off chain.

use crate::cluster::{ClusterError, Moment};
use crate::simulation::{SimulatedBlock, Simulation, SimulationError};
use crate::store::Executed;
use crate::touched::TouchedAccounts;
use crate::transaction::Transaction;
use alloy_consensus::{SignableTransaction, TxEip1559, TxEip7702, TxEnvelope};
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, B256, Bytes, ChainId, Log, Signature, TxKind, U256};
use alloy_rpc_types_eth::BlockOverrides;
use alloy_rpc_types_eth::state::StateOverride;
use alloy_rpc_types_trace::geth::{GethDefaultTracingOptions, StructLog};
use async_trait::async_trait;
use parhelion_wire::event::Outcome;
use parhelion_wire::{H256, ProgramError};
use revm_inspectors::tracing::types::CallTraceNode;
use std::sync::Arc;

/// An account that a run touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountUse {
    /// The Solana address.
    pub address: [u8; 32],
    /// Whether the run writes it.
    pub writable: bool,
}

/// A call as in `eth_call` and `eth_estimateGas`; what is `None` has the usual default.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The sender; the zero address by default.
    pub from: Option<Address>,
    /// The callee; `None` creates a contract.
    pub to: Option<Address>,
    /// The gas limit.
    pub gas: Option<u64>,
    /// The gas price or fee cap; 0 by default, then fees are not charged.
    pub gas_price: Option<U256>,
    /// The priority fee.
    pub max_priority_fee_per_gas: Option<U256>,
    /// Wei to transfer.
    pub value: Option<U256>,
    /// Call data or init code.
    pub data: Bytes,
    /// Access list.
    pub access_list: AccessList,
    /// Nonce; the sender's by default.
    pub nonce: Option<u64>,
    /// EIP-7702 authorizations.
    pub authorization_list: Vec<SignedAuthorization>,
    /// What it sees instead of what is on chain.
    pub overrides: Option<Arc<Overrides>>,
}

impl Call {
    /// Wei per gas that it pays at a base fee, as a transaction with the same fields would: 0 when it names no price.
    #[must_use]
    pub fn gas_price_at(&self, base_fee: u64) -> U256 {
        let cap = self.gas_price.unwrap_or_default();
        match self.max_priority_fee_per_gas {
            Some(tip) => cap.min(U256::from(base_fee).saturating_add(tip)),
            None => cap,
        }
    }

    /// Whether it is a set-code transaction (EIP-7702): it has authorizations, and a callee, without which there is none.
    #[must_use]
    pub const fn sets_code(&self) -> bool {
        self.to.is_some() && !self.authorization_list.is_empty()
    }

    /// The call as a transaction with a fee cap and a priority fee (wei per gas): a set-code transaction where it is one, and
    /// of EIP-1559 otherwise.
    #[must_use]
    pub fn with_fees(
        &self,
        chain_id: ChainId,
        nonce: u64,
        gas_limit: u64,
        (max_fee_per_gas, max_priority_fee_per_gas): (u128, u128),
        signature: Signature,
    ) -> TxEnvelope {
        let (access_list, input) = (self.access_list.clone(), self.data.clone());
        let value = self.value.unwrap_or_default();
        match self.to {
            Some(to) if self.sets_code() => TxEip7702 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                access_list,
                authorization_list: self.authorization_list.clone(),
                input,
            }
            .into_signed(signature)
            .into(),
            to => TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to: to.map_or(TxKind::Create, TxKind::Call),
                value,
                access_list,
                input,
            }
            .into_signed(signature)
            .into(),
        }
    }
}

/// What a call sees instead of what is on chain, for this call only. A moved precompile is not among it.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Accounts.
    pub state: StateOverride,
    /// The block. The difficulty and the beacon root are seen by nobody.
    pub block: BlockOverrides,
}

/// What a run did.
#[derive(Clone, Debug)]
pub struct Execution {
    /// How it ended.
    pub outcome: Outcome,
    /// What happened, in the words that Ethereum nodes use: `success`, `execution reverted`, `out of gas`, ...
    pub reason: &'static str,
    /// Gas used, rent gas included.
    pub gas_used: u64,
    /// Gas for the rent of new state.
    pub rent_gas: u64,
    /// Return data, or revert data.
    pub output: Bytes,
    /// Logs, as committed.
    pub logs: Vec<Log>,
    /// The created contract.
    pub created: Option<Address>,
}

/// A stored code that a run ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeUse {
    /// Keccak-256 of it.
    pub hash: B256,
    /// Its length in bytes.
    pub length: usize,
    /// Frames that ran it.
    pub frames: u64,
    /// The account of its translation, if there is one.
    pub translation: Option<FoundTranslation>,
}

impl CodeUse {
    /// Its weight among the codes of a run: a guess at how much of the interpretation was this code's. Frames count by
    /// the length of their code, because a short one (a proxy that only hands calls on) has little to do.
    #[must_use]
    pub const fn weight(&self) -> u64 {
        self.frames.saturating_mul(self.length as u64)
    }

    /// The address of its translation, if that can run.
    #[must_use]
    pub fn complete_translation(&self) -> Option<[u8; 32]> {
        self.translation.filter(|found| found.is_complete).map(|found| found.address)
    }
}

/// The account of a translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundTranslation {
    /// Its Solana address.
    pub address: [u8; 32],
    /// Whether it can run, or is still being written.
    pub is_complete: bool,
    /// Who began it, and gets its lamports when it is closed.
    pub payer: [u8; 32],
    /// What is in it.
    pub lamports: u64,
}

/// What the relay needs to know to plan a transaction.
#[derive(Clone, Debug)]
pub struct Emulation {
    /// What the run did.
    pub execution: Execution,
    /// Every account that it touched, sorted by address. This list is what the executor recorded.
    pub accounts: Vec<AccountUse>,
    /// The stored codes that it ran. Their translations are of use beside the accounts; the run does without as well.
    pub codes: Vec<CodeUse>,
    /// Codes that it deploys: hash and length in bytes.
    pub deployed_codes: Vec<(H256, usize)>,
    /// The slot of the state that it ran on.
    pub slot: u64,
}

/// What the relay needs to know to run a transaction in steps.
#[derive(Clone, Debug)]
pub struct SteppedEmulation {
    /// What a run at once would tell, had it the room.
    pub emulation: Emulation,
    /// Words of stack that the machine used, all frames together; of a run that goes on, those that it has.
    pub stack_words: usize,
    /// Bytes of memory, likewise.
    pub memory_bytes: usize,
    /// Gas that the EVM's part of the run has where it begins or goes on.
    pub gas_left: u64,
    /// The mark at which it had paused there, [`u64::MAX`] at the beginning of an attempt.
    pub paused_at: u64,
}

/// A run in steps that uses more accounts than one Solana transaction lists: what each part of it uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// The parts, one after another, to the end of the run but for writing.
    pub parts: Vec<SpreadPart>,
    /// What writing everything uses, and what the run reads that does not exist; sorted by address.
    pub end: Vec<AccountUse>,
    /// Addresses of the other state that the run reads, what was written last before what was written long ago.
    pub reads: Vec<[u8; 32]>,
}

/// A part of a [`Spread`] run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpreadPart {
    /// Gas that the EVM's part of the run has left at its end.
    pub gas_left: u64,
    /// Addresses of the accounts that it uses.
    pub accounts: Vec<[u8; 32]>,
    /// Addresses of the translations of codes that it runs.
    pub translations: Vec<[u8; 32]>,
}

/// What a transaction with enough gas needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The gas limit to sign, rent gas included.
    pub gas_limit: u64,
    /// The part of it that pays rent.
    pub rent_gas: u64,
}

/// What a call touches.
#[derive(Clone, Debug)]
pub struct AccessListOutcome {
    /// The list (EIP-2930), sorted; without sender and callee, but for their storage keys.
    pub access_list: AccessList,
    /// What the call does with this list.
    pub execution: Execution,
}

/// What is to be recorded of a run.
#[derive(Clone, Debug)]
pub enum TraceRequest {
    /// Each opcode, as far as the options say.
    Opcodes(GethDefaultTracingOptions),
    /// Calls and creations, with their logs.
    Calls,
    /// The accounts that it touches, before it and behind it.
    Accounts,
    /// Both, of one run.
    CallsAndAccounts,
}

/// What was recorded of a run.
#[derive(Clone, Debug)]
pub enum Recording {
    /// Each opcode.
    Opcodes(Vec<StructLog>),
    /// Calls and creations, the outermost first, each before those that it makes.
    Calls(Vec<CallTraceNode>),
    /// The accounts that it touches.
    Accounts(TouchedAccounts),
    /// Both.
    CallsAndAccounts(Vec<CallTraceNode>, TouchedAccounts),
}

/// What a run did, and how.
#[derive(Clone, Debug)]
pub struct Trace {
    /// What it did.
    pub execution: Execution,
    /// How.
    pub recording: Recording,
}

/// Nonce and balance of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountState {
    /// The nonce.
    pub nonce: u64,
    /// The balance in wei.
    pub balance: U256,
}

/// Chain-wide settings as the program has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainSettings {
    /// The chain id.
    pub chain_id: u64,
    /// Base fee in wei per gas.
    pub base_fee: u64,
    /// The block gas limit.
    pub block_gas_limit: u64,
}

/// Why a run could not be made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EmulatorError {
    /// The program would refuse the transaction.
    #[error("{0}")]
    Refused(Refusal),
    /// The run asks for more rounds of account reads than allowed.
    #[error("the run touches more accounts than can be read for it")]
    TooManyAccounts,
    /// The executed code reverted (estimates only).
    #[error("execution reverted")]
    Reverted {
        /// The revert data.
        output: Bytes,
    },
    /// The executed code halted for another reason than gas (estimates only).
    #[error("{reason}")]
    Halted {
        /// What happened, in the words that Ethereum nodes use.
        reason: &'static str,
    },
    /// No gas limit up to the cap is enough (estimates only).
    #[error("gas required exceeds allowance ({allowance})")]
    GasExceedsAllowance {
        /// The highest gas limit that was tried.
        allowance: u64,
    },
    /// What is to be recorded is too much.
    #[error(
        "the trace needs more than {max} bytes: lower the call's gas, or ask for less of each opcode or fewer of them"
    )]
    TraceTooLarge {
        /// The most bytes that are recorded.
        max: usize,
    },
    /// The block cannot be overridden with such a number.
    #[error("the block override '{name}' is {value}: on this chain it is at most {}", u64::MAX)]
    OverrideTooLarge {
        /// The override's name.
        name: &'static str,
        /// What was asked for.
        value: U256,
    },
    /// The cluster did not answer.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// An account of the program is damaged or of an unknown version.
    #[error("the chain's state cannot be read: {0}")]
    State(String),
}

/// A refusal by the program, with the numbers that make it understandable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", error.text(), if detail.is_empty() { String::new() } else { format!(": {detail}") })]
pub struct Refusal {
    /// The program's error.
    pub error: ProgramError,
    /// For example `address 0x…, tx: 3 state: 5`; may be empty.
    pub detail: String,
}

/// The program's executor, off chain.
#[async_trait]
pub trait Emulator: Send + Sync {
    /// Chain-wide settings.
    async fn settings(&self) -> Result<ChainSettings, EmulatorError>;

    /// Nonce and balance of an address.
    async fn account(&self, address: Address) -> Result<AccountState, EmulatorError>;

    /// The code of an address, empty if it has none.
    async fn code(&self, address: Address) -> Result<Bytes, EmulatorError>;

    /// A storage value.
    async fn storage(&self, address: Address, key: U256) -> Result<B256, EmulatorError>;

    /// Runs a call without changing anything.
    async fn call(&self, call: &Call) -> Result<Execution, EmulatorError>;

    /// The smallest gas limit with which the call succeeds.
    async fn estimate(&self, call: &Call) -> Result<Estimate, EmulatorError>;

    /// What the call touches, as an access list.
    async fn access_list(&self, call: &Call) -> Result<AccessListOutcome, EmulatorError>;

    /// Runs a call as [`Self::call`] does, and records how.
    async fn trace(&self, call: &Call, request: TraceRequest) -> Result<Trace, EmulatorError>;

    /// Runs a transaction again that is in a block, on the state from before it, and records how.
    async fn trace_executed(
        &self,
        executed: &Executed,
        request: TraceRequest,
    ) -> Result<Trace, EmulatorError>;

    /// The state from before a transaction that is in a block: run at once there, it does what it did.
    async fn before(&self, executed: &Executed) -> Result<Arc<dyn Emulator>, EmulatorError> {
        self.at(executed.before()).await
    }

    /// Runs the calls of a simulation one after another, each on what the ones before it leave.
    async fn simulate(&self, simulation: Simulation) -> Result<Vec<SimulatedBlock>, SimulationError>;

    /// The state as it was at a moment of the past. Not everywhere it is kept: [`ClusterError::Unsupported`].
    async fn at(&self, moment: Moment) -> Result<Arc<dyn Emulator>, EmulatorError>;

    /// Runs a signed transaction as the program would with `coinbase`, and records the account list.
    async fn emulate(&self, transaction: &Transaction, coinbase: Address)
    -> Result<Emulation, EmulatorError>;

    /// The same for a run in steps, which has more room: from its beginning, or from where the run in `holder`, a
    /// Holder's data, is.
    async fn emulate_in_steps(
        &self,
        transaction: &Transaction,
        coinbase: Address,
        holder: Option<Vec<u8>>,
    ) -> Result<SteppedEmulation, EmulatorError>;

    /// Emulates as many transactions as can be run one after another, each on what the ones before it leave; at least the
    /// first one, if there is one.
    ///
    /// # Errors
    /// Those of the first one.
    async fn emulate_together(
        &self,
        transactions: &[Transaction],
        coinbase: Address,
    ) -> Result<Vec<Emulation>, EmulatorError> {
        match transactions.first() {
            Some(first) => Ok(vec![self.emulate(first, coinbase).await?]),
            None => Ok(Vec::new()),
        }
    }

    /// What each part of such a run uses.
    async fn spread(
        &self,
        transaction: &Transaction,
        coinbase: Address,
        holder: Option<Vec<u8>>,
    ) -> Result<Spread, EmulatorError>;
}
