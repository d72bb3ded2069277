//! The accounts that the node signs for: those of a development chain. Other nodes have none.

use alloy_primitives::{Address, B256, Signature, U256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keys, and addresses that are impersonated: they need no key.
#[derive(Debug, Default)]
pub struct Wallet {
    signers: Vec<PrivateKeySigner>,
    impersonated: Mutex<Impersonated>,
}

/// Who sends without a key.
#[derive(Debug, Default)]
struct Impersonated {
    everybody: bool,
    addresses: HashSet<Address>,
}

/// How somebody signs.
pub(crate) enum Hand<'w> {
    /// With a key.
    Key(&'w PrivateKeySigner),
    /// Not at all: what stands in the place of the signature says who it is.
    None(Address),
}

impl Wallet {
    /// A wallet with these keys, in this order.
    #[must_use]
    pub fn new(signers: Vec<PrivateKeySigner>) -> Self {
        Self { signers, impersonated: Mutex::default() }
    }

    /// The addresses of the keys.
    pub fn addresses(&self) -> impl Iterator<Item = Address> {
        self.signers.iter().map(PrivateKeySigner::address)
    }

    /// Sends for an address from now on although it has no key here, or does not any more.
    pub fn impersonate(&self, address: Address, is_on: bool) {
        let addresses = &mut self.impersonated().addresses;
        if is_on {
            addresses.insert(address);
        } else {
            addresses.remove(&address);
        }
    }

    /// Sends for every address from now on, or does not any more.
    pub fn impersonate_everybody(&self, is_on: bool) {
        self.impersonated().everybody = is_on;
    }

    /// Whether it can sign or send for somebody.
    pub(crate) fn is_empty(&self) -> bool {
        self.signers.is_empty()
    }

    pub(crate) fn signer(&self, address: Address) -> Option<&PrivateKeySigner> {
        self.signers.iter().find(|signer| signer.address() == address)
    }

    /// How transactions of an address are signed, if they can be.
    pub(crate) fn hand(&self, address: Address) -> Option<Hand<'_>> {
        if let Some(signer) = self.signer(address) {
            return Some(Hand::Key(signer));
        }
        let impersonated = self.impersonated();
        (impersonated.everybody || impersonated.addresses.contains(&address)).then_some(Hand::None(address))
    }

    fn impersonated(&self) -> MutexGuard<'_, Impersonated> {
        // Every change is complete when the lock is given back.
        self.impersonated.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hand<'_> {
    /// The signature of a hash.
    pub(crate) fn sign(&self, hash: &B256) -> Result<Signature, alloy_signer::Error> {
        match self {
            Self::Key(signer) => signer.sign_hash_sync(hash),
            Self::None(address) => {
                // Above the address, because r is never zero, and the zero address sends as well.
                let r = U256::from_be_bytes(address.into_word().0) | (U256::ONE << 160);
                Ok(Signature::new(r, U256::ONE, false))
            }
        }
    }
}
