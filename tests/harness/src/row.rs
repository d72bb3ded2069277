//! The rows of the CU table.

use crate::body_row::ratio;
use std::fmt;

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What was run.
    pub workload: String,
    /// How the signature was proven.
    pub proof: String,
    /// Whether the contract's code ran as it is or translated; `–` where no code ran.
    pub code: String,
    /// Compute units of the executing Solana transaction.
    pub compute_units: u64,
    /// Compute units of all Solana transactions.
    pub compute_units_in_all: u64,
    /// Solana transactions.
    pub transactions: u64,
    /// Accounts that the executing transaction locks.
    pub accounts: u64,
    /// Bytes of rent for what was created.
    pub rent_bytes: u64,
    /// Compute units that SputnikVM takes for the body alone.
    pub sputnik: Option<u64>,
}

impl Row {
    /// The rows as a table.
    #[must_use]
    pub fn table(rows: &[Self]) -> String {
        let head = "| workload | signature | code | CU | CU in all | Solana transactions | accounts | rent bytes \
                    | SputnikVM, body alone | SputnikVM / CU |\n|---|---|---|---:|---:|---:|---:|---:|---:|---:|\n";
        rows.iter().map(Self::line).fold(head.to_owned(), |table, line| table + &line)
    }

    fn line(&self) -> String {
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            self.workload,
            self.proof,
            self.code,
            self.compute_units,
            self.compute_units_in_all,
            self.transactions,
            self.accounts,
            self.rent_bytes,
            self.sputnik.map_or("–".to_owned(), |number| number.to_string()),
            self.sputnik.map_or("–".to_owned(), |number| ratio(number, self.compute_units)),
        )
    }

    /// Reads a line of [`Self::table`].
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [
            workload,
            proof,
            code,
            compute_units,
            compute_units_in_all,
            transactions,
            accounts,
            rent_bytes,
            sputnik,
            _,
        ] = cells[..]
        else {
            return None;
        };
        Some(Self {
            workload: workload.into(),
            proof: proof.into(),
            code: code.into(),
            compute_units: compute_units.parse().ok()?,
            compute_units_in_all: compute_units_in_all.parse().ok()?,
            transactions: transactions.parse().ok()?,
            accounts: accounts.parse().ok()?,
            rent_bytes: rent_bytes.parse().ok()?,
            sputnik: match sputnik {
                "–" => None,
                number => Some(number.parse().ok()?),
            },
        })
    }

    /// Whether both rows measure the same.
    #[must_use]
    pub fn is_same_workload(&self, other: &Self) -> bool {
        (&self.workload, &self.proof, &self.code) == (&other.workload, &other.proof, &other.code)
    }

    /// Whether transactions, accounts and rent are the same.
    #[must_use]
    pub fn has_same_shape(&self, other: &Self) -> bool {
        (self.transactions, self.accounts, self.rent_bytes)
            == (other.transactions, other.accounts, other.rent_bytes)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({}, {})", self.workload, self.proof, self.code)
    }
}
