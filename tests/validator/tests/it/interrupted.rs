//! Nodes and validators that are killed while a transaction runs in steps.

use crate::chain::Chain;
use alloy_primitives::{Address as EthereumAddress, U256};
use parhelion_assembler::Code;
use parhelion_core::transaction::Transaction;
use parhelion_evm::opcode as op;
use serde_json::json;
use std::time::Duration;

/// Gas of the transactions that are interrupted.
const GAS: u64 = 7_500_000;
/// Gas that their computing leaves: for the rent of what they store.
const LEFT: u64 = 2_500_000;

impl Chain {
    /// Deploys a contract that computes until little gas is left, and then counts its calls.
    fn deploy_counter(&mut self) -> EthereumAddress {
        let burn = Code::new().op(op::JUMPDEST).push(LEFT).op(op::GAS).op(op::GT).push(0).op(op::JUMPI);
        let code = burn.push(0).op(op::SLOAD).push(1).op(op::ADD).push(0).op(op::SSTORE).op(op::STOP);
        let address = self.wallet.address().create(self.wallet.nonce);
        let transaction = self.wallet.send(None, U256::ZERO, code.init_code(), 100_000_000);
        self.send(&transaction);
        self.wait("it is deployed", |chain| chain.receipt(&transaction).is_some());
        address
    }

    /// How many calls the contract has counted.
    fn count(&self, contract: EthereumAddress) -> Option<U256> {
        let value = self.ask("eth_getStorageAt", &json!([contract.to_string(), "0x0", "latest"]))?;
        value.as_str()?.parse().ok()
    }

    /// Waits until a call was counted, and asserts that it was counted once.
    fn assert_counted(&self, contract: EthereumAddress, transaction: &Transaction) {
        // The deployment was the first one.
        let (calls, nonce) = (U256::from(self.wallet.nonce - 1), self.wallet.nonce);
        self.wait("it is counted", |chain| chain.count(contract).is_some_and(|count| count >= calls));
        let count =
            self.ask("eth_getTransactionCount", &json!([self.wallet.address().to_string(), "latest"]));
        assert_eq!((self.count(contract), count), (Some(calls), Some(json!(format!("{nonce:#x}")))));
        self.wait("its receipt is there", |chain| chain.receipt(transaction).is_some());
        let receipt = self.receipt(transaction).expect("there");
        assert_eq!(receipt["status"], "0x1", "{receipt}");
    }
}

#[test]
fn the_next_node_goes_on_with_the_runs_of_one_that_was_killed() {
    let mut chain = Chain::start();
    chain.start_node(&[]);
    let contract = chain.deploy_counter();
    // Before the run begins, while it is under way, and about when it ends.
    for after in [50, 700, 1_500, 3_000, 6_000] {
        let transaction = chain.wallet.send(Some(contract), U256::ZERO, [], GAS);
        chain.send(&transaction);
        std::thread::sleep(Duration::from_millis(after));
        chain.kill_node();
        chain.start_node(&[]);
        chain.assert_counted(contract, &transaction);
    }
}

#[test]
fn a_run_goes_on_when_the_validator_comes_back_with_its_ledger() {
    let mut chain = Chain::start();
    chain.start_node(&[]);
    let contract = chain.deploy_counter();
    for after in [700, 2_500] {
        let transaction = chain.wallet.send(Some(contract), U256::ZERO, [], GAS);
        chain.send(&transaction);
        std::thread::sleep(Duration::from_millis(after));
        chain.world.validator.kill();
        std::thread::sleep(Duration::from_secs(1));
        chain.world.validator.restart().expect("starts again");
        chain.assert_counted(contract, &transaction);
    }
}
