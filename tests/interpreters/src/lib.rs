//! A Solana program that is never deployed: it runs a contract's body in a bare interpreter and tells the compute units.
//!
//! ```text
//! account data: a Case ──▶ world ──┬▶ ours        program/evm, plain or translated
//! instruction data: which one      └▶ sputnik     the evm crate with its gasometer
//!                                       └─▶ return data: Measured
//! ```
//!
//! The same program measures single operations of 256-bit arithmetic ([`operation`]), ours and those of two crates.
//!
//! Both interpreters work on the same world: tables in memory and no journal, so what is measured is
//! interpretation, calls between contracts included, and hardly anything else. Keccak-256 is the syscall for both.
//! Compute units are counted from the first frame to the result; reading the case is not part of them.
//!
//! The harness uses [`case`] and [`operation`] to write what the program reads.
#![no_std]

extern crate alloc;

mod arithmetic;
pub mod case;
mod division;
mod meter;
pub mod operation;
mod ours;
mod sputnik;
mod world;

/// The program's allocator.
#[path = "../../../program/entrypoint/src/heap.rs"]
mod heap;
/// The program's memory routines.
#[path = "../../../program/entrypoint/src/memory.rs"]
mod memory;

use case::{Case, Interpreter};
use core::mem::MaybeUninit;
use operation::Operation;
use solana_define_syscall::definitions::{sol_keccak256, sol_set_return_data};
use world::World;

/// What the program ends with when it cannot make sense of its input.
const INVALID_INPUT: u64 = 1;
/// What it ends with when the body does something that the world does not have.
const UNSUPPORTED: u64 = 2;

/// The body did something that the world does not have: it moved value, or called a precompile.
#[derive(Debug)]
struct Unsupported;

/// Solana's entrypoint: one account, whose data is the case, and a byte that says who runs it.
///
/// # Safety
/// `input` is the serialized instruction as the runtime lays it out, and nobody else uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entrypoint(input: *mut u8) -> u64 {
    // SAFETY: passed on from this function's contract.
    let (data, instruction) = unsafe { parse(input) };
    if let Some((operation, library)) = Operation::from_instruction(instruction) {
        let Some(operands) = operands(data) else { return INVALID_INPUT };
        let calls = arithmetic::run(operation, library, &operands);
        return calls.map_or(UNSUPPORTED, |calls| tell(&calls.encode()));
    }
    let interpreter = instruction.first().and_then(|byte| Interpreter::from_byte(*byte));
    let (Some(case), Some(interpreter)) = (Case::decode(data), interpreter) else { return INVALID_INPUT };
    let world = World::new(&case, interpreter);
    let measured = match interpreter {
        Interpreter::Plain | Interpreter::Translated => ours::run(&case, world),
        Interpreter::Sputnik => sputnik::run(&case, world),
    };
    measured.map_or(UNSUPPORTED, |measured| tell(&measured.encode()))
}

/// Three operands of four limbs.
fn operands(data: &[u8]) -> Option<[[u64; 4]; 3]> {
    let limb = |index: usize| data.as_chunks().0.get(index).map(|bytes| u64::from_le_bytes(*bytes));
    let operand = |start: usize| Some([limb(start)?, limb(start + 1)?, limb(start + 2)?, limb(start + 3)?]);
    Some([operand(0)?, operand(4)?, operand(8)?])
}

/// The data of the only account, and the instruction's.
///
/// # Safety
/// As [`entrypoint`].
unsafe fn parse<'a>(input: *mut u8) -> (&'a [u8], &'a [u8]) {
    /// Behind the number of accounts: four flags, padding, key, owner, lamports.
    const LENGTH: usize = 8 + 8 + 32 + 32 + 8;
    /// How much the runtime lets an account grow.
    const GROWTH_MAX: usize = 10_240;
    // SAFETY: the layout is the runtime's promise: the account's fixed part, its data, room to grow, padding to 8, the
    // rent epoch (8 bytes), the instruction data's length and the data.
    unsafe {
        let length = input.add(LENGTH).cast::<u64>().read() as usize;
        let data = input.add(LENGTH + 8);
        let instruction = input.add((LENGTH + 8 + length + GROWTH_MAX).next_multiple_of(8) + 8);
        let instruction_length = instruction.cast::<u64>().read() as usize;
        (
            core::slice::from_raw_parts(data, length),
            core::slice::from_raw_parts(instruction.add(8), instruction_length),
        )
    }
}

/// Sets the return data.
fn tell(bytes: &[u8]) -> u64 {
    // SAFETY: the syscall reads as many bytes as it is told.
    unsafe { sol_set_return_data(bytes.as_ptr(), bytes.len() as u64) }
    0
}

/// Keccak-256 over the concatenation of `parts`, by the syscall.
fn keccak256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = MaybeUninit::<[u8; 32]>::uninit();
    // SAFETY: the syscall reads an array of (address, length) pairs, which is how slices are laid out, and writes 32
    // bytes. It cannot fail for valid memory.
    unsafe {
        sol_keccak256(parts.as_ptr().cast(), parts.len() as u64, hash.as_mut_ptr().cast());
        hash.assume_init()
    }
}
