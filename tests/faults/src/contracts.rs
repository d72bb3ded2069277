//! The contracts that the transactions call.

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolValue;
use parhelion_assembler::Code;
use parhelion_evm::opcode as op;
use parhelion_harness::chain::Chain;
use parhelion_harness::contracts::init_code;
use parhelion_harness::wallet::Wallet;

/// Gas of transactions with hardly any rent to pay.
pub const GAS: u64 = 6_000_000;
/// Gas with room for rent.
pub const RICH_GAS: u64 = 400_000_000;
/// Gas that long computations burn: some 1.8 million compute units, more than a Solana transaction has.
const BURNT: u64 = 240_000;
/// Gas that the shared contract burns: enough to be disturbed in the middle.
const SHARED_BURNT: u64 = 3 * BURNT;
/// Where the large memory is touched.
const MEMORY: u64 = 400_000;
/// Gas that a memory of that size takes.
const MEMORY_GAS: u64 = 343_000;
/// Addresses whose balances the spread contract looks at: too many for a Solana transaction.
const CROWD: u8 = 70;
/// Storage values that the trap looks for once it is sprung, and that do not exist.
const TRAPPED: u64 = 70;
/// What [`Contracts::shared`] and [`Contracts::trap`] hold in the beginning.
pub const FIRST_VALUE: u64 = 0x0101_0101_0101_0101;

/// Where the contracts are.
#[derive(Clone, Copy, Debug)]
pub struct Contracts {
    /// OpenZeppelin's ERC-20.
    pub token: Address,
    /// `Loops.sol`.
    pub loops: Address,
    /// Logs the hash of its call data.
    pub sink: Address,
    /// Stores a word that it is called with. Called without data, it reads that word, computes for long, reads it again
    /// and logs both.
    pub shared: Address,
    /// Computes for long with a large memory.
    pub memory: Address,
    /// Computes for long and reverts.
    pub reverter: Address,
    /// As [`Self::shared`], but instead of computing it reads more accounts than a Solana transaction lists.
    pub spread: Address,
    /// As [`Self::shared`], but in the end it needs more accounts that are not there than fit a Solana transaction, if the
    /// word has changed.
    pub trap: Address,
}

impl Contracts {
    /// Deploys them all, the token with `supply` for the deployer.
    ///
    /// # Errors
    /// When one does not land.
    pub fn deploy(chain: &mut Chain, wallet: &mut Wallet, supply: u64) -> anyhow::Result<Self> {
        let mut deploy = |init_code: Vec<u8>| {
            let address = wallet.address().create(wallet.nonce);
            chain.run(&wallet.send(None, U256::ZERO, init_code, RICH_GAS)).map(|_| address)
        };
        let token = [&init_code("Token")?[..], &U256::from(supply).abi_encode()].concat();
        let contracts = Self {
            token: deploy(token)?,
            loops: deploy(init_code("Loops")?.to_vec())?,
            sink: deploy(sink().init_code())?,
            shared: deploy(shared().init_code())?,
            memory: deploy(memory().init_code())?,
            reverter: deploy(reverter().init_code())?,
            spread: deploy(spread().init_code())?,
            trap: deploy(trap().init_code())?,
        };
        for number in 0..CROWD {
            chain.deposit(crowd(number), 1)?;
        }
        for contract in [contracts.shared, contracts.spread, contracts.trap] {
            let value = U256::from(FIRST_VALUE).abi_encode();
            chain.run(&wallet.send(Some(contract), U256::ZERO, value, RICH_GAS))?;
        }
        Ok(contracts)
    }
}

/// Appends a loop that burns gas.
fn burn(code: Code, burnt: u64) -> Code {
    // The gas limit less the least that a transaction takes.
    let until = GAS - 21_000 - burnt;
    let start = code.bytes().len() as u64;
    code.op(op::JUMPDEST).push(until).op(op::GAS).op(op::GT).push(start).op(op::JUMPI)
}

fn sink() -> Code {
    let data = Code::new().op(op::CALLDATASIZE).push(0).push(0).op(op::CALLDATACOPY);
    let hash = data.op(op::CALLDATASIZE).push(0).op(op::KECCAK256).push(0).op(op::MSTORE);
    hash.push(32).push(0).op(op::LOG0).op(op::STOP)
}

/// Stores the word that it is called with; what follows is run without one.
fn store() -> Code {
    const REST: u64 = 10;
    let code = Code::new().op(op::CALLDATASIZE).op(op::ISZERO).push(REST).op(op::JUMPI);
    let code = code.push(0).op(op::CALLDATALOAD).push(0).op(op::SSTORE).op(op::STOP);
    debug_assert_eq!(code.bytes().len() as u64, REST);
    code.op(op::JUMPDEST)
}

/// Puts the stored word into memory.
fn read(code: Code, place: u64) -> Code {
    code.push(0).op(op::SLOAD).push(place).op(op::MSTORE)
}

fn shared() -> Code {
    let code = read(burn(read(store(), 0), SHARED_BURNT), 32);
    code.push(64).push(0).op(op::LOG0).op(op::STOP)
}

fn memory() -> Code {
    let code = burn(Code::new().push(7).push(MEMORY).op(op::MSTORE), BURNT + MEMORY_GAS);
    code.push(MEMORY).op(op::MLOAD).return_top()
}

fn reverter() -> Code {
    burn(Code::new(), BURNT).push(0).push(0).op(op::REVERT)
}

fn spread() -> Code {
    let look = |code: Code, number: u8| {
        code.op(op::PUSH20).raw(crowd(number).as_slice()).op(op::BALANCE).op(op::POP)
    };
    let code = read((0..CROWD).fold(read(store(), 0), look), 32);
    code.push(64).push(0).op(op::LOG0).op(op::STOP)
}

/// The addresses that the spread contract looks at.
const fn crowd(number: u8) -> Address {
    Address::repeat_byte(0x80 + number)
}

fn trap() -> Code {
    let code = burn(store(), BURNT).push(FIRST_VALUE).push(0).op(op::SLOAD).op(op::EQ);
    // A jump over what follows: reads of nine bytes at most each.
    let sprung = (1..=TRAPPED).fold(Code::new(), |code, cell| code.push(cell << 8).op(op::SLOAD).op(op::POP));
    let push = [op::PUSH1 + 1];
    let end = (code.bytes().len() + 4 + sprung.bytes().len()) as u16;
    code.raw(&push).raw(&end.to_be_bytes()).op(op::JUMPI).raw(sprung.bytes()).op(op::JUMPDEST).op(op::STOP)
}
