//! Running code: `execute(25, add(7, 13) + return_top())`, and a table row's worth of checks in one call.

use crate::host::{Missing, World};
use parhelion_assembler::{Code, return_top};
use parhelion_evm::exit::Exit;
use parhelion_evm::interpreter::{
    CallRequest, Code as Runnable, CreateRequest, Frame, FrameInput, Input, Interrupt, Output, run, step,
};
use parhelion_evm::machine::{Limits, Machine};
use parhelion_evm::opcode::{self as op, info};
use parhelion_evm::translation::{self, Translation};
use parhelion_evm::{H160, U256, jump_map};
use std::fmt::Debug;

/// ADDRESS of the code that runs.
pub(crate) const SELF: H160 = H160([0x11; 20]);
/// CALLER.
pub(crate) const CALLER: H160 = H160([0x22; 20]);
/// Somebody else.
pub(crate) const OTHER: H160 = H160([0x33; 20]);
/// Enough for everything.
pub(crate) const PLENTY: i64 = 10_000_000;
/// The machine: room for one full stack and a bit, and for 1 MiB of memory.
pub(crate) const LIMITS: Limits = Limits { stack_words: 1100, memory_bytes: 1 << 20, frames: 8 };

/// What code runs in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    pub(crate) world: World,
    pub(crate) input: &'static [u8],
    pub(crate) value: U256,
    pub(crate) is_static: bool,
    /// What a call before returned.
    pub(crate) return_data: &'static [u8],
}

/// A run that can go on.
pub(crate) struct Run {
    pub(crate) machine: Machine,
    pub(crate) frame: Frame<'static, H160>,
    pub(crate) world: World,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) exit: Exit,
    /// Of a run that succeeded or reverted; an exceptional halt takes all gas, whatever the frame still has.
    pub(crate) gas_used: i64,
    pub(crate) output: Vec<u8>,
    pub(crate) world: World,
}

impl Done {
    /// The word that [`return_top`] returned.
    pub(crate) fn word(&self) -> U256 {
        assert_eq!((self.exit, self.output.len()), (Exit::Return, 32));
        U256::from_big_endian(&self.output)
    }
}

impl From<World> for Setup {
    fn from(world: World) -> Self {
        Self { world, ..Self::default() }
    }
}

impl Setup {
    pub(crate) fn start(&self, gas: i64, code: &Code) -> Run {
        self.start_as(gas, Runnable::init(code.bytes()))
    }

    fn start_as(&self, gas: i64, code: Runnable<'static>) -> Run {
        let mut machine = Machine::new(&LIMITS);
        machine.set_return_data(self.return_data);
        let frame = Frame::first(FrameInput {
            code,
            input: Input::Bytes(self.input),
            account: SELF,
            address: SELF,
            caller: CALLER,
            value: self.value,
            is_static: self.is_static,
            gas,
        });
        Run { machine, frame, world: self.world.clone() }
    }

    /// Runs code to its end, as it is and translated, and asserts that both do the same.
    #[track_caller]
    pub(crate) fn execute(&self, gas: i64, code: &Code) -> Done {
        let [done, translated] = [Runnable::init(code.bytes()), translated(code.bytes())].map(|runnable| {
            let mut run = self.start_as(gas, runnable);
            let interrupt = run.next();
            run.done(gas, &interrupt)
        });
        // An exceptional halt takes all gas, whatever the frame still has.
        let gas_used = if done.exit.is_halt() { done.gas_used } else { translated.gas_used };
        assert_eq!(Done { gas_used, ..translated }, done, "translated, and as it is");
        for runnable in [Runnable::init(code.bytes()), self::translated(code.bytes())] {
            let paused = self.execute_with_pauses(gas, runnable, &done);
            let gas_used = if done.exit.is_halt() { done.gas_used } else { paused.gas_used };
            assert_eq!(Done { gas_used, ..paused }, done, "with pauses, and at once");
        }
        let stepped = self.execute_in_steps(gas, Runnable::init(code.bytes()));
        let gas_used = if done.exit.is_halt() { done.gas_used } else { stepped.gas_used };
        assert_eq!(Done { gas_used, ..stepped }, done, "opcode by opcode, and at once");
        done
    }

    /// Runs code opcode by opcode; each time the frame is where the opcode's length or a jump has it.
    #[track_caller]
    fn execute_in_steps(&self, gas: i64, code: Runnable<'static>) -> Done {
        let bytes = code.bytes().to_vec();
        let mut run = self.start_as(gas, code);
        loop {
            let (pc, left, top) =
                (run.frame.pc(), run.frame.gas(), run.frame.stack(&run.machine).last().copied());
            let opcode = bytes.get(pc).copied().unwrap_or(op::STOP);
            if let Some(interrupt) = step(&mut run.machine, &mut run.frame, &mut run.world) {
                return run.done(gas, &interrupt);
            }
            let behind = pc
                + 1
                + usize::from((op::PUSH1..=op::PUSH32).contains(&opcode))
                    * usize::from(opcode.wrapping_sub(op::PUSH0));
            let jumps = matches!(opcode, op::JUMP | op::JUMPI)
                && run.frame.pc() as u64 == top.map_or(0, |top| top.low_u64());
            assert!(
                run.frame.pc() == behind || jumps,
                "{} at {pc} leads to {}",
                op::name(opcode),
                run.frame.pc()
            );
            assert!(
                left - run.frame.gas() >= i64::from(info(opcode).gas),
                "{} is too cheap",
                op::name(opcode)
            );
        }
    }

    /// Runs code with a few pauses, at each of which the frame is made anew from its position.
    #[track_caller]
    fn execute_with_pauses(&self, gas: i64, code: Runnable<'static>, done: &Done) -> Done {
        const PAUSES: i64 = 5;
        let mut run = self.start_as(gas, code);
        let used = done.gas_used.clamp(1, gas.max(1));
        for pause in 1..=PAUSES {
            run.frame.hold(gas - used * pause / (PAUSES + 1));
            match run.next() {
                Interrupt::Pause => run.renew(),
                interrupt => return run.done(gas, &interrupt),
            }
        }
        run.frame.hold(0);
        let interrupt = run.next();
        run.done(gas, &interrupt)
    }

    /// How code ends that is given plenty of gas.
    pub(crate) fn exit(&self, code: &Code) -> Exit {
        self.execute(PLENTY, code).exit
    }

    /// Asserts what an operation on arguments (the first on top) costs: with exactly this gas it runs, with one
    /// less it does not.
    #[track_caller]
    pub(crate) fn costs(&self, opcode: u8, arguments: &[U256], gas: i64) -> Done {
        let code = Code::operation(opcode, arguments.iter().copied());
        let limit = gas + pushes(arguments);
        let case = || format!("{} of {arguments:x?}", op::name(opcode));
        let done = self.execute(limit, &code);
        assert_eq!((done.exit, done.gas_used), (Exit::Stop, limit), "{}", case());
        assert_eq!(self.execute(limit - 1, &code).exit, Exit::OutOfGas, "{} with less gas", case());
        done
    }

    /// Asserts what an operation on arguments (the first on top) leaves on the stack, and what it costs.
    #[track_caller]
    pub(crate) fn check(&self, opcode: u8, arguments: &[U256], result: U256, gas: i64) {
        self.costs(opcode, arguments, gas);
        let code = Code::operation(opcode, arguments.iter().copied()) + return_top();
        let word = self.execute(PLENTY, &code).word();
        assert_eq!(word, result, "{} of {arguments:x?}", op::name(opcode));
    }
}

impl Run {
    /// Runs until the frame ends or asks for something.
    pub(crate) fn next(&mut self) -> Interrupt<Missing> {
        run(&mut self.machine, &mut self.frame, &mut self.world)
    }

    /// Replaces the frame by one that is made from its position.
    #[track_caller]
    pub(crate) fn renew(&mut self) {
        let position = self.frame.position().expect("between two blocks");
        let input = self.frame.input().clone();
        self.frame = Frame::at(input, &position, &self.machine).expect("a position");
        assert_eq!(self.frame.position(), Some(position));
    }

    /// Runs until the frame asks for a call.
    #[track_caller]
    pub(crate) fn call(&mut self) -> CallRequest {
        match self.next() {
            Interrupt::Call => self.frame.call().cloned().expect("a call"),
            other => panic!("no call, but {other:?}"),
        }
    }

    /// Runs until the frame asks for a creation.
    #[track_caller]
    pub(crate) fn create(&mut self) -> CreateRequest {
        match self.next() {
            Interrupt::Create => self.frame.creation().cloned().expect("a creation"),
            other => panic!("no creation, but {other:?}"),
        }
    }

    /// Gives the frame what it asked for, and runs it to its end. `gas` is what it had at the start.
    #[track_caller]
    pub(crate) fn finish(&mut self, gas: i64, result: u64, gas_back: i64, return_data: &[u8]) -> Done {
        self.machine.set_return_data(return_data);
        self.frame.resume(&mut self.machine, &result.into(), gas_back);
        let interrupt = self.next();
        self.done(gas, &interrupt)
    }

    /// What became of a frame that had `gas` at the start.
    #[track_caller]
    fn done(&self, gas: i64, interrupt: &Interrupt<impl Debug>) -> Done {
        let Interrupt::Exit(exit, Output { start, length }) = *interrupt else {
            panic!("no exit, but {interrupt:?}")
        };
        let output = self.machine.memory(start, length).to_vec();
        Done { exit, gas_used: gas - self.frame.gas(), output, world: self.world.clone() }
    }
}

/// Code with its translation. It stays for good: tests are short.
fn translated(code: &[u8]) -> Runnable<'static> {
    let mut jump_map = vec![0; jump_map::length(code.len())];
    jump_map::fill(&mut jump_map, code);
    let bytes = translation::translate(code, &jump_map).map(Vec::leak);
    let translation = bytes.map(|bytes| Translation::new(bytes, code.len()).expect("a translation"));
    let padded = [code, &[0; Runnable::PADDING]].concat().leak();
    Runnable::stored(padded, jump_map.leak(), code.len(), translation)
}

/// Runs code in an empty world.
pub(crate) fn execute(gas: i64, code: &Code) -> Done {
    Setup::default().execute(gas, code)
}

/// Asserts what an operation on arguments leaves and costs in an empty world, row by row.
#[track_caller]
pub(crate) fn check_all<const N: usize>(rows: &[(u8, [U256; N], U256, i64)]) {
    for (opcode, arguments, result, gas) in rows {
        Setup::default().check(*opcode, arguments, *result, *gas);
    }
}

/// What the shortest pushes of words cost.
pub(crate) fn pushes(words: &[U256]) -> i64 {
    let cost = |word: &U256| i64::from(if word.is_zero() { info(op::PUSH0) } else { info(op::PUSH1) }.gas);
    words.iter().map(cost).sum()
}

/// A word.
pub(crate) fn word(number: u64) -> U256 {
    number.into()
}

/// A negative number in two's complement.
pub(crate) fn minus(number: u64) -> U256 {
    (!U256::from(number)).overflowing_add(U256::one()).0
}

/// A word of one bit.
pub(crate) fn bit(number: usize) -> U256 {
    U256::one() << number
}

/// A word from hexadecimal digits.
pub(crate) fn hex(digits: &str) -> U256 {
    U256::from_str_radix(digits, 16).expect("hexadecimal digits")
}

/// An address as a word.
pub(crate) fn address(address: H160) -> U256 {
    parhelion_evm::from_address(&address)
}
