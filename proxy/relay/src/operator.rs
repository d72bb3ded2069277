//! Who signs and pays for Solana transactions.

use alloy_primitives::Address as EthereumAddress;
use solana_address::Address;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// A Solana key that lands transactions, and the Ethereum address that gets the fees for it.
pub struct Operator {
    /// Signs and pays.
    pub keypair: Keypair,
    /// COINBASE of its transactions. It must have a Balance account: deposit to it once.
    pub coinbase: EthereumAddress,
}

impl Operator {
    /// The operator's Solana address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.keypair.pubkey()
    }
}

impl std::fmt::Debug for Operator {
    /// Shows no secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "operator {} with coinbase {}", self.address(), self.coinbase)
    }
}
