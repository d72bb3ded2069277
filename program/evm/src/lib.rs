//! A pure Ethereum virtual machine: Osaka rules (and, for tests, those of older [`fork`]s), no I/O, no allocation while code runs, not a word of Solana.
//!
//! ```text
//! opcode ──▶ interpreter ──▶ host (the world: storage, balances, logs, block values)
//!   gas ───▶     │     ──▶ arith (256-bit arithmetic)
//!                └─ one frame at a time: calls and creations come back to the caller as requests
//! ```
//!
//! [`interpreter::run`] runs one call frame until it ends or asks for another frame. Nesting frames, snapshots and
//! everything that outlives a frame belong to the executor, which implements [`host::Host`]. The same source runs on
//! chain and in the emulator; what differs is behind [`host::Host`] and [`crypto::Crypto`].
#![no_std]

extern crate alloc;

pub mod arith;
pub mod crypto;
pub mod exit;
pub mod fork;
pub mod gas;
pub mod host;
pub mod interpreter;
pub mod jump_map;
pub mod machine;
pub mod opcode;
pub mod precompile;
pub mod translation;

pub use primitive_types::{H160, H256, U256};

/// A word's address part: its low 20 bytes.
#[inline(always)]
#[must_use]
pub fn to_address(word: &U256) -> H160 {
    let [low, middle, high, _] = word.0;
    let mut address = [0; 20];
    address[..4].copy_from_slice(&(high as u32).to_be_bytes());
    address[4..12].copy_from_slice(&middle.to_be_bytes());
    address[12..].copy_from_slice(&low.to_be_bytes());
    H160(address)
}

/// 32 big-endian bytes as a word, a limb at a time.
#[inline(always)]
#[must_use]
pub const fn from_be_bytes(bytes: &[u8; 32]) -> U256 {
    let (limbs, _) = bytes.as_chunks::<8>();
    U256([
        u64::from_be_bytes(limbs[3]),
        u64::from_be_bytes(limbs[2]),
        u64::from_be_bytes(limbs[1]),
        u64::from_be_bytes(limbs[0]),
    ])
}

/// An address as a word.
#[inline(always)]
#[must_use]
pub fn from_address(address: &H160) -> U256 {
    let ([high, middle_high, middle_low, low_high, low_low], _) = address.0.as_chunks::<4>() else {
        // Twenty bytes are five times four.
        return U256([0; 4]);
    };
    let join = |high: &[u8; 4], low: &[u8; 4]| {
        u64::from(u32::from_be_bytes(*high)) << 32 | u64::from(u32::from_be_bytes(*low))
    };
    U256([join(low_high, low_low), join(middle_high, middle_low), u32::from_be_bytes(*high).into(), 0])
}
