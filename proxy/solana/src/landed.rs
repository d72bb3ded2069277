//! A landed transaction as the indexer reads it.

use parhelion_core::cluster::{Held, LandedInstruction, LandedTransaction};
use solana_address::Address;
use solana_message::VersionedMessage;
use solana_message::compiled_instruction::CompiledInstruction;
use solana_transaction::versioned::VersionedTransaction;

/// An instruction that was invoked below a top-level instruction.
pub(crate) struct Inner {
    /// Index of the top-level instruction.
    pub(crate) index: usize,
    /// The instruction itself; its indexes count the transaction's addresses, as those of a top-level one do.
    pub(crate) instruction: CompiledInstruction,
}

/// Whether the transaction names the program. What a transaction does not name, it cannot invoke.
pub(crate) fn mentions(message: &VersionedMessage, loaded: &[Address], program_id: &Address) -> bool {
    message.static_account_keys().contains(program_id) || loaded.contains(program_id)
}

/// The addresses of a transaction, as its instructions count them. `loaded` are those from lookup tables (writable, then
/// read-only).
pub(crate) fn addresses<'a>(
    message: &'a VersionedMessage,
    loaded: &'a [Address],
) -> impl Iterator<Item = &'a Address> {
    message.static_account_keys().iter().chain(loaded)
}

/// Puts a landed transaction together. `loaded` are the addresses from lookup tables (writable, then read-only),
/// `inner` the invoked instructions in the order in which they began, `lamports` what each of its [`addresses`] held before
/// and behind it.
///
/// `None` when an index points behind the addresses, or not each of them has its lamports: such a transaction cannot have
/// landed.
pub(crate) fn transaction(
    transaction: &VersionedTransaction,
    loaded: &[Address],
    inner: impl IntoIterator<Item = Inner>,
    compute_units: u64,
    lamports: &[(u64, u64)],
) -> Option<LandedTransaction> {
    let message = &transaction.message;
    let addresses: Vec<Address> = addresses(message, loaded).copied().collect();
    if addresses.len() != lamports.len() {
        return None;
    }
    let held = |(address, (before, after)): (&Address, &(u64, u64))| Held {
        address: *address,
        before: *before,
        after: *after,
    };
    let lamports = addresses.iter().zip(lamports).map(held).collect();
    let address = |index: u8| addresses.get(usize::from(index)).copied();
    let resolve = |instruction: CompiledInstruction| {
        Some(LandedInstruction {
            program_id: address(instruction.program_id_index)?,
            accounts: instruction.accounts.into_iter().map(address).collect::<Option<_>>()?,
            data: instruction.data,
            inner: Vec::new(),
        })
    };
    let mut instructions = message.instructions().iter().cloned().map(resolve).collect::<Option<Vec<_>>>()?;
    for Inner { index, instruction } in inner {
        instructions.get_mut(index)?.inner.push(resolve(instruction)?);
    }
    let signature = *transaction.signatures.first()?;
    Some(LandedTransaction { signature, compute_units, lamports, instructions })
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_hash::Hash;
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
        let inner = |program, accounts| Inner {
            index: 0,
            instruction: CompiledInstruction::new_from_raw_parts(program, vec![7], accounts),
        };
        let invoked = [inner(2, vec![3, 0, 3]), inner(1, vec![])];
        let lamports = [(1, 2), (3, 3), (0, 5), (7, 0)];
        let landed = transaction(&signed, &loaded, invoked, 9, &lamports).expect("valid");
        let held = |place: usize| (landed.lamports[place].before, landed.lamports[place].after);
        assert_eq!((landed.lamports[2].address, held(2), held(3)), (key(3), (0, 5), (7, 0)));
        let [instruction] = &landed.instructions[..] else { panic!("one instruction") };
        assert_eq!(instruction.accounts, [key(1), key(4)]);
        let expected =
            |program_id, accounts| LandedInstruction { program_id, accounts, data: vec![7], inner: vec![] };
        // Accounts keep their order, and those named twice are there twice.
        let with_accounts = expected(key(3), vec![key(4), key(1), key(4)]);
        assert_eq!(instruction.inner, [with_accounts, expected(key(2), vec![])]);
        for behind in [inner(4, vec![]), inner(1, vec![0, 4]), Inner { index: 1, ..inner(1, vec![]) }] {
            assert!(transaction(&signed, &loaded, [behind], 9, &lamports).is_none());
        }
        assert!(transaction(&signed, &loaded, [], 9, &lamports[1..]).is_none());
    }
}
