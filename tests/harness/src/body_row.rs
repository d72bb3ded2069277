//! The rows of the table of bare interpreters.

use crate::bodies::Body;
use crate::interpreters::Interpreters;
use parhelion_interpreters::case::Interpreter;
use std::fmt;

/// What a contract's body takes, in compute units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyRow {
    /// What was run.
    pub workload: String,
    /// EVM operations.
    pub operations: u64,
    /// Our interpreter, with the code as it is.
    pub plain: u64,
    /// Our interpreter, with translated code; as plain for a creation.
    pub translated: u64,
    /// SputnikVM.
    pub sputnik: u64,
}

impl BodyRow {
    /// Measures a body.
    ///
    /// # Errors
    /// When it does not do in one of the interpreters what it should.
    pub fn measure(body: &Body, interpreters: &mut Interpreters) -> anyhow::Result<Self> {
        Ok(Self {
            workload: body.workload.into(),
            operations: body.operations,
            plain: interpreters.measure(body, Interpreter::Plain)?,
            translated: interpreters.measure(body, Interpreter::Translated)?,
            sputnik: interpreters.measure(body, Interpreter::Sputnik)?,
        })
    }

    /// The rows as a table.
    #[must_use]
    pub fn table(rows: &[Self]) -> String {
        let head = "| body | operations | plain | an operation | translated | an operation | SputnikVM | an operation \
                    | SputnikVM / translated |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n";
        rows.iter().map(Self::line).fold(head.to_owned(), |table, line| table + &line)
    }

    fn line(&self) -> String {
        let Self { workload, operations, plain, translated, sputnik } = self;
        let each = |compute_units: u64| ratio(compute_units, *operations);
        format!(
            "| {workload} | {operations} | {plain} | {} | {translated} | {} | {sputnik} | {} | {} |\n",
            each(*plain),
            each(*translated),
            each(*sputnik),
            ratio(*sputnik, *translated)
        )
    }

    /// Reads a line of [`Self::table`].
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [workload, operations, plain, _, translated, _, sputnik, _, _] = cells[..] else { return None };
        Some(Self {
            workload: workload.into(),
            operations: operations.parse().ok()?,
            plain: plain.parse().ok()?,
            translated: translated.parse().ok()?,
            sputnik: sputnik.parse().ok()?,
        })
    }
}

impl fmt::Display for BodyRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (bare interpreters)", self.workload)
    }
}

/// A ratio with one decimal.
#[must_use]
pub fn ratio(dividend: u64, divisor: u64) -> String {
    format!("{:.1}", dividend as f64 / divisor.max(1) as f64)
}
