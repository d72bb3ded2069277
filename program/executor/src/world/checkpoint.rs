//! The world of a run in steps, written down between two of them and read back.

use super::World;
use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::mark::{Front, Mark};
use crate::{ProgramError, Result};
use alloc::vec::Vec;
use parhelion_evm::U256;
use parhelion_evm::crypto::Crypto;
use parhelion_evm::host::Env;
use parhelion_wire::event::Withdrawal;
use parhelion_wire::stored;
use parhelion_wire::stored::{Reader, Stored, Writer};

/// The world's counters.
struct Counters {
    logs: u32,
    refund: i64,
    burned: U256,
    prevrandao: Option<[u8; 32]>,
}
stored!(Counters { logs, refund, burned, prevrandao });

impl<'c, L: Ledger<'c>, C: Crypto> World<'c, L, C> {
    /// Writes everything but the limits and the environment into a checkpoint.
    pub(crate) fn put(&self, out: &mut Writer<'_>) -> Result<()> {
        // All of them in front: a change is found before anything is made of the rest.
        let rows = self.accounts.rows().iter();
        let of_rows = rows.flat_map(|row| [row.balance_account, row.contract_account]).flatten();
        let of_cells = self.storage.cells().iter().map(|cell| cell.ledger_account);
        let accounts = of_rows.chain(of_cells);
        out.put(&Front { locked_until: 0, count: accounts.clone().count() as u16 })?;
        for account in accounts {
            out.put(&self.ledger.mark(account)?)?;
        }
        self.accounts.put(out)?;
        self.storage.put(out)?;
        self.transient.put(out)?;
        self.journal.put(out)?;
        self.codes.put(out)?;
        out.counted(&self.report)?;
        out.put(&(self.withdrawals.len() as u8))?;
        for withdrawal in &self.withdrawals {
            out.put(&withdrawal.from)?;
            out.put(&withdrawal.payee)?;
            out.put(&withdrawal.lamports)?;
        }
        let Self { logs, refund, burned, prevrandao, .. } = *self;
        Counters { logs, refund, burned, prevrandao }.put(out)
    }

    /// The world of a checkpoint, in `slot`.
    ///
    /// # Errors
    /// [`crate::ProgramError::StateChanged`] when an account that it has loaded was changed since, and those of a damaged
    /// checkpoint.
    #[inline(never)] // a stack frame has 4 KiB on sBPF
    pub(crate) fn take(
        mut ledger: L,
        crypto: C,
        env: Env,
        limits: Limits,
        slot: u64,
        input: &mut Reader<'_>,
    ) -> Result<Self> {
        let Front { locked_until, count } = input.take()?;
        let mut resumed = Vec::with_capacity(usize::from(count));
        let mut is_proven = true;
        for _ in 0..count {
            let mark: Mark = input.take()?;
            let account = ledger.resume(&mark)?;
            is_proven &= ledger.is_at_hand(account) || mark.is_locked && slot < locked_until;
            resumed.push(account);
        }
        let mut resumed = resumed.into_iter();
        let mut next = || resumed.next().ok_or(ProgramError::CheckpointMalformed);
        let mut world = Self::new_apart(ledger, crypto, env, limits);
        world.is_proven = is_proven;
        world.accounts.take(input, &mut next)?;
        world.storage.take(input, &mut next)?;
        world.transient.take(input)?;
        world.journal.take(input)?;
        world.codes.take(input)?;
        world.report.extend_from_slice(input.counted()?);
        let withdrawals: u8 = input.take()?;
        for _ in 0..withdrawals {
            let (from, payee, lamports) = (input.take()?, input.take()?, input.take()?);
            world.withdrawals.push(Withdrawal { from, payee, lamports });
        }
        let Counters { logs, refund, burned, prevrandao } = input.take()?;
        (world.logs, world.refund, world.burned, world.prevrandao) = (logs, refund, burned, prevrandao);
        Ok(world)
    }
}
