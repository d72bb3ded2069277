//! `parhelion run`: a node in front of a Solana cluster.

use crate::config_file::ConfigFile;
use crate::front::Front;
use crate::past::Past;
use crate::secret_url::SecretUrl;
use crate::services::{Acceptance, Node};
use crate::translate::{Translate, TranslateOptions};
use crate::{database, keys};
use alloy_primitives::Address as EthereumAddress;
use anyhow::{Context, bail};
use clap::{Args, value_parser};
use parhelion_core::cluster::Cluster;
use parhelion_core::emulator::Emulator;
use parhelion_core::past::Archive;
use parhelion_emulator::Shell;
use parhelion_relay::Operator;
use parhelion_rpc::Methods;
use parhelion_sdk::address::account_address;
use parhelion_sdk::convert::to_h160;
use parhelion_solana::{RpcCluster, RpcOptions};
use parhelion_wire::address::AccountKey;
use solana_address::Address;
use solana_signer::Signer as _;
use std::path::PathBuf;
use std::sync::Arc;

/// The least number of blocks of which the past is kept: more than runs in steps take, and more than may be dropped.
const PAST_BLOCKS_MIN: u64 = 2_000;

/// Options of `parhelion run`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The cluster's RPC URL
    #[arg(long, value_name = "URL", env = "PARHELION_SOLANA_URL", hide_env_values = true)]
    solana_url: SecretUrl,
    /// The program's Solana address
    #[arg(long, env = "PARHELION_PROGRAM_ID")]
    program_id: Address,
    /// Key file of the operator, who signs and pays for Solana transactions [default: ~/.config/solana/id.json]
    #[arg(long, env = "PARHELION_KEYPAIR")]
    keypair: Option<PathBuf>,
    /// Ethereum address that receives the fees [default: derived from the operator's key]
    #[arg(long, env = "PARHELION_FEE_RECIPIENT")]
    fee_recipient: Option<EthereumAddress>,
    #[command(flatten)]
    front: Front,
    /// Where blocks, transactions and receipts are kept: sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE [default: a
    /// SQLite file of the chain in ~/.local/share/parhelion]
    #[arg(long, value_name = "URL", env = "PARHELION_DATABASE", hide_env_values = true)]
    database: Option<SecretUrl>,
    /// Keep what accounts were for so many blocks only, for questions about older blocks and for traces [default: for all; a
    /// million blocks are some five days]
    #[arg(long, value_name = "NUMBER", env = "PARHELION_PAST_BLOCKS", value_parser = value_parser!(u64).range(PAST_BLOCKS_MIN..))]
    past_blocks: Option<u64>,
    /// Which code the node translates at your expense, see the README
    #[arg(long, value_enum, default_value_t = Translate::Auto, env = "PARHELION_TRANSLATE")]
    translate: Translate,
    #[command(flatten)]
    translating: TranslateOptions,
    #[command(flatten)]
    config: ConfigFile,
}

/// Connects, checks that the chain is there, and runs until it is interrupted.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let keypair = keys::read_keypair(&options.keypair.clone().unwrap_or_else(keys::default_keypair))?;
    let coinbase = keys::fee_recipient(options.fee_recipient, &keypair)?;
    let url = options.solana_url.reveal();
    let cluster = RpcCluster::connect(&RpcOptions::new(url, options.program_id)).await?;
    let rpc = Arc::new(cluster);
    let cluster: Arc<dyn Cluster> = Arc::clone(&rpc) as Arc<dyn Cluster>;
    let settings = Shell::new(Arc::clone(&cluster)).settings().await.context(
        "no chain was found: is the program deployed at --program-id on this cluster, and initialised?",
    )?;
    check_fee_recipient(&*cluster, coinbase).await?;
    let operator = Operator { keypair, coinbase };
    let shown = format!("{operator:?}");
    let store = database::open(options.database.as_ref(), &rpc, &settings).await?;
    let journal = store.journal(operator.keypair.pubkey().as_array());
    let past = Past { archive: Arc::clone(&store) as Arc<dyn Archive>, blocks: options.past_blocks };
    let acceptance = Acceptance::WrittenDown(Arc::new(journal), past);
    let translate = options.translating.settings(options.translate);
    let (front, extensions) = (&options.front, Methods::new());
    let node = Node::start(cluster, store, operator, translate, front, extensions, acceptance).await?;
    println!("Parhelion on {}, program {}", options.solana_url, options.program_id);
    println!("Chain id   {}", settings.chain_id);
    println!("Lands as   {shown}");
    node.print_addresses();
    node.run().await
}

/// The program pays fees into an existing account only, so that no user pays for its rent.
async fn check_fee_recipient(cluster: &dyn Cluster, coinbase: EthereumAddress) -> anyhow::Result<()> {
    let address = account_address(&cluster.deployment(), &AccountKey::Balance(to_h160(coinbase)));
    let exists = cluster.accounts(&[address]).await?.accounts.first().is_some_and(Option::is_some);
    if !exists {
        bail!(
            "the fee recipient {coinbase} has no account yet; make it with: \
             parhelion deposit --to {coinbase} --lamports 0 (and the same --solana-url, --program-id, --keypair)"
        );
    }
    Ok(())
}
