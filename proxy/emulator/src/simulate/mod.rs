//! eth_simulateV1: calls in blocks of their own, each on what the ones before it leave.
//!
//! ```text
//! block: state overrides ─▶ call ─▶ what it leaves ─▶ call ─▶ … ─▶ header and hash ─▶ next block
//!             └──────────────────── accounts as they are seen ◀──────┘
//! ```
//!
//! A call runs as in eth_call, so it writes nothing and pays no rent. What it leaves is put together by a [`Journal`] that
//! watches it, and becomes a change of the accounts that the next call sees, as state overrides are.

mod block;
mod check;

use crate::journal::{Change, Journal};
use crate::ledger::SYSTEM_PROGRAM;
use crate::overrides;
use crate::read::{CALL_GAS_MAX, prepared};
use crate::session::RUN_ACCOUNTS_MAX;
use crate::shell::Shell;
use alloy_consensus::Header;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_eth::BlockOverrides;
use alloy_rpc_types_eth::state::{AccountOverride, StateOverride};
use check::Checks;
use parhelion_core::emulator::{Call, ChainSettings, Emulator, EmulatorError, Overrides};
use parhelion_core::simulation::{PlannedBlock, SimulatedBlock, SimulatedCall, Simulation, SimulationError};
use parhelion_evm::fork::Fork;
use parhelion_evm::precompile;
use parhelion_executor::WITHDRAW_ADDRESS;
use parhelion_sdk::convert::to_h160;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most bytes that all calls together may return and log: about what an answer can have, in a form that takes less.
const SHOWN_BYTES_MAX: usize = 12 << 20;
/// What a log takes, besides its data.
const LOG_BYTES: usize = 256;

impl Shell {
    /// Simulates blocks.
    pub(crate) async fn simulate_blocks(
        &self,
        simulation: Simulation,
    ) -> Result<Vec<SimulatedBlock>, SimulationError> {
        let Simulation { parent, parent_hash, blocks, validates, traces_transfers } = simulation;
        let mut shell = self.behind(Vec::new());
        // The settings stay as they are, too.
        let (clock, config) = shell.fetch(&[shell.deployment.config]).await.map_err(EmulatorError::from)?;
        shell.left.extend(config);
        shell.clock = Some(clock);
        let settings = shell.settings().await?;
        let hashes = BTreeMap::from([(parent.number, parent_hash)]);
        let (gas_left, bytes_left) = (CALL_GAS_MAX, SHOWN_BYTES_MAX);
        let mut going = Going { shell, settings, validates, traces_transfers, gas_left, bytes_left, hashes };
        let mut simulated: Vec<SimulatedBlock> = Vec::with_capacity(blocks.len());
        for planned in blocks {
            let (before, before_hash) =
                simulated.last().map_or((&parent, parent_hash), |block| (&block.header, block.hash));
            let header = block::header(&planned, before, before_hash, &going.settings, validates)?;
            let block = going.block(planned, header).await?;
            going.hashes.insert(block.header.number, block.hash);
            simulated.push(block);
        }
        Ok(simulated)
    }

    /// Changes the state that is seen from now on.
    async fn change_state(&mut self, change: &StateOverride, number: u64) -> Result<(), EmulatorError> {
        let mut wanted = overrides::addresses(self, change);
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.len() > RUN_ACCOUNTS_MAX {
            return Err(EmulatorError::TooManyAccounts);
        }
        let (_, mut accounts) = self.fetch(&wanted).await?;
        let cells = overrides::cells(self, change);
        for (contract, cell) in &cells {
            if let Some(kept) = self.replaced.get_mut(contract)
                && kept.insert(*cell)
            {
                accounts.insert(*cell, None);
            }
        }
        let replaced = overrides::apply_state(self, change, &mut accounts, number)?;
        self.replaced.extend(replaced);
        self.left.extend(accounts);
        self.bound()
    }

    fn bound(&self) -> Result<(), EmulatorError> {
        if self.left.len() > RUN_ACCOUNTS_MAX { Err(EmulatorError::TooManyAccounts) } else { Ok(()) }
    }
}

/// A simulation that goes on.
struct Going {
    /// Sees the accounts as they are left.
    shell: Shell,
    settings: ChainSettings,
    validates: bool,
    traces_transfers: bool,
    /// Gas that is left for all calls to come.
    gas_left: u64,
    /// Bytes that they may still return and log.
    bytes_left: usize,
    /// Hashes of the blocks so far, and of their parent.
    hashes: BTreeMap<u64, B256>,
}

impl Going {
    async fn block(
        &mut self,
        planned: PlannedBlock,
        header: Header,
    ) -> Result<SimulatedBlock, SimulationError> {
        let replaces_code = |(_, change): &(&Address, &AccountOverride)| change.code.is_some();
        for (address, _) in planned.state.iter().filter(replaces_code) {
            let place = to_h160(*address);
            if precompile::number_of(&place, Fork::Osaka).is_some() || place == WITHDRAW_ADDRESS {
                return Err(SimulationError::Precompile { address: *address });
            }
        }
        if !planned.state.is_empty() {
            self.shell.change_state(&planned.state, header.number).await?;
        }
        let seen = Arc::new(self.overrides(&planned.block, &header));
        let mut block_gas = header.gas_limit;
        let mut calls = Vec::with_capacity(planned.calls.len());
        for call in planned.calls {
            let call = self.call(call, &header, &seen, block_gas).await?;
            block_gas = block_gas.saturating_sub(call.execution.gas_used);
            calls.push(call);
        }
        Ok(block::seal(header, calls))
    }

    /// What calls see of a block.
    fn overrides(&self, asked: &BlockOverrides, header: &Header) -> Overrides {
        let mut hashes = self.hashes.clone();
        hashes.extend(asked.block_hash.iter().flatten());
        let block = BlockOverrides {
            number: Some(U256::from(header.number)),
            time: Some(header.timestamp),
            gas_limit: Some(header.gas_limit),
            coinbase: Some(header.beneficiary),
            random: Some(header.mix_hash),
            base_fee: header.base_fee_per_gas.map(U256::from),
            blob_base_fee: asked.blob_base_fee,
            block_hash: Some(hashes),
            ..BlockOverrides::default()
        };
        Overrides { block, ..Overrides::default() }
    }

    /// Checks a call, runs it, and keeps what it leaves.
    async fn call(
        &mut self,
        mut call: Call,
        header: &Header,
        seen: &Arc<Overrides>,
        block_gas: u64,
    ) -> Result<SimulatedCall, SimulationError> {
        let required = call.gas.unwrap_or(block_gas);
        if required > block_gas {
            return Err(SimulationError::BlockGasLimit { remaining: block_gas, required });
        }
        let gas = required.min(self.gas_left);
        let from = call.from.unwrap_or_default();
        let sender = self.shell.account(from).await?;
        let base_fee = header.base_fee_per_gas.unwrap_or_default();
        let has_code = self.validates && has_code(&self.shell.code(from).await?);
        let checks = Checks { validates: self.validates, sender, has_code, base_fee, gas };
        checks.check(&call).map_err(|problem| SimulationError::Call { problem, gas })?;

        let nonce = call.nonce.unwrap_or(sender.nonce);
        let transaction = block::transaction(&call, self.settings.chain_id, nonce, gas);
        // Where nonces are not looked at, the sender's is used, and the one behind the last is 0.
        call.nonce = (sender.nonce == u64::MAX).then_some(0);
        (call.gas, call.overrides) = (Some(gas), Some(Arc::clone(seen)));
        let (execution, journal, uses) =
            self.shell.leave_call(&call, prepared(&call), Journal::default()).await?;

        // What one call has seen is what the next ones see, whatever happens on chain in between.
        let uses = uses.into_iter().filter(|used| !used.is_optional && used.address != SYSTEM_PROGRAM);
        self.shell.left.extend(uses.map(|used| (used.address, used.after)));
        self.shell.bound()?;
        let gas_price = call.gas_price_at(base_fee);
        let fee = gas_price.saturating_mul(U256::from(execution.gas_used));
        let next_nonce = sender.nonce.wrapping_add(1);
        self.leave(&call, next_nonce, &journal, fee, header).await?;

        let logs = if self.traces_transfers {
            journal.with_transfers(&execution.logs)
        } else {
            execution.logs.clone()
        };
        let shown: usize = logs.iter().map(|log| log.data.data.len().saturating_add(LOG_BYTES)).sum();
        let left = self.bytes_left.checked_sub(shown.saturating_add(execution.output.len()));
        self.bytes_left = left.ok_or(SimulationError::TooLarge { max: SHOWN_BYTES_MAX })?;
        self.gas_left = self.gas_left.saturating_sub(execution.gas_used);
        let gas_used_max = gas.saturating_sub(journal.gas_left).max(execution.gas_used);
        let gas_price = gas_price.saturating_to();
        Ok(SimulatedCall { transaction, sender: from, gas_price, execution, logs, gas_used_max })
    }

    /// Changes the accounts as the call leaves them.
    async fn leave(
        &mut self,
        call: &Call,
        next_nonce: u64,
        journal: &Journal,
        fee: U256,
        header: &Header,
    ) -> Result<(), EmulatorError> {
        let (from, number) = (call.from.unwrap_or_default(), header.number);
        let used_up = AccountOverride { nonce: Some(next_nonce), ..AccountOverride::default() };
        self.shell.change_state(&[(from, used_up)].into_iter().collect(), number).await?;
        for authorization in &call.authorization_list {
            self.authorize(authorization, number).await?;
        }
        let mut changes = journal.changes();
        if !fee.is_zero() {
            let payer = changes.entry(from).or_default();
            payer.lost = payer.lost.saturating_add(fee);
            let payee = changes.entry(header.beneficiary).or_default();
            payee.gained = payee.gained.saturating_add(fee);
        }
        let mut state = StateOverride::default();
        for (address, change) in changes {
            state.insert(address, self.after(address, change).await?);
        }
        if !state.is_empty() {
            self.shell.change_state(&state, number).await?;
        }
        Ok(())
    }

    /// An account behind a change, in the words of overrides.
    async fn after(&self, address: Address, change: Change) -> Result<AccountOverride, EmulatorError> {
        let account = self.shell.account(address).await?;
        let Change { gained, lost, nonces, code, is_gone, storage } = change;
        if is_gone {
            return Ok(AccountOverride { balance: Some(U256::ZERO), ..AccountOverride::default() });
        }
        let balance = account.balance.checked_add(gained).and_then(|sum| sum.checked_sub(lost));
        let balance = balance.ok_or_else(|| {
            EmulatorError::State(format!("the balance of {address} does not cover what it gives"))
        })?;
        Ok(AccountOverride {
            balance: (balance != account.balance).then_some(balance),
            nonce: (nonces > 0).then(|| account.nonce.saturating_add(nonces)),
            code,
            state_diff: (!storage.is_empty()).then(|| storage.into_iter().collect()),
            ..AccountOverride::default()
        })
    }

    /// Applies an authorization (EIP-7702), unless it is not valid.
    async fn authorize(&mut self, signed: &SignedAuthorization, number: u64) -> Result<(), EmulatorError> {
        let chain_id = signed.chain_id;
        if !chain_id.is_zero() && chain_id != U256::from(self.settings.chain_id) {
            return Ok(());
        }
        let (Some(next_nonce), Ok(authority)) = (signed.nonce.checked_add(1), signed.recover_authority())
        else {
            return Ok(());
        };
        let nonce = self.shell.account(authority).await?.nonce;
        if nonce != signed.nonce || has_code(&self.shell.code(authority).await?) {
            return Ok(());
        }
        let code = if signed.address.is_zero() {
            Bytes::new()
        } else {
            [&overrides::DELEGATION_PREFIX[..], &signed.address[..]].concat().into()
        };
        let (nonce, code) = (Some(next_nonce), Some(code));
        let change = AccountOverride { nonce, code, ..AccountOverride::default() };
        self.shell.change_state(&[(authority, change)].into_iter().collect(), number).await
    }
}

/// Whether code is one that is no delegation (EIP-7702).
fn has_code(code: &[u8]) -> bool {
    !code.is_empty() && !code.starts_with(&overrides::DELEGATION_PREFIX)
}
