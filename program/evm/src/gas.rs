//! Gas costs of Osaka, with the symbols of the Yellow Paper (appendix G) and the EIPs that changed them.
//!
//! Gas is a signed 64-bit number while code runs, so that charging is one subtraction and one comparison; limits are
//! bounded by [`LIMIT_MAX`], and costs that could exceed it saturate.

use crate::arith;
use crate::fork::Fork;

/// The largest gas limit of a run; far above any block.
pub const LIMIT_MAX: u64 = i64::MAX as u64 / 4;
/// A cost that no limit covers.
pub const UNPAYABLE: i64 = i64::MAX / 2;

/// EIP-2929: access of an account or storage key seen before in the transaction.
pub const WARM_ACCESS: i64 = 100;
/// EIP-2929: first access of an account.
pub const COLD_ACCOUNT_ACCESS: i64 = 2600;
/// EIP-2929: first access of a storage key.
pub const COLD_STORAGE_ACCESS: i64 = 2100;
/// G_sset: a storage value becomes non-zero.
pub const STORAGE_SET: i64 = 20_000;
/// G_sreset less the cold access, as EIP-2929 has it: a non-zero storage value changes.
pub const STORAGE_RESET: i64 = 5000 - COLD_STORAGE_ACCESS;
/// EIP-3529: refund for clearing storage.
pub const STORAGE_CLEAR_REFUND: i64 = 4800;
/// EIP-2200: SSTORE needs more gas than this left.
pub const STORAGE_STIPEND: i64 = 2300;
/// G_callvalue: a call transfers value.
pub const CALL_VALUE: i64 = 9000;
/// G_callstipend: gas that a callee gets with value.
pub const CALL_STIPEND: i64 = 2300;
/// G_newaccount: a call or SELFDESTRUCT brings an account to life.
pub const NEW_ACCOUNT: i64 = 25_000;
/// G_codedeposit: a byte of deployed code.
pub const CODE_DEPOSIT_BYTE: i64 = 200;
/// EIP-3860: a word of init code.
pub const INIT_CODE_WORD: i64 = 2;
/// G_keccak256word: a word hashed.
pub const KECCAK256_WORD: i64 = 6;
/// G_copy: a word copied.
pub const COPY_WORD: i64 = 3;
/// G_logdata: a byte of log data.
pub const LOG_DATA_BYTE: i64 = 8;
/// EIP-160: a byte of EXP's exponent.
pub const EXP_BYTE: i64 = 50;
/// EIP-170: the longest code.
pub const CODE_SIZE_MAX: usize = 24_576;
/// EIP-3860: the longest init code.
pub const INIT_CODE_SIZE_MAX: usize = 2 * CODE_SIZE_MAX;
/// The deepest nesting of calls.
pub const CALL_DEPTH_MAX: usize = 1024;
/// EIP-3529: the refund is at most the gas used divided by this.
pub const REFUND_QUOTIENT_MAX: i64 = 5;
/// EIP-7702: an authorization (PER_EMPTY_ACCOUNT_COST).
pub const AUTHORIZATION: i64 = 25_000;
/// EIP-7702: what a non-empty authority gives back (less PER_AUTH_BASE_COST).
pub const AUTHORIZATION_REFUND: i64 = 25_000 - 12_500;
/// EIP-7825: the largest gas limit of a transaction's EVM part.
pub const TRANSACTION_MAX: u64 = 1 << 24;

/// How many 32-byte words `bytes` take.
#[inline(always)]
#[must_use]
pub const fn words(bytes: u64) -> u64 {
    bytes.div_ceil(32)
}

/// The cost of `per_word` gas for each word of `bytes`, saturating.
#[inline(always)]
#[must_use]
pub const fn per_word(per_word: i64, bytes: u64) -> i64 {
    // Anything longer than 2^40 bytes could not be paid for as memory either.
    if bytes > 1 << 40 { UNPAYABLE } else { per_word * words(bytes) as i64 }
}

/// C_mem: what a memory of `words` words costs in all, saturating (Yellow Paper, equation 328).
#[inline(always)]
#[must_use]
pub const fn memory(words: u64) -> i64 {
    if words > 1 << 30 { UNPAYABLE } else { payable_memory(words) }
}

/// [`memory`] of a length that some gas can pay for: at most 2^30 words.
#[inline(always)]
pub(crate) const fn payable_memory(words: u64) -> i64 {
    (3 * words + words * words / 512) as i64
}

/// A storage value before and during a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageChange {
    /// At the start of the transaction.
    pub original: crate::U256,
    /// Before this write.
    pub current: crate::U256,
}

/// EIP-2200 as amended by EIP-2929 and EIP-3529: cost of writing `new` (without the cold access) and the change of
/// the refund counter.
#[must_use]
pub fn storage_write(change: &StorageChange, new: &crate::U256) -> (i64, i64) {
    let StorageChange { original, current } = change;
    if arith::eq(current, new) {
        return (WARM_ACCESS, 0);
    }
    if arith::eq(original, current) {
        return if original.is_zero() {
            (STORAGE_SET, 0)
        } else {
            (STORAGE_RESET, if new.is_zero() { STORAGE_CLEAR_REFUND } else { 0 })
        };
    }
    let mut refund = 0;
    if !original.is_zero() {
        if current.is_zero() {
            refund -= STORAGE_CLEAR_REFUND;
        } else if new.is_zero() {
            refund += STORAGE_CLEAR_REFUND;
        }
    }
    if arith::eq(original, new) {
        refund += if original.is_zero() { STORAGE_SET - WARM_ACCESS } else { STORAGE_RESET - WARM_ACCESS };
    }
    (WARM_ACCESS, refund)
}

/// What a transaction costs before it runs, and the least that it costs in all (EIP-7623).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intrinsic {
    /// g_0: charged before the run.
    pub initial: u64,
    /// The floor of the gas used.
    pub floor: u64,
}

/// The shape of a transaction, as far as its intrinsic gas depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionShape<'a> {
    /// Call data or init code.
    pub data: &'a [u8],
    /// Whether it creates a contract.
    pub creates: bool,
    /// Addresses in its access list.
    pub access_addresses: u32,
    /// Storage keys in its access list.
    pub access_storage_keys: u32,
    /// EIP-7702 authorizations.
    pub authorizations: u32,
}

/// Intrinsic gas: Yellow Paper g_0 with EIP-2028, 2930, 3860, 7623 (from Prague on) and 7702.
#[must_use]
pub fn intrinsic(shape: &TransactionShape<'_>, fork: Fork) -> Intrinsic {
    let length = shape.data.len() as u64;
    let nonzero = length - zero_bytes(shape.data);
    // EIP-7623: a zero byte is one token, another byte four.
    let tokens = length + 3 * nonzero;
    let mut initial = 21_000 + 4 * tokens;
    if shape.creates {
        initial += 32_000 + INIT_CODE_WORD as u64 * words(length);
    }
    initial += 2400 * u64::from(shape.access_addresses) + 1900 * u64::from(shape.access_storage_keys);
    initial += AUTHORIZATION as u64 * u64::from(shape.authorizations);
    let floor = if fork >= Fork::Prague { 21_000 + 10 * tokens } else { 0 };
    Intrinsic { initial, floor }
}

/// Counts zero bytes, eight at a time: call data is long and every transaction pays for this.
fn zero_bytes(data: &[u8]) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let (chunks, rest) = data.as_chunks::<8>();
    let mut zeros = rest.iter().filter(|&&byte| byte == 0).count() as u64;
    for chunk in chunks {
        let word = u64::from_le_bytes(*chunk);
        // The top bit of a byte stays 0 only where the whole byte is 0.
        let nonzero = ((word & LOW) + LOW) | word;
        let marks = (!nonzero >> 7) & 0x0101_0101_0101_0101;
        zeros += marks.wrapping_mul(0x0101_0101_0101_0101) >> 56;
    }
    zeros
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::U256;
    use proptest::prelude::*;

    #[test]
    fn storage_writes_cost_what_eip_3529_lists() {
        // EIP-3529, section "Gas cost table": original, then a sequence of values; gas used and refund. The cold
        // access is not part of `storage_write`.
        for (original, values, gas, refund) in [
            (0u64, &[0u64, 0][..], 200, 0),
            (0, &[0, 1], 20_100, 0),
            (0, &[1, 0], 20_100, 19_900),
            (0, &[1, 2], 20_100, 0),
            (0, &[1, 1], 20_100, 0),
            (1, &[0, 0], 3000, 4800),
            (1, &[0, 1], 3000, 2800),
            (1, &[0, 2], 3000, 0),
            (1, &[2, 0], 3000, 4800),
            (1, &[2, 3], 3000, 0),
            (1, &[2, 1], 3000, 2800),
            (1, &[2, 2], 3000, 0),
            (1, &[1, 0], 3000, 4800),
            (1, &[1, 2], 3000, 0),
            (1, &[1, 1], 200, 0),
            (0, &[1, 0, 1], 40_100, 19_900),
            (1, &[0, 1, 0], 5900, 7600),
        ] {
            let mut current = U256::from(original);
            let mut sum = (0, 0);
            for &value in values {
                let new = U256::from(value);
                let (cost, change) =
                    storage_write(&StorageChange { original: original.into(), current }, &new);
                sum = (sum.0 + cost, sum.1 + change);
                current = new;
            }
            assert_eq!(sum, (gas, refund), "{original} -> {values:?}");
        }
    }

    #[test]
    fn intrinsic_gas_of_known_shapes() {
        let plain = TransactionShape::default();
        let osaka = |shape: &TransactionShape<'_>| intrinsic(shape, Fork::Osaka);
        assert_eq!(osaka(&plain), Intrinsic { initial: 21_000, floor: 21_000 });
        assert_eq!(intrinsic(&plain, Fork::Cancun).floor, 0);
        let data = TransactionShape { data: &[0, 1, 0, 2], ..plain };
        assert_eq!(osaka(&data), Intrinsic { initial: 21_000 + 2 * 4 + 2 * 16, floor: 21_000 + 10 * 10 });
        let create = TransactionShape { data: &[1; 33], creates: true, ..plain };
        assert_eq!(osaka(&create).initial, 53_000 + 33 * 16 + 2 * 2);
        let lists =
            TransactionShape { access_addresses: 2, access_storage_keys: 3, authorizations: 1, ..plain };
        assert_eq!(osaka(&lists).initial, 21_000 + 2 * 2400 + 3 * 1900 + 25_000);
    }

    proptest! {
        #[test]
        fn zero_bytes_are_counted(data in proptest::collection::vec(prop_oneof![Just(0u8), Just(0x80), any::<u8>()], 0..100)) {
            prop_assert_eq!(zero_bytes(&data), data.iter().filter(|&&byte| byte == 0).count() as u64);
        }
    }
}
