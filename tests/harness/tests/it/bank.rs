//! The same binary under agave's own bank, which can also run other programs beside it.

use alloy_primitives::U256;
use parhelion_emulator::{Known, Native, Recorder};
use parhelion_executor::{BlockValues, Options};
use parhelion_harness::chain::{SOL, VARIABLE};
use parhelion_harness::wallet::{BASE_FEE, CHAIN_ID, Wallet};
use parhelion_sdk::address::{account_address, deployment, program_data_address};
use parhelion_sdk::instruction::{RunAccount, SignatureProof, deposit, execute, initialize, secp256k1_proof};
use parhelion_sdk::transaction::{Budget, Format, sign};
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Balance, Layout};
use parhelion_wire::address::{AccountKey, Deployment};
use parhelion_wire::event::Receipt;
use parhelion_wire::instruction::Initialize;
use parhelion_wire::transaction::Envelope;
use solana_account::Account;
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_program::account_info::AccountInfo;
use solana_program::entrypoint::ProgramResult;
use solana_program::program::invoke;
use solana_program::program_error::ProgramError as SolanaError;
use solana_program_test::{BanksClient, BanksClientError, ProgramTest, processor};
use solana_sdk_ids::bpf_loader_upgradeable;
use solana_sdk_ids::sysvar::instructions;
use solana_signer::Signer;

/// Puts a program there as Solana's upgradeable loader would, with an upgrade authority.
fn add_upgradeable(test: &mut ProgramTest, program_id: Address, program: &[u8], authority: Address) {
    let program_data = program_data_address(&program_id);
    let executable = Account {
        lamports: SOL,
        data: [&2u32.to_le_bytes()[..], program_data.as_ref()].concat(),
        owner: bpf_loader_upgradeable::ID,
        executable: true,
        rent_epoch: 0,
    };
    let metadata = [&3u32.to_le_bytes()[..], &0u64.to_le_bytes(), &[1], authority.as_ref()].concat();
    let data = Account {
        lamports: 100 * SOL,
        data: [&metadata[..], program].concat(),
        executable: false,
        ..executable.clone()
    };
    test.add_account(program_data, data);
    test.add_account(program_id, executable);
}

/// A chain in a bank, with a funded wallet.
struct Bank {
    client: BanksClient,
    /// The operator, who has the upgrade authority as well.
    authority: Keypair,
    deployment: Deployment,
    wallet: Wallet,
}

/// COINBASE.
const COINBASE: alloy_primitives::Address = alloy_primitives::Address::repeat_byte(0xc0);

impl Bank {
    /// A bank with the program and `caller`, an initialized chain, and Balances of coinbase and wallet.
    async fn new() -> Self {
        let program =
            std::fs::read(std::env::var(VARIABLE).expect("cargo xtask test sets the variable")).unwrap();
        let authority = Keypair::new_from_array([1; 32]);
        let program_id = Keypair::new_from_array([2; 32]).pubkey();
        let mut test = ProgramTest::default();
        // So that `caller` is what is written here; the program itself is an account.
        test.prefer_bpf(false);
        add_upgradeable(&mut test, program_id, &program, authority.pubkey());
        test.add_program("caller", CALLER, processor!(caller));
        let wealth = Account { lamports: 1000 * SOL, ..Account::default() };
        test.add_account(authority.pubkey(), wealth);
        let client = test.start_with_context().await.banks_client;
        let deployment = deployment(&program_id);
        let bank = Self { client, authority, deployment, wallet: Wallet::new(1) };
        let payer = bank.authority.pubkey();
        let settings = Initialize {
            chain_id: CHAIN_ID,
            base_fee: BASE_FEE as u64,
            block_gas_limit: 1_000_000_000,
            authority: payer.to_bytes(),
        };
        bank.send(&[initialize(&deployment, &payer, &settings)]).await.unwrap();
        bank.deposit(COINBASE, 0).await;
        bank.deposit(bank.wallet.address(), 10 * SOL).await;
        bank
    }

    async fn send(&self, instructions: &[Instruction]) -> Result<(), BanksClientError> {
        let blockhash = self.client.get_latest_blockhash().await.unwrap();
        let (payer, signers) = (self.authority.pubkey(), [&self.authority]);
        let transaction =
            sign(instructions, &payer, &signers, blockhash, &Budget::MAX, Format::V0(&[])).unwrap();
        self.client.process_transaction(transaction).await
    }

    async fn deposit(&self, address: alloy_primitives::Address, lamports: u64) {
        let instruction = deposit(&self.deployment, &self.authority.pubkey(), address, lamports);
        self.send(&[instruction]).await.unwrap();
    }

    async fn account(&self, address: [u8; 32]) -> Option<parhelion_core::cluster::Account> {
        let account = self.client.get_account(Address::from(address)).await.unwrap()?;
        Some(parhelion_core::cluster::Account {
            lamports: account.lamports,
            owner: account.owner,
            data: account.data,
        })
    }

    /// The balance of an address, in wei.
    async fn balance(&self, address: alloy_primitives::Address) -> U256 {
        let key = account_address(&self.deployment, &AccountKey::Balance(address.0.0.into())).to_bytes();
        let data = self.account(key).await.unwrap().data;
        U256::from_limbs(Balance::view(&data).unwrap().balance().0)
    }

    /// What an envelope does, and the accounts that it takes. Signatures play no part.
    async fn emulate(&self, envelope: &[u8]) -> (Receipt, Vec<RunAccount>) {
        let block = BlockValues {
            chain_id: CHAIN_ID,
            base_fee: BASE_FEE as u64,
            gas_limit: 1_000_000_000,
            slot: 1,
            timestamp: 0,
            coinbase: COINBASE.0.0.into(),
            blob_base_fee: BlockValues::NO_BLOBS,
        };
        let envelope = Envelope::decode(envelope).unwrap();
        let rent = self.client.get_rent().await.unwrap();
        let mut known = Known { rent_per_byte: rent.minimum_balance(0) / 128, ..Known::default() };
        loop {
            let mut recorder = Recorder::new(self.deployment, &known);
            match parhelion_executor::execute(&mut recorder, Native, &block, &Options::ON_CHAIN, &envelope) {
                Ok((receipt, _)) => {
                    let uses = recorder.into_uses();
                    let accounts = uses
                        .iter()
                        .map(|used| RunAccount { address: used.address.into(), writable: used.is_written });
                    return (receipt, accounts.collect());
                }
                Err(error) => assert_eq!(error, ProgramError::AccountMissing),
            }
            for address in recorder.into_missing().addresses {
                let account = self.account(address).await;
                known.accounts.insert(address, account);
            }
        }
    }

    /// The instruction that runs an envelope with these accounts.
    fn run(&self, proof: SignatureProof, envelope: &[u8], accounts: &[RunAccount]) -> Instruction {
        execute(&self.deployment, &self.authority.pubkey(), COINBASE, proof, envelope, accounts)
    }
}

#[tokio::test]
async fn a_transfer_lands_in_agaves_bank() {
    let mut bank = Bank::new().await;
    let to = Wallet::new(2).address();
    let transaction = bank.wallet.send(Some(to), U256::from(42), [], 2_000_000);
    let (receipt, accounts) = bank.emulate(transaction.envelope()).await;
    bank.send(&[bank.run(SignatureProof::Recover, transaction.envelope(), &accounts)]).await.unwrap();

    assert_eq!(bank.balance(to).await, U256::from(42));
    let fee = U256::from(receipt.gas_used) * U256::from(BASE_FEE);
    let expected = U256::from(10 * SOL) * U256::from(SOL) - fee - U256::from(42);
    assert_eq!(bank.balance(bank.wallet.address()).await, expected);
    let vault = bank.account(bank.deployment.vault).await.unwrap();
    assert!(vault.lamports >= 10 * SOL, "the vault covers the balances");
}

/// Another program.
const CALLER: Address = Address::new_from_array([0xca; 32]);

/// Its only instruction: invokes its first account, a program, with its other accounts and the second half of its data.
fn caller(_: &Address, accounts: &[AccountInfo<'_>], data: &[u8]) -> ProgramResult {
    let (program, rest) = accounts.split_first().ok_or(SolanaError::NotEnoughAccountKeys)?;
    let meta = |account: &AccountInfo<'_>| AccountMeta {
        pubkey: *account.key,
        is_signer: account.is_signer,
        is_writable: account.is_writable,
    };
    let (_, forwarded) = data.split_at(data.len() / 2);
    let metas = rest.iter().map(meta).collect();
    invoke(&Instruction::new_with_bytes(*program.key, forwarded, metas), accounts)
}

/// A program of the attacker's carries bytes that the attacker signed where the secp256k1 instruction looks, and invokes
/// the execution of other bytes, in which a victim is the sender.
#[tokio::test]
async fn a_proof_is_of_no_use_to_a_program_that_invokes() {
    /// Compute budget instructions in front of ours; behind them stands the proof, then the run.
    const PROOF: u8 = 3;
    let mut bank = Bank::new().await;
    let (mut attacker, victim) = (Wallet::new(7), bank.wallet.address());
    let signed = attacker.send(Some(attacker.address()), U256::from(SOL), [], 2_000_000);
    let mut forged = signed.envelope().to_vec();
    let sender = Envelope::SENDER_OFFSET..Envelope::SENDER_OFFSET + 20;
    forged[sender].copy_from_slice(victim.as_slice());
    let (_, mut accounts) = bank.emulate(&forged).await;
    accounts.push(RunAccount::read(instructions::ID));
    let run = |bank: &Bank, envelope: &[u8]| {
        let proof = secp256k1_proof(PROOF + 1, envelope.len()).unwrap();
        [proof, bank.run(SignatureProof::Instruction(PROOF), envelope, &accounts)]
    };
    let ([proof, carried], [_, invoked]) = (run(&bank, signed.envelope()), run(&bank, &forged));
    let program = AccountMeta::new_readonly(bank.deployment.program_id.into(), false);
    let attack = Instruction {
        program_id: CALLER,
        accounts: [&[program][..], &invoked.accounts].concat(),
        data: [carried.data, invoked.data].concat(),
    };
    let before = bank.balance(victim).await;
    let failure = bank.send(&[proof, attack]).await.unwrap_err();
    let refused = format!("Custom({})", ProgramError::SignatureProof as u32);
    assert!(format!("{failure:?}").contains(&refused), "{failure:?}");
    assert_eq!(bank.balance(victim).await, before);

    // The victim itself proves the same thing like this.
    let own = bank.wallet.send(Some(attacker.address()), U256::from(SOL), [], 2_000_000);
    bank.send(&run(&bank, own.envelope())).await.unwrap();
    assert_eq!(bank.balance(attacker.address()).await, U256::from(SOL));
}
