//! The development accounts: the first ten keys of the well-known development mnemonic.

use alloy_primitives::{Address, B256};
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

/// A development account.
pub(crate) struct Account {
    pub(crate) address: Address,
    pub(crate) key: B256,
}

/// The development accounts.
pub(crate) fn all() -> anyhow::Result<Vec<Account>> {
    (0..COUNT)
        .map(|index| {
            let signer: PrivateKeySigner = MnemonicBuilder::<English>::default()
                .phrase(MNEMONIC)
                .index(index)
                .and_then(|builder| builder.build())
                .context("the development mnemonic gives no key")?;
            Ok(Account { address: signer.address(), key: signer.to_bytes() })
        })
        .collect()
}

/// Prints their addresses and keys.
pub(crate) fn print(accounts: &[Account]) {
    println!("Accounts ({SOL} SOL each, known to everybody: never use them elsewhere)");
    for (index, account) in accounts.iter().enumerate() {
        println!("  ({index}) {}  key {}", account.address, account.key);
    }
    println!("\nMnemonic   {MNEMONIC}");
}
