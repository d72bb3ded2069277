//! How a chain ends where an opcode cannot run.
//!
//! Each is a handler by its arguments, so that going there costs no moving of registers. They take the gas that is left
//! after the opcode's static gas.

use super::handler::{handler, word};
use crate::exit::Exit;
use crate::opcode;

handler!(
    /// The opcode's gas is not in the window: ends the chain before the opcode. If there is no more, the frame ends, or
    /// pauses if gas is held.
    #[cold]
    #[inline(never)]
    pause(pc, sp, gas, cpu, _table) {
        // SAFETY: `pc` points into the padded code.
        let opcode = unsafe { *pc };
        let gas = gas + i64::from(opcode::info(opcode).gas);
        if cpu.reserve > cpu.hold {
            cpu.save(pc, sp, gas);
        } else if cpu.hold > 0 {
            cpu.pause(pc, sp, gas);
        } else {
            cpu.halt(Exit::OutOfGas);
        }
    }
);

handler!(
    /// Ends the chain before the opcode, whatever it is, see [`super::step`].
    stop(pc, sp, gas, cpu, _table) {
        cpu.save(pc, sp, gas);
    }
);

handler!(
    /// Too few words are on the stack.
    #[cold]
    #[inline(never)]
    underflow(_pc, _sp, _gas, cpu, _table) {
        cpu.halt(Exit::StackUnderflow);
    }
);

handler!(
    /// The stack is full.
    #[cold]
    #[inline(never)]
    overflow(_pc, _sp, _gas, cpu, _table) {
        cpu.overflow();
    }
);

handler!(
    /// A jump to where no jump destination is known. Init code is analysed when it jumps; then the opcode runs again.
    #[cold]
    #[inline(never)]
    invalid_jump(pc, sp, gas, cpu, _table) {
        if cpu.analyse(&word!(sp, 0)) {
            // SAFETY: `pc` points into the padded code.
            let opcode = unsafe { *pc };
            return cpu.save(pc, sp, gas + i64::from(opcode::info(opcode).gas));
        }
        cpu.halt(Exit::InvalidJump);
    }
);
