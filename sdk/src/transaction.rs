//! Solana transactions: their formats, their limits, signing.
//!
//! | | V1 | legacy, V0 |
//! |---|---|---|
//! | bytes | 4,096 | 1,232 |
//! | addresses | 64, all inline | 64 locks; with V0 most of them in lookup tables |
//! | limits ([`Budget`]) | in the header; *an unset one means 0* | in ComputeBudget instructions, put in front |
//! | instruction index 0 | the first instruction | the first ComputeBudget instruction, see [`Format::index_of_first`] |
//!
//! V1 is the normal way. The others are for clusters without V1: V0 where lookup tables help, legacy where they do not.

use solana_address::Address;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_message::v1::{self, TransactionConfig};
use solana_message::{AddressLookupTableAccount, CompileError, Message, VersionedMessage, v0};
use solana_signer::{SignerError, signers::Signers};
use solana_transaction::versioned::VersionedTransaction;

/// Bytes of a V1 transaction, signatures included.
pub const V1_BYTES_MAX: usize = v1::MAX_TRANSACTION_SIZE;
/// Bytes of a V0 (or legacy) transaction, signatures included: one network packet.
pub const V0_BYTES_MAX: usize = 1232;
/// Accounts that one transaction may lock, in either format; a V1 message lists no more addresses than that.
pub const ADDRESSES_MAX: usize = v1::MAX_ADDRESSES as usize;
/// Slots after its deactivation until a lookup table can be closed: until no leader may find its addresses any more, 513,
/// and a few for a clock that is read a little late.
pub const TABLE_COOLDOWN_SLOTS: u64 = 520;
/// Compute units of one transaction.
pub const COMPUTE_UNITS_MAX: u32 = 1_400_000;
/// Bytes of heap that a program may ask for. The least, and what it gets without asking, is [`HEAP_BYTES_MIN`].
pub const HEAP_BYTES_MAX: u32 = v1::MAX_HEAP_SIZE;
/// Bytes of heap without a request.
pub const HEAP_BYTES_MIN: u32 = v1::MIN_HEAP_SIZE;
/// Bytes of account data, the programs' included, that one transaction may load.
pub const LOADED_DATA_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// What a transaction may use, and what it pays to be preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Compute units, at most [`COMPUTE_UNITS_MAX`].
    pub compute_units: u32,
    /// Heap bytes of each program: a multiple of 1024 from [`HEAP_BYTES_MIN`] to [`HEAP_BYTES_MAX`].
    pub heap_bytes: u32,
    /// Bytes of account data to load, at most [`LOADED_DATA_BYTES_MAX`]. The program's own code counts.
    pub loaded_data_bytes: u32,
    /// Lamports on top of the fee for signatures.
    pub priority_fee_lamports: u64,
}

impl Budget {
    /// Everything that a transaction can have, and no priority fee.
    pub const MAX: Self = Self {
        compute_units: COMPUTE_UNITS_MAX,
        heap_bytes: HEAP_BYTES_MAX,
        loaded_data_bytes: LOADED_DATA_BYTES_MAX,
        priority_fee_lamports: 0,
    };

    /// The header of a V1 message. Every limit is set, because an unset one means 0.
    const fn config(&self) -> TransactionConfig {
        let config = TransactionConfig::empty()
            .with_compute_unit_limit(self.compute_units)
            .with_loaded_accounts_data_size_limit(self.loaded_data_bytes)
            .with_heap_size(self.heap_bytes);
        match self.priority_fee_lamports {
            0 => config,
            fee => config.with_priority_fee(fee),
        }
    }

    /// The same as instructions, for V0. The fee becomes a price per compute unit, rounded up.
    fn instructions(&self) -> Vec<Instruction> {
        let mut instructions = vec![
            ComputeBudgetInstruction::set_compute_unit_limit(self.compute_units),
            ComputeBudgetInstruction::request_heap_frame(self.heap_bytes),
            ComputeBudgetInstruction::set_loaded_accounts_data_size_limit(self.loaded_data_bytes),
        ];
        if self.priority_fee_lamports > 0 {
            let micro_lamports = u128::from(self.priority_fee_lamports) * 1_000_000;
            let price = micro_lamports.div_ceil(u128::from(self.compute_units.max(1)));
            let price = u64::try_from(price).unwrap_or(u64::MAX);
            instructions.push(ComputeBudgetInstruction::set_compute_unit_price(price));
        }
        instructions
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::MAX
    }
}

/// The format of a transaction.
#[derive(Clone, Copy, Debug, Default)]
pub enum Format<'a> {
    /// Transaction format V1.
    #[default]
    V1,
    /// Transaction format V0, with those of these lookup tables that are of use; the legacy format where none is.
    V0(&'a [AddressLookupTableAccount]),
}

impl Format<'_> {
    /// The most bytes of a transaction.
    #[must_use]
    pub const fn bytes_max(&self) -> usize {
        match self {
            Self::V1 => V1_BYTES_MAX,
            Self::V0(_) => V0_BYTES_MAX,
        }
    }

    /// The index, in the transaction, of the first of the instructions given to [`sign`].
    ///
    /// Instructions that point at others, as [`crate::instruction::secp256k1_proof`] does, add it to their index.
    #[must_use]
    pub fn index_of_first(&self, budget: &Budget) -> u8 {
        match self {
            Self::V1 => 0,
            Self::V0(_) => budget.instructions().len() as u8,
        }
    }
}

/// Why instructions do not make a transaction.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// It would be larger than its format allows.
    #[error(
        "the Solana transaction would have {size} bytes, at most {max} are allowed: send less in one \
         instruction, or write the Ethereum transaction into a holder first"
    )]
    TooLarge {
        /// Its size in bytes, signatures included; of the data alone if that is too much already.
        size: usize,
        /// The most that the format allows.
        max: usize,
    },
    /// It would lock more accounts than allowed.
    #[error("the Solana transaction would lock {count} accounts, at most {max} are allowed")]
    TooManyAccounts {
        /// How many it would lock.
        count: usize,
        /// The most that are allowed.
        max: usize,
    },
    /// It breaks another rule of its format.
    #[error("the instructions make no valid Solana transaction: {0}")]
    Invalid(String),
    /// A signature is missing or one too many.
    #[error(
        "the Solana transaction cannot be signed: {0}; sign with exactly the keys that its instructions name"
    )]
    Sign(#[from] SignerError),
}

impl From<CompileError> for BuildError {
    fn from(error: CompileError) -> Self {
        Self::Invalid(error.to_string())
    }
}

/// Builds a transaction that runs `instructions` and signs it with `signers`, which are exactly those that the
/// instructions name, and `payer`.
///
/// ```
/// use parhelion_sdk::transaction::{Budget, Format, V1_BYTES_MAX, sign, size};
/// use solana_hash::Hash;
/// use solana_keypair::Keypair;
/// use solana_signer::Signer;
///
/// let payer = Keypair::new();
/// let transfer =
///     solana_system_interface::instruction::transfer(&payer.pubkey(), &Keypair::new().pubkey(), 1);
/// let budget = Budget { compute_units: 150, ..Budget::MAX };
/// let transaction = sign(&[transfer], &payer.pubkey(), &[&payer], Hash::default(), &budget, Format::V1)?;
/// assert!(size(&transaction) < V1_BYTES_MAX);
/// # Ok::<(), parhelion_sdk::transaction::BuildError>(())
/// ```
///
/// # Errors
/// [`BuildError`].
pub fn sign(
    instructions: &[Instruction],
    payer: &Address,
    signers: &(impl Signers + ?Sized),
    blockhash: Hash,
    budget: &Budget,
    format: Format<'_>,
) -> Result<VersionedTransaction, BuildError> {
    let message = compile(instructions, payer, blockhash, budget, format)?;
    Ok(VersionedTransaction::try_new(message, signers)?)
}

/// The message of a transaction that runs `instructions`, ready to be signed, within the limits of its format.
///
/// # Errors
/// As [`sign`], but for missing signatures.
pub fn compile(
    instructions: &[Instruction],
    payer: &Address,
    blockhash: Hash,
    budget: &Budget,
    format: Format<'_>,
) -> Result<VersionedMessage, BuildError> {
    let message = compile_unchecked(instructions, payer, blockhash, budget, format)?;
    let count = locks(&message);
    if count > ADDRESSES_MAX {
        return Err(BuildError::TooManyAccounts { count, max: ADDRESSES_MAX });
    }
    let max = format.bytes_max();
    // First, because a length beyond 16 bits cannot even be written, and is no other mistake than this one.
    let data: usize = instructions.iter().map(|instruction| instruction.data.len()).sum();
    if data > max {
        return Err(BuildError::TooLarge { size: data, max });
    }
    message.sanitize().map_err(|error| BuildError::Invalid(explain(&message, error.to_string())))?;
    let size = signed_size(&message);
    if size > max { Err(BuildError::TooLarge { size, max }) } else { Ok(message) }
}

/// By how many bytes the data of one of the `instructions` may grow until the transaction is full; 0 when it is.
///
/// With an empty [`crate::instruction::holder_write`] this is the largest piece that fits.
///
/// # Errors
/// As [`compile`], but never [`BuildError::TooLarge`].
pub fn room(
    instructions: &[Instruction],
    payer: &Address,
    budget: &Budget,
    format: Format<'_>,
) -> Result<usize, BuildError> {
    /// Bytes by which the compact length of an instruction's data may grow with it in V0.
    const COMPACT_LENGTH_GROWTH: usize = 2;
    match compile(instructions, payer, Hash::default(), budget, format) {
        Err(BuildError::TooLarge { .. }) => Ok(0),
        Err(error) => Err(error),
        Ok(message) => {
            let free = format.bytes_max().saturating_sub(signed_size(&message));
            Ok(match format {
                Format::V1 => free,
                Format::V0(_) => free.saturating_sub(COMPACT_LENGTH_GROWTH),
            })
        }
    }
}

/// Bytes of a transaction on the wire.
#[must_use]
pub fn size(transaction: &VersionedTransaction) -> usize {
    let signatures = transaction.signatures.len();
    wire_size(&transaction.message, signatures)
}

/// Bytes that `message` will have on the wire once it is signed.
#[must_use]
pub fn signed_size(message: &VersionedMessage) -> usize {
    wire_size(message, usize::from(message.header().num_required_signatures))
}

/// Accounts that the transaction of `message` locks: its addresses and those that it looks up.
#[must_use]
pub fn locks(message: &VersionedMessage) -> usize {
    let lookups = message.address_table_lookups().unwrap_or_default();
    let looked_up: usize =
        lookups.iter().map(|lookup| lookup.writable_indexes.len() + lookup.readonly_indexes.len()).sum();
    message.static_account_keys().len() + looked_up
}

fn compile_unchecked(
    instructions: &[Instruction],
    payer: &Address,
    blockhash: Hash,
    budget: &Budget,
    format: Format<'_>,
) -> Result<VersionedMessage, CompileError> {
    match format {
        Format::V1 => {
            let config = budget.config();
            let message = v1::Message::try_compile_with_config(payer, instructions, blockhash, config)?;
            Ok(VersionedMessage::V1(message))
        }
        Format::V0(tables) => {
            let instructions = [&budget.instructions(), instructions].concat();
            let message = v0::Message::try_compile(payer, &instructions, tables, blockhash)?;
            Ok(match message.address_table_lookups.is_empty() {
                true => VersionedMessage::Legacy(legacy(message)),
                false => VersionedMessage::V0(message),
            })
        }
    }
}

/// The same message in the legacy format; it looks nothing up.
fn legacy(message: v0::Message) -> Message {
    let v0::Message { header, account_keys, recent_blockhash, instructions, .. } = message;
    Message { header, account_keys, recent_blockhash, instructions }
}

fn wire_size(message: &VersionedMessage, signatures: usize) -> usize {
    // V0 writes the number of signatures in front of them: one byte below 128, and more are never valid. V1 does
    // not, its header has the number.
    let count = usize::from(!matches!(message, VersionedMessage::V1(_)));
    count + signatures * v1::SIGNATURE_SIZE + message.serialize().len()
}

/// V1 says more precisely than [`VersionedMessage::sanitize`] what is wrong.
fn explain(message: &VersionedMessage, otherwise: String) -> String {
    match message {
        VersionedMessage::V1(message) => {
            message.validate().err().map_or(otherwise, |error| error.to_string())
        }
        _ => otherwise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_keypair::Keypair;
    use solana_signer::Signer;
    use solana_system_interface::instruction::transfer;

    const TIGHT: Budget = Budget {
        compute_units: 1_000,
        heap_bytes: 64 * 1024,
        loaded_data_bytes: 1 << 20,
        priority_fee_lamports: 3,
    };

    fn with_data(payer: &Keypair, length: usize) -> Vec<Instruction> {
        let program = Address::new_from_array([9; 32]);
        let accounts = vec![solana_instruction::AccountMeta::new(payer.pubkey(), true)];
        vec![Instruction { program_id: program, accounts, data: vec![7; length] }]
    }

    #[test]
    fn sizes_are_those_of_the_wire_and_every_limit_is_set() {
        let payer = Keypair::new();
        let instructions = [transfer(&payer.pubkey(), &Address::new_from_array([1; 32]), 5)];
        for format in [Format::V1, Format::V0(&[])] {
            let transaction =
                sign(&instructions, &payer.pubkey(), &[&payer], Hash::default(), &TIGHT, format)
                    .expect("valid");
            let wire = wincode::serialize(&transaction).expect("serializes");
            assert_eq!(size(&transaction), wire.len());
            assert_eq!(signed_size(&transaction.message), wire.len());
            let read: VersionedTransaction = wincode::deserialize(&wire).expect("reads back");
            assert_eq!(read, transaction);
            let first = usize::from(format.index_of_first(&TIGHT));
            assert_eq!(transaction.message.instructions()[first].data, instructions[0].data);
        }
        let message = compile(&instructions, &payer.pubkey(), Hash::default(), &TIGHT, Format::V1);
        let Ok(VersionedMessage::V1(message)) = message else { panic!("V1") };
        assert_eq!(message.config.compute_unit_limit, Some(1_000));
        assert_eq!(message.config.heap_size, Some(64 * 1024));
        assert_eq!(message.config.loaded_accounts_data_size_limit, Some(1 << 20));
        assert_eq!(message.config.priority_fee, Some(3));
        // 3 lamports for 1000 units are 3000 millionths of a lamport a unit.
        assert_eq!(TIGHT.instructions()[3], ComputeBudgetInstruction::set_compute_unit_price(3_000));
    }

    #[test]
    fn the_largest_piece_fits_and_one_byte_more_does_not() {
        let payer = Keypair::new();
        for (format, max) in [(Format::V1, V1_BYTES_MAX), (Format::V0(&[]), V0_BYTES_MAX)] {
            let build = |length| {
                compile(&with_data(&payer, length), &payer.pubkey(), Hash::default(), &TIGHT, format)
            };
            let room = room(&with_data(&payer, 0), &payer.pubkey(), &TIGHT, format).expect("valid");
            let message = build(room).expect("fits");
            assert!(max - signed_size(&message) <= 1, "{room}");
            let too_large = build(room + 2).expect_err("too large");
            assert!(
                matches!(too_large, BuildError::TooLarge { size, max: limit } if size > max && limit == max)
            );
            // Also beyond the lengths that the format can express.
            for length in [5000, 65_535, 65_536, 200_000] {
                let error = build(length).expect_err("too large");
                assert!(
                    matches!(error, BuildError::TooLarge { size, .. } if size >= length),
                    "{length}: {error}"
                );
                let room = super::room(&with_data(&payer, length), &payer.pubkey(), &TIGHT, format);
                assert_eq!(room.ok(), Some(0), "{length}");
            }
        }
    }

    #[test]
    fn too_many_accounts_and_wrong_signers_are_told() {
        let payer = Keypair::new();
        let mut instructions = with_data(&payer, 1);
        for byte in 0..62 {
            let address = Address::new_from_array([100 + byte; 32]);
            instructions[0].accounts.push(solana_instruction::AccountMeta::new(address, false));
        }
        let build = |instructions: &[Instruction]| {
            compile(instructions, &payer.pubkey(), Hash::default(), &TIGHT, Format::V1)
        };
        assert_eq!(locks(&build(&instructions).expect("64 accounts are allowed")), ADDRESSES_MAX);
        let more = solana_instruction::AccountMeta::new(Address::new_from_array([99; 32]), false);
        instructions[0].accounts.push(more);
        let error = build(&instructions).expect_err("65 are not");
        assert!(matches!(error, BuildError::TooManyAccounts { count: 65, max: 64 }), "{error}");

        let uneven = Budget { heap_bytes: 33_000, ..TIGHT };
        let error = compile(&with_data(&payer, 1), &payer.pubkey(), Hash::default(), &uneven, Format::V1)
            .expect_err("heap size");
        assert!(error.to_string().contains("multiple of 1024"), "{error}");

        let stranger = Keypair::new();
        let sign_with = |signers: &[&Keypair]| {
            sign(&with_data(&payer, 1), &payer.pubkey(), signers, Hash::default(), &TIGHT, Format::V1)
        };
        assert!(matches!(sign_with(&[&stranger]), Err(BuildError::Sign(_))));
        assert!(matches!(sign_with(&[&payer, &stranger]), Err(BuildError::Sign(_))));
        assert!(sign_with(&[&payer]).is_ok());
    }

    #[test]
    fn lookup_tables_count_as_locks() {
        let payer = Keypair::new();
        let mut instructions = with_data(&payer, 1);
        let addresses: Vec<_> = (0..60).map(|byte| Address::new_from_array([100 + byte; 32])).collect();
        for address in &addresses {
            instructions[0].accounts.push(solana_instruction::AccountMeta::new(*address, false));
        }
        let table = AddressLookupTableAccount { key: Address::new_from_array([8; 32]), addresses };
        let format = Format::V0(std::slice::from_ref(&table));
        let message = compile(&instructions, &payer.pubkey(), Hash::default(), &TIGHT, format).expect("fits");
        // The payer, the program, the ComputeBudget program and 60 from the table.
        assert_eq!(locks(&message), 63);
        assert!(matches!(message, VersionedMessage::V0(_)));
        let few = compile(&with_data(&payer, 1), &payer.pubkey(), Hash::default(), &TIGHT, format);
        assert!(matches!(few, Ok(VersionedMessage::Legacy(_))), "the table is of no use");
        let inline = compile(&instructions, &payer.pubkey(), Hash::default(), &TIGHT, Format::V0(&[]));
        assert!(matches!(inline, Err(BuildError::TooLarge { .. })));
    }
}
