//! The same binary under agave's own bank.

use alloy_primitives::U256;
use parhelion_emulator::{Known, Native, Recorder};
use parhelion_executor::{BlockValues, Options};
use parhelion_harness::chain::{SOL, VARIABLE};
use parhelion_harness::wallet::{BASE_FEE, CHAIN_ID, Wallet};
use parhelion_sdk::address::{account_address, deployment, program_data_address};
use parhelion_sdk::instruction::{RunAccount, SignatureProof, deposit, execute, initialize};
use parhelion_sdk::transaction::{Budget, Format, sign};
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Balance, Layout};
use parhelion_wire::address::AccountKey;
use parhelion_wire::instruction::Initialize;
use parhelion_wire::transaction::Envelope;
use solana_account::Account;
use solana_address::Address;
use solana_keypair::Keypair;
use solana_program_test::{BanksClient, ProgramTest};
use solana_sdk_ids::bpf_loader_upgradeable;
use solana_signer::Signer;

/// Reads an account through the bank.
async fn account(bank: &BanksClient, address: [u8; 32]) -> Option<parhelion_core::cluster::Account> {
    let account = bank.get_account(Address::from(address)).await.unwrap()?;
    Some(parhelion_core::cluster::Account {
        lamports: account.lamports,
        owner: account.owner,
        data: account.data,
    })
}

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

#[tokio::test]
async fn a_transfer_lands_in_agaves_bank() {
    let program =
        std::fs::read(std::env::var(VARIABLE).expect("cargo xtask test sets the variable")).unwrap();
    let authority = Keypair::new_from_array([1; 32]);
    let program_id = Keypair::new_from_array([2; 32]).pubkey();
    let mut test = ProgramTest::default();
    test.prefer_bpf(true);
    add_upgradeable(&mut test, program_id, &program, authority.pubkey());
    let wealth = Account { lamports: 1000 * SOL, ..Account::default() };
    test.add_account(authority.pubkey(), wealth);
    let context = test.start_with_context().await;
    let bank = context.banks_client.clone();
    let deployment = deployment(&program_id);
    let coinbase = alloy_primitives::Address::repeat_byte(0xc0);
    let mut wallet = Wallet::new(1);
    let settings = Initialize {
        chain_id: CHAIN_ID,
        base_fee: BASE_FEE as u64,
        block_gas_limit: 1_000_000_000,
        authority: authority.pubkey().to_bytes(),
    };
    let send = async |instructions: &[solana_instruction::Instruction]| {
        let blockhash = bank.get_latest_blockhash().await.unwrap();
        let payer = authority.pubkey();
        let transaction =
            sign(instructions, &payer, &[&authority], blockhash, &Budget::MAX, Format::V0(&[])).unwrap();
        bank.process_transaction(transaction).await
    };
    send(&[initialize(&deployment, &authority.pubkey(), &settings)]).await.unwrap();
    send(&[
        deposit(&deployment, &authority.pubkey(), coinbase, 0),
        deposit(&deployment, &authority.pubkey(), wallet.address(), 10 * SOL),
    ])
    .await
    .unwrap();

    let to = Wallet::new(2).address();
    let transaction = wallet.send(Some(to), U256::from(42), [], 2_000_000);
    let block = BlockValues {
        chain_id: CHAIN_ID,
        base_fee: BASE_FEE as u64,
        gas_limit: 1_000_000_000,
        slot: 1,
        timestamp: 0,
        coinbase: coinbase.0.0.into(),
        blob_base_fee: BlockValues::NO_BLOBS,
    };
    let envelope = Envelope::decode(transaction.envelope()).unwrap();
    let rent = bank.get_rent().await.unwrap();
    let mut known = Known { rent_per_byte: rent.minimum_balance(0) / 128, ..Known::default() };
    let (receipt, uses) = loop {
        let mut recorder = Recorder::new(deployment, &known);
        match parhelion_executor::execute(&mut recorder, Native, &block, &Options::ON_CHAIN, &envelope) {
            Ok((receipt, _)) => break (receipt, recorder.into_uses()),
            Err(error) => assert_eq!(error, ProgramError::AccountMissing),
        }
        for address in recorder.into_missing().addresses {
            let account = account(&bank, address).await;
            known.accounts.insert(address, account);
        }
    };
    let accounts: Vec<RunAccount> = uses
        .iter()
        .map(|used| RunAccount { address: used.address.into(), writable: used.is_written })
        .collect();
    let run = execute(
        &deployment,
        &authority.pubkey(),
        coinbase,
        SignatureProof::Recover,
        transaction.envelope(),
        &accounts,
    );
    send(&[run]).await.unwrap();

    let key = |address: alloy_primitives::Address| {
        account_address(&deployment, &AccountKey::Balance(address.0.0.into())).to_bytes()
    };
    let received = account(&bank, key(to)).await.unwrap();
    assert_eq!(Balance::view(&received.data).unwrap().balance(), 42u64.into());
    let paid = account(&bank, key(wallet.address())).await.unwrap();
    let fee = U256::from(receipt.gas_used) * U256::from(BASE_FEE);
    let expected = U256::from(10 * SOL) * U256::from(SOL) - fee - U256::from(42);
    assert_eq!(U256::from_limbs(Balance::view(&paid.data).unwrap().balance().0), expected);
    let vault = account(&bank, deployment.vault).await.unwrap();
    assert!(vault.lamports >= 10 * SOL, "the vault covers the balances");
}
