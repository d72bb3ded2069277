//! Ethereum accounts that sign.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, Bytes, TxKind, U256, keccak256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use parhelion_core::transaction::{Transaction, encode};

/// An Ethereum account that counts its own nonce.
#[derive(Clone, Debug)]
pub struct Wallet {
    signer: PrivateKeySigner,
    /// The next nonce.
    pub nonce: u64,
}

/// The chain id of test chains.
pub const CHAIN_ID: u64 = 31_337;
/// The base fee of test chains in wei: a gas is a lamport.
pub const BASE_FEE: u128 = 1_000_000_000;

impl Wallet {
    /// The wallet of a number: always the same key for the same number.
    ///
    /// # Panics
    /// Never for numbers that tests use.
    #[must_use]
    pub fn new(number: u64) -> Self {
        let secret = keccak256(number.to_be_bytes());
        let signer = PrivateKeySigner::from_bytes(&secret).expect("a hash is a valid key");
        Self { signer, nonce: 0 }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.signer.address()
    }

    /// A transaction with the next nonce, not signed.
    #[must_use]
    pub fn draft(
        &self,
        to: Option<Address>,
        value: U256,
        input: impl Into<Bytes>,
        gas_limit: u64,
    ) -> TxEip1559 {
        TxEip1559 {
            chain_id: CHAIN_ID,
            nonce: self.nonce,
            gas_limit,
            max_fee_per_gas: BASE_FEE,
            max_priority_fee_per_gas: 0,
            to: to.map_or(TxKind::Create, TxKind::Call),
            value,
            access_list: Default::default(),
            input: input.into(),
        }
    }

    /// Signs an EIP-7702 authorization.
    ///
    /// # Panics
    /// Never: a local key signs.
    #[must_use]
    pub fn authorize(&self, authorization: Authorization) -> SignedAuthorization {
        let signature =
            self.signer.sign_hash_sync(&authorization.signature_hash()).expect("a local key signs");
        authorization.into_signed(signature)
    }

    /// Signs a transaction; the nonce is not counted.
    ///
    /// # Panics
    /// Never: a local key signs.
    #[must_use]
    pub fn sign<T>(&self, transaction: T) -> Transaction
    where
        T: SignableTransaction<alloy_primitives::Signature>,
        TxEnvelope: From<alloy_consensus::Signed<T>>,
    {
        let signature = self.signer.sign_hash_sync(&transaction.signature_hash()).expect("a local key signs");
        let raw = encode(&TxEnvelope::from(transaction.into_signed(signature)));
        Transaction::decode(raw).expect("what was just signed decodes")
    }

    /// A signed transaction with the next nonce, which is counted.
    #[must_use]
    pub fn send(
        &mut self,
        to: Option<Address>,
        value: U256,
        input: impl Into<Bytes>,
        gas_limit: u64,
    ) -> Transaction {
        let transaction = self.sign(self.draft(to, value, input, gas_limit));
        self.nonce += 1;
        transaction
    }
}
