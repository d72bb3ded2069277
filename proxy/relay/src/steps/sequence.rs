//! The Solana transactions of a run, in the order in which they depend on one another: a pure function.

use super::sizing::Sizes;
use super::trial::Parts;
use crate::plan::fits_bare;
use solana_instruction::Instruction;

/// The instructions of each transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sequence {
    /// The one that has to land before all others: it begins the run, or locks what it reads.
    pub(crate) first: Option<Vec<Instruction>>,
    /// Those that land in any order.
    pub(crate) middle: Vec<Vec<Instruction>>,
    /// The one that writes everything, when all others have landed; none if the first does that.
    pub(crate) last: Option<Vec<Instruction>>,
}

/// The transactions that end a run which has taken `steps` so far.
pub(crate) fn sequence(parts: &Parts, sizes: &Sizes, steps: u32) -> Sequence {
    let number = |step: usize| (steps as usize).wrapping_add(step) as u16;
    // A mark of 0 is a pause before everything is written, which the last one does not take.
    let marks: Vec<u64> = sizes.pauses.iter().copied().filter(|mark| *mark > 0).collect();
    let with_end = [&marks[..], &[0]].concat();
    let count = sizes.pauses.len();
    let last = parts.last(number(count), window(&marks, count));
    let middle = |step: usize| parts.middle(number(step), window(&with_end, step));
    let middles = |from: usize| (from..count).map(middle).collect();
    match (parts.has_opening(), sizes.pauses.first()) {
        (true, None) => {
            let at_once = [&parts.opening[..], &last].concat();
            if fits_bare(&at_once, &parts.operator) {
                return Sequence { first: Some(at_once), ..Sequence::default() };
            }
            // There is no room beside the opening for all that the last one lists.
            let first = [&parts.opening[..], &parts.middle(number(0), &[0])].concat();
            Sequence { first: Some(first), middle: Vec::new(), last: Some(parts.last(number(1), &[])) }
        }
        (true, Some(mark)) => {
            // Nothing comes before it, so one mark is enough.
            let first = [&parts.opening[..], &parts.middle(number(0), &[*mark, 0])].concat();
            Sequence { first: Some(first), middle: middles(1), last: Some(last) }
        }
        (false, Some(_)) if !parts.locking.is_empty() => {
            let first = parts.first(number(0), window(&with_end, 0));
            Sequence { first: Some(first), middle: middles(1), last: Some(last) }
        }
        (false, _) => Sequence { first: None, middle: middles(0), last: Some(last) },
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
    use parhelion_sdk::address::{deployment, holder_address};
    use parhelion_sdk::instruction::RunAccount;
    use parhelion_wire::instruction::{Step, tag};
    use solana_address::Address;

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
            accounts: (100..100 + accounts).map(account).collect(),
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
                _ => {}
            }
            if instruction.data[0] != tag::STEP {
                continue;
            }
            let step = Step::decode(&instruction.data[1..]).expect("a step");
            let writes = instruction.accounts[4..].iter().any(|meta| meta.is_writable);
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
        let Sequence { first, middle, last } = sequence(parts, &sizes(pauses), steps);
        let word = |instructions: &Vec<Instruction>| word(instructions);
        [first.iter().map(word).collect(), middle.iter().map(word).collect(), last.iter().map(word).collect()]
    }

    #[test]
    fn as_few_transactions_as_there_are_steps() {
        let going_on = parts(3);
        let new = Parts { opening: opening(&going_on, 29), ..going_on.clone() };
        let locking = Parts { locking: going_on.accounts.clone(), ..going_on.clone() };
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
}
