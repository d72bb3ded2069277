//! Field elements to points of G1 (EIP-2537; RFC 9380, sections 6.6.3 and 8.8.1).
//!
//! ```text
//! u ─ simplified SWU ─▶ (x, y) on E': y^2 = x^3 + A x + B ─ isogeny of degree 11 ─▶ E ─ times 1 - z ─▶ G1
//! ```

use super::fp::{Constant, Field, Fp, constant};
use super::points::{ELEMENT, G1, encode, field_element};
use crate::crypto::Crypto;
use crate::precompile::Cost;
use alloc::vec;
use alloc::vec::Vec;

/// 505,000 CU are for a root.
const COST: Cost = Cost { gas: 5500, compute_units: 700_000 };

/// A of E'.
const A: Constant = constant(
    "144698a3b8e9433d693a02c96d4982b0ea985383ee66a8d8e8981aefd881ac98936f8da0e0f97f5cf428082d584c1d",
);
/// B of E'.
const B: Constant = constant(
    "12e2908d11688030018b12e8753eee3b2016c1f0f24f4070a0b9c14fcef35ef55a23215a316ceaa5d1cc48e98e172be0",
);
/// Z, which is not a square.
const Z: Constant = constant("b");
/// A root of -Z^3.
const ROOT: Constant = constant(
    "03d689d1e0e762cef9f2bec6130316806b4c80eda6fc10ce77ae83eab1ea8b8b8a407c9c6db195e06f2dbeabc2baeff5",
);
/// 1 - z, which takes any point of the curve into the group.
const COFACTOR: u64 = 0xd201_0000_0001_0001;

/// Gas and compute units; `None` for another length than that of a field element.
pub(super) fn cost(input: &[u8]) -> Option<Cost> {
    (input.len() == ELEMENT).then_some(COST)
}

/// The point.
#[inline(never)]
pub(super) fn run(input: &[u8], crypto: &impl Crypto) -> Option<Vec<u8>> {
    let field = Field::new();
    let u = field.element(field_element(input.as_array()?)?);
    let (x, y) = simplified_swu(&field, &u);
    let Some(point) = isogeny(&field, &x, &y) else { return Some(vec![0; 2 * ELEMENT]) };
    let mut multiple = point;
    for bit in (0..COFACTOR.ilog2()).rev() {
        multiple = crypto.bls12_381_g1_add(&multiple, &multiple)?;
        if COFACTOR >> bit & 1 == 1 {
            multiple = crypto.bls12_381_g1_add(&multiple, &point)?;
        }
    }
    Some(encode::<G1, 96>(&multiple))
}

/// A point of E'.
#[inline(never)]
fn simplified_swu(field: &Field, u: &Fp) -> (Fp, Fp) {
    let z_u2 = field.mul_constant(&field.square(u), &Z);
    // x1 = -B / A * (1 + 1 / (Z^2 u^4 + Z u^2)), or B / (Z A) where that has no inverse.
    let sum = field.square(&z_u2).add(&z_u2);
    let (numerator, denominator) = if sum.is_zero() {
        (Fp::of(&B), field.mul_constant(&Fp::of(&Z), &A))
    } else {
        let numerator = field.mul_constant(&sum.add(&Fp::of(&super::fp::ONE)), &B);
        (numerator, field.mul_constant(&sum, &A).neg())
    };
    let x1 = field.mul(&numerator, &field.invert(&denominator));
    let g_x1 = field.mul(&field.square(&x1).add(&Fp::of(&A)), &x1).add(&Fp::of(&B));
    let root = field.mul(&field.inverse_times_root(&g_x1), &g_x1);
    let (x, y) = if field.square(&root).sub(&g_x1).is_zero() {
        (x1, root)
    } else {
        // The root is one of -g(x1), and g(x2) = (Z u^2)^3 g(x1) for x2 = Z u^2 x1.
        let u3 = field.mul(&field.square(u), u);
        (field.mul(&z_u2, &x1), field.mul_constant(&field.mul(&u3, &root), &ROOT))
    };
    let is_same_sign = field.is_odd(u) == field.is_odd(&y);
    (x, if is_same_sign { y } else { y.neg() })
}

/// The point of E for the runtime; `None` for the point at infinity.
#[inline(never)]
fn isogeny(field: &Field, x: &Fp, y: &Fp) -> Option<[u8; 96]> {
    let kernel = field.polynomial(x, &KERNEL);
    if kernel.is_zero() {
        return None;
    }
    let inverse = field.invert(&kernel);
    let square = field.square(&inverse);
    let image_x = field.mul(&field.polynomial(x, &X_NUMERATOR), &square);
    let scale = field.mul(&field.mul(&square, &inverse), y);
    let image_y = field.mul(&field.polynomial(x, &Y_NUMERATOR), &scale);
    let mut point = [0; 96];
    let (front, back) = point.split_at_mut(48);
    front.copy_from_slice(&field.to_bytes(&image_x));
    back.copy_from_slice(&field.to_bytes(&image_y));
    Some(point)
}

impl Field {
    /// A polynomial's value; the coefficients begin with the constant one.
    fn polynomial(&self, x: &Fp, coefficients: &[Constant]) -> Fp {
        let Some((highest, lower)) = coefficients.split_last() else { return Fp::zero() };
        lower.iter().rev().fold(Fp::of(highest), |sum, lower| self.mul(&sum, x).add(&Fp::of(lower)))
    }
}

/// The polynomial whose roots are the x coordinates of the isogeny's kernel. Its square is RFC 9380's x_den (section
/// E.2), its cube y_den.
const KERNEL: [Constant; 6] = [
    constant(
        "133341fb0962a34cb0504a9c4fada0a5090d38679b4c040d5d1c3afb023a3409fcc0815fea66d8b02bbef9c8b5a66e07",
    ),
    constant(
        "0264908af037bcede00d054cf5d4775e83eb6cf63c76b969f8ed174fb59fcff78d201f46f6cfc4ed6552e59ce75177b0",
    ),
    constant(
        "1335c502c1f54c49aceea65e87fd7203ba0f626f305fc0cfd606a5dae9f3c8e81a4b3b69600129fabd307c69bf319d39",
    ),
    constant(
        "094440f65f408a6e930e16e3e92dd17bf60d6e9679a8d3d58593de55ac23703042d609537eb3549aac234d896ca82944",
    ),
    constant(
        "04afe09d5cf4956a23b6b71f59d2b3407b415a774b7be81bbb6fa99cbc798e0ac98ba725a5bc328016b1c268b4766e85",
    ),
    constant("1"),
];

/// x_num of RFC 9380, section E.2.
const X_NUMERATOR: [Constant; 12] = [
    constant(
        "11a05f2b1e833340b809101dd99815856b303e88a2d7005ff2627b56cdb4e2c85610c2d5f2e62d6eaeac1662734649b7",
    ),
    constant(
        "17294ed3e943ab2f0588bab22147a81c7c17e75b2f6a8417f565e33c70d1e86b4838f2a6f318c356e834eef1b3cb83bb",
    ),
    constant(
        "0d54005db97678ec1d1048c5d10a9a1bce032473295983e56878e501ec68e25c958c3e3d2a09729fe0179f9dac9edcb0",
    ),
    constant(
        "1778e7166fcc6db74e0609d307e55412d7f5e4656a8dbf25f1b33289f1b330835336e25ce3107193c5b388641d9b6861",
    ),
    constant(
        "0e99726a3199f4436642b4b3e4118e5499db995a1257fb3f086eeb65982fac18985a286f301e77c451154ce9ac8895d9",
    ),
    constant(
        "1630c3250d7313ff01d1201bf7a74ab5db3cb17dd952799b9ed3ab9097e68f90a0870d2dcae73d19cd13c1c66f652983",
    ),
    constant(
        "0d6ed6553fe44d296a3726c38ae652bfb11586264f0f8ce19008e218f9c86b2a8da25128c1052ecaddd7f225a139ed84",
    ),
    constant(
        "17b81e7701abdbe2e8743884d1117e53356de5ab275b4db1a682c62ef0f2753339b7c8f8c8f475af9ccb5618e3f0c88e",
    ),
    constant(
        "080d3cf1f9a78fc47b90b33563be990dc43b756ce79f5574a2c596c928c5d1de4fa295f296b74e956d71986a8497e317",
    ),
    constant(
        "169b1f8e1bcfa7c42e0c37515d138f22dd2ecb803a0c5c99676314baf4bb1b7fa3190b2edc0327797f241067be390c9e",
    ),
    constant(
        "10321da079ce07e272d8ec09d2565b0dfa7dccdde6787f96d50af36003b14866f69b771f8c285decca67df3f1605fb7b",
    ),
    constant(
        "06e08c248e260e70bd1e962381edee3d31d79d7e22c837bc23c0bf1bc24c6b68c24b1b80b64d391fa9c8ba2e8ba2d229",
    ),
];

/// y_num of RFC 9380, section E.2.
const Y_NUMERATOR: [Constant; 16] = [
    constant(
        "090d97c81ba24ee0259d1f094980dcfa11ad138e48a869522b52af6c956543d3cd0c7aee9b3ba3c2be9845719707bb33",
    ),
    constant(
        "134996a104ee5811d51036d776fb46831223e96c254f383d0f906343eb67ad34d6c56711962fa8bfe097e75a2e41c696",
    ),
    constant(
        "00cc786baa966e66f4a384c86a3b49942552e2d658a31ce2c344be4b91400da7d26d521628b00523b8dfe240c72de1f6",
    ),
    constant(
        "01f86376e8981c217898751ad8746757d42aa7b90eeb791c09e4a3ec03251cf9de405aba9ec61deca6355c77b0e5f4cb",
    ),
    constant(
        "08cc03fdefe0ff135caf4fe2a21529c4195536fbe3ce50b879833fd221351adc2ee7f8dc099040a841b6daecf2e8fedb",
    ),
    constant(
        "16603fca40634b6a2211e11db8f0a6a074a7d0d4afadb7bd76505c3d3ad5544e203f6326c95a807299b23ab13633a5f0",
    ),
    constant(
        "04ab0b9bcfac1bbcb2c977d027796b3ce75bb8ca2be184cb5231413c4d634f3747a87ac2460f415ec961f8855fe9d6f2",
    ),
    constant(
        "0987c8d5333ab86fde9926bd2ca6c674170a05bfe3bdd81ffd038da6c26c842642f64550fedfe935a15e4ca31870fb29",
    ),
    constant(
        "09fc4018bd96684be88c9e221e4da1bb8f3abd16679dc26c1e8b6e6a1f20cabe69d65201c78607a360370e577bdba587",
    ),
    constant(
        "0e1bba7a1186bdb5223abde7ada14a23c42a0ca7915af6fe06985e7ed1e4d43b9b3f7055dd4eba6f2bafaaebca731c30",
    ),
    constant(
        "19713e47937cd1be0dfd0b8f1d43fb93cd2fcbcb6caf493fd1183e416389e61031bf3a5cce3fbafce813711ad011c132",
    ),
    constant(
        "18b46a908f36f6deb918c143fed2edcc523559b8aaf0c2462e6bfe7f911f643249d9cdf41b44d606ce07c8a4d0074d8e",
    ),
    constant(
        "0b182cac101b9399d155096004f53f447aa7b12a3426b08ec02710e807b4633f06c851c1919211f20d4c04f00b971ef8",
    ),
    constant(
        "0245a394ad1eca9b72fc00ae7be315dc757b3b080d4c158013e6632d3c40659cc6cf90ad1c232a6442d9d3f5db980133",
    ),
    constant(
        "05c129645e44cf1102a159f748c4a3fc5e673d81d7e86568d9ab0f5d396a7ce46ba1049b6579afb7866b1e715475224b",
    ),
    constant(
        "15e6be4e990f03ce4ea50b3b42df2eb5cb181d8f84965a3957add4fa95af01b2b665027efec01c7704b456be69c8b604",
    ),
];
