//! What the node tells about its work, on standard error.

use anyhow::Context;
use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object, for programs
    Json,
}

// No doc comment: clap would take it for what the program is about.
#[derive(Debug, Args)]
pub(crate) struct Log {
    /// What is logged: levels, also of single parts, like warn,parhelion_relay=debug
    #[arg(
        long,
        global = true,
        help_heading = "Log",
        value_name = "FILTER",
        default_value = "warn,parhelion=info",
        env = "PARHELION_LOG"
    )]
    log: String,
    /// How a line of the log looks
    #[arg(
        long,
        global = true,
        help_heading = "Log",
        value_enum,
        default_value_t = Format::Text,
        env = "PARHELION_LOG_FORMAT"
    )]
    log_format: Format,
}

impl Log {
    /// Logs from now on.
    pub(crate) fn start(&self) -> anyhow::Result<()> {
        let filter: EnvFilter =
            self.log.parse().context("--log is no filter; an example: warn,parhelion=debug")?;
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        match self.log_format {
            Format::Text => log.init(),
            Format::Json => log.json().init(),
        }
        Ok(())
    }
}
