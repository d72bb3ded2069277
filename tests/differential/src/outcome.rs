//! What came of a case, in the words of no engine.

use crate::case::Account;
use alloy_primitives::{Address, B256, Bytes, U256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Its changes stay.
    Success,
    /// REVERT.
    Revert,
    /// An exceptional halt.
    Halt,
}

/// A log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) address: Address,
    pub(crate) topics: Vec<B256>,
    pub(crate) data: Bytes,
}

/// What a transaction did.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) status: Status,
    /// Our reason, of which only our two forms of code know.
    pub(crate) exit: Option<String>,
    pub(crate) gas_used: u64,
    /// Return or revert data; `None` where the engine does not tell. Empty for creations.
    pub(crate) output: Option<Bytes>,
    pub(crate) logs: Vec<Log>,
    /// Accounts afterwards that are not empty.
    pub(crate) accounts: BTreeMap<Address, Account>,
}

/// What came of a case.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It ran.
    Done(Box<Done>),
    /// The transaction is invalid.
    Rejected(String),
    /// The engine cannot run it, for a documented reason.
    Unsupported(&'static str),
}

/// What differs between two outcomes; `None` when nothing does.
pub(crate) fn difference(ours: &Outcome, theirs: &Outcome) -> Option<String> {
    let (ours, theirs) = match (ours, theirs) {
        (Outcome::Rejected(_), Outcome::Rejected(_)) => return None,
        (Outcome::Done(ours), Outcome::Done(theirs)) => (ours, theirs),
        (Outcome::Rejected(reason), Outcome::Done(_)) => {
            return Some(format!("rejected by the first: {reason}"));
        }
        (Outcome::Done(_), Outcome::Rejected(reason)) => {
            return Some(format!("rejected by the second: {reason}"));
        }
        (Outcome::Unsupported(_), _) | (_, Outcome::Unsupported(_)) => return None,
    };
    let mut text = String::new();
    let mut note = |what: &str, first: &dyn std::fmt::Debug, second: &dyn std::fmt::Debug| {
        let _ = writeln!(text, "{what}: {first:?} and {second:?}");
    };
    if ours.status != theirs.status {
        note("status", &ours.status, &theirs.status);
    }
    if ours.exit.is_some() && theirs.exit.is_some() && ours.exit != theirs.exit {
        note("exit", &ours.exit, &theirs.exit);
    }
    if ours.gas_used != theirs.gas_used {
        note("gas used", &ours.gas_used, &theirs.gas_used);
    }
    if ours.output.is_some() && theirs.output.is_some() && ours.output != theirs.output {
        note("output", &ours.output, &theirs.output);
    }
    if ours.logs != theirs.logs {
        note("logs", &ours.logs, &theirs.logs);
    }
    let absent = Account::default();
    let addresses: BTreeSet<_> = ours.accounts.keys().chain(theirs.accounts.keys()).collect();
    for address in addresses {
        let first = ours.accounts.get(address).unwrap_or(&absent);
        let second = theirs.accounts.get(address).unwrap_or(&absent);
        if first == second {
            continue;
        }
        if first.nonce != second.nonce {
            note(&format!("{address} nonce"), &first.nonce, &second.nonce);
        }
        if first.balance != second.balance {
            note(&format!("{address} balance"), &first.balance, &second.balance);
        }
        if first.code != second.code {
            note(&format!("{address} code"), &first.code, &second.code);
        }
        let keys: BTreeSet<_> = first.storage.keys().chain(second.storage.keys()).collect();
        for key in keys {
            let value = |account: &Account| account.storage.get(key).copied().unwrap_or(U256::ZERO);
            if value(first) != value(second) {
                note(&format!("{address} storage {key:#x}"), &value(first), &value(second));
            }
        }
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(change: impl FnOnce(&mut Done)) -> Outcome {
        let mut done = Done {
            status: Status::Success,
            exit: Some("Stop".to_owned()),
            gas_used: 21_000,
            output: None,
            logs: Vec::new(),
            accounts: BTreeMap::from([(Address::ZERO, Account { nonce: 1, ..Account::default() })]),
        };
        change(&mut done);
        Outcome::Done(Box::new(done))
    }

    #[test]
    fn every_part_counts_that_both_know() {
        let ours = done(|_| {});
        assert_eq!(difference(&ours, &ours), None);
        let same = [done(|done| done.exit = None), done(|done| done.output = Some(Bytes::new()))];
        assert!(same.iter().all(|other| difference(&ours, other).is_none()));
        let account = |change: fn(&mut Account)| done(|done| done.accounts.values_mut().for_each(change));
        let different = [
            done(|done| done.status = Status::Halt),
            done(|done| done.exit = Some("Return".to_owned())),
            done(|done| done.gas_used += 1),
            done(|done| done.logs.push(Log { address: Address::ZERO, topics: vec![], data: Bytes::new() })),
            done(|done| done.accounts.clear()),
            account(|account| account.balance = U256::ONE),
            account(|account| account.code = Bytes::from_static(&[0])),
            account(|account| {
                account.storage.insert(U256::ONE, U256::ONE);
            }),
            Outcome::Rejected("nonce".to_owned()),
        ];
        assert!(different.iter().all(|other| difference(&ours, other).is_some()));
    }
}
