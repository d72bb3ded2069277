//! Plays a schedule from its beginning to its end.

use crate::audit::{Audit, audit};
use crate::fate::Weather;
use crate::historian::{self, Compared};
use crate::kind::Kind;
use crate::network::Network;
use crate::operators::Operators;
use crate::scene::{OPERATORS, Scene};
use crate::schedule::Schedule;
use crate::users::{Known, User, Wanted};
use futures::future::join_all;
use parhelion_core::cluster::Cluster;
use parhelion_core::store::Store;
use parhelion_wire::account::Kind as AccountKind;
use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// How long everything may take to come to an end after the storm: longer than a run that nobody can end lives.
const ENDS_IN: Duration = Duration::from_secs(6_000);
/// Calls of a schedule at most: with more it turns in circles.
const CALLS_MAX: u64 = 8_000;
/// How long it may take until all users have receipts after the storm: a minute until it is known of the last transaction
/// that it was lost, and then an operator's node ends its own runs at once.
const RECOVERS_IN: Duration = Duration::from_secs(90);
/// How much longer it may take when runs have locked what they read: three times as long as a lock it cannot be locked again.
const LOCKS_AGAIN_IN: Duration = Duration::from_secs(110);
/// How often is looked whether everything has come to an end.
const LOOK: Duration = Duration::from_secs(5);

/// What came of a schedule.
#[derive(Debug)]
pub struct Played {
    /// What is on the chain in the end.
    pub audit: Audit,
    /// What was compared with the past.
    pub compared: Compared,
    /// What is wrong; nothing if all is well.
    pub problems: Vec<String>,
    /// What nodes were killed at.
    pub deaths: Vec<String>,
    /// How many calls had which fate.
    pub fates: BTreeMap<&'static str, u64>,
    /// How many calls there were, and a hash of them all.
    pub trace: (u64, u64),
    /// How long it took in the schedule's time.
    pub time: Duration,
    /// How long it took after the storm until every user had a receipt.
    pub recovery: Duration,
    /// What happened, line by line, where asked for.
    pub lines: Vec<String>,
}

/// A transaction of a schedule, and what its user knows of it in the end.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The user's place in the list of users.
    pub user: usize,
    /// The transaction.
    pub wanted: Wanted,
    /// What the user knows.
    pub known: Known,
}

/// Plays a schedule. `is_told` asks for lines of what happened.
///
/// # Errors
/// When the VM fails; whatever else goes wrong is a problem.
pub fn play(scene: &Scene, schedule: &Schedule, is_told: bool) -> anyhow::Result<Played> {
    // One thread for what computes: it ends in the order in which it began.
    let runtime =
        Builder::new_current_thread().enable_time().start_paused(true).max_blocking_threads(1).build()?;
    runtime.block_on(play_in(scene, schedule, is_told))
}

async fn play_in(scene: &Scene, schedule: &Schedule, is_told: bool) -> anyhow::Result<Played> {
    let start = Instant::now();
    let svm = scene.fork().await?;
    let network = Arc::new(Network::new(svm, schedule.seed, schedule.weather, is_told));
    let existing =
        (0..OPERATORS).filter(|place| schedule.lives.get(*place).is_some_and(|lives| !lives.is_empty()));
    let operators = Operators::new(scene, Arc::clone(&network), existing.collect());
    let users = users(scene, schedule);
    let known: Vec<_> = users
        .iter()
        .map(|user| watch::Sender::new(vec![Known::Nothing("not sent".to_owned()); user.wanted.len()]))
        .collect();
    let lives = schedule.lives.iter().enumerate();
    let nodes = async {
        join_all(lives.map(|(operator, lives)| operators.run(operator, lives.clone()))).await;
        pending::<()>().await;
    };
    let told = async {
        let all = join_all(users.iter().zip(&known).map(|(user, known)| user.run(&operators, known)));
        tokio::pin!(all);
        let storm = Duration::from_millis(schedule.calm_ms);
        let is_over = timeout(storm, &mut all).await.is_ok();
        network.tell(|| format!("the storm ends after {:?}", start.elapsed()));
        network.set_weather(Weather::CALM);
        operators.calm_down();
        let calm = Instant::now();
        let end = calm + ENDS_IN;
        if !is_over {
            let _ = tokio::time::timeout_at(end, all).await;
        }
        let recovery = calm.elapsed();
        network.tell(|| format!("all users are done after {:?}", start.elapsed()));
        while !is_tidy(&network, &operators).await? && Instant::now() < end {
            sleep(LOOK).await;
        }
        anyhow::Ok(recovery)
    };
    let recovery = tokio::select! {
        biased;
        told = told => told?,
        () = network.run() => ENDS_IN,
        () = nodes => ENDS_IN,
        () = network.until_calls(CALLS_MAX) => ENDS_IN,
    };
    let sent: Vec<Sent> = users
        .iter()
        .zip(&known)
        .flat_map(|(user, known)| {
            let known = known.borrow().clone();
            let sent = user.wanted.iter().zip(known);
            sent.map(|(wanted, known)| Sent { user: user.place, wanted: wanted.clone(), known })
        })
        .collect();
    let stores: Vec<_> = (0..OPERATORS).filter_map(|operator| operators.node(operator)).collect();
    let (audit, mut problems) = audit(scene, &network.svm, &sent, &stores).await?;
    problems.extend(operators.problems());
    let forgets = schedule.seed.is_multiple_of(2);
    let (compared, differences) = historian::compare(scene.first.slot, &network.svm, forgets).await?;
    problems.extend(differences);
    if network.trace().0 >= CALLS_MAX {
        problems.push(format!("it did not come to an end within {CALLS_MAX} calls"));
    }
    let has = |kind: Kind| schedule.users.iter().any(|user| user.kinds.contains(&kind));
    let patience = if has(Kind::Spread) { RECOVERS_IN + LOCKS_AGAIN_IN } else { RECOVERS_IN };
    if !has(Kind::Trap) && recovery > patience {
        problems.push(format!("the last receipt came {recovery:?} after the storm"));
    }
    Ok(Played {
        audit,
        compared,
        problems,
        deaths: operators.deaths(),
        fates: network.fates(),
        trace: network.trace(),
        time: start.elapsed(),
        recovery,
        lines: network.take_lines(),
    })
}

/// The users with their transactions.
fn users(scene: &Scene, schedule: &Schedule) -> Vec<User> {
    let mut number = 0;
    let mut wanted = |wallet: &mut _, kind: Kind| {
        number += 1;
        Wanted { kind, number, transaction: kind.sign(&scene.contracts, wallet, number) }
    };
    let users = schedule.users.iter().zip(scene.users.iter().cloned()).enumerate();
    users
        .map(|(place, (user, mut wallet))| User {
            place,
            home: user.home,
            fails_over: user.fails_over,
            wanted: user.kinds.iter().map(|kind| wanted(&mut wallet, *kind)).collect(),
        })
        .collect()
}

/// Whether everything has come to an end: no transaction is on its way, no holder is left, with a run or without, and the
/// stores of all operators know all that landed.
async fn is_tidy(network: &Network, operators: &Operators<'_>) -> anyhow::Result<bool> {
    for operator in operators.existing() {
        let Some(node) = operators.node(operator) else { return Ok(false) };
        if node.store.latest().await? < network.landed() {
            return Ok(false);
        }
    }
    let holders = network.svm.accounts_beginning(&[AccountKind::Holder as u8]).await?;
    Ok(holders.is_empty() && !network.is_busy())
}
