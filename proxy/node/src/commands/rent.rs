//! `parhelion rent`: what an operator gets back by closing accounts.

use crate::keys;
use crate::program_id::Deployed;
use clap::{Args, ValueEnum};
use parhelion_relay::translation;
use parhelion_sdk::client::{Client, Rented, What};
use parhelion_sdk::convert::Sol;
use solana_signer::Signer;
use std::path::PathBuf;

/// Options of `parhelion rent`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    deployed: Deployed,
    /// Key file of the operator [default: ~/.config/solana/id.json]
    #[arg(long, env = "PARHELION_KEYPAIR")]
    keypair: Option<PathBuf>,
    /// Close these; several with commas between them
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    close: Vec<Group>,
}

/// What is shown, and closed, together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Group {
    /// Where large transactions lie while they run; stop the node of this key first, which uses them again and again
    Holders,
    /// Translations of contracts' code that the program runs: without them calls take more compute units
    Translations,
    /// Translations in a format that is not this version's
    OldTranslations,
    /// All lookup tables of the key, whatever they are for; the first time they are deactivated, four minutes later closed
    LookupTables,
}

impl Group {
    /// Which group an account belongs to.
    const fn of(rented: &Rented) -> Self {
        match rented.what {
            What::Holder { .. } => Self::Holders,
            What::Translation { format: translation::FORMAT, .. } => Self::Translations,
            What::Translation { .. } => Self::OldTranslations,
            What::LookupTable { .. } => Self::LookupTables,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Holders => "holders",
            Self::Translations => "translations",
            Self::OldTranslations => "old-translations",
            Self::LookupTables => "lookup-tables",
        }
    }
}

/// Shows, and closes what was asked for.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let program_id = options.deployed.address()?;
    let operator = keys::read_keypair(&options.keypair.clone().unwrap_or_else(keys::default_keypair))?;
    let client = Client::new(options.deployed.solana_url.reveal(), program_id);
    // A wrong program id or cluster is told as such.
    client.config().await?;
    let rented = client.rented(&operator.pubkey()).await?;
    println!("Rent of {}", operator.pubkey());
    for group in Group::value_variants() {
        let all = rented.iter().filter(|one| Group::of(one) == *group);
        let (count, lamports) = all.clone().fold((0, 0), |(count, sum), one| (count + 1, sum + one.lamports));
        let busy = all.filter(|one| matches!(one.what, What::Holder { has_run: true })).count();
        let note = if busy > 0 { format!("  {busy} with an unfinished run stay") } else { String::new() };
        println!("  {:<17} {count:>6} {:>24}{note}", group.name(), Sol(lamports).to_string());
    }
    if options.close.is_empty() {
        println!("Name what to close with --close, and its rent comes back (--help says what each is)");
        return Ok(());
    }
    let chosen: Vec<Rented> =
        rented.into_iter().filter(|one| options.close.contains(&Group::of(one))).collect();
    println!("Came back  {}", Sol(client.close(&operator, &chosen).await?));
    if chosen.iter().any(|one| matches!(one.what, What::LookupTable { .. })) {
        println!(
            "Lookup tables are closed four minutes after they were deactivated: give the command again then"
        );
    }
    Ok(())
}
