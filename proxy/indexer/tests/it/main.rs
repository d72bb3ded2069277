//! The indexer as its users see it: blocks as data, and the service between a cluster and a store.
#![allow(clippy::unwrap_used, missing_docs)]

mod decode;
mod fixture;
mod forks;
mod invoked;
mod problems;
mod scene;
mod service;
mod steps;
mod world;
