//! The 128-bit division that the compiler calls on its own, for toolchains that do not bring it.
#![cfg(target_arch = "bpf")]

/// Quotient and remainder, bit by bit: nothing on a hot path divides 128-bit numbers.
fn divide(dividend: u128, divisor: u128) -> (u128, u128) {
    let (mut quotient, mut remainder) = (0u128, 0u128);
    let mut bit = 128;
    while bit > 0 {
        bit -= 1;
        remainder = remainder << 1 | (dividend >> bit & 1);
        if remainder >= divisor {
            remainder -= divisor;
            quotient |= 1 << bit;
        }
    }
    (quotient, remainder)
}

const fn join(low: u64, high: u64) -> u128 {
    (high as u128) << 64 | low as u128
}

/// Unsigned 128-bit division.
///
/// # Safety
/// `out` is valid for writing.
#[unsafe(no_mangle)]
unsafe extern "C" fn rs_udivti3(out: *mut u128, a_low: u64, a_high: u64, b_low: u64, b_high: u64) {
    // SAFETY: this function's contract.
    unsafe { out.write(divide(join(a_low, a_high), join(b_low, b_high)).0) }
}

/// Unsigned 128-bit remainder.
///
/// # Safety
/// `out` is valid for writing.
#[unsafe(no_mangle)]
unsafe extern "C" fn rs_umodti3(out: *mut u128, a_low: u64, a_high: u64, b_low: u64, b_high: u64) {
    // SAFETY: this function's contract.
    unsafe { out.write(divide(join(a_low, a_high), join(b_low, b_high)).1) }
}

/// Signed 128-bit division.
///
/// # Safety
/// `out` is valid for writing.
#[unsafe(no_mangle)]
unsafe extern "C" fn rs_divti3(out: *mut u128, a_low: u64, a_high: u64, b_low: u64, b_high: u64) {
    let (a, b) = (join(a_low, a_high) as i128, join(b_low, b_high) as i128);
    let quotient = divide(a.unsigned_abs(), b.unsigned_abs()).0;
    // SAFETY: this function's contract.
    unsafe { out.write(if (a < 0) == (b < 0) { quotient } else { quotient.wrapping_neg() }) }
}

/// Signed 128-bit remainder.
///
/// # Safety
/// `out` is valid for writing.
#[unsafe(no_mangle)]
unsafe extern "C" fn rs_modti3(out: *mut u128, a_low: u64, a_high: u64, b_low: u64, b_high: u64) {
    let (a, b) = (join(a_low, a_high) as i128, join(b_low, b_high) as i128);
    let remainder = divide(a.unsigned_abs(), b.unsigned_abs()).1;
    // SAFETY: this function's contract.
    unsafe { out.write(if a < 0 { remainder.wrapping_neg() } else { remainder }) }
}
