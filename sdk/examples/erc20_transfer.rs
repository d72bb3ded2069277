//! Sends ERC-20 tokens.
//!
//! ```text
//! cargo run -p parhelion-sdk --example erc20_transfer -- ETHEREUM_URL PRIVATE_KEY TOKEN RECIPIENT AMOUNT
//! ```
//!
//! Nothing in it knows that the chain is inside Solana: Parhelion is used like any Ethereum node.

mod ethereum;

use alloy_primitives::{Address, Bytes, U256, keccak256};
use alloy_signer_local::PrivateKeySigner;
use anyhow::{Context, Result};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, private_key, token, recipient, amount] = &arguments[..] else {
        anyhow::bail!("usage: erc20_transfer ETHEREUM_URL PRIVATE_KEY TOKEN RECIPIENT AMOUNT");
    };
    let signer: PrivateKeySigner =
        private_key.parse().context("PRIVATE_KEY is 0x and 64 hexadecimal digits")?;
    let token: Address = token.parse().context("TOKEN is the contract's address")?;
    let recipient: Address = recipient.parse().context("RECIPIENT is an Ethereum address")?;
    let amount: U256 = amount.parse().context("AMOUNT is a whole number of the token's smallest unit")?;

    let node = ethereum::Node::new(url)?;
    let transfer = abi("transfer(address,uint256)", &[recipient.into_word().0, amount.to_be_bytes()]);
    let receipt = node.transact(&signer, token, U256::ZERO, transfer).await?;
    let balance_of = abi("balanceOf(address)", &[recipient.into_word().0]);
    let balance = U256::try_from_be_slice(&node.call(token, balance_of).await?)
        .context("TOKEN does not answer balanceOf as an ERC-20 does")?;
    println!("transaction {}: {recipient} now has {balance}", receipt["transactionHash"]);
    Ok(())
}

/// Call data of Ethereum's ABI: the function's selector and its arguments, a word each.
fn abi(function: &str, arguments: &[[u8; 32]]) -> Bytes {
    [&keccak256(function)[..4], &arguments.concat()].concat().into()
}
