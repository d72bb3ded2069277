//! BLAKE2F (0x09): the compression function of BLAKE2b with a number of rounds to choose (EIP-152).

use super::{Cost, bytes::padded};
use alloc::vec::Vec;

/// Bytes of the input: rounds (4), h (64), m (128), t (16), f (1).
const LENGTH: usize = 213;
/// Compute units around the rounds: measured, and rounded up.
const BASE_CU: u64 = 1000;
/// Compute units of a round: measured, and rounded up.
const ROUND_CU: u64 = 510;

/// RFC 7693, section 2.6: the initial values.
const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// RFC 7693, section 2.7: which message words a round takes, in order.
const SIGMA: [[u8; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// A gas a round; `None` for a length that is not that of the input.
pub(super) fn cost(input: &[u8]) -> Option<Cost> {
    let rounds = rounds(input.as_array()?);
    Some(Cost { gas: i64::from(rounds), compute_units: BASE_CU + ROUND_CU * u64::from(rounds) })
}

/// The state after the rounds; `None` for a final block indicator other than 0 and 1.
pub(super) fn run(input: &[u8]) -> Option<Vec<u8>> {
    let input: &[u8; LENGTH] = input.as_array()?;
    let is_final = match input[LENGTH - 1] {
        0 => false,
        1 => true,
        _ => return None,
    };
    let mut h: [u64; 8] = words(input, 4);
    compress(rounds(input), &mut h, &words(input, 68), &words(input, 196), is_final);
    Some(h.iter().flat_map(|word| word.to_le_bytes()).collect())
}

/// The number of rounds, the only big-endian number here.
fn rounds(input: &[u8; LENGTH]) -> u32 {
    u32::from_be_bytes(padded(input, 0))
}

/// Little-endian words from `start` on.
fn words<const N: usize>(input: &[u8; LENGTH], start: usize) -> [u64; N] {
    core::array::from_fn(|index| u64::from_le_bytes(padded(input, start + 8 * index)))
}

/// F (RFC 7693, section 3.2).
#[inline(never)]
fn compress(rounds: u32, h: &mut [u64; 8], m: &[u64; 16], t: &[u64; 2], is_final: bool) {
    let mut v = [0; 16];
    v[..8].copy_from_slice(h);
    v[8..].copy_from_slice(&IV);
    v[12] ^= t[0];
    v[13] ^= t[1];
    if is_final {
        v[14] = !v[14];
    }
    let mut schedule = SIGMA.iter().cycle();
    for _ in 0..rounds {
        let Some(s) = schedule.next() else { return };
        let m = |index: usize| m[usize::from(s[index] & 15)];
        mix(&mut v, [0, 4, 8, 12], m(0), m(1));
        mix(&mut v, [1, 5, 9, 13], m(2), m(3));
        mix(&mut v, [2, 6, 10, 14], m(4), m(5));
        mix(&mut v, [3, 7, 11, 15], m(6), m(7));
        mix(&mut v, [0, 5, 10, 15], m(8), m(9));
        mix(&mut v, [1, 6, 11, 12], m(10), m(11));
        mix(&mut v, [2, 7, 8, 13], m(12), m(13));
        mix(&mut v, [3, 4, 9, 14], m(14), m(15));
    }
    for (index, word) in h.iter_mut().enumerate() {
        *word ^= v[index] ^ v[index + 8];
    }
}

/// G (RFC 7693, section 3.1).
#[inline(always)]
fn mix(v: &mut [u64; 16], [a, b, c, d]: [usize; 4], x: u64, y: u64) {
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
    v[d] = (v[d] ^ v[a]).rotate_right(32);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(24);
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(63);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EIP-152, test vector 5: "abc", 12 rounds.
    fn abc() -> [u8; LENGTH] {
        let mut input = [0; LENGTH];
        input[3] = 12;
        let mut h = IV;
        h[0] ^= 0x0101_0040;
        for (index, word) in h.iter().enumerate() {
            input[4 + 8 * index..12 + 8 * index].copy_from_slice(&word.to_le_bytes());
        }
        input[68..71].copy_from_slice(b"abc");
        input[196] = 3;
        input[212] = 1;
        input
    }

    #[test]
    fn hashes_abc() {
        // RFC 7693, appendix A.
        let expected = "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
                        7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923";
        let output: alloc::string::String =
            run(&abc()).into_iter().flatten().map(|byte| alloc::format!("{byte:02x}")).collect();
        assert_eq!(output, expected);
        assert_eq!(cost(&abc()).map(|cost| cost.gas), Some(12));
    }

    #[test]
    fn rejects_other_lengths_and_indicators() {
        assert_eq!(cost(&abc()[1..]), None);
        assert_eq!(cost(&[0; 214]), None);
        let mut input = abc();
        input[212] = 2;
        assert_eq!(run(&input), None);
    }
}
