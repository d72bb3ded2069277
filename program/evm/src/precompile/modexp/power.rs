//! Exponentiation by windows of the exponent.

use super::number::Number;

/// Residues of some modulus: an accumulator, and a table of the base's odd powers.
pub(super) trait Residues {
    /// Entry 0 is the base: fills the table up to `entries`.
    fn fill_table(&mut self, entries: usize);

    /// Sets the accumulator to entry `index`.
    fn start(&mut self, index: usize);

    /// Squares the accumulator.
    fn square(&mut self);

    /// Multiplies the accumulator by entry `index`.
    fn multiply(&mut self, index: usize);
}

/// The most bits of a window.
const WIDTH_MAX: u64 = 5;
/// The most entries of a table.
pub(super) const ENTRIES_MAX: usize = entries(WIDTH_MAX);

/// How many odd powers windows of this width need.
const fn entries(width: u64) -> usize {
    1 << (width - 1)
}

/// The width of windows for an exponent of so many bits: where the entries of the next larger table cost less than
/// they save.
const fn width(bits: u64) -> u64 {
    match bits {
        0..=24 => 1,
        25..=80 => 3,
        81..=240 => 4,
        _ => WIDTH_MAX,
    }
}

/// Entries of the table for an exponent of so many bits.
pub(super) const fn table_entries(bits: u64) -> usize {
    entries(width(bits))
}

/// Squarings, and multiplications at most, that an exponent takes; filling the table included.
pub(super) fn operations(exponent: &Number<'_>) -> (u64, u64) {
    let bits = exponent.bit_length();
    let width = width(bits);
    if width > 1 {
        // A window begins with a set bit, so there are no more than one every `width` bits.
        return (bits, bits / width + 1 + entries(width) as u64);
    }
    let ones = exponent.bits(0).count_ones();
    (bits.saturating_sub(1), u64::from(ones).saturating_sub(1))
}

/// Leaves the base's power in the accumulator. The exponent is not 0.
pub(super) fn power(residues: &mut impl Residues, exponent: &Number<'_>) {
    let bits = exponent.bit_length();
    let width = width(bits) as i64;
    residues.fill_table(table_entries(bits));
    let mut left = bits as i64;
    let mut is_first = true;
    // Ends: each round takes at least one bit off.
    while left > 0 {
        if !exponent.bit(left - 1) {
            residues.square();
            left -= 1;
            continue;
        }
        // The window: from the set bit down, and up to a set bit.
        let mut length = width.min(left);
        let mut window = exponent.bits(left - length) & ((1 << length) - 1);
        while window & 1 == 0 {
            window >>= 1;
            length -= 1;
        }
        let index = (window >> 1) as usize;
        if is_first {
            residues.start(index);
            is_first = false;
        } else {
            for _ in 0..length {
                residues.square();
            }
            residues.multiply(index);
        }
        left -= length;
    }
}
