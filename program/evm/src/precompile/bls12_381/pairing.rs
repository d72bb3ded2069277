//! Pairing checks (EIP-2537).
//!
//! The runtime multiplies the pairings of up to eight pairs. For more, the results are multiplied here: in a field of
//! degree twelve, as polynomials in w with w^6 = 1 + i over the extension field.

use super::fp::{self, Field};
use super::fp2::Fp2;
use super::points::{ELEMENT, G1, G2, decode};
use crate::crypto::Crypto;
use crate::precompile::{
    Cost,
    bytes::{is_one, word},
};
use alloc::vec::Vec;

/// Bytes of a pair: a point of G1 and one of G2.
const PAIR: usize = 6 * ELEMENT;
/// Pairs that the runtime takes at a time.
const BATCH: usize = 8;
/// Bytes of a pairing's value: twelve field elements, big-endian, the highest first.
const VALUE: usize = 12 * fp::BYTES;
/// The number of the exponent of w that belongs to each pair of the runtime's elements, from the lowest.
const EXPONENTS: [usize; 6] = [0, 2, 4, 1, 3, 5];

/// A value.
type Value = [Fp2; 6];

/// Gas and compute units; `None` for no number of pairs, and for none. 25,445 CU, which pay for the first pair of a
/// batch, and 13,023 for each other are the runtime's price. What a second batch takes, and each after that, is
/// measured and rounded up.
pub(super) fn cost(input: &[u8]) -> Option<Cost> {
    if input.is_empty() || !input.len().is_multiple_of(PAIR) {
        return None;
    }
    let pairs = (input.len() / PAIR) as u64;
    let batches = pairs.div_ceil(BATCH as u64);
    let runtime = 13_023 * pairs + (25_445 - 13_023) * batches;
    let products = 36_000 * u64::from(batches > 1) + 215_000 * batches.saturating_sub(2);
    Some(Cost {
        gas: (37_700 + 32_600 * pairs) as i64,
        compute_units: 2000 + 700 * pairs + runtime + products,
    })
}

/// Whether the product of the pairings is 1.
#[inline(never)]
pub(super) fn run(input: &[u8], crypto: &impl Crypto) -> Option<Vec<u8>> {
    let mut batches = input.chunks(BATCH * PAIR);
    let mut last = pair_up(batches.next()?, crypto)?;
    if batches.len() == 0 {
        return Some(word(is_one(&last)));
    }
    let field = Field::new();
    let mut product = read(&last, &field);
    last = pair_up(batches.next()?, crypto)?;
    for batch in batches {
        multiply(&mut product, &last, &field);
        last = pair_up(batch, crypto)?;
    }
    Some(word(is_inverse(&product, &last, &field)))
}

/// The product of the pairings of up to eight pairs.
#[inline(never)]
fn pair_up(batch: &[u8], crypto: &impl Crypto) -> Option<[u8; VALUE]> {
    let (mut g1, mut g2) = ([[0; 96]; BATCH], [[0; 192]; BATCH]);
    let (pairs, _) = batch.as_chunks::<PAIR>();
    for ((p, q), pair) in g1.iter_mut().zip(&mut g2).zip(pairs) {
        let (first, second) = pair.split_at(2 * ELEMENT);
        *p = decode::<G1, 96>(first)?;
        *q = decode::<G2, 192>(second)?;
    }
    crypto.bls12_381_pairing(g1.get(..pairs.len())?, g2.get(..pairs.len())?)
}

/// Zeros.
fn zero() -> Value {
    core::array::from_fn(|_| Fp2::zero())
}

/// The value that these bytes are.
#[inline(never)]
fn read(bytes: &[u8; VALUE], field: &Field) -> Value {
    let (elements, _) = bytes.as_chunks::<{ fp::BYTES }>();
    let mut value = zero();
    for (index, exponent) in EXPONENTS.into_iter().enumerate() {
        value[exponent] = field.element2(&elements[11 - 2 * index], &elements[10 - 2 * index]);
    }
    value
}

/// Whether the product of a value and another, given by its bytes, is 1.
#[inline(never)]
fn is_inverse(value: &Value, bytes: &[u8; VALUE], field: &Field) -> bool {
    let (elements, _) = bytes.as_chunks::<{ fp::BYTES }>();
    EXPONENTS.into_iter().enumerate().all(|(index, exponent)| {
        // Values are of norm 1: the inverse is the conjugate, where w changes its sign.
        let Fp2 { c0, c1 } = &value[exponent];
        let [c0, c1] = if exponent % 2 == 0 { [c0.clone(), c1.clone()] } else { [c0.neg(), c1.neg()] };
        field.to_bytes(&c0) == elements[11 - 2 * index] && field.to_bytes(&c1) == elements[10 - 2 * index]
    })
}

/// Multiplies a value by another, given by its bytes.
#[inline(never)]
fn multiply(value: &mut Value, bytes: &[u8; VALUE], field: &Field) {
    let factor = read(bytes, field);
    let mut product = zero();
    for (k, target) in product.iter_mut().enumerate() {
        *target = column(value, &factor, k, field);
    }
    *value = product;
}

/// The coefficient of w^k of a product.
#[inline(never)]
fn column(a: &Value, b: &Value, k: usize, field: &Field) -> Fp2 {
    let (mut low, mut high) = (Fp2::zero(), Fp2::zero());
    for (i, factor) in a.iter().enumerate() {
        let product = field.mul2(factor, &b[(k + 6 - i) % 6]);
        let sum = if i <= k { &mut low } else { &mut high };
        *sum = sum.add(&product);
    }
    // w^6 is 1 + i.
    low.add(&Fp2 { c0: high.c0.sub(&high.c1), c1: high.c0.add(&high.c1) })
}
