//! Locks of accounts, as headers have them.

use super::header::Header;

/// A lock of an account: when it ends, and what it is for. Locks of the two kinds are never the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock(u16);

impl Lock {
    /// Bits of a slot.
    pub(super) const SLOTS: u16 = (1 << 14) - 1;

    /// The lock of an attempt that began in `slot`: it writes what it has locked, and nobody else does. It lasts
    /// [`Header::LOCK_SLOTS`], up to two less.
    #[must_use]
    pub const fn of_attempt(slot: u64) -> Self {
        Self::of_attempt_until(slot.wrapping_add(Header::LOCK_SLOTS))
    }

    /// The lock of the attempt that has locked in this slot, modulo 2^32, as [`super::Run::locked_at`] has it: none if that
    /// is 0.
    #[must_use]
    pub const fn of_locked_at(slot: u32) -> Option<Self> {
        if slot == 0 { None } else { Some(Self::of_attempt(slot as u64)) }
    }

    /// This lock for the end of runs: it ends with this one, or one slot later.
    #[must_use]
    pub(super) const fn shared(self) -> Self {
        Self(self.0 | 1)
    }

    /// A lock for the end of runs, until a slot that is less than [`Header::LOCK_SLOTS`] away, or one more: nobody writes
    /// the account, so any number of runs may count on it.
    #[must_use]
    pub const fn of_ends(until: u64) -> Self {
        Self(until as u16 & Self::SLOTS | 1)
    }

    /// The slot in which the lock ends, if that is near `slot`, and it is one for the end of runs.
    #[must_use]
    pub const fn end_after(self, slot: u64) -> Option<u64> {
        if self.0 & 1 == 0 {
            return None;
        }
        Some(slot.wrapping_add((self.0.wrapping_sub(slot as u16) & Self::SLOTS) as u64))
    }

    /// A lock of an attempt that ends in `slot`, or up to two slots before.
    pub(super) const fn of_attempt_until(slot: u64) -> Self {
        let even = slot as u16 & Self::SLOTS & !1;
        // 0 is for what was never locked: two slots before.
        Self(if even == 0 { Self::SLOTS - 1 } else { even })
    }

    /// A lock as it is stored.
    pub(super) const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// As it is stored: the slot of its end modulo 2^14, even for one of an attempt, odd for one for the end of runs.
    pub(super) const fn bits(self) -> u16 {
        self.0
    }
}
