//! The runtime's input: accounts, instruction data, program id.

use crate::account::{Account, RawAccount};
use alloc::vec::Vec;
use parhelion_wire::account::GROWTH_MAX;
use parhelion_wire::{ProgramError, Pubkey};

/// The running instruction.
pub(crate) struct Input<'c> {
    /// Its accounts, each once.
    pub(crate) accounts: Vec<Account<'c>>,
    /// Its data.
    pub(crate) data: &'c [u8],
    /// This program's address.
    pub(crate) program_id: &'c Pubkey,
}

/// A marker that is no index of another account.
const NOT_DUPLICATE: u8 = 0xff;

impl<'c> Input<'c> {
    /// Parses the runtime's input. One pass, nothing is copied.
    ///
    /// # Errors
    /// [`ProgramError::DuplicateAccount`] when an account is listed twice: every check of an account speaks of one
    /// place, and two of them would be one too many.
    ///
    /// # Safety
    /// `input` is the serialized instruction as the runtime lays it out (aligned format), and lives for `'c`, used
    /// by nobody else.
    pub(crate) unsafe fn parse(input: *mut u8) -> Result<Self, ProgramError> {
        // The layout is the runtime's promise, by this function's contract: count u64, then for each account its
        // fixed part, data, room to grow, padding to 8 and the rent epoch (8 bytes) or, for a duplicate, 8 bytes;
        // then the data's length u64, the data, and the program id.
        // SAFETY: see above.
        let count = unsafe { input.cast::<u64>().read() } as usize;
        // SAFETY: see above.
        let mut cursor = unsafe { input.add(8) };
        let mut accounts = Vec::with_capacity(count);
        for _ in 0..count {
            let raw = cursor.cast::<RawAccount>();
            // SAFETY: see above; the cursor is 8-aligned, because everything before it is padded.
            let account = unsafe { &mut *raw };
            if account.duplicate != NOT_DUPLICATE {
                return Err(ProgramError::DuplicateAccount);
            }
            let length = account.data_length as usize;
            account.original_length = length as u32;
            let size = (size_of::<RawAccount>() + length + GROWTH_MAX).next_multiple_of(8) + 8;
            // SAFETY: see above.
            cursor = unsafe { cursor.add(size) };
            // SAFETY: an account of the runtime's input, which is not handed out a second time.
            accounts.push(unsafe { Account::new(raw) });
        }
        // SAFETY: see above.
        let length = unsafe { cursor.cast::<u64>().read() } as usize;
        // SAFETY: see above.
        let data = unsafe { core::slice::from_raw_parts(cursor.add(8), length) };
        // SAFETY: see above; a public key has no alignment.
        let program_id = unsafe { &*cursor.add(8 + length).cast::<Pubkey>() };
        Ok(Self { accounts, data, program_id })
    }

    /// The instruction's first `N` accounts.
    ///
    /// # Errors
    /// [`ProgramError::NotEnoughAccounts`].
    pub(crate) fn first<const N: usize>(&self) -> Result<[Account<'c>; N], ProgramError> {
        self.accounts.first_chunk::<N>().copied().ok_or(ProgramError::NotEnoughAccounts)
    }
}
