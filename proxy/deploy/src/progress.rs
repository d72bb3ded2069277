//! What somebody who waits may want to see.

/// Told what is going on.
pub trait Progress: Send + Sync {
    /// The next step begins.
    fn step(&self, what: &str);
    /// So many bytes of the program are in the buffer.
    fn written(&self, bytes: usize, of: usize);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _what: &str) {}
    fn written(&self, _bytes: usize, _of: usize) {}
}
