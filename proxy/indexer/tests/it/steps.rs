//! Transactions that come in several Solana transactions, and runs in steps.

use crate::fixture::{
    HOLDER, begin, cancel, event, events, execute_from_holder, holder_close, holder_create, lock, log,
    passed_on, plain, receipt, step, transaction,
};
use crate::scene::{Scene, assert_trail, report, writes};
use parhelion_core::cluster::LandedInstruction;
use parhelion_core::transaction::Transaction;
use parhelion_indexer::ProblemKind;
use parhelion_wire::account::Holder;
use parhelion_wire::event::{Outcome, Receipt, VERSION};
use parhelion_wire::instruction::tag;

#[test]
fn a_run_in_steps_is_one_transaction_in_the_block_of_its_last_step() {
    let mut scene = Scene::new();
    let transaction = transaction(2, 0);
    let writes = writes(&transaction);
    let count = writes.len() as u8;
    assert!(count > 2);
    assert!(scene.executed(writes).is_empty());
    let middle = || vec![step(&transaction, &[])];
    assert!(scene.executed(vec![vec![begin()], middle(), middle()]).is_empty());
    assert!(scene.executed(vec![middle()]).is_empty());
    let found = scene.executed(vec![middle(), vec![step(&transaction, &report(&transaction))]]);
    let [executed] = &found[..] else { panic!("{found:?}") };
    assert_eq!((&executed.transaction, executed.outcome), (&transaction, Outcome::Success));
    assert_eq!((executed.block_number, executed.index, executed.logs.len()), (4, 0, 1));
    assert_trail(executed, 1..=count + 6);
}

#[test]
fn pieces_and_runs_of_several_transactions_land_in_any_order() {
    let mut scene = Scene::new();
    let large = transaction(2, 0);
    let mut out_of_order = writes(&large);
    out_of_order.reverse();
    let count = out_of_order.len() as u8;
    assert!(scene.executed(out_of_order).is_empty());
    // Others run between two steps.
    let [first, second] = [transaction(2, 7), transaction(2, 8)];
    let found = scene.executed(vec![
        vec![plain(&first)],
        vec![begin()],
        vec![plain(&second), step(&large, &[])],
        vec![step(&large, &report(&large))],
    ]);
    let hashes: Vec<_> = found.iter().map(|executed| executed.transaction.hash()).collect();
    assert_eq!(hashes, [first.hash(), second.hash(), large.hash()]);
    assert_trail(&found[0], [count + 1]);
    assert_trail(&found[1], [count + 3]);
    assert_trail(&found[2], (1..=count).chain([count + 2, count + 3, count + 4]));
    assert_eq!(found[2].cumulative_gas_used, 150_000);
}

#[test]
fn a_holder_that_is_used_again_begins_a_new_list() {
    let mut scene = Scene::new();
    let [first, second, third] = [transaction(2, 0), transaction(2, 1), transaction(2, 2)];
    // The first one needs no steps.
    let mut transactions = writes(&first);
    transactions.push(vec![execute_from_holder(&report(&first))]);
    let end = transactions.len() as u8;
    assert_trail(&scene.executed(transactions)[0], 1..=end);
    // The second one is given up for the third, and its pieces land late.
    let mut given_up = writes(&second);
    let late = given_up.split_off(1);
    assert!(scene.executed(given_up).is_empty());
    assert!(scene.executed(late).is_empty());
    let start = scene.next;
    let mut transactions = writes(&third);
    transactions.extend([vec![begin()], vec![step(&third, &report(&third))]]);
    let end = start + transactions.len() as u8 - 1;
    let found = scene.executed(transactions);
    assert_eq!(found[0].transaction, third);
    assert_trail(&found[0], start..=end);
}

#[test]
fn a_solana_transaction_belongs_once_to_each_transaction_that_it_is_used_for() {
    let mut scene = Scene::new();
    let [first, second] = [transaction(2, 0), transaction(2, 1)];
    let all = |transaction: &Transaction| writes(transaction).concat();
    let mut one = vec![holder_create()];
    one.extend(all(&first));
    one.extend([begin(), step(&first, &[]), step(&first, &report(&first))]);
    // The holder is used again at once.
    one.extend(all(&second));
    one.push(begin());
    let found = scene.executed(vec![one, vec![step(&second, &report(&second))]]);
    assert_trail(&found[0], [1]);
    assert_trail(&found[1], [1, 2]);
}

#[test]
fn a_cancelled_run_is_a_failed_transaction() {
    let mut scene = Scene::new();
    let transaction = transaction(2, 0);
    let mut transactions = writes(&transaction);
    let cancelled = Receipt { outcome: Outcome::Cancelled, gas_used: 25_000, ..receipt(&transaction) };
    transactions.extend([vec![begin()], vec![step(&transaction, &[])]]);
    transactions.push(vec![cancel(&transaction, &cancelled.encode())]);
    let end = transactions.len() as u8;
    let found = scene.executed(transactions);
    let [executed] = &found[..] else { panic!("{found:?}") };
    assert_eq!((&executed.transaction, executed.outcome), (&transaction, Outcome::Cancelled));
    assert_eq!((executed.gas_used, executed.logs.len()), (25_000, 0));
    assert!(!executed.outcome.is_success());
    assert_trail(executed, 1..=end);
}

#[test]
fn the_end_of_a_run_in_an_unknown_holder_is_named_and_steps_before_are_not() {
    let transaction = transaction(2, 0);
    for end in [step, cancel] {
        let mut scene = Scene::new();
        assert!(scene.executed(vec![vec![begin()], vec![step(&transaction, &[])]]).is_empty());
        let decoded = scene.decode(vec![vec![end(&transaction, &report(&transaction))]]);
        let unknown = ProblemKind::HolderUnknown { holder: Some(HOLDER) };
        assert_eq!(decoded.problems[0].kind, unknown);
        assert_eq!((decoded.problems.len(), decoded.block.transactions.len()), (1, 0));
        // No holder at all: the program lets nothing like it land.
        let known = vec![writes(&transaction).concat()];
        assert!(scene.executed(known).is_empty());
        let ending = end(&transaction, &report(&transaction));
        let without = LandedInstruction { accounts: vec![], ..ending.clone() };
        let decoded = scene.decode(vec![vec![without]]);
        assert_eq!(decoded.problems[0].kind, ProblemKind::HolderUnknown { holder: None });
        // A closed holder is not known any more.
        let decoded = scene.decode(vec![vec![holder_close()], vec![ending]]);
        assert_eq!(decoded.problems[0].kind, unknown);
    }
}

#[test]
fn a_step_with_events_of_an_unknown_version_is_the_end_of_a_run_that_is_lost() {
    let transaction = transaction(2, 0);
    let with_events = |inner: Vec<LandedInstruction>| LandedInstruction { inner, ..step(&transaction, &[]) };
    let unknown = || vec![event(vec![tag::EVENT, VERSION + 1, 1, 0])];
    let mut scene = Scene::new();
    assert!(scene.executed(writes(&transaction)).is_empty());
    for passes_on in [false, true] {
        let step = with_events(unknown());
        let step = if passes_on { passed_on(vec![step]) } else { step };
        let decoded = scene.decode(vec![vec![begin()], vec![step]]);
        let kinds: Vec<_> = decoded.problems.into_iter().map(|problem| problem.kind).collect();
        assert_eq!(kinds, [ProblemKind::UnknownEvent, ProblemKind::ReportMissing]);
        assert!(kinds[1].loses_transaction() && decoded.block.transactions.is_empty());
    }
    // A readable report counts, whatever else there is.
    let step = with_events([unknown(), events(&report(&transaction), 10_000)].concat());
    let decoded = scene.decode(vec![vec![step]]);
    assert_eq!((decoded.problems.len(), decoded.block.transactions.len()), (1, 1));
    assert_eq!(decoded.problems[0].kind, ProblemKind::UnknownEvent);
}

#[test]
fn a_report_that_is_cut_or_not_expected_is_named() {
    let [transaction, other] = [transaction(2, 0), transaction(2, 1)];
    let records = report(&transaction);
    let cut = LandedInstruction {
        inner: events(&records, 50).into_iter().take(1).collect(),
        ..step(&transaction, &[])
    };
    let mismatch = ProblemKind::HashMismatch { receipt: other.hash(), transaction: transaction.hash() };
    let stray = LandedInstruction { inner: events(&records, 10_000), ..begin() };
    let rows = [
        ("a report without its end", cut, ProblemKind::ReportIncomplete),
        ("no receipt", step(&transaction, &log(1, 0, &[])), ProblemKind::ReportMalformed),
        ("a receipt of another", step(&transaction, &report(&other)), mismatch),
        ("nothing was cancelled", cancel(&transaction, &[]), ProblemKind::ReportMissing),
        ("a beginning with a receipt", stray, ProblemKind::UnexpectedReceipt),
    ];
    for (name, instruction, expected) in rows {
        let mut scene = Scene::new();
        assert!(scene.executed(writes(&transaction)).is_empty());
        let decoded = scene.decode(vec![vec![instruction]]);
        let kinds: Vec<_> = decoded.problems.into_iter().map(|problem| problem.kind).collect();
        assert_eq!((kinds, decoded.block.transactions.len()), (vec![expected], 0), "{name}");
    }
}

/// The data of a holder with a transaction in it.
fn holder_data(transaction: &Transaction) -> Vec<u8> {
    let envelope = transaction.envelope();
    let mut data = vec![0; Holder::account_length(envelope.len())];
    Holder::create(&mut data, 1, &[7; 32]).unwrap();
    Holder::write(&mut data, 1, envelope.len() as u32, 0, envelope).unwrap();
    data
}

#[test]
fn a_run_that_was_under_way_in_the_beginning_gets_its_receipt() {
    let mut scene = Scene::new();
    let [under_way, next] = [transaction(2, 0), transaction(2, 1)];
    scene.decoder.recall(HOLDER, &holder_data(&under_way));
    scene.decoder.recall(HOLDER, &[1, 2, 3]);
    let found = scene.executed(vec![
        vec![step(&under_way, &[])],
        vec![lock(&under_way)],
        vec![step(&under_way, &report(&under_way))],
    ]);
    assert_eq!(found[0].transaction, under_way);
    assert_trail(&found[0], 1..=3);
    // What is seen counts more than what was there.
    let start = scene.next;
    let mut transactions = writes(&next);
    let end = start + transactions.len() as u8;
    scene.decoder.recall(HOLDER, &holder_data(&under_way));
    transactions.push(vec![step(&next, &report(&next))]);
    let found = scene.executed(transactions);
    assert_eq!(found[0].transaction, next);
    assert_trail(&found[0], start..=end);
}
