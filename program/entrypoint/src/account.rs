//! An account of the running instruction: a pointer into the runtime's input.

use core::marker::PhantomData;
use parhelion_wire::account::GROWTH_MAX;
use parhelion_wire::{ProgramError, Pubkey};

/// How the runtime lays an account out, in front of its data.
///
/// ```text
///  0            1        2          3            4          8     40      72         80            88
///  ├ duplicate? ┼ signer ┼ writable ┼ executable ┼ (unused) ┼ key ┼ owner ┼ lamports ┼ data length ┼ data …
/// ```
///
/// Behind the data are 10,240 bytes of room to grow. The unused field holds the length at the start of the
/// instruction: the runtime measures growth from there.
#[repr(C)]
pub(crate) struct RawAccount {
    pub(crate) duplicate: u8,
    pub(crate) is_signer: u8,
    pub(crate) is_writable: u8,
    pub(crate) is_executable: u8,
    pub(crate) original_length: u32,
    pub(crate) key: Pubkey,
    pub(crate) owner: Pubkey,
    pub(crate) lamports: u64,
    pub(crate) data_length: u64,
}

const _: () = assert!(size_of::<RawAccount>() == 88);

/// Whether two addresses are equal, eight bytes at a time: `==` would be a syscall.
#[inline(always)]
pub(crate) fn is_same(a: &Pubkey, b: &Pubkey) -> bool {
    let (a, b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
    let is_same = |index: usize| u64::from_le_bytes(a[index]) == u64::from_le_bytes(b[index]);
    is_same(0) && is_same(1) && is_same(2) && is_same(3)
}

/// The System program's address.
pub(crate) const SYSTEM_PROGRAM: Pubkey = [0; 32];

/// An account of the running instruction. Copies point to the same account; each is listed once (the parser
/// refuses duplicates).
#[derive(Clone, Copy)]
pub(crate) struct Account<'c> {
    raw: *mut RawAccount,
    lifetime: PhantomData<&'c mut RawAccount>,
}

impl<'c> Account<'c> {
    /// The account at `raw`.
    ///
    /// # Safety
    /// `raw` points to an account in the runtime's input, which lives for `'c` and is used by nobody else, and
    /// whose `data_length` bytes of data and [`GROWTH_MAX`] more follow.
    pub(crate) const unsafe fn new(raw: *mut RawAccount) -> Self {
        Self { raw, lifetime: PhantomData }
    }

    fn raw(&self) -> &RawAccount {
        // SAFETY: valid by the contract of `new`. Fields change only through this type's setters (which take a
        // value and hold no reference) and during invocations, when no reference is held.
        unsafe { &*self.raw }
    }

    /// A pointer to the account, for invocations.
    pub(crate) const fn as_ptr(&self) -> *mut RawAccount {
        self.raw
    }

    /// The data's first byte.
    pub(crate) fn data_ptr(&self) -> *mut u8 {
        // SAFETY: the data follows the fixed part, by the contract of `new`.
        unsafe { self.raw.add(1).cast() }
    }

    pub(crate) fn key(&self) -> &'c Pubkey {
        // SAFETY: as in `raw`; the key is never changed by anybody, so it can be borrowed for `'c`.
        unsafe { &(*self.raw).key }
    }

    pub(crate) fn is_signer(&self) -> bool {
        self.raw().is_signer != 0
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.raw().is_writable != 0
    }

    pub(crate) fn is_executable(&self) -> bool {
        self.raw().is_executable != 0
    }

    pub(crate) fn is_owned_by(&self, owner: &Pubkey) -> bool {
        is_same(&self.raw().owner, owner)
    }

    pub(crate) fn lamports(&self) -> u64 {
        self.raw().lamports
    }

    pub(crate) fn set_lamports(&self, lamports: u64) {
        // SAFETY: valid by the contract of `new`; nobody holds a reference, see `raw`.
        unsafe { (*self.raw).lamports = lamports }
    }

    pub(crate) fn len(&self) -> usize {
        self.raw().data_length as usize
    }

    /// The data, for as long as nothing writes to this account.
    pub(crate) fn data(&self) -> &[u8] {
        // SAFETY: `data_length` bytes follow by the contract of `new`, and `resize` keeps to the room behind them.
        // The borrow of `self` does not keep copies of it from writing: the ledger, the only one who holds copies,
        // reads and writes through `&self` and `&mut self` of its own.
        unsafe { core::slice::from_raw_parts(self.data_ptr(), self.len()) }
    }

    /// The data, for as long as the instruction runs.
    ///
    /// # Safety
    /// Nobody writes to this account any more.
    pub(crate) unsafe fn data_for_good(&self) -> &'c [u8] {
        // SAFETY: as in `data`, and nobody writes, by this function's contract.
        unsafe { core::slice::from_raw_parts(self.data_ptr(), self.len()) }
    }

    /// The data for writing.
    ///
    /// # Safety
    /// No other reference to the data is alive.
    #[allow(clippy::mut_from_ref)] // an account is a pointer; exclusiveness is the caller's promise
    pub(crate) unsafe fn data_mut(&self) -> &mut [u8] {
        // SAFETY: as in `data`, and exclusive by this function's contract.
        unsafe { core::slice::from_raw_parts_mut(self.data_ptr(), self.len()) }
    }

    /// The data for writing, for as long as the instruction runs.
    ///
    /// # Safety
    /// No other reference to the data is alive, or will be while this one is used.
    #[allow(clippy::mut_from_ref)] // an account is a pointer; exclusiveness is the caller's promise
    pub(crate) unsafe fn data_mut_for_good(&self) -> &'c mut [u8] {
        // SAFETY: as in `data`, and exclusive by this function's contract.
        unsafe { core::slice::from_raw_parts_mut(self.data_ptr(), self.len()) }
    }

    /// Changes the data's length; new bytes are zero.
    ///
    /// # Errors
    /// [`ProgramError::GrowthLimit`].
    pub(crate) fn resize(&self, length: usize) -> Result<(), ProgramError> {
        let raw = self.raw();
        let old = raw.data_length as usize;
        if length > raw.original_length as usize + GROWTH_MAX {
            return Err(ProgramError::GrowthLimit);
        }
        if length > old {
            // SAFETY: `length` bytes are there, by the check above and the contract of `new`; nobody holds a
            // reference to bytes behind the old length.
            unsafe { core::ptr::write_bytes(self.data_ptr().add(old), 0, length - old) }
        }
        // SAFETY: as in `set_lamports`.
        unsafe { (*self.raw).data_length = length as u64 }
        Ok(())
    }

    /// Closes the account: no lamports, no data, owned by the System program. Gives the lamports that it had.
    pub(crate) fn close(&self) -> u64 {
        let lamports = self.lamports();
        // SAFETY: as in `set_lamports`; the data's bytes are exclusive because no view of a closed account is kept.
        unsafe {
            core::ptr::write_bytes(self.data_ptr(), 0, self.len());
            (*self.raw).lamports = 0;
            (*self.raw).data_length = 0;
            (*self.raw).owner = SYSTEM_PROGRAM;
        }
        lamports
    }

    /// # Errors
    /// [`ProgramError::MissingSigner`].
    pub(crate) fn require_signer(&self) -> Result<(), ProgramError> {
        if self.is_signer() { Ok(()) } else { Err(ProgramError::MissingSigner) }
    }

    /// # Errors
    /// [`ProgramError::ReadOnlyAccount`].
    pub(crate) fn require_writable(&self) -> Result<(), ProgramError> {
        if self.is_writable() { Ok(()) } else { Err(ProgramError::ReadOnlyAccount) }
    }

    /// # Errors
    /// [`ProgramError::WrongOwner`].
    pub(crate) fn require_owner(&self, owner: &Pubkey) -> Result<(), ProgramError> {
        if self.is_owned_by(owner) { Ok(()) } else { Err(ProgramError::WrongOwner) }
    }

    /// # Errors
    /// [`ProgramError::WrongAddress`].
    pub(crate) fn require_key(&self, key: &Pubkey) -> Result<(), ProgramError> {
        if is_same(self.key(), key) { Ok(()) } else { Err(ProgramError::WrongAddress) }
    }
}
