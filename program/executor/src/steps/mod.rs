//! Runs in steps: a transaction that does not fit one Solana transaction.
//!
//! ```text
//! begin ──▶ step ──▶ step ──▶ … ──▶ step ──▶ receipt
//!   │         │ ▲                     └ finishes, pays, writes everything, frees the sender: all or nothing
//!   │         └─┘ an account that it had read was changed: the attempt begins anew
//!   │
//!   └ validates, uses up the nonce, buys the gas, marks the sender as busy         cancel ──▶ receipt of status 0
//! ```
//!
//! # Invariants
//! * Between `begin` and the end, only the sender's nonce and balance show that there is a run. What the sender paid for
//!   gas ([`Run::bought`]) is in the vault and in no balance (invariant 8 counts it).
//! * A sender has one run at most, and no other transaction while there is one: transactions of a sender take effect in
//!   the order of their nonces.
//! * A run reads every account as it was when it read it first. Each step begins by comparing the revisions of all that
//!   was read so far and that it lists with the accounts as they are; after a change the attempt begins anew, with the
//!   block values of now. So does one whose settings changed.
//! * Before anything is written, all that was read is known to be unchanged: the last step lists it, or it was compared
//!   when it was locked ([`fn@lock`]), and still is. So a run may read more accounts than a Solana transaction can list; what
//!   it writes, and what does not exist and so cannot be locked, must fit the last step.
//! * After [`Run::RESTARTS_UNLOCKED`] restarts an attempt locks what its first step lists as writable ([`Ledger::lock`]): all
//!   at once, before it begins, or not at all, so runs never wait for one another. A lock ends with the run, or by itself after
//!   [`parhelion_wire::account::Header::LOCK_SLOTS`], and the account is not locked again for three times as long.
//! * A checkpoint is a function of what ran; where a run pauses changes nothing but that, and PREVRANDAO. NUMBER and TIMESTAMP
//!   stay those of the attempt's first step, PREVRANDAO stays that of the step that asks for it first.
//! * Machine and checkpoint lie in the holder, which only the program writes.
//!
//! # Failures
//! A step that fails (an account that is not listed, compute units used up) fails its Solana transaction: the run stays
//! where it was. A run whose steps fail for ever is cancelled: its nonce stays used, and it pays for what it had used.

mod begin;
mod cancel;
mod lock;
mod step;

pub use begin::begin;
pub use cancel::cancel;
pub use lock::lock;
pub use step::{Held, Step, step};

use crate::execute::BlockValues;
use crate::ledger::Ledger;
use crate::run::Message;
use crate::world::{Id, World};
use crate::{ProgramError, Result};
use parhelion_evm::crypto::Crypto;
use parhelion_evm::gas::Intrinsic;
use parhelion_wire::account::Run;
use parhelion_wire::transaction::{Envelope, Transaction};

/// The values of the block that a run's attempt began in.
const fn block_of(run: &Run, now: &BlockValues) -> BlockValues {
    BlockValues { slot: run.number, timestamp: run.timestamp, coinbase: run.coinbase, ..*now }
}

/// The message of a run. `account` is the sender's row.
fn message_of<'c>(
    run: &Run,
    envelope: &Envelope<'c>,
    transaction: &Transaction<'c>,
    account: Id,
) -> Result<Message<'c>> {
    let intrinsic = Intrinsic { initial: run.intrinsic_gas, floor: run.floor_gas };
    Message::of(transaction, envelope.sender, account, run.gas_price, intrinsic)
}

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// Notes in the sender's Balance whether it has a run in steps.
    fn mark_sender(&mut self, sender: Id, has_run: bool) -> Result<()> {
        use parhelion_wire::account::{Balance, Layout};
        use parhelion_wire::address::AccountKey;
        let row = self.account(sender)?;
        let key = AccountKey::Balance(row.address);
        let account = row.balance_account.ok_or(ProgramError::AccountMissing)?;
        let data = self.ledger.write(account, &key, size_of::<Balance>())?;
        Balance::view_mut(data)?.set_has_run(has_run);
        Ok(())
    }
}
