//! From landed Solana transactions to Ethereum blocks, without I/O.

use crate::block::{Tip, header, seal};
use crate::holders::Holders;
use crate::problem::{Problem, ProblemKind};
use crate::report::{Report, Shares};
use crate::trail::Trail;
use alloy_consensus::Header;
use alloy_primitives::{B256, U256};
use parhelion_core::cluster::{Held, LandedBlock, LandedInstruction, LandedTransaction};
use parhelion_core::emulator::ChainSettings;
use parhelion_core::past::{Effect, EffectKind, Ending, Landing};
use parhelion_core::store::{Block, Executed};
use parhelion_core::transaction::Transaction;
use parhelion_wire::account::Holder;
use parhelion_wire::instruction::{Begin, Configure, Deposit, Execute, HolderWrite, Initialize, Step, tag};
use parhelion_wire::{Pubkey, event};
use solana_address::Address;
use std::collections::HashSet;

/// Turns Solana blocks into Ethereum blocks. They must come in order: holders, the runs in them and settings are
/// carried from one to the next.
#[derive(Debug)]
pub struct Decoder {
    program_id: Address,
    chain: ChainSettings,
    holders: Holders,
}

/// A decoded block.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The block.
    pub block: Block,
    /// What changed the state in it, in order.
    pub landings: Vec<Landing>,
    /// What could not become part of it.
    pub problems: Vec<Problem>,
}

/// An instruction that runs, or may run, a transaction, and what was reported since it began.
struct Run<'a> {
    instruction: &'a LandedInstruction,
    carrier: Carrier<'a>,
    shares: Shares,
}

/// Where the Ethereum transaction is that an instruction runs.
enum Carrier<'a> {
    /// It runs none.
    Nothing,
    /// Its envelope is in the instruction's data; `None` when the data is too short.
    Data(Option<&'a [u8]>),
    /// It is in a holder; `None` when the instruction names none.
    Holder(Option<Address>),
    /// It is in a holder, and this is a step of its run: it reports only if it is the last one.
    Step(Option<Address>),
}

/// A block's transactions as they come in.
struct Building<'a> {
    landed: &'a LandedBlock,
    transactions: Vec<Executed>,
    log_count: u64,
    /// What the Solana transactions did that are done with.
    landings: Vec<Landing>,
    /// What this one did so far.
    effects: Vec<Effect>,
    problems: Vec<Problem>,
}

impl Decoder {
    /// A decoder for the blocks that follow a time when the settings were `chain`.
    #[must_use]
    pub fn new(program_id: Pubkey, chain: ChainSettings) -> Self {
        Self { program_id: program_id.into(), chain, holders: Holders::default() }
    }

    /// Takes over what the data of a holder have in it, if nothing is known of it: for transactions that were under way
    /// when the first block was decoded.
    pub fn recall(&mut self, holder: Address, data: &[u8]) {
        if let Ok(envelope) = Holder::view(data).and_then(|holder| holder.envelope()) {
            self.holders.recall(holder, envelope);
        }
    }

    /// The chain's settings as the newest decoded block left them.
    #[must_use]
    pub const fn chain(&self) -> &ChainSettings {
        &self.chain
    }

    /// Sets what the settings are where decoding goes on: base fee (wei per gas) and gas limit of a block.
    pub const fn set_fees(&mut self, base_fee: u64, block_gas_limit: u64) {
        (self.chain.base_fee, self.chain.block_gas_limit) = (base_fee, block_gas_limit);
    }

    /// The Ethereum block of a Solana block that follows `parent`.
    ///
    /// Where the header's fields come from: number and timestamp are the slot's, beneficiary is the operator of the
    /// first transaction, base fee and gas limit are the settings as the block leaves them, `mixHash` is the hash of the
    /// Solana block before (what PREVRANDAO gives, the newest of the SlotHashes, is in no block); transactions root, receipts root, bloom and gas used are Ethereum's own. The state root is zero,
    /// and the fields of withdrawals, blobs, beacon chain and requests say that there are none.
    ///
    /// Transactions that cannot be decoded, or whose report is not theirs, are left out and named in
    /// [`Decoded::problems`].
    pub fn block(&mut self, parent: &Tip, landed: &LandedBlock) -> Decoded {
        let Building { transactions, landings, problems, .. } = self.build(landed);
        let header = Header {
            parent_hash: parent.hash,
            number: landed.clock.slot,
            timestamp: timestamp(landed),
            mix_hash: landed.previous_blockhash.to_bytes().into(),
            ..header(&self.chain)
        };
        Decoded { block: seal(header, transactions), landings, problems }
    }

    /// Follows the effects of a Solana block whose own block is there already.
    pub fn follow(&mut self, landed: &LandedBlock) {
        self.build(landed);
    }

    fn build<'a>(&mut self, landed: &'a LandedBlock) -> Building<'a> {
        let (transactions, landings, effects, problems) = Default::default();
        let mut building = Building { landed, transactions, log_count: 0, landings, effects, problems };
        for transaction in &landed.transactions {
            self.landed(transaction, &mut building);
            building.end(transaction);
        }
        building
    }

    fn landed(&mut self, landed: &LandedTransaction, building: &mut Building<'_>) {
        for top in &landed.instructions {
            let mut run: Option<Run<'_>> = None;
            // Whoever invoked the program, its events are the next of its instructions: it invokes itself for them only.
            for instruction in std::iter::once(top).chain(&top.inner) {
                let LandedInstruction { program_id: program, data, .. } = instruction;
                if *program != self.program_id {
                    if event::share(data).is_some() {
                        building.problem(landed, ProblemKind::ForeignEvent { program: *program });
                    }
                } else if data.first() == Some(&tag::EVENT) {
                    // Only the program can send events, and it does so from an instruction of its own.
                    if !run.as_mut().is_some_and(|run| run.shares.push_event(data)) {
                        building.problem(landed, ProblemKind::UnknownEvent);
                    }
                } else {
                    self.end(landed, run.take(), building);
                    let carrier = self.instruction(landed, instruction);
                    building.effects.extend(self.effect(instruction));
                    run = Some(Run { instruction, carrier, shares: Shares::default() });
                }
            }
            self.end(landed, run, building);
        }
    }

    /// Follows an instruction's effect on holders and settings, and tells where the transaction is that it runs.
    fn instruction<'a>(
        &mut self,
        landed: &LandedTransaction,
        instruction: &'a LandedInstruction,
    ) -> Carrier<'a> {
        let Some((&tag, data)) = instruction.data.split_first() else { return Carrier::Nothing };
        let account = |index: usize| instruction.accounts.get(index).copied();
        match tag {
            tag::EXECUTE => return Carrier::Data(instruction.data.get(Execute::ENVELOPE_OFFSET..)),
            tag::EXECUTE_FROM_HOLDER | tag::CANCEL => return Carrier::Holder(account(3)),
            tag::STEP => {
                let holder = account(3);
                holder.iter().for_each(|holder| self.holders.run(holder, landed));
                return Carrier::Step(holder);
            }
            tag::BEGIN | tag::LOCK => account(3).iter().for_each(|holder| self.holders.run(holder, landed)),
            tag::HOLDER_CREATE | tag::HOLDER_CLOSE => {
                account(1).into_iter().for_each(|holder| self.holders.forget(&holder));
            }
            tag::HOLDER_WRITE => {
                if let (Some(holder), Ok(write)) = (account(1), HolderWrite::decode(data)) {
                    self.holders.write(holder, &write, landed);
                }
            }
            tag::INITIALIZE => {
                if let Ok(Initialize { chain_id, base_fee, block_gas_limit, .. }) = Initialize::decode(data) {
                    self.chain = ChainSettings { chain_id, base_fee, block_gas_limit };
                }
            }
            tag::CONFIGURE => {
                if let Ok(Configure { base_fee, block_gas_limit, .. }) = Configure::decode(data) {
                    self.chain.base_fee = base_fee.unwrap_or(self.chain.base_fee);
                    self.chain.block_gas_limit = block_gas_limit.unwrap_or(self.chain.block_gas_limit);
                }
            }
            _ => {}
        }
        Carrier::Nothing
    }

    /// What an instruction did to the state, where it runs no transaction to its end.
    fn effect(&self, instruction: &LandedInstruction) -> Option<Effect> {
        let (&tag, data) = instruction.data.split_first()?;
        let kind = match tag {
            tag::INITIALIZE => Initialize::decode(data).ok().map(EffectKind::Initialized),
            tag::CONFIGURE => Configure::decode(data).ok().map(EffectKind::Configured),
            tag::DEPOSIT => {
                let deposit = Deposit::decode(data).ok();
                deposit.map(|Deposit { address, lamports }| EffectKind::Deposited { address, lamports })
            }
            tag::BEGIN => {
                let envelope = instruction.accounts.get(3).and_then(|holder| self.holders.envelope(holder));
                let transaction = envelope.and_then(|envelope| decode(envelope).ok());
                let begin = Begin::decode(data).ok();
                transaction
                    .zip(begin)
                    .map(|(transaction, Begin { coinbase, .. })| EffectKind::Began { transaction, coinbase })
            }
            _ => return None,
        };
        Some(effect(kind.unwrap_or(EffectKind::Lost), instruction))
    }

    /// Ends an instruction: adds the transaction that ended with it to the block, or says why not.
    fn end(&mut self, landed: &LandedTransaction, run: Option<Run<'_>>, building: &mut Building<'_>) {
        let Some(Run { instruction, carrier, shares }) = run else { return };
        let carried = match carrier {
            Carrier::Nothing if shares.has_receipt() => Err(ProblemKind::UnexpectedReceipt),
            Carrier::Nothing => return,
            // The run goes on. A step that sent events ended it, whether or not they can be read.
            Carrier::Step(_) if !shares.has_events() => {
                let step = instruction.data.get(1..).and_then(|data| Step::decode(data).ok());
                let kind = step.map_or(EffectKind::Lost, |step| EffectKind::Stepped(step.transaction));
                return building.effects.push(effect(kind, instruction));
            }
            Carrier::Data(envelope) => {
                let transaction = envelope.ok_or(ProblemKind::ShortInstruction).and_then(decode);
                transaction.map(|transaction| (transaction, Trail::default()))
            }
            Carrier::Holder(holder) | Carrier::Step(holder) => self.take(holder),
        };
        let added =
            carried.and_then(|(transaction, trail)| building.add(landed, transaction, trail, shares.read()?));
        let kind = match &added {
            Ok(()) => EffectKind::Ended(ending(instruction)),
            Err(_) => EffectKind::Lost,
        };
        building.effects.push(effect(kind, instruction));
        if let Err(kind) = added {
            building.problem(landed, kind);
        }
    }

    /// The transaction in a holder, which ended, and the Solana transactions that belong to it.
    fn take(&mut self, holder: Option<Address>) -> Result<(Transaction, Trail), ProblemKind> {
        let unknown = ProblemKind::HolderUnknown { holder };
        let Some(holder) = holder else { return Err(unknown) };
        let trail = self.holders.take_trail(&holder);
        let transaction = self.holders.envelope(&holder).ok_or(unknown).and_then(decode)?;
        Ok((transaction, trail))
    }
}

/// What an instruction did, with all that it may have changed.
fn effect(kind: EffectKind, instruction: &LandedInstruction) -> Effect {
    Effect { kind, accounts: instruction.accounts.iter().map(Address::to_bytes).collect() }
}

/// How the transaction ended that an instruction ended.
fn ending(instruction: &LandedInstruction) -> Ending {
    match instruction.data.first() {
        Some(&tag::STEP) => Ending::InSteps,
        Some(&tag::CANCEL) => Ending::Cancelled,
        _ => Ending::AtOnce,
    }
}

fn decode(envelope: &[u8]) -> Result<Transaction, ProblemKind> {
    Transaction::from_executed(envelope).map_err(ProblemKind::Undecodable)
}

/// Seconds since 1970 as Ethereum has them.
fn timestamp(landed: &LandedBlock) -> u64 {
    landed.clock.unix_timestamp.try_into().unwrap_or(0)
}

impl Building<'_> {
    /// Ends a Solana transaction.
    fn end(&mut self, landed: &LandedTransaction) {
        let effects = std::mem::take(&mut self.effects);
        if effects.is_empty() {
            return;
        }
        let listed: HashSet<&Pubkey> = effects.iter().flat_map(|effect| &effect.accounts).collect();
        let is_listed = |held: &&Held| listed.contains(&held.address.to_bytes());
        let lamports = landed.lamports.iter().filter(is_listed).copied().collect();
        self.landings.push(Landing { effects, lamports });
    }

    fn problem(&mut self, landed: &LandedTransaction, kind: ProblemKind) {
        self.problems.push(Problem { signature: landed.signature, kind });
    }

    /// Adds a transaction that `landed` ended.
    fn add(
        &mut self,
        landed: &LandedTransaction,
        transaction: Transaction,
        trail: Trail,
        report: Report,
    ) -> Result<(), ProblemKind> {
        let Report { receipt, logs } = report;
        let receipt_hash = B256::from(receipt.transaction_hash.0);
        if receipt_hash != transaction.hash() {
            return Err(ProblemKind::HashMismatch { receipt: receipt_hash, transaction: transaction.hash() });
        }
        let gas_before = self.transactions.last().map_or(0, |executed| executed.cumulative_gas_used);
        let first_log_index = self.log_count;
        let (signatures, total_compute_units) = trail.end(landed);
        self.log_count += logs.len() as u64;
        self.transactions.push(Executed {
            transaction,
            block_number: self.landed.clock.slot,
            // Known when the block is complete, see `seal`.
            block_hash: B256::ZERO,
            block_timestamp: timestamp(self.landed),
            index: self.transactions.len() as u64,
            outcome: receipt.outcome,
            gas_used: receipt.gas_used,
            rent_gas: receipt.rent_gas,
            cumulative_gas_used: gas_before.saturating_add(receipt.gas_used),
            effective_gas_price: U256::from_limbs(receipt.effective_gas_price.0),
            logs,
            first_log_index,
            coinbase: receipt.coinbase.0.into(),
            signature: landed.signature,
            compute_units: landed.compute_units,
            signatures,
            total_compute_units,
        });
        Ok(())
    }
}
