//! Transactions, reports and landed Solana transactions to build blocks from.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEnvelope, TxLegacy};
use alloy_primitives::{Address as EthAddress, B256, Bytes, Signature as EthSignature, TxKind, U256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use parhelion_core::cluster::{Clock, LandedBlock, LandedInstruction, LandedTransaction};
use parhelion_core::emulator::ChainSettings;
use parhelion_core::transaction::{Transaction, encode};
use parhelion_indexer::{Tip, genesis};
use parhelion_wire::event::{Log, Outcome, Receipt, instruction_prefix};
use parhelion_wire::instruction::{
    Begin, Cancel, ExecuteFromHolder, HolderClose, HolderCreate, HolderWrite, Lock, Step, tag, transaction_id,
};
use parhelion_wire::{H160, H256};
use solana_address::Address;
use solana_signature::Signature;

pub(crate) const PROGRAM: Address = Address::new_from_array([42; 32]);
pub(crate) const OTHER_PROGRAM: Address = Address::new_from_array([43; 32]);
pub(crate) const HOLDER: Address = Address::new_from_array([44; 32]);
pub(crate) const COINBASE: [u8; 20] = [0xcb; 20];
pub(crate) const CHAIN: ChainSettings =
    ChainSettings { chain_id: 1_234, base_fee: 1_000_000_000, block_gas_limit: 30_000_000 };

pub(crate) fn tip() -> Tip {
    Tip::from(&genesis(0, 1_700_000_000, &CHAIN))
}

fn sign<T: SignableTransaction<EthSignature>>(transaction: T) -> Transaction
where
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    let signer = PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).unwrap();
    let signature = signer.sign_hash_sync(&transaction.signature_hash()).unwrap();
    Transaction::decode(encode(&transaction.into_signed(signature).into())).unwrap()
}

/// A transaction of type `kind`, 0 to 2.
pub(crate) fn transaction(kind: u8, nonce: u64) -> Transaction {
    let (chain_id, to, input) = (CHAIN.chain_id, TxKind::Create, Bytes::from(vec![7; 300]));
    match kind {
        0 => sign(TxLegacy { chain_id: Some(chain_id), nonce, to, input, ..TxLegacy::default() }),
        1 => sign(TxEip2930 { chain_id, nonce, to, input, ..TxEip2930::default() }),
        _ => sign(TxEip1559 { chain_id, nonce, to, input, ..TxEip1559::default() }),
    }
}

pub(crate) fn receipt(transaction: &Transaction) -> Receipt {
    Receipt {
        transaction_hash: H256(transaction.hash().0),
        sender: H160(transaction.sender().into_array()),
        coinbase: H160(COINBASE),
        outcome: Outcome::Success,
        gas_used: 50_000,
        rent_gas: 900,
        effective_gas_price: parhelion_wire::U256::from(1_000_000_001u64),
        created: None,
    }
}

/// A log record with `topics` topics, each made of its place, and data.
pub(crate) fn log(address: u8, topics: u8, data: &[u8]) -> Vec<u8> {
    let mut record = Log::prefix(&H160([address; 20]), topics).to_vec();
    (0..topics).for_each(|topic| record.extend([topic; 32]));
    record.extend((data.len() as u32).to_le_bytes());
    record.extend(data);
    record
}

/// A report as event instructions of at most `share` bytes.
pub(crate) fn events(report: &[u8], share: usize) -> Vec<LandedInstruction> {
    let count = report.chunks(share).count();
    let data = |(index, bytes): (usize, &[u8])| [&instruction_prefix(index + 1 == count)[..], bytes].concat();
    report.chunks(share).enumerate().map(|share| event(data(share))).collect()
}

/// An event instruction, which Config signs.
pub(crate) fn event(data: Vec<u8>) -> LandedInstruction {
    of_program(vec![Address::new_from_array([45; 32])], data)
}

/// An instruction of the program that invokes nothing.
pub(crate) fn of_program(accounts: Vec<Address>, data: Vec<u8>) -> LandedInstruction {
    LandedInstruction { program_id: PROGRAM, accounts, data, inner: vec![] }
}

/// An instruction of another program, which passes on instructions of the program one after the other.
pub(crate) fn passed_on(instructions: Vec<LandedInstruction>) -> LandedInstruction {
    let unrelated = |data| LandedInstruction { program_id: OTHER_PROGRAM, ..of_program(vec![HOLDER], data) };
    let mut inner = vec![];
    for mut instruction in instructions {
        let below = std::mem::take(&mut instruction.inner);
        inner.push(unrelated(vec![7]));
        inner.push(instruction);
        inner.extend(below);
    }
    LandedInstruction { inner, ..unrelated(vec![tag::EXECUTE_FROM_HOLDER]) }
}

pub(crate) fn execute(transaction: &Transaction, report: &[u8]) -> LandedInstruction {
    let data = [&[tag::EXECUTE, 0][..], &COINBASE, transaction.envelope()].concat();
    LandedInstruction { inner: events(report, 10_000), ..of_program(vec![], data) }
}

/// [`execute`] with a receipt and nothing else.
pub(crate) fn plain(transaction: &Transaction) -> LandedInstruction {
    execute(transaction, &receipt(transaction).encode())
}

pub(crate) fn holder_write(bytes: &[u8], length: usize, offset: usize) -> LandedInstruction {
    let write = HolderWrite { length: length as u32, offset: offset as u32, bytes };
    of_program(vec![Address::default(), HOLDER], [&write.prefix()[..], bytes].concat())
}

pub(crate) fn holder_create() -> LandedInstruction {
    of_program(vec![Address::default(), HOLDER], HolderCreate { index: 0 }.encode().to_vec())
}

pub(crate) fn holder_close() -> LandedInstruction {
    of_program(vec![Address::default(), HOLDER], HolderClose.encode().to_vec())
}

/// An instruction that runs what is in the holder.
fn of_holder(data: Vec<u8>, report: &[u8]) -> LandedInstruction {
    let accounts = vec![Address::default(), Address::default(), PROGRAM, HOLDER];
    LandedInstruction { inner: events(report, 10_000), ..of_program(accounts, data) }
}

pub(crate) fn execute_from_holder(report: &[u8]) -> LandedInstruction {
    of_holder(ExecuteFromHolder { coinbase: H160(COINBASE) }.encode().to_vec(), report)
}

pub(crate) fn begin() -> LandedInstruction {
    let begin = Begin { coinbase: H160(COINBASE), stack_words: 1_100, checkpoint_room: 1_000 };
    of_holder(begin.encode().to_vec(), &[])
}

/// A step of the transaction's run; its report is empty unless it is the last one.
pub(crate) fn step(transaction: &Transaction, report: &[u8]) -> LandedInstruction {
    let transaction = transaction_id(&H256(transaction.hash().0));
    let pauses = [0u64.to_le_bytes()];
    let step = Step { transaction, coinbase: H160(COINBASE), number: 0, pauses: &pauses };
    of_holder([&step.prefix()[..], pauses.as_flattened()].concat(), report)
}

pub(crate) fn lock(transaction: &Transaction) -> LandedInstruction {
    let transaction = transaction_id(&H256(transaction.hash().0));
    of_holder(Lock { transaction, number: 0 }.encode().to_vec(), &[])
}

pub(crate) fn cancel(transaction: &Transaction, report: &[u8]) -> LandedInstruction {
    let transaction = transaction_id(&H256(transaction.hash().0));
    of_holder(Cancel { transaction, coinbase: H160(COINBASE) }.encode().to_vec(), report)
}

/// A landed Solana transaction whose signature and compute units come from `number`.
pub(crate) fn landed(number: u8, instructions: Vec<LandedInstruction>) -> LandedTransaction {
    LandedTransaction {
        signature: signature(number),
        compute_units: number.into(),
        lamports: vec![],
        instructions,
    }
}

pub(crate) fn signature(number: u8) -> Signature {
    [number; 64].into()
}

/// The Solana block of a slot, its transactions numbered from 1.
pub(crate) fn slot(slot: u64, transactions: Vec<Vec<LandedInstruction>>) -> LandedBlock {
    slot_from(slot, 1, transactions)
}

/// The Solana block of a slot, its transactions numbered from `first`.
pub(crate) fn slot_from(slot: u64, first: u8, transactions: Vec<Vec<LandedInstruction>>) -> LandedBlock {
    let clock = Clock { slot, unix_timestamp: 1_700_000_000 + slot as i64 };
    let transactions = transactions.into_iter().zip(first..).map(|(content, number)| landed(number, content));
    let previous_blockhash = [0x33; 32].into();
    LandedBlock { clock, previous_blockhash, transactions: transactions.collect() }
}

pub(crate) fn eth_address(byte: u8) -> EthAddress {
    EthAddress::repeat_byte(byte)
}

pub(crate) fn price() -> U256 {
    U256::from(1_000_000_001u64)
}
