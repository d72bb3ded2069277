//! `initialize`, `configure`, `deposit`: the chain's settings and value from Solana.

use super::take;
use crate::Pubkey;
use crate::error::ProgramError;
use borsh::{BorshDeserialize, BorshSerialize};
use primitive_types::H160;

/// Creates Config and Vault. Only the program's upgrade authority may, so nobody can come first.
///
/// Tag, then [borsh](https://borsh.io).
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Initialize {
    /// The Ethereum chain id (EIP-155), not 0.
    pub chain_id: u64,
    /// Base fee in wei per gas, not 0: rent gas is priced by the gas price.
    pub base_fee: u64,
    /// The block gas limit.
    pub block_gas_limit: u64,
    /// The Solana key that may change the settings.
    pub authority: Pubkey,
}

/// Changes settings; what is `None` stays.
///
/// Tag, then [borsh](https://borsh.io).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Configure {
    /// Base fee in wei per gas, not 0.
    pub base_fee: Option<u64>,
    /// The block gas limit.
    pub block_gas_limit: Option<u64>,
    /// Pause the chain, or let it go on.
    pub paused: Option<bool>,
    /// Hand the settings over to another Solana key.
    pub authority: Option<Pubkey>,
}

/// Decodes the borsh data behind a tag; bytes left over are an error.
macro_rules! borsh_instruction {
    ($name:ident, $tag:ident) => {
        impl $name {
            /// Decodes the data behind the tag.
            ///
            /// # Errors
            /// [`ProgramError::MalformedInstruction`].
            pub fn decode(data: &[u8]) -> Result<Self, ProgramError> {
                Self::try_from_slice(data).map_err(|_| ProgramError::MalformedInstruction)
            }

            /// The instruction's data.
            #[cfg(feature = "alloc")]
            #[must_use]
            pub fn encode(&self) -> alloc::vec::Vec<u8> {
                let mut data = alloc::vec![super::tag::$tag];
                // Writing to a Vec cannot fail.
                let _ = self.serialize(&mut data);
                data
            }
        }
    };
}
borsh_instruction!(Initialize, INITIALIZE);
borsh_instruction!(Configure, CONFIGURE);

/// Moves lamports from a Solana key into the vault and credits them to an Ethereum address.
///
/// ```text
///  0     1         21         29
///  ├ tag ┼ address ┼ lamports ┤
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// Who is credited.
    pub address: H160,
    /// How much; the rent of a new Balance account comes on top, from the payer.
    pub lamports: u64,
}

impl Deposit {
    /// Decodes the data behind the tag.
    ///
    /// # Errors
    /// [`ProgramError::MalformedInstruction`].
    pub fn decode(mut data: &[u8]) -> Result<Self, ProgramError> {
        let address = H160(*take(&mut data)?);
        let lamports = u64::from_le_bytes(*take(&mut data)?);
        super::end(data)?;
        Ok(Self { address, lamports })
    }

    /// The instruction's data.
    #[must_use]
    pub fn encode(&self) -> [u8; 29] {
        let mut data = [super::tag::DEPOSIT; 29];
        data[1..21].copy_from_slice(&self.address.0);
        data[21..].copy_from_slice(&self.lamports.to_le_bytes());
        data
    }
}
