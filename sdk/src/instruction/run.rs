//! `execute`, `execute_from_holder`, and the proof of a signature by the secp256k1 precompile.

use super::{config, of_program, program};
use crate::address::holder_address;
use crate::convert::{EthereumAddress, to_h160};
use parhelion_wire::address::Deployment;
use parhelion_wire::instruction::{Execute, ExecuteFromHolder, RECOVER_ON_CHAIN, tag};
use parhelion_wire::transaction::Envelope;
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};
use solana_sdk_ids::secp256k1_program;

/// An account of a run, as the emulation recorded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunAccount {
    /// Where it is.
    pub address: Address,
    /// Whether the run writes it.
    pub writable: bool,
}

impl RunAccount {
    /// An account that the run reads.
    #[must_use]
    pub const fn read(address: Address) -> Self {
        Self { address, writable: false }
    }

    /// An account that the run writes.
    #[must_use]
    pub const fn write(address: Address) -> Self {
        Self { address, writable: true }
    }

    pub(super) fn meta(&self) -> AccountMeta {
        if self.writable {
            AccountMeta::new(self.address, false)
        } else {
            AccountMeta::new_readonly(self.address, false)
        }
    }
}

/// How the program learns that the envelope's sender signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureProof {
    /// The program recovers the signer itself: 25,000 CU.
    Recover,
    /// The instruction of this index in the same transaction is [`secp256k1_proof`]: none of the program's CU. The
    /// run's accounts must hold the Instructions sysvar, through which the program sees that instruction.
    Instruction(u8),
}

/// Runs the Ethereum transaction in `envelope` (the bytes of [`Envelope`]).
///
/// `accounts` are the run's accounts as the emulation recorded them, in any order and each once; where needed they
/// hold the System program, the Instructions sysvar, the vault and the payee of a withdrawal too.
#[must_use]
pub fn execute(
    deployment: &Deployment,
    operator: &Address,
    coinbase: EthereumAddress,
    proof: SignatureProof,
    envelope: &[u8],
    accounts: &[RunAccount],
) -> Instruction {
    let proof = match proof {
        SignatureProof::Recover => RECOVER_ON_CHAIN,
        SignatureProof::Instruction(index) => index,
    };
    let coinbase = to_h160(coinbase);
    let mut data = Vec::with_capacity(Execute::ENVELOPE_OFFSET + envelope.len());
    data.extend_from_slice(&[tag::EXECUTE, proof]);
    data.extend_from_slice(&coinbase.0);
    data.extend_from_slice(envelope);
    let fixed = [AccountMeta::new(*operator, true), config(deployment), program(deployment)];
    of_program(deployment, fixed.into_iter().chain(accounts.iter().map(RunAccount::meta)).collect(), data)
}

/// Runs the Ethereum transaction in the operator's holder `index`. See [`execute`] for the accounts.
#[must_use]
pub fn execute_from_holder(
    deployment: &Deployment,
    operator: &Address,
    coinbase: EthereumAddress,
    index: u32,
    accounts: &[RunAccount],
) -> Instruction {
    let fixed = [
        AccountMeta::new(*operator, true),
        config(deployment),
        program(deployment),
        AccountMeta::new_readonly(holder_address(deployment, operator, index), false),
    ];
    let data = ExecuteFromHolder { coinbase: to_h160(coinbase) }.encode().to_vec();
    of_program(deployment, fixed.into_iter().chain(accounts.iter().map(RunAccount::meta)).collect(), data)
}

/// An envelope that no instruction can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an envelope of {length} bytes does not fit an instruction: write it into a holder and use \
     execute_from_holder"
)]
pub struct EnvelopeTooLarge {
    /// Its length in bytes.
    pub length: usize,
}

/// Proves, with Solana's secp256k1 precompile, the signature of the envelope inside the [`execute`] instruction at
/// `execute_index` of the same transaction.
///
/// The data is a count, 1, and one struct of offsets (little-endian) that all point into that instruction's data:
///
/// ```text
///  0       1                  3                 4                5                 6
///  ├ count ┼ signature offset ┼ its instruction ┼ address offset ┼ its instruction ┼ …
///            … message offset ┼ message length ┼ its instruction ┤
///              7                9                11              12
/// ```
///
/// The precompile reads r, s and the recovery id from [`Envelope::SIGNATURE_OFFSET`] on, hashes the message (the
/// signing payload) with Keccak-256, recovers the signer and compares it with the address in the envelope.
///
/// # Errors
/// [`EnvelopeTooLarge`] when the payload's length does not fit 16 bits.
pub fn secp256k1_proof(execute_index: u8, envelope_length: usize) -> Result<Instruction, EnvelopeTooLarge> {
    const SENDER: u16 = (Execute::ENVELOPE_OFFSET + Envelope::SENDER_OFFSET) as u16;
    const SIGNATURE: u16 = (Execute::ENVELOPE_OFFSET + Envelope::SIGNATURE_OFFSET) as u16;
    const PAYLOAD: u16 = (Execute::ENVELOPE_OFFSET + Envelope::PAYLOAD_OFFSET) as u16;

    let payload_length = envelope_length
        .checked_sub(Envelope::PAYLOAD_OFFSET)
        .and_then(|length| u16::try_from(length).ok())
        .ok_or(EnvelopeTooLarge { length: envelope_length })?;
    let mut data = vec![1];
    for offset in [SIGNATURE, SENDER] {
        data.extend_from_slice(&offset.to_le_bytes());
        data.push(execute_index);
    }
    data.extend_from_slice(&PAYLOAD.to_le_bytes());
    data.extend_from_slice(&payload_length.to_le_bytes());
    data.push(execute_index);
    Ok(Instruction { program_id: secp256k1_program::ID, accounts: vec![], data })
}
