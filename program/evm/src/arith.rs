//! 256-bit arithmetic of the EVM, shaped for sBPF, over [`primitive_types::U256`].
//!
//! One function per arithmetic, comparison and bitwise opcode (Yellow Paper, appendix H.2, groups 0s and 10s;
//! later ones by EIP), plus the few conversions that gas and memory need. Pure, total and panic-free: every
//! pair of operands has a result. The type's own operators are written for machines with a carry flag and a
//! 128-bit multiplier; on sBPF they cost up to 12 times as much as these.
//!
//! # Machine facts behind the shapes
//!
//! Every sBPF instruction costs 1 CU, a division like an addition, so the only thing to count is
//! instructions.
//!
//! * **No carry flag and no set-on-compare.** A comparison is a branch, and a carry that becomes a number
//!   costs 3 more instructions. So carries stay branches (`addsub`). LLVM would rather have the number;
//!   [`cold_path`](core::hint::cold_path) in the arm of a branch keeps it from that, which is what it is for
//!   in this module, rare or not.
//! * **An addition and the comparison that detects its overflow must not share a basic block**, or else LLVM
//!   fuses them into an "add with overflow", which on this target ends as a flag in a register: 4 CU instead
//!   of 1. The order of statements in `limb` follows from it.
//! * **No wide multiplication.** `u128 * u128` is a library call of 51 CU. LLVM recognises the textbook
//!   formulas for 64x64 to 128 bits and turns them into that call; the one in `limb` (16 CU) is none of them.
//! * **64-bit division is one instruction**, so long division works in base 2^32: one hardware division per
//!   quotient digit (`div`).
//! * **A 32-bit half costs 1 CU to load and 3 to cut out of a register** (no 32-bit arithmetic at this CPU
//!   level). So products read their operands through a 32-bit view, the only unsafe code here.
//! * **`leading_zeros` costs 49 CU**; a search by halves costs 14.
//! * **Ten registers, a call and its return 2 CU, r6-r9 saved by the machine.** Whatever does not fit into
//!   registers goes out of line at almost no cost; rare paths must, so that they do not spill the common one.
//!
//! The functions return by value. The cheap ones inline, and then `*slot = add(a, b)` stores limbs straight
//! into the slot. The long ones are out of line, behind an inlined head for small operands; their result
//! comes through a temporary (8 CU), which is taken apart limb by limb at the call: a plain `return` would
//! send the results of the inlined head through the temporary, too.
//!
//! # Compute units
//!
//! `*slot = f(a, b)` with all operands in memory, loads and stores included; operands by their size in bits.
//! Measured in litesvm 0.16 under sBPF V3, LLVM 23 at level 3. "Own" are the operators of
//! `primitive_types::U256` in the same program.
//!
//! | | here | own |
//! |---|---|---|
//! | add | 19 - 25 | 32 - 40 |
//! | sub | 21 - 27 | 28 - 36 |
//! | mul 32 x 32, 64 x 64, 128 x 64 | 32, 48, 87 | 316 |
//! | mul 256 x 64, 128 x 128, 256 x 256 | 128, 153, 227 | 314 |
//! | div 64 / 64, 128 / 32, 128 / 64 | 28, 63, 112 | 347, 376, 425 |
//! | div 256 / 64, 128 / 128, 256 / 128, 256 / 256 | 204, 262, 418, 337 | 586, 815, 1644, 841 |
//! | rem 64 / 64, 256 / 64, 256 / 128, 256 / 256 | 27, 167, 418, 349 | 349, 588, 1646, 843 |
//! | sdiv, smod of small operands: positive, negative | 33, 98 | |
//! | addmod 64, 256 below the modulus, 256 | 108, 72, 509 | 802, 233, 1976 |
//! | mulmod 64, 128, 256, 256 by 2^256 - 1 | 142, 788, 1501, 629 | 1633, 3382, 4772, 4769 |
//! | exp 10^18, 3^200, 2^96 | 140, 690, 56 | 1732, 2853, 2256 |
//! | shl by 8, 96, 224, 256 | 35, 32, 25, 26 | 65, 58, 41, 23 |
//! | shr by 8, 96, 224, 256 | 35, 32, 25, 26 | 62, 57, 40, 16 |
//! | sar by 8, 96, 224, 256 | 35, 33, 26, 27 | |
//! | lt and its kind: top limbs differ, lowest do | 11, 19 | 10, 20 |
//! | eq: lowest limbs differ, equal | 9, 19 | a syscall |
//! | is_zero, byte, signextend, clz | 15, 18, 26, 29 | |
//! | and, or, xor; not | 16; 12 | |

mod addsub;
mod bits;
mod compare;
mod convert;
mod div;
mod exp;
mod limb;
mod modular;
mod mul;
mod shift;
mod signed;

pub use addsub::{add, sub};
pub use bits::{and, byte, clz, not, or, signextend, xor};
pub use compare::{eq, gt, is_zero, lt, sgt, slt};
pub use convert::{as_u64, as_u64_saturating, bit_len, byte_len};
pub use div::{div, rem};
pub use exp::exp;
pub use modular::{addmod, mulmod};
pub use mul::mul;
pub use shift::{sar, shl, shr};
pub use signed::{sdiv, smod};

use primitive_types::U256;

const ZERO: U256 = U256([0; 4]);
const ONE: U256 = U256([1, 0, 0, 0]);
