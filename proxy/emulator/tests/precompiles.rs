//! Precompiles with native cryptography, where Ethereum's vectors (`tests/conformance`) say nothing.
#![allow(clippy::unwrap_used)]

use parhelion_emulator::Native;
use parhelion_evm::fork::Fork;
use parhelion_evm::precompile::{self, Budget, Outcome};

/// The runtime takes eight pairs at a time; the rest of the product is the precompile's.
#[test]
fn pairings_of_any_number_of_pairs() {
    const PAIRING: u16 = 0x0f;
    let run = |pairs: &[&[u8]]| {
        let budget = Budget { gas: i64::MAX, compute_units: u64::MAX };
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
    let budget = Budget { gas: i64::MAX, compute_units: u64::MAX };
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

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.strip_prefix("0x").unwrap_or(hex);
    (0..digits.len())
        .step_by(2)
        .map(|start| u8::from_str_radix(&digits[start..start + 2], 16).unwrap())
        .collect()
}
