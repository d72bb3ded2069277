//! Runs in steps, run again: at once, at their end.

use super::record::{self, RunRecord};
use super::replay::{Left, left, version};
use super::view::View;
use crate::crypto::Native;
use crate::execution::execution;
use crate::ledger::Recorder;
use crate::shell::Shell;
use crate::steps::{Begun, LARGEST};
use crate::trace::check_same;
use alloy_consensus::Transaction as _;
use parhelion_core::cluster::{Account, Clock, Cluster as _};
use parhelion_core::emulator::EmulatorError;
use parhelion_core::past::{Point, Version};
use parhelion_core::store::Executed;
use parhelion_core::transaction::Transaction;
use parhelion_evm::gas;
use parhelion_executor::{BlockValues, Report, steps};
use parhelion_sdk::address::account_address;
use parhelion_wire::account::{Balance, Layout, Run};
use parhelion_wire::address::AccountKey;
use parhelion_wire::event::Outcome;
use parhelion_wire::instruction::{TransactionId, transaction_id};
use parhelion_wire::transaction::Envelope;
use parhelion_wire::{H160, H256, ProgramError, Pubkey};
use std::sync::Arc;

/// A pause before everything is written.
const BEFORE_WRITING: [u64; 1] = [0];

/// The id of a transaction.
pub(super) fn id(transaction: &Transaction) -> TransactionId {
    transaction_id(&H256(transaction.hash().0))
}

/// `begin`: the sender pays, and is busy.
pub(super) async fn began(
    shell: &Shell,
    transaction: &Transaction,
    coinbase: H160,
    point: Point,
) -> Result<Left, EmulatorError> {
    let run = |ledger: &mut Recorder<'_>, block: &BlockValues, envelope: &Envelope<'_>| {
        steps::begin(ledger, Native, block, &LARGEST, envelope)
    };
    let (run, finished) = shell.run_envelope(transaction, coinbase.0.into(), None, run).await?;
    let record = RunRecord { run, begun: point, steps: Vec::new() };
    let mut left = left(shell, finished.uses);
    left.push((record::run(id(transaction)), record.version()));
    Ok(left)
}

/// `step`, not the last one: it changes nothing yet.
pub(super) async fn stepped(view: &View, transaction: TransactionId) -> Result<Left, EmulatorError> {
    let address = record::run(transaction);
    let kept = version(view, address).await?;
    let Some(mut record) = RunRecord::read(kept.as_ref()) else { return Ok(Left::new()) };
    record.note_step(view.clock());
    Ok(vec![(address, record.version())])
}

/// The last step.
pub(super) async fn ended(view: &View, executed: &Executed) -> Result<Left, EmulatorError> {
    let mut record = begun(view, id(&executed.transaction)).await?;
    record.note_step(view.clock());
    let (mut found, mut refused) = (None::<(Clock, Attempt)>, None);
    for (place, began) in record.steps.iter().copied().enumerate() {
        let attempt = match attempt(view, executed, &record, began).await {
            Ok(attempt) => attempt,
            Err(EmulatorError::Cluster(error)) if error.is_retryable() => return Err(error.into()),
            Err(error) => {
                refused = Some(error);
                continue;
            }
        };
        if found.as_ref().is_some_and(|(_, other)| other.left != attempt.left) {
            let text = "which of its steps its attempt began with is not known, and makes a difference";
            return Err(EmulatorError::State(text.to_owned()));
        }
        let is_certain = place == 0 && is_unchanged(view, &record, &attempt).await?;
        found.get_or_insert((began, attempt));
        if is_certain {
            break;
        }
    }
    let nothing = || EmulatorError::State("no step of it is known".to_owned());
    let Some((began, Attempt { mut left, .. })) = found else { return Err(refused.unwrap_or_else(nothing)) };
    record.steps = vec![began];
    left.push((record::run(id(&executed.transaction)), record.version()));
    Ok(left)
}

/// What an attempt uses and leaves.
struct Attempt {
    used: Vec<Pubkey>,
    left: Left,
}

/// Runs an attempt that began at some time.
async fn attempt(
    view: &View,
    executed: &Executed,
    record: &RunRecord,
    began: Clock,
) -> Result<Attempt, EmulatorError> {
    let (begun, end) = (record.run, view.clock());
    let shell = Shell::new(Arc::new(view.as_of(began)));
    let again = move |ledger: &mut Recorder<'_>, block: &BlockValues, envelope: &Envelope<'_>| {
        let report = run_again(ledger, block, envelope, begun, end)?;
        Ok((report, ledger.asks_newest()))
    };
    let ((report, asks_newest), finished) =
        shell.run_envelope(&executed.transaction, executed.coinbase, None, again).await?;
    check_same(&execution(report), executed)?;
    if asks_newest && record.steps.iter().any(|step| step.slot > began.slot) {
        let text = "which of its steps asked for PREVRANDAO, and so what it got, is not known";
        return Err(EmulatorError::State(text.to_owned()));
    }
    // Settings that change make a run begin anew as well.
    let settings = std::iter::once(shell.deployment.config);
    let used = finished.uses.iter().map(|used| used.address).chain(settings).collect();
    Ok(Attempt { used, left: left(&shell, finished.uses) })
}

/// Runs a run that was begun: in the block in which its attempt began, to where nothing is left but writing, which is done in
/// the block in which it ended.
fn run_again(
    ledger: &mut Recorder<'_>,
    block: &BlockValues,
    envelope: &Envelope<'_>,
    run: Run,
    end: Clock,
) -> Result<Report, ProgramError> {
    let timestamp = end.unix_timestamp.max(0).unsigned_abs();
    let last = BlockValues { slot: end.slot, timestamp, ..*block };
    let mut begun = Begun::of(run);
    match begun.step(ledger, block, envelope, &BEFORE_WRITING)? {
        Some(report) => Ok(report),
        None => begun.step(ledger, &last, envelope, &[])?.ok_or(ProgramError::CheckpointMalformed),
    }
}

/// The sender's account as if its run had not begun, and would run at once now: it has its nonce and what it has paid for
/// gas.
pub(super) async fn not_begun(
    view: &View,
    executed: &Executed,
    run: &Run,
) -> Result<(Pubkey, Option<Account>), EmulatorError> {
    let key = AccountKey::Balance(H160(executed.transaction.sender().0.0));
    let address = account_address(&view.deployment(), &key);
    let mut account = view.accounts(&[address]).await?.accounts.pop().flatten();
    if let Some(account) = &mut account {
        let balance = Balance::view_mut(&mut account.data).map_err(damaged)?;
        let whole = balance.balance().checked_add(run.bought).ok_or(ProgramError::InvalidArgument);
        balance.set_balance(&whole.map_err(damaged)?);
        balance.set_nonce(executed.transaction.inner().nonce());
        balance.set_has_run(false);
    }
    Ok((address.to_bytes(), account))
}

fn damaged(error: ProgramError) -> EmulatorError {
    EmulatorError::State(error.text().into())
}

/// Whether nothing that an attempt used was changed since the run was begun. Then it did not begin anew.
async fn is_unchanged(view: &View, record: &RunRecord, attempt: &Attempt) -> Result<bool, EmulatorError> {
    let begun = view.earlier(record.begun);
    let is_same = begun.versions(&attempt.used).await? == view.versions(&attempt.used).await?;
    // What was then may be forgotten: with the block's values, which are read last.
    Ok(is_same && version(&begun, record::BLOCK).await?.is_some())
}

/// `cancel`: the gas that was used up is charged, the rest goes back.
pub(super) async fn cancelled(
    shell: &Shell,
    view: &View,
    executed: &Executed,
) -> Result<Left, EmulatorError> {
    let mut run = begun(view, id(&executed.transaction)).await?.run;
    // Nobody knows how far it was; the receipt does.
    let limit = executed.transaction.inner().gas_limit().min(gas::TRANSACTION_MAX);
    run.gas_left = limit.saturating_sub(executed.gas_used);
    let payee = H160(executed.coinbase.0.0);
    let cancel = move |ledger: &mut Recorder<'_>, block: &BlockValues, envelope: &Envelope<'_>| {
        steps::cancel(ledger, Native, block, &LARGEST, envelope, &run, payee)
    };
    let (receipt, finished) =
        shell.run_envelope(&executed.transaction, executed.coinbase, None, cancel).await?;
    if (receipt.outcome, receipt.gas_used) != (Outcome::Cancelled, executed.gas_used) {
        return Err(EmulatorError::State("it is not cancelled as it was".to_owned()));
    }
    let mut left = left(shell, finished.uses);
    left.push((record::run(id(&executed.transaction)), Version::Absent));
    Ok(left)
}

/// The run of a transaction.
pub(super) async fn begun(view: &View, transaction: TransactionId) -> Result<RunRecord, EmulatorError> {
    let kept = version(view, record::run(transaction)).await?;
    RunRecord::read(kept.as_ref())
        .ok_or_else(|| EmulatorError::State("its beginning is not known".to_owned()))
}
