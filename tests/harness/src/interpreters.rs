//! A Solana VM with the program of the bare interpreters.

use crate::bodies::Body;
use crate::chain::SOL;
use agave_feature_set::remaining_compute_units_syscall_enabled;
use alloy_primitives::U256;
use anyhow::{Context, anyhow};
use litesvm::LiteSVM;
use parhelion_interpreters::case::{Interpreter, Measured};
use parhelion_interpreters::operation::{Calls, Library, Operation};
use parhelion_sdk::transaction::{Budget, Format, HEAP_BYTES_MAX, sign};
use solana_account::Account;
use solana_compute_budget::compute_budget::ComputeBudget;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// The environment variable that names the program's binary.
pub const VARIABLE: &str = "PARHELION_INTERPRETERS";

/// Compute units of a transaction here: more than Solana gives, so that what does not fit is measured all the same.
const COMPUTE_UNITS_MAX: u64 = 100_000_000;

/// The VM.
pub struct Interpreters {
    svm: LiteSVM,
    payer: Keypair,
    program: Keypair,
    case: Keypair,
}

impl Interpreters {
    /// A VM with the program.
    ///
    /// # Errors
    /// When the binary is not there: `cargo xtask cu-report` builds it and sets the variable.
    pub fn start() -> anyhow::Result<Self> {
        let path = std::env::var(VARIABLE)
            .with_context(|| format!("{VARIABLE} is not set: run this by `cargo xtask cu-report`"))?;
        let binary = std::fs::read(&path).with_context(|| format!("cannot read {path}"))?;
        let [payer, program, case] = [1, 2, 3].map(|byte| Keypair::new_from_array([byte; 32]));
        let budget = ComputeBudget {
            compute_unit_limit: COMPUTE_UNITS_MAX,
            heap_size: HEAP_BYTES_MAX,
            ..ComputeBudget::new_with_defaults(false)
        };
        let mut features = LiteSVM::mainnet_feature_set();
        // The program reads the meter itself, by a syscall that is not on mainnet yet.
        features.activate(&remaining_compute_units_syscall_enabled::ID, 0);
        let mut svm = LiteSVM::default()
            .with_feature_set(features)
            .with_builtins()
            .with_lamports(1_000_000 * SOL)
            .with_sysvars()
            .with_feature_accounts()
            .with_compute_budget(budget);
        svm.add_program(program.pubkey(), &binary).map_err(|error| anyhow!("{path}: {error}"))?;
        svm.airdrop(&payer.pubkey(), SOL).map_err(|failed| anyhow!("{:?}", failed.err))?;
        Ok(Self { svm, payer, program, case })
    }

    /// Runs a body; gives the compute units.
    ///
    /// # Errors
    /// When something else comes of it than by revm.
    pub fn measure(&mut self, body: &Body, interpreter: Interpreter) -> anyhow::Result<u64> {
        let what = || format!("{}, {interpreter:?}", body.workload);
        let answer = self.run(body.encode(), vec![interpreter.byte()]).with_context(what)?;
        let measured = Measured::decode(&answer).with_context(what)?;
        body.check(&measured).with_context(what)?;
        Ok(measured.compute_units)
    }

    /// Measures calls of an operation.
    ///
    /// # Errors
    /// When the library does not have it.
    pub fn call(
        &mut self,
        operation: Operation,
        library: Library,
        operands: &[U256; 3],
    ) -> anyhow::Result<Calls> {
        let what = || format!("{operation:?}, {library:?}");
        let data = operands.iter().flat_map(|operand| operand.to_le_bytes::<32>()).collect();
        let answer = self.run(data, operation.instruction(library).to_vec()).with_context(what)?;
        Calls::decode(&answer).with_context(what)
    }

    /// Calls the program; gives what it returns.
    fn run(&mut self, data: Vec<u8>, instruction: Vec<u8>) -> anyhow::Result<Vec<u8>> {
        let account = Account { lamports: 1_000 * SOL, data, ..Account::default() };
        self.svm.set_account(self.case.pubkey(), account)?;
        let accounts = vec![AccountMeta::new_readonly(self.case.pubkey(), false)];
        let instruction = Instruction { program_id: self.program.pubkey(), accounts, data: instruction };
        let payer = self.payer.pubkey();
        let blockhash = self.svm.latest_blockhash();
        let transaction =
            sign(&[instruction], &payer, &[&self.payer], blockhash, &Budget::MAX, Format::V0(&[]))?;
        let simulated = self
            .svm
            .simulate_transaction(transaction)
            .map_err(|failed| anyhow!("{:?}: {:?}", failed.err, failed.meta.logs))?;
        Ok(simulated.meta.return_data.data)
    }
}
