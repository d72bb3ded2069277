//! Which precompiles there are in every engine.

use revm::precompile::{PrecompileSpecId, Precompiles};

use crate::case::Rules;

/// The precompiles of the newest fork.
pub(crate) const NUMBERS: &[u16] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 0x100];

/// The address of a precompile.
pub(crate) fn address(number: u16) -> alloy_primitives::Address {
    alloy_primitives::Address::left_padding_from(&number.to_be_bytes())
}

/// revm's implementations of those that a fork has.
pub(crate) fn set(rules: Rules) -> &'static Precompiles {
    Precompiles::new(match rules {
        Rules::Cancun => PrecompileSpecId::CANCUN,
        Rules::Prague => PrecompileSpecId::PRAGUE,
        Rules::Osaka => PrecompileSpecId::OSAKA,
    })
}
