//! The 128-bit division that the compiler calls on its own, for toolchains that do not bring it: quick, unlike the
//! program's, which never divides 128-bit numbers; SputnikVM's arithmetic does all the time, and shall not pay for that.
#![cfg_attr(not(target_arch = "bpf"), allow(dead_code))]

/// Quotient and remainder (Hacker's Delight, figure 9-5).
#[inline(never)]
const fn divide(dividend: u128, divisor: u128) -> (u128, u128) {
    let (high, low) = ((dividend >> 64) as u64, dividend as u64);
    if divisor >> 64 == 0 {
        let divisor = divisor as u64;
        if high == 0 {
            return ((low / divisor) as u128, (low % divisor) as u128);
        }
        let (quotient, remainder) = divide_narrow(high % divisor, low, divisor);
        return (((high / divisor) as u128) << 64 | quotient as u128, remainder as u128);
    }
    if dividend < divisor {
        return (0, dividend);
    }
    let shift = divisor.leading_zeros();
    let half = dividend >> 1;
    let (estimate, _) = divide_narrow((half >> 64) as u64, half as u64, (divisor << shift >> 64) as u64);
    // At most one too large; made one too small at most.
    let mut quotient = ((estimate as u128) << shift >> 63).saturating_sub(1);
    let mut remainder = dividend.wrapping_sub(quotient.wrapping_mul(divisor));
    if remainder >= divisor {
        quotient += 1;
        remainder -= divisor;
    }
    (quotient, remainder)
}

/// Quotient and remainder of `high‖low`, where `high` is below the divisor: two digits of 32 bits (Knuth, algorithm D).
const fn divide_narrow(high: u64, low: u64, divisor: u64) -> (u64, u64) {
    const LOW: u64 = u32::MAX as u64;
    let shift = divisor.leading_zeros();
    let divisor = divisor << shift;
    let dividend = ((high as u128) << 64 | low as u128) << shift;
    let low = dividend as u64;
    let (first, remainder) = digit((dividend >> 64) as u64, low >> 32, divisor);
    let (second, remainder) = digit(remainder, low & LOW, divisor);
    (first << 32 | second, remainder >> shift)
}

/// A digit of the quotient, and what remains.
const fn digit(high: u64, next: u64, divisor: u64) -> (u64, u64) {
    const BASE: u64 = 1 << 32;
    let (divisor_high, divisor_low) = (divisor >> 32, divisor % BASE);
    let (mut digit, mut rest) = (high / divisor_high, high % divisor_high);
    while digit >= BASE || digit * divisor_low > (rest << 32 | next) {
        digit -= 1;
        rest += divisor_high;
        if rest >= BASE {
            break;
        }
    }
    let remainder = (high << 32 | next).wrapping_sub(digit.wrapping_mul(divisor));
    (digit, remainder)
}

#[cfg(target_arch = "bpf")]
mod symbols {
    use super::divide;

    const fn join(low: u64, high: u64) -> u128 {
        (high as u128) << 64 | low as u128
    }

    /// Unsigned 128-bit division.
    ///
    /// # Safety
    /// `out` is valid for writing.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn rs_udivti3(out: *mut u128, a_low: u64, a_high: u64, b_low: u64, b_high: u64) {
        // SAFETY: this function's contract.
        unsafe { out.write(divide(join(a_low, a_high), join(b_low, b_high)).0) }
    }

    /// Unsigned 128-bit remainder.
    ///
    /// # Safety
    /// `out` is valid for writing.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn rs_umodti3(out: *mut u128, a_low: u64, a_high: u64, b_low: u64, b_high: u64) {
        // SAFETY: this function's contract.
        unsafe { out.write(divide(join(a_low, a_high), join(b_low, b_high)).1) }
    }

    /// Signed 128-bit division: nothing here divides signed numbers.
    ///
    /// # Safety
    /// None.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn rs_divti3(_: *mut u128, _: u64, _: u64, _: u64, _: u64) {
        unreachable!()
    }

    /// Signed 128-bit remainder: as [`rs_divti3`].
    ///
    /// # Safety
    /// None.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn rs_modti3(_: *mut u128, _: u64, _: u64, _: u64, _: u64) {
        unreachable!()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_and_remainders_are_right() {
        let mut seed = 1u64;
        let mut next = || {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            // Numbers of all lengths, with runs of ones and zeros.
            let number = if seed >> 60 & 1 == 0 { seed } else { u64::MAX << (seed >> 32 & 63) };
            number >> (seed >> 40 & 63)
        };
        for _ in 0..1_000_000 {
            let [a, b, c, d] = [next(), next(), next(), next()];
            let dividend = (a as u128) << 64 | b as u128;
            let divisor = ((if d & 1 == 0 { 0 } else { c }) as u128) << 64 | d.max(1) as u128;
            assert_eq!(divide(dividend, divisor), (dividend / divisor, dividend % divisor));
        }
    }
}
