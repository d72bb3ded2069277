//! Key files and keys on the command line.

use alloy_primitives::{Address as EthereumAddress, keccak256};
use alloy_signer_local::PrivateKeySigner;
use anyhow::{Context, bail};
use solana_keypair::Keypair;
use std::path::{Path, PathBuf};

/// Reads a Solana key file: a JSON array of 64 bytes, as `solana-keygen` writes it.
pub(crate) fn read_keypair(path: &Path) -> anyhow::Result<Keypair> {
    read_keypair_of(path, "--keypair")
}

/// As [`read_keypair`], for a file that is given with another option.
pub(crate) fn read_keypair_of(path: &Path, option: &str) -> anyhow::Result<Keypair> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the Solana key file {shown}; name another with {option}"))?;
    let bytes: Vec<u8> = serde_json::from_str(&text)
        .with_context(|| format!("{shown} is no Solana key file: expected a JSON array of 64 numbers"))?;
    Keypair::try_from(&bytes[..]).with_context(|| format!("{shown} holds no valid Solana key pair"))
}

/// Where Solana's tools keep the default key.
pub(crate) fn default_keypair() -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    home.join(".config/solana/id.json")
}

/// The Ethereum key that belongs to an operator who names no fee recipient: derived from its Solana secret, so that
/// the operator, and nobody else, can always compute it and withdraw the fees.
pub(crate) fn fee_recipient_of(operator: &Keypair) -> anyhow::Result<PrivateKeySigner> {
    let secret = [b"parhelion fee recipient v1".as_slice(), operator.secret_bytes()].concat();
    PrivateKeySigner::from_bytes(&keccak256(secret)).context("the operator's key gives no Ethereum key")
}

/// The fee recipient: the one that was named, or the operator's own.
pub(crate) fn fee_recipient(
    named: Option<EthereumAddress>,
    operator: &Keypair,
) -> anyhow::Result<EthereumAddress> {
    match named {
        Some(address) if address.is_zero() => {
            bail!("the fee recipient is the zero address: fees would be lost")
        }
        Some(address) => Ok(address),
        None => Ok(fee_recipient_of(operator)?.address()),
    }
}
