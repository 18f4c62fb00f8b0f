//! Charts, drawn here as SVG: no script, both colour schemes, and a table beside them for those who cannot see them.
//!
//! Heights are whole thousandths of the plot, so that nothing is counted in floating point.

use latchkey::console::parts::{number, table};
use maud::{Markup, html};
use serde::Deserialize;

/// What was counted on one day, as `GET /v1/usage` says it.
#[derive(Debug, Clone, Deserialize)]
pub struct Day {
    /// As in `2027-01-15`.
    pub date: String,
    pub requests: u64,
    pub client_errors: u64,
    pub server_errors: u64,
}

impl Day {
    /// How many requests failed.
    pub const fn failed(&self) -> u64 {
        self.client_errors + self.server_errors
    }
}

const WIDTH: usize = 720;
const HEIGHT: usize = 200;
/// Room for the scale above and on the left, and for the dates below.
const TOP: usize = 14;
const LEFT: usize = 52;
const BOTTOM: usize = 24;
/// The plot's own height.
const PLOT: u64 = (HEIGHT - TOP - BOTTOM) as u64;

/// Requests by day as bars, oldest first, with those that failed marked; the figures beneath, folded away.
pub fn requests(days: &[Day]) -> Markup {
    let top = scale(days.iter().map(|day| day.requests).max().unwrap_or_default());
    let height = |count: u64| (count * PLOT).div_ceil(top).min(PLOT);
    let floor = HEIGHT - BOTTOM;
    let step = (WIDTH - LEFT) / days.len().max(1);
    let total: u64 = days.iter().map(|day| day.requests).sum();
    let failed: u64 = days.iter().map(Day::failed).sum();
    let said = format!("{} requests in {} days, {} failed.", number(total), days.len(), number(failed));
    html! {
        svg class="chart" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } width=(WIDTH) height=(HEIGHT) role="img"
            aria-label={ "Requests by day. " (said) " The figures are in the table below." } {
            @for part in [0, 1, 2] {
                @let y = floor - usize::try_from(PLOT * part / 2).unwrap_or_default();
                line class="axis" x1=(LEFT) x2=(WIDTH) y1=(y) y2=(y) stroke-opacity=(if part == 0 { "1" } else { "0.35" }) {}
                text x=(LEFT - 6) y=(y + 4) text-anchor="end" { (number(top * part / 2)) }
            }
            @for (index, day) in days.iter().enumerate() {
                @let (x, wide) = (LEFT + index * step + 1, step.saturating_sub(3).max(1));
                g {
                    title { (day.date) ": " (day.requests) " requests, " (day.failed()) " failed" }
                    rect class="bar" x=(x) width=(wide) y=(floor as u64 - height(day.requests)) height=(height(day.requests)) {}
                    rect class="failed" x=(x) width=(wide) y=(floor as u64 - height(day.failed())) height=(height(day.failed())) {}
                }
                @if index % 7 == 0 {
                    text x=(x) y=(HEIGHT - 6) { (day.date.get(5..).unwrap_or_default()) }
                }
            }
        }
        p class="hint" { (said) }
        details {
            summary { "The figures, day by day" }
            (table("Requests by day", &["Day", "Requests", "Refused (4xx)", "Failed (5xx)"], &rows(days)))
        }
    }
}

fn rows(days: &[Day]) -> Vec<Vec<Markup>> {
    let row = |day: &Day| {
        let count = |count: u64| html! { (number(count)) };
        vec![
            html! { time datetime=(day.date) { (day.date) } },
            count(day.requests),
            count(day.client_errors),
            count(day.server_errors),
        ]
    };
    days.iter().rev().map(row).collect()
}

/// The last days of one key, in a line of its list: `counts`, oldest first.
pub fn sparkline(counts: &[u64]) -> Markup {
    const TALL: u64 = 28;
    const BAR: usize = 8;
    let most = counts.iter().copied().max().unwrap_or_default();
    let total: u64 = counts.iter().sum();
    html! {
        @if total == 0 {
            span class="none" { "none" }
        } @else {
            svg class="spark" viewBox={ "0 0 " (counts.len() * BAR) " " (TALL) } preserveAspectRatio="none" role="img"
                aria-label={ (number(total)) " requests in the last " (counts.len()) " days" } {
                @for (index, &count) in counts.iter().enumerate() {
                    @let tall = (count * TALL).div_ceil(most);
                    rect x=(index * BAR) width=(BAR - 1) y=(TALL - tall) height=(tall) {}
                }
            }
        }
    }
}

/// The end of a scale that holds `most`: 1, 2 or 5 with zeros, and at least 2, so that its half is whole.
fn scale(most: u64) -> u64 {
    let mut unit: u64 = 1;
    loop {
        for factor in [2, 4, 10] {
            if unit.saturating_mul(factor) >= most {
                return unit.saturating_mul(factor);
            }
        }
        unit = unit.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_holds_what_it_shows_and_has_a_whole_half() {
        assert_eq!([0, 1, 2, 3, 5, 11, 21, 41, 1_001].map(scale), [2, 2, 2, 4, 10, 20, 40, 100, 2_000]);
        for most in 0..5_000 {
            let top = scale(most);
            assert!(top >= most && top.is_multiple_of(2) && top <= (most * 3).max(2), "{most}: {top}");
        }
        assert_eq!(scale(u64::MAX), u64::MAX);
    }

    #[test]
    fn idle_days_and_no_days_are_drawn() {
        let day = |requests, client_errors| Day {
            date: "2027-01-15".into(),
            requests,
            client_errors,
            server_errors: 0,
        };
        assert!(requests(&[]).into_string().contains("0 requests in 0 days"));
        let drawn = requests(&[day(0, 0), day(10, 5)]).into_string();
        assert!(drawn.contains("10 requests in 2 days, 5 failed."));
        assert!(drawn.contains("<td>10</td>"));
        assert!(sparkline(&[0, 0]).into_string().contains("none"));
        assert!(sparkline(&[0, 4]).into_string().contains("4 requests in the last 2 days"));
    }
}
