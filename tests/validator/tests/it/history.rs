//! What a node knows of the time before it was started.

use crate::chain::Chain;
use alloy_primitives::U256;
use serde_json::{Value, json};

impl Chain {
    /// The number of the newest block.
    fn newest(&self) -> u64 {
        let number = self.ask("eth_blockNumber", &json!([])).expect("answers");
        number.as_str().and_then(|hex| u64::from_str_radix(&hex[2..], 16).ok()).expect("a number")
    }

    /// A block with its transactions.
    fn block(&self, number: u64) -> Option<Value> {
        self.ask("eth_getBlockByNumber", &json!([format!("{number:#x}"), true]))
    }
}

#[test]
fn a_node_goes_on_with_its_database_and_a_new_one_becomes_the_same() {
    let mut chain = Chain::start();
    chain.start_node(&[]);
    let to = alloy_primitives::Address::repeat_byte(7);
    let transactions: Vec<_> =
        (0..3).map(|_| chain.wallet.send(Some(to), U256::from(5), [], 3_000_000)).collect();
    for transaction in &transactions {
        chain.send(transaction);
        chain.wait("it landed", |chain| chain.receipt(transaction).is_some());
    }
    let receipts: Vec<_> = transactions.iter().map(|transaction| chain.receipt(transaction)).collect();
    let newest = chain.newest();
    let blocks: Vec<_> = (0..=newest).map(|number| chain.block(number)).collect();
    let first = blocks.iter().position(Option::is_some).expect("the first block");
    assert!(first > 0 && blocks[first..].iter().all(Option::is_some), "every slot since then is a block");
    chain.kill_node();

    // The same database, and one that is made from the chain alone.
    for database in ["chain.sqlite", "other.sqlite"] {
        chain.database = chain.world.folder.path().join(database);
        chain.start_node(&[]);
        chain.wait("it has caught up", |chain| chain.newest() > newest);
        let again: Vec<_> = transactions.iter().map(|transaction| chain.receipt(transaction)).collect();
        assert_eq!(again, receipts, "{database}");
        let again: Vec<_> = (0..=newest).map(|number| chain.block(number)).collect();
        assert_eq!(again, blocks, "{database}");
        chain.kill_node();
    }
}
