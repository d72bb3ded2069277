//! The interpreter, opcode by opcode: result, gas to the unit, and how it ends.

mod arithmetic;
mod bits;
mod calls;
mod control;
mod creations;
mod endings;
mod environment;
mod host;
mod logs;
mod memory;
mod returned;
mod run;
mod sequences;
mod stack;
mod storage;
