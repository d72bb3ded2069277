//! `parhelion verify`: whether a cluster runs what is in a file.

use crate::program;
use crate::program_id::Deployed;
use anyhow::bail;
use clap::Args;
use parhelion_solana::{RpcCluster, RpcOptions};
use std::path::PathBuf;

/// Options of `parhelion verify`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    deployed: Deployed,
    /// The binary to compare with; built by `cargo xtask build-sbf`, from the same sources to the same bytes
    /// [default: parhelion.so beside this executable]
    #[arg(long, value_name = "FILE", env = program::VARIABLE)]
    program: Option<PathBuf>,
}

/// Compares, and fails if they differ.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let program_id = options.deployed.address()?;
    let path = options.program.clone().unwrap_or_else(program::default_path);
    let file = program::read(&path)?;
    let cluster =
        RpcCluster::connect(&RpcOptions::new(options.deployed.solana_url.reveal(), program_id)).await?;
    let verified = parhelion_deploy::verify(&cluster, &file).await?;
    let authority = verified.on_chain.authority;
    let authority =
        authority.map_or_else(|| "nobody: the program is final".to_owned(), |key| key.to_string());
    println!("Program    {program_id}");
    println!("Changed    in slot {}", verified.on_chain.slot);
    println!("Authority  {authority}");
    println!("On chain   sha256 {}", hex(&verified.on_chain_sha256));
    println!("File       sha256 {}  {} bytes, {}", hex(&verified.file_sha256), file.len(), path.display());
    match verified.difference {
        None => {
            println!("The same: the cluster runs this file");
            Ok(())
        }
        Some(offset) => bail!("they differ, from byte {offset} on: the cluster does not run this file"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
