//! Undoing: each kind of change, nested checkpoints, and random runs against a model that copies the whole state.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used)]

mod changes;
mod limits;
mod memory;
mod model;
