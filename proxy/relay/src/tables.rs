//! The operator's lookup tables, for clusters without transaction format V1.
//!
//! There a Solana transaction has 1,232 bytes, and 32 of them go with each account that it names itself. With an account in
//! a lookup table it names one byte. A table has to be written first, with a Solana transaction for every 27 accounts or so.
//! What was written is found by a leader once the slot is rooted, [`ROOTED_SLOTS`] later. So tables are kept, and what many
//! runs use is in them soon.
//!
//! # When a table is written
//! * Where it makes a run possible: at once, and the run waits for it.
//! * Where it makes a run shorter: when it would have paid by now, counting the runs of the same contract before
//!   ([`Thrift`]). Who buys when the rents paid add up to the price never spends more than twice what a clairvoyant would.
//!   The keeper writes it, and later runs use it.
//!
//! # Failures
//! A table that cannot be written fails the run that it was for, as any of its transactions would. Rent of tables that
//! nobody uses comes back: they are deactivated, and closed when the cluster allows it, 513 slots later. A node does not
//! find the tables of the one before it, and makes its own; `parhelion rent` gets the rent of those back.

use crate::service::Sender;
use crate::shape::Shape;
use alloy_primitives::Address as EthereumAddress;
use parhelion_core::cluster::{Account, ClusterError};
use parhelion_core::relay::RelayError;
use parhelion_sdk::transaction::{Budget, TABLE_COOLDOWN_SLOTS, room};
use solana_address::Address;
use solana_address_lookup_table_interface::instruction::{
    close_lookup_table, create_lookup_table, deactivate_lookup_table, extend_lookup_table,
};
use solana_address_lookup_table_interface::state::{AddressLookupTable, LOOKUP_TABLE_MAX_ADDRESSES};
use solana_message::AddressLookupTableAccount;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A table that nobody uses for so long is given up.
const IDLE_MAX: Duration = Duration::from_secs(15 * 60);
/// Slots until all leaders find what was written into a table: they look into the newest rooted slot.
const ROOTED_SLOTS: u64 = 33;
/// How often is looked whether a table can be used, and the time from one look to the next.
const LOOKS: u32 = 100;
const LOOK: Duration = Duration::from_millis(400);
/// Runs at most whose accounts are to be put into tables.
const WANTED_MAX: usize = 100;
/// Contracts whose savings are counted at most; when there are more, all are forgotten.
const CONTRACTS_MAX: usize = 10_000;

/// The operator's lookup tables.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    tables: Mutex<Vec<Table>>,
    thrift: Mutex<Thrift>,
    /// Accounts of runs that pay for a table.
    wanted: Mutex<Vec<BTreeSet<Address>>>,
    /// Held by whoever writes a table, so that no two write the same.
    writing: Mutex<()>,
}

#[derive(Clone, Debug)]
struct Table {
    /// What can be used of it.
    account: AddressLookupTableAccount,
    /// All of it, and the slot from which on that can be used.
    written: Option<(AddressLookupTableAccount, u64)>,
    used: Instant,
    /// The slot of its deactivation.
    deactivated: Option<u64>,
}

/// Solana transactions that tables would have saved, by contract.
#[derive(Debug, Default)]
pub(crate) struct Thrift(HashMap<EthereumAddress, usize>);

/// How many Solana transactions a run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lengths {
    /// With the tables that there are; none if it is impossible.
    pub(crate) without: Option<usize>,
    /// With all its accounts in tables; none if it is impossible all the same.
    pub(crate) with: Option<usize>,
    /// What it takes to put them there.
    pub(crate) making: usize,
}

impl Thrift {
    /// Whether to put a run's accounts into tables now.
    pub(crate) fn pays(&mut self, contract: EthereumAddress, lengths: Lengths) -> bool {
        let Lengths { without, with, making } = lengths;
        let (Some(with), Some(without)) = (with, without) else { return with.is_some() };
        let saved = without.saturating_sub(with);
        if saved == 0 {
            return false;
        }
        if self.0.len() >= CONTRACTS_MAX {
            self.0.clear();
        }
        let all = self.0.entry(contract).or_default();
        *all += saved;
        let pays = *all > making;
        if pays {
            self.0.remove(&contract);
        }
        pays
    }
}

impl Table {
    /// Everything that was written into it.
    fn all(&self) -> &[Address] {
        self.written.as_ref().map_or(&self.account, |(all, _)| all).addresses.as_slice()
    }

    /// Takes note of a slot: what was written some time ago can be used.
    fn note(&mut self, slot: u64) {
        if let Some((all, _)) = self.written.take_if(|(_, usable)| slot >= *usable) {
            self.account = all;
        }
    }
}

impl Tables {
    /// The tables that help with these accounts in a slot.
    pub(crate) async fn pick(
        &self,
        accounts: &BTreeSet<Address>,
        slot: u64,
    ) -> Vec<AddressLookupTableAccount> {
        let mut tables = self.tables.lock().await;
        tables.iter_mut().for_each(|table| table.note(slot));
        let mut rest = accounts.clone();
        let mut picked = Vec::new();
        loop {
            let helpful = tables.iter_mut().filter(|table| table.deactivated.is_none());
            let count = |table: &Table| {
                let found: BTreeSet<_> =
                    table.account.addresses.iter().filter(|one| rest.contains(*one)).collect();
                found.len()
            };
            let best = helpful.map(|table| (count(table), table)).max_by_key(|(count, _)| *count);
            // One address alone takes more room in a table than in the transaction.
            let Some((_, table)) = best.filter(|(count, _)| *count > 1) else { return picked };
            table.used = Instant::now();
            rest.retain(|address| !table.account.addresses.contains(address));
            picked.push(table.account.clone());
        }
    }

    /// Whether to put a run's accounts into tables now.
    pub(crate) async fn pays(&self, contract: EthereumAddress, lengths: Lengths) -> bool {
        self.thrift.lock().await.pays(contract, lengths)
    }

    /// Leaves it to the keeper to put accounts into tables.
    pub(crate) async fn want(&self, accounts: BTreeSet<Address>) {
        let mut wanted = self.wanted.lock().await;
        if wanted.len() < WANTED_MAX {
            wanted.push(accounts);
        }
    }

    /// The accounts that are in no table.
    async fn missing(&self, accounts: &BTreeSet<Address>) -> Vec<Address> {
        let tables = self.tables.lock().await;
        let known: BTreeSet<&Address> = active(&tables).flat_map(Table::all).collect();
        accounts.iter().filter(|address| !known.contains(address)).copied().collect()
    }

    /// Whether all of these accounts can be found in tables in a slot.
    async fn are_usable(&self, accounts: &BTreeSet<Address>, slot: u64) -> bool {
        let mut tables = self.tables.lock().await;
        tables.iter_mut().for_each(|table| table.note(slot));
        let known: BTreeSet<&Address> = active(&tables).flat_map(|table| &table.account.addresses).collect();
        accounts.iter().all(|address| known.contains(address))
    }

    /// Notes what a table on the cluster is now, and when that can be used.
    async fn put(&self, account: AddressLookupTableAccount, usable: u64) {
        let mut tables = self.tables.lock().await;
        let key = account.key;
        match tables.iter_mut().find(|table| table.account.key == key) {
            Some(table) => table.written = Some((account, usable)),
            None => {
                let nothing = AddressLookupTableAccount { key, addresses: Vec::new() };
                let (written, used) = (Some((account, usable)), Instant::now());
                tables.push(Table { account: nothing, written, used, deactivated: None });
            }
        }
    }

    /// A table with room for some addresses.
    async fn with_room(&self, count: usize) -> Option<Address> {
        let tables = self.tables.lock().await;
        let fits = |table: &&Table| table.all().len() + count <= LOOKUP_TABLE_MAX_ADDRESSES;
        active(&tables).find(fits).map(|table| table.account.key)
    }
}

/// Those that are not given up.
fn active(tables: &[Table]) -> impl Iterator<Item = &Table> {
    tables.iter().filter(|table| table.deactivated.is_none())
}

/// A lookup table's addresses, if it is one of this authority's that is in use, and the slot of its newest ones.
fn read(key: Address, account: &Account, authority: &Address) -> Option<(AddressLookupTableAccount, u64)> {
    let table = AddressLookupTable::deserialize(&account.data).ok()?;
    let is_ours = table.meta.authority == Some(*authority) && table.meta.deactivation_slot == u64::MAX;
    let addresses = table.addresses.to_vec();
    is_ours.then_some((AddressLookupTableAccount { key, addresses }, table.meta.last_extended_slot))
}

impl Sender {
    /// The shape of transactions that use these accounts in a slot.
    pub(crate) async fn shape(&self, accounts: &BTreeSet<Address>, slot: u64) -> Shape {
        match &self.tables {
            None => Shape::V1,
            Some(tables) => Shape::packet().with_tables(tables.pick(accounts, slot).await),
        }
    }

    /// How many Solana transactions it takes to put the accounts into tables.
    pub(crate) async fn making(&self, accounts: &BTreeSet<Address>) -> Result<usize, RelayError> {
        let Some(tables) = &self.tables else { return Ok(0) };
        let missing = tables.missing(accounts).await.len();
        Ok(missing.div_ceil(self.addresses_at_once()?))
    }

    /// Addresses that one transaction puts into a new table.
    fn addresses_at_once(&self) -> Result<usize, RelayError> {
        let operator = self.operator.address();
        let (create, table) = create_lookup_table(operator, operator, 0);
        let extend = extend_lookup_table(table, operator, Some(operator), Vec::new());
        let bytes = room(&[create, extend], &operator, &Budget::MAX, Shape::packet().format());
        Ok((bytes.map_err(crate::plan::unbuildable)? / 32).max(1))
    }

    /// Puts accounts into tables, and waits until these can be used. Gives a slot in which they can.
    pub(crate) async fn put_into_tables(&self, accounts: &BTreeSet<Address>) -> Result<u64, RelayError> {
        self.write_tables(accounts).await?;
        for _ in 0..LOOKS {
            let slot = self.cluster.clock().await?.slot;
            let Some(tables) = &self.tables else { return Ok(slot) };
            if tables.are_usable(accounts, slot).await {
                return Ok(slot);
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(ClusterError::Unreachable("its slots do not pass".to_owned()).into())
    }

    /// Puts accounts into tables.
    async fn write_tables(&self, accounts: &BTreeSet<Address>) -> Result<(), RelayError> {
        let Some(tables) = &self.tables else { return Ok(()) };
        let _writing = tables.writing.lock().await;
        let missing = tables.missing(accounts).await;
        if missing.is_empty() {
            return Ok(());
        }
        let operator = self.operator.address();
        let mut instructions = Vec::new();
        let key = match tables.with_room(missing.len()).await {
            Some(key) => key,
            None => {
                let slot = self.cluster.slot_hashes().await?.first().map_or(0, |(slot, _)| *slot);
                let (create, key) = create_lookup_table(operator, operator, slot);
                instructions.push(create);
                key
            }
        };
        for chunk in missing.chunks(self.addresses_at_once()?) {
            instructions.push(extend_lookup_table(key, operator, Some(operator), chunk.to_vec()));
            self.send(&Shape::packet(), &std::mem::take(&mut instructions), &Budget::MAX).await?;
        }
        let account = self.account(key).await?;
        let (account, extended) = account
            .and_then(|account| read(key, &account, &operator))
            .ok_or_else(|| ClusterError::Unsupported(format!("the lookup table {key} is not there")))?;
        tables.put(account, extended + ROOTED_SLOTS).await;
        Ok(())
    }

    /// Writes tables that are wanted, and gives up those that nobody uses.
    pub(crate) async fn tend_tables(&self) -> Result<(), RelayError> {
        let Some(tables) = &self.tables else { return Ok(()) };
        let wanted = std::mem::take(&mut *tables.wanted.lock().await);
        for accounts in wanted {
            self.write_tables(&accounts).await?;
        }
        let operator = self.operator.address();
        let all = tables.tables.lock().await.clone();
        for table in all {
            let key = table.account.key;
            let instruction = match table.deactivated {
                None if table.used.elapsed() > IDLE_MAX => deactivate_lookup_table(key, operator),
                Some(slot) if self.cluster.clock().await?.slot > slot + TABLE_COOLDOWN_SLOTS => {
                    close_lookup_table(key, operator, operator)
                }
                _ => continue,
            };
            self.send_small(instruction).await?;
            let slot = self.cluster.clock().await?.slot;
            let mut tables = tables.tables.lock().await;
            match table.deactivated {
                None => tables
                    .iter_mut()
                    .filter(|one| one.account.key == key)
                    .for_each(|one| one.deactivated = Some(slot)),
                Some(_) => tables.retain(|one| one.account.key != key),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_written_when_they_pay() {
        let contract = EthereumAddress::repeat_byte(1);
        let lengths = |without, with, making| Lengths { without, with, making };
        // A run after another: whether each of them has its accounts put into tables.
        for (what, runs, expected) in [
            ("impossible without", vec![lengths(None, Some(1), 2)], vec![true]),
            ("impossible all the same", vec![lengths(None, None, 2)], vec![false]),
            ("not shorter", vec![lengths(Some(2), Some(2), 0); 3], vec![false; 3]),
            ("much shorter", vec![lengths(Some(5), Some(1), 3)], vec![true]),
            ("shorter by one, twice", vec![lengths(Some(2), Some(1), 1); 3], vec![false, true, false]),
            (
                "shorter by one, and dear",
                vec![lengths(Some(2), Some(1), 3); 4],
                vec![false, false, false, true],
            ),
            ("in tables already", vec![lengths(Some(2), Some(1), 0)], vec![true]),
        ] {
            let mut thrift = Thrift::default();
            let found: Vec<bool> = runs.into_iter().map(|run| thrift.pays(contract, run)).collect();
            assert_eq!(found, expected, "{what}");
        }
        let mut thrift = Thrift::default();
        let run = lengths(Some(2), Some(1), 1);
        assert!(!thrift.pays(contract, run));
        assert!(!thrift.pays(EthereumAddress::repeat_byte(2), run), "another contract");
        assert!(thrift.pays(contract, run));
    }

    #[tokio::test]
    async fn few_tables_are_picked_and_none_for_a_single_address() {
        let address = |number: u8| Address::new_from_array([number; 32]);
        let table = |key: u8, addresses: &[u8]| AddressLookupTableAccount {
            key: address(key),
            addresses: addresses.iter().copied().map(address).collect(),
        };
        let tables = Tables::default();
        for one in [table(100, &[1, 2, 3]), table(101, &[3, 4, 5, 6]), table(102, &[7]), table(103, &[1, 8])]
        {
            tables.put(one, 50).await;
        }
        let all: BTreeSet<Address> = (1..9).map(address).collect();
        assert!(tables.pick(&all, 49).await.is_empty() && !tables.are_usable(&all, 49).await, "too early");
        assert!(tables.missing(&all).await.is_empty() && tables.are_usable(&all, 50).await);
        for (accounts, expected) in [
            (&[1, 2, 3, 4, 5, 6, 7][..], &[101, 100][..]),
            (&[1, 8], &[103]),
            (&[7], &[]),
            (&[1, 2, 4, 5], &[101, 100]),
            (&[50, 51], &[]),
        ] {
            let accounts: BTreeSet<Address> = accounts.iter().copied().map(address).collect();
            let mut picked: Vec<_> =
                tables.pick(&accounts, 50).await.into_iter().map(|table| table.key).collect();
            let mut expected: Vec<_> = expected.iter().copied().map(address).collect();
            picked.sort_unstable();
            expected.sort_unstable();
            assert_eq!(picked, expected, "{accounts:?}");
        }
        assert_eq!(tables.missing(&[1, 60].map(address).into()).await, [address(60)]);
        assert_eq!((tables.with_room(253).await, tables.with_room(256).await), (Some(address(100)), None));
        // What comes later does not take away what is there.
        tables.put(table(103, &[1, 8, 9, 10]), 60).await;
        let accounts: BTreeSet<Address> = [1, 8, 9, 10].map(address).into();
        for (slot, count) in [(59, 2), (60, 4)] {
            let [picked] = tables.pick(&accounts, slot).await.try_into().expect("one table");
            assert_eq!((picked.key, picked.addresses.len()), (address(103), count));
        }
    }
}
