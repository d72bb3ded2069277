//! What the methods stand on.

use crate::server::Limits;
use jsonrpsee::Methods;
use parhelion_core::emulator::Emulator;
use parhelion_core::pool::Pool;
use parhelion_core::store::Store;
use std::sync::Arc;

/// The services behind the server.
#[derive(Clone)]
pub struct Services {
    /// State, calls and estimates.
    pub emulator: Arc<dyn Emulator>,
    /// Takes signed transactions.
    pub pool: Arc<dyn Pool>,
    /// Blocks, transactions, receipts and logs.
    pub store: Arc<dyn Store>,
    /// Further methods, see [`crate::Module`]; none may have the name of a method of this crate.
    pub extensions: Methods,
}

/// What a method of this crate gets.
pub(crate) struct Context {
    pub(crate) emulator: Arc<dyn Emulator>,
    pub(crate) pool: Arc<dyn Pool>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) limits: Limits,
}
