//! Addresses, limits, and what an account holds.

use super::*;
use crate::transaction::{Budget, Format, compile, signed_size};
use solana_address::Address;
use solana_hash::Hash;
use solana_loader_v3_interface::state::UpgradeableLoaderState;

fn key(byte: u8) -> Address {
    Address::new_from_array([byte; 32])
}

#[test]
fn the_buffer_is_where_the_system_program_makes_it() {
    let (authority, program_id) = (key(1), key(2));
    let instructions = create_buffer(&authority, &program_id, 1000, 5);
    let buffer = buffer_address(&authority, &program_id);
    let places = [1, 0, 0, 0];
    for (instruction, place) in instructions.iter().zip(places) {
        assert_eq!(instruction.accounts[place].pubkey, buffer);
    }
    // Tag, base, length of the seed, seed: what the System program hashes.
    let seed = std::str::from_utf8(&instructions[1].data[44..44 + 31]).expect("text");
    assert!(seed.starts_with("parhelion"), "{seed}");
    assert_eq!(Address::create_with_seed(&authority, seed, &ID), Ok(buffer));
    let others = [buffer_address(&key(3), &program_id), buffer_address(&authority, &key(3))];
    assert!(!others.contains(&buffer), "each authority and each program has its own");
}

#[test]
fn the_largest_piece_makes_the_largest_instruction_that_the_loader_decodes() {
    const DECODED_MAX: usize = 1232;
    let piece = write(&key(1), &key(2), 7, &[9; PIECE_BYTES_MAX]);
    assert_eq!(piece.data.len(), DECODED_MAX);
}

#[test]
fn three_largest_pieces_fit_a_v1_transaction() {
    let writes = [0, 1, 2].map(|_| write(&key(1), &key(2), 0, &[9; PIECE_BYTES_MAX]));
    let message = compile(&writes, &key(1), Hash::default(), &Budget::MAX, Format::V1).expect("fits");
    assert!(signed_size(&message) <= Format::V1.bytes_max());
}

#[test]
fn accounts_are_read_with_their_files() {
    let account = |state: &UpgradeableLoaderState, length: usize, file: &[u8]| {
        let mut data = wincode::serialize(state).expect("fits");
        data.resize(length, 0);
        data.extend_from_slice(file);
        data
    };
    let buffer = UpgradeableLoaderState::Buffer { authority_address: Some(key(1)) };
    let data = account(&buffer, buffer_bytes(0), b"elf");
    assert_eq!(data.len(), buffer_bytes(3));
    let expected = LoaderAccount::Buffer { authority: Some(key(1)), file: b"elf" };
    assert_eq!(LoaderAccount::read(&data), Some(expected));

    let immutable = UpgradeableLoaderState::ProgramData { slot: 7, upgrade_authority_address: None };
    let data = account(&immutable, program_data_bytes(0), b"elf");
    let expected = LoaderAccount::ProgramData { slot: 7, authority: None, file: b"elf" };
    assert_eq!(
        LoaderAccount::read(&data),
        Some(expected),
        "the file's place does not depend on the authority"
    );

    let program = UpgradeableLoaderState::Program { programdata_address: key(5) };
    let data = account(&program, PROGRAM_BYTES, b"");
    assert_eq!(LoaderAccount::read(&data), Some(LoaderAccount::Program { program_data: key(5) }));
    assert_eq!(LoaderAccount::read(&[0; 4]), Some(LoaderAccount::Uninitialized));
    for nonsense in [&[][..], &[9, 0, 0, 0], &data[..20]] {
        assert_eq!(LoaderAccount::read(nonsense), None);
    }
}
