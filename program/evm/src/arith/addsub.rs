//! Addition and subtraction: carries as branches.
//!
//! Of each limb pair the second operand is read first: the addition then overwrites the register of the
//! first, and the second is still there for the comparison.

use core::hint::cold_path;
use primitive_types::U256;

/// ADD (0x01): `a + b` modulo 2^256. 19 CU without carries, 25 with all of them.
#[inline(always)]
pub fn add(a: &U256, b: &U256) -> U256 {
    let (a, b) = (&a.0, &b.0);
    let b0 = b[0];
    let r0 = a[0].wrapping_add(b0);
    let b1 = b[1];
    let mut r1 = a[1].wrapping_add(b1);
    let carry = if r0 < b0 {
        cold_path();
        r1 = r1.wrapping_add(1);
        r1 <= b1
    } else {
        r1 < b1
    };
    let b2 = b[2];
    let mut r2 = a[2].wrapping_add(b2);
    let carry = if carry {
        cold_path();
        r2 = r2.wrapping_add(1);
        r2 <= b2
    } else {
        r2 < b2
    };
    let b3 = b[3];
    let mut r3 = a[3].wrapping_add(b3);
    if carry {
        cold_path();
        r3 = r3.wrapping_add(1);
    }
    U256([r0, r1, r2, r3])
}

/// SUB (0x03): `a - b` modulo 2^256. 21 CU without borrows, 27 with all of them.
#[inline(always)]
pub fn sub(a: &U256, b: &U256) -> U256 {
    let (a, b) = (&a.0, &b.0);
    let (a0, b0) = (a[0], b[0]);
    let r0 = a0.wrapping_sub(b0);
    let (a1, b1) = (a[1], b[1]);
    let mut r1 = a1.wrapping_sub(b1);
    let borrow = if a0 < b0 {
        cold_path();
        r1 = r1.wrapping_sub(1);
        a1 <= b1
    } else {
        a1 < b1
    };
    let (a2, b2) = (a[2], b[2]);
    let mut r2 = a2.wrapping_sub(b2);
    let borrow = if borrow {
        cold_path();
        r2 = r2.wrapping_sub(1);
        a2 <= b2
    } else {
        a2 < b2
    };
    let mut r3 = a[3].wrapping_sub(b[3]);
    if borrow {
        cold_path();
        r3 = r3.wrapping_sub(1);
    }
    U256([r0, r1, r2, r3])
}
