//! A cluster in memory, and wallets that sign.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, Signature as EthereumSignature, TxKind, U256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use async_trait::async_trait;
use parhelion_assembler::Code as Bytecode;
use parhelion_core::cluster::{Account, Clock, Cluster, ClusterError, LandedBlock, Moment, Snapshot};
use parhelion_core::transaction::{Transaction, encode};
use parhelion_emulator::Shell;
use parhelion_evm::jump_map;
use parhelion_sdk::address::{account_address, deployment, keccak256};
use parhelion_sdk::convert::{to_h160, to_wire_u256};
use parhelion_wire::account::{Balance, Cell, CellMut, Code, Config, Contract, Layout};
use parhelion_wire::address::{AccountKey, Deployment, split_storage_key};
use parhelion_wire::{H256, ProgramError};
use solana_address::Address as SolanaAddress;
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::versioned::VersionedTransaction;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

pub(crate) const CHAIN_ID: u64 = 31_337;
/// A gas is a lamport.
pub(crate) const BASE_FEE: u64 = 1_000_000_000;
pub(crate) const BLOCK_GAS_LIMIT: u64 = 100_000_000;
pub(crate) const SLOT: u64 = 1000;
/// Lamports for a byte of account data.
pub(crate) const RENT_PER_BYTE: u64 = 5080;
pub(crate) const COINBASE: Address = Address::repeat_byte(0xcb);
const PROGRAM: SolanaAddress = SolanaAddress::new_from_array([0x77; 32]);

/// The accounts, and what was asked.
#[derive(Default)]
pub(crate) struct Memory {
    accounts: Mutex<HashMap<[u8; 32], Account>>,
    /// The addresses of each read.
    pub(crate) reads: Mutex<Vec<Vec<[u8; 32]>>>,
    pub(crate) slot_hash_reads: AtomicUsize,
    /// What every read answers instead, once it is set.
    pub(crate) failure: Mutex<Option<ClusterError>>,
}

/// A chain under construction.
pub(crate) struct Chain {
    pub(crate) memory: Arc<Memory>,
    pub(crate) emulator: Shell,
}

impl Chain {
    /// A chain with settings and an operator, and otherwise empty.
    pub(crate) fn new() -> Self {
        let chain = Self::without_config();
        chain.set_config(|_| {});
        chain.balance(COINBASE, 0, U256::from(1));
        chain
    }

    pub(crate) fn without_config() -> Self {
        let memory = Arc::new(Memory::default());
        Self { emulator: Shell::new(Arc::clone(&memory) as Arc<dyn Cluster>), memory }
    }

    /// Puts an account of the program where its key says.
    pub(crate) fn put(&self, key: &AccountKey, data: Vec<u8>) {
        self.put_at(account_address(&deployment(&PROGRAM), key).to_bytes(), PROGRAM, data);
    }

    pub(crate) fn put_at(&self, address: [u8; 32], owner: SolanaAddress, data: Vec<u8>) {
        let lamports = (data.len() as u64 + 128) * RENT_PER_BYTE;
        self.memory.accounts.lock().unwrap().insert(address, Account { lamports, owner, data });
    }

    pub(crate) fn set_config(&self, change: impl FnOnce(&mut Config)) {
        let mut data = vec![0; size_of::<Config>()];
        let config = Config::create(&mut data, 0).unwrap();
        config.set_chain_id(CHAIN_ID);
        config.set_base_fee(BASE_FEE);
        config.set_block_gas_limit(BLOCK_GAS_LIMIT);
        config.address = self.memory.deployment().config;
        change(config);
        self.put_at(self.memory.deployment().config, PROGRAM, data);
    }

    pub(crate) fn balance(&self, address: Address, nonce: u64, wei: U256) {
        self.put_balance(address, nonce, wei, false);
    }

    /// A balance that says that there is a contract.
    pub(crate) fn balance_of_contract(&self, address: Address, nonce: u64, wei: U256) {
        self.put_balance(address, nonce, wei, true);
    }

    fn put_balance(&self, address: Address, nonce: u64, wei: U256, has_contract: bool) {
        let mut data = vec![0; size_of::<Balance>()];
        let view = Balance::create(&mut data, 0).unwrap();
        view.set_nonce(nonce);
        view.set_balance(&to_wire_u256(wei));
        view.set_has_contract(has_contract);
        self.put(&AccountKey::Balance(to_h160(address)), data);
    }

    /// A contract with code and storage, and its address.
    pub(crate) fn contract(&self, number: u8, code: &Bytecode, storage: &[(u64, u64)]) -> Address {
        let (address, code) = (Address::repeat_byte(number), code.bytes());
        let hash = H256(keccak256(&[code]));
        let mut data = vec![0; size_of::<Contract>()];
        Contract::create(&mut data, 0).unwrap().set_code_hash(hash);
        self.put(&AccountKey::Contract(to_h160(address)), data);
        let mut data = vec![0; Code::account_length(code.len())];
        jump_map::fill(Code::create(&mut data, 0, hash, code).unwrap(), code);
        self.put(&AccountKey::Code(hash), data);
        let mut cells: BTreeMap<_, Vec<(u8, u64)>> = BTreeMap::new();
        for &(key, value) in storage {
            let (cell, index) = split_storage_key(&key.into());
            cells.entry(cell).or_default().push((index, value));
        }
        for (key, entries) in cells {
            let mut data = vec![0; Cell::account_length(entries.len())];
            let mut cell = CellMut::create(&mut data, 0).unwrap();
            for (index, value) in entries {
                cell.set(index, &value.into()).unwrap();
            }
            self.put(&AccountKey::Cell(to_h160(address), key), data);
        }
        address
    }

    pub(crate) fn delegation(&self, address: Address, delegate: Address) {
        let mut data = vec![0; size_of::<Contract>()];
        Contract::create(&mut data, 0).unwrap().set_delegate(Some(to_h160(delegate)));
        self.put(&AccountKey::Contract(to_h160(address)), data);
    }

    /// The reads since the last time.
    pub(crate) fn reads(&self) -> Vec<Vec<[u8; 32]>> {
        std::mem::take(&mut self.memory.reads.lock().unwrap())
    }

    pub(crate) fn slot_hash_reads(&self) -> usize {
        self.memory.slot_hash_reads.swap(0, Ordering::SeqCst)
    }
}

impl Memory {
    fn answer<T>(&self, value: T) -> Result<T, ClusterError> {
        self.failure.lock().unwrap().clone().map_or(Ok(value), Err)
    }
}

/// The hash of a slot.
pub(crate) fn slot_hash(slot: u64) -> [u8; 32] {
    keccak256(&[&slot.to_be_bytes()])
}

#[async_trait]
impl Cluster for Memory {
    fn deployment(&self) -> Deployment {
        deployment(&PROGRAM)
    }

    async fn accounts(&self, addresses: &[SolanaAddress]) -> Result<Snapshot, ClusterError> {
        assert!(addresses.len() <= parhelion_core::cluster::ACCOUNTS_MAX);
        self.reads.lock().unwrap().push(addresses.iter().map(|address| address.to_bytes()).collect());
        let known = self.accounts.lock().unwrap();
        let accounts = addresses.iter().map(|address| known.get(&address.to_bytes()).cloned()).collect();
        self.answer(Snapshot { clock: Clock { slot: SLOT, unix_timestamp: 1_800_000_000 }, accounts })
    }

    async fn clock(&self) -> Result<Clock, ClusterError> {
        panic!("the clock comes with the accounts");
    }

    async fn slot_hashes(&self) -> Result<Vec<(u64, [u8; 32])>, ClusterError> {
        self.slot_hash_reads.fetch_add(1, Ordering::SeqCst);
        // Slot 990 was skipped.
        let slots = (SLOT - 100..SLOT).rev().filter(|slot| *slot != 990);
        self.answer(slots.map(|slot| (slot, slot_hash(slot))).collect())
    }

    async fn rent_exemption(&self, data_length: usize) -> Result<u64, ClusterError> {
        self.answer((data_length as u64 + 128) * RENT_PER_BYTE)
    }

    /// As it is now: nothing happens here.
    async fn at(&self, _: Moment) -> Result<Arc<dyn Cluster>, ClusterError> {
        let accounts = Mutex::new(self.accounts.lock().unwrap().clone());
        Ok(Arc::new(Self { accounts, ..Self::default() }))
    }

    async fn latest_blockhash(&self) -> Result<Hash, ClusterError> {
        panic!("nothing is signed");
    }

    async fn send(&self, _: &VersionedTransaction) -> Result<Signature, ClusterError> {
        panic!("nothing is sent");
    }

    fn newest_slot(&self) -> watch::Receiver<u64> {
        watch::channel(SLOT).1
    }

    async fn blocks(&self, _: u64, _: u64) -> Result<Vec<LandedBlock>, ClusterError> {
        panic!("nothing is indexed");
    }
}

/// A key.
pub(crate) struct Wallet(PrivateKeySigner);

impl Wallet {
    pub(crate) fn new(number: u8) -> Self {
        Self(PrivateKeySigner::from_slice(&[number; 32]).unwrap())
    }

    /// A wallet with 1000 SOL.
    pub(crate) fn rich(chain: &Chain) -> Self {
        let wallet = Self::new(1);
        chain.balance(wallet.address(), 0, U256::from(10).pow(U256::from(21)));
        wallet
    }

    pub(crate) fn address(&self) -> Address {
        self.0.address()
    }

    pub(crate) fn authorize(&self, address: Address, nonce: u64) -> SignedAuthorization {
        let authorization = Authorization { chain_id: U256::from(CHAIN_ID), address, nonce };
        let signature = self.0.sign_hash_sync(&authorization.signature_hash()).unwrap();
        authorization.into_signed(signature)
    }

    pub(crate) fn sign<T>(&self, transaction: T) -> Transaction
    where
        T: SignableTransaction<EthereumSignature>,
        TxEnvelope: From<alloy_consensus::Signed<T>>,
    {
        let signature = self.0.sign_hash_sync(&transaction.signature_hash()).unwrap();
        Transaction::decode(encode(&TxEnvelope::from(transaction.into_signed(signature)))).unwrap()
    }
}

/// An unsigned transaction of nonce 0 at the base fee.
pub(crate) fn draft(to: Option<Address>, gas_limit: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id: CHAIN_ID,
        nonce: 0,
        gas_limit,
        max_fee_per_gas: BASE_FEE.into(),
        max_priority_fee_per_gas: 0,
        to: to.map_or(TxKind::Create, TxKind::Call),
        value: U256::ZERO,
        access_list: Default::default(),
        input: Default::default(),
    }
}

/// The program's error in a refusal.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(
    result: Result<T, parhelion_core::emulator::EmulatorError>,
) -> (ProgramError, String) {
    match result {
        Err(parhelion_core::emulator::EmulatorError::Refused(refusal)) => (refusal.error, refusal.detail),
        other => panic!("no refusal, but {other:?}"),
    }
}
