//! Free ports.

use anyhow::{Result, bail};
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

/// Ports of one block: what a validator takes, and some to spare.
pub const BLOCK: u16 = 64;
/// Blocks lie below the ports that the kernel hands out by itself (32,768 and up), and above the well-known ones.
const FIRST: u16 = 11_000;
const BLOCKS: u16 = 320;
/// How many blocks are tried.
const TRIES_MAX: u16 = 50;

/// The first of [`BLOCK`] ports in a row that are free on the loopback address, for TCP and for UDP.
///
/// # Errors
/// When none of many blocks is free.
pub fn free_block() -> Result<u16> {
    // Processes that start at the same time look in different places.
    let start = RandomState::new().hash_one(std::process::id()) % u64::from(BLOCKS);
    let start = u16::try_from(start).unwrap_or_default();
    for index in 0..TRIES_MAX {
        let first = FIRST + (start + index) % BLOCKS * BLOCK;
        if (first..first + BLOCK).all(is_free) {
            return Ok(first);
        }
    }
    bail!("no {BLOCK} free ports in a row: are many validators running? Stop some");
}

/// Whether nobody listens on a port.
#[must_use]
pub fn is_free(port: u16) -> bool {
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    TcpListener::bind(everywhere).is_ok() && UdpSocket::bind(everywhere).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_free_and_taken_ports_are_seen() {
        let first = free_block().expect("some are free");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).expect("it is free");
        assert!(!is_free(first), "somebody listens");
        drop(listener);
        assert!(FIRST <= first && first + BLOCK <= 32_768);
    }
}
