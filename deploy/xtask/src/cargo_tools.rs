//! Tools that the checks need, installed when they are missing.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{context::Context, process};

/// A cargo subcommand that the checks use.
pub(crate) struct CargoTool {
    /// The crate and the program: `cargo-nextest`.
    name: &'static str,
    /// The version to install: the newest one that was tried with the workspace's Rust.
    version: &'static str,
    /// More arguments of `cargo install`.
    options: &'static [&'static str],
}

/// The test runner.
pub(crate) const NEXTEST: CargoTool = CargoTool {
    name: "cargo-nextest",
    version: "0.9.143",
    // Without the part that updates the program itself, and the web client that this needs.
    options: &["--no-default-features", "--features", "default-no-update"],
};
/// The check of licences and sources.
pub(crate) const DENY: CargoTool = CargoTool { name: "cargo-deny", version: "0.20.2", options: &[] };

impl CargoTool {
    /// Installs the tool unless it is on PATH or in our tools folder.
    pub(crate) fn ensure(&self, context: &Context) -> Result<()> {
        let tools = context.tools();
        if process::find_program(self.name, &[tools.join("bin")]).is_some() {
            return Ok(());
        }
        eprintln!(
            "{} is not installed: compiling it into {} (some minutes, once)",
            self.name,
            tools.display()
        );
        let mut command = context.cargo()?;
        command.args(["install", "--locked", self.name, "--version", self.version]);
        command.args(self.options).arg("--root").arg(&tools);
        // A folder of its own: an interrupted build continues. Optimising more would cost minutes and save seconds.
        command.env("CARGO_TARGET_DIR", context.cache.join("tools-build"));
        command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_PROFILE_RELEASE_LTO", "off");
        command.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16").env("CARGO_PROFILE_RELEASE_DEBUG", "0");
        process::run(&mut command).with_context(|| {
            format!(
                "{0} could not be installed. Install it yourself (`cargo install {0}`) and run again",
                self.name
            )
        })?;
        crate::files::remove_folder(&context.cache.join("tools-build"))
    }
}

/// A system program that the compilation of dependencies needs, and the Debian package that brings it.
struct SystemTool {
    /// A command that succeeds when the program is there.
    check: &'static [&'static str],
    package: &'static str,
}

/// The C parts of the dependencies (OpenSSL is compiled from its sources, which are configured by Perl).
const SYSTEM_TOOLS: [SystemTool; 3] = [
    SystemTool { check: &["cc", "--version"], package: "build-essential" },
    SystemTool { check: &["make", "--version"], package: "build-essential" },
    SystemTool { check: &["perl", "-MFindBin", "-MIPC::Cmd", "-MFile::Compare", "-e", "1"], package: "perl" },
];

/// What the compilation of Solana's validator needs on top: its database is C++, bindings to it are generated, and it
/// reads hardware wallets.
const VALIDATOR_TOOLS: [SystemTool; 6] = [
    SystemTool { check: &["pkg-config", "--version"], package: "pkg-config" },
    SystemTool { check: &["pkg-config", "--exists", "libudev"], package: "libudev-dev" },
    SystemTool { check: &["pkg-config", "--exists", "openssl"], package: "libssl-dev" },
    SystemTool { check: &["cmake", "--version"], package: "cmake" },
    SystemTool { check: &["protoc", "--version"], package: "protobuf-compiler" },
    SystemTool {
        check: &[
            "sh",
            "-c",
            "ls /usr/lib/llvm-*/lib/libclang.so* || ldconfig -p | grep -q 'libclang[-0-9]*[.]so'",
        ],
        package: "libclang-dev",
    },
];

/// The database server that the tests start.
const POSTGRES: [SystemTool; 1] =
    [SystemTool { check: &["sh", "-c", "ls /usr/lib/postgresql/*/bin/initdb"], package: "postgresql" }];

/// What the client tests need beside Node's packages: a browser, and Python with its environments.
const CLIENT_TOOLS: [SystemTool; 2] = [
    SystemTool { check: &["chromium", "--version"], package: "chromium" },
    SystemTool { check: &["python3", "-c", "import ensurepip, venv"], package: "python3-venv" },
];

/// Installs the browser and the Python that the client tests use, if they are missing.
pub(crate) fn ensure_client_tools() -> Result<()> {
    install_missing(&CLIENT_TOOLS)
}

/// Installs the package of the database server, if it is missing.
pub(crate) fn ensure_postgres() -> Result<()> {
    install_missing(&POSTGRES)
}

/// Installs the system packages that are missing.
pub(crate) fn ensure_system_packages() -> Result<()> {
    install_missing(&SYSTEM_TOOLS)
}

/// Installs the system packages that the validator's compilation lacks.
pub(crate) fn ensure_validator_packages() -> Result<()> {
    ensure_system_packages()?;
    install_missing(&VALIDATOR_TOOLS)
}

fn install_missing(tools: &[SystemTool]) -> Result<()> {
    let missing = tools.iter().filter(|tool| {
        let mut command = Command::new(tool.check[0]);
        process::capture(command.args(&tool.check[1..])).is_err()
    });
    let mut packages: Vec<&str> = missing.map(|tool| tool.package).collect();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    let install = || -> Result<()> {
        process::run(apt_get().args(["-q", "update"]))?;
        process::run(apt_get().args(["-q", "install", "-y", "--no-install-recommends"]).args(&packages))
    };
    eprintln!("the system packages {list} are missing");
    install().with_context(|| {
        format!(
            "the packages could not be installed. Install what Debian calls {list} yourself and run again"
        )
    })
}

/// apt-get, through sudo unless this is root.
fn apt_get() -> Command {
    if process::is_root() {
        return Command::new("apt-get");
    }
    let mut command = Command::new("sudo");
    command.arg("apt-get");
    command
}
