//! Tests of what the schedules do not do.
#![allow(clippy::unwrap_used)]

mod gifts;
