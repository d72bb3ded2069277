//! Square roots: powers by (p - 3) / 4.

use super::fp::{Field, Fp, P_LIMBS};

/// Bits of a window of the exponent.
const WIDTH: usize = 5;
/// Odd powers of the base in the table.
const ENTRIES: usize = 1 << (WIDTH - 1);
/// Windows at most.
const WINDOWS_MAX: usize = 80;

/// The exponent, taken apart.
struct Windows {
    /// How often to square, and which odd power to multiply by then; the first begins with that power.
    steps: [(u8, u8); WINDOWS_MAX],
    /// How many steps there are.
    count: usize,
    /// How often to square in the end.
    last: u8,
}

/// (p - 3) / 4.
const EXPONENT: Windows = windows();

/// Bit `index` of (p - 3) / 4; p ends with the bits 11.
const fn bit(index: usize) -> u8 {
    let index = index + 2;
    (P_LIMBS[index / 64] >> (index % 64) & 1) as u8
}

/// Windows from the highest bit down, each from a set bit to a set bit.
const fn windows() -> Windows {
    let mut windows = Windows { steps: [(0, 0); WINDOWS_MAX], count: 0, last: 0 };
    let mut left = 379;
    while left > 0 {
        if bit(left - 1) == 0 {
            windows.last += 1;
            left -= 1;
            continue;
        }
        let mut length = if left < WIDTH { left } else { WIDTH };
        while bit(left - length) == 0 {
            length -= 1;
        }
        let mut value = 0;
        let mut index = 0;
        while index < length {
            value = value << 1 | bit(left - 1 - index);
            index += 1;
        }
        windows.steps[windows.count] = (windows.last + length as u8, value >> 1);
        windows.count += 1;
        windows.last = 0;
        left -= length;
    }
    windows
}

impl Field {
    /// x ^ ((p - 3) / 4): 1 / x times a root of x or, if that has none, of -x. 500,000 CU.
    #[inline(never)]
    pub(super) fn inverse_times_root(&self, x: &Fp) -> Fp {
        let square = self.square(x);
        let table: [Fp; ENTRIES] = core::array::from_fn(|_| x.clone());
        for [power, next] in table.array_windows() {
            self.mul_to(next, power, &square);
        }
        let result = Fp::zero();
        for (step, (squarings, index)) in EXPONENT.steps[..EXPONENT.count].iter().enumerate() {
            let power = &table[usize::from(*index) % ENTRIES];
            if step == 0 {
                self.copy(&result, power);
                continue;
            }
            for _ in 0..*squarings {
                self.square_to(&result, &result);
            }
            self.mul_to(&result, &result, power);
        }
        for _ in 0..EXPONENT.last {
            self.square_to(&result, &result);
        }
        result
    }

    /// Copies digits.
    fn copy(&self, target: &Fp, source: &Fp) {
        for (target, digit) in target.0.iter().zip(&source.0) {
            target.set(digit.get());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn roots(bytes: [u8; 47]) {
            let field = Field::new();
            let mut padded = [0; 48];
            padded[1..].copy_from_slice(&bytes);
            let x = field.element(&padded);
            let square = field.square(&x);
            let inverse = field.inverse_times_root(&square);
            let root = field.mul(&inverse, &square);
            prop_assert!(field.square(&root).sub(&square).is_zero());
            prop_assert!(field.mul(&root, &inverse).sub(&Fp::of(&super::super::fp::ONE)).is_zero());
            // -1 has no root.
            let other = square.neg();
            let root = field.mul(&field.inverse_times_root(&other), &other);
            prop_assert!(field.square(&root).add(&other).is_zero());
        }
    }
}
