//! Where this chain is another one than the vectors': which of them do not apply, and which of their values.
//!
//! The list is `rules.txt`, a rule a line in four columns: what to do, for which files, when, and why.
//!
//! ```text
//! skip                    | eth_getBalance/*          | says only the newest state | the reason
//! types                   | eth_feeHistory/*          |                            | the reason
//! without status,root     | eth_getTransactionReceipt/* |                          | the reason
//! ```
//!
//! | what | the file |
//! |---|---|
//! | `skip` | need not pass |
//! | `types` | must have answers of the same types |
//! | `without FIELDS` | must have the same answers but for these fields, wherever they are |
//!
//! | when | the rule is for those files |
//! |---|---|
//! | nothing | all |
//! | `says TEXT` | to one of whose requests our answer is an error with this text |
//! | `expects TEXT` | in one of whose answers the text is |
//! | `names blobs` | in which a hash of a blob transaction of the chain is |
//!
//! A file that passes without any rule passes. A rule that no file needs is an error, so that the list stays true.

use crate::compare::{Closeness, differences};
use crate::vector::Vector;
use alloy_primitives::B256;
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::collections::BTreeSet;

/// The list.
const RULES: &str = include_str!("../rules.txt");

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    action: Action,
    /// Names of files, `*` for any text.
    files: Vec<String>,
    condition: Condition,
    /// Why.
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Action {
    Skip,
    Types,
    Without(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Always,
    Says(String),
    Expects(String),
    NamesBlobs,
}

/// What came of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As Ethereum has it, by the rules with these numbers.
    Passed(Vec<usize>),
    /// It does not apply: the number of the rule.
    Skipped(usize),
    /// Not as Ethereum has it: for each exchange that differs, its number and what differs.
    Failed(Vec<(usize, Vec<String>)>),
}

/// The rules of the list.
///
/// # Errors
/// When a line is no rule.
pub fn all() -> Result<Vec<Rule>> {
    parse(RULES)
}

fn parse(text: &str) -> Result<Vec<Rule>> {
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|(line, number)| Rule::parse(line).with_context(|| format!("rules.txt, line {number}")))
        .collect()
}

impl Rule {
    fn parse(line: &str) -> Result<Self> {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let [action, files, condition, reason] = columns[..] else {
            bail!("a rule has four columns: what | files | when | why");
        };
        if files.is_empty() || reason.is_empty() {
            bail!("a rule names files and has a reason");
        }
        let list = |text: &str| text.split(',').map(|item| item.trim().to_owned()).collect();
        Ok(Self {
            action: match action.split_once(' ') {
                None if action == "skip" => Action::Skip,
                None if action == "types" => Action::Types,
                Some(("without", fields)) => Action::Without(list(fields)),
                _ => bail!("{action:?} is not `skip`, `types` or `without FIELDS`"),
            },
            files: list(files),
            condition: match condition.split_once(' ') {
                None if condition.is_empty() => Condition::Always,
                Some(("says", text)) => Condition::Says(text.to_owned()),
                Some(("expects", text)) => Condition::Expects(text.to_owned()),
                Some(("names", "blobs")) => Condition::NamesBlobs,
                _ => bail!("{condition:?} is not `says TEXT`, `expects TEXT` or `names blobs`"),
            },
            reason: reason.to_owned(),
        })
    }

    /// The rule as it is told to people.
    #[must_use]
    pub fn title(&self) -> String {
        let action = match &self.action {
            Action::Skip => "skip".to_owned(),
            Action::Types => "types".to_owned(),
            Action::Without(fields) => format!("without {}", fields.join(",")),
        };
        format!("{action} | {}", self.files.join(", "))
    }

    fn is_for(&self, vector: &Vector, answers: &[Value], blobs: &BTreeSet<B256>) -> bool {
        self.files.iter().any(|pattern| matches(pattern, &vector.name))
            && match &self.condition {
                Condition::Always => true,
                Condition::Says(text) => answers.iter().any(|answer| {
                    answer["error"]["message"].as_str().is_some_and(|message| message.contains(text))
                }),
                Condition::Expects(text) => {
                    vector.exchanges.iter().any(|exchange| exchange.answer.to_string().contains(text))
                }
                Condition::NamesBlobs => vector.exchanges.iter().any(|exchange| {
                    let answer = exchange.answer.to_string();
                    blobs
                        .iter()
                        .map(B256::to_string)
                        .any(|hash| answer.contains(&hash) || exchange.request.contains(&hash))
                }),
            }
    }
}

/// Whether a name is what a pattern says, in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| matches(rest, &name[at..]))
        }),
    }
}

/// Judges the answers to a file's requests.
#[must_use]
pub fn judge(rules: &[Rule], vector: &Vector, answers: &[Value], blobs: &BTreeSet<B256>) -> Verdict {
    let closeness = if vector.is_types_only { Closeness::Types } else { Closeness::Values };
    let failure = match failures(vector, answers, closeness, &[]) {
        failures if failures.is_empty() => return Verdict::Passed(Vec::new()),
        failures => failures,
    };
    let applying: Vec<(usize, &Rule)> =
        rules.iter().enumerate().filter(|(_, rule)| rule.is_for(vector, answers, blobs)).collect();
    if let Some(needed) = relaxed(&applying, vector, answers, closeness) {
        return Verdict::Passed(needed);
    }
    match applying.iter().find(|(_, rule)| rule.action == Action::Skip) {
        Some((number, _)) => Verdict::Skipped(*number),
        None => Verdict::Failed(failure),
    }
}

/// The rules that make a file pass; `None` when all together do not.
fn relaxed(
    applying: &[(usize, &Rule)],
    vector: &Vector,
    answers: &[Value],
    closeness: Closeness,
) -> Option<Vec<usize>> {
    let passes = |rules: &[&(usize, &Rule)]| {
        let mut closeness = closeness;
        let mut fields = Vec::new();
        for (_, rule) in rules {
            match &rule.action {
                Action::Skip => {}
                Action::Types => closeness = Closeness::Types,
                Action::Without(names) => fields.extend(names.iter().map(String::as_str)),
            }
        }
        failures(vector, answers, closeness, &fields).is_empty()
    };
    let mut needed: Vec<&(usize, &Rule)> =
        applying.iter().filter(|(_, rule)| rule.action != Action::Skip).collect();
    if !passes(&needed) {
        return None;
    }
    let mut place = 0;
    while place < needed.len() {
        let without: Vec<_> =
            needed.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, rule)| *rule).collect();
        if passes(&without) {
            needed = without;
        } else {
            place += 1;
        }
    }
    Some(needed.iter().map(|(number, _)| *number).collect())
}

/// The exchanges that differ, by number, when these fields are left out.
fn failures(
    vector: &Vector,
    answers: &[Value],
    closeness: Closeness,
    fields: &[&str],
) -> Vec<(usize, Vec<String>)> {
    let pairs = vector.exchanges.iter().zip(answers).enumerate();
    pairs
        .map(|(number, (exchange, got))| {
            let (mut expected, mut got) = (exchange.answer.clone(), got.clone());
            leave_out(&mut expected, fields);
            leave_out(&mut got, fields);
            (number, differences(&expected, &got, closeness))
        })
        .filter(|(_, differences)| !differences.is_empty())
        .collect()
}

fn leave_out(value: &mut Value, fields: &[&str]) {
    match value {
        Value::Object(object) => {
            object.retain(|name, _| !fields.contains(&name.as_str()));
            object.values_mut().for_each(|value| leave_out(value, fields));
        }
        Value::Array(array) => array.iter_mut().for_each(|value| leave_out(value, fields)),
        _ => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Verdict, all, judge, matches, parse};
    use crate::vector::Vector;
    use alloy_primitives::B256;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

    fn verdict(rules: &str, name: &str, expected: &Value, got: &Value) -> Verdict {
        let text = format!(">> {{}}\n<< {}\n", json!({ "result": expected }));
        let vector = Vector::parse(name, &text).unwrap();
        let blobs = BTreeSet::from([B256::repeat_byte(7)]);
        judge(&parse(rules).unwrap(), &vector, std::slice::from_ref(got), &blobs)
    }

    #[test]
    fn the_list_is_readable() {
        assert!(!all().unwrap().is_empty());
    }

    #[test]
    fn lines_that_are_no_rules_are_refused() {
        for line in [
            "skip",
            "skip | a | | ",
            "skip | | | why",
            "jump | a | | why",
            "skip | a | if | why",
            "without | a | | b",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, name) in
            [("*", "a/b"), ("a/*", "a/b"), ("a/*b*", "a/abc"), ("a/b", "a/b"), ("*/b", "a/b")]
        {
            assert!(matches(pattern, name), "{pattern}");
        }
        for (pattern, name) in [("a/*", "b/a"), ("a/b", "a/bc"), ("a/*b", "a/bc")] {
            assert!(!matches(pattern, name), "{pattern}");
        }
    }

    #[test]
    fn what_passes_needs_no_rule() {
        let got = json!({ "result": "0x1" });
        assert_eq!(verdict("skip | * | | why", "a/b", &json!("0x1"), &got), Verdict::Passed(vec![]));
    }

    #[test]
    fn only_the_rules_that_are_needed_count() {
        let rules =
            "types | a/* | | why\nwithout x,y | a/* | | why\nwithout z | a/* | | why\nskip | a/* | | why";
        let got = |result: Value| json!({ "result": result });
        let expected = json!({ "x": "0x1", "z": "0x2" });
        let judged = |result| verdict(rules, "a/b", &expected, &got(result));
        assert_eq!(judged(json!({ "x": "0x2", "z": "0x2" })), Verdict::Passed(vec![1]));
        assert_eq!(judged(json!({ "z": "0x3", "x": "0x2" })), Verdict::Passed(vec![1, 2]));
        assert_eq!(judged(json!({ "x": "0x1" })), Verdict::Passed(vec![2]));
        assert_eq!(judged(json!({ "w": "0x1" })), Verdict::Skipped(3));
        let other = verdict(rules, "b/b", &expected, &got(json!({ "w": "0x1" })));
        assert!(
            matches!(other, Verdict::Failed(failures) if failures.len() == 1 && failures[0].1.len() == 3)
        );
    }

    #[test]
    fn conditions_look_at_our_answer_or_at_the_file() {
        let refused = json!({ "error": { "code": -32000, "message": "only the latest state is there" } });
        let says = "skip | a/* | says only the latest | why";
        assert_eq!(verdict(says, "a/b", &json!("0x1"), &refused), Verdict::Skipped(0));
        let got = json!({ "result": "0x2" });
        assert!(matches!(verdict(says, "a/b", &json!("0x1"), &got), Verdict::Failed(_)));
        let expects = "skip | * | expects \"0x1\" | why";
        assert_eq!(verdict(expects, "a/b", &json!("0x1"), &got), Verdict::Skipped(0));
        assert!(matches!(verdict(expects, "a/b", &json!("0x11"), &got), Verdict::Failed(_)));
        let blobs = "skip | * | names blobs | why";
        let hash = json!([B256::repeat_byte(7)]);
        assert_eq!(verdict(blobs, "a/b", &hash, &got), Verdict::Skipped(0));
        assert!(matches!(verdict(blobs, "a/b", &json!("0x1"), &got), Verdict::Failed(_)));
    }
}
