//! The quadratic extension of the field: `c0 + c1 i` with i^2 = -1.

use super::fp::{BYTES, Constant, Field, Fp};

/// A constant of the extension.
pub(super) type Constant2 = [Constant; 2];

/// An element.
#[derive(Clone, Debug)]
pub(super) struct Fp2 {
    /// The real part.
    pub(super) c0: Fp,
    /// The imaginary part.
    pub(super) c1: Fp,
}

impl Fp2 {
    /// 0.
    pub(super) fn zero() -> Self {
        Self { c0: Fp::zero(), c1: Fp::zero() }
    }

    /// A constant.
    #[inline(never)]
    pub(super) fn of([c0, c1]: &Constant2) -> Self {
        Self { c0: Fp::of(c0), c1: Fp::of(c1) }
    }

    /// The sum.
    #[inline(never)]
    pub(super) fn add(&self, other: &Self) -> Self {
        Self { c0: self.c0.add(&other.c0), c1: self.c1.add(&other.c1) }
    }

    /// -x.
    #[inline(never)]
    pub(super) fn neg(&self) -> Self {
        Self { c0: self.c0.neg(), c1: self.c1.neg() }
    }

    /// Whether it is 0; both parts must lie between -5 p and 5 p.
    pub(super) fn is_zero(&self) -> bool {
        self.c0.is_zero() && self.c1.is_zero()
    }
}

impl Field {
    /// The product, by Karatsuba's method.
    #[inline(never)]
    pub(super) fn mul2(&self, a: &Fp2, b: &Fp2) -> Fp2 {
        let (real, imaginary) = (self.mul(&a.c0, &b.c0), self.mul(&a.c1, &b.c1));
        let sums = self.mul(&a.c0.add(&a.c1), &b.c0.add(&b.c1));
        Fp2 { c0: real.sub(&imaginary), c1: sums.sub(&real).sub(&imaginary) }
    }

    /// The product with a constant.
    pub(super) fn mul2_constant(&self, a: &Fp2, constant: &Constant2) -> Fp2 {
        self.mul2(a, &Fp2::of(constant))
    }

    /// The square: (c0 + c1) (c0 - c1) + 2 c0 c1 i.
    #[inline(never)]
    pub(super) fn square2(&self, a: &Fp2) -> Fp2 {
        let imaginary = self.mul(&a.c0, &a.c1);
        Fp2 { c0: self.mul(&a.c0.add(&a.c1), &a.c0.sub(&a.c1)), c1: imaginary.add(&imaginary) }
    }

    /// c0^2 + c1^2, which is x times its conjugate.
    pub(super) fn norm(&self, a: &Fp2) -> Fp {
        self.square(&a.c0).add(&self.square(&a.c1))
    }

    /// 1 / x, or 0 for 0.
    pub(super) fn invert2(&self, a: &Fp2) -> Fp2 {
        let inverse = self.invert(&self.norm(a));
        Fp2 { c0: self.mul(&a.c0, &inverse), c1: self.mul(&a.c1, &inverse).neg() }
    }

    /// Whether the lowest part that is not 0 is odd (sgn0 of RFC 9380, section 4.1).
    pub(super) fn sign2(&self, a: &Fp2) -> bool {
        self.is_odd(if a.c0.is_zero() { &a.c1 } else { &a.c0 })
    }

    /// Two numbers below p, 48 bytes big-endian, as an element.
    pub(super) fn element2(&self, c0: &[u8; BYTES], c1: &[u8; BYTES]) -> Fp2 {
        Fp2 { c0: self.element(c0), c1: self.element(c1) }
    }
}
