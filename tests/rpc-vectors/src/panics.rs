//! Panics anywhere in the process: a server's task that panics ends a connection, and nobody says why.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the panics from now on; their messages are printed as before.
#[must_use]
pub fn count() -> Arc<AtomicU64> {
    let panics = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&panics);
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        counted.fetch_add(1, Ordering::SeqCst);
        print(info);
    }));
    panics
}
