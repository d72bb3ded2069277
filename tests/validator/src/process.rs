//! A program that runs as long as its guard, and not longer than this process.

use anyhow::{Context as _, Result};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, set_parent_process_death_signal,
    setpriority_pgrp, waitid,
};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

/// How long a program may take to end when it is asked to.
const STOP_WAIT: Duration = Duration::from_secs(15);
/// What `nice` calls the lowest priority.
const PRIORITY_LOWEST: i32 = 19;
/// How much of a log is shown.
const TAIL_BYTES: u64 = 4_000;

/// Where a program's output goes.
#[derive(Clone, Debug)]
pub enum Output {
    /// Where this process's goes.
    Inherit,
    /// To the end of a file.
    File(PathBuf),
}

/// A program that runs. It ends when this is dropped, and when this process ends in whatever way.
///
/// It is in a process group of its own, so that Ctrl-C on a terminal does not reach it: its owner stops it in order.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    ended: Arc<Ended>,
}

/// How a program ended, once it did.
#[derive(Debug, Default)]
struct Ended {
    status: Mutex<Option<ExitStatus>>,
    changed: Condvar,
}

impl Ended {
    fn lock(&self) -> MutexGuard<'_, Option<ExitStatus>> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Process {
    /// Starts a program.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(mut command: Command, output: &Output) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).process_group(0);
        if let Output::File(path) = output {
            let open = || -> std::io::Result<(File, File)> {
                let file = File::options().create(true).append(true).open(path)?;
                Ok((file.try_clone()?, file))
            };
            let (out, err) = open().with_context(|| format!("cannot write {}", path.display()))?;
            command.stdout(out).stderr(err);
        }
        let parent = rustix::process::getpid();
        // SAFETY: between fork and exec the closure makes two system calls and touches no memory but its stack.
        unsafe {
            command.pre_exec(move || {
                set_parent_process_death_signal(Some(Signal::KILL))?;
                // This process may have ended in between; then nobody would send the signal any more.
                match rustix::process::getppid() {
                    Some(pid) if pid == parent => Ok(()),
                    _ => Err(std::io::ErrorKind::BrokenPipe.into()),
                }
            });
        }
        let ended = Arc::new(Ended::default());
        let (sender, receiver) = mpsc::channel();
        // The kernel sends the signal when the *thread* ends that started the program. So it gets one that lives as
        // long as the program.
        thread::spawn({
            let ended = Arc::clone(&ended);
            move || match command.spawn() {
                Ok(child) => {
                    let _ = sender.send(Ok(Pid::from_child(&child)));
                    wait(child, &ended);
                }
                Err(error) => {
                    let _ = sender.send(Err(error));
                }
            }
        });
        let pid = receiver.recv().context("the thread that starts programs ended")?;
        let pid = pid.with_context(|| format!("cannot start {name}: is it there and executable?"))?;
        Ok(Self { pid, ended })
    }

    /// Its number, for `/proc`.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Lets others go first: the program and what it started get what nobody else wants of the processors.
    pub fn yield_to_others(&self) {
        // It is a convenience: the program runs all the same where this is not allowed.
        self.if_running(|pid| setpriority_pgrp(Some(pid), PRIORITY_LOWEST));
    }

    /// How it ended; `None` while it runs.
    #[must_use]
    pub fn ended(&self) -> Option<ExitStatus> {
        *self.ended.lock()
    }

    /// Waits for its end, at most so long.
    #[must_use]
    pub fn wait(&self, longest: Duration) -> Option<ExitStatus> {
        let status = self.ended.lock();
        let result = self.ended.changed.wait_timeout_while(status, longest, |status| status.is_none());
        *result.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Asks it to end (SIGTERM), waits, and ends it if it does not.
    pub fn stop(&self) {
        self.if_running(|pid| kill_process(pid, Signal::TERM));
        if self.wait(STOP_WAIT).is_none() {
            self.kill();
        }
    }

    /// Ends it at once (SIGKILL), and what it started.
    pub fn kill(&self) {
        self.if_running(|pid| kill_process_group(pid, Signal::KILL));
        let _ = self.wait(STOP_WAIT);
    }

    fn if_running(&self, signal: impl FnOnce(Pid) -> rustix::io::Result<()>) {
        // While the lock is held and there is no status, the process is not reaped, so the number is still its own.
        let status = self.ended.lock();
        if status.is_none() {
            let _ = signal(self.pid);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until the program ended, then reaps it and tells how it ended, in one step for all who ask.
fn wait(mut child: Child, ended: &Ended) {
    let pid = Pid::from_child(&child);
    // A signal may interrupt the call; that it is left to reap shows that the program ended.
    while waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
        .is_err_and(|error| error == rustix::io::Errno::INTR)
    {}
    let mut status = ended.lock();
    *status = child.wait().ok().or_else(|| Some(ExitStatus::default()));
    ended.changed.notify_all();
}

/// The end of a log file; empty if there is none.
#[must_use]
pub fn tail(path: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::TemporaryFolder;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_and_end_are_told() {
        let folder = TemporaryFolder::new().expect("folder");
        let log = folder.path().join("log");
        let process = Process::start(shell("echo one; echo two >&2; exit 3"), &Output::File(log.clone()));
        let status = process.expect("starts").wait(Duration::from_secs(10)).expect("ends");
        assert_eq!(status.code(), Some(3));
        assert_eq!(tail(&log), "one\ntwo");
        assert!(Process::start(Command::new("/no/such/program"), &Output::Inherit).is_err());
    }

    #[test]
    fn a_program_ends_with_its_guard() {
        let process = Process::start(shell("sleep 1000"), &Output::Inherit).expect("starts");
        let pid = process.pid;
        assert_eq!(process.ended(), None);
        drop(process);
        assert!(rustix::process::test_kill_process(pid).is_err(), "nothing is left of it");
    }

    #[test]
    fn a_program_that_does_not_listen_ends_too() {
        let process = Process::start(shell("trap '' TERM; sleep 0.2; kill -9 $$"), &Output::Inherit);
        let process = process.expect("starts");
        process.stop();
        assert!(process.ended().is_some());
    }
}
