//! The state of the past, which the validator does not keep: a node runs again what landed.

use crate::chain::Chain;
use alloy_primitives::{Address, U256};
use parhelion_assembler::Code;
use parhelion_core::transaction::Transaction;
use parhelion_evm::opcode as op;
use serde_json::{Value, json};

/// Gas of a call that runs in steps, and what its computing leaves for the rent of what it stores.
const GAS: u64 = 9_000_000;
const LEFT: u64 = 5_000_000;

/// Counts its calls, stores what the block tells, and returns the count.
fn counter() -> Code {
    let count = Code::new().push(0).op(op::SLOAD).push(1).op(op::ADD).push(0).op(op::SSTORE);
    let seen = count.sstore(1, Code::new().op(op::TIMESTAMP)).sstore(2, Code::new().op(op::NUMBER));
    seen.push(0).op(op::SLOAD).return_top()
}

/// Stores what is known for a few minutes only.
fn hasher() -> Code {
    let hash = Code::new().push(1).op(op::NUMBER).op(op::SUB).op(op::BLOCKHASH);
    Code::new().sstore(1, hash)
}

/// Stores a number that nobody knows before.
fn gambler() -> Code {
    Code::new().sstore(2, Code::new().op(op::PREVRANDAO))
}

/// Computes for long, and then does something.
fn slow(code: Code) -> Code {
    Code::new().op(op::JUMPDEST).push(LEFT).op(op::GAS).op(op::GT).push(0).op(op::JUMPI) + code
}

impl Chain {
    fn deploy(&mut self, code: &Code) -> Address {
        let address = self.wallet.address().create(self.wallet.nonce);
        let transaction = self.wallet.send(None, U256::ZERO, code.init_code(), 100_000_000);
        self.land(&transaction);
        address
    }

    /// Sends a transaction and waits for its receipt.
    fn land(&self, transaction: &Transaction) -> Value {
        self.send(transaction);
        self.wait("its receipt is there", |chain| chain.receipt(transaction).is_some());
        let receipt = self.receipt(transaction).expect("there");
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        receipt
    }

    /// What a node tells of the past: contracts, balance and nonce behind and before blocks, and traces.
    fn past(&self, contracts: &[Address], receipts: &[Value]) -> Vec<Value> {
        let mut told = Vec::new();
        for receipt in receipts {
            let block =
                receipt["blockNumber"].as_str().and_then(|hex| hex.parse::<U256>().ok()).expect("a number");
            for number in [block - U256::from(1), block] {
                let at = format!("{number:#x}");
                for contract in contracts {
                    told.push(self.told("eth_call", &json!([{ "to": contract }, at])));
                    let slots = (0..3).map(|slot| json!([contract, format!("{slot:#x}"), at]));
                    told.extend(slots.map(|slot| self.told("eth_getStorageAt", &slot)));
                }
                for method in ["eth_getBalance", "eth_getTransactionCount"] {
                    told.push(self.told(method, &json!([self.wallet.address(), at])));
                }
            }
            let tracer = json!({ "tracer": "callTracer" });
            let trace = self.told("debug_traceTransaction", &json!([receipt["transactionHash"], tracer]));
            assert_eq!(trace["gasUsed"], receipt["gasUsed"], "{trace}");
            told.push(trace);
            told.push(self.told("debug_traceBlockByNumber", &json!([receipt["blockNumber"], tracer])));
        }
        told
    }

    /// A run in steps that asks for PREVRANDAO: if its steps are in several slots what it stored is not known, but after a few
    /// blocks it is, and it is never wrong.
    fn gamble(&mut self) {
        let contract = self.deploy(&slow(gambler() + Code::new().op(op::STOP)));
        let transaction = self.wallet.send(Some(contract), U256::ZERO, [], GAS);
        let mut block = self.land(&transaction)["blockNumber"].clone();
        let at =
            |chain: &Self, block: &Value| chain.ask("eth_getStorageAt", &json!([contract, "0x2", block]));
        let now = at(self, &json!("latest"));
        assert_ne!(now, Some(word(0)));
        for _ in 0..8 {
            // The newest block is what the validator has.
            self.wait("the newest block is another one", |chain| {
                chain.ask("eth_blockNumber", &json!([])).is_some_and(|newest| newest != block)
            });
            let then = at(self, &block);
            if then.is_some() {
                assert_eq!(then, now);
                return;
            }
            let transfer = self.wallet.send(Some(Address::repeat_byte(1)), U256::from(1), [], 3_000_000);
            block = self.land(&transfer)["blockNumber"].clone();
        }
        panic!("it is not known again: {}", self.log());
    }

    /// An answer that must be there.
    fn told(&self, method: &str, parameters: &Value) -> Value {
        self.ask(method, parameters).unwrap_or_else(|| panic!("{method} {parameters}: {}", self.log()))
    }
}

fn word(number: u64) -> Value {
    json!(format!("0x{number:064x}"))
}

#[test]
fn every_block_has_its_state_after_a_restart_and_in_a_new_database_as_well() {
    let mut chain = Chain::start();
    chain.start_node(&[]);
    let last = || Code::new().op(op::STOP);
    let codes = [counter(), slow(counter()), hasher() + gambler() + last(), slow(hasher() + last())];
    let contracts = codes.map(|code| chain.deploy(&code));
    let mut receipts = Vec::new();
    for contract in [contracts[0], contracts[1], contracts[0], contracts[2], contracts[3]] {
        let transaction = chain.wallet.send(Some(contract), U256::ZERO, [], GAS);
        receipts.push(chain.land(&transaction));
    }
    for receipt in [&receipts[1], &receipts[4]] {
        let steps = receipt["solanaSignatures"].as_array().map_or(0, Vec::len);
        assert!(steps > 2, "it runs in steps: {receipt}");
    }
    let told = chain.past(&contracts, &receipts);
    // Before and behind the first call, and the third one: what a further call would count.
    let behind = told.len() / receipts.len() / 2 - 1;
    let third = 2 * told.len() / receipts.len();
    assert_eq!([&told[0], &told[behind]], [&word(1), &word(2)]);
    assert_eq!([&told[third], &told[third + behind]], [&word(2), &word(3)]);
    chain.wait("the newest block is another one", |chain| {
        chain.ask("eth_blockNumber", &json!([])).is_some_and(|newest| newest != receipts[4]["blockNumber"])
    });
    for contract in contracts {
        for slot in 0..3 {
            let at = |block: &Value| {
                chain.told("eth_getStorageAt", &json!([contract, format!("{slot:#x}"), block]))
            };
            let now = at(&json!("latest"));
            assert_eq!(at(&receipts[4]["blockNumber"]), now, "slot {slot} of {contract}");
            assert!(slot != 1 || now != word(0), "{contract}");
        }
    }

    chain.kill_node();
    chain.start_node(&[]);
    assert_eq!(chain.past(&contracts, &receipts), told);
    chain.gamble();

    chain.kill_node();
    chain.database = chain.database.with_file_name("again.sqlite");
    chain.start_node(&[]);
    let newest = receipts[4]["transactionHash"].clone();
    chain.wait("everything is indexed", |chain| {
        chain.ask("eth_getTransactionReceipt", &json!([newest])).is_some()
    });
    // The slot hashes that the last two have seen may be forgotten by now.
    assert_eq!(chain.past(&contracts, &receipts[..3]), told[..told.len() / 5 * 3]);
}
