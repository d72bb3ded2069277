//! A chain over the real program binary, where every transaction is also emulated and compared.

use crate::wallet::{BASE_FEE, CHAIN_ID};
use alloy_primitives::{Address as EthereumAddress, B256, U256};
use anyhow::{Context, bail, ensure};
use parhelion_core::cluster::{Account, Cluster, ClusterError, LandedTransaction};
use parhelion_core::emulator::{AccountUse, CodeUse, Emulation, Execution, FoundTranslation};
use parhelion_core::transaction::Transaction;
use parhelion_emulator::{Known, Native, Recorder, Use};
use parhelion_executor::evm::translation;
use parhelion_executor::{BlockValues, Options, Report};
use parhelion_relay::plan::{HolderState, Plan, Request, plan};
use parhelion_sdk::address::holder_address;
use parhelion_sdk::convert::to_h256;
use parhelion_sdk::event::reports;
use parhelion_sdk::instruction::{deposit, initialize, translate};
use parhelion_sdk::transaction::{Budget, Format, sign};
use parhelion_solana::{Features, SvmCluster, SvmOptions};
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Balance, Contract, Holder, Layout, Translation, TranslationStage};
use parhelion_wire::address::{AccountKey, Deployment};
use parhelion_wire::event::Receipt;
use parhelion_wire::instruction::{Initialize, tag};
use parhelion_wire::transaction::Envelope;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// Lamports in a SOL.
pub const SOL: u64 = 1_000_000_000;
/// The environment variable that names the program's binary.
pub const VARIABLE: &str = "PARHELION_PROGRAM";

/// A key that lands transactions, with its fee recipient.
pub struct Operator {
    /// The Solana key.
    pub keypair: Keypair,
    /// COINBASE.
    pub coinbase: EthereumAddress,
}

/// A chain in a Solana VM.
pub struct Chain {
    runtime: Runtime,
    /// The VM.
    pub svm: Arc<SvmCluster>,
    /// The deployment.
    pub deployment: Deployment,
    /// The operator that lands transactions; also the chain's authority.
    pub operator: Operator,
    /// Ethereum addresses whose balances count in [`Self::assert_solvent`].
    known: BTreeSet<EthereumAddress>,
    /// The format of what it sends.
    format: Format<'static>,
}

/// How the sender of a transaction is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// As the relay plans it: by a secp256k1 instruction where it fits.
    Planned,
    /// By the recovery syscall.
    Syscall,
}

/// What a transaction did on chain.
#[derive(Debug)]
pub struct Done {
    /// The program's receipt.
    pub receipt: Receipt,
    /// What its emulation said.
    pub report: Report,
    /// Accounts that it used.
    pub uses: Vec<Use>,
    /// Compute units of the Solana transaction that executed it.
    pub compute_units: u64,
    /// All compute units, holder writes included.
    pub compute_units_in_all: u64,
    /// Solana transactions that it took.
    pub transactions: usize,
    /// Accounts that the executing Solana transaction locks.
    pub accounts: usize,
}

impl Chain {
    /// An initialised chain under the mainnet features.
    ///
    /// # Errors
    /// When the program's binary is not there: `cargo xtask test` builds it and sets the variable.
    pub fn new() -> anyhow::Result<Self> {
        Self::with_features(Features::Mainnet)
    }

    /// An initialised chain.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_features(features: Features) -> anyhow::Result<Self> {
        let mut chain = Self::uninitialized(features)?;
        let payer = chain.operator.keypair.pubkey();
        let settings = Initialize {
            chain_id: CHAIN_ID,
            base_fee: BASE_FEE as u64,
            block_gas_limit: 1_000_000_000,
            authority: payer.to_bytes(),
        };
        chain.send(&[initialize(&chain.deployment, &payer, &settings)]).context("initialize")?;
        chain.deposit(chain.operator.coinbase, 0)?;
        Ok(chain)
    }

    /// A VM with the program and a funded operator, and no chain yet.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn uninitialized(features: Features) -> anyhow::Result<Self> {
        let path = std::env::var(VARIABLE).with_context(|| {
            format!("{VARIABLE} is not set: run this by `cargo xtask test`, which builds the program first")
        })?;
        let program = std::fs::read(&path).with_context(|| format!("cannot read {path}"))?;
        let keypair = Keypair::new_from_array([1; 32]);
        let program_id = Keypair::new_from_array([2; 32]).pubkey();
        let options = SvmOptions { program_id, program, upgrade_authority: keypair.pubkey(), features };
        let svm = Arc::new(SvmCluster::start(&options)?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(svm.airdrop(keypair.pubkey(), 1_000_000 * SOL))?;
        let operator = Operator { keypair, coinbase: EthereumAddress::repeat_byte(0xc0) };
        let deployment = svm.deployment();
        let format = match features {
            Features::Mainnet | Features::All => Format::V1,
            Features::WithoutV1 => Format::V0(&[]),
        };
        Ok(Self { runtime, svm, deployment, operator, known: BTreeSet::new(), format })
    }

    /// Runs a service of the proxy over the chain.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Lands instructions signed by the operator.
    ///
    /// # Errors
    /// As the program refuses.
    pub fn send(&self, instructions: &[Instruction]) -> Result<LandedTransaction, ClusterError> {
        self.send_as(&[&self.operator.keypair], instructions)
    }

    /// Lands instructions; the first signer pays.
    ///
    /// # Errors
    /// As the program refuses.
    ///
    /// # Panics
    /// When the instructions make no transaction.
    pub fn send_as(
        &self,
        signers: &[&Keypair],
        instructions: &[Instruction],
    ) -> Result<LandedTransaction, ClusterError> {
        self.runtime.block_on(async {
            let blockhash = self.svm.latest_blockhash().await?;
            let payer = signers[0].pubkey();
            let transaction = sign(instructions, &payer, signers, blockhash, &Budget::MAX, self.format)
                .expect("the test's instructions make a transaction");
            let signature = self.svm.send(&transaction).await?;
            let slot = self.svm.clock().await?.slot;
            let blocks = self.svm.blocks(slot, slot).await?;
            let landed = blocks.into_iter().flat_map(|block| block.transactions);
            let found = landed.into_iter().find(|landed| landed.signature == signature);
            let nothing = || {
                let (lamports, instructions) = Default::default();
                LandedTransaction { signature, compute_units: 0, lamports, instructions }
            };
            Ok(found.unwrap_or_else(nothing))
        })
    }

    /// Deposits lamports from the operator.
    ///
    /// # Errors
    /// As the program refuses.
    pub fn deposit(&mut self, address: EthereumAddress, lamports: u64) -> anyhow::Result<()> {
        self.known.insert(address);
        let payer = self.operator.keypair.pubkey();
        self.send(&[deposit(&self.deployment, &payer, address, lamports)])?;
        self.assert_solvent()
    }

    /// An account.
    ///
    /// # Panics
    /// Never: the VM answers.
    #[must_use]
    pub fn account(&self, address: &[u8; 32]) -> Option<Account> {
        let addresses = [Address::from(*address)];
        let read = self.svm.accounts(&addresses);
        self.runtime.block_on(read).expect("the VM answers").accounts.pop().flatten()
    }

    /// Replaces an account.
    ///
    /// # Panics
    /// Never for accounts that are no sysvars.
    pub fn set_account(&self, address: &[u8; 32], account: Account) {
        self.runtime.block_on(self.svm.set_account(Address::from(*address), account)).expect("no sysvar");
    }

    /// Gives lamports out of nowhere.
    ///
    /// # Panics
    /// Never for amounts that tests use.
    pub fn airdrop(&self, address: Address, lamports: u64) {
        self.runtime.block_on(self.svm.airdrop(address, lamports)).expect("a small amount");
    }

    /// Where a key's account is.
    #[must_use]
    pub fn address(&self, key: &AccountKey) -> [u8; 32] {
        parhelion_sdk::address::account_address(&self.deployment, key).to_bytes()
    }

    /// Nonce and balance of an Ethereum address.
    #[must_use]
    pub fn balance(&self, address: EthereumAddress) -> (u64, U256) {
        let address = address.into_array().into();
        let Some(account) = self.account(&self.address(&AccountKey::Balance(address))) else {
            // EIP-161: a contract's nonce begins at 1.
            let is_contract = self.account(&self.address(&AccountKey::Contract(address))).is_some();
            return (u64::from(is_contract), U256::ZERO);
        };
        Balance::view(&account.data)
            .map(|view| (view.nonce(), U256::from_limbs(view.balance().0)))
            .unwrap_or_default()
    }

    /// Invariant 8: the vault's lamports beyond its rent exemption cover the balances of all addresses that the test
    /// touched, to the wei.
    ///
    /// # Errors
    /// When they do not.
    pub fn assert_solvent(&self) -> anyhow::Result<()> {
        let vault = self.account(&self.deployment.vault).context("the vault is there")?;
        let exemption = self.runtime.block_on(self.svm.rent_exemption(vault.data.len()))?;
        let covered = U256::from(vault.lamports - exemption) * U256::from(SOL);
        let owed: U256 = self.known.iter().map(|address| self.balance(*address).1).sum();
        // What a run in steps has paid for its gas is in no balance.
        let held = self.run_state(0).map_or(U256::ZERO, |run| U256::from_limbs(run.bought.0));
        let owed = owed + held;
        ensure!(covered >= owed, "the vault has {covered} wei, the balances add up to {owed}");
        Ok(())
    }

    /// Moves the clock on. Beyond the real time, nothing else moves it.
    ///
    /// # Panics
    /// Never: the VM answers.
    pub fn advance_time(&self, seconds: u32) {
        self.runtime.block_on(self.svm.advance_time(seconds)).expect("the VM answers");
    }

    /// Lamports of rent exemption for a byte of account data.
    ///
    /// # Errors
    /// Never: the VM answers.
    pub fn rent_per_byte(&self) -> anyhow::Result<u64> {
        Ok(self.runtime.block_on(self.svm.rent_exemption(0))? / 128)
    }

    /// The block that a transaction sent now will see.
    ///
    /// # Panics
    /// Never: the VM answers.
    #[must_use]
    pub fn next_block(&self) -> BlockValues {
        let clock = self.runtime.block_on(self.svm.clock()).expect("the VM answers");
        BlockValues {
            chain_id: CHAIN_ID,
            base_fee: BASE_FEE as u64,
            gas_limit: 1_000_000_000,
            // A transaction in the VM makes a block of its own.
            slot: clock.slot + 1,
            timestamp: clock.unix_timestamp.unsigned_abs(),
            coinbase: self.operator.coinbase.into_array().into(),
            blob_base_fee: BlockValues::NO_BLOBS,
        }
    }

    /// Emulates a transaction on the chain's state.
    ///
    /// # Errors
    /// The program's refusal.
    ///
    /// # Panics
    /// Never: the VM answers.
    pub fn emulate(&self, transaction: &Transaction) -> Result<(Receipt, Report, Vec<Use>), ProgramError> {
        self.emulate_with(transaction, &Options::ON_CHAIN)
    }

    /// [`Self::emulate`] with other limits.
    ///
    /// # Errors
    /// The program's refusal.
    ///
    /// # Panics
    /// Never: the VM answers.
    pub fn emulate_with(
        &self,
        transaction: &Transaction,
        options: &Options,
    ) -> Result<(Receipt, Report, Vec<Use>), ProgramError> {
        let rent_per_byte = self.rent_per_byte().expect("the VM answers");
        let hashes = self.runtime.block_on(self.svm.slot_hashes()).expect("the VM answers");
        let mut known = Known { rent_per_byte, slot_hashes: Some(hashes), ..Known::default() };
        let envelope = Envelope::decode(transaction.envelope())?;
        loop {
            let mut recorder = Recorder::new(self.deployment, &known);
            let block = self.next_block();
            match parhelion_executor::execute(&mut recorder, Native, &block, options, &envelope) {
                Ok((receipt, report)) => return Ok((receipt, report, recorder.into_uses())),
                Err(ProgramError::AccountMissing) => {
                    let missing = recorder.into_missing().addresses;
                    known
                        .accounts
                        .extend(missing.into_iter().map(|address| (address, self.account(&address))));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The relay's plan for a transaction.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn plan(&self, transaction: &Transaction, report: &Report, uses: &[Use]) -> anyhow::Result<Plan> {
        let emulation = emulation(report, uses, self.next_block().slot);
        let operator = self.operator.keypair.pubkey();
        let holder = self.account(&holder_address(&self.deployment, &operator, 0).to_bytes());
        let envelope = transaction.envelope();
        let needed = Holder::account_length(envelope.len());
        let lamports = self.runtime.block_on(self.svm.rent_exemption(needed))?;
        let length = holder.map(|account| account.data.len());
        Ok(plan(&Request {
            deployment: &self.deployment,
            operator,
            coinbase: self.operator.coinbase,
            envelope,
            emulation: &emulation,
            holder: HolderState { index: 0, length, needed, lamports },
            format: Format::V1,
        })?)
    }

    /// Emulates a transaction, runs it on chain as the relay would, and compares: receipt, logs, every account that
    /// was used, and that nothing else was needed.
    ///
    /// # Errors
    /// When it does not land, or chain and emulator differ.
    pub fn run(&mut self, transaction: &Transaction) -> anyhow::Result<Done> {
        self.run_with(transaction, Proof::Planned)
    }

    /// [`Self::run`], with a choice of the signature's proof.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_with(&mut self, transaction: &Transaction, proof: Proof) -> anyhow::Result<Done> {
        self.note(transaction);
        let (_, report, uses) = self.emulate(transaction).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let plan = self.plan(transaction, &report, &uses)?;
        let last = match proof {
            Proof::Planned => plan.last.clone(),
            Proof::Syscall => self.by_syscall(transaction, &uses),
        };
        let mut compute_units_in_all = 0;
        for instructions in plan.before.iter().flatten() {
            ensure!(!instructions.is_empty(), "an empty transaction in the plan");
            compute_units_in_all += self.send(instructions).context("before the last step")?.compute_units;
        }
        // The steps before made blocks; what the last one sees is the block after them.
        let (receipt, report, uses) =
            self.emulate(transaction).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let landed = self.send(&last)?;
        compute_units_in_all += landed.compute_units;
        let done = Done {
            receipt,
            report,
            uses,
            compute_units: landed.compute_units,
            compute_units_in_all,
            transactions: plan.transactions(),
            accounts: locks(&last),
        };
        self.compare(&landed, &done)?;
        self.compare_output(&last, &done)?;
        self.assert_solvent()?;
        Ok(done)
    }

    /// Translates the code of a contract; gives the compute units of all the transactions that it took.
    ///
    /// # Errors
    /// When there is no such contract, or its translation does not get done.
    pub fn translate(&self, contract: EthereumAddress) -> anyhow::Result<Vec<u64>> {
        const BLOCKS: u16 = 400;
        let payer = self.operator.keypair.pubkey();
        let hash = self.code_hash(contract)?;
        let key = AccountKey::Translation(to_h256(hash), translation::VERSION);
        let instruction = translate(&self.deployment, &payer, hash, translation::VERSION, BLOCKS);
        let mut compute_units = Vec::new();
        // Every transaction adds 10,240 bytes, and the largest translation has some 150,000.
        for _ in 0..40 {
            compute_units.push(self.send(std::slice::from_ref(&instruction))?.compute_units);
            let account = self.account(&self.address(&key)).context("the translation exists")?;
            let stage = Translation::view(&account.data).map(|view| view.prefix.stage());
            if stage == Ok(TranslationStage::Complete) {
                return Ok(compute_units);
            }
        }
        bail!("the translation does not get done")
    }

    /// Whether a contract's code is translated.
    ///
    /// # Errors
    /// When there is no such contract.
    pub fn is_translated(&self, contract: EthereumAddress) -> anyhow::Result<bool> {
        let key = AccountKey::Translation(to_h256(self.code_hash(contract)?), translation::VERSION);
        let account = self.account(&self.address(&key));
        let stage =
            account.and_then(|account| Translation::view(&account.data).map(|view| view.prefix.stage()).ok());
        Ok(stage == Some(TranslationStage::Complete))
    }

    /// The hash of a contract's code.
    ///
    /// # Errors
    /// When there is no such contract.
    pub fn code_hash(&self, contract: EthereumAddress) -> anyhow::Result<B256> {
        let key = AccountKey::Contract(contract.into_array().into());
        let account = self.account(&self.address(&key)).context("no contract is there")?;
        let contract = Contract::view(&account.data).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        Ok(contract.code_hash().0.into())
    }

    /// `execute` with recovery on chain.
    #[must_use]
    pub fn by_syscall(&self, transaction: &Transaction, uses: &[Use]) -> Vec<Instruction> {
        use parhelion_sdk::instruction::{SignatureProof, execute};
        let (operator, coinbase) = (self.operator.keypair.pubkey(), self.operator.coinbase);
        let envelope = transaction.envelope();
        vec![execute(
            &self.deployment,
            &operator,
            coinbase,
            SignatureProof::Recover,
            envelope,
            &self.run_accounts(uses),
        )]
    }

    /// Used accounts as the instruction lists them.
    #[must_use]
    pub fn run_accounts(&self, uses: &[Use]) -> Vec<parhelion_sdk::instruction::RunAccount> {
        let operator = self.operator.keypair.pubkey().to_bytes();
        let others = uses.iter().filter(|used| used.address != operator);
        others
            .map(|used| parhelion_sdk::instruction::RunAccount {
                address: used.address.into(),
                writable: used.is_written,
            })
            .collect()
    }

    /// Notes the Ethereum addresses whose balances a transaction may change.
    fn note(&mut self, transaction: &Transaction) {
        use alloy_consensus::Transaction as _;
        self.known.insert(transaction.sender());
        self.known.extend(transaction.inner().to());
        self.known.insert(transaction.sender().create(transaction.inner().nonce()));
    }

    /// Counts an address in [`Self::assert_solvent`].
    pub fn know(&mut self, address: EthereumAddress) {
        self.known.insert(address);
    }

    /// Compares the return data of the executing transaction, which is newest, with the emulated output.
    fn compare_output(&self, instructions: &[Instruction], done: &Done) -> anyhow::Result<()> {
        let shown = self.runtime.block_on(self.svm.return_data())?;
        let output = &done.report.output;
        // Each instruction replaces the return data, and behind one that executes from a holder stands another.
        let is_last =
            instructions.last().and_then(|instruction| instruction.data.first()) == Some(&tag::EXECUTE);
        let expected = if is_last { &output[..output.len().min(RETURN_DATA_MAX)] } else { &[] };
        ensure!(shown == expected, "the output differs: {shown:02x?} and {expected:02x?}");
        Ok(())
    }

    /// What a Solana transaction reported, its pieces joined.
    #[must_use]
    pub fn events(&self, landed: &LandedTransaction) -> Vec<u8> {
        let inner = landed.instructions.iter().flat_map(|instruction| &instruction.inner);
        let shares: Vec<&[u8]> = inner
            .filter(|invoked| invoked.program_id.to_bytes() == self.deployment.program_id)
            .filter_map(|invoked| parhelion_wire::event::share(&invoked.data).map(|(bytes, _)| bytes))
            .collect();
        shares.concat()
    }

    /// Compares what landed with what was emulated.
    fn compare(&self, landed: &LandedTransaction, done: &Done) -> anyhow::Result<()> {
        let events = self.events(landed);
        let expected = [&done.receipt.encode()[..], &done.report.records].concat();
        ensure!(events == expected, "the events differ: {events:02x?} and {expected:02x?}");
        let all = landed.instructions.iter().flat_map(|instruction| &instruction.inner);
        let parsed = reports(
            &Address::from(self.deployment.program_id),
            all.map(|invoked| (invoked.program_id, invoked.data.as_slice())),
        );
        ensure!(parsed.is_ok(), "the sdk reads the events: {parsed:?}");
        for used in &done.uses {
            let address = Address::from(used.address);
            let is_operator = address == self.operator.keypair.pubkey();
            if is_operator || used.address == [0; 32] {
                continue;
            }
            let on_chain = self.account(&used.address);
            ensure!(
                on_chain == used.after,
                "{address} differs: {on_chain:?} on chain, {:?} emulated",
                used.after
            );
        }
        Ok(())
    }
}

/// The runtime keeps this much return data.
const RETURN_DATA_MAX: usize = 1024;

/// Different accounts that instructions name, programs included.
fn locks(instructions: &[Instruction]) -> usize {
    let metas = instructions.iter().flat_map(|instruction| &instruction.accounts).map(|meta| meta.pubkey);
    let programs = instructions.iter().map(|instruction| instruction.program_id);
    metas.chain(programs).collect::<BTreeSet<_>>().len()
}

/// What the relay gets to see of an emulation.
#[must_use]
pub fn emulation(report: &Report, uses: &[Use], slot: u64) -> Emulation {
    Emulation {
        execution: Execution {
            outcome: report.outcome,
            reason: report.exit.text(),
            gas_used: report.gas_used,
            rent_gas: report.rent_gas,
            output: report.output.clone().into(),
            logs: Vec::new(),
            created: report.created.map(|address| address.0.into()),
        },
        accounts: uses
            .iter()
            .filter(|used| !used.is_optional)
            .map(|used| AccountUse { address: used.address, writable: used.is_written })
            .collect(),
        codes: uses.iter().filter(|used| used.is_optional).filter_map(translated).collect(),
        deployed_codes: report.codes.clone(),
        slot,
    }
}

/// The code whose complete translation was used.
fn translated(used: &Use) -> Option<CodeUse> {
    let account = used.after.as_ref()?;
    let prefix = Translation::view(&account.data).ok()?.prefix;
    let found = FoundTranslation {
        address: used.address,
        is_complete: true,
        payer: *prefix.payer(),
        lamports: account.lamports,
    };
    let hash = B256::from(prefix.code_hash().0);
    Some(CodeUse { hash, length: account.data.len(), frames: 1, translation: Some(found) })
}

/// The program's error in a failure.
///
/// # Errors
/// When it is not the program that refused.
pub fn refusal(failure: &ClusterError) -> anyhow::Result<ProgramError> {
    let ClusterError::Failed { code: Some(code), .. } = failure else {
        bail!("no refusal of the program: {failure}")
    };
    ProgramError::from_code(*code).with_context(|| format!("no error has number {code}"))
}
