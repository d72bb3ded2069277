//! The only crate that talks to a cluster.
//!
//! [`Cluster`](parhelion_core::cluster::Cluster) is implemented twice:
//!
//! | | [`SvmCluster`] | [`RpcCluster`] |
//! |---|---|---|
//! | Solana is | in this process | behind an RPC URL |
//! | a transaction lands | in a block of its own, at once | when a validator includes it |
//! | a failing transaction | leaves no trace | is stopped by the preflight, or costs its fee |
//! | a slot is new | after every landed transaction | every 200 to 400 ms |
//! | history | the last [`svm::BLOCKS_MAX`] blocks | what the RPC node keeps |
//!
//! Both report the program's transactions in the same form and failures with the program's own error number, so
//! nothing above this crate has to know which of them it talks to.
#![forbid(unsafe_code)]

mod failure;
mod landed;
pub mod rpc;
pub mod svm;

pub use rpc::{RpcCluster, RpcOptions};
pub use svm::{Features, Pause, SvmCluster, SvmOptions, SvmRehearsal, SvmSnapshot};
