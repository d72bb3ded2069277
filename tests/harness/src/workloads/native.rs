//! Native transfers.

use crate::script::{OWNER, Script, wallet};
use alloy_primitives::U256;

/// To an address that does not exist yet, and to the same again.
pub(super) fn script() -> Script {
    let mut script = Script::default();
    for workload in ["native transfer, fresh address", "native transfer"] {
        script.step(OWNER, Some(wallet(2)), U256::from(5), Vec::new()).measured(workload);
    }
    script
}
