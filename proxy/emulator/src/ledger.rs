//! The executor's ledger over fetched accounts, which records what was used.

use crate::overrides::Seen;
use alloy_primitives::B256;
use parhelion_core::cluster::Account;
use parhelion_core::emulator::{CodeUse, FoundTranslation};
use parhelion_executor::evm::translation;
use parhelion_executor::{Ledger, Mark};
use parhelion_sdk::address::sha256;
use parhelion_wire::account::{ACCOUNT_STORAGE_OVERHEAD, Code, Header, Kind, Translation, TranslationStage};
use parhelion_wire::address::{AccountKey, Deployment};
use parhelion_wire::{H256, ProgramError, Pubkey};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What was fetched for a run.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Accounts by address; `None` for those that do not exist.
    pub accounts: HashMap<Pubkey, Option<Account>>,
    /// The SlotHashes sysvar, newest first, once a run asked for it.
    pub slot_hashes: Option<Vec<(u64, [u8; 32])>>,
    /// Lamports of rent exemption for a byte.
    pub rent_per_byte: u64,
    /// What is seen instead.
    pub seen: Seen,
}

/// What a run asked for and did not find.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Addresses of accounts.
    pub addresses: Vec<Pubkey>,
    /// Whether it needs the SlotHashes sysvar.
    pub slot_hashes: bool,
}

/// How a run used an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The account's address.
    pub address: Pubkey,
    /// Whether the run wrote it, or may write it in a later slot.
    pub is_written: bool,
    /// Whether it is a cache (a translation): the run does the same without it.
    pub is_optional: bool,
    /// The account afterwards; `None` when it does not exist.
    pub after: Option<Account>,
}

/// When an account is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Before the run.
    Before,
    /// Now.
    Now,
}

/// A ledger over [`Known`] accounts. Changes stay in it.
#[derive(Debug)]
pub struct Recorder<'c> {
    known: &'c Known,
    deployment: Deployment,
    rows: Vec<Row<'c>>,
    index: BTreeMap<Pubkey, usize>,
    missing: Missing,
    creates: bool,
    /// Whether it asked for the newest slot hash.
    asks_newest: bool,
    /// The codes that ran, by the addresses where their translations are or would be.
    codes: RefCell<BTreeMap<Pubkey, CodeUse>>,
    /// What the part of a run uses that is under way.
    part: RefCell<Part>,
}

/// What a part of a run in steps uses of what is at hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    /// Addresses of accounts.
    pub(crate) accounts: BTreeSet<Pubkey>,
    /// Addresses of complete translations.
    pub(crate) translations: BTreeSet<Pubkey>,
}

/// A used account.
#[derive(Debug)]
struct Row<'c> {
    address: Pubkey,
    before: Option<&'c Account>,
    /// The account once it was changed.
    changed: Option<Option<Account>>,
    is_written: bool,
    /// Whether it is of the state: a balance, a contract or a Cell.
    is_state: bool,
}

/// The System program: also the owner of accounts that nobody else owns.
pub(crate) const SYSTEM_PROGRAM: Pubkey = [0; 32];

impl<'c> Recorder<'c> {
    /// A ledger of a deployment over what is known.
    #[must_use]
    pub fn new(deployment: Deployment, known: &'c Known) -> Self {
        Self {
            known,
            deployment,
            rows: Vec::new(),
            index: BTreeMap::new(),
            missing: Missing::default(),
            creates: false,
            asks_newest: false,
            codes: RefCell::default(),
            part: RefCell::default(),
        }
    }

    /// A ledger as this one was in the beginning.
    pub(crate) fn anew(&self) -> Self {
        Self::new(self.deployment, self.known)
    }

    /// Ends a part of a run, and tells what it has used.
    pub(crate) fn end_part(&self) -> Part {
        self.part.take()
    }

    /// The state that was used, and the revision that it had; none where it did not exist.
    pub(crate) fn state(&self) -> impl Iterator<Item = (Pubkey, Option<u32>)> {
        let state = self.rows.iter().filter(|row| row.is_state);
        let is_ours = |account: &&Account| account.owner.to_bytes() == self.deployment.program_id;
        let revision = |account: &Account| Header::of(&account.data).map(Header::revision);
        state.map(move |row| (row.address, row.before.filter(is_ours).and_then(revision)))
    }

    /// The addresses of what was written, or may be in a later slot.
    pub(crate) fn written(&self) -> BTreeSet<Pubkey> {
        self.rows.iter().filter(|row| row.is_written).map(|row| row.address).collect()
    }

    /// Notes that an account is used.
    fn touch(&self, position: usize) {
        if let Some(row) = self.rows.get(position) {
            self.part.borrow_mut().accounts.insert(row.address);
        }
    }

    /// An account's data as it is now.
    fn now(&self, position: usize) -> &[u8] {
        match self.rows.get(position).and_then(Row::now) {
            Some(account) if account.owner.to_bytes() == self.deployment.program_id => &account.data,
            _ => &[],
        }
    }

    /// An account's data, without its being used; empty where it does not exist. One that is not at hand is missed.
    pub(crate) fn seen(&mut self, key: &AccountKey, when: When) -> &[u8] {
        let (known, program_id) = (self.known, self.deployment.program_id);
        let address = self.deployment.address(key, sha256);
        let account = match (self.index.get(&address), known.accounts.get(&address)) {
            (Some(position), _) => self.rows.get(*position).and_then(|row| match when {
                When::Before => row.before,
                When::Now => row.now(),
            }),
            (None, Some(before)) if !known.seen.hides(key, &address) => before.as_ref(),
            (None, Some(_)) => None,
            (None, None) => {
                self.missing.addresses.push(address);
                None
            }
        };
        account.filter(|account| account.owner.to_bytes() == program_id).map_or(&[], |account| &account.data)
    }

    /// Where translations of the codes that ran would be: worth a look next time.
    pub(crate) fn translations(&self) -> Vec<Pubkey> {
        self.codes.borrow().keys().copied().collect()
    }

    /// The stored codes that ran.
    #[must_use]
    pub fn codes(&self) -> Vec<CodeUse> {
        self.codes.borrow().values().copied().collect()
    }

    /// Whether the run asked for something that is not at hand, so that its result means nothing.
    pub(crate) fn misses(&self) -> bool {
        self.missing != Missing::default()
    }

    /// Whether the run asked for the newest slot hash: PREVRANDAO.
    pub(crate) const fn asks_newest(&self) -> bool {
        self.asks_newest
    }

    /// What the run did not find.
    #[must_use]
    pub fn into_missing(self) -> Missing {
        self.missing
    }

    /// Every account that the run used, sorted by address, complete translations included. The System program is among them when accounts are
    /// created or grow: it moves the rent.
    #[must_use]
    pub fn into_uses(self) -> Vec<Use> {
        let mut uses: Vec<Use> = self
            .rows
            .into_iter()
            .map(|row| Use {
                address: row.address,
                is_written: row.is_written,
                is_optional: false,
                after: row.changed.unwrap_or_else(|| row.before.cloned()),
            })
            .collect();
        let codes = self.codes.into_inner();
        uses.extend(codes.values().filter_map(CodeUse::complete_translation).map(|address| Use {
            address,
            is_written: false,
            is_optional: true,
            after: self.known.accounts.get(&address).cloned().flatten(),
        }));
        if self.creates {
            uses.push(Use { address: SYSTEM_PROGRAM, is_written: false, is_optional: false, after: None });
        }
        uses.sort_by_key(|used| used.address);
        uses
    }

    fn row(&self, position: usize) -> Result<&Row<'c>, ProgramError> {
        self.rows.get(position).ok_or(ProgramError::AccountMissing)
    }

    fn row_mut(&mut self, position: usize) -> Result<&mut Row<'c>, ProgramError> {
        self.rows.get_mut(position).ok_or(ProgramError::AccountMissing)
    }

    /// An account for changes; one that does not exist is made with nothing in it.
    fn change(&mut self, position: usize) -> Result<&mut Account, ProgramError> {
        self.touch(position);
        let row = self.row_mut(position)?;
        row.is_written = true;
        let before = row.before;
        let changed = row.changed.get_or_insert_with(|| before.cloned());
        Ok(changed.get_or_insert_with(|| Account {
            lamports: 0,
            owner: SYSTEM_PROGRAM.into(),
            data: Vec::new(),
        }))
    }

    /// Adds an account to those that are used.
    fn add(&mut self, address: Pubkey, before: Option<&'c Account>, is_state: bool) -> usize {
        let position = self.rows.len();
        self.rows.push(Row { address, before, changed: None, is_written: false, is_state });
        self.index.insert(address, position);
        position
    }

    fn exemption(&self, length: usize) -> u64 {
        (length as u64).saturating_add(ACCOUNT_STORAGE_OVERHEAD).saturating_mul(self.known.rent_per_byte)
    }

    /// An account of the program's.
    fn ours(&self, address: &Pubkey) -> Option<&'c Account> {
        let account = self.known.accounts.get(address)?.as_ref()?;
        (account.owner.to_bytes() == self.deployment.program_id).then_some(account)
    }

    /// The chain's settings.
    pub(crate) fn config(&self) -> Option<&'c Account> {
        self.ours(&self.deployment.config)
    }

    fn code_length(&self, hash: &H256) -> usize {
        let account = self.ours(&self.deployment.address(&AccountKey::Code(*hash), sha256));
        account.and_then(|account| Code::view(&account.data).ok()).map_or(0, |code| code.len())
    }

    fn found_translation(&self, address: Pubkey, hash: &H256) -> Option<FoundTranslation> {
        let account = self.ours(&address)?;
        let prefix = Translation::view(&account.data).ok()?.prefix;
        let is_it = prefix.code_hash() == *hash && prefix.format() == translation::VERSION;
        is_it.then_some(FoundTranslation {
            address,
            is_complete: prefix.stage() == TranslationStage::Complete,
            payer: *prefix.payer(),
            lamports: account.lamports,
        })
    }

    fn slot_hashes(&mut self) -> Result<&'c [(u64, [u8; 32])], ProgramError> {
        let known = self.known;
        match &known.slot_hashes {
            Some(hashes) => Ok(hashes),
            None => {
                self.missing.slot_hashes = true;
                Err(ProgramError::AccountMissing)
            }
        }
    }
}

impl Row<'_> {
    fn now(&self) -> Option<&Account> {
        match &self.changed {
            Some(changed) => changed.as_ref(),
            None => self.before,
        }
    }
}

// For every lifetime that the fetched accounts outlive, so that a run may borrow its message for less.
impl<'s, 'c: 's> Ledger<'s> for Recorder<'c> {
    type Account = usize;

    fn mark(&self, position: usize) -> Result<Mark, ProgramError> {
        let address = &self.row(position)?.address;
        Ok(Mark::new(position, address, self.now(position)))
    }

    fn resume(&mut self, mark: &Mark) -> Result<usize, ProgramError> {
        let known = self.known;
        let position = match (self.index.get(&mark.address), known.accounts.get(&mark.address)) {
            (Some(&position), _) => position,
            (None, Some(before)) => self.add(mark.address, before.as_ref(), true),
            (None, None) => {
                // Stands for the account for now, so that all that a checkpoint names is fetched at once.
                self.missing.addresses.push(mark.address);
                return Ok(self.add(mark.address, None, true));
            }
        };
        // What was changed has to be listed, so that the program sees it as well.
        mark.check(self.now(position)).inspect_err(|_| self.touch(position))?;
        Ok(position)
    }

    fn load(&mut self, key: &AccountKey) -> Result<usize, ProgramError> {
        let address = self.deployment.address(key, sha256);
        if let Some(&position) = self.index.get(&address) {
            self.touch(position);
            return Ok(position);
        }
        let Some(before) = self.known.accounts.get(&address) else {
            self.missing.addresses.push(address);
            if let AccountKey::Code(hash) = key {
                // Not needed, but of use if it is there: fetched on the same way.
                let translation = AccountKey::Translation(*hash, translation::VERSION);
                self.missing.addresses.push(self.deployment.address(&translation, sha256));
            }
            return Err(ProgramError::AccountMissing);
        };
        let before = if self.known.seen.hides(key, &address) { &None } else { before };
        let owner = before.as_ref().map_or(SYSTEM_PROGRAM, |account| account.owner.to_bytes());
        let is_absent =
            owner == SYSTEM_PROGRAM && before.as_ref().is_none_or(|account| account.data.is_empty());
        if !matches!(key, AccountKey::External(_)) && owner != self.deployment.program_id && !is_absent {
            return Err(ProgramError::WrongOwner);
        }
        let is_state = matches!(key, AccountKey::Balance(_) | AccountKey::Contract(_) | AccountKey::Cell(..));
        let position = self.add(address, before.as_ref(), is_state);
        self.touch(position);
        Ok(position)
    }

    fn data(&self, position: usize) -> Result<&[u8], ProgramError> {
        self.touch(position);
        Ok(self.now(position))
    }

    fn code(&self, position: usize) -> &'s [u8] {
        self.touch(position);
        match self.rows.get(position).and_then(|row| row.before) {
            Some(account) if account.owner.to_bytes() == self.deployment.program_id => &account.data,
            _ => &[],
        }
    }

    fn translation(&self, hash: &H256) -> Option<&'s [u8]> {
        let address = self.deployment.address(&AccountKey::Translation(*hash, translation::VERSION), sha256);
        let mut codes = self.codes.borrow_mut();
        let code = codes.entry(address).or_insert_with(|| CodeUse {
            hash: B256::from(hash.0),
            length: self.code_length(hash),
            frames: 0,
            translation: self.found_translation(address, hash),
        });
        code.frames += 1;
        self.part.borrow_mut().translations.extend(code.complete_translation());
        // The program will run it. Here the code itself does the same, and needs no trust in fetched bytes.
        None
    }

    fn write(&mut self, position: usize, _: &AccountKey, length: usize) -> Result<&mut [u8], ProgramError> {
        let data = self.now(position);
        if data.first() == Some(&(Kind::Code as u8)) {
            return Err(ProgramError::WrongKind);
        }
        let grows = length > data.len();
        self.creates |= grows;
        let exemption = self.exemption(length);
        let program_id = self.deployment.program_id;
        let account = self.change(position)?;
        if grows {
            account.lamports = account.lamports.max(exemption);
        }
        account.owner = program_id.into();
        account.data.resize(length, 0);
        Ok(&mut account.data)
    }

    fn may_write(&mut self, position: usize) {
        self.touch(position);
        if let Some(row) = self.rows.get_mut(position) {
            row.is_written = true;
        }
    }

    fn close(&mut self, position: usize, vault: usize) -> Result<u64, ProgramError> {
        self.touch(position);
        let row = self.row_mut(position)?;
        let lamports = row.now().map_or(0, |account| account.lamports);
        row.is_written = true;
        row.changed = Some(None);
        let vault = self.change(vault)?;
        vault.lamports = vault.lamports.checked_add(lamports).ok_or(ProgramError::InvalidArgument)?;
        Ok(lamports)
    }

    fn pay_out(&mut self, vault: usize, payee: usize, lamports: u64) -> Result<(), ProgramError> {
        let exemption = self.exemption(self.row(vault)?.now().map_or(0, |account| account.data.len()));
        let account = self.change(vault)?;
        let rest = account.lamports.checked_sub(lamports).filter(|rest| *rest >= exemption);
        account.lamports = rest.ok_or(ProgramError::VaultShort)?;
        let payee = self.change(payee)?;
        payee.lamports = payee.lamports.checked_add(lamports).ok_or(ProgramError::InvalidPayee)?;
        Ok(())
    }

    fn can_receive(&mut self, payee: usize, _: &Pubkey, lamports: u64) -> Result<bool, ProgramError> {
        let row = self.row(payee)?;
        let Some(account) = row.now() else { return Ok(lamports >= self.exemption(0)) };
        let sum = account.lamports.checked_add(lamports);
        Ok(account.owner.to_bytes() == SYSTEM_PROGRAM
            && sum.is_some_and(|sum| sum >= self.exemption(account.data.len())))
    }

    fn rent_per_byte(&mut self) -> Result<u64, ProgramError> {
        Ok(self.known.rent_per_byte)
    }

    fn slot_hash(&mut self, slot: u64) -> Result<Option<[u8; 32]>, ProgramError> {
        if let Some(hash) = self.known.seen.block_hashes.get(&slot) {
            return Ok(Some(*hash));
        }
        Ok(self.slot_hashes()?.iter().find(|(found, _)| *found == slot).map(|(_, hash)| *hash))
    }

    fn newest_slot_hash(&mut self) -> Result<[u8; 32], ProgramError> {
        self.asks_newest = true;
        if let Some(prevrandao) = self.known.seen.prevrandao {
            return Ok(prevrandao);
        }
        self.slot_hashes()?.first().map(|(_, hash)| *hash).ok_or(ProgramError::InvalidArgument)
    }
}
