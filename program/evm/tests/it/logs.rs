//! LOG0 to LOG4.

use crate::run::{PLENTY, SELF, Setup, bit, execute, word};
use parhelion_assembler::{Code, log4, mstore};
use parhelion_evm::U256;
use parhelion_evm::exit::Exit;
use parhelion_evm::opcode as op;

#[test]
fn a_log_has_address_topics_in_order_and_data() {
    let value = U256::MAX / 7;
    for count in 0..=4u8 {
        let topics: Vec<U256> = (0..count).map(|number| bit(100) + number).collect();
        let arguments = [&[word(3), word(33)][..], &topics].concat();
        let done = execute(PLENTY, &(mstore(0, value) + Code::operation(op::LOG0 + count, arguments)));
        let data = [&value.to_big_endian()[3..], &[0; 4]].concat();
        assert_eq!(done.world.logs, [(SELF, topics, data)], "LOG{count}");
    }
}

#[test]
fn a_log_costs_375_each_topic_375_each_byte_8() {
    for count in 0..=4u8 {
        let topics = vec![bit(255); usize::from(count)];
        // The memory is part of the price: one word and two.
        for (length, gas) in [(0, 0), (1, 8 + 3), (32, 256 + 3), (33, 264 + 6)] {
            let arguments = [&[word(0), word(length)][..], &topics].concat();
            Setup::default().costs(op::LOG0 + count, &arguments, 375 + 375 * i64::from(count) + gas);
        }
    }
}

#[test]
fn a_log_that_is_not_paid_for_is_none() {
    let done = execute(2 * 2 + 4 * 3 + 1875 - 1, &log4(0, 0, 1, 2, 3, 4));
    assert_eq!((done.exit, done.world.logs.len()), (Exit::OutOfGas, 0));
}

#[test]
fn a_log_is_a_state_change() {
    let setup = Setup { is_static: true, ..Setup::default() };
    for count in 0..=4u8 {
        let code = Code::operation(op::LOG0 + count, vec![word(0); 2 + usize::from(count)]);
        let done = setup.execute(PLENTY, &code);
        assert_eq!((done.exit, done.world.logs.len()), (Exit::StaticViolation, 0));
    }
}
