//! How many compute units something takes.

use solana_define_syscall::definitions::sol_remaining_compute_units;

/// A reading of the meter.
#[derive(Clone, Copy)]
pub(crate) struct Meter(u64);

impl Meter {
    /// What asking takes by itself: the syscall, and the call of it.
    const READING: u64 = 101;

    /// Begins to count.
    pub(crate) fn start() -> Self {
        Self(remaining())
    }

    /// Compute units since the start.
    pub(crate) fn stop(self) -> u64 {
        self.0.saturating_sub(remaining()).saturating_sub(Self::READING)
    }
}

fn remaining() -> u64 {
    // SAFETY: the syscall takes nothing and touches nothing.
    unsafe { sol_remaining_compute_units() }
}
