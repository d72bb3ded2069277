//! The eight bytes that every account of the program begins with.

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

    /// Bits whose meaning the kind defines.
    #[must_use]
    pub const fn flags(&self) -> u16 {
        u16::from_le_bytes(self.flags)
    }

    /// Replaces the flags.
    pub const fn set_flags(&mut self, flags: u16) {
        self.flags = flags.to_le_bytes();
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
