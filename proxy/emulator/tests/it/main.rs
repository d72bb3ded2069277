//! Integration tests of the emulator, over a cluster in memory that hands out what it is asked for and takes notes.
#![allow(clippy::unwrap_used)]

mod access_lists;
mod accounts;
mod calls;
mod cluster;
mod estimates;
mod overrides;
mod past;
mod reads;
mod rounds;
mod simulations;
mod traces;
mod transactions;
