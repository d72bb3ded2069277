//! The program id on the command line: an address, or a file with its key.

use crate::keys;
use crate::secret_url::SecretUrl;
use anyhow::{Context, bail};
use clap::Args;
use solana_address::Address;
use solana_keypair::Keypair;
use solana_signer::Signer;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A program id as it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProgramId {
    /// The address.
    Address(Address),
    /// A file with the key that belongs to it.
    File(PathBuf),
}

impl FromStr for ProgramId {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::File(PathBuf::from(text)), Self::Address))
    }
}

/// Options that name a deployed program.
#[derive(Debug, Args)]
pub(crate) struct Deployed {
    /// The cluster's RPC URL
    #[arg(long, env = "PARHELION_SOLANA_URL", hide_env_values = true)]
    pub(crate) solana_url: SecretUrl,
    /// The program's Solana address, or the key file of it [default: ~/.config/parhelion/program.json]
    #[arg(long, value_name = "ADDRESS|KEYFILE", env = "PARHELION_PROGRAM_ID")]
    program_id: Option<ProgramId>,
}

impl Deployed {
    /// The program's address.
    pub(crate) fn address(&self) -> anyhow::Result<Address> {
        Ok(resolve(self.program_id.as_ref())?.address)
    }
}

/// A program id, and its key where that is known.
pub(crate) struct Known {
    pub(crate) address: Address,
    pub(crate) key: Option<Keypair>,
    /// Where the key is.
    pub(crate) file: Option<PathBuf>,
    /// Whether the key was made now.
    pub(crate) new: bool,
}

/// The program id that was given, or that of the default file.
pub(crate) fn resolve(given: Option<&ProgramId>) -> anyhow::Result<Known> {
    let file = match given {
        Some(ProgramId::Address(address)) => {
            return Ok(Known { address: *address, key: None, file: None, new: false });
        }
        Some(ProgramId::File(path)) => path.clone(),
        None => default_file(),
    };
    let key = keys::read_keypair_of(&file, "--program-id").with_context(|| match given {
        None => format!("give --program-id: there is no default one in {}", file.display()),
        Some(_) => "--program-id is neither an address nor a key file".to_owned(),
    })?;
    Ok(Known { address: key.pubkey(), key: Some(key), file: Some(file), new: false })
}

/// As [`resolve`], but a file that is not there is made, with a new key.
pub(crate) fn resolve_or_create(given: Option<&ProgramId>) -> anyhow::Result<Known> {
    let file = match given {
        Some(ProgramId::Address(_)) => return resolve(given),
        Some(ProgramId::File(path)) => path.clone(),
        None => default_file(),
    };
    let new = !file.exists();
    if new {
        write_new_key(&file)?;
    }
    Ok(Known { new, ..resolve(given)? })
}

/// `program.json` in our folder of the user's configuration.
pub(crate) fn default_file() -> PathBuf {
    let xdg = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = || std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default().join(".config");
    xdg.unwrap_or_else(home).join("parhelion/program.json")
}

/// Writes a new key to a file that only its owner can read, in the form of Solana's tools.
fn write_new_key(path: &Path) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let numbers: Vec<String> = Keypair::new().to_bytes().iter().map(u8::to_string).collect();
        file.write_all(format!("[{}]", numbers.join(",")).as_bytes())
    };
    if let Err(error) = write() {
        bail!("cannot write the key file {}: {error}; name another with --program-id", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_a_file() {
        let address = Address::new_from_array([7; 32]);
        assert_eq!(address.to_string().parse(), Ok(ProgramId::Address(address)));
        assert_eq!("keys/program.json".parse(), Ok(ProgramId::File("keys/program.json".into())));
    }

    #[test]
    fn a_key_is_made_once_and_for_its_owner_only() {
        let folder = std::env::temp_dir().join(format!("parhelion-program-id-{}", std::process::id()));
        let path = folder.join("deep/program.json");
        let given = ProgramId::File(path.clone());
        assert!(resolve(Some(&given)).is_err(), "reading makes nothing");
        let first = resolve_or_create(Some(&given)).expect("made");
        assert!(first.new && first.key.is_some());
        let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().expect("is there").permissions());
        assert_eq!(mode & 0o777, 0o600);
        let second = resolve_or_create(Some(&given)).expect("read");
        assert!(!second.new);
        assert_eq!(first.address, second.address);
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
