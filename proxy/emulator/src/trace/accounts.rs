//! Records the accounts that a run touches, before it and behind it, as geth's prestateTracer finds them.
//!
//! Which they are is heard while it runs, how they are is read when it is over. A transaction has written by then what it
//! leaves. A call writes nothing: what it leaves is put together from what a [`Journal`] heard.

mod image;
mod left;

use super::{Budget, address};
use crate::journal::Journal;
use crate::ledger::{Recorder, When};
use crate::watcher::Watcher;
use alloy_primitives::Address;
use image::image;
pub(super) use left::Left;
use parhelion_core::emulator::EmulatorError;
use parhelion_core::touched::{TouchedAccount, TouchedAccounts};
use parhelion_evm::{H160, U256, opcode as op, to_address};
use parhelion_executor::BlockValues;
use parhelion_executor::observe::{Begin, End, Opcode};
use parhelion_wire::ProgramError;
use std::collections::{BTreeMap, BTreeSet};

/// What an address takes, besides code and storage.
const ACCOUNT_BYTES: usize = size_of::<(Address, TouchedAccount)>();
/// What a storage key takes.
const KEY_BYTES: usize = 5 * 32;

/// What an opcode touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Touch {
    address: H160,
    key: Option<U256>,
}

/// The accounts of a run so far.
#[derive(Clone, Debug)]
pub(super) struct Accounts {
    /// Those that are touched, with their storage keys.
    touched: BTreeMap<H160, BTreeSet<U256>>,
    /// Those that are called.
    called: BTreeSet<H160>,
    /// Of each call and creation that has not ended what its newest opcode touches, if that has the gas.
    open: Vec<Option<Touch>>,
    /// What authorizations (EIP-7702) say: who signed them, and whom they name.
    authorizations: Vec<(H160, H160)>,
    /// What a call does.
    journal: Option<Journal>,
    block: Option<BlockValues>,
    found: TouchedAccounts,
    budget: Budget,
}

impl Accounts {
    /// Nothing yet, of a run with these authorizations; `writes` is whether it writes what it leaves.
    pub(super) fn new(authorizations: Vec<(H160, H160)>, writes: bool) -> Self {
        let mut accounts = Self {
            touched: BTreeMap::new(),
            called: BTreeSet::new(),
            open: Vec::new(),
            authorizations: Vec::new(),
            journal: (!writes).then(Journal::default),
            block: None,
            found: TouchedAccounts::new(),
            budget: Budget::default(),
        };
        authorizations.iter().for_each(|(authority, _)| accounts.touch(*authority, None));
        Self { authorizations, ..accounts }
    }

    /// All accounts, if they are not too many. `left` is what a call leaves beside what its frames do.
    pub(super) fn finish(
        self,
        left: impl FnOnce(&BlockValues) -> Option<Left>,
    ) -> Result<Option<TouchedAccounts>, EmulatorError> {
        let Self { mut found, budget, journal, block, .. } = self;
        if !budget.is_kept() {
            return Ok(None);
        }
        if let (Some(journal), Some(block)) = (&journal, &block)
            && let Some(left) = left(block)
        {
            left.apply(block, journal.changes(), &mut found)?;
        }
        Ok(Some(found))
    }

    fn touch(&mut self, address: H160, key: Option<U256>) {
        let (touched, budget) = (&mut self.touched, &mut self.budget);
        let keys = touched.entry(address).or_insert_with(|| {
            budget.take(ACCOUNT_BYTES);
            BTreeSet::new()
        });
        if key.is_some_and(|key| keys.insert(key)) {
            budget.take(KEY_BYTES);
        }
    }

    /// The newest opcode of the frame that runs had the gas that it costs.
    fn settle(&mut self) {
        if let Some(Touch { address, key }) = self.open.last_mut().and_then(Option::take) {
            self.touch(address, key);
        }
    }

    /// Touches the delegates whose code ran (EIP-7702).
    fn touch_delegates(&mut self, ledger: &mut Recorder<'_>) -> Result<(), ProgramError> {
        let named = self.authorizations.iter().filter(|(authority, _)| self.called.contains(authority));
        let mut delegates: Vec<H160> = named.map(|(_, delegate)| *delegate).collect();
        for called in &self.called {
            delegates.extend(image::delegate(ledger, called)?);
        }
        delegates
            .into_iter()
            .filter(|delegate| !delegate.is_zero())
            .for_each(|found| self.touch(found, None));
        Ok(())
    }
}

impl Watcher for Accounts {
    fn begin(&mut self, begin: &Begin<'_>) {
        self.settle();
        self.touch(begin.caller, None);
        begin.address.into_iter().for_each(|own| self.touch(own, None));
        if let Some(code) = begin.code_address {
            self.touch(code, None);
            self.called.insert(code);
        }
        self.open.push(None);
        if let Some(journal) = &mut self.journal {
            journal.begin(begin);
        }
    }

    fn opcode(&mut self, opcode: &Opcode<'_>) {
        self.settle();
        let touch = match (opcode.opcode, opcode.stack.last()) {
            (op::SLOAD | op::SSTORE, Some(key)) => Some(Touch { address: opcode.address, key: Some(*key) }),
            (
                op::EXTCODECOPY | op::EXTCODEHASH | op::EXTCODESIZE | op::BALANCE | op::SELFDESTRUCT,
                Some(word),
            ) => Some(Touch { address: to_address(word), key: None }),
            _ => None,
        };
        if let Some(newest) = self.open.last_mut() {
            *newest = touch;
        }
        if let Some(journal) = &mut self.journal {
            journal.opcode(opcode);
        }
    }

    fn self_destruct(&mut self, contract: &H160, beneficiary: &H160, balance: &U256) {
        if let Some(journal) = &mut self.journal {
            journal.self_destruct(contract, beneficiary, balance);
        }
    }

    fn end(&mut self, end: &End<'_>) {
        if !end.exit.is_halt() {
            self.settle();
        }
        self.open.pop();
        if let Some(journal) = &mut self.journal {
            journal.end(end);
        }
    }

    fn wants_more(&self) -> bool {
        self.budget.is_kept()
    }

    fn over(&mut self, ledger: &mut Recorder<'_>, block: &BlockValues) -> Result<(), ProgramError> {
        self.block = Some(*block);
        self.touch(block.coinbase, None);
        self.touch_delegates(ledger)?;
        let has_left = self.journal.is_none();
        for (touched, keys) in &self.touched {
            let before = image(ledger, touched, keys, When::Before)?;
            let after = if has_left { image(ledger, touched, keys, When::Now)? } else { before.clone() };
            if !self.budget.take(before.code.len() + after.code.len()) {
                return Ok(());
            }
            self.found.insert(address(touched), TouchedAccount { before, after });
        }
        Ok(())
    }
}
