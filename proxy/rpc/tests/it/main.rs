//! The server as clients see it, over real HTTP and WebSocket, with small in-memory services behind it.
#![allow(clippy::unwrap_used, missing_docs)]

mod blocks;
mod calls;
mod client;
mod fake;
mod fees;
mod filters;
mod framing;
mod health;
mod logging;
mod logs;
mod malformed;
mod methods;
mod metrics;
mod pages;
mod rate_limit;
mod raw;
mod send;
mod server;
mod simulations;
mod state;
mod subscriptions;
mod traces;
mod transactions;
mod txpool;
mod websocket;
