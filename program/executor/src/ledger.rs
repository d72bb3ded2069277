//! The seam between the executor and where accounts are.

use crate::Result;
use crate::mark::Mark;
use crate::observe::Observation;
use parhelion_wire::Pubkey;
use parhelion_wire::account::Header;
use parhelion_wire::address::AccountKey;
use primitive_types::H256;

/// Accounts by what they hold.
///
/// On chain this is the account list of the instruction, in the emulator what was fetched from the cluster. Both
/// check owner, address and kind of what they hand out; the executor checks layouts.
///
/// `'c` is how long code can be borrowed: the whole run, while the ledger itself is being written to.
pub trait Ledger<'c> {
    /// A cheap name for a loaded account.
    type Account: Copy;

    /// Whether allocated memory is never given back, so that dropping anything only takes time.
    const NEVER_FREES: bool = false;

    /// Whether it wants to know what happens in a run, opcode by opcode: for tracers.
    const OBSERVES: bool = false;

    /// The most gas that a call may take beyond its intrinsic gas, a block of code more or less; `None` where nothing but its
    /// gas limit counts. A call that needs more ends with [`parhelion_wire::ProgramError::HeapLimit`], like any that meets a
    /// limit of ours. Its code sees nothing of it: not in GAS, and not in what it can give to other calls.
    const GAS_MAX: Option<i64> = None;

    /// Something happens. Only told where [`Self::OBSERVES`] says so.
    fn observe(&mut self, _observation: &Observation<'_>) {}

    /// What another step needs to find an account again, and to see whether it is still the same.
    ///
    /// # Errors
    /// [`parhelion_wire::ProgramError::AccountMissing`] when there is no such account.
    fn mark(&self, account: Self::Account) -> Result<Mark>;

    /// Finds an account that an earlier step marked. One that is not at hand can be marked again, and nothing else.
    ///
    /// # Errors
    /// [`parhelion_wire::ProgramError::StateChanged`] when somebody has changed it since.
    fn resume(&mut self, mark: &Mark) -> Result<Self::Account>;

    /// Whether an account that was resumed is at hand.
    fn is_at_hand(&self, _account: Self::Account) -> bool {
        true
    }

    /// The header of a state account at this address, if it exists, is at hand, and may be written.
    fn lockable(&mut self, _address: &Pubkey) -> Option<&mut Header> {
        None
    }

    /// Locks the accounts that the run may write, so that nobody else does for a while. Gives the slot, modulo 2^32, by
    /// which later steps know these locks as their own; 0 when there are no such accounts.
    ///
    /// # Errors
    /// [`parhelion_wire::ProgramError::AccountLocked`] when one is locked, or was a short time ago: then none is, so that
    /// runs never wait for one another.
    fn lock(&mut self) -> Result<u32> {
        Ok(0)
    }

    /// Ends the locks of this run that are left.
    fn unlock(&mut self) {}

    /// Finds an account. It may not exist yet; then its data is empty.
    ///
    /// # Errors
    /// [`parhelion_wire::ProgramError::AccountMissing`] when the account is not at hand (the emulator notes which),
    /// and the errors for accounts that are not what they should be.
    fn load(&mut self, key: &AccountKey) -> Result<Self::Account>;

    /// An account's data; empty when it does not exist.
    ///
    /// # Errors
    /// [`parhelion_wire::ProgramError::AccountMissing`] when it was resumed and is not at hand.
    fn data(&self, account: Self::Account) -> Result<&[u8]>;

    /// A Code account's data. Code accounts that exist are never written, so it can be borrowed for the whole run.
    fn code(&self, account: Self::Account) -> &'c [u8];

    /// The translation of a stored code, if it is at hand: a cache, so its absence is no error.
    fn translation(&self, hash: &H256) -> Option<&'c [u8]>;

    /// Makes an account exist with `length` bytes, rent-exempt at the operator's expense, and gives its data for
    /// writing. New bytes are zero. A code reservation may be replaced.
    ///
    /// # Errors
    /// [`parhelion_wire::ProgramError::ReadOnlyAccount`] and the errors of growing and funding.
    fn write(&mut self, account: Self::Account, key: &AccountKey, length: usize) -> Result<&mut [u8]>;

    /// Notes that the same run in another slot may write this account, although this one does not. For the
    /// emulator, whose account list has to serve a run in a later slot.
    fn may_write(&mut self, account: Self::Account);

    /// Closes an account and moves its lamports into the vault. Gives how many.
    ///
    /// # Errors
    /// [`parhelion_wire::ProgramError::ReadOnlyAccount`].
    fn close(&mut self, account: Self::Account, vault: Self::Account) -> Result<u64>;

    /// Moves lamports from the vault to a Solana account.
    ///
    /// # Errors
    /// [`parhelion_wire::ProgramError::VaultShort`] when the vault would be left short.
    fn pay_out(&mut self, vault: Self::Account, payee: Self::Account, lamports: u64) -> Result<()>;

    /// Whether a withdrawal may pay `lamports` to this Solana account: it belongs to the System program (so it is no
    /// sysvar, no program and nothing of ours) and is rent-exempt afterwards.
    fn can_receive(&mut self, payee: Self::Account, address: &Pubkey, lamports: u64) -> Result<bool>;

    /// Lamports of rent exemption for a byte of account data.
    fn rent_per_byte(&mut self) -> Result<u64>;

    /// The hash of a Solana slot, if it is among the last ones (SlotHashes sysvar).
    ///
    /// # Errors
    /// Fatal ones of the platform.
    fn slot_hash(&mut self, slot: u64) -> Result<Option<[u8; 32]>>;

    /// The newest slot hash.
    ///
    /// # Errors
    /// Fatal ones of the platform.
    fn newest_slot_hash(&mut self) -> Result<[u8; 32]>;
}

/// Forwards everything but observations to another ledger: `forward!(T, self, expression of that ledger)`.
macro_rules! forward {
    ($inner:ty, $self:ident, $ledger:expr) => {
        type Account = <$inner as Ledger<'c>>::Account;

        const NEVER_FREES: bool = <$inner as Ledger<'c>>::NEVER_FREES;

        fn mark(&$self, account: Self::Account) -> Result<Mark> {
            $ledger.mark(account)
        }

        fn resume(&mut $self, mark: &Mark) -> Result<Self::Account> {
            $ledger.resume(mark)
        }

        fn is_at_hand(&$self, account: Self::Account) -> bool {
            $ledger.is_at_hand(account)
        }

        fn lockable(&mut $self, address: &Pubkey) -> Option<&mut Header> {
            $ledger.lockable(address)
        }

        fn lock(&mut $self) -> Result<u32> {
            $ledger.lock()
        }

        fn unlock(&mut $self) {
            $ledger.unlock();
        }

        fn load(&mut $self, key: &AccountKey) -> Result<Self::Account> {
            $ledger.load(key)
        }

        fn data(&$self, account: Self::Account) -> Result<&[u8]> {
            $ledger.data(account)
        }

        fn code(&$self, account: Self::Account) -> &'c [u8] {
            $ledger.code(account)
        }

        fn translation(&$self, hash: &H256) -> Option<&'c [u8]> {
            $ledger.translation(hash)
        }

        fn write(&mut $self, account: Self::Account, key: &AccountKey, length: usize) -> Result<&mut [u8]> {
            $ledger.write(account, key, length)
        }

        fn may_write(&mut $self, account: Self::Account) {
            $ledger.may_write(account);
        }

        fn close(&mut $self, account: Self::Account, vault: Self::Account) -> Result<u64> {
            $ledger.close(account, vault)
        }

        fn pay_out(&mut $self, vault: Self::Account, payee: Self::Account, lamports: u64) -> Result<()> {
            $ledger.pay_out(vault, payee, lamports)
        }

        fn can_receive(&mut $self, payee: Self::Account, address: &Pubkey, lamports: u64) -> Result<bool> {
            $ledger.can_receive(payee, address, lamports)
        }

        fn rent_per_byte(&mut $self) -> Result<u64> {
            $ledger.rent_per_byte()
        }

        fn slot_hash(&mut $self, slot: u64) -> Result<Option<[u8; 32]>> {
            $ledger.slot_hash(slot)
        }

        fn newest_slot_hash(&mut $self) -> Result<[u8; 32]> {
            $ledger.newest_slot_hash()
        }
    };
}

impl<'c, T: Ledger<'c>> Ledger<'c> for &mut T {
    forward!(T, self, (**self));

    const OBSERVES: bool = T::OBSERVES;
    const GAS_MAX: Option<i64> = T::GAS_MAX;

    fn observe(&mut self, observation: &Observation<'_>) {
        (**self).observe(observation);
    }
}

/// A ledger whose runs are watched.
#[derive(Debug)]
pub struct Watched<L, F> {
    /// Where the accounts are.
    pub ledger: L,
    /// Is told what happens.
    pub watch: F,
}

impl<'c, L: Ledger<'c>, F: FnMut(&Observation<'_>)> Ledger<'c> for Watched<L, F> {
    forward!(L, self, self.ledger);

    const OBSERVES: bool = true;
    const GAS_MAX: Option<i64> = L::GAS_MAX;

    fn observe(&mut self, observation: &Observation<'_>) {
        (self.watch)(observation);
    }
}

/// A ledger whose calls are over soon, one way or the other: see [`Ledger::GAS_MAX`]. For whoever must not wait, and can ask
/// somebody else to run the call when it takes longer.
#[derive(Debug)]
pub struct Brief<L>(pub L);

/// What a [`Brief`] call may take: measured, five milliseconds where it does nothing but `ecrecover`.
const BRIEF_GAS_MAX: i64 = 100_000;

impl<'c, L: Ledger<'c>> Ledger<'c> for Brief<L> {
    forward!(L, self, self.0);

    const OBSERVES: bool = L::OBSERVES;
    const GAS_MAX: Option<i64> = Some(BRIEF_GAS_MAX);

    fn observe(&mut self, observation: &Observation<'_>) {
        self.0.observe(observation);
    }
}
