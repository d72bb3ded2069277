//! The hot path: frequent opcodes as a chain of handlers, and the one place that works on raw pointers.
//!
//! ```text
//! run ─▶ handler ─▶ handler ─▶ … ─▶ handler          each calls the next one, by the next opcode byte
//!  ▲                                   │
//!  └──────── all return at once ◀──────┘  the gas window is used up, a cold operation is due, or the frame ends
//! ```
//!
//! sBPF has no indirect jump, and LLVM turns a `match` on the opcode into a tree of comparisons (11 CU). But an
//! indirect call costs 1 CU and its return 1, and five arguments travel in registers. So every opcode is a function
//! that takes the registers of the machine, does its work, and calls the handler of the next opcode.
//!
//! # Registers
//! `pc` points to the opcode that runs, `sp` one past the top word, `gas` is what is left of the gas window, `cpu`
//! is everything else ([`Cpu`](cpu::Cpu)), `table` the handlers by opcode.
//!
//! # The gas window
//! The chain must unwind before the native stack is used up (64 frames on sBPF). Counting calls would cost every
//! opcode 2 CU; instead the chain runs on a window of at most [`GAS_WINDOW`] gas, the rest lies in
//! [`Cpu::reserve`](cpu::Cpu). Every handler charges at least 2 gas (JUMPDEST charges 1 but never follows another one in the
//! chain), so a window is worth at most 50 calls. A handler that finds too little gas in the window *pauses*: it leaves
//! the registers as they were before the opcode, and `run` refills the window. When nothing is left to refill with,
//! gas has run out.
//!
//! A translation charges its gas block by block, so it runs on all of the gas and counts records instead, block by block
//! as well ([`Cpu::records`](cpu::Cpu)): a chain runs [`RECORDS_MAX`] of them at most. One that begins inside of a block,
//! behind an operation, reckons with the whole block. Memory that grows within a chain counts as a record more.
//!
//! # What handlers rely on
//! * `pc` points into `padded` code: 33 zero bytes stand behind the code ([`super::Code::PADDING`], checked when a run
//!   starts). A zero byte is STOP, so execution ends at most one byte behind the code, and an immediate is read at most
//!   32 bytes further. Jumps go to positions whose map bit is set, which are inside the code.
//! * `base <= sp <= limit`, and `base..limit` lies in the stack arena. `enter!` keeps it so: it refuses an opcode whose
//!   inputs are not there or whose outputs do not fit.
//! * Memory words are touched only below [`Cpu::memory_end`](cpu::Cpu), which lies in the memory arena.
//! * No reference into the arenas is alive while handlers use pointers into them: whatever takes one runs between chains
//!   ([`between`], [`cold`]), or is done with it before its handler goes on (memory that grows by a few words).

mod arithmetic;
mod between;
mod blocks;
mod cold;
mod control;
mod cpu;
mod ends;
mod environment;
mod handler;
mod hash;
mod memory;
mod plain;
mod run;
mod sequences;
mod stack;
mod step;
mod translated;

pub use run::run;
pub use step::step;

/// Records of one chain of a translation: each block says how many it has. The VM has 64 call frames; a handful are below
/// the chain, and a handler's own functions are above it.
pub(super) const RECORDS_MAX: i64 = 50;

/// Records that a chain may count when it begins inside of a block, whose records were counted by the chain before it.
pub(super) const RECORDS_INSIDE: i64 = RECORDS_MAX - crate::translation::BLOCK_RECORDS_MAX as i64;

/// Gas of one chain of handlers: at 3 gas for 2 calls (JUMPDEST and a cheap opcode) it is worth 50 calls.
pub(super) const GAS_WINDOW: i64 = 75;
