//! The loader's instructions, by its official interface crate.

use super::account::buffer_bytes;
use crate::address::sha256;
use solana_address::Address;
use solana_instruction::error::InstructionError;
use solana_instruction::{AccountMeta, Instruction};
use solana_loader_v3_interface::instruction::{self as loader, UpgradeableLoaderInstruction};
use solana_system_interface::instruction::{allocate_with_seed, assign_with_seed, transfer};

/// Bytes that one [`write()`] can hold: the loader decodes 1,232 bytes, of which 16 are the tag, the offset and the
/// length.
pub const PIECE_BYTES_MAX: usize = 1216;

/// The least that [`extend`] may add (SIMD-0431).
pub const EXTEND_BYTES_MIN: u32 = loader::MINIMUM_EXTEND_PROGRAM_BYTES;

/// The seed of the buffer's address: the same for whatever bytes are written, so that no buffer is ever forgotten.
fn buffer_seed(program_id: &Address) -> String {
    let hash = sha256(&[program_id.as_ref()]);
    let hex: String = hash.iter().take(11).map(|byte| format!("{byte:02x}")).collect();
    format!("parhelion{hex}")
}

/// Where `authority` writes what is to become the program at `program_id`.
#[must_use]
pub fn buffer_address(authority: &Address, program_id: &Address) -> Address {
    let hash = sha256(&[authority.as_ref(), buffer_seed(program_id).as_bytes(), super::ID.as_ref()]);
    Address::new_from_array(hash)
}

/// Creates the buffer for a program file of `length` bytes. `lamports` is what its address lacks of the rent exemption of
/// [`buffer_bytes`]: everything, unless somebody sent something there. All of them belong into one transaction, or
/// somebody else could take the buffer.
#[must_use]
pub fn create_buffer(
    authority: &Address,
    program_id: &Address,
    length: usize,
    lamports: u64,
) -> Vec<Instruction> {
    let buffer = buffer_address(authority, program_id);
    let seed = buffer_seed(program_id);
    let space = buffer_bytes(length) as u64;
    let accounts = vec![AccountMeta::new(buffer, false), AccountMeta::new_readonly(*authority, false)];
    // Not one `create_account_with_seed`: that refuses an address to which somebody sent a lamport.
    vec![
        transfer(authority, &buffer, lamports),
        allocate_with_seed(&buffer, authority, &seed, space, &super::ID),
        assign_with_seed(&buffer, authority, &seed, &super::ID),
        Instruction::new_with_wincode(super::ID, &UpgradeableLoaderInstruction::InitializeBuffer, accounts),
    ]
}

/// Writes a piece of at most [`PIECE_BYTES_MAX`] bytes into the buffer, `offset` bytes after the file's beginning.
#[must_use]
pub fn write(authority: &Address, program_id: &Address, offset: u32, piece: &[u8]) -> Instruction {
    loader::write(&buffer_address(authority, program_id), authority, offset, piece.to_vec())
}

/// Makes the buffer's content the program at `program_id`, whose key signs too. `lamports` exempt [`super::PROGRAM_BYTES`]
/// from rent; the authority pays the rent of ProgramData as well, and gets that of the buffer. `length` is that of the
/// file; an upgrade to a larger one needs [`extend`].
///
/// # Errors
/// None with the loader's present interface.
pub fn deploy(
    authority: &Address,
    program_id: &Address,
    lamports: u64,
    length: usize,
) -> Result<Vec<Instruction>, InstructionError> {
    let buffer = buffer_address(authority, program_id);
    loader::deploy_with_max_program_len(authority, program_id, &buffer, authority, lamports, length, true)
}

/// Makes the buffer's content the program's new file. The buffer's lamports go to the authority.
#[must_use]
pub fn upgrade(authority: &Address, program_id: &Address) -> Instruction {
    loader::upgrade(program_id, &buffer_address(authority, program_id), authority, authority, true)
}

/// Makes ProgramData larger; `payer` pays the rent. Neither in the slot of a deployment or upgrade nor before one.
#[must_use]
pub fn extend(payer: &Address, program_id: &Address, bytes: u32) -> Instruction {
    loader::extend_program(program_id, Some(payer), bytes)
}

/// Closes the buffer; its lamports go back to the authority.
#[must_use]
pub fn close_buffer(authority: &Address, program_id: &Address) -> Instruction {
    loader::close(&buffer_address(authority, program_id), authority, authority, false)
}
