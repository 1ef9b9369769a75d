//! Medians, percentiles and verdicts.

/// Samples of one quantity.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds a sample.
    pub fn add(&mut self, sample: f64) {
        self.0.push(sample);
    }

    /// The smallest sample that at least `share` of all samples do not exceed; NaN without samples.
    pub fn percentile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }

    /// The 50th percentile.
    pub fn median(&self) -> f64 {
        self.percentile(0.5)
    }

    /// The ratio of each sample to the sample of `of` in the same round.
    pub fn ratios(&self, of: &Self) -> Self {
        Self(self.0.iter().zip(&of.0).map(|(own, other)| own / other).collect())
    }

    /// The difference of each sample to the sample of `of` in the same round.
    pub fn differences(&self, of: &Self) -> Self {
        Self(self.0.iter().zip(&of.0).map(|(own, other)| own - other).collect())
    }

    /// One line with the number of samples and the usual percentiles.
    pub fn line(&self, name: &str, unit: &str) -> String {
        let [low, median, p90, p99, most] = [0.0, 0.5, 0.9, 0.99, 1.0].map(|share| self.percentile(share));
        format!(
            "{name:<44} n {:<4} min {low:>9.3}  median {median:>9.3}  p90 {p90:>9.3}  p99 {p99:>9.3}  max {most:>9.3} {unit}",
            self.0.len()
        )
    }
}

/// Prints whether a target is met.
pub fn verdict(what: &str, measured: f64, target: f64, met: bool) {
    println!("{} {what}: {measured:.4} (target {target})", if met { "met   " } else { "MISSED" });
}

/// Prints whether a measurement is at most its target.
pub fn at_most(what: &str, measured: f64, target: f64) {
    verdict(&format!("{what}, at most"), measured, target, measured <= target);
}

/// Prints whether a measurement is at least its target.
pub fn at_least(what: &str, measured: f64, target: f64) {
    verdict(&format!("{what}, at least"), measured, target, measured >= target);
}
