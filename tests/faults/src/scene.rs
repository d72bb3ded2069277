//! The chain that all schedules begin with, made once.

use crate::contracts::Contracts;
use crate::kind::Kind;
use crate::schedule::Schedule;
use crate::story;
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use anyhow::{Context, ensure};
use parhelion_core::cluster::{Clock, Cluster};
use parhelion_harness::chain::{Chain, SOL};
use parhelion_harness::wallet::Wallet;
use parhelion_sdk::event::Outcome;
use parhelion_solana::{Features, SvmCluster, SvmRehearsal};
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Users at most.
pub const USERS_MAX: usize = 4;
/// Operators.
pub const OPERATORS: usize = 2;
/// When the chain begins, in seconds since 1970: later than any real time, so that the VM's clock shows this one.
const BEGINNING: u64 = 2_500_000_000;
/// Tokens of each user.
const TOKENS: u64 = 1_000_000_000_000_000;

/// A chain with contracts, rich users, and two operators.
pub struct Scene {
    cluster: SvmCluster,
    /// VMs for rehearsals, which all nodes share.
    rehearsal: SvmRehearsal,
    /// Where the contracts are.
    pub contracts: Contracts,
    /// The users, with nonces that are not used.
    pub users: Vec<Wallet>,
    operators: Vec<Keys>,
    /// The clock in the beginning.
    pub first: Clock,
    /// What each kind of transaction does when nothing goes wrong.
    expected: BTreeMap<Kind, Expected>,
}

/// An operator's key and fee recipient.
struct Keys {
    keypair: Keypair,
    coinbase: Address,
}

/// What a kind of transaction does when nothing goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// How it ends.
    pub outcome: Outcome,
    /// Gas used, rent gas included.
    pub gas_used: u64,
    /// Gas that pays rent.
    pub rent_gas: u64,
    /// Solana transactions that it takes.
    pub sends: u64,
}

impl Scene {
    /// Makes the chain and measures each kind of transaction.
    ///
    /// # Errors
    /// When the program's binary or the compiled contracts are not there.
    pub fn prepare() -> anyhow::Result<Self> {
        let mut chain = Chain::new()?;
        let now = chain.next_block().timestamp;
        chain.advance_time(u32::try_from(BEGINNING.saturating_sub(now))?);
        let mut deployer = Wallet::new(99);
        chain.deposit(deployer.address(), 100_000 * SOL)?;
        let contracts = Contracts::deploy(&mut chain, &mut deployer, TOKENS * (1 + USERS_MAX as u64))?;
        let users: Vec<Wallet> = (0..USERS_MAX as u64).map(Wallet::new).collect();
        for user in &users {
            chain.deposit(user.address(), 10_000 * SOL)?;
            let call = crate::kind::transferCall { to: user.address(), value: U256::from(TOKENS) };
            let given = deployer.send(Some(contracts.token), U256::ZERO, call.abi_encode(), 100_000_000);
            chain.run(&given)?;
        }
        let second = Keys { keypair: Keypair::new_from_array([3; 32]), coinbase: Address::repeat_byte(0xc1) };
        chain.airdrop(second.keypair.pubkey(), 1_000_000 * SOL);
        chain.deposit(second.coinbase, 0)?;
        let first =
            Keys { keypair: chain.operator.keypair.insecure_clone(), coinbase: chain.operator.coinbase };
        let cluster = chain.block_on(chain.svm.fork())?;
        let rehearsal = SvmRehearsal::new(Arc::clone(&chain.svm) as Arc<dyn Cluster>, Features::Mainnet);
        let mut scene = Self {
            first: chain.block_on(cluster.clock())?,
            cluster,
            rehearsal,
            contracts,
            users,
            operators: vec![first, second],
            expected: BTreeMap::new(),
        };
        for kind in Kind::ALL {
            let expected = scene.measure(kind).with_context(|| format!("{kind:?}"))?;
            scene.expected.insert(kind, expected);
        }
        Ok(scene)
    }

    fn measure(&self, kind: Kind) -> anyhow::Result<Expected> {
        let played = story::play(self, &Schedule::alone(kind), false)?;
        let landed: Vec<_> = played.audit.landed.iter().collect();
        ensure!(landed.len() == 1, "{} receipts, not one: {:?}", landed.len(), played.problems);
        let sends = played.audit.transactions;
        let receipt = &landed[0].execution.receipt;
        ensure!(!kind.runs_in_steps() || sends > 2, "it takes {sends} Solana transactions only");
        Ok(Expected {
            outcome: receipt.outcome,
            gas_used: receipt.gas_used,
            rent_gas: receipt.rent_gas,
            sends,
        })
    }

    /// What a kind of transaction does when nothing goes wrong, once it was measured.
    #[must_use]
    pub fn expected(&self, kind: Kind) -> Option<Expected> {
        self.expected.get(&kind).copied()
    }

    /// A chain that begins like this one.
    ///
    /// # Errors
    /// When the VM stopped.
    pub async fn fork(&self) -> anyhow::Result<SvmCluster> {
        Ok(self.cluster.fork().await?)
    }

    /// Rehearsals for a node.
    #[must_use]
    pub fn rehearsal(&self, cluster: Arc<dyn Cluster>) -> SvmRehearsal {
        self.rehearsal.sharing(cluster)
    }

    /// An operator's key and fee recipient.
    #[must_use]
    pub fn operator(&self, number: usize) -> Option<parhelion_relay::Operator> {
        let Keys { keypair, coinbase } = self.operators.get(number)?;
        Some(parhelion_relay::Operator { keypair: keypair.insecure_clone(), coinbase: *coinbase })
    }

    /// The fee recipients.
    pub fn coinbases(&self) -> impl Iterator<Item = Address> {
        self.operators.iter().map(|keys| keys.coinbase)
    }
}
