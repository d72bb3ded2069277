//! Who signed: by recovery on chain, or by a secp256k1 instruction in the same Solana transaction.

use crate::account::is_same;
use crate::crypto::{Syscalls, keccak256};
use crate::input::Input;
use parhelion_evm::crypto::Crypto;
use parhelion_wire::instruction::Execute;
use parhelion_wire::transaction::Envelope;
use parhelion_wire::{ProgramError, Pubkey};
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

/// Checks that instruction `index` of the Solana transaction is a secp256k1 instruction over exactly this
/// instruction's envelope. The runtime has verified it before anything ran.
///
/// The secp256k1 instruction points into the data of a *top-level* instruction. If another program invoked this
/// one, that data would be the other program's and could hold anything, so this must be the top level: the top-level
/// instruction is one of this program, which invokes the System program and its own `event` only, so nobody else is
/// between the two.
pub(super) fn check_instruction(
    input: &Input<'_>,
    index: u8,
    envelope: &Envelope<'_>,
) -> Result<(), ProgramError> {
    let sysvar = input
        .accounts
        .iter()
        .find(|account| is_same(account.key(), sysvar::instructions::ID.as_array()))
        .ok_or(ProgramError::AccountMissing)?;
    if is_proven(sysvar.data(), input.program_id, index, envelope) == Some(true) {
        Ok(())
    } else {
        Err(ProgramError::SignatureProof)
    }
}

/// Whether the Instructions sysvar says so; `None` when it lacks such instructions.
fn is_proven(sysvar: &[u8], program_id: &Pubkey, index: u8, envelope: &Envelope<'_>) -> Option<bool> {
    let current = u8::try_from(u16_at(sysvar, sysvar.len().checked_sub(2)?)?).ok()?;
    let (top_level, _) = instruction(sysvar, current)?;
    let (prover, data) = instruction(sysvar, index)?;
    let expected = offsets(current, envelope.payload.len())?;
    Some(
        is_same(top_level, program_id)
            && is_same(prover, secp256k1_program::ID.as_array())
            && *data == expected,
    )
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

/// Program and data of an instruction of the Instructions sysvar.
///
/// ```text
/// count u16 ┼ count x offset u16 ┼ instructions … ┼ current index u16
/// instruction: accounts n: u16 ┼ n x (flags u8 ┼ key 32) ┼ program 32 ┼ length u16 ┼ data
/// ```
fn instruction(sysvar: &[u8], index: u8) -> Option<(&Pubkey, &[u8])> {
    if usize::from(index) >= u16_at(sysvar, 0)? {
        return None;
    }
    let start = u16_at(sysvar, 2 + 2 * usize::from(index))?;
    let program = start + 2 + 33 * u16_at(sysvar, start)?;
    let length = u16_at(sysvar, program + 32)?;
    let data = sysvar.get(program + 34..program + 34 + length)?;
    Some((sysvar.get(program..program + 32)?.as_array()?, data))
}

/// The number at an offset.
fn u16_at(bytes: &[u8], offset: usize) -> Option<usize> {
    let number = bytes.get(offset..)?.first_chunk::<2>()?;
    Some(usize::from(u16::from_le_bytes(*number)))
}
