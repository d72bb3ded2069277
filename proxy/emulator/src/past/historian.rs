//! Runs blocks again as they come, and shows the past.

use super::record::{self, BlockRecord, RunRecord};
use super::replay::{Replaying, version};
use super::stepped;
use super::unknowns::Unknowns;
use super::view::{self, View};
use crate::shell::Shell;
use async_trait::async_trait;
use parhelion_core::cluster::Cluster;
use parhelion_core::emulator::EmulatorError;
use parhelion_core::past::{Archive, Change, EffectKind, Landing, Point, Replay};
use parhelion_core::store::{Block, Executed, StoreError};
use std::sync::Arc;
use tracing::debug;

/// Where accounts are now, and where they were.
pub(crate) type Parts = (Arc<dyn Cluster>, Arc<dyn Archive>);

/// The [`Replay`] of a chain whose archive begins with it.
pub struct Historian {
    live: Shell,
    archive: Arc<dyn Archive>,
    unknowns: Unknowns,
}

impl Historian {
    /// Runs again what happens on `cluster`, over what it was.
    #[must_use]
    pub fn new(cluster: Arc<dyn Cluster>, archive: Arc<dyn Archive>) -> Self {
        Self { live: Shell::new(cluster), archive, unknowns: Unknowns::default() }
    }

    fn parts(&self) -> Parts {
        (Arc::clone(&self.live.cluster), Arc::clone(&self.archive))
    }
}

#[async_trait]
impl Replay for Historian {
    async fn replay(
        &self,
        block: &Block,
        landings: &[Landing],
        unstored: &[Change],
    ) -> Result<Vec<Change>, EmulatorError> {
        let effects = || landings.iter().flat_map(|landing| &landing.effects);
        let Some(first) = effects().next() else { return Ok(Vec::new()) };
        let header = &block.header;
        let rent_per_byte = self.live.rent_per_byte().await?;
        let values = BlockRecord { timestamp: header.timestamp, rent_per_byte };
        let before = Point::end(header.number.saturating_sub(1));
        let view = View::new(self.parts(), before, values.clock(header.number), rent_per_byte);
        unstored.iter().cloned().for_each(|change| view.put(change));
        let is_beginning = matches!(first.kind, EffectKind::Initialized(_));
        if !is_beginning && version(&view, record::BLOCK).await?.is_none() {
            // What was before is not known, so nothing behind it can be.
            return Ok(Vec::new());
        }
        let mut replaying = Replaying::new(block, view, values);
        let known = self.unknowns.known(header.number);
        replaying.know(known.clone());
        for landing in landings {
            replaying.land(landing).await?;
        }
        // Not before: what fails is done again.
        self.unknowns.forget(&known);
        effects().for_each(|effect| self.unknowns.touch(&effect.accounts));
        replaying.unknown().for_each(|address| self.unknowns.add(address));
        if let Err(error) = self.unknowns.ask(&*self.live.cluster).await {
            debug!("the cluster is asked about unknown accounts in a later block: {error}");
        }
        Ok(replaying.finish())
    }
}

impl std::fmt::Debug for Historian {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Historian").field("live", &self.live).finish_non_exhaustive()
    }
}

/// Forgets what accounts were before a block, or a part of it if that is much; how many versions. There is nothing left to
/// forget when it is none.
///
/// # Errors
/// When the archive cannot be written.
pub async fn forget_past(archive: &dyn Archive, before: u64) -> Result<u64, StoreError> {
    // All that is asked at a point is asked together with the newest of these.
    archive.forget(&record::BLOCK, Point::before(before, 0)).await
}

/// The emulator at a point.
pub(crate) async fn shell_at(parts: Parts, point: Point) -> Result<Shell, EmulatorError> {
    Ok(Shell::new(Arc::new(view_at(parts, point).await?)))
}

async fn view_at(parts: Parts, point: Point) -> Result<View, EmulatorError> {
    Ok(View::behind(parts, point).await?.ok_or_else(|| view::unknown(point.block))?)
}

/// The emulator at the point before a transaction that is in a block: run at once there, it does what it did.
pub(crate) async fn shell_before(parts: Parts, executed: &Executed) -> Result<Shell, EmulatorError> {
    let (block, index) = (executed.block_number, executed.index);
    let behind = view_at(parts.clone(), Point::behind(block, index)).await?;
    // Who is paid by a withdrawal is none of the program's accounts.
    let before = view_at(parts, Point::before(block, index)).await?.with_others();
    let run = version(&behind, record::run(stepped::id(&executed.transaction))).await?;
    let Some(RunRecord { run, steps, .. }) = RunRecord::read(run.as_ref()) else {
        return Ok(Shell::new(Arc::new(before)));
    };
    let sender = stepped::not_begun(&before, executed, &run).await?;
    let clock = steps.first().copied().unwrap_or_else(|| before.clock());
    let mut shell = Shell::new(Arc::new(before.as_of(clock)));
    shell.left.extend([sender]);
    Ok(shell)
}
