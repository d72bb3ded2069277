//! The relay lands a sender's consecutive transactions in one Solana transaction.

use crate::landing::{GAS, RICH_GAS, Scene};
use alloy_primitives::{Address as EthereumAddress, U256};
use parhelion_assembler::{Code, push};
use parhelion_core::cluster::{Cluster, LandedTransaction};
use parhelion_core::emulator::{Emulation, Emulator};
use parhelion_core::relay::Relay;
use parhelion_core::transaction::Transaction;
use parhelion_emulator::Shell;
use parhelion_executor::evm::opcode as op;
use parhelion_solana::Features;
use parhelion_wire::event::{Outcome, Receipt};
use std::sync::Arc;

/// What landed together.
struct Together {
    count: usize,
    receipts: Vec<Receipt>,
    /// Of each of the Solana transactions.
    compute_units: Vec<u64>,
    /// How each was emulated before.
    emulations: Vec<Emulation>,
}

impl Scene {
    /// Lands what lands together of some transactions.
    fn land_together(&mut self, transactions: &[Transaction]) -> Together {
        let emulator = Shell::new(Arc::clone(&self.chain.svm) as Arc<dyn Cluster>);
        let coinbase = self.chain.operator.coinbase;
        let emulations = self.chain.block_on(emulator.emulate_together(transactions, coinbase)).unwrap();
        let first = self.slot() + 1;
        let count = self.chain.block_on(self.relay.land_together(transactions)).unwrap();
        let blocks = self.chain.block_on(self.chain.svm.blocks(first, self.slot())).unwrap();
        let landed: Vec<_> = blocks.into_iter().flat_map(|block| block.transactions).collect();
        let receipts: Vec<Receipt> = landed.iter().flat_map(|landed| self.receipts_of(landed)).collect();
        let hashes: Vec<_> = receipts.iter().map(|receipt| receipt.transaction_hash.0).collect();
        let expected: Vec<_> =
            transactions.iter().take(count).map(|transaction| transaction.hash().0).collect();
        assert_eq!(hashes, expected);
        for (receipt, emulation) in receipts.iter().zip(&emulations) {
            let emulated = (emulation.execution.outcome, emulation.execution.gas_used);
            assert_eq!((receipt.outcome, receipt.gas_used), emulated, "{receipt:?}");
        }
        self.chain.know(transactions[0].sender());
        self.chain.assert_solvent().unwrap();
        let compute_units = landed.iter().map(|landed| landed.compute_units).collect();
        Together { count, receipts, compute_units, emulations }
    }

    /// The receipts of all that a Solana transaction executes.
    fn receipts_of(&self, landed: &LandedTransaction) -> Vec<Receipt> {
        let alone = |instruction: &_| LandedTransaction {
            instructions: vec![Clone::clone(instruction)],
            ..landed.clone()
        };
        landed.instructions.iter().filter_map(|instruction| self.receipt(&alone(instruction))).collect()
    }

    /// Transfers to as many new addresses.
    fn transfers(&mut self, count: u8) -> Vec<Transaction> {
        let to = |number| Some(EthereumAddress::repeat_byte(number));
        (1..=count).map(|number| self.wallet.send(to(number), U256::from(5), [], RICH_GAS)).collect()
    }
}

#[test]
fn sixteen_transfers_are_one_solana_transaction() {
    let mut scene = Scene::new();
    let transactions = scene.transfers(16);
    let together = scene.land_together(&transactions);
    assert_eq!((together.count, together.compute_units.len()), (16, 1));
    println!("16 transfers to new addresses: {} CU", together.compute_units[0]);
    for number in 1..=16 {
        assert_eq!(scene.chain.balance(EthereumAddress::repeat_byte(number)).1, U256::from(5));
    }
    assert_eq!(scene.chain.balance(scene.wallet.address()).0, 16);
}

#[test]
fn each_runs_on_what_the_ones_before_it_leave() {
    let mut scene = Scene::new();
    // It counts how often it is called, and reverts the third time.
    let count = Code::new().push(0).op(op::SLOAD).push(1).op(op::ADD).op(op::DUP1).push(0).op(op::SSTORE);
    let third = count.push(3).op(op::EQ).op(op::PC).push(6).op(op::ADD).op(op::JUMPI).op(op::STOP);
    let code = third.op(op::JUMPDEST) + Code::new().push(0).push(0).op(op::REVERT);
    let contract = scene.wallet.address().create(0);
    let mut transactions = vec![scene.wallet.send(None, U256::ZERO, code.init_code(), RICH_GAS)];
    for _ in 0..4 {
        transactions.push(scene.wallet.send(Some(contract), U256::ZERO, [], RICH_GAS));
    }
    let together = scene.land_together(&transactions);
    assert_eq!((together.count, together.compute_units.len()), (5, 1));
    let outcomes: Vec<_> = together.receipts.iter().map(|receipt| receipt.outcome).collect();
    let (success, reverted) = (Outcome::Success, Outcome::Revert);
    // The third and the fourth find a count of two.
    assert_eq!(outcomes, [success, success, success, reverted, reverted]);
}

#[test]
fn what_does_not_fit_any_more_waits() {
    let mut scene = Scene::new();
    let transactions = scene.transfers(60);
    let together = scene.land_together(&transactions);
    assert!((16..60).contains(&together.count), "{}", together.count);
    assert_eq!(together.emulations.len(), 60);
    let rest = scene.land_together(&transactions[together.count..]);
    assert_eq!(rest.compute_units.len(), 1);
}

#[test]
fn compute_units_bound_what_lands_together() {
    let mut scene = Scene::new();
    // GAS > 10000 ? back to the start.
    let code = Code::new().op(op::JUMPDEST).push(10_000).op(op::GAS).op(op::GT).push(0).op(op::JUMPI);
    let (contract, _) = scene.deploy(code.init_code());
    let transactions: Vec<_> =
        (0..8).map(|_| scene.wallet.send(Some(contract), U256::ZERO, [], 80_000)).collect();
    let together = scene.land_together(&transactions);
    assert!((2..8).contains(&together.count), "{}", together.count);
    assert_eq!(together.compute_units.len(), 1);
}

#[test]
fn what_needs_more_than_one_solana_transaction_lands_by_itself() {
    let mut scene = Scene::new();
    let mut transactions = scene.transfers(2);
    transactions.push(scene.wallet.send(Some(EthereumAddress::ZERO), U256::ZERO, vec![1; 20_000], GAS));
    transactions.extend(scene.transfers(2));
    let ahead = scene.land_together(&transactions);
    assert_eq!((ahead.count, ahead.compute_units.len()), (2, 1));
    let large = scene.land_together(&transactions[2..]);
    assert!(large.count == 1 && large.compute_units.len() > 1, "{:?}", large.compute_units);
    assert_eq!(scene.land_together(&transactions[3..]).count, 2);
}

#[test]
fn what_cannot_land_ends_what_lands_together() {
    let mut scene = Scene::new();
    let mut transactions = scene.transfers(2);
    let all = scene.chain.balance(scene.wallet.address()).1;
    transactions.push(scene.wallet.send(Some(EthereumAddress::ZERO), all, [], GAS));
    transactions.extend(scene.transfers(1));
    let together = scene.land_together(&transactions);
    assert_eq!((together.count, together.emulations.len()), (2, 2));
    let error = scene.chain.block_on(scene.relay.land_together(&transactions[2..])).unwrap_err();
    assert!(error.to_string().starts_with("insufficient funds for gas * price + value"), "{error}");
}

#[test]
fn packets_hold_some_as_well() {
    let mut scene = Scene::on(Features::WithoutV1);
    let transactions = scene.transfers(16);
    let mut landed = 0;
    while landed < transactions.len() {
        let together = scene.land_together(&transactions[landed..]);
        println!("{} of {} in a packet", together.count, transactions.len() - landed);
        landed += together.count;
    }
    assert_eq!(scene.chain.balance(scene.wallet.address()).0, 16);
}

#[test]
fn a_state_that_moves_on_costs_nothing() {
    let mut scene = Scene::new();
    let code = Code::new().sstore(push(0), push(1));
    let (contract, _) = scene.deploy(code.init_code());
    let transactions: Vec<_> =
        (0..3).map(|_| scene.wallet.send(Some(contract), U256::ZERO, [], RICH_GAS)).collect();
    // The first one landed meanwhile, by another node.
    scene.chain.block_on(scene.relay.land(&transactions[0])).unwrap();
    let error = scene.chain.block_on(scene.relay.land_together(&transactions)).unwrap_err();
    assert!(error.to_string().starts_with("nonce too low"), "{error}");
    assert_eq!(scene.land_together(&transactions[1..]).count, 2);
}
