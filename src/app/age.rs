//! Ages in few, wide steps: a live row has none, and nothing on the screen changes by the second.

use jiff::Timestamp;

use crate::domain::Safe;

/// Below this an age is not shown, in seconds.
const SHOWN_FROM: i64 = 10;
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `10s`, `20s`, `30s`, then minutes to 59, hours to 47, days; nothing below ten seconds.
///
/// Ages step together, with the tens of seconds and with the minutes of the clock, so that a page of them costs one frame and not one each. An
/// age may so read up to one step less than it is, never more.
pub fn age(now: Timestamp, then: Timestamp) -> Option<Safe> {
    let seconds = now.duration_since(then).as_secs();
    let at_last = |step: i64| seconds - now.as_second().rem_euclid(step);
    let text = match seconds {
        ..SHOWN_FROM => return None,
        SHOWN_FROM..MINUTE => format!("{}s", (at_last(10) / 10 * 10).clamp(10, 30)),
        MINUTE..HOUR => format!("{}m", (at_last(MINUTE) / MINUTE).max(1)),
        HOUR..172_800 => format!("{}h", (at_last(MINUTE) / HOUR).max(1)),
        _ => format!("{}d", (at_last(MINUTE) / DAY).max(2)),
    };
    Some(text.into())
}

/// A point in time: hours and minutes today, else the day too.
pub fn moment(at: Timestamp, now: Timestamp) -> String {
    let day = |t: Timestamp| t.strftime("%Y-%m-%d").to_string();
    if day(at) == day(now) {
        at.strftime("%H:%MZ").to_string()
    } else {
        at.strftime("%m-%d %H:%MZ").to_string()
    }
}

/// The clock of the header: hours and minutes of UTC.
pub fn clock(now: Timestamp) -> Safe {
    now.strftime("%H:%MZ").to_string().into()
}

/// Day, hours and minutes of UTC, for wide headers.
pub fn date_clock(now: Timestamp) -> Safe {
    now.strftime("%Y-%m-%d %H:%MZ").to_string().into()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, None)]
    #[case(9, None)]
    #[case(10, Some("10s"))]
    #[case(29, Some("20s"))]
    #[case(59, Some("30s"))]
    #[case(60, Some("1m"))]
    #[case(3_599, Some("59m"))]
    #[case(3_600, Some("1h"))]
    #[case(172_799, Some("47h"))]
    #[case(172_800, Some("2d"))]
    #[case(-5, None)]
    fn ages_step(#[case] seconds: i64, #[case] text: Option<&str>) {
        let then = Timestamp::from_second(1_795_227_240).unwrap();
        let now = Timestamp::from_second(1_795_227_240 + seconds).unwrap();
        assert_eq!(age(now, then).as_ref().map(Safe::as_str), text);
    }

    #[test]
    fn ages_of_a_page_step_together() {
        let base = 1_795_227_240;
        let read = |second: i64| {
            let now = Timestamp::from_second(base + second).unwrap();
            let then = (0..300).map(|s| Timestamp::from_second(base - 400 + s).unwrap());
            then.map(|then| age(now, then)).collect::<Vec<_>>()
        };
        for second in 1..60 {
            assert_eq!(read(second), read(0), "{second} s into a minute");
        }
        assert_ne!(read(60), read(0));
    }

    #[test]
    fn the_clock_has_no_seconds() {
        let now = Timestamp::from_second(1_795_227_240).unwrap();
        assert_eq!(clock(now).as_str(), "02:14Z");
    }
}
