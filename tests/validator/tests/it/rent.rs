//! `parhelion rent`.

use crate::chain::Chain;
use crate::world::{Said, named, say};
use alloy_primitives::U256;
use parhelion_assembler::Code;
use parhelion_evm::opcode as op;
use parhelion_sdk::client::Client;
use parhelion_sdk::instruction::holder_create;
use parhelion_sdk::transaction::Budget;
use solana_address_lookup_table_interface::instruction::create_lookup_table;
use solana_signer::Signer as _;
use std::process::Command;
use std::time::{Duration, Instant};

impl Chain {
    /// The command, for the operator of the node.
    fn rent(&self, options: &[&str]) -> Said {
        let mut rent = Command::new(named("PARHELION_NODE"));
        rent.args(["rent", "--solana-url", &self.world.validator.url()]);
        rent.args(["--program-id", &self.world.program.pubkey().to_string()]);
        say(rent.arg("--keypair").arg(self.world.key("authority")).args(options))
    }

    /// How many there are of something, and lamports in them, as the command says.
    fn rented(&self, what: &str) -> (u64, u64) {
        let text = self.rent(&[]).ok();
        let line = text.lines().find(|line| line.trim_start().starts_with(what));
        let words: Vec<&str> = line.unwrap_or_else(|| panic!("{what}: {text}")).split_whitespace().collect();
        (words[1].parse().expect("a number"), words[2].replace('.', "").parse().expect("lamports"))
    }
}

#[tokio::test]
async fn an_operator_gets_its_rent_back() {
    let mut chain = Chain::start();
    chain.start_node(&["--translate", "eager"]);
    // Calls that earn a translation.
    let code = Code::new().push(0).op(op::SLOAD).push(1).op(op::ADD).push(0).op(op::SSTORE).op(op::STOP);
    let contract = chain.wallet.address().create(chain.wallet.nonce);
    let mut transactions = vec![chain.wallet.send(None, U256::ZERO, code.init_code(), 100_000_000)];
    transactions.extend((0..4).map(|_| chain.wallet.send(Some(contract), U256::ZERO, [], 5_000_000)));
    for transaction in &transactions {
        chain.send(transaction);
        chain.wait("it landed", |chain| chain.receipt(transaction).is_some());
    }
    let started = Instant::now();
    while chain.rented("translations").0 == 0 {
        assert!(started.elapsed() < Duration::from_secs(60), "no translation: {}", chain.rent(&[]).ok());
        std::thread::sleep(Duration::from_millis(200));
    }
    chain.kill_node();

    // What a node may leave behind that is killed in the middle of something.
    let operator = &chain.world.authority;
    let client = Client::new(chain.world.validator.url(), chain.world.program.pubkey());
    let lamports = client.rpc().get_minimum_balance_for_rent_exemption(5_000).await.expect("answers");
    let holder = holder_create(client.deployment(), &operator.pubkey(), 3, 5_000, lamports);
    // One that the bank at the confirmed slot has among its parents.
    let slot = client.rpc().get_slot().await.expect("answers") - 1;
    let (table, _) = create_lookup_table(operator.pubkey(), operator.pubkey(), slot);
    let made = [&holder[..], &[table]].concat();
    client.send(&made, &operator.pubkey(), &[operator], &Budget::MAX).await.expect("lands");

    let (holders, translations) = (chain.rented("holders"), chain.rented("translations"));
    assert_eq!(holders, (1, lamports));
    assert!(translations.0 == 1 && translations.1 > 1_000_000, "{translations:?}");
    assert_eq!(chain.rented("old-translations"), (0, 0));
    assert_eq!(chain.rented("lookup-tables").0, 1);

    let before = chain.world.lamports(operator.pubkey()).await;
    let text = chain.rent(&["--close", "holders,translations"]).ok();
    let after = chain.world.lamports(operator.pubkey()).await;
    let came_back = holders.1 + translations.1;
    assert!((before + came_back - 50_000..before + came_back).contains(&after), "{before} {after} {text}");
    assert_eq!((chain.rented("holders"), chain.rented("translations")), ((0, 0), (0, 0)));
    // In use until leaders cannot find its addresses any more.
    let text = chain.rent(&["--close", "lookup-tables"]).ok();
    assert!(text.contains("0.000000000 SOL") && text.contains("give the command again"), "{text}");
    assert_eq!(chain.rented("lookup-tables").0, 1);
}
