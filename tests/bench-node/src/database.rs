//! The database of a chain that ran for long: written by the node's own store, block by block.
//!
//! A block has twenty transactions, a transaction two `Transfer` logs of ERC-20 tokens. Few tokens and few accounts have most of
//! the transfers, as in life: the share of the account with index i falls with i^(2/3). Signatures are made up, and the roots in
//! headers are left out: nobody looks at them again once a block is in the store. The newest blocks are empty, because a node
//! compares those with what its cluster has.

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, B256, Log, Signature, TxKind, U256, keccak256};
use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use indicatif::ProgressBar;
use parhelion_core::emulator::ChainSettings;
use parhelion_core::store::{Block, Executed, Store as _};
use parhelion_core::transaction::Transaction;
use parhelion_indexer::{Tip, empty_block, genesis};
use parhelion_store::SqlStore;
use parhelion_wire::event::Outcome;
use sqlx::{Connection as _, Row as _, SqliteConnection};
use std::path::Path;
use std::sync::Arc;

/// The number of the first block.
const FIRST_BLOCK: u64 = 10_000;
/// Transactions in a block: so many that no more than 100,000 blocks have to be asked for at once, which the node allows.
const BLOCK_TRANSACTIONS: u64 = 20;
/// Logs of a transaction.
const TRANSACTION_LOGS: u64 = 2;
/// Blocks at the end that are empty: more than a node compares with its cluster at the start.
const EMPTY_BLOCKS: u64 = 2_000;
/// Blocks that are appended at once.
const BLOCKS_AT_ONCE: u64 = 1_000;
/// Token contracts.
const TOKENS: usize = 50;
/// A transaction's gas.
const GAS: u64 = 60_000;
/// Seconds since 1970 of the first block.
const TIMESTAMP: u64 = 1_750_000_000;
/// Logs that a question for one receiver of one token should find: about a hundred.
const SELECTIVE_LOGS: std::ops::RangeInclusive<u32> = 80..=125;
/// Questions for such receivers.
const QUESTIONS_MAX: usize = 200;

/// A question for the logs of one receiver.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    /// The token.
    pub(crate) token: Address,
    /// The receiver.
    pub(crate) receiver: Address,
    /// How many logs there are.
    pub(crate) logs: u32,
}

/// What was written.
#[derive(Debug)]
pub(crate) struct Database {
    /// Transactions.
    pub(crate) transactions: u64,
    /// Logs.
    pub(crate) logs: u64,
    /// The first block with transactions.
    pub(crate) first: u64,
    /// The last block with transactions.
    pub(crate) last: u64,
    /// The newest block.
    pub(crate) tip: u64,
    /// Questions that few of the logs answer.
    pub(crate) questions: Vec<Question>,
}

/// The first topic of ERC-20's `Transfer`.
pub(crate) fn transfer_topic() -> B256 {
    keccak256("Transfer(address,address,uint256)")
}

impl Database {
    /// Writes a database of so many transactions to a file.
    pub(crate) async fn write(file: &Path, transactions: u64, progress: &ProgressBar) -> Result<Self> {
        let mut writer = Writer::new(transactions);
        let store = SqlStore::open(&format!("sqlite:{}", file.display())).await?;
        let first = genesis(FIRST_BLOCK, TIMESTAMP, &writer.settings);
        let mut tip = Tip::from(&first);
        store.begin(first).await?;
        let full = transactions / BLOCK_TRANSACTIONS;
        let mut blocks = Vec::new();
        for number in 0..full + EMPTY_BLOCKS {
            let block = if number < full { writer.block(&tip)? } else { empty_block(&tip, &writer.settings) };
            tip = Tip::from(&block);
            blocks.push(block);
            if blocks.len() as u64 == BLOCKS_AT_ONCE || number + 1 == full + EMPTY_BLOCKS {
                store.append_all(std::mem::take(&mut blocks)).await?;
                progress.set_position((number + 1).min(full) * BLOCK_TRANSACTIONS);
            }
        }
        drop(store);
        settle(file).await?;
        let questions = writer.questions();
        ensure!(!questions.is_empty(), "no receiver has about a hundred logs");
        Ok(Self {
            transactions: full * BLOCK_TRANSACTIONS,
            logs: full * BLOCK_TRANSACTIONS * TRANSACTION_LOGS,
            first: FIRST_BLOCK + 1,
            last: FIRST_BLOCK + full,
            tip: tip.number,
            questions,
        })
    }

    /// How many blocks have so many logs.
    pub(crate) const fn blocks_with(logs: u64) -> u64 {
        logs / (BLOCK_TRANSACTIONS * TRANSACTION_LOGS)
    }
}

/// Makes blocks.
struct Writer {
    random: Rng,
    settings: ChainSettings,
    tokens: Vec<Address>,
    accounts: Vec<Address>,
    nonces: Vec<u64>,
    /// How many logs of the first token each account is the receiver of.
    received: Vec<u32>,
}

impl Writer {
    fn new(transactions: u64) -> Self {
        let address = |kind: &str, number: usize| {
            Address::from_slice(&keccak256(format!("bench-node {kind} {number}"))[12..])
        };
        let accounts = usize::try_from(transactions / 20).unwrap_or(usize::MAX).max(100);
        Self {
            random: Rng::with_seed(1),
            settings: ChainSettings {
                chain_id: crate::cluster::CHAIN_ID,
                base_fee: 1_000_000_000,
                block_gas_limit: 1_000_000_000,
            },
            tokens: (0..TOKENS).map(|number| address("token", number)).collect(),
            accounts: (0..accounts).map(|number| address("account", number)).collect(),
            nonces: vec![0; accounts],
            received: vec![0; accounts],
        }
    }

    /// The block behind another one.
    fn block(&mut self, parent: &Tip) -> Result<Block> {
        let mut block = empty_block(parent, &self.settings);
        let header = &mut block.header;
        header.timestamp = TIMESTAMP + (header.number - FIRST_BLOCK) * 2 / 5;
        header.gas_used = GAS * BLOCK_TRANSACTIONS;
        header.beneficiary = Address::repeat_byte(0xfe);
        block.hash = header.hash_slow();
        for index in 0..BLOCK_TRANSACTIONS {
            let executed = self.executed(&block, index)?;
            block.transactions.push(Arc::new(executed));
        }
        Ok(block)
    }

    fn executed(&mut self, block: &Block, index: u64) -> Result<Executed> {
        let (token, sender) = (self.skewed(TOKENS), self.skewed(self.accounts.len()));
        let logs: Vec<Log> = (0..TRANSACTION_LOGS).map(|_| self.log(token, sender)).collect();
        let mut signature = [0; 64];
        self.random.fill(&mut signature);
        let signature = solana_signature::Signature::from(signature);
        Ok(Executed {
            transaction: self.transaction(token, sender)?,
            block_number: block.header.number,
            block_hash: block.hash,
            block_timestamp: block.header.timestamp,
            index,
            outcome: Outcome::Success,
            gas_used: GAS,
            rent_gas: 0,
            cumulative_gas_used: GAS * (index + 1),
            effective_gas_price: U256::from(self.settings.base_fee),
            logs,
            first_log_index: index * TRANSACTION_LOGS,
            coinbase: block.header.beneficiary,
            signature,
            compute_units: 40_000,
            signatures: vec![signature],
            total_compute_units: 40_000,
        })
    }

    /// A `Transfer` from an account to any other.
    fn log(&mut self, token: usize, from: usize) -> Log {
        let to = self.skewed(self.accounts.len());
        if token == 0
            && let Some(received) = self.received.get_mut(to)
        {
            *received += 1;
        }
        let amount = U256::from(self.random.u64(..)).to_be_bytes::<32>();
        let topics = vec![transfer_topic(), self.accounts[from].into_word(), self.accounts[to].into_word()];
        Log::new_unchecked(self.tokens[token], topics, amount.into())
    }

    /// A transaction that calls a token, with the next nonce of its sender.
    fn transaction(&mut self, token: usize, sender: usize) -> Result<Transaction> {
        let nonce = self.nonces[sender];
        self.nonces[sender] += 1;
        let mut input = [0; 68];
        self.random.fill(&mut input[20..]);
        let unsigned = TxEip1559 {
            chain_id: self.settings.chain_id,
            nonce,
            gas_limit: GAS * 2,
            max_fee_per_gas: 2_000_000_000,
            max_priority_fee_per_gas: 0,
            to: TxKind::Call(self.tokens[token]),
            value: U256::ZERO,
            access_list: Default::default(),
            input: input.to_vec().into(),
        };
        let word = |random: &mut Rng| U256::from(random.u128(1..));
        let signature = Signature::new(word(&mut self.random), word(&mut self.random), false);
        let raw = TxEnvelope::from(unsigned.into_signed(signature)).encoded_2718();
        Ok(Transaction::decode_known(raw.into(), self.accounts[sender])?)
    }

    /// An index below `count`, of which small ones come more often.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the index is small and positive, and need not be exact"
    )]
    fn skewed(&mut self, count: usize) -> usize {
        let share = self.random.f64();
        ((count as f64 * share * share * share) as usize).min(count - 1)
    }

    /// Receivers of about a hundred logs of the first token.
    fn questions(&self) -> Vec<Question> {
        let receivers = self.accounts.iter().zip(&self.received);
        let some = receivers.filter(|(_, logs)| SELECTIVE_LOGS.contains(logs)).take(QUESTIONS_MAX);
        some.map(|(receiver, logs)| Question { token: self.tokens[0], receiver: *receiver, logs: *logs })
            .collect()
    }
}

/// Puts everything into the file itself, so that it can be copied.
async fn settle(file: &Path) -> Result<()> {
    let mut connection = connect(file).await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Reads every transaction of the file, and counts those with these bytes in them: the quickest way without an index.
pub(crate) async fn scan(file: &Path, bytes: &[u8]) -> Result<i64> {
    let mut connection = connect(file).await?;
    let query = "SELECT COUNT(*) FROM transactions NOT INDEXED WHERE instr(data, $1) > 0";
    let row = sqlx::query(query).bind(bytes).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(row.try_get(0)?)
}

async fn connect(file: &Path) -> Result<SqliteConnection> {
    let url = format!("sqlite:{}", file.display());
    SqliteConnection::connect(&url).await.with_context(|| format!("cannot open {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use parhelion_core::store::LogFilter;

    #[tokio::test]
    async fn the_store_finds_what_was_written() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("blocks.sqlite");
        let database = Database::write(&file, 20_000, &ProgressBar::hidden()).await.expect("written");
        assert_eq!((database.transactions, database.logs), (20_000, 40_000));
        assert_eq!((database.first, database.last, database.tip), (10_001, 11_000, 13_000));
        let store = SqlStore::open(&format!("sqlite:{}", file.display())).await.expect("opens");
        assert_eq!(store.latest().await.expect("a tip"), database.tip);
        let Question { token, receiver, logs } = database.questions[0];
        let filter = LogFilter {
            from_block: 0,
            to_block: database.tip,
            addresses: vec![token],
            topics: vec![vec![transfer_topic()], vec![], vec![receiver.into_word()]],
        };
        assert_eq!(store.logs(&filter).await.expect("found").len(), logs as usize);
        let scanned = scan(&file, receiver.as_slice()).await.expect("scanned");
        assert!(scanned >= i64::from(logs / 2), "{scanned} transactions have these bytes");
    }
}
