//! How much stack and memory a call gets: little at first, because most calls need little.
//!
//! What Ethereum allows is so much that the kernel maps it anew for every call and takes it back afterwards, which takes
//! longer than an ERC-20's `balanceOf` runs.

use parhelion_evm::machine;
use parhelion_executor::{Limits, Options};
use parhelion_wire::ProgramError;

/// Stack and memory at first: 16 and 32 KiB. jemalloc has pieces of up to 32 KiB at hand; larger ones took a tenth of what an
/// ERC-20's `balanceOf` takes in all.
const FIRST: machine::Limits = machine::Limits { stack_words: 512, memory_bytes: 32 * 1024, frames: 1025 };

/// Runs with little room, and, if that was too little, once more with all that the options allow.
pub(crate) fn little_first<T>(
    options: &Options,
    mut run: impl FnMut(&Options) -> Result<T, ProgramError>,
) -> Result<T, ProgramError> {
    let first = little(options);
    match run(&first) {
        Err(ProgramError::HeapLimit) if first != *options => run(options),
        result => result,
    }
}

/// The same options with little room.
pub(crate) fn little(options: &Options) -> Options {
    let allowed = options.limits.machine;
    let machine = machine::Limits {
        stack_words: allowed.stack_words.min(FIRST.stack_words),
        memory_bytes: allowed.memory_bytes.min(FIRST.memory_bytes),
        frames: allowed.frames.min(FIRST.frames),
    };
    Options { limits: Limits { machine, ..options.limits }, ..*options }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// The bytes of memory of each run, of which the last has enough.
    fn runs(options: &Options, needed: usize) -> (Result<(), ProgramError>, Vec<usize>) {
        let runs = RefCell::new(Vec::new());
        let result = little_first(options, |options| {
            let bytes = options.limits.machine.memory_bytes;
            runs.borrow_mut().push(bytes);
            if bytes < needed { Err(ProgramError::HeapLimit) } else { Ok(()) }
        });
        (result, runs.into_inner())
    }

    #[test]
    fn who_needs_more_gets_it() {
        let (little, all) = (FIRST.memory_bytes, Limits::OFF_CHAIN.machine.memory_bytes);
        assert_eq!(runs(&Options::OFF_CHAIN, 1_000), (Ok(()), vec![little]));
        assert_eq!(runs(&Options::OFF_CHAIN, all), (Ok(()), vec![little, all]));
        assert_eq!(runs(&Options::OFF_CHAIN, all + 1), (Err(ProgramError::HeapLimit), vec![little, all]));
    }

    #[test]
    fn what_is_too_large_for_the_chain_stays_so() {
        let (little, all) = (FIRST.memory_bytes, Limits::ON_CHAIN.machine.memory_bytes);
        assert_eq!(runs(&Options::ON_CHAIN, all + 1), (Err(ProgramError::HeapLimit), vec![little, all]));
        let options = super::little(&Options::ON_CHAIN);
        assert_eq!(runs(&options, all), (Err(ProgramError::HeapLimit), vec![little]), "once is enough");
    }

    #[test]
    fn other_errors_are_final() {
        let result: Result<(), _> = little_first(&Options::OFF_CHAIN, |_| Err(ProgramError::TableLimit));
        assert_eq!(result, Err(ProgramError::TableLimit));
    }
}
