//! `parhelion dev`: a chain of its own, in a Solana VM inside this process.

use crate::config_file::ConfigFile;
use crate::front::Front;
use crate::services::{Acceptance, Node};
use crate::translate::{Translate, TranslateOptions};
use crate::{accounts, faucet, keys, program};
use alloy_signer_local::PrivateKeySigner;
use anyhow::Context;
use clap::Args;
use parhelion_core::cluster::Cluster;
use parhelion_core::emulator::ChainSettings;
use parhelion_relay::Operator;
use parhelion_rpc::Wallet;
use parhelion_sdk::instruction::{deposit, initialize};
use parhelion_sdk::transaction::{Budget, Format, sign};
use parhelion_solana::{Features, SvmCluster, SvmOptions};
use parhelion_store::MemoryStore;
use parhelion_wire::instruction::Initialize;
use solana_address::Address;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::path::PathBuf;
use std::sync::Arc;

/// Lamports in a SOL.
const LAMPORTS_PER_SOL: u64 = 1_000_000_000;
/// The chain id of development chains, as in Ethereum's development tools.
const CHAIN_ID: u64 = 31_337;
/// Base fee in wei per gas: one gas is a lamport.
const BASE_FEE: u64 = 1_000_000_000;
/// Gas in a block: room for the rent of the largest contract.
const BLOCK_GAS_LIMIT: u64 = 1_000_000_000;
/// SOL of the operator: rent of new accounts is advanced from it.
const OPERATOR_SOL: u64 = 1_000_000;

/// Options of `parhelion dev`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    front: Front,
    /// The chain id
    #[arg(long, default_value_t = CHAIN_ID, env = "PARHELION_CHAIN_ID")]
    chain_id: u64,
    /// The program's binary; built by `cargo xtask build-sbf` [default: parhelion.so beside this executable]
    #[arg(long, env = program::VARIABLE)]
    program: Option<PathBuf>,
    /// Which code the node translates, see the README; its Solana transactions make blocks of their own here
    #[arg(long, value_enum, default_value_t = Translate::Off, env = "PARHELION_TRANSLATE")]
    translate: Translate,
    #[command(flatten)]
    translating: TranslateOptions,
    #[command(flatten)]
    config: ConfigFile,
}

/// Starts the chain, prints its accounts, and runs until it is interrupted.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let path = options.program.clone().unwrap_or_else(program::default_path);
    // Always the same keys: development chains can be compared. They are worth nothing anywhere else.
    let operator = Keypair::new_from_array([1; 32]);
    let program_id = Keypair::new_from_array([2; 32]).pubkey();
    let cluster = SvmCluster::start(&SvmOptions {
        program_id,
        program: program::read(&path)?,
        upgrade_authority: operator.pubkey(),
        features: Features::Mainnet,
    })?;
    let first = cluster.clock().await?;
    cluster.airdrop(operator.pubkey(), OPERATOR_SOL * LAMPORTS_PER_SOL).await?;
    let coinbase = keys::fee_recipient(None, &operator)?;
    let accounts = accounts::all()?;
    create_chain(&cluster, &operator, options.chain_id, coinbase, &accounts).await?;

    let cluster = Arc::new(cluster);
    let wallet = Arc::new(Wallet::new(accounts.clone()));
    let front = options.front.for_development();
    let extensions = faucet::methods(cluster.clone(), operator.insecure_clone())?;
    let operator = Operator { keypair: operator, coinbase };
    let translate = options.translating.settings(options.translate);
    // What was made before the chain is nobody's business: block 0 is the one before it.
    let nothing = ChainSettings { chain_id: options.chain_id, base_fee: 0, block_gas_limit: 0 };
    let timestamp = first.unix_timestamp.max(0).unsigned_abs();
    let store = Arc::new(MemoryStore::new(parhelion_indexer::genesis(first.slot, timestamp, &nothing)));
    let acceptance = Acceptance::Landed(Arc::clone(&cluster), wallet);
    let node = Node::start(cluster, store, operator, translate, &front, extensions, acceptance).await?;
    print_banner(&node, options.chain_id, program_id, &accounts);
    node.run().await
}

/// Initialises the chain and funds the accounts, through the program's own instructions.
async fn create_chain(
    cluster: &SvmCluster,
    operator: &Keypair,
    chain_id: u64,
    coinbase: alloy_primitives::Address,
    accounts: &[PrivateKeySigner],
) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let payer = operator.pubkey();
    let settings = Initialize {
        chain_id,
        base_fee: BASE_FEE,
        block_gas_limit: BLOCK_GAS_LIMIT,
        authority: payer.to_bytes(),
    };
    let mut instructions =
        vec![initialize(&deployment, &payer, &settings), deposit(&deployment, &payer, coinbase, 0)];
    instructions.extend(
        accounts.iter().map(|account| deposit(&deployment, &payer, account.address(), accounts::LAMPORTS)),
    );
    for group in instructions.chunks(6) {
        let blockhash = cluster.latest_blockhash().await?;
        let transaction = sign(group, &payer, &[operator], blockhash, &Budget::MAX, Format::V1)?;
        cluster.send(&transaction).await.context("the development chain cannot be created")?;
    }
    Ok(())
}

fn print_banner(node: &Node, chain_id: u64, program_id: Address, accounts: &[PrivateKeySigner]) {
    println!("Parhelion development chain: the program {program_id} in an in-process Solana VM\n");
    accounts::print(accounts);
    println!("Chain id   {chain_id}");
    node.print_addresses();
}
