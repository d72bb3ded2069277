//! What follows from an error of the relay.

use parhelion_core::cluster::ClusterError;
use parhelion_core::emulator::EmulatorError;
use parhelion_core::pool::PoolError;
use parhelion_core::relay::RelayError;
use parhelion_wire::ProgramError;

/// What to do with a transaction that the relay did not land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Try again: the trouble is the cluster's, the operator's, or that of a state that changed meanwhile.
    Retry,
    /// Its nonce was used; perhaps by itself, if an earlier attempt landed without an answer.
    NonceUsed,
    /// A nonce before its own is not used yet in the state that the relay sees, which may be an old one.
    NonceAhead,
    /// It cannot land.
    Refuse,
}

impl Verdict {
    /// Whether a transaction can land, its emulation tells. What the cluster says of a Solana transaction is about that one
    /// (a holder that looked different, a blockhash, compute units), or about a state that the next emulation sees as well.
    pub(crate) const fn of(error: &RelayError) -> Self {
        match error {
            RelayError::Emulator(EmulatorError::Refused(refusal)) => Self::of_refusal(refusal.error),
            RelayError::Cluster(error) | RelayError::Emulator(EmulatorError::Cluster(error)) => {
                Self::of_cluster(error)
            }
            RelayError::DoesNotFit { .. }
            | RelayError::OutOfRentGas { .. }
            | RelayError::Emulator(
                EmulatorError::TooManyAccounts
                | EmulatorError::Reverted { .. }
                | EmulatorError::Halted { .. }
                | EmulatorError::GasExceedsAllowance { .. }
                | EmulatorError::TraceTooLarge { .. }
                | EmulatorError::OverrideTooLarge { .. }
                | EmulatorError::State(_),
            ) => Self::Refuse,
        }
    }

    const fn of_cluster(error: &ClusterError) -> Self {
        let ClusterError::Failed { code: Some(code), .. } = error else { return Self::Retry };
        match ProgramError::from_code(*code) {
            Some(ProgramError::NonceTooLow) => Self::NonceUsed,
            Some(ProgramError::NonceTooHigh) => Self::NonceAhead,
            _ => Self::Retry,
        }
    }

    const fn of_refusal(error: ProgramError) -> Self {
        match error {
            ProgramError::NonceTooLow => Self::NonceUsed,
            ProgramError::NonceTooHigh => Self::NonceAhead,
            // The state changed between emulation and landing; the relay emulates again.
            ProgramError::AccountMissing | ProgramError::ReadOnlyAccount => Self::Retry,
            // A transaction that runs in steps is in the way, for some seconds or, if nobody ends it, minutes.
            ProgramError::SenderBusy | ProgramError::AccountLocked => Self::Retry,
            // Not the transaction's fault: somebody is to do something, and may do it soon.
            ProgramError::Paused | ProgramError::OperatorFunds | ProgramError::CoinbaseMissing => Self::Retry,
            _ => Self::Refuse,
        }
    }
}

/// Whether a transaction that was not accepted may be later.
pub(crate) fn may_pass(error: &PoolError) -> bool {
    match error {
        PoolError::Full | PoolError::TooCheap | PoolError::Store(_) => true,
        PoolError::Emulator(error) => Verdict::of(&RelayError::Emulator(error.clone())) == Verdict::Retry,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parhelion_core::emulator::Refusal;

    #[test]
    fn every_error_has_its_verdict() {
        use Verdict::{NonceAhead, NonceUsed, Refuse, Retry};
        let failed =
            |code| ClusterError::Failed { code, reason: "a test".to_owned(), logs: vec!["a log".to_owned()] };
        let unreachable = ClusterError::Unreachable("a test".to_owned());
        let emulator = [
            (EmulatorError::Cluster(unreachable.clone()), Retry),
            (EmulatorError::TooManyAccounts, Refuse),
            (EmulatorError::Reverted { output: Default::default() }, Refuse),
            (EmulatorError::Halted { reason: "a test" }, Refuse),
            (EmulatorError::GasExceedsAllowance { allowance: 1 }, Refuse),
            (EmulatorError::OverrideTooLarge { name: "a test", value: Default::default() }, Refuse),
            (EmulatorError::State("a test".to_owned()), Refuse),
        ];
        let cluster = [
            (unreachable, Retry),
            (ClusterError::Expired, Retry),
            (ClusterError::Unsupported("a test".to_owned()), Retry),
            (failed(None), Retry),
            (failed(Some(0)), Retry),
        ];
        let does_not_fit = RelayError::DoesNotFit { needs: "2 CU".to_owned(), limit: "1 CU".to_owned() };
        assert_eq!(Verdict::of(&does_not_fit), Refuse);
        for (error, verdict) in emulator {
            assert_eq!(Verdict::of(&RelayError::Emulator(error.clone())), verdict, "{error}");
        }
        for (error, verdict) in cluster {
            assert_eq!(Verdict::of(&RelayError::Cluster(error.clone())), verdict, "{error}");
        }
        for &error in ProgramError::ALL {
            let verdict = match error.name() {
                "NonceTooLow" => NonceUsed,
                "NonceTooHigh" => NonceAhead,
                "AccountMissing" | "ReadOnlyAccount" | "Paused" | "OperatorFunds" | "CoinbaseMissing"
                | "SenderBusy" | "AccountLocked" => Retry,
                _ => Refuse,
            };
            let refused = EmulatorError::Refused(Refusal { error, detail: String::new() });
            assert_eq!(Verdict::of(&RelayError::Emulator(refused)), verdict, "{error:?}");
            // After sending it is not known what of the Solana transaction the program refused.
            let verdict = if verdict == Refuse { Retry } else { verdict };
            assert_eq!(Verdict::of(&RelayError::Cluster(failed(Some(error as u32)))), verdict, "{error:?}");
        }
    }
}
