//! debug_trace*: how a run does what it does.

mod calls;
mod opcodes;

use crate::shell::Shell;
use alloy_primitives::{Address, U256};
use calls::Calls;
use opcodes::Opcodes;
use parhelion_core::emulator::{Call, EmulatorError, Recording, Trace, TraceRequest};
use parhelion_wire::H160;

/// The most bytes that are recorded of one run: more than an answer can have, in a form that takes less.
const RECORDED_BYTES_MAX: usize = 64 << 20;

impl Shell {
    /// Runs a call and records how.
    pub(crate) async fn trace_call(
        &self,
        call: &Call,
        request: TraceRequest,
    ) -> Result<Trace, EmulatorError> {
        let prepared = crate::read::prepared(call);
        match request {
            TraceRequest::Opcodes(options) => {
                let (execution, opcodes) = self.watch_call(call, prepared, Opcodes::new(options)).await?;
                Ok(Trace { execution, recording: Recording::Opcodes(within(opcodes.finish())?) })
            }
            TraceRequest::Calls => {
                let (execution, calls) = self.watch_call(call, prepared, Calls::default()).await?;
                let mut nodes = within(calls.finish())?;
                // The outermost call has what is left of the transaction's gas; what is shown of it is the transaction's.
                if let Some(outermost) = nodes.first_mut() {
                    outermost.trace.gas_limit = crate::read::gas_limit(call);
                }
                Ok(Trace { execution, recording: Recording::Calls(nodes) })
            }
        }
    }
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
