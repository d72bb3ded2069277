//! Watches a run and checks that what is told makes sense. What does not is a fault of ours: it panics.

use parhelion_executor::evm::opcode as op;
use parhelion_executor::observe::{Observation, Opcode};

/// A call or creation that has not ended.
struct Frame {
    /// Gas that it may use, less what is known to be used.
    gas: u64,
    /// Whether an opcode of it ran.
    runs: bool,
}

/// What was told so far.
#[derive(Default)]
pub(crate) struct Witness {
    frames: Vec<Frame>,
    ended: usize,
}

impl Witness {
    pub(crate) fn observe(&mut self, observation: &Observation<'_>) {
        match observation {
            Observation::Begin(begin) => {
                assert!(!self.frames.is_empty() || self.ended == 0, "two outermost frames");
                self.frames.push(Frame { gas: begin.gas, runs: false });
            }
            Observation::Opcode(opcode) => self.opcode(opcode),
            Observation::SelfDestruct { .. } => assert!(!self.frames.is_empty(), "outside of frames"),
            Observation::End(end) => {
                let frame = self.frames.pop().expect("an end without a beginning");
                assert!(end.gas <= frame.gas, "{} gas comes back of {}", end.gas, frame.gas);
                assert!(!end.exit.is_halt() || end.gas == 0, "a halt takes all gas");
                if let Some(caller) = self.frames.last_mut() {
                    // The stipend of a call with value is the callee's in addition.
                    caller.gas = caller.gas.saturating_add(end.gas);
                }
                self.ended += 1;
            }
        }
    }

    fn opcode(&mut self, opcode: &Opcode<'_>) {
        let depth = self.frames.len();
        let frame = self.frames.last_mut().expect("an opcode outside of frames");
        assert_eq!(depth, opcode.depth);
        assert!(opcode.gas <= frame.gas, "{} gas at {} of {}", opcode.gas, opcode.pc, frame.gas);
        assert!(frame.runs || (opcode.pc, opcode.stack.len(), opcode.memory.len()) == (0, 0, 0));
        assert!(opcode.memory.len().is_multiple_of(32) && opcode.stack.len() <= 1024);
        frame.runs = true;
        // What a callee gets is taken from its caller before it begins, and comes back when it ends.
        let calls = matches!(
            opcode.opcode,
            op::CALL | op::CALLCODE | op::DELEGATECALL | op::STATICCALL | op::CREATE | op::CREATE2
        );
        if !calls {
            frame.gas = opcode.gas;
        }
    }

    /// The run is over.
    pub(crate) fn finish(&self) {
        assert!(self.frames.is_empty() && self.ended > 0, "{} frames have not ended", self.frames.len());
    }
}
