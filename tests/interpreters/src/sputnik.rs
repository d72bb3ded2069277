//! SputnikVM: the `evm` crate as it is, with its gasometer; only Keccak-256 goes to the syscall.

use crate::case::{Case, Measured};
use crate::meter::Meter;
use crate::world::{Slot, Word, World};
use crate::{Unsupported, keccak256};
use alloc::boxed::Box;
use alloc::vec::Vec;
use evm::backend::TransactionalBackend;
use evm::interpreter::etable::{Chained, Single};
use evm::interpreter::runtime::{
    Log, RuntimeBackend, RuntimeBaseBackend, RuntimeEnvironment, SetCodeOrigin, TouchKind,
};
use evm::interpreter::trap::{CallCreateTrap, CreateScheme, CreateTrap};
use evm::interpreter::{Capture, Control, ExitError, Interpreter, Machine, Opcode};
use evm::standard::{
    Config, DispatchEtable, EtableResolver, Invoker, State, TransactArgs, TransactArgsCallCreate,
    TransactGasPrice, TransactValueCallCreate, eval_gasometer,
};
use evm::uint::{H160, H256, U256, U256Ext};
use evm::{InvokerControl, InvokerExit, MergeStrategy};

/// The world, and what else a run knows.
struct Stub<'a, 'c> {
    world: World<'c>,
    case: &'a Case<'c>,
}

/// Gas first, then the operation.
type Etable<'a, 'c, 'g> =
    Chained<Single<State<'g>, Stub<'a, 'c>, CallCreateTrap>, DispatchEtable<'g, Stub<'a, 'c>>>;

/// Runs a case.
#[inline(never)]
pub(crate) fn run<'c>(case: &Case<'c>, world: World<'c>) -> Result<Measured, Unsupported> {
    // A stack frame has 4 KiB: what is large goes to the heap.
    let config = Box::new(Config::cancun());
    let etable = etable();
    let resolver = EtableResolver::new(&(), &*etable);
    let invoker = Apart(Invoker::new(&resolver));
    let mut stub = Stub { world, case };
    let arguments = arguments(case, &config);
    let meter = Meter::start();
    let result = evm::transact(arguments, None, &mut stub, &invoker);
    let compute_units = meter.stop();
    let value = result.map_err(|_| Unsupported)?;
    let output = match value.call_create {
        TransactValueCallCreate::Call { retval, .. } => retval,
        TransactValueCallCreate::Create { .. } => Vec::new(),
    };
    Ok(Measured { compute_units, gas_used: value.used_gas.low_u64(), is_success: true, output })
}

/// An invoker whose methods are not inlined: all in one function, their locals do not fit a stack frame.
struct Apart<I>(I);

impl<H, I: evm::Invoker<H>> evm::Invoker<H> for Apart<I> {
    type State = I::State;
    type Interpreter = I::Interpreter;
    type Interrupt = I::Interrupt;
    type TransactArgs = I::TransactArgs;
    type TransactInvoke = I::TransactInvoke;
    type TransactValue = I::TransactValue;
    type SubstackInvoke = I::SubstackInvoke;

    #[inline(never)]
    fn new_transact(
        &self,
        arguments: I::TransactArgs,
        handler: &mut H,
    ) -> Result<(I::TransactInvoke, InvokerControl<I::Interpreter, I::State>), ExitError> {
        self.0.new_transact(arguments, handler)
    }

    #[inline(never)]
    fn finalize_transact(
        &self,
        invoke: &I::TransactInvoke,
        exit: InvokerExit<I::State>,
        handler: &mut H,
    ) -> Result<I::TransactValue, ExitError> {
        self.0.finalize_transact(invoke, exit, handler)
    }

    #[inline(never)]
    fn enter_substack(
        &self,
        trap: <I::Interpreter as Interpreter<H>>::Trap,
        machine: &mut I::Interpreter,
        handler: &mut H,
        depth: usize,
    ) -> Capture<Result<(I::SubstackInvoke, InvokerControl<I::Interpreter, I::State>), ExitError>, I::Interrupt>
    {
        self.0.enter_substack(trap, machine, handler, depth)
    }

    #[inline(never)]
    fn exit_substack(
        &self,
        trap_data: I::SubstackInvoke,
        exit: InvokerExit<I::State>,
        parent: &mut I::Interpreter,
        handler: &mut H,
    ) -> Result<(), ExitError> {
        self.0.exit_substack(trap_data, exit, parent, handler)
    }
}

#[inline(never)]
fn etable<'a, 'c, 'g>() -> Box<Etable<'a, 'c, 'g>> {
    let mut etable = Box::new(Chained(Single::new(eval_gasometer as _), DispatchEtable::runtime()));
    etable.1[usize::from(Opcode::SHA3.0)] = sha3;
    etable.1[usize::from(Opcode::CREATE2.0)] = create2;
    etable
}

fn arguments<'g>(case: &Case<'_>, config: &'g Config) -> TransactArgs<'g> {
    let input = case.input.to_vec();
    TransactArgs {
        call_create: match case.to {
            Some(to) => TransactArgsCallCreate::Call { address: H160(to), data: input },
            None => TransactArgsCallCreate::Create { init_code: input, salt: None },
        },
        caller: H160(case.caller),
        value: U256::zero(),
        gas_limit: case.gas_limit.into(),
        gas_price: TransactGasPrice::Legacy(U256::zero()),
        access_list: Vec::new(),
        config,
    }
}

/// SHA3 by the syscall.
fn sha3<'c>(machine: &mut Machine<State<'c>>, _: &mut Stub<'_, '_>, _: usize) -> Control<CallCreateTrap> {
    let memory = &mut machine.memory;
    let result = machine.stack.perform_pop2_push1(|offset, length| {
        memory.resize_offset(*offset, *length)?;
        let data = match length.low_u64() {
            0 => &[][..],
            length => &memory.data()[offset.low_u64() as usize..][..length as usize],
        };
        Ok((U256::from_big_endian(&keccak256(&[data])), ()))
    });
    result.map_or_else(|error| Control::Exit(Err(error)), |()| Control::Continue(1))
}

/// CREATE2 with the hash of the init code by the syscall.
fn create2<'c>(machine: &mut Machine<State<'c>>, _: &mut Stub<'_, '_>, _: usize) -> Control<CallCreateTrap> {
    let (memory, state) = (&mut machine.memory, &mut machine.state);
    let result = machine.stack.perform_pop4_push0(|value, offset, length, salt| {
        memory.resize_offset(*offset, *length)?;
        let code = memory.get(offset.low_u64() as usize, length.low_u64() as usize);
        let runtime: &mut evm::interpreter::runtime::RuntimeState = state.as_mut();
        runtime.retbuf = Vec::new();
        let scheme = CreateScheme::Create2 {
            caller: runtime.context.address,
            code_hash: H256(keccak256(&[&code])),
            salt: salt.to_h256(),
        };
        Ok(((), CreateTrap { scheme, value: *value, code }))
    });
    match result {
        Ok(trap) => Control::Trap(Box::new(CallCreateTrap::Create(trap))),
        Err(error) => Control::Exit(Err(error)),
    }
}

/// Bytes as the world's tables keep them.
const fn word(bytes: &H256) -> Word {
    // SAFETY: both are 32 bytes of which any are valid.
    unsafe { core::mem::transmute(bytes.0) }
}

const fn hash(word: &Word) -> H256 {
    // SAFETY: as in `word`.
    H256(unsafe { core::mem::transmute::<Word, [u8; 32]>(*word) })
}

impl Stub<'_, '_> {
    fn find_slot(&self, address: H160, index: &H256) -> Option<&Slot> {
        self.world.find_slot(self.world.find(&address.0)?, &word(index))
    }

    fn slot(&mut self, address: H160, index: &H256) -> &mut Slot {
        let account = self.world.id(&address.0);
        let slot = self.world.slot_id(account, &word(index));
        self.world.slot(slot)
    }
}

impl RuntimeEnvironment for Stub<'_, '_> {
    fn block_hash(&self, _: U256) -> H256 {
        H256::zero()
    }

    fn block_number(&self) -> U256 {
        self.case.number.into()
    }

    fn block_coinbase(&self) -> H160 {
        H160::zero()
    }

    fn block_timestamp(&self) -> U256 {
        self.case.timestamp.into()
    }

    fn block_difficulty(&self) -> U256 {
        U256::zero()
    }

    fn block_randomness(&self) -> Option<H256> {
        None
    }

    fn block_gas_limit(&self) -> U256 {
        U256::zero()
    }

    fn block_base_fee_per_gas(&self) -> U256 {
        U256::zero()
    }

    fn blob_versioned_hash(&self, _: U256) -> H256 {
        H256::zero()
    }

    fn blob_base_fee_per_gas(&self) -> U256 {
        U256::one()
    }

    fn chain_id(&self) -> U256 {
        self.case.chain_id.into()
    }
}

impl RuntimeBaseBackend for Stub<'_, '_> {
    fn balance(&self, _: H160) -> U256 {
        U256::zero()
    }

    fn code_size(&self, address: H160) -> U256 {
        self.world.get(&address.0).map_or(0, |account| account.code().len()).into()
    }

    fn code_hash(&self, _: H160) -> H256 {
        H256::zero()
    }

    fn code(&self, address: H160) -> Vec<u8> {
        self.world.get(&address.0).map_or_else(Vec::new, |account| account.code().to_vec())
    }

    fn storage(&self, address: H160, index: H256) -> H256 {
        self.find_slot(address, &index).map_or_else(H256::zero, |slot| hash(&slot.value))
    }

    fn transient_storage(&self, _: H160, _: H256) -> H256 {
        H256::zero()
    }

    fn exists(&self, address: H160) -> bool {
        self.world.get(&address.0).is_some_and(|account| account.nonce != 0 || !account.code().is_empty())
    }

    fn nonce(&self, address: H160) -> U256 {
        self.world.get(&address.0).map_or(0, |account| account.nonce).into()
    }
}

impl RuntimeBackend for Stub<'_, '_> {
    fn original_storage(&self, address: H160, index: H256) -> H256 {
        self.find_slot(address, &index).map_or_else(H256::zero, |slot| hash(&slot.original))
    }

    fn deleted(&self, _: H160) -> bool {
        false
    }

    fn created(&self, _: H160) -> bool {
        false
    }

    fn is_cold(&self, address: H160, index: Option<H256>) -> bool {
        match index {
            Some(index) => self.find_slot(address, &index).is_none_or(|slot| !slot.is_warm),
            None => self.world.get(&address.0).is_none_or(|account| !account.is_warm),
        }
    }

    fn mark_hot(&mut self, address: H160, _: TouchKind) {
        let account = self.world.id(&address.0);
        self.world.account(account).is_warm = true;
    }

    fn mark_storage_hot(&mut self, address: H160, index: H256) {
        self.slot(address, &index).is_warm = true;
    }

    fn set_storage(&mut self, address: H160, index: H256, value: H256) -> Result<(), ExitError> {
        self.slot(address, &index).value = word(&value);
        Ok(())
    }

    fn set_transient_storage(&mut self, _: H160, _: H256, _: H256) -> Result<(), ExitError> {
        Ok(())
    }

    fn log(&mut self, log: Log) -> Result<(), ExitError> {
        self.world.logs.extend_from_slice(&log.address.0);
        for topic in &log.topics {
            self.world.logs.extend_from_slice(&topic.0);
        }
        self.world.logs.extend_from_slice(&log.data);
        Ok(())
    }

    fn mark_delete_reset(&mut self, _: H160) {}

    fn mark_create(&mut self, _: H160) {}

    fn reset_storage(&mut self, _: H160) {}

    fn set_code(&mut self, address: H160, code: Vec<u8>, _: SetCodeOrigin) -> Result<(), ExitError> {
        let length = code.len();
        let account = self.world.id(&address.0);
        self.world.account(account).set_code(code, Vec::new(), length);
        Ok(())
    }

    fn deposit(&mut self, _: H160, _: U256) {}

    fn withdrawal(&mut self, _: H160, _: U256) -> Result<(), ExitError> {
        Ok(())
    }

    fn inc_nonce(&mut self, address: H160) -> Result<(), ExitError> {
        let account = self.world.id(&address.0);
        self.world.account(account).nonce += 1;
        Ok(())
    }
}

impl TransactionalBackend for Stub<'_, '_> {
    fn push_substate(&mut self) {}

    fn pop_substate(&mut self, _: MergeStrategy) -> Result<(), ExitError> {
        Ok(())
    }
}
