//! `parhelion upgrade`: the next version of a deployed program.

use super::deploy::abandon;
use crate::deploying::{DeployerOptions, Shown, interruptible};
use crate::program;
use crate::program_id::{self, ProgramId};
use clap::Args;
use parhelion_deploy::Deployer;
use std::path::PathBuf;

/// Options of `parhelion upgrade`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    deployer: DeployerOptions,
    /// The program's binary; built by `cargo xtask build-sbf` [default: parhelion.so beside this executable]
    #[arg(long, value_name = "FILE", env = program::VARIABLE)]
    program: Option<PathBuf>,
    /// The program's Solana address, or the key file of it [default: ~/.config/parhelion/program.json]
    #[arg(long, value_name = "ADDRESS|KEYFILE", env = "PARHELION_PROGRAM_ID")]
    program_id: Option<ProgramId>,
}

/// Upgrades unless the program is of this version already.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let authority = options.deployer.authority()?;
    let program_id = program_id::resolve(options.program_id.as_ref())?.address;
    println!("Program    {program_id}");
    let cluster = options.deployer.cluster(program_id).await?;
    let shown = Shown::new();
    let deployer = Deployer::connect(&cluster, &authority, options.deployer.settings(), &shown).await?;
    if options.deployer.abandon {
        return abandon(&deployer).await;
    }
    let go_on = "The old program goes on running. The same command goes on where this one stopped; with --abandon it \
                 gives the rent of the buffer back";
    let work = async {
        let file = program::read(&options.program.clone().unwrap_or_else(program::default_path))?;
        let upgraded = deployer.upgrade(&file).await?;
        if !upgraded.now {
            println!("This version is deployed already, since slot {}: nothing to do", upgraded.slot);
            return Ok(());
        }
        if upgraded.extended > 0 {
            println!("Extended   by {} bytes", upgraded.extended);
        }
        println!("Upgraded   in slot {}", upgraded.slot);
        Ok(())
    };
    interruptible(work, go_on).await
}
