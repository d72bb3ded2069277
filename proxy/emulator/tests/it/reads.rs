//! Settings, accounts, code, storage.

use crate::cluster::{BASE_FEE, BLOCK_GAS_LIMIT, CHAIN_ID, Chain, Wallet};
use alloy_primitives::{Address, B256, U256};
use parhelion_assembler::Code;
use parhelion_core::emulator::{AccountState, ChainSettings, Emulator};
use parhelion_evm::opcode as op;

#[tokio::test]
async fn settings_are_those_of_the_program() {
    let chain = Chain::new();
    let settings = ChainSettings { chain_id: CHAIN_ID, base_fee: BASE_FEE, block_gas_limit: BLOCK_GAS_LIMIT };
    assert_eq!(chain.emulator.settings().await.unwrap(), settings);
    chain.set_config(|config| config.set_base_fee(7));
    assert_eq!(chain.emulator.settings().await.unwrap().base_fee, 7, "read each time");
}

#[tokio::test]
async fn accounts_codes_and_storage() {
    let chain = Chain::new();
    let code = Code::new().op(op::JUMPDEST);
    let (nobody, delegated) = (Address::repeat_byte(8), Address::repeat_byte(9));
    let contract = chain.contract(1, &code, &[(1, 5), (256, 6)]);
    let funded = chain.contract(2, &code, &[]);
    chain.balance(funded, 3, U256::from(4));
    chain.delegation(delegated, contract);
    let wallet = Wallet::rich(&chain).address();
    let rich = U256::from(10).pow(U256::from(21));
    let designator = [&[0xef, 1, 0][..], contract.as_slice()].concat();
    for (address, nonce, balance, code) in [
        (nobody, 0, U256::ZERO, &[][..]),
        (wallet, 0, rich, &[]),
        // EIP-161: a contract begins at nonce 1.
        (contract, 1, U256::ZERO, code.bytes()),
        (funded, 3, U256::from(4), code.bytes()),
        (delegated, 1, U256::ZERO, &designator),
    ] {
        assert_eq!(chain.emulator.account(address).await.unwrap(), AccountState { nonce, balance });
        assert_eq!(chain.emulator.code(address).await.unwrap().as_ref(), code, "{address}");
    }
    for (address, key, value) in [
        (contract, U256::from(1), 5u64),
        (contract, U256::from(256), 6),
        (contract, U256::from(2), 0),
        (contract, U256::MAX, 0),
        (nobody, U256::from(1), 0),
    ] {
        let stored = chain.emulator.storage(address, key).await.unwrap();
        assert_eq!(stored, B256::from(U256::from(value)), "{address} {key}");
    }
}
