//! Emulator, relay and store in one: accounts, and a script of what goes wrong.

use crate::{BASE_FEE, CHAIN_ID};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, Bytes, U256};
use async_trait::async_trait;
use parhelion_core::clue::Lookup;
use parhelion_core::cluster::{ClusterError, Moment};
use parhelion_core::emulator::{
    AccessListOutcome, AccountState, Call, ChainSettings, Emulation, Emulator, EmulatorError, Estimate,
    Execution, Refusal, Spread, SteppedEmulation, Trace, TraceRequest,
};
use parhelion_core::relay::{Relay, RelayError};
use parhelion_core::simulation::{SimulatedBlock, Simulation, SimulationError};
use parhelion_core::store::{Block, BlockId, Executed, FoundLog, LogFilter, Store, StoreError};
use parhelion_core::transaction::Transaction;
use parhelion_wire::ProgramError;
use parhelion_wire::event::Outcome;
use solana_signature::Signature;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::sync::{Barrier, Semaphore};

/// What happens to an attempt to land, other than landing.
#[derive(Clone)]
pub(crate) enum Trouble {
    /// It fails with this.
    Fails(RelayError),
    /// It lands, but the answer is this.
    LandsButFails(RelayError),
    /// It lands on a fork that is dropped at once: the accounts stay as they were.
    IsDropped,
    Panics,
}

#[derive(Default)]
struct State {
    accounts: HashMap<Address, AccountState>,
    in_store: HashMap<B256, Arc<Executed>>,
    troubles: HashMap<B256, VecDeque<Trouble>>,
    check_error: Option<RelayError>,
    /// Checks wait here for each other.
    check_barrier: Option<Arc<Barrier>>,
    emulator_error: Option<EmulatorError>,
    store_error: Option<StoreError>,
    /// Sender and nonce of what landed, in order.
    landed: Vec<(Address, u64)>,
    checked: Vec<B256>,
    accounts_read: usize,
    attempts: Vec<B256>,
    in_flight: Vec<Address>,
    in_flight_max: usize,
    /// How many transactions land together, if not one.
    together_max: Option<usize>,
    /// How many were to land together, each time.
    flights: Vec<usize>,
}

pub(crate) struct Chain {
    state: Mutex<State>,
    /// A landing takes a permit, and does not give it back.
    gate: Semaphore,
}

impl Default for Chain {
    fn default() -> Self {
        Self { state: Mutex::default(), gate: Semaphore::new(Semaphore::MAX_PERMITS) }
    }
}

impl Chain {
    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.lock().unwrap())
    }

    /// Lets no transaction land from now on but those that [`Self::open`] allows.
    pub(crate) fn close(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn open(&self, landings: usize) {
        self.gate.add_permits(landings);
    }

    pub(crate) fn set_account(&self, address: Address, nonce: u64, balance: u64) {
        let account = AccountState { nonce, balance: U256::from(balance) };
        self.state(|state| state.accounts.insert(address, account));
    }

    pub(crate) fn set_nonce(&self, address: Address, nonce: u64) {
        self.state(|state| state.accounts.entry(address).or_insert_with(rich).nonce = nonce);
    }

    pub(crate) fn trouble(&self, transaction: B256, troubles: impl IntoIterator<Item = Trouble>) {
        self.state(|state| state.troubles.insert(transaction, troubles.into_iter().collect()));
    }

    /// Lands so many transactions together.
    pub(crate) fn land_together(&self, together_max: usize) {
        self.state(|state| state.together_max = Some(together_max));
    }

    /// How many transactions were to land together, each time.
    pub(crate) fn flights(&self) -> Vec<usize> {
        self.state(|state| state.flights.clone())
    }

    pub(crate) fn fail_checks(&self, error: Option<RelayError>) {
        self.state(|state| state.check_error = error);
    }

    /// Makes this many checks wait for each other.
    pub(crate) fn gather_checks(&self, count: usize) {
        self.state(|state| state.check_barrier = Some(Arc::new(Barrier::new(count))));
    }

    pub(crate) fn fail_emulator(&self, error: Option<EmulatorError>) {
        self.state(|state| state.emulator_error = error);
    }

    pub(crate) fn fail_store(&self, error: Option<StoreError>) {
        self.state(|state| state.store_error = error);
    }

    /// Makes the store answer for a transaction.
    pub(crate) fn store(&self, transaction: Transaction) {
        let executed = executed(transaction);
        self.state(|state| state.in_store.insert(executed.transaction.hash(), executed));
    }

    /// Makes the store know nothing of a transaction any more.
    pub(crate) fn unstore(&self, hash: B256) {
        self.state(|state| state.in_store.remove(&hash));
    }

    pub(crate) fn landed(&self) -> Vec<(Address, u64)> {
        self.state(|state| state.landed.clone())
    }

    pub(crate) fn checked(&self) -> Vec<B256> {
        self.state(|state| state.checked.clone())
    }

    /// How often somebody's account was read.
    pub(crate) fn accounts_read(&self) -> usize {
        self.state(|state| state.accounts_read)
    }

    /// How often it was tried to land a transaction.
    pub(crate) fn attempts(&self, hash: B256) -> usize {
        self.state(|state| state.attempts.iter().filter(|tried| **tried == hash).count())
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.state(|state| state.in_flight.len())
    }

    pub(crate) fn in_flight_max(&self) -> usize {
        self.state(|state| state.in_flight_max)
    }
}

/// A transaction as the store has it.
pub(crate) fn executed(transaction: Transaction) -> Arc<Executed> {
    Arc::new(Executed {
        block_number: 1,
        block_hash: B256::ZERO,
        block_timestamp: 1,
        index: 0,
        outcome: Outcome::Success,
        gas_used: 21_000,
        rent_gas: 0,
        cumulative_gas_used: 21_000,
        effective_gas_price: U256::from(BASE_FEE),
        logs: vec![],
        first_log_index: 0,
        coinbase: Address::ZERO,
        signature: [0; 64].into(),
        compute_units: 1,
        signatures: vec![[0; 64].into()],
        total_compute_units: 1,
        transaction,
    })
}

const fn rich() -> AccountState {
    AccountState { nonce: 0, balance: U256::MAX }
}

pub(crate) fn refusal(error: ProgramError) -> RelayError {
    RelayError::Emulator(EmulatorError::Refused(Refusal { error, detail: "a test".to_owned() }))
}

pub(crate) fn unreachable_cluster() -> RelayError {
    RelayError::Cluster(ClusterError::Unreachable("a test".to_owned()))
}

impl State {
    fn account(&self, address: Address) -> AccountState {
        self.accounts.get(&address).copied().unwrap_or_else(rich)
    }

    fn land(&mut self, transaction: &Transaction) -> Result<Vec<Signature>, RelayError> {
        let trouble = self.troubles.get_mut(&transaction.hash()).and_then(VecDeque::pop_front);
        match &trouble {
            Some(Trouble::Fails(error)) => return Err(error.clone()),
            Some(Trouble::LandsButFails(_) | Trouble::IsDropped | Trouble::Panics) | None => {}
        }
        let (sender, nonce) = (transaction.sender(), transaction.inner().nonce());
        let account = self.accounts.entry(sender).or_insert_with(rich);
        match nonce.cmp(&account.nonce) {
            std::cmp::Ordering::Less => return Err(refusal(ProgramError::NonceTooLow)),
            std::cmp::Ordering::Greater => return Err(refusal(ProgramError::NonceTooHigh)),
            std::cmp::Ordering::Equal if matches!(trouble, Some(Trouble::IsDropped)) => {}
            std::cmp::Ordering::Equal => account.nonce += 1,
        }
        self.landed.push((sender, nonce));
        match trouble {
            Some(Trouble::LandsButFails(error)) => Err(error),
            _ => Ok(vec![Signature::default()]),
        }
    }
}

#[async_trait]
impl Relay for Chain {
    fn coinbase(&self) -> Address {
        Address::repeat_byte(0xcb)
    }

    async fn check(&self, transaction: &Transaction) -> Result<(), RelayError> {
        let barrier = self.state(|state| state.check_barrier.clone());
        if let Some(barrier) = barrier {
            barrier.wait().await;
        }
        self.state(|state| {
            state.checked.push(transaction.hash());
            state.check_error.clone().map_or(Ok(()), Err)
        })
    }

    async fn land_together(&self, transactions: &[Transaction]) -> Result<usize, RelayError> {
        let together_max = self.state(|state| {
            state.flights.push(transactions.len());
            state.together_max.unwrap_or(1)
        });
        let (first, others) = transactions.split_first().unwrap();
        let others = &others[..others.len().min(together_max - 1)];
        let result = self.land(first).await;
        if self.state(|state| state.account(first.sender()).nonce) > first.inner().nonce() {
            // All of them land, or none does.
            others.iter().for_each(|other| drop(self.state(|state| state.land(other)).unwrap()));
        }
        result.map(|_| 1 + others.len())
    }

    async fn land(&self, transaction: &Transaction) -> Result<Vec<Signature>, RelayError> {
        let sender = transaction.sender();
        self.state(|state| {
            state.attempts.push(transaction.hash());
            assert!(!state.in_flight.contains(&sender), "two transactions of a sender are in flight");
            state.in_flight.push(sender);
            state.in_flight_max = state.in_flight_max.max(state.in_flight.len());
        });
        /// The relay notices that it is cancelled.
        struct Leave<'a>(&'a Chain, Address);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                let mut state = self.0.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                state.in_flight.retain(|sender| *sender != self.1);
            }
        }
        let _leave = Leave(self, sender);
        self.gate.acquire().await.unwrap().forget();
        let panics = self.state(|state| {
            let next = state.troubles.get(&transaction.hash()).and_then(VecDeque::front);
            matches!(next, Some(Trouble::Panics))
        });
        assert!(!panics, "a test");
        self.state(|state| state.land(transaction))
    }
}

#[async_trait]
impl Emulator for Chain {
    async fn settings(&self) -> Result<ChainSettings, EmulatorError> {
        self.state(|state| state.emulator_error.clone().map_or(Ok(()), Err))?;
        Ok(ChainSettings { chain_id: CHAIN_ID, base_fee: BASE_FEE, block_gas_limit: 30_000_000 })
    }

    async fn account(&self, address: Address) -> Result<AccountState, EmulatorError> {
        self.state(|state| state.accounts_read += 1);
        self.state(|state| state.emulator_error.clone().map_or(Ok(state.account(address)), Err))
    }

    async fn code(&self, _: Address) -> Result<Bytes, EmulatorError> {
        unreachable!("the pool reads no code")
    }

    async fn storage(&self, _: Address, _: U256) -> Result<B256, EmulatorError> {
        unreachable!("the pool reads no storage")
    }

    async fn call(&self, _: &Call) -> Result<Execution, EmulatorError> {
        unreachable!("the pool calls nothing")
    }

    async fn estimate(&self, _: &Call) -> Result<Estimate, EmulatorError> {
        unreachable!("the pool estimates nothing")
    }

    async fn access_list(&self, _: &Call) -> Result<AccessListOutcome, EmulatorError> {
        unreachable!("the pool lists no accesses")
    }

    async fn simulate(&self, _: Simulation) -> Result<Vec<SimulatedBlock>, SimulationError> {
        unreachable!("the pool simulates nothing")
    }

    async fn trace(&self, _: &Call, _: TraceRequest) -> Result<Trace, EmulatorError> {
        unreachable!("the pool traces nothing")
    }

    async fn trace_executed(&self, _: &Executed, _: TraceRequest) -> Result<Trace, EmulatorError> {
        Err(no_past())
    }

    async fn at(&self, _: Moment) -> Result<Arc<dyn Emulator>, EmulatorError> {
        Err(no_past())
    }

    async fn emulate(&self, _: &Transaction, _: Address) -> Result<Emulation, EmulatorError> {
        unreachable!("the relay emulates")
    }

    async fn emulate_in_steps(
        &self,
        _: &Transaction,
        _: Address,
        _: Option<Vec<u8>>,
    ) -> Result<SteppedEmulation, EmulatorError> {
        unreachable!("the relay emulates")
    }

    async fn spread(&self, _: &Transaction, _: Address, _: Option<Vec<u8>>) -> Result<Spread, EmulatorError> {
        unreachable!("the relay emulates")
    }
}

#[async_trait]
impl Store for Chain {
    async fn latest(&self) -> Result<u64, StoreError> {
        unreachable!("the pool does not look at blocks")
    }

    async fn block(&self, _: BlockId) -> Result<Option<Arc<Block>>, StoreError> {
        unreachable!("the pool does not look at blocks")
    }

    async fn executed(&self, hash: B256) -> Result<Option<Arc<Executed>>, StoreError> {
        self.state(|state| state.store_error.clone().map_or(Ok(state.in_store.get(&hash).cloned()), Err))
    }

    async fn lookup(&self, _: &Lookup) -> Result<Vec<Arc<Executed>>, StoreError> {
        unreachable!("the pool looks nothing else up")
    }

    async fn logs(&self, _: &LogFilter) -> Result<Vec<FoundLog>, StoreError> {
        unreachable!("the pool does not look at logs")
    }

    async fn roll_back(&self, _: u64) -> Result<(), StoreError> {
        unreachable!("the pool takes no blocks off")
    }

    async fn append(&self, _: Block) -> Result<(), StoreError> {
        unreachable!("the pool appends no blocks")
    }
}

fn no_past() -> EmulatorError {
    ClusterError::Unsupported("a fake has no past".to_owned()).into()
}
