//! An ERC-20 for the tests: OpenZeppelin's, deployed on a chain.

use alloy_primitives::{Address, U256};
use alloy_sol_types::{SolCall, SolValue, sol};
use parhelion_harness::chain::{Chain, Done, SOL};
use parhelion_harness::contracts;
use parhelion_harness::wallet::Wallet;

sol! {
    function transfer(address to, uint256 value) external returns (bool);
    function approve(address spender, uint256 value) external returns (bool);
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

/// Enough gas for everything here, rent included.
pub(crate) const GAS: u64 = 60_000_000;
/// What the deployer gets.
pub(crate) const SUPPLY: u64 = 1_000_000_000;

/// A chain with a token and its deployer.
pub(crate) struct Token {
    pub(crate) chain: Chain,
    pub(crate) owner: Wallet,
    pub(crate) address: Address,
}

impl Token {
    pub(crate) fn deploy() -> anyhow::Result<Self> {
        let mut chain = Chain::new()?;
        let mut owner = Wallet::new(1);
        chain.deposit(owner.address(), 100 * SOL)?;
        let init_code = [&contracts::init_code("Token")?[..], &U256::from(SUPPLY).abi_encode()].concat();
        let address = owner.address().create(0);
        let deployment = chain.run(&owner.send(None, U256::ZERO, init_code, GAS))?;
        assert!(deployment.receipt.outcome.is_success(), "{:?}", deployment.receipt);
        Ok(Self { chain, owner, address })
    }

    /// Calls the token.
    pub(crate) fn call(&mut self, wallet: &mut Wallet, call: &impl SolCall) -> anyhow::Result<Done> {
        self.chain.run(&wallet.send(Some(self.address), U256::ZERO, call.abi_encode(), GAS))
    }

    /// Transfers from the owner.
    pub(crate) fn give(&mut self, to: Address, value: u64) -> anyhow::Result<Done> {
        let transaction = self.owner.clone().send(
            Some(self.address),
            U256::ZERO,
            transferCall { to, value: U256::from(value) }.abi_encode(),
            GAS,
        );
        self.owner.nonce += 1;
        self.chain.run(&transaction)
    }
}
