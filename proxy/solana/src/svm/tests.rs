//! The VM with Solana's own programs; with the real one where `PARHELION_PROGRAM` names its binary.
//!
//! Most tests take the System program for "the program", which needs no binary: its transactions are recorded and its
//! error numbers extracted.

use super::*;
use litesvm::LiteSVM;
use parhelion_sdk::event::{Deposit, Report, reports};
use parhelion_sdk::transaction::{Budget, Format, sign};
use parhelion_sdk::{EthereumAddress, address, instruction};
use parhelion_wire::account::{Config, Layout};
use parhelion_wire::instruction::Initialize;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::VersionedMessage;
use solana_sdk_ids::{system_program, sysvar};
use solana_signer::Signer;
use solana_slot_hashes::SlotHashes;
use solana_system_interface::instruction::{create_account, transfer};

const FEATURES: [Features; 2] = [Features::Mainnet, Features::All];
const SOL: u64 = 1_000_000_000;

/// A VM whose "program" is the System program, and a rich key.
async fn start(features: Features) -> (SvmCluster, Keypair) {
    let chain = Chain::empty(system_program::ID, features, unix_time());
    let cluster = SvmCluster::over(chain, &system_program::ID);
    let payer = Keypair::new();
    cluster.airdrop(payer.pubkey(), 10 * SOL).await.expect("airdrop");
    (cluster, payer)
}

async fn signed(
    cluster: &SvmCluster,
    payer: &Keypair,
    instructions: &[Instruction],
    format: Format<'_>,
) -> VersionedTransaction {
    let blockhash = cluster.latest_blockhash().await.expect("blockhash");
    sign(instructions, &payer.pubkey(), &[payer], blockhash, &Budget::MAX, format).expect("valid")
}

async fn lamports(cluster: &SvmCluster, address: Address) -> u64 {
    let snapshot = cluster.accounts(&[address]).await.expect("accounts");
    snapshot.accounts[0].as_ref().map_or(0, |account| account.lamports)
}

#[tokio::test]
async fn both_formats_land_under_both_feature_sets() {
    for features in FEATURES {
        let (cluster, payer) = start(features).await;
        let payee = Address::new_unique();
        for (index, format) in [Format::V1, Format::V0(&[])].into_iter().enumerate() {
            let instructions = [transfer(&payer.pubkey(), &payee, SOL)];
            let transaction = signed(&cluster, &payer, &instructions, format).await;
            let signature = cluster.send(&transaction).await.expect("lands");
            assert_eq!(signature, transaction.signatures[0]);
            assert_eq!(lamports(&cluster, payee).await, (index as u64 + 1) * SOL);
        }
        // 5000 lamports for each signature, and nothing more.
        assert_eq!(lamports(&cluster, payer.pubkey()).await, 8 * SOL - 10_000);
    }
}

#[tokio::test]
async fn the_budget_of_a_v1_transaction_is_what_its_header_says() {
    let (cluster, payer) = start(Features::Mainnet).await;
    let instructions = [transfer(&payer.pubkey(), &Address::new_unique(), SOL)];
    let blockhash = cluster.latest_blockhash().await.expect("blockhash");
    let with = |budget: &Budget| {
        sign(&instructions, &payer.pubkey(), &[&payer], blockhash, budget, Format::V1).expect("valid")
    };
    // The System program costs 150.
    let short = cluster.send(&with(&Budget { compute_units: 149, ..Budget::MAX })).await;
    assert!(matches!(&short, Err(ClusterError::Failed { code: None, .. })), "{short:?}");
    let no_data = cluster.send(&with(&Budget { loaded_data_bytes: 0, ..Budget::MAX })).await;
    assert!(matches!(&no_data, Err(ClusterError::Failed { code: None, .. })), "{no_data:?}");
    let transaction = with(&Budget { compute_units: 150, priority_fee_lamports: 77, ..Budget::MAX });
    cluster.send(&transaction).await.expect("lands");
    assert_eq!(lamports(&cluster, payer.pubkey()).await, 9 * SOL - 5_077);
}

#[tokio::test]
async fn a_simulation_changes_nothing() {
    let (cluster, payer) = start(Features::Mainnet).await;
    let poor = Keypair::new();
    let instructions = [
        transfer(&payer.pubkey(), &Address::new_unique(), SOL),
        transfer(&poor.pubkey(), &Address::new_unique(), SOL),
    ];
    let blockhash = cluster.latest_blockhash().await.expect("blockhash");
    let transaction =
        sign(&instructions, &payer.pubkey(), &[&payer, &poor], blockhash, &Budget::MAX, Format::V1);
    let transaction = transaction.expect("valid");
    let simulation = cluster.simulate(&transaction).await.expect("runs");
    assert_eq!(simulation.compute_units, 300);
    assert!(matches!(simulation.failure, Some(ClusterError::Failed { code: Some(1), .. })));

    cluster.airdrop(poor.pubkey(), 2 * SOL).await.expect("airdrop");
    let simulation = cluster.simulate(&transaction).await.expect("runs");
    assert!(simulation.failure.is_none(), "{simulation:?}");
    assert_eq!(lamports(&cluster, poor.pubkey()).await, 2 * SOL, "it is as rich as before");
    assert_eq!(lamports(&cluster, payer.pubkey()).await, 10 * SOL, "and no fee was paid");
    assert_eq!(cluster.clock().await.expect("clock").slot, 0);
}

#[tokio::test]
async fn each_landed_transaction_makes_a_block_and_the_clock_never_goes_back() {
    let (cluster, payer) = start(Features::Mainnet).await;
    let mut newest = cluster.newest_slot();
    assert_eq!(*newest.borrow_and_update(), 0);
    assert_eq!(cluster.slot_hashes().await.expect("hashes"), []);
    let mut last = cluster.clock().await.expect("clock");
    let mut blockhashes = vec![cluster.latest_blockhash().await.expect("blockhash")];
    for slot in 1..=3 {
        let instructions = [transfer(&payer.pubkey(), &Address::new_unique(), SOL)];
        let transaction = signed(&cluster, &payer, &instructions, Format::V1).await;
        cluster.send(&transaction).await.expect("lands");
        assert!(newest.has_changed().expect("open"));
        assert_eq!(*newest.borrow_and_update(), slot);
        let clock = cluster.clock().await.expect("clock");
        assert_eq!(clock.slot, slot);
        assert!(clock.unix_timestamp >= last.unix_timestamp && clock.unix_timestamp <= unix_time());
        last = clock;

        // The sysvars say the same, and the newest hash is the parent's.
        let snapshot =
            cluster.accounts(&[sysvar::clock::ID, sysvar::slot_hashes::ID]).await.expect("accounts");
        assert_eq!(snapshot.clock, clock);
        let data = |index: usize| &snapshot.accounts[index].as_ref().expect("a sysvar").data[..];
        let sysvar: solana_clock::Clock = wincode::deserialize(data(0)).expect("a clock");
        assert_eq!((sysvar.slot, sysvar.unix_timestamp), (slot, clock.unix_timestamp));
        let sysvar: SlotHashes = wincode::deserialize(data(1)).expect("slot hashes");
        let hashes = cluster.slot_hashes().await.expect("hashes");
        let of_sysvar: Vec<_> = sysvar.iter().map(|(slot, hash)| (*slot, hash.to_bytes())).collect();
        assert_eq!(of_sysvar, hashes);
        let slots: Vec<_> = hashes.iter().map(|(slot, _)| *slot).collect();
        assert_eq!(slots, (0..slot).rev().collect::<Vec<_>>());
        assert_eq!(hashes[0].1, blockhashes.last().expect("not empty").to_bytes());
        let blockhash = cluster.latest_blockhash().await.expect("blockhash");
        assert!(!blockhashes.contains(&blockhash));
        blockhashes.push(blockhash);
    }
}

#[test]
fn time_stands_still_when_the_clock_of_the_machine_goes_back() {
    let mut chain = Chain::empty(system_program::ID, Features::Mainnet, 1_000);
    let payer = Keypair::new();
    chain.airdrop(payer.pubkey(), SOL).expect("airdrop");
    for (lamports, now, expected) in [(1, 1_005, 1_005), (2, 900, 1_005), (3, 1_006, 1_006)] {
        let instructions = [transfer(&payer.pubkey(), &payer.pubkey(), lamports)];
        let blockhash = chain.latest_blockhash();
        let transaction =
            sign(&instructions, &payer.pubkey(), &[&payer], blockhash, &Budget::MAX, Format::V1);
        chain.send(transaction.expect("valid"), now).expect("lands");
        assert_eq!(chain.clock().unix_timestamp, expected);
    }
}

#[tokio::test]
async fn blocks_hold_the_programs_transactions_only() {
    let (cluster, payer) = start(Features::Mainnet).await;
    let payee = Address::new_unique();
    let transaction = signed(&cluster, &payer, &[transfer(&payer.pubkey(), &payee, SOL)], Format::V1).await;
    cluster.send(&transaction).await.expect("lands");
    // A transaction that does not name the System program: a precompile without signatures.
    let foreign =
        Instruction { program_id: solana_sdk_ids::secp256k1_program::ID, accounts: vec![], data: vec![0] };
    let transaction2 = signed(&cluster, &payer, &[foreign], Format::V1).await;
    cluster.send(&transaction2).await.expect("lands");
    assert_eq!(*cluster.newest_slot().borrow(), 2, "every landed transaction makes a slot");

    let blocks = cluster.blocks(0, 2).await.expect("kept");
    let [block] = &blocks[..] else { panic!("one block, not {blocks:?}") };
    assert_eq!(block.clock.slot, 1);
    let [landed] = &block.transactions[..] else { panic!("one transaction") };
    assert_eq!((landed.signature, landed.compute_units), (transaction.signatures[0], 150));
    let [instruction] = &landed.instructions[..] else { panic!("one instruction") };
    assert_eq!(instruction.program_id, system_program::ID);
    assert_eq!(instruction.accounts, [payer.pubkey(), payee]);
    assert_eq!(instruction.data, transaction.message.instructions()[0].data);
    assert!(instruction.inner.is_empty());
    assert!(cluster.blocks(2, 9).await.expect("kept").is_empty());
}

#[tokio::test]
async fn invoked_instructions_have_their_accounts() {
    // The Address Lookup Table program, which invokes the System program three times to create a table.
    let program_id = solana_sdk_ids::address_lookup_table::ID;
    let program_data = address::program_data_address(&program_id);
    let loaded = LiteSVM::new().get_account(&program_data).expect("one of the default programs");
    let upgrade_authority = Address::new_unique();
    let options = SvmOptions {
        program_id,
        // Behind the loader's 45 bytes of metadata.
        program: loaded.data[45..].to_vec(),
        upgrade_authority,
        features: Features::Mainnet,
    };
    let cluster = SvmCluster::start(&options).expect("loads");
    let payer = Keypair::new();
    cluster.airdrop(payer.pubkey(), SOL).await.expect("airdrop");
    let recent_slot = 0u64.to_le_bytes();
    let seeds = [payer.pubkey().to_bytes().to_vec(), recent_slot.to_vec()];
    let (table, bump) = Address::find_program_address(&[&seeds[0], &seeds[1]], &program_id);
    let create = Instruction {
        program_id,
        accounts: vec![
            AccountMeta::new(table, false),
            AccountMeta::new_readonly(payer.pubkey(), true),
            AccountMeta::new(payer.pubkey(), true),
            AccountMeta::new_readonly(system_program::ID, false),
        ],
        data: [&[0; 4][..], &recent_slot, &[bump]].concat(),
    };
    // Between two transfers, so that the instructions in front and behind must not be mistaken for it.
    let transfer = transfer(&payer.pubkey(), &table, 1);
    let instructions = [transfer.clone(), create, transfer];
    let transaction = signed(&cluster, &payer, &instructions, Format::V1).await;
    cluster.send(&transaction).await.unwrap_or_else(|error| panic!("{error:?}"));

    let blocks = cluster.blocks(1, 1).await.expect("kept");
    let [before, created, after] = &blocks[0].transactions[0].instructions[..] else { panic!("{blocks:?}") };
    assert!(before.inner.is_empty() && after.inner.is_empty());
    assert_eq!(created.accounts, [table, payer.pubkey(), payer.pubkey(), system_program::ID]);
    let invoked: Vec<_> = created
        .inner
        .iter()
        .map(|invoked| (invoked.program_id, invoked.accounts.clone(), invoked.data[0]))
        .collect();
    // 2 is the System program's number for transfers, 8 for allocate, 1 for assign.
    let expected = [(2, vec![payer.pubkey(), table]), (8, vec![table]), (1, vec![table])];
    assert_eq!(invoked, expected.map(|(number, accounts)| (system_program::ID, accounts, number)));
    assert!(created.inner.iter().all(|invoked| invoked.inner.is_empty()));
}

#[tokio::test]
async fn a_failing_transaction_leaves_no_trace_and_may_be_sent_again() {
    let (cluster, payer) = start(Features::Mainnet).await;
    let poor = Keypair::new();
    cluster.airdrop(poor.pubkey(), SOL).await.expect("airdrop");
    let payee = Address::new_unique();
    let transaction = signed(&cluster, &poor, &[transfer(&poor.pubkey(), &payee, 2 * SOL)], Format::V1).await;
    let clock = cluster.clock().await.expect("clock");
    let failed = cluster.send(&transaction).await.expect_err("too poor");
    // 1 is the System program's number for too few lamports.
    let ClusterError::Failed { code: Some(1), logs, .. } = &failed else { panic!("{failed:?}") };
    assert!(logs.iter().any(|log| log.contains("insufficient lamports")), "{logs:?}");
    assert!(!failed.is_retryable());
    assert_eq!(lamports(&cluster, poor.pubkey()).await, SOL, "not even a fee");
    assert_eq!(cluster.clock().await.expect("clock"), clock);
    assert_eq!(cluster.slot_hashes().await.expect("hashes"), []);
    assert_eq!(*cluster.newest_slot().borrow(), 0);

    cluster.airdrop(poor.pubkey(), 2 * SOL).await.expect("airdrop");
    cluster.send(&transaction).await.expect("the same bytes land once they can");

    // A number of another program is not the program's.
    let other = SvmCluster::over(Chain::empty(Address::new_unique(), Features::Mainnet, 0), &payer.pubkey());
    other.airdrop(poor.pubkey(), SOL).await.expect("airdrop");
    let transaction = signed(&other, &poor, &[transfer(&poor.pubkey(), &payee, 2 * SOL)], Format::V1).await;
    let failed = other.send(&transaction).await;
    assert!(matches!(&failed, Err(ClusterError::Failed { code: None, .. })), "{failed:?}");
}

#[tokio::test]
async fn a_transaction_lands_once_and_expires_after_150_blocks() {
    let (cluster, payer) = start(Features::Mainnet).await;
    let first = signed(&cluster, &payer, &[transfer(&payer.pubkey(), &payer.pubkey(), 1)], Format::V1).await;
    let late = signed(&cluster, &payer, &[transfer(&payer.pubkey(), &payer.pubkey(), 2)], Format::V1).await;
    let signature = cluster.send(&first).await.expect("lands");
    assert_eq!(cluster.send(&first).await.expect("landed already"), signature);
    assert_eq!(*cluster.newest_slot().borrow(), 1);
    for lamports in 3..151 {
        let instructions = [transfer(&payer.pubkey(), &payer.pubkey(), lamports)];
        let transaction = signed(&cluster, &payer, &instructions, Format::V1).await;
        cluster.send(&transaction).await.expect("lands");
    }
    assert_eq!(*cluster.newest_slot().borrow(), 149);
    assert_eq!(cluster.send(&first).await.expect("still known"), signature);
    cluster.send(&late).await.expect("in the last block that takes its blockhash");
    for transaction in [&first, &late] {
        let expired = cluster.send(transaction).await;
        assert!(
            matches!(&expired, Err(error @ ClusterError::Expired) if error.is_retryable()),
            "{expired:?}"
        );
    }
}

#[tokio::test]
async fn concurrent_senders_do_not_disturb_each_other() {
    let (cluster, payer) = start(Features::Mainnet).await;
    let payee = Address::new_unique();
    // All signed with the same blockhash, as operators do that know nothing of each other.
    let mut transactions = Vec::new();
    for lamports in 1..=20 {
        let instructions = [transfer(&payer.pubkey(), &payee, SOL / 10 + lamports)];
        transactions.push(signed(&cluster, &payer, &instructions, Format::V1).await);
    }
    let results = futures::future::join_all(transactions.iter().map(|one| cluster.send(one))).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(cluster.blocks(1, 20).await.expect("kept").len(), 20);
}

#[tokio::test]
async fn what_a_cluster_would_not_read_is_refused() {
    let (cluster, payer) = start(Features::Mainnet).await;
    let mut large = create_account(&payer.pubkey(), &payer.pubkey(), 1, 1, &system_program::ID);
    large.data.resize(3_900, 0);
    let mut transaction = signed(&cluster, &payer, &[large], Format::V1).await;
    if let VersionedMessage::V1(message) = &mut transaction.message {
        message.instructions[0].data.resize(4_100, 0);
    }
    let refused = cluster.send(&transaction).await;
    assert!(matches!(&refused, Err(ClusterError::Unsupported(text)) if text.contains("4096")), "{refused:?}");

    let mut forged =
        signed(&cluster, &payer, &[transfer(&payer.pubkey(), &payer.pubkey(), 1)], Format::V1).await;
    forged.signatures[0] = Signature::default();
    assert!(matches!(cluster.send(&forged).await, Err(ClusterError::Failed { code: None, .. })));

    let too_many = vec![Address::default(); ACCOUNTS_MAX + 1];
    assert!(matches!(cluster.accounts(&too_many).await, Err(ClusterError::Unsupported(_))));
}

#[tokio::test]
async fn accounts_can_be_set_and_removed_and_rent_is_the_sysvars() {
    let (cluster, _) = start(Features::Mainnet).await;
    let address = Address::new_unique();
    let account = Account { lamports: 5, owner: Address::new_unique(), data: vec![1, 2, 3] };
    cluster.set_account(address, account.clone()).await.expect("set");
    let snapshot = cluster.accounts(&[Address::new_unique(), address]).await.expect("accounts");
    assert_eq!(snapshot.accounts, [None, Some(account.clone())]);
    cluster.set_account(address, Account { lamports: 0, ..account }).await.expect("removed");
    assert_eq!(cluster.accounts(&[address]).await.expect("accounts").accounts, [None]);
    assert!(matches!(cluster.airdrop(address, u64::MAX).await, Ok(())));
    assert!(matches!(cluster.airdrop(address, 1).await, Err(ClusterError::Unsupported(_))));

    let rent = cluster.accounts(&[sysvar::rent::ID]).await.expect("accounts");
    let rent: solana_rent::Rent =
        wincode::deserialize(&rent.accounts[0].as_ref().expect("a sysvar").data).expect("rent");
    assert_eq!(cluster.rent_exemption(100).await.expect("rent"), rent.minimum_balance(100));
}

#[test]
fn blocks_are_bounded_and_asking_for_dropped_ones_is_an_error() {
    let mut chain = Chain::empty(system_program::ID, Features::Mainnet, 0);
    chain.blocks_max = 3;
    let payer = Keypair::new();
    chain.airdrop(payer.pubkey(), SOL).expect("airdrop");
    for lamports in 1..=5 {
        let instructions = [transfer(&payer.pubkey(), &payer.pubkey(), lamports)];
        let blockhash = chain.latest_blockhash();
        let transaction =
            sign(&instructions, &payer.pubkey(), &[&payer], blockhash, &Budget::MAX, Format::V1);
        chain.send(transaction.expect("valid"), 0).expect("lands");
    }
    let refused = chain.blocks(2, 9).expect_err("dropped");
    assert!(refused.to_string().contains("slot 2"), "{refused}");
    assert_eq!(chain.blocks(3, 9).expect("kept").len(), 3);
    assert_eq!(chain.blocks(4, 4).expect("kept")[0].clock.slot, 4);
}

#[tokio::test]
async fn the_real_program_is_upgradeable_and_its_authority_initializes_the_chain() {
    let Some(path) = std::env::var_os("PARHELION_PROGRAM") else {
        eprintln!(
            "SKIPPED: set PARHELION_PROGRAM to the program's binary (cargo xtask build-sbf) to run this test"
        );
        return;
    };
    let program = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for features in FEATURES {
        let authority = Keypair::new();
        let program_id = Address::new_unique();
        let options = SvmOptions {
            program_id,
            program: program.clone(),
            upgrade_authority: authority.pubkey(),
            features,
        };
        let cluster = SvmCluster::start(&options).expect("loads");
        cluster.airdrop(authority.pubkey(), SOL).await.expect("airdrop");
        let data = address::program_data_address(&program_id);
        let snapshot = cluster.accounts(&[data]).await.expect("accounts");
        let data = &snapshot.accounts[0].as_ref().expect("program data").data;
        assert_eq!((data[12], &data[13..45]), (1, authority.pubkey().as_ref()), "the upgrade authority");
        assert_eq!(data[45..], program);

        let settings = Initialize {
            chain_id: 4242,
            base_fee: SOL,
            block_gas_limit: 1 << 30,
            authority: authority.pubkey().to_bytes(),
        };
        let initialize = instruction::initialize(&cluster.deployment(), &authority.pubkey(), &settings);
        let transaction = signed(&cluster, &authority, &[initialize], Format::V1).await;
        cluster.send(&transaction).await.unwrap_or_else(|error| panic!("{error:?}"));
        let config = Address::new_from_array(cluster.deployment().config);
        let snapshot = cluster.accounts(&[config]).await.expect("accounts");
        let config = snapshot.accounts[0].as_ref().expect("a config");
        assert_eq!(Config::view(&config.data).expect("valid").chain_id(), 4242);
        let again = instruction::initialize(&cluster.deployment(), &authority.pubkey(), &settings);
        let refused = cluster.send(&signed(&cluster, &authority, &[again], Format::V1).await).await;
        let already = parhelion_wire::ProgramError::AlreadyInitialized as u32;
        assert!(matches!(refused, Err(ClusterError::Failed { code: Some(code), .. }) if code == already));
        deposits_are_reported(&cluster, &authority).await;
    }
}

/// What the program reports about a deposit comes out of the blocks as the event decoder reads it.
async fn deposits_are_reported(cluster: &SvmCluster, payer: &Keypair) {
    let address = EthereumAddress::repeat_byte(0xa1);
    let deposit = instruction::deposit(&cluster.deployment(), &payer.pubkey(), address, SOL / 2);
    let transaction = signed(cluster, payer, &[deposit], Format::V1).await;
    cluster.send(&transaction).await.unwrap_or_else(|error| panic!("{error:?}"));
    let slot = *cluster.newest_slot().borrow();
    let blocks = cluster.blocks(slot, slot).await.expect("kept");
    let instruction = &blocks[0].transactions[0].instructions[0];
    let invoked = instruction.inner.iter().map(|invoked| (invoked.program_id, &invoked.data));
    let reports = reports(&instruction.program_id, invoked).expect("valid");
    let expected = Deposit { address, lamports: SOL / 2, payer: payer.pubkey() };
    assert_eq!(reports, [Report::Deposit(expected)]);
    let event = instruction.inner.last().expect("the report");
    assert_eq!(event.accounts, [Address::from(cluster.deployment().config)]);
}

#[tokio::test]
async fn a_binary_that_is_no_program_is_refused() {
    let options = SvmOptions {
        program_id: Address::new_unique(),
        program: b"not an ELF".to_vec(),
        upgrade_authority: Address::new_unique(),
        features: Features::Mainnet,
    };
    let refused = SvmCluster::start(&options).err().expect("no ELF");
    assert!(refused.to_string().contains("build it again"), "{refused}");
}

/// Sends `lamports` to an address.
async fn pay(cluster: &SvmCluster, payer: &Keypair, payee: Address, lamports: u64) -> Signature {
    let instructions = [transfer(&payer.pubkey(), &payee, lamports)];
    let transaction = signed(cluster, payer, &instructions, Format::V1).await;
    cluster.send(&transaction).await.expect("lands")
}

#[tokio::test]
async fn an_open_block_holds_what_is_sent_until_it_is_closed() {
    let (cluster, payer) = start(Features::Mainnet).await;
    let payee = Address::new_unique();
    cluster.open_block().await.expect("opens");
    let sent = [pay(&cluster, &payer, payee, SOL).await, pay(&cluster, &payer, payee, 2 * SOL).await];
    assert_eq!((cluster.clock().await.expect("clock").slot, *cluster.newest_slot().borrow()), (0, 0));
    assert_eq!(lamports(&cluster, payee).await, 3 * SOL, "what landed is seen at once");
    cluster.close_block().await.expect("closes");
    assert_eq!(*cluster.newest_slot().borrow(), 1);
    let blocks = cluster.blocks(1, 1).await.expect("blocks");
    let signatures: Vec<_> = blocks[0].transactions.iter().map(|landed| landed.signature).collect();
    assert_eq!((blocks.len(), &signatures[..]), (1, &sent[..]));
    // None is open any more.
    cluster.close_block().await.expect("nothing to close");
    pay(&cluster, &payer, payee, SOL).await;
    assert_eq!(*cluster.newest_slot().borrow(), 2);
}

#[tokio::test]
async fn the_past_is_kept_until_it_is_undone() {
    let (cluster, payer) = start(Features::Mainnet).await;
    let payee = Address::new_unique();
    let at = async |moment| {
        let past = cluster.at(moment).await.expect("kept");
        let snapshot = past.accounts(&[payee]).await.expect("accounts");
        (snapshot.clock.slot, snapshot.accounts[0].as_ref().map_or(0, |account| account.lamports / SOL))
    };
    let mut sent = Vec::new();
    for amount in [1, 2, 4] {
        sent.push(pay(&cluster, &payer, payee, amount * SOL).await);
    }
    for (slot, whole) in [(0, 0), (1, 1), (2, 3), (3, 7)] {
        assert_eq!(at(Moment::Behind(slot)).await, (slot, whole));
    }
    assert_eq!(at(Moment::Before { slot: 2, transaction: sent[1] }).await, (2, 1));
    let hashes = cluster.at(Moment::Behind(2)).await.expect("kept").slot_hashes().await.expect("hashes");
    assert_eq!(hashes.iter().map(|(slot, _)| *slot).collect::<Vec<_>>(), [1, 0]);

    let snapshot = cluster.snapshot().await.expect("taken");
    pay(&cluster, &payer, payee, SOL).await;
    cluster.restore(snapshot).await.expect("restored");
    assert_eq!((lamports(&cluster, payee).await, *cluster.newest_slot().borrow()), (7 * SOL, 3));
    assert!(cluster.at(Moment::Behind(4)).await.is_err(), "it did not happen");
    pay(&cluster, &payer, payee, SOL).await;
    assert_eq!([at(Moment::Behind(3)).await, at(Moment::Behind(4)).await], [(3, 7), (4, 8)]);
    let foreign = Moment::Before { slot: 2, transaction: Signature::default() };
    let refused = cluster.at(foreign).await.map(drop).expect_err("unknown");
    assert_eq!(refused.to_string(), "the state at block 2 is not kept any more");
    // Whoever sends waits for a pause to end.
    let pause = cluster.pause().await;
    let (other, key) = (cluster.clone(), payer.insecure_clone());
    let waiting = tokio::spawn(async move { pay(&other, &key, payee, SOL).await });
    tokio::task::yield_now().await;
    assert_eq!(lamports(&cluster, payee).await, 8 * SOL);
    drop(pause);
    waiting.await.expect("lands");
    assert_eq!(lamports(&cluster, payee).await, 9 * SOL);
}
