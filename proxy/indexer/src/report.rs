//! Reports: joined out of event shares, read into receipt and logs.

use crate::problem::ProblemKind;
use alloy_primitives::{B256, Bytes, Log};
use parhelion_wire::event::{self, Event, Receipt, Records};

/// The shares of one report, as far as they came in.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    bytes: Vec<u8>,
    state: State,
    /// Whether an event came in of which the share is not known: its version is another one.
    has_unknown: bool,
}

/// None → Open (shares came in) → Ended (the last came in) → Overrun (and then another).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    None,
    Open,
    Ended,
    Overrun,
}

/// What an execution reported.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) receipt: Receipt,
    pub(crate) logs: Vec<Log>,
}

impl Shares {
    /// Adds the share of an event instruction with this data. False when it is of an unknown version.
    pub(crate) fn push_event(&mut self, data: &[u8]) -> bool {
        let share = event::share(data);
        match share {
            Some((share, last)) => self.push(share, last),
            None => self.has_unknown = true,
        }
        share.is_some()
    }

    fn push(&mut self, share: &[u8], last: bool) {
        self.bytes.extend_from_slice(share);
        self.state = match (self.state, last) {
            (State::None | State::Open, false) => State::Open,
            (State::None | State::Open, true) => State::Ended,
            (State::Ended | State::Overrun, _) => State::Overrun,
        };
    }

    /// The report of an execution: a receipt, then logs, between them what else happened.
    pub(crate) fn read(&self) -> Result<Report, ProblemKind> {
        match self.state {
            State::None => return Err(ProblemKind::ReportMissing),
            State::Open => return Err(ProblemKind::ReportIncomplete),
            State::Overrun => return Err(ProblemKind::ReportMalformed),
            State::Ended => {}
        }
        let mut records = Records(&self.bytes);
        let Some(Ok(Event::Receipt(receipt))) = records.next() else {
            return Err(ProblemKind::ReportMalformed);
        };
        let mut logs = Vec::new();
        for record in records {
            match record {
                Ok(Event::Log(log)) => logs.push(read_log(&log).ok_or(ProblemKind::ReportMalformed)?),
                Ok(Event::Withdrawal(_) | Event::Deposit(_)) => {}
                Ok(Event::Receipt(_)) | Err(_) => return Err(ProblemKind::ReportMalformed),
            }
        }
        Ok(Report { receipt, logs })
    }

    /// Whether anything came in, known or not.
    pub(crate) fn has_events(&self) -> bool {
        self.has_unknown || self.state != State::None
    }

    /// Whether a receipt is among the records.
    pub(crate) fn has_receipt(&self) -> bool {
        Records(&self.bytes).any(|record| matches!(record, Ok(Event::Receipt(_))))
    }
}

/// `None` when it has more than four topics.
fn read_log(log: &parhelion_wire::event::Log<'_>) -> Option<Log> {
    let topics = log.topics.iter().copied().map(B256::from).collect();
    Log::new(log.address.0.into(), topics, Bytes::copy_from_slice(log.data))
}
