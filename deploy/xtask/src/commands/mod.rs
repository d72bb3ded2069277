//! One file per command.

pub(crate) mod bench_node;
pub(crate) mod build_sbf;
pub(crate) mod check_deps;
pub(crate) mod check_reproducible;
pub(crate) mod clean_cache;
pub(crate) mod conformance;
pub(crate) mod cu_report;
pub(crate) mod deploying;
pub(crate) mod dev;
pub(crate) mod differential;
pub(crate) mod faults;
pub(crate) mod localnet;
pub(crate) mod rpc_fuzz;
pub(crate) mod rpc_vectors;
pub(crate) mod test;
pub(crate) mod workloads;
