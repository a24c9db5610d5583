//! Functions of times; none of them asks what time it is.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, fmt::strtime};
use serde_json::{Value, json};

use super::{Made, wrong};
use crate::drift::jq::parse::number_value;

const ISO: &str = "%Y-%m-%dT%H:%M:%SZ";

pub(super) fn call(name: &str, input: &Value, arguments: &[&Value]) -> Made {
    let made = match (name, arguments) {
        ("fromdate" | "fromdateiso8601", []) => {
            let time = input.as_str().and_then(|t| t.parse::<Timestamp>().ok());
            time.map(|t| json!(t.as_second()))
        }
        ("todateiso8601", []) => written(input, ISO),
        ("strftime", [format]) => format.as_str().and_then(|format| written(input, format)),
        ("gmtime", []) => {
            timestamp(input).map(|t| broken_down(t.to_zoned(TimeZone::UTC).datetime()))
        }
        ("mktime", []) => timestamp(input)
            .filter(|_| input.is_array())
            .map(|t| json!(t.as_second())),
        ("strptime", [format]) => {
            let text = input.as_str().zip(format.as_str());
            let read = text.and_then(|(text, format)| strtime::parse(format, text).ok());
            read.and_then(|time| time.to_datetime().ok())
                .map(broken_down)
        }
        _ => None,
    };
    made.ok_or_else(|| wrong(name, input))
}

fn written(time: &Value, format: &str) -> Option<Value> {
    let time = timestamp(time)?.to_zoned(TimeZone::UTC);
    strtime::format(format, &time).ok().map(Value::String)
}

/// A number of seconds, or a broken down time: year, month from 0, day, hours, minutes, seconds.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a time beyond the calendar is refused"
)]
fn timestamp(value: &Value) -> Option<Timestamp> {
    let Value::Array(parts) = value else {
        return Timestamp::from_second(value.as_f64()?.floor() as i64).ok();
    };
    let part = |at: usize| parts.get(at).and_then(Value::as_f64).map(|n| n as i64);
    let date = DateTime::new(
        i16::try_from(part(0)?).ok()?,
        i8::try_from(part(1)? + 1).ok()?,
        i8::try_from(part(2)?).ok()?,
        i8::try_from(part(3)?).ok()?,
        i8::try_from(part(4)?).ok()?,
        i8::try_from(part(5)?).ok()?,
        0,
    );
    Some(date.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn broken_down(time: DateTime) -> Value {
    json!([
        time.year(),
        time.month() - 1,
        time.day(),
        time.hour(),
        time.minute(),
        number_value(f64::from(time.second())),
        time.weekday().to_sunday_zero_offset(),
        time.day_of_year() - 1
    ])
}
