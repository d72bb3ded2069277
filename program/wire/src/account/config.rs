//! Chain-wide settings.

use super::header::{Header, layout};
use bytemuck::{Pod, Zeroable};

/// Chain-wide settings: 112 bytes. Read by every run, written by the authority.
///
/// ```text
///  0        8          16         24                32          64            65           66     67        75     80        112
///  ├ header ┼ chain id ┼ base fee ┼ block gas limit ┼ authority ┼ config bump ┼ vault bump ┼ fork ┼ slot ┼ time ┼ address ┤
/// ```
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Config {
    header: Header,
    chain_id: [u8; 8],
    base_fee: [u8; 8],
    block_gas_limit: [u8; 8],
    /// The Solana key that may change the settings.
    pub authority: [u8; 32],
    /// Bump seed of the config's own address.
    pub config_bump: u8,
    /// Bump seed of the vault's address.
    pub vault_bump: u8,
    /// The Ethereum rules in force, see [`Self::FORK_OSAKA`].
    pub fork: u8,
    genesis_slot: [u8; 8],
    /// 40 bits.
    genesis_time: [u8; 5],
    /// Its own address, which `initialize` derived. Every run compares it, which costs less than deriving it again (250 CU).
    pub address: [u8; 32],
}

layout!(Config, Config, 112);

impl Config {
    /// Flag: the program refuses everything but `configure`.
    pub const PAUSED: u16 = 1;
    /// The Osaka rules.
    pub const FORK_OSAKA: u8 = 1;

    /// The Ethereum chain id (EIP-155).
    #[must_use]
    #[inline(always)]
    pub const fn chain_id(&self) -> u64 {
        u64::from_le_bytes(self.chain_id)
    }

    /// Sets the chain id.
    pub const fn set_chain_id(&mut self, chain_id: u64) {
        self.chain_id = chain_id.to_le_bytes();
    }

    /// The base fee in wei per gas (EIP-1559); constant until the authority changes it.
    #[must_use]
    #[inline(always)]
    pub const fn base_fee(&self) -> u64 {
        u64::from_le_bytes(self.base_fee)
    }

    /// Sets the base fee (wei per gas).
    pub const fn set_base_fee(&mut self, base_fee: u64) {
        self.base_fee = base_fee.to_le_bytes();
    }

    /// The block gas limit that GASLIMIT shows and that bounds a transaction's gas limit.
    #[must_use]
    #[inline(always)]
    pub const fn block_gas_limit(&self) -> u64 {
        u64::from_le_bytes(self.block_gas_limit)
    }

    /// Sets the block gas limit.
    pub const fn set_block_gas_limit(&mut self, gas: u64) {
        self.block_gas_limit = gas.to_le_bytes();
    }

    /// The slot and the time (seconds since 1970) in which the chain was made: its history begins there.
    #[must_use]
    pub const fn genesis(&self) -> (u64, u64) {
        let [a, b, c, d, e] = self.genesis_time;
        (u64::from_le_bytes(self.genesis_slot), u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]))
    }

    /// Sets slot and time of the beginning.
    pub const fn set_genesis(&mut self, slot: u64, time: u64) {
        let [a, b, c, d, e, ..] = time.to_le_bytes();
        (self.genesis_slot, self.genesis_time) = (slot.to_le_bytes(), [a, b, c, d, e]);
    }

    /// Whether the chain is paused.
    #[must_use]
    #[inline(always)]
    pub const fn paused(&self) -> bool {
        self.header.flags() & Self::PAUSED != 0
    }

    /// Pauses the chain or lets it go on.
    pub const fn set_paused(&mut self, paused: bool) {
        self.header.set_flags(if paused { Self::PAUSED } else { 0 });
    }
}
