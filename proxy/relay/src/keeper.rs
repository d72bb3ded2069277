//! Looks after runs in steps that nobody ends, and after holders that nobody uses.
//!
//! * **Own runs**: those that a node left in the middle, because it was killed or the cluster did not answer, are found
//!   ([`Sender::recover`]) and gone on with: at the start, and from time to time.
//! * **Runs of others** are gone on with once their operator may no longer be waited for ([`Run::may_be_taken_over`]); who
//!   takes the last step gets the fees. A run that cannot be gone on with is cancelled when that is allowed: its sender is
//!   busy no longer, pays for what was used, and gets the rest back. A cluster that does not answer is no reason for that.
//! * **Holders** that were not used for [`IDLE_MAX`] are closed: their rent goes back to the operator.

use crate::holders::{HOLDERS_MAX, Lease, Place};
use crate::service::Sender;
use crate::steps::Ended;
use parhelion_core::emulator::EmulatorError;
use parhelion_core::relay::RelayError;
use parhelion_core::transaction::Transaction;
use parhelion_sdk::address::{account_address, holder_address};
use parhelion_sdk::convert::to_h160;
use parhelion_sdk::instruction::{Run as Instructions, RunAccount, holder_close};
use parhelion_wire::account::Run;
use parhelion_wire::address::AccountKey;
use solana_address::Address;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, info, warn};

/// How often it looks after the operator's own.
pub const INTERVAL: Duration = Duration::from_secs(10);
/// After so many looks it searches the cluster for runs of others: a minute, because a search is much work for a cluster.
pub const SEARCH_EVERY: u32 = 6;
/// How long a holder is kept for the next run.
pub const IDLE_MAX: Duration = Duration::from_secs(60);

impl Sender {
    /// Finds runs in holders that count as free, so that they are gone on with: those that an earlier node of this operator
    /// left in the middle, and those of which it was not known that they had begun. To be called before anything is
    /// landed.
    ///
    /// # Errors
    /// Those of the cluster.
    pub async fn recover(&self) -> Result<(), RelayError> {
        let operator = self.operator.address();
        let free = self.holders.free().await;
        let address = |index: &u32| holder_address(&self.deployment, &operator, *index);
        let addresses: Vec<Address> = free.iter().map(address).collect();
        let accounts = self.cluster.accounts(&addresses).await?.accounts;
        for (index, (holder, account)) in free.into_iter().zip(addresses.into_iter().zip(accounts)) {
            let place = Place { holder, index, account };
            if let Some(transaction) = place.transaction()
                && let Some(lease) = self.holders.lease_one(index).await
            {
                info!(hash = %transaction.hash(), "a run in steps was left in the middle");
                self.holders.keep_unfinished(transaction.hash(), lease).await;
            }
        }
        Ok(())
    }

    /// Looks after runs and holders until `shutdown` completes.
    pub async fn keep(&self, shutdown: impl Future<Output = ()> + Send) {
        let tending = async {
            let mut ticks = interval(INTERVAL);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for look in 0_u32.. {
                ticks.tick().await;
                match look.is_multiple_of(SEARCH_EVERY) {
                    true => self.tend().await,
                    false => self.tend_own().await,
                }
            }
        };
        tokio::select! {
            biased;
            () = shutdown => {}
            () = tending => {}
        }
    }

    /// Looks after runs and holders once, those of others included.
    pub async fn tend(&self) {
        self.tend_own().await;
        if let Err(error) = self.finish_others().await {
            debug!(%error, "runs of others cannot be looked after");
        }
    }

    /// Looks after the operator's own runs and holders once.
    async fn tend_own(&self) {
        if let Err(error) = self.recover().await {
            debug!(%error, "the operator's holders cannot be read");
        }
        self.finish_own().await;
        if let Err(error) = self.tend_tables().await {
            debug!(%error, "a lookup table that nobody uses is not given up yet");
        }
        for lease in self.holders.lease_idle(IDLE_MAX).await {
            if let Err(error) = self.close_idle(lease).await {
                warn!(%error, "a holder that nobody uses cannot be closed; it is tried again");
            }
        }
    }

    /// Goes on with the operator's own runs.
    async fn finish_own(&self) {
        for hash in self.holders.all_unfinished().await {
            let Some(lease) = self.holders.unfinished(&hash).await else { continue };
            let ended = match self.own_place(lease.index).await {
                Ok(place) => self.finish(place).await,
                Err(error) => Err(error),
            };
            match ended {
                Ok(()) => lease.end().await,
                Err(error) => {
                    warn!(%hash, %error, "a run in steps is still not over; it is tried again");
                    self.holders.keep_unfinished(hash, lease).await;
                }
            }
        }
    }

    /// Goes on with the runs of others that nobody goes on with.
    async fn finish_others(&self) -> Result<(), RelayError> {
        let operator = self.operator.address();
        let own: Vec<Address> =
            (0..HOLDERS_MAX).map(|index| holder_address(&self.deployment, &operator, index)).collect();
        for holder in self.cluster.accounts_beginning(&Run::HOLDER_BEGINS).await? {
            if own.contains(&holder) {
                continue;
            }
            let place = Place { holder, index: 0, account: self.account(holder).await? };
            let Some(run) = place.run() else { continue };
            // One that was taken over already, by an earlier node of this operator, need not wait again.
            let is_ours = run.operator == operator.to_bytes();
            if (is_ours || run.may_be_taken_over(self.cluster.clock().await?.slot))
                && let Err(error) = self.finish(place).await
            {
                warn!(%holder, %error, "the run of another operator cannot be ended; it is tried again");
            }
        }
        Ok(())
    }

    /// Goes on with the run at a place until it is over, or cancels it when it cannot be gone on with.
    async fn finish(&self, place: Place) -> Result<(), RelayError> {
        let (Some(run), Some(transaction)) = (place.run(), place.transaction()) else { return Ok(()) };
        let (hash, holder) = (transaction.hash(), place.holder);
        info!(%hash, %holder, steps = run.steps, "going on with a run in steps");
        let error = match self.run_in_steps(&transaction, place, true, &mut Vec::new()).await {
            Ended::Over => return Ok(()),
            Ended::NotBegun(error) | Ended::Unfinished(error) => error,
        };
        if may_pass(&error) || !run.may_be_cancelled(self.cluster.clock().await?.slot) {
            return Err(error);
        }
        warn!(%hash, %holder, %error, "cancelling a run that cannot be gone on with");
        self.cancel(&transaction, holder).await
    }

    async fn cancel(&self, transaction: &Transaction, holder: Address) -> Result<(), RelayError> {
        let run = Instructions {
            deployment: &self.deployment,
            operator: self.operator.address(),
            coinbase: self.operator.coinbase,
            holder,
            transaction: transaction.hash(),
        };
        let balance = |address| RunAccount {
            address: account_address(&self.deployment, &AccountKey::Balance(to_h160(address))),
            writable: true,
        };
        let mut accounts = vec![balance(transaction.sender()), balance(self.operator.coinbase)];
        accounts.dedup();
        self.send_small(run.cancel(&accounts)).await.map(drop)
    }

    /// Closes a holder that nobody uses, if it exists.
    async fn close_idle(&self, lease: Lease) -> Result<(), RelayError> {
        let closed = async {
            let place = self.own_place(lease.index).await?;
            if place.account.is_none() || place.run().is_some() {
                return Ok(());
            }
            let close = holder_close(&self.deployment, &self.operator.address(), lease.index);
            self.send_small(close).await.map(drop)
        };
        let closed = closed.await;
        lease.end().await;
        closed
    }
}

/// Whether it is only the cluster that keeps a run from going on.
const fn may_pass(error: &RelayError) -> bool {
    match error {
        RelayError::Cluster(error) | RelayError::Emulator(EmulatorError::Cluster(error)) => {
            error.is_retryable()
        }
        _ => false,
    }
}
