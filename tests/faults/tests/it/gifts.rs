//! Anybody can give lamports to an account of the program. Who closes a Cell gets them, and the past knows it.

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolValue;
use parhelion_assembler::Code;
use parhelion_core::cluster::Cluster;
use parhelion_core::transaction::Transaction;
use parhelion_evm::opcode as op;
use parhelion_faults::historian::{self, Compared};
use parhelion_harness::chain::Chain;
use parhelion_harness::wallet::Wallet;
use parhelion_wire::account::Kind;
use solana_address::Address as SolanaAddress;
use solana_instruction::Instruction;
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;

const GAS: u64 = 100_000_000;
const SOL: u64 = 1_000_000_000;
/// Less than the rent of a Cell, but enough for an account without data; and more.
const GIFTS: [u64; 2] = [900_000, SOL];

/// Two senders, and a contract that stores its second word at its first one.
struct World {
    chain: Chain,
    wallets: [Wallet; 2],
    contract: Address,
    /// The slot from which on the VM is compared.
    first: u64,
}

impl World {
    fn new() -> Self {
        let mut chain = Chain::new().unwrap();
        let mut wallets = [Wallet::new(1), Wallet::new(2)];
        for wallet in &wallets {
            chain.deposit(wallet.address(), 100 * SOL).unwrap();
        }
        let word = |place: u64| Code::new().push(place).op(op::CALLDATALOAD);
        let code = Code::new().sstore(word(0), word(32)).op(op::STOP);
        let contract = wallets[0].address().create(0);
        chain.run(&wallets[0].send(None, U256::ZERO, code.init_code(), GAS)).unwrap();
        let first = chain.block_on(chain.svm.clock()).unwrap().slot;
        Self { chain, wallets, contract, first }
    }

    /// A transaction that stores a value in a Cell of its own.
    fn store(&mut self, wallet: usize, cell: u64, value: u64) -> Transaction {
        let data = (U256::from(cell << 8), U256::from(value)).abi_encode();
        self.wallets[wallet].send(Some(self.contract), U256::ZERO, data, GAS)
    }

    fn run(&mut self, transaction: &Transaction) {
        self.chain.run(transaction).unwrap();
    }

    /// The Cell that a transaction writes, and the instructions that run it.
    fn planned(&self, transaction: &Transaction) -> (SolanaAddress, Vec<Instruction>) {
        let (_, _, uses) = self.chain.emulate(transaction).unwrap();
        let instructions = self.chain.by_syscall(transaction, &uses);
        let is_cell = |data: &[u8]| data.first() == Some(&(Kind::Cell as u8));
        let mut cells = uses.iter().filter(|used| {
            let states = [self.chain.account(&used.address), used.after.clone()];
            states.iter().flatten().any(|account| is_cell(&account.data))
        });
        (cells.next().unwrap().address.into(), instructions)
    }

    fn gift(&self, to: &SolanaAddress, lamports: u64) -> Instruction {
        transfer(&self.chain.operator.keypair.pubkey(), to, lamports)
    }

    fn send(&self, instructions: &[Instruction]) {
        self.chain.send(instructions).unwrap();
        self.chain.assert_solvent().unwrap();
    }

    fn exists(&self, account: &SolanaAddress) -> bool {
        let program = SolanaAddress::from(self.chain.deployment.program_id);
        self.chain.account(&account.to_bytes()).is_some_and(|account| account.owner == program)
    }

    fn wei(&self, wallet: usize) -> U256 {
        self.chain.balance(self.wallets[wallet].address()).1
    }

    fn compare(&self) -> (Compared, Vec<String>) {
        self.chain.block_on(historian::compare(self.first, &self.chain.svm, false)).unwrap()
    }

    /// Everything was as it is computed.
    fn assert_known(&self) {
        let (compared, problems) = self.compare();
        assert!(compared.accounts > 0 && compared.transactions > 0, "{compared:?}");
        assert_eq!(problems, Vec::<String>::new());
    }

    /// Empties a Cell, and makes sure that the sender gets what it holds.
    fn empty(&mut self, cell: u64, lamports: u64) {
        let emptied = self.store(0, cell, 0);
        let (address, instructions) = self.planned(&emptied);
        let held = self.chain.account(&address.to_bytes()).unwrap().lamports;
        assert!(held >= lamports, "{held}");
        let before = self.wei(0);
        self.send(&instructions);
        assert!(!self.exists(&address));
        let lamports_of = |wei: U256| wei / U256::from(SOL);
        let gained = lamports_of(self.wei(0)).checked_sub(lamports_of(before));
        // What it costs is less than a Cell's rent.
        assert!(lamports < SOL || gained.is_some_and(|gained| gained > U256::from(lamports / 2)));
    }
}

#[test]
fn what_was_given_to_a_cell_goes_to_who_empties_it() {
    for lamports in GIFTS {
        let mut world = World::new();
        let filled = world.store(0, 1, 7);
        let (cell, _) = world.planned(&filled);
        world.run(&filled);
        world.send(&[world.gift(&cell, lamports)]);
        world.empty(1, lamports);
        // What is computed of the sender's balance goes on from there.
        let next = world.store(0, 2, 7);
        world.run(&next);
        world.assert_known();
    }
}

#[test]
fn what_was_given_before_there_was_a_cell_is_in_it() {
    for lamports in GIFTS {
        let mut world = World::new();
        let filled = world.store(0, 1, 7);
        let (cell, instructions) = world.planned(&filled);
        world.send(&[world.gift(&cell, lamports)]);
        assert!(!world.exists(&cell));
        world.send(&instructions);
        assert!(world.exists(&cell));
        world.empty(1, lamports);
        world.assert_known();
    }
}

#[test]
fn what_is_given_in_a_transaction_that_fills_a_cell_is_in_it() {
    for lamports in GIFTS {
        for is_before in [true, false] {
            let mut world = World::new();
            let filled = world.store(0, 1, 7);
            let (cell, mut instructions) = world.planned(&filled);
            let place = if is_before { 0 } else { instructions.len() };
            instructions.insert(place, world.gift(&cell, lamports));
            world.send(&instructions);
            world.empty(1, lamports);
            world.assert_known();
        }
    }
}

#[test]
fn what_is_given_in_the_transaction_that_empties_a_cell_makes_unknown_what_it_changes() {
    let mut world = World::new();
    let filled = world.store(0, 1, 7);
    world.run(&filled);
    let emptied = world.store(0, 1, 0);
    let (cell, instructions) = world.planned(&emptied);
    world.send(&[vec![world.gift(&cell, SOL)], instructions].concat());
    assert!(!world.exists(&cell));
    let (compared, problems) = world.compare();
    assert!(compared.accounts > 0, "{compared:?}");
    let is_unknown = |problem: &String| problem.contains("is not known behind slot");
    assert!(!problems.is_empty() && problems.iter().all(is_unknown), "{problems:?}");
}

#[test]
fn what_is_given_to_others_meanwhile_changes_nothing() {
    let mut world = World::new();
    let filled = [world.store(0, 1, 7), world.store(0, 2, 7)];
    let (cell, _) = world.planned(&filled[0]);
    filled.iter().for_each(|filled| world.run(filled));
    world.send(&[world.gift(&cell, SOL)]);
    // The vault and another account are given something in a transaction that runs two of different senders: one empties
    // a cell, the other fills one.
    let (emptied, other) = (world.store(0, 1, 0), world.store(1, 3, 7));
    let ((_, first), (filled, second)) = (world.planned(&emptied), world.planned(&other));
    world.send(&[first, second, vec![world.gift(&filled, SOL)]].concat());
    assert!(!world.exists(&cell) && world.exists(&filled));
    world.assert_known();
    // Nothing is closed, so nobody gets what the vault is given.
    let more = world.store(1, 4, 7);
    let (_, instructions) = world.planned(&more);
    let vault = world.chain.deployment.vault.into();
    world.send(&[instructions, vec![world.gift(&vault, SOL)]].concat());
    world.assert_known();
    world.empty(2, 0);
    world.assert_known();
}
