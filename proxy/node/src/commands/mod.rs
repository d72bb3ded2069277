//! The subcommands, one file each.

pub(crate) mod deploy;
pub(crate) mod deposit;
pub(crate) mod dev;
pub(crate) mod rent;
pub(crate) mod run;
pub(crate) mod upgrade;
pub(crate) mod verify;
pub(crate) mod withdraw;
