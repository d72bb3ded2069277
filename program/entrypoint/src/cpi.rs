//! Invocations of other programs, through the C interface of the runtime: nothing is copied but what the callee
//! needs. An invocation costs 946 CU and the callee's own.

use crate::account::{Account, RawAccount, SYSTEM_PROGRAM};
use alloc::vec::Vec;
use core::marker::PhantomData;
use parhelion_wire::{ProgramError, Pubkey};
use solana_define_syscall::definitions::sol_invoke_signed_c;

/// `SolInstruction` of the C interface.
#[repr(C)]
struct Instruction<'a> {
    program_id: *const Pubkey,
    accounts: *const Meta,
    accounts_length: u64,
    data: *const u8,
    data_length: u64,
    lifetime: PhantomData<&'a u8>,
}

/// `SolAccountMeta`.
#[repr(C)]
struct Meta {
    key: *const Pubkey,
    is_writable: bool,
    is_signer: bool,
}

/// `SolAccountInfo`.
#[repr(C)]
struct Info {
    key: *const Pubkey,
    lamports: *mut u64,
    data_length: u64,
    data: *mut u8,
    owner: *const Pubkey,
    rent_epoch: u64,
    is_signer: bool,
    is_writable: bool,
    is_executable: bool,
}

/// An account as the callee shall see it.
pub(crate) struct Argument<'a, 'c> {
    pub(crate) account: &'a Account<'c>,
    pub(crate) is_writable: bool,
    pub(crate) is_signer: bool,
}

/// Seeds of a program-derived address that signs.
pub(crate) type Seeds<'a> = &'a [&'a [u8]];

/// Invokes `program` with `arguments`; `signers` sign as program-derived addresses.
///
/// # Errors
/// When the runtime refuses the call itself; a failure of the callee ends the Solana transaction.
pub(crate) fn invoke(
    program: &Pubkey,
    arguments: &[Argument<'_, '_>],
    data: &[u8],
    signers: &[Seeds<'_>],
) -> Result<(), ProgramError> {
    let metas: Vec<Meta> = arguments
        .iter()
        .map(|argument| Meta {
            key: argument.account.key(),
            is_writable: argument.is_writable,
            is_signer: argument.is_signer,
        })
        .collect();
    let infos: Vec<Info> = arguments.iter().map(|argument| info(argument.account)).collect();
    let instruction = Instruction {
        program_id: program,
        accounts: metas.as_ptr(),
        accounts_length: metas.len() as u64,
        data: data.as_ptr(),
        data_length: data.len() as u64,
        lifetime: PhantomData,
    };
    // SAFETY: the structures are laid out as the C interface says, their pointers are valid for the call, and seeds
    // are arrays of (address, length) pairs, which is how slices are laid out. No reference into an account's data is
    // alive: callers invoke before they borrow.
    let status = unsafe {
        sol_invoke_signed_c(
            (&raw const instruction).cast(),
            infos.as_ptr().cast(),
            infos.len() as u64,
            signers.as_ptr().cast(),
            signers.len() as u64,
        )
    };
    if status == 0 { Ok(()) } else { Err(ProgramError::InvalidArgument) }
}

fn info(account: &Account<'_>) -> Info {
    let raw: *mut RawAccount = account.as_ptr();
    // SAFETY: `raw` points to an account of the runtime's input.
    unsafe {
        Info {
            key: &raw const (*raw).key,
            lamports: &raw mut (*raw).lamports,
            data_length: (*raw).data_length,
            data: account.data_ptr(),
            owner: &raw const (*raw).owner,
            rent_epoch: 0,
            is_signer: account.is_signer(),
            is_writable: account.is_writable(),
            is_executable: account.is_executable(),
        }
    }
}

/// Tags of the System program's instructions.
mod system {
    pub(super) const ASSIGN: u32 = 1;
    pub(super) const TRANSFER: u32 = 2;
    pub(super) const CREATE_WITH_SEED: u32 = 3;
    pub(super) const ALLOCATE: u32 = 8;
    pub(super) const ALLOCATE_WITH_SEED: u32 = 9;
}

/// Moves lamports from an account that signed.
///
/// # Errors
/// [`ProgramError::OperatorFunds`] when it has too few.
pub(crate) fn transfer(from: &Account<'_>, to: &Account<'_>, lamports: u64) -> Result<(), ProgramError> {
    if from.lamports() < lamports {
        return Err(ProgramError::OperatorFunds);
    }
    let mut data = [0; 12];
    data[..4].copy_from_slice(&system::TRANSFER.to_le_bytes());
    data[4..].copy_from_slice(&lamports.to_le_bytes());
    let arguments = [
        Argument { account: from, is_writable: true, is_signer: true },
        Argument { account: to, is_writable: true, is_signer: false },
    ];
    invoke(&SYSTEM_PROGRAM, &arguments, &data, &[])
}

/// Where a new account is derived from.
pub(crate) enum Derivation<'a, 'c> {
    /// With a seed from a base that signs with seeds.
    WithSeed { base: &'a Account<'c>, seed: &'a [u8], base_seeds: Seeds<'a> },
    /// From the program, with these seeds.
    Program { seeds: Seeds<'a> },
}

/// Makes an account exist: rent-exempt, zeroed, owned by this program.
///
/// Anybody may have sent lamports to the address before; then the System program's one-step creation refuses, and
/// the steps are taken one by one.
///
/// # Errors
/// [`ProgramError::OperatorFunds`].
pub(crate) fn create(
    payer: &Account<'_>,
    account: &Account<'_>,
    derivation: &Derivation<'_, '_>,
    length: usize,
    lamports: u64,
    program_id: &Pubkey,
) -> Result<(), ProgramError> {
    match derivation {
        Derivation::WithSeed { base, seed, base_seeds } => {
            let prefunded = account.lamports();
            let mut data = Vec::with_capacity(128);
            let base_argument = Argument { account: base, is_writable: false, is_signer: true };
            let account_argument = Argument { account, is_writable: true, is_signer: false };
            if prefunded == 0 {
                if payer.lamports() < lamports {
                    return Err(ProgramError::OperatorFunds);
                }
                with_seed(&mut data, system::CREATE_WITH_SEED, base.key(), seed);
                data.extend_from_slice(&lamports.to_le_bytes());
                data.extend_from_slice(&(length as u64).to_le_bytes());
                data.extend_from_slice(program_id);
                let payer = Argument { account: payer, is_writable: true, is_signer: true };
                return invoke(
                    &SYSTEM_PROGRAM,
                    &[payer, account_argument, base_argument],
                    &data,
                    &[base_seeds],
                );
            }
            if prefunded < lamports {
                transfer(payer, account, lamports - prefunded)?;
            }
            with_seed(&mut data, system::ALLOCATE_WITH_SEED, base.key(), seed);
            data.extend_from_slice(&(length as u64).to_le_bytes());
            data.extend_from_slice(program_id);
            invoke(&SYSTEM_PROGRAM, &[account_argument, base_argument], &data, &[base_seeds])
        }
        Derivation::Program { seeds } => {
            let missing = lamports.saturating_sub(account.lamports());
            if missing > 0 {
                transfer(payer, account, missing)?;
            }
            let mut data = [0; 12];
            data[..4].copy_from_slice(&system::ALLOCATE.to_le_bytes());
            data[4..].copy_from_slice(&(length as u64).to_le_bytes());
            let argument = || Argument { account, is_writable: true, is_signer: true };
            invoke(&SYSTEM_PROGRAM, &[argument()], &data, &[seeds])?;
            let mut data = [0; 36];
            data[..4].copy_from_slice(&system::ASSIGN.to_le_bytes());
            data[4..].copy_from_slice(program_id);
            invoke(&SYSTEM_PROGRAM, &[argument()], &data, &[seeds])
        }
    }
}

/// The beginning of an instruction with a seed: tag, base, seed with its length.
fn with_seed(data: &mut Vec<u8>, tag: u32, base: &Pubkey, seed: &[u8]) {
    data.extend_from_slice(&tag.to_le_bytes());
    data.extend_from_slice(base);
    data.extend_from_slice(&(seed.len() as u64).to_le_bytes());
    data.extend_from_slice(seed);
}
