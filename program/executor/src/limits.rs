//! How much state one run may hold: named maxima for every table (invariant 9).

use parhelion_evm::machine;

/// The maxima of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Stacks, memories, nested frames.
    pub machine: machine::Limits,
    /// Bytes that a call may return to another call.
    pub return_data_bytes: usize,
    /// Ethereum addresses that a run touches.
    pub accounts: usize,
    /// Storage keys that it touches.
    pub storage_keys: usize,
    /// Transient storage keys that it touches.
    pub transient_keys: usize,
    /// Cells that it touches.
    pub cells: usize,
    /// Changes of storage that can be undone.
    pub undo_entries: usize,
    /// Bytes of all logs and withdrawals in the event format.
    pub report_bytes: usize,
    /// Bytes of init code and deployed code, of all creations together.
    pub code_bytes: usize,
    /// Compute units that one call of a precompile may take, by its own estimate. One that needs more runs out of
    /// gas.
    pub precompile_compute_units: u64,
}

/// What is left for one call of a precompile in a Solana transaction, which has 1.4 million compute units: the rest
/// is for the Ethereum transaction around it.
const PRECOMPILE_COMPUTE_UNITS_MAX: u64 = 1_350_000;

impl Limits {
    /// What fits the 256 KiB of heap that a Solana transaction can have. The emulator runs transactions with the
    /// same limits, so it knows beforehand what will not fit.
    pub const ON_CHAIN: Self = Self {
        machine: machine::Limits { stack_words: 1280, memory_bytes: 56 * 1024, frames: 32 },
        return_data_bytes: 12 * 1024,
        accounts: 48,
        storage_keys: 192,
        transient_keys: 32,
        cells: 64,
        undo_entries: 320,
        report_bytes: 12 * 1024,
        code_bytes: 60 * 1024,
        precompile_compute_units: PRECOMPILE_COMPUTE_UNITS_MAX,
    };

    /// A run in steps: what fits the heap when the machine's stack and memory, whose sizes the holder decides, do not lie
    /// in it.
    pub const IN_STEPS: Self = Self {
        machine: machine::Limits { stack_words: 0, memory_bytes: 0, frames: 64 },
        return_data_bytes: 12 * 1024,
        accounts: 128,
        storage_keys: 512,
        transient_keys: 64,
        cells: 256,
        undo_entries: 400,
        report_bytes: 16 * 1024,
        code_bytes: 60 * 1024,
        precompile_compute_units: PRECOMPILE_COMPUTE_UNITS_MAX,
    };

    /// For calls that never go on chain: what Ethereum nodes allow.
    pub const OFF_CHAIN: Self = Self {
        machine: machine::Limits { stack_words: 1024 * 1024, memory_bytes: 64 * 1024 * 1024, frames: 1025 },
        return_data_bytes: 64 * 1024 * 1024,
        accounts: 60_000,
        storage_keys: 60_000,
        transient_keys: 1_000_000,
        cells: 60_000,
        undo_entries: 10_000_000,
        report_bytes: 64 * 1024 * 1024,
        code_bytes: 1 << 30,
        precompile_compute_units: u64::MAX,
    };

    /// Up to this size tables are allocated in full at the start. On chain the heap is handed out once and growing
    /// a table would leave its old copies behind; off chain memory is not scarce.
    pub(crate) const PREALLOCATED_MAX: usize = 512;
}
