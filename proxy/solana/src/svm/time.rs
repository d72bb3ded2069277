//! The time of blocks: the machine's, moved by whoever tests.

/// How a chain's time differs from the machine's. Times are seconds since 1970.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Time {
    /// How far it is ahead of the machine's.
    offset: i64,
    /// What calls see until there is another block, once it was moved.
    shown: Option<i64>,
    /// What the next block has, whatever the time is then.
    next: Option<i64>,
}

impl Time {
    /// The time of the block behind one of the time `newest`: never an earlier one.
    pub(super) fn of_next_block(&self, newest: i64, unix_time: i64) -> i64 {
        self.next.unwrap_or_else(|| unix_time.saturating_add(self.offset)).max(newest)
    }

    /// What calls see while the newest block has the time `newest`.
    pub(super) fn of_calls(&self, newest: i64) -> i64 {
        self.next.or(self.shown).map_or(newest, |time| time.max(newest))
    }

    /// Moves it on. Gives how far it is ahead of the machine's then.
    pub(super) fn increase(&mut self, seconds: i64, unix_time: i64) -> i64 {
        self.offset = self.offset.saturating_add(seconds);
        self.next = self.next.map(|next| next.saturating_add(seconds));
        self.shown = Some(unix_time.saturating_add(self.offset));
        self.offset
    }

    /// Says which time the next block has; time goes on from there.
    pub(super) const fn set_next(&mut self, timestamp: i64) {
        self.next = Some(timestamp);
    }

    /// A block of the time `timestamp` begins.
    pub(super) fn begin_block(&mut self, timestamp: i64, unix_time: i64) {
        if self.next.take().is_some() {
            self.offset = timestamp.saturating_sub(unix_time);
        }
        self.shown = None;
    }
}

#[cfg(test)]
mod tests {
    use super::Time;

    #[test]
    fn blocks_have_the_real_time_and_never_an_earlier_one() {
        let time = Time::default();
        assert_eq!(time.of_next_block(100, 130), 130);
        assert_eq!(time.of_next_block(100, 70), 100);
        assert_eq!(time.of_calls(100), 100);
    }

    #[test]
    fn increased_time_goes_on() {
        let mut time = Time::default();
        assert_eq!(time.increase(50, 100), 50);
        assert_eq!(time.of_calls(100), 150);
        assert_eq!(time.increase(25, 101), 75);
        assert_eq!(time.of_next_block(100, 102), 177);
        time.begin_block(177, 102);
        assert_eq!(time.of_calls(177), 177, "calls see the block's own time");
        assert_eq!(time.of_next_block(177, 110), 185);
    }

    #[test]
    fn a_block_has_the_time_that_was_said_and_time_goes_on_from_there() {
        let mut time = Time::default();
        time.set_next(1_000);
        assert_eq!((time.of_calls(100), time.of_next_block(100, 130)), (1_000, 1_000));
        time.begin_block(1_000, 130);
        assert_eq!(time.of_next_block(1_000, 135), 1_005);
        // In the machine's past, too, as long as blocks are older.
        time.set_next(1_001);
        time.begin_block(1_001, 140);
        assert_eq!(time.of_next_block(1_001, 141), 1_002);
    }

    #[test]
    fn both_together() {
        let mut time = Time::default();
        time.set_next(1_000);
        time.increase(10, 100);
        assert_eq!(time.of_next_block(100, 100), 1_010);
    }

    #[test]
    fn extremes_do_not_overflow() {
        let mut time = Time::default();
        for seconds in [i64::MAX, i64::MAX, 1] {
            time.increase(seconds, i64::MAX);
        }
        assert_eq!(time.of_next_block(0, i64::MAX), i64::MAX);
        time.set_next(i64::MAX);
        time.begin_block(i64::MAX, -1);
        assert_eq!(time.of_next_block(i64::MAX, 0), i64::MAX);
    }
}
