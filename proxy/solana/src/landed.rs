//! A landed transaction as the indexer reads it.

use parhelion_core::cluster::{LandedInstruction, LandedTransaction};
use solana_address::Address;
use solana_message::VersionedMessage;
use solana_transaction::versioned::VersionedTransaction;

/// An instruction that a top-level instruction invoked.
pub(crate) struct Inner {
    /// Index of the top-level instruction.
    pub(crate) index: usize,
    /// Index of its program among the transaction's addresses.
    pub(crate) program: usize,
    /// Its data.
    pub(crate) data: Vec<u8>,
}

/// Whether the transaction names the program. What a transaction does not name, it cannot invoke.
pub(crate) fn mentions(message: &VersionedMessage, loaded: &[Address], program_id: &Address) -> bool {
    message.static_account_keys().contains(program_id) || loaded.contains(program_id)
}

/// Puts a landed transaction together. `loaded` are the addresses from lookup tables (writable, then read-only),
/// `inner` the invoked instructions in the order in which they ran.
///
/// `None` when an index points behind the addresses: such a transaction cannot have landed.
pub(crate) fn transaction(
    transaction: &VersionedTransaction,
    loaded: &[Address],
    inner: impl IntoIterator<Item = Inner>,
    compute_units: u64,
) -> Option<LandedTransaction> {
    let message = &transaction.message;
    let fixed = message.static_account_keys();
    let address = |index: usize| fixed.iter().chain(loaded).nth(index).copied();
    let mut instructions = message
        .instructions()
        .iter()
        .map(|instruction| {
            Some(LandedInstruction {
                program_id: address(usize::from(instruction.program_id_index))?,
                accounts: instruction
                    .accounts
                    .iter()
                    .map(|&index| address(usize::from(index)))
                    .collect::<Option<_>>()?,
                data: instruction.data.clone(),
                inner: Vec::new(),
            })
        })
        .collect::<Option<Vec<_>>>()?;
    for Inner { index, program, data } in inner {
        instructions.get_mut(index)?.inner.push((address(program)?, data));
    }
    Some(LandedTransaction { signature: *transaction.signatures.first()?, compute_units, instructions })
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_hash::Hash;
    use solana_message::compiled_instruction::CompiledInstruction;
    use solana_message::{MessageHeader, v0};
    use solana_signature::Signature;

    #[test]
    fn addresses_from_lookup_tables_follow_the_fixed_ones() {
        let key = |byte| Address::new_from_array([byte; 32]);
        let message = VersionedMessage::V0(v0::Message {
            header: MessageHeader { num_required_signatures: 1, ..MessageHeader::default() },
            account_keys: vec![key(1), key(2)],
            recent_blockhash: Hash::default(),
            instructions: vec![CompiledInstruction::new_from_raw_parts(1, vec![5], vec![0, 3])],
            address_table_lookups: vec![],
        });
        let loaded = [key(3), key(4)];
        assert!(mentions(&message, &loaded, &key(2)) && mentions(&message, &loaded, &key(4)));
        assert!(!mentions(&message, &loaded, &key(5)));
        let signed = VersionedTransaction { signatures: vec![Signature::default()], message };
        let inner = |program| Inner { index: 0, program, data: vec![7] };
        let landed = transaction(&signed, &loaded, [inner(2), inner(1)], 9).expect("valid");
        let [instruction] = &landed.instructions[..] else { panic!("one instruction") };
        assert_eq!(instruction.accounts, [key(1), key(4)]);
        assert_eq!(instruction.inner, [(key(3), vec![7]), (key(2), vec![7])]);
        assert!(transaction(&signed, &loaded, [inner(4)], 9).is_none());
    }
}
