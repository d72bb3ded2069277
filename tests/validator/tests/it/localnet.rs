//! `cargo xtask localnet`: everything starts with one command, and nothing is left of it.

use crate::world::{named, post};
use parhelion_validator::folder::TemporaryFolder;
use parhelion_validator::ports;
use parhelion_validator::process::{Output, Process, tail};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The localnet with its temporary files in `folder`, on ports from `first` on.
fn localnet(folder: &Path, first: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parhelion-localnet"));
    command.args(["--rpc-port", &first.to_string(), "--listen", &format!("127.0.0.1:{}", first + 2)]);
    command.env("TMPDIR", folder).env("PARHELION_NODE", named("PARHELION_NODE"));
    command
}

/// Processes whose command line names `folder`.
fn processes(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("reads").flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(&*folder.to_string_lossy())).collect()
}

/// Waits until something holds.
fn wait_for(what: &str, log: &Path, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(90), "{what}: {}", tail(log));
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn one_command_starts_everything_and_a_signal_ends_it() {
    // The ledger lies outside the localnet's own folder, to be found again.
    let folder = TemporaryFolder::new().expect("folder");
    let (temporary, log) = (folder.path().join("tmp"), folder.path().join("log"));
    std::fs::create_dir(&temporary).expect("created");
    let first = ports::free_block().expect("free ports");
    let ledger = folder.path().join("kept");
    let start = |log: &Path| {
        let mut command = localnet(&temporary, first);
        command.arg("--ledger").arg(&ledger);
        Process::start(command, &Output::File(log.to_path_buf())).expect("starts")
    };
    let running = start(&log);
    wait_for("it is ready", &log, || {
        tail(&log).contains("Ctrl-C stops everything") || running.ended().is_some()
    });
    assert!(running.ended().is_none(), "{}", tail(&log));
    let account = r#"["0x70997970C51812dc3A010C7d01b50e0d17dc79C8","latest"]"#;
    let balance = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":{account}}}"#);
    // 10,000 ether.
    assert!(post(first + 2, &balance).expect("answers").contains("0x21e19e0c9bab2400000"));
    assert!(processes(folder.path()).len() >= 2, "a validator and a node");

    // A second one sees that the ports are taken.
    let second = folder.path().join("second.log");
    let other = Process::start(localnet(&temporary, first), &Output::File(second.clone())).expect("starts");
    assert_eq!(other.wait(Duration::from_secs(30)).and_then(|status| status.code()), Some(1));
    assert!(tail(&second).contains("is taken"), "{}", tail(&second));

    running.stop();
    assert_eq!(running.ended().and_then(|status| status.code()), Some(0), "{}", tail(&log));
    assert_eq!(processes(folder.path()), Vec::<String>::new());
    assert_eq!(std::fs::read_dir(&temporary).expect("reads").count(), 0, "no temporary files are left");

    // The ledger was kept: everything is there already. And a localnet that is killed takes the others with it.
    let again = folder.path().join("again.log");
    let running = start(&again);
    wait_for("it is ready", &again, || {
        tail(&again).contains("Ctrl-C stops everything") || running.ended().is_some()
    });
    assert!(
        running.ended().is_none()
            && post(first + 2, &balance).expect("answers").contains("0x21e19e0c9bab2400000"),
        "{}",
        tail(&again)
    );
    assert!(std::fs::read_to_string(&again).expect("reads").contains("Is there   in slot"));
    running.kill();
    wait_for("nothing is left", &again, || processes(folder.path()).is_empty());
}

#[test]
fn a_validator_that_dies_is_told_with_its_log() {
    let folder = TemporaryFolder::new().expect("folder");
    let log = folder.path().join("log");
    let first = ports::free_block().expect("free ports");
    let running = Process::start(localnet(folder.path(), first), &Output::File(log.clone())).expect("starts");
    wait_for("it is ready", &log, || {
        tail(&log).contains("Ctrl-C stops everything") || running.ended().is_some()
    });
    let validator = std::fs::read_dir("/proc").expect("reads").flatten().find_map(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let is_ours =
            line.contains("solana-test-validator") && line.contains(&*folder.path().to_string_lossy());
        is_ours.then(|| entry.file_name().to_string_lossy().into_owned())
    });
    let validator = validator.expect("it runs");
    assert!(Command::new("kill").args(["-9", &validator]).status().expect("kills").success());
    assert_eq!(running.wait(Duration::from_secs(60)).and_then(|status| status.code()), Some(1));
    let text = std::fs::read_to_string(&log).expect("reads");
    assert!(text.contains("the validator ended (signal: 9") && text.contains("The end of its log"), "{text}");
}
