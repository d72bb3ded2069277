//! What cannot become part of a block, named; and the rest of the block, which is there in spite of it.

use crate::fixture::{
    CHAIN, HOLDER, OTHER_PROGRAM, PROGRAM, event, events, execute, execute_from_holder, holder_close,
    holder_write, log, of_program, plain, receipt, signature, slot, tip, transaction,
};
use parhelion_core::cluster::LandedInstruction;
use parhelion_core::transaction::TransactionError;
use parhelion_indexer::{Decoder, Problem, ProblemKind};
use parhelion_wire::ProgramError;
use parhelion_wire::event::VERSION;
use parhelion_wire::instruction::tag;

/// Decodes instructions between two that are in order, and gives the problems and how many transactions there are.
fn decode(instructions: Vec<LandedInstruction>) -> (Vec<ProblemKind>, usize) {
    let mut decoder = Decoder::new(PROGRAM.to_bytes(), CHAIN);
    let neighbours = [transaction(2, 1_000), transaction(2, 1_001)];
    let [before, after] = neighbours.each_ref().map(|neighbour| vec![plain(neighbour)]);
    let decoded = decoder.block(&tip(), &slot(1, vec![before, instructions, after]));
    let transactions = &decoded.block.transactions;
    assert_eq!(transactions.first().unwrap().transaction, neighbours[0]);
    assert_eq!(transactions.last().unwrap().transaction, neighbours[1]);
    assert!(decoded.problems.iter().all(|problem| problem.signature == signature(2)));
    let indexes: Vec<_> = transactions.iter().map(|executed| executed.index as usize).collect();
    assert_eq!(indexes, (0..transactions.len()).collect::<Vec<_>>());
    (decoded.problems.into_iter().map(|problem| problem.kind).collect(), transactions.len())
}

fn with_inner(instruction: &LandedInstruction, inner: Vec<LandedInstruction>) -> LandedInstruction {
    LandedInstruction { inner, ..instruction.clone() }
}

#[test]
fn a_report_that_is_cut_malformed_or_missing_loses_its_transaction_and_no_other() {
    let transaction = transaction(2, 0);
    let records = [&receipt(&transaction).encode()[..], &log(1, 1, &[1; 40])].concat();
    let instruction = execute(&transaction, &records);
    let shares = events(&records, 50);
    let joined = |records: &[u8]| vec![execute(&transaction, records)];
    let rows = [
        ("nothing", vec![with_inner(&instruction, vec![])], ProblemKind::ReportMissing),
        ("no end", vec![with_inner(&instruction, shares[..2].to_vec())], ProblemKind::ReportIncomplete),
        (
            "a share behind the end",
            vec![with_inner(&instruction, [&shares[..], &shares[..1]].concat())],
            ProblemKind::ReportMalformed,
        ),
        ("cut records", joined(&records[..records.len() - 1]), ProblemKind::ReportMalformed),
        ("a byte too many", joined(&[&records[..], &[0]].concat()), ProblemKind::ReportMalformed),
        ("no receipt", joined(&log(1, 0, &[])), ProblemKind::ReportMalformed),
        (
            "two receipts",
            joined(&[&records[..], &receipt(&transaction).encode()].concat()),
            ProblemKind::ReportMalformed,
        ),
        ("five topics", joined(&[&records[..], &log(1, 5, &[])].concat()), ProblemKind::ReportMalformed),
        (
            "a last share without bytes only",
            vec![with_inner(&instruction, vec![event(vec![tag::EVENT, VERSION, 1])])],
            ProblemKind::ReportMalformed,
        ),
    ];
    for (name, instructions, expected) in rows {
        assert!(expected.loses_transaction(), "{name}");
        assert_eq!(decode(instructions), (vec![expected], 2), "{name}");
    }
    assert_eq!(decode(vec![instruction]), (vec![], 3));
}

#[test]
fn a_receipt_of_another_transaction_is_refused() {
    let [transaction, other] = [transaction(2, 0), transaction(2, 1)];
    let expected = ProblemKind::HashMismatch { receipt: other.hash(), transaction: transaction.hash() };
    assert_eq!(decode(vec![execute(&transaction, &receipt(&other).encode())]), (vec![expected], 2));
}

#[test]
fn events_of_other_programs_are_ignored() {
    let transaction = transaction(2, 0);
    let genuine = plain(&transaction);
    let mut forged = events(&receipt(&transaction).encode(), 10_000);
    forged[0].program_id = OTHER_PROGRAM;
    let foreign = ProblemKind::ForeignEvent { program: OTHER_PROGRAM };
    assert!(!foreign.loses_transaction());

    let beside = with_inner(&genuine, [&forged[..], &genuine.inner].concat());
    assert_eq!(decode(vec![beside]), (vec![foreign.clone()], 3), "the genuine one counts");
    let alone = with_inner(&genuine, forged.clone());
    assert_eq!(decode(vec![alone]), (vec![foreign.clone(), ProblemKind::ReportMissing], 2));
    // A program of somebody else that only imitates ours: its execute is no transaction of ours.
    let imitation = LandedInstruction { program_id: OTHER_PROGRAM, inner: forged, ..genuine };
    assert_eq!(decode(vec![imitation]), (vec![foreign], 2));
}

#[test]
fn events_of_unknown_versions_and_outside_of_a_run_are_ignored() {
    let transaction = transaction(2, 0);
    let genuine = plain(&transaction);
    for data in [vec![tag::EVENT], vec![tag::EVENT, VERSION], vec![tag::EVENT, VERSION + 1, 1, 0]] {
        let inner = [&[event(data)], &genuine.inner[..]].concat();
        assert_eq!(decode(vec![with_inner(&genuine, inner)]), (vec![ProblemKind::UnknownEvent], 3));
    }
    assert_eq!(decode(vec![genuine.inner[0].clone()]), (vec![ProblemKind::UnknownEvent], 2));
    let unexpected = of_program(vec![], vec![tag::CODE_RELEASE]);
    let unexpected = with_inner(&unexpected, genuine.inner);
    assert_eq!(decode(vec![unexpected]), (vec![ProblemKind::UnexpectedReceipt], 2));
}

#[test]
fn transactions_that_cannot_be_read_are_named() {
    let transaction = transaction(2, 0);
    let report = receipt(&transaction).encode();
    let instruction = plain(&transaction);
    let cut = |length: usize| LandedInstruction {
        data: instruction.data[..length].to_vec(),
        ..instruction.clone()
    };
    let undecodable = |error| ProblemKind::Undecodable(TransactionError::Invalid(error));
    let unknown = |holder| ProblemKind::HolderUnknown { holder };
    let no_accounts = LandedInstruction { accounts: vec![], ..execute_from_holder(&report) };
    let envelope = transaction.envelope();
    let half = holder_write(&envelope[..100], envelope.len(), 0);
    let malformed = ProgramError::MalformedTransaction;
    let rows = [
        ("a short instruction", vec![cut(21)], ProblemKind::ShortInstruction),
        ("a short envelope", vec![cut(40)], undecodable(ProgramError::MalformedInstruction)),
        ("a short payload", vec![cut(200)], undecodable(malformed)),
        ("an unknown holder", vec![execute_from_holder(&report)], unknown(Some(HOLDER))),
        ("no accounts", vec![no_accounts], unknown(None)),
        (
            "a closed holder",
            vec![holder_write(envelope, envelope.len(), 0), holder_close(), execute_from_holder(&report)],
            unknown(Some(HOLDER)),
        ),
        ("a holder half written", vec![half, execute_from_holder(&report)], undecodable(malformed)),
    ];
    for (name, instructions, expected) in rows {
        assert_eq!(decode(instructions), (vec![expected], 2), "{name}");
    }
}

#[test]
fn instructions_without_data_and_unknown_ones_change_nothing() {
    let instructions =
        [vec![], vec![0xff], vec![tag::HOLDER_WRITE], vec![tag::CONFIGURE], vec![tag::INITIALIZE, 1]];
    assert_eq!(decode(instructions.map(|data| of_program(vec![], data)).to_vec()), (vec![], 2));
}

#[test]
fn a_problem_names_its_solana_transaction() {
    let problem = Problem { signature: signature(0), kind: ProblemKind::ReportMissing };
    let text = format!("Solana transaction {}: its run reported nothing that can be read", signature(0));
    assert_eq!(problem.to_string(), text);
}
