//! The records of a translation.
//!
//! A record begins with its number times 8, the handler's place in the table. Numbers below 256 are opcodes that are
//! there as they are; the others are below, with their operands in order. A conditional jump to a block has one operand
//! more in front: gas u16 that the block charged for what is behind the jump. Where a block is, is a u32 from the start of
//! the translation.

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
    /// PUSH, JUMP: block u32.
    264 JUMP_TO 4;
    /// PUSH, JUMPI: block u32.
    265 JUMPI_TO 6;
    /// ISZERO, PUSH, JUMPI: block u32.
    266 JUMP_IF_ZERO 6;
    /// EQ, PUSH, JUMPI: block u32.
    267 JUMP_IF_EQ 6;
    /// EQ, ISZERO, PUSH, JUMPI: block u32.
    268 JUMP_IF_NE 6;
    /// LT, PUSH, JUMPI: block u32.
    269 JUMP_IF_LT 6;
    /// LT, ISZERO, PUSH, JUMPI: block u32.
    270 JUMP_IF_GE 6;
    /// GT, PUSH, JUMPI: block u32.
    271 JUMP_IF_GT 6;
    /// GT, ISZERO, PUSH, JUMPI: block u32.
    272 JUMP_IF_LE 6;
    /// SLT, PUSH, JUMPI: block u32.
    273 JUMP_IF_SLT 6;
    /// SLT, ISZERO, PUSH, JUMPI: block u32.
    274 JUMP_IF_SGE 6;
    /// DUP1, PUSH4, EQ, PUSH, JUMPI: selector u32, block u32.
    275 SELECT 10;
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
    /// DUPn, PUSH, JUMPI: block u32, 32 n u16.
    306 DUP_JUMPI_TO 8;
    /// DUPn, ISZERO, PUSH, JUMPI: block u32, 32 n u16.
    307 DUP_JUMP_IF_ZERO 8;
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
    /// DUPn, LT, PUSH, JUMPI: block u32, 32 n u16.
    313 DUP_JUMP_IF_LT 8;
    /// DUPn, LT, ISZERO, PUSH, JUMPI: block u32, 32 n u16.
    314 DUP_JUMP_IF_GE 8;
    /// DUPn, GT, PUSH, JUMPI: block u32, 32 n u16.
    315 DUP_JUMP_IF_GT 8;
    /// DUPn, GT, ISZERO, PUSH, JUMPI: block u32, 32 n u16.
    316 DUP_JUMP_IF_LE 8;
    /// DUPn, EQ, PUSH, JUMPI: block u32, 32 n u16.
    317 DUP_JUMP_IF_EQ 8;
    /// DUPn, EQ, ISZERO, PUSH, JUMPI: block u32, 32 n u16.
    318 DUP_JUMP_IF_NE 8;
    /// DUP1, PUSH4, GT, PUSH, JUMPI: selector u32, block u32.
    319 SELECT_BELOW 10;
    /// PUSH, CALLDATASIZE, LT, PUSH, JUMPI: block u32, size u16.
    320 JUMP_IF_SHORT 8;
    /// PUSH, SWAP1: the number u16 under the top.
    321 INSERT_16 2;
    /// PUSH, SWAP2, SWAP1: the number u16 under two words.
    322 INSERT_16_BELOW 2;
    /// PUSH, SWAPn, DUPn+1, MSTORE: stores a word at the offset u16, which takes the word's place; 32 n u16.
    323 MSTORE_AND_16 4;
    /// PUSH, DUP2, SWAP1, MSTORE: stores the top at the offset u16 and keeps it.
    324 KEEP_MSTORE_16 2;
    /// PUSH, KECCAK256: offset u16.
    325 KECCAK256_AT 2;
    /// PUSH, SWAP1, KECCAK256: length u16.
    326 KECCAK256_OF 2;
    /// PUSH, SWAP1, SWAP2, KECCAK256: length u16; the offset is under the top, which the hash comes on.
    327 KECCAK256_BELOW 2;
    /// PUSH 0, CALLDATALOAD, PUSH1 224, SHR: the function selector.
    328 SELECTOR 0;
    /// DUP1, SWAP2, SUB, SWAP1: the word under the top, less the top.
    329 SUB_BELOW 0;
    /// DUPn, SWAP1, SUB: the top less the copy; 32 n u16.
    330 SUB_DUP 2;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_one_another() {
        assert_eq!(COUNT, usize::from(SUB_DUP) + 1);
        assert_eq!((length(BEGIN), length(SELECT), length(0x01)), (9, 12, 2));
    }
}
