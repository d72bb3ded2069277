//! The field, the table of the generator, and signatures at the edges.

#![allow(clippy::unwrap_used)]

use super::*;
use p256::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use p256::ecdsa::{self, SigningKey, VerifyingKey};
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::point::DecompressPoint as _;
use p256::elliptic_curve::subtle::Choice;
use p256::{AffinePoint, EncodedPoint, ProjectivePoint, Scalar};
use proptest::prelude::*;

/// Numbers below p, many of them at the borders of digits.
fn any_number() -> impl Strategy<Value = U256> {
    let limb = prop_oneof![3 => any::<u64>(), 1 => Just(0), 1 => Just(u64::MAX)];
    let random = proptest::array::uniform4(limb).prop_map(U256);
    let extreme = (0u64..3).prop_map(|less| arith::sub(&P, &U256([less + 1, 0, 0, 0])));
    prop_oneof![8 => random, 1 => extreme].prop_map(|number| arith::rem(&number, &P))
}

/// Arithmetic modulo p.
fn mul(a: &U256, b: &U256) -> U256 {
    arith::mulmod(a, b, &P)
}

fn sub(a: &U256, b: &U256) -> U256 {
    arith::addmod(a, &arith::sub(&P, b), &P)
}

fn times(factor: u64, a: &U256) -> U256 {
    mul(&U256([factor, 0, 0, 0]), a)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn field_operations(a in any_number(), b in any_number(), c in any_number(), d in any_number()) {
        let [x, y, z, w] = [&a, &b, &c, &d].map(field::element);
        let result = zero();
        let is = |expected: U256| field::number(&result) == expected;
        prop_assert_eq!(field::number(&x), a);
        field::product(&result, &x, &y);
        prop_assert!(is(mul(&a, &b)));
        field::product_doubled(&result, &x, &y);
        prop_assert!(is(times(2, &mul(&a, &b))));
        field::square(&result, &x);
        prop_assert!(is(mul(&a, &a)));
        field::square_doubled(&result, &x);
        prop_assert!(is(times(2, &mul(&a, &a))));
        field::product_minus(&result, [&x, &y], &z);
        prop_assert!(is(sub(&mul(&a, &b), &c)));
        let other = zero();
        field::square_minus([&result, &other], &x, [&y, &z]);
        prop_assert!(is(sub(&sub(&mul(&a, &a), &b), &times(2, &c))));
        difference(&result, &z, &other);
        prop_assert!(is(sub(&sub(&mul(&a, &a), &b), &times(2, &c))));
        field::square_minus_doubled([&result, &other], &x, &y);
        prop_assert!(is(sub(&mul(&a, &a), &times(2, &b))));
        difference(&result, &y, &other);
        prop_assert!(is(sub(&mul(&a, &a), &times(2, &b))));
        field::around_square([&result, &other], &x, &y);
        let square = mul(&b, &b);
        prop_assert!(is(sub(&a, &square)));
        field::product_tripled(&result, &result, &other);
        prop_assert!(is(times(3, &sub(&mul(&a, &a), &mul(&square, &square)))));
        field::product_minus_square(&result, [&x, &y], &z);
        prop_assert!(is(sub(&mul(&a, &b), &times(2, &mul(&c, &c)))));
        field::product_minus_product(&result, [&x, &y, &z, &w]);
        prop_assert!(is(sub(&mul(&a, &b), &mul(&c, &d))));
        difference(&result, &x, &y);
        prop_assert_eq!(field::is_zero(&result), a == b);
        field::normal_difference(&result, &x, &y);
        prop_assert!(is(sub(&a, &b)));
        field::product(&result, &result, &result);
        prop_assert!(is(mul(&sub(&a, &b), &sub(&a, &b))));
    }
}

/// The affine coordinates of a point.
fn affine(point: &Sum) -> Option<[U256; 2]> {
    if point.is_infinite {
        return None;
    }
    let inverse = invert(&field::number(&point.z), &P, P_NEGATED_INVERSE);
    let square = mul(&inverse, &inverse);
    Some([mul(&field::number(&point.x), &square), mul(&field::number(&point.y), &mul(&square, &inverse))])
}

/// A number times the generator, bit by bit.
fn generator_times(number: u64) -> Sum {
    let [x, y] = generator_multiple(1);
    let mut point = Sum::infinite();
    for bit in (0..64).rev() {
        if !point.is_infinite {
            point.double();
        }
        if number >> bit & 1 == 1 {
            point.add([&x, &y]);
        }
    }
    point
}

#[test]
fn the_table_has_odd_multiples_of_the_generator() {
    let generator = [
        U256([0xf4a1_3945_d898_c296, 0x7703_7d81_2deb_33a0, 0xf8bc_e6e5_63a4_40f2, 0x6b17_d1f2_e12c_4247]),
        U256([0xcbb6_4068_37bf_51f5, 0x2bce_3357_6b31_5ece, 0x8ee7_eb4a_7c0f_9e16, 0x4fe3_42e2_fe1a_7f9b]),
    ];
    assert_eq!(affine(&generator_times(1)), Some(generator));
    for index in 0..generator::ENTRIES as u16 {
        let factor = 2 * index + 1;
        let entry = generator_multiple(factor);
        assert!(is_on_curve(&entry));
        let numbers = entry.each_ref().map(field::number);
        assert_eq!(affine(&generator_times(factor.into())), Some(numbers), "{factor}");
    }
}

#[test]
fn multiples_of_a_point() {
    let table = multiples(generator_multiple(77));
    for (index, entry) in table.iter().enumerate() {
        let numbers = entry.each_ref().map(field::number);
        let factor = 77 * (2 * index as u64 + 1);
        assert_eq!(affine(&generator_times(factor)), Some(numbers), "{factor}");
    }
}

#[test]
fn sums_that_cancel_or_double() {
    let sum = |generator_factor: &U256, key_factor: &U256, key: u16| {
        affine(&sum(generator_factor, key_factor, generator_multiple(key)))
    };
    let small = |number: u64| U256([number, 0, 0, 0]);
    let expected = |number: u64| affine(&generator_times(number));
    for (a, b, key) in
        [(1, 1, 1), (3, 1, 3), (5, 7, 9), (0, 1, 1), (1, 0, 1), (0, 0, 1), (255, 15, 17), (12, 4, 3)]
    {
        assert_eq!(sum(&small(a), &small(b), key), expected(a + b * u64::from(key)), "{a} {b} {key}");
    }
    // n - 15 times the generator, and 5 times its triple.
    assert_eq!(sum(&arith::sub(&ORDER, &small(15)), &small(5), 3), None);
    assert_eq!(sum(&arith::sub(&ORDER, &small(14)), &small(5), 3), expected(1));
    assert_eq!(
        sum(&arith::sub(&ORDER, &small(1)), &arith::sub(&ORDER, &small(1)), 1),
        expected(2).map(|[x, y]| [x, sub(&U256::zero(), &y)])
    );
}

#[test]
fn other_lengths_are_invalid() {
    assert_eq!(run(&[]), [0u8; 0]);
    assert_eq!(run(&[1; 161]), [0u8; 0]);
}

/// A signature's input, with its hash, r, s, x and y.
struct Signature([[u8; 32]; 5]);

impl Signature {
    /// Of a hash, by a key.
    fn sign(key: &SigningKey, hash: [u8; 32]) -> Self {
        let signature: ecdsa::Signature = key.sign_prehash(&hash).unwrap();
        let (r, s) = signature.split_bytes();
        Self::of(hash, [r.into(), s.into()], key.verifying_key())
    }

    fn of(hash: [u8; 32], [r, s]: [[u8; 32]; 2], key: &VerifyingKey) -> Self {
        let point = key.to_encoded_point(false);
        let (x, y) = (*point.x().unwrap(), *point.y().unwrap());
        Self([hash, r, s, x.into(), y.into()])
    }

    fn is_valid(&self) -> bool {
        let output = run(&self.0.concat());
        assert!(output.is_empty() || output == word(true));
        !output.is_empty()
    }

    /// What the other implementation says.
    fn is_valid_elsewhere(&self) -> bool {
        let [hash, r, s, x, y] = self.0;
        let point = EncodedPoint::from_affine_coordinates(&x.into(), &y.into(), false);
        let Ok(key) = VerifyingKey::from_encoded_point(&point) else { return false };
        let Ok(signature) = ecdsa::Signature::from_scalars(r, s) else { return false };
        key.verify_prehash(&hash, &signature).is_ok()
    }
}

fn key(secret: &Scalar) -> SigningKey {
    SigningKey::from_bytes(&secret.to_bytes()).unwrap()
}

fn scalar(bytes: [u8; 32]) -> Scalar {
    <Scalar as Reduce<p256::U256>>::reduce_bytes(&bytes.into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn signatures(secret: [u8; 32], hash: [u8; 32], word in 0usize..5, byte in 0usize..32, change in 1u8..) {
        let secret = scalar(secret);
        prop_assume!(secret != Scalar::ZERO);
        let mut signature = Signature::sign(&key(&secret), hash);
        prop_assert!(signature.is_valid());
        signature.0[word][byte] ^= change;
        prop_assert_eq!(signature.is_valid(), signature.is_valid_elsewhere());
    }

    #[test]
    fn small_factors(secret in 1u64..40, r in 1u64..40, s in 1u64..40, hash in 0u64..40) {
        let small = |number: u64| Scalar::from(number).to_bytes().into();
        let signing_key = key(&Scalar::from(secret));
        let signature = Signature::of(small(hash), [small(r), small(s)], signing_key.verifying_key());
        prop_assert_eq!(signature.is_valid(), signature.is_valid_elsewhere());
    }
}

#[test]
fn keys_at_the_edges() {
    // The generator, and its negative; u1 = 0.
    for secret in [Scalar::ONE, -Scalar::ONE] {
        for hash in [[0; 32], [1; 32], [0xff; 32]] {
            assert!(Signature::sign(&key(&secret), hash).is_valid());
        }
    }
    // The point at infinity, a point elsewhere, coordinates that are not reduced.
    let good = Signature::sign(&key(&Scalar::from(7u64)), [3; 32]);
    let [hash, r, s, x, y] = good.0;
    let mut other_y = y;
    other_y[31] ^= 1;
    let p = P.to_big_endian();
    for [x, y] in [[[0; 32], [0; 32]], [x, other_y], [p, y], [x, p], [[0xff; 32], y]] {
        assert!(!Signature([hash, r, s, x, y]).is_valid());
    }
}

#[test]
fn scalars_at_the_edges() {
    let [hash, r, s, x, y] = Signature::sign(&key(&Scalar::from(7u64)), [3; 32]).0;
    let order = ORDER.to_big_endian();
    for [r, s] in [[[0; 32], s], [r, [0; 32]], [order, s], [r, order], [[0xff; 32], s], [r, [0xff; 32]]] {
        assert!(!Signature([hash, r, s, x, y]).is_valid());
    }
    // -s is as good as s, which EIP-7951 allows.
    let negated = (-scalar(s)).to_bytes().into();
    assert!(Signature([hash, r, negated, x, y]).is_valid());
}

/// The sum has an x coordinate between the order and p, of which r is the rest.
#[test]
fn x_coordinates_above_the_order() {
    let points = (1u64..40).filter_map(|r| {
        let x = arith::add(&U256::from(r), &ORDER).to_big_endian();
        let point: Option<AffinePoint> = AffinePoint::decompress(&x.into(), Choice::from(0)).into();
        Some((Scalar::from(r), ProjectivePoint::from(point?)))
    });
    let mut count = 0;
    for (r, point) in points {
        let (s, hash) = (scalar([0x5a; 32]), scalar([0xa5; 32]));
        let public = (point * s - ProjectivePoint::GENERATOR * hash) * r.invert().unwrap();
        let verifying_key = VerifyingKey::from_affine(public.to_affine()).unwrap();
        let words = [r, s].map(|scalar| scalar.to_bytes().into());
        let mut signature = Signature::of(hash.to_bytes().into(), words, &verifying_key);
        assert!(signature.is_valid() && signature.is_valid_elsewhere());
        signature.0[1][31] += 1;
        assert!(!signature.is_valid());
        count += 1;
    }
    assert!(count > 10);
}

/// hash / s + r / s is 0 with the generator as the key.
#[test]
fn a_sum_at_infinity_is_invalid() {
    let (r, s) = (scalar([0x77; 32]), scalar([0x33; 32]));
    let words = [r, s].map(|scalar| scalar.to_bytes().into());
    let signing_key = key(&Scalar::ONE);
    assert!(!Signature::of((-r).to_bytes().into(), words, signing_key.verifying_key()).is_valid());
}
