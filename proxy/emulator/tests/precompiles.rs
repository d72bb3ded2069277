//! Ethereum's vectors for precompiles, with native cryptography.
//!
//! `PARHELION_ETH_VECTORS` names the folder that has `precompiles/0xNN_name/*.json`, files of
//! `[{name, input, results: {fork: {success, output, gas}}}]`. A fork that is missing has no precompile there, or no
//! gas limit pays for the call.
#![allow(clippy::unwrap_used, missing_docs)]

use parhelion_emulator::Native;
use parhelion_evm::H160;
use parhelion_evm::fork::Fork;
use parhelion_evm::precompile::{self, Budget, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    input: String,
    results: BTreeMap<String, Expected>,
}

#[derive(serde::Deserialize)]
struct Expected {
    success: bool,
    #[serde(default)]
    output: String,
    #[serde(default)]
    gas: i64,
}

const FORKS: [(&str, Fork); 3] = [("Cancun", Fork::Cancun), ("Prague", Fork::Prague), ("Osaka", Fork::Osaka)];

/// More gas than any case takes.
const GAS_MAX: i64 = i64::MAX / 4;

#[test]
fn ethereum_vectors() {
    let Some(folder) = std::env::var_os("PARHELION_ETH_VECTORS") else {
        eprintln!("SKIPPED: PARHELION_ETH_VECTORS does not name the folder of Ethereum's test vectors");
        return;
    };
    let mut cases = 0;
    let mut problems = Vec::new();
    for folder in entries(&Path::new(&folder).join("precompiles")) {
        let number = number(&folder);
        for file in entries(&folder) {
            let list: Vec<Case> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            for case in list {
                cases += 1;
                problems.extend(check(number, &case).map(|problem| format!("{}: {problem}", file.display())));
            }
        }
    }
    eprintln!("{cases} cases");
    let shown = &problems[..problems.len().min(20)];
    assert!(cases > 0 && problems.is_empty(), "{} problems:\n{}", problems.len(), shown.join("\n"));
}

/// The runtime takes eight pairs at a time; the rest of the product is the precompile's.
#[test]
fn pairings_of_any_number_of_pairs() {
    const PAIRING: u16 = 0x0f;
    let run = |pairs: &[&[u8]]| {
        let budget = Budget { gas: GAS_MAX, compute_units: u64::MAX };
        match precompile::run(PAIRING, Fork::Osaka, &pairs.concat(), &budget, &Native) {
            Outcome::Return { output, .. } => output[31] == 1,
            outcome => panic!("{outcome:?}"),
        }
    };
    // The pairing of the generators, and its inverse.
    let (pair, inverse) = (generators(false), generators(true));
    for count in 1..=20 {
        let both = [&pair[..], &inverse].repeat(count);
        assert!(run(&both), "{count}");
        assert!(!run(&both[1..]), "{count}");
        let mut other: Vec<&[u8]> = vec![&pair; 2 * count];
        assert!(!run(&other), "{count}");
        other.splice(..count, vec![&inverse[..]; count]);
        assert!(run(&other), "{count}");
    }
}

/// The runtime rejects the points (0, 2) and (0, -2) of G1's curve; the precompile adds them as any other.
#[test]
fn points_of_order_three() {
    let element = |last: u8| [vec![0; 63], vec![last]].concat();
    let (infinity, generator) = (vec![0; 128], generators(false)[..128].to_vec());
    let twice = sum(&generator, &generator).unwrap();
    let point = [element(0), element(2)].concat();
    let opposite = sum(&point, &point).unwrap();
    assert_eq!(sum(&point, &opposite).unwrap(), infinity);
    assert_eq!(sum(&opposite, &opposite).unwrap(), point);
    for other in [&generator, &twice] {
        let minus = sum(&sum(other, &point).unwrap(), &opposite).unwrap();
        assert_eq!(&minus, other);
        for third in [&point, &opposite] {
            let moved = sum(third, other).unwrap();
            assert_eq!(sum(other, third).unwrap(), moved);
            // Both ways around are taken here: the point less K is one of order 3 for K = `other`.
            assert_eq!(sum(&sum(&moved, &point).unwrap(), &opposite).unwrap(), moved);
            assert_eq!(
                sum(&sum(&moved, &opposite).unwrap(), &opposite).unwrap(),
                sum(&moved, &point).unwrap()
            );
        }
    }
    for third in [&point, &opposite] {
        assert_eq!(sum(third, &infinity).as_ref(), Some(third));
        assert_eq!(sum(&infinity, third).as_ref(), Some(third));
        let off_curve = [element(1), element(1)].concat();
        assert_eq!(sum(third, &off_curve), None);
        assert_eq!(sum(&off_curve, third), None);
        let other_y = [element(0), element(3)].concat();
        assert_eq!(sum(third, &other_y), None);
    }
}

/// BLS12_G1ADD.
fn sum(a: &[u8], b: &[u8]) -> Option<Vec<u8>> {
    const G1_ADD: u16 = 0x0b;
    let budget = Budget { gas: GAS_MAX, compute_units: u64::MAX };
    match precompile::run(G1_ADD, Fork::Osaka, &[a, b].concat(), &budget, &Native) {
        Outcome::Return { output, .. } => Some(output.to_vec()),
        Outcome::Failure => None,
        outcome => panic!("{outcome:?}"),
    }
}

/// The generators of G1, or its negative, and of G2.
fn generators(is_negative: bool) -> Vec<u8> {
    const G1_X: &str =
        "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb";
    const G1_Y: &str =
        "08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1";
    const MINUS_G1_Y: &str =
        "114d1d6855d545a8aa7d76c8cf2e21f267816aef1db507c96655b9d5caac42364e6f38ba0ecb751bad54dcd6b939c2ca";
    const G2: [&str; 4] = [
        "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8",
        "13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e",
        "0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801",
        "0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be",
    ];
    let y = if is_negative { MINUS_G1_Y } else { G1_Y };
    [G1_X, y].iter().chain(&G2).flat_map(|hex| [vec![0; 16], bytes(hex)].concat()).collect()
}

/// What is wrong with the case, in every fork and with every limit worth trying.
fn check(number: u16, case: &Case) -> Option<String> {
    let mut address = H160::zero();
    address.0[18..].copy_from_slice(&number.to_be_bytes());
    let input = bytes(&case.input);
    for (name, fork) in FORKS {
        let run = |gas: i64, compute_units: u64| {
            precompile::run(number, fork, &input, &Budget { gas, compute_units }, &Native)
        };
        let found = precompile::number_of(&address, fork);
        let Some(expected) = case.results.get(name) else {
            if found.is_some() && run(GAS_MAX, u64::MAX) != Outcome::OutOfGas {
                return Some(format!("{name}: {} has a precompile", case.name));
            }
            continue;
        };
        if found != Some(number) {
            return Some(format!("{name}: {} has no precompile", case.name));
        }
        let outcome = run(GAS_MAX, u64::MAX);
        if !expected.success {
            if outcome != Outcome::Failure {
                return Some(format!("{name}: {} gave {outcome:?}", case.name));
            }
            continue;
        }
        let right = Outcome::Return { gas: expected.gas, output: bytes(&expected.output) };
        if outcome != right {
            return Some(format!("{name}: {} gave {outcome:?} and not {right:?}", case.name));
        }
        if run(expected.gas - 1, u64::MAX) != Outcome::OutOfGas || run(expected.gas, 0) != Outcome::OutOfGas {
            return Some(format!("{name}: {} runs with less than it costs", case.name));
        }
    }
    None
}

/// The number in a folder's name: `0xNN_name`.
fn number(folder: &Path) -> u16 {
    let name = folder.file_name().unwrap().to_str().unwrap();
    let (number, _) = name.split_once('_').unwrap();
    u16::from_str_radix(number.trim_start_matches("0x"), 16).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.strip_prefix("0x").unwrap_or(hex);
    (0..digits.len())
        .step_by(2)
        .map(|start| u8::from_str_radix(&digits[start..start + 2], 16).unwrap())
        .collect()
}

/// What is in a folder, in order.
fn entries(folder: &Path) -> BTreeSet<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
