//! Accounts that are not what they should be, and transactions that are not valid: each gives its own error, and
//! nothing changes.

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, U256};
use parhelion_core::cluster::Account;
use parhelion_core::transaction::{Transaction, TransactionError};
use parhelion_harness::chain::{Chain, SOL, refusal};
use parhelion_harness::wallet::{BASE_FEE, Wallet};
use parhelion_sdk::instruction::{RunAccount, SignatureProof, execute, secp256k1_proof};
use parhelion_wire::ProgramError;
use parhelion_wire::address::AccountKey;
use parhelion_wire::instruction::{Execute, tag};
use parhelion_wire::transaction::Envelope;
use solana_address::Address as SolanaAddress;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_sdk_ids::sysvar::instructions;
use solana_signer::Signer;

/// A chain on which a wallet can pay another.
struct Scene {
    chain: Chain,
    wallet: Wallet,
    to: Address,
}

impl Scene {
    fn new() -> Self {
        let mut chain = Chain::new().unwrap();
        let wallet = Wallet::new(1);
        let to = Wallet::new(2).address();
        chain.deposit(wallet.address(), 10 * SOL).unwrap();
        chain.deposit(to, SOL).unwrap();
        Self { chain, wallet, to }
    }

    /// The payment, signed.
    fn payment(&self) -> Transaction {
        self.wallet.clone().send(Some(self.to), U256::from(5), [], 21_000)
    }

    fn draft(&self) -> TxEip1559 {
        self.wallet.draft(Some(self.to), U256::from(5), [], 21_000)
    }

    /// The payment's instructions, with the signature proven by the syscall.
    fn instructions(&self) -> Vec<Instruction> {
        let payment = self.payment();
        let (_, _, uses) = self.chain.emulate(&payment).unwrap();
        self.chain.by_syscall(&payment, &uses)
    }

    /// Accounts of the payment whose state a failure must not change.
    fn state(&self) -> Vec<Option<Account>> {
        let mut keys = vec![self.chain.deployment.vault, self.chain.deployment.config];
        for address in [self.wallet.address(), self.to, self.chain.operator.coinbase] {
            keys.push(self.chain.address(&AccountKey::Balance(address.0.0.into())));
            keys.push(self.chain.address(&AccountKey::Contract(address.0.0.into())));
        }
        keys.iter().map(|key| self.chain.account(key)).collect()
    }

    /// Sends instructions and asserts why they are refused, and that nothing changed.
    fn refuse(&self, instructions: &[Instruction], error: ProgramError, why: &str) {
        let before = self.state();
        let failure = self.chain.send(instructions).expect_err(why);
        assert_eq!(refusal(&failure).unwrap_or_else(|other| panic!("{why}: {other}")), error, "{why}");
        assert_eq!(self.state(), before, "{why}");
        self.chain.assert_solvent().unwrap();
    }

    /// Refuses an Ethereum transaction, on chain and in the emulator alike.
    fn refuse_transaction(&self, transaction: &Transaction, error: ProgramError, why: &str) {
        assert_eq!(self.chain.emulate(transaction).err(), Some(error), "emulator: {why}");
        // The accounts of the valid payment: the refusal comes before others are needed.
        let mut instructions = self.instructions();
        let last = instructions.last_mut().unwrap();
        last.data.truncate(Execute::ENVELOPE_OFFSET);
        last.data.extend_from_slice(transaction.envelope());
        self.refuse(&instructions, error, why);
    }
}

fn balance_key(address: Address) -> AccountKey {
    AccountKey::Balance(address.0.0.into())
}

#[test]
fn forged_accounts() {
    let scene = Scene::new();
    let instructions = scene.instructions();
    let address = scene.chain.address(&balance_key(scene.wallet.address()));
    let genuine = scene.chain.account(&address).unwrap();
    let with_data = |position: usize, byte: u8| {
        let mut data = genuine.data.clone();
        data[position] = byte;
        Account { data, ..genuine.clone() }
    };
    for (forged, error, why) in [
        (
            Account { owner: SolanaAddress::new_from_array([7; 32]), ..genuine.clone() },
            ProgramError::WrongOwner,
            "a forged owner",
        ),
        (with_data(0, 4), ProgramError::WrongKind, "a Contract in the place of a Balance"),
        (with_data(0, 0), ProgramError::WrongKind, "no kind at all"),
        (with_data(1, 9), ProgramError::WrongVersion, "a version of the future"),
        (
            Account { data: genuine.data[..40].to_vec(), ..genuine.clone() },
            ProgramError::WrongLength,
            "a Balance cut short",
        ),
    ] {
        scene.chain.set_account(&address, forged);
        let failure = scene.chain.send(&instructions).unwrap_err();
        assert_eq!(refusal(&failure).unwrap(), error, "{why}");
        scene.chain.set_account(&address, genuine.clone());
    }
    scene.chain.send(&instructions).unwrap();
}

#[test]
fn a_forged_config() {
    let scene = Scene::new();
    let config = scene.chain.account(&scene.chain.deployment.config).unwrap();
    let elsewhere = [0x33; 32];
    // A config of the right owner and content, but at another address: only the runtime could make one.
    scene.chain.set_account(&elsewhere, config.clone());
    let mut instructions = scene.instructions();
    instructions[0].accounts[1].pubkey = elsewhere.into();
    scene.refuse(&instructions, ProgramError::WrongAddress, "a config elsewhere");
    scene.chain.set_account(&elsewhere, Account { owner: SolanaAddress::new_from_array([7; 32]), ..config });
    scene.refuse(&instructions, ProgramError::WrongOwner, "a config of another program");
    let vault = scene.chain.deployment.vault;
    instructions[0].accounts[1].pubkey = vault.into();
    scene.refuse(&instructions, ProgramError::WrongLength, "the vault as config");
}

#[test]
fn wrong_account_lists() {
    let scene = Scene::new();
    let instructions = scene.instructions();
    let edit = |edit: &dyn Fn(&mut Vec<AccountMeta>)| {
        let mut edited = instructions.clone();
        edit(&mut edited[0].accounts);
        edited
    };
    let sender = SolanaAddress::from(scene.chain.address(&balance_key(scene.wallet.address())));
    let position = instructions[0].accounts.iter().position(|meta| meta.pubkey == sender).unwrap();
    scene.refuse(
        &edit(&|accounts| accounts[position].pubkey = SolanaAddress::new_from_array([8; 32])),
        ProgramError::AccountMissing,
        "a wrong derivation: another account in the place of the sender's",
    );
    scene.refuse(
        &edit(&|accounts| {
            accounts.remove(position);
        }),
        ProgramError::AccountMissing,
        "a missing account",
    );
    scene.refuse(
        &edit(&|accounts| accounts[position].is_writable = false),
        ProgramError::ReadOnlyAccount,
        "read-only where a write is due",
    );
    scene.refuse(
        &edit(&|accounts| accounts.push(accounts[position].clone())),
        ProgramError::DuplicateAccount,
        "an account passed twice",
    );
    scene.refuse(&edit(&|accounts| accounts.truncate(2)), ProgramError::NotEnoughAccounts, "two accounts");
    scene.refuse(
        &edit(&|accounts| accounts[2].pubkey = SolanaAddress::new_from_array([8; 32])),
        ProgramError::WrongAddress,
        "another program for the events",
    );
    scene.chain.send(&instructions).unwrap();
}

#[test]
fn an_operator_that_did_not_sign() {
    let scene = Scene::new();
    let stranger = Keypair::new_from_array([5; 32]);
    scene.chain.airdrop(stranger.pubkey(), SOL);
    let mut instructions = scene.instructions();
    instructions[0].accounts[0].is_signer = false;
    let failure = scene.chain.send_as(&[&stranger], &instructions).unwrap_err();
    assert_eq!(refusal(&failure).unwrap(), ProgramError::MissingSigner);
}

#[test]
fn signatures() {
    let scene = Scene::new();
    let instructions = scene.instructions();
    let at = Execute::ENVELOPE_OFFSET;
    let with_byte = |position: usize, flip: u8| {
        let mut changed = instructions.clone();
        changed[0].data[position] ^= flip;
        changed
    };
    let signature = at + Envelope::SIGNATURE_OFFSET;
    scene.refuse(&with_byte(at, 1), ProgramError::WrongSender, "somebody else's address");
    scene.refuse(&with_byte(signature + 64, 1), ProgramError::WrongSender, "the other parity");
    scene.refuse(&with_byte(signature + 64, 2), ProgramError::InvalidSignature, "parity 2");
    scene.refuse(&with_byte(signature + 32, 0x80), ProgramError::InvalidSignature, "s in the upper half");
    let payload = at + Envelope::PAYLOAD_OFFSET;
    scene.refuse(&with_byte(payload + 30, 1), ProgramError::WrongSender, "a changed payload");
    let mut short = instructions.clone();
    short[0].data.truncate(at + 80);
    scene.refuse(&short, ProgramError::MalformedInstruction, "cut short");
}

#[test]
fn proofs_by_the_secp256k1_instruction() {
    let scene = Scene::new();
    let payment = scene.payment();
    let (_, _, uses) = scene.chain.emulate(&payment).unwrap();
    let mut accounts = scene.chain.run_accounts(&uses);
    accounts.push(RunAccount::read(instructions::ID));
    let operator = scene.chain.operator.keypair.pubkey();
    let deployment = scene.chain.deployment;
    let coinbase = scene.chain.operator.coinbase;
    let run = |envelope: &[u8], proof: u8, accounts: &[RunAccount]| {
        execute(&deployment, &operator, coinbase, SignatureProof::Instruction(proof), envelope, accounts)
    };
    let envelope = payment.envelope();
    let proof = secp256k1_proof(1, envelope.len()).unwrap();
    let error = ProgramError::SignatureProof;
    scene.refuse(&[run(envelope, 0, &accounts)], error, "the index names the run itself");
    scene.refuse(&[run(envelope, 7, &accounts)], error, "the index names no instruction");
    // A proof over another instruction's bytes, which are validly signed: the envelope that runs is a forgery.
    let mut forged = envelope.to_vec();
    forged[0] ^= 1;
    let carrier = run(envelope, 0, &accounts);
    let proof_of_carrier = secp256k1_proof(2, envelope.len()).unwrap();
    let forged_run = run(&forged, 0, &accounts);
    scene.refuse(&[proof_of_carrier, forged_run, carrier.clone()], error, "a proof of other bytes");
    // A proof of a part of the payload.
    let mut short = proof.clone();
    short.data[9] -= 1;
    let failure = scene.chain.send(&[short, carrier.clone()]).unwrap_err();
    assert!(refusal(&failure).is_err(), "the runtime itself refuses: the shorter message has another signer");
    let without_sysvar: Vec<_> = accounts[..accounts.len() - 1].to_vec();
    let blind = run(envelope, 0, &without_sysvar);
    scene.refuse(&[proof.clone(), blind], ProgramError::AccountMissing, "no Instructions sysvar");
    scene.chain.send(&[proof, carrier]).unwrap();
}

#[test]
fn invalid_transactions() {
    let scene = Scene::new();
    let refuse = |transaction: TxEip1559, error, why| {
        scene.refuse_transaction(&scene.wallet.sign(transaction), error, why);
    };
    let draft = scene.draft();
    refuse(TxEip1559 { chain_id: 1, ..draft.clone() }, ProgramError::WrongChainId, "another chain");
    refuse(TxEip1559 { nonce: 1, ..draft.clone() }, ProgramError::NonceTooHigh, "a nonce gap");
    refuse(TxEip1559 { nonce: u64::MAX, ..draft.clone() }, ProgramError::NonceOverflow, "the last nonce");
    refuse(
        TxEip1559 { value: U256::from(10 * SOL) * U256::from(SOL), ..draft.clone() },
        ProgramError::InsufficientFunds,
        "balance too low",
    );
    refuse(TxEip1559 { value: U256::MAX, ..draft.clone() }, ProgramError::InsufficientFunds, "all there is");
    refuse(
        TxEip1559 { max_fee_per_gas: u128::MAX, gas_limit: 21_000, ..draft.clone() },
        ProgramError::InsufficientFunds,
        "a fee cap nobody can pay",
    );
    refuse(
        TxEip1559 { gas_limit: 20_999, ..draft.clone() },
        ProgramError::IntrinsicGasTooLow,
        "too little gas",
    );
    refuse(
        TxEip1559 { input: vec![0; 100].into(), gas_limit: 21_999, ..draft.clone() },
        ProgramError::IntrinsicGasTooLow,
        "below the floor of EIP-7623",
    );
    refuse(
        TxEip1559 { gas_limit: 2_000_000_000, ..draft.clone() },
        ProgramError::GasLimitTooHigh,
        "a block's gas",
    );
    refuse(
        TxEip1559 { max_fee_per_gas: BASE_FEE - 1, ..draft.clone() },
        ProgramError::FeeTooLow,
        "below base fee",
    );
    refuse(
        TxEip1559 { max_priority_fee_per_gas: BASE_FEE + 1, ..draft.clone() },
        ProgramError::PriorityFeeTooHigh,
        "a tip above the cap",
    );
    let init_code = vec![0; 49_153];
    let large = TxEip1559 {
        to: alloy_primitives::TxKind::Create,
        input: init_code.into(),
        gas_limit: 90_000_000,
        ..draft
    };
    assert_eq!(
        scene.chain.emulate(&scene.wallet.sign(large)).err(),
        Some(ProgramError::InitCodeTooLarge),
        "EIP-3860"
    );
}

#[test]
fn a_replayed_transaction() {
    let mut scene = Scene::new();
    let payment = scene.payment();
    let instructions = scene.instructions();
    scene.chain.run(&payment).unwrap();
    scene.refuse(&instructions, ProgramError::NonceTooLow, "a replay");
    assert_eq!(scene.chain.emulate(&payment).err(), Some(ProgramError::NonceTooLow));
}

#[test]
fn transaction_types_that_do_not_exist_here() {
    let scene = Scene::new();
    let mut instructions = scene.instructions();
    let payload = Execute::ENVELOPE_OFFSET + Envelope::PAYLOAD_OFFSET;
    for (kind, error) in [
        (3, ProgramError::BlobTransaction),
        (5, ProgramError::UnsupportedTransactionType),
        (0x7f, ProgramError::UnsupportedTransactionType),
    ] {
        instructions[0].data[payload] = kind;
        // The signature no longer fits the payload, and recovery comes first; so the emulator is asked for the type.
        let failure = scene.chain.send(&instructions).unwrap_err();
        assert_eq!(refusal(&failure).unwrap(), ProgramError::WrongSender);
        let mut raw = scene.payment().raw().to_vec();
        raw[0] = kind;
        assert_eq!(Transaction::decode(raw.into()), Err(TransactionError::Invalid(error)), "type {kind}");
    }
}

#[test]
fn instructions_that_are_none() {
    let scene = Scene::new();
    let program = SolanaAddress::from(scene.chain.deployment.program_id);
    let operator = scene.chain.operator.keypair.pubkey();
    let config = AccountMeta::new_readonly(scene.chain.deployment.config.into(), false);
    let send = |data: &[u8], accounts: Vec<AccountMeta>, error, why| {
        scene.refuse(&[Instruction::new_with_bytes(program, data, accounts)], error, why);
    };
    send(&[], vec![], ProgramError::UnknownInstruction, "no data");
    send(&[99], vec![], ProgramError::UnknownInstruction, "an unknown tag");
    send(&[tag::EXECUTE], vec![], ProgramError::NotEnoughAccounts, "no accounts");
    send(&[tag::EVENT, 1, 1], vec![config.clone()], ProgramError::EventNotFromProgram, "a forged event");
    let signer = AccountMeta::new_readonly(operator, true);
    send(&[tag::EVENT, 1, 1], vec![signer], ProgramError::EventNotFromProgram, "an event signed by somebody");
    for length in 0..30 {
        let data = vec![tag::DEPOSIT; length + 1];
        let accounts = vec![config.clone()];
        send(&data, accounts, ProgramError::NotEnoughAccounts, "a deposit without accounts");
    }
}

#[test]
fn a_fee_recipient_without_an_account() {
    let mut scene = Scene::new();
    scene.chain.operator.coinbase = Address::repeat_byte(0xdd);
    let payment = scene.payment();
    assert_eq!(scene.chain.emulate(&payment).err(), Some(ProgramError::CoinbaseMissing));
}

#[test]
fn an_account_address_that_somebody_sent_lamports_to_before_can_be_created() {
    let mut scene = Scene::new();
    let fresh = Wallet::new(77).address();
    let key = scene.chain.address(&balance_key(fresh));
    scene.chain.airdrop(key.into(), 1_000_000);
    let transaction = scene.wallet.send(Some(fresh), U256::from(1), [], 2_000_000);
    scene.chain.run(&transaction).unwrap();
    assert_eq!(scene.chain.balance(fresh).1, U256::from(1));
}
