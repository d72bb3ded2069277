//! Points of P-256: y^2 = x^3 - 3 x + b.

use super::super::digits::{Digits, zero};
use super::field::{self, copy, difference, normal_difference, one};

/// Odd multiples of a point that a table has: for windows of five bits.
pub(super) const ENTRIES: usize = 8;

/// A point with Jacobian coordinates, (X / Z^2, Y / Z^3), or the point at infinity.
pub(super) struct Point {
    pub(super) x: Digits,
    pub(super) y: Digits,
    pub(super) z: Digits,
    pub(super) is_infinite: bool,
}

impl Point {
    /// The point at infinity.
    pub(super) fn infinite() -> Self {
        Self { x: zero(), y: zero(), z: zero(), is_infinite: true }
    }

    /// Becomes the point with these coordinates.
    fn set(&mut self, [x, y]: [&Digits; 2]) {
        copy(&self.x, x);
        copy(&self.y, y);
        copy(&self.z, &one());
        self.is_infinite = false;
    }
}

/// The operations, by the room that they need.
pub(super) struct Curve {
    room: [Digits; 6],
}

impl Curve {
    /// Room for operations.
    pub(super) fn new() -> Self {
        Self { room: core::array::from_fn(|_| zero()) }
    }

    /// Doubles a point: 4 products and 4 squares in 7 reductions. 3,250 CU.
    #[inline(never)]
    pub(super) fn double(&self, point: &Point) {
        let Point { x, y, z, .. } = point;
        let [gamma, alpha, beta, rest, ..] = &self.room;
        // 3 (x^2 - z^4).
        field::around_square([alpha, rest], x, z);
        field::product_tripled(alpha, alpha, rest);
        // 4 x y^2.
        field::square_doubled(gamma, y);
        field::product_doubled(beta, x, gamma);
        field::product_doubled(z, y, z);
        field::square_minus_doubled([x, rest], alpha, beta);
        field::product_minus_square(y, [alpha, rest], gamma);
    }

    /// Adds a point with affine coordinates: 8 products and 3 squares in 10 reductions. 5,300 CU.
    #[inline(never)]
    pub(super) fn add(&self, point: &mut Point, other: [&Digits; 2]) {
        if point.is_infinite {
            point.set(other);
            return;
        }
        let (Point { x, y, z, .. }, [x2, y2]) = (&*point, other);
        let [h, r, square, cube, v, rest] = &self.room;
        field::square(square, z);
        field::product(h, x2, square);
        difference(h, h, x);
        field::product(r, z, square);
        field::product(r, y2, r);
        difference(r, r, y);
        if field::is_zero(h) {
            // The same point, or its negative.
            if field::is_zero(r) {
                point.set(other);
                self.double(point);
            } else {
                point.is_infinite = true;
            }
            return;
        }
        field::square(square, h);
        field::product(cube, h, square);
        field::product(v, x, square);
        field::product(z, z, h);
        field::square_minus(x, r, cube, v);
        difference(rest, v, x);
        field::product_minus_product(y, [r, rest, y, cube]);
    }

    /// Writes the odd multiples P, 3 P, ..., 15 P of a point to `table`, but with coordinates scaled each by its own z.
    /// Gives the factors from each z to the next; the first is 2 y.
    ///
    /// 2 P goes along, always with the same z as the newest multiple (Meloni, "New point addition formulae for ECC
    /// applications", 2007).
    #[inline(never)]
    pub(super) fn scaled_multiples(&self, table: &[[Digits; 2]; ENTRIES], factors: &[Digits; ENTRIES]) {
        let [_, s, eight_y4, x2, y2, rest] = &self.room;
        let [x, y] = &table[0];
        // 2 P, and P with the same z.
        let gamma = &factors[1];
        field::square_doubled(gamma, y);
        field::product_doubled(s, x, gamma);
        field::square_doubled(eight_y4, gamma);
        field::around_square([rest, x2], x, &one());
        field::product_tripled(rest, rest, x2);
        field::square_minus_doubled([x2, y2], rest, s);
        field::product_minus_square(y2, [rest, y2], gamma);
        field::product_doubled(&factors[0], y, &one());
        for (index, [newer_x, newer_y]) in table.iter().enumerate().skip(1) {
            let [older_x, older_y] =
                if index == 1 { [s, eight_y4] } else { [&table[index - 1][0], &table[index - 1][1]] };
            self.add_with_same_z([newer_x, newer_y], [older_x, older_y], &factors[index]);
        }
    }

    /// Adds 2 P, which is in the room, to another point with the same z. Gives the factor to the sum's z, and brings
    /// 2 P to that.
    fn add_with_same_z(&self, sum: [&Digits; 2], other: [&Digits; 2], factor: &Digits) {
        let [r, difference_x, _, x2, y2, other_x] = &self.room;
        let ([sum_x, sum_y], [x, y]) = (sum, other);
        normal_difference(factor, x2, x);
        field::square(r, factor);
        // Both x at the new z.
        field::product(other_x, x, r);
        field::product(x2, x2, r);
        difference(r, y2, y);
        difference(difference_x, x2, other_x);
        field::square_minus(sum_x, r, difference_x, other_x);
        difference(sum_y, x2, sum_x);
        field::product_minus_product(sum_y, [r, sum_y, y2, difference_x]);
        field::product(y2, y2, difference_x);
    }
}
