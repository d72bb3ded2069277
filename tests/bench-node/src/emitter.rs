//! Many logs for anvil, which has no database to be filled: a contract that emits them.

use crate::client::Connection;
use crate::database::transfer_topic;
use alloy_primitives::{Address, B256, Bytes, U256};
use anyhow::{Context as _, Result, ensure};
use indicatif::ProgressBar;
use serde_json::json;

/// Logs of a call, each of which has a block of its own.
pub(crate) const CALL_LOGS: u64 = 1_000;
/// Logs that each receiver gets.
pub(crate) const RECEIVER_LOGS: u64 = 100;
/// Gas of a call.
const CALL_GAS: u64 = 10_000_000;
/// anvil's first account.
const SENDER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

/// The contract's code: `call(seed, count)` emits `Transfer(from, to, …)` for each number n from seed on, where both follow
/// from the hash of n.
fn runtime_code(receivers: u64) -> Vec<u8> {
    let receivers = &receivers.to_be_bytes()[5..];
    [
        // count, seed
        &[0x60, 0x20, 0x35, 0x5f, 0x35][..],
        // loop: n, count
        &[0x5b],
        // keccak256(n)
        &[0x80, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0x20],
        // to: its upper half modulo receivers
        &[0x62],
        receivers,
        &[0x81, 0x60, 0x80, 0x1c, 0x06],
        // from: all of it modulo receivers
        &[0x62],
        receivers,
        &[0x82, 0x06],
        // LOG3 of n
        &[0x7f],
        transfer_topic().as_slice(),
        &[0x60, 0x20, 0x5f, 0xa3, 0x50],
        // n + 1, count - 1
        &[0x60, 0x01, 0x01, 0x90, 0x60, 0x01, 0x90, 0x03, 0x90],
        // if count: loop; stop
        &[0x81, 0x60, 0x05, 0x57, 0x00],
    ]
    .concat()
}

/// The code that makes the contract.
fn init_code(receivers: u64) -> Vec<u8> {
    let code = runtime_code(receivers);
    // CODECOPY of what follows these 11 bytes, and RETURN of it.
    let length = u8::try_from(code.len()).unwrap_or(u8::MAX);
    [&[0x60, length, 0x60, 0x0b, 0x5f, 0x39, 0x60, length, 0x5f, 0xf3, 0x00][..], &code].concat()
}

/// The contract on a chain.
pub(crate) struct Emitter {
    /// Where it is.
    pub(crate) address: Address,
    /// How many logs there are.
    pub(crate) logs: u64,
    receivers: u64,
}

impl Emitter {
    /// Deploys it and lets it emit so many logs, to a hundredth as many receivers.
    pub(crate) async fn fill(connection: &mut Connection, logs: u64, progress: &ProgressBar) -> Result<Self> {
        let receivers = (logs / RECEIVER_LOGS).max(1);
        let data = Bytes::from(init_code(receivers));
        let deploy = json!([{ "from": SENDER, "data": data, "gas": U256::from(CALL_GAS) }]);
        // Blocks are made when they are asked for, so that it is known what is in them.
        connection.call("evm_setAutomine", json!([false])).await?;
        let hash = connection.call("eth_sendTransaction", deploy).await?;
        connection.call("evm_mine", json!([])).await?;
        let receipt = connection.call("eth_getTransactionReceipt", json!([hash])).await?;
        let address = receipt.get("contractAddress").context("the emitter has no address")?;
        let address: Address = serde_json::from_value(address.clone())?;
        for seed in (0..logs).step_by(CALL_LOGS as usize) {
            let input = [U256::from(seed), U256::from(CALL_LOGS)].map(|word| word.to_be_bytes::<32>());
            let data = Bytes::from(input.concat());
            let call = json!([{ "from": SENDER, "to": address, "data": data, "gas": U256::from(CALL_GAS) }]);
            connection.call("eth_sendTransaction", call).await?;
            connection.call("evm_mine", json!([])).await?;
            progress.set_position(seed + CALL_LOGS);
        }
        let latest: U256 = serde_json::from_value(connection.call("eth_blockNumber", json!([])).await?)?;
        ensure!(latest == U256::from(1 + logs.div_ceil(CALL_LOGS)), "each call has a block of its own");
        Ok(Self { address, logs, receivers })
    }

    /// The receiver of a number, as a topic.
    pub(crate) fn receiver(&self, number: u64) -> B256 {
        B256::from(U256::from(number % self.receivers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;

    #[test]
    fn a_receiver_has_about_a_hundred_logs() {
        // Who gets the transfer of a number, as the contract reckons.
        let to = |number: u64| {
            let hash = U256::from_be_bytes(keccak256(U256::from(number).to_be_bytes::<32>()).0);
            let upper: U256 = hash >> 128;
            (upper % U256::from(10)).to::<u64>()
        };
        for receiver in 0..10 {
            let count = (0..1_000).filter(|number| to(*number) == receiver).count();
            assert!((60..140).contains(&count), "{count}");
        }
    }
}
