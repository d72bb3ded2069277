//! Runs transactions that nobody signed: for development chains, where senders can be impersonated. The program would
//! refuse them.

use crate::crypto::Native;
use crate::ledger::Recorder;
use crate::shell::Shell;
use alloy_primitives::{Address, U256};
use alloy_rpc_types_eth::BlockOverrides;
use parhelion_core::cluster::{Account, Clock};
use parhelion_core::emulator::{EmulatorError, Overrides};
use parhelion_core::transaction::Transaction;
use parhelion_executor::{BlockValues, Options};
use parhelion_wire::event;
use parhelion_wire::transaction::Envelope;
use solana_address::Address as SolanaAddress;

/// What a transaction that nobody signed leaves.
#[derive(Clone, Debug)]
pub struct Unsigned {
    /// The accounts that it wrote, each as it is then.
    pub accounts: Vec<(SolanaAddress, Account)>,
    /// The data of the event instructions by which the program would report it.
    pub events: Vec<Vec<u8>>,
}

impl Shell {
    /// Runs a transaction of whoever it says, in the block `clock`, as the program would run one that is signed.
    ///
    /// # Errors
    /// As for one that is signed.
    pub async fn run_unsigned(
        &self,
        transaction: &Transaction,
        coinbase: Address,
        clock: Clock,
    ) -> Result<Unsigned, EmulatorError> {
        let block = BlockOverrides {
            number: Some(U256::from(clock.slot)),
            time: Some(clock.unix_timestamp.max(0).unsigned_abs()),
            ..BlockOverrides::default()
        };
        let overrides = Overrides { block, ..Overrides::default() };
        let run = |ledger: &mut Recorder<'_>, block: &BlockValues, envelope: &Envelope<'_>| {
            parhelion_executor::execute(ledger, Native, block, &Options::ON_CHAIN, envelope)
        };
        let ((receipt, report), finished) =
            self.run_envelope(transaction, coinbase, Some(&overrides), run).await?;
        let mut accounts = Vec::new();
        for used in finished.uses.into_iter().filter(|used| used.is_written) {
            // One that is closed has no lamports and no data any more.
            let mut account = used.after.unwrap_or_default();
            if !account.data.is_empty() {
                account.lamports =
                    account.lamports.max(self.cluster.rent_exemption(account.data.len()).await?);
            }
            accounts.push((used.address.into(), account));
        }
        Ok(Unsigned { accounts, events: events(&[&receipt.encode()[..], &report.records].concat()) })
    }
}

/// A report as event instructions.
fn events(report: &[u8]) -> Vec<Vec<u8>> {
    let count = report.len().div_ceil(event::CHUNK_MAX);
    let share =
        |(index, bytes): (usize, &[u8])| [&event::instruction_prefix(index + 1 == count)[..], bytes].concat();
    report.chunks(event::CHUNK_MAX).enumerate().map(share).collect()
}
