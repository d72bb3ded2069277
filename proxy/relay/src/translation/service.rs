//! The task that counts calls and translates.

use super::rule::{self, Cost, Rule, Seen};
use super::size::{BLOCKS, Size};
use super::tally::Tally;
use crate::operator::Operator;
use crate::shape::Shape;
use alloy_primitives::B256;
use parhelion_core::cluster::{Cluster, ClusterError};
use parhelion_core::emulator::{CodeUse, FoundTranslation};
use parhelion_evm::translation;
use parhelion_sdk::address::account_address;
use parhelion_sdk::convert::to_h256;
use parhelion_sdk::instruction::{translate, translation_close};
use parhelion_sdk::transaction::{Budget, sign};
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Translation, TranslationStage};
use parhelion_wire::address::{AccountKey, Deployment};
use solana_address::Address;
use solana_instruction::Instruction;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

/// Landed transactions that wait to be counted at most; further ones are not counted.
const NOTES_MAX: usize = 1024;
/// Blocks when a transaction with more ran out of compute units.
const BLOCKS_MIN: u16 = 25;
/// Solana transactions for one code at most, in one go: the longest code takes some twenty.
const STEPS_MAX: usize = 64;
/// Lamports that stay with the operator for landing transactions.
const RESERVE: u64 = 100_000_000;
/// How long a code is left alone after something failed.
const RETRY_DELAY: Duration = Duration::from_secs(60);
/// How long it is left alone when lamports are short or a stranger's: somebody has to do something first.
const FUNDS_DELAY: Duration = Duration::from_secs(600);

/// What the operator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which code is translated.
    pub rule: Rule,
    /// Lamports of rent in translations that the operator pays for at most.
    pub lamports_max: u64,
    /// The time from one Solana transaction to the next.
    pub pause: Duration,
}

/// A transaction that this relay landed.
#[derive(Clone, Debug)]
pub struct Landed {
    /// The codes that it ran.
    pub codes: Vec<CodeUse>,
    /// Compute units that translations would have saved.
    pub units_saved: u64,
}

/// Where landed transactions are noted.
#[derive(Clone, Debug)]
pub struct Notes(mpsc::Sender<Landed>);

impl Notes {
    /// Notes a landed transaction; never waits.
    pub fn note(&self, landed: Landed) {
        if self.0.try_send(landed).is_err() {
            debug!("a landed transaction is not counted: the task that translates is busy");
        }
    }
}

/// The task. It ends when all [`Notes`] are gone, or with its shutdown.
pub struct Translations {
    cluster: Arc<dyn Cluster>,
    deployment: Deployment,
    operator: Arc<Operator>,
    settings: Settings,
    shape: Shape,
    notes: mpsc::Receiver<Landed>,
    tally: Tally,
    /// Lamports in translations of the operator's, as far as they were met.
    held: HashMap<B256, u64>,
    /// Lamports that went into translations of others.
    lost: u64,
    blocks: u16,
}

/// A translation as it is now, and what it takes from there.
struct Now {
    /// Lamports in it.
    lamports: u64,
    stage: Option<TranslationStage>,
    cost: Cost,
    /// Lamports that are to be advanced: while it is being written there is more room than it takes in the end.
    missing: u64,
    /// Who began it, or would.
    payer: Address,
    /// What the operator has.
    funds: u64,
}

/// Why a translation does not go on.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("{0} began it, and the rent that it takes would not come back")]
    Foreign(Address),
    #[error("the code's translation would be too long: the code runs as it is")]
    TooLong,
    #[error("there is no such code")]
    NoCode,
    #[error(
        "{more} lamports more in translations would exceed the {max} that are allowed: raise \
         --translate-lamports-max, or close translations that are no longer used"
    )]
    Cap { more: u64, max: u64 },
    #[error(
        "the operator has {funds} lamports, and needs {needed}: send it more, or lower --translate-lamports-max"
    )]
    Funds { funds: u64, needed: u64 },
    #[error("it is not complete after {STEPS_MAX} Solana transactions; the next call goes on with it")]
    Steps,
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl Translations {
    /// The task, and where to note what it counts.
    #[must_use]
    pub fn new(
        cluster: Arc<dyn Cluster>,
        operator: Arc<Operator>,
        settings: Settings,
        shape: Shape,
    ) -> (Notes, Self) {
        let (sender, notes) = mpsc::channel(NOTES_MAX);
        let deployment = cluster.deployment();
        let (tally, held) = (Tally::default(), HashMap::new());
        let (lost, blocks) = (0, BLOCKS);
        let task = Self { cluster, deployment, operator, settings, shape, notes, tally, held, lost, blocks };
        (Notes(sender), task)
    }

    /// Counts and translates until `shutdown` completes. What is unfinished then goes on after a restart.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) {
        let work = async {
            while let Some(landed) = self.notes.recv().await {
                self.count(&landed).await;
            }
        };
        tokio::select! {
            biased;
            () = shutdown => {}
            () = work => {}
        }
    }

    /// Counts the codes of a landed transaction, and translates those that earn it.
    async fn count(&mut self, landed: &Landed) {
        for code in &landed.codes {
            if let Some(found) = code.translation.filter(|found| found.is_complete) {
                self.hold(code.hash, &found);
                self.tally.forget(&code.hash);
                continue;
            }
            if code.translation.is_none() {
                // Closed, if it was there.
                self.held.remove(&code.hash);
            }
            let now = Instant::now();
            let units = rule::share(landed.units_saved, code, &landed.codes);
            let seen = self.tally.count(code.hash, units, now);
            let is_begun = code.translation.is_some_and(|found| self.is_mine(&found.payer));
            let is_open =
                !self.tally.is_waiting(&code.hash, now) && self.tally.size(&code.hash) != Some(None);
            if is_open && self.settings.rule.is_worth_a_look(&seen, is_begun) {
                self.look(code.hash, &seen, is_begun).await;
            }
        }
    }

    /// Translates a code, if it earns it.
    async fn look(&mut self, hash: B256, seen: &Seen, is_begun: bool) {
        let delay = match self.translate(hash, seen, is_begun).await {
            Ok(true) => return self.tally.forget(&hash),
            Ok(false) => return,
            Err(Stop::TooLong) => {
                info!(%hash, "a code is not translated: {}", Stop::TooLong);
                return self.tally.set_size(&hash, None);
            }
            Err(stop @ Stop::Foreign(_)) => {
                info!(%hash, "a code is not translated: {stop}");
                FUNDS_DELAY
            }
            Err(stop @ (Stop::Cap { .. } | Stop::Funds { .. })) => {
                warn!(%hash, operator = %self.operator.address(), "a code is not translated: {stop}");
                FUNDS_DELAY
            }
            Err(stop) => {
                warn!(%hash, "a code is not translated, trying again in {RETRY_DELAY:?}: {stop}");
                RETRY_DELAY
            }
        };
        self.tally.wait(&hash, Instant::now() + delay);
    }

    /// Takes one step after another until the translation is complete; false when it is not earned yet.
    async fn translate(&mut self, hash: B256, seen: &Seen, is_begun: bool) -> Result<bool, Stop> {
        let size = self.size(hash).await?;
        // As if nothing was there, so that not every call makes the chain be read.
        if !is_begun && !self.settings.rule.earns(seen, &size.cost(size.rent)) {
            return Ok(false);
        }
        for step in 0..STEPS_MAX {
            let now = self.now(hash, &size).await?;
            if now.stage == Some(TranslationStage::Complete) {
                self.finished(hash, &size, &now, step);
                return Ok(true);
            }
            self.check(hash, seen, &now)?;
            if step == 0 {
                info!(%hash, bytes = size.translation, lamports = now.missing, calls = seen.calls, "translating a code");
            }
            self.step(hash, step, &now).await?;
            tokio::time::sleep(self.settings.pause).await;
        }
        Err(Stop::Steps)
    }

    /// Sends one `translate`.
    async fn step(&mut self, hash: B256, step: usize, now: &Now) -> Result<(), Stop> {
        // Steps that differ in a few blocks are different Solana transactions, even with the same blockhash.
        let blocks = self.blocks - (step % 8) as u16;
        let payer = self.operator.address();
        let instruction = translate(&self.deployment, &payer, hash, translation::VERSION, blocks);
        match self.send(instruction).await {
            Ok(()) => {
                debug!(%hash, step, blocks, lamports = now.missing, "a step of a translation landed");
                if step == 0 {
                    self.lost = self.lost.saturating_add(now.cost.lost);
                }
                Ok(())
            }
            Err(ClusterError::Failed { code: Some(code), .. })
                if code == ProgramError::TranslationTooLong as u32 =>
            {
                self.close(hash, now).await;
                Err(Stop::TooLong)
            }
            // No refusal of the program's: it ran out of compute units.
            Err(ClusterError::Failed { code: None, reason, .. }) if self.blocks > BLOCKS_MIN => {
                self.blocks = (self.blocks / 2).max(BLOCKS_MIN);
                debug!(%hash, blocks = self.blocks, "a step of a translation failed, taking smaller ones: {reason}");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the translation may go on from where it is now.
    fn check(&self, hash: B256, seen: &Seen, now: &Now) -> Result<(), Stop> {
        if !self.settings.rule.earns(seen, &now.cost) {
            return Err(Stop::Foreign(now.payer));
        }
        let others = self.held.iter().filter(|(held, _)| **held != hash).map(|(_, lamports)| *lamports);
        let (spent, more) = (others.sum::<u64>() + self.lost, now.cost.rent + now.cost.lost);
        let max = self.settings.lamports_max;
        if spent.saturating_add(more) > max {
            return Err(Stop::Cap { more, max });
        }
        let needed = now.missing.saturating_add(RESERVE);
        if now.funds < needed {
            return Err(Stop::Funds { funds: now.funds, needed });
        }
        Ok(())
    }

    /// Reads how far the translation is.
    async fn now(&self, hash: B256, size: &Size) -> Result<Now, Stop> {
        let addresses = [self.address(hash), self.operator.address()];
        let accounts = self.cluster.accounts(&addresses).await?.accounts;
        let [account, operator] = <[_; 2]>::try_from(accounts).unwrap_or_default();
        let program_id = Address::from(self.deployment.program_id);
        let account = account.filter(|account| account.owner == program_id);
        let prefix = account.as_ref().and_then(|account| Translation::view(&account.data).ok());
        let prefix = prefix.map(|view| *view.prefix);
        let lamports = account.as_ref().map_or(0, |account| account.lamports);
        let missing = self.cluster.rent_exemption(size.room()).await?.saturating_sub(lamports);
        let mut cost = size.cost(self.cluster.rent_exemption(size.account()).await?);
        let payer = prefix.map_or(self.operator.address(), |prefix| Address::from(*prefix.payer()));
        if prefix.is_some() {
            cost.is_begun = payer == self.operator.address();
            if !cost.is_begun {
                (cost.rent, cost.lost) = (0, missing);
            }
        }
        let funds = operator.map_or(0, |account| account.lamports);
        Ok(Now { lamports, stage: prefix.map(|prefix| prefix.stage()), cost, missing, payer, funds })
    }

    /// Tells, and counts it if it is the operator's.
    fn finished(&mut self, hash: B256, size: &Size, now: &Now, steps: usize) {
        let (code_bytes, bytes, lamports) = (size.code, size.translation, now.lamports);
        // Calls from before may be counted afterwards; then there is nothing to do.
        if steps > 0 {
            info!(%hash, code_bytes, bytes, lamports, steps, "a code is translated");
        }
        if now.cost.is_begun {
            self.held.insert(hash, lamports);
        }
    }

    /// Counts a translation of the operator's that a run found.
    fn hold(&mut self, hash: B256, found: &FoundTranslation) {
        if self.is_mine(&found.payer) {
            self.held.insert(hash, found.lamports);
        }
    }

    /// Takes back what is in a translation that cannot be finished.
    async fn close(&self, hash: B256, now: &Now) {
        if !now.cost.is_begun {
            return;
        }
        let close = translation_close(&self.deployment, &self.operator.address(), hash, translation::VERSION);
        if let Err(error) = self.send(close).await {
            warn!(%hash, "a translation that cannot be finished is not closed, its rent stays in it: {error}");
        }
    }

    async fn send(&self, instruction: Instruction) -> Result<(), ClusterError> {
        let blockhash = self.cluster.latest_blockhash().await?;
        let (payer, signers) = (self.operator.address(), [&self.operator.keypair]);
        let signed = sign(&[instruction], &payer, &signers, blockhash, &Budget::MAX, self.shape.format())
            .map_err(|error| ClusterError::Unsupported(error.to_string()))?;
        self.cluster.send(&signed).await.map(drop)
    }

    /// What a code's translation takes: found out once, by translating it here.
    async fn size(&mut self, hash: B256) -> Result<Size, Stop> {
        if let Some(known) = self.tally.size(&hash) {
            return known.ok_or(Stop::TooLong);
        }
        let address = account_address(&self.deployment, &AccountKey::Code(to_h256(hash)));
        let account = self.cluster.accounts(&[address]).await?.accounts.pop().flatten();
        let account = account.ok_or(Stop::NoCode)?;
        // The longest code takes milliseconds.
        let mut size = Size::of(&account.data).map_err(|_| Stop::NoCode)?.ok_or(Stop::TooLong)?;
        size.rent = self.cluster.rent_exemption(size.account()).await?;
        self.tally.set_size(&hash, Some(size));
        Ok(size)
    }

    fn address(&self, hash: B256) -> Address {
        account_address(&self.deployment, &AccountKey::Translation(to_h256(hash), translation::VERSION))
    }

    fn is_mine(&self, payer: &[u8; 32]) -> bool {
        self.operator.address().to_bytes() == *payer
    }
}

impl std::fmt::Debug for Translations {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Translations").field("settings", &self.settings).finish_non_exhaustive()
    }
}
