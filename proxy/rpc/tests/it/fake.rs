//! Services in memory: a chain of three blocks, an emulator that does what the callee's address says, and a pool
//! that takes everything unless told otherwise.

use alloy_consensus::{Header, SignableTransaction, Transaction as _, TxEip1559, TxEnvelope, TxLegacy};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_network::TxSignerSync;
use alloy_primitives::{Address, B256, Bytes, Log, Signature, TxKind, U256};
use alloy_rpc_types_trace::geth::StructLog;
use alloy_signer_local::PrivateKeySigner;
use async_trait::async_trait;
use parhelion_core::clue::{Clue, Lookup};
use parhelion_core::cluster::{ClusterError, Moment};
use parhelion_core::emulator::{
    AccessListOutcome, AccountState, AccountUse, Call, ChainSettings, Emulation, Emulator, EmulatorError,
    Estimate, Execution, Recording, Refusal, Spread, SteppedEmulation, Trace, TraceRequest,
};
use parhelion_core::feed::{ChainEvent, Feed};
use parhelion_core::pool::{Pool, PoolError, Waiting};
use parhelion_core::simulation::{SimulatedBlock, SimulatedCall, Simulation, SimulationError};
use parhelion_core::store::{Block, BlockId, Executed, FoundLog, LogFilter, Store, StoreError};
use parhelion_core::touched::{Image, TouchedAccount, TouchedAccounts};
use parhelion_core::transaction::{Transaction, encode};
use parhelion_rpc::{Config, Methods, Running, Services, serve};
use parhelion_wire::ProgramError;
use parhelion_wire::event::Outcome;
use revm_inspectors::tracing::types::{CallTrace, CallTraceNode, TraceMemberOrder};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{broadcast, watch};

pub(crate) const CHAIN_ID: u64 = 1_337;
pub(crate) const GWEI: u64 = 1_000_000_000;
pub(crate) const BLOCK_GAS_LIMIT: u64 = 30_000_000;
pub(crate) const LOGS_MAX: usize = 3;
/// Before transactions with this nonce and higher ones, another is missing.
pub(crate) const GAPPED: u64 = 100;

/// Callees with a behaviour.
pub(crate) mod callee {
    use alloy_primitives::Address;

    /// Returns the data that it gets.
    pub(crate) const ECHO: Address = Address::repeat_byte(0xe0);
    /// Reverts with the data that it gets.
    pub(crate) const REVERT: Address = Address::repeat_byte(0xe1);
    /// Halts.
    pub(crate) const HALT: Address = Address::repeat_byte(0xe2);
    /// Runs out of rent gas.
    pub(crate) const RENT: Address = Address::repeat_byte(0xe3);
    /// The program would refuse.
    pub(crate) const REFUSED: Address = Address::repeat_byte(0xe4);
    /// The cluster does not answer.
    pub(crate) const UNREACHABLE: Address = Address::repeat_byte(0xe5);
    /// Never ends.
    pub(crate) const HANGS: Address = Address::repeat_byte(0xe6);
    /// Touches too many accounts.
    pub(crate) const TOO_MANY: Address = Address::repeat_byte(0xe7);
}

/// The key of person `n`.
pub(crate) fn signer(n: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(n)).unwrap()
}

fn sign<T>(mut transaction: T, by: u8) -> Transaction
where
    T: SignableTransaction<Signature> + Send,
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    let signature = signer(by).sign_transaction_sync(&mut transaction).unwrap();
    Transaction::decode(encode(&TxEnvelope::from(transaction.into_signed(signature)))).unwrap()
}

/// A legacy transaction of person `by`.
pub(crate) fn legacy(by: u8, nonce: u64, to: TxKind) -> Transaction {
    let chain_id = Some(CHAIN_ID);
    let gas_price = u128::from(3 * GWEI);
    let input = Bytes::from([0xab, 0xcd]);
    sign(TxLegacy { chain_id, nonce, gas_price, gas_limit: 100_000, to, value: U256::from(5), input }, by)
}

/// An EIP-1559 transaction of person `by`.
pub(crate) fn dynamic(by: u8, nonce: u64, to: TxKind) -> Transaction {
    let transaction = TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 2_000_000,
        max_fee_per_gas: u128::from(4 * GWEI),
        max_priority_fee_per_gas: u128::from(GWEI),
        to,
        ..TxEip1559::default()
    };
    sign(transaction, by)
}

/// A contract of the chain, its topics and its logs.
pub(crate) const TOKEN: Address = Address::repeat_byte(0x70);
pub(crate) const OTHER_TOKEN: Address = Address::repeat_byte(0x71);
pub(crate) const TRANSFER: B256 = B256::repeat_byte(0xdd);
pub(crate) const APPROVAL: B256 = B256::repeat_byte(0xaa);
pub(crate) const ALICE: B256 = B256::repeat_byte(0xa1);
pub(crate) const COINBASE: Address = Address::repeat_byte(0xcb);

fn log(address: Address, topics: &[B256], data: &'static [u8]) -> Log {
    Log::new_unchecked(address, topics.to_vec(), Bytes::from_static(data))
}

/// The signature of the Solana transaction with this number, from 1 to 255.
pub(crate) fn solana_signature(number: u8) -> solana_signature::Signature {
    [number; 64].into()
}

/// What an executed transaction adds to the chain.
struct Run {
    transaction: Transaction,
    outcome: Outcome,
    gas_used: u64,
    rent_gas: u64,
    price: u64,
    logs: Vec<Log>,
}

fn block(parent: Option<&Block>, runs: Vec<Run>) -> Block {
    let header = Header {
        number: parent.map_or(0, |parent| parent.header.number + 1),
        parent_hash: parent.map_or(B256::ZERO, |parent| parent.hash),
        timestamp: parent.map_or(1_700_000_000, |parent| parent.header.timestamp + 2),
        beneficiary: COINBASE,
        gas_limit: BLOCK_GAS_LIMIT,
        gas_used: runs.iter().map(|run| run.gas_used).sum(),
        base_fee_per_gas: Some(GWEI),
        ..Header::default()
    };
    let (hash, mut gas, mut logs) = (header.hash_slow(), 0, 0);
    let transactions = runs.into_iter().zip(0..).map(|(run, index)| {
        gas += run.gas_used;
        let first_log_index = logs;
        logs += run.logs.len() as u64;
        let signature = solana_signature(index as u8 + 1);
        Arc::new(Executed {
            transaction: run.transaction,
            block_number: header.number,
            block_hash: hash,
            block_timestamp: header.timestamp,
            index,
            outcome: run.outcome,
            gas_used: run.gas_used,
            rent_gas: run.rent_gas,
            cumulative_gas_used: gas,
            effective_gas_price: U256::from(run.price),
            logs: run.logs,
            first_log_index,
            coinbase: COINBASE,
            signature,
            compute_units: 31_000 + index,
            // As many in front of it as its index says, of 1,000 units each.
            signatures: (0..index)
                .map(|number| solana_signature(100 + number as u8))
                .chain([signature])
                .collect(),
            total_compute_units: 31_000 + index + 1_000 * index,
        })
    });
    let transactions = transactions.collect();
    Block { hash, header, transactions }
}

/// Genesis; a block with a legacy call of two logs and a failed creation; a block with a call of one log.
fn chain() -> Vec<Arc<Block>> {
    let token = TxKind::Call(TOKEN);
    let genesis = block(None, vec![]);
    let first = block(
        Some(&genesis),
        vec![
            Run {
                transaction: legacy(1, 0, token),
                outcome: Outcome::Success,
                gas_used: 50_000,
                rent_gas: 0,
                price: 3 * GWEI,
                logs: vec![log(TOKEN, &[TRANSFER, ALICE], &[1; 32]), log(OTHER_TOKEN, &[APPROVAL], &[])],
            },
            Run {
                transaction: dynamic(2, 0, TxKind::Create),
                outcome: Outcome::OutOfRentGas,
                gas_used: 2_000_000,
                rent_gas: 900_000,
                price: 2 * GWEI,
                logs: vec![],
            },
        ],
    );
    let second = block(
        Some(&first),
        vec![Run {
            transaction: dynamic(1, 1, TxKind::Create),
            outcome: Outcome::Success,
            gas_used: 700_000,
            rent_gas: 400_000,
            price: 2 * GWEI,
            logs: vec![log(OTHER_TOKEN, &[TRANSFER], &[2; 32])],
        }],
    );
    vec![Arc::new(genesis), Arc::new(first), Arc::new(second)]
}

/// All services in one.
pub(crate) struct Fake {
    /// The chain at the beginning.
    pub(crate) blocks: Vec<Arc<Block>>,
    /// Blocks behind it.
    added: Mutex<Vec<Arc<Block>>>,
    chain_events: Feed<ChainEvent>,
    pub(crate) finalized: watch::Sender<u64>,
    /// The number of the first block that is shown.
    pub(crate) first: AtomicUsize,
    accepted: Feed<Transaction>,
    pub(crate) waiting: Mutex<Vec<Transaction>>,
    pub(crate) pool_error: Mutex<Option<PoolError>>,
    pub(crate) last_call: Mutex<Option<Call>>,
    pub(crate) last_emulated: Mutex<Option<Transaction>>,
    pub(crate) last_simulation: Mutex<Option<Simulation>>,
    /// What happened in the emulator and the pool, in order.
    pub(crate) journal: Mutex<Vec<String>>,
    reading: AtomicUsize,
    /// The most reads that ever ran at a time.
    pub(crate) reading_max: AtomicUsize,
}

impl Fake {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            blocks: chain(),
            added: Mutex::default(),
            chain_events: Feed::new(),
            finalized: watch::Sender::new(2),
            first: AtomicUsize::new(0),
            accepted: Feed::new(),
            waiting: Mutex::default(),
            pool_error: Mutex::default(),
            last_call: Mutex::default(),
            last_emulated: Mutex::default(),
            last_simulation: Mutex::default(),
            journal: Mutex::default(),
            reading: AtomicUsize::new(0),
            reading_max: AtomicUsize::new(0),
        })
    }

    pub(crate) fn services(self: &Arc<Self>, extensions: Methods) -> Services {
        Services {
            emulator: self.clone(),
            pool: self.clone(),
            store: self.clone(),
            chain_events: self.chain_events.clone(),
            finalized: self.finalized.subscribe(),
            wallet: Arc::default(),
            extensions,
        }
    }

    /// A server with default limits on a free port.
    pub(crate) async fn serve(self: &Arc<Self>) -> Running {
        let config = Config::new(([127, 0, 0, 1], 0).into());
        serve(config, self.services(Methods::new())).await.unwrap()
    }

    /// Every block.
    fn all(&self) -> Vec<Arc<Block>> {
        self.blocks.iter().chain(&*self.added.lock().unwrap()).cloned().collect()
    }

    /// Adds a block with these transactions, each with a log of [`TOKEN`].
    pub(crate) fn mine(&self, transactions: Vec<Transaction>) -> Arc<Block> {
        let runs = transactions.into_iter().map(|transaction| Run {
            transaction,
            outcome: Outcome::Success,
            gas_used: 30_000,
            rent_gas: 0,
            price: 2 * GWEI,
            logs: vec![log(TOKEN, &[TRANSFER, ALICE], &[3; 32])],
        });
        let block = Arc::new(block(self.all().last().map(|parent| &**parent), runs.collect()));
        self.added.lock().unwrap().push(Arc::clone(&block));
        self.chain_events.publish(ChainEvent::Added(Arc::clone(&block)));
        block
    }

    /// Takes the newest block back.
    pub(crate) fn unmine(&self) {
        let block = self.added.lock().unwrap().pop().unwrap();
        self.chain_events.publish(ChainEvent::Removed(block));
    }

    pub(crate) fn executed(&self, block: usize, index: usize) -> &Executed {
        &self.blocks[block].transactions[index]
    }
}

#[async_trait]
impl Emulator for Fake {
    async fn settings(&self) -> Result<ChainSettings, EmulatorError> {
        Ok(ChainSettings { chain_id: CHAIN_ID, base_fee: GWEI, block_gas_limit: BLOCK_GAS_LIMIT })
    }

    async fn account(&self, address: Address) -> Result<AccountState, EmulatorError> {
        let reading = self.reading.fetch_add(1, Ordering::SeqCst) + 1;
        self.reading_max.fetch_max(reading, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.reading.fetch_sub(1, Ordering::SeqCst);
        self.journal.lock().unwrap().push("account".into());
        if address == callee::UNREACHABLE {
            return Err(ClusterError::Unreachable("no route".into()).into());
        }
        Ok(AccountState { nonce: 2, balance: U256::from(address.0[19]) << 128 })
    }

    async fn code(&self, address: Address) -> Result<Bytes, EmulatorError> {
        let is_contract = address == TOKEN || address == signer(1).address().create(1);
        Ok(if is_contract { Bytes::from([0x60, 0x00]) } else { Bytes::new() })
    }

    async fn storage(&self, _: Address, key: U256) -> Result<B256, EmulatorError> {
        Ok(key.into())
    }

    async fn call(&self, call: &Call) -> Result<Execution, EmulatorError> {
        *self.last_call.lock().unwrap() = Some(call.clone());
        let outcome = match call.to {
            Some(callee::REVERT) => Outcome::Revert,
            Some(callee::HALT) => Outcome::Halt,
            Some(callee::RENT) => Outcome::OutOfRentGas,
            Some(callee::TOO_MANY) => return Err(EmulatorError::TooManyAccounts),
            Some(callee::UNREACHABLE) => return Err(ClusterError::Unreachable("no route".into()).into()),
            Some(callee::HANGS) => std::future::pending().await,
            Some(callee::REFUSED) => {
                let detail = "balance 1, tx cost 2".into();
                return Err(EmulatorError::Refused(Refusal {
                    error: ProgramError::InsufficientFunds,
                    detail,
                }));
            }
            _ => Outcome::Success,
        };
        let output = call.data.clone();
        Ok(Execution {
            outcome,
            reason: if outcome == Outcome::OutOfRentGas { "out of rent gas" } else { "out of gas" },
            gas_used: 21_000,
            rent_gas: 0,
            output,
            logs: vec![],
            created: None,
        })
    }

    async fn estimate(&self, call: &Call) -> Result<Estimate, EmulatorError> {
        let execution = self.call(call).await?;
        match execution.outcome {
            Outcome::Success => Ok(Estimate { gas_limit: 921_000, rent_gas: 900_000 }),
            Outcome::Revert => Err(EmulatorError::Reverted { output: execution.output }),
            Outcome::Halt | Outcome::OutOfRentGas | Outcome::Cancelled => {
                Err(EmulatorError::GasExceedsAllowance { allowance: BLOCK_GAS_LIMIT })
            }
        }
    }

    async fn access_list(&self, call: &Call) -> Result<AccessListOutcome, EmulatorError> {
        let item = AccessListItem { address: TOKEN, storage_keys: vec![ALICE] };
        Ok(AccessListOutcome { access_list: AccessList(vec![item]), execution: self.call(call).await? })
    }

    /// An outermost call of [`callee::ECHO`], and one that it makes of a precompile.
    async fn trace(&self, call: &Call, request: TraceRequest) -> Result<Trace, EmulatorError> {
        let execution = self.call(call).await?;
        let node = |idx: usize, precompile: bool| CallTraceNode {
            parent: idx.checked_sub(1),
            children: if idx == 0 { vec![1] } else { vec![] },
            idx,
            trace: CallTrace {
                depth: idx,
                address: callee::ECHO,
                data: Bytes::from([1, 2, 3, 4, 5, 6]),
                maybe_precompile: Some(precompile),
                gas_limit: 90_000,
                success: true,
                ..CallTrace::default()
            },
            ordering: if idx == 0 { vec![TraceMemberOrder::Call(0)] } else { vec![] },
            ..CallTraceNode::default()
        };
        let recording = match request {
            TraceRequest::Opcodes(options) if options.limit == Some(1_000_000) => {
                return Err(EmulatorError::TraceTooLarge { max: 5 });
            }
            TraceRequest::Opcodes(_) => {
                Recording::Opcodes(vec![StructLog { op: "STOP".into(), depth: 1, ..StructLog::default() }])
            }
            TraceRequest::Calls => Recording::Calls(vec![node(0, false), node(1, true)]),
            TraceRequest::Accounts => Recording::Accounts(touched()),
            TraceRequest::CallsAndAccounts => {
                Recording::CallsAndAccounts(vec![node(0, false), node(1, true)], touched())
            }
        };
        Ok(Trace { execution, recording })
    }

    /// As a call of the transaction's callee.
    async fn trace_executed(
        &self,
        executed: &Executed,
        request: TraceRequest,
    ) -> Result<Trace, EmulatorError> {
        let to = executed.transaction.inner().to();
        self.trace(&Call { to, ..Call::default() }, request).await
    }

    async fn at(&self, _: Moment) -> Result<Arc<dyn Emulator>, EmulatorError> {
        Err(no_past())
    }

    /// The blocks as they are planned. A call with value has a log.
    async fn simulate(&self, simulation: Simulation) -> Result<Vec<SimulatedBlock>, SimulationError> {
        *self.last_simulation.lock().unwrap() = Some(simulation.clone());
        let mut simulated = Vec::new();
        for planned in simulation.blocks {
            let mut calls = Vec::new();
            for call in &planned.calls {
                let to = call.to.map_or(TxKind::Create, TxKind::Call);
                let transaction = TxEip1559 { chain_id: CHAIN_ID, to, ..TxEip1559::default() };
                let signature = Signature::new(U256::ZERO, U256::ZERO, false);
                let logs = if call.value.is_some() { vec![Log::empty()] } else { vec![] };
                calls.push(SimulatedCall {
                    transaction: transaction.into_signed(signature).into(),
                    sender: call.from.unwrap_or_default(),
                    gas_price: 7,
                    execution: self.call(call).await?,
                    logs,
                    gas_used_max: 22_000,
                });
            }
            let (number, timestamp) = (planned.number(), planned.time());
            let header = Header { number, timestamp, ..Header::default() };
            simulated.push(SimulatedBlock { hash: header.hash_slow(), header, calls });
        }
        Ok(simulated)
    }

    async fn emulate(&self, _: &Transaction, _: Address) -> Result<Emulation, EmulatorError> {
        panic!("the server emulates nothing");
    }

    /// Two accounts, unless nobody is the sender.
    async fn emulate_in_steps(
        &self,
        transaction: &Transaction,
        coinbase: Address,
        _: Option<Vec<u8>>,
    ) -> Result<SteppedEmulation, EmulatorError> {
        assert_eq!(coinbase, COINBASE);
        *self.last_emulated.lock().unwrap() = Some(transaction.clone());
        if transaction.sender() == Address::ZERO {
            let refusal = Refusal { error: ProgramError::InsufficientFunds, detail: String::new() };
            return Err(EmulatorError::Refused(refusal));
        }
        let execution = self.call(&Call { to: transaction.inner().to(), ..Call::default() }).await?;
        let used = |(number, writable)| AccountUse { address: [number; 32], writable };
        let emulation = Emulation {
            execution,
            accounts: [(1, true), (2, false)].map(used).into(),
            codes: vec![],
            deployed_codes: vec![],
            slot: 0,
        };
        let (stack_words, memory_bytes, gas_left, paused_at) = (0, 0, 0, u64::MAX);
        Ok(SteppedEmulation { emulation, stack_words, memory_bytes, gas_left, paused_at })
    }

    async fn spread(&self, _: &Transaction, _: Address, _: Option<Vec<u8>>) -> Result<Spread, EmulatorError> {
        panic!("the server emulates nothing")
    }
}

#[async_trait]
impl Pool for Fake {
    async fn submit(&self, transaction: Transaction) -> Result<B256, PoolError> {
        self.journal.lock().unwrap().push("submit".into());
        tokio::time::sleep(Duration::from_millis(5)).await;
        if let Some(error) = self.pool_error.lock().unwrap().clone() {
            return Err(error);
        }
        let hash = transaction.hash();
        self.waiting.lock().unwrap().push(transaction.clone());
        self.accepted.publish(transaction);
        tracing::info!("the fake pool has it");
        Ok(hash)
    }

    fn transaction(&self, hash: B256) -> Option<Transaction> {
        self.waiting.lock().unwrap().iter().find(|transaction| transaction.hash() == hash).cloned()
    }

    fn pending_nonce(&self, sender: Address, next: u64) -> u64 {
        let waiting = self.waiting.lock().unwrap();
        next + waiting.iter().filter(|transaction| transaction.sender() == sender).count() as u64
    }

    fn waiting(&self, sender: Option<Address>) -> Vec<Waiting> {
        let waiting = self.waiting.lock().unwrap();
        let wanted =
            waiting.iter().filter(|transaction| sender.is_none_or(|sender| sender == transaction.sender()));
        wanted
            .map(|transaction| Waiting {
                transaction: transaction.clone(),
                is_gapped: transaction.inner().nonce() >= GAPPED,
            })
            .collect()
    }

    fn accepted(&self) -> broadcast::Receiver<Transaction> {
        self.accepted.subscribe()
    }
}

#[async_trait]
impl Store for Fake {
    async fn latest(&self) -> Result<u64, StoreError> {
        Ok(self.all().len() as u64 - 1)
    }

    async fn block(&self, id: BlockId) -> Result<Option<Arc<Block>>, StoreError> {
        let blocks = self.all();
        Ok(match id {
            BlockId::Latest => blocks.last(),
            BlockId::Earliest => blocks.get(self.first.load(Ordering::Relaxed)),
            BlockId::Number(number) => usize::try_from(number).ok().and_then(|number| blocks.get(number)),
            BlockId::Hash(hash) => blocks.iter().find(|block| block.hash == hash),
        }
        .cloned())
    }

    async fn executed(&self, hash: B256) -> Result<Option<Arc<Executed>>, StoreError> {
        let blocks = self.all();
        let mut all = blocks.iter().flat_map(|block| &block.transactions);
        Ok(all.find(|executed| executed.transaction.hash() == hash).cloned())
    }

    async fn lookup(&self, lookup: &Lookup) -> Result<Vec<Arc<Executed>>, StoreError> {
        let mut found = Vec::new();
        for block in self.all() {
            let in_range = (lookup.from_block..=lookup.to_block).contains(&block.header.number);
            let all = block.transactions.iter().filter(|executed| Clue::of(executed).contains(&lookup.clue));
            found.extend(all.filter(|_| in_range).cloned());
        }
        if lookup.newest_first {
            found.reverse();
        }
        found.truncate(lookup.max);
        Ok(found)
    }

    async fn logs(&self, filter: &LogFilter) -> Result<Vec<FoundLog>, StoreError> {
        let blocks = self.all();
        assert!(filter.to_block < blocks.len() as u64, "the server clamps ranges");
        let blocks = &blocks[filter.from_block as usize..=filter.to_block as usize];
        let mut found = Vec::new();
        for executed in blocks.iter().flat_map(|block| &block.transactions) {
            found.extend(executed.matching(filter));
        }
        if found.len() > LOGS_MAX { Err(StoreError::TooManyLogs { max: LOGS_MAX }) } else { Ok(found) }
    }

    async fn roll_back(&self, _: u64) -> Result<(), StoreError> {
        panic!("the server writes nothing");
    }

    async fn append(&self, _: Block) -> Result<(), StoreError> {
        panic!("the server writes nothing");
    }
}

fn no_past() -> EmulatorError {
    ClusterError::Unsupported("a fake has no past".to_owned()).into()
}

/// What every run touches: a sender, a contract that is changed and one that is not, one that is created, one that is
/// gone, and an address with nothing.
fn touched() -> TouchedAccounts {
    let image = |nonce, balance: u64, code: &'static [u8], storage: [u8; 3]| {
        let storage =
            (1..).zip(storage).map(|(key, value)| (B256::with_last_byte(key), B256::with_last_byte(value)));
        let storage = if code.is_empty() { BTreeMap::new() } else { storage.collect() };
        let state = AccountState { nonce, balance: U256::from(balance) };
        Image { state, code: Bytes::from_static(code), storage }
    };
    let accounts = [
        (image(7, 100, &[], [0; 3]), image(8, 0, &[], [0; 3])),
        (image(1, 5, &[0xfe], [1, 2, 0]), image(1, 5, &[0xfe], [1, 0, 3])),
        (image(1, 0, &[0xfe], [1, 0, 0]), image(1, 0, &[0xfe], [1, 0, 0])),
        (image(0, 0, &[], [0; 3]), image(1, 9, &[0xfd], [4, 0, 0])),
        (image(0, 6, &[], [0; 3]), image(0, 0, &[], [0; 3])),
        (image(0, 0, &[], [0; 3]), image(0, 0, &[], [0; 3])),
    ];
    let touched =
        |(number, (before, after))| (Address::with_last_byte(number), TouchedAccount { before, after });
    (0xa1..).zip(accounts).map(touched).collect()
}
