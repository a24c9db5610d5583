//! Ages in few, wide steps: a live row has none, and nothing on the screen changes by the second.

use jiff::Timestamp;

use crate::domain::Safe;

/// Below this an age is not shown, in seconds.
const SHOWN_FROM: i64 = 10;
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `10s`, `20s`, `30s`, then minutes to 59, hours to 47, days; nothing below ten seconds.
pub fn age(now: Timestamp, then: Timestamp) -> Option<Safe> {
    let seconds = now.duration_since(then).as_secs();
    let text = match seconds {
        ..SHOWN_FROM => return None,
        SHOWN_FROM..MINUTE => format!("{}s", (seconds / 10 * 10).min(30)),
        MINUTE..HOUR => format!("{}m", seconds / MINUTE),
        HOUR..172_800 => format!("{}h", seconds / HOUR),
        _ => format!("{}d", seconds / DAY),
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
    fn the_clock_has_no_seconds() {
        let now = Timestamp::from_second(1_795_227_240).unwrap();
        assert_eq!(clock(now).as_str(), "02:14Z");
    }
}
