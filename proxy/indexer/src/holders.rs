//! What landed instructions wrote into holders.

use parhelion_wire::account::Holder;
use parhelion_wire::instruction::HolderWrite;
use solana_address::Address;
use std::collections::HashMap;

/// The most holders that are remembered.
pub const HOLDERS_MAX: usize = 4_096;
/// The most bytes of holders that are remembered.
pub const HOLDER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The contents of holders, rebuilt from the writes. Beyond the maxima those written longest ago are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    contents: HashMap<Address, Content>,
    bytes: usize,
    writes: u64,
}

#[derive(Debug, Default)]
struct Content {
    /// The account's room as far as it was ever written.
    room: Vec<u8>,
    /// The length of the envelope at the room's beginning.
    length: usize,
    /// The number of the newest write.
    written: u64,
}

impl Holders {
    /// Repeats [`Holder::write`].
    pub(crate) fn write(&mut self, holder: Address, write: &HolderWrite<'_>) {
        let (length, offset) = (write.length as usize, write.offset as usize);
        let end = offset.saturating_add(write.bytes.len());
        if length == 0 || length > Holder::ENVELOPE_MAX || end > length {
            // Nothing that executes, or nothing that the program lets land.
            self.forget(&holder);
            return;
        }
        self.writes += 1;
        let content = self.contents.entry(holder).or_default();
        if content.room.len() < length {
            self.bytes += length - content.room.len();
            content.room.resize(length, 0);
        }
        if let Some(target) = content.room.get_mut(offset..end) {
            target.copy_from_slice(write.bytes);
        }
        content.length = length;
        content.written = self.writes;
        self.evict();
    }

    /// Forgets a holder: it was closed, or created anew.
    pub(crate) fn forget(&mut self, holder: &Address) {
        if let Some(content) = self.contents.remove(holder) {
            self.bytes -= content.room.len();
        }
    }

    /// The envelope in a holder, if its writes were seen.
    pub(crate) fn envelope(&self, holder: &Address) -> Option<&[u8]> {
        self.contents.get(holder).and_then(|content| content.room.get(..content.length))
    }

    /// Keeps the maxima. The holder written last stays, as it is alone within them.
    fn evict(&mut self) {
        while self.contents.len() > HOLDERS_MAX || self.bytes > HOLDER_BYTES_MAX {
            let oldest = self.contents.iter().min_by_key(|(_, content)| content.written);
            let Some(oldest) = oldest.map(|(holder, _)| *holder) else { return };
            self.forget(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(holders: &mut Holders, holder: u16, length: u32, offset: u32, bytes: &[u8]) {
        holders.write(address(holder), &HolderWrite { length, offset, bytes });
    }

    fn address(number: u16) -> Address {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_le_bytes());
        bytes.into()
    }

    #[test]
    fn pieces_in_any_order_make_the_envelope_and_a_holder_is_reused() {
        let mut holders = Holders::default();
        write(&mut holders, 1, 6, 3, &[4, 5, 6]);
        write(&mut holders, 1, 6, 0, &[1, 2, 3]);
        assert_eq!(holders.envelope(&address(1)), Some(&[1, 2, 3, 4, 5, 6][..]));
        write(&mut holders, 1, 2, 0, &[9]);
        assert_eq!(holders.envelope(&address(1)), Some(&[9, 2][..]));
        write(&mut holders, 1, 7, 6, &[7]);
        assert_eq!(holders.envelope(&address(1)), Some(&[9, 2, 3, 4, 5, 6, 7][..]));
        assert_eq!(holders.envelope(&address(2)), None);
        holders.forget(&address(1));
        assert_eq!((holders.envelope(&address(1)), holders.bytes), (None, 0));
    }

    #[test]
    fn writes_that_cannot_have_landed_leave_nothing() {
        let mut holders = Holders::default();
        for (length, offset) in [(0, 0), (4, 3), (4, u32::MAX), (Holder::ENVELOPE_MAX as u32 + 1, 0)] {
            write(&mut holders, 1, 4, 0, &[1; 4]);
            write(&mut holders, 1, length, offset, &[2; 2]);
            assert_eq!((holders.envelope(&address(1)), holders.bytes), (None, 0), "{length} {offset}");
        }
    }

    #[test]
    fn the_oldest_are_forgotten_beyond_the_maxima() {
        let mut holders = Holders::default();
        for holder in 0..=HOLDERS_MAX as u16 {
            write(&mut holders, holder, 1, 0, &[1]);
            // Keeps holder 0 young.
            write(&mut holders, 0, 1, 0, &[1]);
        }
        assert_eq!(holders.contents.len(), HOLDERS_MAX);
        assert!(holders.envelope(&address(0)).is_some());
        assert!(holders.envelope(&address(1)).is_none());
        let large = Holder::ENVELOPE_MAX as u32;
        for holder in 0..1_000 {
            write(&mut holders, holder, large, 0, &[1]);
        }
        assert!(holders.bytes <= HOLDER_BYTES_MAX);
        assert!(holders.envelope(&address(999)).is_some());
        assert!(holders.envelope(&address(0)).is_none());
    }
}
