//! What follows the deployment: the chain's config, and lamports for those who need some.

use crate::error::DeployError;
use crate::session::Deployer;
use parhelion_sdk::address::account_address;
use parhelion_sdk::convert::to_h160;
use parhelion_sdk::{EthereumAddress, instruction};
use parhelion_wire::account::{Config, Layout};
use parhelion_wire::address::AccountKey;
use parhelion_wire::instruction::Initialize;
use solana_address::Address;
use solana_system_interface::instruction::transfer;

/// Deposits in one transaction: what fits either format.
const DEPOSITS: usize = 4;

/// The chain at a program.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    /// Whether it was initialised now and not earlier.
    pub now: bool,
    /// Its settings.
    pub config: Config,
}

/// Somebody who will run a node.
#[derive(Clone, Copy, Debug)]
pub struct Operator {
    /// The Solana key that signs for the node.
    pub address: Address,
    /// The Ethereum address that receives its fees, if it is known: a node starts only when that has an account.
    pub fee_recipient: Option<EthereumAddress>,
}

impl Deployer<'_> {
    /// The settings of the chain; `None` if it is not initialised.
    ///
    /// # Errors
    /// [`DeployError`].
    pub async fn config(&self) -> Result<Option<Config>, DeployError> {
        let address = Address::new_from_array(self.cluster.deployment().config);
        let account = self.cluster.accounts(&[address]).await?.accounts.into_iter().next().flatten();
        // An account of another owner is somebody's gift of lamports.
        let Some(account) = account.filter(|account| account.owner == self.program_id) else {
            return Ok(None);
        };
        let config = Config::view(&account.data).map_err(|error| DeployError::Config(error.text()))?;
        Ok(Some(*config))
    }

    /// Initialises the chain, unless it is. A chain id never changes, so another one is an error; other settings may
    /// have been changed since, and stay.
    ///
    /// # Errors
    /// [`DeployError`].
    pub async fn initialize(&self, settings: &Initialize) -> Result<Chain, DeployError> {
        if let Some(config) = self.config().await? {
            let (there, asked) = (config.chain_id(), settings.chain_id);
            if there != asked {
                return Err(DeployError::OtherChainId { there, asked });
            }
            return Ok(Chain { now: false, config });
        }
        self.progress.step("initialising the chain");
        let initialize = instruction::initialize(&self.cluster.deployment(), &self.payer(), settings);
        self.send(&[initialize], &[]).await?;
        let config = self.config().await?.ok_or(DeployError::Config("it is not there after initialising"))?;
        Ok(Chain { now: true, config })
    }

    /// Gives each operator what it lacks of `lamports`, and its fee recipient an account. Returns the lamports sent.
    ///
    /// # Errors
    /// [`DeployError`].
    pub async fn fund(&self, operators: &[Operator], lamports: u64) -> Result<u64, DeployError> {
        let mut sent = 0_u64;
        for operator in operators {
            let account =
                self.cluster.accounts(&[operator.address]).await?.accounts.into_iter().next().flatten();
            let missing = lamports.saturating_sub(account.map_or(0, |account| account.lamports));
            if missing > 0 && operator.address != self.payer() {
                self.progress.step(&format!("funding operator {}", operator.address));
                self.require_lamports(missing.saturating_add(self.fees(1))).await?;
                self.send_small(&[transfer(&self.payer(), &operator.address, missing)]).await?;
                sent = sent.saturating_add(missing);
            }
        }
        let recipients: Vec<_> = operators.iter().filter_map(|operator| operator.fee_recipient).collect();
        self.deposit_to_new(&recipients, 0).await?;
        Ok(sent)
    }

    /// Moves `lamports` into the balance of each of the addresses that have no account yet.
    ///
    /// # Errors
    /// [`DeployError`].
    pub async fn deposit_to_new(&self, to: &[EthereumAddress], lamports: u64) -> Result<(), DeployError> {
        let deployment = self.cluster.deployment();
        for group in to.chunks(DEPOSITS) {
            let addresses: Vec<_> = group
                .iter()
                .map(|address| account_address(&deployment, &AccountKey::Balance(to_h160(*address))))
                .collect();
            let accounts = self.cluster.accounts(&addresses).await?.accounts;
            let absent = |account: &Option<parhelion_core::cluster::Account>| {
                account.as_ref().is_none_or(|account| account.owner != self.program_id)
            };
            let new = group.iter().zip(&accounts).filter(|(_, account)| absent(account));
            let deposits: Vec<_> = new
                .map(|(address, _)| instruction::deposit(&deployment, &self.payer(), *address, lamports))
                .collect();
            if !deposits.is_empty() {
                self.progress.step("opening Ethereum accounts");
                self.send(&deposits, &[]).await?;
            }
        }
        Ok(())
    }
}
