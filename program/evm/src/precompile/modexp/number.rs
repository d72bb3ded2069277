//! Numbers in the input: big-endian bytes, of which the last may be missing.

/// A number of `length` bytes, the first of which are `bytes`; the others are zeros.
#[derive(Clone, Copy)]
pub(super) struct Number<'a> {
    /// What the input has of it, without zeros in front.
    bytes: &'a [u8],
    /// Zero bytes behind `bytes`.
    zeros: u64,
    /// Bytes that it was said to have.
    pub(super) length: u64,
}

impl<'a> Number<'a> {
    /// `length` bytes of the input from `start` on.
    pub(super) fn read(input: &'a [u8], start: u64, length: u64) -> Self {
        let rest = usize::try_from(start).ok().and_then(|start| input.get(start..)).unwrap_or_default();
        let present = length.min(rest.len() as u64);
        let mut bytes = rest.get(..present as usize).unwrap_or_default();
        while let [0, shorter @ ..] = bytes {
            bytes = shorter;
        }
        Self { bytes, zeros: if bytes.is_empty() { 0 } else { length - present }, length }
    }

    /// Bits without zeros in front; 0 for the number 0.
    pub(super) fn bit_length(&self) -> u64 {
        match self.bytes.first() {
            None => 0,
            Some(&first) => {
                let rest = (self.bytes.len() as u64 - 1).saturating_add(self.zeros);
                rest.saturating_mul(8).saturating_add(8 - u64::from(first.leading_zeros()))
            }
        }
    }

    /// Whether the lowest bit is set.
    pub(super) fn is_odd(&self) -> bool {
        self.zeros == 0 && self.bytes.last().is_some_and(|byte| byte & 1 == 1)
    }

    /// Byte `index`, counted from the lowest.
    fn byte(&self, index: i64) -> u64 {
        let index = index - self.zeros as i64;
        if index < 0 {
            return 0;
        }
        self.bytes.len().checked_sub(1 + index as usize).map_or(0, |index| u64::from(self.bytes[index]))
    }

    /// Bit `index`, counted from the lowest.
    pub(super) fn bit(&self, index: i64) -> bool {
        self.byte(index >> 3) >> (index & 7) & 1 == 1
    }

    /// The 32 bits from bit `start` on, counted from the lowest; below bit 0 there are zeros.
    pub(super) fn bits(&self, start: i64) -> u64 {
        let first = start >> 3;
        let mut bits = self.byte(first);
        for index in 1..5 {
            bits |= self.byte(first + index) << (8 * index);
        }
        bits >> (start & 7) & 0xffff_ffff
    }

    /// The 64 bits from bit `start` on.
    pub(super) fn bits_64(&self, start: i64) -> u64 {
        self.bits(start) | self.bits(start + 32) << 32
    }
}
