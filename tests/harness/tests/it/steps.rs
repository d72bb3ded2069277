//! Runs in steps.

use crate::token::{GAS, Token, transferCall};
use alloy_primitives::{Address, U256};
use alloy_sol_types::{SolCall, SolValue, sol};
use parhelion_core::cluster::Account;
use parhelion_harness::chain::{Chain, SOL};
use parhelion_harness::contracts;
use parhelion_harness::steps::{CHECKPOINT_ROOM, STACK_WORDS};
use parhelion_harness::wallet::Wallet;
use parhelion_sdk::address::holder_address;
use parhelion_sdk::instruction::{
    RunAccount, SignatureProof, execute, execute_from_holder, holder_close, holder_write,
};
use parhelion_wire::ProgramError;
use parhelion_wire::account::Run;
use parhelion_wire::address::AccountKey;
use parhelion_wire::event::{Event, Outcome, Records};
use parhelion_wire::stored::{Reader, Stored};
use solana_keypair::Keypair;
use solana_signer::Signer;

sol! {
    function sort(uint256 count) external pure returns (uint256 smallest);
}

/// A chain with a funded wallet.
fn scene() -> (Chain, Wallet) {
    let mut chain = Chain::new().unwrap();
    let wallet = Wallet::new(1);
    chain.deposit(wallet.address(), 1000 * SOL).unwrap();
    (chain, wallet)
}

#[test]
fn more_compute_units_than_a_solana_transaction_has() {
    let (mut chain, mut wallet) = scene();
    let loops = wallet.address().create(wallet.nonce);
    let init_code = contracts::init_code("Loops").unwrap();
    chain.run(&wallet.send(None, U256::ZERO, init_code, GAS)).unwrap();
    let call = sortCall { count: U256::from(60) }.abi_encode();
    let done = chain.run_in_steps(&wallet.send(Some(loops), U256::ZERO, call, GAS), &[25, 50, 75]).unwrap();
    assert_eq!(done.receipt.outcome, Outcome::Success);
    let all: u64 = done.compute_units.iter().sum();
    assert!(all > 2_500_000, "{:?}", done.compute_units);
}

#[test]
fn state_and_logs_are_written_once_in_the_end() {
    let mut token = Token::deploy().unwrap();
    for is_translated in [false, true] {
        if is_translated {
            token.chain.translate(token.address).unwrap();
        }
        let call = transferCall { to: Address::repeat_byte(7), value: U256::from(5) }.abi_encode();
        let transaction = token.owner.send(Some(token.address), U256::ZERO, call, GAS);
        let done = token.chain.run_in_steps(&transaction, &[10, 20, 30, 40, 50, 60, 70, 80, 90]).unwrap();
        assert_eq!(done.receipt.outcome, Outcome::Success);
    }
}

#[test]
fn a_contract_is_deployed_in_steps() {
    let (mut chain, mut wallet) = scene();
    let init_code = [&contracts::init_code("Token").unwrap()[..], &U256::from(9).abi_encode()].concat();
    let transaction = wallet.send(None, U256::ZERO, init_code, GAS);
    let done = chain.run_in_steps(&transaction, &[1, 50, 99]).unwrap();
    assert_eq!((done.receipt.outcome, done.report.codes.len()), (Outcome::Success, 1));
}

/// A token transfer in the middle of its run.
struct Middle {
    token: Token,
    transaction: parhelion_core::transaction::Transaction,
    accounts: Vec<RunAccount>,
    pauses: Vec<u64>,
}

/// A transfer of 5 tokens that has taken one step.
fn middle() -> Middle {
    let mut token = Token::deploy().unwrap();
    let call = transferCall { to: Address::repeat_byte(7), value: U256::from(5) }.abi_encode();
    let transaction = token.owner.send(Some(token.address), U256::ZERO, call, GAS);
    let (_, _, uses) = token.chain.emulate_large(&transaction).unwrap();
    token.chain.hold(&transaction, 0).unwrap();
    token.chain.send(&[token.chain.begin(&transaction, 0)]).unwrap();
    let left = token.chain.run_state(0).unwrap().gas_left;
    let accounts = token.chain.run_accounts(&uses);
    // Behind the first reads of storage.
    let pauses = vec![left - 6_000];
    let step = token.chain.run_in(&transaction, 0).step(0, &pauses, &accounts);
    token.chain.send(&[step]).unwrap();
    Middle { token, transaction, accounts, pauses }
}

#[test]
fn a_run_that_read_what_changed_begins_anew() {
    let Middle { mut token, transaction, accounts, pauses } = middle();
    let before = token.chain.run_state(0).unwrap();
    assert_eq!((before.restarts, before.steps), (0, 1));
    let balance = token.chain.balance(token.owner.address());
    // Somebody else's deposit changes the sender's balance.
    token.chain.deposit(token.owner.address(), 3).unwrap();
    let last = token.chain.run_in(&transaction, 0).step(1, &pauses, &accounts);
    token.chain.send(std::slice::from_ref(&last)).unwrap();
    let after = token.chain.run_state(0).unwrap();
    assert_eq!((after.restarts, after.steps), (1, 2));
    assert!(after.number > before.number, "the block values are those of the new attempt");
    let landed = token.chain.send(&[token.chain.run_in(&transaction, 0).step(2, &[], &accounts)]).unwrap();
    let events = token.chain.events(&landed);
    let Some(Ok(Event::Receipt(receipt))) = Records(&events).next() else { panic!("no receipt") };
    assert_eq!(receipt.outcome, Outcome::Success);
    // The deposit is not lost.
    let paid = U256::from(receipt.gas_used) * U256::from_limbs(receipt.effective_gas_price.0);
    let bought = U256::from_limbs(before.bought.0);
    let expected = balance.1 + U256::from(3) * U256::from(SOL) + bought - paid;
    assert_eq!(token.chain.balance(token.owner.address()).1, expected);
    token.chain.assert_solvent().unwrap();
}

#[test]
fn a_run_is_misused_by_nobody() {
    let Middle { mut token, transaction, accounts, pauses } = middle();
    let chain = &token.chain;
    let operator = chain.operator.keypair.pubkey();
    let run = chain.run_in(&transaction, 0);

    // The holder belongs to the run.
    chain.refuse(&[chain.begin(&transaction, 0)], ProgramError::RunActive).unwrap();
    let write = holder_write(&chain.deployment, &operator, 0, 4, 0, &[1]);
    chain.refuse(&[write], ProgramError::RunActive).unwrap();
    chain.refuse(&[holder_close(&chain.deployment, &operator, 0)], ProgramError::RunActive).unwrap();
    let at_once = execute_from_holder(&chain.deployment, &operator, chain.operator.coinbase, 0, &accounts);
    chain.refuse(&[at_once], ProgramError::RunActive).unwrap();

    // The run belongs to its transaction and its operator.
    let mut other = run;
    other.transaction.0[0] ^= 1;
    chain.refuse(&[other.step(1, &pauses, &accounts)], ProgramError::NoSuchRun).unwrap();
    chain.refuse(&[other.cancel(&accounts)], ProgramError::NoSuchRun).unwrap();
    let stranger = Keypair::new_from_array([9; 32]);
    chain.airdrop(stranger.pubkey(), SOL);
    let mut foreign = run;
    foreign.operator = stranger.pubkey();
    let failure = chain.send_as(&[&stranger], &[foreign.step(1, &pauses, &accounts)]).unwrap_err();
    assert_eq!(parhelion_harness::chain::refusal(&failure).unwrap(), ProgramError::ForeignRun);
    chain.refuse(&[run.cancel(&accounts)], ProgramError::TooEarlyToCancel).unwrap();

    // What it writes must be writable, and what it read must be there.
    let read: Vec<_> = accounts.iter().map(|account| RunAccount::read(account.address)).collect();
    chain.refuse(&[run.step(1, &[], &read)], ProgramError::ReadOnlyAccount).unwrap();
    chain.refuse(&[run.step(1, &[], &[])], ProgramError::AccountMissing).unwrap();

    // The sender is busy.
    let next = token.owner.clone().send(Some(Address::ZERO), U256::ZERO, [], GAS);
    assert_eq!(chain.emulate(&next).unwrap_err(), ProgramError::SenderBusy);
    let (coinbase, proof) = (chain.operator.coinbase, SignatureProof::Recover);
    let busy = execute(&chain.deployment, &operator, coinbase, proof, next.envelope(), &accounts);
    chain.refuse(&[busy], ProgramError::SenderBusy).unwrap();

    // After the end there is no run, and no way to begin it again.
    chain.send(&[run.step(1, &[], &accounts)]).unwrap();
    chain.refuse(&[run.step(1, &[], &accounts)], ProgramError::NoSuchRun).unwrap();
    chain.refuse(&[chain.begin(&transaction, 0)], ProgramError::NonceTooLow).unwrap();
    token.give(Address::repeat_byte(8), 1).unwrap();
}

/// Lets slots pass: each transaction takes one.
fn wait(chain: &mut Chain, slots: u64) {
    let start = chain.next_block().slot;
    while chain.next_block().slot <= start + slots {
        chain.deposit(Address::repeat_byte(0xee), 1).unwrap();
    }
}

#[test]
fn anybody_finishes_an_abandoned_run_and_is_paid() {
    let Middle { mut token, transaction, accounts, pauses: _ } = middle();
    wait(&mut token.chain, Run::TAKEOVER_SLOTS);
    let stranger = Keypair::new_from_array([9; 32]);
    let coinbase = Address::repeat_byte(0xc9);
    token.chain.airdrop(stranger.pubkey(), SOL);
    token.chain.deposit(coinbase, 0).unwrap();
    let mut run = token.chain.run_in(&transaction, 0);
    (run.operator, run.coinbase) = (stranger.pubkey(), coinbase);
    let payee = token.chain.address(&AccountKey::Balance(coinbase.into_array().into()));
    let with_payee = [&accounts[..], &[RunAccount { address: payee.into(), writable: true }]].concat();
    let landed = token.chain.send_as(&[&stranger], &[run.step(1, &[], &with_payee)]).unwrap();
    let events = token.chain.events(&landed);
    let Some(Ok(Event::Receipt(receipt))) = Records(&events).next() else { panic!("no receipt") };
    let fee = U256::from(receipt.gas_used) * U256::from_limbs(receipt.effective_gas_price.0);
    assert_eq!((receipt.outcome, token.chain.balance(coinbase).1), (Outcome::Success, fee));
    token.chain.assert_solvent().unwrap();
}

#[test]
fn anybody_cancels_what_nobody_finishes() {
    let Middle { mut token, transaction, accounts: _, pauses: _ } = middle();
    let before = token.chain.run_state(0).unwrap();
    let balance = token.chain.balance(token.owner.address());
    wait(&mut token.chain, Run::CANCEL_SLOTS);
    let stranger = Keypair::new_from_array([9; 32]);
    let coinbase = Address::repeat_byte(0xc9);
    token.chain.airdrop(stranger.pubkey(), SOL);
    token.chain.deposit(coinbase, 0).unwrap();
    let mut run = token.chain.run_in(&transaction, 0);
    (run.operator, run.coinbase) = (stranger.pubkey(), coinbase);
    let accounts = [token.owner.address(), coinbase].map(|address| RunAccount {
        address: token.chain.address(&AccountKey::Balance(address.into_array().into())).into(),
        writable: true,
    });
    let landed = token.chain.send_as(&[&stranger], &[run.cancel(&accounts)]).unwrap();
    let events = token.chain.events(&landed);
    let Some(Ok(Event::Receipt(receipt))) = Records(&events).next() else { panic!("no receipt") };
    assert_eq!((receipt.outcome, receipt.transaction_hash), (Outcome::Cancelled, before.transaction_hash));
    assert!(receipt.gas_used > 21_000 && receipt.gas_used < 40_000, "{}", receipt.gas_used);
    let fee = U256::from(receipt.gas_used) * U256::from_limbs(receipt.effective_gas_price.0);
    assert_eq!(token.chain.balance(coinbase).1, fee);
    let after = token.chain.balance(token.owner.address());
    assert_eq!(after, (balance.0, balance.1 + U256::from_limbs(before.bought.0) - fee));
    token.chain.assert_solvent().unwrap();
    // The nonce is used, and the sender is free.
    token.give(Address::repeat_byte(8), 1).unwrap();
    assert_eq!(token.chain.run_state(0), Err(ProgramError::NoSuchRun));
}

#[test]
fn nobody_begins_a_run_that_has_no_room_to_end() {
    let (chain, mut wallet) = scene();
    let transaction = wallet.send(Some(Address::repeat_byte(7)), U256::from(1), [], GAS);
    chain.hold(&transaction, 0).unwrap();
    // The less one part has, the more have the others.
    for (stack_words, checkpoint_room) in [
        (Run::STACK_WORDS_MIN - 1, CHECKPOINT_ROOM),
        (STACK_WORDS, Run::CHECKPOINT_MIN - 1),
        (STACK_WORDS, CHECKPOINT_ROOM + 16 * 1024),
    ] {
        let begin = chain.begin_with(&transaction, 0, stack_words, checkpoint_room);
        chain.refuse(&[begin], ProgramError::RunTooSmall).unwrap();
    }
    let beyond = chain.begin_with(&transaction, 0, u32::MAX, CHECKPOINT_ROOM);
    chain.refuse(&[beyond], ProgramError::CheckpointLimit).unwrap();
    assert_eq!(chain.balance(wallet.address()).0, 0, "the nonce is not used");
}

#[test]
fn steps_that_hardly_advance_keep_a_run_for_a_while_only() {
    let Middle { mut token, transaction, accounts, pauses: _ } = middle();
    let stranger = Keypair::new_from_array([9; 32]);
    token.chain.airdrop(stranger.pubkey(), SOL);
    // Each step takes hardly any gas, and comes in time.
    for number in 1..=Run::OWNERSHIP_SLOTS / Run::TAKEOVER_SLOTS {
        wait(&mut token.chain, Run::TAKEOVER_SLOTS - 10);
        let state = token.chain.run_state(0).unwrap();
        let mark = state.gas_left.min(state.paused_at) - 1;
        let run = token.chain.run_in(&transaction, 0);
        let mut foreign = run;
        foreign.operator = stranger.pubkey();
        let taken = token.chain.send_as(&[&stranger], &[foreign.step(0, &[], &accounts)]).unwrap_err();
        assert_eq!(parhelion_harness::chain::refusal(&taken).unwrap(), ProgramError::ForeignRun);
        token.chain.send(&[run.step(number as u16, &[mark], &accounts)]).unwrap();
    }
    wait(&mut token.chain, 60);
    let mut run = token.chain.run_in(&transaction, 0);
    run.operator = stranger.pubkey();
    token.chain.send_as(&[&stranger], &[run.step(0, &[], &accounts)]).unwrap();
    assert_eq!(token.chain.run_state(0), Err(ProgramError::NoSuchRun));
}

/// [`middle`], but the run has come to its end and is to be written, and one account that it only read is left out.
struct AtEnd {
    token: Token,
    transaction: parhelion_core::transaction::Transaction,
    /// What the last step lists.
    accounts: Vec<RunAccount>,
    /// What it could list as well.
    left_out: RunAccount,
}

fn at_end() -> AtEnd {
    let Middle { token, transaction, mut accounts, .. } = middle();
    let step = token.chain.run_in(&transaction, 0).step(1, &[0], &accounts);
    token.chain.send(&[step]).unwrap();
    assert_eq!(token.chain.run_state(0).unwrap().paused_at, 0);
    let contract = token.chain.address(&AccountKey::Contract(token.address.into_array().into()));
    let position = accounts.iter().position(|account| account.address.to_bytes() == contract).unwrap();
    let left_out = accounts.remove(position);
    assert!(!left_out.writable);
    AtEnd { token, transaction, accounts, left_out: RunAccount { writable: true, ..left_out } }
}

#[test]
fn nothing_is_written_before_all_that_was_read_is_known_to_be_unchanged() {
    let AtEnd { mut token, transaction, accounts, left_out } = at_end();
    let chain = &mut token.chain;
    let run = chain.run_in(&transaction, 0);
    let (last, lock) = (run.step(2, &[], &accounts), run.lock(0, &[left_out]));
    chain.refuse(std::slice::from_ref(&last), ProgramError::ReadsUnproven).unwrap();
    // What is not writable is not locked.
    chain.send(&[run.lock(1, &[RunAccount::read(left_out.address)])]).unwrap();
    chain.refuse(std::slice::from_ref(&last), ProgramError::ReadsUnproven).unwrap();
    // Somebody else may not.
    let stranger = Keypair::new_from_array([9; 32]);
    chain.airdrop(stranger.pubkey(), SOL);
    let mut foreign = run;
    foreign.operator = stranger.pubkey();
    let failure = chain.send_as(&[&stranger], &[foreign.lock(0, &[left_out])]).unwrap_err();
    assert_eq!(parhelion_harness::chain::refusal(&failure).unwrap(), ProgramError::ForeignRun);
    let mut other = run;
    other.transaction.0[0] ^= 1;
    chain.refuse(&[other.lock(0, &[left_out])], ProgramError::NoSuchRun).unwrap();

    // A lock does for as long as it lasts.
    chain.send(std::slice::from_ref(&lock)).unwrap();
    wait(chain, 48);
    chain.refuse(std::slice::from_ref(&last), ProgramError::ReadsUnproven).unwrap();
    let run = chain.run_in(&transaction, 0);
    chain.refuse(&[run.lock(2, &[left_out])], ProgramError::AccountLocked).unwrap();
    // Whoever lists everything needs no lock.
    let whole = [&accounts[..], &[left_out]].concat();
    chain.send(&[run.step(3, &[], &whole)]).unwrap();
    chain.assert_solvent().unwrap();
}

#[test]
fn what_was_read_is_locked_for_the_last_step() {
    let AtEnd { token, transaction, accounts, left_out } = at_end();
    let run = token.chain.run_in(&transaction, 0);
    token.chain.send(&[run.lock(0, &[left_out])]).unwrap();
    // Once more does no harm.
    token.chain.send(&[run.lock(1, &[left_out])]).unwrap();
    let landed = token.chain.send(&[run.step(2, &[], &accounts)]).unwrap();
    let events = token.chain.events(&landed);
    let Some(Ok(Event::Receipt(receipt))) = Records(&events).next() else { panic!("no receipt") };
    assert_eq!(receipt.outcome, Outcome::Success);
    token.chain.assert_solvent().unwrap();
}

/// [`middle`] after so many restarts that an attempt locks what it reads, and a change that makes the next step begin one.
/// With all accounts writable that are the state's.
fn locking() -> (Middle, Vec<RunAccount>) {
    let mut middle = middle();
    change_run(&middle.token.chain, |run, _| run.restarts = Run::RESTARTS_UNLOCKED - 1);
    middle.token.chain.deposit(middle.token.owner.address(), 3).unwrap();
    let contract =
        middle.token.chain.address(&AccountKey::Contract(middle.token.address.into_array().into()));
    let writable = |account: &RunAccount| RunAccount {
        writable: account.writable || account.address.to_bytes() == contract,
        ..*account
    };
    let all = middle.accounts.iter().map(writable).collect();
    (middle, all)
}

#[test]
fn what_an_attempt_has_locked_is_locked_for_the_last_step() {
    let (Middle { token, transaction, accounts, .. }, all) = locking();
    let chain = &token.chain;
    let run = chain.run_in(&transaction, 0);
    chain.send(&[run.step(1, &[0], &all)]).unwrap();
    let state = chain.run_state(0).unwrap();
    assert!(state.restarts == Run::RESTARTS_UNLOCKED && state.locked_at != 0, "{state:?}");
    let (end, left_out): (Vec<_>, Vec<_>) =
        all.iter().zip(&accounts).partition(|(one, other)| one.writable == other.writable);
    let [(left_out, _)] = left_out[..] else { panic!("one account is only read") };
    let end: Vec<_> = end.into_iter().map(|(account, _)| *account).collect();
    chain.refuse(&[run.step(2, &[], &end)], ProgramError::ReadsUnproven).unwrap();
    chain.send(&[run.lock(0, &[*left_out])]).unwrap();
    chain.send(&[run.lock(1, &[*left_out])]).unwrap();
    chain.send(&[run.step(3, &[], &end)]).unwrap();
    chain.assert_solvent().unwrap();
}

#[test]
fn locks_of_an_attempt_hold_for_the_next_one_and_no_others_join_them() {
    let (Middle { mut token, transaction, accounts, .. }, all) = locking();
    let run = token.chain.run_in(&transaction, 0);
    let balance = token.chain.address(&AccountKey::Balance(token.owner.address().into_array().into()));
    let without_balance: Vec<_> = all
        .iter()
        .map(|account| RunAccount {
            writable: account.writable && account.address.to_bytes() != balance,
            ..*account
        })
        .collect();
    token.chain.send(&[run.step(1, &[0], &without_balance)]).unwrap();
    let before = token.chain.run_state(0).unwrap();
    // What the attempt has read and not locked changes.
    token.chain.deposit(token.owner.address(), 3).unwrap();
    let run = token.chain.run_in(&transaction, 0);
    token.chain.send(&[run.step(2, &[0], &all)]).unwrap();
    let after = token.chain.run_state(0).unwrap();
    assert_eq!((after.restarts, after.locked_at), (before.restarts + 1, before.locked_at));
    token.chain.send(&[run.step(3, &[], &accounts)]).unwrap();
    // Nothing stays locked that the last step could write.
    token.give(Address::repeat_byte(7), 1).unwrap();
    token.chain.assert_solvent().unwrap();
}

#[test]
fn only_a_run_at_its_end_locks() {
    let Middle { token, transaction, accounts, .. } = middle();
    let lock = token.chain.run_in(&transaction, 0).lock(0, &accounts);
    token.chain.refuse(&[lock], ProgramError::RunNotAtEnd).unwrap();
}

#[test]
fn a_lock_that_finds_a_change_gives_the_attempt_up() {
    let AtEnd { mut token, transaction, accounts, left_out } = at_end();
    let balance = token.chain.address(&AccountKey::Balance(token.owner.address().into_array().into()));
    let balance = RunAccount { address: balance.into(), writable: true };
    assert!(accounts.contains(&balance));
    token.chain.deposit(token.owner.address(), 3).unwrap();
    let run = token.chain.run_in(&transaction, 0);
    token.chain.send(&[run.lock(0, &[balance])]).unwrap();
    let state = token.chain.run_state(0).unwrap();
    assert_eq!((state.restarts, state.checkpoint_length), (1, 0));
    token.chain.refuse(&[run.lock(1, &[balance])], ProgramError::RunNotAtEnd).unwrap();
    // Nothing was locked, and the run goes on from its beginning.
    token.chain.deposit(token.owner.address(), 3).unwrap();
    let whole = [&accounts[..], &[RunAccount::read(left_out.address)]].concat();
    let run = token.chain.run_in(&transaction, 0);
    token.chain.send(&[run.step(4, &[], &whole)]).unwrap();
    token.chain.assert_solvent().unwrap();
}

/// Changes the state of the operator's run, as only another version of the program could.
fn change_run(chain: &Chain, change: impl Fn(&mut Run, &mut [u8])) {
    let holder = holder_address(&chain.deployment, &chain.operator.keypair.pubkey(), 0).to_bytes();
    let mut account = chain.account(&holder).unwrap();
    let parts = Run::parts(&mut account.data, Some((STACK_WORDS, CHECKPOINT_ROOM))).unwrap();
    // Of whatever version it is.
    let mut run = Run::take(&mut Reader::new(parts.state)).unwrap();
    change(&mut run, parts.checkpoint);
    run.write(parts.state).unwrap();
    chain.set_account(&holder, account);
}

#[test]
fn a_run_is_gone_on_with_by_another_version_of_the_program() {
    let Middle { token, transaction, accounts, pauses } = middle();
    let run = token.chain.run_in(&transaction, 0);
    // One that keeps its checkpoints in another way begins the attempt anew.
    change_run(&token.chain, |run, _| run.checkpoint_version += 1);
    token.chain.send(&[run.step(1, &pauses, &accounts)]).unwrap();
    let state = token.chain.run_state(0).unwrap();
    assert_eq!((state.restarts, state.checkpoint_version), (1, Run::CHECKPOINT_VERSION));
    // One that does not know the state does nothing with it.
    change_run(&token.chain, |run, _| run.version += 1);
    for instruction in [run.step(2, &[], &accounts), run.lock(0, &accounts), run.cancel(&accounts)] {
        token.chain.refuse(&[instruction], ProgramError::RunVersion).unwrap();
    }
    change_run(&token.chain, |run, _| run.version -= 1);
    token.chain.send(&[run.step(3, &[], &accounts)]).unwrap();
    token.chain.assert_solvent().unwrap();
}

#[test]
fn a_damaged_checkpoint_is_told() {
    let Middle { token, transaction, accounts, .. } = middle();
    let run = token.chain.run_in(&transaction, 0);
    let holder = holder_address(&token.chain.deployment, &run.operator, 0).to_bytes();
    let whole = token.chain.account(&holder).unwrap();
    let length = token.chain.run_state(0).unwrap().checkpoint_length;
    change_run(&token.chain, |run, _| run.checkpoint_length = run.checkpoint_room + 1);
    token.chain.refuse(&[run.step(1, &[], &accounts)], ProgramError::CheckpointMalformed).unwrap();
    for cut in [1, 9, 10, 50, length / 2, length - 1] {
        token.chain.set_account(&holder, whole.clone());
        change_run(&token.chain, |run, _| run.checkpoint_length = cut);
        token.chain.refuse(&[run.step(1, &[], &accounts)], ProgramError::CheckpointMalformed).unwrap();
    }
    // Only the program writes it, so nobody can do worse; and whatever is in it, the program does not crash.
    let mut random = fastrand::Rng::with_seed(7);
    let nothing = || Account { lamports: 0, owner: Address::ZERO.into_word().0.into(), data: Vec::new() };
    let before: Vec<_> = accounts.iter().map(|account| account.address.to_bytes()).collect();
    let before: Vec<_> = before.iter().map(|address| (address, token.chain.account(address))).collect();
    for number in 0..300 {
        token.chain.set_account(&holder, whole.clone());
        for (address, account) in before.iter().filter(|(address, _)| **address != [0; 32]) {
            token.chain.set_account(address, account.clone().unwrap_or_else(nothing));
        }
        let (position, byte) = (random.usize(..length as usize), random.u8(1..));
        change_run(&token.chain, |_, checkpoint| checkpoint[position] ^= byte);
        if let Err(error) = token.chain.send(&[run.step(number, &[], &accounts)]) {
            let code = parhelion_harness::chain::refusal(&error);
            assert!(code.is_ok(), "byte {position} ^ {byte:#x}: {error}");
        }
    }
}

#[test]
fn two_operators_begin_the_same_transaction_and_one_gets_it() {
    let Middle { mut token, transaction, accounts, .. } = middle();
    let other = Keypair::new_from_array([9; 32]);
    token.chain.airdrop(other.pubkey(), 100 * SOL);
    let first = std::mem::replace(&mut token.chain.operator.keypair, other);
    token.chain.hold(&transaction, 0).unwrap();
    let begin = token.chain.begin(&transaction, 0);
    token.chain.refuse(std::slice::from_ref(&begin), ProgramError::SenderBusy).unwrap();
    let other = std::mem::replace(&mut token.chain.operator.keypair, first);
    token.chain.send(&[token.chain.run_in(&transaction, 0).step(1, &[], &accounts)]).unwrap();
    token.chain.operator.keypair = other;
    token.chain.refuse(&[begin], ProgramError::NonceTooLow).unwrap();
    let operator = token.chain.operator.keypair.pubkey();
    token.chain.send(&[holder_close(&token.chain.deployment, &operator, 0)]).unwrap();
    token.chain.assert_solvent().unwrap();
}
