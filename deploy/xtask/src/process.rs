//! Running other programs: what runs is printed, what fails is an error that names the command.

use std::{
    env, fs,
    io::{BufRead, BufReader, IsTerminal, Read, Write},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

use anyhow::{Context as _, Result, bail};

/// Whether this process runs as root.
pub(crate) fn is_root() -> bool {
    // The owner of this folder is the user that this process runs as.
    fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

/// Adds an option to a command, if it has a value.
pub(crate) fn option(command: &mut Command, name: &str, value: Option<impl ToString>) {
    if let Some(value) = value {
        command.arg(name).arg(value.to_string());
    }
}

/// Runs a command with the terminal as its input and output.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command.status().with_context(|| cannot_start(command))?;
    if !status.success() {
        bail!("`{}` failed ({status}); the reason is above", display(command));
    }
    Ok(())
}

/// Runs a command quietly and returns what it wrote to standard output.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| cannot_start(command))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed ({}):\n{}", display(command), output.status, reason.trim_end());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command, shows its output as it comes and hands each line, without colours, to `on_line`. Returns whether
/// the command succeeded.
pub(crate) fn stream(command: &mut Command, mut on_line: impl FnMut(&str)) -> Result<bool> {
    announce(command);
    if std::io::stdout().is_terminal() {
        // The child writes into a pipe; without this it would drop its colours.
        command.env("CARGO_TERM_COLOR", "always").env("FORCE_COLOR", "1");
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| cannot_start(command))?;
    let (sender, lines) = mpsc::channel();
    let outputs: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|out| Box::new(out) as _),
        child.stderr.take().map(|err| Box::new(err) as _),
    ];
    for output in outputs.into_iter().flatten() {
        let sender = sender.clone();
        thread::spawn(move || forward_lines(output, &sender));
    }
    drop(sender);
    for line in lines {
        // The reader of our output may be gone (`| head`); the child's result still counts.
        let _ = std::io::stdout().write_all(&line);
        on_line(without_colours(&String::from_utf8_lossy(&line)).trim_end());
    }
    Ok(child.wait()?.success())
}

fn forward_lines(output: impl Read, sender: &mpsc::Sender<Vec<u8>>) {
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        if sender.send(std::mem::take(&mut line)).is_err() {
            return;
        }
    }
}

/// The path of a program found on PATH or in one of `more` folders.
pub(crate) fn find_program(name: &str, more: &[PathBuf]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(more.iter().cloned());
    folders.map(|folder| folder.join(name)).find(|program| is_executable(program))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// The command as a person would type it, without its environment.
pub(crate) fn display(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// An error and its causes, one a line; no backtrace, since it tells about xtask and not about what failed.
pub(crate) fn explain(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}");
    for cause in error.chain().skip(1) {
        text += &format!("\n  because: {cause}");
    }
    text
}

fn announce(command: &Command) {
    eprintln!("$ {}", display(command));
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start `{}`: is it installed and on PATH?", command.get_program().to_string_lossy())
}

/// Removes ANSI escape sequences (ESC [ ... letter).
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            plain.push(c);
        } else if chars.next() == Some('[') {
            // Consumes the sequence: its last character is the first one in '@'..='~'.
            let _ = chars.find(|c| ('@'..='~').contains(c));
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = Command::new("cargo");
        command.args(["clippy", "--", "-D", "warnings", "two words", "it's", ""]);
        assert_eq!(display(&command), r"cargo clippy -- -D warnings 'two words' 'it'\''s' ''");
    }

    #[test]
    fn colours_are_removed() {
        assert_eq!(without_colours("\u{1b}[32;1m  Summary\u{1b}[0m [1s]"), "  Summary [1s]");
        assert_eq!(without_colours("plain"), "plain");
        assert_eq!(without_colours("cut off \u{1b}["), "cut off ");
    }

    #[test]
    fn both_outputs_are_streamed_and_the_result_is_told() -> Result<()> {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; printf last; exit 3"]);
        assert!(!stream(&mut command, |line| lines.push(line.to_owned()))?);
        lines.sort();
        assert_eq!(lines, ["err", "last", "out"]);
        Ok(())
    }

    #[test]
    fn an_error_is_told_with_its_causes() {
        let error = anyhow::anyhow!("the disk is full").context("cannot write").context("step x failed");
        assert_eq!(
            explain(&error),
            "error: step x failed\n  because: cannot write\n  because: the disk is full"
        );
    }

    #[test]
    fn errors_name_the_command() {
        let error = run(&mut Command::new("false")).map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.starts_with("`false` failed")));
        let error = run(&mut Command::new("no-such-program")).map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.contains("is it installed")));
    }
}
