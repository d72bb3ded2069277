//! The memory routines that the compiler calls on its own, over the runtime's syscalls, for toolchains that do not bring
//! them.
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
