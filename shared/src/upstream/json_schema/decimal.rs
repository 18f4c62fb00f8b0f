//! Numbers as they are written in JSON: exact, so that 0.3 is a multiple of 0.1.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Number;

/// `digits` times ten to the power of `exponent`, negated where it is `negative`. There is one such form of each
/// number: the digits do not end with 0, and 0 itself is neither negative nor has an exponent.
#[derive(Debug, Clone)]
pub(super) struct Decimal {
    negative: bool,
    /// Below 2^64: `serde_json` holds larger numbers as floating ones, whose shortest form has 17 digits.
    digits: u128,
    exponent: i32,
    /// As JSON writes it.
    text: String,
}

impl Decimal {
    pub fn of(number: &Number) -> Self {
        let text = number.to_string();
        let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
        let mut exponent: i32 = power.parse().unwrap_or(0);
        let mut digits: u128 = 0;
        let mut behind_point = false;
        for character in mantissa.chars() {
            match character.to_digit(10) {
                Some(digit) => {
                    digits = digits.saturating_mul(10).saturating_add(u128::from(digit));
                    exponent -= i32::from(behind_point);
                }
                None => behind_point |= character == '.',
            }
        }
        while digits != 0 && digits.is_multiple_of(10) {
            digits /= 10;
            exponent += 1;
        }
        let exponent = if digits == 0 { 0 } else { exponent };
        Self { negative: digits != 0 && mantissa.starts_with('-'), digits, exponent, text }
    }

    /// The one form, as text.
    pub fn canonical(&self) -> String {
        format!("{}{}e{}", if self.negative { "-" } else { "" }, self.digits, self.exponent)
    }

    pub const fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    pub const fn is_positive(&self) -> bool {
        !self.negative && self.digits != 0
    }

    /// The number of a count; a larger one than there can be is the largest.
    pub fn as_count(&self) -> Option<u64> {
        if self.negative || !self.is_integer() {
            return None;
        }
        let power = u32::try_from(self.exponent).ok().and_then(|exponent| 10_u128.checked_pow(exponent));
        let whole = power.and_then(|power| self.digits.checked_mul(power));
        Some(whole.and_then(|whole| u64::try_from(whole).ok()).unwrap_or(u64::MAX))
    }

    /// Whether this is a whole number of times `step`, which is positive.
    pub fn is_multiple_of(&self, step: &Self) -> bool {
        let shift = self.exponent - step.exponent;
        let power = shift.unsigned_abs();
        if shift < 0 {
            // Ten to a power that does not fit divides no number of so few digits, but 0.
            let divisor = 10_u128.checked_pow(power).and_then(|power| power.checked_mul(step.digits));
            return self.digits == 0 || divisor.is_some_and(|divisor| self.digits.is_multiple_of(divisor));
        }
        let (mut rest, mut base, mut power) = (self.digits % step.digits, 10 % step.digits, power);
        while power > 0 {
            if power & 1 == 1 {
                rest = times(rest, base, step.digits);
            }
            base = times(base, base, step.digits);
            power >>= 1;
        }
        rest == 0
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        let length = |number: &Self| {
            let digits = number.digits.checked_ilog10().map_or(0, |log| log + 1);
            i64::from(digits) + i64::from(number.exponent)
        };
        match (self.digits, other.digits) {
            (0, 0) => Ordering::Equal,
            (0, _) => Ordering::Less,
            (_, 0) => Ordering::Greater,
            _ => length(self).cmp(&length(other)).then_with(|| {
                let lowest = self.exponent.min(other.exponent);
                let scaled = |number: &Self| {
                    // As many digits in all, so the one with the higher exponent has room for its zeros.
                    let zeros = u32::try_from(number.exponent - lowest).unwrap_or(0);
                    number.digits.saturating_mul(10_u128.saturating_pow(zeros))
                };
                scaled(self).cmp(&scaled(other))
            }),
        }
    }
}

/// `a` times `b` modulo `modulus`; as all three are below 2^64, the product is not too large.
fn times(a: u128, b: u128, modulus: u128) -> u128 {
    a.checked_mul(b).map_or(0, |product| product % modulus)
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
