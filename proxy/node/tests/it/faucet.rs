//! `parhelion_faucet`, which development chains have.

use crate::dev::Dev;
use alloy_primitives::{Address, U256};
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::rpc_params;
use serde_json::Value;

/// 10 SOL in wei.
const GIFT: u128 = 10 * 10_u128.pow(18);

async fn balance(dev: &Dev, address: Address) -> U256 {
    dev.rpc.request("eth_getBalance", rpc_params![address, "latest"]).await.unwrap()
}

/// Code and message of the error that a request gets.
async fn refusal(dev: &Dev, arguments: &[&str]) -> (i32, String) {
    let mut params = rpc_params![];
    for argument in arguments {
        params.insert(argument).unwrap();
    }
    match dev.rpc.request::<Value, _>("parhelion_faucet", params).await.unwrap_err() {
        ClientError::Call(error) => (error.code(), error.message().to_owned()),
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_faucet_gives_ten_sol_once_a_minute() {
    let dev = Dev::start(&[]);
    for byte in 1..=3 {
        let address = Address::with_last_byte(0xe0 + byte);
        let gift: Value = dev.rpc.request("parhelion_faucet", rpc_params![address]).await.unwrap();
        assert_eq!(gift["amount"], format!("{GIFT:#x}"));
        assert!(gift["solanaSignature"].as_str().unwrap().len() > 80, "{gift}");
        assert_eq!(balance(&dev, address).await, U256::from(GIFT));
        let (code, message) = refusal(&dev, &[&address.to_string()]).await;
        assert_eq!(code, -32000);
        assert!(message.contains("was just given something: ask again in "), "{message}");
        assert_eq!(balance(&dev, address).await, U256::from(GIFT));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_the_same_time_are_all_served() {
    let dev = Dev::start(&[]);
    let addresses: Vec<_> = (1..=20).map(Address::with_last_byte).collect();
    let asked = addresses.iter().map(|address| async {
        dev.rpc.request::<Value, _>("parhelion_faucet", rpc_params![*address]).await.unwrap();
        balance(&dev, *address).await
    });
    assert_eq!(futures::future::join_all(asked).await, vec![U256::from(GIFT); addresses.len()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_an_address_gives_nothing() {
    let dev = Dev::start(&[]);
    let (code, message) = refusal(&dev, &[]).await;
    assert_eq!((code, message.as_str()), (-32602, "missing value for required argument 0"));
    assert_eq!(refusal(&dev, &["0x12"]).await.0, -32602);
}
