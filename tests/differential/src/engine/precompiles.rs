//! Which precompiles there are in every engine.

use revm::precompile::{Precompile, PrecompileSpecId, Precompiles};
use std::sync::LazyLock;

use crate::case::Rules;

/// The precompiles that the executor has so far; the other engines get no more. To be extended with it.
pub(crate) const NUMBERS: &[u16] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];

/// The address of a precompile.
pub(crate) fn address(number: u16) -> alloy_primitives::Address {
    alloy_primitives::Address::left_padding_from(&number.to_be_bytes())
}

static SETS: LazyLock<[Precompiles; 3]> = LazyLock::new(|| {
    let known: Vec<_> = NUMBERS.iter().map(|&number| address(number)).collect();
    [PrecompileSpecId::CANCUN, PrecompileSpecId::PRAGUE, PrecompileSpecId::OSAKA].map(|spec| {
        let all = Precompiles::new(spec);
        let mut set = Precompiles::default();
        let some = known.iter().filter_map(|address| all.get(address));
        set.extend(some.cloned().collect::<Vec<Precompile>>());
        set
    })
});

/// revm's implementations of those that a fork has.
pub(crate) fn set(rules: Rules) -> &'static Precompiles {
    &SETS[match rules {
        Rules::Cancun => 0,
        Rules::Prague => 1,
        Rules::Osaka => 2,
    }]
}
