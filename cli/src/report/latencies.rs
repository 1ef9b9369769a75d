//! Histograms of latencies, which can be merged, and their percentiles.

use base64::{Engine, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Deserializer, Serializer, V2Serializer},
};

/// Latencies in microseconds. A value that is recorded is exact to three digits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latencies(Option<Histogram<u32>>);

/// Percentiles in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Percentiles {
    pub(crate) p50: u64,
    pub(crate) p90: u64,
    pub(crate) p99: u64,
    pub(crate) max: u64,
}

impl Latencies {
    pub(crate) fn add(&mut self, value: u32) {
        if self.0.is_none() {
            // Three digits are within its bounds.
            self.0 = Histogram::new(3).ok();
        }
        if let Some(histogram) = &mut self.0 {
            // It grows to every value of a `u32`.
            let _ = histogram.record(u64::from(value.max(1)));
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        match (&mut self.0, &other.0) {
            // A histogram that grows accepts every value of another one.
            (Some(histogram), Some(other)) => drop(histogram.add(other)),
            (Some(_), None) => {}
            (empty, _) => empty.clone_from(&other.0),
        }
    }

    pub(crate) fn percentiles(&self) -> Percentiles {
        let Some(histogram) = &self.0 else { return Percentiles::default() };
        let at = |percent| histogram.value_at_percentile(percent);
        Percentiles { p50: at(50.0), p90: at(90.0), p99: at(99.0), max: histogram.max() }
    }

    /// The histogram in the V2 format of HdrHistogram as base64; empty without a value.
    pub(crate) fn encoded(&self) -> String {
        let mut bytes = Vec::new();
        if let Some(histogram) = &self.0 {
            // Writing to a vector does not fail.
            let _ = V2Serializer::new().serialize(histogram, &mut bytes);
        }
        STANDARD.encode(bytes)
    }

    /// Reads the format of [`Latencies::encoded`].
    pub(crate) fn decoded(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let mut histogram: Histogram<u32> = Deserializer::new().deserialize(&mut bytes.as_slice()).ok()?;
        histogram.auto(true);
        Some(Self(Some(histogram)))
    }
}

impl FromIterator<u32> for Latencies {
    fn from_iter<I: IntoIterator<Item = u32>>(values: I) -> Self {
        let mut latencies = Self::default();
        values.into_iter().for_each(|value| latencies.add(value));
        latencies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_exact_to_three_digits() {
        let values = |from, to| (from..=to).map(|value: u32| value * 1000).collect::<Latencies>();
        let mut merged = Latencies::decoded(&values(1, 400).encoded()).unwrap();
        merged.merge(&Latencies::default());
        merged.merge(&values(401, 1000));
        for latencies in [values(1, 1000), merged] {
            let Percentiles { p50, p90, p99, max } = latencies.percentiles();
            for (found, expected) in [(p50, 500_000), (p90, 900_000), (p99, 990_000), (max, 1_000_000)] {
                assert!(u64::abs_diff(found, expected) <= expected / 1000, "{found} for {expected}");
            }
        }
        assert_eq!(Latencies::default().percentiles(), Percentiles::default());
        assert!(Latencies::from_iter([0, u32::MAX]).percentiles().max >= u64::from(u32::MAX));
    }

    #[test]
    fn a_wrong_text_is_not_a_histogram() {
        assert!(Latencies::decoded("").unwrap().0.is_none());
        assert!(Latencies::decoded("AAAA").is_none() && Latencies::decoded("?").is_none());
    }
}
