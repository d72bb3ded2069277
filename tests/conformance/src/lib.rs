//! What other tests share with the runner of Ethereum's test vectors.

#![forbid(unsafe_code)]

pub mod files;
pub mod ledger;
