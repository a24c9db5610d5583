//! Kubernetes quantities: `1000m` is `1`, `0.5Gi` is `512Mi`. Parsed exactly, rounded up to nano units, written in the API's canonical form.
//!
//! Rules: apimachinery's `resource.Quantity`. A value is `unscaled × 10^exponent`, held in 128 bits; longer numbers are refused rather than rounded.

use std::cmp::Ordering;
use std::fmt;

/// The notation a quantity was written in, which its canonical form keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `12e6`.
    DecimalExponent,
    /// `12Mi`.
    BinarySI,
    /// `12M`.
    DecimalSI,
}

/// One quantity.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    unscaled: i128,
    exponent: i32,
    format: Format,
}

/// The parts a quantity's text falls into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Whether it has no minus sign.
    pub positive: bool,
    /// The number with its sign, without the suffix.
    pub value: &'a str,
    /// Digits before the point, leading zeros removed.
    pub whole: &'a str,
    /// Digits behind the point.
    pub fraction: &'a str,
    /// The suffix or exponent.
    pub suffix: &'a str,
}

/// The smallest unit: everything finer is rounded away from zero.
const NANO: i32 = -9;
/// The largest binary quantity: 2^63 - 1.
const MAX_BINARY: i128 = i64::MAX as i128;

/// Splits text into number and suffix; `None` when it is no quantity at all.
pub fn split(text: &str) -> Option<Parts<'_>> {
    let (positive, unsigned) = match text.as_bytes().first()? {
        b'-' => (false, text.get(1..)?),
        b'+' => (true, text.get(1..)?),
        _ => (true, text),
    };
    let number = unsigned.trim_start_matches('0');
    let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
    let whole = number.get(..digits(number))?;
    let rest = number.get(whole.len()..)?;
    let fraction = match rest.strip_prefix('.') {
        Some(behind) => behind.get(..digits(behind))?,
        None => "",
    };
    let point = usize::from(rest.starts_with('.'));
    let suffix = rest.get(point + fraction.len()..)?;
    is_suffix(suffix).then(|| Parts {
        positive,
        value: text.get(..text.len() - suffix.len()).unwrap_or(text),
        whole: if whole.is_empty() { "0" } else { whole },
        fraction,
        suffix,
    })
}

/// Letters of suffixes, then an optional sign and digits.
fn is_suffix(suffix: &str) -> bool {
    let behind = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    let behind = behind.strip_prefix(['+', '-']).unwrap_or(behind);
    behind.bytes().all(|b| b.is_ascii_digit())
}

/// What a suffix multiplies by: a power of two or of ten.
enum Multiplier {
    Two(u32),
    Ten(i32),
}

fn multiplier(suffix: &str) -> Option<(Multiplier, Format)> {
    let ten = |power| Some((Multiplier::Ten(power), Format::DecimalSI));
    let two = |power| Some((Multiplier::Two(power), Format::BinarySI));
    match suffix {
        "n" => ten(-9),
        "u" => ten(-6),
        "m" => ten(-3),
        "" => ten(0),
        "k" => ten(3),
        "M" => ten(6),
        "G" => ten(9),
        "T" => ten(12),
        "P" => ten(15),
        "E" => ten(18),
        "Ki" => two(10),
        "Mi" => two(20),
        "Gi" => two(30),
        "Ti" => two(40),
        "Pi" => two(50),
        "Ei" => two(60),
        exponent => {
            let power = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            Some((Multiplier::Ten(power), Format::DecimalExponent))
        }
    }
}

impl Quantity {
    /// Reads a quantity; `None` when the text is none, or is longer than 128 bits hold.
    pub fn parse(text: &str) -> Option<Self> {
        let parts = split(text)?;
        if parts.value.is_empty() || parts.value.bytes().all(|b| !b.is_ascii_digit()) {
            return None;
        }
        let (multiplier, format) = multiplier(parts.suffix)?;
        let fraction = parts.fraction.trim_end_matches('0');
        let unscaled: i128 = format!("{}{fraction}", parts.whole).parse().ok()?;
        let exponent = -i32::try_from(fraction.len()).ok()?;
        let mut quantity = Self {
            unscaled,
            exponent,
            format,
        };
        match multiplier {
            Multiplier::Ten(power) => quantity.exponent = exponent.checked_add(power)?,
            Multiplier::Two(power) => {
                quantity.unscaled = unscaled.checked_mul(1_i128 << power)?;
            }
        }
        let quantity = quantity.round_up(NANO).0.bounded();
        Some(if parts.positive {
            quantity
        } else {
            quantity.negated()
        })
    }

    fn negated(self) -> Self {
        Self {
            unscaled: -self.unscaled,
            ..self
        }
    }

    /// Binary quantities have an upper bound, and small ones are written in decimals.
    fn bounded(mut self) -> Self {
        if self.format != Format::BinarySI {
            return self.normal();
        }
        let at = |unscaled| Self {
            unscaled,
            exponent: 0,
            format: Format::BinarySI,
        };
        if self.compare(&at(MAX_BINARY)) == Ordering::Greater {
            self = at(MAX_BINARY);
        }
        if self.unscaled > 0 && self.compare(&at(1)) == Ordering::Less {
            self.format = Format::DecimalSI;
        }
        self.normal()
    }

    /// Without trailing zeros in the unscaled part.
    fn normal(mut self) -> Self {
        if self.unscaled == 0 {
            self.exponent = 0;
        }
        while self.unscaled != 0 && self.unscaled % 10 == 0 {
            self.unscaled /= 10;
            self.exponent = self.exponent.saturating_add(1);
        }
        self
    }

    /// Rounds away from zero to a multiple of `10^scale`; tells whether nothing was lost.
    #[must_use]
    pub fn round_up(self, scale: i32) -> (Self, bool) {
        let mut quantity = self.normal();
        let mut exact = true;
        while quantity.exponent < scale && quantity.unscaled != 0 {
            exact &= quantity.unscaled % 10 == 0;
            quantity.unscaled /= 10;
            quantity.exponent += 1;
        }
        if !exact {
            quantity.unscaled += self.unscaled.signum();
        }
        (quantity.normal(), exact)
    }

    /// The number without its power of ten; no trailing zeros.
    pub fn unscaled(&self) -> i128 {
        self.unscaled
    }

    /// The power of ten.
    pub fn exponent(&self) -> i32 {
        self.exponent
    }

    /// The notation.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Compares the values, whatever the notations.
    pub fn compare(&self, other: &Self) -> Ordering {
        let (a, b) = (self.normal(), other.normal());
        if a.unscaled.signum() != b.unscaled.signum() || a.unscaled == 0 {
            return a.unscaled.cmp(&b.unscaled);
        }
        let low = a.exponent.min(b.exponent);
        match (scaled(a, low), scaled(b, low)) {
            (Some(x), Some(y)) => x.cmp(&y),
            // Too far apart for 128 bits: the one with more digits before the point is larger in size.
            _ => {
                let by_size = magnitude(a).cmp(&magnitude(b));
                if a.unscaled < 0 {
                    by_size.reverse()
                } else {
                    by_size
                }
            }
        }
    }

    /// The value as a whole number, when it is one.
    fn whole(&self) -> Option<i128> {
        scaled(self.normal(), 0)
    }

    fn write_decimal(self, format: Format) -> String {
        let highest = if format == Format::DecimalSI {
            18
        } else {
            i32::MAX
        };
        let mut number = self.normal();
        while number.exponent.rem_euclid(3) != 0 || number.exponent > highest {
            let Some(longer) = number.unscaled.checked_mul(10) else {
                return format!("{}e{}", number.unscaled, number.exponent);
            };
            number.unscaled = longer;
            number.exponent = number.exponent.saturating_sub(1);
        }
        let suffix = match (format, number.exponent) {
            (_, 0) => String::new(),
            (Format::DecimalExponent, power) => format!("e{power}"),
            (_, power) => decimal_suffix(power).to_owned(),
        };
        format!("{}{suffix}", number.unscaled)
    }
}

fn decimal_suffix(power: i32) -> &'static str {
    match power {
        -9 => "n",
        -6 => "u",
        -3 => "m",
        3 => "k",
        6 => "M",
        9 => "G",
        12 => "T",
        15 => "P",
        18 => "E",
        _ => "",
    }
}

/// The unscaled number at a lower exponent; `None` when it does not fit or would need a fraction.
fn scaled(quantity: Quantity, exponent: i32) -> Option<i128> {
    let steps = u32::try_from(quantity.exponent.checked_sub(exponent)?).ok()?;
    quantity.unscaled.checked_mul(10_i128.checked_pow(steps)?)
}

/// Digits before the point.
fn magnitude(quantity: Quantity) -> i64 {
    let digits = quantity
        .unscaled
        .unsigned_abs()
        .checked_ilog10()
        .unwrap_or(0);
    i64::from(quantity.exponent) + i64::from(digits)
}

impl fmt::Display for Quantity {
    /// The canonical form: no fraction, the largest suffix that keeps it whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quantity = self.normal();
        if quantity.unscaled == 0 {
            return f.write_str("0");
        }
        match (self.format, quantity.whole()) {
            (Format::BinarySI, Some(whole)) if whole.abs() >= 1024 => write_binary(f, whole),
            (Format::BinarySI, _) => f.write_str(&quantity.write_decimal(Format::DecimalSI)),
            (format, _) => f.write_str(&quantity.write_decimal(format)),
        }
    }
}

fn write_binary(f: &mut fmt::Formatter<'_>, mut whole: i128) -> fmt::Result {
    let mut suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].into_iter();
    let mut suffix = suffixes.next().unwrap_or_default();
    while whole % 1024 == 0 {
        let Some(next) = suffixes.next() else { break };
        whole /= 1024;
        suffix = next;
    }
    write!(f, "{whole}{suffix}")
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other) == Ordering::Equal
    }
}

/// The canonical form of a quantity's text.
pub fn canonical(text: &str) -> Option<String> {
    Quantity::parse(text).map(|q| q.to_string())
}

/// Whether two spellings mean the same quantity; `None` when one is no quantity.
pub fn equal(a: &str, b: &str) -> Option<bool> {
    Some(Quantity::parse(a)? == Quantity::parse(b)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("1000m", "1")]
    #[case("0.5", "500m")]
    #[case("1.5Gi", "1536Mi")]
    #[case("128974848", "128974848")]
    #[case("129e6", "129e6")]
    #[case("2000M", "2G")]
    #[case("1024Ki", "1Mi")]
    #[case("+0.50", "500m")]
    #[case("-1.5", "-1500m")]
    #[case("0", "0")]
    #[case("000Mi", "0")]
    #[case("0.1Ki", "102400m")]
    #[case("16Ei", "9223372036854775807")]
    fn canonical_form_is_the_api_servers(#[case] text: &str, #[case] want: &str) {
        assert_eq!(canonical(text).as_deref(), Some(want));
    }

    #[rstest]
    #[case("")]
    #[case("Mi")]
    #[case("-")]
    #[case(".")]
    #[case("1.1.M")]
    #[case("0.1mi")]
    #[case("1 ")]
    #[case("1KI")]
    #[case("0x10")]
    fn what_is_no_quantity_is_refused(#[case] text: &str) {
        assert_eq!(canonical(text), None);
    }

    #[test]
    fn values_compare_whatever_their_notation() {
        assert_eq!(equal("1000m", "1"), Some(true));
        assert_eq!(equal("1Gi", "1024Mi"), Some(true));
        assert_eq!(equal("1G", "1Gi"), Some(false));
        assert_eq!(equal("1e3", "1k"), Some(true));
        assert_eq!(equal("a", "1"), None);
        let q = |t: &str| Quantity::parse(t).unwrap();
        assert_eq!(q("1e40").compare(&q("1n")), Ordering::Greater);
        assert_eq!(q("-1e40").compare(&q("1n")), Ordering::Less);
    }

    #[test]
    fn finer_than_nano_is_rounded_away_from_zero() {
        assert_eq!(canonical("0.0000000001").as_deref(), Some("1n"));
        assert_eq!(canonical("-3.001n").as_deref(), Some("-4n"));
    }

    #[test]
    fn hostile_numbers_neither_panic_nor_lose_their_value() {
        for text in [
            "10e2147483647",
            "1e-2147483648",
            "170141183460469231731687303715884105727E",
            "99999999999999999999999999999999999999999999",
        ] {
            if let Some(written) = canonical(text) {
                assert_ne!(written, "0", "{text}");
            }
        }
    }
}
