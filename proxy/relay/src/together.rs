//! Consecutive transactions of a sender in one Solana transaction.
//!
//! ```text
//! emulate one after another ─▶ as many as fit ─▶ try them on the cluster ─▶ send
//!                                   ▲                 │ they fail
//!                                   └── half as many ◀┘
//! ```
//!
//! In one Solana transaction their order is certain, and all of them land or none does. Two Solana transactions in flight could
//! come in any order: the second one would fail in front of the first, and cost its fee.
//!
//! The program recovers each sender. A secp256k1 instruction for each would spare compute units, of which there are enough for
//! what fits, and cost a signature's fee.
//!
//! Whatever is more than the simplest (a holder, room for a large code, a run that was begun) is left to
//! [`Relay::land`](parhelion_core::relay::Relay::land), and so is whatever fails: there it is the first one's own fault.

use crate::once::with_margin;
use crate::plan::{HolderState, Request, fits_bare, one_of_several};
use crate::service::Sender;
use crate::shape::Shape;
use crate::translation::rule::units_saved;
use parhelion_core::cluster::ClusterError;
use parhelion_core::emulator::Emulation;
use parhelion_core::relay::RelayError;
use parhelion_core::transaction::Transaction;
use parhelion_sdk::transaction::Budget;
use solana_address::Address;
use solana_instruction::Instruction;
use std::collections::BTreeSet;

impl Sender {
    /// Lands two or more transactions in one Solana transaction, from the first one on, and gives how many; `None` if it
    /// is certain that nothing landed.
    ///
    /// # Errors
    /// When it is not known whether they landed.
    pub(crate) async fn send_together(
        &self,
        transactions: &[Transaction],
    ) -> Result<Option<usize>, RelayError> {
        if transactions.len() < 2 || self.has_unfinished(transactions).await {
            return Ok(None);
        }
        let coinbase = self.operator.coinbase;
        let emulations = match self.emulator.emulate_together(transactions, coinbase).await {
            Ok(emulations) if emulations.len() > 1 => emulations,
            // Alone, it will tell what is wrong with it.
            Ok(_) | Err(_) => return Ok(None),
        };
        let shape = self.shape_for(&emulations).await;
        let instructions = self.executions(transactions, &emulations, &shape);
        let fits = |count: &usize| {
            fits_bare(
                instructions.get(..*count).unwrap_or_default(),
                &self.operator.address(),
                shape.format(),
            )
        };
        let mut count = (2..=instructions.len()).rev().find(fits).unwrap_or_default();
        while count > 1 {
            let instructions = instructions.get(..count).unwrap_or_default();
            match self.simulate(&shape, instructions).await {
                Ok(units) => return self.land_several(&shape, instructions, units, &emulations).await,
                Err(error) => tracing::debug!(count, %error, "not all of them at once"),
            }
            count /= 2;
        }
        Ok(None)
    }

    async fn land_several(
        &self,
        shape: &Shape,
        instructions: &[Instruction],
        units: Option<u64>,
        emulations: &[Emulation],
    ) -> Result<Option<usize>, RelayError> {
        let count = instructions.len();
        match self.send(shape, instructions, &units.map_or(Budget::MAX, with_margin)).await {
            Ok(_) => {}
            Err(RelayError::Cluster(error @ ClusterError::Failed { .. })) => {
                tracing::debug!(count, %error, "they did not land together");
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        let share = units.unwrap_or_default() / count as u64;
        for emulation in emulations.iter().take(count) {
            self.note(&emulation.codes, units_saved(share, false));
        }
        Ok(Some(count))
    }

    /// Whether a run of one of them was begun, and is to be gone on with.
    async fn has_unfinished(&self, transactions: &[Transaction]) -> bool {
        let unfinished = self.holders.all_unfinished().await;
        transactions.iter().any(|transaction| unfinished.contains(&transaction.hash()))
    }

    /// The format, with the lookup tables that help.
    async fn shape_for(&self, emulations: &[Emulation]) -> Shape {
        let used = emulations.iter().flat_map(|emulation| &emulation.accounts);
        let accounts: BTreeSet<Address> = used.map(|used| used.address.into()).collect();
        self.shape(&accounts, emulations.iter().map(|emulation| emulation.slot).max().unwrap_or_default())
            .await
    }

    /// The instructions that execute them, up to the first one that needs more than that.
    fn executions(
        &self,
        transactions: &[Transaction],
        emulations: &[Emulation],
        shape: &Shape,
    ) -> Vec<Instruction> {
        let execution = |(transaction, emulation): (&Transaction, &Emulation)| {
            one_of_several(&Request {
                deployment: &self.deployment,
                operator: self.operator.address(),
                coinbase: self.operator.coinbase,
                envelope: transaction.envelope(),
                emulation,
                holder: HolderState { index: 0, length: None, needed: 0, lamports: 0 },
                format: shape.format(),
            })
        };
        transactions.iter().zip(emulations).map_while(execution).collect()
    }
}
