//! Any modulus: schoolbook multiplication and long division, over digits of 28 bits.
//!
//! # Shape
//! A product is a sequence of *columns*, 64-bit sums that are not carried until they must be. Multiplication adds
//! four rows to the columns at a time ([`add_rows`]: 3.7 CU a digit product on sBPF), long division subtracts four
//! multiples of the modulus at a time in the same way. Division instead of Montgomery's reduction, because it costs
//! about the same in this form, takes even moduli, and needs no conversions.
//!
//! # Bounds
//! The modulus is scaled by a power of two to exactly `n` digits with 26 bits in the highest. A residue is below 1.1
//! times the scaled modulus. A column sums no more than [`PRODUCTS_MAX`] products of 56 bits before it is carried.

use super::number::Number;
use super::power::{self, Residues};
use super::saturating_product;
use alloc::vec;
use alloc::vec::Vec;
use core::hint::cold_path;

/// Bits of a digit.
const WIDTH: usize = 28;
/// A digit's bits.
const MASK: i64 = (1 << WIDTH) - 1;
/// Digits of the modulus at least: those that a quotient's estimate looks at, and two.
const DIGITS_MIN: usize = 8;
/// Digits of the modulus, from the highest, that are subtracted as soon as a quotient digit is known.
const HEAD: usize = 6;
/// Products of two digits that a column may sum before it is carried.
const PRODUCTS_MAX: usize = 96;
/// Zeros in front of a row, so that four shifted rows can be read as one.
const FRONT: usize = 3;

/// What [`power`] takes on chain: measured, and rounded up.
pub(super) fn compute_units(base: &Number<'_>, exponent: &Number<'_>, modulus: &Number<'_>) -> u64 {
    let n = digits(modulus.bit_length()) as u64;
    if n > 1 << 20 {
        return u64::MAX;
    }
    // Rows come in fours.
    let area = n * n.next_multiple_of(4);
    let (squares, products) = power::operations(exponent);
    // The base is reduced `n` digits at a time, and the result once more.
    let divisions = base.bit_length() / (WIDTH as u64 * n) + 2;
    [
        (700 + 140 * n + 8 * area, squares),
        (700 + 130 * n + 10 * area, products),
        (700 + 150 * n + 6 * area, divisions),
        (1000 + 150 * n, 1),
    ]
    .into_iter()
    .fold(0, |sum, (price, count)| saturating_product(price, count).saturating_add(sum))
}

/// Digits that a modulus of so many bits is scaled to.
fn digits(bits: u64) -> usize {
    ((bits as usize).saturating_add(2)).div_ceil(WIDTH).max(DIGITS_MIN)
}

/// Residues of a scaled modulus.
struct Wide {
    /// Digits of the modulus.
    n: usize,
    /// `n` as a multiple of four: digits of a residue, of which the upper ones may be 0.
    padded: usize,
    /// The modulus is scaled by 2^shift.
    shift: usize,
    /// The scaled modulus.
    modulus: Vec<u32>,
    /// The six highest digits of the modulus.
    head: [i64; HEAD],
    /// The other digits of the modulus, as a row.
    tail: Vec<u32>,
    /// The 34 highest bits of the modulus, plus 1.
    divisor: u64,
    /// Twice as many as digits.
    columns: Vec<i64>,
    /// A row.
    accumulator: Vec<u32>,
    /// Rows.
    table: Vec<u32>,
}

/// Writes the power to the end of `output`, which is zero and has room for the modulus.
#[inline(never)]
pub(super) fn power(base: &Number<'_>, exponent: &Number<'_>, modulus: &Number<'_>, output: &mut [u8]) {
    let mut residues = Wide::new(modulus, power::table_entries(exponent.bit_length()));
    if exponent.bit_length() == 0 {
        residues.accumulator[FRONT] = 1;
    } else {
        residues.reduce_base(base);
        power::power(&mut residues, exponent);
    }
    residues.write(output);
}

impl Wide {
    /// An accumulator of 0, and room for so many entries of the table.
    fn new(modulus: &Number<'_>, entries: usize) -> Self {
        let bits = modulus.bit_length() as usize;
        let n = digits(bits as u64);
        let padded = n.next_multiple_of(4);
        let shift = WIDTH * n - 2 - bits;
        let scaled: Vec<u32> =
            (0..n).map(|index| digit(modulus, (WIDTH * index) as i64 - shift as i64)).collect();
        let tail_length = (n - HEAD + FRONT).next_multiple_of(4) + 4;
        let mut tail = vec![0; tail_length];
        tail[FRONT..FRONT + n - HEAD].copy_from_slice(&scaled[..n - HEAD]);
        let head = core::array::from_fn(|index| i64::from(scaled[n - HEAD + index]));
        Self {
            n,
            padded,
            shift,
            divisor: (head[HEAD - 1] << 8 | head[HEAD - 2] >> 20) as u64 + 1,
            head,
            tail,
            modulus: scaled,
            columns: vec![0; 2 * padded],
            accumulator: vec![0; padded + 8],
            table: vec![0; (padded + 8) * entries],
        }
    }

    /// Entry 0 becomes the base, which may be longer than the modulus: `n` digits at a time, from the highest.
    fn reduce_base(&mut self, base: &Number<'_>) {
        let n = self.n;
        let chunks = (base.bit_length() as usize).div_ceil(WIDTH * n);
        for chunk in (0..chunks).rev() {
            self.columns.fill(0);
            for index in 0..n {
                self.columns[index] = i64::from(digit(base, (WIDTH * (n * chunk + index)) as i64));
                self.columns[n + index] = i64::from(self.accumulator[FRONT + index]);
            }
            self.divide();
        }
        self.table[..self.padded + 8].copy_from_slice(&self.accumulator);
    }

    /// The columns of `accumulator * row`, without a bound of their number.
    fn add_product(&mut self, row: usize) {
        let Self { columns, accumulator, table, padded, .. } = self;
        let length = *padded + 8;
        let row = &table[length * row..][..length];
        columns.fill(0);
        let digits = accumulator[FRONT..FRONT + *padded].as_chunks::<4>().0;
        for (block, digits) in digits.iter().enumerate() {
            if block > 0 && block % (PRODUCTS_MAX / 4) == 0 {
                carry(columns);
            }
            add_rows(&mut columns[4 * block..][..*padded + 4], row, &digits.map(i64::from));
        }
    }

    /// Takes the columns modulo the modulus, into the accumulator. They must be below the modulus times 2^28, times
    /// the power of 2^28 that the accumulator can hold.
    fn divide(&mut self) {
        let Self { columns, tail, n, padded, .. } = self;
        let n = *n;
        if n > PRODUCTS_MAX / 2 {
            carry(columns);
        }
        let tail_columns = tail.len() - 4;
        for block in (0..*padded / 4).rev() {
            if block % (PRODUCTS_MAX / 8) == 0 && n > PRODUCTS_MAX / 2 {
                carry(&mut columns[4 * block..][..n + 4]);
            }
            let mut quotient = [0; 4];
            for index in (0..4).rev() {
                let first = 4 * block + index + n - HEAD;
                if let Some(window) = columns[first..].first_chunk_mut() {
                    quotient[index] = subtract_head(window, &self.head, self.divisor);
                }
            }
            add_rows(&mut columns[4 * block..][..tail_columns], tail, &quotient.map(|digit| -digit));
        }
        carry(&mut columns[..n + 1]);
        for (target, &column) in self.accumulator[FRONT..FRONT + n].iter_mut().zip(columns.iter()) {
            *target = column as u32;
        }
    }

    /// Writes the accumulator, reduced by the modulus without its scale.
    fn write(&mut self, output: &mut [u8]) {
        // (x * 2^shift) modulo (modulus * 2^shift) is (x modulo modulus) * 2^shift.
        let Self { shift, n, .. } = *self;
        let (skipped, shift_in_digit) = (shift / WIDTH, shift % WIDTH);
        self.columns.fill(0);
        for index in 0..n {
            self.columns[index + skipped] = i64::from(self.accumulator[FRONT + index]) << shift_in_digit;
        }
        self.divide();
        let value = &mut self.accumulator[FRONT..FRONT + n];
        while value.iter().rev().ge(self.modulus.iter().rev()) {
            let mut borrow = 0;
            for (digit, &subtrahend) in value.iter_mut().zip(&self.modulus) {
                let difference = i64::from(*digit) - i64::from(subtrahend) + borrow;
                *digit = (difference & MASK) as u32;
                borrow = difference >> WIDTH;
            }
        }
        let bits = |start: usize| {
            let (index, shift) = (start / WIDTH, start % WIDTH);
            let digit = |index: usize| value.get(index).copied().map_or(0, u64::from);
            (digit(index) | digit(index + 1) << WIDTH) >> shift
        };
        for (index, target) in output.iter_mut().rev().enumerate() {
            *target = bits(shift + 8 * index) as u8;
        }
    }
}

impl Residues for Wide {
    fn fill_table(&mut self, entries: usize) {
        let length = self.padded + 8;
        if entries < 2 {
            return;
        }
        self.start(0);
        self.square();
        // The square goes where the last entry will be, until that is computed from it.
        let last = length * (entries - 1);
        self.table[last..].copy_from_slice(&self.accumulator);
        self.start(0);
        for index in 1..entries {
            self.multiply(entries - 1);
            self.table[length * index..][..length].copy_from_slice(&self.accumulator);
        }
    }

    fn start(&mut self, index: usize) {
        let length = self.padded + 8;
        self.accumulator.copy_from_slice(&self.table[length * index..][..length]);
    }

    fn square(&mut self) {
        let Self { columns, accumulator, padded, .. } = self;
        columns.fill(0);
        let digits = &accumulator[FRONT..];
        for block in 0..*padded / 4 {
            if block > 0 && block % (PRODUCTS_MAX / 8) == 0 {
                carry(columns);
            }
            let Some(front) = digits[4 * block..].first_chunk() else { return };
            let [x0, x1, x2, x3, y0, y1, y2, y3] = front.map(i64::from);
            let (d0, d1, d2, d3) = (2 * x0, 2 * x1, 2 * x2, 2 * x3);
            let Some(target) = columns[8 * block..].first_chunk_mut::<8>() else { return };
            target[0] += x0 * x0;
            target[1] += d0 * x1;
            target[2] += d0 * x2 + x1 * x1;
            target[3] += d0 * x3 + d1 * x2;
            target[4] += d1 * x3 + x2 * x2 + d0 * y0;
            target[5] += d2 * x3 + d0 * y1 + d1 * y0;
            target[6] += x3 * x3 + d0 * y2 + d1 * y1 + d2 * y0;
            target[7] += d0 * y3 + d1 * y2 + d2 * y1 + d3 * y0;
            let left = *padded - 4 * block - 4;
            if left > 0 {
                add_rows(
                    &mut columns[8 * block + 8..][..left],
                    &digits[4 * block + 5..][..left + 4],
                    &[d0, d1, d2, d3],
                );
            }
        }
        self.divide();
    }

    fn multiply(&mut self, index: usize) {
        self.add_product(index);
        self.divide();
    }
}

/// The digit that begins at bit `start`.
fn digit(number: &Number<'_>, start: i64) -> u32 {
    (number.bits(start) as i64 & MASK) as u32
}

/// Adds four rows: to `columns[t]` the sum of `factors[r] * row[3 + t - r]`. The row has four digits more than there
/// are columns, and both lengths are multiples of four.
#[inline(never)]
fn add_rows(columns: &mut [i64], row: &[u32], factors: &[i64; 4]) {
    let [f0, f1, f2, f3] = *factors;
    let (columns, row) = (columns.as_chunks_mut::<4>().0, row.as_chunks::<4>().0);
    let Some((first, row)) = row.split_first() else { return };
    // With one length for both, the loop counts once.
    let Some(row) = row.get(..columns.len()) else { return };
    let [mut p0, mut p1, mut p2, mut p3] = first.map(i64::from);
    for (column, next) in columns.iter_mut().zip(row) {
        column[0] += f0 * p3 + f1 * p2 + f2 * p1 + f3 * p0;
        p0 = i64::from(next[0]);
        border!(p0);
        column[1] += f0 * p0 + f1 * p3 + f2 * p2 + f3 * p1;
        p1 = i64::from(next[1]);
        border!(p1);
        column[2] += f0 * p1 + f1 * p0 + f2 * p3 + f3 * p2;
        p2 = i64::from(next[2]);
        border!(p2);
        column[3] += f0 * p2 + f1 * p1 + f2 * p0 + f3 * p3;
        p3 = i64::from(next[3]);
    }
}

/// Keeps the compiler from mixing the columns before and after: on sBPF that fills the stack with intermediate
/// values, which costs 25 %. The branch is never taken, since digits are shorter.
macro_rules! border {
    ($digit:ident) => {
        if $digit > 1 << 30 {
            cold_path();
            return;
        }
    };
}
use border;

/// Makes digits of columns; what the highest carries, which may be negative, stays in it.
fn carry(columns: &mut [i64]) {
    let Some((last, columns)) = columns.split_last_mut() else { return };
    let mut carry = 0;
    for column in columns {
        let sum = *column + carry;
        *column = sum & MASK;
        carry = sum >> WIDTH;
    }
    *last += carry;
}

/// Finds the next digit of the quotient, and subtracts its multiple of the modulus' six highest digits.
///
/// `window` has the columns from where the lowest of those six digits belongs, to the one above the highest. The
/// columns below carry at most 2^7 into `window[4]`, and the estimate takes only the bits from 2^20 on of that, and 1
/// off: so it is never too large, and too small by less than 1.1.
#[inline(always)]
fn subtract_head(window: &mut [i64; HEAD + 1], head: &[i64; HEAD], divisor: u64) -> i64 {
    for index in 3..6 {
        let sum = window[index];
        window[index] = sum & MASK;
        window[index + 1] += sum >> WIDTH;
    }
    let [.., third, second, first] = *window;
    // Negative is only what is 0 but for the columns below.
    let dividend = if first < 0 { 0 } else { (first as u64) << 36 | (second << 8 | third >> 20) as u64 };
    let digit = (dividend.saturating_sub(1) / divisor) as i64;
    window[5] += first << WIDTH;
    window[6] = 0;
    for (column, &factor) in window.iter_mut().zip(head) {
        *column -= digit * factor;
    }
    digit
}
