//! The eight bytes that every account of the program begins with.

use super::lock::Lock;
use crate::error::ProgramError;
use bytemuck::{Pod, Zeroable};

/// What an account is. The numbers are stored: they are never given to another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Chain-wide settings, see [`super::Config`].
    Config = 1,
    /// The lamports behind all EVM balances, see [`super::Vault`].
    Vault = 2,
    /// Nonce and balance of an address, see [`super::Balance`].
    Balance = 3,
    /// The code that an address runs, see [`super::Contract`].
    Contract = 4,
    /// Bytecode by its hash, see [`super::Code`].
    Code = 5,
    /// Room for bytecode that is not there yet, see [`super::CodeReservation`].
    CodeReservation = 6,
    /// Neighbouring storage values of a contract, see [`super::Cell`].
    Cell = 7,
    /// Bytes of a large transaction, see [`super::Holder`].
    Holder = 8,
    /// The translated form of a code, see [`super::Translation`].
    Translation = 9,
}

/// The first eight bytes of every account.
///
/// ```text
///  0      1         2       4          8
///  ├ kind ┼ version ┼ flags ┼ revision ┤
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Header {
    kind: u8,
    version: u8,
    flags: [u8; 2],
    revision: [u8; 4],
}

const _: () = assert!(size_of::<Header>() == 8 && align_of::<Header>() == 1);

impl Header {
    /// The header of a new account.
    ///
    /// `slot` is the current Solana slot. The revision begins with it, see [`Self::touch`].
    #[must_use]
    pub const fn new(kind: Kind, version: u8, slot: u64) -> Self {
        Self { kind: kind as u8, version, flags: [0; 2], revision: (slot as u32).to_le_bytes() }
    }

    /// The header of account data, whatever its kind; `None` when it is too short for one.
    #[must_use]
    pub fn of(data: &[u8]) -> Option<&Self> {
        bytemuck::try_from_bytes(data.get(..size_of::<Self>())?).ok()
    }

    /// [`Self::of`] for writing.
    #[must_use]
    pub fn of_mut(data: &mut [u8]) -> Option<&mut Self> {
        bytemuck::try_from_bytes_mut(data.get_mut(..size_of::<Self>())?).ok()
    }

    /// The account's kind as stored.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        self.kind
    }

    /// The version of the account's layout.
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// The two bits whose meaning the kind defines.
    #[must_use]
    pub const fn flags(&self) -> u16 {
        self.bits() & Self::FLAGS
    }

    /// Replaces those two bits.
    pub const fn set_flags(&mut self, flags: u16) {
        self.flags = (self.bits() & !Self::FLAGS | flags & Self::FLAGS).to_le_bytes();
    }

    const fn bits(&self) -> u16 {
        u16::from_le_bytes(self.flags)
    }

    /// The bits of flags; in the others is the slot, modulo 2^14, in which the account's lock ends.
    const FLAGS: u16 = 3;

    /// Slots for which a run in steps may lock what it reads: half a minute.
    pub const LOCK_SLOTS: u64 = 64;

    /// Slots after the end of a lock in which the account is not locked again, so that who writes it gets three quarters of
    /// the time, whatever others lock.
    pub const UNLOCKED_SLOTS: u64 = 192;

    /// Whether the account was ever locked: if not, nothing else is worth a look.
    #[must_use]
    #[inline(always)]
    pub const fn may_be_locked(&self) -> bool {
        self.bits() > Self::FLAGS
    }

    /// Whether the account is locked in `slot`: nobody writes it, but the run whose attempt locked it.
    ///
    /// The slot in which a lock ends is known modulo 2^14. An account whose revision is older than a lock can be is not
    /// locked; one that is written has a newer revision, and the next look comes long before 2^14 slots are over, or the
    /// revision is old again.
    #[must_use]
    pub const fn is_locked(&self, slot: u64) -> bool {
        let left = self.lock_end().wrapping_sub(slot as u16) & Lock::SLOTS;
        let age = (slot as u32).wrapping_sub(self.revision()) as i32;
        self.may_be_locked() && left > 0 && left as u64 <= Self::LOCK_SLOTS && age <= Self::LOCK_SLOTS as i32
    }

    /// Locks the account from `slot` on.
    ///
    /// # Errors
    /// [`ProgramError::AccountLocked`] when it is locked, or was a short time ago.
    pub const fn lock(&mut self, slot: u64, lock: Lock) -> Result<(), ProgramError> {
        let over = (slot as u16).wrapping_sub(self.lock_end()) & Lock::SLOTS;
        let age = (slot as u32).wrapping_sub(self.revision()) as i32;
        let was_locked = self.may_be_locked()
            && over as u64 <= Self::UNLOCKED_SLOTS
            && age <= (Self::LOCK_SLOTS + Self::UNLOCKED_SLOTS) as i32;
        if was_locked || self.is_locked(slot) {
            return Err(ProgramError::AccountLocked);
        }
        self.set_lock(lock);
        self.touch(slot);
        Ok(())
    }

    /// The lock, if the account is locked in `slot`.
    #[must_use]
    pub const fn lock_in(&self, slot: u64) -> Option<Lock> {
        if self.is_locked(slot) { Some(Lock::from_bits(self.lock_end())) } else { None }
    }

    /// Whether this was the account's last lock: then it may be one's own.
    #[must_use]
    pub const fn has_lock(&self, lock: Lock) -> bool {
        self.may_be_locked() && self.lock_end() == lock.bits()
    }

    /// Makes the account's lock in `slot` one for the end of runs: from now on not even the attempt that locked it writes
    /// the account.
    pub const fn share_lock(&mut self, slot: u64) {
        self.set_lock(Lock::from_bits(self.lock_end()).shared());
        self.touch(slot);
    }

    /// Ends a lock in `slot`.
    pub const fn unlock(&mut self, slot: u64) {
        self.set_lock(Lock::of_attempt_until(slot));
    }

    const fn lock_end(&self) -> u16 {
        self.bits() >> 2
    }

    const fn set_lock(&mut self, lock: Lock) {
        self.flags = (self.bits() & Self::FLAGS | lock.bits() << 2).to_le_bytes();
    }

    /// A number that changes with every write and never repeats for an address.
    #[must_use]
    pub const fn revision(&self) -> u32 {
        u32::from_le_bytes(self.revision)
    }

    /// Moves the revision on; called once for each write in `slot`.
    ///
    /// The revision is a logical clock: at least the slot of the write, and more than before. An account may be
    /// closed only while its revision lies behind the current slot ([`Self::may_close`]), and a new account begins
    /// with its slot, so an address never shows the same revision twice, not even across a close. (It wraps after
    /// 2^32 writes to one address; no run in steps lives that long.)
    pub const fn touch(&mut self, slot: u64) {
        let next = self.revision().wrapping_add(1);
        let slot = slot as u32;
        self.revision = if next > slot { next } else { slot }.to_le_bytes();
    }

    /// Whether the account may be closed in `slot` without a later account repeating its revision.
    #[must_use]
    pub const fn may_close(&self, slot: u64) -> bool {
        self.revision() < slot as u32
    }
}

/// A structure that account data begins with.
pub trait Layout: Pod {
    /// What the account is.
    const KIND: Kind;
    /// The version of the layout.
    const VERSION: u8 = 1;

    /// The header.
    fn header(&self) -> &Header;

    /// The header, for writing.
    fn header_mut(&mut self) -> &mut Header;

    /// A view of exactly these bytes, checked.
    ///
    /// # Errors
    /// [`ProgramError::WrongLength`], [`ProgramError::WrongKind`] or [`ProgramError::WrongVersion`].
    #[inline(always)]
    fn view(data: &[u8]) -> Result<&Self, ProgramError> {
        let view: &Self = bytemuck::try_from_bytes(data).map_err(|_| ProgramError::WrongLength)?;
        check::<Self>(view.header())?;
        Ok(view)
    }

    /// [`Self::view`] for writing.
    ///
    /// # Errors
    /// As [`Self::view`].
    #[inline(always)]
    fn view_mut(data: &mut [u8]) -> Result<&mut Self, ProgramError> {
        let view: &mut Self = bytemuck::try_from_bytes_mut(data).map_err(|_| ProgramError::WrongLength)?;
        check::<Self>(view.header())?;
        Ok(view)
    }

    /// Makes an account of this kind out of zeroed bytes: writes the header.
    ///
    /// # Errors
    /// [`ProgramError::WrongLength`] when `data` is shorter than the structure.
    fn create(data: &mut [u8], slot: u64) -> Result<&mut Self, ProgramError> {
        let prefix = data.get_mut(..size_of::<Self>()).ok_or(ProgramError::WrongLength)?;
        prefix.fill(0);
        let view: &mut Self = bytemuck::try_from_bytes_mut(prefix).map_err(|_| ProgramError::WrongLength)?;
        *view.header_mut() = Header::new(Self::KIND, Self::VERSION, slot);
        Ok(view)
    }
}

#[inline(always)]
fn check<T: Layout>(header: &Header) -> Result<(), ProgramError> {
    if header.kind != T::KIND as u8 {
        return Err(ProgramError::WrongKind);
    }
    if header.version != T::VERSION {
        return Err(ProgramError::WrongVersion);
    }
    Ok(())
}

/// Implements [`Layout`] for a structure with a field `header`.
macro_rules! layout {
    ($name:ident, $kind:ident, $size:literal) => {
        const _: () = assert!(size_of::<$name>() == $size && align_of::<$name>() == 1);

        impl $crate::account::Layout for $name {
            const KIND: $crate::account::Kind = $crate::account::Kind::$kind;

            fn header(&self) -> &$crate::account::Header {
                &self.header
            }

            fn header_mut(&mut self) -> &mut $crate::account::Header {
                &mut self.header
            }
        }
    };
}
pub(super) use layout;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_ends_by_itself_and_is_not_renewed_at_once() {
        for slot in [1, 16_383 - 70, 16_384 - 64, 16_384, 1 << 40] {
            let mut header = Header::new(Kind::Cell, 1, slot);
            header.set_flags(2);
            assert!(!header.is_locked(slot) && !header.may_be_locked());
            let before = header.revision();
            let lock = Lock::of_attempt(slot);
            assert_eq!(header.lock(slot, lock), Ok(()));
            assert!(header.revision() != before, "whoever read it before sees a change");
            assert_eq!((header.flags(), header.lock(slot, lock)), (2, Err(ProgramError::AccountLocked)));
            assert!(header.has_lock(lock) && !header.has_lock(Lock::of_attempt(slot + 2)));
            // Up to two slots less, see there.
            for later in [0, 1, Header::LOCK_SLOTS - 4] {
                assert!(header.is_locked(slot + later), "{slot} + {later}");
            }
            let end = slot + Header::LOCK_SLOTS;
            for later in [0, 1, 100, Header::UNLOCKED_SLOTS - 2] {
                assert!(!header.is_locked(end + later), "{slot} + {later}");
                let lock = Lock::of_attempt(end + later);
                assert_eq!(
                    header.lock(end + later, lock),
                    Err(ProgramError::AccountLocked),
                    "{slot} + {later}"
                );
            }
            for later in [200, 1_000, 16_384 - 400, 16_384 - 64, 16_384 - 10, 16_384, 16_384 + 64, 1 << 20] {
                assert!(!header.is_locked(end + later), "{slot} + {later}");
                let mut header = header;
                assert_eq!(
                    header.lock(end + later, Lock::of_attempt(end + later)),
                    Ok(()),
                    "{slot} + {later}"
                );
            }
            header.set_flags(1);
            assert!(header.is_locked(slot + 1), "flags leave the lock alone");
            header.unlock(slot + 5);
            assert!(!header.is_locked(slot + 6) && header.flags() == 1);
            let lock = Lock::of_attempt(slot + 7);
            assert_eq!(header.lock(slot + 7, lock), Err(ProgramError::AccountLocked));
        }
    }

    #[test]
    fn locks_for_the_end_of_runs_last_as_long_as_is_said_and_are_nobodys_own() {
        for slot in (1..40).chain(16_300..16_400).chain([1 << 40, (1 << 40) + 1]) {
            for length in [1, 2, 40, Header::LOCK_SLOTS - 1] {
                let until = slot + length;
                let lock = Lock::of_ends(until);
                let mut header = Header::new(Kind::Cell, 1, slot - 1);
                assert_eq!(header.lock(slot, lock), Ok(()));
                for later in 0..length {
                    let found = header.lock_in(slot + later).expect("it is locked");
                    assert_eq!(found, lock);
                    let end = found.end_after(slot + later).expect("of this kind");
                    assert!(end == until || end == until + 1, "{slot} {length} {later}");
                }
                assert_eq!(header.lock_in(until + 1), None, "{slot} {length}");
                assert!((0..16_384).all(|slot| !header.has_lock(Lock::of_attempt(slot))), "{slot} {length}");
            }
            let mut header = Header::new(Kind::Cell, 1, slot - 1);
            assert_eq!(header.lock(slot, Lock::of_attempt(slot)), Ok(()));
            assert_eq!(header.lock_in(slot).and_then(|lock| lock.end_after(slot)), None);
        }
    }

    #[test]
    fn the_lock_of_an_attempt_becomes_one_for_the_end_of_runs() {
        for slot in (1..40).chain(16_300..16_400).chain([1 << 40, (1 << 40) + 1]) {
            let own = Lock::of_attempt(slot);
            let mut header = Header::new(Kind::Cell, 1, slot - 1);
            assert_eq!(header.lock(slot, own), Ok(()));
            let last = (slot..).take_while(|slot| header.is_locked(*slot)).last().expect("it is locked");
            let before = header.revision();
            header.share_lock(slot + 9);
            assert!(header.revision() != before && !header.has_lock(own), "whoever has it sees a change");
            let end = header.lock_in(slot + 9).and_then(|lock| lock.end_after(slot + 9)).expect("shared");
            let shared_last = (slot + 9..).take_while(|slot| header.is_locked(*slot)).last();
            assert!(shared_last == Some(end - 1) && (last..=last + 1).contains(&(end - 1)), "{slot}");
        }
        assert_eq!(Lock::of_locked_at(0), None);
        assert_eq!(Lock::of_locked_at(7), Some(Lock::of_attempt(7)));
    }

    #[test]
    fn revision_moves_with_writes_and_slots_and_never_back() {
        let mut header = Header::new(Kind::Cell, 1, 10);
        assert_eq!(header.revision(), 10);
        header.touch(10);
        assert_eq!(header.revision(), 11, "a second write in the same slot");
        header.touch(11);
        assert_eq!(header.revision(), 12, "the clock ran ahead of the slot");
        header.touch(100);
        assert_eq!(header.revision(), 100);
    }

    #[test]
    fn a_closed_and_recreated_account_repeats_no_revision() {
        // Random writes, closes and creations in slots that never go back.
        let mut slot = 5u64;
        let mut seen: [bool; 4096] = [false; 4096];
        let mut account: Option<Header> = None;
        let mut random = 12345u32;
        for _ in 0..1000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            slot += u64::from(random >> 30 == 0);
            match &mut account {
                Some(header) if random >> 28 & 3 == 0 && header.may_close(slot) => account = None,
                Some(header) => header.touch(slot),
                None => account = Some(Header::new(Kind::Cell, 1, slot)),
            }
            if let Some(header) = account {
                let revision = header.revision() as usize;
                assert!(!seen[revision], "revision {revision} came twice");
                seen[revision] = true;
            }
        }
    }
}
