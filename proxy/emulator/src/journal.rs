//! What a call changes, as far as it is not undone: what it leaves, and its transfers of value.
//!
//! A call writes nothing. So that the next one can run on what it leaves, that is put together from what a watcher hears.
//! Entries of a frame that fails are dropped, as the executor undoes what the frame did.

use crate::watcher::Watcher;
use alloy_primitives::{Address, B256, Bytes, Log, U256, b256};
use parhelion_evm::exit::Exit;
use parhelion_evm::interpreter::CallScheme;
use parhelion_evm::{H160, opcode as op};
use parhelion_executor::WITHDRAW_ADDRESS;
use parhelion_executor::observe::{Begin, End, Opcode, Way};
use std::collections::{BTreeMap, BTreeSet};

/// The address of logs that show transfers of value: as in geth.
const TRANSFERS: Address = Address::repeat_byte(0xee);
/// `Transfer(address,address,uint256)`.
const TRANSFER_TOPIC: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

/// Something that a call did.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    /// Value moved.
    Move { from: Address, to: Address, wei: U256 },
    /// Value left the chain.
    Withdraw { from: Address, wei: U256 },
    /// A storage slot was set.
    Store { address: Address, key: B256, value: B256 },
    /// A contract used up a nonce.
    Nonce(Address),
    /// A contract began.
    Create(Address),
    /// What it returned is its code.
    Code(Address, Bytes),
    /// A contract destroyed itself.
    Destroy(Address),
    /// The next log was written.
    Log,
}

/// A call or creation that has not ended.
#[derive(Clone, Copy, Debug)]
struct Open {
    /// Entries from before it.
    mark: usize,
    /// Who creates, if it is a contract that does.
    creator: Option<Address>,
    /// What is created.
    created: Option<Address>,
}

/// The changes of a call so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    entries: Vec<Entry>,
    open: Vec<Open>,
    /// Gas that the outermost call left.
    pub(crate) gas_left: u64,
}

/// What happened to an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// Wei that it got, and wei that it gave.
    pub(crate) gained: U256,
    pub(crate) lost: U256,
    /// Nonces that it used up.
    pub(crate) nonces: u64,
    /// Its code, if it was created.
    pub(crate) code: Option<Bytes>,
    /// Whether it was created and is gone again.
    pub(crate) is_gone: bool,
    /// Storage slots that were set.
    pub(crate) storage: BTreeMap<B256, B256>,
}

impl Journal {
    /// What happened to each address.
    pub(crate) fn changes(&self) -> BTreeMap<Address, Change> {
        let mut changes: BTreeMap<Address, Change> = BTreeMap::new();
        let (mut created, mut destroyed) = (BTreeSet::new(), BTreeSet::new());
        for entry in &self.entries {
            match entry {
                Entry::Move { from, to, wei } => {
                    changes.entry(*from).or_default().lose(*wei);
                    changes.entry(*to).or_default().gain(*wei);
                }
                Entry::Withdraw { from, wei } => changes.entry(*from).or_default().lose(*wei),
                Entry::Store { address, key, value } => {
                    changes.entry(*address).or_default().storage.insert(*key, *value);
                }
                Entry::Nonce(address) => changes.entry(*address).or_default().nonces += 1,
                // EIP-161: a contract's nonce begins at 1.
                Entry::Create(address) => {
                    changes.entry(*address).or_default().nonces += 1;
                    created.insert(*address);
                }
                Entry::Code(address, code) => changes.entry(*address).or_default().code = Some(code.clone()),
                Entry::Destroy(address) => {
                    destroyed.insert(*address);
                }
                Entry::Log => {}
            }
        }
        // EIP-6780: only what was created in the same transaction goes.
        for address in created.intersection(&destroyed) {
            changes.insert(*address, Change { is_gone: true, ..Change::default() });
        }
        changes
    }

    /// The logs of the call, with transfers of value in between.
    pub(crate) fn with_transfers(&self, logs: &[Log]) -> Vec<Log> {
        let mut logs = logs.iter().cloned();
        let entries = self.entries.iter();
        entries
            .filter_map(|entry| match entry {
                Entry::Move { from, to, wei } => Some(transfer(*from, *to, *wei)),
                Entry::Withdraw { from, wei } => {
                    Some(transfer(*from, Address::from(WITHDRAW_ADDRESS.0), *wei))
                }
                Entry::Log => logs.next(),
                _ => None,
            })
            .collect()
    }

    fn moves(&mut self, from: Address, to: Address, wei: U256) {
        if !wei.is_zero() {
            self.entries.push(Entry::Move { from, to, wei });
        }
    }
}

impl Change {
    fn gain(&mut self, wei: U256) {
        self.gained = self.gained.saturating_add(wei);
    }

    fn lose(&mut self, wei: U256) {
        self.lost = self.lost.saturating_add(wei);
    }
}

impl Watcher for Journal {
    fn begin(&mut self, begin: &Begin<'_>) {
        let (caller, own, wei) =
            (address(&begin.caller), begin.address.as_ref().map(address), word(&begin.value));
        let creates = matches!(begin.way, Way::Create | Way::Create2);
        let (creator, created) = (creates && !self.open.is_empty())
            .then_some(caller)
            .map_or_else(|| (None, own.filter(|_| creates)), |creator| (Some(creator), own));
        if created.is_some() {
            // The nonce is used up whatever comes of the creation. That of a transaction is not counted here.
            self.entries.extend(creator.map(Entry::Nonce));
        }
        self.open.push(Open { mark: self.entries.len(), creator, created });
        self.entries.extend(created.map(Entry::Create));
        match (begin.way, own) {
            (Way::Call(CallScheme::Call), _) if begin.code_address == Some(WITHDRAW_ADDRESS) => {
                self.entries.push(Entry::Withdraw { from: caller, wei });
            }
            (Way::Call(CallScheme::Call) | Way::Create | Way::Create2, Some(to)) => {
                self.moves(caller, to, wei);
            }
            _ => {}
        }
    }

    fn opcode(&mut self, opcode: &Opcode<'_>) {
        match opcode.opcode {
            op::SSTORE => {
                let [.., value, key] = opcode.stack else { return };
                let (key, value) = (word(key).into(), word(value).into());
                self.entries.push(Entry::Store { address: address(&opcode.address), key, value });
            }
            op::LOG0..=op::LOG4 => self.entries.push(Entry::Log),
            _ => {}
        }
    }

    fn self_destruct(&mut self, contract: &H160, beneficiary: &H160, balance: &parhelion_evm::U256) {
        let (from, to) = (address(contract), address(beneficiary));
        if from != to {
            self.moves(from, to, word(balance));
        }
        self.entries.push(Entry::Destroy(from));
    }

    fn end(&mut self, end: &End<'_>) {
        let Some(open) = self.open.pop() else { return };
        if end.exit.is_success() {
            let code = |created| Entry::Code(created, Bytes::copy_from_slice(end.output));
            self.entries.extend(open.created.map(code));
        } else {
            self.entries.truncate(open.mark);
            // One that meets another contract has no address, but used up the nonce.
            if end.exit == Exit::CreateCollision && open.created.is_none() {
                self.entries.extend(open.creator.map(Entry::Nonce));
            }
        }
        if self.open.is_empty() {
            self.gas_left = end.gas;
        }
    }
}

fn transfer(from: Address, to: Address, wei: U256) -> Log {
    let topics = vec![TRANSFER_TOPIC, from.into_word(), to.into_word()];
    Log::new_unchecked(TRANSFERS, topics, Bytes::copy_from_slice(&wei.to_be_bytes::<32>()))
}

fn address(address: &H160) -> Address {
    Address::from(address.0)
}

fn word(word: &parhelion_evm::U256) -> U256 {
    U256::from_limbs(word.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Address, B256, Bytes, Change, Journal, Log, TRANSFERS, U256, Watcher, op};
    use parhelion_evm::exit::Exit;
    use parhelion_evm::interpreter::CallScheme;
    use parhelion_evm::{H160, U256 as Word};
    use parhelion_executor::observe::{Begin, End, Opcode, Way};

    const CALL: Way = Way::Call(CallScheme::Call);

    fn at(byte: u8) -> H160 {
        H160([byte; 20])
    }

    fn begin(journal: &mut Journal, way: Way, from: u8, to: Option<u8>, wei: u64) {
        let to = to.map(at);
        let caller = at(from);
        let value = Word::from(wei);
        journal.begin(&Begin { way, caller, address: to, code_address: to, value, gas: 9, input: &[] });
    }

    fn end(journal: &mut Journal, exit: Exit, output: &[u8]) {
        journal.end(&End { exit, gas: 5, output });
    }

    fn runs(journal: &mut Journal, opcode: u8, owner: u8, stack: &[Word]) {
        let (address, memory, return_data) = (at(owner), &[][..], &[][..]);
        let (depth, pc, gas, refund) = (1, 0, 9, 0);
        journal.opcode(&Opcode { depth, pc, opcode, gas, refund, address, stack, memory, return_data });
    }

    fn change(journal: &Journal, byte: u8) -> Change {
        journal.changes().remove(&Address::repeat_byte(byte)).unwrap_or_default()
    }

    #[test]
    fn what_a_failed_frame_did_is_undone() {
        let mut journal = Journal::default();
        begin(&mut journal, CALL, 1, Some(2), 7);
        runs(&mut journal, op::LOG0, 2, &[]);
        begin(&mut journal, CALL, 2, Some(3), 4);
        runs(&mut journal, op::SSTORE, 3, &[Word::from(6), Word::from(5)]);
        runs(&mut journal, op::LOG1, 3, &[]);
        end(&mut journal, Exit::Revert, &[]);
        runs(&mut journal, op::SSTORE, 2, &[Word::from(6), Word::from(5)]);
        begin(&mut journal, Way::Call(CallScheme::DelegateCall), 1, Some(2), 7);
        end(&mut journal, Exit::Stop, &[]);
        end(&mut journal, Exit::Stop, &[]);
        assert_eq!(change(&journal, 3), Change::default());
        let seven = U256::from(7);
        assert_eq!(change(&journal, 1), Change { lost: seven, ..Change::default() });
        let storage = [(B256::with_last_byte(5), B256::with_last_byte(6))].into();
        assert_eq!(change(&journal, 2), Change { gained: seven, storage, ..Change::default() });
        assert_eq!(journal.gas_left, 5);

        let log = Log::new_unchecked(Address::ZERO, vec![], Bytes::new());
        let logs = journal.with_transfers(std::slice::from_ref(&log));
        assert_eq!((logs.len(), logs[0].address, &logs[1]), (2, TRANSFERS, &log));
        assert_eq!(logs[0].data.topics()[2], Address::repeat_byte(2).into_word());
        assert_eq!(logs[0].data.data[..], seven.to_be_bytes::<32>());
    }

    #[test]
    fn creations_use_up_nonces_even_if_they_fail() {
        let mut journal = Journal::default();
        begin(&mut journal, CALL, 1, Some(2), 0);
        begin(&mut journal, Way::Create, 2, Some(3), 1);
        end(&mut journal, Exit::Return, &[0x60]);
        begin(&mut journal, Way::Create2, 2, Some(4), 1);
        end(&mut journal, Exit::OutOfGas, &[]);
        // This one meets another contract, and the last one is refused before it has an address.
        begin(&mut journal, Way::Create2, 2, None, 1);
        end(&mut journal, Exit::CreateCollision, &[]);
        begin(&mut journal, Way::Create, 2, None, 1);
        end(&mut journal, Exit::Revert, &[]);
        end(&mut journal, Exit::Stop, &[]);
        assert_eq!((change(&journal, 2).nonces, change(&journal, 2).lost), (3, U256::from(1)));
        let code = Some(Bytes::from([0x60]));
        let created = Change { nonces: 1, gained: U256::from(1), code, ..Change::default() };
        assert_eq!((change(&journal, 3), change(&journal, 4)), (created, Change::default()));
    }

    #[test]
    fn only_a_new_contract_goes_when_it_destroys_itself() {
        let mut journal = Journal::default();
        begin(&mut journal, Way::Create, 1, Some(2), 3);
        journal.self_destruct(&at(2), &at(9), &Word::from(3));
        end(&mut journal, Exit::SelfDestruct, &[]);
        assert!(change(&journal, 2).is_gone);
        assert_eq!((change(&journal, 9).gained, change(&journal, 1).nonces), (U256::from(3), 0));

        let mut journal = Journal::default();
        begin(&mut journal, CALL, 1, Some(2), 0);
        journal.self_destruct(&at(2), &at(9), &Word::from(3));
        end(&mut journal, Exit::SelfDestruct, &[]);
        assert_eq!(change(&journal, 2), Change { lost: U256::from(3), ..Change::default() });
    }
}
