//! One block, run again.

use super::record::{self, BlockRecord};
use super::view::View;
use super::{settings, stepped};
use crate::crypto::Native;
use crate::execution::execution;
use crate::ledger::{Recorder, Use};
use crate::shell::Shell;
use crate::trace::{AGAIN, check_same};
use parhelion_core::cluster::{ClusterError, Held};
use parhelion_core::emulator::EmulatorError;
use parhelion_core::past::{Change, Effect, EffectKind, Ending, Landing, Point, Version};
use parhelion_core::store::{Block, Executed};
use parhelion_executor::BlockValues;
use parhelion_wire::Pubkey;
use parhelion_wire::transaction::Envelope;
use std::collections::BTreeMap;
use std::sync::Arc;
use tracing::error;

/// What something leaves: accounts, and what they are then.
pub(super) type Left = Vec<(Pubkey, Version)>;

/// What was done again.
struct Done {
    /// The point behind it.
    point: Point,
    /// Whether it closed an account.
    closes: bool,
}

/// A block that is run again.
pub(super) struct Replaying<'b> {
    block: &'b Block,
    view: Arc<View>,
    shell: Shell,
    /// The transaction that ends next.
    next: u64,
    changes: BTreeMap<(Point, Pubkey), Version>,
}

impl<'b> Replaying<'b> {
    /// Begins a block, over what was before it.
    pub(super) fn new(block: &'b Block, view: View, values: BlockRecord) -> Self {
        let view = Arc::new(view);
        let shell = Shell::new(Arc::clone(&view) as Arc<_>);
        let mut replaying = Self { block, view, shell, next: 0, changes: BTreeMap::new() };
        replaying.put(replaying.before(), vec![(record::BLOCK, values.version())]);
        replaying
    }

    /// Accounts are known that were not.
    pub(super) fn know(&mut self, known: Left) {
        self.put(self.before(), known);
    }

    /// Accounts that are not known now, as far as something here wrote them or wanted to see them.
    pub(super) fn unknown(&self) -> impl Iterator<Item = Pubkey> {
        self.view.met_unknown().into_iter()
    }

    /// What changed.
    pub(super) fn finish(self) -> Vec<Change> {
        let change = |((point, address), version)| Change { point, address, version };
        self.changes.into_iter().map(change).collect()
    }

    /// Does again what a Solana transaction did.
    ///
    /// What its accounts held before and behind it is taken from the cluster: anybody may give them lamports. That changes
    /// what something does in one case only: who closes a Cell gets what is in it. What was given before the transaction is
    /// known then, and what was given in it shows in the Vault.
    pub(super) async fn land(&mut self, landing: &Landing) -> Result<(), EmulatorError> {
        self.hold(self.before(), &landing.lamports, |held| held.before).await?;
        let (mut points, mut closing) = (Vec::with_capacity(landing.effects.len()), None);
        for (place, effect) in landing.effects.iter().enumerate() {
            let Done { point, closes } = self.apply(effect).await?;
            points.push(point);
            closing = closing.or(closes.then_some(place));
        }
        if let Some(first) = closing
            && !self.is_vault_right(&landing.lamports).await?
        {
            let error = EmulatorError::State("the Vault does not hold what it held".to_owned());
            let lost = landing.effects.iter().zip(&points).skip(first);
            lost.for_each(|(effect, point)| self.lose(effect, *point, &error));
        }
        let behind = points.last().copied().unwrap_or_else(|| self.before());
        self.hold(behind, &landing.lamports, |held| held.after).await
    }

    /// Accounts hold from a point on what the cluster tells.
    async fn hold(
        &mut self,
        point: Point,
        told: &[Held],
        lamports: impl Fn(&Held) -> u64,
    ) -> Result<(), EmulatorError> {
        let addresses: Vec<Pubkey> = told.iter().map(|held| held.address.to_bytes()).collect();
        let versions = self.view.versions(&addresses).await?;
        let differing = |((address, version), told): ((Pubkey, Option<Version>), &Held)| match version? {
            Version::Present { lamports: held, .. } if held == lamports(told) => None,
            Version::Present { .. } if lamports(told) == 0 => {
                error!(block = point.block, account = %told.address, "it is gone, and nothing closed it: not known from here on");
                Some((address, Version::Unknown))
            }
            Version::Present { data, .. } => {
                Some((address, Version::Present { lamports: lamports(told), data }))
            }
            Version::Absent | Version::Unknown => None,
        };
        let differing = addresses.into_iter().zip(versions).zip(told).filter_map(differing).collect();
        self.put(point, differing);
        Ok(())
    }

    /// Whether the Vault holds what it held behind a Solana transaction.
    async fn is_vault_right(&self, told: &[Held]) -> Result<bool, EmulatorError> {
        let vault = self.shell.deployment.vault;
        let told = told.iter().find(|held| held.address.to_bytes() == vault).map(|held| held.after);
        let version = version(&self.view, vault).await?;
        Ok(matches!(version, Some(Version::Present { lamports, .. }) if Some(lamports) == told))
    }

    /// Does again what the program did.
    async fn apply(&mut self, effect: &Effect) -> Result<Done, EmulatorError> {
        let left = self.run(effect).await;
        if let Some(hashes) = self.view.take_slot_hashes() {
            self.put(self.before(), vec![(record::SLOT_HASHES, hashes)]);
        }
        let point = match effect.kind {
            EffectKind::Ended(_) => {
                self.next += 1;
                Point::behind(self.number(), self.next - 1)
            }
            _ => self.before(),
        };
        match left {
            Ok(left) => {
                let closes = self.closes(&left).await?;
                self.put(point, left);
                self.end_run(&effect.kind);
                Ok(Done { point, closes })
            }
            Err(EmulatorError::Cluster(error)) if error.is_retryable() => Err(error.into()),
            Err(error) => {
                self.lose(effect, point, &error);
                Ok(Done { point, closes: false })
            }
        }
    }

    /// What is kept of a run in steps is of use right behind it only.
    fn end_run(&mut self, kind: &EffectKind) {
        let Some(index) = self.next.checked_sub(1).and_then(|index| usize::try_from(index).ok()) else {
            return;
        };
        if let (EffectKind::Ended(Ending::InSteps), Some(executed)) =
            (kind, self.block.transactions.get(index))
        {
            self.put(self.before(), vec![(record::run(stepped::id(&executed.transaction)), Version::Absent)]);
        }
    }

    /// Whether an account that was there is not there any more.
    async fn closes(&self, left: &Left) -> Result<bool, EmulatorError> {
        let absent = left.iter().filter(|(_, version)| *version == Version::Absent);
        let addresses: Vec<Pubkey> = absent.map(|(address, _)| *address).collect();
        let before = self.view.versions(&addresses).await?;
        Ok(before.iter().any(|version| matches!(version, Some(Version::Present { lamports: 1.., .. }))))
    }

    /// What something may have changed is not known from here on.
    fn lose(&mut self, effect: &Effect, point: Point, error: &EmulatorError) {
        error!(
            block = self.number(),
            index = point.place / 2,
            "something does not run again as it did, the accounts that it may have changed are not known from here on: \
             {error}"
        );
        let config = self.shell.deployment.config;
        let touched = effect.accounts.iter().filter(|address| **address != config);
        self.put(point, touched.map(|address| (*address, Version::Unknown)).collect());
    }

    async fn run(&self, effect: &Effect) -> Result<Left, EmulatorError> {
        match &effect.kind {
            EffectKind::Initialized(initialize) => settings::initialized(&self.shell, initialize).await,
            EffectKind::Configured(configure) => settings::configured(&self.shell, configure).await,
            EffectKind::Deposited { address, lamports } => {
                settings::deposited(&self.shell, *address, *lamports).await
            }
            EffectKind::Began { transaction, coinbase } => {
                stepped::began(&self.shell, transaction, *coinbase, self.before()).await
            }
            EffectKind::Stepped(transaction) => stepped::stepped(&self.view, *transaction).await,
            EffectKind::Ended(ending) => self.ended(*ending).await,
            EffectKind::Lost => Err(EmulatorError::State("it cannot be decoded".to_owned())),
        }
    }

    /// Runs a transaction that ended; once more if it was not the same, with what accounts of others are now.
    async fn ended(&self, ending: Ending) -> Result<Left, EmulatorError> {
        let index = usize::try_from(self.next).ok();
        let executed = index
            .and_then(|index| self.block.transactions.get(index))
            .ok_or_else(|| EmulatorError::State("it is not in the block".to_owned()))?;
        match run_ended(&self.shell, &self.view, executed, ending).await {
            Err(EmulatorError::Cluster(error)) if error.is_retryable() => Err(error.into()),
            Err(_) => {
                let view = Arc::new(self.view.with_others());
                run_ended(&Shell::new(Arc::clone(&view) as Arc<_>), &view, executed, ending).await
            }
            Ok(left) => Ok(left),
        }
    }

    fn number(&self) -> u64 {
        self.block.header.number
    }

    /// The point before the next transaction.
    fn before(&self) -> Point {
        Point::before(self.number(), self.next)
    }

    fn put(&mut self, point: Point, left: Left) {
        for (address, version) in left {
            self.view.put(Change { point, address, version: version.clone() });
            self.changes.insert((point, address), version);
        }
    }
}

async fn run_ended(
    shell: &Shell,
    view: &View,
    executed: &Executed,
    ending: Ending,
) -> Result<Left, EmulatorError> {
    match ending {
        Ending::AtOnce => at_once(shell, executed).await,
        Ending::InSteps => stepped::ended(view, executed).await,
        Ending::Cancelled => stepped::cancelled(shell, view, executed).await,
    }
}

async fn at_once(shell: &Shell, executed: &Executed) -> Result<Left, EmulatorError> {
    let run = |ledger: &mut Recorder<'_>, block: &BlockValues, envelope: &Envelope<'_>| {
        Ok(parhelion_executor::execute(ledger, Native, block, &AGAIN, envelope)?.1)
    };
    let (report, finished) = shell.run_envelope(&executed.transaction, executed.coinbase, None, run).await?;
    check_same(&execution(report), executed)?;
    Ok(left(shell, finished.uses))
}

/// What a run left in the program's accounts.
pub(super) fn left(shell: &Shell, uses: Vec<Use>) -> Left {
    let program = shell.deployment.program_id;
    let version = |used: Use| match used.after {
        None => Some((used.address, Version::Absent)),
        Some(account) if account.owner.to_bytes() == program => {
            let version = Version::Present { lamports: account.lamports, data: account.data };
            Some((used.address, version))
        }
        // Somebody's who was paid: nobody keeps what it was.
        Some(_) => None,
    };
    uses.into_iter().filter(|used| used.is_written).filter_map(version).collect()
}

/// What is known of an account or a record.
pub(super) async fn version(view: &View, address: Pubkey) -> Result<Option<Version>, ClusterError> {
    Ok(view.versions(&[address]).await?.pop().flatten())
}
