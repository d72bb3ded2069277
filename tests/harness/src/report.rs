//! The CU report: three tables in one file, measured together.

use crate::arithmetic::{self, ArithmeticRow};
use crate::bodies::bodies;
use crate::body_row::BodyRow;
use crate::interpreters::Interpreters;
use crate::measure::measure;
use crate::row::Row;
use crate::workloads;
use std::fmt;

/// By how much compute units of ours may grow without a change of the table.
const GROWTH_PERCENT_MAX: u64 = 2;
/// So much they may grow in any case: a single operation takes few.
const GROWTH_MIN: u64 = 2;

/// What stands above the tables.
const HEAD: &str = "\
# Compute units

Measured in a Solana VM by `cargo xtask cu-report`, which also checks these tables: compute units of ours that grow by more
than 2 % fail until the tables are replaced with `cargo xtask cu-report --write`. Figures of other implementations are for
comparison, and are not checked.

Workloads: OpenZeppelin's ERC-20 as solc compiles it by default and (*optimised*) with its optimiser, OpenZeppelin's ERC-721
and the loops optimised, Uniswap V2 as it was deployed, with optimised ERC-20 tokens. Where the code is *translated*, that of
all contracts involved is, except *partly*; init code always runs as it is.

";

/// What stands above the table of transactions.
const TRANSACTIONS: &str = "\
## Transactions

Everything included: parsing, signature, execution, rent, events; with the program's binary. *CU* is the executing Solana
transaction, *CU in all* includes holder writes; *accounts* is how many the executing transaction locks; *rent bytes* is
what the state that it creates takes, account overhead of 128 bytes included. *SputnikVM, body alone* is from the next
table: the same body in a bare SputnikVM, without signature, accounts and everything else that the other columns include.

";

/// What stands above the table of bodies.
const BODIES: &str = "\
## Bodies in bare interpreters

The same calls and creations in nothing but an interpreter, calls between contracts included: ours (program/evm), with the
code as it is and translated, and SputnikVM (the `evm` crate 1.1, rules of Cancun, with its gasometer). Both run in one
program (tests/interpreters) over the same stub of a world: accounts and storage in tables in memory, no journal,
Keccak-256 by the syscall (SputnikVM hashes the addresses of creations itself). Output and gas are compared with revm's.
Counted is from the first frame to the result, by the program itself, in a VM that gives more compute units than Solana;
finding jump destinations counts where an interpreter does it in each call. *An operation*: compute units, whatever they
are spent on, divided by the EVM operations that revm counts.

";

/// What stands above the table of arithmetic.
const ARITHMETIC: &str = "\
## 256-bit arithmetic

Compute units of one call, less those of a call that does nothing: operands and result in memory. The mean of 64 calls.

";

/// The tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Transactions.
    pub transactions: Vec<Row>,
    /// Bodies in bare interpreters.
    pub bodies: Vec<BodyRow>,
    /// Arithmetic.
    pub arithmetic: Vec<ArithmeticRow>,
}

impl Report {
    /// Measures everything; `progress` hears what comes next.
    ///
    /// # Errors
    /// When something does not do what it should.
    pub fn measure(progress: impl Fn(&str)) -> anyhow::Result<Self> {
        let mut report = Self::default();
        let mut interpreters = Interpreters::start()?;
        for workload in workloads::all()? {
            progress(workload.title);
            report.transactions.extend(measure(&workload)?);
            for body in bodies(&workload.script)? {
                report.bodies.push(BodyRow::measure(&body, &mut interpreters)?);
            }
        }
        progress("256-bit arithmetic");
        report.arithmetic = arithmetic::measure(&mut interpreters)?;
        for row in &mut report.transactions {
            let body = report.bodies.iter().find(|body| body.workload == row.workload);
            row.sputnik = body.map(|body| body.sputnik);
        }
        Ok(report)
    }

    /// Reads the file.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self {
            transactions: text.lines().filter_map(Row::parse).collect(),
            bodies: text.lines().filter_map(BodyRow::parse).collect(),
            arithmetic: text.lines().filter_map(ArithmeticRow::parse).collect(),
        }
    }

    /// What of this report does not hold against the committed one, as sentences.
    #[must_use]
    pub fn problems(&self, committed: &Self) -> Vec<String> {
        let transactions = self.transactions.iter().filter_map(|row| {
            let known = committed.transactions.iter().find(|known| known.is_same_workload(row));
            let Some(known) = known else { return Some(missing(row)) };
            let is_same = known.has_same_shape(row);
            let other = || format!("{row}: transactions, accounts or rent differ from the table");
            growth(row, row.compute_units, known.compute_units).or_else(|| (!is_same).then(other))
        });
        let bodies = self.bodies.iter().filter_map(|row| {
            let known = committed.bodies.iter().find(|known| known.workload == row.workload);
            let Some(known) = known else { return Some(missing(row)) };
            let other =
                || format!("{row}: {} operations, the table says {}", row.operations, known.operations);
            growth(row, row.plain, known.plain)
                .or_else(|| growth(row, row.translated, known.translated))
                .or_else(|| (row.operations != known.operations).then(other))
        });
        let arithmetic = self.arithmetic.iter().filter_map(|row| {
            let known = committed.arithmetic.iter().find(|known| known.operation == row.operation);
            known.map_or_else(|| Some(missing(row)), |known| growth(row, row.ours, known.ours))
        });
        transactions.chain(bodies).chain(arithmetic).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transactions, bodies) = (Row::table(&self.transactions), BodyRow::table(&self.bodies));
        let arithmetic = ArithmeticRow::table(&self.arithmetic);
        write!(formatter, "{HEAD}{TRANSACTIONS}{transactions}\n{BODIES}{bodies}\n{ARITHMETIC}{arithmetic}")
    }
}

fn missing(row: &impl fmt::Display) -> String {
    format!("{row}: not in the table")
}

/// Compute units that grew by more than they may.
fn growth(row: &impl fmt::Display, now: u64, known: u64) -> Option<String> {
    let most = (known * (100 + GROWTH_PERCENT_MAX) / 100).max(known + GROWTH_MIN);
    (now > most).then(|| format!("{row}: {now} CU, the table says {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let row = Row {
            workload: "a transfer".into(),
            proof: "syscall".into(),
            code: "plain".into(),
            compute_units: 1000,
            compute_units_in_all: 1100,
            transactions: 1,
            accounts: 2,
            rent_bytes: 3,
            sputnik: Some(5000),
        };
        let body = BodyRow {
            workload: "a transfer".into(),
            operations: 10,
            plain: 300,
            translated: 200,
            sputnik: 5000,
        };
        let operation =
            ArithmeticRow { operation: "add".into(), ours: 20, ruint: 30, primitive_types: Some(40) };
        Report {
            transactions: vec![row.clone(), Row { workload: "native".into(), sputnik: None, ..row }],
            bodies: vec![body],
            arithmetic: vec![operation],
        }
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        assert_eq!(Report::parse(&report().to_string()), report());
    }

    #[test]
    fn growth_of_ours_is_a_problem_and_of_others_is_none() {
        let mut other = report();
        other.transactions[0].sputnik = Some(9000);
        other.bodies[0].sputnik = 9000;
        other.arithmetic[0].ruint = 99;
        other.arithmetic[0].ours = 22;
        other.transactions[0].compute_units = 1020;
        assert_eq!(other.problems(&report()), Vec::<String>::new());
        other.transactions[0].compute_units = 1021;
        other.transactions[1].accounts = 3;
        other.bodies[0].translated = 205;
        other.arithmetic[0].ours = 23;
        assert_eq!(other.problems(&report()).len(), 4);
        assert_eq!(report().problems(&Report::default()).len(), 4);
    }
}
