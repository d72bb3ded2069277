//! Who watches a run.

use crate::ledger::Recorder;
use parhelion_executor::BlockValues;
use parhelion_executor::observe::{Begin, End, Observation, Opcode};
use parhelion_wire::{H160, ProgramError, U256};

/// Watches a run. Each attempt at a run gets a clone of it.
pub(crate) trait Watcher: Clone + Send + Sync + 'static {
    /// A call or creation begins.
    fn begin(&mut self, begin: &Begin<'_>);

    /// An opcode is about to run.
    fn opcode(&mut self, opcode: &Opcode<'_>);

    /// A contract destroys itself, or has its balance of so many wei sent to another address.
    fn self_destruct(&mut self, contract: &H160, beneficiary: &H160, balance: &U256) {
        let _ = (contract, beneficiary, balance);
    }

    /// The call or creation that began last and has not ended yet ends.
    fn end(&mut self, end: &End<'_>) {
        let _ = end;
    }

    /// Whether it wants to be told anything more.
    fn wants_more(&self) -> bool {
        true
    }

    /// The run is over. What is missed in the ledger now is fetched, and the run made again.
    ///
    /// # Errors
    /// When an account is damaged.
    fn over(&mut self, ledger: &mut Recorder<'_>, block: &BlockValues) -> Result<(), ProgramError> {
        let _ = (ledger, block);
        Ok(())
    }

    /// Is told what happens.
    fn observe(&mut self, observation: &Observation<'_>) {
        if !self.wants_more() {
            return;
        }
        match observation {
            Observation::Begin(begin) => self.begin(begin),
            Observation::Opcode(opcode) => self.opcode(opcode),
            Observation::SelfDestruct { address, beneficiary, balance } => {
                self.self_destruct(address, beneficiary, balance);
            }
            Observation::End(end) => self.end(end),
        }
    }
}

/// Two that watch the same run.
impl<A: Watcher, B: Watcher> Watcher for (A, B) {
    fn begin(&mut self, begin: &Begin<'_>) {
        self.observe(&Observation::Begin(*begin));
    }

    fn opcode(&mut self, opcode: &Opcode<'_>) {
        self.observe(&Observation::Opcode(*opcode));
    }

    fn over(&mut self, ledger: &mut Recorder<'_>, block: &BlockValues) -> Result<(), ProgramError> {
        self.0.over(ledger, block)?;
        self.1.over(ledger, block)
    }

    fn observe(&mut self, observation: &Observation<'_>) {
        self.0.observe(observation);
        self.1.observe(observation);
    }
}
