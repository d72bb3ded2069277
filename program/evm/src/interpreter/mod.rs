//! The interpreter: runs one call frame.
//!
//! ```text
//! run ──▶ hot/: a chain of handlers: arithmetic, stack, jumps, memory words, hashes of memory
//!          │  between two chains
//!          ├─▶ hot/between.rs: storage, logs, memory that grows
//!          └─▶ operations/: everything else, one short function each, over a `Context` (machine, frame, host)
//! ```
//!
//! A frame ends with an [`Interrupt`]: it is over, it wants another frame to run (a call or a creation), or the host
//! failed. After a call the caller hands the result to [`Frame::resume`] and runs the frame on. Nothing recurses, so
//! the EVM's depth of 1024 needs no native stack.
//!
//! A frame can be told to pause before its gas falls below a mark ([`Frame::hold`]), be written down
//! ([`Frame::position`]) and go on elsewhere. Where exactly it pauses is nobody's business but the interpreter's:
//! before an opcode, or before a block of a translation; with a little less gas than the mark when one operation took
//! more than was in front of it.
//!
//! `hot` is the one place that works on raw pointers: on sBPF each bounds check costs as much as the operation it guards.
//! Everything behind it is safe code.

mod context;
mod frame;
mod hot;
mod operations;

pub use frame::{Code, Frame, FrameInput, Input, Output, Position, Stored};
pub use hot::{run, step};

use crate::exit::Exit;
use crate::{H160, U256};

/// Why the interpreter stopped.
#[derive(Debug)]
pub enum Interrupt<E> {
    /// The frame is over.
    Exit(Exit, Output),
    /// CALL, CALLCODE, DELEGATECALL or STATICCALL: [`Frame::call`].
    Call,
    /// CREATE or CREATE2: [`Frame::creation`].
    Create,
    /// The frame's [hold](Frame::hold) is all that is left of its gas. It goes on where it is when it runs again.
    Pause,
    /// The host failed: fatal.
    Host(E),
    /// An arena of the machine is full: fatal.
    Limit,
}

/// Which instruction calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallScheme {
    /// CALL.
    Call,
    /// CALLCODE.
    CallCode,
    /// DELEGATECALL.
    DelegateCall,
    /// STATICCALL.
    StaticCall,
}

/// A call that a frame asks for. Its gas is taken from the frame already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRequest {
    /// Which instruction calls.
    pub scheme: CallScheme,
    /// Gas for the callee, the stipend included.
    pub gas: i64,
    /// Whose code runs (before EIP-7702 delegation).
    pub code_address: H160,
    /// Whose storage and balance the callee sees.
    pub address: H160,
    /// CALLER in the callee.
    pub caller: H160,
    /// CALLVALUE in the callee.
    pub value: U256,
    /// Whether `value` moves from caller to address.
    pub transfers: bool,
    /// Whether the callee may not change state.
    pub is_static: bool,
    /// Where the call data is in memory.
    pub input: Output,
}

/// A creation that a frame asks for. Its gas is taken from the frame already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateRequest {
    /// Gas for the init code.
    pub gas: i64,
    /// Who creates.
    pub creator: H160,
    /// Wei for the new contract.
    pub value: U256,
    /// The salt of CREATE2.
    pub salt: Option<U256>,
    /// Where the init code is in memory.
    pub init_code: Output,
}
