//! Tells what frames do, where the ledger wants to know.

use super::{Ended, Entered, Outermost, Purpose};
use crate::ledger::Ledger;
use crate::observe::{Begin, End, Observation, Opcode, Way};
use crate::world::{Id, World};
use parhelion_evm::crypto::Crypto;
use parhelion_evm::interpreter::{self, CallRequest, CallScheme, CreateRequest, Frame, Interrupt};
use parhelion_evm::machine::Machine;
use parhelion_evm::{H160, U256, opcode};
use parhelion_wire::ProgramError;

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// Runs a frame opcode by opcode, until it ends or asks for something.
    pub(super) fn run_observed(
        &mut self,
        machine: &mut Machine,
        frame: &mut Frame<'c, Id>,
        depth: usize,
    ) -> Interrupt<ProgramError> {
        // Ends because each opcode costs gas, or is the last one.
        loop {
            let pc = frame.pc();
            let observation = Observation::Opcode(Opcode {
                depth,
                pc,
                opcode: frame.input().code.bytes().get(pc).copied().unwrap_or(opcode::STOP),
                gas: frame.gas().max(0).unsigned_abs(),
                refund: self.refund,
                address: frame.input().address,
                stack: frame.stack(machine),
                memory: frame.memory(machine),
                return_data: machine.return_data(),
            });
            self.ledger.observe(&observation);
            if let Some(interrupt) = interpreter::step(machine, frame, self) {
                return interrupt;
            }
        }
    }

    /// Tells of the outermost call or creation that began.
    pub(super) fn tell_outermost(
        &mut self,
        machine: &Machine,
        outermost: &Outermost<'c>,
        sender: &H160,
        value: &U256,
        gas: i64,
        entered: &Entered<'c>,
    ) {
        let (way, to, input) = match *outermost {
            Outermost::Call { to, data } => (Way::Call(CallScheme::Call), Some(to), data),
            Outermost::Create { init_code, .. } => (Way::Create, created(entered), init_code),
        };
        self.ledger.observe(&Observation::Begin(Begin {
            way,
            caller: *sender,
            address: to,
            code_address: to,
            value: *value,
            gas: gas.max(0).unsigned_abs(),
            input,
        }));
        self.tell_if_over(machine, entered);
    }

    /// Tells of a call that began.
    pub(super) fn tell_call(&mut self, machine: &Machine, request: &CallRequest, entered: &Entered<'c>) {
        self.ledger.observe(&Observation::Begin(Begin {
            way: Way::Call(request.scheme),
            caller: request.caller,
            address: Some(request.address),
            code_address: Some(request.code_address),
            value: request.value,
            gas: request.gas.max(0).unsigned_abs(),
            input: machine.memory(request.input.start, request.input.length),
        }));
        self.tell_if_over(machine, entered);
    }

    /// Tells of a creation that began.
    pub(super) fn tell_create(&mut self, machine: &Machine, request: &CreateRequest, entered: &Entered<'c>) {
        let address = created(entered);
        self.ledger.observe(&Observation::Begin(Begin {
            way: if request.salt.is_some() { Way::Create2 } else { Way::Create },
            caller: request.creator,
            address,
            code_address: address,
            value: request.value,
            gas: request.gas.max(0).unsigned_abs(),
            input: machine.memory(request.init_code.start, request.init_code.length),
        }));
        self.tell_if_over(machine, entered);
    }

    fn tell_if_over(&mut self, machine: &Machine, entered: &Entered<'c>) {
        if let Entered::Ended(ended) = entered {
            self.tell_end(machine.return_data(), ended);
        }
    }

    /// Tells how the topmost call or creation ended.
    pub(super) fn tell_end(&mut self, output: &[u8], ended: &Ended) {
        let gas = ended.gas.max(0).unsigned_abs();
        self.ledger.observe(&Observation::End(End { exit: ended.exit, gas, output }));
    }
}

/// The address of a creation that runs.
const fn created(entered: &Entered<'_>) -> Option<H160> {
    match entered {
        Entered::Frame(_, Purpose::Create(_, address), ..) => Some(*address),
        Entered::Frame(..) | Entered::Ended(_) => None,
    }
}
