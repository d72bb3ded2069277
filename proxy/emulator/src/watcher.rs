//! Who watches a run.

use parhelion_executor::observe::Observation;

/// Watches a run. Each attempt at a run gets a clone of it.
pub(crate) trait Watcher: Clone + Send + Sync + 'static {
    /// Is told what happens.
    fn observe(&mut self, observation: &Observation<'_>);
}
