//! Sums of points times numbers (EIP-2537, multi-scalar multiplication).

use super::points::{Group, decode, encode};
use crate::crypto::Crypto;
use crate::precompile::Cost;
use crate::{U256, arith, from_be_bytes};
use alloc::vec::Vec;

/// Bytes of a number.
const SCALAR: usize = 32;

/// r, the order of both groups.
pub(in super::super) const ORDER: U256 =
    U256([0xffff_ffff_0000_0001, 0x53bd_a402_fffe_5bfe, 0x3339_d808_09a1_d805, 0x73ed_a753_299d_7d48]);

/// The price of a group's sums.
pub(super) struct Price {
    /// Gas of one multiplication.
    gas: u64,
    /// What a multiplication costs in a sum of 1, 2, 3, ... of them, in thousandths; the last counts for longer sums.
    discounts: [u16; 128],
    /// Compute units of one multiplication: the runtime's price of a multiplication and an addition, and the rest,
    /// measured and rounded up.
    compute_units: u64,
}

/// 4,627 CU and 128 CU are the runtime's price.
#[rustfmt::skip]
pub(super) const G1_PRICE: Price = Price {
    gas: 12_000,
    discounts: [
        1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677, 673, 669, 665, 661, 658,
        654, 651, 648, 645, 642, 640, 637, 635, 632, 630, 627, 625, 623, 621, 619, 617, 615, 613, 611, 609, 608,
        606, 604, 603, 601, 599, 598, 596, 595, 593, 592, 591, 589, 588, 586, 585, 584, 582, 581, 580, 579, 577,
        576, 575, 574, 573, 572, 570, 569, 568, 567, 566, 565, 564, 563, 562, 561, 560, 559, 558, 557, 556, 555,
        554, 553, 552, 551, 550, 549, 548, 547, 547, 546, 545, 544, 543, 542, 541, 540, 540, 539, 538, 537, 536,
        536, 535, 534, 533, 532, 532, 531, 530, 529, 528, 528, 527, 526, 525, 525, 524, 523, 522, 522, 521, 520,
        520, 519,
    ],
    compute_units: 5150,
};

/// 8,255 CU and 203 CU are the runtime's price.
#[rustfmt::skip]
pub(super) const G2_PRICE: Price = Price {
    gas: 22_500,
    discounts: [
        1000, 1000, 923, 884, 855, 832, 812, 796, 782, 770, 759, 749, 740, 732, 724, 717, 711, 704, 699, 693, 688,
        683, 679, 674, 670, 666, 663, 659, 655, 652, 649, 646, 643, 640, 637, 634, 632, 629, 627, 624, 622, 620,
        618, 615, 613, 611, 609, 607, 606, 604, 602, 600, 598, 597, 595, 593, 592, 590, 589, 587, 586, 584, 583,
        582, 580, 579, 578, 576, 575, 574, 573, 571, 570, 569, 568, 567, 566, 565, 563, 562, 561, 560, 559, 558,
        557, 556, 555, 554, 553, 552, 552, 551, 550, 549, 548, 547, 546, 545, 545, 544, 543, 542, 541, 541, 540,
        539, 538, 537, 537, 536, 535, 535, 534, 533, 532, 532, 531, 530, 530, 529, 528, 528, 527, 526, 526, 525,
        524, 524,
    ],
    compute_units: 9300,
};

/// Gas and compute units; `None` for no number of pairs, and for none.
pub(super) fn cost<G: Group<N>, const N: usize>(input: &[u8], price: &Price) -> Option<Cost> {
    let pair = G::INPUT + SCALAR;
    let pairs = input.len() / pair;
    if pairs == 0 || !input.len().is_multiple_of(pair) {
        return None;
    }
    let discount = u64::from(price.discounts[(pairs - 1).min(127)]);
    let pairs = pairs as u64;
    Some(Cost {
        gas: (pairs * price.gas * discount / 1000) as i64,
        compute_units: 1000 + price.compute_units * pairs,
    })
}

/// The sum. Points must belong to the group, even those that are multiplied by 0.
#[inline(never)]
pub(super) fn run<G: Group<N>, const N: usize>(input: &[u8], crypto: &impl Crypto) -> Option<Vec<u8>> {
    let mut sum: Option<[u8; N]> = None;
    for pair in input.chunks(G::INPUT + SCALAR) {
        let (point, scalar) = pair.split_at_checked(G::INPUT)?;
        let product = G::mul(crypto, &decode::<G, N>(point)?, &reduced(scalar.as_array()?))?;
        sum = Some(match sum {
            None => product,
            Some(sum) => G::add(crypto, &sum, &product)?,
        });
    }
    sum.map(|sum| encode::<G, N>(&sum))
}

/// The number modulo the order: the runtime takes no other.
fn reduced(scalar: &[u8; SCALAR]) -> [u8; SCALAR] {
    let mut number = from_be_bytes(scalar);
    if arith::lt(&number, &ORDER) {
        return *scalar;
    }
    // At most twice: the order is above 2^254.
    while !arith::lt(&number, &ORDER) {
        number = arith::sub(&number, &ORDER);
    }
    let mut bytes = [0; SCALAR];
    for (target, limb) in bytes.as_chunks_mut().0.iter_mut().zip(number.0.iter().rev()) {
        *target = limb.to_be_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::points::{G1, G2};
    use super::*;

    #[test]
    fn the_discount_ends_with_the_table() {
        let gas = |pairs: usize| cost::<G1, 96>(&alloc::vec![0; 160 * pairs], &G1_PRICE).map(|cost| cost.gas);
        assert_eq!(gas(0), None);
        assert_eq!(gas(1), Some(12_000));
        assert_eq!(gas(128), Some(128 * 12_000 * 519 / 1000));
        assert_eq!(gas(200), Some(200 * 12_000 * 519 / 1000));
        assert_eq!(cost::<G2, 192>(&[0; 287], &G2_PRICE), None);
        assert_eq!(cost::<G2, 192>(&[0; 576], &G2_PRICE).map(|cost| cost.gas), Some(45_000));
    }

    #[test]
    fn numbers_are_taken_modulo_the_order() {
        let mut one = [0; 32];
        one[31] = 1;
        assert_eq!(reduced(&one), one);
        let words = |number: U256| {
            let limbs = number.0.map(u64::to_be_bytes);
            let mut bytes = [0; 32];
            for (target, limb) in bytes.as_chunks_mut().0.iter_mut().zip(limbs.iter().rev()) {
                *target = *limb;
            }
            bytes
        };
        assert_eq!(reduced(&words(ORDER)), [0; 32]);
        assert_eq!(reduced(&words(arith::add(&ORDER, &arith::add(&ORDER, &U256([1, 0, 0, 0]))))), one);
    }
}
