//! ADDRESS to BLOBBASEFEE: what code sees of its call, of other accounts, and of the block.

use crate::host::{World, keccak};
use crate::run::{CALLER, OTHER, PLENTY, SELF, Setup, address, bit, execute, hex, word};
use parhelion_assembler::{Code, balance, calldatacopy, codecopy, extcodecopy, mstore, ret, return_top};
use parhelion_evm::exit::Exit;
use parhelion_evm::host::Env;
use parhelion_evm::interpreter::Interrupt;
use parhelion_evm::opcode as op;
use parhelion_evm::{H160, U256};

const MAX: U256 = U256::MAX;

#[test]
fn values_of_the_call_the_transaction_and_the_block() {
    let env = Env {
        chain_id: 1,
        number: 2,
        timestamp: 3,
        coinbase: H160([4; 20]),
        gas_limit: 5,
        base_fee: bit(100),
        blob_base_fee: bit(101),
        origin: H160([6; 20]),
        gas_price: bit(102),
        ..Env::default()
    };
    let mut world = World { env, prevrandao: bit(103), ..World::default() };
    world.balances.insert(SELF, bit(104));
    let setup =
        Setup { world, input: b"seven b", value: bit(105), return_data: b"eight by", ..Setup::default() };
    for (opcode, value, gas) in [
        (op::ADDRESS, address(SELF), 2),
        (op::ORIGIN, address(H160([6; 20])), 2),
        (op::CALLER, address(CALLER), 2),
        (op::CALLVALUE, bit(105), 2),
        (op::CALLDATASIZE, word(7), 2),
        // The opcode itself and the six bytes that return the top word.
        (op::CODESIZE, word(1 + 6), 2),
        (op::GASPRICE, bit(102), 2),
        (op::RETURNDATASIZE, word(8), 2),
        (op::COINBASE, address(H160([4; 20])), 2),
        (op::TIMESTAMP, word(3), 2),
        (op::NUMBER, word(2), 2),
        (op::PREVRANDAO, bit(103), 2),
        (op::GASLIMIT, word(5), 2),
        (op::CHAINID, word(1), 2),
        (op::SELFBALANCE, bit(104), 5),
        (op::BASEFEE, bit(100), 2),
        (op::BLOBBASEFEE, bit(101), 2),
    ] {
        setup.check(opcode, &[], value, gas);
    }
    setup.check(op::BLOBHASH, &[word(0)], word(0), 3);
    setup.check(op::BLOBHASH, &[MAX], word(0), 3);
}

#[test]
fn other_accounts_cost_2600_the_first_time_and_100_then() {
    let code = vec![op::JUMPDEST; 5];
    let mut cold = World::default();
    cold.balances.insert(OTHER, word(77));
    cold.codes.insert(OTHER, code.clone());
    let mut warm = cold.clone();
    warm.warm_accounts.insert(OTHER);
    for (opcode, value) in
        [(op::BALANCE, word(77)), (op::EXTCODESIZE, word(5)), (op::EXTCODEHASH, keccak(&code))]
    {
        Setup::from(cold.clone()).check(opcode, &[address(OTHER)], value, 2600);
        Setup::from(warm.clone()).check(opcode, &[address(OTHER)], value, 100);
        // Of a word only the low 20 bytes are an address.
        Setup::from(warm.clone()).check(opcode, &[address(OTHER) | bit(160) | bit(255)], value, 100);
        Setup::from(cold.clone()).check(opcode, &[address(H160::zero())], word(0), 2600);
    }
    for (world, access) in [(&cold, 2600), (&warm, 100)] {
        let setup = Setup::from(world.clone());
        setup.costs(op::EXTCODECOPY, &[address(OTHER), word(0), word(0), word(33)], access + 6 + 6);
        let twice = balance(OTHER) + balance(OTHER);
        assert_eq!(setup.execute(PLENTY, &twice).gas_used, 3 + access + 3 + 100);
    }
    let mut balance_only = World::default();
    balance_only.balances.insert(OTHER, word(1));
    Setup::from(balance_only).check(op::EXTCODEHASH, &[address(OTHER)], keccak(&[]), 2600);
}

#[test]
fn block_hashes_of_the_last_256_blocks() {
    let env = Env { number: 1000, ..Env::default() };
    let world =
        World { env, block_hashes: (0..2000).map(|n| (n, bit(200) + n)).collect(), ..World::default() };
    let setup = Setup::from(world.clone());
    for (number, hash) in [
        (word(999), bit(200) + 999),
        (word(744), bit(200) + 744),
        (word(743), word(0)),
        (word(0), word(0)),
        (word(1000), word(0)),
        (word(1001), word(0)),
        (bit(64) + 999, word(0)),
        (MAX, word(0)),
    ] {
        setup.check(op::BLOCKHASH, &[number], hash, 20);
    }
    let young = World { env: Env { number: 3, ..Env::default() }, ..world };
    Setup::from(young).check(op::BLOCKHASH, &[word(0)], bit(200), 20);
}

#[test]
fn call_data_by_the_word() {
    let setup = Setup { input: &[0xaa; 40], ..Setup::default() };
    let eight = hex("aaaaaaaaaaaaaaaa");
    for (offset, value) in [
        (word(0), MAX / 3 * 2),
        (word(8), MAX / 3 * 2),
        (word(9), (MAX / 3 * 2) << 8),
        (word(32), eight << 192),
        (word(39), word(0xaa) << 248),
        (word(40), word(0)),
        (word(u64::MAX), word(0)),
        (bit(64), word(0)),
        (MAX, word(0)),
    ] {
        setup.check(op::CALLDATALOAD, &[offset], value, 3);
    }
    Setup::default().check(op::CALLDATALOAD, &[word(0)], word(0), 3);
}

/// Fills two words of memory with ones, so that a copy's zeros can be seen.
fn ones() -> Code {
    mstore(0, MAX) + mstore(32, MAX)
}

#[test]
fn copies_have_zeros_behind_the_end_of_their_source() {
    let source: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    let mut world = World::default();
    world.codes.insert(OTHER, source.to_vec());
    let setup = Setup { world, input: source, ..Setup::default() };
    for (target, offset, length) in [
        (0, word(0), 10),
        (3, word(2), 4),
        (0, word(8), 5),
        (1, word(9), 2),
        (0, word(10), 3),
        (0, word(11), 3),
        (0, word(u64::MAX), 3),
        (0, MAX, 3),
        (5, word(0), 0),
        (0, word(0), 64),
    ] {
        let mut expected = vec![0xff; 64];
        for index in 0..length {
            let position = offset.saturating_add(word(index as u64));
            let byte = usize::try_from(position).ok().and_then(|position| source.get(position));
            expected[target + index] = byte.copied().unwrap_or(0);
        }
        let (target, length) = (word(target as u64), word(length as u64));
        for copy in [calldatacopy(target, offset, length), extcodecopy(OTHER, target, offset, length)] {
            let code = ones() + copy + ret(0, 64);
            assert_eq!(setup.execute(PLENTY, &code).output, expected, "{code:x?}");
        }
    }
}

#[test]
fn code_can_copy_itself() {
    let code = codecopy(1, 0, 64) + ret(0, 64);
    let mut expected = vec![0];
    expected.extend_from_slice(code.bytes());
    expected.resize(64, 0);
    assert_eq!(execute(PLENTY, &code).output, expected);
}

#[test]
fn copies_cost_3_a_word() {
    let setup = Setup { return_data: &[1; 100], ..Setup::default() };
    for (length, words) in [(1, 1), (32, 1), (33, 2), (96, 3), (97, 4)] {
        let memory = 3 * words;
        for opcode in [op::CALLDATACOPY, op::CODECOPY, op::RETURNDATACOPY] {
            setup.costs(opcode, &[word(0), word(0), word(length)], 3 + 3 * words + memory);
        }
    }
}

#[test]
fn state_that_is_not_at_hand_is_fatal() {
    let setup = Setup { world: World { is_missing: true, ..World::default() }, ..Setup::default() };
    let wants_state = [
        op::BALANCE,
        op::EXTCODESIZE,
        op::EXTCODEHASH,
        op::EXTCODECOPY,
        op::SELFBALANCE,
        op::PREVRANDAO,
        op::SLOAD,
        op::SSTORE,
        op::TSTORE,
        op::LOG0,
        op::CALL,
        op::CALLCODE,
        op::DELEGATECALL,
        op::STATICCALL,
        op::SELFDESTRUCT,
    ];
    for opcode in wants_state {
        let code = Code::operation(opcode, vec![word(0); usize::from(op::info(opcode).inputs)]);
        let interrupt = setup.start(PLENTY, &code).next();
        assert!(
            matches!(interrupt, Interrupt::Host(crate::host::Missing)),
            "{}: {interrupt:?}",
            op::name(opcode)
        );
    }
    assert_eq!(setup.exit(&(Code::new().op(op::NUMBER) + return_top())), Exit::Return);
}
