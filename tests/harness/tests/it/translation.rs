//! translate, translation_close, and runs with and without a translation.

use crate::token::Token;
use alloy_primitives::U256;
use parhelion_core::cluster::Account;
use parhelion_executor::evm::translation::{self, VERSION};
use parhelion_harness::chain::{Chain, SOL, refusal};
use parhelion_harness::wallet::Wallet;
use parhelion_sdk::instruction::{translate, translation_close};
use parhelion_wire::ProgramError;
use parhelion_wire::account::{Code, Translation, TranslationStage};
use parhelion_wire::address::AccountKey;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

fn key(token: &Token) -> [u8; 32] {
    let hash = token.chain.code_hash(token.address).unwrap();
    token.chain.address(&AccountKey::Translation(hash.0.into(), VERSION))
}

fn instruction(token: &Token, payer: &Keypair, blocks_max: u16) -> Instruction {
    let hash = token.chain.code_hash(token.address).unwrap();
    translate(&token.chain.deployment, &payer.pubkey(), hash, VERSION, blocks_max)
}

fn close(token: &Token, payer: &Keypair) -> Instruction {
    let hash = token.chain.code_hash(token.address).unwrap();
    translation_close(&token.chain.deployment, &payer.pubkey(), hash, VERSION)
}

fn operator(token: &Token) -> Keypair {
    token.chain.operator.keypair.insecure_clone()
}

fn stranger(chain: &Chain) -> Keypair {
    let stranger = Keypair::new_from_array([6; 32]);
    chain.airdrop(stranger.pubkey(), 100 * SOL);
    stranger
}

fn refuse(token: &Token, signer: &Keypair, instruction: Instruction, error: ProgramError) {
    let failure = token.chain.send_as(&[signer], &[instruction]).expect_err("refused");
    assert_eq!(refusal(&failure).unwrap(), error);
}

/// Whether a run lists the translation.
fn is_listed(token: &mut Token) -> bool {
    let key = key(token);
    let done = token.give(Wallet::new(30).address(), 1).unwrap();
    done.uses.iter().any(|used| used.address == key)
}

#[test]
fn it_is_a_function_of_the_code_and_costs_its_rent() {
    let mut token = Token::deploy().unwrap();
    assert!(!is_listed(&mut token));
    token.chain.translate(token.address).unwrap();
    let account = token.chain.account(&key(&token)).unwrap();
    let hash = token.chain.code_hash(token.address).unwrap();
    let code = token.chain.account(&token.chain.address(&AccountKey::Code(hash.0.into()))).unwrap();
    let code = Code::view(&code.data).unwrap();
    let expected = translation::translate(code.code(), code.jump_map()).unwrap();
    assert_eq!(Translation::view(&account.data).unwrap().bytes, expected);
    let exemption = token.chain.rent_per_byte().unwrap() * (128 + account.data.len() as u64);
    assert_eq!(account.lamports, exemption, "the room that was left came back");
    assert!(expected.len() <= 6 * code.len(), "{} bytes for {}", expected.len(), code.len());
    assert!(is_listed(&mut token));
}

#[test]
fn its_payer_closes_it_and_it_can_be_made_again() {
    let mut token = Token::deploy().unwrap();
    token.chain.translate(token.address).unwrap();
    let (payer, stranger) = (operator(&token), stranger(&token.chain));
    refuse(&token, &stranger, close(&token, &stranger), ProgramError::ForeignTranslation);
    let lamports = token.chain.account(&key(&token)).unwrap().lamports;
    let before = token.chain.account(&payer.pubkey().to_bytes()).unwrap().lamports;
    token.chain.send(&[close(&token, &payer)]).unwrap();
    assert_eq!(token.chain.account(&key(&token)), None);
    let fee = 5000;
    let after = token.chain.account(&payer.pubkey().to_bytes()).unwrap().lamports;
    assert_eq!(after, before + lamports - fee);
    assert!(!is_listed(&mut token));
    token.chain.translate(token.address).unwrap();
    assert!(is_listed(&mut token));
}

#[test]
fn anybody_goes_on_with_it_and_until_then_it_is_not_used() {
    let mut token = Token::deploy().unwrap();
    let (payer, stranger) = (operator(&token), stranger(&token.chain));
    let stage = |token: &Token| {
        Translation::view(&token.chain.account(&key(token)).unwrap().data).unwrap().prefix.stage()
    };
    token.chain.send_as(&[&stranger], &[instruction(&token, &stranger, 3)]).unwrap();
    assert_eq!(stage(&token), TranslationStage::Begun);
    assert!(!is_listed(&mut token));
    let mut sent = 0;
    while stage(&token) != TranslationStage::Complete {
        sent += 1;
        // Different numbers of blocks, so that no two instructions are the same.
        token.chain.send(&[instruction(&token, &payer, 40 + sent)]).unwrap();
    }
    assert!(sent > 1);
    assert!(is_listed(&mut token));
    refuse(&token, &payer, close(&token, &payer), ProgramError::ForeignTranslation);
    // Complete: nothing happens any more.
    let before = token.chain.account(&key(&token));
    token.chain.send(&[instruction(&token, &payer, 9)]).unwrap();
    assert_eq!(token.chain.account(&key(&token)), before);
}

#[test]
fn forged_translations_are_not_run() {
    let mut token = Token::deploy().unwrap();
    token.chain.translate(token.address).unwrap();
    let (key, payer) = (key(&token), operator(&token));
    let right = token.chain.account(&key).unwrap();
    let mut other_format = right.data.clone();
    other_format[72] = VERSION + 1;
    let mut other_code = right.data.clone();
    other_code[40] ^= 1;
    for data in [other_format, other_code] {
        token.chain.set_account(&key, Account { data, ..right.clone() });
        assert!(!is_listed(&mut token));
    }
    // Owned by somebody else: neither run nor overwritten.
    token.chain.set_account(&key, Account { owner: [9; 32].into(), ..right.clone() });
    assert!(!is_listed(&mut token));
    refuse(&token, &payer, instruction(&token, &payer, 1), ProgramError::WrongOwner);
    token.chain.set_account(&key, right);
    assert!(is_listed(&mut token));
}

#[test]
fn only_stored_code_is_translated() {
    let mut token = Token::deploy().unwrap();
    token.give(Wallet::new(30).address(), 1).unwrap();
    let payer = operator(&token);
    let right = instruction(&token, &payer, 1);
    let with = |position: usize, address: [u8; 32]| {
        let mut wrong = right.clone();
        wrong.accounts[position].pubkey = address.into();
        wrong
    };
    let owner = token.chain.address(&AccountKey::Balance(token.owner.address().0.0.into()));
    refuse(&token, &payer, with(2, owner), ProgramError::WrongKind);
    refuse(&token, &payer, with(2, [9; 32]), ProgramError::WrongOwner);
    refuse(&token, &payer, with(3, [9; 32]), ProgramError::WrongAddress);
    let mut unsigned = right.clone();
    unsigned.accounts[0].is_signer = false;
    unsigned.accounts[0].pubkey = [8; 32].into();
    refuse(&token, &payer, unsigned, ProgramError::MissingSigner);
    let mut cut = right.clone();
    cut.data.pop();
    refuse(&token, &payer, cut, ProgramError::MalformedInstruction);
    assert_eq!(token.chain.account(&key(&token)), None);
    assert!(token.chain.balance(token.owner.address()).1 > U256::ZERO);
}
