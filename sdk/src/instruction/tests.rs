//! Encodings, account orders, and the proof as Solana's own precompile judges it.

use super::*;
use crate::address::{account_address, deployment, holder_address, program_data_address};
use crate::convert::{EthereumAddress, to_h160};
use agave_feature_set::FeatureSet;
use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{B256, Bytes, TxKind, U256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use parhelion_wire::account::{Code, Holder};
use parhelion_wire::address::{AccountKey, Deployment};
use parhelion_wire::instruction::{
    CodeReserve, Configure, Deposit, Execute, ExecuteFromHolder, HolderCreate, HolderWrite, Initialize,
    RECOVER_ON_CHAIN, tag,
};
use parhelion_wire::transaction::{Envelope, SignedTransaction};

fn key(byte: u8) -> Address {
    Address::new_from_array([byte; 32])
}

fn here() -> Deployment {
    deployment(&key(1))
}

/// (address, signer, writable) of each account.
fn roles(instruction: &Instruction) -> Vec<(Address, bool, bool)> {
    instruction.accounts.iter().map(|meta| (meta.pubkey, meta.is_signer, meta.is_writable)).collect()
}

/// The envelope of a transaction signed by `signer`.
fn envelope(signer: &PrivateKeySigner, transaction: TxEnvelope) -> Vec<u8> {
    let raw = transaction.encoded_2718();
    let signed = SignedTransaction::decode(&raw).expect("valid");
    let payload = signed.payload();
    let envelope =
        Envelope { sender: to_h160(signer.address()), signature: signed.signature, payload: &payload };
    [&envelope.prefix()[..], &payload].concat()
}

fn envelopes(signer: &PrivateKeySigner) -> [Vec<u8>; 2] {
    let to = TxKind::Call(EthereumAddress::repeat_byte(7));
    let legacy = TxLegacy { chain_id: Some(5), gas_price: 9, gas_limit: 21_000, to, ..TxLegacy::default() };
    let dynamic = TxEip1559 {
        chain_id: 5,
        nonce: 3,
        gas_limit: 90_000,
        max_fee_per_gas: 7,
        to,
        value: U256::from(8),
        input: Bytes::from(vec![0x55; 300]),
        ..TxEip1559::default()
    };
    let sign = |hash: &B256| signer.sign_hash_sync(hash).expect("signs");
    let legacy_signature = sign(&legacy.signature_hash());
    let dynamic_signature = sign(&dynamic.signature_hash());
    [
        envelope(signer, legacy.into_signed(legacy_signature).into()),
        envelope(signer, dynamic.into_signed(dynamic_signature).into()),
    ]
}

#[test]
fn the_precompile_accepts_the_proof_and_refuses_every_forgery() {
    let signer = PrivateKeySigner::random();
    let features = FeatureSet::all_enabled();
    for envelope in envelopes(&signer) {
        for execute_index in [0u8, 1, 3] {
            let proof = secp256k1_proof(execute_index, envelope.len()).expect("fits");
            assert_eq!(proof.data.len(), 1 + 11);
            let run = |envelope: &[u8]| {
                execute(
                    &here(),
                    &key(2),
                    EthereumAddress::ZERO,
                    SignatureProof::Instruction(9),
                    envelope,
                    &[],
                )
            };
            let verify = |envelope: &[u8]| {
                let execute = run(envelope);
                let mut datas = vec![&[][..]; usize::from(execute_index)];
                datas.push(&execute.data);
                datas.push(&proof.data);
                agave_precompiles::secp256k1::verify(&proof.data, &datas, &features)
            };
            assert_eq!(verify(&envelope), Ok(()));
            // One flipped bit in the sender, r, s, the parity, the payload's first and last byte.
            for position in [0, 19, 20, 52, 84, Envelope::PAYLOAD_OFFSET, envelope.len() - 1] {
                let mut forged = envelope.clone();
                forged[position] ^= 1;
                assert!(verify(&forged).is_err(), "byte {position}");
            }
            assert!(verify(&envelope[..envelope.len() - 1]).is_err(), "shorter than the proof says");
        }
    }
    assert_eq!(secp256k1_proof(0, 84), Err(EnvelopeTooLarge { length: 84 }));
    assert_eq!(secp256k1_proof(0, 85 + 65_536), Err(EnvelopeTooLarge { length: 85 + 65_536 }));
}

#[test]
fn execute_carries_the_envelope_where_the_program_reads_it() {
    let signer = PrivateKeySigner::random();
    let [envelope, _] = envelopes(&signer);
    let coinbase = EthereumAddress::repeat_byte(0xcb);
    let accounts = [RunAccount::read(key(7)), RunAccount::write(key(6))];
    let deployment = here();
    let instruction =
        execute(&deployment, &key(2), coinbase, SignatureProof::Instruction(4), &envelope, &accounts);
    let (&first, data) = instruction.data.split_first().expect("not empty");
    let decoded = Execute::decode(data).expect("valid");
    assert_eq!((first, decoded.signature_instruction), (tag::EXECUTE, 4));
    assert_eq!((decoded.coinbase, decoded.envelope.sender), (to_h160(coinbase), to_h160(signer.address())));
    assert_eq!(instruction.data[Execute::ENVELOPE_OFFSET..], envelope);
    let config = Address::new_from_array(deployment.config);
    let expected = [
        (key(2), true, true),
        (config, false, false),
        (key(1), false, false),
        (key(7), false, false),
        (key(6), false, true),
    ];
    assert_eq!(roles(&instruction), expected);
    let recover = execute(&deployment, &key(2), coinbase, SignatureProof::Recover, &envelope, &accounts);
    assert_eq!(recover.data[1], RECOVER_ON_CHAIN);

    let held = execute_from_holder(&deployment, &key(2), coinbase, 12, &accounts);
    let decoded = ExecuteFromHolder::decode(&held.data[1..]).expect("valid");
    assert_eq!((held.data[0], decoded.coinbase), (tag::EXECUTE_FROM_HOLDER, to_h160(coinbase)));
    let mut expected = expected.to_vec();
    expected.insert(3, (holder_address(&deployment, &key(2), 12), false, false));
    assert_eq!(roles(&held), expected);
}

#[test]
fn management_lists_its_accounts_in_order() {
    let deployment = here();
    let config = Address::new_from_array(deployment.config);
    let vault = Address::new_from_array(deployment.vault);
    let system = solana_sdk_ids::system_program::ID;
    let settings = Initialize { chain_id: 1, base_fee: 2, block_gas_limit: 3, authority: [4; 32] };
    let instruction = initialize(&deployment, &key(2), &settings);
    assert_eq!((instruction.data[0], Initialize::decode(&instruction.data[1..])), (0, Ok(settings)));
    let expected = [
        (key(2), true, true),
        (config, false, true),
        (vault, false, true),
        (program_data_address(&key(1)), false, false),
        (system, false, false),
    ];
    assert_eq!(roles(&instruction), expected);

    let changes = Configure { paused: Some(true), ..Configure::default() };
    let instruction = configure(&deployment, &key(2), &changes);
    assert_eq!((instruction.data[0], Configure::decode(&instruction.data[1..])), (1, Ok(changes)));
    assert_eq!(roles(&instruction), [(key(2), true, false), (config, false, true)]);

    let address = EthereumAddress::repeat_byte(5);
    let instruction = deposit(&deployment, &key(2), address, 77);
    let decoded = Deposit { address: to_h160(address), lamports: 77 };
    assert_eq!((instruction.data[0], Deposit::decode(&instruction.data[1..])), (2, Ok(decoded)));
    let balance = account_address(&deployment, &AccountKey::Balance(to_h160(address)));
    let contract = account_address(&deployment, &AccountKey::Contract(to_h160(address)));
    let expected = [
        (key(2), true, true),
        (config, false, false),
        (vault, false, true),
        (balance, false, true),
        (contract, false, false),
        (key(1), false, false),
        (system, false, false),
    ];
    assert_eq!(roles(&instruction), expected);
}

#[test]
fn a_holder_is_created_where_the_program_looks_for_it() {
    let deployment = here();
    let holder = holder_address(&deployment, &key(2), 3);
    let [create, take] = holder_create(&deployment, &key(2), 3, Holder::account_length(500), 99);
    assert_eq!(create.program_id, solana_sdk_ids::system_program::ID);
    assert_eq!(roles(&create), [(key(2), true, true), (holder, false, true)]);
    // SystemInstruction::CreateAccountWithSeed: tag u32, base, seed (u64 length), lamports, space, owner.
    let mut data = 3u32.to_le_bytes().to_vec();
    data.extend([2; 32]);
    data.extend(7u64.to_le_bytes());
    data.extend(b"holder3");
    data.extend(99u64.to_le_bytes());
    data.extend((Holder::account_length(500) as u64).to_le_bytes());
    data.extend([1; 32]);
    assert_eq!(create.data, data);
    assert_eq!((take.data[0], HolderCreate::decode(&take.data[1..])), (4, Ok(HolderCreate { index: 3 })));
    assert_eq!(roles(&take), [(key(2), true, false), (holder, false, true)]);

    let write = holder_write(&deployment, &key(2), 3, 500, 20, &[1, 2, 3]);
    let decoded = HolderWrite { length: 500, offset: 20, bytes: &[1, 2, 3] };
    assert_eq!((write.data[0], HolderWrite::decode(&write.data[1..])), (5, Ok(decoded)));
    assert_eq!(roles(&write), [(key(2), true, false), (holder, false, true)]);

    let close = holder_close(&deployment, &key(2), 3);
    assert_eq!(close.data, [6]);
    assert_eq!(roles(&close), [(key(2), true, true), (holder, false, true)]);
}

#[test]
fn a_reservation_has_the_length_of_the_code_account() {
    let deployment = here();
    let code_hash = B256::repeat_byte(0xc0);
    let code = account_address(&deployment, &AccountKey::Code(parhelion_wire::H256(code_hash.0)));
    let reserve = code_reserve(&deployment, &key(2), code_hash, 24_576);
    let account_length = Code::account_length(24_576) as u32;
    let decoded = CodeReserve { code_hash: parhelion_wire::H256(code_hash.0), account_length };
    assert_eq!((reserve.data[0], CodeReserve::decode(&reserve.data[1..])), (8, Ok(decoded)));
    let config = Address::new_from_array(deployment.config);
    let system = solana_sdk_ids::system_program::ID;
    let expected =
        [(key(2), true, true), (config, false, false), (code, false, true), (system, false, false)];
    assert_eq!(roles(&reserve), expected);
    let release = code_release(&deployment, &key(2), code_hash);
    assert_eq!(release.data, [9]);
    assert_eq!(roles(&release), [(key(2), true, true), (code, false, true)]);
}
