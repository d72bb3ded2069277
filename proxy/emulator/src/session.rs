//! The rounds of a run: fetch, run, fetch what was missing, run again.

use crate::ledger::{Known, Missing, Recorder};
use crate::overrides::{self, Seen};
use crate::shell::Shell;
use crate::touched::RunKind;
use parhelion_core::cluster::{ACCOUNTS_MAX, Account, Clock, ClusterError};
use parhelion_core::emulator::{CodeUse, EmulatorError, Overrides};
use parhelion_executor::BlockValues;
use parhelion_wire::account::{Config, Layout};
use parhelion_wire::address::Deployment;
use parhelion_wire::{H160, ProgramError, Pubkey};
use solana_address::Address;
use std::collections::HashMap;
use tokio::task::spawn_blocking;

/// Rounds of a run at most: each fetches at least one account more.
const ROUNDS_MAX: usize = 400;
/// Accounts of a run at most, in reads that never go on chain.
pub(crate) const RUN_ACCOUNTS_MAX: usize = 4000;

/// What a run gives: its result and what it used or missed.
type Run<T> = (Result<T, ProgramError>, Outcome);

/// A run that is over soon: it may give up with [`ProgramError::HeapLimit`] where the run itself would not.
pub(crate) type BriefRun<T> =
    Box<dyn Fn(&mut Recorder<'_>, &BlockValues) -> Result<T, ProgramError> + Send + Sync>;

/// What a run's ledger recorded.
pub(crate) enum Outcome {
    /// It has all it needs; besides, the codes that ran, and addresses to look at next time.
    Used(Vec<crate::ledger::Use>, Vec<CodeUse>, Vec<Pubkey>),
    /// It missed something.
    Missed(Missing),
}

/// The result of a finished run.
pub(crate) struct Finished<T> {
    pub(crate) result: Result<T, ProgramError>,
    pub(crate) uses: Vec<crate::ledger::Use>,
    pub(crate) codes: Vec<CodeUse>,
    pub(crate) block: BlockValues,
}

/// Runs `run` over what is known.
fn once<T>(
    deployment: Deployment,
    known: &Known,
    block: &BlockValues,
    run: impl Fn(&mut Recorder<'_>, &BlockValues) -> Result<T, ProgramError>,
) -> Run<T> {
    let mut recorder = Recorder::new(deployment, known);
    let result = run(&mut recorder, block);
    let outcome = if recorder.misses() {
        Outcome::Missed(recorder.into_missing())
    } else {
        let (codes, translations) = (recorder.codes(), recorder.translations());
        Outcome::Used(recorder.into_uses(), codes, translations)
    };
    (result, outcome)
}

/// [`once`] for a run that may give up: then there is nothing.
fn once_briefly<T>(
    deployment: Deployment,
    known: &Known,
    block: &BlockValues,
    run: &BriefRun<T>,
) -> Option<Run<T>> {
    match once(deployment, known, block, run) {
        (Err(ProgramError::HeapLimit), Outcome::Used(..)) => None,
        over => Some(over),
    }
}

impl Shell {
    /// Runs `run` until it misses nothing. `coinbase` is COINBASE in the block, unless it is overridden.
    pub(crate) async fn run<T, F>(
        &self,
        kind: RunKind,
        coinbase: H160,
        first: Vec<Pubkey>,
        overrides: Option<&Overrides>,
        run: F,
    ) -> Result<Finished<T>, EmulatorError>
    where
        T: Send + 'static,
        F: Fn(&mut Recorder<'_>, &BlockValues) -> Result<T, ProgramError> + Send + Sync + Clone + 'static,
    {
        self.run_briefly(kind, coinbase, first, overrides, None, run).await
    }

    /// [`Self::run`], which tries `brief` first: where we are, because that takes less than to have another thread do it.
    pub(crate) async fn run_briefly<T, F>(
        &self,
        kind: RunKind,
        coinbase: H160,
        first: Vec<Pubkey>,
        overrides: Option<&Overrides>,
        brief: Option<BriefRun<T>>,
        run: F,
    ) -> Result<Finished<T>, EmulatorError>
    where
        T: Send + 'static,
        F: Fn(&mut Recorder<'_>, &BlockValues) -> Result<T, ProgramError> + Send + Sync + Clone + 'static,
    {
        let mut wanted = vec![self.deployment.config];
        wanted.extend(first);
        wanted.extend(self.touched.get(&kind));
        wanted
            .extend(overrides.into_iter().flat_map(|overrides| overrides::addresses(self, &overrides.state)));
        let mut slot_hashes = None;
        for _ in 0..ROUNDS_MAX {
            wanted.sort_unstable();
            wanted.dedup();
            if wanted.len() > RUN_ACCOUNTS_MAX {
                return Err(EmulatorError::TooManyAccounts);
            }
            let (clock, mut accounts) = self.fetch(&wanted).await?;
            let mut block = self.block_values(clock, &accounts, coinbase)?;
            let mut seen = match overrides {
                Some(overrides) => overrides::apply(self, overrides, &mut accounts, &mut block)?,
                None => Seen::default(),
            };
            for (contract, kept) in &self.replaced {
                seen.replaced.entry(*contract).or_insert_with(|| kept.clone());
            }
            let rent_per_byte = self.rent_per_byte().await?;
            let known = Known { accounts, slot_hashes: slot_hashes.clone(), rent_per_byte, seen };
            let deployment = self.deployment;
            let brief = brief.as_ref().and_then(|brief| once_briefly(deployment, &known, &block, brief));
            let (result, outcome) = match brief {
                Some(over) => over,
                None => {
                    // The EVM may compute for a while; the runtime's threads are for waiting.
                    let run = run.clone();
                    let work = move || once(deployment, &known, &block, run);
                    spawn_blocking(work).await.map_err(|error| EmulatorError::State(error.to_string()))?
                }
            };
            match outcome {
                Outcome::Used(uses, codes, translations) => {
                    self.touched.set(kind, uses.iter().map(|used| used.address).chain(translations));
                    return Ok(Finished { result, uses, codes, block });
                }
                Outcome::Missed(missing) => {
                    wanted.extend(missing.addresses);
                    if missing.slot_hashes {
                        slot_hashes = Some(self.cluster.slot_hashes().await?);
                    }
                }
            }
        }
        Err(EmulatorError::TooManyAccounts)
    }

    /// Reads accounts, in one batch where they fit one.
    pub(crate) async fn fetch(
        &self,
        wanted: &[Pubkey],
    ) -> Result<(Clock, HashMap<Pubkey, Option<Account>>), ClusterError> {
        let mut accounts = HashMap::with_capacity(wanted.len());
        let mut newest = None;
        let is_left = |address: &&Pubkey| self.left.contains_key(*address);
        let asked: Vec<Pubkey> = wanted.iter().filter(|address| !is_left(address)).copied().collect();
        for batch in asked.chunks(ACCOUNTS_MAX) {
            let addresses: Vec<Address> = batch.iter().map(|address| Address::from(*address)).collect();
            let snapshot = self.cluster.accounts(&addresses).await?;
            accounts.extend(batch.iter().copied().zip(snapshot.accounts));
            newest = Some(snapshot.clock);
        }
        let clock = match newest.or(self.clock) {
            Some(clock) => clock,
            None => self.cluster.clock().await?,
        };
        let left = wanted.iter().filter_map(|address| Some((*address, self.left.get(address)?.clone())));
        accounts.extend(left);
        Ok((clock, accounts))
    }

    /// The block that a run sees: the chain's settings at the time of the snapshot.
    fn block_values(
        &self,
        clock: Clock,
        accounts: &HashMap<Pubkey, Option<Account>>,
        coinbase: H160,
    ) -> Result<BlockValues, EmulatorError> {
        let config = self.config_of(accounts.get(&self.deployment.config).and_then(Option::as_ref))?;
        Ok(BlockValues {
            chain_id: config.chain_id(),
            base_fee: config.base_fee(),
            gas_limit: config.block_gas_limit(),
            slot: clock.slot,
            timestamp: clock.unix_timestamp.max(0).unsigned_abs(),
            coinbase,
            blob_base_fee: BlockValues::NO_BLOBS,
        })
    }

    /// The chain's settings in its Config account.
    pub(crate) fn config_of(&self, account: Option<&Account>) -> Result<Config, EmulatorError> {
        let missing = || {
            EmulatorError::State(
                "there is no Config account: is the program deployed and initialised?".into(),
            )
        };
        let account = account.ok_or_else(missing)?;
        if account.owner.to_bytes() != self.deployment.program_id {
            return Err(missing());
        }
        Config::view(&account.data).copied().map_err(|error| EmulatorError::State(error.text().into()))
    }
}
