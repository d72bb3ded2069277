//! What a call sees instead of what is on chain: state and block overrides, as accounts of the program.
//!
//! The accounts that are to be changed are fetched as all others, changed, and handed to the run in the place of the real
//! ones. Where a contract's whole storage is replaced, its other Cells are hidden: nobody can list them.

use crate::shell::Shell;
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_rpc_types_eth::BlockOverrides;
use alloy_rpc_types_eth::state::{AccountOverride, StateOverride};
use parhelion_core::cluster::Account;
use parhelion_core::emulator::{EmulatorError, Overrides};
use parhelion_evm::jump_map;
use parhelion_executor::BlockValues;
use parhelion_sdk::convert::{to_h160, to_wire_u256};
use parhelion_wire::account::{Balance, Cell, CellMut, Code, Contract, Layout};
use parhelion_wire::address::{AccountKey, CellKey, split_storage_key};
use parhelion_wire::{H160, H256, ProgramError, Pubkey};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What EIP-7702 puts before the address of a delegate.
pub(crate) const DELEGATION_PREFIX: [u8; 3] = [0xef, 0x01, 0x00];

/// Contracts whose storage is replaced, and the addresses of the Cells that they have instead.
pub(crate) type Replaced = HashMap<H160, HashSet<Pubkey>>;

/// What a run sees instead of what the cluster has, beside the accounts themselves.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Contracts whose storage is replaced, and the addresses of the Cells that they have instead.
    pub(crate) replaced: Replaced,
    /// PREVRANDAO.
    pub(crate) prevrandao: Option<[u8; 32]>,
    /// BLOCKHASH, by number.
    pub(crate) block_hashes: BTreeMap<u64, [u8; 32]>,
}

impl Seen {
    /// Whether the account of this key is hidden.
    pub(crate) fn hides(&self, key: &AccountKey, address: &Pubkey) -> bool {
        match key {
            AccountKey::Cell(contract, _) => {
                self.replaced.get(contract).is_some_and(|kept| !kept.contains(address))
            }
            _ => false,
        }
    }
}

/// The accounts that overrides change, which have to be fetched.
pub(crate) fn addresses(shell: &Shell, state: &StateOverride) -> Vec<Pubkey> {
    let mut keys = Vec::new();
    for (address, change) in state {
        let address = to_h160(*address);
        keys.extend([AccountKey::Balance(address), AccountKey::Contract(address)]);
        let values = change.state_diff.iter().flatten();
        keys.extend(values.map(|(key, _)| AccountKey::Cell(address, cell_of(*key).0)));
    }
    keys.iter().map(|key| shell.address(key)).collect()
}

/// The Cells in which overrides change single values, with their contracts.
pub(crate) fn cells(shell: &Shell, state: &StateOverride) -> Vec<(H160, Pubkey)> {
    let values = |(address, change): (&Address, &AccountOverride)| {
        let contract = to_h160(*address);
        let keys: Vec<B256> = change.state_diff.iter().flatten().map(|(key, _)| *key).collect();
        keys.into_iter()
            .map(move |key| (contract, shell.address(&AccountKey::Cell(contract, cell_of(key).0))))
    };
    state.iter().flat_map(values).collect()
}

/// Changes the accounts that were fetched, and the block.
pub(crate) fn apply(
    shell: &Shell,
    overrides: &Overrides,
    accounts: &mut HashMap<Pubkey, Option<Account>>,
    block: &mut BlockValues,
) -> Result<Seen, EmulatorError> {
    let replaced = apply_state(shell, &overrides.state, accounts, block.slot)?;
    let mut seen = Seen { replaced, ..Seen::default() };
    let change = &overrides.block;
    block.slot = narrow("number", change.number)?.unwrap_or(block.slot);
    block.timestamp = change.time.unwrap_or(block.timestamp);
    block.gas_limit = change.gas_limit.unwrap_or(block.gas_limit);
    block.coinbase = change.coinbase.map_or(block.coinbase, to_h160);
    block.base_fee = base_fee(change)?.unwrap_or(block.base_fee);
    block.blob_base_fee = change.blob_base_fee.map_or(block.blob_base_fee, to_wire_u256);
    seen.prevrandao = change.random.map(|random| random.0);
    let hashes = change.block_hash.iter().flatten();
    seen.block_hashes = hashes.map(|(number, hash)| (*number, hash.0)).collect();
    Ok(seen)
}

/// Changes the accounts that were fetched, as of a slot. Gives the contracts whose storage is replaced, and the addresses of
/// the Cells that they have instead.
pub(crate) fn apply_state(
    shell: &Shell,
    state: &StateOverride,
    accounts: &mut HashMap<Pubkey, Option<Account>>,
    slot: u64,
) -> Result<Replaced, EmulatorError> {
    let mut replaced = HashMap::new();
    for (address, change) in state {
        let mut target = Target { shell, accounts, address: to_h160(*address), slot };
        let kept = target.apply(change).map_err(|error| EmulatorError::State(error.text().into()))?;
        if let Some(kept) = kept {
            replaced.insert(to_h160(*address), kept);
        }
    }
    Ok(replaced)
}

/// The base fee of a block, if it is overridden.
pub(crate) fn base_fee(change: &BlockOverrides) -> Result<Option<u64>, EmulatorError> {
    narrow("baseFee", change.base_fee)
}

/// A number of the block as the program has it, in 64 bits.
fn narrow(name: &'static str, value: Option<U256>) -> Result<Option<u64>, EmulatorError> {
    let narrow = |value: U256| value.try_into().map_err(|_| EmulatorError::OverrideTooLarge { name, value });
    value.map(narrow).transpose()
}

/// The balance of an address as a call sees it, if the call says it.
pub(crate) fn balance(overrides: Option<&Overrides>, address: Address) -> Option<U256> {
    overrides?.state.get(&address)?.balance
}

fn cell_of(key: B256) -> (CellKey, u8) {
    split_storage_key(&to_wire_u256(key.into()))
}

/// An address whose accounts are changed.
struct Target<'a> {
    shell: &'a Shell,
    accounts: &'a mut HashMap<Pubkey, Option<Account>>,
    address: H160,
    slot: u64,
}

impl Target<'_> {
    /// Changes the accounts. Where the whole storage is replaced, gives the addresses of its Cells.
    fn apply(&mut self, change: &AccountOverride) -> Result<Option<HashSet<Pubkey>>, ProgramError> {
        if let Some(code) = &change.code {
            self.set_code(code)?;
        }
        if change.code.is_some() || change.balance.is_some() || change.nonce.is_some() {
            self.set_balance(change)?;
        }
        for (key, values) in by_cell(change.state_diff.iter().flatten()) {
            self.set_cell(key, values, true)?;
        }
        let Some(state) = &change.state else { return Ok(None) };
        let cells = by_cell(state.iter()).into_iter().map(|(key, values)| self.set_cell(key, values, false));
        cells.collect::<Result<_, _>>().map(Some)
    }

    /// The data of an account of the program, if there is one.
    fn data(&self, key: &AccountKey) -> Option<&[u8]> {
        let account = self.accounts.get(&self.shell.address(key))?.as_ref()?;
        (account.owner.to_bytes() == self.shell.deployment.program_id).then_some(&account.data)
    }

    fn put(&mut self, key: &AccountKey, data: Vec<u8>) -> Pubkey {
        let address = self.shell.address(key);
        // What it cost is of no interest: a call pays no rent.
        let lamports = self.accounts.get(&address).and_then(Option::as_ref).map_or(0, |found| found.lamports);
        let owner = self.shell.deployment.program_id.into();
        self.accounts.insert(address, Some(Account { lamports, owner, data }));
        address
    }

    fn set_balance(&mut self, change: &AccountOverride) -> Result<(), ProgramError> {
        let (key, contract) = (AccountKey::Balance(self.address), AccountKey::Contract(self.address));
        let has_contract = self.data(&contract).is_some();
        let mut data = match self.data(&key) {
            Some(data) => data.to_vec(),
            None => {
                let mut data = vec![0; size_of::<Balance>()];
                // EIP-161: a contract's nonce begins at 1.
                Balance::create(&mut data, self.slot)?.set_nonce(u64::from(has_contract));
                data
            }
        };
        let view = Balance::view_mut(&mut data)?;
        view.set_has_contract(has_contract);
        if let Some(balance) = change.balance {
            view.set_balance(&to_wire_u256(balance));
        }
        if let Some(nonce) = change.nonce {
            view.set_nonce(nonce);
        }
        self.put(&key, data);
        Ok(())
    }

    fn set_code(&mut self, code: &[u8]) -> Result<(), ProgramError> {
        let key = AccountKey::Contract(self.address);
        let mut data = match self.data(&key) {
            Some(data) => data.to_vec(),
            // Nothing needs no account.
            None if code.is_empty() => return Ok(()),
            None => {
                let mut data = vec![0; size_of::<Contract>()];
                Contract::create(&mut data, self.slot)?;
                data
            }
        };
        let view = Contract::view_mut(&mut data)?;
        match code.strip_prefix(&DELEGATION_PREFIX).map(<[u8; 20]>::try_from) {
            Some(Ok(delegate)) => view.set_delegate(Some(H160(delegate))),
            _ => {
                let hash = H256(keccak256(code).0);
                view.set_delegate(None);
                view.set_code_hash(hash);
                self.put_code(hash, code)?;
            }
        }
        self.put(&key, data);
        Ok(())
    }

    fn put_code(&mut self, hash: H256, code: &[u8]) -> Result<(), ProgramError> {
        // A contract of no code has no Code account.
        if !code.is_empty() {
            let mut data = vec![0; Code::account_length(code.len())];
            jump_map::fill(Code::create(&mut data, self.slot, hash, code)?, code);
            self.put(&AccountKey::Code(hash), data);
        }
        Ok(())
    }

    /// Sets values of a Cell, beside those that it has or in their place.
    fn set_cell(
        &mut self,
        key: CellKey,
        values: BTreeMap<u8, U256>,
        keeps_others: bool,
    ) -> Result<Pubkey, ProgramError> {
        let key = AccountKey::Cell(self.address, key);
        let mut entries = BTreeMap::new();
        if let Some(data) = self.data(&key).filter(|_| keeps_others) {
            entries.extend(Cell::view(data)?.iter());
        }
        entries.extend(values.into_iter().map(|(index, value)| (index, to_wire_u256(value))));
        let mut data = vec![0; Cell::account_length(entries.len())];
        let mut cell = CellMut::create(&mut data, self.slot)?;
        for (index, value) in &entries {
            cell.set(*index, value)?;
        }
        Ok(self.put(&key, data))
    }
}

fn by_cell<'a>(values: impl Iterator<Item = (&'a B256, &'a B256)>) -> BTreeMap<CellKey, BTreeMap<u8, U256>> {
    let mut cells: BTreeMap<CellKey, BTreeMap<u8, U256>> = BTreeMap::new();
    for (key, value) in values {
        let (cell, index) = cell_of(*key);
        cells.entry(cell).or_default().insert(index, U256::from_be_bytes(value.0));
    }
    cells
}
