//! Symbols that the compiler calls on its own, for toolchains that do not bring them: memory routines over the
//! runtime's syscalls, and 128-bit division.
//!
//! Platform-tools define these symbols themselves. A copy loop in Rust would be turned back into a call of `memcpy`,
//! so the syscalls are the only way; inlined copies of known small sizes do not come here.
#![cfg(target_arch = "bpf")]

use solana_define_syscall::definitions::{sol_memcmp_, sol_memcpy_, sol_memmove_, sol_memset_};

/// C's memcpy.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(target: *mut u8, source: *const u8, length: usize) -> *mut u8 {
    // SAFETY: this function's contract.
    unsafe { sol_memcpy_(target, source, length as u64) }
    target
}

/// C's memmove.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(target: *mut u8, source: *const u8, length: usize) -> *mut u8 {
    // SAFETY: this function's contract.
    unsafe { sol_memmove_(target, source, length as u64) }
    target
}

/// C's memset.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(target: *mut u8, value: i32, length: usize) -> *mut u8 {
    // SAFETY: this function's contract.
    unsafe { sol_memset_(target, value as u8, length as u64) }
    target
}

/// Bytes of a word of [`memcmp`].
const WORD: usize = 8;

/// So many words are compared here; what is longer is the syscall's.
const WORDS_MAX: usize = 8;

/// C's memcmp: word by word as far as words reach, because most comparisons end in the first one, and are of 20 or 32
/// bytes. A syscall takes longer.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, length: usize) -> i32 {
    let mut offset = 0;
    while offset + WORD <= length && offset < WORDS_MAX * WORD {
        // SAFETY: this function's contract; the word lies below `length`.
        let (left, right) = unsafe {
            (a.add(offset).cast::<u64>().read_unaligned(), b.add(offset).cast::<u64>().read_unaligned())
        };
        if left != right {
            // The first byte that differs decides, and it is the most significant one of a big-endian number.
            return if left.swap_bytes() < right.swap_bytes() { -1 } else { 1 };
        }
        offset += WORD;
    }
    let mut result = 0;
    if offset < length {
        // SAFETY: this function's contract.
        unsafe { sol_memcmp_(a.add(offset), b.add(offset), (length - offset) as u64, &raw mut result) }
    }
    result
}

/// BSD's bcmp: like memcmp, but only whether there is a difference.
///
/// # Safety
/// As in C.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, length: usize) -> i32 {
    // SAFETY: this function's contract.
    unsafe { memcmp(a, b, length) }
}

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
