//! `holder_create`, `holder_write`, `holder_close`: transactions larger than a Solana transaction.

use super::of_program;
use crate::address::holder_address;
use parhelion_wire::address::{Deployment, Seed};
use parhelion_wire::instruction::{HolderClose, HolderCreate, HolderWrite};
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};

/// Creates the operator's holder `index`, an account of `length` bytes ([`parhelion_wire::account::Holder::account_length`],
/// or for a run in steps [`parhelion_wire::account::Run::account_length`]): two instructions, to be put into one
/// transaction in this order.
///
/// The first is the System program's (an account created that way is not bound to the 10,240 bytes by which a
/// program may grow one); `lamports` is the rent exemption of `length` bytes. The second hands the
/// account over to the program.
#[must_use]
pub fn holder_create(
    deployment: &Deployment,
    operator: &Address,
    index: u32,
    length: usize,
    lamports: u64,
) -> [Instruction; 2] {
    let holder = holder_address(deployment, operator, index);
    let create = solana_system_interface::instruction::create_account_with_seed(
        operator,
        &holder,
        operator,
        Seed::of_holder(index).as_str(),
        lamports,
        length as u64,
        &Address::new_from_array(deployment.program_id),
    );
    let accounts = vec![AccountMeta::new_readonly(*operator, true), AccountMeta::new(holder, false)];
    [create, of_program(deployment, accounts, HolderCreate { index }.encode().to_vec())]
}

/// Writes `bytes` at `offset` of an envelope of `length` bytes. The pieces of an envelope may land in any order.
#[must_use]
pub fn holder_write(
    deployment: &Deployment,
    operator: &Address,
    index: u32,
    length: u32,
    offset: u32,
    bytes: &[u8],
) -> Instruction {
    let holder = holder_address(deployment, operator, index);
    let accounts = vec![AccountMeta::new_readonly(*operator, true), AccountMeta::new(holder, false)];
    let prefix = HolderWrite { length, offset, bytes }.prefix();
    of_program(deployment, accounts, [&prefix[..], bytes].concat())
}

/// Closes the operator's holder `index`; its lamports go back to the operator.
#[must_use]
pub fn holder_close(deployment: &Deployment, operator: &Address, index: u32) -> Instruction {
    close_holder(deployment, operator, holder_address(deployment, operator, index))
}

/// [`holder_close`] by the holder's address.
#[must_use]
pub fn close_holder(deployment: &Deployment, operator: &Address, holder: Address) -> Instruction {
    let accounts = vec![AccountMeta::new(*operator, true), AccountMeta::new(holder, false)];
    of_program(deployment, accounts, HolderClose.encode().to_vec())
}
