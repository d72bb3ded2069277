//! Reads of accounts that several ask for at a time, gathered into few calls.
//!
//! An ask is served by a call that begins after it, so whoever asks sees what was there when it asked, or something newer. A few
//! calls are under way at a time; asks that find all of them busy wait together, and the next call serves as many of
//! them as fit it. Under little load each ask is a call of its own, at once.
//!
//! Whoever waits and finds a call free makes it, for itself and the others. If it gives up meanwhile, the others ask again.

use futures::future::BoxFuture;
use parhelion_core::cluster::{ACCOUNTS_MAX, Account, Clock, ClusterError, Snapshot};
use solana_address::Address;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, oneshot};

/// Calls under way at a time.
const CALLS_MAX: usize = 4;
/// How often an ask is made again because whoever made its call gave up; then it is a call of its own.
const ATTEMPTS_MAX: usize = 3;

type Answer = Result<Snapshot, ClusterError>;
/// Makes a call for accounts, and for the clock with them.
type Read<'r> = dyn Fn(Vec<Address>) -> BoxFuture<'r, Answer> + Sync + 'r;

/// Asks that wait. There are as many as callers, whom the server limits.
#[derive(Debug)]
pub(super) struct Gather {
    waiting: Mutex<VecDeque<Ask>>,
    calls: Semaphore,
}

/// Accounts that somebody waits for.
#[derive(Debug)]
struct Ask {
    addresses: Vec<Address>,
    answer: oneshot::Sender<Answer>,
}

impl Default for Gather {
    fn default() -> Self {
        Self { waiting: Mutex::default(), calls: Semaphore::new(CALLS_MAX) }
    }
}

impl Gather {
    /// The accounts, [`ACCOUNTS_MAX`] at most, by a call that begins from now on.
    pub(super) async fn accounts(&self, addresses: &[Address], read: &Read<'_>) -> Answer {
        for _ in 0..ATTEMPTS_MAX {
            let (answer, mut answered) = oneshot::channel();
            self.waiting().push_back(Ask { addresses: addresses.to_vec(), answer });
            // Ends because each round serves an ask that waits, of which there are finitely many before this one.
            let outcome = loop {
                let call = tokio::select! {
                    biased;
                    outcome = &mut answered => break outcome,
                    call = self.calls.acquire() => call,
                };
                let asks = next(&mut self.waiting());
                if asks.is_empty() {
                    // Another call serves it.
                    drop(call);
                    break answered.await;
                }
                serve(asks, read).await;
            };
            if let Ok(answer) = outcome {
                return answer;
            }
        }
        read(addresses.to_vec()).await
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Ask>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the oldest asks, as many as fit a call, without those that nobody waits for any more.
fn next(waiting: &mut VecDeque<Ask>) -> Vec<Ask> {
    let (mut asks, mut count) = (Vec::new(), 0);
    waiting.retain(|ask| !ask.answer.is_closed());
    while let Some(ask) = waiting.front() {
        count += ask.addresses.len();
        if count > ACCOUNTS_MAX && !asks.is_empty() {
            break;
        }
        asks.extend(waiting.pop_front());
    }
    asks
}

/// Answers asks by one call.
async fn serve(asks: Vec<Ask>, read: &Read<'_>) {
    let mut addresses: Vec<Address> = asks.iter().flat_map(|ask| &ask.addresses).copied().collect();
    addresses.sort_unstable();
    addresses.dedup();
    let found = read(addresses.clone()).await.map(|snapshot| {
        let accounts: BTreeMap<_, _> = addresses.into_iter().zip(snapshot.accounts).collect();
        (snapshot.clock, accounts)
    });
    for ask in asks {
        let answer = found.as_ref().map(|(clock, accounts)| part(*clock, accounts, &ask.addresses));
        // It does not matter whether it still waits.
        let _ = ask.answer.send(answer.map_err(ClusterError::clone));
    }
}

/// What one ask gets of what was read.
fn part(clock: Clock, accounts: &BTreeMap<Address, Option<Account>>, addresses: &[Address]) -> Snapshot {
    let account = |address| accounts.get(address).cloned().flatten();
    Snapshot { clock, accounts: addresses.iter().map(account).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use futures::future::join_all;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use std::time::Duration;
    use tokio::time::{sleep, timeout};

    fn address(number: u8) -> Address {
        Address::new_from_array([number; 32])
    }

    /// A cluster whose accounts hold their address and the number of calls that had begun when they were read.
    #[derive(Default)]
    struct Cluster {
        begun: AtomicU64,
        asked: AtomicUsize,
    }

    impl Cluster {
        async fn read(&self, addresses: Vec<Address>) -> Answer {
            assert!(addresses.len() <= ACCOUNTS_MAX);
            let begun = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
            self.asked.fetch_add(addresses.len(), Ordering::SeqCst);
            sleep(Duration::from_millis(20)).await;
            if addresses.contains(&address(255)) {
                return Err(ClusterError::Unreachable("no".into()));
            }
            let account = |address: &Address| {
                (*address != self::address(254)).then(|| Account {
                    lamports: begun,
                    owner: *address,
                    data: Vec::new(),
                })
            };
            let clock = Clock { slot: begun, unix_timestamp: 0 };
            Ok(Snapshot { clock, accounts: addresses.iter().map(account).collect() })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn asks_that_wait_share_a_call_that_begins_after_them() {
        let (gather, cluster) = (Gather::default(), Cluster::default());
        let ask = async |number: u8| {
            let before = cluster.begun.load(Ordering::SeqCst);
            let addresses = [address(number), address(254), address(0)];
            let snapshot = gather.accounts(&addresses, &|some| cluster.read(some).boxed()).await;
            let snapshot = snapshot.expect("read");
            assert!(snapshot.clock.slot > before, "the call began before the ask");
            let [Some(own), None, Some(common)] = &snapshot.accounts[..] else {
                panic!("{:?}", snapshot.accounts)
            };
            assert_eq!((own.owner, common.owner), (address(number), address(0)));
            assert_eq!((own.lamports, common.lamports), (snapshot.clock.slot, snapshot.clock.slot));
        };
        join_all((0..60).map(ask)).await;
        // The first ones by themselves, the others 33 in a call.
        assert_eq!(cluster.begun.load(Ordering::SeqCst), CALLS_MAX as u64 + 2);
        join_all((0..2).map(ask)).await;
        assert_eq!(cluster.begun.load(Ordering::SeqCst), CALLS_MAX as u64 + 4);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_takes_nobody_along() {
        let (gather, cluster) = (Gather::default(), Cluster::default());
        let ask = async |number: u8, patience| {
            let addresses = [address(number)];
            let read = |some: Vec<Address>| cluster.read(some).boxed();
            let answer = timeout(Duration::from_millis(patience), gather.accounts(&addresses, &read)).await;
            answer.map(|snapshot| snapshot.expect("read").accounts[0].as_ref().expect("there").owner)
        };
        // Later ones wait behind calls whose makers give up; so does the maker of the first call of several.
        let asks = (0..40).map(|number| ask(number, if number < 8 { 30 } else { 10_000 }));
        for (number, owner) in join_all(asks).await.into_iter().enumerate().skip(8) {
            assert_eq!(owner, Ok(address(number as u8)));
        }
        assert!(gather.waiting().is_empty() && gather.calls.available_permits() == CALLS_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_is_told_to_all_who_share_the_call() {
        let (gather, cluster) = (Gather::default(), Cluster::default());
        let ask =
            async |number: u8| gather.accounts(&[address(number)], &|some| cluster.read(some).boxed()).await;
        let answers = join_all((0..8).map(|number| ask(if number == 7 { 255 } else { number }))).await;
        assert!(answers[..4].iter().all(Result::is_ok));
        assert!(answers[4..].iter().all(|answer| matches!(answer, Err(ClusterError::Unreachable(_)))));
    }
}
