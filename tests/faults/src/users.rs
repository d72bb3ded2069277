//! Users: they send their transactions, and wait for receipts.

use crate::kind::Kind;
use crate::node::Node;
use crate::operators::Operators;
use crate::scene::OPERATORS;
use parhelion_core::emulator::EmulatorError;
use parhelion_core::pool::{Pool, PoolError};
use parhelion_core::relay::RelayError;
use parhelion_core::store::Store;
use parhelion_core::transaction::Transaction;
use parhelion_pool::{DropReason, Status};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How often a user looks for receipts.
const LOOK: Duration = Duration::from_millis(1_500);

/// A transaction that a user wants to happen.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its kind.
    pub kind: Kind,
    /// Its number in the schedule.
    pub number: u64,
    /// The signed transaction.
    pub transaction: Transaction,
}

/// A user.
pub struct User {
    /// Where it stands in the list of users.
    pub place: usize,
    /// The operator whose node it talks to.
    pub home: usize,
    /// Whether it talks to another one while that is away.
    pub fails_over: bool,
    /// Its transactions in the order of their nonces.
    pub wanted: Vec<Wanted>,
}

/// What a user knows of a transaction in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing but what was answered last.
    Nothing(String),
    /// A store has its receipt.
    Receipt,
    /// No node takes it: it cannot land.
    Refused,
}

impl User {
    /// Sends all transactions and waits until nothing is left to wait for. Whoever gives up earlier finds in `known` how
    /// far it got.
    pub async fn run(&self, operators: &Operators<'_>, known: &tokio::sync::watch::Sender<Vec<Known>>) {
        // The node that took each transaction. Nodes forget what they took when they end.
        let mut taken: BTreeMap<usize, u32> = BTreeMap::new();
        loop {
            for (place, wanted) in self.wanted.iter().enumerate() {
                let is_open = |known: &Vec<Known>| matches!(known.get(place), Some(Known::Nothing(_)));
                if !is_open(&known.borrow()) {
                    continue;
                }
                let Some(node) = self.node(operators) else { break };
                let Some(now) = look(&node, wanted, place, &mut taken).await else { break };
                known.send_modify(|known| known[place] = now);
            }
            if known.borrow().iter().all(|known| !matches!(known, Known::Nothing(_))) {
                return;
            }
            // Not all at the same time.
            sleep(LOOK + Duration::from_millis(17 * self.place as u64)).await;
        }
    }

    /// The node that it talks to.
    fn node(&self, operators: &Operators<'_>) -> Option<Arc<Node>> {
        let others = (0..OPERATORS).filter(|operator| self.fails_over && *operator != self.home);
        std::iter::once(self.home).chain(others).find_map(|operator| operators.node(operator))
    }
}

/// Looks for the receipt of a transaction, and sends it where the node does not have it. `None` when the node dies.
async fn look(node: &Node, wanted: &Wanted, place: usize, taken: &mut BTreeMap<usize, u32>) -> Option<Known> {
    let hash = wanted.transaction.hash();
    if matches!(node.store.executed(hash).await, Ok(Some(_))) {
        return Some(Known::Receipt);
    }
    if taken.get(&place) == Some(&node.number) {
        return Some(match node.pool.status(hash) {
            Some(Status::Dropped(DropReason::Refused(_))) if wanted.kind == Kind::Trap => Known::Refused,
            Some(Status::Dropped(reason)) => Known::Nothing(format!("dropped: {reason}")),
            status => Known::Nothing(format!("taken, and {status:?}")),
        });
    }
    let mut death = node.death.clone();
    let answer = tokio::select! {
        biased;
        _ = death.wait_for(Option::is_some) => return None,
        answer = node.pool.submit(wanted.transaction.clone()) => answer,
    };
    Some(match answer {
        Ok(_) => {
            taken.insert(place, node.number);
            Known::Nothing("taken".to_owned())
        }
        Err(PoolError::Relay(error)) if wanted.kind == Kind::Trap && !is_of_cluster(&error) => Known::Refused,
        Err(error) => Known::Nothing(format!("not taken: {error}")),
    })
}

/// Whether it is the cluster's trouble, and not the transaction's.
const fn is_of_cluster(error: &RelayError) -> bool {
    matches!(error, RelayError::Cluster(_) | RelayError::Emulator(EmulatorError::Cluster(_)))
}
