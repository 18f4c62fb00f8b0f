//! Times, and what many of them say.

use std::hint::black_box;
use std::time::Instant;

use serde::Serialize;

/// What many rounds say, in microseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    pub median: f64,
    /// A quarter of the rounds took less.
    pub lower_quartile: f64,
    /// A quarter of the rounds took more.
    pub upper_quartile: f64,
}

impl Summary {
    pub fn of(times: &[f64]) -> Self {
        let mut times = times.to_vec();
        times.sort_by(f64::total_cmp);
        let at = |quarters: usize| times.get((times.len().saturating_sub(1)) * quarters / 4).copied();
        let at = |quarters| at(quarters).unwrap_or(f64::NAN);
        Self { lower_quartile: at(1), median: at(2), upper_quartile: at(3) }
    }
}

/// The time that one of `runs` calls takes, in microseconds.
#[allow(clippy::disallowed_methods, reason = "measuring is about the machine's time")]
pub fn time<T>(runs: u32, mut call: impl FnMut() -> T) -> f64 {
    let began = Instant::now();
    for _ in 0..runs {
        black_box(call());
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(runs)
}
