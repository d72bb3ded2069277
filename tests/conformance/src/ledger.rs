//! Solana accounts in memory, by what they hold, in the layouts of the chain.

use parhelion_executor::evm::fork::Fork;
use parhelion_executor::evm::{H160, H256, U256, jump_map, translation};
use parhelion_executor::{Ledger, Mark};
use parhelion_sdk::address::keccak256;
use parhelion_wire::account::{Balance, Cell, CellMut, Code, Contract, Layout};
use parhelion_wire::address::{AccountKey, split_storage_key};
use parhelion_wire::{ProgramError, Pubkey};
use std::collections::{BTreeMap, HashMap};

/// The data of accounts that exist.
pub type Accounts = HashMap<AccountKey, Vec<u8>>;

/// Translations of codes, by code hash.
pub type Translations = HashMap<H256, Vec<u8>>;

/// Translates every code that is stored.
///
/// # Errors
/// Those of the layouts.
pub fn translate(accounts: &Accounts) -> Result<Translations, ProgramError> {
    let mut translations = Translations::new();
    for (key, data) in accounts {
        if let AccountKey::Code(hash) = key {
            let code = Code::view(data)?;
            if let Some(translation) = translation::translate(code.code(), code.jump_map()) {
                translations.insert(*hash, translation);
            }
        }
    }
    Ok(translations)
}

/// An Ethereum account, as a test states it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The nonce.
    pub nonce: u64,
    /// Wei.
    pub balance: U256,
    /// The code; a delegation as EIP-7702 writes it.
    pub code: Vec<u8>,
    /// Without zero values.
    pub storage: BTreeMap<U256, U256>,
}

/// The slot in which everything before a test was written.
const GENESIS_SLOT: u64 = 0;

/// What stands in front of an EIP-7702 delegate.
const DELEGATION_PREFIX: [u8; 3] = [0xef, 0x01, 0x00];

/// Writes the accounts of an Ethereum address, as the program would have left them.
///
/// # Errors
/// Those of the layouts.
pub fn store(accounts: &mut Accounts, address: H160, state: &State, fork: Fork) -> Result<(), ProgramError> {
    let has_code = !state.code.is_empty();
    // An address without a Balance account has balance 0, and nonce 1 if it is a contract or 0 if not.
    if !state.balance.is_zero() || state.nonce != u64::from(has_code) {
        store_balance(accounts, address, state.nonce, &state.balance, has_code)?;
    }
    if has_code {
        store_code(accounts, address, &state.code, fork)?;
    }
    let mut cells: BTreeMap<_, Vec<(u8, U256)>> = BTreeMap::new();
    for (key, value) in &state.storage {
        let (cell, index) = split_storage_key(key);
        cells.entry(cell).or_default().push((index, *value));
    }
    for (key, entries) in cells {
        let mut data = vec![0; Cell::account_length(entries.len())];
        let mut cell = CellMut::create(&mut data, GENESIS_SLOT)?;
        for (index, value) in entries {
            cell.set(index, &value)?;
        }
        accounts.insert(AccountKey::Cell(address, key), data);
    }
    Ok(())
}

/// Writes a Balance account.
///
/// # Errors
/// Those of the layout.
pub fn store_balance(
    accounts: &mut Accounts,
    address: H160,
    nonce: u64,
    balance: &U256,
    has_contract: bool,
) -> Result<(), ProgramError> {
    let mut data = vec![0; size_of::<Balance>()];
    let view = Balance::create(&mut data, GENESIS_SLOT)?;
    view.set_nonce(nonce);
    view.set_balance(balance);
    view.set_has_contract(has_contract);
    accounts.insert(AccountKey::Balance(address), data);
    Ok(())
}

fn store_code(accounts: &mut Accounts, address: H160, code: &[u8], fork: Fork) -> Result<(), ProgramError> {
    let mut data = vec![0; size_of::<Contract>()];
    let contract = Contract::create(&mut data, GENESIS_SLOT)?;
    match code.strip_prefix(&DELEGATION_PREFIX).map(<[u8; 20]>::try_from) {
        Some(Ok(delegate)) if fork >= Fork::Prague => contract.set_delegate(Some(H160(delegate))),
        _ => {
            let hash = H256(keccak256(&[code]));
            contract.set_code_hash(hash);
            let mut data = vec![0; Code::account_length(code.len())];
            jump_map::fill(Code::create(&mut data, GENESIS_SLOT, hash, code)?, code);
            accounts.insert(AccountKey::Code(hash), data);
        }
    }
    accounts.insert(AccountKey::Contract(address), data);
    Ok(())
}

/// Reads every Ethereum address out of the accounts.
///
/// # Errors
/// Those of the layouts.
pub fn states(accounts: &Accounts) -> Result<BTreeMap<H160, State>, ProgramError> {
    let mut states: BTreeMap<H160, State> = BTreeMap::new();
    for (key, data) in accounts {
        match key {
            AccountKey::Contract(address) => {
                let contract = Contract::view(data)?;
                let state = states.entry(*address).or_default();
                if !accounts.contains_key(&AccountKey::Balance(*address)) {
                    state.nonce = 1;
                }
                state.code = match contract.delegate() {
                    Some(delegate) => [&DELEGATION_PREFIX[..], &delegate.0].concat(),
                    None => match accounts.get(&AccountKey::Code(contract.code_hash())) {
                        Some(code) => Code::view(code)?.code().to_vec(),
                        None => Vec::new(),
                    },
                };
            }
            AccountKey::Balance(address) => {
                let balance = Balance::view(data)?;
                let state = states.entry(*address).or_default();
                (state.nonce, state.balance) = (balance.nonce(), balance.balance());
            }
            AccountKey::Cell(address, key) => {
                let state = states.entry(*address).or_default();
                for (index, value) in Cell::view(data)?.iter().filter(|(_, value)| !value.is_zero()) {
                    let mut bytes = [0; 32];
                    bytes[..31].copy_from_slice(key);
                    bytes[31] = index;
                    state.storage.insert(U256::from_big_endian(&bytes), value);
                }
            }
            AccountKey::Code(_)
            | AccountKey::Translation(..)
            | AccountKey::Vault
            | AccountKey::External(_) => {}
        }
    }
    Ok(states)
}

/// A ledger over accounts; changes stay in it.
pub struct Memory<'c> {
    before: &'c Accounts,
    rows: Vec<Row<'c>>,
    index: HashMap<AccountKey, usize>,
    /// Translations of the codes before.
    translations: &'c Translations,
    /// PREVRANDAO.
    pub prevrandao: [u8; 32],
    /// NUMBER.
    pub number: u64,
    /// Whether PREVRANDAO is the hash of the block before, as on this chain.
    pub newest_is_random: bool,
    /// Lamports that every account has: what comes back when one is closed.
    pub lamports: u64,
}

struct Row<'c> {
    key: AccountKey,
    before: &'c [u8],
    /// Empty data: the account was closed.
    changed: Option<Vec<u8>>,
}

impl<'c> Memory<'c> {
    /// A ledger over `before`, in the block `number`.
    pub fn new(
        before: &'c Accounts,
        translations: &'c Translations,
        number: u64,
        prevrandao: [u8; 32],
    ) -> Self {
        Self {
            before,
            rows: Vec::new(),
            index: HashMap::new(),
            translations,
            prevrandao,
            number,
            newest_is_random: false,
            lamports: 0,
        }
    }

    /// Whether a run looked at an account.
    pub fn has_loaded(&self, key: &AccountKey) -> bool {
        self.index.contains_key(key)
    }

    /// All accounts afterwards.
    pub fn into_accounts(self) -> Accounts {
        let mut accounts = self.before.clone();
        for row in self.rows {
            match row.changed {
                Some(data) if data.is_empty() => drop(accounts.remove(&row.key)),
                Some(data) => drop(accounts.insert(row.key, data)),
                None => {}
            }
        }
        accounts
    }

    /// Accounts that the run used, and whether it wrote them.
    #[must_use]
    pub fn used(&self) -> Vec<(AccountKey, bool)> {
        self.rows.iter().map(|row| (row.key, row.changed.is_some())).collect()
    }

    /// Slot hashes as the run sees them, newest first.
    #[must_use]
    pub fn slot_hashes(&self) -> Vec<(u64, [u8; 32])> {
        let first = self.number.saturating_sub(256);
        (first..self.number).rev().map(|slot| (slot, self.hash_of(slot))).collect()
    }

    fn hash_of(&self, slot: u64) -> [u8; 32] {
        if self.newest_is_random && slot + 1 == self.number {
            return self.prevrandao;
        }
        keccak256(&[slot.to_string().as_bytes()])
    }

    fn row(&mut self, position: usize) -> Result<&mut Row<'c>, ProgramError> {
        self.rows.get_mut(position).ok_or(ProgramError::AccountMissing)
    }

    /// An account's data as it is now.
    fn now(&self, position: usize) -> &[u8] {
        match self.rows.get(position) {
            Some(Row { changed: Some(data), .. }) => data,
            Some(row) => row.before,
            None => &[],
        }
    }
}

impl<'s, 'c: 's> Ledger<'s> for Memory<'c> {
    type Account = usize;

    fn mark(&self, position: usize) -> Result<Mark, ProgramError> {
        Ok(Mark::new(position, &[0; 32], self.now(position)))
    }

    fn resume(&mut self, mark: &Mark) -> Result<usize, ProgramError> {
        let position = usize::from(mark.position);
        mark.check(self.now(position)).map(|()| position)
    }

    fn load(&mut self, key: &AccountKey) -> Result<usize, ProgramError> {
        if let Some(&position) = self.index.get(key) {
            return Ok(position);
        }
        let before = self.before.get(key).map_or(&[][..], Vec::as_slice);
        let position = self.rows.len();
        self.rows.push(Row { key: *key, before, changed: None });
        self.index.insert(*key, position);
        Ok(position)
    }

    fn data(&self, position: usize) -> Result<&[u8], ProgramError> {
        Ok(self.now(position))
    }

    fn code(&self, position: usize) -> &'s [u8] {
        self.rows.get(position).map_or(&[], |row| row.before)
    }

    fn translation(&self, hash: &H256) -> Option<&'s [u8]> {
        self.translations.get(hash).map(Vec::as_slice)
    }

    fn write(&mut self, position: usize, _: &AccountKey, length: usize) -> Result<&mut [u8], ProgramError> {
        let row = self.row(position)?;
        let before = row.before;
        let data = row.changed.get_or_insert_with(|| before.to_vec());
        data.resize(length, 0);
        Ok(data)
    }

    fn may_write(&mut self, _: usize) {}

    fn close(&mut self, position: usize, vault: usize) -> Result<u64, ProgramError> {
        self.row(position)?.changed = Some(Vec::new());
        let vault = self.row(vault)?;
        vault.changed = Some(vault.before.to_vec());
        Ok(self.lamports)
    }

    fn pay_out(&mut self, _: usize, _: usize, _: u64) -> Result<(), ProgramError> {
        Err(ProgramError::InvalidPayee)
    }

    fn can_receive(&mut self, _: usize, _: &Pubkey, _: u64) -> Result<bool, ProgramError> {
        Ok(false)
    }

    fn rent_per_byte(&mut self) -> Result<u64, ProgramError> {
        Ok(0)
    }

    fn slot_hash(&mut self, slot: u64) -> Result<Option<[u8; 32]>, ProgramError> {
        // What state tests define: the hash of the number in decimal, for the last 256 blocks.
        let is_recent = slot < self.number && self.number - slot <= 256;
        Ok(is_recent.then(|| self.hash_of(slot)))
    }

    fn newest_slot_hash(&mut self) -> Result<[u8; 32], ProgramError> {
        Ok(self.prevrandao)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_reads_back() -> Result<(), ProgramError> {
        let state = |nonce, balance: u64, code: &[u8], storage: &[(u64, u64)]| State {
            nonce,
            balance: balance.into(),
            code: code.to_vec(),
            storage: storage.iter().map(|&(key, value)| (key.into(), value.into())).collect(),
        };
        let delegation = [&DELEGATION_PREFIX[..], &[7; 20]].concat();
        let expected: BTreeMap<H160, State> = [
            state(0, 5, &[], &[]),
            state(1, 0, &[0x5b], &[(0, 1), (255, 2), (256, 3)]),
            state(0, 0, &[0x5b, 0x00], &[]),
            state(3, 9, &delegation, &[(1, 1)]),
        ]
        .into_iter()
        .zip(1..)
        .map(|(state, number)| (H160::repeat_byte(number), state))
        .collect();
        let mut accounts = Accounts::new();
        for (address, state) in &expected {
            store(&mut accounts, *address, state, Fork::Osaka)?;
        }
        assert_eq!(states(&accounts)?, expected);
        assert!(
            !accounts.contains_key(&AccountKey::Balance(H160::repeat_byte(2))),
            "nonce 1 needs no Balance"
        );
        Ok(())
    }
}
