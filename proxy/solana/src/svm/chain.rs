//! The VM, its clock and the blocks that it made.

use super::history::History;
use super::time::Time;
use super::{BLOCKHASH_BLOCKS_MAX, BLOCKS_MAX, Features, SvmOptions};
use crate::failure::transaction_failed;
use crate::landed::{self, Inner};
use agave_feature_set::{FeatureSet, enable_tx_v1};
use litesvm::LiteSVM;
use litesvm::types::TransactionMetadata;
use parhelion_core::cluster::{
    Account, Clock, ClusterError, LandedBlock, LandedInstruction, LandedTransaction, Moment, Simulation,
    Snapshot,
};
use parhelion_sdk::address::{program_data_address, sha256};
use parhelion_sdk::transaction::{V0_BYTES_MAX, V1_BYTES_MAX, size};
use solana_address::Address;
use solana_address_lookup_table_interface::state::AddressLookupTable;
use solana_hash::Hash;
use solana_loader_v3_interface::state::UpgradeableLoaderState;
use solana_message::VersionedMessage;
use solana_signature::Signature;
use solana_slot_hashes::{MAX_ENTRIES, SlotHashes};
use solana_transaction::versioned::VersionedTransaction;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the hashes of all slots are derived from.
const GENESIS: &[u8] = b"parhelion development chain";

/// A block that transactions join until it is closed.
#[derive(Clone)]
struct OpenBlock {
    clock: Clock,
    transactions: Vec<LandedTransaction>,
}

/// A Solana of one transaction a block, but for blocks that are opened.
#[derive(Clone)]
pub(super) struct Chain {
    svm: LiteSVM,
    features: Features,
    program_id: Address,
    /// The newest block's slot and time.
    clock: Clock,
    /// How the time of blocks differs from the real one.
    time: Time,
    /// What accounts were, and the number of the next change of one. Snapshots share it.
    history: Arc<Mutex<History>>,
    changes: u64,
    /// The block behind it, while it is open.
    open: Option<OpenBlock>,
    /// Slots and their hashes, the newest block's first. A block's hash is also its blockhash.
    hashes: VecDeque<(u64, Hash)>,
    /// The transactions of the blocks whose blockhash can be used, the newest first.
    signatures: VecDeque<Signature>,
    /// Blocks of the program's transactions, the oldest first.
    blocks: VecDeque<LandedBlock>,
    /// How many of them are kept.
    pub(super) blocks_max: usize,
    /// The newest slot of which the block was dropped.
    dropped: u64,
    /// What the last instruction of the newest block's transaction returned.
    pub(super) return_data: Vec<u8>,
}

impl Chain {
    /// Slot 0 with the program of `options`.
    pub(super) fn start(options: &SvmOptions, unix_time: i64) -> Result<Self, ClusterError> {
        let mut chain = Self::empty(options.program_id, options.features, unix_time);
        chain.deploy(options)?;
        Ok(chain)
    }

    /// Slot 0 with Solana's own programs only.
    pub(super) fn empty(program_id: Address, features: Features, unix_timestamp: i64) -> Self {
        let clock = Clock { slot: 0, unix_timestamp };
        let mut chain = Self {
            svm: vm(features).with_sigverify(true),
            features,
            program_id,
            clock,
            time: Time::default(),
            history: Arc::default(),
            changes: 0,
            open: None,
            hashes: VecDeque::from([(0, slot_hash(GENESIS, 0))]),
            signatures: VecDeque::new(),
            blocks: VecDeque::new(),
            blocks_max: BLOCKS_MAX,
            dropped: 0,
            return_data: Vec::new(),
        };
        chain.enter(clock);
        chain.history().end_block(clock);
        chain
    }

    /// Puts the program there as Solana's upgradeable loader would.
    fn deploy(&mut self, options: &SvmOptions) -> Result<(), ClusterError> {
        let unusable = |reason: String| {
            ClusterError::Unsupported(format!("the program cannot be loaded: {reason}; build it again"))
        };
        self.svm
            .add_program(options.program_id, &options.program)
            .map_err(|error| unusable(error.to_string()))?;
        // The VM deploys without an upgrade authority, and only that key may initialize the chain.
        let address = program_data_address(&options.program_id);
        let mut account =
            self.svm.get_account(&address).ok_or_else(|| unusable("no program data".to_owned()))?;
        let state = UpgradeableLoaderState::ProgramData {
            slot: self.clock.slot,
            upgrade_authority_address: Some(options.upgrade_authority),
        };
        let state = wincode::serialize(&state).map_err(|error| unusable(error.to_string()))?;
        let metadata = account.data.get_mut(..state.len()).ok_or_else(|| unusable("too short".to_owned()))?;
        metadata.copy_from_slice(&state);
        self.svm.set_account(address, account).map_err(|error| unusable(error.to_string()))
    }

    pub(super) fn send(
        &mut self,
        transaction: VersionedTransaction,
        unix_time: i64,
    ) -> Result<Signature, ClusterError> {
        let loaded = self.check_format(&transaction)?;
        let blockhash = transaction.message.recent_blockhash();
        if !self.hashes.iter().take(BLOCKHASH_BLOCKS_MAX).any(|(_, hash)| hash == blockhash) {
            return Err(ClusterError::Expired);
        }
        if let Some(signature) = transaction.signatures.first().filter(|one| self.signatures.contains(one)) {
            return Ok(*signature);
        }
        let clock = self.landing_clock(unix_time);
        self.enter(clock);
        match self.svm.simulate_transaction(transaction.clone()) {
            // A simulation gives everything that the transaction wrote, so it runs once and not twice.
            Ok(simulated) => {
                self.history().begin(simulated.meta.signature);
                let before = self.lamports(&transaction, &loaded);
                for (address, account) in simulated.post_accounts {
                    self.note(address);
                    self.svm.set_account(address, account.into()).map_err(|error| unexpected(&error))?;
                }
                self.time.begin_block(clock.unix_timestamp, unix_time);
                self.land(clock, &transaction, &loaded, &before, simulated.meta)
            }
            Err(failed) => {
                self.enter(self.clock());
                let message = &transaction.message;
                Err(transaction_failed(&failed.err, message, &self.program_id, failed.meta.logs))
            }
        }
    }

    /// Runs a transaction in the newest block.
    pub(super) fn simulate(&self, transaction: VersionedTransaction) -> Result<Simulation, ClusterError> {
        self.check_format(&transaction)?;
        Ok(self.run(transaction))
    }

    /// What a cluster would check while it reads a transaction from the wire; the VM gets it in memory. Gives the addresses
    /// that it looks up: writable ones, then the others.
    fn check_format(&self, transaction: &VersionedTransaction) -> Result<Vec<Address>, ClusterError> {
        let bytes_max = match &transaction.message {
            VersionedMessage::V1(_) if self.features == Features::WithoutV1 => {
                let text = "this cluster has no transactions of format V1";
                return Err(ClusterError::Unsupported(text.to_owned()));
            }
            VersionedMessage::V1(_) => V1_BYTES_MAX,
            VersionedMessage::Legacy(_) | VersionedMessage::V0(_) => V0_BYTES_MAX,
        };
        let bytes = size(transaction);
        if bytes > bytes_max {
            let text = format!("a Solana transaction of {bytes} bytes, at most {bytes_max} are allowed");
            return Err(ClusterError::Unsupported(text));
        }
        let lookups = transaction.message.address_table_lookups().unwrap_or_default();
        let (mut writable, mut read) = (Vec::new(), Vec::new());
        for lookup in lookups {
            let table = self.svm.get_account(&lookup.account_key);
            let table = table.as_ref().and_then(|table| AddressLookupTable::deserialize(&table.data).ok());
            let addresses = table.map(|table| table.addresses.to_vec()).unwrap_or_default();
            let address = |index: &u8| {
                let text = || format!("the lookup table {} has no address {index}", lookup.account_key);
                let address = addresses.get(usize::from(*index)).copied();
                address.ok_or_else(|| ClusterError::Unsupported(text()))
            };
            for (indexes, found) in
                [(&lookup.writable_indexes, &mut writable), (&lookup.readonly_indexes, &mut read)]
            {
                for index in indexes {
                    found.push(address(index)?);
                }
            }
        }
        writable.extend(read);
        Ok(writable)
    }

    fn run(&self, transaction: VersionedTransaction) -> Simulation {
        let message = transaction.message.clone();
        let (meta, failure) = match self.svm.simulate_transaction(transaction) {
            Ok(simulated) => (simulated.meta, None),
            Err(failed) => (failed.meta, Some(failed.err)),
        };
        let failure = failure.map(|error| transaction_failed(&error, &message, &self.program_id, meta.logs));
        Simulation { compute_units: meta.compute_units_consumed, failure }
    }

    /// Shows programs the sysvars of the block `clock`: its slot, and the hashes of the slots before.
    fn enter(&mut self, clock: Clock) {
        let mut sysvar = self.svm.get_sysvar::<solana_clock::Clock>();
        sysvar.slot = clock.slot;
        sysvar.unix_timestamp = clock.unix_timestamp;
        self.svm.set_sysvar(&sysvar);
        self.svm.set_sysvar(&SlotHashes::from_iter(self.hashes_before(clock.slot)));
    }

    /// Makes blocks without transactions. The time stands.
    pub(super) fn make_empty_blocks(&mut self, count: u32) {
        for _ in 0..count {
            self.clock.slot += 1;
            self.push_hash();
            self.history().end_block(self.clock);
        }
        self.enter(self.clock);
    }

    /// The clock of the block behind the newest.
    fn next_clock(&self, unix_time: i64) -> Clock {
        let unix_timestamp = self.time.of_next_block(self.clock.unix_timestamp, unix_time);
        Clock { slot: self.clock.slot + 1, unix_timestamp }
    }

    /// The clock of the block that the next transaction lands in.
    pub(super) fn landing_clock(&self, unix_time: i64) -> Clock {
        self.open.as_ref().map_or_else(|| self.next_clock(unix_time), |open| open.clock)
    }

    /// Lands what was run outside of the VM.
    pub(super) fn land_outside(
        &mut self,
        accounts: Vec<(Address, Account)>,
        instruction: LandedInstruction,
        unix_time: i64,
    ) -> Result<(), ClusterError> {
        // Nobody signed it, but it needs a name of its own.
        let digest = sha256(&[self.latest_blockhash().as_ref(), &instruction.data]);
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&digest);
        let signature = Signature::from(signature);
        self.history().begin(signature);
        for (address, account) in accounts {
            self.replace(address, account)?;
        }
        let clock = self.landing_clock(unix_time);
        self.time.begin_block(clock.unix_timestamp, unix_time);
        let (lamports, instructions) = (Vec::new(), vec![instruction]);
        self.join(clock, [LandedTransaction { signature, compute_units: 0, lamports, instructions }]);
        self.enter(self.clock());
        Ok(())
    }

    /// Opens a block: transactions that succeed join it until it is closed.
    pub(super) fn open_block(&mut self, unix_time: i64) {
        if self.open.is_none() {
            let clock = self.next_clock(unix_time);
            self.time.begin_block(clock.unix_timestamp, unix_time);
            self.open = Some(OpenBlock { clock, transactions: Vec::new() });
        }
    }

    /// Closes the block that is open, if one is.
    pub(super) fn close_block(&mut self) {
        if let Some(OpenBlock { clock, transactions }) = self.open.take() {
            self.seal(clock, transactions);
            self.enter(clock);
        }
    }

    /// Moves the time of blocks on, and gives how far it is ahead of the real one then.
    pub(super) fn increase_time(&mut self, seconds: i64, unix_time: i64) -> i64 {
        let ahead = self.time.increase(seconds, unix_time);
        self.enter(self.clock());
        ahead
    }

    /// Says which time the next block has; none that is earlier than the newest block's.
    pub(super) fn set_next_timestamp(&mut self, timestamp: i64) -> Result<(), ClusterError> {
        let newest = self.clock.unix_timestamp;
        if timestamp < newest {
            let text = format!("timestamp {timestamp} is lower than the previous block's timestamp {newest}");
            return Err(ClusterError::Unsupported(text));
        }
        self.time.set_next(timestamp);
        self.enter(self.clock());
        Ok(())
    }

    /// Gives the newest block its hash.
    fn push_hash(&mut self) {
        let (slot, parent) = (self.clock.slot, self.latest_blockhash());
        push_bounded(&mut self.hashes, (slot, slot_hash(parent.as_ref(), slot)), MAX_ENTRIES + 1);
    }

    /// What the accounts of a transaction hold now.
    fn lamports(&self, transaction: &VersionedTransaction, loaded: &[Address]) -> Vec<u64> {
        let addresses = landed::addresses(&transaction.message, loaded);
        addresses.map(|address| self.svm.get_balance(address).unwrap_or_default()).collect()
    }

    /// Takes a transaction that succeeded in the block `clock`, and makes that block unless others may join it. `before` is
    /// what its accounts held.
    fn land(
        &mut self,
        clock: Clock,
        transaction: &VersionedTransaction,
        loaded: &[Address],
        before: &[u64],
        meta: TransactionMetadata,
    ) -> Result<Signature, ClusterError> {
        push_bounded(&mut self.signatures, meta.signature, BLOCKHASH_BLOCKS_MAX);
        self.return_data = meta.return_data.data;
        let landed = if landed::mentions(&transaction.message, loaded, &self.program_id) {
            let inner = meta.inner_instructions.into_iter().enumerate().flat_map(|(index, inner)| {
                inner.into_iter().map(move |inner| Inner { index, instruction: inner.instruction })
            });
            let after = self.lamports(transaction, loaded);
            let lamports: Vec<(u64, u64)> = before.iter().copied().zip(after).collect();
            Some(
                landed::transaction(transaction, loaded, inner, meta.compute_units_consumed, &lamports)
                    .ok_or_else(|| unexpected(&"an instruction names an address that is not there"))?,
            )
        } else {
            None
        };
        self.join(clock, landed);
        Ok(meta.signature)
    }

    /// Puts a transaction into the block that is open, or into one of its own.
    fn join(&mut self, clock: Clock, landed: impl IntoIterator<Item = LandedTransaction>) {
        match &mut self.open {
            Some(open) => open.transactions.extend(landed),
            None => self.seal(clock, landed.into_iter().collect()),
        }
    }

    /// Makes a block of transactions of the program.
    fn seal(&mut self, clock: Clock, transactions: Vec<LandedTransaction>) {
        let previous_blockhash = self.latest_blockhash();
        let has_own_time = self.clock.unix_timestamp != clock.unix_timestamp;
        self.clock = clock;
        self.push_hash();
        self.history().end_block(clock);
        // What is not kept is empty, and has the time of the block before it.
        if !transactions.is_empty() || has_own_time {
            if self.blocks.len() >= self.blocks_max
                && let Some(block) = self.blocks.pop_front()
            {
                self.dropped = block.clock.slot;
            }
            self.blocks.push_back(LandedBlock { clock, previous_blockhash, transactions });
        }
    }

    pub(super) fn airdrop(&mut self, address: Address, lamports: u64) -> Result<(), ClusterError> {
        let mut account = self
            .svm
            .get_account(&address)
            .unwrap_or_else(|| solana_account::Account::new(0, 0, &solana_sdk_ids::system_program::ID));
        account.lamports = account.lamports.checked_add(lamports).ok_or_else(|| {
            ClusterError::Unsupported(format!("{address} would have more than 2^64 lamports; give it less"))
        })?;
        self.svm.set_account(address, account).map_err(|error| unexpected(&error))
    }

    /// Replaces an account; the newest block is as if it had been so.
    pub(super) fn set_account(&mut self, address: Address, account: Account) -> Result<(), ClusterError> {
        self.replace(address, account)?;
        self.history().end_block(self.clock);
        Ok(())
    }

    fn replace(&mut self, address: Address, account: Account) -> Result<(), ClusterError> {
        self.note(address);
        self.svm
            .set_account(address, account_of(account))
            .map_err(|error| ClusterError::Unsupported(format!("account {address} cannot be set: {error}")))
    }

    pub(super) fn accounts(&self, addresses: &[Address]) -> Snapshot {
        let accounts = addresses.iter().map(|address| self.account(address));
        Snapshot { clock: self.clock(), accounts: accounts.collect() }
    }

    fn account(&self, address: &Address) -> Option<Account> {
        let solana_account::Account { lamports, data, owner, .. } = self.svm.get_account(address)?;
        Some(Account { lamports, owner, data })
    }

    /// What was. Every change of it is complete when the lock is given back.
    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what an account is before it is changed.
    fn note(&mut self, address: Address) {
        let before = self.account(&address);
        let mut history = self.history();
        history.note(address, before);
        let next = history.next();
        drop(history);
        self.changes = next;
    }

    /// The clock that is shown at a moment of the past, and the number of the first change behind it.
    pub(super) fn moment(&self, moment: Moment) -> Result<(Clock, u64), ClusterError> {
        let history = self.history();
        let (slot, before) = match moment {
            Moment::Behind(slot) => (slot, None),
            Moment::Before { slot, transaction } => (slot, Some(transaction)),
        };
        let unknown = || ClusterError::Unsupported(format!("the state at block {slot} is not kept any more"));
        let (clock, end) = history.behind(slot).ok_or_else(unknown)?;
        let change = match before {
            None => end,
            Some(transaction) => history.before(&transaction).ok_or_else(unknown)?,
        };
        if history.knows(change) { Ok((clock, change)) } else { Err(unknown()) }
    }

    /// Accounts as they were before a change.
    pub(super) fn accounts_before(&self, change: u64, addresses: &[Address]) -> Vec<Option<Account>> {
        let history = self.history();
        let account = |address: &Address| match history.account(address, change) {
            Some(found) => found.cloned(),
            None => self.account(address),
        };
        addresses.iter().map(account).collect()
    }

    /// Goes back to what was when `self` was taken as a snapshot of a chain that went on.
    pub(super) fn resume(&mut self) {
        self.history().go_back(self.clock.slot, self.changes);
    }

    /// A chain of its own: what was before is not known there.
    pub(super) fn fork(&self) -> Self {
        let mut fork = self.clone();
        fork.history = Arc::default();
        fork.changes = 0;
        fork.history().end_block(fork.clock);
        fork
    }

    pub(super) fn accounts_beginning(&self, prefix: &[u8]) -> Vec<Address> {
        let accounts = self.svm.get_program_accounts(&self.program_id);
        let found = accounts.into_iter().filter(|(_, account)| account.data.starts_with(prefix));
        found.map(|(address, _)| address).collect()
    }

    pub(super) fn blocks(&self, first: u64, last: u64) -> Result<Vec<LandedBlock>, ClusterError> {
        if self.dropped > 0 && first <= self.dropped {
            return Err(ClusterError::Unsupported(format!(
                "blocks up to slot {} are no longer kept; begin after it, or restart the node",
                self.dropped
            )));
        }
        let from = self.blocks.partition_point(|block| block.clock.slot < first);
        let newer = self.blocks.range(from..);
        Ok(newer.take_while(|block| block.clock.slot <= last).cloned().collect())
    }

    /// What calls see: the newest block's slot, and its time if that was not moved since.
    pub(super) fn clock(&self) -> Clock {
        Clock { unix_timestamp: self.time.of_calls(self.clock.unix_timestamp), ..self.clock }
    }

    pub(super) fn advance_time(&mut self, seconds: u32) {
        self.clock.unix_timestamp = self.clock.unix_timestamp.saturating_add(seconds.into());
        self.enter(self.clock);
    }

    /// What the SlotHashes sysvar shows in a slot, as far as that is still known.
    pub(super) fn slot_hashes(&self, slot: u64) -> Vec<(u64, [u8; 32])> {
        self.hashes_before(slot).map(|(slot, hash)| (slot, hash.to_bytes())).collect()
    }

    /// What the SlotHashes sysvar shows in `slot`: a block does not know its own hash.
    fn hashes_before(&self, slot: u64) -> impl Iterator<Item = (u64, Hash)> {
        self.hashes.iter().copied().filter(move |(other, _)| *other < slot).take(MAX_ENTRIES)
    }

    pub(super) fn latest_blockhash(&self) -> Hash {
        self.hashes.front().map(|(_, hash)| *hash).unwrap_or_default()
    }

    pub(super) fn rent_exemption(&self, data_length: usize) -> u64 {
        self.svm.minimum_balance_for_rent_exemption(data_length)
    }
}

/// A VM with Solana's own programs. It knows neither age nor repetition of transactions.
pub(super) fn vm(features: Features) -> LiteSVM {
    let vm = LiteSVM::default()
        .with_feature_set(feature_set(features))
        .with_builtins()
        .with_sysvars()
        .with_feature_accounts()
        .with_precompiles()
        .with_blockhash_check(false)
        .with_transaction_history(0);
    match features {
        // No SPL programs, nor that of lookup tables, which comes with them: they would double the time to start.
        Features::Mainnet | Features::All => vm,
        Features::WithoutV1 => vm.with_default_programs(),
    }
}

/// An account as the VM has it.
pub(super) fn account_of(account: Account) -> solana_account::Account {
    let Account { lamports, owner, data } = account;
    solana_account::Account { lamports, data, owner, executable: false, rent_epoch: u64::MAX }
}

fn feature_set(features: Features) -> FeatureSet {
    match features {
        Features::All => FeatureSet::all_enabled(),
        Features::WithoutV1 => LiteSVM::mainnet_feature_set(),
        Features::Mainnet => {
            let mut features = LiteSVM::mainnet_feature_set();
            features.activate(&enable_tx_v1::ID, 0);
            features
        }
    }
}

/// The hash of a slot: SHA-256 of the parent's and of the slot.
fn slot_hash(parent: &[u8], slot: u64) -> Hash {
    Hash::new_from_array(sha256(&[parent, &slot.to_le_bytes()]))
}

fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, max: usize) {
    queue.truncate(max.saturating_sub(1));
    queue.push_front(item);
}

/// What cannot happen, told all the same.
fn unexpected(error: &dyn std::fmt::Display) -> ClusterError {
    ClusterError::Unsupported(format!("the in-process Solana VM is damaged: {error}; restart the node"))
}
