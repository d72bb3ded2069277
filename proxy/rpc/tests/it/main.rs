//! The server as clients see it, over real HTTP and WebSocket, with small in-memory services behind it.
#![allow(clippy::unwrap_used, missing_docs)]

mod blocks;
mod calls;
mod client;
mod fake;
mod fees;
mod framing;
mod logs;
mod server;
mod state;
mod transactions;
