//! What a watched run tells: tracers and access lists are made of it. Never on chain.
//!
//! ```text
//! Begin ─▶ Opcode ─▶ Opcode ─▶ … ─▶ End
//!             └─▶ Begin ─▶ … ─▶ End      a call or a creation, before the opcode behind it
//! ```
//!
//! A call that does not run (no funds, too deep, a precompile) has a beginning and an end as well.

use parhelion_evm::exit::Exit;
use parhelion_evm::interpreter::CallScheme;
use parhelion_evm::{H160, U256};

/// Something that happens in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation<'a> {
    /// A call or creation begins.
    Begin(Begin<'a>),
    /// An opcode is about to run.
    Opcode(Opcode<'a>),
    /// A contract destroys itself, or has its balance sent.
    SelfDestruct {
        /// Which.
        address: H160,
        /// Who gets the balance.
        beneficiary: H160,
        /// Wei.
        balance: U256,
    },
    /// The call or creation that began last and has not ended yet ends.
    End(End<'a>),
}

/// How a frame comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By a call.
    Call(CallScheme),
    /// By CREATE, or a transaction that creates.
    Create,
    /// By CREATE2.
    Create2,
}

/// A call or creation that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begin<'a> {
    /// How.
    pub way: Way,
    /// CALLER.
    pub caller: H160,
    /// ADDRESS: whose storage and balance the code sees; `None` of a creation that is refused before it has one.
    pub address: Option<H160>,
    /// Whose code runs, before EIP-7702 delegation.
    pub code_address: Option<H160>,
    /// CALLVALUE, in wei.
    pub value: U256,
    /// Gas that it may use.
    pub gas: u64,
    /// Call data or init code.
    pub input: &'a [u8],
}

/// An opcode that is about to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opcode<'a> {
    /// How deep the frame is, the outermost being 1.
    pub depth: usize,
    /// Where it is in the code.
    pub pc: usize,
    /// The opcode; STOP behind the code's end.
    pub opcode: u8,
    /// Gas that is left before it.
    pub gas: u64,
    /// The refund counter.
    pub refund: i64,
    /// ADDRESS.
    pub address: H160,
    /// The stack, its top last.
    pub stack: &'a [U256],
    /// The memory.
    pub memory: &'a [u8],
    /// What the last call returned.
    pub return_data: &'a [u8],
}

/// How a call or creation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End<'a> {
    /// How.
    pub exit: Exit,
    /// Gas that comes back.
    pub gas: u64,
    /// Return data or revert data; of a creation the code that it leaves.
    pub output: &'a [u8],
}
