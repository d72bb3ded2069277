//! Options from a file, for commands with many of them.
//!
//! The file is TOML; its keys are the long options of the command, without the dashes. What is given on the command line or
//! in the environment counts more than the file, and the file more than the defaults. `deploy/parhelion.toml` in the
//! repository is an example with all options.

use anyhow::{Context, bail};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, Args, Command};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The option that names the file, which cannot be in the file.
const OPTION: &str = "config";

// No doc comment: clap would take it for what the command is about.
#[derive(Clone, Debug, Args)]
pub(crate) struct ConfigFile {
    /// A TOML file with options of this command; those that are given here or in the environment count more
    #[arg(long, value_name = "FILE", env = "PARHELION_CONFIG")]
    #[allow(dead_code, reason = "it is read before all options are known, see `with_file`")]
    config: Option<PathBuf>,
}

/// The command line, with options added from the file that it names, if it names one.
pub(crate) fn with_file(mut command: Command, mut line: Vec<OsString>) -> anyhow::Result<Vec<OsString>> {
    // What is wrong on the command line is found when all of it is known.
    let lenient = command.clone().ignore_errors(true);
    let Ok(given) = lenient.try_get_matches_from(&line) else { return Ok(line) };
    command.build();
    let Some((name, given)) = given.subcommand() else { return Ok(line) };
    let Ok(Some(path)) = given.try_get_one::<PathBuf>(OPTION) else { return Ok(line) };
    let Some(command) = command.find_subcommand(name) else { return Ok(line) };
    for (key, value) in read(path)? {
        let shown = path.display();
        let Some(option) = option(command, &key) else {
            bail!("{shown} has an unknown option {key:?}: parhelion {name} --help lists what there is");
        };
        let source = given.value_source(option.get_id().as_str());
        if !matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable)) {
            line.extend(arguments(option, &key, &value).with_context(|| format!("in {shown}"))?);
        }
    }
    Ok(line)
}

/// The file's keys and values.
fn read(path: &Path) -> anyhow::Result<Table> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the file {shown} that --{OPTION} names"))?;
    match text.parse::<Table>() {
        Ok(table) => Ok(table),
        // Not all that it says: it repeats the line, which may hold a secret.
        Err(error) => {
            let before = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..before].iter().filter(|byte| **byte == b'\n').count() + 1;
            bail!("{shown} is no TOML: line {line}: {}", error.message())
        }
    }
}

/// The option of this name, if it may be in a file.
fn option<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    let is_allowed = !matches!(key, OPTION | "help" | "version");
    command.get_arguments().find(|option| is_allowed && option.get_long() == Some(key))
}

/// An option of the file as it stands on a command line.
fn arguments(option: &Arg, key: &str, value: &Value) -> anyhow::Result<Vec<OsString>> {
    if matches!(option.get_action(), ArgAction::SetTrue) {
        let Value::Boolean(is_set) = value else { bail!("{key:?} has to be true or false") };
        return Ok(is_set.then(|| format!("--{key}").into()).into_iter().collect());
    }
    let values = match value {
        Value::Array(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    let argument = |value: &Value| match value {
        Value::String(text) => Ok(format!("--{key}={text}").into()),
        Value::Integer(number) => Ok(format!("--{key}={number}").into()),
        _ => bail!(
            "{key:?} has to be a text or a number, or a list of them where it may be given more than once"
        ),
    };
    values.iter().map(argument).collect()
}

#[cfg(test)]
mod tests {
    use super::{option, with_file};
    use crate::{Cli, Command};
    use clap::{CommandFactory, Parser};
    use std::collections::BTreeSet;
    use std::ffi::OsString;
    use std::path::PathBuf;
    use toml::Table;

    const EXAMPLE: &str = include_str!("../../../deploy/parhelion.toml");
    const PROGRAM: &str = "ComputeBudget111111111111111111111111111111";

    /// A file that goes with the test.
    struct File(PathBuf);

    impl File {
        fn new(name: &str, text: &str) -> Self {
            let path = std::env::temp_dir().join(format!("parhelion-{name}-{}.toml", std::process::id()));
            std::fs::write(&path, text).expect("written");
            Self(path)
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    /// All options of a command, as they are shown, and the error if they are not taken.
    fn options(command: &str, file: &File, more: &[&str]) -> Result<String, String> {
        let mut line: Vec<OsString> = ["parhelion", command, "--config"].map(OsString::from).to_vec();
        line.push(file.0.clone().into());
        line.extend(more.iter().map(OsString::from));
        let line = with_file(Cli::command(), line).map_err(|error| format!("{error:#}"))?;
        let cli = Cli::try_parse_from(line).map_err(|error| error.to_string())?;
        Ok(match cli.command {
            Command::Run(options) => format!("{options:?}"),
            Command::Dev(options) => format!("{options:?}"),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn options_come_from_the_file_but_for_those_that_are_given() {
        let text = format!(
            "solana-url = \"http://file.example\"\nprogram-id = \"{PROGRAM}\"\nlisten = \"127.0.0.1:1\"\n\
             no-explorer = true\nrate-limit = 7\ntrusted-proxy = [\"10.0.0.0/8\", \"::1\"]\n"
        );
        let file = File::new("given", &text);
        let shown = options("run", &file, &[]).expect("valid");
        for part in [
            "http://file.example",
            "127.0.0.1:1,",
            "no_explorer: true",
            "rate_limit: Some(7)",
            "10.0.0.0/8",
            "::1",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let shown =
            options("run", &file, &["--listen", "127.0.0.1:2", "--trusted-proxy=9.9.9.9"]).expect("valid");
        assert!(shown.contains("127.0.0.1:2,") && !shown.contains("127.0.0.1:1,"), "{shown}");
        assert!(shown.contains("9.9.9.9") && !shown.contains("10.0.0.0"), "{shown}");
    }

    #[test]
    fn what_is_wrong_in_a_file_is_named_without_its_values() {
        for (name, text, error) in [
            ("unknown", "rate-limits = 5", "unknown option \"rate-limits\": parhelion dev --help"),
            ("itself", "config = \"other.toml\"", "unknown option \"config\""),
            ("help", "help = true", "unknown option \"help\""),
            ("flag", "no-explorer = \"s3cret\"", "\"no-explorer\" has to be true or false"),
            ("table", "[rate-limit]\nnumber = 5", "\"rate-limit\" has to be a text or a number"),
            ("syntax", "\nrate-limit = s3cret", "line 2"),
            ("twice", "rate-limit = 1\nrate-limit = 2", "line 2"),
            ("value", "rate-limit = -1", "--rate-limit"),
        ] {
            let file = File::new(name, text);
            let found = options("dev", &file, &[]).expect_err(name);
            assert!(found.contains(error) && !found.contains("s3cret"), "{name}: {found}");
        }
        let missing = File(std::env::temp_dir().join("parhelion-is-not-there.toml"));
        assert!(options("dev", &missing, &[]).expect_err("missing").contains("cannot read the file"));
    }

    #[test]
    fn other_command_lines_stay_as_they_are() {
        for line in [&["parhelion"][..], &["parhelion", "--version"], &["parhelion", "dev", "--nonsense"]] {
            let line: Vec<OsString> = line.iter().map(OsString::from).collect();
            assert_eq!(with_file(Cli::command(), line.clone()).expect("nothing to do"), line);
        }
    }

    #[test]
    fn every_option_has_a_variable_of_its_name() {
        let mut command = Cli::command();
        command.build();
        for name in ["run", "dev"] {
            let command = command.find_subcommand(name).expect("is there");
            for option in command.get_arguments().filter(|option| option.get_action().takes_values()) {
                let long = option.get_long().expect("no option is short").to_uppercase().replace('-', "_");
                let variable = option.get_env().and_then(|variable| variable.to_str());
                assert_eq!(variable, Some(&*format!("PARHELION_{long}")), "{name}");
            }
        }
    }

    /// The example with every option in use: those that it leaves out stand behind `#` without a space.
    fn example() -> String {
        EXAMPLE
            .lines()
            .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
            .fold(String::new(), |text, line| text + line + "\n")
    }

    #[test]
    fn the_example_has_every_option_of_run_and_no_other() {
        let mut command = Cli::command();
        command.build();
        let run = command.find_subcommand("run").expect("run");
        let all = run.get_arguments().filter_map(|argument| argument.get_long());
        let all: BTreeSet<&str> = all.filter(|name| option(run, name).is_some()).collect();
        let table: Table = example().parse().expect("is TOML");
        assert_eq!(table.keys().map(String::as_str).collect::<BTreeSet<_>>(), all);
    }

    #[test]
    fn the_example_can_be_used_as_it_is_and_with_all_its_options() {
        for (name, text) in [("example", EXAMPLE.to_owned()), ("whole-example", example())] {
            let file = File::new(name, &text);
            options("run", &file, &[]).expect(name);
        }
    }

    #[test]
    fn options_show_no_secrets() {
        let database = "postgres://me:s3cret@db.example/chain";
        let text = format!(
            "solana-url = \"https://rpc.example/s3cret\"\nprogram-id = \"{PROGRAM}\"\ndatabase = \"{database}\""
        );
        let shown = options("run", &File::new("secrets", &text), &[]).expect("valid");
        assert!(shown.contains("rpc.example") && shown.contains("db.example"), "{shown}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
