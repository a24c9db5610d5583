//! Five-field cron schedules with the rules of the library that Argo CD uses (robfig/cron's standard parser).

use jiff::civil::{Date, DateTime, Time};

/// Days searched for the next start: the library gives up after five years.
const SEARCHED_DAYS: u32 = 5 * 366;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Which minutes start a window; bit N of a field stands for value N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// `*` in day-of-month or day-of-week: then both must fit, otherwise either is enough.
    any_day: bool,
}

impl Schedule {
    /// Reads `minute hour day-of-month month day-of-week`, or a name such as `@daily`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = named(text.trim())?;
        let mut fields = text.split_whitespace();
        let mut next = || fields.next();
        let (minute, hour, day, month, weekday) = (next()?, next()?, next()?, next()?, next()?);
        if next().is_some() {
            return None;
        }
        Some(Self {
            minutes: field(minute, 0, 59, &[])?,
            hours: field(hour, 0, 23, &[])?,
            days: field(day, 1, 31, &[])?,
            months: field(month, 1, 12, &MONTHS)?,
            weekdays: field(weekday, 0, 6, &WEEKDAYS)?,
            any_day: is_star(day) || is_star(weekday),
        })
    }

    /// The first start strictly after `from`, within five years.
    pub(super) fn next_after(&self, from: DateTime) -> Option<DateTime> {
        let mut date = from.date();
        for _ in 0..SEARCHED_DAYS {
            if self.fits_day(date)
                && let Some(start) = self
                    .times()
                    .map(|t| date.to_datetime(t))
                    .find(|start| *start > from)
            {
                return Some(start);
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn fits_day(&self, date: Date) -> bool {
        let day = has(self.days, i64::from(date.day()));
        let weekday = has(
            self.weekdays,
            i64::from(date.weekday().to_sunday_zero_offset()),
        );
        has(self.months, i64::from(date.month()))
            && if self.any_day {
                day && weekday
            } else {
                day || weekday
            }
    }

    fn times(&self) -> impl Iterator<Item = Time> + '_ {
        let hours = (0..24_i8).filter(|h| has(self.hours, i64::from(*h)));
        hours.flat_map(|h| {
            (0..60_i8)
                .filter(|m| has(self.minutes, i64::from(*m)))
                .filter_map(move |m| Time::new(h, m, 0, 0).ok())
        })
    }
}

fn named(text: &str) -> Option<&str> {
    Some(match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        other if other.starts_with('@') => return None,
        other => other,
    })
}

fn has(bits: u64, value: i64) -> bool {
    u32::try_from(value).is_ok_and(|v| v < 64 && bits & (1 << v) != 0)
}

fn is_star(field: &str) -> bool {
    field
        .split(',')
        .any(|part| matches!(part.split('/').next(), Some("*" | "?")))
}

fn field(text: &str, low: u32, high: u32, names: &[&str]) -> Option<u64> {
    text.split(',')
        .try_fold(0, |bits, part| Some(bits | range(part, low, high, names)?))
}

/// `*`, `5`, `1-5`, each with `/step`; `5/15` runs from 5 to the end.
fn range(part: &str, low: u32, high: u32, names: &[&str]) -> Option<u64> {
    let (span, step) = match part.split_once('/') {
        Some((span, step)) => (span, Some(step.parse::<u32>().ok().filter(|s| *s > 0)?)),
        None => (part, None),
    };
    let (from, to) = match span.split_once('-') {
        _ if matches!(span, "*" | "?") => (low, high),
        Some((from, to)) => (value(from, low, names)?, value(to, low, names)?),
        None => {
            let from = value(span, low, names)?;
            (from, if step.is_some() { high } else { from })
        }
    };
    let valid = from >= low && to <= high && from <= to;
    valid.then(|| {
        (from..=to)
            .step_by(usize::try_from(step.unwrap_or(1)).unwrap_or(1))
            .fold(0, |bits, v| bits | 1 << v)
    })
}

fn value(text: &str, low: u32, names: &[&str]) -> Option<u32> {
    let by_name = names
        .iter()
        .position(|n| n.eq_ignore_ascii_case(text))
        .and_then(|i| u32::try_from(i).ok());
    by_name.map(|i| i + low).or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::datetime;

    fn next(schedule: &str, from: DateTime) -> DateTime {
        Schedule::parse(schedule).unwrap().next_after(from).unwrap()
    }

    #[test]
    fn the_next_start_is_strictly_later() {
        let ten = datetime(2026, 11, 21, 22, 0, 0, 0);
        assert_eq!(next("0 22 * * *", ten), datetime(2026, 11, 22, 22, 0, 0, 0));
        assert_eq!(
            next("0 22 * * *", datetime(2026, 11, 21, 21, 59, 59, 0)),
            ten
        );
    }

    #[test]
    fn steps_lists_ranges_and_names_read() {
        let from = datetime(2026, 11, 21, 10, 7, 0, 0); // a Saturday
        assert_eq!(
            next("*/15 * * * *", from),
            datetime(2026, 11, 21, 10, 15, 0, 0)
        );
        assert_eq!(
            next("5/20 10 * * *", from),
            datetime(2026, 11, 21, 10, 25, 0, 0)
        );
        assert_eq!(
            next("0 9-17 * * MON-FRI", from),
            datetime(2026, 11, 23, 9, 0, 0, 0)
        );
        assert_eq!(next("0 0 1 jan ?", from), datetime(2027, 1, 1, 0, 0, 0, 0));
        assert_eq!(
            next("30 11,13 * * *", from),
            datetime(2026, 11, 21, 11, 30, 0, 0)
        );
        assert_eq!(next("@weekly", from), datetime(2026, 11, 22, 0, 0, 0, 0));
    }

    #[test]
    fn day_and_weekday_both_given_are_alternatives() {
        let from = datetime(2026, 11, 21, 10, 0, 0, 0);
        // The 25th is a Wednesday; the Monday before it comes first.
        assert_eq!(next("0 0 25 * 1", from), datetime(2026, 11, 23, 0, 0, 0, 0));
        assert_eq!(next("0 0 25 * *", from), datetime(2026, 11, 25, 0, 0, 0, 0));
    }

    #[test]
    fn the_29th_of_february_is_found_and_the_30th_never() {
        let from = datetime(2026, 11, 21, 10, 0, 0, 0);
        assert_eq!(next("0 0 29 2 *", from), datetime(2028, 2, 29, 0, 0, 0, 0));
        assert!(
            Schedule::parse("0 0 30 2 *")
                .unwrap()
                .next_after(from)
                .is_none()
        );
    }

    #[test]
    fn what_the_library_refuses_does_not_read() {
        for text in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* * * * 7",
            "5-1 * * * *",
            "*/0 * * * *",
            "x * * * *",
            "@every 1h",
            "* * 0 * *",
        ] {
            assert_eq!(Schedule::parse(text), None, "{text}");
        }
    }
}
