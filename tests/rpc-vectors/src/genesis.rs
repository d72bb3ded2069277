//! `genesis.json`: when which of Ethereum's rules are in force, and the state at the beginning.

use alloy_consensus::Header;
use alloy_consensus::constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_ROOT_HASH};
use alloy_primitives::{Address, B64, B256, Bytes, U64, U256, keccak256};
use alloy_trie::TrieAccount;
use alloy_trie::root::{state_root_unhashed, storage_root_unhashed};
use revm::primitives::hardfork::SpecId;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Genesis {
    pub(crate) config: ChainConfig,
    pub(crate) alloc: BTreeMap<Address, Allocation>,
    timestamp: U64,
    extra_data: Bytes,
    gas_limit: U64,
    difficulty: U256,
    nonce: U64,
    mix_hash: B256,
    coinbase: Address,
}

/// When the rules change. What is missing never comes into force.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChainConfig {
    pub(crate) chain_id: u64,
    homestead_block: Option<u64>,
    eip150_block: Option<u64>,
    eip158_block: Option<u64>,
    byzantium_block: Option<u64>,
    constantinople_block: Option<u64>,
    istanbul_block: Option<u64>,
    berlin_block: Option<u64>,
    london_block: Option<u64>,
    merge_netsplit_block: Option<u64>,
    shanghai_time: Option<u64>,
    cancun_time: Option<u64>,
    prague_time: Option<u64>,
    osaka_time: Option<u64>,
    bpo1_time: Option<u64>,
    bpo2_time: Option<u64>,
    #[serde(default)]
    blob_schedule: BTreeMap<String, BlobParameters>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlobParameters {
    base_fee_update_fraction: u64,
}

/// An account at the beginning.
#[derive(Deserialize)]
pub(crate) struct Allocation {
    #[serde(default)]
    pub(crate) balance: U256,
    #[serde(default, deserialize_with = "alloy_serde::quantity::deserialize")]
    pub(crate) nonce: u64,
    #[serde(default)]
    pub(crate) code: Bytes,
    #[serde(default)]
    pub(crate) storage: BTreeMap<B256, B256>,
}

/// The rules of a block.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) spec: SpecId,
    /// EIP-4844, as EIP-7892 changes it.
    pub(crate) blob_fee_update_fraction: u64,
}

impl Rules {
    /// What a block earns whoever found it, in wei.
    pub(crate) fn block_reward(&self) -> U256 {
        let ether = match self.spec {
            spec if spec >= SpecId::MERGE => 0,
            // EIP-1234.
            spec if spec >= SpecId::PETERSBURG => 2,
            // EIP-649.
            spec if spec >= SpecId::BYZANTIUM => 3,
            _ => 5,
        };
        U256::from(ether) * U256::from(10).pow(U256::from(18))
    }
}

impl Genesis {
    /// The header of the first block, which was made before London.
    pub(crate) fn header(&self) -> Header {
        Header {
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: self.coinbase,
            state_root: self.state_root(),
            transactions_root: EMPTY_ROOT_HASH,
            receipts_root: EMPTY_ROOT_HASH,
            difficulty: self.difficulty,
            gas_limit: self.gas_limit.to(),
            timestamp: self.timestamp.to(),
            extra_data: self.extra_data.clone(),
            mix_hash: self.mix_hash,
            nonce: B64::from(self.nonce.to::<u64>()),
            ..Header::default()
        }
    }

    fn state_root(&self) -> B256 {
        state_root_unhashed(self.alloc.iter().map(|(address, account)| {
            let storage = account.storage.iter().map(|(key, value)| (*key, U256::from_be_bytes(value.0)));
            let account = TrieAccount {
                nonce: account.nonce,
                balance: account.balance,
                storage_root: storage_root_unhashed(storage),
                code_hash: keccak256(&account.code),
            };
            (*address, account)
        }))
    }

    /// The rules of the block with this header.
    pub(crate) fn rules(&self, header: &Header) -> Rules {
        let config = &self.config;
        let by_number = [
            (config.homestead_block, SpecId::HOMESTEAD),
            (config.eip150_block, SpecId::TANGERINE),
            (config.eip158_block, SpecId::SPURIOUS_DRAGON),
            (config.byzantium_block, SpecId::BYZANTIUM),
            // The two differ in EIP-1283 only, which Petersburg took back.
            (config.constantinople_block, SpecId::PETERSBURG),
            (config.istanbul_block, SpecId::ISTANBUL),
            (config.berlin_block, SpecId::BERLIN),
            (config.london_block, SpecId::LONDON),
            (config.merge_netsplit_block, SpecId::MERGE),
        ];
        let by_time = [
            (config.shanghai_time, SpecId::SHANGHAI),
            (config.cancun_time, SpecId::CANCUN),
            (config.prague_time, SpecId::PRAGUE),
            (config.osaka_time, SpecId::OSAKA),
        ];
        let numbers = by_number.into_iter().map(|(from, spec)| (from, header.number, spec));
        let times = by_time.into_iter().map(|(from, spec)| (from, header.timestamp, spec));
        let is_in_force = |from: Option<u64>, now| from.is_some_and(|from| from <= now);
        let newest = numbers.chain(times).filter(|(from, now, _)| is_in_force(*from, *now)).last();
        Rules {
            spec: newest.map_or(SpecId::FRONTIER, |(_, _, spec)| spec),
            blob_fee_update_fraction: self.blob_fee_update_fraction(header.timestamp),
        }
    }

    fn blob_fee_update_fraction(&self, timestamp: u64) -> u64 {
        let config = &self.config;
        let forks = [
            ("cancun", config.cancun_time),
            ("prague", config.prague_time),
            ("osaka", config.osaka_time),
            ("bpo1", config.bpo1_time),
            ("bpo2", config.bpo2_time),
        ];
        let in_force = forks.iter().filter(|(_, from)| from.is_some_and(|from| from <= timestamp));
        let schedule = in_force.filter_map(|(name, _)| config.blob_schedule.get(*name)).next_back();
        // Without blobs the fraction is of no consequence, but must not be 0.
        schedule.map_or(1, |parameters| parameters.base_fee_update_fraction)
    }
}
