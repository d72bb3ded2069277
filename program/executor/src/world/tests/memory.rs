//! A ledger in memory, and a world over it.

use crate::limits::Limits;
use crate::world::World;
use crate::{Ledger, Mark, ProgramError, Result};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::host::Env;
use parhelion_evm::{H160, H256, U256, jump_map};
use parhelion_wire::Pubkey;
use parhelion_wire::account::{Balance, Cell, CellMut, Code, Contract, Layout};
use parhelion_wire::address::{AccountKey, CellKey, split_storage_key};
use sha2::Sha256;
use sha3::{Digest, Keccak256};

/// Accounts that exist. Pairs, because keys of accounts have no order.
#[derive(Debug, Default)]
pub(super) struct Accounts(Vec<(AccountKey, Vec<u8>)>);

/// The sum of the parts' digests is one digest.
fn digest<D: Digest<OutputSize = sha3::digest::consts::U32>>(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

pub(super) fn keccak(bytes: &[u8]) -> H256 {
    H256(digest::<Keccak256>(&[bytes]))
}

/// Hashes; nobody signs here.
#[derive(Debug)]
pub(super) struct Hashes;

impl Crypto for Hashes {
    fn keccak256(&self, parts: &[&[u8]]) -> [u8; 32] {
        digest::<Keccak256>(parts)
    }

    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        digest::<Sha256>(parts)
    }

    fn secp256k1_recover(&self, _: &[u8; 32], _: u8, _: &[u8; 64]) -> Option<[u8; 64]> {
        None
    }

    // The tests call no precompile that needs these.
    fn bn254_add(&self, _: &[u8; 128]) -> Option<[u8; 64]> {
        None
    }

    fn bn254_mul(&self, _: &[u8; 96]) -> Option<[u8; 64]> {
        None
    }

    fn bn254_pairing(&self, _: &[u8]) -> Option<bool> {
        None
    }

    fn bls12_381_g1_add(&self, _: &[u8; 96], _: &[u8; 96]) -> Option<[u8; 96]> {
        None
    }

    fn bls12_381_g1_mul(&self, _: &[u8; 96], _: &[u8; 32]) -> Option<[u8; 96]> {
        None
    }

    fn bls12_381_g2_add(&self, _: &[u8; 192], _: &[u8; 192]) -> Option<[u8; 192]> {
        None
    }

    fn bls12_381_g2_mul(&self, _: &[u8; 192], _: &[u8; 32]) -> Option<[u8; 192]> {
        None
    }

    fn bls12_381_g1_decompress(&self, _: &[u8; 48]) -> Option<[u8; 96]> {
        None
    }

    fn bls12_381_pairing(&self, _: &[[u8; 96]], _: &[[u8; 192]]) -> Option<[u8; 576]> {
        None
    }
}

impl Accounts {
    fn get(&self, key: &AccountKey) -> Option<&[u8]> {
        self.0.iter().find(|(present, _)| present == key).map(|(_, data)| &data[..])
    }

    /// An address with nonce and wei.
    pub(super) fn balance(mut self, address: H160, nonce: u64, wei: u64, has_contract: bool) -> Self {
        let mut data = vec![0; size_of::<Balance>()];
        let view = Balance::create(&mut data, 0).unwrap();
        view.set_nonce(nonce);
        view.set_balance(&wei.into());
        view.set_has_contract(has_contract);
        self.0.push((AccountKey::Balance(address), data));
        self
    }

    fn contract(&mut self, address: H160, set: impl FnOnce(&mut Contract)) {
        let mut data = vec![0; size_of::<Contract>()];
        set(Contract::create(&mut data, 0).unwrap());
        self.0.push((AccountKey::Contract(address), data));
    }

    /// A contract with code.
    pub(super) fn code(mut self, address: H160, code: &[u8]) -> Self {
        let hash = keccak(code);
        self.contract(address, |contract| contract.set_code_hash(hash));
        let mut data = vec![0; Code::account_length(code.len())];
        jump_map::fill(Code::create(&mut data, 0, hash, code).unwrap(), code);
        self.0.push((AccountKey::Code(hash), data));
        self
    }

    /// An EIP-7702 delegation.
    pub(super) fn delegation(mut self, address: H160, delegate: H160) -> Self {
        self.contract(address, |contract| contract.set_delegate(Some(delegate)));
        self
    }

    /// Storage values, each Cell's together.
    pub(super) fn storage(mut self, address: H160, values: &[(u64, u64)]) -> Self {
        let mut cells: BTreeMap<CellKey, Vec<(u8, U256)>> = BTreeMap::new();
        for &(key, value) in values {
            let (cell, index) = split_storage_key(&key.into());
            cells.entry(cell).or_default().push((index, value.into()));
        }
        for (key, entries) in cells {
            let mut data = vec![0; Cell::account_length(entries.len())];
            let mut cell = CellMut::create(&mut data, 0).unwrap();
            for (index, value) in entries {
                cell.set(index, &value).unwrap();
            }
            self.0.push((AccountKey::Cell(address, key), data));
        }
        self
    }

    /// A world over these accounts.
    pub(super) fn world(&self, limits: Limits) -> World<'_, Memory<'_>, Hashes> {
        World::new(Memory { accounts: self, loaded: Vec::new() }, Hashes, Env::default(), limits)
    }
}

/// A ledger over accounts. A world that is not committed writes nothing, so this one is for reading.
#[derive(Debug)]
pub(super) struct Memory<'c> {
    accounts: &'c Accounts,
    loaded: Vec<&'c [u8]>,
}

impl<'c> Ledger<'c> for Memory<'c> {
    type Account = usize;

    fn mark(&self, position: usize) -> Result<Mark> {
        Ok(Mark::new(position, &[0; 32], self.data(position)?))
    }

    fn resume(&mut self, mark: &Mark) -> Result<usize> {
        Ok(usize::from(mark.position))
    }

    fn load(&mut self, key: &AccountKey) -> Result<usize> {
        self.loaded.push(self.accounts.get(key).unwrap_or_default());
        Ok(self.loaded.len() - 1)
    }

    fn data(&self, account: usize) -> Result<&[u8]> {
        Ok(self.loaded[account])
    }

    fn code(&self, account: usize) -> &'c [u8] {
        self.loaded[account]
    }

    fn translation(&self, _: &H256) -> Option<&'c [u8]> {
        None
    }

    fn write(&mut self, _: usize, _: &AccountKey, _: usize) -> Result<&mut [u8]> {
        Err(ProgramError::ReadOnlyAccount)
    }

    fn may_write(&mut self, _: usize) {}

    fn close(&mut self, _: usize, _: usize) -> Result<u64> {
        Err(ProgramError::ReadOnlyAccount)
    }

    fn pay_out(&mut self, _: usize, _: usize, _: u64) -> Result<()> {
        Err(ProgramError::VaultShort)
    }

    fn can_receive(&mut self, _: usize, _: &Pubkey, _: u64) -> Result<bool> {
        Ok(true)
    }

    fn rent_per_byte(&mut self) -> Result<u64> {
        Ok(1)
    }

    fn slot_hash(&mut self, _: u64) -> Result<Option<[u8; 32]>> {
        Ok(None)
    }

    fn newest_slot_hash(&mut self) -> Result<[u8; 32]> {
        Ok([0; 32])
    }
}
