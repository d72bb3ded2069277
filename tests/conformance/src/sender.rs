//! Who signed a transaction.

use parhelion_emulator::Native;
use parhelion_executor::evm::H160;
use parhelion_executor::evm::crypto::Crypto;
use parhelion_wire::ProgramError;
use parhelion_wire::transaction::SignedTransaction;

/// The sender of a transaction whose signing payload is `payload`.
///
/// # Errors
/// [`ProgramError::InvalidSignature`] when nobody can have made the signature.
pub(crate) fn recover(signed: &SignedTransaction<'_>, payload: &[u8]) -> Result<H160, ProgramError> {
    let hash = Native.keccak256(&[payload]);
    let key = Native.secp256k1_recover(&hash, signed.signature.y_parity, &signed.signature.r_s());
    let hash = Native.keccak256(&[&key.ok_or(ProgramError::InvalidSignature)?]);
    let mut address = H160::zero();
    address.0.copy_from_slice(&hash[12..]);
    Ok(address)
}
