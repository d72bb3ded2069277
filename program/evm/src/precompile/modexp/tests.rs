//! Against num-bigint, and the lengths that EELS lists.

use super::*;
use crate::precompile::Cost;
use num_bigint::BigUint;
use proptest::prelude::*;

/// An input with these operands, cut where they end.
fn input(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Vec<u8> {
    let mut input = Vec::new();
    for operand in [base, exponent, modulus] {
        input.extend_from_slice(&[0; 24]);
        input.extend_from_slice(&(operand.len() as u64).to_be_bytes());
    }
    [&input[..], base, exponent, modulus].concat()
}

/// What num-bigint says.
fn expected(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Vec<u8> {
    let [base, exponent, number] = [base, exponent, modulus].map(BigUint::from_bytes_be);
    let mut output = vec![0; modulus.len()];
    if number != BigUint::ZERO {
        let bytes = base.modpow(&exponent, &number).to_bytes_be();
        if let Some(front) = modulus.len().checked_sub(bytes.len()) {
            output[front..].copy_from_slice(&bytes);
        }
    }
    output
}

/// Bytes of a length up to `longest`, with runs of zeros and ones.
fn operand(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => any::<u8>(), 1 => Just(0), 1 => Just(0xff)];
    let ragged = proptest::collection::vec(byte, 0..=longest);
    let runs =
        (0..=longest, 0..=longest, any::<[u8; 4]>()).prop_map(|(length, border, [a, b, first, last])| {
            let extreme = |byte: u8| if byte & 1 == 0 { 0 } else { 0xff };
            let mut bytes: Vec<u8> =
                (0..length).map(|index| if index < border { extreme(a) } else { extreme(b) }).collect();
            if let Some(byte) = bytes.first_mut() {
                *byte = first;
            }
            if let Some(byte) = bytes.last_mut() {
                *byte = last;
            }
            bytes
        });
    prop_oneof![ragged, runs]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn short_operands(base in operand(40), exponent in operand(6), modulus in operand(40)) {
        prop_assert_eq!(run(&input(&base, &exponent, &modulus)), expected(&base, &exponent, &modulus));
    }

    #[test]
    fn exponents_of_all_widths(base in operand(33), exponent in operand(40), modulus in operand(33)) {
        prop_assert_eq!(run(&input(&base, &exponent, &modulus)), expected(&base, &exponent, &modulus));
    }

    #[test]
    fn long_operands(base in operand(300), exponent in operand(5), modulus in operand(300)) {
        prop_assert_eq!(run(&input(&base, &exponent, &modulus)), expected(&base, &exponent, &modulus));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn the_longest_operands(base in operand(1024), exponent in operand(3), modulus in operand(1024)) {
        prop_assert_eq!(run(&input(&base, &exponent, &modulus)), expected(&base, &exponent, &modulus));
    }
}

#[test]
fn extreme_moduli() {
    for length in [1, 4, 31, 32, 33, 64, 256, 700] {
        let ones = vec![0xff; length];
        let mut power_of_two = vec![0; length];
        power_of_two[0] = 0x80;
        let mut one = vec![0; length];
        one[length - 1] = 1;
        for modulus in [&ones, &power_of_two, &one] {
            for base in [&ones, &power_of_two, &one] {
                for exponent in [&[][..], &[0], &[1], &[2], &[0xff, 0xff]] {
                    let output = run(&input(base, exponent, modulus));
                    assert_eq!(output, expected(base, exponent, modulus), "{length} {exponent:?}");
                }
            }
        }
    }
}

#[test]
fn what_the_input_lacks_is_zero() {
    // 3 ^ 0x0200 mod 0x0f00, of which the input has "3" and "02".
    let mut short = input(&[3], &[2, 0], &[0xf, 0]);
    short.truncate(98);
    assert_eq!(run(&short), [0, 0]);
    let mut whole = input(&[3], &[2, 0], &[0xf, 0]);
    whole.truncate(100);
    assert_eq!(run(&whole), expected(&[3], &[2, 0], &[0xf, 0]));
    assert_eq!(run(&[]), [0u8; 0]);
}

#[test]
fn gas_of_lengths_without_operands() {
    let lengths = |base: u64, exponent: u64, modulus: u64| {
        let mut input = vec![0; 96];
        for (index, length) in [base, exponent, modulus].into_iter().enumerate() {
            input[32 * index + 24..32 * index + 32].copy_from_slice(&length.to_be_bytes());
        }
        input
    };
    let gas = |input: &[u8], fork| cost(input, fork).map(|Cost { gas, .. }| gas);
    assert_eq!(gas(&lengths(0, 0, 0), Fork::Cancun), Some(200));
    assert_eq!(gas(&lengths(0, 0, 0), Fork::Osaka), Some(500));
    assert_eq!(gas(&lengths(0, u64::MAX, 0), Fork::Cancun), Some(200));
    assert_eq!(gas(&lengths(1024, 1024, 1024), Fork::Osaka), Some(2 * 128 * 128 * 16 * 992));
    assert_eq!(gas(&lengths(1025, 0, 0), Fork::Osaka), None);
    assert_eq!(gas(&lengths(u64::MAX, 1, u64::MAX), Fork::Cancun), Some(gas::UNPAYABLE));
    let mut huge = lengths(1, 1, 1);
    huge[0] = 1;
    assert_eq!(gas(&huge, Fork::Prague), Some(gas::UNPAYABLE));
    assert_eq!(gas(&huge, Fork::Osaka), None);
}

#[test]
fn fermat_holds_for_the_field_of_secp256k1() {
    // EIP-198's first example: 3 ^ (p - 1) mod p.
    let mut p = [0xff; 32];
    p[27] = 0xfe;
    p[30..].copy_from_slice(&[0xfc, 0x2f]);
    let mut exponent = p;
    exponent[31] -= 1;
    let mut one = [0; 32];
    one[31] = 1;
    assert_eq!(run(&input(&[3], &exponent, &p)), one);
}
