//! `begin`, `step`, `lock`, `cancel`: a transaction that does not fit one Solana transaction.

use super::{end, tag, take};
use crate::error::ProgramError;
use primitive_types::{H160, H256};

/// The beginning of a transaction's hash: tells a holder's run from an earlier one in the same holder.
pub type TransactionId = [u8; 8];

/// The id of a transaction.
#[must_use]
pub fn transaction_id(hash: &H256) -> TransactionId {
    let mut id = [0; 8];
    id.copy_from_slice(&hash.0[..8]);
    id
}

/// Begins to run the transaction in a holder in steps: validates it, recovers its signer, uses up its nonce and takes the
/// price of its gas from the sender, who is busy until the run ends.
///
/// ```text
///  0     1          21            25                29
///  ├ tag ┼ coinbase ┼ stack words ┼ checkpoint room ┤
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begin {
    /// COINBASE.
    pub coinbase: H160,
    /// Words of the machine's stack, all frames together.
    pub stack_words: u32,
    /// Bytes of room for the checkpoint. The rest of the holder is the machine's memory.
    pub checkpoint_room: u32,
}

impl Begin {
    /// Bytes of the instruction's data.
    pub const LENGTH: usize = 29;

    /// Decodes the data behind the tag.
    ///
    /// # Errors
    /// [`ProgramError::MalformedInstruction`].
    pub fn decode(mut data: &[u8]) -> Result<Self, ProgramError> {
        let coinbase = H160(*take(&mut data)?);
        let stack_words = u32::from_le_bytes(*take(&mut data)?);
        let checkpoint_room = u32::from_le_bytes(*take(&mut data)?);
        end(data)?;
        Ok(Self { coinbase, stack_words, checkpoint_room })
    }

    /// The instruction's data.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        let mut data = [tag::BEGIN; Self::LENGTH];
        data[1..21].copy_from_slice(&self.coinbase.0);
        data[21..25].copy_from_slice(&self.stack_words.to_le_bytes());
        data[25..].copy_from_slice(&self.checkpoint_room.to_le_bytes());
        data
    }
}

/// Runs a transaction on from where it is.
///
/// ```text
///  0     1             9          29       31
///  ├ tag ┼ transaction ┼ coinbase ┼ number ┼ pauses: 8 n ┤
/// ```
///
/// A step does not say where it begins, so it does not matter in which order steps land. It goes on until the transaction
/// is over, or until the gas left has come down to the largest of the pauses that it has not come down to yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// The transaction that is meant.
    pub transaction: TransactionId,
    /// Where the fees go if this is the last step.
    pub coinbase: H160,
    /// A number that makes Solana transactions differ which are the same otherwise. It has no meaning.
    pub number: u16,
    /// Units of gas at which to pause, from the largest to the smallest, as little-endian bytes; 0 is a pause before
    /// everything is written.
    pub pauses: &'a [[u8; 8]],
}

impl<'a> Step<'a> {
    /// Bytes in front of the pauses.
    pub const OVERHEAD: usize = 31;

    /// Decodes the data behind the tag.
    ///
    /// # Errors
    /// [`ProgramError::MalformedInstruction`].
    pub fn decode(mut data: &'a [u8]) -> Result<Self, ProgramError> {
        let transaction = *take(&mut data)?;
        let coinbase = H160(*take(&mut data)?);
        let number = u16::from_le_bytes(*take(&mut data)?);
        let (pauses, rest) = data.as_chunks();
        end(rest)?;
        Ok(Self { transaction, coinbase, number, pauses })
    }

    /// The bytes in front of the pauses.
    #[must_use]
    pub fn prefix(&self) -> [u8; Step::OVERHEAD] {
        let mut data = [tag::STEP; Self::OVERHEAD];
        data[1..9].copy_from_slice(&self.transaction);
        data[9..29].copy_from_slice(&self.coinbase.0);
        data[29..].copy_from_slice(&self.number.to_le_bytes());
        data
    }

    /// The pauses as numbers.
    pub fn pauses(&self) -> impl Iterator<Item = u64> + 'a {
        self.pauses.iter().map(|pause| u64::from_le_bytes(*pause))
    }
}

/// Locks what a run that has come to its end has read and its last step has no room for. The accounts to lock are listed
/// as writable.
///
/// ```text
///  0     1             9        11
///  ├ tag ┼ transaction ┼ number ┤
/// ```
///
/// The locks are for some slots ([`crate::account::Lock::of_ends`]); as long as they last, the last step may do without
/// these accounts. Accounts that are locked already, for this run or another one, stay as they are. When one was changed
/// since the run has read it, nothing is locked, and the run begins anew with its next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The transaction that is meant.
    pub transaction: TransactionId,
    /// A number that makes Solana transactions differ which are the same otherwise. It has no meaning.
    pub number: u16,
}

impl Lock {
    /// Bytes of the instruction's data.
    pub const LENGTH: usize = 11;

    /// Decodes the data behind the tag.
    ///
    /// # Errors
    /// [`ProgramError::MalformedInstruction`].
    pub fn decode(mut data: &[u8]) -> Result<Self, ProgramError> {
        let transaction = *take(&mut data)?;
        let number = u16::from_le_bytes(*take(&mut data)?);
        end(data)?;
        Ok(Self { transaction, number })
    }

    /// The instruction's data.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        let mut data = [tag::LOCK; Self::LENGTH];
        data[1..9].copy_from_slice(&self.transaction);
        data[9..].copy_from_slice(&self.number.to_le_bytes());
        data
    }
}

/// Ends a run that nobody continues: the gas that it had used so far is charged, the rest goes back to the sender.
///
/// ```text
///  0     1             9          29
///  ├ tag ┼ transaction ┼ coinbase ┤
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancel {
    /// The transaction that is meant.
    pub transaction: TransactionId,
    /// Where the fees go.
    pub coinbase: H160,
}

impl Cancel {
    /// Bytes of the instruction's data.
    pub const LENGTH: usize = 29;

    /// Decodes the data behind the tag.
    ///
    /// # Errors
    /// [`ProgramError::MalformedInstruction`].
    pub fn decode(mut data: &[u8]) -> Result<Self, ProgramError> {
        let transaction = *take(&mut data)?;
        let coinbase = H160(*take(&mut data)?);
        end(data)?;
        Ok(Self { transaction, coinbase })
    }

    /// The instruction's data.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        let mut data = [tag::CANCEL; Self::LENGTH];
        data[1..9].copy_from_slice(&self.transaction);
        data[9..].copy_from_slice(&self.coinbase.0);
        data
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[test]
    fn what_was_encoded_decodes_and_nothing_else_does() {
        let begin = Begin { coinbase: H160([1; 20]), stack_words: 2, checkpoint_room: 3 };
        assert_eq!(Begin::decode(&begin.encode()[1..]), Ok(begin));
        let cancel = Cancel { transaction: [4; 8], coinbase: H160([5; 20]) };
        assert_eq!(Cancel::decode(&cancel.encode()[1..]), Ok(cancel));
        let lock = Lock { transaction: [9; 8], number: 515 };
        assert_eq!(Lock::decode(&lock.encode()[1..]), Ok(lock));
        let pauses = [9u64.to_le_bytes(), 0u64.to_le_bytes()];
        let step = Step { transaction: [6; 8], coinbase: H160([7; 20]), number: 8, pauses: &pauses };
        let data = [&step.prefix()[..], pauses.as_flattened()].concat();
        assert_eq!(Step::decode(&data[1..]), Ok(step));
        assert_eq!(step.pauses().collect::<Vec<_>>(), [9, 0]);
        for (decoded, tag) in [
            (Begin::decode(&begin.encode()[2..]).map(drop), "begin"),
            (Cancel::decode(&cancel.encode()[2..]).map(drop), "cancel"),
            (Lock::decode(&lock.encode()[2..]).map(drop), "lock"),
            (Step::decode(&data[2..]).map(drop), "step"),
            (Step::decode(&data[1..Step::OVERHEAD - 1]).map(drop), "step without pauses"),
        ] {
            assert_eq!(decoded, Err(ProgramError::MalformedInstruction), "{tag}");
        }
    }
}
