//! What the program reports about a run, as the data of self-invocations.
//!
//! Log text is truncated by the runtime; the data of an inner instruction is not. So the program reports by invoking
//! itself: an *event instruction*, signed by the Config address, whose handler does nothing. Clients collect the
//! inner instructions of the program with tag [`crate::instruction::tag::EVENT`] and join their bytes:
//!
//! ```text
//! event instruction   ├ tag 0xee ┼ version ┼ last: u8 ┼ bytes … ┤      one or more for a report
//! report              joined bytes = record ‖ record ‖ …
//! record              ├ kind: u8 ┼ fields ┤
//!
//! 1 receipt      tx hash 32 ┼ sender 20 ┼ coinbase 20 ┼ outcome u8 ┼ gas used u64 ┼ rent gas u64
//!                ┼ effective gas price 32 ┼ created address flag u8 + 20
//! 2 log          address 20 ┼ topics n: u8 ┼ n x 32 ┼ data length u32 ┼ data
//! 3 withdrawal   from 20 ┼ payee 32 ┼ lamports u64
//! 4 deposit      address 20 ┼ lamports u64 ┼ payer 32
//! ```
//!
//! Integers are little-endian, topics and hashes as Ethereum shows them. A report of `execute` begins with its
//! receipt; withdrawals and logs follow, logs in the order in which they were emitted. Only committed logs are
//! reported.

use crate::Pubkey;
use crate::account::{read_u256, write_u256};
use crate::instruction::tag;
use primitive_types::{H160, H256, U256};

/// The version of the format.
pub const VERSION: u8 = 1;
/// Bytes in front of an event instruction's share of the report.
pub const PREFIX: usize = 3;
/// The most bytes of a report in one event instruction: the runtime allows 10,240 bytes of instruction data.
pub const CHUNK_MAX: usize = 10_000;

/// Record kinds.
mod kind {
    pub(super) const RECEIPT: u8 = 1;
    pub(super) const LOG: u8 = 2;
    pub(super) const WITHDRAWAL: u8 = 3;
    pub(super) const DEPOSIT: u8 = 4;
}

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// Status 1.
    Success = 1,
    /// Status 0: the contract reverted.
    Revert = 2,
    /// Status 0: gas ran out, or another exceptional halt of the Yellow Paper.
    Halt = 3,
    /// Status 0: the gas limit did not cover the rent of the state that the run created.
    OutOfRentGas = 4,
    /// Status 0: a run in steps was not finished in time; what it had used so far was charged.
    Cancelled = 5,
}

impl Outcome {
    /// The receipt's status.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Success)
    }

    /// The outcome that is stored as this number.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Success),
            2 => Some(Self::Revert),
            3 => Some(Self::Halt),
            4 => Some(Self::OutOfRentGas),
            5 => Some(Self::Cancelled),
            _ => None,
        }
    }
}

/// A record of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// An Ethereum transaction was executed.
    Receipt(Receipt),
    /// It emitted a log.
    Log(Log<'a>),
    /// It withdrew value to Solana.
    Withdrawal(Withdrawal),
    /// Value came in from Solana.
    Deposit(Deposit),
}

/// An executed Ethereum transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The Ethereum transaction hash.
    pub transaction_hash: H256,
    /// Who sent it.
    pub sender: H160,
    /// The operator's Ethereum address, which received the fees.
    pub coinbase: H160,
    /// How it ended.
    pub outcome: Outcome,
    /// Gas used, rent gas included.
    pub gas_used: u64,
    /// Gas that paid the rent of new state.
    pub rent_gas: u64,
    /// Wei per gas that was paid.
    pub effective_gas_price: U256,
    /// The contract that a creating transaction created.
    pub created: Option<H160>,
}

/// A log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log<'a> {
    /// The contract that emitted it.
    pub address: H160,
    /// Its topics, 32 bytes each, at most four.
    pub topics: &'a [[u8; 32]],
    /// Its data.
    pub data: &'a [u8],
}

/// A withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// The Ethereum address that withdrew.
    pub from: H160,
    /// The Solana account that was paid.
    pub payee: Pubkey,
    /// How much it was paid.
    pub lamports: u64,
}

/// A deposit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// The Ethereum address that was credited.
    pub address: H160,
    /// How much came in.
    pub lamports: u64,
    /// The Solana account that paid.
    pub payer: Pubkey,
}

impl Receipt {
    /// Encoded length.
    pub const LENGTH: usize = 1 + 32 + 20 + 20 + 1 + 8 + 8 + 32 + 1 + 20;

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        let mut price = [0; 32];
        write_u256(&mut price, &self.effective_gas_price);
        join(&[
            &[kind::RECEIPT],
            &self.transaction_hash.0,
            &self.sender.0,
            &self.coinbase.0,
            &[self.outcome as u8],
            &self.gas_used.to_le_bytes(),
            &self.rent_gas.to_le_bytes(),
            &price,
            &[u8::from(self.created.is_some())],
            &self.created.unwrap_or_default().0,
        ])
    }
}

impl Log<'_> {
    /// Length of the part in front of topics and data.
    pub const PREFIX: usize = 1 + 20 + 1;

    /// The part in front of the topics; behind them come the data's length (u32) and the data.
    #[must_use]
    pub fn prefix(address: &H160, topics: u8) -> [u8; Log::PREFIX] {
        join(&[&[kind::LOG], &address.0, &[topics]])
    }
}

impl Withdrawal {
    /// Encoded length.
    pub const LENGTH: usize = 1 + 20 + 32 + 8;

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        join(&[&[kind::WITHDRAWAL], &self.from.0, &self.payee, &self.lamports.to_le_bytes()])
    }
}

impl Deposit {
    /// Encoded length.
    pub const LENGTH: usize = 1 + 20 + 8 + 32;

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        join(&[&[kind::DEPOSIT], &self.address.0, &self.lamports.to_le_bytes(), &self.payer])
    }
}

/// Joins parts whose lengths add up to `N`.
fn join<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut bytes = [0; N];
    let mut rest = &mut bytes[..];
    for part in parts {
        let (target, behind) = rest.split_at_mut(part.len().min(rest.len()));
        target.copy_from_slice(&part[..target.len()]);
        rest = behind;
    }
    bytes
}

/// The prefix of an event instruction.
#[must_use]
pub const fn instruction_prefix(last: bool) -> [u8; PREFIX] {
    [tag::EVENT, VERSION, last as u8]
}

/// An event instruction's share of a report, and whether it is the last; `None` when the data is no event
/// instruction of this version.
#[must_use]
pub fn share(instruction_data: &[u8]) -> Option<(&[u8], bool)> {
    match instruction_data.split_first_chunk()? {
        ([tag::EVENT, VERSION, last], bytes) => Some((bytes, *last != 0)),
        _ => None,
    }
}

/// The bytes are no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedReport;

/// Reads the records of a joined report one by one; after an error it ends.
#[derive(Clone, Copy, Debug)]
pub struct Records<'a>(pub &'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Result<Event<'a>, MalformedReport>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let record = self.read().ok_or(MalformedReport);
        if record.is_err() {
            self.0 = &[];
        }
        Some(record)
    }
}

impl<'a> Records<'a> {
    fn read(&mut self) -> Option<Event<'a>> {
        let [kind] = self.array::<1>()?;
        Some(match kind {
            kind::RECEIPT => Event::Receipt(Receipt {
                transaction_hash: H256(self.array()?),
                sender: H160(self.array()?),
                coinbase: H160(self.array()?),
                outcome: Outcome::from_byte(self.array::<1>()?[0])?,
                gas_used: u64::from_le_bytes(self.array()?),
                rent_gas: u64::from_le_bytes(self.array()?),
                effective_gas_price: read_u256(&self.array()?),
                created: match self.array::<1>()? {
                    [0] => self.array::<20>().map(|_| None)?,
                    _ => Some(H160(self.array()?)),
                },
            }),
            kind::LOG => {
                let address = H160(self.array()?);
                let topics = usize::from(self.array::<1>()?[0]);
                let topics = self.take(topics * 32)?.as_chunks::<32>().0;
                let length = u32::from_le_bytes(self.array()?);
                Event::Log(Log { address, topics, data: self.take(length as usize)? })
            }
            kind::WITHDRAWAL => Event::Withdrawal(Withdrawal {
                from: H160(self.array()?),
                payee: self.array()?,
                lamports: u64::from_le_bytes(self.array()?),
            }),
            kind::DEPOSIT => Event::Deposit(Deposit {
                address: H160(self.array()?),
                lamports: u64::from_le_bytes(self.array()?),
                payer: self.array()?,
            }),
            _ => return None,
        })
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[test]
    fn records_read_back_and_cut_ones_are_refused() {
        let receipt = Receipt {
            transaction_hash: H256([1; 32]),
            sender: H160([2; 20]),
            coinbase: H160([3; 20]),
            outcome: Outcome::Revert,
            gas_used: 4,
            rent_gas: 5,
            effective_gas_price: U256::from(6),
            created: Some(H160([7; 20])),
        };
        let withdrawal = Withdrawal { from: H160([1; 20]), payee: [2; 32], lamports: 3 };
        let deposit = Deposit { address: H160([1; 20]), lamports: 2, payer: [3; 32] };
        let mut bytes = Vec::new();
        bytes.extend(receipt.encode());
        bytes.extend(withdrawal.encode());
        bytes.extend(Log::prefix(&H160([9; 20]), 2));
        bytes.extend([[8; 32], [7; 32]].concat());
        bytes.extend(3u32.to_le_bytes());
        bytes.extend([1, 2, 3]);
        bytes.extend(deposit.encode());
        let log = Log { address: H160([9; 20]), topics: &[[8; 32], [7; 32]], data: &[1, 2, 3] };
        let expected = [
            Event::Receipt(receipt),
            Event::Withdrawal(withdrawal),
            Event::Log(log),
            Event::Deposit(deposit),
        ];
        assert_eq!(Records(&bytes).collect::<Result<Vec<_>, _>>(), Ok(expected.to_vec()));
        for length in 1..bytes.len() {
            // Never a panic, and never more records than whole ones.
            assert!(Records(&bytes[..length]).filter(Result::is_ok).count() < 4);
        }
    }
}
