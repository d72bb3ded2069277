//! The program's sBPF binary in a Solana VM, for cases that were run natively before.
//!
//! The VM gets the accounts of the native run, in the same layouts, at their derived addresses; then outcome, gas, logs,
//! return data and the bytes of every account must be what the native run gave. Rent is free here, too, but every
//! account has a lamport, also one that does not exist yet.

use agave_feature_set::enable_tx_v1;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use litesvm::LiteSVM;
use litesvm::types::SimulatedTransactionInfo;
use parhelion_conformance::ledger::{Accounts, Translations};
use parhelion_executor::evm::translation;
use parhelion_executor::{BlockValues, Report};
use parhelion_sdk::address::{bumps, deployment, holder_address, sha256};
use parhelion_sdk::instruction::{RunAccount, execute_from_holder};
use parhelion_sdk::transaction::{ADDRESSES_MAX, Budget, Format, sign};
use parhelion_wire::ProgramError;
use parhelion_wire::account::{
    Code, CodeReservation, Config, GROWTH_MAX, Holder, Layout, Translation, TranslationStage,
};
use parhelion_wire::address::{AccountKey, Deployment};
use parhelion_wire::event::{Receipt, share};
use parhelion_wire::transaction::Envelope;
use solana_account::Account;
use solana_address::Address;
use solana_clock::Clock;
use solana_hash::Hash;
use solana_keypair::Keypair;
use solana_rent::Rent;
use solana_sdk_ids::system_program;
use solana_signer::Signer;
use solana_slot_hashes::SlotHashes;

/// Where the program is.
const PROGRAM: Address = Address::new_from_array([7; 32]);

/// What every account has: the runtime removes accounts without lamports.
pub(crate) const LAMPORTS: u64 = 1;

/// The runtime keeps this much return data.
const RETURN_DATA_MAX: usize = 1024;

/// A VM with the program and nothing else.
pub(crate) struct Vm {
    svm: LiteSVM,
    deployment: Deployment,
    operator: Keypair,
}

/// A native run that the VM is to repeat.
pub(crate) struct Run<'a> {
    pub(crate) block: &'a BlockValues,
    pub(crate) envelope: &'a Envelope<'a>,
    /// Accounts that were used, and whether they were written.
    pub(crate) used: &'a [(AccountKey, bool)],
    pub(crate) before: &'a Accounts,
    pub(crate) after: &'a Accounts,
    pub(crate) translations: &'a Translations,
    /// The slot hashes that the run saw, newest first.
    pub(crate) slot_hashes: &'a [(u64, [u8; 32])],
    pub(crate) result: &'a Result<(Receipt, Report), ProgramError>,
}

/// What came of it.
pub(crate) enum Outcome {
    /// The same.
    Same,
    /// It does not fit one Solana transaction.
    TooLarge,
}

impl Vm {
    /// A VM with a program binary.
    pub(crate) fn new(program: &[u8]) -> Result<Self> {
        let mut features = LiteSVM::mainnet_feature_set();
        features.activate(&enable_tx_v1::ID, 0);
        let mut svm = LiteSVM::default()
            .with_feature_set(features)
            .with_builtins()
            .with_sysvars()
            .with_feature_accounts()
            .with_sigverify(false)
            .with_blockhash_check(false)
            .with_transaction_history(0);
        svm.set_sysvar(&Rent::free());
        svm.add_program(PROGRAM, program).map_err(|error| anyhow!("the program does not load: {error}"))?;
        let operator = Keypair::new_from_array([5; 32]);
        let rich = Account { lamports: 1 << 60, owner: system_program::ID, ..Account::default() };
        svm.set_account(operator.pubkey(), rich).map_err(|error| anyhow!("{error}"))?;
        Ok(Self { svm, deployment: deployment(&PROGRAM), operator })
    }

    /// Repeats a run.
    ///
    /// # Errors
    /// When something differs.
    pub(crate) fn repeat(&mut self, run: &Run<'_>) -> Result<Outcome> {
        let mut set = Vec::new();
        let done = self.prepare(run, &mut set).and_then(|()| self.execute(run));
        for address in set {
            self.set(address, Account::default())?;
        }
        done
    }

    /// Writes sysvars and accounts.
    fn prepare(&mut self, run: &Run<'_>, set: &mut Vec<Address>) -> Result<()> {
        let mut clock = self.svm.get_sysvar::<Clock>();
        (clock.slot, clock.unix_timestamp) = (run.block.slot, run.block.timestamp.cast_signed());
        self.svm.set_sysvar(&clock);
        let hashes = run.slot_hashes.iter().map(|(slot, hash)| (*slot, Hash::new_from_array(*hash)));
        self.svm.set_sysvar(&hashes.collect::<SlotHashes>());
        let mut put = |vm: &mut Self, address: Address, data: Vec<u8>, owner: Address| {
            set.push(address);
            vm.set(address, Account { lamports: LAMPORTS, data, owner, ..Account::default() })
        };
        put(self, self.deployment.config.into(), self.config(run.block)?, PROGRAM)?;
        let (holder, data) = self.holder(run.envelope)?;
        put(self, holder, data, PROGRAM)?;
        for (key, _) in run.used {
            let address = self.address(key);
            match run.before.get(key) {
                Some(data) => put(self, address, data.clone(), PROGRAM)?,
                None => match reservation(key, run) {
                    Some(data) => put(self, address, data, PROGRAM)?,
                    None => put(self, address, Vec::new(), system_program::ID)?,
                },
            }
        }
        for (hash, bytes) in self.translations_of(run) {
            put(self, self.address(&AccountKey::Translation(hash, translation::VERSION)), bytes, PROGRAM)?;
        }
        Ok(())
    }

    /// Sends the transaction and compares.
    fn execute(&mut self, run: &Run<'_>) -> Result<Outcome> {
        let mut accounts: Vec<RunAccount> = run
            .used
            .iter()
            .map(|(key, writable)| RunAccount { address: self.address(key), writable: *writable })
            .collect();
        for (hash, _) in self.translations_of(run) {
            let address = self.address(&AccountKey::Translation(hash, translation::VERSION));
            accounts.push(RunAccount::read(address));
        }
        accounts.push(RunAccount::read(system_program::ID));
        if accounts.len() + 4 > ADDRESSES_MAX {
            return Ok(Outcome::TooLarge);
        }
        let operator = self.operator.pubkey();
        let coinbase = run.block.coinbase.0.into();
        let instruction = execute_from_holder(&self.deployment, &operator, coinbase, 0, &accounts);
        let transaction =
            sign(&[instruction], &operator, &[&self.operator], Hash::default(), &Budget::MAX, Format::V1)?;
        match (self.svm.simulate_transaction(transaction), run.result) {
            (Ok(done), Ok((receipt, report))) => self.compare(run, &done, receipt, report),
            (Ok(_), Err(error)) => bail!("the VM accepts what is rejected natively: {}", error.name()),
            (Err(failed), _) => {
                let text = format!("{:?}", failed.err);
                let expected = run.result.as_ref().err().map(|error| format!("Custom({})", *error as u32));
                if expected.is_some_and(|expected| text.contains(&expected)) {
                    return Ok(Outcome::Same);
                }
                let logs = failed.meta.logs.join("\n");
                if text.contains("ComputationalBudgetExceeded") || logs.contains("exceeded CUs") {
                    return Ok(Outcome::TooLarge);
                }
                bail!("the VM fails with {text}, natively {:?}\n{logs}", run.result.as_ref().map(|_| ()))
            }
        }
    }

    fn compare(
        &self,
        run: &Run<'_>,
        done: &SimulatedTransactionInfo,
        receipt: &Receipt,
        report: &Report,
    ) -> Result<Outcome> {
        let inner = done.meta.inner_instructions.iter().flatten();
        let events: Vec<u8> = inner
            .filter_map(|inner| share(&inner.instruction.data))
            .flat_map(|(bytes, _)| bytes)
            .copied()
            .collect();
        let expected = [&receipt.encode()[..], &report.records].concat();
        ensure!(events == expected, "the events differ: {events:02x?} in the VM, {expected:02x?} natively");
        let output = report.output.get(..RETURN_DATA_MAX).unwrap_or(&report.output);
        let returned = &done.meta.return_data.data;
        // The runtime cuts zeros off at the end.
        let returned = output.starts_with(returned) && output[returned.len()..].iter().all(|&byte| byte == 0);
        ensure!(
            returned,
            "the return data differ: {:02x?} in the VM, {output:02x?} natively",
            done.meta.return_data
        );
        for (key, _) in run.used {
            let address = self.address(key);
            let post = done.post_accounts.iter().find(|(found, _)| *found == address);
            let in_vm = match post {
                Some((_, account)) => Account::from(account.clone()).data,
                None => run.before.get(key).cloned().unwrap_or_default(),
            };
            let natively = run.after.get(key).cloned().unwrap_or_default();
            ensure!(in_vm == natively, "{key:?} differs: {in_vm:02x?} in the VM, {natively:02x?} natively");
        }
        Ok(Outcome::Same)
    }

    fn set(&mut self, address: Address, account: Account) -> Result<()> {
        self.svm.set_account(address, account).map_err(|error| anyhow!("{error}"))
    }

    fn address(&self, key: &AccountKey) -> Address {
        self.deployment.address(key, sha256).into()
    }

    fn config(&self, block: &BlockValues) -> Result<Vec<u8>> {
        let mut data = vec![0; size_of::<Config>()];
        let config = Config::create(&mut data, 0).map_err(|error| anyhow!("{error:?}"))?;
        config.set_chain_id(block.chain_id);
        config.set_base_fee(block.base_fee);
        config.set_block_gas_limit(block.gas_limit);
        config.fork = Config::FORK_OSAKA;
        (config.config_bump, config.vault_bump) = bumps(&PROGRAM);
        config.address = self.deployment.config;
        Ok(data)
    }

    /// The operator's holder with an envelope in it.
    fn holder(&self, envelope: &Envelope<'_>) -> Result<(Address, Vec<u8>)> {
        let operator = self.operator.pubkey();
        let bytes = [&envelope.prefix()[..], envelope.payload].concat();
        let mut data = vec![0; Holder::account_length(bytes.len())];
        let length = u32::try_from(bytes.len()).context("the transaction is longer than 4 GiB")?;
        Holder::create(&mut data, 0, &operator.to_bytes())
            .and_then(|()| Holder::write(&mut data, 0, length, 0, &bytes))
            .map_err(|error| anyhow!("{error:?}"))?;
        Ok((holder_address(&self.deployment, &operator, 0), data))
    }

    /// Translations of the codes that the run used, as account data.
    fn translations_of(&self, run: &Run<'_>) -> Vec<(parhelion_executor::evm::H256, Vec<u8>)> {
        let codes = run.used.iter().filter_map(|(key, _)| match key {
            AccountKey::Code(hash) => run.translations.get(hash).map(|bytes| (*hash, bytes)),
            _ => None,
        });
        codes
            .filter_map(|(hash, bytes)| {
                let mut data = vec![0; Translation::account_length(bytes.len())];
                let payer = self.operator.pubkey().to_bytes();
                Translation::create(&mut data, 0, &payer, hash, translation::VERSION).ok()?;
                let (prefix, room) = Translation::view_mut(&mut data).ok()?;
                prefix.set_stage(TranslationStage::Complete);
                room.copy_from_slice(bytes);
                Some((hash, data))
            })
            .collect()
    }
}

/// The room for a code that is larger than one instruction may make: the relay reserves it beforehand.
fn reservation(key: &AccountKey, run: &Run<'_>) -> Option<Vec<u8>> {
    let (AccountKey::Code(hash), Ok((_, report))) = (key, run.result) else { return None };
    let (_, length) = report.codes.iter().find(|(found, _)| found == hash)?;
    let mut data = vec![0; Code::account_length(*length)];
    CodeReservation::create(data.get_mut(..size_of::<CodeReservation>())?, 0).ok()?;
    (data.len() > GROWTH_MAX).then_some(data)
}
