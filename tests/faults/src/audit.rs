//! What is on the chain in the end, and whether it is what should be.

use crate::contracts::FIRST_VALUE;
use crate::kind::{Kind, MOVED, recipient, unique};
use crate::node::Node;
use crate::scene::Scene;
use crate::story::Sent;
use crate::users::Known;
use alloy_primitives::{Address, B256, U256};
use parhelion_core::cluster::{Account, Cluster, LandedTransaction};
use parhelion_core::store::{Executed, Store};
use parhelion_sdk::address::account_address;
use parhelion_sdk::convert::to_h160;
use parhelion_sdk::event::{Execution, Outcome, Report, reports};
use parhelion_solana::SvmCluster;
use parhelion_wire::account::{Balance, Holder, Kind as AccountKind, Layout, Run};
use parhelion_wire::address::AccountKey;
use parhelion_wire::instruction::tag;
use solana_address::Address as SolanaAddress;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Wei in a lamport.
const WEI: u64 = 1_000_000_000;

/// What landed in a schedule.
#[derive(Debug, Default)]
pub struct Audit {
    /// The Ethereum transactions in the order in which they ended.
    pub landed: Vec<Landed>,
    /// Solana transactions.
    pub transactions: u64,
    /// Ethereum transactions that landed in one Solana transaction with others.
    pub together: u64,
    /// Runs that another operator ended than began them.
    pub takeovers: u64,
}

/// An Ethereum transaction that ended.
#[derive(Debug)]
pub struct Landed {
    /// Its slot.
    pub slot: u64,
    /// What was reported.
    pub execution: Execution,
}

/// What is looked at.
struct Case<'a> {
    scene: &'a Scene,
    svm: &'a SvmCluster,
    sent: &'a [Sent],
    audit: &'a Audit,
    problems: Vec<String>,
}

/// Looks at everything: gives what landed, and what is wrong.
///
/// # Errors
/// When the VM fails.
pub async fn audit(
    scene: &Scene,
    svm: &SvmCluster,
    sent: &[Sent],
    nodes: &[Arc<Node>],
) -> anyhow::Result<(Audit, Vec<String>)> {
    let audit = landed(scene, svm).await?;
    let mut case = Case { scene, svm, sent, audit: &audit, problems: Vec::new() };
    case.receipts();
    case.order();
    case.balances().await?;
    case.holders().await?;
    for node in nodes {
        case.store(node).await?;
    }
    let problems = case.problems;
    Ok((audit, problems))
}

/// What landed since the beginning.
async fn landed(scene: &Scene, svm: &SvmCluster) -> anyhow::Result<Audit> {
    let program = SolanaAddress::from(svm.deployment().program_id);
    let mut audit = Audit::default();
    let mut begun_by = BTreeMap::new();
    for block in svm.blocks(scene.first.slot + 1, svm.clock().await?.slot).await? {
        for transaction in block.transactions {
            audit.transactions += 1;
            audit.takeovers += takeovers(&transaction, &mut begun_by)?;
            let before = audit.landed.len();
            for instruction in transaction.instructions {
                let invoked = instruction.inner.iter().map(|invoked| (invoked.program_id, &invoked.data));
                let found = reports(&program, invoked)?;
                audit.landed.extend(found.into_iter().filter_map(|report| match report {
                    Report::Execution(execution) => Some(Landed { slot: block.clock.slot, execution }),
                    Report::Deposit(_) => None,
                }));
            }
            let count = audit.landed.len() - before;
            audit.together += if count > 1 { count as u64 } else { 0 };
        }
    }
    Ok(audit)
}

/// Runs that end in a transaction by another operator's instruction than began them.
fn takeovers(
    transaction: &LandedTransaction,
    begun_by: &mut BTreeMap<SolanaAddress, SolanaAddress>,
) -> anyhow::Result<u64> {
    let mut count = 0;
    for instruction in &transaction.instructions {
        let [operator, _, _, holder, ..] = instruction.accounts[..] else { continue };
        match instruction.data.first() {
            Some(&tag::BEGIN) => drop(begun_by.insert(holder, operator)),
            Some(&(tag::STEP | tag::CANCEL)) if !instruction.inner.is_empty() => {
                count += u64::from(begun_by.remove(&holder).is_some_and(|first| first != operator));
            }
            _ => {}
        }
    }
    Ok(count)
}

impl Case<'_> {
    fn wrong(&mut self, problem: String) {
        self.problems.push(problem);
    }

    fn landed(&self, hash: B256) -> impl Iterator<Item = &Landed> {
        self.audit.landed.iter().filter(move |landed| landed.execution.receipt.transaction_hash == hash)
    }

    /// Each transaction has one receipt, and it is the right one.
    fn receipts(&mut self) {
        for Sent { user, wanted, known } in self.sent {
            let what = format!("{:?}, transaction {} of user {user}", wanted.kind, wanted.number);
            let receipts: Vec<_> =
                self.landed(wanted.transaction.hash()).map(|landed| landed.execution.receipt).collect();
            let receipt = match &receipts[..] {
                [receipt] => receipt,
                [] if wanted.kind == Kind::Trap && *known == Known::Refused => continue,
                [] => {
                    self.wrong(format!("{what}: no receipt; its user knows: {known:?}"));
                    continue;
                }
                _ => {
                    self.wrong(format!("{what}: {} receipts", receipts.len()));
                    continue;
                }
            };
            let Some(expected) = self.scene.expected(wanted.kind) else { continue };
            if receipt.outcome == Outcome::Cancelled {
                if wanted.kind != Kind::Trap || receipt.gas_used > expected.gas_used {
                    self.wrong(format!("{what}: wrongly cancelled: {receipt:?}"));
                }
                continue;
            }
            let found = (receipt.outcome, receipt.gas_used, receipt.rent_gas);
            if found != (expected.outcome, expected.gas_used, expected.rent_gas) {
                self.wrong(format!("{what}: {receipt:?}, expected {expected:?}"));
            }
            if *known != Known::Receipt {
                self.wrong(format!("{what}: it landed, and its user knows: {known:?}"));
            }
        }
        let unknown = self.audit.landed.iter().map(|landed| landed.execution.receipt.transaction_hash);
        let unknown: Vec<_> = unknown
            .filter(|hash| self.sent.iter().all(|sent| sent.wanted.transaction.hash() != *hash))
            .collect();
        if !unknown.is_empty() {
            self.wrong(format!("receipts of transactions that nobody sent: {unknown:?}"));
        }
    }

    /// What long runs read is what was there when they ended: as if each transaction had run at once.
    fn order(&mut self) {
        let (mut shared, mut spread) = (FIRST_VALUE, FIRST_VALUE);
        let sent: BTreeMap<B256, &Sent> =
            self.sent.iter().map(|sent| (sent.wanted.transaction.hash(), sent)).collect();
        let mut wrong = Vec::new();
        for Landed { slot, execution } in &self.audit.landed {
            let Some(sent) = sent.get(&execution.receipt.transaction_hash) else { continue };
            if !execution.receipt.outcome.is_success() {
                continue;
            }
            let value = match sent.wanted.kind {
                Kind::Set | Kind::Read => &mut shared,
                Kind::Stir | Kind::Spread => &mut spread,
                _ => continue,
            };
            if matches!(sent.wanted.kind, Kind::Set | Kind::Stir) {
                *value = unique(sent.wanted.number);
                continue;
            }
            let expected = [U256::from(*value).to_be_bytes::<32>(); 2].concat();
            let read: Vec<_> = execution.logs.iter().map(|log| log.data.data.to_vec()).collect();
            if read != [expected] {
                wrong.push(format!("slot {slot}: {value:#x} was there, and read was {read:02x?}"));
            }
        }
        self.problems.extend(wrong);
    }

    /// Nonces and balances follow from the receipts, and the vault covers them.
    async fn balances(&mut self) -> anyhow::Result<()> {
        for coinbase in self.scene.coinbases().collect::<Vec<_>>() {
            let receipts = self.audit.landed.iter().map(|landed| &landed.execution.receipt);
            let paid: U256 = receipts
                .filter(|receipt| receipt.coinbase == coinbase)
                .map(|receipt| U256::from(receipt.gas_used) * receipt.effective_gas_price)
                .sum();
            let (_, before) = balance(&self.scene.fork().await?, coinbase).await?;
            let (_, after) = balance(self.svm, coinbase).await?;
            if after != before + paid {
                self.wrong(format!("the fee recipient {coinbase} has {after} wei, not {before} + {paid}"));
            }
        }
        for (place, user) in self.scene.users.iter().enumerate() {
            let (mut nonce, mut expected) = balance(&self.scene.fork().await?, user.address()).await?;
            for sent in self.sent.iter().filter(|sent| sent.user == place) {
                let Some(landed) = self.landed(sent.wanted.transaction.hash()).next() else { continue };
                let receipt = &landed.execution.receipt;
                nonce += 1;
                expected -= U256::from(receipt.gas_used) * receipt.effective_gas_price;
                if sent.wanted.kind == Kind::Transfer {
                    expected -= U256::from(MOVED);
                    let (_, moved) = balance(self.svm, recipient(sent.wanted.number)).await?;
                    if moved != U256::from(MOVED) {
                        self.wrong(format!("transfer {} moved {moved} wei", sent.wanted.number));
                    }
                }
            }
            let found = balance(self.svm, user.address()).await?;
            if found != (nonce, expected) {
                self.wrong(format!("user {place} has nonce and wei {found:?}, not {:?}", (nonce, expected)));
            }
        }
        let (before, after) = (surplus(&self.scene.fork().await?).await?, surplus(self.svm).await?);
        if before != after {
            self.wrong(format!("the vault's surplus was {before:?} wei and is {after:?}"));
        }
        Ok(())
    }

    /// No run is left, no sender is busy, and no holder is left.
    async fn holders(&mut self) -> anyhow::Result<()> {
        for (address, account) in accounts(self.svm, AccountKind::Holder).await? {
            let operator = Holder::view(&account.data).map(|holder| SolanaAddress::from(*holder.operator()));
            match Run::of(&account.data) {
                Ok(run) => self.wrong(format!("a run is left in {address}: {run:?}")),
                Err(_) => self.wrong(format!("the holder {address} of {operator:?} is left")),
            }
        }
        for (address, account) in accounts(self.svm, AccountKind::Balance).await? {
            if Balance::view(&account.data).is_ok_and(Balance::has_run) {
                self.wrong(format!("the sender with the Balance {address} is busy for ever"));
            }
        }
        Ok(())
    }

    /// A node's store has the same receipts.
    async fn store(&mut self, node: &Node) -> anyhow::Result<()> {
        for Landed { slot, execution } in &self.audit.landed {
            let receipt = &execution.receipt;
            let stored = node.store.executed(receipt.transaction_hash).await?;
            let is_same = |stored: &Executed| {
                (
                    stored.block_number,
                    stored.outcome,
                    stored.gas_used,
                    stored.coinbase,
                    stored.logs.as_slice(),
                ) == (*slot, receipt.outcome, receipt.gas_used, receipt.coinbase, execution.logs.as_slice())
            };
            if !stored.as_deref().is_some_and(is_same) {
                self.problems.push(format!(
                    "node {} stored {stored:?}, on the chain is {receipt:?} in slot {slot}",
                    node.number
                ));
            }
        }
        Ok(())
    }
}

/// Nonce and balance of an address.
async fn balance(svm: &SvmCluster, address: Address) -> anyhow::Result<(u64, U256)> {
    let key = AccountKey::Balance(to_h160(address));
    let account = svm.accounts(&[account_address(&svm.deployment(), &key)]).await?.accounts.pop().flatten();
    Ok(account.map(|account| read(&account)).unwrap_or_default())
}

fn read(account: &Account) -> (u64, U256) {
    let view = Balance::view(&account.data).ok();
    view.map(|view| (view.nonce(), U256::from_limbs(view.balance().0))).unwrap_or_default()
}

/// The program's accounts of a kind.
async fn accounts(svm: &SvmCluster, kind: AccountKind) -> anyhow::Result<Vec<(SolanaAddress, Account)>> {
    let addresses = svm.accounts_beginning(&[kind as u8]).await?;
    let mut found = Vec::new();
    for batch in addresses.chunks(parhelion_core::cluster::ACCOUNTS_MAX) {
        let accounts = svm.accounts(batch).await?.accounts;
        found.extend(batch.iter().zip(accounts).filter_map(|(address, account)| Some((*address, account?))));
    }
    Ok(found)
}

/// What the vault has beyond its rent, and what it owes: all balances, and what runs have paid for their gas. In wei.
async fn surplus(svm: &SvmCluster) -> anyhow::Result<Option<U256>> {
    let vault = SolanaAddress::from(svm.deployment().vault);
    let Some(vault) = svm.accounts(&[vault]).await?.accounts.pop().flatten() else { return Ok(None) };
    let covered = vault.lamports.saturating_sub(svm.rent_exemption(vault.data.len()).await?);
    let balances = accounts(svm, AccountKind::Balance).await?;
    let owed: U256 = balances.iter().map(|(_, account)| read(account).1).sum();
    let runs = accounts(svm, AccountKind::Holder).await?;
    let held: U256 = runs
        .iter()
        .filter_map(|(_, account)| Run::of(&account.data).ok())
        .map(|run| U256::from_limbs(run.bought.0))
        .sum();
    Ok((U256::from(covered) * U256::from(WEI)).checked_sub(owed + held))
}
