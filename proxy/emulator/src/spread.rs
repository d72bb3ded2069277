//! What each part of a run in steps uses: for runs that use more accounts than a Solana transaction lists.
//!
//! The run is run with pauses, and what it uses from one to the next is noted. Where that is a lot, more pauses are put
//! between, and all is run again: the same code gives the same gas, so the pauses are where they were.

use crate::ledger::{Part, Recorder, SYSTEM_PROGRAM};
use crate::shell::Shell;
use crate::steps::Begun;
use alloy_primitives::Address;
use parhelion_core::emulator::{AccountUse, EmulatorError, Spread, SpreadPart};
use parhelion_core::transaction::Transaction;
use parhelion_executor::{BlockValues, Report};
use parhelion_wire::ProgramError;
use parhelion_wire::transaction::Envelope;
use std::cmp::Reverse;

/// Accounts of a part that are few enough.
const PART_ACCOUNTS: usize = 6;
/// Gas of a part that is little enough: a cold storage access.
const PART_GAS: u64 = 2_100;
/// Parts of a run at most.
const PARTS_MAX: usize = 4_096;
/// How many a part that uses too much is split into.
const SPLIT: u64 = 4;

impl Shell {
    /// [`parhelion_core::emulator::Emulator::spread`].
    pub(crate) async fn spread_accounts(
        &self,
        transaction: &Transaction,
        coinbase: Address,
        holder: Option<Vec<u8>>,
    ) -> Result<Spread, EmulatorError> {
        let run = move |ledger: &mut Recorder<'_>, block: &BlockValues, envelope: &Envelope<'_>| {
            spread(ledger, block, envelope, holder.as_deref())
        };
        Ok(self.run_transaction(transaction, coinbase, run).await?.beside)
    }
}

/// Runs with more and more pauses.
fn spread(
    ledger: &mut Recorder<'_>,
    block: &BlockValues,
    envelope: &Envelope<'_>,
    holder: Option<&[u8]>,
) -> Result<(Report, Spread), ProgramError> {
    let begin = |ledger: &mut Recorder<'_>| match holder {
        None => Begun::from_the_start(ledger, block, envelope),
        Some(holder) => Begun::from_a_holder(ledger, holder),
    };
    let mut begun = begin(ledger)?;
    begun.step(ledger, block, envelope, &[])?;
    // Where the run goes on, or its new attempt begins.
    let (gas, left) = (begun.run.gas_left, begun.left());
    let mut pauses: Vec<u64> = vec![0];
    loop {
        *ledger = ledger.anew();
        let begun = begin(ledger)?;
        let pass = pass(ledger, block, envelope, begun, left, &pauses)?;
        let more = more_pauses(gas, &pass.parts, &pauses);
        if more.is_empty() || pauses.len() + more.len() > PARTS_MAX {
            return Ok((pass.report, of_parts(ledger, &pass.parts, pass.end)));
        }
        pauses.extend(more);
        pauses.sort_unstable_by(|one, other| other.cmp(one));
    }
}

/// A run to its end.
struct Pass {
    /// Each part with the gas that is left at its end.
    parts: Vec<(u64, Part)>,
    /// What writing uses.
    end: Part,
    report: Report,
}

fn pass(
    ledger: &mut Recorder<'_>,
    block: &BlockValues,
    envelope: &Envelope<'_>,
    mut begun: Begun,
    mut left: u64,
    pauses: &[u64],
) -> Result<Pass, ProgramError> {
    // What `begin` uses is in its own transaction.
    ledger.end_part();
    let mut parts = Vec::with_capacity(pauses.len());
    for pause in pauses {
        // The last one is never passed before it is asked for; others may be, by a large operation.
        if *pause == 0 || *pause < left {
            match begun.step(ledger, block, envelope, &[*pause])? {
                None => parts.push((begun.run.gas_left, ledger.end_part())),
                // It had come to its end before.
                Some(report) => return Ok(Pass { parts, end: ledger.end_part(), report }),
            }
            left = begun.left();
        }
    }
    let report = begun.step(ledger, block, envelope, &[])?.ok_or(ProgramError::CheckpointMalformed)?;
    Ok(Pass { parts, end: ledger.end_part(), report })
}

/// Where to pause besides, so that no part uses too much. What no pause divides stays as it is: a large operation.
fn more_pauses(gas: u64, parts: &[(u64, Part)], pauses: &[u64]) -> Vec<u64> {
    let mut more = Vec::new();
    let mut from = gas;
    for (to, part) in parts {
        let length = from.saturating_sub(*to);
        if part.accounts.len() > PART_ACCOUNTS && length > PART_GAS {
            let distance = (length / SPLIT).max(PART_GAS / 2);
            let between = (1..SPLIT).map(|number| from.saturating_sub(number * distance));
            more.extend(between.filter(|pause| pause > to && !pauses.contains(pause)));
        }
        from = *to;
    }
    more
}

/// What is known of a run once all its parts are.
fn of_parts(ledger: &Recorder<'_>, parts: &[(u64, Part)], end: Part) -> Spread {
    let mut end = end.accounts;
    // It moves the rent where an account grows, which may be the case when this lands.
    end.insert(SYSTEM_PROGRAM);
    let mut reads = Vec::new();
    for (address, revision) in ledger.state() {
        match revision {
            Some(revision) => reads.push((Reverse(revision), address)),
            None => drop(end.insert(address)),
        }
    }
    reads.retain(|(_, address)| !end.contains(address));
    reads.sort_unstable();
    let written = ledger.written();
    let account_use =
        |address: &[u8; 32]| AccountUse { address: *address, writable: written.contains(address) };
    let part = |(gas_left, part): &(u64, Part)| SpreadPart {
        gas_left: *gas_left,
        accounts: part.accounts.iter().copied().collect(),
        translations: part.translations.iter().copied().collect(),
    };
    Spread {
        parts: parts.iter().map(part).collect(),
        reads: reads.into_iter().map(|(_, address)| address).collect(),
        end: end.iter().map(account_use).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(accounts: u8) -> Part {
        Part { accounts: (0..accounts).map(|number| [number; 32]).collect(), ..Part::default() }
    }

    #[test]
    fn parts_that_use_too_much_are_split_wherever_they_end() {
        let many = PART_ACCOUNTS as u8 + 1;
        for (what, gas, ends, pauses, expected) in [
            ("a long one", 100_000, (20_000, many), &[0][..], &[80_000, 60_000, 40_000][..]),
            ("one that uses little", 100_000, (20_000, many - 1), &[0], &[]),
            ("a short one", 22_100, (20_000, many), &[0], &[]),
            ("one near the end of the gas", 2_500, (0, many), &[0], &[1_450, 400]),
            (
                "an operation that no pause divides",
                100_000,
                (20_000, many),
                &[80_000, 60_000, 40_000, 0],
                &[],
            ),
        ] {
            let parts = [(ends.0, part(ends.1))];
            assert_eq!(more_pauses(gas, &parts, pauses), expected, "{what}");
        }
    }
}
