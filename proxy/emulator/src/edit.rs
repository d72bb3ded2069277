//! State that is set from outside: for development chains.

use crate::overrides;
use crate::shell::Shell;
use alloy_rpc_types_eth::state::StateOverride;
use parhelion_core::cluster::{Account, ClusterError};
use parhelion_core::emulator::EmulatorError;
use parhelion_sdk::convert::to_h160;
use parhelion_wire::account::{Balance, Header, Layout};
use parhelion_wire::address::AccountKey;
use parhelion_wire::{Pubkey, U256, WEI_PER_LAMPORT};
use solana_address::Address;
use std::collections::HashMap;

type Accounts = HashMap<Pubkey, Option<Account>>;

impl Shell {
    /// The accounts that have to be replaced so that the state is as `change` says, each as it has to be then: exempt from
    /// rent, and with so much more in the vault as there is more in balances (invariant 8). A balance that shrinks leaves
    /// its lamports in the vault.
    ///
    /// A whole storage (`state`) cannot be replaced: nobody knows all Cells of a contract.
    ///
    /// # Errors
    /// When the state cannot be read, or lamports have no numbers for what the vault would hold.
    pub async fn edited(&self, change: &StateOverride) -> Result<Vec<(Address, Account)>, EmulatorError> {
        if change.values().any(|account| account.state.is_some()) {
            return Err(EmulatorError::State("the whole storage of a contract cannot be replaced".into()));
        }
        let vault = self.address(&AccountKey::Vault);
        let mut wanted = overrides::addresses(self, change);
        wanted.push(vault);
        let (clock, before) = self.fetch(&wanted).await?;
        let mut after = before.clone();
        overrides::apply_state(self, change, &mut after, clock.slot)?;
        let (had, has) = (self.sum(change, &before)?, self.sum(change, &after)?);
        if let Some(account) = after.get_mut(&vault).and_then(Option::as_mut) {
            let lamports = lamports(has.saturating_sub(had));
            let filled = lamports.and_then(|lamports| account.lamports.checked_add(lamports));
            account.lamports = filled.ok_or_else(too_much)?;
        }
        let mut edited = Vec::new();
        for (address, account) in after {
            let Some(mut account) = account else { continue };
            if before.get(&address).and_then(Option::as_ref) == Some(&account) {
                continue;
            }
            let exempt = self.cluster.rent_exemption(account.data.len()).await?;
            account.lamports = account.lamports.max(exempt);
            if let Some(header) = Header::of_mut(&mut account.data) {
                header.touch(clock.slot);
            }
            edited.push((Address::from(address), account));
        }
        Ok(edited)
    }

    /// The sum of the balances that change, in wei.
    fn sum(&self, change: &StateOverride, accounts: &Accounts) -> Result<U256, EmulatorError> {
        let mut sum = U256::zero();
        for address in change.keys() {
            let key = self.address(&AccountKey::Balance(to_h160(*address)));
            if let Some(account) = accounts.get(&key).and_then(Option::as_ref)
                && let Ok(view) = Balance::view(&account.data)
            {
                sum = sum.checked_add(view.balance()).ok_or_else(too_much)?;
            }
        }
        Ok(sum)
    }
}

/// The lamports that cover so many wei, if lamports have a number for it.
fn lamports(wei: U256) -> Option<u64> {
    let (whole, rest) = wei.div_mod(U256::from(WEI_PER_LAMPORT));
    u64::try_from(whole).ok()?.checked_add(u64::from(!rest.is_zero()))
}

fn too_much() -> EmulatorError {
    ClusterError::Unsupported(format!(
        "the balances would come to more than 2^64 lamports, which is all that Solana has numbers for: give at most {} wei",
        U256::from(u64::MAX) * U256::from(WEI_PER_LAMPORT)
    ))
    .into()
}
