//! What a node computes of the past, compared with what the VM remembers of it.

use parhelion_core::cluster::{ACCOUNTS_MAX, Account, Cluster, LandedBlock, Moment};
use parhelion_core::emulator::{ChainSettings, Emulator, TraceRequest};
use parhelion_core::past::{Archive, Point, Replay, Version};
use parhelion_core::store::{Block, Store};
use parhelion_emulator::{Historian, Shell, forget_past};
use parhelion_indexer::{Decoded, Decoder, Tip};
use parhelion_solana::SvmCluster;
use parhelion_store::MemoryStore;
use parhelion_wire::Pubkey;
use parhelion_wire::account::{Header, Kind};
use parhelion_wire::event::Outcome;
use solana_address::Address;
use std::collections::BTreeSet;
use std::ops::AddAssign;
use std::sync::Arc;

/// Kinds of accounts that are the chain's state.
const STATE: [Kind; 4] = [Kind::Balance, Kind::Contract, Kind::Code, Kind::Cell];

/// Blocks that are written down together, as those are that an indexer catches up with.
const BLOCKS_AT_ONCE: usize = 3;

/// How much was compared, and is the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compared {
    /// Accounts, each behind each block that changed it, and all in the end.
    pub accounts: u64,
    /// Transactions that were run again on what was before them.
    pub transactions: u64,
}

impl AddAssign for Compared {
    fn add_assign(&mut self, more: Self) {
        self.accounts += more.accounts;
        self.transactions += more.transactions;
    }
}

/// Runs everything again that landed, block by block, and compares each account that was changed with what it was in the VM,
/// which remembers what was behind the slot `first`; gives how much was the same, and what differs. Whoever `forgets` keeps no
/// more of the past than the newest blocks: what comes is the same.
///
/// # Errors
/// When the VM fails.
pub async fn compare(first: u64, svm: &SvmCluster, forgets: bool) -> anyhow::Result<(Compared, Vec<String>)> {
    let mut comparison = Comparison::begin(first, svm, forgets).await?;
    let landed = svm.blocks(0, svm.clock().await?.slot).await?;
    for some in landed.chunks(BLOCKS_AT_ONCE) {
        comparison.blocks(some).await?;
    }
    comparison.state().await?;
    Ok((comparison.compared, comparison.problems))
}

struct Comparison<'a> {
    svm: &'a SvmCluster,
    store: Arc<MemoryStore>,
    historian: Historian,
    emulator: Shell,
    decoder: Decoder,
    tip: Tip,
    /// The VM remembers what was behind this slot.
    first: u64,
    /// Whether what is older than the newest blocks is forgotten.
    forgets: bool,
    /// Accounts that changed.
    known: BTreeSet<Pubkey>,
    compared: Compared,
    problems: Vec<String>,
}

impl<'a> Comparison<'a> {
    async fn begin(first: u64, svm: &'a SvmCluster, forgets: bool) -> anyhow::Result<Self> {
        let cluster: Arc<dyn Cluster> = Arc::new(svm.clone());
        let settings = Shell::new(Arc::clone(&cluster)).settings().await?;
        let nothing = ChainSettings { base_fee: 0, block_gas_limit: 0, ..settings };
        let genesis = parhelion_indexer::genesis(0, 0, &nothing);
        let tip = Tip::from(&genesis);
        let store = Arc::new(MemoryStore::new(genesis));
        let archive: Arc<dyn Archive> = Arc::clone(&store) as Arc<_>;
        Ok(Self {
            svm,
            historian: Historian::new(Arc::clone(&cluster), Arc::clone(&archive)),
            emulator: Shell::new(cluster).remembering(archive),
            store,
            decoder: Decoder::new(svm.deployment().program_id, nothing),
            tip,
            first,
            forgets,
            known: BTreeSet::new(),
            compared: Compared::default(),
            problems: Vec::new(),
        })
    }

    /// Runs blocks again, writes them down together, and compares what they changed.
    async fn blocks(&mut self, landed: &[LandedBlock]) -> anyhow::Result<()> {
        let (mut blocks, mut changes) = (Vec::new(), Vec::new());
        for landed in landed {
            while self.tip.number + 1 < landed.clock.slot {
                let empty = parhelion_indexer::empty_block(&self.tip, self.decoder.chain());
                self.tip = Tip::from(&empty);
                blocks.push(empty);
            }
            let Decoded { block, landings, .. } = self.decoder.block(&self.tip, landed);
            self.tip = Tip::from(&block);
            let changed = self.historian.replay(&block, &landings, &changes).await?;
            changes.extend(changed);
            blocks.push(block);
        }
        self.store.append_with(blocks.clone(), changes.clone()).await?;
        if let Some(oldest) = landed.first().filter(|_| self.forgets) {
            while forget_past(&*self.store, oldest.clock.slot).await? > 0 {}
        }
        for landed in landed {
            let slot = landed.clock.slot;
            let changed = changes.iter().filter(|change| change.point.block == slot);
            self.changes(slot, changed.map(|change| change.address).collect()).await?;
        }
        for block in &blocks {
            self.traces(block).await?;
        }
        Ok(())
    }

    /// Compares the accounts that a block changed with what they were behind it.
    async fn changes(&mut self, slot: u64, changed: BTreeSet<Pubkey>) -> anyhow::Result<()> {
        self.known.extend(&changed);
        if slot <= self.first {
            return Ok(());
        }
        let then = self.svm.at(Moment::Behind(slot)).await?;
        self.accounts(&*then, slot, &changed.into_iter().collect::<Vec<_>>()).await
    }

    /// Compares accounts as they were behind a slot.
    async fn accounts(&mut self, then: &dyn Cluster, slot: u64, addresses: &[Pubkey]) -> anyhow::Result<()> {
        for batch in addresses.chunks(ACCOUNTS_MAX) {
            let asked: Vec<Address> = batch.iter().map(|address| Address::from(*address)).collect();
            let accounts = then.accounts(&asked).await?.accounts;
            let versions = self.store.versions(Point::end(slot), batch).await?;
            for ((address, account), version) in asked.iter().zip(accounts).zip(versions) {
                let Some(version) = version else { continue };
                if is_record(&version) || account.as_ref().is_some_and(|account| !is_state(account)) {
                    continue;
                }
                if version == Version::Unknown {
                    self.problems.push(format!("{address} is not known behind slot {slot}"));
                } else if is_same(&version, account.as_ref()) {
                    self.compared.accounts += 1;
                } else {
                    let text = format!("{address} was not what was computed behind slot {slot}");
                    self.problems.push(text);
                }
            }
        }
        Ok(())
    }

    /// Everything that is there in the end is known.
    async fn state(&mut self) -> anyhow::Result<()> {
        for kind in STATE {
            let addresses = self.svm.accounts_beginning(&[kind as u8]).await?;
            let addresses: Vec<Pubkey> = addresses.iter().map(Address::to_bytes).collect();
            if let Some(unknown) = addresses.iter().find(|address| !self.known.contains(*address)) {
                self.problems.push(format!("{} is not known ({kind:?})", Address::from(*unknown)));
            }
            let (svm, slot) = (self.svm.clone(), self.tip.number);
            self.accounts(&svm, slot, &addresses).await?;
        }
        Ok(())
    }

    /// Each transaction can be traced: it does what it did.
    async fn traces(&mut self, block: &Block) -> anyhow::Result<()> {
        for executed in &block.transactions {
            if executed.outcome == Outcome::Cancelled {
                continue;
            }
            match self.emulator.trace_executed(executed, TraceRequest::Calls).await {
                Ok(_) => self.compared.transactions += 1,
                Err(error) => {
                    let hash = executed.transaction.hash();
                    let text = format!("{hash} in block {} has no trace: {error}", block.header.number);
                    self.problems.push(text);
                }
            }
        }
        Ok(())
    }
}

/// Whether something is no account: none is without lamports.
const fn is_record(version: &Version) -> bool {
    matches!(version, Version::Present { lamports: 0, .. })
}

/// Whether an account is of the chain's state.
fn is_state(account: &Account) -> bool {
    account.data.first().is_some_and(|kind| STATE.iter().any(|state| *state as u8 == *kind))
}

/// Whether an account is what was computed, but for locks: those are nobody's state, and change revisions, too.
fn is_same(version: &Version, account: Option<&Account>) -> bool {
    let unlocked = |data: &[u8]| data.get(size_of::<Header>()..).map(<[u8]>::to_vec);
    match (version, account) {
        (Version::Present { lamports, data }, Some(account)) => {
            let kinds = (data.first(), account.data.first());
            kinds.0 == kinds.1 && *lamports == account.lamports && unlocked(data) == unlocked(&account.data)
        }
        (Version::Absent, None) => true,
        _ => false,
    }
}
