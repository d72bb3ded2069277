//! What waits in the pool.

use crate::client::result;
use crate::fake::{Fake, GAPPED, TOKEN, dynamic, signer};
use alloy_primitives::TxKind;
use parhelion_core::pool::Pool;
use serde_json::json;

#[tokio::test]
async fn waiting_transactions_are_grouped_as_in_geth() {
    let fake = Fake::new();
    let server = fake.serve().await;
    let at = server.local_addr();
    let empty = json!({ "pending": {}, "queued": {} });
    assert_eq!(result(at, "txpool_content", json!([])).await, empty);
    for (by, nonce) in [(1, 2), (1, 3), (1, GAPPED), (2, 9)] {
        fake.submit(dynamic(by, nonce, TxKind::Call(TOKEN))).await.unwrap();
    }
    let status = json!({ "pending": "0x3", "queued": "0x1" });
    assert_eq!(result(at, "txpool_status", json!([])).await, status);

    let [one, two] = [1, 2].map(|n| signer(n).address().to_checksum(None));
    let content = result(at, "txpool_content", json!([])).await;
    assert_eq!(content["pending"][&one].as_object().unwrap().len(), 2);
    let waiting = &content["pending"][&one]["3"];
    assert_eq!(waiting["hash"], json!(dynamic(1, 3, TxKind::Call(TOKEN)).hash()));
    assert_eq!((&waiting["blockHash"], &waiting["from"]), (&json!(null), &json!(signer(1).address())));
    assert_eq!(content["queued"][&one]["100"]["nonce"], "0x64");
    assert_eq!(content["pending"][&two]["9"]["nonce"], "0x9");
    assert!(content["queued"].get(&two).is_none(), "{content}");

    let from = result(at, "txpool_contentFrom", json!([signer(1).address()])).await;
    assert_eq!(from, json!({ "pending": content["pending"][&one], "queued": content["queued"][&one] }));
    assert_eq!(result(at, "txpool_contentFrom", json!([TOKEN])).await, empty);

    let inspected = result(at, "txpool_inspect", json!([])).await;
    let line = format!("{TOKEN:?}: 0 wei + 2000000 gas × 4000000000 wei");
    assert_eq!(inspected["queued"][&one]["100"], line);
}
