//! The Solana transactions that belong to one Ethereum transaction.

use parhelion_core::cluster::LandedTransaction;
use solana_signature::Signature;

/// The most Solana transactions that are listed for one Ethereum transaction: the first ones, and the one that ended
/// it. All of them are counted in its compute units.
pub const SIGNATURES_MAX: usize = 1_024;

/// The Solana transactions that brought an Ethereum transaction and ran it so far.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    /// In landing order, without what is beyond the maximum.
    signatures: Vec<Signature>,
    /// The newest one, listed or not.
    newest: Option<Signature>,
    /// Compute units of all of them.
    compute_units: u64,
}

impl Trail {
    /// Adds the newest Solana transaction: once, however many of its instructions belong to the trail.
    pub(crate) fn push(&mut self, landed: &LandedTransaction) {
        if self.newest == Some(landed.signature) {
            return;
        }
        self.newest = Some(landed.signature);
        self.compute_units = self.compute_units.saturating_add(landed.compute_units);
        // Leaves room for the one that ends it.
        if self.signatures.len() < SIGNATURES_MAX - 1 {
            self.signatures.push(landed.signature);
        }
    }

    /// The signatures in landing order, that of the Solana transaction that ended it last; and the compute units of all.
    pub(crate) fn end(mut self, landed: &LandedTransaction) -> (Vec<Signature>, u64) {
        self.push(landed);
        if self.signatures.last() != Some(&landed.signature) {
            self.signatures.push(landed.signature);
        }
        (self.signatures, self.compute_units)
    }

    /// Bytes that the signatures take.
    pub(crate) const fn bytes(&self) -> usize {
        self.signatures.len() * size_of::<Signature>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Solana transaction of one compute unit.
    fn landed(number: usize) -> LandedTransaction {
        LandedTransaction {
            signature: signature(number),
            compute_units: 1,
            lamports: vec![],
            instructions: vec![],
        }
    }

    fn signature(number: usize) -> Signature {
        let mut bytes = [0; 64];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        bytes.into()
    }

    fn trail(numbers: impl IntoIterator<Item = usize>) -> Trail {
        let mut trail = Trail::default();
        numbers.into_iter().for_each(|number| trail.push(&landed(number)));
        trail
    }

    #[test]
    fn each_solana_transaction_counts_once() {
        assert_eq!(trail([]).end(&landed(1)), (vec![signature(1)], 1));
        assert_eq!(trail([1, 1, 2, 2]).end(&landed(2)), (vec![signature(1), signature(2)], 2));
        assert_eq!(trail([1, 1]).end(&landed(2)), (vec![signature(1), signature(2)], 2));
    }

    #[test]
    fn beyond_the_maximum_the_first_ones_and_the_last_are_listed_and_all_are_counted() {
        for count in [SIGNATURES_MAX - 1, SIGNATURES_MAX, SIGNATURES_MAX + 1, 2 * SIGNATURES_MAX] {
            // With and without an instruction of the last one that came before its end.
            for noted in [count - 1, count] {
                let (signatures, compute_units) = trail(0..noted).end(&landed(count - 1));
                assert_eq!(compute_units, count as u64);
                let listed = count.min(SIGNATURES_MAX);
                let expected = (0..listed - 1).chain([count - 1]).map(signature);
                assert_eq!(signatures, expected.collect::<Vec<_>>(), "{noted} of {count}");
            }
        }
    }
}
