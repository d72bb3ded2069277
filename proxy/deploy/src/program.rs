//! A file becomes the program, or its next version.

use crate::error::DeployError;
use crate::on_chain::{OnChain, on_chain};
use crate::plan::first_difference;
use crate::session::Deployer;
use parhelion_core::cluster::ClusterError;
use parhelion_sdk::loader::{self, EXTEND_BYTES_MIN};
use solana_address::Address;
use solana_keypair::Keypair;

/// The most bytes of an account.
const ACCOUNT_BYTES_MAX: usize = 10 * 1024 * 1024;

/// The end of [`Deployer::deploy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Whether it was deployed now and not earlier.
    pub now: bool,
    /// When the program was last changed.
    pub slot: u64,
    /// Who may upgrade it.
    pub authority: Option<Address>,
}

/// The end of [`Deployer::upgrade`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upgraded {
    /// Whether it was upgraded now; otherwise the program was of this version already.
    pub now: bool,
    /// When the program was last changed.
    pub slot: u64,
    /// Bytes by which its account grew.
    pub extended: usize,
}

impl Deployer<'_> {
    /// Deploys `file` at the program id, whose `key` signs the last step; without it, only a finished deployment is
    /// recognised. Where the same bytes are deployed already, nothing happens.
    ///
    /// # Errors
    /// [`DeployError`]. After any of them the same call goes on where this one stopped.
    pub async fn deploy(&self, file: &[u8], key: Option<&Keypair>) -> Result<Deployed, DeployError> {
        check_file(file)?;
        if let Some(there) = on_chain(self.cluster, self.program_id).await? {
            return match first_difference(&there.file, file) {
                None => Ok(Deployed { now: false, slot: there.slot, authority: there.authority }),
                Some(_) => Err(DeployError::OtherVersion(self.program_id)),
            };
        }
        let key = key.ok_or(DeployError::KeyNeeded(self.program_id))?;
        let rent = self.cluster.rent_exemption(loader::PROGRAM_BYTES).await?;
        let data_rent = self.cluster.rent_exemption(loader::program_data_bytes(file.len())).await?;
        let buffer_rent = self.cluster.rent_exemption(loader::buffer_bytes(file.len())).await?;
        // The loader pays ProgramData with the buffer's lamports.
        let deployment = rent.saturating_add(data_rent.saturating_sub(buffer_rent));
        self.require_lamports(self.buffer_cost(file).await?.saturating_add(deployment)).await?;
        self.fill_buffer(file).await?;
        self.progress.step("deploying");
        let instructions = loader::deploy(&self.payer(), &self.program_id, rent, file.len());
        let instructions = instructions.map_err(|error| ClusterError::Unsupported(error.to_string()))?;
        self.forget_blockhash().await;
        self.send(&instructions, &[key]).await?;
        let there = self.compare(file).await?;
        self.wait_for_slot_after(there.slot).await?;
        Ok(Deployed { now: true, slot: there.slot, authority: there.authority })
    }

    /// Replaces the program at the program id by `file`. Its account grows if it has to and never shrinks. Where the
    /// same bytes are deployed already, nothing happens.
    ///
    /// # Errors
    /// [`DeployError`]. After any of them the same call goes on where this one stopped.
    pub async fn upgrade(&self, file: &[u8]) -> Result<Upgraded, DeployError> {
        check_file(file)?;
        let there = self.there().await?;
        if first_difference(&there.file, file).is_none() {
            return Ok(Upgraded { now: false, slot: there.slot, extended: 0 });
        }
        there.require_authority(self.program_id, self.payer())?;
        let extension = extension(there.file.len(), file.len());
        let grown = there.file.len().saturating_add(extension);
        let rent_before = self.cluster.rent_exemption(loader::program_data_bytes(there.file.len())).await?;
        let rent_after = self.cluster.rent_exemption(loader::program_data_bytes(grown)).await?;
        let growth = rent_after.saturating_sub(rent_before);
        self.require_lamports(self.buffer_cost(file).await?.saturating_add(growth)).await?;
        self.fill_buffer(file).await?;
        self.wait_for_slot_after(there.slot).await?;
        if let Ok(bytes) = u32::try_from(extension)
            && bytes > 0
        {
            self.progress.step(&format!("making room for {bytes} more bytes"));
            self.forget_blockhash().await;
            self.send(&[loader::extend(&self.payer(), &self.program_id, bytes)], &[]).await?;
            self.wait_for_slot_after(self.there().await?.slot).await?;
        }
        self.progress.step("upgrading");
        self.forget_blockhash().await;
        self.send(&[loader::upgrade(&self.payer(), &self.program_id)], &[]).await?;
        let there = self.compare(file).await?;
        self.wait_for_slot_after(there.slot).await?;
        Ok(Upgraded { now: true, slot: there.slot, extended: extension })
    }

    /// What is deployed, which has to be something.
    async fn there(&self) -> Result<OnChain, DeployError> {
        on_chain(self.cluster, self.program_id).await?.ok_or(DeployError::Missing(self.program_id))
    }

    /// Reads back what was deployed.
    async fn compare(&self, file: &[u8]) -> Result<OnChain, DeployError> {
        self.progress.step("comparing what is on chain");
        let there = self.there().await?;
        match first_difference(&there.file, file) {
            None => Ok(there),
            Some(offset) => Err(DeployError::NotWhatWasSent(offset)),
        }
    }
}

/// By how much a file's room has to grow: not at all, or by the least that the loader takes or more, but not beyond the
/// largest account.
fn extension(room: usize, length: usize) -> usize {
    match length.saturating_sub(room) {
        0 => 0,
        missing => {
            let headroom = ACCOUNT_BYTES_MAX.saturating_sub(loader::program_data_bytes(room));
            missing.max(EXTEND_BYTES_MIN as usize).min(headroom).max(missing)
        }
    }
}

/// Refuses files that no loader would take, before anything is paid for them.
fn check_file(file: &[u8]) -> Result<(), DeployError> {
    if !file.starts_with(b"\x7fELF") {
        return Err(DeployError::NoProgramFile("it does not begin as an ELF file does"));
    }
    if loader::program_data_bytes(file.len()) > ACCOUNT_BYTES_MAX {
        return Err(DeployError::NoProgramFile("it is larger than an account can be"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_grows_by_what_the_loader_takes() {
        assert_eq!(extension(1000, 1000), 0);
        assert_eq!(extension(1000, 900), 0);
        assert_eq!(extension(1000, 1001), 10_240);
        assert_eq!(extension(1000, 50_000), 49_000);
        let largest = ACCOUNT_BYTES_MAX - loader::program_data_bytes(0);
        assert_eq!(extension(largest - 5, largest - 2), 5, "near the end, all that is left");
    }

    #[test]
    fn other_files_are_refused_at_once() {
        assert!(matches!(check_file(b"PK\x03\x04"), Err(DeployError::NoProgramFile(_))));
        let mut large = vec![0; ACCOUNT_BYTES_MAX];
        large[..4].copy_from_slice(b"\x7fELF");
        assert!(matches!(check_file(&large), Err(DeployError::NoProgramFile(_))));
        assert!(check_file(&large[..1000]).is_ok());
    }
}
