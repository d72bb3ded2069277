//! Holding the pool: for development chains, where blocks are made when somebody says so.

use crate::pool::MemoryPool;
use crate::queue::Queues;
use std::pin::pin;

impl MemoryPool {
    /// Gives no turns any more, or gives them again. What has a turn goes on; transactions are accepted all the time.
    pub fn hold(&self, is_held: bool) {
        self.held.send_replace(is_held);
        self.work.notify_one();
    }

    /// Whether nobody gets a turn.
    #[must_use]
    pub fn is_held(&self) -> bool {
        *self.held.borrow()
    }

    /// Waits until every turn is over, and nobody is to get one.
    pub async fn idle(&self) {
        loop {
            let mut ended = pin!(self.ended.notified());
            // From now on, so that no end of a turn is missed.
            ended.as_mut().enable();
            if !self.queues().has_turns(self.is_held()) {
                return;
            }
            ended.await;
        }
    }

    /// Forgets all transactions.
    pub fn clear(&self) {
        let mut queues = self.queues();
        *queues = Queues::new(self.limits);
    }
}
