//! Who signed: by recovery on chain, or by a secp256k1 instruction in the same Solana transaction.

use crate::account::{Account, is_same};
use crate::crypto::{Syscalls, keccak256};
use crate::input::Input;
use parhelion_evm::crypto::Crypto;
use parhelion_wire::instruction::Execute;
use parhelion_wire::transaction::Envelope;
use parhelion_wire::{ProgramError, Pubkey};
use solana_define_syscall::definitions::sol_get_stack_height;
use solana_program::{secp256k1_program, sysvar};

/// Recovers the signer (25,000 CU) and compares it with the envelope's sender.
pub(super) fn recover(envelope: &Envelope<'_>) -> Result<(), ProgramError> {
    let hash = keccak256(&[envelope.payload]);
    let signature = &envelope.signature;
    let key = Syscalls
        .secp256k1_recover(&hash, signature.y_parity, &signature.r_s())
        .ok_or(ProgramError::InvalidSignature)?;
    if keccak256(&[&key])[12..] == envelope.sender.0 { Ok(()) } else { Err(ProgramError::WrongSender) }
}

/// The runtime's stack height in an instruction that no program invoked.
const TOP_LEVEL: u64 = 1;

/// Checks that instruction `index` of the Solana transaction is a secp256k1 instruction over exactly this
/// instruction's envelope. The runtime has verified it before anything ran.
///
/// The secp256k1 instruction points into the data of a *top-level* instruction. If another program invoked this
/// one, that data would be the other program's and could hold anything, so this must be the top level.
pub(super) fn check_instruction(
    input: &Input<'_>,
    index: u8,
    envelope: &Envelope<'_>,
) -> Result<(), ProgramError> {
    // SAFETY: the syscall takes nothing and returns a number.
    if unsafe { sol_get_stack_height() } != TOP_LEVEL {
        return Err(ProgramError::SignatureProof);
    }
    let sysvar = input
        .accounts
        .iter()
        .find(|account| is_same(account.key(), sysvar::instructions::ID.as_array()))
        .ok_or(ProgramError::AccountMissing)?;
    let (current, program, data) = instruction(sysvar, index).ok_or(ProgramError::SignatureProof)?;
    let expected = offsets(current, envelope.payload.len()).ok_or(ProgramError::SignatureProof)?;
    if *program == secp256k1_program::ID.to_bytes() && *data == expected {
        Ok(())
    } else {
        Err(ProgramError::SignatureProof)
    }
}

/// The data of a secp256k1 instruction that proves the envelope in instruction `current`: one signature, and where
/// signature, address and message are.
fn offsets(current: u8, payload_length: usize) -> Option<[u8; 12]> {
    let signature = (Execute::ENVELOPE_OFFSET + Envelope::SIGNATURE_OFFSET) as u16;
    let address = (Execute::ENVELOPE_OFFSET + Envelope::SENDER_OFFSET) as u16;
    let message = (Execute::ENVELOPE_OFFSET + Envelope::PAYLOAD_OFFSET) as u16;
    let length = u16::try_from(payload_length).ok()?;
    let mut data = [0; 12];
    data[0] = 1;
    data[1..3].copy_from_slice(&signature.to_le_bytes());
    data[3] = current;
    data[4..6].copy_from_slice(&address.to_le_bytes());
    data[6] = current;
    data[7..9].copy_from_slice(&message.to_le_bytes());
    data[9..11].copy_from_slice(&length.to_le_bytes());
    data[11] = current;
    Some(data)
}

/// From the Instructions sysvar: the index of the running instruction, and program and data of instruction `index`.
///
/// ```text
/// count u16 ┼ count x offset u16 ┼ instructions … ┼ current index u16
/// instruction: accounts n: u16 ┼ n x (flags u8 ┼ key 32) ┼ program 32 ┼ length u16 ┼ data
/// ```
fn instruction<'a>(sysvar: &'a Account<'_>, index: u8) -> Option<(u8, &'a Pubkey, &'a [u8])> {
    let bytes = sysvar.data();
    let u16_at = |offset: usize| {
        bytes.get(offset..offset + 2).map(|bytes| usize::from(u16::from_le_bytes([bytes[0], bytes[1]])))
    };
    let current = u8::try_from(u16_at(bytes.len().checked_sub(2)?)?).ok()?;
    if usize::from(index) >= u16_at(0)? {
        return None;
    }
    let start = u16_at(2 + 2 * usize::from(index))?;
    let program = start + 2 + 33 * u16_at(start)?;
    let length = u16_at(program + 32)?;
    let data = bytes.get(program + 34..program + 34 + length)?;
    Some((current, bytes.get(program..program + 32)?.try_into().ok()?, data))
}
