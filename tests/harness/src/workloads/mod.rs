//! The workloads of the CU table, as scripts.

mod collectible;
mod loops;
mod native;
mod token;
mod uniswap;

use crate::script::Script;

/// A script of the table.
#[derive(Clone, Debug)]
pub struct Workload {
    /// What it is about, for messages.
    pub title: &'static str,
    /// Its transactions.
    pub script: Script,
    /// Whether it is measured with the recovery syscall, too.
    pub with_syscall: bool,
}

/// All of them, in the table's order.
///
/// # Errors
/// When the contracts are not there.
pub fn all() -> anyhow::Result<Vec<Workload>> {
    let workload = |title, script, with_syscall| Workload { title, script, with_syscall };
    Ok(vec![
        workload("native transfers", native::script(), true),
        workload("ERC-20", token::script("Token", &token::PLAIN)?, true),
        workload("ERC-20, optimised", token::script("OptimisedToken", &token::OPTIMISED)?, false),
        workload("ERC-721", collectible::script()?, false),
        workload("Uniswap V2", uniswap::script()?, false),
        workload("loops", loops::script()?, false),
    ])
}
