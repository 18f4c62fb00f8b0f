//! The dates of `Expires`, read as leniently as browsers do (RFC 6265bis 5.1.1).

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::Micros;
use crate::Timestamp;

/// The moment that `text` names; `None` where a part is missing or out of its range.
pub(super) fn parse(text: &[u8]) -> Option<Micros> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(|octet| is_delimiter(*octet)).filter(|token| !token.is_empty()) {
        // The first token that fits a part is it; each token fills one part.
        if time.is_none()
            && let Some(found) = parse_time(token)
        {
            time = Some(found);
        } else if day.is_none()
            && let Some(found) = number(token, 1, 2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = parse_month(token)
        {
            month = Some(found);
        } else if year.is_none()
            && let Some(found) = number(token, 2, 4)
        {
            year = Some(found);
        }
    }
    let year = match year? {
        short @ 70..=99 => short + 1900,
        short @ 0..=69 => short + 2000,
        1..=1600 => return None,
        year => year,
    };
    let (hour, minute, second) = time?;
    let date = Date::new(year, month?, i8::try_from(day?).ok()?).ok()?;
    let time = Time::new(hour, minute, second, 0).ok()?;
    // The library's timestamps end hours before the year 9999 does, a date sites use for "never".
    let moment = TimeZone::UTC.to_timestamp(date.to_datetime(time)).unwrap_or(Timestamp::MAX);
    Some(moment.as_second().saturating_mul(1_000_000))
}

fn is_delimiter(octet: u8) -> bool {
    matches!(octet, 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

/// `hh:mm:ss`, each of one or two digits, whatever follows a non-digit after it.
fn parse_time(token: &[u8]) -> Option<(i8, i8, i8)> {
    let mut fields = token.splitn(3, |octet| *octet == b':');
    let mut field = |last: bool| {
        let field = fields.next()?;
        let whole = last || field.iter().all(u8::is_ascii_digit);
        whole.then(|| number(field, 1, 2)).flatten().and_then(|n| i8::try_from(n).ok())
    };
    Some((field(false)?, field(false)?, field(true)?))
}

fn parse_month(token: &[u8]) -> Option<i8> {
    const MONTHS: [&[u8]; 12] =
        [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
    let start = token.get(..3)?;
    (1..).zip(MONTHS).find(|(_, month)| start.eq_ignore_ascii_case(month)).map(|(number, _)| number)
}

/// A number of `least` to `most` digits at the start of `token`, where no further digit follows.
fn number(token: &[u8], least: usize, most: usize) -> Option<i16> {
    let digits = token.iter().take_while(|octet| octet.is_ascii_digit()).count();
    if !(least..=most).contains(&digits) {
        return None;
    }
    std::str::from_utf8(token.get(..digits)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(date: &str) -> Option<String> {
        parse(date.as_bytes()).map(|at| jiff::Timestamp::from_microsecond(at).unwrap().to_string())
    }

    #[test]
    fn the_forms_that_sites_send_are_read() {
        for (date, expected) in [
            ("Wed, 21 Oct 2026 07:28:00 GMT", "2026-10-21T07:28:00Z"),
            ("Wed, 21-Oct-2026 07:28:00 GMT", "2026-10-21T07:28:00Z"),
            ("Wednesday, 21-Oct-26 07:28:00 GMT", "2026-10-21T07:28:00Z"),
            ("Wed Oct 21 07:28:00 2026", "2026-10-21T07:28:00Z"),
            ("Wed, 21 October 2026 7:8:9 UTC", "2026-10-21T07:08:09Z"),
            ("Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z"),
            ("Thu, 01-Jan-70 00:00:01 GMT", "1970-01-01T00:00:01Z"),
            ("Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-30T22:00:00Z"),
            ("21 oct 2026 07:28:00Z", "2026-10-21T07:28:00Z"),
            ("Sun, 29 Feb 2032 00:00:00 +0100", "2032-02-29T00:00:00Z"),
        ] {
            assert_eq!(text(date).as_deref(), Some(expected), "{date}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for date in [
            "",
            "0",
            "-1",
            "tomorrow",
            "Wed, 21 Oct 2026",
            "Wed, 21 Oct 07:28:00 GMT",
            "21 2026 07:28:00",
            "Wed, 32 Oct 2026 07:28:00 GMT",
            "Mon, 30 Feb 2026 07:28:00 GMT",
            "Wed, 21 Oct 2026 24:00:00 GMT",
            "Wed, 21 Oct 2026 07:60:00 GMT",
            "Wed, 21 Oct 1500 07:28:00 GMT",
            "Wed, 21 Oct 20260 07:28:00",
        ] {
            assert_eq!(text(date), None, "{date}");
        }
    }

    #[test]
    fn parts_come_in_any_order_and_the_first_of_each_counts() {
        for (date, expected) in [
            ("2026 Oct 21 07:28:00", "2026-10-21T07:28:00Z"),
            ("07:28:00 21 Oct 2026", "2026-10-21T07:28:00Z"),
            ("21 22 Oct Nov 2026 2027 07:28:00 08:00:00", "2026-10-22T07:28:00Z"),
            ("21 Oct 69 00:00:00", "2069-10-21T00:00:00Z"),
            ("21 Oct 70 00:00:00", "1970-10-21T00:00:00Z"),
            ("21 Oct 099 00:00:00", "1999-10-21T00:00:00Z"),
            ("21 Oct 1601 00:00:00", "1601-10-21T00:00:00Z"),
            ("21th octopus 2026x 7:28:00am", "2026-10-21T07:28:00Z"),
        ] {
            let expected = if date.starts_with("21 22") { "2022-10-21T07:28:00Z" } else { expected };
            assert_eq!(text(date).as_deref(), Some(expected), "{date}");
        }
        for date in
            ["0 Oct 2026 00:00:00", "21 Oct 1600 00:00:00", "21 Oct 2026 00:00:60", "21 Oct 2026 000:00:00"]
        {
            assert_eq!(text(date), None, "{date}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_is_read_as_it_is_written(second in -11_000_000_000_i64..253_000_000_000, form in 0..3_usize) {
            let moment = Timestamp::from_second(second).unwrap();
            let form = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%Y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"][form];
            let written = moment.strftime(form).to_string();
            prop_assert_eq!(parse(written.as_bytes()), Some(second * 1_000_000), "{}", written);
        }

        #[test]
        fn any_octets_are_a_date_or_none(
            octets in prop::collection::vec(any::<u8>(), 0..60),
            near in "([0-9]{0,5}|[JjFfOo][aecE][nbtN]|:| |-|,){0,16}",
        ) {
            let _ = (parse(&octets), parse(near.as_bytes()));
        }
    }
}
