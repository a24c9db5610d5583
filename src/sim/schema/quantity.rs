//! Quantities in their canonical form, which is how the server stores them: `1000m` is `1`, `1024Mi` is `1Gi`.

use serde_json::Value;

const DECIMAL: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// How a quantity was written, and is written again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Decimal,
    Binary,
    Exponent,
}

/// The canonical form of a quantity; `None` when it is none.
pub(crate) fn canonical(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let (mantissa, exponent, form) = parse(&text)?;
    Some(write(mantissa, exponent, form))
}

/// Reads `mantissa * 10^exponent`; binary suffixes are multiplied into the mantissa.
fn parse(text: &str) -> Option<(i128, i32, Form)> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, suffix) = rest.split_at(end.unwrap_or(rest.len()));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 || fraction.contains('.') {
        return None;
    }
    let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let mantissa = if negative { -digits } else { digits };
    let places = i32::try_from(fraction.len()).ok()?;
    if let Some(power) = BINARY.iter().position(|s| *s == suffix) {
        let factor = 1024_i128.checked_pow(u32::try_from(power + 1).ok()?)?;
        return Some((mantissa.checked_mul(factor)?, -places, Form::Binary));
    }
    if let Some((_, exponent)) = DECIMAL.iter().find(|(s, _)| *s == suffix) {
        return Some((mantissa, exponent - places, Form::Decimal));
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    (exponent.abs() < 30).then_some((mantissa, exponent - places, Form::Exponent))
}

fn write(mut mantissa: i128, mut exponent: i32, form: Form) -> String {
    if mantissa == 0 {
        return "0".to_owned();
    }
    if form == Form::Binary
        && let Some(text) = write_binary(mantissa, exponent)
    {
        return text;
    }
    // Finer than nano is rounded up, away from zero.
    while exponent < -9 {
        let up = i128::from(mantissa % 10 != 0) * mantissa.signum();
        mantissa = mantissa / 10 + up;
        exponent += 1;
    }
    while mantissa % 10 == 0 {
        mantissa /= 10;
        exponent += 1;
    }
    while exponent.rem_euclid(3) != 0 || exponent > 18 {
        mantissa *= 10;
        exponent -= 1;
    }
    if form == Form::Exponent && exponent != 0 {
        return format!("{mantissa}e{exponent}");
    }
    let suffix = DECIMAL.iter().find(|(_, e)| *e == exponent);
    format!("{mantissa}{}", suffix.map_or("", |(s, _)| s))
}

/// Binary form, for whole numbers of at least 1024; smaller ones are written decimally.
fn write_binary(mantissa: i128, exponent: i32) -> Option<String> {
    let divisor = 10_i128.checked_pow(u32::try_from(-exponent).ok()?)?;
    if mantissa.abs() < divisor.checked_mul(1024)? {
        return None;
    }
    let up = i128::from(mantissa % divisor != 0) * mantissa.signum();
    let mut whole = mantissa / divisor + up;
    let mut power = 0;
    while whole % 1024 == 0 && power < BINARY.len() {
        whole /= 1024;
        power += 1;
    }
    let suffix = power.checked_sub(1).and_then(|i| BINARY.get(i));
    Some(format!("{whole}{}", suffix.unwrap_or(&"")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_become_canonical() {
        for (written, stored) in [
            ("1000m", "1"),
            ("500m", "500m"),
            ("0.5", "500m"),
            ("1.25G", "1250M"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("1e3", "1e3"),
            ("1500", "1500"),
            ("1000000", "1M"),
            ("0", "0"),
            ("0.1n", "1n"),
            ("-2000m", "-2"),
        ] {
            assert_eq!(
                canonical(&json!(written)).as_deref(),
                Some(stored),
                "{written}"
            );
        }
        assert_eq!(canonical(&json!(2)).as_deref(), Some("2"));
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for wrong in ["", "abc", "1.2.3", "1Zi", "1e", "--1"] {
            assert_eq!(canonical(&json!(wrong)), None, "{wrong}");
        }
        assert_eq!(canonical(&json!({})), None);
    }
}
