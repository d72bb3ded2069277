//! The records of a translation.
//!
//! A record begins with its number times 8, the handler's place in the table. Numbers below 256 are opcodes that are
//! there as they are; the others are below, with their operands in order. A conditional jump to an entry has one operand
//! more in front: gas u16 that the block charged for what is behind the jump.

/// Bytes of a handler's place in the table.
pub(crate) const SCALE: u16 = 8;

macro_rules! records {
    ($($(#[$doc:meta])+ $number:literal $name:ident $operands:literal;)+) => {
        $($(#[$doc])+ pub(crate) const $name: u16 = $number;)+

        /// How many handlers there are.
        pub(crate) const COUNT: usize = 256 + [$($number,)+].len();

        /// Bytes of a record, its number included.
        pub(crate) const fn length(number: u16) -> usize {
            match number {
                $($number => 2 + $operands,)+
                _ => 2,
            }
        }
    };
}

records! {
    /// A block: gas u16, bytes of stack that must be there u16, code position u16, records u8.
    256 BEGIN 7;
    /// Pushes a number u8.
    257 PUSH_8 1;
    /// Pushes a number u16.
    258 PUSH_16 2;
    /// Pushes a number u32.
    259 PUSH_32 4;
    /// Pushes a number u64.
    260 PUSH_64 8;
    /// Pushes a number of 20 bytes.
    261 PUSH_160 20;
    /// Pushes a number of 32 bytes.
    262 PUSH_256 32;
    /// GAS; u16 is what the block charged for later opcodes.
    263 GAS_AND 2;
    /// PUSH, JUMP: entry u16.
    264 JUMP_TO 2;
    /// PUSH, JUMPI: entry u16.
    265 JUMPI_TO 4;
    /// ISZERO, PUSH, JUMPI: entry u16.
    266 JUMP_IF_ZERO 4;
    /// EQ, PUSH, JUMPI: entry u16.
    267 JUMP_IF_EQ 4;
    /// EQ, ISZERO, PUSH, JUMPI: entry u16.
    268 JUMP_IF_NE 4;
    /// LT, PUSH, JUMPI: entry u16.
    269 JUMP_IF_LT 4;
    /// LT, ISZERO, PUSH, JUMPI: entry u16.
    270 JUMP_IF_GE 4;
    /// GT, PUSH, JUMPI: entry u16.
    271 JUMP_IF_GT 4;
    /// GT, ISZERO, PUSH, JUMPI: entry u16.
    272 JUMP_IF_LE 4;
    /// SLT, PUSH, JUMPI: entry u16.
    273 JUMP_IF_SLT 4;
    /// SLT, ISZERO, PUSH, JUMPI: entry u16.
    274 JUMP_IF_SGE 4;
    /// DUP1, PUSH4, EQ, PUSH, JUMPI: selector u32, entry u16.
    275 SELECT 8;
    /// PUSH, ADD: number u16.
    276 ADD_16 2;
    /// PUSH, SUB: number u16 less the top.
    277 SUB_FROM_16 2;
    /// PUSH, MUL: number u16.
    278 MUL_16 2;
    /// PUSH, AND: number u16.
    279 AND_16 2;
    /// PUSH, EQ: number u16.
    280 EQ_16 2;
    /// PUSH, LT: number u16 less than the top.
    281 LT_16 2;
    /// PUSH, GT: number u16 greater than the top.
    282 GT_16 2;
    /// PUSH, SHL: by u16 bits.
    283 SHL_16 2;
    /// PUSH, SHR: by u16 bits.
    284 SHR_16 2;
    /// PUSH, MLOAD: offset u16.
    285 MLOAD_16 2;
    /// PUSH, MSTORE: offset u16.
    286 MSTORE_16 2;
    /// PUSH 2^160 - 1, AND.
    287 AND_160 0;
    /// DUPn, ADD: 32 n u16.
    288 DUP_ADD 2;
    /// DUPn, SUB: 32 n u16.
    289 DUP_SUB 2;
    /// DUPn, MUL: 32 n u16.
    290 DUP_MUL 2;
    /// DUPn, AND: 32 n u16.
    291 DUP_AND 2;
    /// DUPn, LT: 32 n u16.
    292 DUP_LT 2;
    /// DUPn, GT: 32 n u16.
    293 DUP_GT 2;
    /// DUPn, EQ: 32 n u16.
    294 DUP_EQ 2;
    /// DUPn, MLOAD: 32 n u16.
    295 DUP_MLOAD 2;
    /// DUPn, MSTORE: 32 n u16.
    296 DUP_MSTORE 2;
    /// SWAPn, POP: 32 n u16.
    297 SWAP_POP 2;
    /// POP, POP.
    298 POP_2 0;
    /// ISZERO, ISZERO.
    299 IS_NONZERO 0;
    /// PUSH 224, SHR: the function selector.
    300 SHR_224 0;
    /// SWAPn+1, SWAPn, n POPs, JUMP, as functions end that return a word (n may be 0): 32 (n + 2) u16.
    301 LEAVE 2;
    /// n POPs, JUMP: 32 n u16.
    302 POP_JUMP 2;
    /// PUSH 2^160 - 1, DUPn+1, AND: 32 n u16.
    303 DUP_AND_160 2;
    /// PUSH 2^8n - 1, AND: n u16.
    304 AND_LOW 2;
    /// PUSH 2^8n - 1, DUPm+1, AND: n u16, 32 m u16.
    305 DUP_AND_LOW 4;
    /// DUPn, PUSH, JUMPI: entry u16, 32 n u16.
    306 DUP_JUMPI_TO 6;
    /// DUPn, ISZERO, PUSH, JUMPI: entry u16, 32 n u16.
    307 DUP_JUMP_IF_ZERO 6;
    /// SWAP1, MSTORE.
    308 SWAP_MSTORE 0;
    /// DUP2, SWAP1, MSTORE.
    309 KEEP_MSTORE 0;
    /// PUSH, DUPn+1, ADD: number u16, 32 n u16.
    310 DUP_ADD_16 4;
    /// SWAP1, SWAP2: the third word comes to the top.
    311 SWAP1_SWAP2 0;
    /// SWAP2, SWAP1: the top becomes the third word.
    312 SWAP2_SWAP1 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_one_another() {
        assert_eq!(COUNT, usize::from(SWAP2_SWAP1) + 1);
        assert_eq!((length(BEGIN), length(SELECT), length(0x01)), (9, 10, 2));
    }
}
