//! What the translation of a code takes, found out by making it.

use super::rule::Cost;
use parhelion_evm::translation::{length_max, translate};
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Code, GROWTH_MAX, Translation};

/// Blocks of code that one Solana transaction translates at most: some 600,000 compute units.
pub(super) const BLOCKS: u16 = 400;
/// Compute units for a byte of code, as the CU tables have it: 97 to 129.
const UNITS_PER_BYTE: u64 = 110;
/// The translator stops when there is less room than this.
const ROOM: usize = 1_000;

/// What a translation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// Bytes of the code.
    pub(super) code: usize,
    /// Bytes of the translation.
    pub(super) translation: usize,
    /// Lamports of its rent, when that was found out.
    pub(super) rent: u64,
}

impl Size {
    /// What the translation of the code in a Code account takes; `None` when it would be too long.
    pub(super) fn of(account: &[u8]) -> Result<Option<Self>, ProgramError> {
        let code = Code::view(account)?;
        let translation = translate(code.code(), code.jump_map());
        Ok(translation.map(|made| Self { code: code.len(), translation: made.len(), rent: 0 }))
    }

    /// Bytes of the account in the end.
    pub(super) const fn account(&self) -> usize {
        Translation::account_length(self.translation)
    }

    /// Bytes of the account while it is being written.
    pub(super) fn room(&self) -> usize {
        let most = Translation::account_length(length_max(self.code));
        (self.growths() * GROWTH_MAX).min(most)
    }

    /// What it costs while nobody has begun it.
    pub(super) fn cost(&self, rent: u64) -> Cost {
        // What one transaction translates fills what the account grows by.
        let transactions = self.growths() as u64;
        Cost { is_begun: false, rent, lost: 0, transactions, units: self.code as u64 * UNITS_PER_BYTE }
    }

    /// How often the account grows, by as much as it can at once.
    const fn growths(&self) -> usize {
        (self.account() + ROOM).div_ceil(GROWTH_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parhelion_evm::jump_map::fill;

    /// A Code account.
    fn account(code: &[u8]) -> Vec<u8> {
        let mut data = vec![0; Code::account_length(code.len())];
        let map = Code::create(&mut data, 1, Default::default(), code).expect("the length is right");
        fill(map, code);
        data
    }

    #[test]
    fn the_size_is_that_of_the_translation() {
        // A hundred times: JUMPDEST, PUSH1 1, POP.
        let code = [0x5b, 0x60, 0x01, 0x50].repeat(100);
        let data = account(&code);
        let view = Code::view(&data).expect("a code");
        let made = translate(view.code(), view.jump_map()).expect("short enough");
        let size = Size::of(&data).expect("a code").expect("short enough");
        assert_eq!((size.code, size.translation), (400, made.len()));
        let cost = size.cost(7);
        assert_eq!((cost.is_begun, cost.rent, cost.lost, cost.transactions), (false, 7, 0, 1));
        assert!(size.account() <= size.room() && size.room() <= Translation::account_length(length_max(400)));
    }

    #[test]
    fn long_codes_take_more_transactions_and_too_dense_ones_none() {
        let size = |code: &[u8]| Size::of(&account(code)).expect("a code");
        let long = size(&[0x5b, 0x60, 0x01, 0x50].repeat(5_000)).expect("short enough");
        assert!(long.cost(0).transactions as usize * GROWTH_MAX >= long.account(), "{long:?}");
        assert_eq!(size(&[0x5b; 100]), None, "more jump destinations than the index takes");
        assert!(Size::of(&[1, 2, 3]).is_err());
    }
}
