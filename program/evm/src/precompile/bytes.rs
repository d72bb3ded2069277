//! Reading inputs, which are as long as the caller likes.

use alloc::vec;
use alloc::vec::Vec;

/// `N` bytes from `start` on; beyond the input's end there are zeros.
#[inline(always)]
pub(super) fn padded<const N: usize>(input: &[u8], start: usize) -> [u8; N] {
    let mut bytes = [0; N];
    let rest = input.get(start..).unwrap_or_default();
    if let Some(whole) = rest.first_chunk() {
        return *whole;
    }
    for (target, &byte) in bytes.iter_mut().zip(rest) {
        *target = byte;
    }
    bytes
}

/// A truth value as a word.
pub(super) fn word(truth: bool) -> Vec<u8> {
    let mut word = vec![0; 32];
    word[31] = u8::from(truth);
    word
}

/// Whether a big-endian number, of some words of eight bytes, is 1.
pub(super) fn is_one(number: &[u8]) -> bool {
    let words = number.as_chunks::<8>().0.split_last();
    words.is_some_and(|(last, rest)| {
        u64::from_be_bytes(*last) == 1 && rest.iter().all(|word| u64::from_be_bytes(*word) == 0)
    })
}
