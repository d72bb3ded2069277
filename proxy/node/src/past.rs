//! The past that a node keeps.

use parhelion_core::past::Archive;
use parhelion_emulator::forget_past;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::{debug, warn};

/// How often is forgotten what is too old.
const INTERVAL: Duration = Duration::from_secs(10);

/// What accounts were.
#[derive(Clone)]
pub(crate) struct Past {
    /// Where it is kept.
    pub(crate) archive: Arc<dyn Archive>,
    /// For how many blocks; for all if none.
    pub(crate) blocks: Option<u64>,
}

impl Past {
    /// Forgets what is too old, if something ever is. `newest` and `finalized` tell the newest blocks.
    pub(crate) fn forgetting(
        self,
        newest: watch::Receiver<u64>,
        finalized: watch::Receiver<u64>,
    ) -> Option<Forgetting> {
        let Self { archive, blocks } = self;
        blocks.map(|blocks| Forgetting { archive, blocks, newest, finalized })
    }
}

/// Forgets the past of blocks, some time after they were the newest.
pub(crate) struct Forgetting {
    archive: Arc<dyn Archive>,
    blocks: u64,
    newest: watch::Receiver<u64>,
    finalized: watch::Receiver<u64>,
}

impl Forgetting {
    /// Forgets from time to time, until `shutdown` completes.
    pub(crate) async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let forget = async {
            let mut ticks = interval(INTERVAL);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                self.forget().await;
            }
        };
        tokio::select! {
            biased;
            () = shutdown => {}
            () = forget => {}
        }
    }

    /// Forgets what is too old now, a part at a time. Of a past that was kept for long that is much: others that write have
    /// their turn, for as long as each part took.
    async fn forget(&self) {
        let oldest = oldest(*self.newest.borrow(), *self.finalized.borrow(), self.blocks);
        loop {
            let start = Instant::now();
            match forget_past(&*self.archive, oldest).await {
                Ok(0) => return,
                Ok(versions) => {
                    let took = start.elapsed();
                    debug!(oldest, versions, ?took, "forgot what accounts were");
                    sleep(took).await;
                }
                Err(error) => {
                    return warn!(%error, "what accounts were before block {oldest} is not forgotten yet");
                }
            }
        }
    }
}

/// The oldest block of which the past is kept. What may be dropped by the cluster is never too old.
fn oldest(newest: u64, finalized: u64, blocks: u64) -> u64 {
    newest.min(finalized).saturating_sub(blocks)
}

#[cfg(test)]
mod tests {
    use super::oldest;

    #[test]
    fn the_past_is_kept_for_so_many_blocks_before_the_newest_that_is_final() {
        assert_eq!(oldest(10_000, 9_968, 2_000), 7_968);
        assert_eq!(oldest(5_000, 9_968, 2_000), 3_000, "a node that catches up");
        assert_eq!(oldest(1_000, 968, 2_000), 0);
    }
}
