//! A typed client of a deployment, over Solana's JSON-RPC.

use crate::address::{account_address, deployment};
use crate::convert::{EthereumAddress, from_h160, from_wire_u256, to_h160};
use crate::failure::{custom_code, describe};
use crate::instruction;
use crate::transaction::{Budget, BuildError, Format, compile, sign};
use alloy_primitives::{Bytes, U256};
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Balance, Code, Config, Contract, Layout};
use parhelion_wire::address::{AccountKey, Deployment};
use solana_account::Account;
use solana_address::Address;
use solana_commitment_config::CommitmentConfig;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::VersionedMessage;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::client_error;
use solana_rpc_client_api::request::{RpcError, RpcResponseErrorData};
use solana_signature::Signature;
use solana_signer::{Signer, signers::Signers};

mod rent;

pub use rent::{Rented, What};

/// What EIP-7702 puts in front of the delegate's address in the code of a delegating account.
const DELEGATION_PREFIX: [u8; 3] = [0xef, 0x01, 0x00];

/// Why the client did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The cluster did not answer.
    #[error("the Solana cluster does not answer: {0}; check the RPC URL and try again")]
    // No #[source]: its text is in this one's already.
    Cluster(Box<client_error::Error>),
    /// There is no chain at this program id.
    #[error(
        "no chain at program {program_id} on this cluster: check program id and RPC URL, or initialize it"
    )]
    NotInitialized {
        /// The program id that was asked for.
        program_id: Address,
    },
    /// An account of the program is in a format that this crate does not know.
    #[error("account {address} cannot be read: {}; update the client", error.text())]
    Account {
        /// Where it is.
        address: Address,
        /// What is wrong with it.
        error: ProgramError,
    },
    /// The program refused; nothing was changed.
    #[error("the program refused: {}", error.text())]
    Refused {
        /// Why.
        error: ProgramError,
        /// The transaction's logs, where the cluster gave them.
        logs: Vec<String>,
    },
    /// The transaction failed for another reason; nothing was changed but, at most, the fee paid.
    #[error("the Solana transaction failed: {reason}; its logs say more, if there are any")]
    Failed {
        /// Why, as Solana says it.
        reason: String,
        /// The transaction's logs, where the cluster gave them.
        logs: Vec<String>,
    },
    /// The instructions make no transaction.
    #[error(transparent)]
    Build(#[from] BuildError),
}

impl From<client_error::Error> for ClientError {
    fn from(error: client_error::Error) -> Self {
        Self::Cluster(Box::new(error))
    }
}

/// A client of one deployment on one cluster.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use parhelion_sdk::{EthereumAddress, client::Client};
///
/// let program_id = "Parhe1ion1111111111111111111111111111111111".parse()?;
/// let client = Client::new("http://127.0.0.1:8899", program_id);
/// let wei = client.balance(EthereumAddress::repeat_byte(1)).await?;
/// # Ok(())
/// # }
/// ```
pub struct Client {
    rpc: RpcClient,
    deployment: Deployment,
}

impl Client {
    /// A client of the program at `program_id` on the cluster behind `url`. What it reads and waits for is
    /// *confirmed*.
    #[must_use]
    pub fn new(url: impl Into<String>, program_id: Address) -> Self {
        Self::with_rpc(RpcClient::new_with_commitment(url.into(), CommitmentConfig::confirmed()), program_id)
    }

    /// A client over a connection of the caller's, with another commitment or timeout.
    #[must_use]
    pub fn with_rpc(rpc: RpcClient, program_id: Address) -> Self {
        Self { rpc, deployment: deployment(&program_id) }
    }

    /// The connection.
    #[must_use]
    pub const fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    /// The addresses of the deployment.
    #[must_use]
    pub const fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The chain's settings.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn config(&self) -> Result<Config, ClientError> {
        let (config, []) = self.read([]).await?;
        Ok(config)
    }

    /// The balance of an address, in wei.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn balance(&self, address: EthereumAddress) -> Result<U256, ClientError> {
        let key = AccountKey::Balance(to_h160(address));
        let (_, [account]) = self.read([key]).await?;
        let balance = account.map(|data| self.view::<Balance>(&key, &data)).transpose()?;
        Ok(balance.map_or(U256::ZERO, |balance| from_wire_u256(balance.balance())))
    }

    /// The next nonce of an address.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn nonce(&self, address: EthereumAddress) -> Result<u64, ClientError> {
        let address = to_h160(address);
        let (balance_key, contract_key) = (AccountKey::Balance(address), AccountKey::Contract(address));
        let (_, [balance, contract]) = self.read([balance_key, contract_key]).await?;
        match balance {
            Some(data) => Ok(self.view::<Balance>(&balance_key, &data)?.nonce()),
            // A contract begins with nonce 1 (EIP-161).
            None => Ok(u64::from(contract.is_some())),
        }
    }

    /// The code of an address: empty for an address without code, the EIP-7702 designator for one that delegates.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn code(&self, address: EthereumAddress) -> Result<Bytes, ClientError> {
        let key = AccountKey::Contract(to_h160(address));
        let (_, [contract]) = self.read([key]).await?;
        let Some(data) = contract else { return Ok(Bytes::new()) };
        let contract = self.view::<Contract>(&key, &data)?;
        if let Some(delegate) = contract.delegate() {
            return Ok([&DELEGATION_PREFIX[..], from_h160(delegate).as_slice()].concat().into());
        }
        let key = AccountKey::Code(contract.code_hash());
        // A contract whose code is empty has no Code account.
        let (_, [code]) = self.read([key]).await?;
        let Some(data) = code else { return Ok(Bytes::new()) };
        let code = Code::view(&data).map_err(|error| self.account_error(&key, error))?;
        Ok(Bytes::copy_from_slice(code.code()))
    }

    /// Moves `lamports` from `payer` into the balance of an Ethereum address, and waits until that is confirmed.
    /// The payer also pays the transaction's fee and, for an address that was never used, its account's rent.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn deposit(
        &self,
        payer: &Keypair,
        address: EthereumAddress,
        lamports: u64,
    ) -> Result<Signature, ClientError> {
        let deposit = instruction::deposit(&self.deployment, &payer.pubkey(), address, lamports);
        self.send(&[deposit], &payer.pubkey(), &[payer], &Budget::MAX).await
    }

    /// Signs `instructions` as one transaction, sends it and waits until it is confirmed. It is of the legacy format, which
    /// every cluster takes, where that has room for them, and of V1 otherwise.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn send(
        &self,
        instructions: &[Instruction],
        payer: &Address,
        signers: &(impl Signers + ?Sized),
        budget: &Budget,
    ) -> Result<Signature, ClientError> {
        let blockhash = self.rpc.get_latest_blockhash().await?;
        let fits = compile(instructions, payer, blockhash, budget, Format::V0(&[])).is_ok();
        let format = if fits { Format::V0(&[]) } else { Format::V1 };
        let transaction = sign(instructions, payer, signers, blockhash, budget, format)?;
        let sent = self.rpc.send_and_confirm_transaction(&transaction).await;
        sent.map_err(|error| self.failed(error, &transaction.message))
    }

    /// Reads the config and the accounts of `keys` at one slot.
    async fn read<const N: usize>(
        &self,
        keys: [AccountKey; N],
    ) -> Result<(Config, [Option<Vec<u8>>; N]), ClientError> {
        let config_address = Address::new_from_array(self.deployment.config);
        let mut addresses = vec![config_address];
        addresses.extend(keys.iter().map(|key| account_address(&self.deployment, key)));
        let program_id = self.program_id();
        // An account of another owner is somebody's gift of lamports to an address that is not in use yet.
        let own = |account: Option<Account>| {
            account.filter(|account| account.owner == program_id).map(|account| account.data)
        };
        let mut accounts = self.rpc.get_multiple_accounts(&addresses).await?.into_iter().map(own);
        let config = accounts.next().flatten().ok_or(ClientError::NotInitialized { program_id })?;
        let config = *Config::view(&config)
            .map_err(|error| ClientError::Account { address: config_address, error })?;
        Ok((config, std::array::from_fn(|_| accounts.next().flatten())))
    }

    fn view<T: Layout>(&self, key: &AccountKey, data: &[u8]) -> Result<T, ClientError> {
        T::view(data).copied().map_err(|error| self.account_error(key, error))
    }

    fn account_error(&self, key: &AccountKey, error: ProgramError) -> ClientError {
        ClientError::Account { address: account_address(&self.deployment, key), error }
    }

    fn failed(&self, error: client_error::Error, message: &VersionedMessage) -> ClientError {
        let Some(reason) = error.get_transaction_error() else { return error.into() };
        let logs = match error.kind() {
            client_error::ErrorKind::RpcError(RpcError::RpcResponseError {
                data: RpcResponseErrorData::SendTransactionPreflightFailure(simulation),
                ..
            }) => simulation.logs.clone().unwrap_or_default(),
            _ => Vec::new(),
        };
        let code = custom_code(&reason, message, &self.program_id());
        match code.and_then(ProgramError::from_code) {
            Some(error) => ClientError::Refused { error, logs },
            None => ClientError::Failed { reason: describe(&reason, code), logs },
        }
    }

    const fn program_id(&self) -> Address {
        Address::new_from_array(self.deployment.program_id)
    }
}

#[cfg(test)]
mod tests;
