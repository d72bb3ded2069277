//! Operations of 256-bit arithmetic, each in a function of its own that is called again and again.

use crate::meter::Meter;
use crate::operation::{Calls, Library, Operation, ROUNDS};
use core::hint::black_box;
use parhelion_evm::{U256, arith};
use primitive_types::U512;
use ruint::aliases::U256 as Ruint;

/// Limbs, the least significant one first.
type Limbs = [u64; 4];

/// Reads three operands by reference and writes the result where it belongs.
type Function<T> = fn(&mut T, &[T; 3]);

/// Measures an operation; `None` when the library does not have it.
pub(crate) fn run(operation: Operation, library: Library, operands: &[Limbs; 3]) -> Option<Calls> {
    Some(match library {
        Library::Ours => {
            let (compute_units, result) = measure(ours(operation), operands.map(U256));
            Calls { compute_units, result: result.0 }
        }
        Library::Ruint => {
            let (compute_units, result) = measure(ruint(operation), operands.map(Ruint::from_limbs));
            Calls { compute_units, result: *result.as_limbs() }
        }
        Library::PrimitiveTypes => {
            let (compute_units, result) = measure(primitive_types(operation)?, operands.map(U256));
            Calls { compute_units, result: result.0 }
        }
    })
}

/// Compute units of all calls, less those of calls that do nothing; and the result.
fn measure<T: Copy>(function: Function<T>, operands: [T; 3]) -> (u64, T) {
    let (overhead, _) = count::<T>(|_, _| {}, &operands);
    let (compute_units, result) = count(function, &operands);
    (compute_units.saturating_sub(overhead), result)
}

#[inline(never)]
fn count<T: Copy>(function: Function<T>, operands: &[T; 3]) -> (u64, T) {
    let mut result = operands[0];
    let meter = Meter::start();
    for _ in 0..ROUNDS {
        black_box(function)(&mut result, operands);
    }
    (meter.stop(), result)
}

/// Our arithmetic.
fn ours(operation: Operation) -> Function<U256> {
    match operation {
        Operation::Add => |out, [a, b, _]| *out = arith::add(a, b),
        Operation::Sub => |out, [a, b, _]| *out = arith::sub(a, b),
        Operation::Mul => |out, [a, b, _]| *out = arith::mul(a, b),
        Operation::Div => |out, [a, b, _]| *out = arith::div(a, b),
        Operation::AddMod => |out, [a, b, c]| *out = arith::addmod(a, b, c),
        Operation::MulMod => |out, [a, b, c]| *out = arith::mulmod(a, b, c),
        Operation::Exp => |out, [a, b, _]| *out = arith::exp(a, b),
        Operation::Shl => |out, [a, b, _]| *out = arith::shl(a, b),
        Operation::Shr => |out, [a, b, _]| *out = arith::shr(a, b),
        Operation::Sar => |out, [a, b, _]| *out = arith::sar(a, b),
        Operation::Byte => |out, [a, b, _]| *out = arith::byte(a, b),
    }
}

/// ruint, called as an interpreter would; shifts and indices are small here.
fn ruint(operation: Operation) -> Function<Ruint> {
    match operation {
        Operation::Add => |out, [a, b, _]| *out = a.wrapping_add(*b),
        Operation::Sub => |out, [a, b, _]| *out = a.wrapping_sub(*b),
        Operation::Mul => |out, [a, b, _]| *out = a.wrapping_mul(*b),
        Operation::Div => |out, [a, b, _]| *out = a.checked_div(*b).unwrap_or_default(),
        Operation::AddMod => |out, [a, b, c]| *out = a.add_mod(*b, *c),
        Operation::MulMod => |out, [a, b, c]| *out = a.mul_mod(*b, *c),
        Operation::Exp => |out, [a, b, _]| *out = a.wrapping_pow(*b),
        Operation::Shl => |out, [a, b, _]| *out = b.wrapping_shl(a.as_limbs()[0] as usize),
        Operation::Shr => |out, [a, b, _]| *out = b.wrapping_shr(a.as_limbs()[0] as usize),
        Operation::Sar => |out, [a, b, _]| *out = b.arithmetic_shr(a.as_limbs()[0] as usize),
        Operation::Byte => {
            |out, [a, b, _]| *out = Ruint::from(b.byte(31usize.saturating_sub(a.as_limbs()[0] as usize)))
        }
    }
}

/// primitive-types, called as SputnikVM does; it has no shift with the sign.
fn primitive_types(operation: Operation) -> Option<Function<U256>> {
    Some(match operation {
        Operation::Add => |out, [a, b, _]| *out = a.overflowing_add(*b).0,
        Operation::Sub => |out, [a, b, _]| *out = a.overflowing_sub(*b).0,
        Operation::Mul => |out, [a, b, _]| *out = a.overflowing_mul(*b).0,
        Operation::Div => |out, [a, b, _]| *out = a.checked_div(*b).unwrap_or_default(),
        Operation::AddMod => |out, [a, b, c]| *out = low((U512::from(*a) + U512::from(*b)) % U512::from(*c)),
        Operation::MulMod => |out, [a, b, c]| *out = low(a.full_mul(*b) % U512::from(*c)),
        Operation::Exp => |out, [a, b, _]| *out = a.overflowing_pow(*b).0,
        Operation::Shl => |out, [a, b, _]| *out = *b << a.low_u64() as usize,
        Operation::Shr => |out, [a, b, _]| *out = *b >> a.low_u64() as usize,
        Operation::Sar => return None,
        Operation::Byte => {
            |out, [a, b, _]| *out = U256::from(b.byte(31usize.saturating_sub(a.low_u64() as usize)))
        }
    })
}

/// The low half.
fn low(number: U512) -> U256 {
    let [a, b, c, d, ..] = number.0;
    U256([a, b, c, d])
}
