//! The Solana transactions of a run, in the order in which they depend on one another: a pure function.

use super::lists::{List, Lists};
use super::sizing::Sizes;
use super::trial::Parts;
use solana_address::Address;
use solana_instruction::Instruction;

/// The instructions of each transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sequence {
    /// The one that has to land before all others: it begins the run, or locks what it reads.
    pub(crate) first: Option<Vec<Instruction>>,
    /// Those that land in any order.
    pub(crate) middle: Vec<Vec<Instruction>>,
    /// Those that land one after another, when all of the former have.
    pub(crate) in_order: Vec<Vec<Instruction>>,
    /// The one that writes everything, when all others have landed; none if the first does that.
    pub(crate) last: Option<Vec<Instruction>>,
}

/// The transactions that end a run which has taken `steps` so far. `lists` are the accounts of each step that pauses.
pub(crate) fn sequence(parts: &Parts, sizes: &Sizes, lists: &[Vec<Address>], steps: u32) -> Sequence {
    let number = |step: usize| (steps as usize).wrapping_add(step) as u16;
    let list = |step: usize| lists.get(step).map(Vec::as_slice).unwrap_or_default();
    let count = sizes.pauses.len();
    // A mark of 0 is a pause before everything is written, which the last one does not take.
    let marks: Vec<u64> = sizes.pauses.iter().copied().filter(|mark| *mark > 0).collect();
    if matches!(parts.lists, Lists::Spread { .. }) {
        // Each step has accounts for its own part only, so it pauses there and nowhere else.
        let middle = |(step, mark): (usize, &u64)| {
            let opening = if step == 0 { &parts.opening[..] } else { &[] };
            let step_to = if step == 0 { Parts::first } else { Parts::middle };
            [opening, &step_to(parts, number(step), &[*mark, 0], list(step))].concat()
        };
        let mut in_order: Vec<_> = sizes.pauses.iter().enumerate().map(middle).collect();
        if count > 0 {
            // Locks are taken in another round, which begins with a look at whether anything was changed.
            let first = parts.has_opening().then(|| in_order.remove(0));
            return Sequence { first, in_order, ..Sequence::default() };
        }
        let last = Some(parts.last(number(1), &[]));
        return Sequence { in_order: parts.locks(number(0)), last, ..Sequence::default() };
    }
    let with_end = [&marks[..], &[0]].concat();
    let last = parts.last(number(count), window(&marks, count));
    let middle = |step: usize| parts.middle(number(step), window(&with_end, step), list(step));
    let middles = |from: usize| (from..count).map(middle).collect();
    let in_order = Vec::new();
    match (parts.has_opening(), sizes.pauses.first()) {
        (true, None) => {
            let at_once = [&parts.opening[..], &last].concat();
            if parts.fit(&at_once) {
                return Sequence { first: Some(at_once), ..Sequence::default() };
            }
            // There is no room beside the opening for all that the last one lists.
            let List { needed, .. } = parts.lists.of_step(u64::MAX, 0);
            let first = [&parts.opening[..], &parts.middle(number(0), &[0], &needed)].concat();
            let last = Some(parts.last(number(1), &[]));
            Sequence { first: Some(first), last, ..Sequence::default() }
        }
        (true, Some(mark)) => {
            // Nothing comes before it, so one mark is enough.
            let first = [&parts.opening[..], &parts.middle(number(0), &[*mark, 0], list(0))].concat();
            Sequence { first: Some(first), middle: middles(1), in_order, last: Some(last) }
        }
        (false, Some(_)) if !parts.locking.is_empty() => {
            let first = parts.first(number(0), window(&with_end, 0), list(0));
            Sequence { first: Some(first), middle: middles(1), in_order, last: Some(last) }
        }
        (false, _) => Sequence { first: None, middle: middles(0), in_order, last: Some(last) },
    }
}

/// The marks of a step that are within reach, should it land earlier or later than it was sent: all would be too long for
/// its transaction.
fn window(marks: &[u64], step: usize) -> &[u64] {
    let first = step.saturating_sub(REACH).min(marks.len());
    let end = step.saturating_add(REACH).min(marks.len());
    marks.get(first..end).unwrap_or_default()
}

/// By how many places steps may be out of order.
const REACH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;
    use parhelion_core::emulator::SpreadPart;
    use parhelion_sdk::address::{deployment, holder_address};
    use parhelion_sdk::instruction::RunAccount;
    use parhelion_wire::instruction::{Step, tag};

    /// A run with so many accounts, all of which the last step writes.
    fn parts(accounts: u8) -> Parts {
        let (deployment, operator) = (deployment(&[7; 32].into()), Address::new_from_array([8; 32]));
        let account = |number| RunAccount { address: Address::new_from_array([number; 32]), writable: true };
        Parts {
            deployment,
            operator,
            coinbase: Default::default(),
            holder: holder_address(&deployment, &operator, 0),
            transaction: Default::default(),
            opening: Vec::new(),
            locking: Vec::new(),
            closing: Vec::new(),
            lists: Lists::Whole((100..100 + accounts).map(account).collect()),
            shape: Shape::V1,
        }
    }

    /// Something in front of the first step, of so many bytes.
    fn opening(parts: &Parts, bytes: usize) -> Vec<Instruction> {
        let mut begin = parts.run().begin(1, 2, &[]);
        begin.data.resize(bytes, 0);
        vec![begin]
    }

    fn sizes(pauses: &[u64]) -> Sizes {
        Sizes { pauses: pauses.to_vec(), ..Sizes::default() }
    }

    /// A transaction in a word: what it begins, the marks of its step, and whether that writes.
    fn word(instructions: &[Instruction]) -> String {
        let mut words = Vec::new();
        for instruction in instructions {
            match instruction.data[0] {
                tag::BEGIN => words.push("begin".to_owned()),
                tag::CODE_RESERVE => words.push("reserve".to_owned()),
                tag::LOCK => words.push(format!("lock({})", instruction.accounts.len() - 4)),
                _ => {}
            }
            if instruction.data[0] != tag::STEP {
                continue;
            }
            let step = Step::decode(&instruction.data[1..]).expect("a step");
            let accounts = &instruction.accounts[4..];
            let writes = accounts.iter().any(|meta| meta.is_writable);
            let marks: Vec<_> = step.pauses().map(|mark| mark.to_string()).collect();
            words.push(format!(
                "{}#{}({})",
                if writes { "WRITE" } else { "read" },
                step.number,
                marks.join(",")
            ));
        }
        words.join(" ")
    }

    /// First, middle and last, in words.
    fn words(parts: &Parts, pauses: &[u64], steps: u32) -> [Vec<String>; 3] {
        let list = |step: &u64| parts.lists.of_step(*step, 0).needed;
        let lists: Vec<_> = pauses.iter().map(list).collect();
        let Sequence { first, middle, in_order, last } = sequence(parts, &sizes(pauses), &lists, steps);
        assert_eq!(in_order, Vec::<Vec<_>>::new());
        let word = |instructions: &Vec<Instruction>| word(instructions);
        [first.iter().map(word).collect(), middle.iter().map(word).collect(), last.iter().map(word).collect()]
    }

    #[test]
    fn as_few_transactions_as_there_are_steps() {
        let going_on = parts(3);
        let new = Parts { opening: opening(&going_on, 29), ..going_on.clone() };
        let locking = Parts {
            locking: going_on.lists.of_end().iter().map(|account| account.address).collect(),
            ..going_on.clone()
        };
        let none = Vec::<&str>::new;
        for (what, parts, pauses, steps, expected) in [
            ("new, one step", &new, &[][..], 0, [vec!["begin WRITE#0()"], none(), none()]),
            ("new, two", &new, &[9], 0, [vec!["begin read#0(9,0)"], none(), vec!["WRITE#1(9)"]]),
            (
                "new, four, of which one only writes",
                &new,
                &[9, 5, 0],
                0,
                [vec!["begin read#0(9,0)"], vec!["read#1(9,5,0)", "read#2(9,5,0)"], vec!["WRITE#3(9,5)"]],
            ),
            ("going on, one step", &going_on, &[], 6, [none(), none(), vec!["WRITE#6()"]]),
            (
                "going on, three",
                &going_on,
                &[9, 5],
                6,
                [none(), vec!["read#6(9,5,0)", "read#7(9,5,0)"], vec!["WRITE#8(9,5)"]],
            ),
            ("locking, one step", &locking, &[], 6, [none(), none(), vec!["WRITE#6()"]]),
            (
                "locking, three",
                &locking,
                &[9, 5],
                6,
                [vec!["WRITE#6(9,5,0)"], vec!["read#7(9,5,0)"], vec!["WRITE#8(9,5)"]],
            ),
        ] {
            assert_eq!(words(parts, pauses, steps), expected, "{what}");
        }
    }

    #[test]
    fn long_runs_name_the_marks_within_reach() {
        let pauses: Vec<u64> = (1..=500).rev().collect();
        let [_, middle, last] = words(&parts(3), &pauses, 0);
        assert_eq!((middle.len(), last.len()), (500, 1));
        let marks =
            |from: u64, to: u64| (to..=from).rev().map(|mark| mark.to_string()).collect::<Vec<_>>().join(",");
        assert_eq!(middle[0], format!("read#0({})", marks(500, 437)));
        assert_eq!(middle[250], format!("read#250({})", marks(314, 187)));
        assert_eq!(middle[499], format!("read#499({},0)", marks(65, 1)));
        assert_eq!(last[0], format!("WRITE#500({})", marks(64, 1)));
    }

    #[test]
    fn what_has_no_room_beside_the_opening_is_written_by_one_more() {
        let going_on = parts(40);
        // Of 4,096 bytes: 40 accounts with 33 each take most, a reservation's data the rest.
        let reserve = Instruction { data: vec![tag::CODE_RESERVE; 300], ..opening(&going_on, 29)[0].clone() };
        let closing = Parts { closing: vec![reserve], ..going_on };
        for (bytes, expected) in [
            (100, [vec!["begin reserve WRITE#0()"], vec![], vec![]]),
            (2_200, [vec!["begin read#0(0)"], vec![], vec!["reserve WRITE#1()"]]),
        ] {
            let new = Parts { opening: opening(&closing, bytes), ..closing.clone() };
            assert_eq!(words(&new, &[], 0), expected, "{bytes}");
        }
    }

    #[test]
    fn a_spread_run_takes_its_steps_in_order_and_locks_before_the_last_one() {
        let account = |number: u8| [number; 32];
        let part = |gas_left: u64, number: u8| SpreadPart {
            gas_left,
            accounts: vec![account(number)],
            translations: vec![account(number + 1)],
        };
        let lists = Lists::Spread {
            parts: vec![part(9, 100), part(5, 110), part(3, 120)],
            end: vec![RunAccount { address: account(100).into(), writable: true }],
            reads: (130..200).map(account).collect(),
        };
        let going_on = Parts { lists, ..parts(0) };
        let new = Parts { opening: opening(&going_on, 29), ..going_on.clone() };
        let lists = [account(100), account(110), account(120)].map(|address| vec![Address::from(address)]);
        let words = |parts: &Parts, pauses: &[u64], lists: &[Vec<Address>], steps: u32| {
            let Sequence { first, middle, in_order, last } = sequence(parts, &sizes(pauses), lists, steps);
            assert_eq!(middle, Vec::<Vec<_>>::new());
            let all = first.iter().map(|first| format!("first {}", word(first)));
            all.chain(in_order.iter().chain(&last).map(|one| word(one))).collect::<Vec<_>>()
        };
        let begins = ["first begin read#0(9,0)", "read#1(5,0)", "read#2(0,0)"];
        assert_eq!(words(&new, &[9, 5, 0], &lists, 0), begins);
        assert_eq!(words(&going_on, &[5, 0], &lists[1..], 7), ["read#7(5,0)", "read#8(0,0)"]);
        let locking = Parts { locking: vec![account(110).into(), account(130).into()], ..going_on.clone() };
        assert_eq!(words(&locking, &[5, 0], &lists[1..], 7), ["WRITE#7(5,0)", "read#8(0,0)"]);
        assert_eq!(words(&going_on, &[], &[], 7), ["lock(60)", "lock(10)", "WRITE#8()"]);
        let in_packets = Parts { shape: Shape::packet(), ..going_on };
        let locks = ["lock(28)", "lock(28)", "lock(14)", "WRITE#8()"];
        assert_eq!(words(&in_packets, &[], &[], 7), locks);
    }
}
