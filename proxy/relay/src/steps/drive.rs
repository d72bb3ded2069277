//! Sends a run's Solana transactions until it is over.

use super::prepare::Prepared;
use super::sequence::{Sequence, sequence};
use crate::holders::Place;
use crate::once::Care;
use crate::service::{Sender, is_unnumbered, state_moved};
use crate::translation::rule::units_saved;
use futures::StreamExt;
use parhelion_core::relay::{RelayError, SteppedRun};
use parhelion_core::transaction::Transaction;
use parhelion_sdk::transaction::Budget;
use parhelion_wire::account::Run as RunState;
use solana_signature::Signature;
use std::time::Duration;

/// Steps that are on their way at once.
const IN_FLIGHT_MAX: usize = 32;
/// Rounds without progress before the run is left to a later attempt.
const IDLE_ROUNDS_MAX: u32 = 6;
/// The pause after the first round without progress; it grows by as much with each further one.
const IDLE_DELAY: Duration = Duration::from_millis(250);

/// Looks at a holder without the run until it is believed to be over.
const GONE_LOOKS: u32 = 3;

/// How a run in steps came out.
pub(crate) enum Ended {
    /// It is over.
    Over,
    /// It was not begun.
    NotBegun(RelayError),
    /// It was begun, and is not over.
    Unfinished(RelayError),
}

/// What is seen of a run from one round to the next.
#[derive(Default)]
struct Seen {
    state: Option<RunState>,
    has_begun: bool,
    idle_rounds: u32,
    /// Whether all that the newest round sent has landed.
    was_sent: bool,
    /// How often a run that had begun was not there.
    gone: u32,
    /// Steps that the newest round sent.
    sent: u32,
    /// Whether it began the run anew.
    restarts: bool,
    /// What all would take at once, if it was seen from the beginning.
    at_once: Option<u64>,
}

impl Sender {
    /// Runs a transaction in steps, from where its run is. One that `has_begun` is not begun again.
    pub(crate) async fn run_in_steps(
        &self,
        transaction: &Transaction,
        mut place: Place,
        has_begun: bool,
        signatures: &mut Vec<Signature>,
    ) -> Ended {
        let mut seen = Seen { has_begun, ..Seen::default() };
        let mut care = Care::Usual;
        let mut last_error: Option<RelayError> = None;
        loop {
            let state = place.run_of(transaction);
            if seen.is_over(state) {
                let run = seen.run();
                tracing::info!(hash = %transaction.hash(), ?run, "a run in steps is over");
                self.record.put(transaction.hash(), run);
                return Ended::Over;
            }
            if seen.has_begun && state.is_none() {
                tokio::time::sleep(IDLE_DELAY).await;
                self.look_again(&mut place).await;
                continue;
            }
            if !seen.advances(state) {
                let is_worth_it = seen.has_begun || last_error.as_ref().is_none_or(state_moved);
                if let (Some(error), true) =
                    (last_error.clone(), seen.idle_rounds > IDLE_ROUNDS_MAX || !is_worth_it)
                {
                    return if seen.has_begun { Ended::Unfinished(error) } else { Ended::NotBegun(error) };
                }
                tokio::time::sleep(IDLE_DELAY * seen.idle_rounds.saturating_sub(1)).await;
            }
            let round = match self.prepare_run(transaction, &place, care, false).await {
                Ok(prepared) => {
                    seen.prepares(&prepared);
                    self.send_run(&prepared, state, &mut seen.has_begun, signatures).await
                }
                Err(error) => Err(error),
            };
            seen.was_sent = round.is_ok();
            if let Err(error) = round {
                tracing::debug!(hash = %transaction.hash(), %error, "a round of a run in steps");
                if is_unnumbered(&error) {
                    care = Care::More;
                }
                last_error = Some(error);
            }
            match self.account(place.holder).await {
                Ok(account) => place.account = account,
                Err(error) if seen.has_begun => last_error = Some(error),
                Err(error) => return Ended::NotBegun(last_error.unwrap_or(error)),
            }
        }
    }

    /// Reads the holder again; it stays as it was when that fails.
    async fn look_again(&self, place: &mut Place) {
        if let Ok(account) = self.account(place.holder).await {
            place.account = account;
        }
    }

    /// Sends all transactions of a run: what comes first, then all that do not write, then the one that does.
    async fn send_run(
        &self,
        prepared: &Prepared,
        state: Option<RunState>,
        has_begun: &mut bool,
        signatures: &mut Vec<Signature>,
    ) -> Result<(), RelayError> {
        let Prepared { parts, before, sizes, lists, codes, .. } = prepared;
        let shape = &parts.shape;
        for step in before {
            signatures.extend(self.send_step(shape, step).await?);
        }
        let steps = state.map_or(0, |state| state.steps);
        let Sequence { first, middle, in_order, last } = sequence(parts, sizes, lists, steps);
        if let Some(first) = first {
            signatures.push(self.send(shape, &first, &Budget::MAX).await?);
            *has_begun = true;
        }
        let sends = middle
            .into_iter()
            .map(|instructions| async move { self.send(shape, &instructions, &Budget::MAX).await });
        let results: Vec<_> = futures::stream::iter(sends).buffered(IN_FLIGHT_MAX).collect().await;
        for result in results {
            // One that got lost is seen in the holder.
            signatures.extend(result.inspect_err(|error| tracing::debug!(%error, "a step")).ok());
        }
        for instructions in in_order.into_iter().chain(last) {
            signatures.push(self.send(shape, &instructions, &Budget::MAX).await?);
        }
        let units = sizes.whole.unwrap_or_else(|| sizes.compute_units.iter().sum());
        self.note(codes, units_saved(units, false));
        Ok(())
    }
}

impl Seen {
    /// Whether the run is over: it had begun and is not there. When it is not known that its last step landed, a node that
    /// lags may show the holder as it was before the beginning, so that is asked more than once.
    fn is_over(&mut self, state: Option<RunState>) -> bool {
        if !self.has_begun || state.is_some() {
            self.gone = 0;
            return false;
        }
        self.gone += 1;
        self.was_sent || self.gone > GONE_LOOKS
    }

    /// Takes note of what is about to be sent.
    fn prepares(&mut self, prepared: &Prepared) {
        self.sent = prepared.sizes.compute_units.len() as u32;
        self.restarts = prepared.restarts;
        if prepared.parts.has_opening() {
            self.at_once = prepared.sizes.whole;
        }
    }

    /// What the run took, now that it is over.
    fn run(&self) -> SteppedRun {
        let (before, restarts) = self.state.map_or((0, 0), |state| (state.steps, state.restarts));
        let restarts = restarts.saturating_add(u8::from(self.restarts));
        SteppedRun { steps: before + self.sent, restarts, compute_units_at_once: self.at_once }
    }

    /// Takes note of where the run is, and tells whether it got on.
    fn advances(&mut self, state: Option<RunState>) -> bool {
        let place = |state: &RunState| (state.restarts, state.paused_at, state.gas_left);
        let advances = state.as_ref().map(place) != self.state.as_ref().map(place);
        self.has_begun |= state.is_some();
        self.state = state;
        self.idle_rounds = if advances { 0 } else { self.idle_rounds + 1 };
        advances
    }
}
