//! Our interpreter: frames as the executor nests them, without checkpoints.

use crate::case::{Case, Measured};
use crate::meter::Meter;
use crate::world::World;
use crate::{Unsupported, keccak256};
use alloc::vec::Vec;
use core::cmp::min;
use parhelion_evm::exit::Exit;
use parhelion_evm::fork::Fork;
use parhelion_evm::gas::{self, StorageChange};
use parhelion_evm::host::{Env, Host};
use parhelion_evm::interpreter::{
    self, CallRequest, Code, CreateRequest, Frame, FrameInput, Input, Interrupt, Output,
};
use parhelion_evm::machine::{Limits, Machine};
use parhelion_evm::{H160, H256, U256, from_address, precompile};

/// As on chain.
const LIMITS: Limits = Limits { stack_words: 1280, memory_bytes: 56 * 1024, frames: 32 };

/// The world, and what else a run knows.
struct Stub<'c> {
    world: World<'c>,
    env: Env,
    refund: i64,
}

/// A frame on the stack.
struct Active<'c> {
    frame: Frame<'c, usize>,
    /// The account that it creates.
    created: Option<usize>,
}

/// How a frame ended.
struct Ended {
    exit: Exit,
    gas: i64,
    created: Option<H160>,
}

/// Runs a case.
#[inline(never)]
pub(crate) fn run(case: &Case<'_>, world: World<'_>) -> Result<Measured, Unsupported> {
    let env = Env {
        fork: Fork::Osaka,
        chain_id: case.chain_id,
        number: case.number,
        timestamp: case.timestamp,
        origin: H160(case.caller),
        ..Env::default()
    };
    let mut stub = Stub { world, env, refund: 0 };
    let meter = Meter::start();
    let mut machine = Machine::new(&LIMITS);
    let ended = stub.run(case, &mut machine)?;
    let compute_units = meter.stop();
    let used = case.gas_limit - ended.gas as u64;
    let refund = min(stub.refund as u64, used / gas::REFUND_QUOTIENT_MAX as u64);
    Ok(Measured {
        compute_units,
        gas_used: used - refund,
        is_success: ended.exit.is_success(),
        output: machine.take_return_data(),
    })
}

impl<'c> Stub<'c> {
    /// Runs the outermost frame and all that it asks for.
    fn run(&mut self, case: &Case<'c>, machine: &mut Machine) -> Result<Ended, Unsupported> {
        let gas = (case.gas_limit - case.intrinsic_gas) as i64;
        let caller = H160(case.caller);
        self.warm(&case.caller);
        let nonce = self.world.id(&case.caller);
        let mut stack = Vec::with_capacity(8);
        let (input, created) = match case.to {
            Some(to) => {
                self.warm(&to);
                let account = self.world.id(&to);
                let code = self.world.account(account).code_to_run();
                (frame_input(code, Input::Bytes(case.input), account, H160(to), caller, gas), None)
            }
            None => {
                let nonce = self.world.account(nonce).nonce;
                let (input, account) = self.create(&caller, created_by(&caller, nonce), case.input, gas);
                (input, Some(account))
            }
        };
        stack.push(Active { frame: Frame::first(input), created });
        loop {
            let Some(active) = stack.last_mut() else { return Err(Unsupported) };
            let (input, created) = match interpreter::run(machine, &mut active.frame, self) {
                Interrupt::Host(Unsupported) | Interrupt::Limit | Interrupt::Pause => {
                    return Err(Unsupported);
                }
                Interrupt::Exit(exit, output) => {
                    let Some(active) = stack.pop() else { return Err(Unsupported) };
                    let ended = self.leave(machine, &active, exit, output);
                    match stack.last_mut() {
                        None => return Ok(ended),
                        Some(caller) => resume(machine, &mut caller.frame, &ended),
                    }
                    continue;
                }
                Interrupt::Call => (self.call(active.frame.call().ok_or(Unsupported)?)?, None),
                Interrupt::Create => {
                    let request = active.frame.creation().ok_or(Unsupported)?;
                    let (input, account) = self.enter_create(machine, request)?;
                    (input, Some(account))
                }
            };
            let frame = active.frame.nested(input);
            stack.push(Active { frame, created });
            machine.set_return_data(&[]);
        }
    }

    fn call(&mut self, request: &CallRequest) -> Result<FrameInput<'c, usize>, Unsupported> {
        let is_precompile = precompile::number_of(&request.code_address, self.env.fork).is_some();
        if request.moves_value() || is_precompile {
            return Err(Unsupported);
        }
        let account = self.world.id(&request.address.0);
        let code = self.world.get(&request.code_address.0).map_or(Code::Empty, |code| code.code_to_run());
        Ok(FrameInput {
            code,
            input: request.input.into(),
            account,
            address: request.address,
            caller: request.caller,
            value: request.value,
            is_static: request.is_static,
            gas: request.gas,
        })
    }

    fn enter_create(
        &mut self,
        machine: &Machine,
        request: &CreateRequest,
    ) -> Result<(FrameInput<'c, usize>, usize), Unsupported> {
        let Some(salt) = &request.salt else { return Err(Unsupported) };
        let creator = self.world.id(&request.creator.0);
        self.world.account(creator).nonce += 1;
        let code = machine.memory(request.init_code.start, request.init_code.length);
        let parts: [&[u8]; 4] = [&[0xff], &request.creator.0, &salt.to_big_endian(), &keccak256(&[code])];
        Ok(self.create(&request.creator, last_20(&keccak256(&parts)), code, request.gas))
    }

    /// Begins a creation.
    fn create(
        &mut self,
        creator: &H160,
        address: H160,
        code: &[u8],
        gas: i64,
    ) -> (FrameInput<'c, usize>, usize) {
        self.warm(&address.0);
        let account = self.world.id(&address.0);
        self.world.account(account).nonce = 1;
        let input = frame_input(Code::init(code), Input::Bytes(&[]), account, address, *creator, gas);
        (input, account)
    }

    /// Ends a frame: deploys what init code returned, and keeps what a call returned.
    fn leave(&mut self, machine: &mut Machine, active: &Active<'c>, exit: Exit, output: Output) -> Ended {
        let mut ended = Ended { exit, gas: active.frame.gas(), created: None };
        match active.created.filter(|_| exit.is_success()) {
            Some(account) => {
                let code = machine.memory(output.start, output.length);
                ended.gas -= gas::CODE_DEPOSIT_BYTE * code.len() as i64;
                self.world.account(account).deploy(code);
                ended.created = Some(active.frame.input().address);
                machine.set_return_data(&[]);
            }
            None => machine.return_memory(output.start, output.length),
        }
        if exit.is_halt() {
            ended.gas = 0;
        }
        ended
    }

    /// Notes an access of an address; whether it was the first.
    fn warm(&mut self, address: &[u8; 20]) -> bool {
        let account = self.world.id(address);
        !core::mem::replace(&mut self.world.account(account).is_warm, true)
    }
}

fn frame_input<'c>(
    code: Code<'c>,
    input: Input<'c>,
    account: usize,
    address: H160,
    caller: H160,
    gas: i64,
) -> FrameInput<'c, usize> {
    FrameInput { code, input, account, address, caller, value: U256::zero(), is_static: false, gas }
}

/// Hands a result to the frame that waits for it.
fn resume(machine: &mut Machine, caller: &mut Frame<'_, usize>, ended: &Ended) {
    let result = match (ended.exit.is_success(), ended.created) {
        (true, Some(address)) => from_address(&address),
        (true, None) => U256::one(),
        (false, _) => U256::zero(),
    };
    caller.resume(machine, &result, ended.gas);
}

/// The address of a contract that a wallet creates: the hash of rlp([wallet, nonce]), for nonces of one byte.
fn created_by(wallet: &H160, nonce: u64) -> H160 {
    let nonce = if nonce == 0 { 0x80 } else { nonce as u8 };
    last_20(&keccak256(&[&[0xd6, 0x94], &wallet.0, &[nonce]]))
}

fn last_20(hash: &[u8; 32]) -> H160 {
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    H160(address)
}

impl Host for Stub<'_> {
    type Error = Unsupported;
    type Account = usize;
    type Slot = usize;

    fn env(&self) -> &Env {
        &self.env
    }

    fn prevrandao(&mut self) -> Result<U256, Unsupported> {
        Err(Unsupported)
    }

    fn block_hash(&mut self, _: u64) -> Result<U256, Unsupported> {
        Err(Unsupported)
    }

    fn keccak256(&self, bytes: &[u8]) -> [u8; 32] {
        keccak256(&[bytes])
    }

    fn access_account(&mut self, address: &H160) -> Result<bool, Unsupported> {
        Ok(self.warm(&address.0))
    }

    fn slot(&mut self, account: usize, key: &U256) -> Result<usize, Unsupported> {
        Ok(self.world.slot_id(account, &key.0))
    }

    fn access_slot(&mut self, slot: usize) -> Result<bool, Unsupported> {
        Ok(!core::mem::replace(&mut self.world.slot(slot).is_warm, true))
    }

    fn balance(&mut self, _: &H160) -> Result<U256, Unsupported> {
        Ok(U256::zero())
    }

    fn self_balance(&mut self, _: usize) -> Result<U256, Unsupported> {
        Ok(U256::zero())
    }

    fn is_empty(&mut self, address: &H160) -> Result<bool, Unsupported> {
        Ok(self.world.get(&address.0).is_none_or(|account| account.nonce == 0 && account.code().is_empty()))
    }

    fn code_hash(&mut self, _: &H160) -> Result<H256, Unsupported> {
        Err(Unsupported)
    }

    fn code(&mut self, address: &H160) -> Result<&[u8], Unsupported> {
        Ok(self.world.get(&address.0).map_or(&[], |account| account.code()))
    }

    fn delegate(&mut self, _: &H160) -> Result<Option<H160>, Unsupported> {
        Ok(None)
    }

    fn storage(&mut self, slot: usize) -> Result<U256, Unsupported> {
        Ok(U256(self.world.slot(slot).value))
    }

    fn storage_change(&mut self, slot: usize) -> Result<StorageChange, Unsupported> {
        let slot = self.world.slot(slot);
        Ok(StorageChange { original: U256(slot.original), current: U256(slot.value) })
    }

    fn set_storage(&mut self, slot: usize, value: &U256) -> Result<(), Unsupported> {
        self.world.slot(slot).value = value.0;
        Ok(())
    }

    fn refund(&mut self, gas: i64) {
        self.refund += gas;
    }

    fn transient_storage(&mut self, _: usize, _: &U256) -> U256 {
        U256::zero()
    }

    fn set_transient_storage(&mut self, _: usize, _: &U256, _: &U256) -> Result<(), Unsupported> {
        Err(Unsupported)
    }

    fn log(&mut self, address: &H160, topics: &[U256], data: &[u8]) -> Result<(), Unsupported> {
        self.world.logs.extend_from_slice(&address.0);
        for topic in topics {
            self.world.logs.extend_from_slice(&topic.to_big_endian());
        }
        self.world.logs.extend_from_slice(data);
        Ok(())
    }

    fn self_destruct(&mut self, _: usize, _: &H160) -> Result<(), Unsupported> {
        Err(Unsupported)
    }
}
