//! The stub of a world that both interpreters work on: accounts and storage in short tables, and no journal.

use crate::case::{Case, Interpreter};
use alloc::vec::Vec;
use parhelion_evm::interpreter::Code;
use parhelion_evm::jump_map;
use parhelion_evm::translation::Translation;

/// A 256-bit value as an interpreter keeps it: limbs for ours, big-endian bytes for SputnikVM.
pub(crate) type Word = [u64; 4];

/// Accounts, storage, logs.
#[derive(Default)]
pub(crate) struct World<'c> {
    accounts: Vec<Account<'c>>,
    slots: Vec<Slot>,
    /// The data of all logs.
    pub(crate) logs: Vec<u8>,
}

/// An account.
pub(crate) struct Account<'c> {
    pub(crate) address: [u8; 20],
    pub(crate) nonce: u64,
    pub(crate) is_warm: bool,
    /// Its code, with our padding.
    padded: &'c [u8],
    jump_map: &'c [u8],
    translation: Option<Translation<'c>>,
    length: usize,
}

/// A storage key and its values.
pub(crate) struct Slot {
    account: usize,
    key: Word,
    pub(crate) original: Word,
    pub(crate) value: Word,
    pub(crate) is_warm: bool,
}

impl<'c> World<'c> {
    /// The world of a case.
    pub(crate) fn new(case: &Case<'c>, interpreter: Interpreter) -> Self {
        let mut world = Self::default();
        for (index, account) in case.accounts.iter().enumerate() {
            let length = account.code_length as usize;
            let translation = Translation::new(account.translation, length);
            world.accounts.push(Account {
                address: account.address,
                nonce: account.nonce,
                is_warm: false,
                padded: account.padded,
                jump_map: account.jump_map,
                translation: translation.filter(|_| interpreter == Interpreter::Translated),
                length,
            });
            for slot in account.storage {
                let (key, value) = slot.split_at(32);
                let [key, value] = [key, value].map(|bytes| word(bytes, interpreter));
                world.slots.push(Slot { account: index, key, original: value, value, is_warm: false });
            }
        }
        world
    }

    /// The number of an address's account, which is made if it is not there.
    pub(crate) fn id(&mut self, address: &[u8; 20]) -> usize {
        match self.find(address) {
            Some(index) => index,
            None => {
                self.accounts.push(Account {
                    address: *address,
                    nonce: 0,
                    is_warm: false,
                    padded: &[],
                    jump_map: &[],
                    translation: None,
                    length: 0,
                });
                self.accounts.len() - 1
            }
        }
    }

    /// The number of an address's account.
    pub(crate) fn find(&self, address: &[u8; 20]) -> Option<usize> {
        self.accounts.iter().position(|account| is_same(&account.address, address))
    }

    /// An account by its number.
    pub(crate) fn account(&mut self, index: usize) -> &mut Account<'c> {
        &mut self.accounts[index]
    }

    /// An account, if it is there.
    pub(crate) fn get(&self, address: &[u8; 20]) -> Option<&Account<'c>> {
        self.find(address).map(|index| &self.accounts[index])
    }

    /// The slot of a key, if it is there.
    pub(crate) fn find_slot(&self, account: usize, key: &Word) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.is(account, key))
    }

    /// The number of a key's slot, which is made if it is not there.
    pub(crate) fn slot_id(&mut self, account: usize, key: &Word) -> usize {
        match self.slots.iter().position(|slot| slot.is(account, key)) {
            Some(index) => index,
            None => {
                let zero = [0; 4];
                self.slots.push(Slot { account, key: *key, original: zero, value: zero, is_warm: false });
                self.slots.len() - 1
            }
        }
    }

    /// A slot by its number.
    pub(crate) fn slot(&mut self, index: usize) -> &mut Slot {
        &mut self.slots[index]
    }
}

impl Slot {
    fn is(&self, account: usize, key: &Word) -> bool {
        let [a, b, c, d] = self.key;
        a == key[0] && self.account == account && b == key[1] && c == key[2] && d == key[3]
    }
}

impl<'c> Account<'c> {
    /// The code without padding.
    pub(crate) fn code(&self) -> &'c [u8] {
        self.padded.get(..self.length).unwrap_or_default()
    }

    /// The code as our interpreter wants it.
    pub(crate) fn code_to_run(&self) -> Code<'c> {
        if self.length == 0 {
            return Code::Empty;
        }
        Code::stored(self.padded, self.jump_map, self.length, self.translation)
    }

    /// Gives the account its code, and finds out the jump destinations as the executor would.
    pub(crate) fn deploy(&mut self, code: &[u8]) {
        let mut padded = Vec::with_capacity(code.len() + Code::PADDING);
        padded.extend_from_slice(code);
        padded.resize(code.len() + Code::PADDING, 0);
        let mut map = alloc::vec![0; jump_map::length(code.len())];
        jump_map::fill(&mut map, code);
        self.set_code(padded, map, code.len());
    }

    /// Gives the account its code, of which nothing is known.
    pub(crate) fn set_code(&mut self, padded: Vec<u8>, jump_map: Vec<u8>, length: usize) {
        self.padded = padded.leak();
        self.jump_map = jump_map.leak();
        self.length = length;
    }
}

/// 32 big-endian bytes as an interpreter keeps them.
fn word(bytes: &[u8], interpreter: Interpreter) -> Word {
    let mut word = [0; 4];
    for (limb, bytes) in word.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *limb = u64::from_ne_bytes(*bytes);
    }
    if interpreter != Interpreter::Sputnik {
        word.reverse();
        word = word.map(u64::from_be);
    }
    word
}

/// Compares addresses, the low bytes first: they differ most.
fn is_same(a: &[u8; 20], b: &[u8; 20]) -> bool {
    let parts = |address: &[u8; 20]| {
        let ([a, b], [c, d, e, f]) = address.as_chunks::<8>() else { return (0, 0, 0) };
        (u64::from_ne_bytes(*a), u64::from_ne_bytes(*b), u32::from_ne_bytes([*c, *d, *e, *f]))
    };
    let (a, b) = (parts(a), parts(b));
    a.2 == b.2 && a.1 == b.1 && a.0 == b.0
}
