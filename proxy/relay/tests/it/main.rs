//! Integration tests of the relay.
#![allow(clippy::unwrap_used)]

mod plan;
