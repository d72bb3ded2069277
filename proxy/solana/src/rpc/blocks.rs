//! Blocks of the program's transactions.

use super::{RpcCluster, nonsense, response_code, retry};
use crate::landed::{self, Inner};
use futures::{StreamExt, TryStreamExt, stream};
use parhelion_core::cluster::{Clock, ClusterError, LandedBlock, LandedTransaction};
use solana_address::Address;
use solana_message::compiled_instruction::CompiledInstruction;
use solana_rpc_client::rpc_client::GetConfirmedSignaturesForAddress2Config;
use solana_rpc_client_api::config::{RpcBlockConfig, TransactionDetails, UiTransactionEncoding};
use solana_rpc_client_api::custom_error as code;
use solana_transaction_status_client_types::option_serializer::OptionSerializer;
use solana_transaction_status_client_types::{
    EncodedTransactionWithStatusMeta, UiConfirmedBlock, UiInstruction, UiLoadedAddresses,
    UiTransactionStatusMeta,
};
use std::collections::BTreeSet;

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
        let oldest = self.oldest_block().await?;
        if oldest > first {
            return Err(ClusterError::Unsupported(format!(
                "the Solana RPC has no blocks before slot {oldest}, and slot {first} is needed: use a node with a longer \
                 history"
            )));
        }
        let mut slots = BTreeSet::new();
        let mut before = None;
        loop {
            let page = retry(|| {
                let config = GetConfirmedSignaturesForAddress2Config {
                    before,
                    until: None,
                    limit: Some(SIGNATURES_A_REQUEST),
                    commitment: Some(self.commitment),
                };
                self.rpc.get_signatures_for_address_with_config(&self.program_id, config)
            });
            let page = page.await?;
            let succeeded = page.iter().filter(|one| one.err.is_none());
            slots.extend(succeeded.map(|one| one.slot).filter(|slot| (first..=last).contains(slot)));
            let Some(oldest) = page.last().filter(|one| one.slot >= first) else { break };
            let signature = oldest.signature.parse();
            before = Some(signature.map_err(|_| nonsense("a signature that cannot be decoded"))?);
        }
        Ok(slots.into_iter().collect())
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
    let previous_blockhash = block.previous_blockhash.parse();
    let previous_blockhash =
        previous_blockhash.map_err(|_| nonsense(&format!("block {slot} without the hash of its parent")))?;
    Ok(Some(LandedBlock { clock: Clock { slot, unix_timestamp }, previous_blockhash, transactions }))
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
    landed::transaction(&transaction, &loaded, inner, compute_units)
        .map(Some)
        .ok_or_else(|| malformed("a transaction names an address that is not there"))
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
