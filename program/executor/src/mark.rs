//! What a run in steps remembers of the accounts that it has read.
//!
//! Marks stand in front of a checkpoint, each with the same number of bytes, behind the slot until which those that say so
//! are locked:
//!
//! ```text
//!  0              8       10
//!  ├ locked until ┼ count ┼ mark 40 ┼ mark 40 ┼ …
//! ```

use crate::{ProgramError, Result};
use parhelion_wire::account::Header;
use parhelion_wire::stored::{Reader, Stored, Writer};
use parhelion_wire::{Pubkey, stored};

/// An account in the checkpoint of a run in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Where it was among the accounts; it is found faster where it is there again.
    pub position: u16,
    /// The revision of its data; 0 when it does not exist.
    pub revision: u32,
    /// Whether it exists.
    pub exists: bool,
    /// Whether it is locked until the slot in front of the marks.
    pub is_locked: bool,
    /// Its address.
    pub address: Pubkey,
}
stored!(Mark { position, revision, exists, is_locked, address });

impl Mark {
    /// Bytes of a mark in a checkpoint.
    const LENGTH: usize = 40;

    /// The mark of an account with this data.
    #[must_use]
    pub fn new(position: usize, address: &Pubkey, data: &[u8]) -> Self {
        let revision = Header::of(data).map(Header::revision);
        Self {
            position: position as u16,
            revision: revision.unwrap_or_default(),
            exists: revision.is_some(),
            is_locked: false,
            address: *address,
        }
    }

    /// Asserts that the account, whose data is this now, has not been changed since.
    ///
    /// # Errors
    /// [`ProgramError::StateChanged`].
    pub fn check(&self, data: &[u8]) -> Result<()> {
        if self.is_of(Header::of(data)) { Ok(()) } else { Err(ProgramError::StateChanged) }
    }

    /// Whether an account with this header has not been changed since.
    pub(crate) fn is_of(&self, header: Option<&Header>) -> bool {
        header.map(Header::revision) == self.exists.then_some(self.revision)
    }
}

/// What stands in front of the marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Front {
    /// Until when those that say so are locked.
    pub(crate) locked_until: u64,
    /// How many marks there are.
    pub(crate) count: u16,
}
stored!(Front { locked_until, count });

impl Front {
    const LENGTH: usize = 10;
}

/// The marks of a checkpoint, to be changed where they are.
pub(crate) struct Marks<'b> {
    pub(crate) front: Front,
    front_bytes: &'b mut [u8],
    marks: &'b mut [[u8; Mark::LENGTH]],
}

impl<'b> Marks<'b> {
    /// Those of a checkpoint.
    pub(crate) fn of(checkpoint: &'b mut [u8]) -> Result<Self> {
        const ERROR: ProgramError = ProgramError::CheckpointMalformed;
        let (front_bytes, rest) = checkpoint.split_at_mut_checked(Front::LENGTH).ok_or(ERROR)?;
        let front: Front = Reader::new(front_bytes).take()?;
        let (marks, _) = rest.as_chunks_mut();
        let marks = marks.get_mut(..usize::from(front.count)).ok_or(ERROR)?;
        Ok(Self { front, front_bytes, marks })
    }

    /// Hands over all marks for changes, one after another.
    pub(crate) fn each(&mut self, mut change: impl FnMut(&mut Front, &mut Mark) -> Result<()>) -> Result<()> {
        for bytes in &mut *self.marks {
            let mut mark: Mark = Reader::new(bytes).take()?;
            change(&mut self.front, &mut mark)?;
            mark.put(&mut Writer::new(bytes))?;
        }
        self.front.put(&mut Writer::new(self.front_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_changed_where_they_are() {
        let mark = |number: u8| Mark {
            position: u16::from(number),
            revision: 7,
            exists: true,
            is_locked: false,
            address: [number; 32],
        };
        let mut bytes = [0; Front::LENGTH + 2 * Mark::LENGTH + 3];
        let mut out = Writer::new(&mut bytes);
        out.put(&Front { locked_until: 0, count: 2 }).expect("fits");
        out.put(&mark(1)).expect("fits");
        out.put(&mark(2)).expect("fits");
        assert_eq!(out.length(), Front::LENGTH + 2 * Mark::LENGTH);
        let mut marks = Marks::of(&mut bytes).expect("two marks");
        let change = |front: &mut Front, mark: &mut Mark| {
            front.locked_until += 5;
            mark.is_locked = mark.address == [2; 32];
            Ok(())
        };
        marks.each(change).expect("well-formed");
        let mut input = Reader::new(&bytes);
        assert_eq!(input.take(), Ok(Front { locked_until: 10, count: 2 }));
        assert_eq!((input.take(), input.take()), (Ok(mark(1)), Ok(Mark { is_locked: true, ..mark(2) })));
        assert!(Marks::of(&mut bytes[..Front::LENGTH + Mark::LENGTH]).is_err());
        assert!(Marks::of(&mut []).is_err());
    }
}
