//! Where the program's accounts live.
//!
//! The scheme is in [`parhelion_wire::address`]; here it meets Solana's address type and a hash function.

use alloy_primitives::Keccak256;
use parhelion_wire::address::{AccountKey, CONFIG_SEED, Deployment, Seed, VAULT_SEED, with_seed};
use sha2::{Digest, Sha256};
use solana_address::Address;
use solana_sdk_ids::bpf_loader_upgradeable;

/// SHA-256 over the concatenation of `parts`: a [`parhelion_wire::Hash`].
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Keccak-256 over the concatenation of `parts`: a [`parhelion_wire::Hash`].
#[must_use]
pub fn keccak256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Keccak256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().0
}

/// The addresses of the program at `program_id`: searches the two bump seeds, so keep the result.
#[must_use]
pub fn deployment(program_id: &Address) -> Deployment {
    let find = |seed: &[u8]| Address::find_program_address(&[seed], program_id).0.to_bytes();
    Deployment { program_id: program_id.to_bytes(), config: find(CONFIG_SEED), vault: find(VAULT_SEED) }
}

/// The bump seeds of the config and of the vault, in this order, as Config stores them.
#[must_use]
pub fn bumps(program_id: &Address) -> (u8, u8) {
    let find = |seed: &[u8]| Address::find_program_address(&[seed], program_id).1;
    (find(CONFIG_SEED), find(VAULT_SEED))
}

/// The address of `key`'s account.
#[must_use]
pub fn account_address(deployment: &Deployment, key: &AccountKey) -> Address {
    Address::new_from_array(deployment.address(key, sha256))
}

/// The address of an operator's holder.
#[must_use]
pub fn holder_address(deployment: &Deployment, operator: &Address, index: u32) -> Address {
    let seed = Seed::of_holder(index);
    let address = with_seed(operator.as_array(), seed.as_bytes(), &deployment.program_id, sha256);
    Address::new_from_array(address)
}

/// The account of Solana's upgradeable loader that holds a program's code and its upgrade authority.
#[must_use]
pub fn program_data_address(program_id: &Address) -> Address {
    Address::find_program_address(&[program_id.as_ref()], &bpf_loader_upgradeable::ID).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use parhelion_wire::address::split_storage_key;
    use parhelion_wire::{H160, H256, U256};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn addresses_are_those_of_create_account_with_seed(
            program: [u8; 32], address: [u8; 20], hash: [u8; 32], operator: [u8; 32], index: u32,
        ) {
            let program = Address::new_from_array(program);
            let deployment = deployment(&program);
            let config = Address::new_from_array(deployment.config);
            let (cell, _) = split_storage_key(&U256::from_big_endian(&hash));
            for key in [
                AccountKey::Balance(H160(address)),
                AccountKey::Contract(H160(address)),
                AccountKey::Code(H256(hash)),
                AccountKey::Cell(H160(address), cell),
            ] {
                let seed = Seed::of(&key, sha256);
                let expected = Address::create_with_seed(&config, seed.as_str(), &program);
                prop_assert_eq!(Ok(account_address(&deployment, &key)), expected);
            }
            let operator = Address::new_from_array(operator);
            let expected = Address::create_with_seed(&operator, &format!("holder{index}"), &program);
            prop_assert_eq!(Ok(holder_address(&deployment, &operator, index)), expected);
        }
    }

    #[test]
    fn config_and_vault_are_program_derived() {
        let program = Address::new_from_array([9; 32]);
        let deployment = deployment(&program);
        let (config, config_bump) = Address::find_program_address(&[b"config"], &program);
        let (vault, vault_bump) = Address::find_program_address(&[b"vault"], &program);
        assert_eq!((deployment.config, deployment.vault), (config.to_bytes(), vault.to_bytes()));
        assert_eq!(bumps(&program), (config_bump, vault_bump));
        assert_eq!(account_address(&deployment, &AccountKey::Vault), vault);
        assert_eq!(account_address(&deployment, &AccountKey::External([5; 32])).to_bytes(), [5; 32]);
    }

    #[test]
    fn hashes_join_their_parts() {
        // FIPS 180-2 and the Keccak-256 of the empty string, which Ethereum shows as the hash of no code.
        let abc = sha256(&[b"a", b"", b"bc"]);
        assert_eq!(abc[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(keccak256(&[])[..4], [0xc5, 0xd2, 0x46, 0x01]);
        assert_eq!(keccak256(&[b"a", b"bc"]), keccak256(&[b"abc"]));
    }
}
