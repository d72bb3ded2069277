//! Runs chains of handlers until the frame ends or asks for something.

use super::cpu::Cpu;
use super::handler::Form;
use super::plain::{self, Plain};
use super::translated::{self, Translated};
use crate::host::Host;
use crate::interpreter::{Frame, Interrupt};
use crate::machine::Machine;

/// Runs a frame until it ends or asks for something.
pub fn run<H: Host>(
    machine: &mut Machine,
    frame: &mut Frame<'_, H::Account>,
    host: &mut H,
) -> Interrupt<H::Error> {
    let mut cpu = Cpu::new(machine, frame, host);
    cpu.prepare();
    // Ends, because each round costs gas or ends the frame.
    loop {
        cpu.refill();
        let (pc, sp, gas) = (cpu.pc, cpu.sp, cpu.gas);
        // SAFETY: `cpu` holds registers that fit together and the form of code that it is in.
        unsafe {
            if cpu.is_translated {
                let table = translated::Handlers::table();
                table.get(Translated::offset(pc))(pc, sp, gas, &mut cpu, table);
            } else {
                let table = plain::Handlers::table();
                table.get(Plain::offset(pc))(pc, sp, gas, &mut cpu, table);
            }
        }
        if let Some(interrupt) = cpu.settle() {
            return interrupt;
        }
    }
}
