//! The interpreter's loop: the hot path, and the one place that works on raw pointers.
//!
//! # Why raw pointers
//! A bounds check costs as many compute units as the operation that it guards. So every opcode does its stack check
//! once, from the table in [`crate::opcode`], and then touches words without further checks.
//!
//! # What the loop relies on
//! * `pc` points into `padded` code: 33 zero bytes stand behind the code ([`super::Code::PADDING`], checked when the
//!   loop starts). A zero byte is STOP, so execution ends at most one byte behind the code, and an immediate is read
//!   at most 32 bytes further. Jumps go to positions whose map bit is set, which are inside the code.
//! * `base <= sp <= limit`, where `sp` is one past the top word, and `base..limit` lies in the stack arena. The
//!   `check!` macro keeps it so: it refuses an opcode whose inputs are not there or whose outputs do not fit.
//! * Memory words are touched only below `memory_length`, which lies in the memory arena.
//! * No reference into the arenas is alive while the loop uses its pointers: operations outside of the loop get
//!   positions through the frame and give them back the same way (`outside!`).

use super::context::{Context, Stop};
use super::frame::{Frame, Output};
use super::{Interrupt, operations};
use crate::exit::Exit;
use crate::host::Host;
use crate::machine::Machine;
use crate::opcode::{self as op, info};
use crate::{U256, arith, from_address};

/// Words on a frame's stack at most.
const STACK_MAX: usize = 1024;

/// Runs a frame until it ends or asks for something.
pub fn run<H: Host>(
    machine: &mut Machine,
    frame: &mut Frame<'_, H::Account>,
    host: &mut H,
) -> Interrupt<H::Error> {
    let (padded, jump_map, code_length) = frame.input.code.parts();
    let code = padded.as_ptr();
    let jump_map = jump_map.as_ptr();
    let words = machine.stack_words().saturating_sub(frame.stack_base).min(STACK_MAX);
    let base = machine.stack_at(frame.stack_base);
    // SAFETY: `frame.stack_base + words` is at most the arena's length.
    let limit = unsafe { base.add(words) };
    // SAFETY: a frame's stack length is at most `words`: pushing keeps to it, here and in `Context`.
    let mut sp = unsafe { base.add(frame.stack_length) };
    // SAFETY: a frame's pc is at most the code's length: it is 0 at first and written by this loop only.
    let mut pc = unsafe { code.add(frame.pc) };
    let mut gas = frame.input.gas;

    /// Ends the frame.
    macro_rules! exit {
        ($exit:ident) => {{
            frame.input.gas = gas;
            return Interrupt::Exit(Exit::$exit, Output::default());
        }};
    }
    /// Charges the opcode's static gas and checks that its inputs are there and its outputs fit.
    macro_rules! check {
        ($op:ident) => {
            check!(const info(op::$op))
        };
        (const $info:expr) => {
            gas -= const { $info.gas as i64 };
            if gas < 0 {
                exit!(OutOfGas);
            }
            if const { $info.inputs > 0 }
                && (sp as usize).wrapping_sub(base as usize) < const { $info.inputs as usize * 32 }
            {
                exit!(StackUnderflow);
            }
            if const { $info.outputs > $info.inputs } && sp >= limit {
                if words < STACK_MAX {
                    return Interrupt::Limit;
                }
                exit!(StackOverflow);
            }
        };
    }
    /// The word `$n` below the top (0 is the top).
    macro_rules! word {
        ($n:expr) => {
            // SAFETY: `check!` has found more than `$n` words on the stack.
            *unsafe { &mut *sp.sub($n + 1) }
        };
    }
    /// Drops `$n` words.
    macro_rules! drop_words {
        ($n:expr) => {
            // SAFETY: `check!` has found at least `$n` words on the stack.
            sp = unsafe { sp.sub($n) }
        };
    }
    /// Pushes a word.
    macro_rules! push {
        ($word:expr) => {{
            let word: U256 = $word;
            // SAFETY: `check!` has found `sp < limit`.
            unsafe {
                *sp = word;
                sp = sp.add(1);
            }
        }};
    }
    /// Takes two words and leaves one.
    macro_rules! binary {
        ($op:ident, $function:expr) => {{
            check!($op);
            let result: U256 = $function(&word!(0), &word!(1));
            word!(1) = result;
            drop_words!(1);
        }};
    }
    /// Takes two words and leaves a truth value.
    macro_rules! compare {
        ($op:ident, $function:expr) => {{
            check!($op);
            let result: bool = $function(&word!(0), &word!(1));
            word!(1) = U256([result as u64, 0, 0, 0]);
            drop_words!(1);
        }};
    }
    /// Takes the top word and leaves one.
    macro_rules! unary {
        ($op:ident, $function:expr) => {{
            check!($op);
            let result: U256 = $function(&word!(0));
            word!(0) = result;
        }};
    }
    /// PUSH1 to PUSH32.
    macro_rules! push_immediate {
        ($op:ident, $n:literal) => {{
            check!($op);
            // SAFETY: `pc` is at most one byte behind the code, and 32 readable bytes follow (the padding).
            let word = unsafe { immediate::<$n>(pc) };
            // SAFETY: as above; the padding keeps `pc` in the allocation, and it ends on a STOP at the latest.
            pc = unsafe { pc.add($n) };
            push!(word);
        }};
    }
    macro_rules! dup {
        ($op:ident, $n:literal) => {{
            check!($op);
            let word = word!($n - 1);
            push!(word);
        }};
    }
    macro_rules! swap {
        ($op:ident, $n:literal) => {{
            check!($op);
            let top = word!(0);
            word!(0) = word!($n);
            word!($n) = top;
        }};
    }
    /// Stores the loop's state in the frame and calls something that may change it.
    macro_rules! outside {
        ($context:ident => $call:expr) => {{
            frame.input.gas = gas;
            frame.stack_length = (sp as usize - base as usize) / size_of::<U256>();
            frame.pc = pc as usize - code as usize;
            let stopped = {
                let $context = &mut Context { machine: &mut *machine, frame: &mut *frame, host: &mut *host };
                $call
            };
            if let Err(stop) = stopped {
                return stop.into();
            }
            gas = frame.input.gas;
            // SAFETY: as at the start of `run`.
            sp = unsafe { base.add(frame.stack_length) };
        }};
    }
    /// Position of a memory word whose offset is on top, when it lies in the frame's memory already; else makes
    /// room for it first.
    macro_rules! memory_word {
        () => {{
            let offset = word!(0);
            let mut position = offset.0[0] as usize;
            let is_small = offset.0[1] | offset.0[2] | offset.0[3] == 0;
            if !(is_small && position < frame.memory_length && position + 32 <= frame.memory_length) {
                outside!(context => expand_for_word(context, &offset));
                position = offset.0[0] as usize;
            }
            machine.memory_at(frame.memory_start + position)
        }};
    }
    /// The code position that the word names, if it is a jump destination.
    macro_rules! jump_to {
        ($destination:expr) => {{
            let destination: U256 = $destination;
            let position = destination.0[0] as usize;
            let is_small = destination.0[1] | destination.0[2] | destination.0[3] == 0;
            if !is_small || position >= code_length {
                exit!(InvalidJump);
            }
            // SAFETY: `position` lies in the code, and the map has a bit for each byte of the code.
            if unsafe { *jump_map.add(position / 8) } >> (position % 8) & 1 == 0 {
                exit!(InvalidJump);
            }
            // SAFETY: `position` lies in the code.
            pc = unsafe { code.add(position) };
        }};
    }

    loop {
        // SAFETY: `pc` points into the padded code.
        let opcode = unsafe { *pc };
        // SAFETY: the padding is longer than one byte.
        pc = unsafe { pc.add(1) };
        match opcode {
            op::ADD => binary!(ADD, arith::add),
            op::MUL => binary!(MUL, arith::mul),
            op::SUB => binary!(SUB, arith::sub),
            op::LT => compare!(LT, arith::lt),
            op::GT => compare!(GT, arith::gt),
            op::SLT => compare!(SLT, arith::slt),
            op::SGT => compare!(SGT, arith::sgt),
            op::EQ => compare!(EQ, arith::eq),
            op::ISZERO => unary!(ISZERO, |word: &U256| U256([u64::from(arith::is_zero(word)), 0, 0, 0])),
            op::AND => binary!(AND, arith::and),
            op::OR => binary!(OR, arith::or),
            op::XOR => binary!(XOR, arith::xor),
            op::NOT => unary!(NOT, arith::not),
            op::BYTE => binary!(BYTE, arith::byte),
            op::SHL => binary!(SHL, arith::shl),
            op::SHR => binary!(SHR, arith::shr),
            op::SAR => binary!(SAR, arith::sar),
            op::CALLER => {
                check!(CALLER);
                push!(from_address(&frame.input.caller));
            }
            op::CALLVALUE => {
                check!(CALLVALUE);
                push!(frame.input.value);
            }
            op::CALLDATALOAD => {
                check!(CALLDATALOAD);
                word!(0) = call_data_word(machine, &frame.input.input, &word!(0));
            }
            op::CALLDATASIZE => {
                check!(CALLDATASIZE);
                let length = match frame.input.input {
                    super::Input::Bytes(bytes) => bytes.len(),
                    super::Input::Memory { length, .. } => length,
                };
                push!(U256([length as u64, 0, 0, 0]));
            }
            op::POP => {
                check!(POP);
                drop_words!(1);
            }
            op::MLOAD => {
                check!(MLOAD);
                let source = memory_word!();
                // SAFETY: 32 bytes from `source` on lie in the frame's memory, which lies in the arena.
                word!(0) = unsafe { immediate::<32>(source) };
            }
            op::MSTORE => {
                check!(MSTORE);
                let target = memory_word!();
                let word = word!(1);
                // SAFETY: 32 bytes from `target` on lie in the frame's memory, which lies in the arena.
                unsafe { store_word(target, &word) };
                drop_words!(2);
            }
            op::JUMP => {
                check!(JUMP);
                jump_to!(word!(0));
                drop_words!(1);
            }
            op::JUMPI => {
                check!(JUMPI);
                if !arith::is_zero(&word!(1)) {
                    jump_to!(word!(0));
                }
                drop_words!(2);
            }
            op::PC => {
                check!(PC);
                push!(U256([(pc as usize - code as usize - 1) as u64, 0, 0, 0]));
            }
            op::GAS => {
                check!(GAS);
                push!(U256([gas as u64, 0, 0, 0]));
            }
            op::JUMPDEST => {
                check!(JUMPDEST);
            }
            op::PUSH0 => {
                check!(PUSH0);
                push!(U256([0; 4]));
            }
            op::PUSH1 => push_immediate!(PUSH1, 1),
            op::PUSH2 => push_immediate!(PUSH2, 2),
            op::PUSH3 => push_immediate!(PUSH3, 3),
            op::PUSH4 => push_immediate!(PUSH4, 4),
            op::PUSH5 => push_immediate!(PUSH5, 5),
            op::PUSH6 => push_immediate!(PUSH6, 6),
            op::PUSH7 => push_immediate!(PUSH7, 7),
            op::PUSH8 => push_immediate!(PUSH8, 8),
            op::PUSH9 => push_immediate!(PUSH9, 9),
            op::PUSH10 => push_immediate!(PUSH10, 10),
            op::PUSH11 => push_immediate!(PUSH11, 11),
            op::PUSH12 => push_immediate!(PUSH12, 12),
            op::PUSH13 => push_immediate!(PUSH13, 13),
            op::PUSH14 => push_immediate!(PUSH14, 14),
            op::PUSH15 => push_immediate!(PUSH15, 15),
            op::PUSH16 => push_immediate!(PUSH16, 16),
            op::PUSH17 => push_immediate!(PUSH17, 17),
            op::PUSH18 => push_immediate!(PUSH18, 18),
            op::PUSH19 => push_immediate!(PUSH19, 19),
            op::PUSH20 => push_immediate!(PUSH20, 20),
            op::PUSH21 => push_immediate!(PUSH21, 21),
            op::PUSH22 => push_immediate!(PUSH22, 22),
            op::PUSH23 => push_immediate!(PUSH23, 23),
            op::PUSH24 => push_immediate!(PUSH24, 24),
            op::PUSH25 => push_immediate!(PUSH25, 25),
            op::PUSH26 => push_immediate!(PUSH26, 26),
            op::PUSH27 => push_immediate!(PUSH27, 27),
            op::PUSH28 => push_immediate!(PUSH28, 28),
            op::PUSH29 => push_immediate!(PUSH29, 29),
            op::PUSH30 => push_immediate!(PUSH30, 30),
            op::PUSH31 => push_immediate!(PUSH31, 31),
            op::PUSH32 => push_immediate!(PUSH32, 32),
            op::DUP1 => dup!(DUP1, 1),
            op::DUP2 => dup!(DUP2, 2),
            op::DUP3 => dup!(DUP3, 3),
            op::DUP4 => dup!(DUP4, 4),
            op::DUP5 => dup!(DUP5, 5),
            op::DUP6 => dup!(DUP6, 6),
            op::DUP7 => dup!(DUP7, 7),
            op::DUP8 => dup!(DUP8, 8),
            op::DUP9 => dup!(DUP9, 9),
            op::DUP10 => dup!(DUP10, 10),
            op::DUP11 => dup!(DUP11, 11),
            op::DUP12 => dup!(DUP12, 12),
            op::DUP13 => dup!(DUP13, 13),
            op::DUP14 => dup!(DUP14, 14),
            op::DUP15 => dup!(DUP15, 15),
            op::DUP16 => dup!(DUP16, 16),
            op::SWAP1 => swap!(SWAP1, 1),
            op::SWAP2 => swap!(SWAP2, 2),
            op::SWAP3 => swap!(SWAP3, 3),
            op::SWAP4 => swap!(SWAP4, 4),
            op::SWAP5 => swap!(SWAP5, 5),
            op::SWAP6 => swap!(SWAP6, 6),
            op::SWAP7 => swap!(SWAP7, 7),
            op::SWAP8 => swap!(SWAP8, 8),
            op::SWAP9 => swap!(SWAP9, 9),
            op::SWAP10 => swap!(SWAP10, 10),
            op::SWAP11 => swap!(SWAP11, 11),
            op::SWAP12 => swap!(SWAP12, 12),
            op::SWAP13 => swap!(SWAP13, 13),
            op::SWAP14 => swap!(SWAP14, 14),
            op::SWAP15 => swap!(SWAP15, 15),
            op::SWAP16 => swap!(SWAP16, 16),
            _ => outside!(context => operations::run(opcode, context)),
        }
    }
}

/// Makes room for the memory word at `offset` and charges for it.
#[cold]
#[inline(never)]
fn expand_for_word<H: Host>(
    context: &mut Context<'_, '_, '_, H>,
    offset: &U256,
) -> Result<(), Stop<H::Error>> {
    let range = context.range(offset, &U256::from(32))?;
    context.expand_memory(&[range])
}

/// CALLDATALOAD: a word of call data, with zeros behind its end.
#[inline(always)]
fn call_data_word(machine: &mut Machine, input: &super::Input<'_>, offset: &U256) -> U256 {
    let data = input.bytes(machine);
    let start = arith::as_u64_saturating(offset) as usize;
    match data.get(start..) {
        Some(rest) if rest.len() >= 32 => {
            // SAFETY: 32 bytes follow.
            unsafe { immediate::<32>(rest.as_ptr()) }
        }
        Some(rest) => partial_word(rest),
        None => U256([0; 4]),
    }
}

/// A word whose first bytes are `bytes` (fewer than 32) and whose others are zero.
#[cold]
#[inline(never)]
fn partial_word(bytes: &[u8]) -> U256 {
    let mut word = [0; 32];
    for (target, &byte) in word.iter_mut().zip(bytes) {
        *target = byte;
    }
    crate::from_be_bytes(&word)
}

/// Reads `N` big-endian bytes (1 to 32) as a word, eight at a time.
///
/// # Safety
/// `N` bytes, and at least 8, are readable from `bytes` on.
#[inline(always)]
unsafe fn immediate<const N: usize>(bytes: *const u8) -> U256 {
    let mut limbs = [0u64; 4];
    let whole = N / 8;
    let mut limb = 0;
    while limb < whole {
        // SAFETY: limb `limb` ends 8 x limb bytes before the end of the N bytes.
        limbs[limb] = u64::from_be(unsafe { bytes.add(N - 8 * (limb + 1)).cast::<u64>().read_unaligned() });
        limb += 1;
    }
    if const { !N.is_multiple_of(8) } {
        // SAFETY: the caller lets us read 8 bytes; those behind the N % 8 wanted ones are shifted out.
        let word = u64::from_be(unsafe { bytes.cast::<u64>().read_unaligned() });
        limbs[whole] = word >> const { (64 - 8 * (N as u32 % 8)) % 64 };
    }
    U256(limbs)
}

/// Writes a word as 32 big-endian bytes.
///
/// # Safety
/// 32 bytes are writable from `bytes` on.
#[inline(always)]
unsafe fn store_word(bytes: *mut u8, word: &U256) {
    for (index, limb) in word.0.iter().enumerate() {
        // SAFETY: the four limbs take up the 32 bytes.
        unsafe { bytes.add(24 - 8 * index).cast::<u64>().write_unaligned(limb.to_be()) }
    }
}
