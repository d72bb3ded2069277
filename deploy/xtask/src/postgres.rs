//! A Postgres server of Debian's package for the tests, with an empty database that ends with them.

use crate::{cargo_tools, process};
use anyhow::{Context as _, Result, bail};
use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Names the server for the tests that need one.
pub(crate) const POSTGRES_VARIABLE: &str = "PARHELION_POSTGRES";
/// Where Debian puts its versions.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Who it runs as where this process runs as root, which the server does not like.
const USER: &str = "postgres";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server. It ends with this, and with this process.
pub(crate) struct Server {
    folder: PathBuf,
    child: Child,
    port: u16,
}

impl Server {
    /// Starts one; installs the package if it is missing.
    pub(crate) fn start() -> Result<Self> {
        let programs = match newest_version() {
            Some(programs) => programs,
            None => {
                cargo_tools::ensure_postgres()?;
                newest_version().with_context(|| format!("there is no server in {VERSIONS}"))?
            }
        };
        let folder = std::env::temp_dir().join(format!("parhelion-postgres-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        if process::is_root() {
            process::capture(Command::new("chown").arg(USER).arg(&folder))?;
        }
        let data = folder.join("data");
        let mut create = as_user(&programs.join("initdb"));
        create.arg("-D").arg(&data).args([
            "--username=parhelion",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
        ]);
        process::capture(create.current_dir(&folder))?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut serve = as_user(&programs.join("postgres"));
        serve.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", &port.to_string()]).arg("-k").arg(&folder);
        // Nothing has to survive the machine.
        serve.args(["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=400"]);
        let log = fs::File::create(folder.join("log"))?;
        let child =
            serve.current_dir(&folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        let mut server = Self { folder, child, port };
        server.wait(&programs.join("pg_isready"))?;
        Ok(server)
    }

    /// The database that every server has, for those who make their own.
    pub(crate) fn url(&self) -> String {
        format!("postgres://parhelion@127.0.0.1:{}/postgres", self.port)
    }

    /// Waits until it answers.
    fn wait(&mut self, is_ready: &Path) -> Result<()> {
        let started = Instant::now();
        let mut ask = Command::new(is_ready);
        ask.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        while !ask.status()?.success() {
            if self.child.try_wait()?.is_some() || started.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                bail!("Postgres does not start:\n{log}");
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its processes see that it is gone, and end.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The programs of the newest version that is installed.
fn newest_version() -> Option<PathBuf> {
    let versions = fs::read_dir(VERSIONS).ok()?.flatten();
    let programs = versions.map(|version| version.path().join("bin"));
    let number = |programs: &PathBuf| -> u32 {
        let version = programs.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        version.and_then(|name| name.parse().ok()).unwrap_or_default()
    };
    programs.filter(|programs| programs.join("initdb").is_file()).max_by_key(number)
}

/// A program as a user that may run a server. It gets a signal when this process ends, however that comes.
fn as_user(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if process::is_root() {
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]);
    }
    command.arg(program);
    command
}
