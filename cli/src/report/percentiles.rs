//! Percentiles of latencies.

use hdrhistogram::Histogram;

/// Percentiles in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Percentiles {
    pub(crate) p50: u64,
    pub(crate) p90: u64,
    pub(crate) p99: u64,
    pub(crate) max: u64,
}

impl Percentiles {
    pub(crate) fn of(values: impl IntoIterator<Item = u32>) -> Self {
        // One microsecond to the largest value of a `u32` with three digits: bounds that the histogram accepts.
        let Ok(mut histogram) = Histogram::<u64>::new_with_bounds(1, u64::from(u32::MAX), 3) else {
            return Self::default();
        };
        for value in values {
            histogram.saturating_record(u64::from(value.max(1)));
        }
        let at = |percent| histogram.value_at_percentile(percent);
        Self { p50: at(50.0), p90: at(90.0), p99: at(99.0), max: histogram.max() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_exact_to_three_digits() {
        let Percentiles { p50, p90, p99, max } = Percentiles::of((1..=1000).map(|value| value * 1000));
        for (found, expected) in [(p50, 500_000), (p90, 900_000), (p99, 990_000), (max, 1_000_000)] {
            assert!(u64::abs_diff(found, expected) <= expected / 1000, "{found} for {expected}");
        }
        assert_eq!(Percentiles::of([]), Percentiles::default());
        assert!(Percentiles::of([0, u32::MAX]).max >= u64::from(u32::MAX));
    }
}
