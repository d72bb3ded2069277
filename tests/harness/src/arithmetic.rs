//! 256-bit arithmetic, measured operation by operation: ours, and that of two crates.

use crate::body_row::ratio;
use crate::interpreters::Interpreters;
use alloy_primitives::U256;
use anyhow::ensure;
use parhelion_interpreters::operation::{Library, Operation, ROUNDS};
use std::fmt;

/// A row of the table: compute units of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArithmeticRow {
    /// The operation and its operands.
    pub operation: String,
    /// Our function.
    pub ours: u64,
    /// ruint's.
    pub ruint: u64,
    /// primitive-types', if it has one.
    pub primitive_types: Option<u64>,
}

/// An operation and the operands to measure it with.
struct Sample {
    name: &'static str,
    operation: Operation,
    operands: [U256; 3],
}

/// A number of `bits` bits.
fn number(bits: usize, seed: u64) -> U256 {
    let pattern = U256::from_limbs([
        0x9e37_79b9_7f4a_7c15u64.wrapping_mul(seed),
        0xbf58_476d_1ce4_e5b9u64.wrapping_mul(seed),
        0x94d0_49bb_1331_11ebu64.wrapping_mul(seed),
        0xd6e8_feb8_6659_fd93u64.wrapping_mul(seed),
    ]);
    // The highest bit is set, so that the length is exact.
    (pattern | (U256::ONE << 255)) >> (256 - bits)
}

/// The samples, in the table's order.
fn samples() -> Vec<Sample> {
    use Operation::*;
    let sample = |name, operation, operands| Sample { name, operation, operands };
    let [a, b, c] = [|bits| number(bits, 3), |bits| number(bits, 7), |bits| number(bits, 11)];
    let small = |number: u64| U256::from(number);
    let two = |name, operation, first, second| sample(name, operation, [first, second, U256::ZERO]);
    vec![
        two("add, 64 + 64 bits", Add, a(64), b(64)),
        two("add, 128 + 128 bits", Add, a(128), b(128)),
        two("add, 256 + 256 bits", Add, a(256), b(256)),
        two("sub, 64 - 64 bits", Sub, a(64), b(64)),
        two("sub, 128 - 128 bits", Sub, a(128), b(128)),
        two("sub, 256 - 256 bits", Sub, a(256), b(256)),
        two("mul, 32 × 32 bits", Mul, a(32), b(32)),
        two("mul, 64 × 64 bits", Mul, a(64), b(64)),
        two("mul, 128 × 128 bits", Mul, a(128), b(128)),
        two("mul, 256 × 256 bits", Mul, a(256), b(256)),
        two("div, 64 / 63 bits", Div, a(64), b(63)),
        two("div, 128 / 64 bits", Div, a(128), b(64)),
        two("div, 256 / 64 bits", Div, a(256), b(64)),
        two("div, 256 / 128 bits", Div, a(256), b(128)),
        two("div, 256 / 250 bits", Div, a(256), b(250)),
        sample("addmod, 64 bits", AddMod, [a(64), b(64), c(64)]),
        sample("addmod, 256 bits", AddMod, [a(256), b(256), c(256)]),
        sample("addmod, 256 bits, modulus of 192", AddMod, [a(256), b(256), c(192)]),
        sample("mulmod, 64 bits", MulMod, [a(64), b(64), c(64)]),
        sample("mulmod, 256 bits", MulMod, [a(256), b(256), c(256)]),
        sample("mulmod, 256 bits, modulus of 192", MulMod, [a(256), b(256), c(192)]),
        two("exp, 10^18", Exp, small(10), small(18)),
        two("exp, 3^200", Exp, small(3), small(200)),
        two("shl, by 96", Shl, small(96), a(256)),
        two("shr, by 96", Shr, small(96), a(256)),
        two("sar, by 8", Sar, small(8), a(256)),
        two("byte, the 5th", Byte, small(5), a(256)),
    ]
}

/// Measures all samples.
///
/// # Errors
/// When results differ.
pub fn measure(interpreters: &mut Interpreters) -> anyhow::Result<Vec<ArithmeticRow>> {
    samples().iter().map(|sample| row(sample, interpreters)).collect()
}

fn row(sample: &Sample, interpreters: &mut Interpreters) -> anyhow::Result<ArithmeticRow> {
    let Sample { name, operation, operands } = sample;
    let has_all = *operation != Operation::Sar;
    let mut call = |library| interpreters.call(*operation, library, operands);
    let (ours, ruint) = (call(Library::Ours)?, call(Library::Ruint)?);
    let primitive_types = if has_all { Some(call(Library::PrimitiveTypes)?) } else { None };
    let results = [Some(ruint), primitive_types];
    let same = results.iter().flatten().all(|calls| calls.result == ours.result);
    ensure!(same, "{name}: the results differ");
    // Rounded, because the loop around the calls is not the same to the unit.
    let each = |compute_units: u64| (compute_units + ROUNDS / 2) / ROUNDS;
    Ok(ArithmeticRow {
        operation: (*name).into(),
        ours: each(ours.compute_units),
        ruint: each(ruint.compute_units),
        primitive_types: primitive_types.map(|calls| each(calls.compute_units)),
    })
}

impl ArithmeticRow {
    /// The rows as a table.
    #[must_use]
    pub fn table(rows: &[Self]) -> String {
        let head = "| operation | ours | ruint | primitive-types | ruint / ours | primitive-types / ours |\n\
                    |---|---:|---:|---:|---:|---:|\n";
        rows.iter().map(Self::line).fold(head.to_owned(), |table, line| table + &line)
    }

    fn line(&self) -> String {
        let Self { operation, ours, ruint, primitive_types } = self;
        let third = primitive_types.map_or("–".to_owned(), |number| number.to_string());
        let third_ratio = primitive_types.map_or("–".to_owned(), |number| ratio(number, *ours));
        format!("| {operation} | {ours} | {ruint} | {third} | {} | {third_ratio} |\n", ratio(*ruint, *ours))
    }

    /// Reads a line of [`Self::table`].
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [operation, ours, ruint, primitive_types, _, _] = cells[..] else { return None };
        Some(Self {
            operation: operation.into(),
            ours: ours.parse().ok()?,
            ruint: ruint.parse().ok()?,
            primitive_types: match primitive_types {
                "–" => None,
                number => Some(number.parse().ok()?),
            },
        })
    }
}

impl fmt::Display for ArithmeticRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_length() {
        for bits in [32, 63, 64, 128, 250, 256] {
            assert_eq!(number(bits, 3).bit_len(), bits);
        }
    }

    #[test]
    fn rows_are_read_as_they_were_written() {
        for primitive_types in [None, Some(3)] {
            let row = ArithmeticRow { operation: "add".into(), ours: 1, ruint: 2, primitive_types };
            assert_eq!(ArithmeticRow::parse(row.line().trim()), Some(row));
        }
    }
}
