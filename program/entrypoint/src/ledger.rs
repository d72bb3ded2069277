//! The executor's ledger over the accounts of the running instruction.
//!
//! An account is found by the address that its key derives, so an account at a wrong address is never found. What is
//! found must be owned by the program, or not exist yet. Its layout is checked by whoever reads it. Everything that
//! is written must be listed as writable.

use crate::account::{Account, SYSTEM_PROGRAM, is_same};
use crate::cpi::{self, Derivation};
use crate::crypto::sha256;
use crate::sysvar;
use alloc::vec::Vec;
use parhelion_evm::translation;
use parhelion_executor::{Ledger, Mark};
use parhelion_wire::account::{
    ACCOUNT_STORAGE_OVERHEAD, Config, GROWTH_MAX, Header, Kind, Layout, Lock, Translation,
};
use parhelion_wire::address::{AccountKey, CONFIG_SEED, Seed, VAULT_SEED, with_seed};
use parhelion_wire::{H256, ProgramError, Pubkey};

/// The accounts of the running instruction as Ethereum state.
pub(crate) struct OnChain<'a, 'c> {
    accounts: &'a [Account<'c>],
    program_id: Pubkey,
    config: Account<'c>,
    config_bump: u8,
    vault_bump: u8,
    /// Who pays for new accounts.
    payer: Account<'c>,
    /// The current slot.
    slot: u64,
    rent_per_byte: Option<u64>,
    /// The slot, modulo 2^32, in which this run locked accounts; 0 when it did not. Another run may have locked some in the
    /// same slot: then one of the two begins anew.
    locked_at: u32,
    /// Accounts that the run has read before and that the instruction does not list: their positions come behind those of
    /// the accounts.
    unlisted: Vec<Mark>,
}

/// Room for unlisted accounts to begin with: more than most runs have.
const UNLISTED_ROOM: usize = 192;

/// The position of an account in the instruction's list.
pub(crate) type Position = usize;

/// The Config account, checked: owner, kind, version, address, and that the chain is not paused.
///
/// Its address was derived when it was created, and is in the account ever since: only this program writes it.
///
/// # Errors
/// [`ProgramError::WrongOwner`], [`ProgramError::WrongKind`], [`ProgramError::WrongVersion`],
/// [`ProgramError::WrongAddress`], [`ProgramError::Paused`].
pub(crate) fn config(account: &Account<'_>, program_id: &Pubkey) -> Result<Config, ProgramError> {
    account.require_owner(program_id)?;
    let config = *Config::view(account.data())?;
    account.require_key(&config.address)?;
    if config.paused() {
        return Err(ProgramError::Paused);
    }
    Ok(config)
}

/// The program-derived address of one seed and a bump. Whether it is off the curve was checked when the account was
/// created.
pub(crate) fn program_address(seed: &[u8], bump: u8, program_id: &Pubkey) -> Pubkey {
    sha256(&[seed, &[bump], program_id, b"ProgramDerivedAddress"])
}

impl<'a, 'c> OnChain<'a, 'c> {
    /// The ledger of an instruction whose Config account is checked.
    pub(crate) fn new(
        accounts: &'a [Account<'c>],
        config_account: Account<'c>,
        config: &Config,
        payer: Account<'c>,
        program_id: &Pubkey,
        slot: u64,
    ) -> Self {
        Self {
            accounts,
            program_id: *program_id,
            config: config_account,
            config_bump: config.config_bump,
            vault_bump: config.vault_bump,
            payer,
            slot,
            rent_per_byte: None,
            locked_at: 0,
            unlisted: Vec::new(),
        }
    }

    /// The ledger of a run that locked accounts in this slot, modulo 2^32; 0 when it did not.
    pub(crate) fn with_locks(self, locked_at: u32) -> Self {
        Self { locked_at, ..self }
    }

    /// The account at a position.
    pub(crate) fn account(&self, position: Position) -> Result<&'a Account<'c>, ProgramError> {
        self.accounts.get(position).ok_or(ProgramError::AccountMissing)
    }

    /// The address of a key's account.
    #[inline(always)]
    fn address(&self, key: &AccountKey) -> Pubkey {
        match key {
            AccountKey::Vault => program_address(VAULT_SEED, self.vault_bump, &self.program_id),
            AccountKey::External(address) => *address,
            _ => with_seed(self.config.key(), Seed::of(key, sha256).as_bytes(), &self.program_id, sha256),
        }
    }

    /// Finds an address among the accounts. Nearly every other one differs in its first eight bytes already.
    #[inline(always)]
    fn find(&self, address: &Pubkey) -> Result<Position, ProgramError> {
        self.accounts
            .iter()
            .position(|account| is_same(account.key(), address))
            .ok_or(ProgramError::AccountMissing)
    }

    /// Lamports that exempt `length` bytes from rent.
    pub(crate) fn rent_exemption(&mut self, length: usize) -> Result<u64, ProgramError> {
        let bytes = (length as u64).checked_add(ACCOUNT_STORAGE_OVERHEAD).ok_or(ProgramError::WrongLength)?;
        bytes.checked_mul(self.rent_per_byte()?).ok_or(ProgramError::WrongLength)
    }

    /// Refuses an account that another run has locked.
    #[cold]
    fn require_unlocked(&self, account: &Account<'_>) -> Result<(), ProgramError> {
        match Header::of(account.data()).and_then(|header| header.lock_in(self.slot)) {
            lock @ Some(_) if lock != Lock::of_locked_at(self.locked_at) => Err(ProgramError::AccountLocked),
            _ => Ok(()),
        }
    }

    /// The header of an account that can be locked: one of the state's, which is writable.
    fn header_to_lock(&mut self, position: Position) -> Option<&mut Header> {
        let account = *self.accounts.get(position)?;
        let kind = *account.data().first()?;
        let is_state = [Kind::Balance as u8, Kind::Contract as u8, Kind::Cell as u8].contains(&kind);
        if !is_state || !self.exists(&account) || account.require_writable().is_err() {
            return None;
        }
        // SAFETY: as in `write`: the result borrows the ledger exclusively, and data is handed out by the ledger only.
        let data = unsafe { core::slice::from_raw_parts_mut(account.data_ptr(), account.len()) };
        Header::of_mut(data)
    }

    /// Whether an account exists: the program owns it.
    fn exists(&self, account: &Account<'_>) -> bool {
        account.is_owned_by(&self.program_id)
    }

    /// Creates an account that does not exist.
    fn create(&mut self, account: &Account<'c>, key: &AccountKey, length: usize) -> Result<(), ProgramError> {
        if length > GROWTH_MAX {
            return Err(ProgramError::GrowthLimit);
        }
        let lamports = self.rent_exemption(length)?;
        let seed = Seed::of(key, sha256);
        let bump = [self.config_bump];
        let seeds: [&[u8]; 2] = [CONFIG_SEED, &bump];
        let derivation =
            Derivation::WithSeed { base: &self.config, seed: seed.as_bytes(), base_seeds: &seeds };
        cpi::create(&self.payer, account, &derivation, length, lamports, &self.program_id)
    }

    /// Grows (or shrinks) an account that exists.
    fn resize(&mut self, account: &Account<'c>, length: usize) -> Result<(), ProgramError> {
        if length > account.len() {
            let missing = self.rent_exemption(length)?.saturating_sub(account.lamports());
            if missing > 0 {
                cpi::transfer(&self.payer, account, missing)?;
            }
        }
        account.resize(length)
    }

    /// Grows an account towards `length` by what one instruction allows, creating it first if need be; whether it was
    /// created.
    pub(crate) fn grow_towards(
        &mut self,
        position: Position,
        key: &AccountKey,
        length: usize,
    ) -> Result<bool, ProgramError> {
        let account = *self.account(position)?;
        account.require_writable()?;
        if self.exists(&account) {
            let reachable = length.min(account.len() + GROWTH_MAX);
            if reachable > account.len() {
                self.resize(&account, reachable)?;
            }
            return Ok(false);
        }
        self.create(&account, key, length.min(GROWTH_MAX))?;
        Ok(true)
    }
}

impl<'c> Ledger<'c> for OnChain<'_, 'c> {
    type Account = Position;

    const NEVER_FREES: bool = true;

    fn mark(&self, position: Position) -> Result<Mark, ProgramError> {
        match self.accounts.get(position) {
            Some(account) => Ok(Mark::new(position, account.key(), self.data(position)?)),
            None => {
                let number = position.wrapping_sub(self.accounts.len());
                let mark = *self.unlisted.get(number).ok_or(ProgramError::AccountMissing)?;
                Ok(Mark { is_locked: false, ..mark })
            }
        }
    }

    fn resume(&mut self, mark: &Mark) -> Result<Position, ProgramError> {
        let position = usize::from(mark.position);
        let is_there =
            self.accounts.get(position).is_some_and(|account| is_same(account.key(), &mark.address));
        let position = if is_there { Ok(position) } else { self.find(&mark.address) };
        match position {
            Ok(position) => mark.check(self.data(position)?).map(|()| position),
            Err(_) => {
                // At once: what a vector leaves behind when it grows is lost.
                if self.unlisted.is_empty() {
                    self.unlisted.reserve(UNLISTED_ROOM);
                }
                self.unlisted.push(*mark);
                Ok(self.accounts.len().wrapping_add(self.unlisted.len()).wrapping_sub(1))
            }
        }
    }

    fn is_at_hand(&self, position: Position) -> bool {
        position < self.accounts.len()
    }

    #[inline(never)]
    fn lockable(&mut self, address: &Pubkey) -> Option<&mut Header> {
        let position = self.find(address).ok()?;
        self.header_to_lock(position)
    }

    #[inline(never)]
    fn lock(&mut self) -> Result<u32, ProgramError> {
        let (slot, own) = (self.slot, Lock::of_locked_at(self.locked_at));
        let lock_of = |header: &mut Header| header.lock_in(slot);
        let has_own = |lock: Lock| Some(lock) == own;
        if (0..self.accounts.len())
            .any(|position| self.header_to_lock(position).and_then(lock_of).is_some_and(has_own))
        {
            // The locks of an earlier attempt hold for this one, but not for longer.
            return Ok(self.locked_at);
        }
        self.locked_at = 0;
        for position in 0..self.accounts.len() {
            let Some(header) = self.header_to_lock(position) else { continue };
            // What is locked for the end of runs nobody writes, and who has locked it waits for nothing of ours.
            if header.lock_in(slot).is_none_or(|lock| lock.end_after(slot).is_none()) {
                header.lock(slot, Lock::of_attempt(slot))?;
                self.locked_at = slot as u32;
            }
        }
        Ok(self.locked_at)
    }

    #[inline(never)]
    fn unlock(&mut self) {
        let (slot, own) = (self.slot, Lock::of_locked_at(self.locked_at));
        for position in 0..self.accounts.len() {
            if let Some(header) = self.header_to_lock(position)
                && own.is_some_and(|own| header.has_lock(own))
            {
                header.unlock(slot);
            }
        }
    }

    fn load(&mut self, key: &AccountKey) -> Result<Position, ProgramError> {
        let position = self.find(&self.address(key))?;
        let account = self.account(position)?;
        let is_ours = account.is_owned_by(&self.program_id);
        match key {
            AccountKey::External(_) => Ok(position),
            _ if is_ours || account.is_owned_by(&SYSTEM_PROGRAM) && account.len() == 0 => Ok(position),
            _ => Err(ProgramError::WrongOwner),
        }
    }

    fn data(&self, position: Position) -> Result<&[u8], ProgramError> {
        let account = self.account(position)?;
        Ok(if self.exists(account) { account.data() } else { &[] })
    }

    fn code(&self, position: Position) -> &'c [u8] {
        match self.accounts.get(position) {
            // SAFETY: `write` refuses accounts that hold code, and nothing else writes to one.
            Some(account) if self.exists(account) && is_code(account.data()) => unsafe {
                account.data_for_good()
            },
            _ => &[],
        }
    }

    fn translation(&self, hash: &H256) -> Option<&'c [u8]> {
        // No address is derived: only the program makes accounts of this kind, and they say which code they are of.
        let ours = |account: &Account<'c>| is_translation(account) && self.exists(account);
        self.accounts.iter().filter(|account| ours(account)).find_map(|account| {
            // SAFETY: only `translate` writes a translation, and it runs no transaction.
            Translation::of(unsafe { account.data_for_good() }, hash, translation::VERSION)
        })
    }

    fn write(
        &mut self,
        position: Position,
        key: &AccountKey,
        length: usize,
    ) -> Result<&mut [u8], ProgramError> {
        let account = *self.account(position)?;
        account.require_writable()?;
        if !self.exists(&account) {
            self.create(&account, key, length)?;
        } else {
            let begins = begins(account.data());
            if begins as u8 == Kind::Code as u8 {
                return Err(ProgramError::WrongKind);
            }
            if may_be_locked(begins) {
                self.require_unlocked(&account)?;
            }
            if account.len() != length {
                self.resize(&account, length)?;
            }
        }
        // SAFETY: the result borrows the ledger exclusively, and data is handed out by the ledger only: `data` has to
        // be given back before, and `code` hands out accounts that are refused above.
        Ok(unsafe { core::slice::from_raw_parts_mut(account.data_ptr(), account.len()) })
    }

    fn may_write(&mut self, _: Position) {}

    fn close(&mut self, position: Position, vault: Position) -> Result<u64, ProgramError> {
        let (account, vault) = (*self.account(position)?, *self.account(vault)?);
        account.require_writable()?;
        vault.require_writable()?;
        let begins = begins(account.data());
        if begins as u8 != Kind::Cell as u8 {
            return Err(ProgramError::WrongKind);
        }
        if may_be_locked(begins) {
            self.require_unlocked(&account)?;
        }
        let lamports = account.close();
        vault.set_lamports(vault.lamports().checked_add(lamports).ok_or(ProgramError::InvalidArgument)?);
        Ok(lamports)
    }

    fn pay_out(&mut self, vault: Position, payee: Position, lamports: u64) -> Result<(), ProgramError> {
        let (vault, payee) = (*self.account(vault)?, *self.account(payee)?);
        vault.require_writable()?;
        payee.require_writable()?;
        let exemption = self.rent_exemption(vault.len())?;
        let rest = vault.lamports().checked_sub(lamports).filter(|rest| *rest >= exemption);
        vault.set_lamports(rest.ok_or(ProgramError::VaultShort)?);
        payee.set_lamports(payee.lamports().checked_add(lamports).ok_or(ProgramError::InvalidPayee)?);
        Ok(())
    }

    fn can_receive(&mut self, payee: Position, _: &Pubkey, lamports: u64) -> Result<bool, ProgramError> {
        let account = *self.account(payee)?;
        let exemption = self.rent_exemption(account.len())?;
        let sum = account.lamports().checked_add(lamports);
        Ok(account.is_owned_by(&SYSTEM_PROGRAM) && sum.is_some_and(|sum| sum >= exemption))
    }

    fn rent_per_byte(&mut self) -> Result<u64, ProgramError> {
        match self.rent_per_byte {
            Some(price) => Ok(price),
            None => {
                let price = sysvar::rent_per_byte()?;
                self.rent_per_byte = Some(price);
                Ok(price)
            }
        }
    }

    fn slot_hash(&mut self, slot: u64) -> Result<Option<[u8; 32]>, ProgramError> {
        if slot >= self.slot { Ok(None) } else { sysvar::slot_hash(slot) }
    }

    fn newest_slot_hash(&mut self) -> Result<[u8; 32], ProgramError> {
        sysvar::newest_slot_hash()
    }
}

/// The first four bytes of an account: kind, version, flags; 0 when there are none.
#[inline(always)]
fn begins(data: &[u8]) -> u32 {
    data.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// [`Header::may_be_locked`] of an account that begins so.
#[inline(always)]
const fn may_be_locked(begins: u32) -> bool {
    begins >> 18 != 0
}

/// Whether an account may hold a translation.
fn is_translation(account: &Account<'_>) -> bool {
    account.data().first() == Some(&(Kind::Translation as u8))
}

/// Whether an account holds code.
fn is_code(data: &[u8]) -> bool {
    data.first() == Some(&(Kind::Code as u8))
}
