//! Which of the operator's holders are free.

use std::sync::Arc;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

/// Large transactions in progress at most; each has a holder of its own.
const HOLDERS_MAX: u32 = 16;

/// The operator's holders, lent one transaction at a time.
#[derive(Debug)]
pub(crate) struct Holders {
    free: Arc<Mutex<Vec<u32>>>,
    count: Arc<Semaphore>,
}

/// A holder that nobody else uses; give it back with [`Lease::end`].
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) index: u32,
    free: Arc<Mutex<Vec<u32>>>,
    permit: OwnedSemaphorePermit,
}

impl Holders {
    pub(crate) fn new() -> Self {
        Self {
            free: Arc::new(Mutex::new((0..HOLDERS_MAX).rev().collect())),
            count: Arc::new(Semaphore::new(HOLDERS_MAX as usize)),
        }
    }

    /// Waits for a free holder.
    pub(crate) async fn lease(&self) -> Option<Lease> {
        let permit = Arc::clone(&self.count).acquire_owned().await.ok()?;
        let index = self.free.lock().await.pop()?;
        Some(Lease { index, free: Arc::clone(&self.free), permit })
    }
}

impl Lease {
    /// Gives the holder back.
    pub(crate) async fn end(self) {
        // The index first, so that whoever gets the permit finds one.
        self.free.lock().await.push(self.index);
        drop(self.permit);
    }
}
