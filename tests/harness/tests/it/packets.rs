//! A cluster without transaction format V1: legacy transactions, V0 with lookup tables.

use crate::landing::{GAS, RICH_GAS, Scene, sortCall};
use crate::spread;
use alloy_primitives::{Address as EthereumAddress, U256};
use alloy_sol_types::SolCall;
use parhelion_assembler::Code;
use parhelion_core::cluster::Cluster;
use parhelion_emulator::Shell;
use parhelion_executor::evm::opcode as op;
use parhelion_harness::contracts;
use parhelion_relay::{Operator, Sender, Shape};
use parhelion_solana::{Features, SvmRehearsal};
use parhelion_wire::event::Outcome;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::sync::Arc;
use std::time::Duration;

/// Stores the word that it is called with in so many Cells.
fn stores(cells: u64) -> Code {
    let store = |code: Code, cell: u64| code.push(0).op(op::CALLDATALOAD).push(cell << 8).op(op::SSTORE);
    (1..=cells).fold(Code::new(), store)
}

fn word(number: u64) -> Vec<u8> {
    U256::from(number).to_be_bytes::<32>().to_vec()
}

#[test]
fn what_fits_a_packet_is_one_transaction() {
    let mut scene = Scene::on(Features::WithoutV1);
    let transfer = scene.wallet.send(Some(EthereumAddress::repeat_byte(7)), U256::from(5), [], RICH_GAS);
    let landed = scene.land(&transfer);
    assert_eq!((landed.receipt.outcome, landed.units().len()), (Outcome::Success, 1));
}

#[test]
fn contracts_and_call_data_are_larger_than_packets() {
    let mut scene = Scene::on(Features::WithoutV1);
    let (loops, landed) = scene.deploy(contracts::init_code("Loops").unwrap().to_vec());
    println!("deploy: {:?}", landed.units());
    let landed = scene.call(loops, sortCall { count: U256::from(60) }.abi_encode(), GAS);
    assert!((3..=4).contains(&landed.units().len()), "{:?}", landed.units());
    let landed =
        scene.call(loops, [&sortCall { count: U256::from(3) }.abi_encode()[..], &[1; 9_000]].concat(), GAS);
    println!("call data: {:?}", landed.units());
}

#[test]
fn accounts_that_many_runs_use_are_in_a_table_soon() {
    let mut scene = Scene::on(Features::WithoutV1);
    let (contract, _) = scene.deploy(stores(20).init_code());
    let mut transactions = Vec::new();
    for value in 1..=6 {
        transactions.push(scene.call(contract, word(value), RICH_GAS).units().len());
        scene.chain.block_on(scene.relay.tend());
        scene.chain.block_on(scene.chain.svm.make_empty_blocks(40)).unwrap();
    }
    // With a holder at first; the second run shows that it pays to write a table.
    assert_eq!(transactions, [2, 2, 1, 1, 1, 1]);
}

#[test]
fn a_run_with_many_accounts_needs_a_table_at_once() {
    let mut scene = Scene::on(Features::WithoutV1);
    let (contract, _) = scene.deploy(stores(50).init_code());
    for value in 1..=2 {
        let landed = scene.call(contract, word(value), RICH_GAS);
        assert_eq!(landed.units().len(), 1, "the tables' own transactions are none of the run's");
    }
}

#[test]
fn a_run_is_spread_over_packets() {
    let (mut scene, contract) = spread::deployed(Features::WithoutV1);
    let landed = scene.call(contract, vec![], RICH_GAS);
    assert_eq!(spread::stored(&scene, contract), U256::from(spread::SUM));
    println!("spread: {:?}", landed.units());
}

#[test]
fn tables_that_nobody_uses_give_their_rent_back() {
    let mut scene = Scene::on(Features::WithoutV1);
    let (contract, _) = scene.deploy(stores(50).init_code());
    let operator = scene.chain.operator.keypair.pubkey().to_bytes();
    let lamports = |scene: &Scene| scene.chain.account(&operator).unwrap().lamports;
    scene.call(contract, word(1), RICH_GAS);
    let before = lamports(&scene);
    for _ in 0..2 {
        scene.chain.block_on(async {
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(16 * 60)).await;
            tokio::time::resume();
            scene.relay.tend().await;
        });
        scene.chain.block_on(scene.chain.svm.make_empty_blocks(600)).unwrap();
    }
    // Some 50 addresses of 32 bytes.
    let rent = scene.chain.block_on(scene.chain.svm.rent_exemption(50 * 32)).unwrap();
    let back = lamports(&scene) - before;
    assert!(back > rent, "{back} came back, not {rent}");
    // And a later run writes another one.
    scene.call(contract, word(2), RICH_GAS);
}

#[test]
fn an_operator_without_lamports_is_no_sign_of_an_old_cluster() {
    for features in [Features::Mainnet, Features::WithoutV1] {
        let scene = Scene::on(features);
        let is_v1 = |relay: &Sender| matches!(relay.plain_shape(), Shape::V1);
        assert_eq!(is_v1(&scene.relay), features == Features::Mainnet, "with lamports, {features:?}");
        let cluster = Arc::clone(&scene.chain.svm) as Arc<dyn Cluster>;
        let poor = Operator { keypair: Keypair::new(), coinbase: scene.chain.operator.coinbase };
        let emulator = Arc::new(Shell::new(Arc::clone(&cluster)));
        let rehearsal = Arc::new(SvmRehearsal::new(Arc::clone(&cluster), Features::Mainnet));
        let relay = Sender::new(cluster, emulator, rehearsal, Arc::new(poor));
        let relay = scene.chain.block_on(relay.adapt()).unwrap();
        assert_eq!(is_v1(&relay), features == Features::Mainnet, "without, {features:?}");
    }
}
