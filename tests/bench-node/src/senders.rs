//! Accounts that send, and the token that they have.

use crate::client::{Connection, request};
use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use anyhow::{Context as _, Result, ensure};
use parhelion_core::transaction::Transaction;
use parhelion_harness::contracts::init_code;
use parhelion_harness::wallet::Wallet;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What everybody has at the beginning, in wei: a SOL.
const BALANCE: u64 = 1_000_000_000_000_000_000;
/// Wei that a transfer moves: a lamport.
const VALUE: u64 = 1_000_000_000;
/// Gas for a transfer between accounts that are there.
const TRANSFER_GAS: u64 = 100_000;
/// Gas for a token transfer: on Parhelion the rent of a Cell is paid in gas.
const TOKEN_GAS: u64 = 10_000_000;
/// Wei per gas: enough for both chains at any time.
const FEE: u128 = 2_000_000_000;
/// How long a receipt may take.
const RECEIPT_WAIT: Duration = Duration::from_secs(30);
/// Between the first two questions for a receipt; twice as long after each further one, up to the longest.
const RECEIPT_INTERVAL_MIN: Duration = Duration::from_millis(1);
const RECEIPT_INTERVAL_MAX: Duration = Duration::from_millis(8);

/// The sender of a number.
pub(crate) fn sender(number: u64) -> Wallet {
    Wallet::new(1_000_000 + number)
}

/// Gives senders their balance, on a development chain.
pub(crate) async fn fund(connection: &mut Connection, count: u64) -> Result<()> {
    for number in 0..count {
        let parameters = json!([sender(number).address(), U256::from(BALANCE)]);
        connection.call("anvil_setBalance", parameters).await?;
    }
    Ok(())
}

/// Transfers of each of so many senders to the next one, with nonces from `first` on, as requests. They are dealt to
/// connections so that the nonces of a sender come in order.
pub(crate) fn transfers(count: u64, first: u64, each: u64, connections: usize) -> Vec<Vec<Vec<u8>>> {
    let senders: Vec<_> = (0..count).map(sender).collect();
    let addresses: Vec<_> = senders.iter().map(Wallet::address).collect();
    let mut dealt = vec![Vec::new(); connections];
    for nonce in first..first + each {
        let receivers = addresses.iter().cycle().skip(1);
        for ((sender, receiver), turn) in senders.iter().zip(receivers).zip((0..connections).cycle()) {
            let transaction = sign(sender, nonce, Some(*receiver), VALUE, Bytes::new(), TRANSFER_GAS);
            dealt[turn].push(raw_request(&transaction));
        }
    }
    dealt
}

/// A signed transaction.
fn sign(wallet: &Wallet, nonce: u64, to: Option<Address>, value: u64, input: Bytes, gas: u64) -> Transaction {
    let mut draft = wallet.draft(to, U256::from(value), input, gas);
    (draft.nonce, draft.max_fee_per_gas) = (nonce, FEE);
    wallet.sign(draft)
}

fn raw_request(transaction: &Transaction) -> Vec<u8> {
    request("eth_sendRawTransaction", &json!([transaction.raw()]))
}

/// Sends a transfer of this sender to its neighbour and waits for its receipt. Gives how long both took.
pub(crate) async fn time_to_receipt(
    connection: &mut Connection,
    number: u64,
    nonce: u64,
) -> Result<Duration> {
    let (from, to) = (sender(number), sender(number.abs_diff(1)).address());
    let transaction = sign(&from, nonce, Some(to), VALUE, Bytes::new(), TRANSFER_GAS);
    let request = raw_request(&transaction);
    let sent = Instant::now();
    let answer = connection.exchange(&request).await?;
    ensure!(crate::client::is_result(answer), "refused: {}", String::from_utf8_lossy(answer));
    receipt(connection, transaction.hash()).await?;
    Ok(sent.elapsed())
}

async fn receipt(connection: &mut Connection, hash: B256) -> Result<Value> {
    let (start, mut interval) = (Instant::now(), RECEIPT_INTERVAL_MIN);
    loop {
        let receipt = connection.call("eth_getTransactionReceipt", json!([hash])).await?;
        if !receipt.is_null() {
            ensure!(receipt.get("status") == Some(&json!("0x1")), "a transaction failed: {receipt}");
            return Ok(receipt);
        }
        ensure!(start.elapsed() < RECEIPT_WAIT, "{hash} has no receipt after {} s", RECEIPT_WAIT.as_secs());
        tokio::time::sleep(interval).await;
        interval = (interval * 2).min(RECEIPT_INTERVAL_MAX);
    }
}

/// OpenZeppelin's ERC-20, of which some senders have some.
pub(crate) struct Token {
    /// Where it is.
    pub(crate) address: Address,
    deployer: Wallet,
}

impl Token {
    /// Deploys it, and gives some of it to the first so many senders.
    pub(crate) async fn deploy(connection: &mut Connection, holders: u64, deployer: Wallet) -> Result<Self> {
        let supply = U256::from(u64::MAX).to_be_bytes::<32>();
        let code = [&init_code("OptimisedToken")?[..], &supply].concat();
        let call = json!({ "from": deployer.address(), "data": hex::encode_prefixed(&code) });
        let gas: U256 = serde_json::from_value(connection.call("eth_estimateGas", json!([call])).await?)?;
        let transaction = sign(&deployer, 0, None, 0, code.into(), gas.saturating_to());
        let receipt = send(connection, &transaction).await?;
        let address = receipt.get("contractAddress").context("no address of the token")?;
        let mut token = Self { address: serde_json::from_value(address.clone())?, deployer };
        token.deployer.nonce = 1;
        for number in 0..holders {
            let transaction = token.transfer(sender(number).address());
            send(connection, &transaction).await?;
        }
        Ok(token)
    }

    /// The next transfer of the deployer.
    fn transfer(&mut self, to: Address) -> Transaction {
        let amount = U256::from(1_000_000).to_be_bytes::<32>();
        let input = [&keccak256("transfer(address,uint256)")[..4], &to.into_word()[..], &amount].concat();
        let nonce = self.deployer.nonce;
        self.deployer.nonce += 1;
        sign(&self.deployer, nonce, Some(self.address), 0, input.into(), TOKEN_GAS)
    }

    /// The parameters that send the next transfer.
    pub(crate) fn raw_transfer(&mut self) -> Value {
        json!([self.transfer(sender(0).address()).raw()])
    }

    /// Questions for the balances of so many senders, in tokens.
    pub(crate) fn balance_requests(&self, holders: u64) -> Vec<Vec<u8>> {
        let question = |number| {
            let of = sender(number).address().into_word();
            let input = [&keccak256("balanceOf(address)")[..4], &of[..]].concat();
            let call = json!({ "to": self.address, "data": hex::encode_prefixed(input) });
            request("eth_call", &json!([call, "latest"]))
        };
        (0..holders).map(question).collect()
    }
}

/// Questions for the balances of so many senders.
pub(crate) fn balance_requests(holders: u64) -> Vec<Vec<u8>> {
    let question = |number| request("eth_getBalance", &json!([sender(number).address(), "latest"]));
    (0..holders).map(question).collect()
}

/// Sends a transaction, and gives its receipt.
async fn send(connection: &mut Connection, transaction: &Transaction) -> Result<Value> {
    connection.call("eth_sendRawTransaction", json!([transaction.raw()])).await?;
    receipt(connection, transaction.hash()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_has_all_transactions_of_its_senders_in_order() {
        let dealt = transfers(8, 3, 2, 4);
        assert_eq!(dealt.iter().map(Vec::len).collect::<Vec<_>>(), [4; 4]);
        let body = |request: &[u8]| {
            let text = String::from_utf8_lossy(request).into_owned();
            let (_, body) = text.split_once("\r\n\r\n").expect("a body");
            let body: Value = serde_json::from_str(body).expect("JSON");
            Transaction::decode(serde_json::from_value(body["params"][0].clone()).expect("raw"))
                .expect("valid")
        };
        let mut seen = std::collections::BTreeMap::new();
        for (connection, requests) in dealt.iter().enumerate() {
            for transaction in requests.iter().map(|request| body(request)) {
                let nonce = alloy_consensus::Transaction::nonce(transaction.inner());
                let (of, last) = seen.entry(transaction.sender()).or_insert((connection, 2));
                assert_eq!((*of, *last + 1), (connection, nonce));
                *last = nonce;
            }
        }
        assert_eq!(seen.len(), 8);
    }
}
