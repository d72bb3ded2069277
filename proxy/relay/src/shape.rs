//! The format of Solana transactions.

use parhelion_sdk::transaction::Format;
use solana_address::Address;
use solana_message::AddressLookupTableAccount;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The format of Solana transactions, with the lookup tables that they may use: what was planned in a shape is sent in it.
#[derive(Clone, Debug, Default)]
pub enum Shape {
    /// Transaction format V1, the normal one.
    #[default]
    V1,
    /// One network packet: V0 where one of these lookup tables helps, the legacy format where none does.
    Packet(Arc<[AddressLookupTableAccount]>),
}

impl Shape {
    /// One network packet without lookup tables.
    #[must_use]
    pub fn packet() -> Self {
        Self::Packet(Arc::new([]))
    }

    /// The format.
    #[must_use]
    pub fn format(&self) -> Format<'_> {
        match self {
            Self::V1 => Format::V1,
            Self::Packet(tables) => Format::V0(tables),
        }
    }

    /// The same format as if there were a lookup table with all these accounts.
    pub(crate) fn imagined(&self, accounts: &BTreeSet<Address>) -> Self {
        let addresses = accounts.iter().copied().collect();
        self.with_tables(vec![AddressLookupTableAccount {
            key: Address::new_from_array([0xfe; 32]),
            addresses,
        }])
    }

    /// The same format, with these lookup tables where there are any.
    #[must_use]
    pub fn with_tables(&self, tables: Vec<AddressLookupTableAccount>) -> Self {
        match self {
            Self::V1 => Self::V1,
            Self::Packet(_) => Self::Packet(tables.into()),
        }
    }
}
