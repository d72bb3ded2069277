//! The chain's blocks as the store has them: read from RLP, and run once more for their receipts.
//!
//! Receipts are not among the data, so revm makes them, from the genesis on. The gas, the bloom and (from Byzantium on, when
//! receipts have a status) the receipts root of every header tell whether they are right. Blob transactions run, but the
//! store's blocks lack them: the node has no such type.

use crate::genesis::{Genesis, Rules};
use alloy_consensus::proofs::calculate_receipt_root;
use alloy_consensus::transaction::SignerRecoverable as _;
use alloy_consensus::{
    EthereumTxEnvelope, Header, Receipt, ReceiptEnvelope, ReceiptWithBloom, Transaction as _, TxEip4844,
    Typed2718 as _,
};
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, B256, Bloom, Bytes, U256, address};
use alloy_rlp::Decodable as _;
use anyhow::{Context as _, Result, anyhow, ensure};
use parhelion_core::store::{Block, Executed};
use parhelion_core::transaction::Transaction;
use parhelion_wire::event::Outcome;
use revm::bytecode::Bytecode;
use revm::context::either::Either;
use revm::context::result::ExecutionResult;
use revm::context::{BlockEnv, CfgEnv, Context, TxEnv};
use revm::database::{CacheDB, EmptyDB};
use revm::handler::MainnetContext;
use revm::primitives::hardfork::SpecId;
use revm::state::AccountInfo;
use revm::{
    Database as _, ExecuteCommitEvm as _, MainBuilder as _, MainContext as _, MainnetEvm,
    SystemCallCommitEvm as _,
};
use solana_signature::Signature;
use std::collections::BTreeSet;
use std::sync::Arc;

type ChainTransaction = EthereumTxEnvelope<TxEip4844>;
type ChainBlock = alloy_consensus::Block<ChainTransaction>;
type State = CacheDB<EmptyDB>;

/// Keeps the roots of beacon blocks (EIP-4788).
const BEACON_ROOTS: Address = address!("000f3df6d732807ef1319fb7b8bb8522d0beac02");
/// Keeps the hashes of blocks (EIP-2935).
const BLOCK_HASHES: Address = address!("0000f90827f1c53a10cb7a02335b175320002935");
/// Collect requests for the beacon chain: withdrawals (EIP-7002) and consolidations (EIP-7251).
const REQUESTS: [Address; 2] = [
    address!("00000961ef480eb55e80d19ad83579a64c007002"),
    address!("0000bbddc7ce488642fb579f8b00f3a590007251"),
];

/// A chain.
pub(crate) struct History {
    /// Its blocks, from the genesis on.
    pub(crate) blocks: Vec<Block>,
    /// Hashes of the blob transactions, which the blocks lack.
    pub(crate) blob_transactions: BTreeSet<B256>,
    /// The chain id.
    pub(crate) chain_id: u64,
}

/// Runs a chain from its genesis on.
///
/// # Errors
/// When the data are damaged, or a header does not say what running its block gives.
pub(crate) fn run(genesis: &[u8], chain: &[u8]) -> Result<History> {
    let genesis: Genesis = serde_json::from_slice(genesis).context("chain/genesis.json")?;
    let header = genesis.header();
    let first = Block { hash: header.hash_slow(), header, transactions: Vec::new() };
    let mut state = state(&genesis);
    let mut history = History {
        blocks: vec![first],
        blob_transactions: BTreeSet::new(),
        chain_id: genesis.config.chain_id,
    };
    for block in decode(chain)? {
        let number = block.header.number;
        let parent = history.blocks.last().map(|parent| parent.hash).unwrap_or_default();
        ensure!(block.header.parent_hash == parent, "block {number} is not a child of the block before it");
        state.cache.block_hashes.insert(U256::from(number.saturating_sub(1)), parent);
        let blobs = block.body.transactions.iter().filter(|transaction| transaction.is_eip4844());
        history.blob_transactions.extend(blobs.map(|blob| *blob.tx_hash()));
        history
            .blocks
            .push(run_block(&mut state, &genesis, &block).with_context(|| format!("block {number}"))?);
    }
    Ok(history)
}

/// The blocks, which are written one behind the other.
fn decode(mut chain: &[u8]) -> Result<Vec<ChainBlock>> {
    let mut blocks = Vec::new();
    while !chain.is_empty() {
        let block = ChainBlock::decode(&mut chain);
        blocks.push(block.with_context(|| format!("chain/chain.rlp, block {}", blocks.len() + 1))?);
    }
    Ok(blocks)
}

/// The state at the beginning.
fn state(genesis: &Genesis) -> State {
    let mut state = State::default();
    for (address, account) in &genesis.alloc {
        let code = Bytecode::new_raw(account.code.clone());
        let info = AccountInfo::new(account.balance, account.nonce, code.hash_slow(), code);
        state.insert_account_info(*address, info);
        for (key, value) in &account.storage {
            let (key, value) = (U256::from_be_bytes(key.0), U256::from_be_bytes(value.0));
            // An EmptyDB has no errors.
            let _ = state.insert_account_storage(*address, key, value);
        }
    }
    state
}

/// Runs a block, and holds what comes of it to its header.
fn run_block(state: &mut State, genesis: &Genesis, block: &ChainBlock) -> Result<Block> {
    let (header, rules) = (&block.header, genesis.rules(&block.header));
    let hash = header.hash_slow();
    let mut machine = Machine { state, genesis, header, rules };
    machine.begin()?;
    let mut all = Vec::new();
    let mut kept = Vec::new();
    let (mut gas, mut log_count) = (0, 0);
    for (transaction, index) in block.body.transactions.iter().zip(0..) {
        let hash_of = || format!("transaction {}", transaction.tx_hash());
        let result = machine.run(transaction).with_context(hash_of)?;
        gas += result.tx_gas_used();
        let executed = Ran::new(&result, gas, log_count);
        log_count += executed.logs.len() as u64;
        all.push(executed.receipt(transaction));
        if !transaction.is_eip4844() {
            kept.push(Arc::new(executed.finish(transaction, header, hash, index).with_context(hash_of)?));
        }
    }
    machine.end(block)?;
    check(header, rules.spec, &all)?;
    Ok(Block { hash, header: header.clone(), transactions: kept })
}

/// What a transaction did.
struct Ran {
    outcome: Outcome,
    gas_used: u64,
    cumulative_gas_used: u64,
    logs: Vec<alloy_primitives::Log>,
    first_log_index: u64,
}

impl Ran {
    fn new(result: &ExecutionResult, cumulative_gas_used: u64, first_log_index: u64) -> Self {
        let (outcome, logs) = match result {
            ExecutionResult::Success { logs, .. } => (Outcome::Success, logs.clone()),
            ExecutionResult::Revert { .. } => (Outcome::Revert, Vec::new()),
            ExecutionResult::Halt { .. } => (Outcome::Halt, Vec::new()),
        };
        Self { outcome, gas_used: result.tx_gas_used(), cumulative_gas_used, logs, first_log_index }
    }

    fn receipt(&self, transaction: &ChainTransaction) -> ReceiptEnvelope {
        let receipt = Receipt {
            status: self.outcome.is_success().into(),
            cumulative_gas_used: self.cumulative_gas_used,
            logs: self.logs.clone(),
        };
        ReceiptEnvelope::from_typed(transaction.tx_type(), ReceiptWithBloom::from(receipt))
    }

    /// As the store has it; nothing of it happened on Solana.
    fn finish(
        self,
        transaction: &ChainTransaction,
        header: &Header,
        block_hash: B256,
        index: u64,
    ) -> Result<Executed> {
        Ok(Executed {
            transaction: Transaction::decode(Bytes::from(transaction.encoded_2718()))?,
            block_number: header.number,
            block_hash,
            block_timestamp: header.timestamp,
            index,
            outcome: self.outcome,
            gas_used: self.gas_used,
            rent_gas: 0,
            cumulative_gas_used: self.cumulative_gas_used,
            effective_gas_price: U256::from(transaction.effective_gas_price(header.base_fee_per_gas)),
            logs: self.logs,
            first_log_index: self.first_log_index,
            coinbase: header.beneficiary,
            signature: Signature::default(),
            compute_units: 0,
            signatures: vec![Signature::default()],
            total_compute_units: 0,
        })
    }
}

/// Whether a header says what running its block gave.
fn check(header: &Header, spec: SpecId, receipts: &[ReceiptEnvelope]) -> Result<()> {
    let gas = receipts.last().map_or(0, ReceiptEnvelope::cumulative_gas_used);
    ensure!(gas == header.gas_used, "gas used: {gas}, header: {}", header.gas_used);
    let bloom = receipts.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | *receipt.logs_bloom());
    ensure!(bloom == header.logs_bloom, "the logs are not those of the header's bloom");
    // Older receipts have the root of the state instead of a status.
    if spec >= SpecId::BYZANTIUM {
        let root = calculate_receipt_root(receipts);
        ensure!(root == header.receipts_root, "receipts root: {root}, header: {}", header.receipts_root);
    }
    Ok(())
}

/// Runs a block's parts on the state.
struct Machine<'a> {
    state: &'a mut State,
    genesis: &'a Genesis,
    header: &'a Header,
    rules: Rules,
}

impl Machine<'_> {
    /// revm over the state.
    fn evm(&mut self) -> MainnetEvm<MainnetContext<&mut State>> {
        let block = self.block();
        let mut config = CfgEnv::new_with_spec(self.rules.spec);
        config.chain_id = self.genesis.config.chain_id;
        Context::mainnet().with_db(&mut *self.state).with_cfg(config).with_block(block).build_mainnet()
    }

    fn block(&self) -> BlockEnv {
        let header = self.header;
        let mut block = BlockEnv {
            number: U256::from(header.number),
            beneficiary: header.beneficiary,
            timestamp: U256::from(header.timestamp),
            gas_limit: header.gas_limit,
            basefee: header.base_fee_per_gas.unwrap_or(0),
            difficulty: header.difficulty,
            prevrandao: (self.rules.spec >= SpecId::MERGE).then_some(header.mix_hash),
            ..BlockEnv::default()
        };
        block.set_blob_excess_gas_and_price(
            header.excess_blob_gas.unwrap_or(0),
            self.rules.blob_fee_update_fraction,
        );
        block
    }

    /// What happens before the first transaction.
    fn begin(&mut self) -> Result<()> {
        if self.rules.spec >= SpecId::CANCUN {
            let root = self.header.parent_beacon_block_root.unwrap_or_default();
            self.system_call(BEACON_ROOTS, Bytes::from(root))?;
        }
        if self.rules.spec >= SpecId::PRAGUE {
            self.system_call(BLOCK_HASHES, Bytes::from(self.header.parent_hash))?;
        }
        Ok(())
    }

    /// What happens behind the last transaction.
    fn end(&mut self, block: &ChainBlock) -> Result<()> {
        if self.rules.spec >= SpecId::PRAGUE {
            for contract in REQUESTS {
                self.system_call(contract, Bytes::new())?;
            }
        }
        let withdrawals = block.body.withdrawals.iter().flat_map(|withdrawals| withdrawals.iter());
        for withdrawal in withdrawals {
            self.add(withdrawal.address, withdrawal.amount_wei())?;
        }
        // Yellow Paper, 11.3: whoever found the block, and whoever found the uncles that it names.
        let reward = self.rules.block_reward();
        let uncles = &block.body.ommers;
        self.add(self.header.beneficiary, reward + reward / U256::from(32) * U256::from(uncles.len()))?;
        for uncle in uncles {
            let eighths = (uncle.number + 8).saturating_sub(self.header.number);
            self.add(uncle.beneficiary, reward / U256::from(8) * U256::from(eighths))?;
        }
        Ok(())
    }

    /// Adds wei to a balance. An account that gets none is not touched.
    fn add(&mut self, address: Address, wei: U256) -> Result<()> {
        if !wei.is_zero() {
            let mut info = self.state.basic(address)?.unwrap_or_default();
            info.balance += wei;
            self.state.insert_account_info(address, info);
        }
        Ok(())
    }

    fn system_call(&mut self, contract: Address, data: Bytes) -> Result<()> {
        let result = self.evm().system_call_commit(contract, data);
        result.map(drop).map_err(|error| anyhow!("the system call of {contract}: {error}"))
    }

    fn run(&mut self, transaction: &ChainTransaction) -> Result<ExecutionResult> {
        let transaction = environment(transaction)?;
        self.evm().transact_commit(transaction).map_err(|error| anyhow!("it does not run: {error}"))
    }
}

/// A transaction as revm takes it.
fn environment(transaction: &ChainTransaction) -> Result<TxEnv> {
    let authorizations = transaction.authorization_list().unwrap_or_default();
    Ok(TxEnv {
        tx_type: transaction.ty(),
        caller: transaction.recover_signer()?,
        gas_limit: transaction.gas_limit(),
        gas_price: transaction.max_fee_per_gas(),
        kind: transaction.kind(),
        value: transaction.value(),
        data: transaction.input().clone(),
        nonce: transaction.nonce(),
        chain_id: transaction.chain_id(),
        access_list: transaction.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: transaction.max_priority_fee_per_gas(),
        blob_hashes: transaction.blob_versioned_hashes().unwrap_or_default().to_vec(),
        max_fee_per_blob_gas: transaction.max_fee_per_blob_gas().unwrap_or(0),
        authorization_list: authorizations.iter().cloned().map(Either::Left).collect(),
    })
}
