//! What another program passes on counts like what an operator sends: nobody hides a transaction behind a program.

use crate::fixture::{
    HOLDER, OTHER_PROGRAM, begin, cancel, events, execute_from_holder, holder_close, holder_create,
    holder_write, passed_on, plain, step, transaction,
};
use crate::scene::{Scene, assert_trail, report, writes};
use parhelion_core::cluster::LandedInstruction;
use parhelion_core::transaction::Transaction;
use parhelion_indexer::{Decoded, ProblemKind};
use solana_address::Address;

/// The Solana transactions that bring a transaction into the holder and run it to an end of each kind.
fn stories(transaction: &Transaction) -> [(&'static str, Vec<Vec<LandedInstruction>>); 3] {
    let report = report(transaction);
    let story = |run: Vec<LandedInstruction>| {
        let mut story = vec![vec![holder_create()]];
        story.extend(writes(transaction));
        story.extend(run.into_iter().map(|instruction| vec![instruction]));
        story
    };
    let in_steps = |end| story(vec![begin(), step(transaction, &[]), step(transaction, &[]), end]);
    [
        ("at once", story(vec![execute_from_holder(&report)])),
        ("a last step", in_steps(step(transaction, &report))),
        ("cancelled", in_steps(cancel(transaction, &report))),
    ]
}

/// Decodes a slot of these Solana transactions, in which one transaction must have come to its end.
fn decode(story: Vec<Vec<LandedInstruction>>) -> Decoded {
    let decoded = Scene::new().decode(story);
    assert_eq!(decoded.problems, []);
    assert_eq!(decoded.block.transactions.len(), 1);
    decoded
}

/// The same instruction, which names another holder.
fn in_holder(holder: Address, mut instruction: LandedInstruction) -> LandedInstruction {
    let named = instruction.accounts.iter_mut().find(|account| **account == HOLDER);
    *named.unwrap() = holder;
    instruction
}

#[test]
fn a_transaction_is_found_whoever_passes_on_which_part_of_it() {
    let transaction = transaction(2, 0);
    for (name, story) in stories(&transaction) {
        let count = story.len();
        let sent = decode(story.clone()).block;
        assert_eq!(sent.transactions[0].transaction, transaction, "{name}");
        assert_trail(&sent.transactions[0], 2..=count as u8);
        // One of them, or all.
        let parts = (0..count).map(|part| part..part + 1).chain(std::iter::once(0..count));
        for part in parts {
            let mut story = story.clone();
            for instructions in &mut story[part.clone()] {
                *instructions = vec![passed_on(std::mem::take(instructions))];
            }
            let block = decode(story).block;
            assert_eq!(block.hash, sent.hash, "{name}, passed on: {part:?}");
            assert_trail(&block.transactions[0], 2..=count as u8);
        }
        // All by one program, in one Solana transaction.
        let block = decode(vec![vec![passed_on(story.concat())]]).block;
        assert_eq!(block.hash, sent.hash, "{name}");
        assert_trail(&block.transactions[0], [1]);
    }
}

#[test]
fn transactions_that_another_program_carries_itself_are_found() {
    let transactions = [transaction(2, 0), transaction(2, 1)];
    let found = Scene::new().executed(vec![vec![passed_on(transactions.each_ref().map(plain).to_vec())]]);
    let found: Vec<_> = found.iter().map(|executed| executed.transaction.clone()).collect();
    assert_eq!(found, transactions);
}

#[test]
fn what_another_program_does_to_a_followed_holder_is_noticed() {
    let [first, second] = [transaction(2, 0), transaction(2, 1)];
    let whole = |transaction: &Transaction| {
        let envelope = transaction.envelope();
        holder_write(envelope, envelope.len(), 0)
    };
    // It writes another transaction over the first one.
    let mut scene = Scene::new();
    assert!(scene.executed(vec![vec![whole(&first)], vec![passed_on(vec![whole(&second)])]]).is_empty());
    let found = scene.executed(vec![vec![execute_from_holder(&report(&second))]]);
    assert_eq!(found[0].transaction, second);
    assert_trail(&found[0], [2, 3]);
    // It closes the holder, or makes a new one.
    for gone in [holder_close(), holder_create()] {
        let decoded = scene.decode(vec![
            vec![whole(&first)],
            vec![passed_on(vec![gone])],
            vec![execute_from_holder(&report(&first))],
        ]);
        assert_eq!(decoded.problems[0].kind, ProblemKind::HolderUnknown { holder: Some(HOLDER) });
        assert_eq!((decoded.problems.len(), decoded.block.transactions.len()), (1, 0));
    }
}

#[test]
fn runs_in_several_holders_are_told_apart_within_one_program() {
    let [first, second] = [transaction(2, 0), transaction(2, 1)];
    let other = Address::new_from_array([46; 32]);
    let elsewhere = |instruction| in_holder(other, instruction);
    let both = |first: Vec<LandedInstruction>, second: Vec<LandedInstruction>| {
        let pairs = first.into_iter().zip(second.into_iter().map(elsewhere));
        vec![passed_on(pairs.flat_map(|(first, second)| [first, second]).collect())]
    };
    let mut scene = Scene::new();
    let found = scene.executed(vec![
        both(writes(&first).concat(), writes(&second).concat()),
        both(vec![begin(), step(&first, &[])], vec![begin(), step(&second, &[])]),
        both(vec![step(&first, &[])], vec![step(&second, &report(&second))]),
        vec![step(&first, &report(&first))],
    ]);
    assert_eq!([&found[0].transaction, &found[1].transaction], [&second, &first]);
    assert_trail(&found[0], [1, 2, 3]);
    assert_trail(&found[1], [1, 2, 3, 4]);
}

#[test]
fn an_event_of_another_program_ends_no_run() {
    let transaction = transaction(2, 0);
    let mut scene = Scene::new();
    assert!(scene.executed(writes(&transaction)).is_empty());
    let mut imitation = passed_on(vec![step(&transaction, &[])]);
    let forged = events(&report(&transaction), 10_000);
    imitation
        .inner
        .extend(forged.into_iter().map(|event| LandedInstruction { program_id: OTHER_PROGRAM, ..event }));
    let decoded = scene.decode(vec![vec![begin()], vec![imitation]]);
    assert_eq!(decoded.problems[0].kind, ProblemKind::ForeignEvent { program: OTHER_PROGRAM });
    assert_eq!((decoded.problems.len(), decoded.block.transactions.len()), (1, 0));
    let found = scene.executed(vec![vec![passed_on(vec![step(&transaction, &report(&transaction))])]]);
    assert_eq!(found[0].transaction, transaction);
}
