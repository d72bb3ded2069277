//! What becomes of landed instructions.

use crate::fixture::{
    CHAIN, COINBASE, HOLDER, PROGRAM, eth_address, events, execute, execute_from_holder, holder_close,
    holder_create, holder_write, log, of_program, price, receipt, signature, slot, tip, transaction,
};
use alloy_consensus::proofs::{calculate_receipt_root, calculate_transaction_root};
use alloy_consensus::{
    EMPTY_OMMER_ROOT_HASH, EMPTY_ROOT_HASH, Receipt, ReceiptEnvelope, ReceiptWithBloom, TxEnvelope,
};
use alloy_primitives::{Address as EthAddress, B256, Bloom, U256};
use parhelion_core::cluster::LandedInstruction;
use parhelion_core::emulator::ChainSettings;
use parhelion_indexer::{Decoded, Decoder, Tip, empty_block, genesis};
use parhelion_wire::event::{Deposit, Outcome, Withdrawal};
use parhelion_wire::instruction::{Configure, Initialize};
use parhelion_wire::{H160, event};
use solana_address::Address;

fn decode(transactions: Vec<Vec<LandedInstruction>>) -> Decoded {
    let mut decoder = Decoder::new(PROGRAM.to_bytes(), CHAIN);
    decoder.block(&tip(), &slot(1, transactions))
}

#[test]
fn a_block_has_every_field_of_transactions_receipts_and_header() {
    let [first, second, third] = [transaction(0, 0), transaction(1, 1), transaction(2, 2)];
    let failed = event::Receipt { outcome: Outcome::Revert, gas_used: 30_000, ..receipt(&second) };
    let with_logs = |transaction, data: &[u8]| {
        [&receipt(transaction).encode()[..], &log(1, 2, data), &log(2, 0, &[])].concat()
    };
    let decoded = decode(vec![
        vec![execute(&first, &with_logs(&first, &[1, 2, 3]))],
        vec![execute(&second, &failed.encode())],
        vec![execute(&third, &with_logs(&third, &[]))],
    ]);
    assert_eq!(decoded.problems, []);
    let block = decoded.block;
    assert_eq!(block.hash, block.header.hash_slow());
    let expected = [(&first, 50_000, 50_000, 0), (&second, 30_000, 80_000, 2), (&third, 50_000, 130_000, 2)];
    for (executed, (transaction, gas, cumulative, first_log)) in block.transactions.iter().zip(expected) {
        let place = (executed.block_number, executed.block_hash, executed.block_timestamp);
        assert_eq!(place, (1, block.hash, 1_700_000_001));
        assert_eq!(executed.transaction, *transaction);
        assert_eq!((executed.gas_used, executed.cumulative_gas_used), (gas, cumulative));
        assert_eq!((executed.rent_gas, executed.effective_gas_price), (900, price()));
        assert_eq!(executed.first_log_index, first_log);
        assert_eq!(executed.coinbase, EthAddress::from(COINBASE));
        let number = executed.index as u8 + 1;
        assert_eq!((executed.signature, executed.compute_units), (signature(number), number.into()));
        // Nothing but the Solana transaction that executed it.
        let all = (&executed.signatures[..], executed.total_compute_units);
        assert_eq!(all, (&[signature(number)][..], number.into()));
    }
    assert_eq!(block.transactions.len(), 3);
    let outcomes: Vec<_> = block.transactions.iter().map(|executed| executed.outcome).collect();
    assert_eq!(outcomes, [Outcome::Success, Outcome::Revert, Outcome::Success]);
    let logs = &block.transactions[0].logs;
    assert_eq!((logs[0].address, &logs[0].data.data[..]), (eth_address(1), &[1, 2, 3][..]));
    assert_eq!(logs[0].topics(), [B256::ZERO, B256::repeat_byte(1)]);
    assert_eq!((logs[1].address, logs[1].topics().len(), logs[1].data.data.len()), (eth_address(2), 0, 0));

    let header = block.header;
    assert_eq!((header.number, header.timestamp, header.parent_hash), (1, 1_700_000_001, tip().hash));
    assert_eq!((header.gas_used, header.gas_limit), (130_000, CHAIN.block_gas_limit));
    assert_eq!((header.base_fee_per_gas, header.beneficiary), (Some(CHAIN.base_fee), COINBASE.into()));
    assert_eq!((header.mix_hash, &header.extra_data[..]), (B256::repeat_byte(0x33), &b"Parhelion"[..]));
}

#[test]
fn roots_and_bloom_are_those_that_alloy_computes() {
    let transactions = [transaction(0, 0), transaction(1, 1), transaction(2, 2)];
    let reports = transactions.iter().map(|transaction| {
        [&receipt(transaction).encode()[..], &log(9, 4, &[transaction.hash()[0]])].concat()
    });
    let instructions =
        transactions.iter().zip(reports).map(|(transaction, report)| vec![execute(transaction, &report)]);
    let block = decode(instructions.collect()).block;

    let envelopes: Vec<TxEnvelope> =
        transactions.iter().map(|transaction| transaction.inner().clone()).collect();
    assert_eq!(block.header.transactions_root, calculate_transaction_root(&envelopes));
    let receipts = block.transactions.iter().zip(&envelopes).map(|(executed, envelope)| {
        let receipt = Receipt {
            status: true.into(),
            cumulative_gas_used: 50_000 * (executed.index + 1),
            logs: executed.logs.clone(),
        };
        ReceiptEnvelope::from_typed(envelope.tx_type(), ReceiptWithBloom::from(receipt))
    });
    assert_eq!(block.header.receipts_root, calculate_receipt_root(&receipts.collect::<Vec<_>>()));
    let logs = block.transactions.iter().flat_map(|executed| &executed.logs);
    assert_eq!(block.header.logs_bloom, logs.collect::<Bloom>());
    assert_ne!(block.header.logs_bloom, Bloom::ZERO);
}

#[test]
fn an_empty_block_is_a_valid_post_merge_block_of_its_parent() {
    let parent = tip();
    let block = empty_block(&parent, &CHAIN);
    let header = &block.header;
    assert_eq!((header.number, header.parent_hash, header.timestamp), (1, parent.hash, parent.timestamp));
    assert_eq!(block.hash, header.hash_slow());
    assert_eq!([header.transactions_root, header.receipts_root], [EMPTY_ROOT_HASH; 2]);
    assert_eq!((header.ommers_hash, header.difficulty), (EMPTY_OMMER_ROOT_HASH, U256::ZERO));
    assert_eq!((header.gas_used, header.mix_hash, header.beneficiary), Default::default());
    assert_eq!(header.withdrawals_root, Some(EMPTY_ROOT_HASH));
    assert_eq!((header.blob_gas_used, header.excess_blob_gas), (Some(0), Some(0)));
    assert!(header.requests_hash.is_some() && header.parent_beacon_block_root.is_some());
    // A slot in which nothing of the program ran has the same block, apart from the time that is known of it.
    let landed_empty = decode(vec![]).block.header;
    assert_eq!(landed_empty.receipts_root, header.receipts_root);
    assert_eq!(genesis(7, 1, &CHAIN).header.number, 7);
}

#[test]
fn a_report_is_joined_from_shares_of_any_size() {
    let transaction = transaction(2, 0);
    let records = [&receipt(&transaction).encode()[..], &log(1, 4, &[7; 500]), &log(2, 1, &[8; 20])].concat();
    let whole = decode(vec![vec![execute(&transaction, &records)]]).block;
    let system =
        LandedInstruction { program_id: Address::default(), ..of_program(vec![HOLDER; 2], vec![0; 52]) };
    for share in [1, 2, 3, 100, records.len() - 1, records.len()] {
        let mut instruction = execute(&transaction, &[]);
        instruction.inner = events(&records, share);
        // Between the shares other programs are invoked: the System program to create accounts, for example.
        instruction.inner.insert(1.min(instruction.inner.len()), system.clone());
        let decoded = decode(vec![vec![instruction]]);
        assert_eq!(decoded.problems, [], "share {share}");
        assert_eq!(decoded.block.hash, whole.hash, "share {share}");
    }
}

#[test]
fn two_transactions_in_one_solana_transaction_keep_their_reports() {
    let [first, second] = [transaction(2, 0), transaction(2, 1)];
    let report = |transaction, data| [&receipt(transaction).encode()[..], &log(1, 0, &[data])].concat();
    let decoded =
        decode(vec![vec![execute(&first, &report(&first, 1)), execute(&second, &report(&second, 2))]]);
    assert_eq!(decoded.problems, []);
    let data: Vec<_> =
        decoded.block.transactions.iter().map(|executed| executed.logs[0].data.data[0]).collect();
    assert_eq!(data, [1, 2]);
    assert_eq!(decoded.block.transactions[1].signature, signature(1));
}

#[test]
fn a_large_transaction_is_read_from_its_holder_across_blocks() {
    let mut decoder = Decoder::new(PROGRAM.to_bytes(), CHAIN);
    let large = transaction(2, 0);
    let envelope = large.envelope();
    let (front, back) = envelope.split_at(200);
    // The pieces land in the wrong order, in different blocks.
    let first = slot(1, vec![vec![holder_create(), holder_write(back, envelope.len(), 200)]]);
    let second = slot(
        2,
        vec![
            vec![holder_write(front, envelope.len(), 0)],
            vec![execute_from_holder(&receipt(&large).encode())],
            vec![holder_close()],
        ],
    );
    let empty = decoder.block(&tip(), &first);
    assert!(empty.problems.is_empty() && empty.block.transactions.is_empty());
    let decoded = decoder.block(&Tip::from(&empty.block), &second);
    assert_eq!(decoded.problems, []);
    assert_eq!(decoded.block.header.parent_hash, empty.block.hash);
    assert_eq!(decoded.block.transactions[0].transaction, large);
    assert_eq!(decoded.block.transactions[0].signature, signature(2));
}

#[test]
fn deposits_and_withdrawals_make_no_transactions() {
    let deposit = Deposit { address: H160([1; 20]), lamports: 2, payer: [3; 32] };
    let mut instruction = of_program(
        vec![],
        parhelion_wire::instruction::Deposit { address: H160([1; 20]), lamports: 2 }.encode().to_vec(),
    );
    instruction.inner = events(&deposit.encode(), 10_000);
    let transaction = transaction(2, 0);
    let withdrawal = Withdrawal { from: H160([1; 20]), payee: [2; 32], lamports: 3 };
    let report = [&receipt(&transaction).encode()[..], &withdrawal.encode(), &log(1, 0, &[])].concat();
    let decoded = decode(vec![vec![instruction], vec![execute(&transaction, &report)]]);
    assert_eq!(decoded.problems, []);
    assert_eq!(decoded.block.transactions.len(), 1);
    assert_eq!(decoded.block.transactions[0].logs.len(), 1);
}

#[test]
fn settings_are_followed_from_the_block_that_changes_them() {
    let mut decoder = Decoder::new(PROGRAM.to_bytes(), CHAIN);
    let configure = Configure { base_fee: Some(7), ..Configure::default() };
    let configure = slot(1, vec![vec![of_program(vec![], configure.encode())]]);
    let decoded = decoder.block(&tip(), &configure);
    assert_eq!(decoded.problems, []);
    let header = decoded.block.header;
    assert_eq!((header.base_fee_per_gas, header.gas_limit), (Some(7), CHAIN.block_gas_limit));
    let initialize = Initialize { chain_id: 5, base_fee: 6, block_gas_limit: 8, authority: [0; 32] };
    decoder.block(&tip(), &slot(2, vec![vec![of_program(vec![], initialize.encode())]]));
    assert_eq!(*decoder.chain(), ChainSettings { chain_id: 5, base_fee: 6, block_gas_limit: 8 });
}
