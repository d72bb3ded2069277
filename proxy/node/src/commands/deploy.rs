//! `parhelion deploy`: the program onto a cluster, its chain initialised, its operators funded.

use crate::deploying::{DeployerOptions, Shown, interruptible};
use crate::program_id::{self, Known, ProgramId};
use crate::{accounts, keys, program};
use anyhow::{Context, bail};
use clap::Args;
use parhelion_deploy::{Chain, Deployer, Operator};
use parhelion_wire::instruction::Initialize;
use solana_address::Address;
use solana_signer::Signer;
use std::path::{Path, PathBuf};

/// Base fee in wei per gas: one gas is a lamport.
const BASE_FEE: u64 = 1_000_000_000;
/// Gas in a block: room for the rent of the largest contract.
const BLOCK_GAS_LIMIT: u64 = 1_000_000_000;
/// What an operator begins with: rent of new accounts is advanced from it.
const OPERATOR_LAMPORTS: u64 = 10_000_000_000;

/// Options of `parhelion deploy`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    deployer: DeployerOptions,
    /// The program's binary; built by `cargo xtask build-sbf` [default: parhelion.so beside this executable]
    #[arg(long, value_name = "FILE", env = program::VARIABLE)]
    program: Option<PathBuf>,
    /// Key file of the program's address, made if it is not there; for a program that is deployed already the address is
    /// enough [default: ~/.config/parhelion/program.json]
    #[arg(long, value_name = "KEYFILE|ADDRESS", env = "PARHELION_PROGRAM_ID")]
    program_id: Option<ProgramId>,
    /// The Ethereum chain id, which never changes afterwards. Without it the program is deployed and no chain made
    #[arg(long)]
    chain_id: Option<u64>,
    /// Base fee in wei per gas
    #[arg(long, value_name = "WEI", default_value_t = BASE_FEE)]
    base_fee: u64,
    /// The most gas of a block, and so of a transaction
    #[arg(long, value_name = "GAS", default_value_t = BLOCK_GAS_LIMIT)]
    block_gas_limit: u64,
    /// Who may change the chain's settings later [default: the upgrade authority]
    #[arg(long, value_name = "ADDRESS")]
    config_authority: Option<Address>,
    /// An operator, by key file or address (may be given several times): gets lamports to work with. With the key file,
    /// the account that receives its fees is made too, without which no node starts
    #[arg(long, value_name = "KEYFILE|ADDRESS")]
    fund_operator: Vec<ProgramId>,
    /// What each operator has afterwards
    #[arg(long, value_name = "LAMPORTS", default_value_t = OPERATOR_LAMPORTS)]
    operator_lamports: u64,
    /// Give 10,000 SOL to each of the development accounts of `parhelion dev`. Everybody knows their keys: for clusters
    /// that are thrown away
    #[arg(long)]
    dev_accounts: bool,
}

/// Deploys what is not deployed yet.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let authority = options.deployer.authority()?;
    let known = if options.deployer.abandon {
        program_id::resolve(options.program_id.as_ref())?
    } else {
        program_id::resolve_or_create(options.program_id.as_ref())?
    };
    if let (true, Some(file)) = (known.new, &known.file) {
        println!("Key        {} (new; keep it until the program is deployed)", file.display());
    }
    println!("Program    {}", known.address);
    println!("Authority  {}", authority.pubkey());
    let cluster = options.deployer.cluster(known.address).await?;
    let shown = Shown::new();
    let deployer = Deployer::connect(&cluster, &authority, options.deployer.settings(), &shown).await?;
    if options.deployer.abandon {
        return abandon(&deployer).await;
    }
    let go_on = "The same command goes on where this one stopped; with --abandon it gives the rent of the buffer back";
    interruptible(deploy(&deployer, options, &known, authority.pubkey()), go_on).await
}

async fn deploy(
    deployer: &Deployer<'_>,
    options: &Options,
    known: &Known,
    authority: Address,
) -> anyhow::Result<()> {
    // What can be wrong with the command is told before anything is paid for.
    let operators = options.fund_operator.iter().map(operator).collect::<anyhow::Result<Vec<_>>>()?;
    let file = program::read(&options.program.clone().unwrap_or_else(program::default_path))?;
    let deployed = deployer.deploy(&file, known.key.as_ref()).await?;
    println!("{}   in slot {}", if deployed.now { "Deployed" } else { "Is there" }, deployed.slot);
    let chain = match options.chain_id {
        Some(chain_id) => {
            let settings = Initialize {
                chain_id,
                base_fee: options.base_fee,
                block_gas_limit: options.block_gas_limit,
                authority: options.config_authority.unwrap_or(authority).to_bytes(),
            };
            Some(deployer.initialize(&settings).await?)
        }
        None => deployer.config().await?.map(|config| Chain { now: false, config }),
    };
    let Some(chain) = chain else {
        if !operators.is_empty() || options.dev_accounts {
            bail!("the chain is not initialised yet: give its --chain-id");
        }
        println!("\nThe chain is not initialised yet: run the same command with --chain-id.");
        return Ok(());
    };
    show_chain(&chain, options);
    if !operators.is_empty() {
        let lamports = deployer.fund(&operators, options.operator_lamports).await?;
        println!("Operators  {} funded with {lamports} lamports in all", operators.len());
    }
    if options.dev_accounts {
        let accounts = accounts::all()?;
        let addresses: Vec<_> = accounts.iter().map(|account| account.address()).collect();
        deployer.deposit_to_new(&addresses, accounts::LAMPORTS).await?;
        println!();
        accounts::print(&accounts);
    }
    let keyfile = options.fund_operator.iter().find_map(|operator| match operator {
        ProgramId::File(path) => Some(path.as_path()),
        ProgramId::Address(_) => None,
    });
    let keyfile = keyfile.unwrap_or(Path::new("OPERATOR_KEYFILE")).display();
    println!(
        "\nStart a node with:\n  parhelion run --solana-url {} --program-id {} --keypair {keyfile}",
        options.deployer.solana_url, known.address,
    );
    if !options.deployer.solana_url.is_shown_whole() {
        println!("with the whole URL: it is shown without what may be a secret");
    }
    Ok(())
}

/// Closes the buffer.
pub(crate) async fn abandon(deployer: &Deployer<'_>) -> anyhow::Result<()> {
    match deployer.abandon().await? {
        Some(lamports) => println!("Closed the buffer: {lamports} lamports came back"),
        None => println!("There is no buffer of this authority for this program"),
    }
    Ok(())
}

/// An operator as given on the command line.
fn operator(given: &ProgramId) -> anyhow::Result<Operator> {
    match given {
        ProgramId::Address(address) => Ok(Operator { address: *address, fee_recipient: None }),
        ProgramId::File(path) => {
            let key = keys::read_keypair_of(path, "--fund-operator")
                .context("--fund-operator is neither an address nor a key file")?;
            let fee_recipient = Some(keys::fee_recipient(None, &key)?);
            Ok(Operator { address: key.pubkey(), fee_recipient })
        }
    }
}

fn show_chain(chain: &Chain, options: &Options) {
    let Chain { now, config } = chain;
    println!("Chain id   {}{}", config.chain_id(), if *now { ", initialised" } else { "" });
    let kept = |name: &str, there: u64, asked: u64| {
        let note = if there == asked { String::new() } else { format!(", not {asked}: it stays as it is") };
        println!("{name:<10} {there}{note}");
    };
    kept("Base fee", config.base_fee(), options.base_fee);
    kept("Block gas", config.block_gas_limit(), options.block_gas_limit);
}
