//! The table of figures.

use std::fmt::Write as _;

/// What is not known, or was not measured.
const NOTHING: &str = "–";

/// What a figure is to reach, and whether it does.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Goal {
    text: String,
    is_reached: bool,
}

/// A figure of the node, and anvil's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    what: String,
    node: String,
    anvil: Option<String>,
    goal: Option<Goal>,
}

impl Row {
    /// A figure of the node.
    pub(crate) fn new(what: impl Into<String>, node: impl Into<String>) -> Self {
        Self { what: what.into(), node: node.into(), anvil: None, goal: None }
    }

    /// What anvil has.
    pub(crate) fn beside(mut self, anvil: impl Into<String>) -> Self {
        self.anvil = Some(anvil.into());
        self
    }

    /// What the node is to reach.
    pub(crate) fn reaching(mut self, text: impl Into<String>, is_reached: bool) -> Self {
        self.goal = Some(Goal { text: text.into(), is_reached });
        self
    }
}

/// Rows that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    /// Its heading.
    pub(crate) title: &'static str,
    /// What was done.
    pub(crate) text: String,
    /// The figures.
    pub(crate) rows: Vec<Row>,
}

/// How many goals were reached, how many were not.
pub(crate) fn count(sections: &[Section]) -> (usize, usize) {
    let goals = || sections.iter().flat_map(|section| &section.rows).filter_map(|row| row.goal.as_ref());
    let reached = goals().filter(|goal| goal.is_reached).count();
    (reached, goals().count() - reached)
}

/// All sections as Markdown.
pub(crate) fn markdown(head: &str, sections: &[Section]) -> String {
    let mut text = format!("# The node's figures, beside anvil's\n\n{}\n", head.trim());
    for section in sections {
        // Writing to a string does not fail.
        let _ = write!(text, "\n## {}\n\n{}\n\n", section.title, section.text.trim());
        text += "| what | Parhelion | anvil | to reach | |\n|---|---:|---:|---|---|\n";
        section.rows.iter().for_each(|row| text += &line(row));
    }
    text
}

fn line(row: &Row) -> String {
    let anvil = row.anvil.as_deref().unwrap_or(NOTHING);
    let (goal, verdict) = match &row.goal {
        None => ("", ""),
        Some(Goal { text, is_reached: true }) => (text.as_str(), "reached"),
        Some(Goal { text, is_reached: false }) => (text.as_str(), "**missed**"),
    };
    format!("| {} | {} | {anvil} | {goal} | {verdict} |\n", row.what, row.node)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section() -> Section {
        let rows = vec![
            Row::new("eth_call", "9 a second").beside("8 a second").reaching("as fast as anvil", true),
            Row::new("start", "2 s").reaching("below 1 s", false),
            Row::new("memory", "3 MB"),
        ];
        Section { title: "Reads", text: "On one machine.\n".into(), rows }
    }

    #[test]
    fn figures_become_a_table() {
        let text = markdown("Head.", &[section()]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[..5], ["# The node's figures, beside anvil's", "", "Head.", "", "## Reads"]);
        assert_eq!(lines[10], "| eth_call | 9 a second | 8 a second | as fast as anvil | reached |");
        assert_eq!(lines[11], "| start | 2 s | – | below 1 s | **missed** |");
        assert_eq!(lines[12], "| memory | 3 MB | – |  |  |");
        let cells = |line: &str| line.matches('|').count();
        assert!(lines[8..].iter().all(|line| cells(line) == 6), "every row has all columns");
    }

    #[test]
    fn goals_are_counted() {
        assert_eq!(count(&[section(), section()]), (2, 2));
        assert_eq!(count(&[]), (0, 0));
    }

    /// The committed table is what this program writes, or was: its rows must be those that it still measures.
    #[test]
    fn the_committed_table_has_all_columns() {
        let committed = include_str!("../figures.md");
        let rows: Vec<_> = committed.lines().filter(|line| line.starts_with('|')).collect();
        assert!(rows.len() > 10 && rows.iter().all(|row| row.matches('|').count() == 6));
    }
}
