//! Writing back what a transaction changed: first a plan, which tells the rent, then the writes.
//!
//! Only what changed is written. Before the first write the balances are summed up (invariant 8).

use crate::amount::wei;
use crate::ledger::Ledger;
use crate::rent;
use crate::world::{CodeOf, EMPTY_CODE_HASH, Id, LoadedCell, World};
use crate::{ProgramError, Result};
use alloc::vec::Vec;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::{H256, U256, arith, jump_map};
use parhelion_wire::account::{Balance, Cell, CellMut, Code, Contract, Header, Kind, Layout};
use parhelion_wire::address::{AccountKey, split_storage_key};

/// One account to write.
#[derive(Clone, Copy, Debug)]
enum Write<A> {
    Balance(Id, A),
    Contract(Id, A),
    Code(H256, A),
    Cell(CellWrite<A>),
}

/// A Cell to write.
#[derive(Clone, Copy, Debug)]
struct CellWrite<A> {
    account: A,
    /// Its number in the table.
    number: u16,
    entries_before: usize,
    entries_after: usize,
    /// Whether all values are zero afterwards.
    is_zero: bool,
}

/// What is to be written.
#[derive(Debug)]
pub(crate) struct Plan<A> {
    writes: Vec<Write<A>>,
    vault: Option<A>,
    /// Lamports of rent for accounts that are created or grow.
    pub(crate) rent: u64,
    /// Codes that are stored: hash and length.
    pub(crate) codes: Vec<(H256, usize)>,
}

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// Finds out what there is to write, and what rent it takes.
    pub(crate) fn plan(&mut self) -> Result<Plan<L::Account>> {
        let mut plan = Plan { writes: Vec::with_capacity(16), vault: None, rent: 0, codes: Vec::new() };
        let mut index: Id = 0;
        while usize::from(index) < self.accounts.rows().len() {
            self.plan_account(&mut plan, index)?;
            index = index.wrapping_add(1);
        }
        self.plan_cells(&mut plan)?;
        if !self.withdrawals.is_empty() {
            plan.vault = Some(self.ledger.load(&AccountKey::Vault)?);
        }
        Ok(plan)
    }

    /// Plans the Balance of an existing account that changed after the plan was made.
    pub(crate) fn plan_balance(&self, plan: &mut Plan<L::Account>, id: Id) -> Result<()> {
        let is_planned =
            plan.writes.iter().any(|write| matches!(write, Write::Balance(planned, _) if *planned == id));
        if let (false, Some(account)) = (is_planned, self.account(id)?.balance_account) {
            plan.writes.push(Write::Balance(id, account));
        }
        Ok(())
    }

    /// Plans an account's Balance, Contract and Code.
    fn plan_account(&mut self, plan: &mut Plan<L::Account>, id: Id) -> Result<()> {
        let row = self.account(id)?;
        let (state, original) = (&row.state, &row.original);
        let code_changes = row.is_code_known && row.code_afterwards() != original.code;
        if let Some(account) = row.balance_account {
            let exists = row.has_balance_account;
            let changes = if state.is_destroyed {
                exists && (original.nonce != 0 || !arith::is_zero(&original.balance) || code_changes)
            } else if exists {
                state.nonce != original.nonce || !arith::eq(&state.balance, &original.balance) || code_changes
            } else {
                // An absent Balance reads as balance 0, and nonce 1 for a contract or 0 for another address.
                !arith::is_zero(&state.balance) || state.nonce != u64::from(state.code != CodeOf::None)
            };
            if changes {
                if !exists {
                    self.add_rent(plan, |per_byte| rent::of_account(size_of::<Balance>(), per_byte))?;
                }
                plan.writes.push(Write::Balance(id, account));
            }
        }
        if code_changes {
            let account = self.load_contract_account(id)?;
            let code = self.account(id)?.code_afterwards();
            if self.ledger.data(account)?.is_empty() {
                self.add_rent(plan, |per_byte| rent::of_account(size_of::<Contract>(), per_byte))?;
            }
            plan.writes.push(Write::Contract(id, account));
            self.plan_code(plan, code)?;
        }
        Ok(())
    }

    /// Plans the storing of a deployed code, unless it is stored already.
    fn plan_code(&mut self, plan: &mut Plan<L::Account>, code: CodeOf) -> Result<()> {
        let CodeOf::Hash(hash) = code else { return Ok(()) };
        if hash == EMPTY_CODE_HASH || plan.codes.iter().any(|(planned, _)| *planned == hash) {
            return Ok(());
        }
        let account = self.ledger.load(&AccountKey::Code(hash))?;
        if is_code(self.ledger.data(account)?) {
            return Ok(());
        }
        let length = self.deployed_code(&hash).map(<[u8]>::len).ok_or(ProgramError::WrongLength)?;
        // A reservation's room was paid for by an operator, who gets the rent back here like that of a new account.
        self.add_rent(plan, |per_byte| rent::of_account(Code::account_length(length), per_byte))?;
        plan.codes.push((hash, length));
        plan.writes.push(Write::Code(hash, account));
        Ok(())
    }

    /// Chains the changed storage keys of each Cell and plans the Cells that have some.
    fn plan_cells(&mut self, plan: &mut Plan<L::Account>) -> Result<()> {
        let rows = self.accounts.rows();
        self.storage.chain_changes(|id| rows.get(usize::from(id)).is_some_and(|row| row.state.is_destroyed));
        let mut number: u16 = 0;
        while let Some(cell) = self.storage.cells().get(usize::from(number)) {
            if cell.has_changes() {
                self.plan_cell(plan, number)?;
            }
            number = number.wrapping_add(1);
        }
        Ok(())
    }

    /// Plans one Cell with changes.
    fn plan_cell(&mut self, plan: &mut Plan<L::Account>, number: u16) -> Result<()> {
        let account = self.storage.cell(number)?.ledger_account;
        let data = self.ledger.data(account)?;
        let cell = if data.is_empty() { None } else { Some(Cell::view(data)?) };
        let entries_before = cell.map_or(0, |cell| cell.entries());
        let mut entries_after = entries_before;
        let mut is_zero = true;
        for slot in self.storage.changes(number) {
            let is_new = !cell.is_some_and(|cell| cell.has_entry(split_storage_key(&slot.key).1));
            if !slot.value.is_zero() {
                is_zero = false;
                entries_after = entries_after.saturating_add(usize::from(is_new));
            }
        }
        // Only a Cell all of whose changed values become zero can be empty; the others are looked at then.
        if let (true, Some(cell)) = (is_zero, cell) {
            is_zero = cell.iter().all(|(index, value)| {
                value.is_zero()
                    || self.storage.changes(number).any(|slot| split_storage_key(&slot.key).1 == index)
            });
        }
        if entries_before == 0 {
            self.add_rent(plan, |per_byte| rent::of_account(Cell::account_length(entries_after), per_byte))?;
        } else if entries_after > entries_before {
            let growth =
                Cell::account_length(entries_after).saturating_sub(Cell::account_length(entries_before));
            self.add_rent(plan, |per_byte| rent::of_growth(growth, per_byte))?;
        }
        if is_zero {
            plan.vault = Some(self.ledger.load(&AccountKey::Vault)?);
        }
        plan.writes.push(Write::Cell(CellWrite { account, number, entries_before, entries_after, is_zero }));
        Ok(())
    }

    /// Adds to the plan's rent; the price is read only when it is needed.
    fn add_rent(
        &mut self,
        plan: &mut Plan<L::Account>,
        lamports: impl FnOnce(u64) -> Result<u64>,
    ) -> Result<()> {
        let lamports = lamports(self.ledger.rent_per_byte()?)?;
        plan.rent = plan.rent.checked_add(lamports).ok_or(ProgramError::WrongLength)?;
        Ok(())
    }

    /// Carries out a plan. Rent of Cells that are closed goes to `sender`.
    #[inline(always)] // or runs at once pay for there being others
    pub(crate) fn commit(&mut self, plan: &Plan<L::Account>, slot: u64, sender: Id) -> Result<()> {
        // Cells first: closing one changes the sender's balance.
        for write in &plan.writes {
            if let Write::Cell(cell) = write {
                let returned = self.write_cell(plan, cell, slot)?;
                self.credit(sender, &wei(returned)?)?;
            }
        }
        for write in &plan.writes {
            match *write {
                Write::Balance(id, account) => self.write_balance(id, account, slot)?,
                Write::Contract(id, account) => self.write_contract(id, account, slot)?,
                Write::Code(hash, account) => self.write_code(hash, account, slot)?,
                Write::Cell(_) => {}
            }
        }
        if let Some(vault) = plan.vault {
            for number in 0..self.withdrawals.len() {
                let Some(withdrawal) = self.withdrawals.get(number).copied() else { break };
                let payee = self.ledger.load(&AccountKey::External(withdrawal.payee))?;
                self.ledger.pay_out(vault, payee, withdrawal.lamports)?;
            }
        }
        Ok(())
    }

    fn write_balance(&mut self, id: Id, account: L::Account, slot: u64) -> Result<()> {
        let row = self.account(id)?;
        let (address, state, is_code_known) = (row.address, row.state, row.is_code_known);
        let exists = row.has_balance_account;
        let data = self.ledger.write(account, &AccountKey::Balance(address), size_of::<Balance>())?;
        let view = if exists { Balance::view_mut(data)? } else { Balance::create(data, slot)? };
        if exists {
            view.header_mut().touch(slot);
        }
        if state.is_destroyed {
            view.set_nonce(0);
            view.set_balance(&U256([0; 4]));
            view.set_has_contract(false);
        } else {
            view.set_nonce(state.nonce);
            view.set_balance(&state.balance);
            if is_code_known {
                view.set_has_contract(state.code != CodeOf::None);
            }
        }
        Ok(())
    }

    fn write_contract(&mut self, id: Id, account: L::Account, slot: u64) -> Result<()> {
        let row = self.account(id)?;
        let (address, code) = (row.address, row.state.code);
        let exists = !self.ledger.data(account)?.is_empty();
        let data = self.ledger.write(account, &AccountKey::Contract(address), size_of::<Contract>())?;
        let view = if exists { Contract::view_mut(data)? } else { Contract::create(data, slot)? };
        if exists {
            view.header_mut().touch(slot);
        } else {
            view.set_creation_slot(slot);
        }
        match code {
            CodeOf::Hash(hash) => {
                view.set_code_hash(hash);
                view.set_delegate(None);
            }
            // A cleared delegation leaves a contract of no code.
            CodeOf::None => {
                view.set_code_hash(EMPTY_CODE_HASH);
                view.set_delegate(None);
            }
            CodeOf::Delegate(delegate) => {
                view.set_code_hash(H256::zero());
                view.set_delegate(Some(delegate));
            }
        }
        Ok(())
    }

    fn write_code(&mut self, hash: H256, account: L::Account, slot: u64) -> Result<()> {
        let code = self.deployed_code(&hash).ok_or(ProgramError::WrongLength)?.to_vec();
        let data = self.ledger.write(account, &AccountKey::Code(hash), Code::account_length(code.len()))?;
        let map = Code::create(data, slot, hash, &code)?;
        jump_map::fill(map, &code);
        Ok(())
    }

    /// Writes a Cell, or closes it and gives the lamports that came back.
    fn write_cell(
        &mut self,
        plan: &Plan<L::Account>,
        write: &CellWrite<L::Account>,
        slot: u64,
    ) -> Result<u64> {
        if let (true, Some(vault)) = (write.is_zero, plan.vault) {
            let may_close = Cell::view(self.ledger.data(write.account)?)?.header().may_close(slot);
            if may_close {
                return self.ledger.close(write.account, vault);
            }
            // It stays, empty, until a later write finds it closable.
            self.ledger.may_write(vault);
        }
        let LoadedCell { account: id, key, .. } = *self.storage.cell(write.number)?;
        let key = AccountKey::Cell(self.account(id)?.address, key);
        let data = self.ledger.write(write.account, &key, Cell::account_length(write.entries_after))?;
        let mut cell = if write.entries_before == 0 {
            CellMut::create(data, slot)?
        } else {
            CellMut::grown(data, write.entries_before, slot)?
        };
        for change in self.storage.changes(write.number) {
            let (_, index) = split_storage_key(&change.key);
            if !change.value.is_zero() || cell.has_entry(index) {
                cell.set(index, &change.value)?;
            }
        }
        Ok(0)
    }

    /// Invariant 8, for one transaction: the balances' sum changes by what was withdrawn and burned, and by nothing
    /// else. Rent of closed Cells is added by [`Self::commit`] itself, with the lamports that enter the vault. Sums are
    /// modulo 2^256, far above all wei that there are.
    pub(crate) fn check_sum(&self) -> Result<()> {
        let mut before = self.escrow;
        let mut after = self.burned;
        for row in self.accounts.rows().iter().filter(|row| row.balance_account.is_some()) {
            before = arith::add(&before, &row.original.balance);
            after = arith::add(&after, &row.state.balance);
        }
        for withdrawal in &self.withdrawals {
            after = arith::add(&after, &wei(withdrawal.lamports)?);
        }
        if arith::eq(&before, &after) { Ok(()) } else { Err(ProgramError::VaultShort) }
    }

    /// What is left in contracts that self-destructed in the transaction that created them is burned (EIP-6780).
    pub(crate) fn burn_destroyed(&mut self) -> Result<()> {
        let mut index: Id = 0;
        while let Some(row) = self.accounts.rows().get(usize::from(index)) {
            if row.state.is_destroyed && !row.state.balance.is_zero() {
                self.burned = arith::add(&self.burned, &row.state.balance);
                self.change(index)?.balance = U256([0; 4]);
            }
            index = index.wrapping_add(1);
        }
        Ok(())
    }
}

/// Whether an account holds code (and not nothing, or a reservation).
fn is_code(data: &[u8]) -> bool {
    data.split_at_checked(size_of::<Header>())
        .is_some_and(|(header, _)| header.first() == Some(&(Kind::Code as u8)))
}
