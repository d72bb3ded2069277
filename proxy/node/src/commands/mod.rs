//! The subcommands, one file each.

pub(crate) mod deposit;
pub(crate) mod dev;
pub(crate) mod run;
pub(crate) mod withdraw;
