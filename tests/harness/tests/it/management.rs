//! initialize, configure, holders and reservations.

use alloy_primitives::{B256, U256};
use parhelion_harness::chain::{Chain, SOL, refusal};
use parhelion_harness::wallet::{CHAIN_ID, Wallet};
use parhelion_sdk::instruction::{
    code_release, code_reserve, configure, deposit, holder_close, holder_create, holder_write, initialize,
};
use parhelion_solana::Features;
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Config, Holder, Layout};
use parhelion_wire::address::AccountKey;
use parhelion_wire::instruction::{Configure, Initialize};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

fn settings() -> Initialize {
    Initialize { chain_id: CHAIN_ID, base_fee: 1, block_gas_limit: 1, authority: [1; 32] }
}

fn refuse(chain: &Chain, signers: &[&Keypair], instructions: &[Instruction], error: ProgramError) {
    let failure = chain.send_as(signers, instructions).expect_err("refused");
    assert_eq!(refusal(&failure).unwrap(), error);
}

fn stranger(chain: &Chain) -> Keypair {
    let stranger = Keypair::new_from_array([6; 32]);
    chain.airdrop(stranger.pubkey(), 100 * SOL);
    stranger
}

#[test]
fn only_the_upgrade_authority_initializes_and_only_once() {
    let chain = Chain::uninitialized(Features::Mainnet).unwrap();
    let stranger = stranger(&chain);
    let deployment = chain.deployment;
    let early = initialize(&deployment, &stranger.pubkey(), &settings());
    refuse(&chain, &[&stranger], &[early], ProgramError::NotAuthority);
    let payer = chain.operator.keypair.insecure_clone();
    for wrong in [
        Initialize { chain_id: 0, ..settings() },
        Initialize { base_fee: 0, ..settings() },
        Initialize { block_gas_limit: 0, ..settings() },
    ] {
        let instruction = initialize(&deployment, &payer.pubkey(), &wrong);
        refuse(&chain, &[&payer], &[instruction], ProgramError::InvalidArgument);
    }
    // Somebody sent lamports to the addresses before.
    chain.airdrop(deployment.config.into(), 1_000_000);
    chain.airdrop(deployment.vault.into(), 1_000_000);
    let right = initialize(&deployment, &payer.pubkey(), &settings());
    chain.send(std::slice::from_ref(&right)).unwrap();
    refuse(&chain, &[&payer], &[right], ProgramError::AlreadyInitialized);
}

#[test]
fn the_authority_changes_settings_pauses_and_hands_over() {
    let mut chain = Chain::new().unwrap();
    let deployment = chain.deployment;
    let (payer, stranger) = (chain.operator.keypair.insecure_clone(), stranger(&chain));
    let change = |keypair: &Keypair, changes: Configure| configure(&deployment, &keypair.pubkey(), &changes);
    let pause = Configure { paused: Some(true), ..Configure::default() };
    refuse(&chain, &[&stranger], &[change(&stranger, pause)], ProgramError::NotAuthority);
    let free = Configure { base_fee: Some(0), ..Configure::default() };
    refuse(&chain, &[&payer], &[change(&payer, free)], ProgramError::InvalidArgument);
    chain.send(&[change(&payer, pause)]).unwrap();
    let payment = deposit(&deployment, &payer.pubkey(), Wallet::new(3).address(), SOL);
    refuse(&chain, &[&payer], &[payment], ProgramError::Paused);
    let resume = Configure {
        paused: Some(false),
        base_fee: Some(7),
        block_gas_limit: Some(8),
        authority: Some(stranger.pubkey().to_bytes()),
    };
    chain.send(&[change(&payer, resume)]).unwrap();
    let account = chain.account(&deployment.config).unwrap();
    let config = Config::view(&account.data).unwrap();
    assert_eq!((config.base_fee(), config.block_gas_limit(), config.paused()), (7, 8, false));
    refuse(&chain, &[&payer], &[change(&payer, pause)], ProgramError::NotAuthority);
    chain.deposit(Wallet::new(3).address(), SOL).unwrap();
}

#[test]
fn holders_belong_to_their_operator() {
    let chain = Chain::new().unwrap();
    let deployment = chain.deployment;
    let (owner, stranger) = (chain.operator.keypair.insecure_clone(), stranger(&chain));
    let address = parhelion_sdk::address::holder_address(&deployment, &owner.pubkey(), 3);
    let create = holder_create(&deployment, &owner.pubkey(), 3, Holder::account_length(100), SOL);
    chain.send(&create).unwrap();
    // The same account once more, without its creation.
    refuse(&chain, &[&owner], &create[1..], ProgramError::WrongKind);
    let write = |offset, bytes: &[u8]| holder_write(&deployment, &owner.pubkey(), 3, 100, offset, bytes);
    chain.send(&[write(50, &[2; 50]), write(0, &[1; 50])]).unwrap();
    let account = chain.account(&address.to_bytes()).unwrap();
    let view = Holder::view(&account.data).unwrap();
    assert_eq!(view.envelope().unwrap(), [[1; 50], [2; 50]].concat());
    refuse(&chain, &[&owner], &[write(51, &[2; 50])], ProgramError::HolderRange);
    refuse(&chain, &[&owner], &[write(u32::MAX, &[2; 50])], ProgramError::HolderRange);
    for mut foreign in [write(0, &[9]), holder_close(&deployment, &owner.pubkey(), 3)] {
        foreign.accounts[0].pubkey = stranger.pubkey();
        refuse(&chain, &[&stranger], &[foreign], ProgramError::ForeignHolder);
    }
    let before = chain.account(&owner.pubkey().to_bytes()).unwrap().lamports;
    chain.send(&[holder_close(&deployment, &owner.pubkey(), 3)]).unwrap();
    assert_eq!(chain.account(&address.to_bytes()), None);
    let fee = 5000;
    assert_eq!(chain.account(&owner.pubkey().to_bytes()).unwrap().lamports, before + SOL - fee);
}

#[test]
fn reservations_grow_and_are_released_by_their_payer() {
    let chain = Chain::new().unwrap();
    let deployment = chain.deployment;
    let (payer, stranger) = (chain.operator.keypair.insecure_clone(), stranger(&chain));
    let hash = B256::repeat_byte(0xab);
    let key = chain.address(&AccountKey::Code(hash.0.into()));
    let reserve = |keypair: &Keypair, length| code_reserve(&deployment, &keypair.pubkey(), hash, length);
    let length = || chain.account(&key).map(|account| account.data.len());
    chain.send(&[reserve(&payer, 24_576)]).unwrap();
    assert_eq!(length(), Some(10_240));
    chain.send_as(&[&stranger], &[reserve(&stranger, 24_576)]).unwrap();
    chain.send(&[reserve(&payer, 24_576)]).unwrap();
    assert_eq!(length(), Some(48 + 24_576 + 33 + 3072), "no longer than asked for");
    refuse(&chain, &[&payer], &[reserve(&payer, 24_577)], ProgramError::InvalidArgument);
    let release = |keypair: &Keypair| code_release(&deployment, &keypair.pubkey(), hash);
    refuse(&chain, &[&stranger], &[release(&stranger)], ProgramError::ForeignReservation);
    chain.send(&[release(&payer)]).unwrap();
    assert_eq!(length(), None);
}

#[test]
fn a_deposit_names_its_accounts_exactly() {
    let chain = Chain::new().unwrap();
    let payer = chain.operator.keypair.insecure_clone();
    let right = deposit(&chain.deployment, &payer.pubkey(), Wallet::new(3).address(), SOL);
    let other = deposit(&chain.deployment, &payer.pubkey(), Wallet::new(4).address(), SOL);
    for position in [2, 3, 4] {
        let mut wrong = right.clone();
        wrong.accounts[position].pubkey = match position {
            2 => solana_address::Address::new_from_array([8; 32]),
            _ => other.accounts[position].pubkey,
        };
        refuse(&chain, &[&payer], &[wrong], ProgramError::WrongAddress);
    }
    let mut poor = right.clone();
    let data = parhelion_wire::instruction::Deposit {
        address: Wallet::new(3).address().0.0.into(),
        lamports: u64::MAX,
    };
    poor.data = data.encode().to_vec();
    refuse(&chain, &[&payer], &[poor], ProgramError::OperatorFunds);
    chain.send(&[right]).unwrap();
    assert_eq!(chain.balance(Wallet::new(3).address()).1, U256::from(SOL) * U256::from(SOL));
}
