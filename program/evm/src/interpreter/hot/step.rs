//! One opcode at a time, for tracers. Never on chain.
//!
//! The handlers are those of [`super::plain`]. That an opcode's handler runs alone is due to two things: every other handler
//! of its chain ends the chain, and the window has just its static gas, so that no sequence runs as one.

use super::cpu::Cpu;
use super::handler::{Form, Handler, Table};
use super::plain::{self, Plain};
use super::{ends, run};
use crate::host::Host;
use crate::interpreter::{Frame, Interrupt};
use crate::machine::Machine;
use crate::opcode;
use core::marker::PhantomData;

/// The handlers behind the first one.
struct Stops<H>(PhantomData<H>);

impl<H: Host> Stops<H> {
    const ALL: [Handler<H>; 256] = [ends::stop::<H, Plain>; 256];

    #[allow(clippy::needless_borrow)] // the borrow of the constant is what makes it a static
    fn table() -> Table<H> {
        // SAFETY: a constant array of 256 handlers.
        unsafe { Table::new(const { (&Self::ALL).as_ptr() }) }
    }
}

/// Runs the next opcode of a frame; `None` when the frame goes on behind it. A translation runs to its end: who wants to see
/// opcodes gives no translations. Gas that is [held](Frame::hold) is not respected.
pub fn step<H: Host>(
    machine: &mut Machine,
    frame: &mut Frame<'_, H::Account>,
    host: &mut H,
) -> Option<Interrupt<H::Error>> {
    if frame.is_translated {
        return Some(run(machine, frame, host));
    }
    let gas_before = frame.gas();
    let mut cpu = Cpu::new(machine, frame, host);
    cpu.prepare();
    // Ends: an opcode costs gas, or ends the frame; but for a jump of init code, which is analysed first and then runs.
    loop {
        // SAFETY: `pc` points into the padded code.
        let opcode = unsafe { *cpu.pc };
        cpu.give(i64::from(opcode::info(opcode).gas));
        let (pc, sp, gas) = (cpu.pc, cpu.sp, cpu.gas);
        // SAFETY: `cpu` holds registers that fit together, and the code runs as it is.
        unsafe { plain::Handlers::table().get(Plain::offset(pc))(pc, sp, gas, &mut cpu, Stops::table()) };
        if let Some(interrupt) = cpu.settle() {
            return Some(interrupt);
        }
        if cpu.put_back() < gas_before {
            return None;
        }
    }
}
