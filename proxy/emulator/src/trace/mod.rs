//! debug_trace*: how a run does what it does.

mod accounts;
mod calls;
mod opcodes;

use crate::crypto::Native;
use crate::execution::execution;
use crate::ledger::Recorder;
use crate::shell::Shell;
use crate::watcher::Watcher;
use accounts::{Accounts, Left};
use alloy_consensus::Transaction as _;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, U256};
use calls::Calls;
use opcodes::Opcodes;
use parhelion_core::emulator::{Call, EmulatorError, Execution, Recording, Trace, TraceRequest};
use parhelion_core::store::Executed;
use parhelion_core::touched::TouchedAccounts;
use parhelion_executor::observe::Observation;
use parhelion_executor::{BlockValues, Limits, Options, Watched};
use parhelion_sdk::convert::to_h160;
use parhelion_wire::H160;
use parhelion_wire::transaction::Envelope;
use revm_inspectors::tracing::types::CallTraceNode;

/// The most bytes that are recorded of one run: more than an answer can have, in a form that takes less.
const RECORDED_BYTES_MAX: usize = 64 << 20;

/// A transaction that runs again: with the maxima of a run in steps, and what precompiles may take on chain.
pub(crate) const AGAIN: Options = Options {
    limits: Limits {
        precompile_compute_units: Limits::ON_CHAIN.precompile_compute_units,
        ..Limits::OFF_CHAIN
    },
    ..Options::ON_CHAIN
};

/// What is run and recorded.
enum Subject<'a> {
    Call(&'a Call),
    Executed(&'a Executed),
}

impl Shell {
    /// Runs a call and records how.
    pub(crate) async fn trace_call(
        &self,
        call: &Call,
        request: TraceRequest,
    ) -> Result<Trace, EmulatorError> {
        self.record(&Subject::Call(call), request).await
    }

    /// Runs a transaction again, on the state from before it, and records how. That it does what it did, is checked.
    pub(crate) async fn trace_again(
        &self,
        executed: &Executed,
        request: TraceRequest,
    ) -> Result<Trace, EmulatorError> {
        let trace = self.record(&Subject::Executed(executed), request).await?;
        check_same(&trace.execution, executed)?;
        Ok(trace)
    }

    async fn record(&self, subject: &Subject<'_>, request: TraceRequest) -> Result<Trace, EmulatorError> {
        match request {
            TraceRequest::Opcodes(options) => {
                let (execution, opcodes) = self.watch(subject, Opcodes::new(options)).await?;
                Ok(Trace { execution, recording: Recording::Opcodes(within(opcodes.finish())?) })
            }
            TraceRequest::Calls => {
                let (execution, calls) = self.watch(subject, Calls::default()).await?;
                Ok(Trace { execution, recording: Recording::Calls(subject.nodes(calls)?) })
            }
            TraceRequest::Accounts => {
                let (execution, accounts) = self.watch(subject, subject.accounts()).await?;
                let touched = subject.touched(accounts, &execution)?;
                Ok(Trace { execution, recording: Recording::Accounts(touched) })
            }
            TraceRequest::CallsAndAccounts => {
                let watcher = (Calls::default(), subject.accounts());
                let (execution, (calls, accounts)) = self.watch(subject, watcher).await?;
                let touched = subject.touched(accounts, &execution)?;
                let recording = Recording::CallsAndAccounts(subject.nodes(calls)?, touched);
                Ok(Trace { execution, recording })
            }
        }
    }

    async fn watch<W: Watcher>(
        &self,
        subject: &Subject<'_>,
        watcher: W,
    ) -> Result<(Execution, W), EmulatorError> {
        let executed = match subject {
            Subject::Call(call) => return self.watch_call(call, crate::read::prepared(call), watcher).await,
            Subject::Executed(executed) => executed,
        };
        let run = move |ledger: &mut Recorder<'_>, block: &BlockValues, envelope: &Envelope<'_>| {
            let mut watcher = watcher.clone();
            let watched = Watched {
                ledger: &mut *ledger,
                watch: |observation: &Observation<'_>| watcher.observe(observation),
            };
            let (_, report) = parhelion_executor::execute(watched, Native, block, &AGAIN, envelope)?;
            watcher.over(ledger, block)?;
            Ok((report, watcher))
        };
        let transaction = &executed.transaction;
        let ((report, watcher), _) = self.run_envelope(transaction, executed.coinbase, None, run).await?;
        Ok((execution(report), watcher))
    }
}

impl Subject<'_> {
    /// Its calls. The outermost one has what is left of the transaction's gas; what is shown of it is the transaction's.
    fn nodes(&self, calls: Calls) -> Result<Vec<CallTraceNode>, EmulatorError> {
        let mut nodes = within(calls.finish())?;
        if let Some(outermost) = nodes.first_mut() {
            outermost.trace.gas_limit = self.gas_limit();
        }
        Ok(nodes)
    }

    /// What records its accounts.
    fn accounts(&self) -> Accounts {
        let signed = self.authorizations().iter();
        let parties = signed.filter_map(|authorization| {
            let authority = authorization.recover_authority().ok()?;
            Some((to_h160(authority), to_h160(authorization.address)))
        });
        Accounts::new(parties.collect(), matches!(self, Self::Executed(_)))
    }

    /// The accounts that it touches.
    fn touched(&self, accounts: Accounts, execution: &Execution) -> Result<TouchedAccounts, EmulatorError> {
        let left = |block: &BlockValues| match self {
            Self::Executed(_) => None,
            Self::Call(call) => {
                let gas_price = call.gas_price_at(block.base_fee);
                Some(Left {
                    sender: call.from.unwrap_or_default(),
                    fee: gas_price.saturating_mul(U256::from(execution.gas_used)),
                    authorizations: call.authorization_list.clone(),
                })
            }
        };
        within(accounts.finish(left)?)
    }

    fn authorizations(&self) -> &[SignedAuthorization] {
        match self {
            Self::Call(call) => &call.authorization_list,
            Self::Executed(executed) => executed.transaction.inner().authorization_list().unwrap_or_default(),
        }
    }

    fn gas_limit(&self) -> u64 {
        match self {
            Self::Call(call) => crate::read::gas_limit(call),
            Self::Executed(executed) => executed.transaction.inner().gas_limit(),
        }
    }
}

/// Asserts that a transaction does what it did.
pub(crate) fn check_same(execution: &Execution, executed: &Executed) -> Result<(), EmulatorError> {
    let Execution { outcome, gas_used, rent_gas, logs, .. } = execution;
    let was = (executed.outcome, executed.gas_used, executed.rent_gas, &executed.logs);
    if (*outcome, *gas_used, *rent_gas, logs) == was {
        return Ok(());
    }
    let hash = executed.transaction.hash();
    let text = format!("the transaction {hash} does not run as it did: what it ran on is not known exactly");
    Err(EmulatorError::State(text))
}

fn within<T>(recorded: Option<T>) -> Result<T, EmulatorError> {
    recorded.ok_or(EmulatorError::TraceTooLarge { max: RECORDED_BYTES_MAX })
}

/// Bytes that may still be recorded.
#[derive(Clone, Debug)]
struct Budget {
    left: Option<usize>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: Some(RECORDED_BYTES_MAX) }
    }
}

impl Budget {
    /// Takes bytes; whether there were so many. Once there were not, there are none at all.
    fn take(&mut self, bytes: usize) -> bool {
        self.left = self.left.and_then(|left| left.checked_sub(bytes));
        self.left.is_some()
    }

    /// Whether there always were enough.
    const fn is_kept(&self) -> bool {
        self.left.is_some()
    }
}

fn address(address: &H160) -> Address {
    Address::from(address.0)
}

fn word(word: &parhelion_evm::U256) -> U256 {
    U256::from_limbs(word.0)
}
