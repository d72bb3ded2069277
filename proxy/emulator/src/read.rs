//! The emulator port: reads, calls, emulation.

use crate::crypto::Native;
use crate::execution::execution;
use crate::ledger::{Recorder, Use};
use crate::past;
use crate::room::{little, little_first};
use crate::session::{BriefRun, Finished};
use crate::shell::Shell;
use crate::touched::kind;
use crate::watcher::Watcher;
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, Bytes, U256};
use async_trait::async_trait;
use parhelion_core::cluster::{Account, Moment};
use parhelion_core::emulator::{
    AccessListOutcome, AccountState, AccountUse, Call, ChainSettings, Emulation, Emulator, EmulatorError,
    Estimate, Execution, Overrides, Refusal, Spread, SteppedEmulation, Trace, TraceRequest,
};
use parhelion_core::past::Point;
use parhelion_core::simulation::{SimulatedBlock, Simulation, SimulationError};
use parhelion_core::store::Executed;
use parhelion_core::transaction::Transaction;
use parhelion_executor::observe::Observation;
use parhelion_executor::{BlockValues, Brief, Call as Message, Options, Report, WITHDRAW_ADDRESS, Watched};
use parhelion_sdk::address::account_address;
use parhelion_sdk::convert::{to_h160, to_wire_u256};
use parhelion_wire::account::{Balance, Cell, Code, Contract, Layout};
use parhelion_wire::address::{AccountKey, split_storage_key};
use parhelion_wire::transaction::{AuthorizationList, Envelope};
use parhelion_wire::{H160, ProgramError, Pubkey};
use std::sync::Arc;

/// Gas of a call at most: what public Ethereum nodes allow.
pub(crate) const CALL_GAS_MAX: u64 = 50_000_000;
/// Call data of a light call at most, in bytes.
const LIGHT_DATA_MAX: usize = 16 * 1024;

impl Shell {
    /// The address of a key's account.
    pub(crate) fn address(&self, key: &AccountKey) -> Pubkey {
        account_address(&self.deployment, key).to_bytes()
    }

    /// Data of accounts, `None` where there is none of the program's.
    async fn data(&self, keys: &[AccountKey]) -> Result<Vec<Option<Vec<u8>>>, EmulatorError> {
        let addresses: Vec<Pubkey> = keys.iter().map(|key| self.address(key)).collect();
        let (_, mut accounts) = self.fetch(&addresses).await?;
        let program_id = self.deployment.program_id;
        let mut take = |address| -> Option<Vec<u8>> {
            let account: Account = accounts.remove(address).flatten()?;
            (account.owner.to_bytes() == program_id).then_some(account.data)
        };
        Ok(addresses.iter().map(&mut take).collect())
    }

    /// What runs of `from` to `to` need in any case.
    pub(crate) fn first_addresses(&self, from: H160, to: Option<H160>) -> Vec<Pubkey> {
        // An address without a Balance account may be a contract, so the executor looks for that, too.
        let mut keys = vec![AccountKey::Balance(from), AccountKey::Contract(from)];
        if let Some(to) = to {
            keys.push(AccountKey::Contract(to));
            keys.push(AccountKey::Balance(to));
            if to == WITHDRAW_ADDRESS {
                keys.push(AccountKey::Vault);
            }
        }
        keys.iter().map(|key| self.address(key)).collect()
    }

    /// Runs a call.
    pub(crate) async fn run_call(
        &self,
        call: &Call,
        prepare: impl Fn(&BlockValues) -> Prepared + Send + Sync + Clone + 'static,
    ) -> Result<Execution, EmulatorError> {
        let message = Arc::new(Called::new(call, prepare));
        let brief: Option<BriefRun<_>> = is_light(call).then(|| -> BriefRun<_> {
            let message = Arc::clone(&message);
            Box::new(move |ledger, block| {
                message.with(block, |block, options, message| {
                    let options = little(options);
                    parhelion_executor::call(Brief(ledger), Native, block, &options, message)
                })
            })
        });
        let run = move |ledger: &mut Recorder<'_>, block: &BlockValues| {
            message.with(block, |block, options, message| {
                little_first(options, |options| {
                    parhelion_executor::call(&mut *ledger, Native, block, options, message)
                })
            })
        };
        let finished = self.run_called(call, brief, run).await?;
        Ok(execution(finished.result.map_err(refused)?))
    }

    /// Runs a call, and gives what watched it as well.
    pub(crate) async fn watch_call<W: Watcher>(
        &self,
        call: &Call,
        prepare: impl Fn(&BlockValues) -> Prepared + Send + Sync + Clone + 'static,
        watcher: W,
    ) -> Result<(Execution, W), EmulatorError> {
        let (execution, watcher, _) = self.leave_call(call, prepare, watcher).await?;
        Ok((execution, watcher))
    }

    /// Runs a call, and gives what watched it, and the accounts that it used.
    pub(crate) async fn leave_call<W: Watcher>(
        &self,
        call: &Call,
        prepare: impl Fn(&BlockValues) -> Prepared + Send + Sync + Clone + 'static,
        watcher: W,
    ) -> Result<(Execution, W, Vec<Use>), EmulatorError> {
        let message = Arc::new(Called::new(call, prepare));
        let run = move |ledger: &mut Recorder<'_>, block: &BlockValues| {
            message.with(block, |block, options, message| {
                little_first(options, |options| {
                    let mut watcher = watcher.clone();
                    let watch = |observation: &Observation<'_>| watcher.observe(observation);
                    let watched = Watched { ledger: &mut *ledger, watch };
                    let report = parhelion_executor::call(watched, Native, block, options, message)?;
                    watcher.over(ledger, block)?;
                    Ok((report, watcher))
                })
            })
        };
        let finished = self.run_called(call, None, run).await?;
        let (report, watcher) = finished.result.map_err(refused)?;
        Ok((execution(report), watcher, finished.uses))
    }

    /// Runs a call in one way or another.
    async fn run_called<T, F>(
        &self,
        call: &Call,
        brief: Option<BriefRun<T>>,
        run: F,
    ) -> Result<Finished<T>, EmulatorError>
    where
        T: Send + 'static,
        F: Fn(&mut Recorder<'_>, &BlockValues) -> Result<T, ProgramError> + Send + Sync + Clone + 'static,
    {
        let to = call.to.map(to_h160);
        let kind = kind(to.map(|to| to.0), &call.data);
        let first = self.first_addresses(to_h160(call.from.unwrap_or_default()), to);
        self.run_briefly(kind, H160::zero(), first, call.overrides.as_deref(), brief, run).await
    }
}

/// A call as its runs need it.
struct Called<P> {
    call: Call,
    /// In RLP.
    authorizations: Vec<u8>,
    access_list: Vec<(H160, Vec<parhelion_wire::U256>)>,
    prepare: P,
}

impl<P: Fn(&BlockValues) -> Prepared> Called<P> {
    fn new(call: &Call, prepare: P) -> Self {
        let key = |key: &B256| parhelion_wire::U256::from_big_endian(&key.0);
        let access_list = call.access_list.iter();
        let access_list = access_list
            .map(|item| (to_h160(item.address), item.storage_keys.iter().map(key).collect()))
            .collect();
        Self {
            authorizations: alloy_rlp::encode(&call.authorization_list),
            access_list,
            call: call.clone(),
            prepare,
        }
    }

    /// Hands over the call as the executor takes it, and the block that it sees.
    fn with<T>(
        &self,
        block: &BlockValues,
        run: impl FnOnce(&BlockValues, &Options, &Message<'_>) -> Result<T, ProgramError>,
    ) -> Result<T, ProgramError> {
        let (call, prepared) = (&self.call, (self.prepare)(block));
        let block = if prepared.gas_price.is_zero() { without_base_fee(block, call) } else { *block };
        let message = Message {
            from: to_h160(call.from.unwrap_or_default()),
            to: call.to.map(to_h160),
            value: to_wire_u256(call.value.unwrap_or_default()),
            data: &call.data,
            gas_limit: prepared.gas_limit,
            gas_price: to_wire_u256(prepared.gas_price),
            rent_gas_price: prepared.rent_gas_price.map(to_wire_u256),
            nonce: call.nonce,
            access_list: &self.access_list,
            authorizations: AuthorizationList::from_rlp(&self.authorizations)?,
        };
        run(&block, &prepared.options, &message)
    }
}

/// Whether little happens before a call's code runs, however much gas it has.
fn is_light(call: &Call) -> bool {
    call.access_list.is_empty() && call.authorization_list.is_empty() && call.data.len() <= LIGHT_DATA_MAX
}

/// The block of a call that pays nothing: BASEFEE is 0, as in geth, for contracts take for granted that it is no more than
/// GASPRICE. A base fee that the call asks for stays.
fn without_base_fee(block: &BlockValues, call: &Call) -> BlockValues {
    let is_asked_for = call.overrides.as_deref().is_some_and(|overrides| overrides.block.base_fee.is_some());
    BlockValues { base_fee: if is_asked_for { block.base_fee } else { 0 }, ..*block }
}

/// Gas and prices of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prepared {
    pub(crate) options: Options,
    pub(crate) gas_limit: u64,
    pub(crate) gas_price: U256,
    pub(crate) rent_gas_price: Option<U256>,
}

/// Gas of a call that never goes on chain.
pub(crate) fn gas_limit(call: &Call) -> u64 {
    call.gas.unwrap_or(CALL_GAS_MAX).min(CALL_GAS_MAX)
}

/// A call that never goes on chain, and pays no rent.
pub(crate) fn prepared(call: &Call) -> impl Fn(&BlockValues) -> Prepared + Send + Sync + Clone + 'static {
    let options = Options { evm_gas_max: CALL_GAS_MAX, ..Options::OFF_CHAIN };
    let asked = call.clone();
    move |block| {
        let gas_price = asked.gas_price_at(block.base_fee);
        Prepared { options, gas_limit: gas_limit(&asked), gas_price, rent_gas_price: None }
    }
}

/// A refusal without numbers.
pub(crate) fn refused(error: ProgramError) -> EmulatorError {
    EmulatorError::Refused(Refusal { error, detail: String::new() })
}

/// What a signed transaction did.
pub(crate) struct Ran<T> {
    pub(crate) emulation: Emulation,
    /// The accounts that it used, as it leaves them.
    pub(crate) uses: Vec<Use>,
    /// What the run left beside its report.
    pub(crate) beside: T,
}

/// Runs a transaction as the program does that runs at once.
fn at_once(
    ledger: &mut Recorder<'_>,
    block: &BlockValues,
    envelope: &Envelope<'_>,
) -> Result<(Report, ()), ProgramError> {
    let (_, report) = parhelion_executor::execute(ledger, Native, block, &Options::ON_CHAIN, envelope)?;
    Ok((report, ()))
}

#[async_trait]
impl parhelion_core::emulator::Emulator for Shell {
    async fn settings(&self) -> Result<ChainSettings, EmulatorError> {
        let (_, accounts) = self.fetch(&[self.deployment.config]).await?;
        let config = self.config_of(accounts.into_values().next().flatten().as_ref())?;
        Ok(ChainSettings {
            chain_id: config.chain_id(),
            base_fee: config.base_fee(),
            block_gas_limit: config.block_gas_limit(),
        })
    }

    async fn account(&self, address: Address) -> Result<AccountState, EmulatorError> {
        let address = to_h160(address);
        let data = self.data(&[AccountKey::Balance(address), AccountKey::Contract(address)]).await?;
        match data.as_slice() {
            [Some(balance), _] => {
                let view = Balance::view(balance).map_err(damaged)?;
                Ok(AccountState { nonce: view.nonce(), balance: U256::from_limbs(view.balance().0) })
            }
            // EIP-161: a contract's nonce begins at 1.
            [None, Some(_)] => Ok(AccountState { nonce: 1, balance: U256::ZERO }),
            _ => Ok(AccountState::default()),
        }
    }

    async fn code(&self, address: Address) -> Result<Bytes, EmulatorError> {
        let contract = self.data(&[AccountKey::Contract(to_h160(address))]).await?.pop().flatten();
        let Some(contract) = contract else { return Ok(Bytes::new()) };
        let view = Contract::view(&contract).map_err(damaged)?;
        if let Some(delegate) = view.delegate() {
            return Ok([&[0xef, 0x01, 0x00][..], &delegate.0].concat().into());
        }
        let code = self.data(&[AccountKey::Code(view.code_hash())]).await?.pop().flatten();
        // A contract of no code has no Code account.
        let Some(code) = code else { return Ok(Bytes::new()) };
        Ok(Bytes::copy_from_slice(Code::view(&code).map_err(damaged)?.code()))
    }

    async fn storage(&self, address: Address, key: U256) -> Result<B256, EmulatorError> {
        let (cell, index) = split_storage_key(&to_wire_u256(key));
        let data = self.data(&[AccountKey::Cell(to_h160(address), cell)]).await?.pop().flatten();
        let Some(data) = data else { return Ok(B256::ZERO) };
        Ok(B256::from(Cell::view(&data).map_err(damaged)?.get(index).to_big_endian()))
    }

    async fn call(&self, call: &Call) -> Result<Execution, EmulatorError> {
        self.run_call(call, prepared(call)).await
    }

    async fn estimate(&self, call: &Call) -> Result<Estimate, EmulatorError> {
        self.estimate_gas(call).await
    }

    async fn access_list(&self, call: &Call) -> Result<AccessListOutcome, EmulatorError> {
        self.list_accesses(call).await
    }

    async fn trace(&self, call: &Call, request: TraceRequest) -> Result<Trace, EmulatorError> {
        self.trace_call(call, request).await
    }

    async fn trace_executed(
        &self,
        executed: &Executed,
        request: TraceRequest,
    ) -> Result<Trace, EmulatorError> {
        self.shell_before(executed).await?.trace_again(executed, request).await
    }

    async fn before(
        &self,
        executed: &Executed,
    ) -> Result<Arc<dyn parhelion_core::emulator::Emulator>, EmulatorError> {
        Ok(Arc::new(self.shell_before(executed).await?))
    }

    async fn simulate(&self, simulation: Simulation) -> Result<Vec<SimulatedBlock>, SimulationError> {
        self.simulate_blocks(simulation).await
    }

    async fn at(&self, moment: Moment) -> Result<Arc<dyn Emulator>, EmulatorError> {
        Ok(Arc::new(match (&self.archive, moment) {
            (Some(archive), Moment::Behind(block)) => {
                past::shell_at((Arc::clone(&self.cluster), Arc::clone(archive)), Point::end(block)).await?
            }
            _ => Self::new(self.cluster.at(moment).await?),
        }))
    }

    async fn emulate(
        &self,
        transaction: &Transaction,
        coinbase: Address,
    ) -> Result<Emulation, EmulatorError> {
        Ok(self.run_transaction(transaction, coinbase, at_once).await?.emulation)
    }

    async fn emulate_together(
        &self,
        transactions: &[Transaction],
        coinbase: Address,
    ) -> Result<Vec<Emulation>, EmulatorError> {
        let mut emulations = Vec::new();
        let mut behind = None;
        for transaction in transactions {
            let shell = behind.as_ref().unwrap_or(self);
            match shell.run_transaction(transaction, coinbase, at_once).await {
                Ok(ran) => {
                    emulations.push(ran.emulation);
                    behind = Some(shell.behind(ran.uses));
                }
                Err(error) if emulations.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(emulations)
    }

    async fn emulate_in_steps(
        &self,
        transaction: &Transaction,
        coinbase: Address,
        holder: Option<Vec<u8>>,
    ) -> Result<SteppedEmulation, EmulatorError> {
        self.emulate_steps(transaction, coinbase, holder).await
    }

    async fn spread(
        &self,
        transaction: &Transaction,
        coinbase: Address,
        holder: Option<Vec<u8>>,
    ) -> Result<Spread, EmulatorError> {
        self.spread_accounts(transaction, coinbase, holder).await
    }
}

impl Shell {
    /// The emulator at the point before a transaction that is in a block.
    async fn shell_before(&self, executed: &Executed) -> Result<Self, EmulatorError> {
        if let Some(archive) = &self.archive {
            return past::shell_before((Arc::clone(&self.cluster), Arc::clone(archive)), executed).await;
        }
        Ok(Self::new(self.cluster.at(executed.before()).await?))
    }

    /// Runs a signed transaction in one way or another, with what it leaves beside its report.
    pub(crate) async fn run_transaction<T, F>(
        &self,
        transaction: &Transaction,
        coinbase: Address,
        run: F,
    ) -> Result<Ran<T>, EmulatorError>
    where
        T: Send + 'static,
        F: Fn(&mut Recorder<'_>, &BlockValues, &Envelope<'_>) -> Result<(Report, T), ProgramError>
            + Send
            + Sync
            + Clone
            + 'static,
    {
        let ((report, beside), finished) = self.run_envelope(transaction, coinbase, None, run).await?;
        let emulation = Emulation {
            deployed_codes: report.codes.clone(),
            execution: execution(report),
            accounts: finished.uses.iter().filter(|used| !used.is_optional).map(account_use).collect(),
            codes: finished.codes,
            slot: finished.block.slot,
        };
        Ok(Ran { emulation, uses: finished.uses, beside })
    }

    /// Runs a transaction of whoever its envelope says, and gives what the run gives, and what it used.
    pub(crate) async fn run_envelope<T, F>(
        &self,
        transaction: &Transaction,
        coinbase: Address,
        overrides: Option<&Overrides>,
        run: F,
    ) -> Result<(T, Finished<()>), EmulatorError>
    where
        T: Send + 'static,
        F: Fn(&mut Recorder<'_>, &BlockValues, &Envelope<'_>) -> Result<T, ProgramError>
            + Send
            + Sync
            + Clone
            + 'static,
    {
        let to = transaction.inner().to().map(to_h160);
        let from = to_h160(transaction.sender());
        let mut first = self.first_addresses(from, to);
        let coinbase = to_h160(coinbase);
        first.push(self.address(&AccountKey::Balance(coinbase)));
        let kind = kind(to.map(|to| to.0), transaction.inner().input());
        let run = {
            let transaction = transaction.clone();
            move |ledger: &mut Recorder<'_>, block: &BlockValues| {
                run(ledger, block, &Envelope::decode(transaction.envelope())?)
            }
        };
        let Finished { result, uses, codes, block } = self.run(kind, coinbase, first, overrides, run).await?;
        match result {
            Ok(result) => Ok((result, Finished { result: Ok(()), uses, codes, block })),
            Err(error) => Err(self.refusal(error, transaction).await),
        }
    }

    /// A refusal with the numbers that make it understandable, in the words that Ethereum nodes use.
    async fn refusal(&self, error: ProgramError, transaction: &Transaction) -> EmulatorError {
        let detail = match error {
            ProgramError::NonceTooLow | ProgramError::NonceTooHigh | ProgramError::InsufficientFunds => {
                match self.account(transaction.sender()).await {
                    Ok(state) => format!(
                        "address {}, tx nonce: {} state nonce: {} balance: {}",
                        transaction.sender(),
                        transaction.inner().nonce(),
                        state.nonce,
                        state.balance
                    ),
                    Err(error) => return error,
                }
            }
            _ => String::new(),
        };
        EmulatorError::Refused(Refusal { error, detail })
    }
}

fn account_use(used: &Use) -> AccountUse {
    AccountUse { address: used.address, writable: used.is_written }
}

fn damaged(error: ProgramError) -> EmulatorError {
    EmulatorError::State(error.text().into())
}
