//! What landed instructions wrote into holders, and which Solana transactions did so.

use crate::trail::Trail;
use parhelion_core::cluster::LandedTransaction;
use parhelion_wire::account::Holder;
use parhelion_wire::instruction::HolderWrite;
use solana_address::Address;
use std::collections::HashMap;

/// The most holders that are remembered.
pub const HOLDERS_MAX: usize = 4_096;
/// The most bytes of holders and of signatures that are remembered.
pub const HOLDER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The contents of holders, rebuilt from the writes. Beyond the maxima those used longest ago are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    contents: HashMap<Address, Content>,
    bytes: usize,
    uses: u64,
}

#[derive(Debug, Default)]
struct Content {
    /// The account's room as far as it was ever written.
    room: Vec<u8>,
    /// The length of the envelope at the room's beginning.
    length: usize,
    /// The Solana transactions that wrote the envelope and ran it so far.
    trail: Trail,
    /// Whether the envelope's first byte was written by one of them.
    has_beginning: bool,
    /// The number of the newest use.
    used: u64,
}

impl Holders {
    /// Repeats [`Holder::write`], which landed in `landed`.
    pub(crate) fn write(&mut self, holder: Address, write: &HolderWrite<'_>, landed: &LandedTransaction) {
        let (length, offset) = (write.length as usize, write.offset as usize);
        let end = offset.saturating_add(write.bytes.len());
        if length == 0 || length > Holder::ENVELOPE_MAX || end > length {
            // Nothing that executes, or nothing that the program lets land.
            self.forget(&holder);
            return;
        }
        self.contents.entry(holder).or_default();
        self.change(&holder, |content| {
            content.begin_write(length, offset);
            content.room.resize(content.room.len().max(length), 0);
            if let Some(target) = content.room.get_mut(offset..end) {
                target.copy_from_slice(write.bytes);
            }
            content.trail.push(landed);
        });
    }

    /// Takes over what is in a holder of which nothing is known: it was written before anybody looked.
    pub(crate) fn recall(&mut self, holder: Address, envelope: &[u8]) {
        if self.contents.contains_key(&holder) || envelope.is_empty() {
            return;
        }
        self.contents.insert(holder, Content::default());
        self.change(&holder, |content| {
            content.room = envelope.to_vec();
            content.length = envelope.len();
        });
    }

    /// Notes a Solana transaction that begins or continues the run of a holder's transaction.
    pub(crate) fn run(&mut self, holder: &Address, landed: &LandedTransaction) {
        self.change(holder, |content| content.trail.push(landed));
    }

    /// Ends the transaction in a holder: gives the Solana transactions of it that were noted, and begins a new list.
    pub(crate) fn take_trail(&mut self, holder: &Address) -> Trail {
        let mut trail = Trail::default();
        self.change(holder, |content| {
            content.has_beginning = false;
            std::mem::swap(&mut content.trail, &mut trail);
        });
        trail
    }

    /// Forgets a holder: it was closed, or created anew.
    pub(crate) fn forget(&mut self, holder: &Address) {
        if let Some(content) = self.contents.remove(holder) {
            self.bytes -= content.bytes();
        }
    }

    /// The envelope in a holder, if its writes were seen.
    pub(crate) fn envelope(&self, holder: &Address) -> Option<&[u8]> {
        self.contents.get(holder).and_then(|content| content.room.get(..content.length))
    }

    /// Changes what is known of a holder, if anything is, and keeps the maxima.
    fn change(&mut self, holder: &Address, change: impl FnOnce(&mut Content)) {
        let Some(content) = self.contents.get_mut(holder) else { return };
        let bytes_before = content.bytes();
        change(content);
        self.uses += 1;
        content.used = self.uses;
        self.bytes = self.bytes - bytes_before + content.bytes();
        self.evict();
    }

    /// Keeps the maxima. The holder used last stays, as it is alone within them.
    fn evict(&mut self) {
        while self.contents.len() > HOLDERS_MAX || self.bytes > HOLDER_BYTES_MAX {
            let oldest = self.contents.iter().min_by_key(|(_, content)| content.used);
            let Some(oldest) = oldest.map(|(holder, _)| *holder) else { return };
            self.forget(&oldest);
        }
    }
}

impl Content {
    /// Begins a new list of Solana transactions when a write is the first of another envelope: it has another length,
    /// or it writes the beginning again. Pieces may land in any order, so the first of an envelope need not be its
    /// beginning.
    fn begin_write(&mut self, length: usize, offset: usize) {
        let is_beginning = offset == 0;
        if length != self.length || (is_beginning && self.has_beginning) {
            self.trail = Trail::default();
            self.has_beginning = false;
        }
        self.length = length;
        self.has_beginning |= is_beginning;
    }

    /// Bytes of the room and of the signatures.
    const fn bytes(&self) -> usize {
        self.room.len() + self.trail.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::SIGNATURES_MAX;
    use solana_signature::Signature;

    /// The Solana transaction with this number, which is its compute units too.
    fn landed(number: u64) -> LandedTransaction {
        LandedTransaction {
            signature: signature(number),
            compute_units: number,
            lamports: vec![],
            instructions: vec![],
        }
    }

    fn signature(number: u64) -> Signature {
        let mut bytes = [0; 64];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        bytes.into()
    }

    /// Ends the transaction in holder 1, in the Solana transaction `number`, and gives all that belong to it.
    fn end(holders: &mut Holders, number: u64) -> Vec<u64> {
        let (signatures, compute_units) = holders.take_trail(&address(1)).end(&landed(number));
        // All numbers here are less than 256.
        let number = |signature: &Signature| u64::from(signature.as_ref()[0]);
        let numbers: Vec<_> = signatures.iter().map(number).collect();
        assert_eq!(numbers.iter().sum::<u64>(), compute_units);
        numbers
    }

    /// A write of one byte into holder 1, in the Solana transaction `number`.
    fn write_in(holders: &mut Holders, number: u64, length: u32, offset: u32) {
        holders.write(address(1), &HolderWrite { length, offset, bytes: &[1] }, &landed(number));
    }

    fn write(holders: &mut Holders, holder: u16, length: u32, offset: u32, bytes: &[u8]) {
        holders.write(address(holder), &HolderWrite { length, offset, bytes }, &landed(0));
    }

    fn address(number: u16) -> Address {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_le_bytes());
        bytes.into()
    }

    #[test]
    fn pieces_in_any_order_make_the_envelope_and_a_holder_is_reused() {
        let mut holders = Holders::default();
        write(&mut holders, 1, 6, 3, &[4, 5, 6]);
        write(&mut holders, 1, 6, 0, &[1, 2, 3]);
        assert_eq!(holders.envelope(&address(1)), Some(&[1, 2, 3, 4, 5, 6][..]));
        write(&mut holders, 1, 2, 0, &[9]);
        assert_eq!(holders.envelope(&address(1)), Some(&[9, 2][..]));
        write(&mut holders, 1, 7, 6, &[7]);
        assert_eq!(holders.envelope(&address(1)), Some(&[9, 2, 3, 4, 5, 6, 7][..]));
        assert_eq!(holders.envelope(&address(2)), None);
        holders.forget(&address(1));
        assert_eq!((holders.envelope(&address(1)), holders.bytes), (None, 0));
    }

    #[test]
    fn the_solana_transactions_of_an_envelope_are_those_since_its_first_piece() {
        let mut holders = Holders::default();
        // Two pieces in one Solana transaction, the beginning behind another piece.
        for (number, offset) in [(1, 3), (2, 0), (2, 1), (3, 2)] {
            write_in(&mut holders, number, 4, offset);
        }
        assert_eq!(end(&mut holders, 4), [1, 2, 3, 4]);
        // The next one in the same holder, as long.
        write_in(&mut holders, 5, 4, 1);
        write_in(&mut holders, 6, 4, 0);
        assert_eq!(end(&mut holders, 6), [5, 6]);
        // One is given up for another that is as long and comes from its beginning on,
        write_in(&mut holders, 7, 4, 1);
        write_in(&mut holders, 8, 4, 0);
        write_in(&mut holders, 9, 4, 0);
        write_in(&mut holders, 10, 4, 1);
        assert_eq!(end(&mut holders, 10), [9, 10]);
        // or for one of another length.
        write_in(&mut holders, 11, 4, 0);
        write_in(&mut holders, 12, 5, 1);
        write_in(&mut holders, 13, 5, 0);
        assert_eq!(end(&mut holders, 14), [12, 13, 14]);
        assert_eq!(holders.bytes, 5, "no signature is left");
    }

    #[test]
    fn a_run_is_followed_in_known_holders_until_they_are_forgotten() {
        let mut holders = Holders::default();
        holders.run(&address(1), &landed(1));
        assert!(holders.contents.is_empty());
        write_in(&mut holders, 2, 4, 0);
        holders.run(&address(1), &landed(3));
        holders.run(&address(1), &landed(4));
        holders.run(&address(2), &landed(5));
        assert_eq!(holders.bytes, 4 + 3 * size_of::<Signature>());
        assert_eq!(end(&mut holders, 6), [2, 3, 4, 6]);
        assert_eq!(end(&mut holders, 7), [7]);
        holders.run(&address(1), &landed(8));
        holders.forget(&address(1));
        assert_eq!((end(&mut holders, 9), holders.bytes), (vec![9], 0));
    }

    #[test]
    fn writes_that_cannot_have_landed_leave_nothing() {
        let mut holders = Holders::default();
        for (length, offset) in [(0, 0), (4, 3), (4, u32::MAX), (Holder::ENVELOPE_MAX as u32 + 1, 0)] {
            write(&mut holders, 1, 4, 0, &[1; 4]);
            write(&mut holders, 1, length, offset, &[2; 2]);
            assert_eq!((holders.envelope(&address(1)), holders.bytes), (None, 0), "{length} {offset}");
        }
    }

    #[test]
    fn the_oldest_are_forgotten_beyond_the_maxima() {
        let mut holders = Holders::default();
        for holder in 0..=HOLDERS_MAX as u16 {
            write(&mut holders, holder, 1, 0, &[1]);
            // Keeps holder 0 young.
            write(&mut holders, 0, 1, 0, &[1]);
        }
        assert_eq!(holders.contents.len(), HOLDERS_MAX);
        assert!(holders.envelope(&address(0)).is_some());
        assert!(holders.envelope(&address(1)).is_none());
        let large = Holder::ENVELOPE_MAX as u32;
        for holder in 0..1_000 {
            write(&mut holders, holder, large, 0, &[1]);
        }
        assert!(holders.bytes <= HOLDER_BYTES_MAX);
        assert!(holders.envelope(&address(999)).is_some());
        assert!(holders.envelope(&address(0)).is_none());
    }

    #[test]
    fn signatures_are_bounded_and_a_run_keeps_its_holder_young() {
        let mut holders = Holders::default();
        for holder in 0..HOLDERS_MAX as u16 {
            write(&mut holders, holder, 1, 0, &[1]);
            for number in 1..=SIGNATURES_MAX as u64 {
                holders.run(&address(holder), &landed(number));
            }
            holders.run(&address(0), &landed(0));
        }
        assert!(holders.bytes <= HOLDER_BYTES_MAX && holders.contents.len() < HOLDERS_MAX);
        assert!(holders.envelope(&address(0)).is_some());
        assert!(holders.envelope(&address(1)).is_none());
        let bytes: usize = holders.contents.values().map(Content::bytes).sum();
        assert_eq!(bytes, holders.bytes);
    }
}
