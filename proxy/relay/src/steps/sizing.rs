//! How far each step of a run goes: found out by trying.
//!
//! A step pauses at a mark of gas left. How many compute units it takes to get there is known only by going there, so
//! marks are tried until one takes nearly all of what a Solana transaction has, but not more:
//!
//! ```text
//!  compute units   0 ········································ LEAST ── target ── MOST │ COMPUTE_UNITS_MAX
//!                        goes too short a way: try farther  ├── taken ─────────────┤ too far: try nearer
//! ```
//!
//! The next try is where a straight line through what is known has the target. Where a single operation takes a large
//! part (a precompile), no mark hits; then the farthest that is not too far is taken.

use parhelion_core::relay::RelayError;
use parhelion_sdk::transaction::COMPUTE_UNITS_MAX;

/// Compute units of a step at most: 97.5 %. State may differ a little when it lands.
pub const MOST: u64 = COMPUTE_UNITS_MAX as u64 * 975 / 1000;
/// Compute units of a step that is long enough: 87 %.
pub const LEAST: u64 = COMPUTE_UNITS_MAX as u64 * 870 / 1000;
/// What is aimed at: between the two, nearer to the upper one.
const TARGET: u64 = COMPUTE_UNITS_MAX as u64 * 940 / 1000;
/// Tries for one step at most: enough to halve the largest gas limit down to one.
const TRIES_MAX: u32 = 64;
/// Steps of a run at most: more than any transaction within the gas cap takes that was measured (15 million gas of a loop
/// over memory: 185).
pub const STEPS_MAX: usize = 600;

/// A run that can be tried.
pub trait Trial {
    /// Gas that is left where the run is.
    fn gas(&self) -> u64;

    /// Whether the run is over, but for writing what it changed.
    fn is_at_end(&self) -> bool;

    /// Compute units of a step from here to a mark, and the gas that is left there.
    ///
    /// # Errors
    /// Why the step would fail, whatever it had to spend.
    fn try_to(&mut self, mark: u64) -> Result<(u64, u64), RelayError>;

    /// Compute units of a step from here to the end, with everything written; none where there is no such step, however
    /// much it had to spend.
    ///
    /// # Errors
    /// As [`Self::try_to`].
    fn try_all(&mut self) -> Result<Option<u64>, RelayError>;

    /// Goes on from where the last try to a mark got.
    ///
    /// # Errors
    /// When the place cannot be read.
    fn keep(&mut self) -> Result<(), RelayError>;
}

/// The steps of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Marks of gas left at which all steps but the last pause, from the largest to the smallest; 0 is a pause before
    /// everything is written.
    pub pauses: Vec<u64>,
    /// Compute units of each step.
    pub compute_units: Vec<u64>,
    /// Compute units that one step would take, had a Solana transaction so many. Not known of a run that also uses more
    /// accounts than one lists.
    pub whole: Option<u64>,
}

/// Finds the steps of a run.
///
/// # Errors
/// [`RelayError::DoesNotFit`] when one operation, or writing everything, takes more than a Solana transaction has, or
/// the run would take more than [`STEPS_MAX`]; and the trial's.
pub fn size(trial: &mut impl Trial) -> Result<Sizes, RelayError> {
    let mut sizes = Sizes { whole: trial.try_all()?, ..Sizes::default() };
    // What the rest takes, as far as it is known.
    let mut rest = sizes.whole;
    // How the last step went: gas and compute units.
    let mut pace = None;
    loop {
        if rest.is_none_or(|rest| rest <= MOST) {
            rest = trial.try_all()?;
        }
        if let Some(units) = rest
            && units <= MOST
        {
            sizes.compute_units.push(units);
            return Ok(sizes);
        }
        if trial.is_at_end() {
            return Err(does_not_fit("compute units to write what it changed", rest.unwrap_or_default()));
        }
        if sizes.pauses.len() + 1 >= STEPS_MAX {
            return Err(RelayError::DoesNotFit {
                needs: format!("more than {STEPS_MAX} steps"),
                limit: format!("{STEPS_MAX} steps"),
            });
        }
        let before = trial.gas();
        let (mark, units) = step(trial, pace)?;
        trial.keep()?;
        sizes.pauses.push(if trial.is_at_end() { 0 } else { mark });
        sizes.compute_units.push(units);
        pace = Some((before.saturating_sub(trial.gas()).max(1), units.max(1)));
        rest = rest.map(|rest| rest.saturating_sub(units));
    }
}

/// Finds the mark of the next step, and leaves the trial with it tried last.
fn step(trial: &mut impl Trial, pace: Option<(u64, u64)>) -> Result<(u64, u64), RelayError> {
    let start = trial.gas();
    // The farthest mark that is not too far, and the nearest that is, with their compute units.
    let (mut near, mut far): ((u64, u64), Option<(u64, u64)>) = ((start, 0), None);
    let mut advances = false;
    let mut mark = match pace {
        Some((gas, units)) => ahead(start, gas, units, TARGET),
        // Most code takes less than so much for a unit of gas; then the first try is a short one.
        None => start.saturating_sub(TARGET / UNITS_PER_GAS_MAX),
    };
    for tries in 0..TRIES_MAX {
        // The nearest to the end that may be tried.
        let least = far.map_or(0, |far| far.0 + 1);
        mark = mark.clamp(least, near.0.saturating_sub(1).max(least));
        let (units, left) = trial.try_to(mark)?;
        if units > MOST {
            far = Some((mark, units));
        } else {
            near = (mark, units);
            advances |= left < start;
            if units >= LEAST {
                return Ok(near);
            }
        }
        let floor = far.map_or(0, |far| far.0);
        let gap = near.0 - floor;
        // What lies between is not worth more tries.
        if gap <= far.map_or(0, |_| 1).max((start - near.0) / FINENESS) {
            break;
        }
        mark = match far {
            // A straight line may creep where the run is uneven: every third try halves.
            Some(_) if tries % 3 == 2 => floor + gap / 2,
            Some((_, too_many)) => {
                ahead(near.0, gap, too_many.saturating_sub(near.1), TARGET.saturating_sub(near.1))
            }
            None if near.1 == 0 => near.0 / 2,
            None => ahead(near.0, start - near.0, near.1, TARGET.saturating_sub(near.1)),
        };
    }
    if !advances {
        return Err(does_not_fit("compute units for a single operation", far.map_or(0, |far| far.1)));
    }
    trial.try_to(near.0)?;
    Ok(near)
}

/// A step is as long as it can be when so small a part of its gas may be missing.
const FINENESS: u64 = 512;

/// More compute units than nearly all code takes for a unit of gas.
const UNITS_PER_GAS_MAX: u64 = 16;

/// The mark that is `target` compute units ahead of `from`, at a pace of `gas` in `units`.
fn ahead(from: u64, gas: u64, units: u64, target: u64) -> u64 {
    let distance = u128::from(gas) * u128::from(target) / u128::from(units.max(1));
    from.saturating_sub(u64::try_from(distance).unwrap_or(u64::MAX).max(1))
}

fn does_not_fit(what: &str, units: u64) -> RelayError {
    RelayError::DoesNotFit {
        needs: format!("{units} {what}"),
        limit: format!("{COMPUTE_UNITS_MAX} compute units"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every step takes besides: reading and writing the checkpoint.
    const OVERHEAD: u64 = 30_000;
    /// What the writing of everything takes.
    const WRITING: u64 = 50_000;

    /// A run of operations, each of some gas and compute units.
    struct Operations {
        operations: Vec<(u64, u64)>,
        position: usize,
        gas: u64,
        tried: (usize, u64),
        tries: usize,
        writing: u64,
        /// Whether the last step does nothing but write.
        writes_apart: bool,
    }

    impl Operations {
        fn new(operations: Vec<(u64, u64)>) -> Self {
            let gas = operations.iter().map(|(gas, _)| gas).sum::<u64>() + 1_000_000;
            Self {
                operations,
                position: 0,
                gas,
                tried: (0, 0),
                tries: 0,
                writing: WRITING,
                writes_apart: false,
            }
        }
    }

    impl Trial for Operations {
        fn gas(&self) -> u64 {
            self.gas
        }

        fn is_at_end(&self) -> bool {
            self.position == self.operations.len()
        }

        fn try_to(&mut self, mark: u64) -> Result<(u64, u64), RelayError> {
            self.tries += 1;
            let (mut position, mut gas, mut units) = (self.position, self.gas, OVERHEAD);
            while let Some((gas_of, units_of)) = self.operations.get(position)
                && gas >= gas_of + mark
            {
                (position, gas, units) = (position + 1, gas - gas_of, units + units_of);
            }
            self.tried = (position, gas);
            Ok((units, gas))
        }

        fn try_all(&mut self) -> Result<Option<u64>, RelayError> {
            self.tries += 1;
            if self.writes_apart && !self.is_at_end() {
                return Ok(None);
            }
            let rest = self.operations.iter().skip(self.position).map(|(_, units)| units).sum::<u64>();
            Ok(Some(OVERHEAD + rest + self.writing))
        }

        fn keep(&mut self) -> Result<(), RelayError> {
            (self.position, self.gas) = self.tried;
            Ok(())
        }
    }

    fn sizes(operations: Vec<(u64, u64)>) -> (Sizes, Operations) {
        let mut trial = Operations::new(operations);
        let sizes = size(&mut trial).expect("it can be run");
        assert_eq!(sizes.pauses.len() + 1, sizes.compute_units.len());
        assert!(sizes.pauses.is_sorted_by(|one, next| one > next), "{sizes:?}");
        assert!(sizes.compute_units.iter().all(|units| *units <= MOST), "{sizes:?}");
        let overheads = OVERHEAD * sizes.pauses.len() as u64;
        let whole = sizes.whole.expect("it could be one step");
        assert_eq!(sizes.compute_units.iter().sum::<u64>(), whole + overheads);
        (sizes, trial)
    }

    /// All but the last are long enough.
    fn assert_full(sizes: &Sizes) {
        let (_, full) = sizes.compute_units.split_last().expect("a step");
        assert!(full.iter().all(|units| *units >= LEAST), "{sizes:?}");
    }

    #[test]
    fn what_fits_is_one_step() {
        let (found, trial) = sizes(vec![(3, 20); 1_000]);
        assert_eq!((found.pauses.len(), trial.tries), (0, 2));
    }

    #[test]
    fn even_runs_take_few_tries() {
        for (gas, units) in [(3, 20), (3, 3), (1, 90), (200, 60), (5_000, 900)] {
            let (found, trial) = sizes(vec![(gas, units); 20_000_000 / units as usize]);
            assert_full(&found);
            assert_eq!(found.compute_units.len(), 16, "{gas} {units}");
            assert!(trial.tries <= 40, "{} tries of {gas} {units}", trial.tries);
        }
    }

    #[test]
    fn uneven_runs_are_full_as_well() {
        let operations = (0..3_000u64).flat_map(|number| {
            let (gas, units) = (1 + number * 7 % 900, 10 + number * number % 3_000);
            std::iter::repeat_n((gas, units), 1 + number as usize % 5)
        });
        let (found, trial) = sizes(operations.collect());
        assert_full(&found);
        assert!(trial.tries < 10 * found.compute_units.len(), "{} tries of {found:?}", trial.tries);
    }

    #[test]
    fn a_large_operation_has_a_step_of_its_own_if_need_be() {
        let mut operations = vec![(3, 20); 40_000];
        operations[20_000] = (100, 1_330_000);
        let (found, _) = sizes(operations);
        assert_eq!(found.compute_units.len(), 3, "{found:?}");
        // The last one writes.
        let (found, _) = sizes(vec![(100, 1_330_000); 3]);
        assert_eq!(found.compute_units, [1_360_000, 1_360_000, 1_360_000, 80_000]);
        assert_eq!(found.pauses.last(), Some(&0), "{found:?}");
    }

    #[test]
    fn where_writing_is_a_step_of_its_own_the_one_before_goes_to_the_end() {
        for (count, steps) in [(100, 2), (200_000, 5)] {
            let mut trial = Operations { writes_apart: true, ..Operations::new(vec![(3, 20); count]) };
            let sizes = size(&mut trial).expect("it can be run");
            assert_eq!((sizes.compute_units.len(), sizes.whole), (steps, None), "{sizes:?}");
            assert_eq!(sizes.pauses.last(), Some(&0));
            assert_eq!(sizes.compute_units.last(), Some(&(OVERHEAD + WRITING)));
        }
    }

    #[test]
    fn what_cannot_be_run_is_told() {
        let mut trial = Operations::new(vec![(3, 20), (100, 1_390_000), (3, 20)]);
        let error = size(&mut trial).expect_err("a large operation").to_string();
        assert!(error.contains("a single operation"), "{error}");
        let mut trial = Operations { writing: 1_400_000, ..Operations::new(vec![(3, 20); 9]) };
        let error = size(&mut trial).expect_err("too much to write").to_string();
        assert!(error.contains("to write"), "{error}");
        let mut trial = Operations::new(vec![(3_000, 1_000_000); STEPS_MAX + 1]);
        let error = size(&mut trial).expect_err("too many steps").to_string();
        assert!(error.contains("steps"), "{error}");
    }
}
