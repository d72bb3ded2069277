//! The lamports behind all EVM balances.

use super::header::{Header, layout};
use bytemuck::{Pod, Zeroable};

/// The account that holds the lamports behind all EVM balances: 8 bytes of data, the lamports are the point.
///
/// Its lamports beyond the rent exemption always cover the sum of all balances (invariant 8).
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Vault {
    header: Header,
}

layout!(Vault, Vault, 8);
