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
