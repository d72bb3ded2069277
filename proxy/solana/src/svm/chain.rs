//! The VM, its clock and the blocks that it made.

use super::{BLOCKHASH_BLOCKS_MAX, BLOCKS_MAX, Features, SvmOptions};
use crate::failure::transaction_failed;
use crate::landed::{self, Inner};
use agave_feature_set::{FeatureSet, enable_tx_v1};
use litesvm::LiteSVM;
use litesvm::types::TransactionMetadata;
use parhelion_core::cluster::{Account, Clock, ClusterError, LandedBlock, Simulation, Snapshot};
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

/// What the hashes of all slots are derived from.
const GENESIS: &[u8] = b"parhelion development chain";

/// A Solana of one transaction a block.
#[derive(Clone)]
pub(super) struct Chain {
    svm: LiteSVM,
    features: Features,
    program_id: Address,
    /// The newest block's slot and time.
    clock: Clock,
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
            hashes: VecDeque::from([(0, slot_hash(GENESIS, 0))]),
            signatures: VecDeque::new(),
            blocks: VecDeque::new(),
            blocks_max: BLOCKS_MAX,
            dropped: 0,
            return_data: Vec::new(),
        };
        chain.enter(clock);
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
        let clock =
            Clock { slot: self.clock.slot + 1, unix_timestamp: self.clock.unix_timestamp.max(unix_time) };
        self.enter(clock);
        match self.svm.simulate_transaction(transaction.clone()) {
            // A simulation gives everything that the transaction wrote, so it runs once and not twice.
            Ok(simulated) => {
                for (address, account) in simulated.post_accounts {
                    let account = account.into();
                    self.svm.set_account(address, account).map_err(|error| unexpected(&error))?;
                }
                self.seal(clock, &transaction, &loaded, simulated.meta)
            }
            Err(failed) => {
                self.enter(self.clock);
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

    /// Makes blocks without transactions.
    pub(super) fn make_empty_blocks(&mut self, count: u32) {
        for _ in 0..count {
            self.clock.slot += 1;
            self.push_hash();
        }
        self.enter(self.clock);
    }

    /// Gives the newest block its hash.
    fn push_hash(&mut self) {
        let (slot, parent) = (self.clock.slot, self.latest_blockhash());
        push_bounded(&mut self.hashes, (slot, slot_hash(parent.as_ref(), slot)), MAX_ENTRIES + 1);
    }

    /// Makes the block of a transaction that succeeded in it.
    fn seal(
        &mut self,
        clock: Clock,
        transaction: &VersionedTransaction,
        loaded: &[Address],
        meta: TransactionMetadata,
    ) -> Result<Signature, ClusterError> {
        let previous_blockhash = self.latest_blockhash();
        self.clock = clock;
        self.push_hash();
        push_bounded(&mut self.signatures, meta.signature, BLOCKHASH_BLOCKS_MAX);
        self.return_data = meta.return_data.data;
        if landed::mentions(&transaction.message, loaded, &self.program_id) {
            let inner = meta.inner_instructions.into_iter().enumerate().flat_map(|(index, inner)| {
                inner.into_iter().map(move |inner| Inner { index, instruction: inner.instruction })
            });
            let landed = landed::transaction(transaction, loaded, inner, meta.compute_units_consumed)
                .ok_or_else(|| unexpected(&"an instruction names an address that is not there"))?;
            if self.blocks.len() >= self.blocks_max
                && let Some(block) = self.blocks.pop_front()
            {
                self.dropped = block.clock.slot;
            }
            self.blocks.push_back(LandedBlock { clock, previous_blockhash, transactions: vec![landed] });
        }
        Ok(meta.signature)
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

    pub(super) fn set_account(&mut self, address: Address, account: Account) -> Result<(), ClusterError> {
        self.svm
            .set_account(address, account_of(account))
            .map_err(|error| ClusterError::Unsupported(format!("account {address} cannot be set: {error}")))
    }

    pub(super) fn accounts(&self, addresses: &[Address]) -> Snapshot {
        let account = |address| {
            let solana_account::Account { lamports, data, owner, .. } = self.svm.get_account(address)?;
            Some(Account { lamports, owner, data })
        };
        Snapshot { clock: self.clock, accounts: addresses.iter().map(account).collect() }
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

    pub(super) const fn clock(&self) -> Clock {
        self.clock
    }

    pub(super) fn advance_time(&mut self, seconds: u32) {
        self.clock.unix_timestamp = self.clock.unix_timestamp.saturating_add(seconds.into());
        self.enter(self.clock);
    }

    pub(super) fn slot_hashes(&self) -> Vec<(u64, [u8; 32])> {
        self.hashes_before(self.clock.slot).map(|(slot, hash)| (slot, hash.to_bytes())).collect()
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
