//! What the program reported about runs and deposits.
//!
//! The program reports by invoking itself (see [`parhelion_wire::event`]). [`reports`] takes the inner instructions
//! of a transaction *that succeeded*, joins the shares and decodes them into owned values. Nobody but the program can
//! make such an inner instruction succeed, so what comes out is as trustworthy as the transaction itself.

use crate::convert::{EthereumAddress, from_h160, from_h256, from_wire_u256};
use alloy_primitives::{B256, Bytes, Log, U256};
use parhelion_wire::event::{Event, Records, VERSION, share};
use parhelion_wire::instruction::tag;
use solana_address::Address;

pub use parhelion_wire::event::Outcome;

/// A report of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// An Ethereum transaction was executed.
    Execution(Execution),
    /// Value came in from Solana.
    Deposit(Deposit),
}

/// An executed Ethereum transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Its receipt.
    pub receipt: Receipt,
    /// The logs that it committed, in the order in which they were emitted.
    pub logs: Vec<Log>,
    /// What it paid out to Solana accounts, in order.
    pub withdrawals: Vec<Withdrawal>,
}

/// How an Ethereum transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The Ethereum transaction hash.
    pub transaction_hash: B256,
    /// Who sent it.
    pub sender: EthereumAddress,
    /// The operator's Ethereum address, which received the fees.
    pub coinbase: EthereumAddress,
    /// How it ended.
    pub outcome: Outcome,
    /// Gas used, rent gas included.
    pub gas_used: u64,
    /// Gas that paid the rent of new state.
    pub rent_gas: u64,
    /// Wei per gas that was paid.
    pub effective_gas_price: U256,
    /// The contract that a creating transaction created.
    pub created: Option<EthereumAddress>,
}

/// Value paid out to a Solana account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// The Ethereum address that withdrew.
    pub from: EthereumAddress,
    /// The Solana account that was paid.
    pub payee: Address,
    /// How much it was paid.
    pub lamports: u64,
}

/// Value paid in from a Solana account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// The Ethereum address that was credited.
    pub address: EthereumAddress,
    /// How much came in.
    pub lamports: u64,
    /// The Solana account that paid.
    pub payer: Address,
}

/// Why inner instructions make no reports. Each of them means that the program and this crate are not of one version,
/// or that the instructions are not those of a whole transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// An event instruction of a version that this crate does not know.
    #[error("the program reports in version {found}, this client knows version {VERSION}: update the client")]
    UnknownVersion {
        /// The version.
        found: u8,
    },
    /// The last share of a report is missing.
    #[error(
        "a report of the program has no end: pass the inner instructions of the whole transaction, in order"
    )]
    Unfinished,
    /// The joined bytes are no report.
    #[error(
        "a report of the program is malformed; this is a bug, please report it with the transaction's signature"
    )]
    Malformed,
}

/// The reports in the inner instructions of one or more top-level instructions, in order.
///
/// `instructions` are program and data of each inner instruction, in the order in which they ran; those that are not
/// events of the program are skipped.
///
/// # Errors
/// [`EventError`].
pub fn reports<Data: AsRef<[u8]>>(
    program_id: &Address,
    instructions: impl IntoIterator<Item = (Address, Data)>,
) -> Result<Vec<Report>, EventError> {
    let mut reports = Vec::new();
    // The shares joined so far; `None` between reports, because a report may be empty bytes only by mistake.
    let mut joined: Option<Vec<u8>> = None;
    for (program, data) in instructions {
        let data = data.as_ref();
        if program != *program_id || data.first() != Some(&tag::EVENT) {
            continue;
        }
        let (bytes, last) = share(data).ok_or_else(|| no_share(data))?;
        let report = joined.get_or_insert_default();
        report.extend_from_slice(bytes);
        if last {
            reports.push(decode(report)?);
            joined = None;
        }
    }
    if joined.is_some() { Err(EventError::Unfinished) } else { Ok(reports) }
}

/// Why an event instruction has no share of a report.
fn no_share(data: &[u8]) -> EventError {
    match data.get(1) {
        Some(&found) if found != VERSION => EventError::UnknownVersion { found },
        _ => EventError::Malformed,
    }
}

/// Decodes a joined report: a deposit, or a receipt and then logs and withdrawals.
fn decode(bytes: &[u8]) -> Result<Report, EventError> {
    let mut records = Records(bytes).map(|record| record.map_err(|_| EventError::Malformed));
    let first = records.next().ok_or(EventError::Malformed)??;
    match first {
        Event::Deposit(deposit) => match records.next() {
            None => Ok(Report::Deposit(deposit.into())),
            Some(_) => Err(EventError::Malformed),
        },
        Event::Receipt(receipt) => {
            let mut execution =
                Execution { receipt: receipt.into(), logs: Vec::new(), withdrawals: Vec::new() };
            for record in records {
                match record? {
                    Event::Log(log) => execution.logs.push(owned_log(&log)?),
                    Event::Withdrawal(withdrawal) => execution.withdrawals.push(withdrawal.into()),
                    Event::Receipt(_) | Event::Deposit(_) => return Err(EventError::Malformed),
                }
            }
            Ok(Report::Execution(execution))
        }
        Event::Log(_) | Event::Withdrawal(_) => Err(EventError::Malformed),
    }
}

fn owned_log(log: &parhelion_wire::event::Log<'_>) -> Result<Log, EventError> {
    let topics = log.topics.iter().map(|topic| B256::new(*topic)).collect();
    // `Log::new` refuses more than four topics.
    Log::new(from_h160(log.address), topics, Bytes::copy_from_slice(log.data)).ok_or(EventError::Malformed)
}

impl From<parhelion_wire::event::Receipt> for Receipt {
    fn from(receipt: parhelion_wire::event::Receipt) -> Self {
        Self {
            transaction_hash: from_h256(receipt.transaction_hash),
            sender: from_h160(receipt.sender),
            coinbase: from_h160(receipt.coinbase),
            outcome: receipt.outcome,
            gas_used: receipt.gas_used,
            rent_gas: receipt.rent_gas,
            effective_gas_price: from_wire_u256(receipt.effective_gas_price),
            created: receipt.created.map(from_h160),
        }
    }
}

impl From<parhelion_wire::event::Withdrawal> for Withdrawal {
    fn from(withdrawal: parhelion_wire::event::Withdrawal) -> Self {
        Self {
            from: from_h160(withdrawal.from),
            payee: Address::new_from_array(withdrawal.payee),
            lamports: withdrawal.lamports,
        }
    }
}

impl From<parhelion_wire::event::Deposit> for Deposit {
    fn from(deposit: parhelion_wire::event::Deposit) -> Self {
        Self {
            address: from_h160(deposit.address),
            lamports: deposit.lamports,
            payer: Address::new_from_array(deposit.payer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parhelion_wire::event::{self as wire, instruction_prefix};
    use parhelion_wire::{H160, H256};
    use proptest::prelude::*;

    const PROGRAM: Address = Address::new_from_array([1; 32]);
    const OTHER: Address = Address::new_from_array([2; 32]);

    fn receipt() -> wire::Receipt {
        wire::Receipt {
            transaction_hash: H256([1; 32]),
            sender: H160([2; 20]),
            coinbase: H160([3; 20]),
            outcome: Outcome::Success,
            gas_used: 21_000,
            rent_gas: 7,
            effective_gas_price: parhelion_wire::U256::from(1_000_000_000u64),
            created: Some(H160([4; 20])),
        }
    }

    fn log(topics: u8, data: &[u8]) -> Vec<u8> {
        let mut bytes = wire::Log::prefix(&H160([5; 20]), topics).to_vec();
        bytes.extend(vec![[6; 32]; usize::from(topics)].concat());
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes.extend(data);
        bytes
    }

    /// A report of a receipt, a withdrawal and two logs.
    fn execution() -> Vec<u8> {
        let withdrawal = wire::Withdrawal { from: H160([2; 20]), payee: [8; 32], lamports: 9 };
        [&receipt().encode()[..], &withdrawal.encode(), &log(4, &[1; 100]), &log(0, &[])].concat()
    }

    /// Event instructions with `share` bytes of the report each.
    fn split(report: &[u8], share: usize) -> Vec<(Address, Vec<u8>)> {
        let count = report.len().div_ceil(share);
        let instruction = |(index, bytes): (usize, &[u8])| {
            (PROGRAM, [&instruction_prefix(index + 1 == count)[..], bytes].concat())
        };
        report.chunks(share).enumerate().map(instruction).collect()
    }

    #[test]
    fn a_report_reads_back_however_it_is_cut() {
        let report = execution();
        let whole = reports(&PROGRAM, split(&report, report.len())).expect("valid");
        let [Report::Execution(execution)] = &whole[..] else { panic!("one execution") };
        assert_eq!(execution.receipt.transaction_hash, B256::repeat_byte(1));
        assert_eq!(execution.receipt.effective_gas_price, U256::from(1_000_000_000u64));
        assert_eq!(execution.receipt.created, Some(EthereumAddress::repeat_byte(4)));
        assert_eq!((execution.receipt.gas_used, execution.receipt.rent_gas), (21_000, 7));
        let payee = Address::new_from_array([8; 32]);
        let from = EthereumAddress::repeat_byte(2);
        assert_eq!(execution.withdrawals, [Withdrawal { from, payee, lamports: 9 }]);
        let counts: Vec<_> =
            execution.logs.iter().map(|log| (log.data.topics().len(), log.data.data.len())).collect();
        assert_eq!(counts, [(4, 100), (0, 0)]);
        for share in [1, 2, 30, 123, report.len() - 1] {
            assert_eq!(reports(&PROGRAM, split(&report, share)).as_ref(), Ok(&whole), "{share}");
        }
    }

    #[test]
    fn several_reports_keep_their_order_and_other_instructions_are_skipped() {
        let deposit = wire::Deposit { address: H160([1; 20]), lamports: 5, payer: [3; 32] };
        let mut instructions = vec![(OTHER, vec![tag::EVENT, 77]), (PROGRAM, vec![tag::DEPOSIT, 1])];
        instructions.extend(split(&deposit.encode(), 20));
        instructions.push((OTHER, vec![]));
        instructions.push((PROGRAM, vec![]));
        for (index, instruction) in split(&execution(), 50).into_iter().enumerate() {
            instructions.push(instruction);
            // The shares of one report may be apart.
            instructions.push((OTHER, vec![index as u8]));
        }
        let reports = reports(&PROGRAM, instructions).expect("valid");
        let payer = Address::new_from_array([3; 32]);
        let address = EthereumAddress::repeat_byte(1);
        assert_eq!(reports[0], Report::Deposit(Deposit { address, lamports: 5, payer }));
        assert!(matches!(reports[1], Report::Execution(_)));
        assert_eq!(reports.len(), 2);
    }

    #[test]
    fn unfinished_unknown_and_malformed_reports_are_refused() {
        let decode = |instructions: Vec<(Address, Vec<u8>)>| reports(&PROGRAM, instructions);
        assert_eq!(decode(vec![]), Ok(vec![]));
        let mut cut = split(&execution(), 100);
        cut.pop();
        assert_eq!(decode(cut), Err(EventError::Unfinished));
        let unknown = Err(EventError::UnknownVersion { found: 2 });
        assert_eq!(decode(vec![(PROGRAM, vec![tag::EVENT, 2, 1])]), unknown);
        for cut in [vec![tag::EVENT], vec![tag::EVENT, wire::VERSION]] {
            assert_eq!(decode(vec![(PROGRAM, cut)]), Err(EventError::Malformed));
        }
        let deposit = wire::Deposit { address: H160([1; 20]), lamports: 5, payer: [3; 32] }.encode();
        for malformed in [
            vec![],
            vec![99],
            log(0, &[]),
            [&receipt().encode()[..], &receipt().encode()].concat(),
            [&receipt().encode()[..], &deposit].concat(),
            [&deposit[..], &log(0, &[])].concat(),
            [&receipt().encode()[..], &log(5, &[])].concat(),
            execution()[..execution().len() - 1].to_vec(),
        ] {
            let instruction = [&instruction_prefix(true)[..], &malformed].concat();
            assert_eq!(decode(vec![(PROGRAM, instruction)]), Err(EventError::Malformed), "{malformed:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(data: Vec<Vec<u8>>, version in 0u8..3, last in 0u8..3) {
            let instructions = data.into_iter().map(|bytes| {
                (PROGRAM, [&[tag::EVENT, version, last][..], &bytes].concat())
            });
            let _ = reports(&PROGRAM, instructions);
        }
    }
}
