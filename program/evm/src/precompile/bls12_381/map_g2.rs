//! Elements of the extension field to points of G2 (EIP-2537; RFC 9380, sections 6.6.3, 8.8.2 and G.3).
//!
//! ```text
//! u ─ simplified SWU ─▶ (x, y) on E': y^2 = x^3 + A x + B ─ isogeny of degree 3 ─▶ E ─ cofactor ─▶ G2
//! ```

use super::fp::{self, Constant, Field, Fp, constant};
use super::fp2::{Constant2, Fp2};
use super::points::{ELEMENT, G2, encode, field_element};
use crate::crypto::Crypto;
use crate::precompile::Cost;
use alloc::vec;
use alloc::vec::Vec;

/// 1,010,000 CU are for the two roots.
const COST: Cost = Cost { gas: 23_800, compute_units: 1_335_000 };

/// 0.
const ZERO: Constant = constant("0");
/// A of E': 240 i.
const A: Constant2 = [ZERO, constant("f0")];
/// B of E': 1012 (1 + i).
const B: Constant2 = [constant("3f4"), constant("3f4")];
/// -Z: 2 + i. Z is not a square.
const MINUS_Z: Constant2 = [constant("2"), constant("1")];
/// A root of -125, which is minus the cube of Z's norm.
const ROOT: Constant = constant(
    "810e5a23cbb86fd12ded1af502287a397ed25c1d6fe0444e38c48e9c7ddb3c27cfebdd464e90f201fda0eb6983f2533",
);
/// 1/2.
const HALF: Constant = constant(
    "d0088f51cbff34d258dd3db21a5d66bb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd556",
);
/// -z: the curve's parameter.
const MINUS_PARAMETER: u64 = 0xd201_0000_0001_0000;

/// A point for the runtime.
type Point = [u8; 192];

/// Gas and compute units; `None` for another length than that of an element.
pub(super) fn cost(input: &[u8]) -> Option<Cost> {
    (input.len() == 2 * ELEMENT).then_some(COST)
}

/// The point.
#[inline(never)]
pub(super) fn run(input: &[u8], crypto: &impl Crypto) -> Option<Vec<u8>> {
    let (c0, c1) = input.split_first_chunk()?;
    let field = Field::new();
    let u = field.element2(field_element(c0)?, field_element(c1.as_array()?)?);
    let (x, y) = simplified_swu(&field, &u);
    let Some(point) = isogeny(&field, &x, &y) else { return Some(vec![0; 4 * ELEMENT]) };
    Some(encode::<G2, 192>(&clear_cofactor(&field, &point, crypto)?))
}

/// A point of E'.
#[inline(never)]
fn simplified_swu(field: &Field, u: &Fp2) -> (Fp2, Fp2) {
    let z_u2 = field.mul2_constant(&field.square2(u), &MINUS_Z).neg();
    let x1 = first_x(field, &z_u2);
    let g_x1 = field.mul2(&field.square2(&x1).add(&Fp2::of(&A)), &x1).add(&Fp2::of(&B));
    // An element is a square if its norm is one.
    let norm = field.norm(&g_x1);
    let root = field.mul(&field.inverse_times_root(&norm), &norm);
    let (x, y) = if field.square(&root).sub(&norm).is_zero() {
        (x1, root_2(field, &g_x1, &root))
    } else {
        // The root is one of minus the norm. g(x2) = (Z u^2)^3 g(x1) for x2 = Z u^2 x1, and norms multiply.
        let norm_u = field.norm(u);
        let norm_u3 = field.mul(&field.square(&norm_u), &norm_u);
        let root = field.mul_constant(&field.mul(&norm_u3, &root), &ROOT);
        let cube = field.mul2(&field.square2(&z_u2), &z_u2);
        (field.mul2(&z_u2, &x1), root_2(field, &field.mul2(&cube, &g_x1), &root))
    };
    let is_same_sign = field.sign2(u) == field.sign2(&y);
    (x, if is_same_sign { y } else { y.neg() })
}

/// x1 = -B / A * (1 + 1 / (Z^2 u^4 + Z u^2)), or B / (Z A) where that has no inverse.
#[inline(never)]
fn first_x(field: &Field, z_u2: &Fp2) -> Fp2 {
    let sum = field.square2(z_u2).add(z_u2);
    let (numerator, minus_denominator) = if sum.is_zero() {
        (Fp2::of(&B), Fp2::of(&MINUS_Z))
    } else {
        let one = Fp2 { c0: Fp::of(&fp::ONE), c1: Fp::zero() };
        (field.mul2_constant(&sum.add(&one), &B), sum)
    };
    let inverse = field.invert2(&field.mul2_constant(&minus_denominator, &A));
    field.mul2(&numerator, &inverse).neg()
}

/// A root of a square `a + b i`, given one of its norm: if (a + root) / 2 is the square of c, it is c + b / (2 c) i.
#[inline(never)]
fn root_2(field: &Field, Fp2 { c0: a, c1: b }: &Fp2, root: &Fp) -> Fp2 {
    let mut square = field.mul_constant(&a.add(root), &HALF);
    if square.is_zero() {
        // b is 0: the other root of the norm leads to a itself.
        square = a.clone();
    }
    let inverse = field.inverse_times_root(&square);
    let c = field.mul(&inverse, &square);
    let half = field.mul_constant(&field.mul(&inverse, b), &HALF);
    if field.square(&c).sub(&square).is_zero() {
        Fp2 { c0: c, c1: half }
    } else {
        // c is a root of minus that: then it is minus the imaginary part.
        Fp2 { c0: half, c1: c.neg() }
    }
}

/// The point of E for the runtime; `None` for the point at infinity.
///
/// The isogeny's kernel is the points with x = -6 + 6 i: RFC 9380's x_den (section E.3) is (x + 6 - 6 i)^2, y_den
/// (x + 6 - 6 i)^3.
#[inline(never)]
fn isogeny(field: &Field, x: &Fp2, y: &Fp2) -> Option<Point> {
    let kernel = x.add(&Fp2::of(&MINUS_KERNEL));
    if kernel.is_zero() {
        return None;
    }
    let inverse = field.invert2(&kernel);
    let square = field.square2(&inverse);
    let image_x = field.mul2(&polynomial(field, x, &X_NUMERATOR), &square);
    let scale = field.mul2(&field.mul2(&square, &inverse), y);
    let image_y = field.mul2(&polynomial(field, x, &Y_NUMERATOR), &scale);
    let mut point = [0; 192];
    let (elements, _) = point.as_chunks_mut();
    for (target, element) in elements.iter_mut().zip([image_x.c1, image_x.c0, image_y.c1, image_y.c0]) {
        *target = field.to_bytes(&element);
    }
    Some(point)
}

/// A polynomial's value; the coefficients begin with the constant one.
fn polynomial(field: &Field, x: &Fp2, coefficients: &[Constant2; 4]) -> Fp2 {
    let [c0, c1, c2, c3] = coefficients;
    let sum = field.mul2_constant(x, c3).add(&Fp2::of(c2));
    let sum = field.mul2(&sum, x).add(&Fp2::of(c1));
    field.mul2(&sum, x).add(&Fp2::of(c0))
}

/// z^2 - z - 1 times the point, z - 1 times its image under psi, and psi twice of its double: takes any point of the
/// curve into the group (Budroni and Pintore; RFC 9380, section G.3).
#[inline(never)]
fn clear_cofactor(field: &Field, point: &Point, crypto: &impl Crypto) -> Option<Point> {
    let add = |a: &Point, b: &Point| crypto.bls12_381_g2_add(a, b);
    let minus_z_point = times_minus_z(point, crypto)?;
    let z_point = map(field, &minus_z_point, Map::Negation);
    let image = map(field, point, Map::Psi);
    // z (z P + psi P)
    let product = times_minus_z(&add(&z_point, &image)?, crypto)?;
    let mut sum = add(&map(field, &add(point, point)?, Map::PsiTwice), &map(field, &image, Map::Negation))?;
    sum = add(&sum, &map(field, &product, Map::Negation))?;
    sum = add(&sum, &minus_z_point)?;
    add(&sum, &map(field, point, Map::Negation))
}

/// -z times a point.
#[inline(never)]
fn times_minus_z(point: &Point, crypto: &impl Crypto) -> Option<Point> {
    let mut multiple = *point;
    for bit in (0..MINUS_PARAMETER.ilog2()).rev() {
        multiple = crypto.bls12_381_g2_add(&multiple, &multiple)?;
        if MINUS_PARAMETER >> bit & 1 == 1 {
            multiple = crypto.bls12_381_g2_add(&multiple, point)?;
        }
    }
    Some(multiple)
}

/// A map of the curve to itself.
#[derive(Clone, Copy)]
enum Map {
    /// (x, -y).
    Negation,
    /// (conjugate of x / (1 + i)^((p - 1) / 3), conjugate of y / (1 + i)^((p - 1) / 2)).
    Psi,
    /// Psi of psi: (x / 2^((p - 1) / 3), -y).
    PsiTwice,
}

/// The image of a point. (Numbers times elements in Montgomery's form are numbers.)
#[inline(never)]
fn map(field: &Field, point: &Point, map: Map) -> Point {
    let (elements, _) = point.as_chunks();
    let [x1, x0, y1, y0] = core::array::from_fn(|index| elements.get(index).map_or(Fp::zero(), Fp::read));
    let image = match map {
        // The point at infinity: its flag is no coordinate.
        _ if point[0] & 0x40 != 0 => return *point,
        Map::Negation => [x1, x0, y1.neg(), y0.neg()],
        Map::Psi => [
            field.mul_constant(&x0, &PSI_X),
            field.mul_constant(&x1, &PSI_X),
            field.mul_constant(&y0.add(&y1), &PSI_Y).neg(),
            field.mul_constant(&y0.sub(&y1), &PSI_Y),
        ],
        Map::PsiTwice => {
            [field.mul_constant(&x1, &PSI_TWICE_X), field.mul_constant(&x0, &PSI_TWICE_X), y1.neg(), y0.neg()]
        }
    };
    let mut point = [0; 192];
    for (target, element) in point.as_chunks_mut().0.iter_mut().zip(&image) {
        *target = element.write();
    }
    point
}

/// 1 / (1 + i)^((p - 1) / 3), divided by i.
const PSI_X: Constant = constant(
    "1a0111ea397fe699ec02408663d4de85aa0d857d89759ad4897d29650fb85f9b409427eb4f49fffd8bfd00000000aaad",
);
/// 1 / (1 + i)^((p - 1) / 2), divided by 1 - i.
const PSI_Y: Constant = constant(
    "135203e60180a68ee2e9c448d77a2cd91c3dedd930b1cf60ef396489f61eb45e304466cf3e67fa0af1ee7b04121bdea2",
);
/// 1 / 2^((p - 1) / 3).
const PSI_TWICE_X: Constant = constant(
    "1a0111ea397fe699ec02408663d4de85aa0d857d89759ad4897d29650fb85f9b409427eb4f49fffd8bfd00000000aaac",
);

/// 6 - 6 i.
const MINUS_KERNEL: Constant2 = [
    constant("6"),
    constant(
        "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaa5",
    ),
];

/// x_num of RFC 9380, section E.3.
const X_NUMERATOR: [Constant2; 4] = [
    [
        constant(
            "5c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97d6",
        ),
        constant(
            "5c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97d6",
        ),
    ],
    [
        constant("0"),
        constant(
            "11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71a",
        ),
    ],
    [
        constant(
            "11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71e",
        ),
        constant(
            "8ab05f8bdd54cde190937e76bc3e447cc27c3d6fbd7063fcd104635a790520c0a395554e5c6aaaa9354ffffffffe38d",
        ),
    ],
    [
        constant(
            "171d6541fa38ccfaed6dea691f5fb614cb14b4e7f4e810aa22d6108f142b85757098e38d0f671c7188e2aaaaaaaa5ed1",
        ),
        constant("0"),
    ],
];

/// y_num of RFC 9380, section E.3.
const Y_NUMERATOR: [Constant2; 4] = [
    [
        constant(
            "1530477c7ab4113b59a4c18b076d11930f7da5d4a07f649bf54439d87d27e500fc8c25ebf8c92f6812cfc71c71c6d706",
        ),
        constant(
            "1530477c7ab4113b59a4c18b076d11930f7da5d4a07f649bf54439d87d27e500fc8c25ebf8c92f6812cfc71c71c6d706",
        ),
    ],
    [
        constant("0"),
        constant(
            "5c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97be",
        ),
    ],
    [
        constant(
            "11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71c",
        ),
        constant(
            "8ab05f8bdd54cde190937e76bc3e447cc27c3d6fbd7063fcd104635a790520c0a395554e5c6aaaa9354ffffffffe38f",
        ),
    ],
    [
        constant(
            "124c9ad43b6cf79bfbf7043de3811ad0761b0f37a1e26286b0e977c69aa274524e79097a56dc4bd9e1b371c71c718b10",
        ),
        constant("0"),
    ],
];
