//! The upload: a program file into its buffer.

use crate::error::DeployError;
use crate::on_chain::{self, Buffer, BufferState};
use crate::plan::{Piece, differences};
use crate::session::Deployer;
use futures::StreamExt;
use parhelion_sdk::loader;

/// How often the buffer is read and what is missing is written.
pub const ROUNDS_MAX: u32 = 6;

impl Deployer<'_> {
    /// Lamports that [`Self::fill_buffer`] will take from the authority, all fees included.
    pub(crate) async fn buffer_cost(&self, file: &[u8]) -> Result<u64, DeployError> {
        let rent = self.cluster.rent_exemption(loader::buffer_bytes(file.len())).await?;
        let (there, missing) = match self.buffer().await? {
            BufferState::Absent { lamports } => (lamports, self.missing(&[], file)?),
            BufferState::Ours(buffer) if buffer.file.len() == file.len() => {
                (rent, self.missing(&buffer.file, file)?)
            }
            BufferState::Ours(buffer) => (buffer.lamports, self.missing(&[], file)?),
        };
        let (_, pieces) = self.shape()?;
        Ok(rent.saturating_sub(there).saturating_add(self.fees(missing.len().div_ceil(pieces))))
    }

    /// Creates the buffer unless it is there, and writes what it lacks.
    pub(crate) async fn fill_buffer(&self, file: &[u8]) -> Result<(), DeployError> {
        self.prepare_buffer(file.len()).await?;
        let mut why = None;
        for round in 1..=ROUNDS_MAX {
            let missing = self.missing(&self.buffer_file().await?, file)?;
            if missing.is_empty() {
                self.progress.written(file.len(), file.len());
                return Ok(());
            }
            if round > 1 {
                self.progress.step(&format!("writing {} pieces again", missing.len()));
            }
            self.forget_blockhash().await;
            why = self.write(file, &missing).await?;
        }
        let missing = self.missing(&self.buffer_file().await?, file)?;
        if missing.is_empty() {
            return Ok(());
        }
        let missing = missing.iter().map(|piece| piece.length).sum();
        let why = why.map(|error| format!(" ({error})")).unwrap_or_default();
        Err(DeployError::NotWritten { missing, rounds: ROUNDS_MAX, why })
    }

    /// Closes the buffer of an interrupted deployment or upgrade. Returns the lamports that came back; `None` if there
    /// is no buffer.
    ///
    /// # Errors
    /// [`DeployError`].
    pub async fn abandon(&self) -> Result<Option<u64>, DeployError> {
        let BufferState::Ours(buffer) = self.buffer().await? else { return Ok(None) };
        self.progress.step("closing the buffer");
        self.forget_blockhash().await;
        self.send_small(&[loader::close_buffer(&self.payer(), &self.program_id)]).await?;
        Ok(Some(buffer.lamports))
    }

    async fn buffer(&self) -> Result<BufferState, DeployError> {
        on_chain::buffer(self.cluster, &self.payer(), &self.program_id).await
    }

    async fn buffer_file(&self) -> Result<Vec<u8>, DeployError> {
        match self.buffer().await? {
            BufferState::Ours(Buffer { file, .. }) => Ok(file),
            // Closed by somebody who has the same key; everything is missing.
            BufferState::Absent { .. } => Ok(Vec::new()),
        }
    }

    fn missing(&self, buffer: &[u8], file: &[u8]) -> Result<Vec<Piece>, DeployError> {
        Ok(differences(buffer, file, self.shape()?.0))
    }

    async fn prepare_buffer(&self, length: usize) -> Result<(), DeployError> {
        let mut state = self.buffer().await?;
        if let BufferState::Ours(buffer) = &state {
            if buffer.file.len() == length {
                self.progress.step("going on with the buffer of an earlier attempt");
                return Ok(());
            }
            self.progress.step("closing a buffer of another size");
            self.abandon().await?;
            state = self.buffer().await?;
        }
        let BufferState::Absent { lamports: there } = state else { return Ok(()) };
        self.progress.step("creating the buffer");
        let rent = self.cluster.rent_exemption(loader::buffer_bytes(length)).await?;
        let lamports = rent.saturating_sub(there);
        self.send_small(&loader::create_buffer(&self.payer(), &self.program_id, length, lamports)).await?;
        Ok(())
    }

    /// Writes pieces, many at once. Returns the last failure that may pass; the next round repeats what it missed.
    async fn write(&self, file: &[u8], missing: &[Piece]) -> Result<Option<DeployError>, DeployError> {
        let (_, pieces) = self.shape()?;
        let mut done = file.len().saturating_sub(missing.iter().map(|piece| piece.length).sum());
        self.progress.written(done, file.len());
        let groups = missing.chunks(pieces.max(1));
        let mut writes = futures::stream::iter(groups.map(|group| self.write_group(file, group)))
            .buffer_unordered(self.settings.window.max(1));
        let mut last = None;
        while let Some(result) = writes.next().await {
            match result {
                Ok(bytes) => {
                    done = done.saturating_add(bytes);
                    self.progress.written(done, file.len());
                }
                Err(error) if may_pass(&error) => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Ok(last)
    }

    async fn write_group(&self, file: &[u8], group: &[Piece]) -> Result<usize, DeployError> {
        let write = |piece: &Piece| {
            let bytes = file.get(piece.offset..piece.offset + piece.length).unwrap_or_default();
            // A file is at most 10 MiB long: an account cannot be longer.
            let offset = u32::try_from(piece.offset).unwrap_or(u32::MAX);
            loader::write(&self.payer(), &self.program_id, offset, bytes)
        };
        let instructions: Vec<_> = group.iter().map(write).collect();
        self.send_small(&instructions).await?;
        Ok(group.iter().map(|piece| piece.length).sum())
    }
}

fn may_pass(error: &DeployError) -> bool {
    matches!(error, DeployError::Cluster(error) if error.is_retryable())
}
