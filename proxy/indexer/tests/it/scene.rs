//! A decoder that is fed slot by slot, and what its tests have in common.

use crate::fixture::{CHAIN, PROGRAM, holder_write, log, receipt, signature, slot_from, tip};
use parhelion_core::cluster::LandedInstruction;
use parhelion_core::store::Executed;
use parhelion_core::transaction::Transaction;
use parhelion_indexer::{Decoded, Decoder, Tip};
use std::sync::Arc;

/// A decoder, and what it has decoded so far.
pub(crate) struct Scene {
    pub(crate) decoder: Decoder,
    tip: Tip,
    /// The number of the next Solana transaction.
    pub(crate) next: u8,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self { decoder: Decoder::new(PROGRAM.to_bytes(), CHAIN), tip: tip(), next: 1 }
    }

    /// Decodes the next slot. Solana transactions are numbered over all slots.
    pub(crate) fn decode(&mut self, transactions: Vec<Vec<LandedInstruction>>) -> Decoded {
        let count = transactions.len() as u8;
        let landed = slot_from(self.tip.number + 1, self.next, transactions);
        let decoded = self.decoder.block(&self.tip, &landed);
        self.next += count;
        self.tip = Tip::from(&decoded.block);
        decoded
    }

    /// [`Self::decode`] without problems.
    pub(crate) fn executed(&mut self, transactions: Vec<Vec<LandedInstruction>>) -> Vec<Arc<Executed>> {
        let decoded = self.decode(transactions);
        assert_eq!(decoded.problems, []);
        decoded.block.transactions
    }
}

/// Asserts which Solana transactions belong to a transaction. The number of each is its compute units.
pub(crate) fn assert_trail(executed: &Executed, numbers: impl IntoIterator<Item = u8> + Clone) {
    let signatures: Vec<_> = numbers.clone().into_iter().map(signature).collect();
    assert_eq!(executed.signatures, signatures);
    assert_eq!(executed.total_compute_units, numbers.clone().into_iter().map(u64::from).sum::<u64>());
    let last = numbers.into_iter().last().unwrap();
    assert_eq!((executed.signature, executed.compute_units), (signature(last), last.into()));
}

/// The writes of an envelope in pieces of 150 bytes.
pub(crate) fn writes(transaction: &Transaction) -> Vec<Vec<LandedInstruction>> {
    let envelope = transaction.envelope();
    let pieces = envelope.chunks(150).enumerate();
    pieces.map(|(number, bytes)| vec![holder_write(bytes, envelope.len(), 150 * number)]).collect()
}

pub(crate) fn report(transaction: &Transaction) -> Vec<u8> {
    [&receipt(transaction).encode()[..], &log(1, 2, &[3])].concat()
}
