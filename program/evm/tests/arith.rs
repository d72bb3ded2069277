//! Every function of `arith` against `ruint`, over operands from the edges, and the vectors of the
//! specifications.
//!
//! `PARHELION_ARITH_CASES` sets the number of cases of each property (2,000 unless set).

use parhelion_evm::{U256, arith};
use proptest::{
    prelude::*,
    test_runner::{TestCaseError, TestRunner},
};
use ruint::{aliases::U256 as Reference, uint};

/// Three words, of which an operation takes as many as it has operands.
type Operands = [[u64; 4]; 3];

/// Our answer and the reference's, as functions of the same operands.
struct Operation {
    name: &'static str,
    ours: fn(&[U256; 3]) -> U256,
    reference: fn([Reference; 3]) -> Reference,
}

impl Operation {
    /// Both answers.
    fn answers(&self, operands: &Operands) -> ([u64; 4], [u64; 4]) {
        let ours = (self.ours)(&operands.map(U256));
        let reference = (self.reference)(operands.map(Reference::from_limbs));
        (ours.0, reference.into_limbs())
    }
}

/// The table of operations, and a property test named like each.
macro_rules! operations {
    (|$a:ident, $b:ident, $n:ident| $($name:ident: $ours:expr, $reference:expr;)+) => {
        #[allow(unused_variables)]
        const OPERATIONS: &[Operation] = &[$(Operation {
            name: stringify!($name),
            ours: |[$a, $b, $n]| $ours,
            reference: |[$a, $b, $n]| $reference,
        }),+];

        $(#[test]
        fn $name() {
            agrees_with_reference(stringify!($name));
        })+
    };
}

operations! { |a, b, n|
    add: arith::add(a, b), a.wrapping_add(b);
    sub: arith::sub(a, b), a.wrapping_sub(b);
    mul: arith::mul(a, b), a.wrapping_mul(b);
    div: arith::div(a, b), a.checked_div(b).unwrap_or_default();
    rem: arith::rem(a, b), a.checked_rem(b).unwrap_or_default();
    sdiv: arith::sdiv(a, b), with_sign(magnitude(a).checked_div(magnitude(b)), a.bit(255) != b.bit(255));
    smod: arith::smod(a, b), with_sign(magnitude(a).checked_rem(magnitude(b)), a.bit(255));
    addmod: arith::addmod(a, b, n), a.add_mod(b, n);
    mulmod: arith::mulmod(a, b, n), a.mul_mod(b, n);
    exp: arith::exp(a, b), a.wrapping_pow(b);
    signextend: arith::signextend(a, b), reference_signextend(a, b);
    lt: truth(arith::lt(a, b)), Reference::from(a < b);
    gt: truth(arith::gt(a, b)), Reference::from(a > b);
    slt: truth(arith::slt(a, b)), Reference::from(a ^ SIGN_BIT < b ^ SIGN_BIT);
    sgt: truth(arith::sgt(a, b)), Reference::from(a ^ SIGN_BIT > b ^ SIGN_BIT);
    eq: truth(arith::eq(a, b)), Reference::from(a == b);
    is_zero: truth(arith::is_zero(a)), Reference::from(a.is_zero());
    and: arith::and(a, b), a & b;
    or: arith::or(a, b), a | b;
    xor: arith::xor(a, b), a ^ b;
    not: arith::not(a), !a;
    byte: arith::byte(a, b), Reference::from(b.to_be_bytes::<32>().get(at_most_256(a)).copied().unwrap_or(0));
    shl: arith::shl(a, b), b.wrapping_shl(at_most_256(a));
    shr: arith::shr(a, b), b.wrapping_shr(at_most_256(a));
    sar: arith::sar(a, b), b.arithmetic_shr(at_most_256(a));
    clz: arith::clz(a), Reference::from(a.leading_zeros());
    bit_len: U256::from(arith::bit_len(a)), Reference::from(a.bit_len());
    byte_len: U256::from(arith::byte_len(a)), Reference::from(a.byte_len());
    as_u64: arith::as_u64(a).map_or(U256::MAX, U256::from), reference_as_u64(a);
    as_u64_saturating: U256::from(arith::as_u64_saturating(a)), Reference::from(a.saturating_to::<u64>());
}

// ---- the reference

const ONE: Reference = Reference::from_limbs([1, 0, 0, 0]);
const SIGN_BIT: Reference = Reference::from_limbs([0, 0, 0, 1 << 63]);

fn magnitude(x: Reference) -> Reference {
    if x.bit(255) { x.wrapping_neg() } else { x }
}

/// The number with this sign; 0 for the quotient or remainder by 0.
fn with_sign(magnitude: Option<Reference>, negative: bool) -> Reference {
    let magnitude = magnitude.unwrap_or_default();
    if negative { magnitude.wrapping_neg() } else { magnitude }
}

/// A count of bits or bytes, none of which is different from 256 if it is larger.
fn at_most_256(x: Reference) -> usize {
    x.saturating_to::<usize>().min(256)
}

fn reference_signextend(byte_index: Reference, value: Reference) -> Reference {
    let sign = 8 * at_most_256(byte_index) + 7;
    if sign >= 255 {
        return value;
    }
    let above = Reference::MAX << sign;
    if value.bit(sign) { value | above } else { value & !above }
}

/// The number, or one that is none of 64 bits.
fn reference_as_u64(x: Reference) -> Reference {
    if x.bit_len() <= 64 { x } else { Reference::MAX }
}

fn truth(answer: bool) -> U256 {
    U256::from(u64::from(answer))
}

// ---- properties

fn agrees_with_reference(name: &str) {
    let operation = OPERATIONS.iter().find(|operation| operation.name == name).expect("in the table");
    let cases =
        std::env::var("PARHELION_ARITH_CASES").map_or(2_000, |cases| cases.parse().expect("a number"));
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let result = TestRunner::new(config).run(&operands(), |operands| {
        let (ours, reference) = operation.answers(&operands);
        if ours == reference {
            return Ok(());
        }
        Err(TestCaseError::fail(format!("{name}: {ours:x?}, should be {reference:x?}")))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// Digits at which carries, estimates of quotient digits and their corrections change.
const EDGE_DIGITS: [u32; 12] = [
    0,
    1,
    2,
    3,
    0x7fff_fffe,
    0x7fff_ffff,
    0x8000_0000,
    0x8000_0001,
    0xffff_fffd,
    0xffff_fffe,
    0xffff_ffff,
    0x1_0000,
];

fn digit() -> impl Strategy<Value = u32> {
    prop_oneof![3 => proptest::sample::select(&EDGE_DIGITS[..]), 1 => any::<u32>()]
}

/// The number of a sequence of digits, least significant first.
fn word_of(digits: [u32; 8]) -> [u64; 4] {
    [0, 1, 2, 3].map(|i| u64::from(digits[2 * i + 1]) << 32 | u64::from(digits[2 * i]))
}

fn word() -> impl Strategy<Value = [u64; 4]> {
    let shifted = |limbs, bits: usize| (Reference::from_limbs(limbs) >> bits).into_limbs();
    prop_oneof![
        // counts of bits and bytes
        2 => (0..260_u64).prop_map(|count| [count, 0, 0, 0]),
        // numbers of any length with digits from the edges
        4 => (proptest::array::uniform8(digit()), 0..256_usize)
            .prop_map(move |(digits, drop)| shifted(word_of(digits), drop)),
        // and with a whole number of digits
        4 => (proptest::array::uniform8(digit()), 0..8_usize)
            .prop_map(move |(digits, drop)| shifted(word_of(digits), 32 * drop)),
        // random numbers of any length
        3 => (any::<[u64; 4]>(), 0..256_usize).prop_map(move |(limbs, drop)| shifted(limbs, drop)),
        // powers of two and their neighbours
        2 => (0..256_usize, 0..5_u64).prop_map(|(exponent, offset)| {
            (ONE << exponent).wrapping_add(Reference::from(offset)).wrapping_sub(ONE + ONE).into_limbs()
        }),
        // small negative numbers
        1 => (0..260_u64).prop_map(|count| Reference::from(count).wrapping_neg().into_limbs()),
    ]
}

fn operands() -> impl Strategy<Value = Operands> {
    prop_oneof![
        4 => [word(), word(), word()],
        1 => (word(), word()).prop_map(|(a, n)| [a, a, n]),
        1 => (word(), word()).prop_map(|(a, b)| [a, b, a]),
        2 => (word(), word(), 0..3_u64).prop_map(|(b, q, offset)| around_a_multiple(b, q, offset)),
    ]
}

/// A number next to a multiple of `b`, `b`, and a modulus next to their sum.
fn around_a_multiple(b: [u64; 4], q: [u64; 4], offset: u64) -> Operands {
    let divisor = Reference::from_limbs(b);
    let multiple = divisor.wrapping_mul(Reference::from_limbs(q));
    let a = multiple.wrapping_add(Reference::from(offset)).wrapping_sub(ONE);
    [a.into_limbs(), b, multiple.wrapping_add(divisor).into_limbs()]
}

// ---- the long run

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The shapes of `word`, faster.
    fn word(&mut self) -> [u64; 4] {
        let choice = self.next();
        let length = (choice >> 8) as usize % 256;
        let full = Reference::from_limbs([self.next(), self.next(), self.next(), self.next()]);
        let edges = |random: &mut Self| {
            let picks = random.next();
            word_of(std::array::from_fn(|i| match (picks >> (4 * i)) as usize & 15 {
                pick @ ..12 => EDGE_DIGITS[pick],
                _ => random.next() as u32,
            }))
        };
        match choice % 8 {
            0 => [length as u64 + 2, 0, 0, 0],
            1 | 2 => (full >> length).into_limbs(),
            3 => (Reference::from_limbs(edges(self)) >> length).into_limbs(),
            4 | 5 => (Reference::from_limbs(edges(self)) >> (length & 0xe0)).into_limbs(),
            6 => (ONE << length).wrapping_add(Reference::from(choice >> 62)).wrapping_sub(ONE).into_limbs(),
            _ => Reference::from(length).wrapping_neg().into_limbs(),
        }
    }

    /// The shapes of `operands`, faster.
    fn operands(&mut self) -> Operands {
        let (a, b, n) = (self.word(), self.word(), self.word());
        match self.next() % 8 {
            0 => [a, a, n],
            1 => [a, b, a],
            2 | 3 => around_a_multiple(b, a, n[0] % 3),
            _ => [a, b, n],
        }
    }
}

#[test]
#[ignore = "minutes; by hand: cargo test --release -p parhelion-evm --test arith -- --ignored"]
fn ten_million_cases_of_each_operation() {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        while let Some(operation) = OPERATIONS.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            let mut random = Random(operation.name.bytes().fold(0, |seed, byte| seed << 8 | u64::from(byte)));
            for _ in 0..10_000_000 {
                let operands = random.operands();
                let (ours, reference) = operation.answers(&operands);
                assert_eq!(ours, reference, "{} of {operands:x?}", operation.name);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
}

// ---- vectors

fn ours(x: Reference) -> U256 {
    U256(x.into_limbs())
}

/// Quotients whose estimated digits need each kind of correction, among them the step that adds the divisor
/// back. Digits are most significant first; after Hacker's Delight, 9-2.
#[test]
fn quotient_digits_that_need_correction() {
    uint! {
        let cases = [
            (0x8000_0000_0000_0000_0000_0003_U256, 0x2000_0000_0000_0000_0000_0001_U256),
            (0x7fff_ffff_8000_0000_0000_0000_0000_0000_U256, 0x8000_0000_0000_0000_0000_0001_U256),
            (0x8000_0000_ffff_fffe_0000_0000_U256, 0x8000_0000_ffff_ffff_U256),
            (0x8000_0000_0000_0000_ffff_fffe_0000_0000_U256, 0x8000_0000_0000_0000_ffff_ffff_U256),
            (0x7fff_8000_U256 << 224, 0x8000_0000_0000_0000_0000_0000_0000_0001_U256),
            (Reference::MAX, 0xffff_ffff_ffff_ffff_ffff_ffff_U256),
            (Reference::MAX - 1_U256, Reference::MAX >> 64),
        ];
    }
    for (a, b) in cases {
        assert_eq!(arith::div(&ours(a), &ours(b)), ours(a / b), "{a:x} / {b:x}");
        assert_eq!(arith::rem(&ours(a), &ours(b)), ours(a % b), "{a:x} % {b:x}");
    }
}

/// Test cases of EIP-145.
#[test]
fn shifts_of_eip_145() {
    let (top, max) = (SIGN_BIT, Reference::MAX);
    let (zero, one, two) = (Reference::ZERO, ONE, Reference::from(2));
    let left = [
        (one, 0, one),
        (one, 1, two),
        (one, 0xff, top),
        (one, 0x100, zero),
        (one, 0x101, zero),
        (max, 0, max),
        (max, 1, max - one),
        (max, 0xff, top),
        (max, 0x100, zero),
        (zero, 1, zero),
        (max >> 1, 1, max - one),
    ];
    let right = [
        (one, 0, one),
        (one, 1, zero),
        (top, 1, top >> 1),
        (top, 0xff, one),
        (top, 0x100, zero),
        (top, 0x101, zero),
        (max, 0, max),
        (max, 1, max >> 1),
        (max, 0xff, one),
        (max, 0x100, zero),
        (zero, 1, zero),
    ];
    let signed_right = [
        (one, 0, one),
        (one, 1, zero),
        (top, 1, top | (top >> 1)),
        (top, 0xff, max),
        (top, 0x100, max),
        (top, 0x101, max),
        (max, 0, max),
        (max, 1, max),
        (max, 0xff, max),
        (max, 0x100, max),
        (zero, 1, zero),
        (top >> 1, 0xfe, one),
        (max >> 1, 0xf8, Reference::from(0x7f)),
        (max >> 1, 0xfe, one),
        (max >> 1, 0xff, zero),
        (max >> 1, 0x100, zero),
    ];
    let check = |shift: fn(&U256, &U256) -> U256, cases: &[(Reference, u64, Reference)]| {
        for &(value, count, result) in cases {
            assert_eq!(shift(&U256::from(count), &ours(value)), ours(result), "{value:x} by {count:x}");
        }
    };
    check(arith::shl, &left);
    check(arith::shr, &right);
    check(arith::sar, &signed_right);
    // Only the whole count counts.
    let far = U256([0, 0, 0, 1]);
    assert_eq!(arith::shl(&far, &U256::one()), U256::zero());
    assert_eq!(arith::shr(&far, &U256::MAX), U256::zero());
    assert_eq!(arith::sar(&far, &U256::MAX), U256::MAX);
}

/// Test cases of EIP-7939.
#[test]
fn leading_zeros_of_eip_7939() {
    for (value, zeros) in [
        (Reference::ZERO, 256_u64),
        (SIGN_BIT, 0),
        (Reference::MAX, 0),
        (SIGN_BIT >> 1, 1),
        (Reference::MAX >> 1, 1),
        (Reference::from(1), 255),
    ] {
        assert_eq!(arith::clz(&ours(value)), U256::from(zeros), "{value:x}");
    }
}

/// The cases that the Yellow Paper singles out: by zero, -2^255 / -1, sums and products past 2^256, 0^0.
#[test]
fn special_cases_of_the_yellow_paper() {
    let (zero, one, max) = (U256::zero(), U256::one(), U256::MAX);
    let min = ours(SIGN_BIT);
    for value in [zero, one, U256([0, 1, 0, 0]), min, max] {
        assert_eq!(arith::div(&value, &zero), zero);
        assert_eq!(arith::sdiv(&value, &zero), zero);
        assert_eq!(arith::rem(&value, &zero), zero);
        assert_eq!(arith::smod(&value, &zero), zero);
        assert_eq!(arith::addmod(&value, &value, &zero), zero);
        assert_eq!(arith::mulmod(&value, &value, &zero), zero);
        assert_eq!(arith::exp(&value, &zero), one);
        assert_eq!(arith::addmod(&value, &value, &one), zero);
        assert_eq!(arith::mulmod(&value, &value, &one), zero);
    }
    assert_eq!(arith::sdiv(&min, &max), min);
    assert_eq!(arith::smod(&min, &max), zero);
    assert_eq!(
        arith::smod(&arith::sub(&zero, &U256::from(8)), &U256::from(3)),
        arith::sub(&zero, &U256::from(2))
    );
    assert_eq!(arith::addmod(&max, &max, &U256::from(7)), U256::from(2)); // 2^256 = 2 modulo 7
    assert_eq!(arith::addmod(&max, &max, &max), zero);
    assert_eq!(arith::mulmod(&max, &max, &max), zero);
    assert_eq!(arith::mulmod(&max, &max, &min), one);
    assert_eq!(arith::mulmod(&min, &min, &max), ours(SIGN_BIT >> 1)); // 2^510 = 2^254 modulo 2^256 - 1
    assert_eq!(arith::exp(&zero, &max), zero);
    assert_eq!(arith::exp(&max, &max), max);
    assert_eq!(
        arith::exp(&U256::from(10), &U256::from(77)),
        ours(Reference::from(10).pow(Reference::from(77)))
    );
    assert_eq!(arith::signextend(&zero, &U256::from(0x1ff)), max);
    assert_eq!(arith::signextend(&zero, &U256::from(0x17f)), U256::from(0x7f));
    assert_eq!(arith::byte(&zero, &min), U256::from(0x80));
    assert_eq!(arith::byte(&U256::from(31), &U256::from(0x1234)), U256::from(0x34));
    assert_eq!(arith::byte(&U256([0, 1, 0, 0]), &max), zero);
}
