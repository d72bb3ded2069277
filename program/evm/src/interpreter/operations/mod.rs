//! Everything that is not hot: one short function an operation, in safe code.

pub(super) mod calls;
pub(super) mod copies;
pub(super) mod ending;
pub(super) mod environment;
pub(super) mod state;
pub(super) mod values;
