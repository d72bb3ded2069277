//! Which Solana transactions execute an Ethereum transaction: a pure function.

use alloy_primitives::{Address as EthereumAddress, B256};
use parhelion_core::emulator::{AccountUse, CodeUse, Emulation};
use parhelion_core::relay::RelayError;
use parhelion_sdk::address::holder_address;
use parhelion_sdk::instruction::{
    RunAccount, SignatureProof, code_reserve, execute, execute_from_holder, holder_close, holder_create,
    holder_write, secp256k1_proof,
};
use parhelion_sdk::transaction::{ADDRESSES_MAX, Budget, BuildError, Format, compile, room};
use parhelion_wire::account::{Code, GROWTH_MAX, Holder};
use parhelion_wire::address::Deployment;
use solana_address::Address;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_sdk_ids::sysvar::instructions;
use std::cmp::Reverse;

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The deployment.
    pub deployment: &'a Deployment,
    /// Who signs and pays.
    pub operator: Address,
    /// COINBASE.
    pub coinbase: EthereumAddress,
    /// The signed transaction, as the program receives it.
    pub envelope: &'a [u8],
    /// What its emulation found out.
    pub emulation: &'a Emulation,
    /// The holder to use if one is needed.
    pub holder: HolderState,
    /// The format of all transactions.
    pub format: Format<'a>,
}

/// The state of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HolderState {
    /// Which of the operator's.
    pub index: u32,
    /// Bytes of its account, or `None` when it does not exist.
    pub length: Option<usize>,
    /// Bytes that it has to have: for the envelope, and for what a run in steps keeps behind it.
    pub needed: usize,
    /// Lamports that exempt so many bytes from rent.
    pub lamports: u64,
}

/// One step: transactions of a step do not depend on one another.
pub type Step = Vec<Vec<Instruction>>;

/// Solana transactions, of which the last one has other instructions beside the end of the envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Steps to take first, one after another.
    pub before: Vec<Step>,
    /// The instructions of the last one.
    pub last: Vec<Instruction>,
}

/// The Solana transactions that execute an Ethereum transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Steps to take first, one after another.
    pub before: Vec<Step>,
    /// The instructions of the transaction that executes.
    pub last: Vec<Instruction>,
    /// Whether the envelope goes through the holder.
    pub uses_holder: bool,
    /// Whether a secp256k1 instruction proves the sender, or the program recovers it.
    pub is_proven: bool,
    /// How many translations the last transaction lists.
    pub translations: usize,
}

impl Plan {
    /// How many Solana transactions it takes.
    #[must_use]
    pub fn transactions(&self) -> usize {
        self.before.iter().map(Vec::len).sum::<usize>() + 1
    }
}

/// Makes the shortest plan, and lists the translations of the codes that run as far as that changes nothing else.
///
/// A translation is a cache. So one is left out where it would make the plan longer, take the room of the signature's
/// proof, or be an account too many; those of the codes that weigh least are left out first.
///
/// # Errors
/// [`RelayError::DoesNotFit`] when the run needs more accounts than one Solana transaction locks.
pub fn plan(request: &Request<'_>) -> Result<Plan, RelayError> {
    let holder = holder_address(request.deployment, &request.operator, request.holder.index);
    let uses = &request.emulation.accounts;
    let accounts = run_accounts(request.deployment, &request.operator, &holder, uses);
    let without = plan_with(request, &accounts)?;
    let translations = translations(request);
    for count in (1..=translations.len()).rev() {
        let accounts = [&accounts[..], &translations[..count]].concat();
        if let Ok(with) = plan_with(request, &accounts)
            && with.transactions() == without.transactions()
            && with.is_proven == without.is_proven
        {
            return Ok(Plan { translations: count, ..with });
        }
    }
    Ok(without)
}

/// The shortest plan with these accounts.
fn plan_with(request: &Request<'_>, accounts: &[RunAccount]) -> Result<Plan, RelayError> {
    let reserves = reserves(request.deployment, &request.operator, request.emulation);
    for is_proven in [true, false] {
        let last = [reserves.clone(), direct(request, accounts, is_proven, reserves.len())].concat();
        let fits = match fits(request, &last) {
            // The proof takes two addresses of its own; without it there may be few enough.
            Err(RelayError::DoesNotFit { .. }) if is_proven => false,
            other => other?,
        };
        if fits {
            return Ok(Plan { before: Vec::new(), last, uses_holder: false, is_proven, translations: 0 });
        }
    }
    let from_holder = [
        execute_from_holder(
            request.deployment,
            &request.operator,
            request.coinbase,
            request.holder.index,
            accounts,
        ),
        holder_close(request.deployment, &request.operator, request.holder.index),
    ];
    let mut last = [&reserves[..], &from_holder[..]].concat();
    let reserves_ahead = !fits(request, &last)?;
    if reserves_ahead {
        // What is left is as small as it gets.
        last = from_holder.to_vec();
    }
    let Written { mut before, last } = write_holder(request, &last)?;
    if reserves_ahead {
        before.push(vec![reserves]);
    }
    if fits(request, &last)? {
        return Ok(Plan { before, last, uses_holder: true, is_proven: false, translations: 0 });
    }
    Err(RelayError::DoesNotFit {
        needs: format!("{} accounts in one transaction", accounts.len()),
        limit: format!("{} bytes", request.format.bytes_max()),
    })
}

/// The accounts of a run, without those that stand in front of every run.
#[must_use]
pub fn run_accounts(
    deployment: &Deployment,
    operator: &Address,
    holder: &Address,
    uses: &[AccountUse],
) -> Vec<RunAccount> {
    let fixed = [operator.to_bytes(), deployment.config, deployment.program_id, holder.to_bytes()];
    let uses = uses.iter().filter(|used| !fixed.contains(&used.address));
    uses.map(|used| RunAccount { address: used.address.into(), writable: used.writable }).collect()
}

/// The translations that can run, those of the heaviest codes first.
#[must_use]
pub fn translations(request: &Request<'_>) -> Vec<RunAccount> {
    let mut codes: Vec<_> = request.emulation.codes.iter().collect();
    codes.sort_by_key(|code| Reverse(code.weight()));
    let addresses = codes.into_iter().filter_map(CodeUse::complete_translation);
    addresses.map(|address| RunAccount::read(address.into())).take(ADDRESSES_MAX).collect()
}

/// Reservations for codes that are longer than an account may grow in the executing instruction itself.
#[must_use]
pub fn reserves(deployment: &Deployment, operator: &Address, emulation: &Emulation) -> Vec<Instruction> {
    let mut instructions = Vec::new();
    for (hash, length) in &emulation.deployed_codes {
        let ahead = Code::account_length(*length).saturating_sub(GROWTH_MAX);
        let reserve = code_reserve(deployment, operator, B256::from(hash.0), *length);
        instructions.extend(std::iter::repeat_n(reserve, ahead.div_ceil(GROWTH_MAX)));
    }
    instructions
}

/// The instruction that executes a transaction and recovers its sender, among others in one Solana transaction; `None` if it
/// does not go without instructions or transactions before it.
#[must_use]
pub fn one_of_several(request: &Request<'_>) -> Option<Instruction> {
    let Request { deployment, operator, emulation, .. } = request;
    let holder = holder_address(deployment, operator, request.holder.index);
    let accounts = run_accounts(deployment, operator, &holder, &emulation.accounts);
    let needs_room = !reserves(deployment, operator, emulation).is_empty();
    (!needs_room).then(|| direct(request, &accounts, false, 0)).and_then(|mut alone| alone.pop())
}

/// `execute` with the envelope in its data, with or without a secp256k1 instruction in front.
fn direct(
    request: &Request<'_>,
    accounts: &[RunAccount],
    with_proof: bool,
    in_front: usize,
) -> Vec<Instruction> {
    // Indices fit a byte: a transaction has few instructions.
    let proof_index = in_front as u8 + request.format.index_of_first(&Budget::MAX);
    let proof = with_proof.then(|| secp256k1_proof(proof_index + 1, request.envelope.len()).ok()).flatten();
    let (proof_kind, mut accounts) = match proof {
        Some(_) => (SignatureProof::Instruction(proof_index), accounts.to_vec()),
        None => (SignatureProof::Recover, accounts.to_vec()),
    };
    if proof.is_some() {
        accounts.push(RunAccount::read(instructions::ID));
    }
    let execute = execute(
        request.deployment,
        &request.operator,
        request.coinbase,
        proof_kind,
        request.envelope,
        &accounts,
    );
    proof.into_iter().chain([execute]).collect()
}

/// Writes the envelope into the holder in front of `last`: all at once where that fits, otherwise the first step makes
/// room and writes what fits beside, the second one writes the rest, in any order, and the end goes with `last`.
///
/// # Errors
/// [`RelayError::DoesNotFit`].
pub fn write_holder(request: &Request<'_>, last: &[Instruction]) -> Result<Written, RelayError> {
    let Request { deployment, operator, envelope, holder, .. } = request;
    if envelope.len() > Holder::ENVELOPE_MAX {
        return Err(RelayError::DoesNotFit {
            needs: format!("{} bytes of transaction", envelope.len()),
            limit: format!("{} bytes", Holder::ENVELOPE_MAX),
        });
    }
    let length = envelope.len() as u32;
    let write = |offset: usize, bytes: &[u8]| {
        holder_write(deployment, operator, holder.index, length, offset as u32, bytes)
    };
    let mut first = Vec::new();
    if holder.length.is_none_or(|length| length < holder.needed) {
        if holder.length.is_some() {
            first.push(holder_close(deployment, operator, holder.index));
        }
        first.extend(holder_create(deployment, operator, holder.index, holder.needed, holder.lamports));
    }
    let at_once = [&first[..], &[write(0, envelope)], last].concat();
    // The holder is made by the System program, which may be an account too many.
    if fits(request, &at_once).unwrap_or(false) {
        return Ok(Written { before: Vec::new(), last: at_once });
    }
    let room = |instructions: &[Instruction]| {
        room(instructions, operator, &Budget::MAX, request.format).map_err(unbuildable)
    };
    let mut empty = first.clone();
    empty.push(write(0, &[]));
    let (head, tail) = envelope.split_at(room(&empty)?.min(envelope.len()));
    first.push(write(0, head));
    let at_the_end = room(&[&[write(0, &[])], last].concat())?.min(tail.len());
    let (middle, end) = tail.split_at(tail.len() - at_the_end);
    let piece = room(&[write(0, &[])])?.max(1);
    let rest: Step = middle
        .chunks(piece)
        .enumerate()
        .map(|(number, bytes)| vec![write(head.len() + number * piece, bytes)])
        .collect();
    let mut before = vec![vec![first]];
    if !rest.is_empty() {
        before.push(rest);
    }
    let end = (!end.is_empty()).then(|| write(envelope.len() - end.len(), end));
    Ok(Written { before, last: end.into_iter().chain(last.iter().cloned()).collect() })
}

/// Whether instructions fit one Solana transaction.
///
/// # Errors
/// [`RelayError::DoesNotFit`] when they name too many accounts.
pub fn fits(request: &Request<'_>, instructions: &[Instruction]) -> Result<bool, RelayError> {
    match compile(instructions, &request.operator, Hash::default(), &Budget::MAX, request.format) {
        Ok(_) => Ok(true),
        Err(BuildError::TooLarge { .. }) => Ok(false),
        Err(BuildError::TooManyAccounts { count, .. }) => Err(too_many_accounts(count)),
        Err(error) => Err(unbuildable(error)),
    }
}

/// Whether instructions fit one Solana transaction, whatever the reason when not.
pub(crate) fn fits_bare(instructions: &[Instruction], operator: &Address, format: Format<'_>) -> bool {
    compile(instructions, operator, Hash::default(), &Budget::MAX, format).is_ok()
}

fn too_many_accounts(count: usize) -> RelayError {
    RelayError::DoesNotFit { needs: format!("{count} accounts"), limit: format!("{ADDRESSES_MAX} accounts") }
}

pub(crate) fn unbuildable(error: BuildError) -> RelayError {
    RelayError::DoesNotFit { needs: error.to_string(), limit: "what its format allows".into() }
}
