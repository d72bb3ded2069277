//! Chains of handlers fit the VM's 64 call frames, wherever they begin and whatever they end in.

use crate::token::GAS;
use alloy_primitives::U256;
use parhelion_assembler::Code;
use parhelion_executor::evm::opcode as op;
use parhelion_harness::chain::{Chain, SOL};
use parhelion_harness::wallet::Wallet;

/// `count` opcodes that are cheap and leave the stack as it is.
fn cheap(count: usize) -> Code {
    let odd = if count % 2 == 1 { Code::new().op(op::JUMPDEST) } else { Code::new() };
    odd + Code::new().op(op::CALLER).op(op::POP).times(count / 2)
}

/// An opcode that ends the chain, whose operation runs between two chains.
fn cold() -> Code {
    Code::new().op(op::GASPRICE).op(op::POP)
}

/// The opcode that calls the most functions: a product of 512 bits, divided.
fn deep() -> Code {
    let number = U256::MAX / U256::from(3);
    let push = |less: u64| Code::new().op(op::PUSH32).raw(&(number - U256::from(less)).to_be_bytes::<32>());
    push(0) + push(1) + push(2) + Code::new().op(op::MULMOD).op(op::POP)
}

/// A loop's worth of short blocks that jump from one to the next.
fn jumps(start: usize, blocks: usize, length: usize) -> Code {
    (0..blocks).fold(Code::new(), |code, _| {
        let body = cheap(length);
        let target = start + code.bytes().len() + body.bytes().len() + 4;
        let target = u16::try_from(target).unwrap().to_be_bytes();
        code + body + Code::new().op(op::PUSH2).raw(&target).op(op::JUMP).op(op::JUMPDEST)
    })
}

/// Every distance between an operation that begins a chain and one that needs frames of its own.
fn code() -> Code {
    let mut code = Code::new();
    for distance in 0..70 {
        code = code + cheap(distance % 26) + cold() + cheap(distance) + deep();
    }
    for length in [2, 6, 11, 19, 20, 21] {
        // A block that begins with the operation, and is as long as blocks get.
        let block = Code::new().op(op::JUMPDEST) + cold() + cheap(18);
        let start = code.bytes().len() + block.bytes().len();
        code = code + block + jumps(start, 50 / length + 2, length) + deep();
    }
    code
}

#[test]
fn chains_fit_the_call_frames() {
    let mut chain = Chain::new().unwrap();
    let mut wallet = Wallet::new(1);
    chain.deposit(wallet.address(), 1000 * SOL).unwrap();
    let address = wallet.address().create(wallet.nonce);
    let code = code().init_code();
    assert!(chain.run(&wallet.send(None, U256::ZERO, code, 2 * GAS)).unwrap().receipt.outcome.is_success());
    let plain = chain.run(&wallet.send(Some(address), U256::ZERO, [], GAS)).unwrap();
    assert!(plain.receipt.outcome.is_success());
    chain.translate(address).unwrap();
    let translated = chain.run(&wallet.send(Some(address), U256::ZERO, [], GAS)).unwrap();
    assert!(translated.receipt.outcome.is_success());
    assert_eq!(translated.accounts, plain.accounts + 1, "the translation is listed");
    assert!(translated.compute_units < plain.compute_units, "and runs");
}
