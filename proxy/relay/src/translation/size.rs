//! What the translation of a code takes, found out by making it.

use super::rule::Cost;
use parhelion_evm::translation::{Translator, length_max};
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Code, GROWTH_MAX, Translation};

/// Blocks of code that one Solana transaction translates: some 600,000 compute units.
pub(super) const BLOCKS: u16 = 400;
/// Compute units of a block.
const UNITS_PER_BLOCK: u64 = 1_500;
/// The translator stops when there is less room than this.
const ROOM: usize = 1_000;

/// What a translation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// Bytes of the code.
    pub(super) code: usize,
    /// Bytes of the translation.
    pub(super) translation: usize,
    /// Blocks of the code.
    pub(super) blocks: u64,
    /// Lamports of its rent, when that was found out.
    pub(super) rent: u64,
}

impl Size {
    /// What the translation of the code in a Code account takes; `None` when it would be too long.
    pub(super) fn of(account: &[u8]) -> Result<Option<Self>, ProgramError> {
        let code = Code::view(account)?;
        let mut out = vec![0; length_max(code.len())];
        let Ok(mut progress) = Translator::start(code.code(), code.jump_map(), &mut out) else {
            return Ok(None);
        };
        let mut blocks = 0;
        while !progress.is_complete(code.len()) {
            let mut translator = Translator::new(code.code(), code.jump_map(), &mut out, &progress);
            let Ok(further) = translator.run(&progress, 1) else { return Ok(None) };
            (progress, blocks) = (further, blocks + 1);
        }
        Ok(Some(Self { code: code.len(), translation: progress.length as usize, blocks, rent: 0 }))
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
        let transactions = (self.growths() as u64).max(self.blocks.div_ceil(BLOCKS.into()));
        Cost { is_begun: false, rent, lost: 0, transactions, units: self.blocks * UNITS_PER_BLOCK }
    }

    /// How often the account grows, by as much as it can at once.
    const fn growths(&self) -> usize {
        (self.account() + ROOM).div_ceil(GROWTH_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Code account.
    fn account(code: &[u8]) -> Vec<u8> {
        let mut data = vec![0; Code::account_length(code.len())];
        Code::create(&mut data, 1, code).expect("a code");
        data
    }
}
