//! Points of P-256: y^2 = x^3 - 3 x + b.

use super::super::digits::{Digits, zero};
use super::field::{self, copy, difference, normal_difference, one};

/// Odd multiples of a point that a table has: for windows of five bits.
pub(super) const ENTRIES: usize = 8;

/// A sum of points, with Jacobian coordinates, (X / Z^2, Y / Z^3), or the point at infinity. And what is on the way from
/// one sum to the next.
pub(super) struct Sum {
    pub(super) x: Digits,
    pub(super) y: Digits,
    pub(super) z: Digits,
    pub(super) is_infinite: bool,
    /// What the slope of the line through the points is, times the new z: alpha for a double, r for a sum.
    slope: Digits,
    /// The x coordinate before, at the new z.
    old_x: Digits,
    /// What is left of it.
    rest: Digits,
    /// 2 y^2 for a double, the cube of `h` for a sum.
    gamma: Digits,
    /// The difference of the x coordinates of a sum.
    h: Digits,
    square: Digits,
}

impl Sum {
    /// The point at infinity.
    pub(super) fn infinite() -> Self {
        let [x, y, z, slope, old_x, rest, gamma, h, square] = core::array::from_fn(|_| zero());
        Self { x, y, z, is_infinite: true, slope, old_x, rest, gamma, h, square }
    }

    /// Becomes the point with these coordinates.
    fn set(&mut self, [x, y]: [&Digits; 2]) {
        copy(&self.x, x);
        copy(&self.y, y);
        copy(&self.z, &one());
        self.is_infinite = false;
    }

    /// Doubles it: 4 products and 4 squares in 7 reductions. 3,300 CU.
    #[inline(never)]
    pub(super) fn double(&self) {
        self.set_double_slope_factors();
        self.set_double_slope();
        self.set_double_gamma();
        self.set_double_old_x();
        self.set_double_z();
        self.set_double_x();
        self.set_double_y();
    }

    /// x - z^2 and x + z^2.
    #[inline(never)]
    fn set_double_slope_factors(&self) {
        field::around_square([&self.slope, &self.rest], &self.x, &self.z);
    }

    /// 3 (x^2 - z^4).
    #[inline(never)]
    fn set_double_slope(&self) {
        field::product_tripled(&self.slope, &self.slope, &self.rest);
    }

    #[inline(never)]
    fn set_double_gamma(&self) {
        field::square_doubled(&self.gamma, &self.y);
    }

    /// 4 x y^2.
    #[inline(never)]
    fn set_double_old_x(&self) {
        field::product_doubled(&self.old_x, &self.x, &self.gamma);
    }

    #[inline(never)]
    fn set_double_z(&self) {
        field::product_doubled(&self.z, &self.y, &self.z);
    }

    #[inline(never)]
    fn set_double_x(&self) {
        field::square_minus_doubled([&self.x, &self.rest], &self.slope, &self.old_x);
    }

    #[inline(never)]
    fn set_double_y(&self) {
        field::product_minus_square(&self.y, [&self.slope, &self.rest], &self.gamma);
    }

    /// Adds a point with affine coordinates: 8 products and 3 squares in 10 reductions. 4,900 CU.
    #[inline(never)]
    pub(super) fn add(&mut self, other: [&Digits; 2]) {
        if self.is_infinite {
            self.set(other);
            return;
        }
        let ([x, y], Self { slope, old_x, gamma, h, square, .. }) = (other, &*self);
        field::square(square, &self.z);
        field::product_minus(h, [x, square], &self.x);
        field::product(slope, &self.z, square);
        field::product_minus(slope, [y, slope], &self.y);
        if field::is_zero(h) {
            // The same point, or its negative.
            if field::is_zero(slope) {
                self.set(other);
                self.double();
            } else {
                self.is_infinite = true;
            }
            return;
        }
        field::square(square, h);
        field::product(gamma, h, square);
        field::product(old_x, &self.x, square);
        field::product(&self.z, &self.z, h);
        self.set_sum_x();
        self.set_sum_y();
    }

    #[inline(never)]
    fn set_sum_x(&self) {
        field::square_minus([&self.x, &self.rest], &self.slope, [&self.gamma, &self.old_x]);
    }

    #[inline(never)]
    fn set_sum_y(&self) {
        field::product_minus_product(&self.y, [&self.slope, &self.rest, &self.y, &self.gamma]);
    }

    /// Writes the odd multiples P, 3 P, ..., 15 P of a point to `table`, but with coordinates scaled each by its own z.
    /// Gives the factors from each z to the next; the first is 2 y.
    ///
    /// 2 P goes along, always with the same z as the newest multiple (Meloni, "New point addition formulae for ECC
    /// applications", 2007).
    #[inline(never)]
    pub(super) fn scaled_multiples(&mut self, table: &[[Digits; 2]; ENTRIES], factors: &[Digits; ENTRIES]) {
        let [x, y] = &table[0];
        self.set([x, y]);
        self.double();
        copy(&factors[0], &self.z);
        let double = [self.x.clone(), self.y.clone()];
        // P with the same z: the y coordinate is 8 y^4, twice the square of gamma.
        copy(&self.x, &self.old_x);
        copy(&self.y, &self.gamma);
        self.set_double_gamma();
        copy(&self.y, &self.gamma);
        for ([x, y], factor) in table.iter().zip(factors).skip(1) {
            self.add_with_same_z(&double, factor);
            copy(x, &self.x);
            copy(y, &self.y);
        }
    }

    /// Adds a point with the same z. Gives the factor to the sum's z, and brings the point to that.
    fn add_with_same_z(&self, [x, y]: &[Digits; 2], factor: &Digits) {
        let Self { slope, old_x, gamma, square, .. } = self;
        normal_difference(factor, x, &self.x);
        field::square(square, factor);
        // Both x at the new z.
        field::product(old_x, &self.x, square);
        field::product(x, x, square);
        difference(slope, y, &self.y);
        difference(gamma, x, old_x);
        self.set_sum_x();
        self.set_sum_y();
        field::product(y, y, gamma);
    }
}
