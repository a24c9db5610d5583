//! Durations as Go writes and reads them: `1h30m`, `8760h0m0s`, `1.5s`.

/// Units and their length in nanoseconds, longest name first where one begins with another.
const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The duration in nanoseconds; `None` when Go would refuse the text.
pub fn parse(text: &str) -> Option<i128> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let whole = rest.get(..digits)?;
        rest = rest.get(digits..)?;
        let mut fraction = "";
        if let Some(behind) = rest.strip_prefix('.') {
            let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
            fraction = behind.get(..digits)?;
            rest = behind.get(digits..)?;
        }
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let letters = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let name = rest.get(..letters)?;
        rest = rest.get(letters..)?;
        let (_, unit) = UNITS.iter().find(|(n, _)| *n == name)?;
        total = total.checked_add(amount(whole, fraction, *unit)?)?;
    }
    let limit = i128::from(i64::MAX);
    (total <= limit).then_some(if negative { -total } else { total })
}

fn amount(whole: &str, fraction: &str, unit: i128) -> Option<i128> {
    let number = |digits: &str| {
        if digits.is_empty() {
            Some(0)
        } else {
            digits.parse::<i128>().ok()
        }
    };
    let fraction = fraction.get(..fraction.len().min(15))?;
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = number(fraction)?.checked_mul(unit)? / scale;
    number(whole)?.checked_mul(unit)?.checked_add(part)
}

/// The form in which Go writes it.
pub fn canonical(text: &str) -> Option<String> {
    parse(text).map(write)
}

fn write(nanos: i128) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.abs();
    if nanos == 0 {
        return "0s".to_owned();
    }
    if nanos < 1_000_000_000 {
        let (unit, name) = match nanos {
            n if n < 1_000 => (1, "ns"),
            n if n < 1_000_000 => (1_000, "µs"),
            _ => (1_000_000, "ms"),
        };
        return format!("{sign}{}{name}", decimal(nanos, unit));
    }
    let seconds = decimal(nanos % 60_000_000_000, 1_000_000_000);
    let minutes = nanos / 60_000_000_000;
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// `nanos / unit` without trailing zeros.
fn decimal(nanos: i128, unit: i128) -> String {
    let (whole, rest) = (nanos / unit, nanos % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    let digits = format!("{rest:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("8760h", "8760h0m0s")]
    #[case("90m", "1h30m0s")]
    #[case("1.5s", "1.5s")]
    #[case("0", "0s")]
    #[case("1500us", "1.5ms")]
    #[case("-1m0.5s", "-1m0.5s")]
    #[case("1h1m1.001s", "1h1m1.001s")]
    fn go_writes_durations_its_own_way(#[case] text: &str, #[case] want: &str) {
        assert_eq!(canonical(text).as_deref(), Some(want));
    }

    #[rstest]
    #[case("")]
    #[case("1")]
    #[case("1d")]
    #[case("h")]
    #[case("1h 30m")]
    #[case("9999999h")]
    #[case(".s")]
    fn what_go_refuses_is_refused(#[case] text: &str) {
        assert_eq!(canonical(text), None);
    }
}
