//! Sums of two points of the curve, which need not belong to the group (EIP-2537).
//!
//! The runtime adds any points but two: its library rejects the coordinate x = 0, where the curve of G1 has the points
//! (0, 2) and (0, -2). They have order 3. The twisted curve of G2 has none there, as 4(1 + i) is not a square. Such a
//! point T is added by a way around: T + Q = (T + K) + (Q - K), where T + K is a constant.

use super::fp;
use super::points::{G1, G2, Group, decode, encode};
use crate::crypto::Crypto;
use crate::precompile::Cost;
use alloc::vec::Vec;

/// 128 CU a sum are the runtime's price, and there are up to two.
const G1_COST: Cost = Cost { gas: 375, compute_units: 2000 };
/// 203 CU are the runtime's price.
const G2_COST: Cost = Cost { gas: 600, compute_units: 2000 };

/// A point of G1's curve for the runtime.
type Point = [u8; 96];

/// A way around the points of order 3.
struct Shift {
    /// (0, 2) + K and (0, -2) + K.
    sums: [Point; 2],
    /// -K.
    back: Point,
}

/// K is the generator, or twice the generator. Q - K may be a point of order 3 for one of them, but not for both.
#[rustfmt::skip]
const SHIFTS: [Shift; 2] = [
    Shift {
        sums: [
            point(
            [0x0502_0378_a683_8af2, 0x21e7_34b3_a819_40eb, 0x3ff1_9c2a_7f8c_f261, 0x50df_c38f_c41c_3755, 0x1dc9_2bb5_593d_30d4, 0xdfc2_ee4b_b09a_d05b],
            [0x076f_6491_5185_eb78, 0x84a3_6861_2afc_deb1, 0x256b_5cda_1f11_6bab, 0xef88_edcf_9f60_ba73, 0xc78b_7b2b_5fdc_41d2, 0x4e60_5bf1_5470_ee66],
        ),
            point(
            [0x0e92_7796_8cb9_2c78, 0xd15a_2a2e_d855_d550, 0x61c3_929d_b43d_1e53, 0xd6d1_3bee_755f_f9a9, 0x1b3f_577b_bb2f_15c6, 0xba82_06a6_a81c_4afd],
            [0x1903_8842_1f29_3f2c, 0xf5ca_18ba_35f2_4d95, 0x55ec_f116_954e_0222, 0xc3d5_bb20_feb7_0ac0, 0xa3cb_1a81_f8f5_b398, 0xeb81_b016_3bc8_979b],
        ),
        ],
        back: point(
            [0x17f1_d3a7_3197_d794, 0x2695_638c_4fa9_ac0f, 0xc368_8c4f_9774_b905, 0xa14e_3a3f_171b_ac58, 0x6c55_e83f_f97a_1aef, 0xfb3a_f00a_db22_c6bb],
            [0x114d_1d68_55d5_45a8, 0xaa7d_76c8_cf2e_21f2, 0x6781_6aef_1db5_07c9, 0x6655_b9d5_caac_4236, 0x4e6f_38ba_0ecb_751b, 0xad54_dcd6_b939_c2ca],
        ),
    },
    Shift {
        sums: [
            point(
            [0x0692_84d6_5d2c_9a45, 0x2feb_fe87_6388_699d, 0x70d6_40f3_de33_97cd, 0xc672_78fe_01f9_323a, 0xc7b2_97d9_ee7b_42f6, 0x827a_ece0_2c0f_c353],
            [0x0c17_ba91_ffef_df88, 0x34f4_e3a0_08fd_f7f5, 0xeb19_a3f7_9c52_726d, 0x9bb3_ae84_b16b_1a40, 0x5375_abb8_dd41_5c43, 0x2b4a_f110_6b02_3341],
        ),
            point(
            [0x18aa_884a_793f_d1b6, 0xa760_26cc_c840_837a, 0xcc44_0a4a_0391_bb2e, 0x734d_686e_c536_fb2c, 0x1bb6_eec0_552e_320e, 0xa88f_3235_69b5_2a9c],
            [0x1287_c1a0_5538_9265, 0xb6be_81af_5e09_179f, 0xb07d_1348_3bb2_3941, 0x999a_f48b_ab80_0854, 0x86be_a4c9_9853_f078, 0x142c_3943_8885_ee2d],
        ),
        ],
        back: point(
            [0x0572_cbea_904d_6746, 0x8808_c8eb_50a9_450c, 0x9721_db30_9128_0125, 0x4390_2d0a_c358_a62a, 0xe28f_75bb_8f1c_7c42, 0xc39a_8c55_29bf_0f4e],
            [0x0396_745d_8db9_72f7, 0x281e_0142_cbae_1e9f, 0x41bd_0cb9_6d14_2e5d, 0x6ff5_199e_d951_1eb9, 0xd255_2629_e43d_42e3, 0xff78_77e6_868b_0d83],
        ),
    },
];

/// y of the points of order 3: 2 and -2.
#[rustfmt::skip]
const ORDER_3: [[u8; fp::BYTES]; 2] = [
    element([0, 0, 0, 0, 0, 2]),
    element([0x1a01_11ea_397f_e69a, 0x4b1b_a7b6_434b_acd7, 0x6477_4b84_f385_12bf, 0x6730_d2a0_f6b0_f624, 0x1eab_fffe_b153_ffff, 0xb9fe_ffff_ffff_aaa9]),
];

/// Gas and compute units of a sum in G1; `None` for an invalid length.
pub(super) fn g1_cost(input: &[u8]) -> Option<Cost> {
    (input.len() == 2 * G1::INPUT).then_some(G1_COST)
}

/// Gas and compute units of a sum in G2; `None` for an invalid length.
pub(super) fn g2_cost(input: &[u8]) -> Option<Cost> {
    (input.len() == 2 * G2::INPUT).then_some(G2_COST)
}

/// The sum in G1; `None` for points that are not on the curve.
pub(super) fn g1(input: &[u8], crypto: &impl Crypto) -> Option<Vec<u8>> {
    let (a, b) = input.split_at_checked(G1::INPUT)?;
    let (a, b) = (decode::<G1, 96>(a)?, decode::<G1, 96>(b)?);
    let sum = match (order_3(&a), order_3(&b)) {
        (None, None) => crypto.bls12_381_g1_add(&a, &b)?,
        (Some(sign), None) => add_order_3(sign, &b, crypto)?,
        (None, Some(sign)) => add_order_3(sign, &a, crypto)?,
        (Some(left), Some(right)) => return Some(sum_of_order_3(left, right)),
    };
    Some(encode::<G1, 96>(&sum))
}

/// The sum in G2; `None` for points that are not on the curve.
pub(super) fn g2(input: &[u8], crypto: &impl Crypto) -> Option<Vec<u8>> {
    let (a, b) = input.split_at_checked(G2::INPUT)?;
    let sum = G2::add(crypto, &decode::<G2, 192>(a)?, &decode::<G2, 192>(b)?)?;
    Some(encode::<G2, 192>(&sum))
}

/// Which point of order 3 it is, if one: the index in [`ORDER_3`].
fn order_3(point: &Point) -> Option<usize> {
    let (x, y) = point.split_at(fp::BYTES);
    if x.iter().any(|byte| *byte != 0) {
        return None;
    }
    ORDER_3.iter().position(|known| known == y)
}

/// A point of order 3 and a point that is none.
fn add_order_3(sign: usize, other: &Point, crypto: &impl Crypto) -> Option<Point> {
    SHIFTS.iter().find_map(|shift| {
        let other = crypto.bls12_381_g1_add(other, &shift.back)?;
        crypto.bls12_381_g1_add(shift.sums.get(sign)?, &other)
    })
}

/// Twice such a point is the other one; and the two together are infinity.
fn sum_of_order_3(left: usize, right: usize) -> Vec<u8> {
    let mut sum = alloc::vec![0; G1::INPUT];
    if left == right {
        sum[G1::INPUT - fp::BYTES..].copy_from_slice(&ORDER_3[1 - left]);
    }
    sum
}

/// A point of its coordinates.
const fn point(x: [u64; 6], y: [u64; 6]) -> Point {
    let (x, y) = (element(x), element(y));
    let mut bytes = [0; 96];
    let mut index = 0;
    while index < fp::BYTES {
        bytes[index] = x[index];
        bytes[fp::BYTES + index] = y[index];
        index += 1;
    }
    bytes
}

/// A field element of its limbs, the most significant one first.
const fn element(limbs: [u64; 6]) -> [u8; fp::BYTES] {
    let mut bytes = [0; fp::BYTES];
    let mut index = 0;
    while index < fp::BYTES {
        bytes[index] = limbs[index / 8].to_be_bytes()[index % 8];
        index += 1;
    }
    bytes
}
