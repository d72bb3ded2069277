//! CALL, CALLCODE, DELEGATECALL, STATICCALL: the request, its gas, and how the caller goes on.

use crate::host::World;
use crate::run::{CALLER, OTHER, PLENTY, SELF, Setup, address, bit, execute, word};
use parhelion_assembler::{Code, mload, mstore, push, ret, return_top};
use parhelion_evm::exit::Exit;
use parhelion_evm::interpreter::{CallRequest, CallScheme, Output};
use parhelion_evm::opcode as op;
use parhelion_evm::{H160, U256};

const SCHEMES: [(u8, CallScheme); 4] = [
    (op::CALL, CallScheme::Call),
    (op::CALLCODE, CallScheme::CallCode),
    (op::DELEGATECALL, CallScheme::DelegateCall),
    (op::STATICCALL, CallScheme::StaticCall),
];

/// A call of [`OTHER`].
#[derive(Clone, Copy)]
struct Call {
    opcode: u8,
    gas: U256,
    value: u64,
    input: (u64, u64),
    output: (u64, u64),
}

impl Call {
    fn new(opcode: u8) -> Self {
        Self { opcode, gas: word(0), value: 0, input: (0, 0), output: (0, 0) }
    }

    fn has_value(self) -> bool {
        matches!(self.opcode, op::CALL | op::CALLCODE)
    }

    fn code(self) -> Code {
        let value = self.has_value().then(|| word(self.value));
        let ranges = [self.input.0, self.input.1, self.output.0, self.output.1].map(word);
        let arguments = [self.gas, address(OTHER)].into_iter().chain(value).chain(ranges);
        Code::operation(self.opcode, arguments.collect::<Vec<_>>())
    }

    /// What pushing the arguments costs.
    fn pushes(self) -> i64 {
        execute(PLENTY, &Code::new().raw(&self.code().bytes()[..self.code().bytes().len() - 1])).gas_used
    }

    /// The gas that is gone in the caller when it asks for the call with plenty of gas, without the callee's share
    /// and the pushes: what the instruction itself costs.
    #[track_caller]
    fn own_cost(self, setup: &Setup) -> i64 {
        let mut run = setup.start(PLENTY, &self.code());
        let request = run.call();
        let stipend = if self.value > 0 { 2300 } else { 0 };
        let cost = PLENTY - run.frame.gas() - (request.gas - stipend) - self.pushes();
        // With exactly that gas there is a call with nothing but the stipend, with one less there is none.
        let limit = self.pushes() + cost;
        let mut exact = setup.start(limit, &self.code());
        assert_eq!((exact.call().gas, exact.frame.gas()), (stipend, 0));
        assert_eq!(setup.execute(limit - 1, &self.code()).exit, Exit::OutOfGas);
        cost
    }
}

/// A world in which the callee lives and is warm.
fn living() -> World {
    let mut world = World::default();
    world.balances.insert(OTHER, word(1));
    world.warm_accounts.insert(OTHER);
    world
}

#[test]
fn who_calls_whom_with_what() {
    let setup = Setup { value: word(99), ..Setup::from(living()) };
    for (opcode, scheme) in SCHEMES {
        let call = Call { gas: word(1000), value: 5, input: (1, 2), output: (3, 4), ..Call::new(opcode) };
        let mut run = setup.start(PLENTY, &call.code());
        let (account, caller, value, gas) = match scheme {
            CallScheme::Call => (OTHER, SELF, word(5), 1000 + 2300),
            CallScheme::CallCode => (SELF, SELF, word(5), 1000 + 2300),
            CallScheme::DelegateCall => (SELF, CALLER, word(99), 1000),
            CallScheme::StaticCall => (OTHER, SELF, word(0), 1000),
        };
        let expected = CallRequest {
            scheme,
            gas,
            code_address: OTHER,
            address: account,
            caller,
            value,
            transfers: call.has_value(),
            is_static: scheme == CallScheme::StaticCall,
            input: Output { start: 1, length: 2 },
        };
        let request = run.call();
        assert_eq!(request, expected);
        assert_eq!(request.moves_value(), scheme == CallScheme::Call || scheme == CallScheme::CallCode);
    }
}

#[test]
fn a_static_frame_calls_statically_and_moves_no_value() {
    let setup = Setup { is_static: true, ..Setup::from(living()) };
    for (opcode, _) in SCHEMES {
        assert!(setup.start(PLENTY, &Call::new(opcode).code()).call().is_static);
    }
    let with_value = |opcode| Call { value: 1, ..Call::new(opcode) }.code();
    assert_eq!(setup.exit(&with_value(op::CALL)), Exit::StaticViolation);
    // CALLCODE moves value from the account to itself (EIP-214 exempts it).
    assert!(setup.start(PLENTY, &with_value(op::CALLCODE)).call().is_static);
}

#[test]
fn what_the_target_costs() {
    let delegate = H160([0x44; 20]);
    for (opcode, scheme) in SCHEMES {
        let own_cost = |value: u64, change: &dyn Fn(&mut World)| {
            let mut world = living();
            change(&mut world);
            Call { value, ..Call::new(opcode) }.own_cost(&world.into())
        };
        let delegates = |world: &mut World| world.delegates.extend([(OTHER, delegate)]);
        assert_eq!(own_cost(0, &|_| {}), 100, "{scheme:?} warm");
        assert_eq!(own_cost(0, &|world| world.warm_accounts.clear()), 2600, "{scheme:?} cold");
        assert_eq!(
            own_cost(0, &|world| world.balances.clear()),
            100,
            "{scheme:?} an empty account, no value"
        );
        assert_eq!(own_cost(0, &delegates), 100 + 2600, "{scheme:?} EIP-7702, cold");
        let warm_delegate = |world: &mut World| {
            delegates(world);
            world.warm_accounts.insert(delegate);
        };
        assert_eq!(own_cost(0, &warm_delegate), 100 + 100, "{scheme:?} EIP-7702, warm");
        if !Call::new(opcode).has_value() {
            continue;
        }
        assert_eq!(own_cost(1, &|_| {}), 100 + 9000, "{scheme:?} value");
        let new_account = if scheme == CallScheme::Call { 25_000 } else { 0 };
        let empty = own_cost(1, &|world| world.balances.clear());
        assert_eq!(empty, 100 + 9000 + new_account, "{scheme:?} value to an empty account");
    }
}

#[test]
fn a_call_warms_its_target_and_the_delegate() {
    let mut world = World::default();
    let delegate = H160([0x44; 20]);
    world.delegates.insert(OTHER, delegate);
    let mut run = Setup::from(world).start(PLENTY, &Call::new(op::CALL).code());
    run.call();
    assert_eq!(run.world.warm_accounts, [OTHER, delegate].into());
}

#[test]
fn memory_is_charged_up_to_the_further_end() {
    for (opcode, _) in SCHEMES {
        for (input, output, memory) in [
            ((0, 0), (0, 0), 0),
            ((0, 32), (0, 0), 3),
            ((0, 0), (0, 33), 6),
            ((0, 32), (32, 32), 6),
            ((32 * 1023, 32), (0, 32), 5120),
            ((0, 32), (32 * 1023, 32), 5120),
            ((u64::MAX, 0), (u64::MAX, 0), 0),
        ] {
            let call = Call { input, output, ..Call::new(opcode) };
            assert_eq!(call.own_cost(&living().into()), 100 + memory, "{input:?} {output:?}");
        }
    }
}

#[test]
fn a_callee_gets_at_most_all_but_one_64th() {
    let setup = Setup::from(living());
    // Left when the share is taken, what the instruction asks for, what the callee gets (EIP-150).
    for (left, asked, given) in [
        (64, MAX, 63),
        (63, MAX, 63),
        (65, MAX, 64),
        (6400, MAX, 6300),
        (6463, MAX, 6363),
        (6400, word(6300), 6300),
        (6400, word(6299), 6299),
        (6400, word(6301), 6300),
        (6400, word(0), 0),
        (6400, bit(63), 6300),
        (6400, bit(64), 6300),
        (6400, bit(64) + 5, 6300),
    ] {
        for (opcode, _) in SCHEMES {
            let call = Call { gas: asked, ..Call::new(opcode) };
            let limit = call.pushes() + 100 + left;
            let mut run = setup.start(limit, &call.code());
            assert_eq!(run.call().gas, given, "{left} {asked}");
            assert_eq!(run.frame.gas(), left - given);
        }
        // The stipend comes on top, and is not the caller's gas.
        let call = Call { gas: asked, value: 1, ..Call::new(op::CALL) };
        let mut run = setup.start(call.pushes() + 9100 + left, &call.code());
        assert_eq!((run.call().gas, run.frame.gas()), (given + 2300, left - given));
    }
}

const MAX: U256 = U256::MAX;

#[test]
fn the_caller_goes_on_with_result_gas_and_output() {
    let ones = mstore(0, MAX) + mstore(32, MAX);
    // Where the output goes, what came back, what memory holds then.
    let cases = [
        ((0, 0), &[1u8, 2, 3][..], vec![0xff; 64]),
        ((1, 3), &[1, 2, 3], [&[0xff, 1, 2, 3][..], &[0xff; 60]].concat()),
        ((0, 2), &[1, 2, 3], [&[1, 2][..], &[0xff; 62]].concat()),
        // What is not returned stays as it was.
        ((0, 64), &[1, 2, 3], [&[1, 2, 3][..], &[0xff; 61]].concat()),
        ((62, 2), &[], vec![0xff; 64]),
    ];
    for (output, returned, memory) in cases {
        for (opcode, _) in SCHEMES {
            let call = Call { gas: word(5000), output, ..Call::new(opcode) };
            let start =
                || Setup::from(living()).start(PLENTY, &(ones.clone() + call.code() + op::POP + ret(0, 64)));
            let mut run = start();
            run.call();
            assert_eq!(run.finish(PLENTY, 1, 0, returned).output, memory, "{output:?}");
        }
    }
}

#[test]
fn result_and_return_data_are_on_view() {
    let call = Call { gas: word(5000), ..Call::new(op::CALL) };
    for result in [0, 1] {
        let mut run = Setup::from(living()).start(PLENTY, &(call.code() + return_top()));
        run.call();
        assert_eq!(run.finish(PLENTY, result, 0, &[]).word(), word(result));
    }
    for returned in [&[][..], &[7; 100]] {
        let mut run = Setup::from(living()).start(PLENTY, &(call.code() + op::RETURNDATASIZE + return_top()));
        run.call();
        assert_eq!(run.finish(PLENTY, 1, 0, returned).word(), word(returned.len() as u64));
    }
}

#[test]
fn unused_gas_comes_back() {
    let call = Call { gas: word(5000), ..Call::new(op::CALL) };
    let setup = Setup::from(living());
    for back in [0, 1, 5000, 7300] {
        let mut run = setup.start(PLENTY, &call.code());
        run.call();
        let done = run.finish(PLENTY, 1, back, &[]);
        assert_eq!((done.exit, done.gas_used), (Exit::Stop, call.pushes() + 100 + 5000 - back));
    }
}

#[test]
fn the_output_of_a_call_is_not_that_of_the_next() {
    // The first call wants its output at 0, the second at 32: the second must not write at 0.
    let first = Call { output: (0, 32), ..Call::new(op::CALL) };
    let second = Call { output: (32, 32), ..Call::new(op::STATICCALL) };
    let code = first.code() + op::POP + second.code() + op::POP + mload(0) + return_top();
    let mut run = Setup::from(living()).start(PLENTY, &code);
    run.call();
    run.machine.set_return_data(&[1; 32]);
    run.frame.resume(&mut run.machine, &word(1), 0);
    run.call();
    assert_eq!(run.finish(PLENTY, 1, 0, &[2; 32]).output, [1; 32]);
}

#[test]
fn a_call_on_a_full_stack_leaves_one_word() {
    let code = push(0).times(1024 - 7) + Call::new(op::CALL).code();
    let mut run = Setup::from(living()).start(PLENTY, &code);
    run.call();
    assert_eq!(run.finish(PLENTY, 1, 0, &[]).exit, Exit::Stop);
}
