//! Emulated transactions: the account list, and refusals with their numbers.

use crate::cluster::{BASE_FEE, COINBASE, Chain, SLOT, Wallet, draft, refusal};
use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, U256};
use parhelion_assembler::{push, return_top, sload, sstore};
use parhelion_core::emulator::{AccountUse, Emulator};
use parhelion_sdk::address::{account_address, deployment, keccak256};
use parhelion_sdk::convert::to_h160;
use parhelion_wire::address::{AccountKey, split_storage_key};
use parhelion_wire::event::Outcome;
use parhelion_wire::{H256, ProgramError};

const GAS: u64 = 10_000_000;

#[tokio::test]
async fn the_account_list_is_what_the_run_used() {
    let chain = Chain::new();
    let wallet = Wallet::rich(&chain);
    let code = sload(1) + sstore(256, 5) + push(7) + return_top();
    let contract = chain.contract(1, &code, &[(1, 3)]);
    let emulation = chain.emulator.emulate(&wallet.sign(draft(Some(contract), GAS)), COINBASE).await.unwrap();
    let deployment = deployment(&[0x77; 32].into());
    let cell = |key: u64| AccountKey::Cell(to_h160(contract), split_storage_key(&key.into()).0);
    let mut expected: Vec<AccountUse> = [
        (AccountKey::Balance(to_h160(wallet.address())), true),
        (AccountKey::Balance(to_h160(COINBASE)), true),
        (AccountKey::Contract(to_h160(contract)), false),
        (AccountKey::Code(H256(keccak256(&[code.bytes()]))), false),
        (cell(1), false),
        (cell(256), true),
        // The System program makes the new Cell.
        (AccountKey::External([0; 32]), false),
    ]
    .map(|(key, writable)| AccountUse { address: account_address(&deployment, &key).to_bytes(), writable })
    .into();
    expected.sort();
    assert_eq!(emulation.accounts, expected);
    assert_eq!((emulation.slot, emulation.deployed_codes.len()), (SLOT, 0));
    assert_eq!(emulation.execution.outcome, Outcome::Success);
    assert_eq!(emulation.execution.output[..], U256::from(7).to_be_bytes::<32>());
}

#[tokio::test]
async fn deployed_codes_are_told() {
    let chain = Chain::new();
    let wallet = Wallet::rich(&chain);
    let code = push(42) + return_top();
    let transaction = TxEip1559 { input: code.init_code().into(), ..draft(None, GAS) };
    let emulation = chain.emulator.emulate(&wallet.sign(transaction), COINBASE).await.unwrap();
    assert_eq!(emulation.deployed_codes, [(H256(keccak256(&[code.bytes()])), code.bytes().len())]);
    assert_eq!(emulation.execution.created, Some(wallet.address().create(0)));
}

#[tokio::test]
async fn refusals_have_their_numbers() {
    let chain = Chain::new();
    let (wallet, poor) = (Wallet::new(1), Wallet::new(2));
    chain.balance(wallet.address(), 5, U256::from(10).pow(U256::from(21)));
    chain.balance(poor.address(), 0, U256::from(BASE_FEE));
    let to = Some(Address::repeat_byte(8));
    let numbers = |wallet: &Wallet, nonce: u64, state: u64, balance: &str| {
        format!("address {}, tx nonce: {nonce} state nonce: {state} balance: {balance}", wallet.address())
    };
    let rich = "1000000000000000000000";
    for (what, wallet, transaction, error, detail) in [
        (
            "nonce",
            &wallet,
            TxEip1559 { nonce: 4, ..draft(to, GAS) },
            ProgramError::NonceTooLow,
            numbers(&wallet, 4, 5, rich),
        ),
        (
            "nonce",
            &wallet,
            TxEip1559 { nonce: 6, ..draft(to, GAS) },
            ProgramError::NonceTooHigh,
            numbers(&wallet, 6, 5, rich),
        ),
        ("funds", &poor, draft(to, GAS), ProgramError::InsufficientFunds, numbers(&poor, 0, 0, "1000000000")),
        (
            "gas",
            &wallet,
            TxEip1559 { nonce: 5, ..draft(to, 20_999) },
            ProgramError::IntrinsicGasTooLow,
            String::new(),
        ),
        (
            "fee",
            &wallet,
            TxEip1559 { nonce: 5, max_fee_per_gas: u128::from(BASE_FEE) - 1, ..draft(to, GAS) },
            ProgramError::FeeTooLow,
            String::new(),
        ),
        (
            "chain",
            &wallet,
            TxEip1559 { nonce: 5, chain_id: 1, ..draft(to, GAS) },
            ProgramError::WrongChainId,
            String::new(),
        ),
    ] {
        let result = chain.emulator.emulate(&wallet.sign(transaction), COINBASE).await;
        assert_eq!(refusal(result), (error, detail), "{what}");
    }
    let unknown = Address::repeat_byte(0xee);
    let transaction = wallet.sign(TxEip1559 { nonce: 5, ..draft(to, GAS) });
    assert_eq!(refusal(chain.emulator.emulate(&transaction, unknown).await).0, ProgramError::CoinbaseMissing);
}
