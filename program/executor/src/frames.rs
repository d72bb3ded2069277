//! Nested call frames: a stack of them on the heap, never on the native stack.

mod checkpoint;
mod observed;

use crate::address;
use crate::ledger::Ledger;
use crate::withdraw::{self, WITHDRAW_ADDRESS};
use crate::world::{Checkpoint, CodeOf, EMPTY_CODE_HASH, Id, State, World};
use crate::{ProgramError, Result};
use alloc::vec::Vec;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::exit::Exit;
use parhelion_evm::interpreter::{
    self, CallRequest, CallScheme, Code, CreateRequest, Frame, FrameInput, Input, Interrupt, Output,
};
use parhelion_evm::machine::Machine;
use parhelion_evm::{H160, U256, from_address, gas, precompile};

/// What the outermost frame left. Its output is the machine's return data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// How it ended.
    pub(crate) exit: Exit,
    /// Gas left.
    pub(crate) gas: i64,
    /// The contract that it created.
    pub(crate) created: Option<H160>,
}

/// What a frame is for.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    /// A call.
    Call,
    /// The init code of a contract at this address.
    Create(Id, H160),
}

/// Where the code of a frame comes from, so that another step can find it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The code of an account.
    Account(CodeOf),
    /// Init code in the caller's memory, which stays as it is while the callee runs.
    Memory { start: u32, length: u32 },
    /// Init code in the transaction.
    Message,
}

/// A frame on the stack.
struct Active<'c> {
    frame: Frame<'c, Id>,
    purpose: Purpose,
    source: Source,
    checkpoint: Checkpoint,
}

/// The frames of a run, outermost first.
pub(crate) struct Stack<'c> {
    frames: Vec<Active<'c>>,
    /// Gas of all frames but the last.
    callers_gas: i64,
}

/// What came of entering a call or a creation.
#[allow(clippy::large_enum_variant)] // lives for one match
enum Entered<'c> {
    /// A frame has to run.
    Frame(FrameInput<'c, Id>, Purpose, Source, Checkpoint),
    /// It is over already.
    Ended(Ended),
}

/// The outermost call or creation.
pub(crate) enum Outermost<'c> {
    /// A call of an address.
    Call {
        /// The callee.
        to: H160,
        /// Call data.
        data: &'c [u8],
    },
    /// A creation.
    Create {
        /// The init code.
        init_code: &'c [u8],
        /// The sender's nonce in the transaction, from which the address follows.
        nonce: u64,
    },
}

/// How far a run got.
pub(crate) enum Progress {
    /// It is over.
    Ended(Ended),
    /// It paused. The stack goes on where it is.
    Paused,
}

/// Begins the outermost call or creation of `sender`. What it asks for may be over without a frame.
#[inline(never)] // one copy for all kinds of runs
pub(crate) fn begin<'c, L: Ledger<'c>, C: Crypto>(
    world: &mut World<'c, L, C>,
    machine: &mut Machine,
    outermost: &Outermost<'c>,
    sender: &H160,
    value: &U256,
    gas: i64,
) -> Result<(Stack<'c>, Option<Ended>)> {
    let entered = match *outermost {
        Outermost::Call { to, data } => {
            let request = CallRequest {
                scheme: CallScheme::Call,
                gas,
                code_address: to,
                address: to,
                caller: *sender,
                value: *value,
                transfers: true,
                is_static: false,
                input: Output::default(),
            };
            world.enter_call(machine, &request, Input::Bytes(data))?
        }
        Outermost::Create { init_code, nonce } => {
            let created = address::of_create(sender, nonce, &world.crypto);
            world.warm(&created)?;
            world.enter_create(sender, &created, value, gas, init_code, Source::Message)?
        }
    };
    if L::OBSERVES {
        world.tell_outermost(machine, outermost, sender, value, gas, &entered);
    }
    let frames = Vec::with_capacity(world.limits.machine.frames.min(8));
    let mut stack = Stack { frames, callers_gas: 0 };
    match entered {
        Entered::Ended(ended) => Ok((stack, Some(ended))),
        Entered::Frame(input, purpose, source, checkpoint) => {
            stack.frames.push(Active { frame: Frame::first(input), purpose, source, checkpoint });
            Ok((stack, None))
        }
    }
}

/// Runs the topmost frame until none is left, or until all frames together have `pause` gas left at most and a bit more
/// or less: what a frame does between two places where it can pause is not divided. With 0 there is no pause.
#[inline(never)] // one copy for all kinds of runs
pub(crate) fn run<'c, L: Ledger<'c>, C: Crypto>(
    world: &mut World<'c, L, C>,
    machine: &mut Machine,
    stack: &mut Stack<'c>,
    pause: i64,
) -> Result<Progress> {
    // Ends because each round runs at least one opcode, which costs gas, or removes a frame, or is the last one.
    loop {
        let depth = stack.frames.len();
        let Some(active) = stack.frames.last_mut() else { return Err(ProgramError::HeapLimit) };
        active.frame.hold(pause.saturating_sub(stack.callers_gas).max(0));
        let interrupt = if L::OBSERVES {
            world.run_observed(machine, &mut active.frame, depth)
        } else {
            interpreter::run(machine, &mut active.frame, world)
        };
        let (entered, is_create) = match interrupt {
            Interrupt::Host(error) => return Err(error),
            Interrupt::Limit => return Err(ProgramError::HeapLimit),
            Interrupt::Pause => return Ok(Progress::Paused),
            Interrupt::Exit(exit, output) => {
                let ended = world.leave(machine, active, exit, output)?;
                if L::OBSERVES {
                    let created = matches!(active.purpose, Purpose::Create(..)) && ended.exit.is_success();
                    let code = if created {
                        machine.memory(output.start, output.length)
                    } else {
                        machine.return_data()
                    };
                    world.tell_end(code, &ended);
                }
                stack.frames.truncate(depth.saturating_sub(1));
                let Some(caller) = stack.frames.last_mut() else { return Ok(Progress::Ended(ended)) };
                stack.callers_gas = stack.callers_gas.saturating_sub(caller.frame.gas());
                resume(machine, &mut caller.frame, &ended);
                continue;
            }
            Interrupt::Call => {
                // There is one, here and below: the frame has stopped for it.
                let request = active.frame.call().ok_or(ProgramError::HeapLimit)?;
                let entered = world.call(machine, request, depth)?;
                if L::OBSERVES {
                    world.tell_call(machine, request, &entered);
                }
                (entered, false)
            }
            Interrupt::Create => {
                let request = active.frame.creation().ok_or(ProgramError::HeapLimit)?;
                let entered = world.create(machine, request, depth)?;
                if L::OBSERVES {
                    world.tell_create(machine, request, &entered);
                }
                (entered, true)
            }
        };
        match entered {
            Entered::Ended(ended) => {
                if is_create {
                    machine.set_return_data(&[]);
                }
                resume(machine, &mut active.frame, &ended);
            }
            Entered::Frame(input, purpose, source, checkpoint) => {
                if depth >= world.limits.machine.frames {
                    return Err(ProgramError::HeapLimit);
                }
                let frame = active.frame.nested(input);
                stack.callers_gas = stack.callers_gas.saturating_add(active.frame.gas());
                stack.frames.push(Active { frame, purpose, source, checkpoint });
                machine.set_return_data(&[]);
            }
        }
    }
}

/// Hands a result to the frame that waits for it.
fn resume(machine: &mut Machine, caller: &mut Frame<'_, Id>, ended: &Ended) {
    let result = match (ended.exit.is_success(), ended.created) {
        (true, Some(address)) => from_address(&address),
        (true, None) => U256::one(),
        (false, _) => U256([0; 4]),
    };
    caller.resume(machine, &result, ended.gas);
}

/// A call or creation that does not run: its gas comes back, nothing is returned.
fn refused<'c>(machine: &mut Machine, gas: i64) -> Entered<'c> {
    machine.set_return_data(&[]);
    Entered::Ended(Ended { exit: Exit::Revert, gas, created: None })
}

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// A call that a frame asks for. `depth` is the number of frames there are.
    fn call(&mut self, machine: &mut Machine, request: &CallRequest, depth: usize) -> Result<Entered<'c>> {
        if depth > gas::CALL_DEPTH_MAX {
            return Ok(refused(machine, request.gas));
        }
        if request.moves_value() {
            let caller = self.load_balance(&request.caller)?;
            if self.account(caller)?.state.balance < request.value {
                return Ok(refused(machine, request.gas));
            }
        }
        self.enter_call(machine, request, request.input.into())
    }

    /// Transfers the value of a call, and finds out what there is to run.
    fn enter_call(
        &mut self,
        machine: &mut Machine,
        request: &CallRequest,
        input: Input<'c>,
    ) -> Result<Entered<'c>> {
        let checkpoint = self.checkpoint();
        if request.code_address == WITHDRAW_ADDRESS {
            return self.enter_withdraw(machine, request, input, &checkpoint);
        }
        let account = if request.moves_value() {
            let (from, to) = (self.load_balance(&request.caller)?, self.load_balance(&request.address)?);
            if !self.transfer(from, to, &request.value)? {
                return Ok(refused(machine, request.gas));
            }
            to
        } else {
            self.accounts.id(&request.address)?
        };
        if let Some(number) = precompile::number_of(&request.code_address, self.env.fork) {
            return self.enter_precompile(machine, number, request.gas, input, &checkpoint);
        }
        let code_account = match request.scheme {
            CallScheme::Call | CallScheme::StaticCall => account,
            CallScheme::CallCode | CallScheme::DelegateCall => self.accounts.id(&request.code_address)?,
        };
        let (code, source) = self.code_to_run(code_account)?;
        if matches!(code, Code::Empty) {
            machine.set_return_data(&[]);
            return Ok(Entered::Ended(Ended { exit: Exit::Stop, gas: request.gas, created: None }));
        }
        let frame = FrameInput {
            code,
            input,
            account,
            address: request.address,
            caller: request.caller,
            value: request.value,
            is_static: request.is_static,
            gas: request.gas,
        };
        Ok(Entered::Frame(frame, Purpose::Call, Source::Account(source), checkpoint))
    }

    /// Runs a precompile.
    fn enter_precompile(
        &mut self,
        machine: &mut Machine,
        number: u16,
        gas: i64,
        input: Input<'c>,
        checkpoint: &Checkpoint,
    ) -> Result<Entered<'c>> {
        let gas_max = L::GAS_MAX.map_or(gas, |max| gas.min(max));
        let budget = precompile::Budget { gas: gas_max, compute_units: self.limits.precompile_compute_units };
        let outcome = precompile::run(number, self.env.fork, input.bytes(machine), &budget, &self.crypto);
        let exit = match outcome {
            precompile::Outcome::Return { gas: cost, output } => {
                self.check_return_data(output.len())?;
                machine.set_return_data(&output);
                let left = gas.saturating_sub(cost);
                return Ok(Entered::Ended(Ended { exit: Exit::Return, gas: left, created: None }));
            }
            // It may have enough of the gas that it was given.
            precompile::Outcome::OutOfGas if gas_max < gas => return Err(ProgramError::HeapLimit),
            precompile::Outcome::OutOfGas => Exit::OutOfGas,
            precompile::Outcome::Failure => Exit::PrecompileFailure,
        };
        self.undo_to(checkpoint)?;
        machine.set_return_data(&[]);
        Ok(Entered::Ended(Ended { exit, gas: 0, created: None }))
    }

    /// Runs the withdraw precompile.
    fn enter_withdraw(
        &mut self,
        machine: &mut Machine,
        request: &CallRequest,
        input: Input<'c>,
        checkpoint: &Checkpoint,
    ) -> Result<Entered<'c>> {
        let Some(left) = request.gas.checked_sub(withdraw::GAS).filter(|left| *left >= 0) else {
            machine.set_return_data(&[]);
            return Ok(Entered::Ended(Ended { exit: Exit::OutOfGas, gas: 0, created: None }));
        };
        let is_plain = request.scheme == CallScheme::Call && !request.is_static;
        let done = is_plain && self.withdraw(&request.caller, &request.value, input.bytes(machine))?;
        if !done {
            self.undo_to(checkpoint)?;
            return Ok(refused(machine, left));
        }
        machine.set_return_data(&[]);
        Ok(Entered::Ended(Ended { exit: Exit::Return, gas: left, created: None }))
    }

    /// A creation that a frame asks for. `depth` is the number of frames there are.
    fn create(
        &mut self,
        machine: &mut Machine,
        request: &CreateRequest,
        depth: usize,
    ) -> Result<Entered<'c>> {
        let creator = self.load_balance(&request.creator)?;
        let State { nonce, balance, .. } = self.account(creator)?.state;
        if depth > gas::CALL_DEPTH_MAX || balance < request.value {
            return Ok(refused(machine, request.gas));
        }
        // EIP-2681: a nonce never reaches 2^64 - 1.
        let Some(next_nonce) = nonce.checked_add(1) else { return Ok(refused(machine, request.gas)) };
        // The nonce is used up whatever comes of the creation, so it changes before the checkpoint.
        self.change(creator)?.nonce = next_nonce;
        let Output { start, length } = request.init_code;
        let source = Source::Memory { start: start as u32, length: length as u32 };
        let init_code = machine.memory(start, length);
        let address = match &request.salt {
            Some(salt) => address::of_create2(&request.creator, salt, init_code, &self.crypto),
            None => address::of_create(&request.creator, nonce, &self.crypto),
        };
        self.warm(&address)?;
        self.enter_create(&request.creator, &address, &request.value, request.gas, init_code, source)
    }

    /// Begins a contract's life at `address`.
    fn enter_create(
        &mut self,
        creator: &H160,
        address: &H160,
        value: &U256,
        gas: i64,
        init_code: &[u8],
        source: Source,
    ) -> Result<Entered<'c>> {
        let from = self.load_balance(creator)?;
        let (_, code) = self.load_contract(address)?;
        let id = self.load_balance(address)?;
        if code != CodeOf::None || self.account(id)?.state.nonce != 0 {
            return Ok(Entered::Ended(Ended { exit: Exit::CreateCollision, gas: 0, created: None }));
        }
        let checkpoint = self.checkpoint();
        let state = self.change(id)?;
        state.is_created = true;
        state.nonce = 1;
        state.code = CodeOf::Hash(EMPTY_CODE_HASH);
        if !self.transfer(from, id, value)? {
            self.undo_to(&checkpoint)?;
            return Ok(Entered::Ended(Ended { exit: Exit::Revert, gas, created: None }));
        }
        self.count_code_bytes(init_code.len())?;
        let frame = FrameInput {
            code: Code::init(init_code),
            input: Input::Bytes(&[]),
            account: id,
            address: *address,
            caller: *creator,
            value: *value,
            is_static: false,
            gas,
        };
        Ok(Entered::Frame(frame, Purpose::Create(id, *address), source, checkpoint))
    }

    /// Ends a frame: keeps or undoes what it did, and deploys what init code returned.
    fn leave(
        &mut self,
        machine: &mut Machine,
        active: &Active<'c>,
        exit: Exit,
        output: Output,
    ) -> Result<Ended> {
        let mut ended = Ended { exit, gas: active.frame.gas(), created: None };
        if let (true, Purpose::Create(id, address)) = (exit.is_success(), active.purpose) {
            ended.exit = self.deploy_output(machine, id, output, &mut ended.gas)?;
            ended.created = Some(address);
            machine.set_return_data(&[]);
        } else {
            let output = if exit.is_halt() { Output::default() } else { output };
            self.check_return_data(output.length)?;
            machine.return_memory(output.start, output.length);
        }
        if !ended.exit.is_success() {
            self.undo_to(&active.checkpoint)?;
        }
        if ended.exit.is_halt() {
            ended.gas = 0;
        }
        Ok(ended)
    }

    /// Deploys what init code returned: EIP-3541, EIP-170, and 200 gas a byte.
    fn deploy_output(&mut self, machine: &Machine, id: Id, output: Output, gas: &mut i64) -> Result<Exit> {
        let code = machine.memory(output.start, output.length);
        if code.first() == Some(&0xef) {
            return Ok(Exit::InvalidCodePrefix);
        }
        if code.len() > gas::CODE_SIZE_MAX {
            return Ok(Exit::CodeTooLarge);
        }
        let cost = gas::CODE_DEPOSIT_BYTE.saturating_mul(code.len() as i64);
        let left = gas.saturating_sub(cost);
        if left < 0 {
            return Ok(Exit::OutOfGas);
        }
        *gas = left;
        self.deploy(id, code)?;
        Ok(Exit::Return)
    }

    /// Checks the length of return data against the limit.
    fn check_return_data(&self, length: usize) -> Result<()> {
        if length > self.limits.return_data_bytes { Err(ProgramError::HeapLimit) } else { Ok(()) }
    }
}
