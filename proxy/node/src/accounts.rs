//! The development accounts: the first ten keys of the well-known development mnemonic.

use alloy_signer_local::{MnemonicBuilder, PrivateKeySigner, coins_bip39::English};
use anyhow::Context;

/// The mnemonic that Ethereum's development tools share. Everybody knows its keys.
pub(crate) const MNEMONIC: &str = "test test test test test test test test test test test junk";
/// How many accounts are funded.
pub(crate) const COUNT: u32 = 10;
/// What each has at the start, in SOL (shown as ether in Ethereum tools).
pub(crate) const SOL: u64 = 10_000;
/// The same in lamports.
pub(crate) const LAMPORTS: u64 = SOL * 1_000_000_000;

/// The development accounts.
pub(crate) fn all() -> anyhow::Result<Vec<PrivateKeySigner>> {
    (0..COUNT)
        .map(|index| {
            MnemonicBuilder::<English>::default()
                .phrase(MNEMONIC)
                .index(index)
                .and_then(|builder| builder.build())
                .context("the development mnemonic gives no key")
        })
        .collect()
}

/// Prints their addresses and keys.
pub(crate) fn print(accounts: &[PrivateKeySigner]) {
    println!("Accounts ({SOL} SOL each, known to everybody: never use them elsewhere)");
    for (index, account) in accounts.iter().enumerate() {
        println!("  ({index}) {}  key {}", account.address(), account.to_bytes());
    }
    println!("\nMnemonic   {MNEMONIC}");
}
