//! `begin`, `step`, `cancel`: a transaction that does not fit one Solana transaction.

use super::run::RunAccount;
use super::{config, of_program, program};
use crate::address::holder_address;
use crate::convert::{to_h160, to_h256};
use alloy_primitives::{Address as EthereumAddress, B256};
use parhelion_wire::address::Deployment;
use parhelion_wire::instruction::{Begin, Cancel, Lock, Step, transaction_id};
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};

/// What the instructions of a run have in common.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The deployment.
    pub deployment: &'a Deployment,
    /// Who signs and pays.
    pub operator: Address,
    /// COINBASE, and where the fees go.
    pub coinbase: EthereumAddress,
    /// The holder that the run is in. It belongs to who began the run.
    pub holder: Address,
    /// The Ethereum transaction's hash.
    pub transaction: B256,
}

impl<'a> Run<'a> {
    /// A run in a holder of the operator's own.
    #[must_use]
    pub fn own(
        deployment: &'a Deployment,
        operator: Address,
        coinbase: EthereumAddress,
        index: u32,
        transaction: B256,
    ) -> Self {
        let holder = holder_address(deployment, &operator, index);
        Self { deployment, operator, coinbase, holder, transaction }
    }

    /// Begins the run. The holder has the envelope, and room behind it for a stack of so many words, a checkpoint of so
    /// many bytes and the machine's memory: [`parhelion_wire::account::Run::account_length`]. `accounts` are the sender's
    /// Balance, writable, and its Contract.
    #[must_use]
    pub fn begin(&self, stack_words: u32, checkpoint_room: u32, accounts: &[RunAccount]) -> Instruction {
        let begin = Begin { coinbase: to_h160(self.coinbase), stack_words, checkpoint_room };
        self.instruction(begin.encode().to_vec(), accounts)
    }

    /// Runs it on to the first of `pauses` (units of gas left, from the largest to the smallest; 0 is a pause before
    /// everything is written) that it has not come to yet, or to its end. `number` makes equal steps differ. `accounts` are
    /// those that it has read so far and will read; writable, for the last step, those that it writes.
    #[must_use]
    pub fn step(&self, number: u16, pauses: &[u64], accounts: &[RunAccount]) -> Instruction {
        let pauses: Vec<[u8; 8]> = pauses.iter().map(|pause| pause.to_le_bytes()).collect();
        let transaction = transaction_id(&to_h256(self.transaction));
        let step = Step { transaction, coinbase: to_h160(self.coinbase), number, pauses: &pauses };
        self.instruction([&step.prefix()[..], pauses.as_flattened()].concat(), accounts)
    }

    /// Locks those of `accounts`, all listed as writable, that the run has read. It has come to the pause at 0. `number`
    /// makes equal instructions differ.
    #[must_use]
    pub fn lock(&self, number: u16, accounts: &[RunAccount]) -> Instruction {
        let transaction = transaction_id(&to_h256(self.transaction));
        self.instruction(Lock { transaction, number }.encode().to_vec(), accounts)
    }

    /// Cancels it. `accounts` are the Balances of the sender and of the coinbase, writable.
    #[must_use]
    pub fn cancel(&self, accounts: &[RunAccount]) -> Instruction {
        let transaction = transaction_id(&to_h256(self.transaction));
        let cancel = Cancel { transaction, coinbase: to_h160(self.coinbase) };
        self.instruction(cancel.encode().to_vec(), accounts)
    }

    fn instruction(&self, data: Vec<u8>, accounts: &[RunAccount]) -> Instruction {
        let fixed = [
            AccountMeta::new(self.operator, true),
            config(self.deployment),
            program(self.deployment),
            AccountMeta::new(self.holder, false),
        ];
        let accounts = fixed.into_iter().chain(accounts.iter().map(RunAccount::meta)).collect();
        of_program(self.deployment, accounts, data)
    }
}
