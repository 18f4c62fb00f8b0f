//! Days, as usage is counted by: in UTC, numbered since the Unix epoch.

use crate::Timestamp;
use crate::clock::at_second;
use crate::domain::time::shown;

/// The length of a day, in seconds.
pub const DAY: i64 = 86_400;
/// The base of a day's name: digits and upper-case letters, so that it is no other attribute's name.
const BASE: u32 = 36;

/// A day, as the number of days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// The day of a moment.
    #[must_use]
    pub fn of(moment: Timestamp) -> Self {
        Self(moment.as_second().div_euclid(DAY))
    }

    /// The day `days` earlier.
    #[must_use]
    pub const fn ago(self, days: i64) -> Self {
        Self(self.0 - days)
    }

    /// When it begins, in seconds since the Unix epoch.
    #[must_use]
    pub const fn begins(self) -> i64 {
        self.0 * DAY
    }

    /// As in `2027-01-15`.
    #[must_use]
    pub fn date(self) -> String {
        let mut text = shown(at_second(self.begins()));
        text.truncate(text.find('T').unwrap_or(text.len()));
        text
    }

    /// Its number in base 36: three characters, until the year 2097.
    #[must_use]
    pub fn name(self) -> String {
        let mut number = u64::try_from(self.0).unwrap_or_default();
        let mut digits = Vec::new();
        while number > 0 || digits.is_empty() {
            let digit = u32::try_from(number % u64::from(BASE)).unwrap_or_default();
            digits.push(char::from_digit(digit, BASE).unwrap_or('0').to_ascii_uppercase());
            number /= u64::from(BASE);
        }
        digits.iter().rev().collect()
    }

    /// The day of a name; `None` where the text is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let day = Self(i64::from_str_radix(name, BASE).ok()?);
        (day.name() == name).then_some(day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_day_is_utc() {
        let at = |text: &str| Day::of(text.parse().unwrap());
        assert_eq!(at("2027-01-15T23:59:59.999Z").date(), "2027-01-15");
        assert_eq!(at("2027-01-16T00:00:00Z").date(), "2027-01-16");
        assert_eq!(at("2027-01-16T00:00:00Z").ago(1), at("2027-01-15T00:00:00Z"));
        assert_eq!(at("2097-09-26T00:00:00Z").name().len(), 3);
        assert_eq!(at("1970-01-01T00:00:00Z").name(), "0");
    }

    proptest! {
        #[test]
        fn a_name_reads_back(number in 0_i64..1_000_000) {
            prop_assert_eq!(Day::named(&Day(number).name()), Some(Day(number)));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,20}") {
            let _ = Day::named(&text);
        }

        #[test]
        fn no_attribute_is_taken_for_a_day(text in "[a-z_]{1,20}") {
            prop_assert_eq!(Day::named(&text), None);
        }
    }
}
