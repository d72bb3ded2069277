//! What handlers are made of.

use super::cpu::Cpu;
use crate::U256;
use crate::host::Host;

/// A handler: runs the opcode at the first argument and calls the next handler, unless the chain ends.
///
/// # Safety
/// The arguments are as the [module](super) says.
pub(super) type Handler<H> =
    unsafe extern "C" fn(*const u8, *mut U256, i64, &mut Cpu<'_, '_, '_, H>, Table<H>);

/// The handlers of a form, by opcode.
#[repr(transparent)]
pub(super) struct Table<H: Host>(*const Handler<H>);

impl<H: Host> Clone for Table<H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H: Host> Copy for Table<H> {}

impl<H: Host> Table<H> {
    /// A table.
    ///
    /// # Safety
    /// Handlers for every opcode of a form are at `handlers`, and stay there.
    pub(super) const unsafe fn new(handlers: *const Handler<H>) -> Self {
        Self(handlers)
    }

    /// The handler at an offset of bytes.
    ///
    /// # Safety
    /// A handler is there.
    #[inline(always)]
    pub(super) unsafe fn get(self, offset: usize) -> Handler<H> {
        // The sum in this order costs a register move less.
        let address = offset + self.0.expose_provenance();
        // SAFETY: by this function's contract.
        unsafe { *core::ptr::with_exposed_provenance::<Handler<H>>(address) }
    }
}

/// A form of code: bytes of opcodes, or records of a translation.
pub(super) trait Form {
    /// Whether each opcode charges its gas and checks the stack. Otherwise this was done for the whole block.
    const CHECKED: bool;
    /// Bytes of an opcode.
    const OPCODE: usize;

    /// Where in the table the handler of the opcode at `pc` is, in bytes.
    ///
    /// # Safety
    /// `pc` points to an opcode of this form.
    unsafe fn offset(pc: *const u8) -> usize;
}

/// Defines a handler for any form of code: `handler!(NAME(pc, sp, gas, cpu, table) { … })`.
macro_rules! handler {
    ($(#[$attribute:meta])* $name:ident($pc:ident, $sp:ident, $gas:ident, $cpu:ident, $table:ident) $body:block) => {
        $(#[$attribute])*
        ///
        /// # Safety
        /// As [`Handler`](super::handler::Handler).
        pub(super) unsafe extern "C" fn $name<H: crate::host::Host, F: super::handler::Form>(
            $pc: *const u8,
            $sp: *mut crate::U256,
            $gas: i64,
            $cpu: &mut super::cpu::Cpu<'_, '_, '_, H>,
            $table: super::handler::Table<H>,
        ) $body
    };
}

/// Calls the handler of the opcode at `$pc`. The last thing that a handler does.
macro_rules! next {
    ($pc:expr, $sp:expr, $gas:expr, $cpu:ident, $table:ident) => {{
        let (pc, sp, gas): (*const u8, *mut crate::U256, i64) = ($pc, $sp, $gas);
        // SAFETY: `pc` points to an opcode, and the other registers fit, as the module says.
        unsafe { $table.get(F::offset(pc))(pc, sp, gas, $cpu, $table) }
    }};
}

/// Charges the opcode's static gas and checks that its inputs are there and its outputs fit. Gives the gas left.
macro_rules! enter {
    ($op:ident, $pc:ident, $sp:ident, $gas:ident, $cpu:ident, $table:ident) => {{
        const INFO: crate::opcode::Info = crate::opcode::info(crate::opcode::$op);
        let gas = if F::CHECKED { $gas - const { INFO.gas as i64 } } else { $gas };
        if F::CHECKED {
            if gas < 0 {
                return super::handler::end!(pause, $pc, $sp, gas, $cpu, $table);
            }
        }
        super::handler::require!($op, $pc, $sp, gas, $cpu, $table);
        gas
    }};
}

/// Checks that the opcode's inputs are there and its outputs fit.
macro_rules! require {
    ($op:ident, $pc:ident, $sp:ident, $gas:ident, $cpu:ident, $table:ident) => {{
        const INFO: crate::opcode::Info = crate::opcode::info(crate::opcode::$op);
        if F::CHECKED {
            // SAFETY: only code that runs as it is is checked.
            let need = unsafe { $cpu.need::<{ INFO.inputs as usize }>() };
            if const { INFO.inputs > 0 } && $sp < need {
                return super::handler::end!(underflow, $pc, $sp, $gas, $cpu, $table);
            }
            if const { INFO.outputs > INFO.inputs } && $sp >= $cpu.limit {
                return super::handler::end!(overflow, $pc, $sp, $gas, $cpu, $table);
            }
        }
    }};
}

/// Ends the chain in one of the ways of [`super::ends`].
macro_rules! end {
    ($name:ident, $pc:ident, $sp:ident, $gas:ident, $cpu:ident, $table:ident) => {
        // SAFETY: the registers are those of a handler.
        unsafe { super::ends::$name::<H, F>($pc, $sp, $gas, $cpu, $table) }
    };
}

/// The word `$n` below the top (0 is the top).
macro_rules! word {
    ($sp:ident, $n:expr) => {
        // SAFETY: `enter!` has found more than `$n` words on the stack.
        *unsafe { &mut *$sp.sub($n + 1) }
    };
}

/// The stack without its `$n` top words.
macro_rules! dropped {
    ($sp:ident, $n:expr) => {
        // SAFETY: `enter!` has found at least `$n` words on the stack.
        unsafe { $sp.sub($n) }
    };
}

/// The stack with one word more.
macro_rules! pushed {
    ($sp:ident, $word:expr) => {{
        let word: crate::U256 = $word;
        // SAFETY: `enter!` has found `sp < limit`.
        unsafe {
            *$sp = word;
            $sp.add(1)
        }
    }};
}

/// The position `$n` bytes further.
macro_rules! advanced {
    ($pc:ident, $n:expr) => {
        // SAFETY: what stands behind an opcode belongs to the same code.
        unsafe { $pc.add($n) }
    };
}

/// A small number as a word.
pub(super) const fn small(value: u64) -> U256 {
    U256([value, 0, 0, 0])
}

pub(super) use {advanced, dropped, end, enter, handler, next, pushed, require, word};
