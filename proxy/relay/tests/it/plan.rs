//! Plans as data: the fewest Solana transactions for each size and shape, at the last byte that fits and one more.

use alloy_primitives::{Address as EthereumAddress, B256, Bytes};
use parhelion_core::emulator::{AccountUse, CodeUse, Emulation, Execution, FoundTranslation};
use parhelion_core::relay::RelayError;
use parhelion_relay::Shape;
use parhelion_relay::plan::{HolderState, Plan, Request, plan};
use parhelion_sdk::address::{deployment, holder_address};
use parhelion_sdk::transaction::{ADDRESSES_MAX, Budget, Format, V1_BYTES_MAX, compile, locks, signed_size};
use parhelion_wire::H256;
use parhelion_wire::account::{Code, GROWTH_MAX, Holder};
use parhelion_wire::event::Outcome;
use parhelion_wire::instruction::{Execute, HolderWrite, RECOVER_ON_CHAIN, tag};
use solana_address::Address;
use solana_hash::Hash;
use solana_instruction::Instruction;
use solana_message::{AddressLookupTableAccount, VersionedMessage};
use solana_sdk_ids::{secp256k1_program, system_program, sysvar};

const PROGRAM: Address = Address::new_from_array([0x77; 32]);
const OPERATOR: Address = Address::new_from_array([0x88; 32]);
const COINBASE: EthereumAddress = EthereumAddress::repeat_byte(0x99);
const HOLDER_INDEX: u32 = 3;
/// The shortest envelope: a payload of one byte.
const SHORTEST: usize = 86;
/// Accounts of an ordinary run.
const ORDINARY: usize = 10;

/// What is to be planned.
#[derive(Clone, Debug)]
struct Case {
    accounts: Vec<AccountUse>,
    envelope: usize,
    /// Lengths of deployed codes.
    codes: Vec<usize>,
    /// Codes that run.
    runs: Vec<CodeUse>,
    capacity: Option<usize>,
    format: Shape,
}

fn case(accounts: usize, envelope: usize) -> Case {
    let account = |number: usize| {
        let mut address = [0; 32];
        address[..8].copy_from_slice(&(number as u64 + 1).to_be_bytes());
        AccountUse { address, writable: number.is_multiple_of(2) }
    };
    let accounts = (0..accounts).map(account).collect();
    Case { accounts, envelope, codes: vec![], runs: vec![], capacity: None, format: Shape::V1 }
}

/// A code of so many bytes that runs in one frame, and its complete translation.
fn translated(number: u8, length: usize) -> CodeUse {
    let address = [0xf0 + number; 32];
    let found = FoundTranslation { address, is_complete: true, payer: [1; 32], lamports: 5 };
    CodeUse { hash: B256::repeat_byte(number), length, frames: 1, translation: Some(found) }
}

impl Case {
    fn envelope(&self) -> Vec<u8> {
        (0..self.envelope).map(|index| (index * 31 / 7) as u8).collect()
    }

    fn plan(&self) -> Result<Plan, RelayError> {
        let execution = Execution {
            outcome: Outcome::Success,
            reason: "success",
            gas_used: 21_000,
            rent_gas: 0,
            output: Bytes::new(),
            logs: vec![],
            created: None,
        };
        let codes = self.codes.iter().zip(1..).map(|(&length, number)| (H256::repeat_byte(number), length));
        let emulation = Emulation {
            execution,
            accounts: self.accounts.clone(),
            codes: self.runs.clone(),
            deployed_codes: codes.collect(),
            slot: 1,
        };
        let length = self.capacity.map(Holder::account_length);
        let needed = Holder::account_length(self.envelope);
        let holder = HolderState { index: HOLDER_INDEX, length, needed, lamports: 5_000_000 };
        plan(&Request {
            deployment: &deployment(&PROGRAM),
            operator: OPERATOR,
            coinbase: COINBASE,
            envelope: &self.envelope(),
            emulation: &emulation,
            holder,
            format: self.format.format(),
        })
    }

    #[track_caller]
    fn planned(&self) -> Plan {
        let plan = self.plan().unwrap();
        for instructions in transactions(&plan) {
            let format = self.format.format();
            let message = compile(instructions, &OPERATOR, Hash::default(), &Budget::MAX, format).unwrap();
            assert!(signed_size(&message) <= format.bytes_max() && locks(&message) <= ADDRESSES_MAX);
        }
        plan
    }

    /// The words for each transaction of the plan.
    #[track_caller]
    fn shape(&self) -> Vec<String> {
        transactions(&self.planned()).iter().map(|instructions| words(instructions)).collect()
    }

    fn with_envelope(&self, envelope: usize) -> Self {
        Self { envelope, ..self.clone() }
    }
}

/// All transactions in their order, the last one included.
fn transactions(plan: &Plan) -> Vec<&[Instruction]> {
    let before = plan.before.iter().flatten().map(Vec::as_slice);
    before.chain([&plan.last[..]]).collect()
}

/// What a transaction is made of.
fn words(instructions: &[Instruction]) -> String {
    let word = |instruction: &Instruction| match (instruction.program_id, instruction.data.first()) {
        (secp256k1_program::ID, _) => "proof",
        (system_program::ID, _) => "allocate",
        (PROGRAM, Some(&tag::EXECUTE)) if instruction.data[1] == RECOVER_ON_CHAIN => "recover+execute",
        (PROGRAM, Some(&tag::EXECUTE)) => "execute",
        (PROGRAM, Some(&tag::EXECUTE_FROM_HOLDER)) => "execute_from_holder",
        (PROGRAM, Some(&tag::HOLDER_CREATE)) => "create",
        (PROGRAM, Some(&tag::HOLDER_WRITE)) => "write",
        (PROGRAM, Some(&tag::HOLDER_CLOSE)) => "close",
        (PROGRAM, Some(&tag::CODE_RESERVE)) => "reserve",
        other => panic!("{other:?}"),
    };
    instructions.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Bytes of a transaction.
fn size(instructions: &[Instruction]) -> usize {
    signed_size(&compile(instructions, &OPERATOR, Hash::default(), &Budget::MAX, Format::V1).unwrap())
}

/// The longest envelope whose last transaction is made like that of `case`: what fills it to the last byte.
fn longest(case: &Case) -> usize {
    case.envelope + V1_BYTES_MAX - size(&case.planned().last)
}

#[test]
fn the_shortest_form_that_fits_is_taken() {
    for accounts in [0, 1, ORDINARY, 40, 59] {
        let short = case(accounts, SHORTEST);
        assert_eq!(short.shape(), ["proof execute"], "{accounts}");
        let proven = longest(&short);
        let full = short.with_envelope(proven);
        assert_eq!((full.shape(), size(&full.planned().last)), (vec!["proof execute".into()], V1_BYTES_MAX));
        // Without the proof instruction and its two addresses there is room for a few more bytes.
        let recovered = longest(&short.with_envelope(proven + 1));
        for envelope in [proven + 1, recovered] {
            assert_eq!(short.with_envelope(envelope).shape(), ["recover+execute"], "{accounts} {envelope}");
        }
        assert_eq!(size(&short.with_envelope(recovered).planned().last), V1_BYTES_MAX);
        assert!(short.with_envelope(recovered + 1).planned().uses_holder, "{accounts}");
    }
    // A change of these numbers is a change of what fits one Solana transaction.
    let short = case(ORDINARY, SHORTEST);
    let proven = longest(&short);
    assert_eq!((proven, longest(&short.with_envelope(proven + 1))), (PROVEN_MAX, RECOVERED_MAX));
}

/// The longest envelopes that go beside [`ORDINARY`] accounts, with and without the proof instruction.
const PROVEN_MAX: usize = 3442;
const RECOVERED_MAX: usize = 3523;

#[test]
fn a_run_takes_as_many_accounts_as_a_transaction_locks() {
    // Operator, config and program stand in front; a proof takes two addresses more, a holder one.
    for (accounts, envelope, shape) in [
        (59, SHORTEST, "proof execute"),
        (60, SHORTEST, "recover+execute"),
        (61, SHORTEST, "recover+execute"),
        // What the relay calls small, beside the most accounts.
        (61, 1024, "recover+execute"),
        (60, 4000, "allocate create write|write execute_from_holder close"),
    ] {
        assert_eq!(case(accounts, envelope).shape().join("|"), shape, "{accounts} {envelope}");
    }
    for (accounts, envelope, needed) in [(62, SHORTEST, 65), (61, 4000, 65), (100, SHORTEST, 103)] {
        let error = case(accounts, envelope).plan().unwrap_err();
        let expected = format!(
            "the transaction is too large for Solana: it needs {needed} accounts, the most is {ADDRESSES_MAX} accounts"
        );
        assert_eq!(error.to_string(), expected, "{accounts} {envelope}");
    }
}

#[test]
fn the_proof_and_the_execution_name_each_other() {
    for codes in [vec![], vec![24_576]] {
        let plan = Case { codes, ..case(ORDINARY, 500) }.planned();
        let position = plan
            .last
            .iter()
            .position(|instruction| instruction.program_id == PROGRAM && instruction.data[0] == tag::EXECUTE)
            .unwrap();
        let (proof, execute) = (&plan.last[position - 1], &plan.last[position]);
        assert_eq!(usize::from(execute.data[1]), position - 1, "the instruction that proves");
        assert_eq!([proof.data[3], proof.data[6], proof.data[11]].map(usize::from), [position; 3]);
        let sysvar = execute.accounts.last().unwrap();
        assert_eq!((sysvar.pubkey, sysvar.is_writable), (sysvar::instructions::ID, false));
    }
}

#[test]
fn accounts_are_listed_as_they_were_recorded() {
    let deployment = deployment(&PROGRAM);
    let recorded = case(ORDINARY, SHORTEST);
    // Those that stand in front of every run are not listed again.
    let fixed = [
        OPERATOR.to_bytes(),
        deployment.config,
        deployment.program_id,
        holder_address(&deployment, &OPERATOR, HOLDER_INDEX).to_bytes(),
    ];
    let in_front = fixed.map(|address| AccountUse { address, writable: true });
    for (envelope, in_front_count, behind) in
        [(SHORTEST, 3, 1), (RECOVERED_MAX, 3, 0), (RECOVERED_MAX + 1, 4, 0)]
    {
        let accounts = [&in_front[..], &recorded.accounts].concat();
        let plan = Case { accounts, ..recorded.with_envelope(envelope) }.planned();
        let run = plan.last.iter().find(|instruction| instruction.accounts.len() >= ORDINARY).unwrap();
        let (front, rest) = run.accounts.split_at(in_front_count);
        assert_eq!((front[0].pubkey, front[0].is_signer, front[0].is_writable), (OPERATOR, true, true));
        assert!(front[1..].iter().all(|meta| !meta.is_writable && !meta.is_signer));
        assert_eq!(rest.len(), ORDINARY + behind);
        let uses = rest[..ORDINARY]
            .iter()
            .map(|meta| AccountUse { address: meta.pubkey.to_bytes(), writable: meta.is_writable });
        assert_eq!(uses.collect::<Vec<_>>(), recorded.accounts, "{envelope}");
        assert!(rest.iter().all(|meta| !meta.is_signer));
    }
}

/// The pieces that a plan writes into the holder, in order: offset and bytes.
fn pieces(plan: &Plan) -> Vec<(u32, Vec<u8>)> {
    let instructions = transactions(plan).concat();
    let is_write = |instruction: &&Instruction| words(&[(*instruction).clone()]) == "write";
    let decode = |instruction: &Instruction| {
        let write = HolderWrite::decode(&instruction.data[1..]).unwrap();
        (write.offset, write.bytes.to_vec())
    };
    instructions.iter().filter(is_write).map(decode).collect()
}

#[test]
fn a_holder_takes_as_few_writes_as_its_pieces_allow() {
    // The holder's capacity, and what stands in front of the first piece.
    for (capacity, first) in [
        (None, "allocate create write"),
        (Some(0), "close allocate create write"),
        (Some(Holder::ENVELOPE_MAX), "write"),
    ] {
        let large = Case { capacity, ..case(ORDINARY, 100_000) };
        let plan = large.planned();
        assert_eq!(plan.before.len(), 2, "all but the first and the last transaction land in any order");
        let written = pieces(&plan);
        let (beside, piece, end) = (written[0].1.len(), written[1].1.len(), written.last().unwrap().1.len());
        // Each kind of transaction is full to the last byte.
        assert_eq!(
            [&plan.before[0][0], &plan.before[1][0], &plan.last].map(|one| size(one)),
            [V1_BYTES_MAX; 3]
        );
        for more in 0..4 {
            let envelope = beside + more * piece + end;
            let mut shape = vec![first; 1];
            shape.extend(vec!["write"; more]);
            shape.push("write execute_from_holder close");
            assert_eq!(large.with_envelope(envelope).shape(), shape, "{envelope}");
            shape.insert(1, "write");
            assert_eq!(large.with_envelope(envelope + 1).shape(), shape, "{envelope} and a byte");
        }
    }
}

#[test]
fn pieces_in_any_order_make_the_envelope() {
    for envelope in [RECOVERED_MAX + 1, 10_000, Holder::ENVELOPE_MAX] {
        for capacity in [None, Some(envelope)] {
            let case = Case { capacity, ..case(ORDINARY, envelope) };
            let plan = case.planned();
            let mut data = vec![0; Holder::account_length(envelope)];
            Holder::create(&mut data, 1, &OPERATOR.to_bytes()).unwrap();
            for (offset, bytes) in pieces(&plan).into_iter().rev() {
                Holder::write(&mut data, 1, envelope as u32, offset, &bytes).unwrap();
            }
            assert_eq!(Holder::view(&data).unwrap().envelope().unwrap(), case.envelope());
            assert!(plan.uses_holder);
            assert_eq!(plan.transactions(), transactions(&plan).len());
        }
    }
}

#[test]
fn a_holder_is_made_anew_only_when_it_is_too_small() {
    let envelope = RECOVERED_MAX + 1;
    for (capacity, first) in [
        (None, "allocate create write"),
        (Some(envelope - 1), "close allocate create write"),
        (Some(envelope), "write"),
        (Some(envelope + 1), "write"),
    ] {
        let shape = Case { capacity, ..case(ORDINARY, envelope) }.shape();
        assert_eq!(shape[0], first, "{capacity:?}");
    }
}

#[test]
fn an_envelope_that_no_holder_takes_is_refused() {
    assert!(case(ORDINARY, Holder::ENVELOPE_MAX).plan().is_ok());
    let error = case(ORDINARY, Holder::ENVELOPE_MAX + 1).plan().unwrap_err();
    let expected = "the transaction is too large for Solana: it needs 132097 bytes of transaction, the most is 132096 bytes";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn codes_beyond_the_growth_limit_are_reserved() {
    // The longest code whose account has so many bytes.
    let longest_code = |bytes: usize| (0..30_000).rfind(|&code| Code::account_length(code) <= bytes).unwrap();
    let (one, two) = (longest_code(GROWTH_MAX), longest_code(2 * GROWTH_MAX));
    for (codes, reserves) in [
        (vec![], 0),
        (vec![1], 0),
        (vec![one], 0),
        (vec![one + 1], 1),
        (vec![two], 1),
        (vec![two + 1], 2),
        (vec![24_576], 2),
        (vec![one, one], 0),
        (vec![one + 1, two + 1, 5], 3),
    ] {
        let expected = ["reserve ".repeat(reserves), "proof execute".into()].concat();
        assert_eq!(Case { codes: codes.clone(), ..case(ORDINARY, 500) }.shape(), [expected], "{codes:?}");
        let expected =
            ["write ".into(), "reserve ".repeat(reserves), "execute_from_holder close".into()].concat();
        let shape = Case { codes: codes.clone(), ..case(ORDINARY, 12_000) }.shape();
        assert_eq!(shape.last(), Some(&expected), "{codes:?}");
    }
}

#[test]
fn reservations_go_ahead_when_there_is_no_room_beside_the_execution() {
    // Their accounts are among the run's, so that only their bytes count.
    let codes = vec![24_576; 25];
    let plan = Case { codes: codes.clone(), ..case(0, 500) }.planned();
    let reserving = plan.before.iter().flatten().flatten().chain(&plan.last);
    let mut accounts: Vec<_> = reserving
        .filter(|instruction| instruction.data.first() == Some(&tag::CODE_RESERVE))
        .flat_map(|instruction| &instruction.accounts[2..])
        .map(|meta| AccountUse { address: meta.pubkey.to_bytes(), writable: meta.is_writable })
        .collect();
    accounts.sort();
    accounts.dedup();
    assert_eq!(accounts.len(), 26, "the codes' and the System program");
    accounts.extend(case(34, 0).accounts);
    let shape = Case { accounts, codes, ..case(0, 500) }.shape();
    let reserves = ["reserve"; 50].join(" ");
    assert_eq!(shape, [&reserves[..], "allocate create write execute_from_holder close"]);
}

#[test]
fn the_envelope_is_in_the_execution_as_it_is() {
    let case = case(ORDINARY, 700);
    let plan = case.planned();
    let execute = plan.last.last().unwrap();
    assert_eq!(execute.data[Execute::ENVELOPE_OFFSET..], case.envelope());
    assert_eq!(execute.data[2..22], COINBASE.0.0);
}

/// The numbers of the translations that the last transaction lists, in their order.
fn listed(plan: &Plan) -> Vec<u8> {
    let metas = plan.last.iter().flat_map(|instruction| &instruction.accounts);
    let numbers: Vec<u8> = metas
        .filter(|meta| meta.pubkey.to_bytes()[0] > 0xf0)
        .map(|meta| meta.pubkey.to_bytes()[0] - 0xf0)
        .collect();
    assert_eq!(numbers.len(), plan.translations);
    numbers
}

#[test]
fn translations_are_listed_where_they_find_room() {
    let runs = vec![translated(1, 100), translated(2, 9_000), translated(3, 2_000)];
    let unfinished = |code: CodeUse| CodeUse {
        translation: code.translation.map(|found| FoundTranslation { is_complete: false, ..found }),
        ..code
    };
    let often = CodeUse { frames: 100, ..translated(4, 100) };
    for (what, accounts, envelope, runs, expected) in [
        ("no code runs", ORDINARY, SHORTEST, vec![], vec![]),
        ("there is room for all", ORDINARY, SHORTEST, runs.clone(), vec![2, 3, 1]),
        ("what ran most comes first", ORDINARY, SHORTEST, [&runs[..], &[often]].concat(), vec![4, 2, 3, 1]),
        ("unfinished ones do not run", ORDINARY, SHORTEST, vec![unfinished(runs[1]), runs[0]], vec![1]),
        ("all locks but three are taken", 56, SHORTEST, runs.clone(), vec![2, 3, 1]),
        ("all locks but two are taken", 57, SHORTEST, runs.clone(), vec![2, 3]),
        ("all locks but one are taken", 58, SHORTEST, runs.clone(), vec![2]),
        ("all locks are taken", 59, SHORTEST, runs.clone(), vec![]),
        ("without the proof, all locks but one are taken", 60, SHORTEST, runs.clone(), vec![2]),
        ("without the proof, all locks are taken", 61, SHORTEST, runs.clone(), vec![]),
        ("from a holder, all locks but one are taken", 59, 4_000, runs.clone(), vec![2]),
        ("from a holder, all locks are taken", 60, 4_000, runs.clone(), vec![]),
        // An account takes 32 bytes, and one for its place in the instruction's list.
        ("no byte is left", ORDINARY, PROVEN_MAX, runs.clone(), vec![]),
        ("too few bytes are left", ORDINARY, PROVEN_MAX - 32, runs.clone(), vec![]),
        ("bytes for one are left", ORDINARY, PROVEN_MAX - 33, runs.clone(), vec![2]),
        ("bytes for three are left", ORDINARY, PROVEN_MAX - 99, runs.clone(), vec![2, 3, 1]),
        ("without the proof, no byte is left", ORDINARY, RECOVERED_MAX, runs.clone(), vec![]),
        ("without the proof, bytes for one are left", ORDINARY, RECOVERED_MAX - 33, runs.clone(), vec![2]),
    ] {
        let plain = case(accounts, envelope);
        let case = Case { runs, ..plain.clone() };
        assert_eq!(listed(&case.planned()), expected, "{what}");
        assert_eq!(case.shape(), plain.shape(), "{what}: nothing else changes");
    }
}

#[test]
fn translations_take_no_piece_of_the_envelope_away() {
    // A holder whose last transaction is full: the piece beside the execution is shorter by the translations, and as
    // long as that makes no transaction more, they are listed.
    let plain = Case { capacity: Some(Holder::ENVELOPE_MAX), ..case(ORDINARY, 100_000) };
    let pieces = pieces(&plain.planned());
    let (beside, piece, end) = (pieces[0].1.len(), pieces[1].1.len(), pieces.last().unwrap().1.len());
    let runs = vec![translated(1, 100), translated(2, 9_000)];
    for (bytes, expected) in
        [(end, vec![]), (end - 32, vec![]), (end - 33, vec![2]), (end - 66, vec![2, 1]), (1, vec![2, 1])]
    {
        let plain = plain.with_envelope(beside + piece + bytes);
        let case = Case { runs: runs.clone(), ..plain.clone() };
        assert_eq!(listed(&case.planned()), expected, "{bytes}");
        assert_eq!(case.planned().transactions(), plain.planned().transactions(), "{bytes}");
    }
}

/// A lookup table with these accounts.
fn table(accounts: &[AccountUse]) -> AddressLookupTableAccount {
    let addresses = accounts.iter().map(|used| used.address.into()).collect();
    AddressLookupTableAccount { key: Address::new_from_array([0xee; 32]), addresses }
}

#[test]
fn without_v1_the_shortest_form_that_fits_is_taken_as_well() {
    let short = |accounts: usize| Case { format: Shape::packet(), ..case(accounts, ENVELOPE) };
    let in_table = |accounts: usize| {
        let case = short(accounts);
        Case { format: Shape::packet().with_tables(vec![table(&case.accounts)]), ..case }
    };
    for (what, case, format, shape) in [
        ("a transfer", short(4), "legacy", "proof execute"),
        ("as many as fit beside the proof", short(20), "legacy", "proof execute"),
        ("one more", short(21), "legacy", "recover+execute"),
        ("as many as fit", short(22), "legacy", "recover+execute"),
        ("too many", short(23), "legacy", "allocate create write|execute_from_holder close"),
        (
            "as many as fit with a holder",
            short(27),
            "legacy",
            "allocate create write|execute_from_holder close",
        ),
        ("a table", in_table(23), "V0", "proof execute"),
        ("a table with the most accounts", in_table(58), "V0", "proof execute"),
        ("a table with more than beside a proof", in_table(59), "V0", "recover+execute"),
    ] {
        assert_eq!(case.shape().join("|"), shape, "{what}");
        let plan = case.planned();
        let message = compile(&plan.last, &OPERATOR, Hash::default(), &Budget::MAX, case.format.format());
        let found = match message.unwrap() {
            VersionedMessage::Legacy(_) => "legacy",
            VersionedMessage::V0(_) => "V0",
            VersionedMessage::V1(_) => "V1",
        };
        assert_eq!(found, format, "{what}");
    }
    let error = short(28).plan().unwrap_err().to_string();
    assert!(error.contains("28 accounts in one transaction, the most is 1232 bytes"), "{error}");
    assert!(in_table(61).plan().is_err());
}

/// An ERC-20 transfer's envelope.
const ENVELOPE: usize = 195;

#[test]
fn the_proof_and_the_execution_name_each_other_behind_the_budget() {
    let case = Case { format: Shape::packet(), ..case(ORDINARY, ENVELOPE) };
    let plan = case.planned();
    let in_front = usize::from(case.format.format().index_of_first(&Budget::MAX));
    let (proof, execute) = (&plan.last[0], &plan.last[1]);
    assert_eq!(usize::from(execute.data[1]), in_front, "the instruction that proves");
    assert_eq!([proof.data[3], proof.data[6], proof.data[11]].map(usize::from), [in_front + 1; 3]);
}
