//! geth's prestateTracer: the accounts that a run touches as they were before it, or what it changes of them.

use alloy_primitives::B256;
use alloy_rpc_types_trace::geth::{AccountState, DiffMode, PreStateConfig, PreStateFrame, PreStateMode};
use parhelion_core::touched::{Image, TouchedAccount, TouchedAccounts};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a client may choose.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Options {
    #[serde(flatten)]
    shown: PreStateConfig,
    /// Whether addresses at which there is nothing are shown.
    include_empty: Option<bool>,
}

impl Options {
    /// Whether they contradict one another, as geth sees it.
    pub(super) fn is_contradiction(&self) -> bool {
        self.shown.is_diff_mode() && self.include_empty.unwrap_or_default()
    }

    /// The answer.
    pub(super) fn frame(&self, accounts: TouchedAccounts) -> PreStateFrame {
        if self.shown.is_diff_mode() { self.diff(accounts).into() } else { self.before(accounts).into() }
    }

    /// What was there before the run.
    fn before(&self, accounts: TouchedAccounts) -> PreStateMode {
        let shows = |image: &Image| self.include_empty.unwrap_or_default() || !image.is_empty();
        let accounts = accounts.into_iter().filter(|(_, account)| shows(&account.before));
        PreStateMode(accounts.map(|(address, account)| (address, self.account(account.before))).collect())
    }

    /// What the run changes: before it all that is there, and of the storage what changes; behind it only what is another.
    fn diff(&self, accounts: TouchedAccounts) -> DiffMode {
        let mut diff = DiffMode::default();
        for (address, TouchedAccount { mut before, mut after }) in accounts {
            let changed = changed(&before.storage, &after.storage);
            before.storage.retain(|key, _| changed.contains(key));
            after.storage.retain(|key, _| changed.contains(key));
            if !self.shows_change(&before, &after) {
                continue;
            }
            let (was_empty, is_gone) = (before.is_empty(), after.is_empty());
            let (mut pre, mut post) = (self.account(before), self.account(after));
            post.remove_matching_account_info(&pre);
            pre.storage.retain(|_, value| !value.is_zero());
            post.storage.retain(|_, value| !value.is_zero());
            if !was_empty {
                diff.pre.insert(address, pre);
            }
            if !is_gone {
                diff.post.insert(address, post);
            }
        }
        diff
    }

    fn shows_change(&self, before: &Image, after: &Image) -> bool {
        before.state != after.state
            || self.shown.code_enabled() && before.code != after.code
            || self.shown.storage_enabled() && before.storage != after.storage
    }

    fn account(&self, image: Image) -> AccountState {
        let code = Some(image.code).filter(|_| self.shown.code_enabled());
        let account = AccountState::from_account_info(image.state.nonce, image.state.balance, code);
        let storage = if self.shown.storage_enabled() { image.storage } else { BTreeMap::new() };
        AccountState { storage, ..account }
    }
}

/// The keys whose values are others behind the run.
fn changed(before: &BTreeMap<B256, B256>, after: &BTreeMap<B256, B256>) -> BTreeSet<B256> {
    let value = |storage: &BTreeMap<B256, B256>, key: &B256| storage.get(key).copied().unwrap_or_default();
    let keys = before.keys().chain(after.keys());
    keys.filter(|key| value(before, key) != value(after, key)).copied().collect()
}
