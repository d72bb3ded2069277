//! From the executor's report to what the proxy's ports speak.

use alloy_primitives::{Address, B256, Bytes, Log};
use parhelion_core::emulator::Execution;
use parhelion_executor::Report;
use parhelion_wire::event::{Event, Outcome, Records};

/// A report as the ports show it.
pub(crate) fn execution(report: Report) -> Execution {
    let logs = Records(&report.records)
        .filter_map(|record| match record {
            Ok(Event::Log(log)) => Some(Log::new_unchecked(
                Address::from(log.address.0),
                log.topics.iter().map(|topic| B256::from(*topic)).collect(),
                Bytes::copy_from_slice(log.data),
            )),
            _ => None,
        })
        .collect();
    Execution {
        outcome: report.outcome,
        reason: match report.outcome {
            Outcome::OutOfRentGas => {
                "out of rent gas: the gas limit does not cover the rent of new state; raise it"
            }
            _ => report.exit.text(),
        },
        gas_used: report.gas_used,
        rent_gas: report.rent_gas,
        output: report.output.into(),
        logs,
        created: report.created.map(|address| Address::from(address.0)),
    }
}
