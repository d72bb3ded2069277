//! What many measurements come to, and how numbers are written.

use std::time::Duration;

/// Durations of the same thing, done many times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    /// Adds a duration.
    pub(crate) fn push(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    /// Adds those of others.
    pub(crate) fn extend(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }

    /// The smallest duration that at least so many percent of all do not exceed (nearest rank); zero of none.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100);
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// The duration in the middle.
    pub(crate) fn median(&self) -> Duration {
        self.percentile(50)
    }

    /// `p50 1.20 ms, p99 3.40 ms`.
    pub(crate) fn show(&self) -> String {
        format!("p50 {}, p99 {}", time(self.median()), time(self.percentile(99)))
    }
}

/// The number in the middle; of an even count the lower one. Zero of none.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// How often a second something happened.
#[expect(clippy::cast_precision_loss, reason = "a rate need not be exact")]
pub(crate) fn rate(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64().max(f64::EPSILON)
}

/// A duration with three digits or so: `0.43 ms`, `12.1 ms`, `1.20 s`.
pub(crate) fn time(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1_000.0;
    match ms {
        _ if ms < 10.0 => format!("{ms:.2} ms"),
        _ if ms < 100.0 => format!("{ms:.1} ms"),
        _ if ms < 1_000.0 => format!("{ms:.0} ms"),
        _ => format!("{:.2} s", ms / 1_000.0),
    }
}

/// A whole number with commas: `1,234,567`.
pub(crate) fn whole(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate: `12,345 a second`.
pub(crate) fn per_second(rate: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates are small and positive"
    )]
    let rounded = rate.round() as u64;
    format!("{} a second", whole(rounded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(milliseconds: impl IntoIterator<Item = u64>) -> Samples {
        Samples(milliseconds.into_iter().map(Duration::from_millis).collect())
    }

    #[test]
    fn percentiles_are_samples() {
        let hundred = samples((1..=100).rev());
        assert_eq!(hundred.median(), Duration::from_millis(50));
        assert_eq!(hundred.percentile(99), Duration::from_millis(99));
        assert_eq!(hundred.percentile(100), Duration::from_millis(100));
        assert_eq!(samples([7]).percentile(99), Duration::from_millis(7));
        assert_eq!(samples([]).median(), Duration::ZERO);
        let mut some = samples([1, 2]);
        some.extend(&samples([9]));
        some.push(Duration::from_millis(10));
        assert_eq!(
            (some.median(), some.percentile(75)),
            (Duration::from_millis(2), Duration::from_millis(9))
        );
    }

    #[test]
    fn a_median_is_the_number_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]).to_bits(), 2.0_f64.to_bits());
        assert_eq!(median(vec![4.0, 1.0]).to_bits(), 1.0_f64.to_bits());
        assert_eq!(median(Vec::new()).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn numbers_are_readable() {
        let times = [430, 12_100, 123_400, 1_200_000].map(|micros| time(Duration::from_micros(micros)));
        assert_eq!(times, ["0.43 ms", "12.1 ms", "123 ms", "1.20 s"]);
        assert_eq!([0, 999, 1_000, 1_234_567].map(whole), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(per_second(rate(3_001, Duration::from_secs(2))), "1,501 a second");
        assert_eq!(samples([5, 5]).show(), "p50 5.00 ms, p99 5.00 ms");
    }
}
