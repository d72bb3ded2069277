//! Ethereum accounts that a run touches.

use super::World;
use super::index::{Found, Index};
use super::table;
use crate::amount;
use crate::ledger::Ledger;
use crate::withdraw::WITHDRAW_ADDRESS;
use crate::{ProgramError, Result};
use alloc::vec::Vec;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::fork::Fork;
use parhelion_evm::{H160, H256, U256, precompile};
use parhelion_wire::account::{Balance, Contract, Layout};
use parhelion_wire::address::AccountKey;
use parhelion_wire::stored;
use parhelion_wire::stored::{Reader, Stored, Writer};

/// Keccak-256 of no bytes.
pub(crate) const EMPTY_CODE_HASH: H256 = H256([
    0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d, 0xb2, 0xdc, 0xc7, 0x03, 0xc0, 0xe5,
    0x00, 0xb6, 0x53, 0xca, 0x82, 0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70,
]);

/// The number of an account in [`Accounts`].
pub(crate) type Id = u16;

/// What an account's code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeOf {
    /// No Contract account: an address without code.
    None,
    /// A contract, with the hash of its code (maybe of no bytes).
    Hash(H256),
    /// An EIP-7702 delegation.
    Delegate(H160),
}

impl CodeOf {
    /// Whether there are no code bytes.
    pub(crate) fn is_empty(self) -> bool {
        match self {
            Self::None => true,
            Self::Hash(hash) => hash == EMPTY_CODE_HASH,
            Self::Delegate(_) => false,
        }
    }
}

impl Stored for CodeOf {
    fn put(&self, out: &mut Writer<'_>) -> Result<()> {
        match self {
            Self::None => out.put(&0u8),
            Self::Hash(hash) => out.put(&1u8).and_then(|()| out.put(hash)),
            Self::Delegate(delegate) => out.put(&2u8).and_then(|()| out.put(delegate)),
        }
    }

    fn take(input: &mut Reader<'_>) -> Result<Self> {
        match input.take::<u8>()? {
            0 => Ok(Self::None),
            1 => Ok(Self::Hash(input.take()?)),
            2 => Ok(Self::Delegate(input.take()?)),
            _ => Err(ProgramError::CheckpointMalformed),
        }
    }
}

/// The part of an account that a run changes, and so the part that is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) nonce: u64,
    pub(crate) balance: U256,
    pub(crate) code: CodeOf,
    /// Created in this transaction.
    pub(crate) is_created: bool,
    /// SELFDESTRUCT ran in the transaction that created it (EIP-6780).
    pub(crate) is_destroyed: bool,
}
stored!(State { nonce, balance, code, is_created, is_destroyed });

/// An Ethereum account.
#[derive(Clone, Debug)]
pub(crate) struct Account<A> {
    pub(crate) address: H160,
    /// EIP-2929.
    pub(crate) is_warm: bool,
    /// The Balance account, once loaded.
    pub(crate) balance_account: Option<A>,
    /// Whether it existed when it was loaded.
    pub(crate) has_balance_account: bool,
    /// The Contract account, once loaded.
    pub(crate) contract_account: Option<A>,
    /// Whether the code is known.
    pub(crate) is_code_known: bool,
    /// The flag of the Balance account: whether there is a Contract account.
    pub(crate) may_have_contract: bool,
    /// The flag of the Balance account: whether a transaction of the address runs in steps.
    pub(crate) has_run: bool,
    /// Before the transaction; complete as far as loaded.
    pub(crate) original: State,
    /// Now.
    pub(crate) state: State,
    /// The latest checkpoint that has the state to undo to.
    pub(super) saved_at: u32,
}

/// The table of accounts.
#[derive(Debug)]
pub(crate) struct Accounts<A> {
    rows: Vec<Account<A>>,
    index: Index,
    maximum: usize,
}

impl<A: Copy> Accounts<A> {
    #[inline(always)] // or it is moved
    pub(super) fn new(maximum: usize) -> Self {
        Self { rows: table::new(maximum), index: Index::new(maximum), maximum }
    }

    /// The account's number; a new row when it was not seen yet. Loads nothing.
    pub(crate) fn id(&mut self, address: &H160) -> Result<Id> {
        let rows = &self.rows;
        let is_equal = |row: usize| rows.get(row).is_some_and(|account| is_same(&account.address, address));
        match self.index.find(hash(address), is_equal) {
            Found::Row(row) => Ok(row as Id),
            Found::Place(place) => {
                let row = table::push(&mut self.rows, Account::new(*address), self.maximum)?;
                let rows = &self.rows;
                self.index
                    .insert(place, row, |row| rows.get(row).map_or(0, |account| hash(&account.address)));
                Ok(row as Id)
            }
        }
    }

    /// A row.
    pub(super) fn get(&self, id: Id) -> Result<&Account<A>> {
        self.rows.get(usize::from(id)).ok_or(ProgramError::TableLimit)
    }

    /// A row, for changes.
    pub(super) fn get_mut(&mut self, id: Id) -> Result<&mut Account<A>> {
        self.rows.get_mut(usize::from(id)).ok_or(ProgramError::TableLimit)
    }

    /// Writes the rows into a checkpoint, but for the accounts of the ledger.
    pub(super) fn put(&self, out: &mut Writer<'_>) -> Result<()> {
        out.put(&(self.rows.len() as u16))?;
        for row in &self.rows {
            out.put(&row.address)?;
            out.put(&row.is_warm)?;
            out.put(&row.balance_account.is_some())?;
            out.put(&row.has_balance_account)?;
            out.put(&row.contract_account.is_some())?;
            out.put(&row.is_code_known)?;
            out.put(&row.may_have_contract)?;
            out.put(&row.original)?;
            out.put(&(row.state != row.original).then_some(row.state))?;
            out.put(&row.saved_at)?;
        }
        Ok(())
    }

    /// Reads the rows of a checkpoint into the empty table. `next` gives the accounts of the ledger, in the order of the rows.
    #[inline(never)] // a stack frame has 4 KiB on sBPF
    pub(super) fn take(
        &mut self,
        input: &mut Reader<'_>,
        next: &mut impl FnMut() -> Result<A>,
    ) -> Result<()> {
        let count: u16 = input.take()?;
        for _ in 0..count {
            let address = input.take()?;
            let id = self.id(&address)?;
            let is_warm = input.take()?;
            let balance_account = input.take::<bool>()?.then(&mut *next).transpose()?;
            let has_balance_account = input.take()?;
            let contract_account = input.take::<bool>()?.then(&mut *next).transpose()?;
            let is_code_known = input.take()?;
            let may_have_contract = input.take()?;
            let original = input.take()?;
            let state = input.take::<Option<State>>()?.unwrap_or(original);
            let saved_at = input.take()?;
            *self.get_mut(id)? = Account {
                address,
                is_warm,
                balance_account,
                has_balance_account,
                contract_account,
                is_code_known,
                may_have_contract,
                // Asked for before a run begins only.
                has_run: false,
                original,
                state,
                saved_at,
            };
        }
        Ok(())
    }

    /// All rows.
    pub(crate) fn rows(&self) -> &[Account<A>] {
        &self.rows
    }
}

impl<A> Account<A> {
    /// The code that the account has after the transaction.
    pub(crate) const fn code_afterwards(&self) -> CodeOf {
        if self.state.is_destroyed { CodeOf::None } else { self.state.code }
    }

    const fn new(address: H160) -> Self {
        let state = State {
            nonce: 0,
            balance: U256([0; 4]),
            code: CodeOf::None,
            is_created: false,
            is_destroyed: false,
        };
        Self {
            address,
            is_warm: false,
            balance_account: None,
            has_balance_account: false,
            contract_account: None,
            is_code_known: false,
            may_have_contract: false,
            has_run: false,
            original: state,
            state,
            saved_at: 0,
        }
    }
}

/// Whether calls of an address never run code of an account.
pub(crate) fn is_precompile(address: &H160, fork: Fork) -> bool {
    precompile::number_of(address, fork).is_some() || *address == WITHDRAW_ADDRESS
}

/// Whether two addresses are equal, a few bytes at a time: `==` would be a syscall on chain.
#[inline(always)]
fn is_same(a: &H160, b: &H160) -> bool {
    let words = |address: &H160| {
        let (words, rest) = address.0.as_chunks::<8>();
        let rest = rest.first_chunk::<4>().copied().unwrap_or_default();
        (u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1]), u32::from_le_bytes(rest))
    };
    let (a, b) = (words(a), words(b));
    a.2 == b.2 && a.1 == b.1 && a.0 == b.0
}

/// Addresses are hashes already, but for precompiles.
fn hash(address: &H160) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&address.0[12..]);
    u64::from_le_bytes(bytes)
}

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// The number of an account whose nonce and balance are loaded.
    ///
    /// The nonce of an address without a Balance account is 1 if it is a contract (EIP-161), so where none is found
    /// the Contract account is loaded as well.
    pub(crate) fn load_balance(&mut self, address: &H160) -> Result<Id> {
        let id = self.accounts.id(address)?;
        self.load_balance_of(id)?;
        Ok(id)
    }

    /// Loads nonce and balance of an account.
    pub(crate) fn load_balance_of(&mut self, id: Id) -> Result<()> {
        let row = self.accounts.get(id)?;
        if row.balance_account.is_some() {
            return Ok(());
        }
        let account = self.ledger.load(&AccountKey::Balance(row.address))?;
        let data = self.ledger.data(account)?;
        let found = if data.is_empty() {
            None
        } else {
            let view = Balance::view(data)?;
            Some((view.nonce(), view.balance(), view.has_contract(), view.has_run()))
        };
        let row = self.accounts.get_mut(id)?;
        row.balance_account = Some(account);
        if let Some((nonce, balance, has_contract, has_run)) = found {
            row.has_balance_account = true;
            (row.may_have_contract, row.has_run) = (has_contract, has_run);
            (row.original.nonce, row.original.balance) = (nonce, balance);
            (row.state.nonce, row.state.balance) = (nonce, balance);
            return Ok(());
        }
        self.load_code_of(id)?;
        let row = self.accounts.get_mut(id)?;
        if !matches!(row.original.code, CodeOf::None) {
            row.original.nonce = 1;
            row.state.nonce = 1;
        }
        Ok(())
    }

    /// The number of an account whose code is known.
    pub(crate) fn load_contract(&mut self, address: &H160) -> Result<(Id, CodeOf)> {
        let id = self.accounts.id(address)?;
        Ok((id, self.load_code_of(id)?))
    }

    /// What an account's code is, loaded on first use.
    pub(crate) fn load_code_of(&mut self, id: Id) -> Result<CodeOf> {
        let row = self.accounts.get_mut(id)?;
        if row.is_code_known {
            return Ok(row.state.code);
        }
        if is_precompile(&row.address, self.env.fork) {
            // No contract can be created there, so there is nothing to load.
            row.is_code_known = true;
            return Ok(CodeOf::None);
        }
        if row.has_balance_account && !row.may_have_contract {
            // The Balance account's flag spares loading the Contract account: most addresses have none.
            row.is_code_known = true;
            return Ok(CodeOf::None);
        }
        let account = self.load_contract_account(id)?;
        let data = self.ledger.data(account)?;
        let code = if data.is_empty() {
            CodeOf::None
        } else {
            let view = Contract::view(data)?;
            view.delegate().map_or(CodeOf::Hash(view.code_hash()), CodeOf::Delegate)
        };
        let row = self.accounts.get_mut(id)?;
        row.is_code_known = true;
        row.original.code = code;
        row.state.code = code;
        Ok(code)
    }

    /// The Contract account of an address, loaded.
    pub(crate) fn load_contract_account(&mut self, id: Id) -> Result<L::Account> {
        let row = self.accounts.get_mut(id)?;
        if let Some(account) = row.contract_account {
            return Ok(account);
        }
        let account = self.ledger.load(&AccountKey::Contract(row.address))?;
        row.contract_account = Some(account);
        Ok(account)
    }

    /// Whether a loaded account has a Balance account already.
    pub(crate) fn balance_exists(&self, id: Id) -> Result<bool> {
        Ok(self.accounts.get(id)?.has_balance_account)
    }

    /// An account.
    pub(crate) fn account(&self, id: Id) -> Result<&Account<L::Account>> {
        self.accounts.get(id)
    }

    /// An account's state for changing; the journal keeps what it was.
    pub(crate) fn change(&mut self, id: Id) -> Result<&mut State> {
        let checkpoint = self.journal.checkpoint();
        let row = self.accounts.get_mut(id)?;
        if row.saved_at < checkpoint {
            self.journal.save_account(id, row)?;
            row.saved_at = checkpoint;
        }
        Ok(&mut row.state)
    }

    /// Moves wei from one loaded account to another; `false` when the balance does not cover it.
    pub(crate) fn transfer(&mut self, from: Id, to: Id, value: &U256) -> Result<bool> {
        if value.is_zero() {
            return Ok(true);
        }
        let Some(rest) = amount::checked_sub(&self.account(from)?.state.balance, value) else {
            return Ok(false);
        };
        self.change(from)?.balance = rest;
        self.credit(to, value)?;
        Ok(true)
    }

    /// Adds wei to a loaded account.
    pub(crate) fn credit(&mut self, to: Id, value: &U256) -> Result<()> {
        let state = self.change(to)?;
        // All wei there are fit 96 bits; only made-up balances in simulations get here.
        state.balance = amount::checked_add(&state.balance, value).ok_or(ProgramError::InvalidArgument)?;
        Ok(())
    }
}
