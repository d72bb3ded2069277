//! Who has to leave a full pool.
//!
//! Only the last of a sender's transactions can go, so that no gap opens before the others; nothing that is in flight or was,
//! because that may have landed; and nothing of whoever comes. Those behind a gap go first, then those that pay least. They
//! go for one that pays more; what has a gap before it can drive out only such as have one, too, because gaps cost nothing.

use crate::queue::{Candidate, Queue};
use alloy_primitives::{Address, B256};
use parhelion_core::pool::PoolError;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// What is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Transactions.
    pub(crate) transactions: usize,
    /// Raw bytes.
    pub(crate) bytes: usize,
}

impl Room {
    const fn has(&self, bytes: usize) -> bool {
        self.transactions > 0 && self.bytes >= bytes
    }
}

/// What decides who goes: those behind a gap, then the lowest fee. The rest says which transaction it is.
type Rank = (bool, u128, Address, Reverse<u64>);

/// The transactions that have to go so that a candidate fits.
///
/// # Errors
/// [`PoolError::TooCheap`] when it does not pay enough for that, [`PoolError::Full`] when nobody can go.
pub(crate) fn victims(
    senders: &BTreeMap<Address, Queue>,
    mut room: Room,
    candidate: &Candidate,
    is_gapped: bool,
) -> Result<Vec<B256>, PoolError> {
    let needed = candidate.transaction.raw().len();
    let mut victims = Vec::new();
    if room.has(needed) {
        return Ok(victims);
    }
    let own = candidate.transaction.sender();
    let others = senders.iter().filter(|(sender, _)| **sender != own);
    let mut ranks: BinaryHeap<Reverse<Rank>> =
        others.filter_map(|(sender, queue)| rank(sender, queue, u64::MAX)).map(Reverse).collect();
    while !room.has(needed) {
        let Some(Reverse((is_ready, fee, sender, Reverse(nonce)))) = ranks.pop() else {
            return Err(PoolError::Full);
        };
        if is_ready && is_gapped {
            return Err(PoolError::Full);
        }
        let yields = fee < candidate.priority_fee || (!is_ready && !is_gapped);
        if !yields {
            return Err(PoolError::TooCheap);
        }
        let Some(queue) = senders.get(&sender) else { continue };
        let Some(victim) = queue.waiting.get(&nonce) else { continue };
        room.transactions += 1;
        room.bytes = room.bytes.saturating_add(victim.transaction.raw().len());
        victims.push(victim.transaction.hash());
        ranks.extend(rank(&sender, queue, nonce).map(Reverse));
    }
    Ok(victims)
}

/// The rank of a sender's last transaction below a nonce, if that can go.
fn rank(sender: &Address, queue: &Queue, below: u64) -> Option<Rank> {
    let (nonce, waiting) = queue.waiting.range(..below).next_back()?;
    let can_go = !waiting.had_a_turn && !queue.turn.has(*nonce);
    let is_ready = *nonce < queue.next_free(queue.next);
    can_go.then_some((is_ready, waiting.priority_fee, *sender, Reverse(*nonce)))
}
