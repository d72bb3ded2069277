//! The rent that an operator has in accounts which it may close: what it gets back.

use super::{Client, ClientError};
use crate::instruction;
use crate::transaction::{Budget, TABLE_COOLDOWN_SLOTS};
use alloy_primitives::B256;
use parhelion_wire::account::{Header, Holder, Kind, Translation};
use solana_address::Address;
use solana_address_lookup_table_interface::instruction::{close_lookup_table, deactivate_lookup_table};
use solana_address_lookup_table_interface::program as lookup_table;
use solana_address_lookup_table_interface::state::{AddressLookupTable, LOOKUP_TABLE_META_SIZE};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_rpc_client_api::config::{
    RpcAccountInfoConfig, RpcProgramAccountsConfig, UiAccountEncoding, UiDataSliceConfig,
};
use solana_rpc_client_api::filter::{Memcmp, RpcFilterType};
use solana_signature::Signature;
use solana_signer::Signer;

/// Closings that fit one legacy transaction of 1,232 bytes.
const CLOSINGS_AT_ONCE: usize = 16;
/// Where the operator's address is in a holder or a translation.
const PAYER: usize = size_of::<Header>();
/// Where the authority's address is in a lookup table: behind the number of the state, two slots, an index and whether there
/// is an authority.
const AUTHORITY: usize = 4 + 8 + 8 + 1 + 1;
/// Bytes in front of all that are read: no more of any kind is looked at.
const FRONT: usize = 128;

/// An account whose rent an operator gets back by closing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rented {
    /// Its address.
    pub address: Address,
    /// What it holds.
    pub lamports: u64,
    /// What it is.
    pub what: What,
}

/// What an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A holder; one with a run in steps in it cannot be closed before that is over.
    Holder {
        /// Whether a run is in it.
        has_run: bool,
    },
    /// The translation of a contract's code.
    Translation {
        /// Keccak-256 of the code.
        code_hash: B256,
        /// The version of the program's format that it is in.
        format: u8,
    },
    /// An address lookup table. It is deactivated first, and closed when no leader finds its addresses any more.
    LookupTable {
        /// The slot of its deactivation.
        deactivated: Option<u64>,
    },
}

impl Client {
    /// What an operator has paid rent for and may close: its holders and translations, and all lookup tables of its key,
    /// whatever they are for. The cluster's RPC service has to offer `getProgramAccounts`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn rented(&self, operator: &Address) -> Result<Vec<Rented>, ClientError> {
        let program_id = self.program_id();
        let mut rented = Vec::new();
        for kind in [Kind::Holder, Kind::Translation] {
            let of = [(0, &[kind as u8][..]), (PAYER, operator.as_array())];
            rented.extend(self.search(&program_id, of, of_program).await?);
        }
        let is_table = 1u32.to_le_bytes();
        let of = [(0, &is_table[..]), (AUTHORITY, operator.as_array())];
        rented.extend(self.search(&lookup_table::ID, of, of_lookup_tables).await?);
        Ok(rented)
    }

    /// Closes what can be closed of `rented` and deactivates lookup tables that are in use; gives the lamports that came
    /// back. Transactions that landed before a failure have done their part; the rest may be tried again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn close(&self, operator: &Keypair, rented: &[Rented]) -> Result<u64, ClientError> {
        let slot = self.rpc().get_slot().await?;
        let payer = operator.pubkey();
        let closings: Vec<(Instruction, u64)> =
            rented.iter().filter_map(|one| self.closing(&payer, one, slot)).collect();
        let mut lamports = 0;
        for some in closings.chunks(CLOSINGS_AT_ONCE) {
            let instructions: Vec<Instruction> = some.iter().map(|(closing, _)| closing.clone()).collect();
            let _: Signature = self.send(&instructions, &payer, &[operator], &Budget::MAX).await?;
            lamports += some.iter().map(|(_, lamports)| lamports).sum::<u64>();
        }
        Ok(lamports)
    }

    /// What closes an account, or brings that nearer, and the lamports that come back.
    fn closing(&self, operator: &Address, rented: &Rented, slot: u64) -> Option<(Instruction, u64)> {
        let Rented { address, lamports, what } = *rented;
        let deployment = self.deployment();
        match what {
            What::Holder { has_run: true } => None,
            What::Holder { has_run: false } => {
                Some((instruction::close_holder(deployment, operator, address), lamports))
            }
            What::Translation { code_hash, format } => {
                Some((instruction::translation_close(deployment, operator, code_hash, format), lamports))
            }
            What::LookupTable { deactivated: None } => Some((deactivate_lookup_table(address, *operator), 0)),
            What::LookupTable { deactivated: Some(since) } if slot > since + TABLE_COOLDOWN_SLOTS => {
                Some((close_lookup_table(address, *operator, *operator), lamports))
            }
            What::LookupTable { .. } => None,
        }
    }

    /// The accounts of a program that have certain bytes at certain places.
    async fn search(
        &self,
        program: &Address,
        of: [(usize, &[u8]); 2],
        read: impl Fn(&[u8]) -> Option<What>,
    ) -> Result<Vec<Rented>, ClientError> {
        let filter = |(offset, bytes)| RpcFilterType::Memcmp(Memcmp::new_base58_encoded(offset, bytes));
        let config = RpcProgramAccountsConfig {
            filters: Some(of.map(filter).to_vec()),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                data_slice: Some(UiDataSliceConfig { offset: 0, length: FRONT }),
                ..RpcAccountInfoConfig::default()
            },
            ..RpcProgramAccountsConfig::default()
        };
        let found = self.rpc().get_program_ui_accounts_with_config(program, config).await?;
        let rented = found.into_iter().filter_map(|(address, account)| {
            let account = account.to_account()?;
            Some(Rented { address, lamports: account.lamports, what: read(&account.data)? })
        });
        Ok(rented.collect())
    }
}

/// What a holder or a translation is, by its first bytes.
fn of_program(data: &[u8]) -> Option<What> {
    match Translation::view(data) {
        Ok(Translation { prefix, .. }) => {
            Some(What::Translation { code_hash: prefix.code_hash().0.into(), format: prefix.format() })
        }
        Err(_) => Holder::view(data).ok().map(|holder| What::Holder { has_run: holder.has_run() }),
    }
}

/// What a lookup table is, by its first bytes.
fn of_lookup_tables(data: &[u8]) -> Option<What> {
    let table = AddressLookupTable::deserialize(data.get(..LOOKUP_TABLE_META_SIZE)?).ok()?;
    let slot = table.meta.deactivation_slot;
    Some(What::LookupTable { deactivated: (slot != u64::MAX).then_some(slot) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_stays() {
        let (operator, program) = (Address::new_from_array([1; 32]), Address::new_from_array([7; 32]));
        let client = Client::new("http://127.0.0.1:1", program);
        let closing = |what: What| {
            let rented = Rented { address: Address::new_from_array([2; 32]), lamports: 5, what };
            client.closing(&operator, &rented, 1_000).map(|(instruction, lamports)| {
                assert!(instruction.accounts.iter().any(|meta| meta.pubkey == operator && meta.is_signer));
                lamports
            })
        };
        for (what, expected) in [
            (What::Holder { has_run: true }, None),
            (What::Holder { has_run: false }, Some(5)),
            (What::Translation { code_hash: B256::ZERO, format: 1 }, Some(5)),
            // It is deactivated first.
            (What::LookupTable { deactivated: None }, Some(0)),
            (What::LookupTable { deactivated: Some(1_000 - TABLE_COOLDOWN_SLOTS) }, None),
            (What::LookupTable { deactivated: Some(999 - TABLE_COOLDOWN_SLOTS) }, Some(5)),
        ] {
            assert_eq!(closing(what), expected, "{what:?}");
        }
    }

    #[test]
    fn other_accounts_are_nothing_of_an_operators() {
        assert_eq!(of_program(&[]), None);
        assert_eq!(of_program(&[Kind::Cell as u8; 128]), None);
        assert_eq!(of_lookup_tables(&[1; 55]), None);
        assert_eq!(of_lookup_tables(&[0; 128]), None);
    }
}
