//! The loader's accounts.

use solana_address::Address;
use solana_loader_v3_interface::state::UpgradeableLoaderState as State;

/// Bytes of a program account.
pub const PROGRAM_BYTES: usize = State::size_of_program();

/// Bytes of a buffer account for a program file of `length` bytes.
#[must_use]
pub const fn buffer_bytes(length: usize) -> usize {
    State::size_of_buffer(length)
}

/// Bytes of a ProgramData account for a program file of `length` bytes.
#[must_use]
pub const fn program_data_bytes(length: usize) -> usize {
    State::size_of_programdata(length)
}

/// The content of an account of the loader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoaderAccount<'a> {
    /// Created and not used yet, or closed.
    Uninitialized,
    /// A program file on its way to the chain.
    Buffer {
        /// Who may write it; nobody any more if `None`.
        authority: Option<Address>,
        /// The file as far as it is written; zeros elsewhere.
        file: &'a [u8],
    },
    /// A program: its address is the program id.
    Program {
        /// Where its file is.
        program_data: Address,
    },
    /// The file of a program.
    ProgramData {
        /// When it was last changed. The program does not run in this slot.
        slot: u64,
        /// Who may change it; nobody any more if `None`.
        authority: Option<Address>,
        /// The file, followed by zeros up to the length that was reserved.
        file: &'a [u8],
    },
}

impl<'a> LoaderAccount<'a> {
    /// Reads the data of an account that the loader owns; `None` if it makes no sense.
    #[must_use]
    pub fn read(data: &'a [u8]) -> Option<Self> {
        Some(match wincode::deserialize(data).ok()? {
            State::Uninitialized => Self::Uninitialized,
            State::Buffer { authority_address: authority } => {
                Self::Buffer { authority, file: data.get(State::size_of_buffer_metadata()..)? }
            }
            State::Program { programdata_address: program_data } => Self::Program { program_data },
            State::ProgramData { slot, upgrade_authority_address: authority } => Self::ProgramData {
                slot,
                authority,
                file: data.get(State::size_of_programdata_metadata()..)?,
            },
        })
    }
}
