//! Comparisons. The answers are booleans, so that a fused compare-and-jump needs no word.

use primitive_types::U256;

/// LT (0x10): `a < b`. 11 CU if the top limbs differ, 19 for numbers below 2^64 (with the word stored).
#[inline(always)]
pub fn lt(a: &U256, b: &U256) -> bool {
    let (a, b) = (&a.0, &b.0);
    if a[3] != b[3] {
        return a[3] < b[3];
    }
    if a[2] != b[2] {
        return a[2] < b[2];
    }
    if a[1] != b[1] {
        return a[1] < b[1];
    }
    a[0] < b[0]
}

/// GT (0x11): `a > b`. Costs as much as LT.
#[inline(always)]
pub fn gt(a: &U256, b: &U256) -> bool {
    lt(b, a)
}

/// SLT (0x12): `a < b` in two's complement. Costs as much as LT.
#[inline(always)]
pub fn slt(a: &U256, b: &U256) -> bool {
    let (a, b) = (&a.0, &b.0);
    if a[3] != b[3] {
        return (a[3] as i64) < b[3] as i64;
    }
    if a[2] != b[2] {
        return a[2] < b[2];
    }
    if a[1] != b[1] {
        return a[1] < b[1];
    }
    a[0] < b[0]
}

/// SGT (0x13): `a > b` in two's complement. Costs as much as LT.
#[inline(always)]
pub fn sgt(a: &U256, b: &U256) -> bool {
    slt(b, a)
}

/// EQ (0x14): `a = b`. 9 CU if the lowest limbs differ, 19 if none does (with the word stored). Limb by limb,
/// since comparing the arrays becomes a call of `bcmp`, on chain a syscall.
#[inline(always)]
pub fn eq(a: &U256, b: &U256) -> bool {
    let (a, b) = (&a.0, &b.0);
    a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3]
}

/// ISZERO (0x15): `a = 0`. 15 CU (with the word stored).
#[inline(always)]
pub fn is_zero(a: &U256) -> bool {
    let a = &a.0;
    a[0] | a[1] | a[2] | a[3] == 0
}
