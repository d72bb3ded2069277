//! Blocks of the program's transactions.

use super::{RpcCluster, nonsense, response_code, retry};
use crate::landed::{self, Inner};
use futures::{StreamExt, TryStreamExt, stream};
use parhelion_core::cluster::{BlockOutline, Clock, ClusterError, LandedBlock, LandedTransaction};
use serde_json::json;
use solana_address::Address;
use solana_commitment_config::CommitmentConfig;
use solana_hash::Hash;
use solana_message::compiled_instruction::CompiledInstruction;
use solana_rpc_client_api::config::{
    RpcBlockConfig, RpcSignaturesForAddressConfig, TransactionDetails, UiTransactionEncoding,
};
use solana_rpc_client_api::custom_error as code;
use solana_rpc_client_api::request::RpcRequest;
use solana_rpc_client_api::response::RpcConfirmedTransactionStatusWithSignature;
use solana_signature::Signature;
use solana_transaction_status_client_types::option_serializer::OptionSerializer;
use solana_transaction_status_client_types::{
    EncodedTransactionWithStatusMeta, UiConfirmedBlock, UiInstruction, UiLoadedAddresses,
    UiTransactionStatusMeta,
};
use std::collections::BTreeMap;

/// Slots asked for in one `getBlocks`.
const SLOTS_A_REQUEST: u64 = 1_000;
/// Signatures asked for in one `getSignaturesForAddress`: as many as there are at once.
const SIGNATURES_A_REQUEST: usize = 1_000;
/// Blocks read at the same time.
const BLOCKS_IN_FLIGHT: usize = 4;
/// The newest transaction format that this crate reads. A block with a newer one is refused by the node.
const TRANSACTION_VERSION_MAX: u8 = 1;

impl RpcCluster {
    pub(super) async fn read_blocks(&self, first: u64, last: u64) -> Result<Vec<LandedBlock>, ClusterError> {
        let mut blocks = Vec::new();
        let mut next = first;
        while next <= last {
            let end = last.min(next.saturating_add(SLOTS_A_REQUEST - 1));
            let commitment = self.commitment;
            let slots = retry(|| self.rpc.get_blocks_with_commitment(next, Some(end), commitment)).await?;
            blocks.extend(self.read_blocks_of(&slots).await?);
            let Some(behind) = end.checked_add(1) else { break };
            next = behind;
        }
        Ok(blocks)
    }

    /// The blocks of these slots that hold transactions of the program.
    pub(super) async fn read_blocks_of(&self, slots: &[u64]) -> Result<Vec<LandedBlock>, ClusterError> {
        let read = stream::iter(slots.to_vec())
            .map(|slot| self.read_block(slot))
            // In the order of the slots, however the answers come in.
            .buffered(BLOCKS_IN_FLIGHT)
            .try_filter_map(|block| async move { Ok(block) });
        read.try_collect().await
    }

    /// The slots in which a transaction named the program and succeeded.
    pub(super) async fn read_busy_slots(&self, first: u64, last: u64) -> Result<Vec<u64>, ClusterError> {
        self.require_history(first).await?;
        let signatures = self.read_signatures(first, last, self.commitment, None).await?;
        Ok(signatures.into_keys().collect())
    }

    /// What tells the finalized blocks of the program's transactions from others.
    pub(super) async fn read_outlines(
        &self,
        first: u64,
        last: u64,
    ) -> Result<Vec<BlockOutline>, ClusterError> {
        if last.saturating_sub(first) >= SLOTS_A_REQUEST {
            self.require_history(first).await?;
        }
        // A node behind a load balancer that has not come so far must not answer that there is nothing.
        let commitment = CommitmentConfig::finalized();
        let signatures = self.read_signatures(first, last, commitment, Some(last)).await?;
        let outline = |(slot, mut signatures): (u64, Vec<Signature>)| async move {
            signatures.sort_unstable();
            let previous_blockhash = self.read_previous_blockhash(slot).await?;
            Ok(BlockOutline { slot, previous_blockhash, signatures })
        };
        stream::iter(signatures).map(outline).buffered(BLOCKS_IN_FLIGHT).try_collect().await
    }

    /// Asserts that the node has the blocks from a slot on.
    async fn require_history(&self, first: u64) -> Result<(), ClusterError> {
        let oldest = self.oldest_block().await?;
        if oldest > first {
            return Err(ClusterError::Unsupported(format!(
                "the Solana RPC has no blocks before slot {oldest}, and slot {first} is needed: use a node with a longer \
                 history"
            )));
        }
        Ok(())
    }

    /// The program's successful transactions, by slot, from a node that has come as far as `min_slot`.
    async fn read_signatures(
        &self,
        first: u64,
        last: u64,
        commitment: CommitmentConfig,
        min_slot: Option<u64>,
    ) -> Result<BTreeMap<u64, Vec<Signature>>, ClusterError> {
        let mut signatures: BTreeMap<u64, Vec<Signature>> = BTreeMap::new();
        let mut before = None;
        loop {
            let config = RpcSignaturesForAddressConfig {
                before,
                until: None,
                limit: Some(SIGNATURES_A_REQUEST),
                commitment: Some(commitment),
                min_context_slot: min_slot,
            };
            let params = json!([self.program_id.to_string(), config]);
            let page: Vec<RpcConfirmedTransactionStatusWithSignature> =
                retry(|| self.rpc.send(RpcRequest::GetSignaturesForAddress, params.clone())).await?;
            for one in &page {
                if one.err.is_none() && (first..=last).contains(&one.slot) {
                    let signature = one.signature.parse();
                    let signature = signature.map_err(|_| nonsense("a signature that cannot be decoded"))?;
                    signatures.entry(one.slot).or_default().push(signature);
                }
            }
            let Some(oldest) = page.last().filter(|one| one.slot >= first) else { break };
            before = Some(oldest.signature.clone());
        }
        Ok(signatures)
    }

    /// The hash of the finalized block before that of a slot.
    async fn read_previous_blockhash(&self, slot: u64) -> Result<Hash, ClusterError> {
        let config = RpcBlockConfig {
            encoding: None,
            transaction_details: Some(TransactionDetails::None),
            rewards: Some(false),
            commitment: Some(CommitmentConfig::finalized()),
            max_supported_transaction_version: Some(TRANSACTION_VERSION_MAX),
        };
        let block = retry(|| self.rpc.get_block_with_config(slot, config)).await?;
        parse_previous_blockhash(slot, &block)
    }

    /// The block of a slot, if it holds transactions of the program.
    async fn read_block(&self, slot: u64) -> Result<Option<LandedBlock>, ClusterError> {
        let config = RpcBlockConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            transaction_details: Some(TransactionDetails::Full),
            rewards: Some(false),
            commitment: Some(self.commitment),
            max_supported_transaction_version: Some(TRANSACTION_VERSION_MAX),
        };
        let block = retry(|| async {
            match self.rpc.get_block_with_config(slot, config).await {
                Ok(block) => Ok(Ok(block)),
                Err(error) => match response_code(&error) {
                    Some(code) if is_missing(code) => Ok(Err(code)),
                    _ => Err(error),
                },
            }
        });
        match block.await? {
            Ok(block) => decode_block(slot, block, &self.program_id),
            Err(code::JSON_RPC_SERVER_ERROR_BLOCK_CLEANED_UP) => Err(ClusterError::Unsupported(format!(
                "the Solana RPC no longer has the block of slot {slot}: use a node with a longer history"
            ))),
            Err(_) => Ok(None),
        }
    }
}

/// Whether an error code says that there is no block: skipped by its leader, or deleted.
fn is_missing(code: i64) -> bool {
    matches!(
        code,
        code::JSON_RPC_SERVER_ERROR_SLOT_SKIPPED
            | code::JSON_RPC_SERVER_ERROR_LONG_TERM_STORAGE_SLOT_SKIPPED
            | code::JSON_RPC_SERVER_ERROR_BLOCK_CLEANED_UP
    )
}

/// The program's successful transactions in a block.
pub(super) fn decode_block(
    slot: u64,
    block: UiConfirmedBlock,
    program_id: &Address,
) -> Result<Option<LandedBlock>, ClusterError> {
    let previous_blockhash = parse_previous_blockhash(slot, &block);
    let encoded =
        block.transactions.ok_or_else(|| nonsense(&format!("block {slot} without transactions")))?;
    let mut transactions = Vec::new();
    for transaction in encoded {
        transactions.extend(decode_transaction(slot, transaction, program_id)?);
    }
    if transactions.is_empty() {
        return Ok(None);
    }
    // Recorded from the Clock sysvar by the node that replayed the block.
    let unix_timestamp =
        block.block_time.ok_or_else(|| nonsense(&format!("block {slot} without a time; ask again")))?;
    Ok(Some(LandedBlock {
        clock: Clock { slot, unix_timestamp },
        previous_blockhash: previous_blockhash?,
        transactions,
    }))
}

fn parse_previous_blockhash(slot: u64, block: &UiConfirmedBlock) -> Result<Hash, ClusterError> {
    let hash = block.previous_blockhash.parse();
    hash.map_err(|_| nonsense(&format!("block {slot} without the hash of its parent")))
}

/// The transaction, if it succeeded and names the program.
fn decode_transaction(
    slot: u64,
    encoded: EncodedTransactionWithStatusMeta,
    program_id: &Address,
) -> Result<Option<LandedTransaction>, ClusterError> {
    let malformed = |what: &str| nonsense(&format!("block {slot}, of which {what}"));
    let meta = encoded.meta.ok_or_else(|| malformed("a transaction has no result"))?;
    if meta.err.is_some() {
        return Ok(None);
    }
    let transaction =
        encoded.transaction.decode().ok_or_else(|| malformed("a transaction cannot be decoded"))?;
    let loaded = loaded_addresses(&meta).ok_or_else(|| malformed("an address cannot be decoded"))?;
    if !landed::mentions(&transaction.message, &loaded, program_id) {
        return Ok(None);
    }
    let OptionSerializer::Some(inner) = meta.inner_instructions else {
        return Err(ClusterError::Unsupported(
            "the Solana RPC does not record inner instructions: use a node with transaction history"
                .to_owned(),
        ));
    };
    let inner = inner
        .into_iter()
        .flat_map(|inner| {
            let index = usize::from(inner.index);
            inner.instructions.into_iter().map(move |instruction| decode_inner(index, instruction))
        })
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| malformed("an inner instruction cannot be decoded"))?;
    let compute_units = Option::from(meta.compute_units_consumed).unwrap_or_default();
    let (before, after) = (meta.pre_balances, meta.post_balances);
    if before.len() != after.len() {
        return Err(malformed("a transaction has not the same accounts before and behind it"));
    }
    let lamports: Vec<(u64, u64)> = before.into_iter().zip(after).collect();
    landed::transaction(&transaction, &loaded, inner, compute_units, &lamports)
        .map(Some)
        .ok_or_else(|| malformed("a transaction names an address, or has lamports, that are not there"))
}

/// The addresses from lookup tables: writable ones first, as instructions count them.
fn loaded_addresses(meta: &UiTransactionStatusMeta) -> Option<Vec<Address>> {
    let OptionSerializer::Some(UiLoadedAddresses { writable, readonly }) = &meta.loaded_addresses else {
        return Some(Vec::new());
    };
    writable.iter().chain(readonly).map(|address| address.parse().ok()).collect()
}

fn decode_inner(index: usize, instruction: UiInstruction) -> Option<Inner> {
    // Base64 as the encoding of transactions makes inner instructions indices and base 58.
    let UiInstruction::Compiled(instruction) = instruction else { return None };
    let data = bs58::decode(&instruction.data).into_vec().ok()?;
    let (program, accounts) = (instruction.program_id_index, instruction.accounts);
    Some(Inner { index, instruction: CompiledInstruction::new_from_raw_parts(program, data, accounts) })
}
