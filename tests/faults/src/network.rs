//! What lies between the nodes and the cluster: it delays, loses, reorders, and shows the past.

use crate::fate::{CallKind, Fate, Weather};
use crate::gate::{Gate, Key};
use crate::past::Past;
use fastrand::Rng;
use parhelion_core::cluster::{Clock, Cluster, ClusterError, Snapshot};
use parhelion_solana::SvmCluster;
use parhelion_wire::instruction::tag;
use solana_address::Address;
use solana_hash::Hash;
use solana_transaction::versioned::VersionedTransaction;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often the slots that passed are made up for.
const TICK: Duration = Duration::from_secs(2);
/// Slots of a tick: 400 ms each.
const SLOTS_PER_TICK: u32 = 5;
/// The caller of calls that no node makes.
const NOBODY: u32 = u32::MAX;

/// A call of a node.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its kind.
    pub kind: CallKind,
    /// What it asks for, hashed.
    pub content: u64,
    /// The same in words.
    pub text: String,
}

impl Call {
    /// A call that asks for something.
    pub fn new(kind: CallKind, name: &str, asked: impl std::hash::Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        (name, asked).hash(&mut hasher);
        Self { kind, content: hasher.finish(), text: name.to_owned() }
    }

    /// A call with a transaction.
    #[must_use]
    pub fn with(kind: CallKind, name: &str, transaction: &VersionedTransaction, program: &Address) -> Self {
        let mut call = Self::new(kind, name, transaction.message.serialize());
        call.text = format!("{name} {}", words(transaction, program).join(" "));
        call
    }
}

/// The cluster, and what nodes see of it.
pub struct Network {
    /// The cluster as it is.
    pub svm: SvmCluster,
    gate: Gate,
    seed: u64,
    start: Instant,
    state: Mutex<State>,
}

struct State {
    calls: u64,
    weather: Weather,
    /// Until when nodes reach nothing.
    outages: BTreeMap<u32, Instant>,
    past: Past,
    /// The slot in which a transaction landed last.
    landed: u64,
    /// Transactions that are on their way without a node that waits for them.
    on_their_way: usize,
    trace: DefaultHasher,
    /// Lines for people, where asked for.
    lines: Option<Vec<String>>,
    fates: BTreeMap<&'static str, u64>,
}

impl Network {
    /// A network in front of a cluster.
    #[must_use]
    pub fn new(svm: SvmCluster, seed: u64, weather: Weather, is_told: bool) -> Self {
        let state = State {
            calls: 0,
            weather,
            outages: BTreeMap::new(),
            past: Past::default(),
            landed: 0,
            on_their_way: 0,
            trace: DefaultHasher::new(),
            lines: is_told.then(Vec::new),
            fates: BTreeMap::new(),
        };
        Self { svm, gate: Gate::default(), seed, start: Instant::now(), state: Mutex::new(state) }
    }

    /// Lets calls through and time pass, for ever.
    pub async fn run(&self) {
        // Polled in this order, always.
        futures::future::join(self.gate.keep(Rng::with_seed(self.seed)), self.tick()).await;
    }

    /// Makes the slots that pass while nothing lands.
    async fn tick(&self) {
        loop {
            sleep(TICK).await;
            self.gate.pass(Key { caller: NOBODY, content: 0 }).await;
            let ticked = async {
                self.svm.advance_time(TICK.as_secs() as u32).await?;
                self.svm.make_empty_blocks(SLOTS_PER_TICK).await?;
                self.svm.clock().await
            };
            if let Ok(clock) = ticked.await {
                self.state().past.tick(clock);
            }
        }
    }

    /// Lets a call through, and draws its fate and its number.
    pub async fn enter(&self, caller: u32, call: &Call) -> (u64, Fate) {
        self.gate.pass(Key { caller, content: call.content }).await;
        let mut state = self.state();
        state.calls += 1;
        let number = state.calls;
        let mut rng = Rng::with_seed(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let weather = state.weather;
        let is_out = state.outages.get(&caller).is_some_and(|end| Instant::now() < *end);
        let fate = if is_out {
            Fate::Lost { after_ms: rng.u64(1..2_000) }
        } else {
            let fate = Fate::draw(&mut rng, &weather, call.kind);
            // Trouble comes in company: what cuts off one call often cuts off those that follow.
            let is_cut_off = matches!(fate, Fate::Lost { .. } | Fate::AnswerLost { .. } | Fate::Late { .. })
                && rng.u8(0..3) == 0;
            if is_cut_off || rng.u16(0..1000) < weather.outage {
                let length = Duration::from_millis(rng.u64(0..=weather.outage_ms_max));
                state.outages.insert(caller, Instant::now() + length);
            }
            fate
        };
        (number, caller, call.content, fate).hash(&mut state.trace);
        *state.fates.entry(name(&fate)).or_default() += 1;
        drop(state);
        self.tell(|| format!("{number}: node {caller}: {} ({:016x}): {fate:?}", call.text, call.content));
        (number, fate)
    }

    /// Lands a transaction, and gives its slot.
    ///
    /// # Errors
    /// The cluster's.
    pub async fn land(&self, transaction: &VersionedTransaction) -> Result<u64, ClusterError> {
        let addresses = transaction.message.static_account_keys();
        let before = self.svm.accounts(addresses).await?.accounts;
        self.svm.send(transaction).await?;
        let Snapshot { clock, accounts: after } = self.svm.accounts(addresses).await?;
        let mut state = self.state();
        state.past.tick(clock);
        state.landed = clock.slot;
        let changes = addresses.iter().zip(before.into_iter().zip(after));
        for (address, (before, after)) in changes.filter(|(_, (before, after))| before != after) {
            state.past.before(*address, before);
            state.past.after(*address, clock.slot, after);
        }
        Ok(clock.slot)
    }

    /// Lands a transaction later, whatever becomes of who sent it.
    pub fn land_later(self: &Arc<Self>, transaction: VersionedTransaction, after: Duration) {
        self.state().on_their_way += 1;
        let network = Arc::clone(self);
        tokio::spawn(async move {
            sleep(after).await;
            let program = network.svm.deployment().program_id.into();
            let call = Call::with(CallKind::Send, "late", &transaction, &program);
            network.gate.pass(Key { caller: NOBODY, content: call.content }).await;
            let landed = network.land(&transaction).await;
            network.tell(|| format!("{}: {landed:?}", call.text));
            network.state().on_their_way -= 1;
        });
    }

    /// Whether a transaction is on its way that no node waits for.
    pub fn is_busy(&self) -> bool {
        self.state().on_their_way > 0
    }

    /// The slot in which a transaction landed last.
    pub fn landed(&self) -> u64 {
        self.state().landed
    }

    /// Accounts as they were `lag` slots ago, but not before the slot `floor`.
    ///
    /// # Errors
    /// The cluster's.
    pub async fn old_accounts(
        &self,
        addresses: &[Address],
        lag: u64,
        floor: u64,
    ) -> Result<Snapshot, ClusterError> {
        let Snapshot { clock, accounts } = self.svm.accounts(addresses).await?;
        let state = self.state();
        let clock = state.past.clock(clock.slot.saturating_sub(lag).max(floor), clock);
        let old = addresses.iter().zip(accounts);
        let accounts = old.map(|(address, now)| state.past.account(address, clock, now)).collect();
        Ok(Snapshot { clock, accounts })
    }

    /// The cluster with the accounts that it had `lag` slots ago, but not before the slot `floor`.
    ///
    /// # Errors
    /// The cluster's.
    pub async fn old_cluster(&self, lag: u64, floor: u64) -> Result<SvmCluster, ClusterError> {
        let changed: Vec<Address> = self.state().past.changed().collect();
        let cluster = self.svm.fork().await?;
        for batch in changed.chunks(parhelion_core::cluster::ACCOUNTS_MAX) {
            let old = self.old_accounts(batch, lag, floor).await?.accounts;
            for (address, account) in batch.iter().zip(old) {
                let nothing = || parhelion_core::cluster::Account {
                    lamports: 0,
                    owner: Address::default(),
                    data: Vec::new(),
                };
                cluster.set_account(*address, account.unwrap_or_else(nothing)).await?;
            }
        }
        Ok(cluster)
    }

    /// A blockhash of `blocks` blocks ago, as far as blocks are known.
    ///
    /// # Errors
    /// The cluster's.
    pub async fn old_blockhash(&self, blocks: u64) -> Result<Hash, ClusterError> {
        let newest = self.svm.latest_blockhash().await?;
        // The sysvar has the slots before the newest: the first one is a block ago.
        let hashes = self.svm.slot_hashes().await?;
        let place = usize::try_from(blocks.saturating_sub(1)).unwrap_or(usize::MAX);
        Ok(hashes.get(place).map_or(newest, |(_, hash)| Hash::new_from_array(*hash)))
    }

    /// Changes the weather; with it outages end.
    pub fn set_weather(&self, weather: Weather) {
        let mut state = self.state();
        state.weather = weather;
        state.outages.clear();
    }

    /// The cluster's clock.
    ///
    /// # Errors
    /// The cluster's.
    pub async fn clock(&self) -> Result<Clock, ClusterError> {
        self.svm.clock().await
    }

    /// Notes a line for people, where asked for.
    pub fn tell(&self, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.state().lines {
            let at = self.start.elapsed().as_millis();
            lines.push(format!("{at:>7} {}", line()));
        }
    }

    /// The lines so far.
    pub fn take_lines(&self) -> Vec<String> {
        self.state().lines.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Waits until there were so many calls.
    pub async fn until_calls(&self, count: u64) {
        while self.state().calls < count {
            sleep(TICK).await;
        }
    }

    /// How many calls there were, and a hash of all of them with their fates.
    pub fn trace(&self) -> (u64, u64) {
        let state = self.state();
        (state.calls, state.trace.finish())
    }

    /// How many calls had which fate.
    pub fn fates(&self) -> BTreeMap<&'static str, u64> {
        self.state().fates.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fate in a word.
const fn name(fate: &Fate) -> &'static str {
    match fate {
        Fate::Answered => "answered",
        Fate::Lost { .. } => "lost",
        Fate::AnswerLost { .. } => "answer lost",
        Fate::Slow { .. } => "slow",
        Fate::Stale { .. } => "stale",
        Fate::Dropped => "dropped",
        Fate::Late { .. } => "late",
        Fate::OldBlockhash { .. } => "old blockhash",
    }
}

/// The program's instructions in a transaction, in a word each; neighbours that are alike once.
#[must_use]
pub fn words(transaction: &VersionedTransaction, program: &Address) -> Vec<&'static str> {
    let keys = transaction.message.static_account_keys();
    let is_ours = |index: u8| keys.get(usize::from(index)) == Some(program);
    let instructions = transaction.message.instructions().iter();
    let ours = instructions.filter(|instruction| is_ours(instruction.program_id_index));
    let mut words: Vec<&str> = ours.filter_map(|ours| ours.data.first().map(|tag| word(*tag))).collect();
    words.dedup();
    words
}

const fn word(tag: u8) -> &'static str {
    match tag {
        tag::EXECUTE => "execute",
        tag::EXECUTE_FROM_HOLDER => "execute-from-holder",
        tag::HOLDER_CREATE => "create",
        tag::HOLDER_WRITE => "write",
        tag::HOLDER_CLOSE => "close",
        tag::CODE_RESERVE => "reserve",
        tag::BEGIN => "begin",
        tag::STEP => "step",
        tag::LOCK => "lock",
        tag::CANCEL => "cancel",
        _ => "other",
    }
}
